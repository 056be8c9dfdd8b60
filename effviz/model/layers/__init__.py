"""Layers: networks as immutable data.

There are three kinds of node. A `Primitive` does arithmetic and defines one thing, its output shape. A `Container`
arranges other layers. A `Block` is a named pattern from a paper that expands into simpler layers, see
`effviz.model.blocks`. Counting, drawing and running are functions in other modules.
"""

from effviz.model.layers.base import (
    Block,
    Container,
    Layer,
    Primitive,
    Shape,
    Size,
    check_shape,
    elements,
    pair,
    shape_text,
)
from effviz.model.layers.containers import MERGES, RESIZE, Branches, Sequential, check_name, residual
from effviz.model.layers.primitives import (
    ACTIVATIONS,
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    ChannelSelect,
    ChannelShuffle,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    LayerNorm2d,
    LayerScale,
    Linear,
    MaxPool2d,
    Slice,
    StochasticDepth,
    Subsample,
    ZeroPadChannels,
    primitive_kinds,
)

__all__ = [
    "ACTIVATIONS", "MERGES", "RESIZE", "Activation", "AdaptiveAvgPool2d", "AvgPool2d", "BatchNorm2d", "Block",
    "Branches", "ChannelSelect", "ChannelShuffle", "Container", "Conv2d", "Dropout", "Flatten", "GlobalAvgPool",
    "Identity", "Layer", "LayerNorm2d", "LayerScale", "Linear", "MaxPool2d", "Primitive", "Sequential", "Shape", "Size",
    "Slice", "StochasticDepth", "Subsample", "ZeroPadChannels", "check_name", "check_shape", "elements", "pair",
    "primitive_kinds", "residual", "shape_text",
]  # fmt: skip
