"""Designs of one kind of block, and the distribution of their cost."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError, unknown, whole
from effviz.core.resolution import Resolution
from effviz.count import cost
from effviz.count.kinds import DEPTHWISE, kind_of
from effviz.count.totals import block_totals
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.fields import Field, FieldBlock, declared
from effviz.model.layers import Shape
from effviz.model.outline import stage_of
from effviz.model.stage import Stage, fixed, table
from effviz.model.trace import trace_block
from effviz.model.widths import WidthRule
from effviz.studies.blocks import PRESETS, fields_of


def _can_stage(kind: type[FieldBlock]) -> bool:
    return kind.has_stride and kind.has_in_channels and kind.has_out_channels


KINDS = tuple(name for name, preset in PRESETS.items() if _can_stage(BLOCKS[preset.block]))
"""Presets whose block can fill a stage: it has a stride, and its row sets its width."""

STEM, WIDTHS = 32, (64, 128, 256, 512)
# Fields in channels do not follow the width of the block. The last stages of GhostNet expand by 6.
_PER_WIDTH = 6
MOST_DIVISOR = 512


def title_of(kind: str) -> str:
    """Return the name of one block of a kind."""
    chosen = PRESETS[kind]
    return chosen.title if chosen.repeats == 1 else "Plain convolution (VGG)"


def told_fields(kind: str) -> list[Field]:
    """Return the main fields of a kind: numbers with usual values."""
    return [entry for entry in fields_of(kind) if entry.kind in ("int", "float") and entry.choices]


def template(
    kind: str, blocks: int = 4, divisor: int = 8, resolution: Resolution = 224,
    fields: Mapping[str, Any] | None = None, in_channels: int = 3,
) -> Design:  # fmt: skip
    """Return a network of one kind of block: stem, four stages of equal depth and doubling width, pooling, classifier.

    Args:
        kind: one of `KINDS`.
        blocks: per stage.
        divisor: of the widths; a multiple of it if groups or halves of the channels require one.
        resolution: of the input in pixels; stem and stages halve it, five times in all.
        fields: of the block; the preset has the others.
        in_channels: of the input image.

    Raises:
        DesignError: a value is illegal, or the block accepts no width.
    """
    if kind not in KINDS:
        unknown("kind", kind, KINDS)
    chosen = PRESETS[kind]
    whole("divisor", divisor, 1, MOST_DIVISOR)
    own = {**chosen.fields, **(fields or {})}
    step = _suited(chosen.block, divisor, tuple(sorted(own.items())))
    stem = max(1, round(STEM / step)) * step
    rows = [
        Stage(chosen.block, width, blocks, 2, name=f"stage{number}", **own, **_in_channels(chosen.block, width))
        for number, width in enumerate((stem * base // STEM for base in WIDTHS), start=1)
    ]
    return Design(
        kind,
        table(
            fixed(Stage("conv", stem, 1, 2, name="stem")),
            rows,
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        title=title_of(kind),
        family="Width against depth",
        resolution=resolution,
        in_channels=in_channels,
        width_rule=WidthRule(step),
    )


def _in_channels(block: str, width: int) -> dict[str, Any]:
    """Return the fields in channels that scale with the width."""
    return {entry.name: _PER_WIDTH * width for entry in declared(BLOCKS[block]) if entry.scales and not entry.optional}


@remembered
def _suited(block: str, divisor: int, fields: tuple[tuple[str, Any], ...]) -> int:
    """Return the smallest multiple of `divisor` such that the block accepts every multiple of it."""
    problem: DesignError | None = None
    for step in range(divisor, MOST_DIVISOR + 1, divisor):
        try:
            for wide in range(step, 9 * step, step):
                out = wide + step
                row = Stage(block, out, 2, 2, **dict(fields), **_in_channels(block, out))
                Design("tried", (row,), resolution=8, in_channels=wide).blocks()
        except DesignError as error:
            problem = problem or error
        else:
            return step
    raise problem or DesignError(f"divisor = {divisor} has no multiple up to {MOST_DIVISOR}")


class StageBlock(NamedTuple):
    """A block in a stage of variable depth: its stage and its output channels."""

    stage: str
    channels: int


def placed(design: Design) -> list[StageBlock]:
    """Return the blocks of the stages in order, without stem, pooling and head."""
    blocks = design.blocks()
    leaving = [entry.shape[0] for entry in blocks[1:]] + [0]
    return [
        StageBlock(stage_of(entry.path), channels)
        for entry, channels in zip(blocks, leaving, strict=True)
        if design.stages[entry.row].depth == "scaled"
    ]


def stage_widths(design: Design) -> dict[str, int]:
    """Return the output channels of each stage."""
    return {entry.stage: entry.channels for entry in placed(design)}


class CostShares(NamedTuple):
    """Distribution of the multiply-adds or parameters of a design, as shares."""

    outside: float  # stem, head and classifier, which do not depend on the depth
    first: float  # the first block of every stage, which does not depend on the depth
    further: float  # all other blocks
    depthwise: float  # depthwise convolutions of all blocks, which grow with the width, not with its square


def shares(design: Design, quantity: str) -> CostShares:
    """Return the shares of ``"macs"`` or ``"params"``."""
    sums = dict.fromkeys(CostShares._fields, 0)
    before = ""
    for entry in design.blocks():
        stage = stage_of(entry.path)
        inside = design.stages[entry.row].depth == "scaled"
        part = "outside" if not inside else "first" if stage != before else "further"
        sums[part] += getattr(block_totals(entry.block, entry.shape), quantity)
        sums["depthwise"] += _depthwise(entry.block, entry.shape, quantity)
        before = stage
    total = max(1, sums["outside"] + sums["first"] + sums["further"])
    return CostShares(**{name: value / total for name, value in sums.items()})


@remembered
def _depthwise(block: FieldBlock, shape: Shape, quantity: str) -> int:
    """Return the cost of the depthwise layers of a block."""
    steps = [step for step in trace_block(block, shape).steps if kind_of(step) == DEPTHWISE]
    if quantity == "params":
        return sum(cost.params(step.layer) for step in steps)
    return sum(cost.macs(step.layer, step.output.shape) for step in steps)


check_border(globals())
