"""Smallest resolution and width at which a design can be built."""

from bisect import bisect_left

from effviz.core.arguments import check_public
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.resolution import Resolution, sides
from effviz.model.design import Design


@remembered
def smallest_resolution(design: Design) -> int:
    """Bisect the smallest height and width of the input, in pixels, that every layer accepts.

    Windows are square, so the limits of height and width are equal.
    """
    return 1 + bisect_left(range(1, min(sides(design.resolution))), True, key=lambda side: _builds(design, side))


@remembered
def smallest_width(design: Design) -> float:
    """Find the smallest width multiplier from 0.1 on, in steps of 0.05, at which the design can be built."""
    return next((step / 20 for step in range(2, 20) if _builds(design, None, step / 20)), 1.0)


def _builds(design: Design, resolution: Resolution | None = None, width_mult: float = 1.0) -> bool:
    try:
        design.scaled(width_mult=width_mult).blocks(resolution)
    except DesignError:
        return False
    return True


check_public(globals())
