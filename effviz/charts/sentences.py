"""Parts of titles and alternative texts."""

from collections.abc import Iterable, Sequence

from effviz.core.arguments import check_border
from effviz.core.units import short


def listed(words: Sequence[str], conjunction: str = "and") -> str:
    """Join words: ``"a, b and c"``."""
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``"1 network"``, ``"2 networks"``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def details(rows: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Join subjects and their values: ``"MBConv: 9 parameters, 4 layers; Ghost: 5 parameters, 3 layers"``."""
    return "; ".join(f"{subject}: {', '.join(values)}" for subject, values in rows)


def times(factor: float) -> str:
    """Return a factor as text: ``"1.92×"``, ``"12 k×"``."""
    return f"{factor:.3g}×" if factor < 999.5 else f"{short(factor)}×"


check_border(globals())
