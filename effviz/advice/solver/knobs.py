"""The changes that a solver may make: steps of the multipliers, and levels of the attributes and fields of rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from math import ceil, log2
from typing import Any, NamedTuple

from effviz.advice.lint.edits import same_width
from effviz.core.errors import if_legal
from effviz.core.resolution import Resolution, as_resolution, sides
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.fields import declared
from effviz.model.shapes import out_shape
from effviz.model.stage import Stage

WIDTH, INNER, EXPAND, KERNEL, SQUEEZE, REPEATS = "width", "inner width", "expand ratio", "kernel", "SE", "repeats"

FRACTIONS = (0.875, 0.75, 0.625, 0.5)
"""Of a row's width, and of the widths inside its blocks."""

EXPAND_RATIOS = (5.0, 4.0, 3.0, 2.5, 2.0, 1.5, 1.0)
KERNELS = (7, 5, 3)
"""A kernel of one pixel would end the exchange between pixels."""

WIDTH_STEPS = tuple(step / 20 for step in range(20, 4, -1))
"""Factors on the width multiplier, in steps of 0.05, as far as a quarter."""

NARROWEST_SIDE = 4
"""The resolution is reduced to a quarter at most."""

_MOST_REPEATS = 8

Values = tuple[tuple[str, Any], ...]


class Knob(NamedTuple):
    """An attribute of one or more rows, with the smaller values that it may take.

    Attributes:
        kind: `WIDTH`, `INNER`, `EXPAND`, `KERNEL`, `SQUEEZE` or `REPEATS`.
        rows: indices in ``design.stages``.
        levels: attributes and fields with their values, from the largest to the smallest; the current one is left out.
    """

    kind: str
    rows: tuple[int, ...]
    levels: tuple[Values, ...]


def row_knobs(design: Design) -> list[Knob]:
    """Return the knobs of all rows, in the order of the table."""
    found: list[Knob] = []
    for index, row in enumerate(design.stages):
        found += _widths(design, index, row)
        found += _fields(design, index, row)
        found += _repeats(design, index, row)
    return [knob for knob in found if knob.levels]


def _widths(design: Design, index: int, row: Stage) -> Iterator[Knob]:
    """Yield the width; rows of a stage with the same width change together, because shortcuts join their blocks."""
    if row.out_channels is None or row.width == "classes":
        return
    rows = tuple(same_width(design, index))
    if rows[0] == index:
        yield Knob(WIDTH, rows, tuple((("out_channels", each),) for each in _smaller(design, row, row.out_channels)))


def _smaller(design: Design, row: Stage, width: int) -> list[int]:
    rounded = (design.width_rule.round(width * fraction, row.divisor) for fraction in FRACTIONS)
    return [each for each in dict.fromkeys(rounded) if each < width]


def _fields(design: Design, index: int, row: Stage) -> Iterator[Knob]:
    known = {field.name: field for field in declared(BLOCKS[row.block])}
    current = {name: field.default for name, field in known.items()} | dict(row.fields)

    def one(kind: str, name: str, values: list[Any]) -> Knob:
        return Knob(kind, (index,), tuple(((name, value),) for value in values))

    inner = {name: current[name] for name, field in known.items() if field.scales and current[name] is not None}
    if inner:
        rounded = design.width_rule.round
        levels = [
            tuple((name, min(value, rounded(value * part, row.divisor))) for name, value in inner.items())
            for part in FRACTIONS
        ]
        now = tuple(inner.items())
        yield Knob(INNER, (index,), tuple(each for each in dict.fromkeys(levels) if each != now))
    elif "expand_ratio" in known:
        ratio = current["expand_ratio"]
        yield one(EXPAND, "expand_ratio", [each for each in EXPAND_RATIOS if each < ratio])
    elif "bottleneck_ratio" in known:
        yield one(EXPAND, "bottleneck_ratio", [current["bottleneck_ratio"] * part for part in FRACTIONS])
    # A pool has a kernel without weights.
    if not BLOCKS[row.block].keeps_channels or "expand_ratio" in known:
        for name in ("kernel_size", "start_kernel_size"):
            if name in known:
                yield one(KERNEL, name, [each for each in KERNELS if each < current[name]])
    if current.get("se_ratio"):
        yield one(SQUEEZE, "se_ratio", [current["se_ratio"] / 2, 0.0])


def _repeats(design: Design, index: int, row: Stage) -> Iterator[Knob]:
    count = row.repeats
    fewer = range(count - 1, 0, -1)
    values = list(fewer if count <= _MOST_REPEATS else dict.fromkeys(ceil(count * part) for part in (*FRACTIONS, 0.25)))
    is_first = index == 0 or design.stages[index - 1].name != row.name
    if row.depth == "scaled" and row.stride == 1 and not is_first:
        values.append(0)
    if row.depth == "scaled":
        yield Knob(REPEATS, (index,), tuple((("repeats", each),) for each in values))


def widths(design: Design) -> tuple[float, ...]:
    """Return the width multipliers that the solver tries, from the current one down, one for each table of widths."""
    found: dict[Any, float] = {}
    for factor in WIDTH_STEPS:
        scaled = if_legal(partial(design.scaled, width_mult=factor))
        if scaled is not None:
            found.setdefault(scaled.built_widths(), scaled.width_mult)
    return tuple(found.values())


def depths(design: Design) -> tuple[float, ...]:
    """Return the depth multipliers that build different numbers of blocks, from the current one down."""
    totals = set()
    for _, rows in groupby(design.stages, lambda row: row.name):
        stage = list(rows)
        if stage[0].depth == "scaled":
            totals.add(sum(row.repeats for row in stage))
    shares = {blocks / total for total in totals for blocks in range(1, total + 1)}
    return (design.depth_mult, *sorted((share for share in shares if share < design.depth_mult), reverse=True))


def resolutions(design: Design) -> tuple[Resolution, ...]:
    """Return the resolutions that the solver tries, from the current one down."""
    legal = (each for each in smaller(design) if if_legal(partial(design.runs, each)) is not None)
    return (design.resolution, *legal)


def smaller(design: Design) -> Iterator[Resolution]:
    """Yield resolutions below the current one, as far as a quarter; the smallest ones may be too small to build.

    Sides are multiples of the total stride of the network, so that the last map loses a whole pixel at each step.
    """
    high, wide = sides(design.resolution)
    step = max(8, _total_stride(design))
    for tall in range((high - 1) // step * step, max(step, high // NARROWEST_SIDE) - 1, -step):
        yield tall if wide == high else as_resolution((tall, max(1, round(tall * wide / high / step)) * step))


def _total_stride(design: Design) -> int:
    """Return the factor between the sides of the input and of the last map with more than one pixel."""
    high = sides(design.resolution)[0]
    smallest = high
    for run in design.runs():
        shape = out_shape(run.block, run.shape)
        if len(shape) == 3 and shape[1] > 1:
            smallest = min(smallest, shape[1])
    # Windows without padding make the last map smaller than the product of the strides does.
    return 1 << round(log2(high / smallest))
