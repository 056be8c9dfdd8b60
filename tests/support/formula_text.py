"""The value of a formula's numbers, computed from its text."""


def evaluate(numbers: str) -> int:
    """Compute the value of `Formula.numbers`, to check the text."""
    total = 0
    for term in numbers.replace(",", "").split(" + "):
        value, divide = 1, False
        for word in term.split():
            if word in ("×", "/"):
                divide = word == "/"
            else:
                value = value // int(word) if divide else value * int(word)
        total += value
    return total
