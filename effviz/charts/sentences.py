"""Parts of titles and alternative texts."""

from collections.abc import Sequence

from effviz.core.units import short


def listed(words: Sequence[str], conjunction: str = "and") -> str:
    """Join words: ``"a, b and c"``."""
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``"1 network"``, ``"2 networks"``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def times(factor: float) -> str:
    """Return a factor as text: ``"1.92×"``, ``"12 k×"``."""
    return f"{factor:.3g}×" if factor < 999.5 else f"{short(factor)}×"
