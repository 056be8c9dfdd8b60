"""Counting rules of one layer: parameters, multiply-adds, activations. This file is the counting convention.

- `macs` are fused multiply-adds of convolution and linear layers for one image. Bias, norms, scales per channel,
  activation functions, pooling and merges count 0, as in the papers of MobileNet, ShuffleNetV2 and EfficientNet.
- `params` are trainable numbers: weights, biases, and two per channel of batch norm and layer norm. Running statistics
  are not.
- `activations` are the output elements of convolutions, as in the papers of RegNet (arXiv 2003.13678, section 3.1)
  and of fast scaling (arXiv 2103.06877, section 3). They follow latency on accelerators better than `macs`.

Each class of layers has one rule. A class without a rule is an error. Classes that count zero are listed.
"""

from functools import singledispatch

from effviz.core.errors import UncountedLayerError
from effviz.model import layers
from effviz.model.layers import BatchNorm2d, Conv2d, Layer, Linear, Shape, elements, pair

WITHOUT_PARAMS = (
    *(layers.Activation, layers.AvgPool2d, layers.AdaptiveAvgPool2d, layers.GlobalAvgPool, layers.MaxPool2d),
    *(layers.Branches, layers.ChannelShuffle, layers.Slice, layers.Flatten, layers.Identity),
    *(layers.Dropout, layers.StochasticDepth, layers.Subsample, layers.ZeroPadChannels, layers.ChannelSelect),
)
WITHOUT_MACS = (*WITHOUT_PARAMS, BatchNorm2d, layers.LayerNorm2d, layers.LayerScale)


@singledispatch
def weights(layer: Layer) -> int:
    """Count the trainable factors: convolution and matrix weights, scales of norms."""
    raise UncountedLayerError(f"{type(layer).__name__} has no rule for params")


@singledispatch
def biases(layer: Layer) -> int:
    """Count the trainable summands: biases, shifts of norms."""
    raise UncountedLayerError(f"{type(layer).__name__} has no rule for params")


@singledispatch
def macs(layer: Layer, output: Shape) -> int:
    """Count the multiply-adds of `layer` for one image from its output shape."""
    raise UncountedLayerError(f"{type(layer).__name__} has no rule for macs")


def activations(layer: Layer, output: Shape) -> int:
    """Count the output elements of a convolution for one image; other layers count 0."""
    return elements(output) if isinstance(layer, Conv2d) else 0


def params(layer: Layer) -> int:
    """Count the trainable numbers of `layer` without its children."""
    return weights(layer) + biases(layer)


@weights.register
def _(layer: Conv2d) -> int:
    high, wide = pair(layer.kernel_size)
    return layer.out_channels * (layer.in_channels // layer.groups) * high * wide


@biases.register
def _(layer: Conv2d) -> int:
    return layer.out_channels if layer.bias else 0


@macs.register
def _(layer: Conv2d, output: Shape) -> int:
    _, high, wide = output
    return high * wide * weights(layer)


@weights.register
def _(layer: Linear) -> int:
    return layer.in_features * layer.out_features


@biases.register
def _(layer: Linear) -> int:
    return layer.out_features if layer.bias else 0


@macs.register
def _(layer: Linear, output: Shape) -> int:
    return layer.in_features * layer.out_features


@weights.register
@biases.register
def _(layer: BatchNorm2d) -> int:
    return layer.num_features if layer.affine else 0


@weights.register
@biases.register
def _(layer: layers.LayerNorm2d) -> int:
    return layer.num_features


@weights.register
def _(layer: layers.LayerScale) -> int:
    return layer.num_features


biases.register(layers.LayerScale, lambda layer: 0)


def _nothing(layer: Layer, *_: Shape) -> int:
    return 0


for _kind in WITHOUT_PARAMS:
    weights.register(_kind, _nothing)
    biases.register(_kind, _nothing)
for _free in WITHOUT_MACS:
    macs.register(_free, _nothing)
