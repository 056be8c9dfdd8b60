"""A design as an ONNX file with random weights, written with the package onnx.

A node has the path of its layer as its name, and weights have the names of the torch module: ``stem.conv.weight``.
Sizes of maps are constants of the file; the batch is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from math import prod
from typing import Any, NamedTuple

from effviz.core.errors import UncountedLayerError, fail, whole
from effviz.count.totals import network_totals
from effviz.model import layers
from effviz.model.design import Design
from effviz.model.layers import RESIZE, Activation, Block, Branches, Layer, Primitive, Sequential, Shape, pair
from effviz.model.trace import join

OPSET = 17
IR_VERSION = 8
INPUT, OUTPUT = "image", "output"
MAX_PARAMS = 2**29 - 2**20
"""Parameters of the largest file. The format is limited to 2 GiB, and a parameter takes 4 bytes."""

_ACTIVATIONS: dict[str, tuple[str, dict[str, float]]] = {
    "relu": ("Relu", {}),
    "hardswish": ("HardSwish", {}),
    "sigmoid": ("Sigmoid", {}),
    "hardsigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "tanh": ("Tanh", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "elu": ("Elu", {"alpha": 1.0}),
}
_LAST = 2**31 - 1


class Value(NamedTuple):
    """A tensor of the graph: its name, and its shape without the batch."""

    name: str
    shape: Shape


class OnnxGraph:
    """The nodes and weights of a graph, in execution order."""

    def __init__(self, seed: int) -> None:
        import numpy as np
        from onnx import helper, numpy_helper

        self.np, self._helper, self._arrays = np, helper, numpy_helper
        self._random = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def node(self, op: str, path: str, inputs: Sequence[str], outputs: int = 1, **attributes: Any) -> list[str]:
        """Append a node, and return the names of its outputs."""
        # No weight ends in a number.
        names = [f"{path}/{op}/{len(self.nodes)}.{place}" for place in range(outputs)]
        self.nodes.append(self._helper.make_node(op, inputs, names, f"{path}/{op}/{len(self.nodes)}", **attributes))
        return names

    def one(self, op: str, path: str, *inputs: str, **attributes: Any) -> str:
        """Append a node with one output, and return its name."""
        return self.node(op, path, inputs, **attributes)[0]

    def constant(self, path: str, value: Any, dtype: str = "int64") -> str:
        """Append a constant that is no weight."""
        tensor = self._arrays.from_array(self.np.asarray(value, dtype))
        return self.one("Constant", path, value=tensor)

    def weight(self, path: str, name: str, array: Any) -> str:
        """Add a weight, and return its name."""
        self.weights.append(self._arrays.from_array(array, join(path, name)))
        return join(path, name)

    def filled(self, path: str, name: str, size: int, value: float) -> str:
        """Add a weight of equal numbers."""
        return self.weight(path, name, self.np.full(size, value, "float32"))

    def uniform(self, path: str, shape: Shape, *, bias: bool) -> list[str]:
        """Add a random weight and a bias, with torch's distribution: uniform within 1 / sqrt(inputs of an output)."""
        bound = prod(shape[1:]) ** -0.5
        names = []
        for name, size in (("weight", shape), *[("bias", shape[:1])] * bias):
            array = self._random.random(size, "float32")
            array -= self.np.float32(0.5)
            array *= self.np.float32(2 * bound)
            names.append(self.weight(path, name, array))
        return names


def onnx_file(design: Design, seed: int = 0) -> bytes:
    """Return `design` as the bytes of an ONNX file; see `effviz.export.export_onnx`."""
    seed = whole("seed", seed, 0, 2**63 - 1)
    params = network_totals(design)[0]
    if params > MAX_PARAMS:
        fail("parameters", params, f"must be at most {MAX_PARAMS:,}: an ONNX file is limited to 2 GiB")
    text = f"{design.title or design.name}: {params:,} parameters, random weights"
    return onnx_of(design.layer(), design.input_shape(), design.name, text, seed)


def onnx_of(layer: Layer, shape: Shape, name: str, text: str, seed: int = 0) -> bytes:
    """Return the file of a layer for images of `shape`; `name` and `text` describe its graph.

    Raises:
        ModuleNotFoundError: the package onnx is missing.
    """
    try:
        from onnx import TensorProto, helper
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        text = "export_onnx needs the package onnx: pip install 'effviz[onnx]'"
        raise ModuleNotFoundError(text, name="onnx") from None
    graph = OnnxGraph(seed)
    result = _run(layer, "", Value(INPUT, shape), graph)
    if result.name == INPUT:
        graph.one("Identity", "", INPUT)
    graph.nodes[-1].output[0] = OUTPUT
    ends = [
        helper.make_tensor_value_info(end, TensorProto.FLOAT, ["batch", *sides])
        for end, sides in ((INPUT, shape), (OUTPUT, result.shape))
    ]
    made = helper.make_graph(graph.nodes, name, ends[:1], ends[1:], graph.weights)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        made, opset_imports=opsets, ir_version=IR_VERSION, producer_name="effviz", doc_string=text
    )
    return bytes(model.SerializeToString())


def _run(layer: Layer, path: str, value: Value, graph: OnnxGraph) -> Value:
    """Append the nodes of a layer, and return its output."""
    if isinstance(layer, Sequential):
        for name, child in layer.children:
            value = _run(child, join(path, name), value, graph)
        return value
    if isinstance(layer, Branches):
        return _merge(layer, path, value, graph)
    if isinstance(layer, Block):
        return _run(layer.expand(), path, value, graph)
    assert isinstance(layer, Primitive)
    return Value(write(layer, path, value, graph), layer.out_shape(value.shape))


def _merge(layer: Branches, path: str, value: Value, graph: OnnxGraph) -> Value:
    count, share = len(layer.branches), layer.shares(value.shape)
    names = graph.node("Split", path, [value.name], count, axis=1) if layer.split else [value.name] * count
    inputs = zip(names, layer.branches, strict=True)
    outputs = [_run(child, join(path, name), Value(given, share), graph) for given, (name, child) in inputs]
    shape = layer.merged([each.shape for each in outputs])
    first, *others = (each.name for each in outputs)
    if layer.merge == "concat":
        return Value(graph.one("Concat", path, first, *others, axis=1), shape)
    if layer.merge == RESIZE:
        np, before = graph.np, outputs[0].shape
        for axis in (1, 2):
            # The pixels that torch copies, which computes in float32.
            scale = np.float32(before[axis]) / np.float32(shape[axis])
            chosen = np.minimum(np.floor(np.arange(shape[axis], dtype="float32") * scale), before[axis] - 1)
            first = graph.one("Gather", path, first, graph.constant(path, chosen), axis=axis + 1)
        return Value(first, shape)
    for other in others:
        first = graph.one({"add": "Add", "mul": "Mul"}[layer.merge], path, first, other)
    return Value(first, shape)


# --- layers ---------------------------------------------------------------------------------------------------------


@singledispatch
def write(layer: Primitive, path: str, value: Value, graph: OnnxGraph) -> str:
    """Append the nodes of a layer, and return the name of its output."""
    raise UncountedLayerError(f"{type(layer).__name__} has no ONNX node", path=path)


@write.register(layers.Identity)
@write.register(layers.Dropout)
@write.register(layers.StochasticDepth)
def _(layer: Primitive, path: str, value: Value, graph: OnnxGraph) -> str:
    return value.name


@write.register
def _(layer: layers.Conv2d, path: str, value: Value, graph: OnnxGraph) -> str:
    shape = (layer.out_channels, layer.in_channels // layer.groups, *pair(layer.kernel_size))
    weights = graph.uniform(path, shape, bias=layer.bias)
    return graph.one(
        "Conv", path, value.name, *weights, kernel_shape=pair(layer.kernel_size), strides=pair(layer.stride),
        pads=pair(layer.padding) * 2, dilations=pair(layer.dilation), group=layer.groups,
    )  # fmt: skip


@write.register
def _(layer: layers.Linear, path: str, value: Value, graph: OnnxGraph) -> str:
    weights = graph.uniform(path, (layer.out_features, layer.in_features), bias=layer.bias)
    return graph.one("Gemm", path, value.name, *weights, transB=1)


@write.register
def _(layer: layers.BatchNorm2d, path: str, value: Value, graph: OnnxGraph) -> str:
    size = layer.num_features
    if layer.affine:
        scale, shift = graph.filled(path, "weight", size, 1), graph.filled(path, "bias", size, 0)
    else:
        scale, shift = (graph.constant(path, [each] * size, "float32") for each in (1, 0))
    running = (graph.filled(path, "running_mean", size, 0), graph.filled(path, "running_var", size, 1))
    return graph.one("BatchNormalization", path, value.name, scale, shift, *running, epsilon=layer.eps)


@write.register
def _(layer: layers.LayerNorm2d, path: str, value: Value, graph: OnnxGraph) -> str:
    weights = (graph.filled(path, "weight", layer.num_features, 1), graph.filled(path, "bias", layer.num_features, 0))
    last = graph.one("Transpose", path, value.name, perm=(0, 2, 3, 1))
    normed = graph.one("LayerNormalization", path, last, *weights, axis=-1, epsilon=layer.eps)
    return graph.one("Transpose", path, normed, perm=(0, 3, 1, 2))


@write.register
def _(layer: layers.LayerScale, path: str, value: Value, graph: OnnxGraph) -> str:
    factors = graph.filled(path, "weight", layer.num_features, 1e-6)
    shaped = graph.one("Reshape", path, factors, graph.constant(path, (-1, 1, 1)))
    return graph.one("Mul", path, value.name, shaped)


@write.register
def _(layer: Activation, path: str, value: Value, graph: OnnxGraph) -> str:
    if layer.function == "relu6":
        ends = [graph.constant(path, end, "float32") for end in (0, 6)]
        return graph.one("Clip", path, value.name, *ends)
    if layer.function == "silu":
        return graph.one("Mul", path, value.name, graph.one("Sigmoid", path, value.name))
    if layer.function == "gelu":
        # The operator Gelu needs opset 20.
        scaled = graph.one("Mul", path, value.name, graph.constant(path, 0.5**0.5, "float32"))
        raised = graph.one("Add", path, graph.one("Erf", path, scaled), graph.constant(path, 1, "float32"))
        half = graph.one("Mul", path, value.name, graph.constant(path, 0.5, "float32"))
        return graph.one("Mul", path, half, raised)
    op, attributes = _ACTIVATIONS[layer.function]
    return graph.one(op, path, value.name, **attributes)


@write.register(layers.MaxPool2d)
@write.register(layers.AvgPool2d)
def _(layer: layers.MaxPool2d | layers.AvgPool2d, path: str, value: Value, graph: OnnxGraph) -> str:
    """Append a pool of whole windows: ceil_mode pads the end of each side, by which runtimes agree."""
    is_max = isinstance(layer, layers.MaxPool2d)
    window, strides = pair(layer.kernel_size), pair(layer.kernel_size if layer.stride is None else layer.stride)
    spread = pair(layer.dilation)
    starts, source, out = pair(layer.padding), value.name, layer.out_shape(value.shape)[1:]
    spans = zip(out, strides, spread, window, value.shape[1:], starts, strict=True)
    ends = [max(start, (count - 1) * step + apart * (size - 1) + 1 - side - start)
            for count, step, apart, size, side, start in spans]  # fmt: skip
    if any((*starts, *ends)):
        pads = graph.constant(path, (0, 0, *starts, 0, 0, *ends))
        source = graph.one("Pad", path, source, pads, graph.constant(path, float("-inf") if is_max else 0, "float32"))
    options = {"kernel_shape": window, "strides": strides} | ({"dilations": spread} if is_max else {})
    pooled = graph.one("MaxPool" if is_max else "AveragePool", path, source, **options)
    if isinstance(layer, layers.MaxPool2d):
        return pooled
    counts = [
        _covered(*each, layer.count_include_pad)
        for each in zip(out, strides, window, value.shape[1:], starts, strict=True)
    ]
    full = graph.np.float32(prod(window)) / graph.np.outer(*counts).astype("float32")
    return pooled if (full == 1).all() else graph.one("Mul", path, pooled, graph.constant(path, full, "float32"))


def _covered(count: int, stride: int, window: int, side: int, padding: int, padded: bool) -> list[int]:
    """Return by how many pixels torch divides the sum of each window along one side."""
    first, last = (-padding, side + padding) if padded else (0, side)
    starts = (place * stride - padding for place in range(count))
    return [min(start + window, last) - max(start, first) for start in starts]


@write.register
def _(layer: layers.AdaptiveAvgPool2d, path: str, value: Value, graph: OnnxGraph) -> str:
    sides, targets = value.shape[1:], pair(layer.output_size)
    if not any(side % target for side, target in zip(sides, targets, strict=True)):
        window = [side // target for side, target in zip(sides, targets, strict=True)]
        return graph.one("AveragePool", path, value.name, kernel_shape=window, strides=window)
    # Windows of several sizes: the mean is a product with one matrix per side.
    down, across = (_means(side, target, graph) for side, target in zip(sides, targets, strict=True))
    rows = graph.one("MatMul", path, graph.constant(path, down, "float32"), value.name)
    return graph.one("MatMul", path, rows, graph.constant(path, across.T, "float32"))


def _means(side: int, target: int, graph: OnnxGraph) -> Any:
    """Return the matrix of the means of torch's windows along one side."""
    matrix = graph.np.zeros((target, side))
    for place in range(target):
        first, last = place * side // target, -(-(place + 1) * side // target)
        matrix[place, first:last] = 1 / (last - first)
    return matrix


@write.register
def _(layer: layers.GlobalAvgPool, path: str, value: Value, graph: OnnxGraph) -> str:
    return graph.one("GlobalAveragePool", path, value.name)


@write.register
def _(layer: layers.Flatten, path: str, value: Value, graph: OnnxGraph) -> str:
    return graph.one("Flatten", path, value.name, axis=1)


@write.register
def _(layer: layers.ChannelShuffle, path: str, value: Value, graph: OnnxGraph) -> str:
    channels, height, width = value.shape
    split = graph.constant(path, (0, layer.groups, channels // layer.groups, height, width))
    swapped = graph.one("Transpose", path, graph.one("Reshape", path, value.name, split), perm=(0, 2, 1, 3, 4))
    return graph.one("Reshape", path, swapped, graph.constant(path, (0, *value.shape)))


def _sliced(graph: OnnxGraph, path: str, name: str, *slices: Sequence[int]) -> str:
    """Append a slice; `slices` are starts, ends, axes and steps."""
    return graph.one("Slice", path, name, *(graph.constant(path, each) for each in slices))


@write.register
def _(layer: layers.Slice, path: str, value: Value, graph: OnnxGraph) -> str:
    return _sliced(graph, path, value.name, [layer.start], [layer.stop], [1])


@write.register
def _(layer: layers.Subsample, path: str, value: Value, graph: OnnxGraph) -> str:
    return _sliced(graph, path, value.name, [0, 0], [_LAST] * 2, [2, 3], [layer.stride] * 2)


@write.register
def _(layer: layers.ChannelSelect, path: str, value: Value, graph: OnnxGraph) -> str:
    spaced = graph.np.arange(layer.out_channels) * layer.in_channels // layer.out_channels
    return graph.one("Gather", path, value.name, graph.weight(path, "index", spaced), axis=1)


@write.register
def _(layer: layers.ZeroPadChannels, path: str, value: Value, graph: OnnxGraph) -> str:
    more = layer.out_channels - layer.in_channels
    pads = graph.constant(path, (0, more // 2, 0, 0, 0, more - more // 2, 0, 0))
    return graph.one("Pad", path, value.name, pads)
