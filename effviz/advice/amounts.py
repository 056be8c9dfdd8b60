"""The quantities that can have a limit, and their amounts as text: ``300 M``, ``320 KiB``, ``33.5 ms``."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from effviz.core.arguments import check_public, checked_late
from effviz.core.errors import fail, number, one_of, show

COUNT, BYTES, TIME = "count", "bytes", "time"

MAX_AMOUNT = 10**18
"""Far beyond any network, and small enough that a float distinguishes neighboring limits by their share."""


class Quantity(NamedTuple):
    """A quantity that can have a budget.

    Attributes:
        title: in a sentence and in a table of limits.
        label: beside a control.
        unit: of a limit: ``""`` for a count, ``"elements"``, ``"bytes"`` or ``"ms"``.
        kind: notation of its amounts: `COUNT`, `BYTES` or `TIME`.
        what: its definition in one sentence.
        counted: the attribute of a report with its numbers or elements; empty if it is measured.
    """

    title: str
    label: str
    unit: str
    kind: str
    what: str
    counted: str


QUANTITIES: dict[str, Quantity] = {
    "params": Quantity(
        "Parameters", "Parameters", "", COUNT, "Trainable numbers, including two per channel of batch norm.", "params"
    ),
    "macs": Quantity(
        "Multiply-adds",
        "Multiply-adds",
        "",
        COUNT,
        "Fused multiply-adds of convolution and linear layers, one image.",
        "macs",
    ),
    "memory_access": Quantity(
        "Memory access cost",
        "Memory access",
        "elements",
        COUNT,
        "Elements read and written at batch 1, under the report's assumption.",
        "memory_access",
    ),
    "peak_activation": Quantity(
        "Peak activation memory",
        "Peak activations",
        "bytes",
        BYTES,
        "Largest set of live activations in the fused network, batch 1.",
        "peak_activation",
    ),
    "weight_size": Quantity(
        "Weight size", "Weight size", "bytes", BYTES, "All parameters in one number format.", "params"
    ),
    "latency": Quantity("Latency", "Latency", "ms", TIME, "Median time for one image, measured on this machine.", ""),
}
"""All quantities that can have a budget, in the order in which verdicts are shown."""


def checked_amount(argument: str, value: Any, quantity: str) -> int | float:
    """Return `value` if it can be a limit of `quantity`: a whole number, except for latency."""
    one_of("quantity", quantity, QUANTITIES)
    checked = number(argument, value, 0, MAX_AMOUNT, open_below=True)
    if QUANTITIES[quantity].kind == TIME:
        return checked
    if value != int(value):
        fail(argument, value, f"must be a whole number for {quantity}")
    return int(value)


_COUNTS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZES = {
    "": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_TIMES = {"": Fraction(1), "ms": Fraction(1), "s": Fraction(1000), "us": Fraction(1, 1000)}
SUFFIXES: Mapping[str, Mapping[str, int | Fraction]] = {COUNT: _COUNTS, BYTES: _SIZES, TIME: _TIMES}
_EXAMPLES = {COUNT: "300M, 4.2 M or 1500000", BYTES: "256kB (1000 bytes), 320KiB (1024 bytes) or 250000", TIME: "33ms"}
_AMOUNT = re.compile(r"(\d[\d_]*(?:\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?\s*([^\W\d_]*)", re.ASCII)
_PLAIN = {COUNT: "", BYTES: "B", TIME: "ms"}
"""The unit of an amount without a suffix."""
_LARGEST = 10**300
_MICRO = str.maketrans({"\N{GREEK SMALL LETTER MU}": "u", "\N{MICRO SIGN}": "u"})


@checked_late
def parse_amount(text: str, quantity: str) -> int | float:
    """Parse an amount with a suffix, and return it in the unit of the quantity.

    Counts take k, M, G and T. Sizes take kB, MB, GB and TB in steps of 1000, and KiB, MiB, GiB and TiB in steps of
    1024. Latency takes ms, s and us. A number without a suffix is in the quantity's unit. Underscores may group digits.

    Args:
        text: ``"300M"``, ``"4.2 M"``, ``"256kB"``, ``"320KiB"``, ``"33ms"``, ``"3e8"``.
        quantity: a key of `QUANTITIES`.

    Returns:
        A whole number; for latency a float.

    Raises:
        DesignError: the text is no amount; the message contains the text.
    """
    kind = QUANTITIES[one_of("quantity", quantity, QUANTITIES)].kind
    digits, suffix = _split(text, quantity)
    amount = Fraction(digits) * SUFFIXES[kind][suffix]
    if amount > MAX_AMOUNT:
        fail(quantity, text, f"must be at most {MAX_AMOUNT:g}")
    # A time of 1e-400 ms is positive, but its float is 0.
    if not (amount and float(amount)):
        fail(quantity, text, "must be greater than 0")
    if kind == TIME:
        return float(amount)
    if amount.denominator > 1:
        fail(quantity, text, f"must be a whole number{' of bytes' if kind == BYTES else ''}")
    return int(amount)


def _split(text: Any, quantity: str) -> tuple[str, str]:
    """Return the number and the suffix of an amount."""
    kind = QUANTITIES[quantity].kind
    written = f"write it like {_EXAMPLES[kind]}"
    if not isinstance(text, str):
        fail(quantity, text, f"must be text: {written}")
    plain = text.strip().translate(_MICRO)
    found = _AMOUNT.fullmatch(plain.lstrip("+-\N{MINUS SIGN}") if plain[1:2].isalnum() else plain)
    if found is None or len(text) > 100 or "__" in text or found[1].rstrip(".").endswith("_") or "_." in found[1]:
        fail(quantity, text, f"is not an amount: {written}")
    digits, exponent, suffix = found.groups()
    if plain[0] in "-\N{MINUS SIGN}":
        fail(quantity, text, "must be greater than 0")
    if suffix not in SUFFIXES[kind]:
        fail(quantity, text, f"{_wrong(suffix, kind)}: {written}")
    return digits.replace("_", "") + (exponent or ""), suffix


def _wrong(suffix: str, kind: str) -> str:
    """Describe the error in a suffix."""
    for other, suffixes in SUFFIXES.items():
        if other != kind and suffix in suffixes and suffix not in _COUNTS:
            return f"has a unit of {'memory' if other == BYTES else 'time'}, {suffix}"
    known = [each for each in SUFFIXES[kind] if each.lower() == suffix.lower()]
    if kind == BYTES and (suffix.upper() in ("K", "M", "G", "T", "KB")):
        return f"is ambiguous, because {suffix} may mean thousands or 1024s"
    return f"has the suffix {show(suffix)}" + (f", which may mean {known[0]}" if known else ", which is unknown")


@checked_late
def format_amount(value: int | float, quantity: str) -> str:
    """Return the shortest text that `parse_amount` converts back to `value`: ``300 M``, ``320 KiB``, ``33.5 ms``.

    Raises:
        DesignError: the value cannot be a limit of this quantity.
    """
    kind = QUANTITIES[one_of("quantity", quantity, QUANTITIES)].kind
    amount = checked_amount(quantity, value, quantity)
    if kind == TIME:
        return f"{amount:.0f} ms" if amount == int(amount) and amount < 1e15 else f"{amount!r} ms"
    usual = {suffix: unit for suffix, unit in SUFFIXES[kind].items() if suffix not in ("", "K")}
    texts = [str(amount) if kind == COUNT else f"{amount} B"]
    texts += [f"{_quotient(int(amount), int(unit))} {suffix}" for suffix, unit in usual.items() if unit > 1]
    return min(texts, key=len)


def _zeros(value: Fraction) -> int:
    """Count the zeros after the decimal point of a number below 1."""
    return len(str(int(1 / value))) - 1 if value else 0


@checked_late
def tidy_amount(text: str, quantity: str) -> str:
    """Return an amount as it was typed, with one space before its unit: ``"512kB"`` becomes ``"512 kB"``.

    Raises:
        DesignError: the text is no amount.
    """
    parse_amount(text, quantity)
    digits, suffix = _split(text, quantity)
    return f"{digits} {suffix or _PLAIN[QUANTITIES[quantity].kind]}".rstrip()


@checked_late
def format_like(value: float, limit: str, quantity: str) -> str:
    """Format a value in the unit of a limit, with enough digits to distinguish the two: ``"802.8 kB"``.

    Args:
        value: in the unit of the quantity; it may be 0.
        limit: text of the limit, for `parse_amount`.
        quantity: a key of `QUANTITIES`.
    """
    value = number("value", value, 0, _LARGEST)
    beyond = Fraction(parse_amount(limit, quantity))
    _, suffix = _split(limit, quantity)
    unit = Fraction(SUFFIXES[QUANTITIES[quantity].kind][suffix])
    exact, bound = Fraction(value) / unit, beyond / unit
    for digits in range(4, 40):
        places = max(0, digits - (len(str(int(exact))) if exact >= 1 else -_zeros(exact)))
        rounded = Fraction(round(exact * 10**places), 10**places)
        if exact == bound or (rounded - bound) * (exact - bound) > 0:
            break
    whole, rest = divmod(int(rounded * 10**places), 10**places)
    fraction = str(rest).zfill(places).rstrip("0") if places else ""
    shown = f"{whole:,}.{fraction}" if fraction else f"{whole:,}"
    return f"{shown} {suffix or _PLAIN[QUANTITIES[quantity].kind]}".rstrip()


def format_share(share: float) -> str:
    """Format a share of a limit without rounding it to the other side of 100 %: ``74.3 %``, ``100.3 %``, ``18×``."""
    if share >= 10:
        return f"{share:,.0f}×"
    for text in (f"{100 * share:.3g}", *(f"{100 * share:.{digits}f}" for digits in range(1, 7))):
        if share in (0, 1) or ("e" not in text and (float(text) - 100) * (share - 1) > 0):
            return f"{text} %"
    return "just over 100 %" if share > 1 else "just under 100 %"


def _quotient(amount: int, unit: int) -> str:
    """Return ``amount / unit`` as an exact decimal, which exists because units have only the factors 2 and 5."""
    whole, rest = divmod(amount, unit)
    digits = ""
    while rest:
        digit, rest = divmod(10 * rest, unit)
        digits += str(digit)
    return f"{whole}.{digits}" if digits else str(whole)


check_public(globals())
