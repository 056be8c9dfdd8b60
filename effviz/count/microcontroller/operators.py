"""A network as int8 operators of TensorFlow Lite for Microcontrollers, in execution order.

This is the graph that TensorFlow's converter makes of the same network in Keras. A batch norm after a convolution is
folded, ReLU and ReLU6 run inside the operator before them, and every other activation is a separate operator with an
output in memory. A map that a convolution pads has TensorFlow's padding "SAME" where it has the same size; otherwise an
operator PAD writes a padded copy. A channel split, a slice and a channel shuffle copy, because channels are innermost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from typing import NamedTuple

from effviz.core.errors import DesignError
from effviz.count.memory import Fusion
from effviz.model import layers
from effviz.model.layers import RESIZE, Activation, Branches, Layer, Shape, pair
from effviz.model.trace import Tensor, TraceStep

INPUT = 0
"""The number of the tensor with the image."""

FUSED_ACTIVATIONS = {"relu": "RELU", "relu6": "RELU6"}
_FUSING = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MUL", "MAX_POOL_2D", "AVERAGE_POOL_2D"}
_ACTIVATIONS = {
    "relu": "RELU",
    "relu6": "RELU6",
    "hardswish": "HARD_SWISH",
    "sigmoid": "LOGISTIC",
    "tanh": "TANH",
    "leaky_relu": "LEAKY_RELU",
    "elu": "ELU",
}


class Constant(NamedTuple):
    """A constant input of an operator.

    Attributes:
        name: what it is.
        shape: in the order of the file: output channels, height, width, input channels.
        dtype: "int8" or "int32".
        channels: with a separate scale and zero point; 0 if it is not quantized.
        values: of indices and sizes; None for trained numbers.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "int8"
    channels: int = 0
    values: tuple[int, ...] | None = None


class Operator(NamedTuple):
    """One operator, which runs after those before it.

    Attributes:
        code: name in the schema of TensorFlow Lite.
        path: of the layer.
        layer: that it runs, or a part of it.
        inputs: numbers of the tensors that it reads.
        outputs: numbers of the tensors that it writes.
        constants: what it reads from flash.
        padding: of a window, "SAME" or "VALID"; otherwise "".
        activation: that runs inside it, "NONE", "RELU" or "RELU6".
    """

    code: str
    path: str
    layer: Layer
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    constants: tuple[Constant, ...] = ()
    padding: str = ""
    activation: str = "NONE"


@dataclass
class OperatorGraph:
    """Operators in execution order, and the shapes of the tensors between them.

    Attributes:
        shapes: of each tensor by its number, one image: ``(channels, height, width)`` or ``(features,)``.
        operators: in execution order.
        output: number of the tensor with the result.
        writers: place of the operator that writes a tensor.
    """

    shapes: list[Shape]
    operators: list[Operator] = field(default_factory=list)
    output: int = INPUT
    writers: dict[int, int] = field(default_factory=dict)

    def add(
        self, code: str, step: TraceStep, inputs: Sequence[int], *outputs: Shape,
        constants: Sequence[Constant] = (), padding: str = "", activation: str = "NONE",
    ) -> int:  # fmt: skip
        """Append an operator, and return the number of its first output."""
        first = len(self.shapes)
        self.shapes.extend(outputs)
        self.writers.update(dict.fromkeys(range(first, len(self.shapes)), len(self.operators)))
        numbers = tuple(range(first, len(self.shapes)))
        self.operators.append(
            Operator(code, step.path, step.layer, tuple(inputs), numbers, tuple(constants), padding, activation)
        )
        return first


class GraphTensors(NamedTuple):
    """The tensors of the graph by those of a trace."""

    numbers: dict[Tensor, int]
    whole: dict[tuple[int, Shape], Tensor]  # for each storage and size of its map, the first tensor: not a share


def operators(steps: Sequence[TraceStep], fusion: Fusion, shape: Shape) -> OperatorGraph:
    """Return the graph of a network.

    Args:
        steps: of the whole network, see `effviz.model.trace`.
        fusion: of these steps.
        shape: of the input of the network.

    Raises:
        DesignError: a layer has no operator; the message starts with its path.
    """
    graph = OperatorGraph([shape])
    found = GraphTensors({Tensor(0, shape): INPUT}, {(0, shape[1:]): Tensor(0, shape)})
    for index, step in enumerate(steps):
        inputs = [_tensor(each, step, found, graph) for each in step.inputs]
        try:
            if fusion.absorbed[index]:
                output = _absorbed(step, inputs[0], graph)
            else:
                output = lower(step.layer, step, inputs, graph)
        except DesignError as error:
            raise (error if error.path else error.at(step.path)) from None
        found.numbers[step.output] = output
        found.whole.setdefault((step.output.storage, step.output.shape[1:]), step.output)
    graph.output = found.numbers[steps[-1].output] if steps else INPUT
    return graph


def _tensor(tensor: Tensor, step: TraceStep, found: GraphTensors, graph: OperatorGraph) -> int:
    """Return the number of a tensor; the first share of a split that is read splits the whole."""
    if tensor in found.numbers:
        return found.numbers[tensor]
    whole, shape = found.whole[tensor.storage, tensor.shape[1:]], tensor.shape
    count = whole.shape[0] // shape[0]
    axis = Constant("axis", (), "int32", values=(3,))
    first = graph.add("SPLIT", step, [found.numbers[whole]], *[shape] * count, constants=[axis])
    for place in range(count):
        found.numbers[Tensor(tensor.storage, shape, whole.first + place * shape[0])] = first + place
    return found.numbers[tensor]


def _absorbed(step: TraceStep, source: int, graph: OperatorGraph) -> int:
    """Return the output of a layer that runs inside the operator before it, where TensorFlow Lite can do so."""
    if not isinstance(step.layer, Activation):
        return source
    function = FUSED_ACTIVATIONS.get(step.layer.function)
    place = graph.writers.get(source)
    if function is None or place is None:
        return lower(step.layer, step, [source], graph)
    before = graph.operators[place]
    if before.code not in _FUSING or before.activation != "NONE":
        return lower(step.layer, step, [source], graph)
    graph.operators[place] = before._replace(activation=function)
    return source


# --- layers ---------------------------------------------------------------------------------------------------------


@singledispatch
def lower(layer: Layer, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    """Append the operators of a layer, and return the number of its output."""
    raise DesignError(f"{type(layer).__name__} has no operator in TensorFlow Lite for Microcontrollers", path=step.path)


@lower.register(layers.Identity)
@lower.register(layers.Dropout)
@lower.register(layers.StochasticDepth)
def _(layer: Layer, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    return inputs[0]


@lower.register
def _(layer: layers.Conv2d, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    source, padding = _padded(layer, step, inputs[0], graph)
    high, wide = pair(layer.kernel_size)
    depthwise = layer.groups == layer.in_channels and layer.groups > 1
    shape = (1, high, wide, layer.out_channels) if depthwise else (
        layer.out_channels, high, wide, layer.in_channels // layer.groups)  # fmt: skip
    constants = (
        Constant("filter", shape, "int8", layer.out_channels),
        Constant("bias", (layer.out_channels,), "int32", layer.out_channels),
    )
    code = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    return graph.add(code, step, [source], step.output.shape, constants=constants, padding=padding)


@lower.register
def _(layer: layers.Linear, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    constants = (
        Constant("weights", (layer.out_features, layer.in_features), "int8", 1),
        Constant("bias", (layer.out_features,), "int32", 1),
    )
    return graph.add("FULLY_CONNECTED", step, inputs, step.output.shape, constants=constants)


@lower.register
def _(layer: layers.BatchNorm2d, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    scale, shift = (Constant(name, (layer.num_features,), "int8", 1) for name in ("scale", "shift"))
    product = graph.add("MUL", step, inputs, step.output.shape, constants=[scale])
    return graph.add("ADD", step, [product], step.output.shape, constants=[shift])


@lower.register
def _(layer: layers.LayerScale, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    return graph.add(
        "MUL", step, inputs, step.output.shape, constants=[Constant("scale", (layer.num_features,), "int8", 1)]
    )


@lower.register
def _(layer: Activation, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    shape = step.output.shape
    if layer.function == "silu":
        gate = graph.add("LOGISTIC", step, inputs, shape)
        return graph.add("MUL", step, [*inputs, gate], shape)
    if layer.function == "hardsigmoid":
        three, sixth = (Constant(name, (), "int8", 1) for name in ("three", "sixth"))
        raised = graph.add("ADD", step, inputs, shape, constants=[three], activation="RELU6")
        return graph.add("MUL", step, [raised], shape, constants=[sixth])
    if layer.function not in _ACTIVATIONS:
        raise DesignError(f"{layer.function} has no int8 operator in TensorFlow Lite for Microcontrollers")
    return graph.add(_ACTIVATIONS[layer.function], step, inputs, shape)


@lower.register(layers.MaxPool2d)
@lower.register(layers.AvgPool2d)
def _(layer: layers.MaxPool2d | layers.AvgPool2d, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    if pair(layer.dilation) != (1, 1):
        raise DesignError("a dilated pool has no operator in TensorFlow Lite for Microcontrollers")
    source, padding = _padded(layer, step, inputs[0], graph)
    code = "MAX_POOL_2D" if isinstance(layer, layers.MaxPool2d) else "AVERAGE_POOL_2D"
    return graph.add(code, step, [source], step.output.shape, padding=padding)


@lower.register
def _(layer: layers.GlobalAvgPool, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    return _mean(step, inputs, graph)


def _mean(step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    return graph.add(
        "MEAN", step, inputs, step.output.shape, constants=[Constant("axes", (2,), "int32", values=(1, 2))]
    )


@lower.register
def _(layer: layers.AdaptiveAvgPool2d, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    sides, targets = graph.shapes[inputs[0]][1:], step.output.shape[1:]
    if targets == sides:
        return inputs[0]
    if targets == (1, 1):
        return _mean(step, inputs, graph)
    if any(side % target for side, target in zip(sides, targets, strict=True)):
        raise DesignError(
            f"an average over windows of several sizes, from {sides} to {targets} pixels, has no operator in "
            "TensorFlow Lite for Microcontrollers"
        )
    return graph.add("AVERAGE_POOL_2D", step, inputs, step.output.shape, padding="VALID")


@lower.register
def _(layer: layers.Flatten, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    source = inputs[0]
    last = graph.operators[-1] if graph.operators else None
    if last is not None and last.code == "MEAN" and source in last.outputs:
        # The mean over all pixels leaves no sides in TensorFlow.
        graph.shapes[source] = step.output.shape
    if graph.shapes[source] == step.output.shape:
        return source
    return _reshaped(step, source, step.output.shape, graph)


def _reshaped(step: TraceStep, source: int, shape: Shape, graph: OperatorGraph) -> int:
    return graph.add("RESHAPE", step, [source], shape, constants=[_sizes("shape", (1, *shape[1:], shape[0]))])


def _sizes(name: str, values: Sequence[int], columns: int = 0) -> Constant:
    shape = (len(values) // columns, columns) if columns else (len(values),)
    return Constant(name, shape, "int32", values=tuple(values))


@lower.register
def _(layer: layers.ChannelShuffle, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    channels, height, width = step.output.shape
    split = (layer.groups, channels // layer.groups)
    # The pixels are one dimension, so that four are enough.
    parts = graph.add(
        "RESHAPE", step, inputs, (split[1], height * width, split[0]),
        constants=[_sizes("shape", (1, height * width, *split))],
    )  # fmt: skip
    swapped = graph.add(
        "TRANSPOSE", step, [parts], (split[0], height * width, split[1]), constants=[_sizes("order", (0, 1, 3, 2))]
    )
    return _reshaped(step, swapped, step.output.shape, graph)


@lower.register
def _(layer: layers.Slice, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    channels, height, width = graph.shapes[inputs[0]]
    if layer.stop - layer.start == channels:
        return inputs[0]
    ends = ((0, 0, 0, layer.start), (1, height, width, layer.stop), (1, 1, 1, 1))
    return _strided(step, inputs, ends, graph)


@lower.register
def _(layer: layers.Subsample, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    channels, height, width = graph.shapes[inputs[0]]
    if layer.stride == 1:
        return inputs[0]
    return _strided(
        step, inputs, ((0, 0, 0, 0), (1, height, width, channels), (1, layer.stride, layer.stride, 1)), graph
    )


def _strided(step: TraceStep, inputs: list[int], ends: Sequence[tuple[int, ...]], graph: OperatorGraph) -> int:
    constants = [_sizes(name, values) for name, values in zip(("begin", "end", "strides"), ends, strict=True)]
    return graph.add("STRIDED_SLICE", step, inputs, step.output.shape, constants=constants)


@lower.register
def _(layer: layers.ChannelSelect, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    indices = Constant("indices", (layer.out_channels,), "int32")
    return graph.add("GATHER", step, inputs, step.output.shape, constants=[indices])


@lower.register
def _(layer: layers.ZeroPadChannels, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    more = layer.out_channels - layer.in_channels
    pads = _sizes("paddings", (0, 0, 0, 0, 0, 0, more // 2, more - more // 2), 2)
    return graph.add("PAD", step, inputs, step.output.shape, constants=[pads])


@lower.register
def _(layer: Branches, step: TraceStep, inputs: list[int], graph: OperatorGraph) -> int:
    shape = step.output.shape
    if layer.merge == "concat":
        return graph.add("CONCATENATION", step, inputs, shape)
    if layer.merge == RESIZE:
        return graph.add("RESIZE_NEAREST_NEIGHBOR", step, inputs, shape, constants=[_sizes("size", shape[1:])])
    total = inputs[0]
    for other in inputs[1:]:
        merged = layer.merged([graph.shapes[total], graph.shapes[other]])
        total = graph.add(layer.merge.upper(), step, [total, other], merged)
    return total


# --- windows --------------------------------------------------------------------------------------------------------


def _padded(
    layer: layers.Conv2d | layers.MaxPool2d | layers.AvgPool2d, step: TraceStep, source: int, graph: OperatorGraph
) -> tuple[int, str]:
    """Return the input of a window and its padding; an operator pads where TensorFlow's sizes differ from torch's."""
    channels, *sides = graph.shapes[source]
    out = step.output.shape[1:]
    windows, strides = pair(layer.kernel_size), pair(layer.kernel_size if layer.stride is None else layer.stride)
    spread, before = pair(layer.dilation), pair(layer.padding)
    spans = [apart * (window - 1) + 1 for apart, window in zip(spread, windows, strict=True)]
    needed = [
        (count - 1) * stride + span - side for count, stride, span, side in zip(out, strides, spans, sides, strict=True)
    ]
    if not any(before) and all(more <= 0 for more in needed):
        return source, "VALID"
    if all(count == -(-side // stride) for count, side, stride in zip(out, sides, strides, strict=True)):
        return source, "SAME"
    after = [max(0, more - start) for more, start in zip(needed, before, strict=True)]
    pads = _sizes("paddings", (0, 0, before[0], after[0], before[1], after[1], 0, 0), 2)
    shape = (channels, *(side + start + end for side, start, end in zip(sides, before, after, strict=True)))
    if isinstance(layer, layers.MaxPool2d):
        return graph.add("PADV2", step, [source], shape, constants=[pads, Constant("lowest", (), "int8", 1)]), "VALID"
    return graph.add("PAD", step, [source], shape, constants=[pads]), "VALID"
