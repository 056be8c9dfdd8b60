"""Numbers as text: three or four significant digits, an SI or binary prefix, and the unit."""

import math
from collections.abc import Sequence

_SI = ("", " k", " M", " G", " T", " P", " E")
_BINARY = (" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB")


def _digits(mantissa: float) -> str:
    if abs(mantissa) < 9.995:
        return f"{mantissa:.2f}"
    return f"{mantissa:.1f}" if abs(mantissa) < 999.95 else f"{mantissa:.0f}"


def _prefixed(value: float, factor: int, prefixes: Sequence[str]) -> str:
    power, mantissa = 0, float(value)
    # Numbers are rounded to four digits or less, so 999.95 is printed as 1000.
    while abs(mantissa) >= factor - 0.05 and power < len(prefixes) - 1:
        mantissa, power = mantissa / factor, power + 1
    return f"{_digits(mantissa)}{prefixes[power]}"


def si(value: float, unit: str = "") -> str:
    """Format ``3504872`` as ``3.50 M``; integers below 1,000 have no decimals."""
    tail = f" {unit}" if unit else ""
    if abs(value) < 1000 and float(value).is_integer():
        return f"{int(value)}{tail}"
    return f"{_prefixed(value, 1000, _SI)}{tail}"


def short(value: float) -> str:
    """Format as `si` without trailing zeros, for ticks: ``100 M``, ``2.5 M``."""
    mantissa, _, prefix = si(value).partition(" ")
    return " ".join(filter(None, [f"{float(mantissa):g}", prefix]))


def short_binary(size: float) -> str:
    """Format bytes as `binary` without trailing zeros, for ticks: ``256 KiB``."""
    mantissa, _, prefix = binary(size).partition(" ")
    return f"{float(mantissa):g} {prefix}"


def binary(size: float) -> str:
    """Format bytes as ``13.4 MiB``."""
    if abs(size) < 1024 and float(size).is_integer():
        return f"{int(size)} B"
    return _prefixed(size, 1024, _BINARY)


def milliseconds(value: float) -> str:
    """Format ``12.04`` as ``12.0 ms``, ``1234`` as ``1.23 s``."""
    return f"{_digits(value / 1000)} s" if value >= 999.95 else f"{_digits(value)} ms"


def ago(seconds: float) -> str:
    """Format a duration as ``3 min ago``."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return "just now"


def exact(value: int) -> str:
    """Format ``3504872`` as ``3,504,872``."""
    return f"{value:,}"


def percent(share: float) -> str:
    """Format ``0.9486`` as ``95 %``; small shares have one decimal, and only zero is printed as 0."""
    value = 100 * share
    if value == 0:
        return "0 %"
    if abs(value) < 0.1:
        return "under 0.1 %"
    return f"{value:.1f} %" if abs(value) < 9.95 else f"{value:.0f} %"


def tenths(share: float) -> str:
    """Format a share beside others whose sum is compared: as `percent`, but always with one decimal."""
    return percent(share) if abs(share) < 0.0995 else f"{100 * share:.1f} %"


def three_digits(value: float) -> str:
    """Format three digits of a number, and all digits before the decimal point from 1,000 on."""
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def change(value: float, baseline: float) -> str:
    """Compare `value` with `baseline`: a percentage, a factor from 10 on, or ``unchanged``.

    Percentages and factors in one row would be hard to compare, and most rows have changes below ten times.
    """
    if value == baseline:
        return "unchanged"
    if baseline == 0:
        return "new"
    factor = value / baseline
    if factor == 0:
        return "\N{MINUS SIGN}100.0 %"
    if factor >= 10:
        return f"{three_digits(factor)}\N{MULTIPLICATION SIGN}"
    if factor <= 0.1:
        return f"\N{DIVISION SIGN}{three_digits(1 / factor)}"
    sign = "+" if factor > 1 else "\N{MINUS SIGN}"
    percentage = abs(100 * (factor - 1))
    if percentage >= 99.95:
        return f"{sign}{percentage:.0f} %"
    if percentage >= 0.05:
        return f"{sign}{percentage:.1f} %"
    return f"{sign}{percentage:.1g} %" if percentage >= 0.001 else f"{sign}<0.001 %"


def lower(label: str) -> str:
    """Make a label lower case for a sentence: ``multiply-adds``; ``FLOPs`` stays."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


_ENDS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


def snapped(maximum: float) -> float:
    """Return the smallest end of an axis that is at least `maximum`: one of `_ENDS` times a power of ten."""
    return _at_least(maximum, _ENDS)


def round_step(least: float) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that is at least `least`, as the distance of ticks."""
    return _at_least(least, (1, 2, 5, 10))


def _at_least(least: float, steps: Sequence[float]) -> float:
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next((step * power for step in steps if step * power >= least * (1 - 1e-12)), 10 * power)
