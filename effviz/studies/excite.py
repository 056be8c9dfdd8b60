"""The cost of squeeze-and-excitation: parameters against the reduction ratio.

A network of one block is counted with and without squeeze-and-excitation. The reduction is relative to the expanded
channels in MobileNetV3 and to the block input in EfficientNet; `Excitation` separates the two.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.errors import fail, number
from effviz.count.totals import block_totals
from effviz.model.blocks.mobile import SqueezeExcite
from effviz.model.fields import FieldBlock
from effviz.model.layers import Shape, check_shape
from effviz.studies.closed_forms import excitation

REDUCTIONS = (1, 2, 4, 8, 16, 32, 64)
MAX_REDUCTION = 1024


class Excitation(NamedTuple):
    """Squeeze-and-excitation at one reduction ratio."""

    reduction: float  # requested: 1 / se_ratio, or channels / squeezed of the block `squeeze_excite`
    channels: int  # multiplied by the gate
    squeezed: int  # between the 1x1 layers, rounded by the block; channels / squeezed is r in arXiv 1709.01507
    params_added: int  # parameters with it minus those without
    share: float  # of the parameters of the block, 0 to 1
    macs_added: int  # multiply-adds with it minus those without
    current: bool  # whether the given block has this reduction


def can_excite(block: FieldBlock) -> bool:
    """Return whether a block has squeeze-and-excitation."""
    return isinstance(block, SqueezeExcite) or hasattr(block, "se_ratio")


def excite(block: FieldBlock, shape: Shape, reductions: Iterable[float] = REDUCTIONS) -> list[Excitation]:
    """Return squeeze-and-excitation of a block at every reduction ratio and at that of the block, in ascending order.

    Args:
        block: with a field `se_ratio`, or `squeeze_excite`.
        shape: of its input, ``(channels, side, side)``.
        reductions: from 1 to `MAX_REDUCTION`.

    Raises:
        DesignError: the block has no squeeze-and-excitation, the shape is not square, or a reduction is out of range.
    """
    if not can_excite(block):
        fail("block", type(block).__name__, "must have a field se_ratio or be SqueezeExcite")
    shape = check_shape(shape)
    if len(shape) != 3 or shape[1] != shape[2]:
        fail("shape", shape, "must be (channels, side, side)")
    own = _own(block)
    wanted = {number("reduction", each, 1, MAX_REDUCTION) for each in reductions}
    if own is not None:
        wanted = {each for each in wanted if abs(each - own) > 1e-9} | {own}
    return [_excited(block, shape, each, current=each == own) for each in sorted(wanted)]


def _own(block: FieldBlock) -> float | None:
    if isinstance(block, SqueezeExcite):
        return block.in_channels / block.squeezed
    ratio = float(vars(block)["se_ratio"])
    return round(1 / ratio, 9) if ratio > 0 else None


def _excited(block: FieldBlock, shape: Shape, reduction: float, *, current: bool) -> Excitation:
    made = block
    if isinstance(block, SqueezeExcite) and not current:
        made = replace(block, squeezed=max(1, int(block.in_channels / reduction)))
    elif not current:
        made = _with_ratio(block, 1 / reduction)
    totals = block_totals(made, shape)
    params, macs = totals.params, totals.macs
    # The block `squeeze_excite` consists of squeeze-and-excitation only.
    if not isinstance(block, SqueezeExcite):
        without = block_totals(_with_ratio(block, 0.0), shape)
        params, macs = params - without.params, macs - without.macs
    inside = excitation(made)
    assert inside is not None
    return Excitation(
        reduction=reduction,
        channels=inside.in_channels,
        squeezed=inside.squeezed,
        params_added=params,
        share=params / totals.params,
        macs_added=macs,
        current=current,
    )


def _with_ratio(block: FieldBlock, se_ratio: float) -> FieldBlock:
    return type(block)(**(vars(block) | {"se_ratio": se_ratio}))


check_border(globals())
