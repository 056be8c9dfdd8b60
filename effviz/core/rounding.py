"""Rounding of channel counts."""

import math


def exact(value: float) -> float:
    """Remove the rounding error of a float product: ``1.15 * 240`` is 276, not 275.99999999999994."""
    return round(value, 9)


def same(one: float, other: float) -> bool:
    """Whether two multipliers are equal up to float rounding."""
    # Searches compare thousands of multipliers, most of which are far apart.
    return abs(one - other) < 1e-8 and exact(one - other) == 0


def make_divisible(value: float, divisor: int, minimum: int | None = None) -> int:
    """Round `value` to the nearest multiple of `divisor` that is at most 10 % below it.

    Source: TF-slim `research/slim/nets/mobilenet/conv_blocks.py`, copied by MobileNetV2/V3, MnasNet, EfficientNet
    (divisor 8) and GhostNet (divisor 4).
    """
    rounded = half_up(value, divisor, minimum)
    return rounded + divisor if rounded < exact(0.9 * value) else rounded


def half_up(value: float, divisor: int, minimum: int | None = None) -> int:
    """Round `value` to the nearest multiple of `divisor`, halves up, at least to `minimum` or the divisor."""
    return max(minimum or divisor, int(exact(value) + divisor / 2) // divisor * divisor)


def floor_at_least(value: float, minimum: int) -> int:
    """Truncate `value`, at least to `minimum`: ``max(int(depth * multiplier), 8)`` of MobileNetV1."""
    return max(minimum, int(exact(value)))


def nearest(value: float) -> int:
    """Round to the nearest integer, at least to 1."""
    return max(1, round(exact(value)))


def ceil(value: float) -> int:
    """Return the smallest integer not below `value`, where ``2.2 * 25`` counts as 55, not 55.00000000000001."""
    return math.ceil(exact(value))
