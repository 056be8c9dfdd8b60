"""Short descriptions of layers and blocks for readers."""

from collections.abc import Mapping

from effviz.count import kinds
from effviz.count.kinds import conv_kind
from effviz.model import layers
from effviz.model.layers import Conv2d, Dropout, Flatten, Layer, Linear, Size, StochasticDepth, pair

_FUNCTIONS = {
    "relu": "ReLU", "relu6": "ReLU6", "leaky_relu": "leaky ReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU",
    "hardswish": "hard swish", "hardsigmoid": "hard sigmoid",
}  # fmt: skip
_WORDS: Mapping[type[Layer], str] = {
    layers.BatchNorm2d: "BN",
    layers.LayerNorm2d: "layer norm",
    layers.LayerScale: "scale per channel",
    layers.GlobalAvgPool: "global average pool",
    Linear: "linear",
    Flatten: "flatten",
    StochasticDepth: "stochastic depth",
}
WEIGHTED = (Conv2d, Linear)
ATTACHED = (Flatten, Dropout, StochasticDepth)
"""Views that a diagram draws in the node of a neighbouring layer."""
# Blocks of one layer with its norm and activation; the layer has the name of the block.
PLAIN = ("ConvBNAct", "Depthwise", "LinearAct", "NormAct")
# Names of containers, which describe the structure of the code and not a layer.
_SCAFFOLD = ("residual", "concat")
_RESPELT = {"expand1x1": "expand 1×1", "expand3x3": "expand 3×3", "ghost1": "ghost 1", "ghost2": "ghost 2"}
_SHORTER = {
    "Convolution, batch norm, activation": "Conv-BN-activation", "Batch norm, activation": "BN-activation",
    "separable convolution": "sep. conv", " convolution": " conv", "average pooling": "avg pooling",
    "connected layer": "connected", "Condensed fully": "Condensed, fully", "Universal inverted": "Univ. inv.",
    "without batch norm": "without BN", " with DFC attention": ", DFC", "-and-excitation": "-excitation",
}  # fmt: skip


def _window(size: Size) -> str:
    return "×".join(map(str, pair(size)))


def _stride(stride: Size | None, kernel: Size) -> str:
    high, wide = pair(kernel if stride is None else stride)
    return "" if high == wide == 1 else f", stride {high if high == wide else _window((high, wide))}"


def kind_title(kind: type[Layer]) -> str:
    """Return the title of a block class: ``Inverted residual``."""
    return str(getattr(kind, "title", kind.__name__))


def short_title(title: str) -> str:
    """Return the title of a block for a narrow column: ``Conv-BN-activation``."""
    for long, short in _SHORTER.items():
        title = title.replace(long, short)
    return title


def describe(layer: Layer) -> str:
    """Describe a layer: ``3×3 depthwise conv, stride 2``."""
    if isinstance(layer, Conv2d):
        kind = "depthwise " if conv_kind(layer) == kinds.DEPTHWISE else ""
        groups = f", {layer.groups} groups" if conv_kind(layer) == kinds.GROUPED else ""
        dilation = "" if pair(layer.dilation) == (1, 1) else f", dilation {_window(layer.dilation)}"
        return f"{_window(layer.kernel_size)} {kind}conv{_stride(layer.stride, 1)}{groups}{dilation}"
    if isinstance(layer, layers.Activation):
        return _FUNCTIONS.get(layer.function, layer.function)
    if isinstance(layer, (layers.MaxPool2d, layers.AvgPool2d)):
        name = "max" if isinstance(layer, layers.MaxPool2d) else "average"
        return f"{_window(layer.kernel_size)} {name} pool{_stride(layer.stride, layer.kernel_size)}"
    if isinstance(layer, layers.AdaptiveAvgPool2d):
        return f"average pool to {_window(layer.output_size)}"
    if isinstance(layer, layers.ChannelShuffle):
        return f"channel shuffle, {layer.groups} groups"
    if isinstance(layer, layers.ChannelSelect):
        return f"select {layer.out_channels} of {layer.in_channels} channels"
    if isinstance(layer, layers.Slice):
        return f"first {layer.stop} channels" if layer.start == 0 else f"channels {layer.start} to {layer.stop - 1}"
    if isinstance(layer, layers.Subsample):
        return f"1 of {layer.stride}×{layer.stride} pixels"
    if isinstance(layer, layers.ZeroPadChannels):
        return f"{layer.out_channels - layer.in_channels} channels of zeros"
    if isinstance(layer, Dropout):
        return f"dropout {layer.p:g}"
    return _WORDS.get(type(layer), type(layer).__name__)


def channels_of(layer: Layer) -> str:
    """Describe the channels of a layer with weights: ``32 → 64``."""
    if isinstance(layer, Linear):
        return f"{layer.in_features} → {layer.out_features}"
    if not isinstance(layer, Conv2d):
        return ""
    if conv_kind(layer) == kinds.DEPTHWISE and layer.in_channels == layer.out_channels:
        return f"{layer.in_channels} channels"
    return f"{layer.in_channels} → {layer.out_channels}"


def block_title(block: Layer) -> str:
    """Return the title of a block: ``Inverted residual``, or the name of a recipe."""
    return str(getattr(block, "called", type(block).__name__))


def reader_name(path: str, base: str) -> str:
    """Return the path of a layer relative to `base`, in words; empty if the two are equal."""
    rest = path.removeprefix(base).strip(".").split(".")
    return " ".join(_RESPELT.get(part, part.replace("_", " ")) for part in rest if part and part not in _SCAFFOLD)
