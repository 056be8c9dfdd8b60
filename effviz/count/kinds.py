"""Kinds of layers, each with one name and one color in all tables, charts and diagrams."""

from typing import NamedTuple

from effviz.model import layers
from effviz.model.layers import Activation, BatchNorm2d, Branches, Conv2d, Linear, pair
from effviz.model.trace import TraceStep

STANDARD = "standard convolution"
GROUPED = "grouped convolution"
POINTWISE = "pointwise 1×1"
DEPTHWISE = "depthwise"
LINEAR = "linear"
SQUEEZE_EXCITE = "squeeze-and-excitation"
MERGE = "merge and shuffle"
NORM = "norm and activation"
POOLING = "pooling"
VIEW = "view"
_MERGES = (Branches, layers.ChannelSelect, layers.ChannelShuffle, layers.ZeroPadChannels)
_POOLINGS = (layers.MaxPool2d, layers.AvgPool2d, layers.AdaptiveAvgPool2d, layers.GlobalAvgPool)


class Kind(NamedTuple):
    """The presentation of a kind of layer."""

    color: str  # from the palette of Okabe and Ito, safe for color-blind readers, or a grey
    subject: str  # the beginning of a sentence about the cost of these layers


KINDS: dict[str, Kind | None] = {
    STANDARD: Kind("#009E73", "Standard convolutions take"),
    GROUPED: Kind("#56B4E9", "Grouped convolutions take"),
    POINTWISE: Kind("#0072B2", "Pointwise 1×1 convolutions take"),
    DEPTHWISE: Kind("#E69F00", "Depthwise convolutions take"),
    LINEAR: Kind("#CC79A7", "Linear layers take"),
    SQUEEZE_EXCITE: Kind("#D55E00", "Squeeze-and-excitation takes"),
    MERGE: Kind("#F0E442", "Merges and shuffles take"),
    NORM: Kind("#6E6E78", "Norms and activations take"),
    POOLING: Kind("#B9B9C2", "Pooling takes"),
    VIEW: None,
}
"""All kinds in the order of charts and tables; a view costs nothing and is not drawn."""

KIND_COLORS = {name: kind.color for name, kind in KINDS.items() if kind is not None}


def conv_kind(layer: Conv2d) -> str:
    """Return the kind of a convolution: standard, grouped, pointwise or depthwise.

    A depthwise convolution has one group per input channel. A 1x1 convolution is pointwise only without groups.
    """
    if layer.groups == 1:
        return POINTWISE if pair(layer.kernel_size) == (1, 1) else STANDARD
    return DEPTHWISE if layer.groups == layer.in_channels else GROUPED


def kind_of(step: TraceStep) -> str:
    """Return the kind of a step; all layers inside a squeeze-and-excitation have its kind."""
    layer = step.layer
    if step.is_view:
        return VIEW
    if "SqueezeExcite" in step.blocks:
        return SQUEEZE_EXCITE
    if isinstance(layer, Conv2d):
        return conv_kind(layer)
    if isinstance(layer, Linear):
        return LINEAR
    if isinstance(layer, _MERGES):
        return MERGE
    if isinstance(layer, (BatchNorm2d, layers.LayerNorm2d, layers.LayerScale, Activation)):
        return NORM
    if isinstance(layer, _POOLINGS):
        return POOLING
    raise TypeError(f"{type(layer).__name__} has no kind")
