"""Where the parts of a network stand in the file: before the loop over the stage table, in the table, or after it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, TypeAlias

from effviz.count.totals import block_totals
from effviz.export.classes import nested_kinds
from effviz.model.design import Design
from effviz.model.fields import FieldBlock
from effviz.model.layers import Primitive, Sequential, Shape
from effviz.model.layout import BuiltBlock

Stage: TypeAlias = list[BuiltBlock]
_MOST_INLINE = 3


class Layout(NamedTuple):
    """The stages of a design.

    Attributes:
        before, listed, after: the loop runs over those listed in the table.
        inline: blocks before and after it that are written as torch layers where they stand.
    """

    before: list[Stage]
    listed: list[Stage]
    after: list[Stage]
    inline: frozenset[FieldBlock]


def lay_out(design: Design) -> Layout:
    """How the file of a design is laid out."""
    stages = [list(group) for _, group in groupby(design.training_blocks(), stage_of)]
    first, last = _listed(stages)
    outside = [*stages[:first], *stages[last:]]
    return Layout(stages[:first], stages[first:last], stages[last:], _inline(stages[first:last], outside))


def stage_of(entry: BuiltBlock) -> str:
    """The name of the stage that a block is in."""
    return entry.path.partition(".")[0]


def is_bare(stage: Stage) -> bool:
    """Whether a stage is one layer with a name, not a list of blocks."""
    return "." not in stage[0].path


def taken(entry: BuiltBlock) -> int:
    """Channels that a block takes, or features of a map laid flat."""
    return int(getattr(entry.block, "in_channels", entry.shape[0]))


def leaving(entry: BuiltBlock) -> Shape:
    """Shape of what a block puts out."""
    return block_totals(entry.block, entry.shape).out_shape


def keeps_channels(stage: Stage) -> bool:
    """Whether a stage puts out the channels that it takes, whatever they are."""
    return all(type(entry.block).keeps_channels and leaving(entry)[0] == entry.shape[0] for entry in stage)


def _follows(stage: Stage) -> bool:
    """Whether a loop that only knows blocks knows the channels between them."""
    return all(
        taken(entry) == entry.shape[0] and getattr(entry.block, "out_channels", entry.shape[0]) == leaving(entry)[0]
        for entry in stage
    )


def _is_simple(block: FieldBlock) -> bool:
    """Whether a block is a torch layer, or a chain of them."""
    tree = block.expand()
    return isinstance(tree, Primitive) or (
        isinstance(tree, Sequential) and all(isinstance(child, Primitive) for _, child in tree.children)
    )


def _listed(stages: Sequence[Stage]) -> tuple[int, int]:
    """The rows of the table: from the first list of blocks to the last, as far as a loop can follow."""
    lists = [index for index, stage in enumerate(stages) if not is_bare(stage) and _follows(stage)]
    if not lists:
        return 0, 0
    first, last = lists[0], lists[0]
    while last + 1 < len(stages) and _follows(stages[last + 1]):
        last += 1
    last = max(index for index in lists if index <= last)
    simple = [len(stage) == 1 and _is_simple(stage[0].block) for stage in stages]
    blocks = [index for index in range(first, last + 1) if not simple[index]]
    if blocks and not any(simple[blocks[0] : blocks[-1]]):
        # Stem and head, lists of one layer each, leave the table to the blocks of the network.
        return blocks[0], blocks[-1] + 1
    kinds = {type(entry.block) for stage in stages[first : last + 1] for entry in stage}
    if any(is_bare(stage) for stage in stages[first : last + 1]):
        # Pooling between the stages is in the table: then so is that before the first and after the last.
        while first and _follows(stages[first - 1]) and type(stages[first - 1][0].block) in kinds:
            first -= 1
        while last + 1 < len(stages) and _follows(stages[last + 1]) and type(stages[last + 1][0].block) in kinds:
            last += 1
    return first, last + 1


def _inline(listed: Sequence[Stage], outside: Sequence[Stage]) -> frozenset[FieldBlock]:
    """Blocks for which a class would be used once or twice and say no more than their layers do."""
    tabled = [entry.block for stage in listed for entry in stage]
    alone = [entry for stage in outside for entry in stage]
    classes = {type(block) for block in tabled} | nested_kinds([*tabled, *(entry.block for entry in alone)])
    # A block in a list is made by one call.
    called = {entry.block for entry in alone if "." in entry.path}
    found = set()
    for entry in alone:
        kind = type(entry.block)
        few = sum(type(other.block) is kind for other in alone) <= _MOST_INLINE
        plain = entry.block not in called and kind not in classes and few and _is_simple(entry.block)
        if plain or isinstance(entry.block.expand(), Primitive):
            found.add(entry.block)
    return frozenset(found)
