"""How channel counts are rounded. Written once, because folklore differs in the details."""

from __future__ import annotations

import math


def exact(value: float) -> float:
    """`value` without the noise of a float product: ``1.15 * 240`` is 276, not 275.99999999999994."""
    return round(value, 9)


def same(one: float, other: float) -> bool:
    """Whether two multipliers agree but for the noise of float products."""
    return exact(one - other) == 0


def make_divisible(value: float, divisor: int, minimum: int | None = None) -> int:
    """The multiple of `divisor` nearest to `value`, but never more than 10 % below it.

    Source: TF-slim `research/slim/nets/mobilenet/conv_blocks.py`, copied by MobileNetV2/V3, MnasNet, EfficientNet
    (divisor 8) and GhostNet (divisor 4).
    """
    value = exact(value)
    rounded = max(minimum or divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < exact(0.9 * value) else rounded


def floor_at_least(value: float, minimum: int) -> int:
    """`value` truncated, but not below `minimum`: ``max(int(depth * multiplier), 8)`` of MobileNetV1."""
    return max(minimum, int(exact(value)))


def ceil(value: float) -> int:
    """The smallest integer not below `value`; ``2.2 * 25`` counts as 55, not as 55.00000000000001."""
    return math.ceil(exact(value))
