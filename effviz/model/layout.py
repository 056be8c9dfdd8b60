"""The blocks that a design builds: depth applied, widths and strides final, each with the shape of its input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from effviz.core.caches import remembered
from effviz.core.errors import MAX_BLOCKS, MAX_LAYERS, DesignError
from effviz.core.rounding import ceil
from effviz.model.blocks import BLOCKS
from effviz.model.fields import FieldBlock
from effviz.model.layers import Shape, elements
from effviz.model.shapes import outline
from effviz.model.stage import Stage

if TYPE_CHECKING:
    from effviz.model.design import Design


_MOST_NAMED = 3


class BuiltBlock(NamedTuple):
    """One block of the built network."""

    path: str  # its name in module.named_modules()
    block: FieldBlock  # with final widths and stride
    row: int  # index of its row in design.stages
    shape: Shape  # of its input


class Run(NamedTuple):
    """Consecutive equal blocks of the built network, with inputs of the same shape."""

    stage: str
    first: int | None  # index in the stage of the first block; None for a part that is not a list of blocks
    repeats: int
    block: FieldBlock  # with final widths and stride
    row: int  # index of its row in design.stages
    shape: Shape  # of the input

    def blocks(self) -> Iterable[BuiltBlock]:
        """Yield the blocks one by one."""
        for index in range(self.repeats):
            yield BuiltBlock(_path(self.stage, self.first, index), self.block, self.row, self.shape)


class PlacedBlocks(NamedTuple):
    """Consecutive blocks of a stage before their widths are known: `repeats` of one row with one stride."""

    stage: str
    first: int | None
    repeats: int
    row: int
    stride: int


def _path(stage: str, first: int | None, index: int) -> str:
    return stage if first is None else f"{stage}.{first + index}"


@remembered
def placed(stages: tuple[Stage, ...], depth_mult: float) -> tuple[PlacedBlocks, ...]:
    """Apply the depth multiplier to each stage and list the blocks that are built."""
    found: list[PlacedBlocks] = []
    built = 0
    for name, group in groupby(enumerate(stages), lambda entry: entry[1].name):
        rows = list(group)
        total = sum(row.repeats for _, row in rows)
        scales = rows[0][1].depth == "scaled"
        wanted = max(1, ceil(depth_mult * total)) if scales else total
        built += wanted
        if built > MAX_BLOCKS:
            raise DesignError(f"depth_mult = {depth_mult:g} builds more than {MAX_BLOCKS} blocks", path=name)
        # A single fixed row is one module. Any other stage is a list of modules, whatever its depth.
        bare = total == 1 and not scales
        pieces: list[tuple[int, int, int]] = []
        for index, row in rows:
            pieces += [(index, row.stride, 1), (index, 1, row.repeats - 1)]
        pieces.append((rows[-1][0], 1, max(0, wanted - total)))
        first = 0
        for index, stride, most in pieces:
            repeats = min(most, wanted - first)
            if repeats:
                found.append(PlacedBlocks(name, None if bare else first, repeats, index, stride))
            first += repeats
    return tuple(found)


@remembered
def lay_out(design: Design, shape: Shape) -> tuple[Run, ...]:
    """Build every block of `design` for an input of `shape`; raises as `Design.runs`."""
    runs = []
    layers: Counter[int] = Counter()
    for stage, first, repeats, index, stride in placed(design.stages, design.depth_mult):
        row = design.stages[index]
        kind = BLOCKS[row.block]
        arguments = design.fields_of(row)
        if kind.has_out_channels:
            arguments["out_channels"] = design.width_of(row)
        if kind.has_stride:
            arguments["stride"] = stride
        done = 0
        while done < repeats:
            if kind.has_in_channels:
                arguments["in_channels"] = elements(shape) if kind.flattens else shape[0]
            try:
                block = made(kind, tuple(arguments.items()))
                after, count = outline(block, shape)
            except DesignError as error:
                raise error.at(_path(stage, first, done)) from None
            # A block that keeps the shape is followed by equal blocks.
            alike = repeats - done if after == shape else 1
            layers[index] += count * alike
            if layers.total() > MAX_LAYERS:
                raise DesignError(_too_many(design, layers), path=stage)
            runs.append(Run(stage, None if first is None else first + done, alike, block, index, shape))
            done, shape = done + alike, after
    return tuple(runs)


def _too_many(design: Design, layers: Counter[int]) -> str:
    """Return the problem of a design with too many layers; `layers` counts them by row."""
    largest = layers.most_common(_MOST_NAMED)
    named = ", ".join(f"row {row + 1} ({design.stages[row].name}) with {count:,}" for row, count in largest)
    return f"the network has more than {MAX_LAYERS:,} layers, the limit; the largest rows up to here: {named}"


@remembered
def made(kind: type[FieldBlock], arguments: tuple[tuple[str, Any], ...]) -> FieldBlock:
    """Construct a block; equal arguments give the same object."""
    return kind(**dict(arguments))
