r"""LaTeX of the formulas that the engine writes as plain text: ``k² × c / g`` becomes ``\dfrac{k^2 \cdot c}{g}``.

The plain notation has numbers with commas, names of fields, letters with a subscript or primes, words, ``² ³``,
parentheses, ``+ − × /``, and products without a sign such as ``2cm``. A slash divides everything before it in its term.
"""

import re

from effviz.core.text import visible

# Fields of layers, by the letters of the papers.
_NAMES = {
    "out_channels": r"C_{\text{out}}", "in_channels": r"C_{\text{in}}", "groups": "g", "kernel_size": "k",
    "out_height": r"H_{\text{out}}", "out_width": r"W_{\text{out}}", "num_features": "C",
    "in_features": r"N_{\text{in}}", "out_features": r"N_{\text{out}}",
}  # fmt: skip
LETTERS = (
    r"$C_{\text{in}}$, $C_{\text{out}}$ channels of input and output, $k$ kernel size, $g$ groups, "
    r"$H_{\text{out}} \times W_{\text{out}}$ output map."
)
"""The meaning of the letters in the formulas of a layer, in Markdown."""

_LETTER = r"[A-Za-zαβγφρ](?:_[A-Za-z]+)?'*"
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<number>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)
    |(?P<field>{"|".join(_NAMES)})
    |(?P<note>\([a-z]{{3,}}(?:\ [a-z]+)+\)|,\ .+)
    |(?P<words>[A-Za-z]{{3,}}(?:,?\ [A-Za-z]+)*)
    |(?P<letter>{_LETTER})
    |(?P<mark>[-()+×/−²³])
    )\s*""",
    re.VERBOSE,
)
_POWERS = {"²": "^2", "³": "^3"}
_ESCAPED = {"\\": r"\textbackslash ", "$": r"\textdollar ", "~": r"\textasciitilde ", "^": r"\textasciicircum ",
            "<": r"\textless ", ">": r"\textgreater "}  # fmt: skip
_ESCAPED |= {each: f"\\{each}" for each in "{}&#%_"}
# A letter of a formula inside a sentence: alone, after a coefficient, in a fraction, or with a power.
_IN_TEXT = re.compile(rf"(?<![\w'])(?!a\b)(?:\d?{_LETTER}[²³]?)(?:/{_LETTER})?(?![\w'])(?!-)")


def words(text: str, *, bold: bool = False) -> str:
    """Return words, or a number as text, inside a formula; every character is shown as it is."""
    return rf"\text{'bf' * bold}{{{''.join(_ESCAPED.get(each, each) for each in visible(text))}}}"


def number(text: str) -> str:
    """Return a number, such as ``12,544``, without the space that LaTeX adds after a comma."""
    return text.replace(",", "{,}")


def latex(text: str) -> str:
    r"""Return a formula in the plain notation as LaTeX.

    Raises:
        ValueError: the text is not in the plain notation.

    Example:
        >>> latex("out_channels × in_channels / groups")
        '\\dfrac{C_{\\text{out}} \\cdot C_{\\text{in}}}{g}'
    """
    return _Reader(text).formula()


def sentence(text: str) -> str:
    """Return a sentence as Markdown in which the letters of a formula are typeset: ``n/s``, ``d²``, ``h'``."""
    return _IN_TEXT.sub(lambda found: f"${latex(found[0])}$", text)


def terms(formula: str) -> list[str]:
    r"""Split a formula in LaTeX before the plus and minus signs outside of all brackets.

    Example:
        >>> terms(r"2 \sqrt{a + b} + a / (b - c)")
        ['2 \\sqrt{a + b}', '+ a / (b - c)']
    """
    found, depth, start = [], 0, 0
    for place, sign in enumerate(formula):
        depth += {**dict.fromkeys("([{", 1), **dict.fromkeys(")]}", -1)}.get(sign, 0)
        if depth == 0 and sign in "+-" and formula[:place].endswith(" ") and formula[place + 1 : place + 2] == " ":
            found.append(formula[start:place].strip())
            start = place
    found.append(formula[start:].strip())
    # Brackets of other kinds, such as those of a ceiling, are never divided.
    return found if all(each.count(r"\left") == each.count(r"\right") for each in found) else [formula]


class _Reader:
    """Reads a formula from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            if not found or not found.lastgroup:
                raise ValueError(f"{text!r} is not a formula, from character {place}")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()
        self.tokens.append(("end", ""))
        symbolic = any(kind in ("field", "letter") for kind, _ in self.tokens)
        self.times = r" \cdot " if symbolic else r" \times "

    def formula(self) -> str:
        found = self._sum()
        if self.tokens[0][0] != "end":
            raise ValueError(f"{self.text!r} is not a formula, at {self.tokens[0][1]!r}")
        return found

    def _take(self, *marks: str) -> str:
        """Return the next token and move on if it is one of these; otherwise the empty string."""
        return self.tokens.pop(0)[1] if self.tokens[0][1] in marks else ""

    def _sum(self) -> str:
        found = self._product()
        while sign := self._take("+", "-", "−"):
            found += f" {'+' if sign == '+' else '-'} {self._product()}"
        return found

    def _product(self) -> str:
        found, bare = self._factor()
        while self.tokens[0][1] not in ("+", "-", "−", ")", ""):
            divides = bool(self._take("/"))
            between = "" if divides else self.times if self._take("×") else " "
            factor, inner = self._factor()
            # The bar of a fraction replaces parentheses.
            found, bare = (rf"\dfrac{{{bare}}}{{{inner}}}",) * 2 if divides else (f"{found}{between}{factor}",) * 2
        return found

    def _factor(self) -> tuple[str, str]:
        """Return a factor, and the same without outer parentheses."""
        kind, text = self.tokens.pop(0)
        inner = ""
        if kind == "number":
            found = number(text)
        elif kind == "field":
            found = _NAMES[text]
        elif kind == "letter":
            letter, _, below = text.rstrip("'").partition("_")
            found = letter + text[len(text.rstrip("'")) :]
            if below:
                found += f"_{{{below if len(below) == 1 else words(below)}}}"
        elif kind == "words":
            found = words(text)
        elif kind == "note":
            found = rf"\quad {words(text.removeprefix(', '))}"
        elif text == "(":
            inner = self._sum()
            if not self._take(")"):
                raise ValueError(f"{self.text!r} has an open parenthesis")
            found = rf"\left({inner}\right)" if "frac" in inner else f"({inner})"
        else:
            raise ValueError(f"{self.text!r} is not a formula, at {text!r}")
        if power := self._take(*_POWERS):
            return (found + _POWERS[power],) * 2
        return found, inner or found
