"""Animations: convolutions, channel shuffle, squeeze-and-excitation, Ghost module, widths of residual blocks.

`motion` makes one by name, from numbers; `motions_of` makes those of a block.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial

from effviz.charts.motion.excite import excitation
from effviz.charts.motion.ghost import ghost
from effviz.charts.motion.shuffle import shuffle
from effviz.charts.motion.spec import Motion
from effviz.charts.motion.volumes import convolution
from effviz.charts.motion.widths import widths
from effviz.core.arguments import check_border
from effviz.core.errors import MAX_RESOLUTION, fail, look_up, unknown, whole
from effviz.model.blocks import (
    Bottleneck,
    ConvBNAct,
    DepthwiseSeparable,
    FusedMBConv,
    GhostBottleneck,
    GhostModule,
    InvertedResidual,
    MBConv,
    ShuffleUnitV1,
    ShuffleUnitV2,
    SqueezeExcite,
)
from effviz.model.fields import FieldBlock
from effviz.model.layers import Shape
from effviz.model.trace import trace_block
from effviz.studies.closed_forms import excitation as excitation_of
from effviz.studies.convolutions import KINDS, Setting


def _conv(
    kind: str, *, kernel_size: int = 3, in_channels: int = 128, out_channels: int = 128, groups: int = 4,
    stride: int = 1, resolution: int = 28,
) -> Motion:  # fmt: skip
    return convolution(kind, Setting(kernel_size, in_channels, out_channels, groups, stride, resolution))


def _shuffle(*, channels: int = 9, groups: int = 3) -> Motion:
    return shuffle(whole("channels", channels), whole("groups", groups))


def _excite(*, channels: int = 96, squeezed: int = 24, gate: str = "sigmoid", resolution: int = 14) -> Motion:
    return excitation(SqueezeExcite(channels, squeezed, gate=gate), resolution)


def _ghost(
    *, in_channels: int = 16, out_channels: int = 32, ratio: int = 2, kernel_size: int = 1, cheap_kernel_size: int = 3,
    stride: int = 1, resolution: int = 28,
) -> Motion:  # fmt: skip
    return ghost(GhostModule(in_channels, out_channels, stride, kernel_size, ratio, cheap_kernel_size), resolution)


def _inverted(
    *, in_channels: int = 24, out_channels: int = 24, expand_ratio: float = 6.0, kernel_size: int = 3,
    se_ratio: float = 0.0, stride: int = 1, resolution: int = 56,
) -> Motion:  # fmt: skip
    block = InvertedResidual(in_channels, out_channels, stride, kernel_size, expand_ratio, se_ratio)
    return widths(block, resolution)


def _bottleneck(
    *, in_channels: int = 256, out_channels: int = 256, bottleneck_ratio: float = 0.25, groups: int = 1,
    kernel_size: int = 3, stride: int = 1, resolution: int = 56,
) -> Motion:  # fmt: skip
    block = Bottleneck(in_channels, out_channels, stride, kernel_size, groups, bottleneck_ratio)
    return widths(block, resolution)


MOTIONS: dict[str, Callable[..., Motion]] = {
    **{kind: partial(_conv, kind) for kind in KINDS},
    "shuffle": _shuffle,
    "excite": _excite,
    "ghost": _ghost,
    "inverted_residual": _inverted,
    "bottleneck": _bottleneck,
}
"""Animations by name; each is a function of its numbers, which have defaults."""


def motion(name: str, **numbers: float | str) -> Motion:
    """Make an animation.

    Args:
        name: a key of `MOTIONS`.
        numbers: channels, kernel size and so on, as its function names them.

    Raises:
        DesignError: the name, an argument or a value is illegal.

    Example:
        >>> motion("separable", in_channels=32, out_channels=64, resolution=112)
    """
    make = look_up("motion", name, MOTIONS)
    legal = inspect.signature(make).parameters
    for key in numbers:
        if key not in legal:
            unknown("argument", key, legal)
    if "resolution" in numbers:
        whole("resolution", numbers["resolution"], 1, MAX_RESOLUTION)
    return make(**numbers)


def motions_of(block: FieldBlock, shape: Shape) -> dict[str, Callable[[], Motion]]:
    """Return functions that make the animations of a block, by title; empty if there is none.

    Args:
        block: with its channels.
        shape: of its input, ``(channels, side, side)``.
    """
    if len(shape) != 3 or shape[1] != shape[2]:
        fail("shape", shape, "must be (channels, side, side)")
    side = shape[1]
    found: dict[str, Callable[[], Motion]] = {}
    if isinstance(block, (InvertedResidual, MBConv, FusedMBConv, Bottleneck)):
        found["Widths"] = partial(widths, block, side)
    usual = not isinstance(block, ConvBNAct) or (block.padding is None and block.dilation == 1)
    if isinstance(block, (ConvBNAct, DepthwiseSeparable)) and usual:
        kind, groups = _kind_of(block)
        setting = Setting(block.kernel_size, block.in_channels, block.out_channels, groups, block.stride, side)
        found["Convolution"] = partial(convolution, kind, setting)
    if isinstance(block, GhostBottleneck):
        block_inside = GhostModule(block.in_channels, block.expanded, ratio=block.ratio)
        found["Ghost module"] = partial(ghost, block_inside, side)
    if isinstance(block, GhostModule):
        found["Ghost module"] = partial(ghost, block, side)
    if isinstance(block, ShuffleUnitV1) and block.groups > 1:
        found["Channel shuffle"] = partial(shuffle, block.out_channels // 4, block.groups)
    if isinstance(block, ShuffleUnitV2):
        found["Channel shuffle"] = partial(shuffle, block.out_channels, 2)
    inside = excitation_of(block)
    if inside is not None:
        # A stride before it makes its map smaller than the input of the block.
        map = next(step.output.shape for step in trace_block(block, shape).steps if "SqueezeExcite" in step.blocks)
        found["Gating"] = partial(excitation, inside, map[1])
    return found


def _kind_of(block: ConvBNAct | DepthwiseSeparable) -> tuple[str, int]:
    if isinstance(block, DepthwiseSeparable):
        return "separable", 1
    if block.groups == 1:
        return ("pointwise" if block.kernel_size == 1 else "standard"), 1
    return ("depthwise" if block.groups == block.in_channels == block.out_channels else "grouped"), block.groups


__all__ = ["MOTIONS", "Motion", "convolution", "motion", "motions_of", "shuffle"]


check_border(globals())
