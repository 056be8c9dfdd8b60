"""Two networks stage by stage: aligned stages and blocks, and what was added, removed and edited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from math import log2
from typing import Any, NamedTuple, TypeVar

from effviz.core.caches import remembered
from effviz.core.errors import MAX_CELLS
from effviz.core.resolution import area
from effviz.count.totals import block_totals
from effviz.count.words import kind_title
from effviz.model.design import Design
from effviz.model.fields import declared
from effviz.model.layers import Shape, shape_text
from effviz.model.layout import Run
from effviz.model.shapes import out_shape

SAME, EDITED, ADDED, REMOVED = "same", "edited", "added", "removed"
MAP, VECTOR, NOTHING = "map", "vector", "nothing"

# Costs of an alignment, integers so that sums are exact. Two stages that share nothing are cheaper unaligned.
_OTHER_NAME, _OTHER_SIZE, _OTHER_BLOCKS, _GAP = 40, 60, 40, 60
# A convolution never corresponds to a pooling or to a linear layer.
_OTHER_ROLE = 1_000
# Two blocks that share nothing are still aligned: a stage with one block has edits.
_OTHER_BLOCK, _OTHER_FIELDS, _BLOCK_GAP = 50, 50, 51

_T = TypeVar("_T")


class ComparedBlock(NamedTuple):
    """One block of a stage as it is built."""

    title: str
    role: str  # what it works on: `MAP`, `VECTOR`, or `NOTHING` for a block without weights
    fields: tuple[tuple[str, Any], ...]  # output channels, stride, and the fields of the block


class ComparedStage(NamedTuple):
    """One stage as it is built."""

    name: str
    blocks: tuple[ComparedBlock, ...]
    output: Shape

    @property
    def text(self) -> str:
        """The stage in a few words: ``MBConv × 2, 24 × 56 × 56``."""
        titles = Counter(block.title for block in self.blocks)
        listed = " + ".join(f"{title} × {count}" if count > 1 else title for title, count in titles.items())
        return f"{listed}, {shape_text(self.output)}"


class FieldDifference(NamedTuple):
    """A field with different values in two aligned blocks."""

    field: str
    before: Any
    after: Any

    @property
    def text(self) -> str:
        """The edit for reading: ``out channels 24 → 32``."""
        return f"{self.field.replace('_', ' ')} {_text(self.before)} → {_text(self.after)}"


class BlockPair(NamedTuple):
    """Two aligned blocks; None where one network has no such block."""

    before: ComparedBlock | None
    after: ComparedBlock | None

    @property
    def edits(self) -> tuple[FieldDifference, ...]:
        """The fields that differ, of two aligned blocks."""
        if self.before is None or self.after is None:
            return ()
        old, new = ({"block": each.title, **dict(each.fields)} for each in (self.before, self.after))
        return tuple(
            FieldDifference(name, old[name], new[name]) for name in old if name in new and old[name] != new[name]
        )


class StagePair(NamedTuple):
    """Two aligned stages; None where one network has no such stage."""

    before: ComparedStage | None
    after: ComparedStage | None

    @property
    def blocks(self) -> tuple[BlockPair, ...]:
        """The aligned blocks of the two stages."""
        old, new = (stage.blocks if stage else () for stage in self)
        return tuple(BlockPair(*pair) for pair in aligned(old, new, _block_cost, _BLOCK_GAP))

    @property
    def status(self) -> str:
        """`SAME`, `EDITED`, `ADDED` or `REMOVED`, from the first network to the second."""
        if self.before is None or self.after is None:
            return ADDED if self.before is None else REMOVED
        return SAME if self.before.blocks == self.after.blocks else EDITED

    @property
    def name(self) -> str:
        """The name of the stage, or both names."""
        return " → ".join(dict.fromkeys(each.name for each in self if each is not None))

    @property
    def changes(self) -> tuple[str, ...]:
        """The blocks that were added or removed and the edited fields, as phrases."""
        if self.status != EDITED:
            return ()
        pairs = self.blocks
        counts = {ADDED: sum(pair.before is None for pair in pairs), REMOVED: sum(pair.after is None for pair in pairs)}
        found = [f"{count} {'block' if count == 1 else 'blocks'} {what}" for what, count in counts.items() if count]
        return tuple(dict.fromkeys([*found, *(edit.text for pair in pairs for edit in pair.edits)]))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(getattr(value, "name", value)) if value is not None else "none"


@remembered
def built_stages(design: Design) -> tuple[ComparedStage, ...]:
    """Return the stages of a network as they are built.

    Raises:
        DesignError: the network cannot be built.
    """
    found = []
    for name, group in groupby(design.runs(), lambda run: run.stage):
        runs = list(group)
        blocks = [block for run in runs for block in [_built(run)] * run.repeats]
        found.append(ComparedStage(name, tuple(blocks), out_shape(runs[-1].block, runs[-1].shape)))
    return tuple(found)


def _built(run: Run) -> ComparedBlock:
    values, kind = vars(run.block), type(run.block)
    names = [*filter(values.__contains__, ("out_channels", "stride")), *(field.name for field in declared(kind))]
    has_weights = block_totals(run.block, run.shape).params > 0
    role = (VECTOR if kind.flattens else MAP) if has_weights else NOTHING
    return ComparedBlock(kind_title(kind), role, tuple((name, values[name]) for name in names))


# --- alignment --------------------------------------------------------------------------------------------------------


@remembered
def aligned_stages(before: Design, after: Design) -> tuple[StagePair, ...]:
    """Align the stages of two networks by name, size of the map and blocks, in order.

    Raises:
        DesignError: one of the networks cannot be built.
    """
    pixels = [area(design.resolution) for design in (before, after)]

    def cost(old: ComparedStage, new: ComparedStage) -> int:
        # Maps are compared relative to the image, so that resolutions do not matter.
        sizes = [_map(stage.output) / image for stage, image in zip((old, new), pixels, strict=True)]
        # Half and double sides differ by two powers of two in area; further sizes share nothing.
        distance = min(1.0, abs(log2(sizes[1] / sizes[0])) / 4)
        titles, roles = ([{each[place] for each in stage.blocks} for stage in (old, new)] for place in (0, 1))
        return (
            _OTHER_NAME * (old.name != new.name)
            + round(_OTHER_SIZE * distance + _OTHER_BLOCKS * _share_of_others(*titles))
            + _OTHER_ROLE * (not roles[0] & roles[1])
        )

    return tuple(StagePair(*pair) for pair in aligned(built_stages(before), built_stages(after), cost, _GAP))


def _map(shape: Shape) -> int:
    # Torch allows adaptive pooling to no pixel.
    return max(1, shape[1] * shape[2]) if len(shape) == 3 else 1


def _share_of_others(one: set[Any], other: set[Any]) -> float:
    return 1 - len(one & other) / len(one | other) if one | other else 0.0


def _block_cost(old: ComparedBlock, new: ComparedBlock) -> int:
    fields = _share_of_others(set(old.fields), set(new.fields))
    return _OTHER_BLOCK * (old.title != new.title) + round(_OTHER_FIELDS * fields)


def aligned(
    before: Sequence[_T], after: Sequence[_T], cost: Callable[[_T, _T], int], gap: int
) -> list[tuple[_T | None, _T | None]]:
    """Align two sequences at the least total cost (Needleman and Wunsch, 1970).

    Args:
        before, after: the sequences. Pairs of more than `MAX_CELLS` entries are taken in order instead.
        cost: of a pair.
        gap: cost of an entry without a partner.
    """
    rows, columns = len(before), len(after)
    if rows * columns > MAX_CELLS:
        return [
            (before[place] if place < rows else None, after[place] if place < columns else None)
            for place in range(max(rows, columns))
        ]
    pairs = [[cost(old, new) for new in after] for old in before]
    best = [[gap * (row + column) for column in range(columns + 1)] for row in range(rows + 1)]
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            best[row][column] = min(
                best[row - 1][column - 1] + pairs[row - 1][column - 1],
                best[row - 1][column] + gap,
                best[row][column - 1] + gap,
            )
    return [
        (None if row is None else before[row], None if column is None else after[column])
        for row, column in reversed(list(_traced(best, pairs, gap)))
    ]


def _traced(best: list[list[int]], pairs: list[list[int]], gap: int) -> Iterator[tuple[int | None, int | None]]:
    """Yield the pairs of the cheapest alignment from its end."""
    row, column = len(best) - 1, len(best[0]) - 1
    while row or column:
        if row and column and best[row][column] == best[row - 1][column - 1] + pairs[row - 1][column - 1]:
            row, column = row - 1, column - 1
            yield row, column
        elif row and best[row][column] == best[row - 1][column] + gap:
            row -= 1
            yield row, None
        else:
            column -= 1
            yield None, column
