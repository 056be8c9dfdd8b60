"""Small feature maps and kernels with fixed values, for drawings: the shades of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, hypot, pi, sin

from effviz.model.layers import Conv2d, pair

Map = list[list[float]]
"""Values by row and column."""


def input_maps(channels: int, side: int) -> list[Map]:
    """Return maps of values from 0 to 1: a disc, a diagonal wave, a ring, a bar, and so on with a shift."""
    middle = (side - 1) / 2
    scale = max(middle, 0.5)

    def value(channel: int, row: int, column: int) -> float:
        y, x, turn = (row - middle) / scale, (column - middle) / scale, channel // 4
        away = hypot(x, y)
        shapes = (
            1.1 - 0.8 * away,
            0.5 + 0.5 * sin(pi * (x + y + turn / 2)),
            1.0 - 1.6 * abs(away - 0.85),
            0.55 + 0.5 * cos(pi * (x - turn / 3)),
        )
        return min(1.0, max(0.05, shapes[channel % 4]))

    return [[[value(each, row, column) for column in range(side)] for row in range(side)] for each in range(channels)]


def weights(conv: Conv2d) -> list[list[Map]]:
    """Return weights from -1 to 1 by output channel and input channel of its group."""
    high, wide = pair(conv.kernel_size)

    def value(out: int, channel: int, row: int, column: int) -> float:
        y, x = row - (high - 1) / 2, column - (wide - 1) / 2
        shapes = (1 - 0.45 * hypot(x, y), x / max(wide / 2, 1), y / max(high / 2, 1), 0.5 * (x + y))
        sign = -1 if (out + 2 * channel) % 5 == 4 else 1
        # A window of one pixel has no shape: its weights differ by channel.
        flat = cos(1.7 * out + 2.3 * channel)
        return round(flat if high == wide == 1 else sign * min(1.0, max(-1.0, shapes[(out + channel) % 4])), 2)

    inner = conv.in_channels // conv.groups
    return [
        [[[value(out, each, row, column) for column in range(wide)] for row in range(high)] for each in range(inner)]
        for out in range(conv.out_channels)
    ]


def convolve(conv: Conv2d, maps: Sequence[Map], kernels: Sequence[Sequence[Map]]) -> list[Map]:
    """Return the output of a square convolution without bias."""
    size, stride, padding = (pair(each)[0] for each in (conv.kernel_size, conv.stride, conv.padding))
    side = len(maps[0])
    end = (side + 2 * padding - size) // stride + 1
    inner, per_group = conv.in_channels // conv.groups, conv.out_channels // conv.groups

    def value(out: int, row: int, column: int) -> float:
        first, total = out // per_group * inner, 0.0
        for channel, kernel in enumerate(kernels[out]):
            for down, line in enumerate(kernel):
                for right, weight in enumerate(line):
                    y, x = row * stride + down - padding, column * stride + right - padding
                    if 0 <= y < side and 0 <= x < side:
                        total += weight * maps[first + channel][y][x]
        return total

    return [
        [[value(out, row, column) for column in range(end)] for row in range(end)] for out in range(conv.out_channels)
    ]


def activated(maps: Sequence[Map]) -> list[Map]:
    """Scale each map to values from 0 to 1, the smallest of its values to 0."""
    found = []
    for each in maps:
        low = min(min(row) for row in each)
        span = max(max(row) for row in each) - low
        found.append([[(value - low) / span if span else 0.6 for value in row] for row in each])
    return found


def shades(maps: Sequence[Map], low: float = 0.0, high: float = 1.0) -> list[str]:
    """Write each map as digits from 0 to 9, row by row."""
    span = high - low
    return ["".join(str(round(9 * (value - low) / span)) for row in each for value in row) for each in maps]
