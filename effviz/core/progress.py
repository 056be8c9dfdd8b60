"""The progress of a long computation, for a caller that shows it."""

from collections.abc import Callable


def _ignored(fraction: float, message: str) -> None:
    """Show nothing."""


report: Callable[[float, str], None] = _ignored
"""Called with the finished share, 0 to 1, and a few words; a process for calculations replaces it."""
