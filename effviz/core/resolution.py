"""The resolution of an input image: the side of a square, or height and width."""

import re
from math import prod, sqrt
from typing import Any, TypeAlias

from effviz.core.arguments import convert_as
from effviz.core.errors import MAX_RESOLUTION, fail, whole

Resolution: TypeAlias = int | tuple[int, int]
"""The side of a square in pixels, or height and width that differ."""

_TEXT = re.compile(
    r"\s*([0-9]{1,9})(?:\.0*)?(?:\s*[x\N{MULTIPLICATION SIGN}]\s*([0-9]{1,9})(?:\.0*)?)?\s*(?:px)?\s*", re.I
)


def as_resolution(value: Any, argument: str = "resolution") -> Resolution:
    """Return a checked resolution; two equal sides become one number.

    Args:
        value: the side of a square, or a pair of height and width, in pixels.
        argument: its name in error messages.

    Raises:
        DesignError: a side is not an integer from 1 to `MAX_RESOLUTION`, or a sequence does not have two sides.
    """
    if isinstance(value, (tuple, list)) and len(value) == 2:
        high, wide = (whole(f"{argument}[{axis}]", side, 1, MAX_RESOLUTION) for axis, side in enumerate(value))
        return high if high == wide else (high, wide)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        fail(argument, value, "must be an integer or a pair (height, width)")
    return whole(argument, value, 1, MAX_RESOLUTION)


def parse_resolution(text: str, argument: str = "resolution") -> Resolution:
    """Read ``224``, ``512x2048`` or ``512 × 2048 px``: one side, or height and width, in pixels.

    Raises:
        DesignError: the text has another form, or a side is out of range.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        fail(argument, text, "must be a side or height x width in pixels, such as 224 or 512x2048")
    high, wide = found.groups()
    return as_resolution(int(high) if wide is None else (int(high), int(wide)), argument)


def sides(resolution: Resolution) -> tuple[int, int]:
    """Return height and width in pixels."""
    return resolution if isinstance(resolution, tuple) else (resolution, resolution)


def area(resolution: Resolution) -> int:
    """Return height times width, in pixels."""
    return prod(sides(resolution))


def compact_size(resolution: Resolution) -> str:
    """Format for links, file names and tables: ``224`` or ``512x2048``."""
    return "x".join(map(str, resolution)) if isinstance(resolution, tuple) else str(resolution)


def size_text(resolution: Resolution) -> str:
    """Format for sentences, without the unit: ``224`` or ``512 × 2048``."""
    return compact_size(resolution).replace("x", " × ")


def in_pixels(resolution: Resolution) -> str:
    """Format with the unit: ``224 px`` or ``512 × 2048 px``."""
    return f"{size_text(resolution)} px"


def scaled_resolution(resolution: Resolution, factor: float) -> Resolution:
    """Multiply both sides by `factor` and round each; the result may be out of range.

    Raises:
        OverflowError: the product is infinite.
    """
    high, wide = (round(side * factor) for side in sides(resolution))
    return high if high == wide else (high, wide)


def with_height(resolution: Resolution, height: int) -> Resolution:
    """Return the resolution of this height with the aspect ratio of `resolution`, as closely as rounding permits.

    Raises:
        DesignError: a side is out of range.
    """
    high, wide = sides(resolution)
    return as_resolution((height, max(1, round(height * wide / high))))


def halved(resolution: Resolution) -> Resolution:
    """Halve both sides, rounded down, to at least one pixel."""
    return as_resolution(tuple(max(1, side // 2) for side in sides(resolution)))


def ratio(resolution: Resolution, base: Resolution) -> float:
    """Return the factor on the side; the square root of the factor on the area where a resolution is no square."""
    if isinstance(resolution, int) and isinstance(base, int):
        return resolution / base
    return sqrt(area(resolution) / area(base))


convert_as(Resolution, lambda name, value: as_resolution(value, name))
