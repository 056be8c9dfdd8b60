"""The kinds of layer that a reader tells apart: one word and one colour each, everywhere."""

from __future__ import annotations

from effviz.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    ChannelShuffle,
    Conv2d,
    GlobalAvgPool,
    Linear,
    MaxPool2d,
    pair,
)
from effviz.model.trace import Step

STANDARD = "standard convolution"
GROUPED = "grouped convolution"
POINTWISE = "pointwise 1x1"
DEPTHWISE = "depthwise"
LINEAR = "linear"
SQUEEZE_EXCITE = "squeeze-and-excitation"
MERGE = "merge and shuffle"
NORM = "norm and activation"
POOLING = "pooling"
VIEW = "view"

KINDS = (STANDARD, GROUPED, POINTWISE, DEPTHWISE, LINEAR, SQUEEZE_EXCITE, MERGE, NORM, POOLING, VIEW)


def conv_kind(layer: Conv2d) -> str:
    """Standard, grouped, pointwise or depthwise.

    Depthwise has one group per input channel; a grouped 1x1 counts as grouped, a 1x1 window as pointwise.
    """
    if layer.groups == 1:
        return POINTWISE if pair(layer.kernel_size) == (1, 1) else STANDARD
    return DEPTHWISE if layer.groups == layer.in_channels else GROUPED


def kind_of(step: Step) -> str:
    """One of `KINDS` for a step; whatever belongs to a squeeze-and-excitation is that."""
    layer = step.layer
    if step.is_view:
        return VIEW
    if "SqueezeExcite" in step.blocks:
        return SQUEEZE_EXCITE
    if isinstance(layer, Conv2d):
        return conv_kind(layer)
    if isinstance(layer, Linear):
        return LINEAR
    if isinstance(layer, (Branches, ChannelShuffle)):
        return MERGE
    if isinstance(layer, (BatchNorm2d, Activation)):
        return NORM
    if isinstance(layer, (MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, GlobalAvgPool)):
        return POOLING
    raise TypeError(f"{type(layer).__name__} has no kind")
