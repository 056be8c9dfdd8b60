"""Files of TensorFlow Lite for the operators of a network, and their runs in TensorFlow Lite for Microcontrollers."""

from __future__ import annotations

import os
import re
import tempfile
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from effviz.count.microcontroller.operators import Constant, Operator, OperatorGraph
from effviz.model.layers import Shape, pair

_OPTIONS = {
    "CONV_2D": "Conv2D", "DEPTHWISE_CONV_2D": "DepthwiseConv2D", "FULLY_CONNECTED": "FullyConnected", "ADD": "Add",
    "MUL": "Mul", "MAX_POOL_2D": "Pool2D", "AVERAGE_POOL_2D": "Pool2D", "MEAN": "Reducer", "SPLIT": "Split",
    "CONCATENATION": "Concatenation", "STRIDED_SLICE": "StridedSlice", "RESHAPE": "Reshape", "TRANSPOSE": "Transpose",
    "GATHER": "Gather", "PAD": "Pad", "PADV2": "PadV2", "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighbor",
    "LEAKY_RELU": "LeakyRelu",
}  # fmt: skip
# The scale and zero point that the runtime requires of an output.
_RANGES = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
_ARENA = 300_000_000


def last_channels(shape: Shape) -> list[int]:
    """Return the shape of a batch of one in the order of TensorFlow."""
    return [1, *shape[1:], shape[0]] if len(shape) == 3 else [1, *shape]


class _Writer:
    def __init__(self, graph: OperatorGraph, weights: dict[str, dict[str, Any]] | None) -> None:
        self.graph, self.weights = graph, weights
        self.kind = "int8" if weights is None else "float32"
        self.buffers = [schema.BufferT()]
        self.codes: dict[str, Any] = {}
        self.subgraph = schema.SubGraphT(name="main", tensors=[], operators=[])

    def file(self) -> bytes:
        graph = self.graph
        for number, shape in enumerate(graph.shapes):
            writer = graph.operators[graph.writers[number]].code if number in graph.writers else ""
            scale, zero = _RANGES.get(writer, (0.05, 0))
            self._tensor(f"tensor{number}", last_channels(shape), self.kind, 0, self._quantized(1, scale, zero))
        for operator in graph.operators:
            self._operator(operator)
        self.subgraph.inputs = np.array([0], "int32")
        self.subgraph.outputs = np.array([graph.output], "int32")
        model = schema.ModelT(
            version=3, description="effviz", buffers=self.buffers, operatorCodes=list(self.codes.values()),
            subgraphs=[self.subgraph],
        )  # fmt: skip
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _quantized(self, channels: int, scale: float, zero: int = 0) -> Any:
        if self.kind != "int8":
            return None
        scales, zeros = np.full(channels, scale, "float32"), np.full(channels, zero, "int64")
        return schema.QuantizationParametersT(scale=scales, zeroPoint=zeros)

    def _tensor(self, name: str, shape: Any, kind: str, buffer: int, quantized: Any) -> int:
        self.subgraph.tensors.append(
            schema.TensorT(
                name=name, shape=np.array(shape, "int32"), type=getattr(schema.TensorType, kind.upper()),
                buffer=buffer, quantization=quantized,
            )
        )  # fmt: skip
        return len(self.subgraph.tensors) - 1

    def _constant(self, operator: Operator, constant: Constant) -> int:
        kind = constant.dtype if constant.values is not None or not constant.channels else self.kind
        if constant.dtype == "int32" and self.kind == "int8":
            kind = "int32"
        if constant.values is not None:
            array = np.array(constant.values)
        elif self.weights is not None:
            array = self.weights[operator.path][constant.name]
        else:
            array = np.ones(constant.shape)
        self.buffers.append(schema.BufferT(data=np.frombuffer(array.astype(kind).tobytes(), "uint8")))
        quantized = None
        if constant.channels:
            quantized = self._quantized(constant.channels, 0.0025 if constant.dtype == "int32" else 0.05)
            if quantized is not None and operator.code == "DEPTHWISE_CONV_2D" and constant.name == "filter":
                quantized.quantizedDimension = 3
        return self._tensor(f"{operator.path}/{constant.name}", constant.shape, kind, len(self.buffers) - 1, quantized)

    def _operator(self, operator: Operator) -> None:
        constants = [self._constant(operator, each) for each in operator.constants]
        builtin = getattr(schema.BuiltinOperator, operator.code)
        if operator.code not in self.codes:
            self.codes[operator.code] = schema.OperatorCodeT(
                builtinCode=builtin, deprecatedBuiltinCode=min(builtin, 127)
            )
        inputs = [*constants, *operator.inputs] if operator.code == "SPLIT" else [*operator.inputs, *constants]
        made = schema.OperatorT(
            opcodeIndex=list(self.codes).index(operator.code), inputs=np.array(inputs, "int32"),
            outputs=np.array(operator.outputs, "int32"),
        )  # fmt: skip
        if name := _OPTIONS.get(operator.code):
            made.builtinOptionsType = getattr(schema.BuiltinOptions, f"{name}Options")
            made.builtinOptions = self._options(operator, getattr(schema, f"{name}OptionsT")())
        self.subgraph.operators.append(made)

    def _options(self, operator: Operator, options: Any) -> Any:
        layer: Any = operator.layer
        source, output = self.graph.shapes[operator.inputs[0]], self.graph.shapes[operator.outputs[0]]
        if hasattr(options, "fusedActivationFunction"):
            options.fusedActivationFunction = getattr(schema.ActivationFunctionType, operator.activation)
        if hasattr(options, "padding"):
            options.padding = getattr(schema.Padding, operator.padding)
            if hasattr(layer, "output_size"):
                window = strides = tuple(side // target for side, target in zip(source[1:], output[1:], strict=True))
            else:
                window = pair(layer.kernel_size)
                strides = window if layer.stride is None else pair(layer.stride)
            options.strideH, options.strideW = strides
            if hasattr(options, "filterHeight"):
                options.filterHeight, options.filterWidth = window
            else:
                options.dilationHFactor, options.dilationWFactor = pair(layer.dilation)
        if hasattr(options, "depthMultiplier"):
            options.depthMultiplier = output[0] // source[0]
        if hasattr(options, "keepDims"):
            options.keepDims = len(output) == 3
        if hasattr(options, "axis"):
            options.axis = len(last_channels(output)) - 1
        if hasattr(options, "numSplits"):
            options.numSplits = len(operator.outputs)
        if hasattr(options, "alpha"):
            options.alpha = 0.01
        return options


def tflite_file(graph: OperatorGraph, weights: dict[str, dict[str, Any]] | None = None) -> bytes:
    """Return the file of a graph: int8 with arbitrary numbers, or float32 with `weights` by path and name."""
    return _Writer(graph, weights).file()


def outputs(file: bytes, image: Any) -> Any:
    """Run a file for one image in TensorFlow Lite for Microcontrollers."""
    interpreter = runtime.Interpreter.from_bytes(file, arena_size=_ARENA)
    interpreter.set_input(image, 0)
    interpreter.invoke()
    return interpreter.get_output(0)


def recorded(file: bytes, shape: Shape) -> tuple[int, int]:
    """Return the bytes that the recording allocator of the runtime counts for tensors and for its own data."""
    interpreter = runtime.Interpreter.from_bytes(file, arena_size=_ARENA)
    interpreter.set_input(np.zeros(last_channels(shape), "int8"), 0)
    interpreter.invoke()
    with tempfile.TemporaryFile() as printed:
        before = os.dup(2)
        os.dup2(printed.fileno(), 2)
        try:
            interpreter.print_allocations()
        finally:
            os.dup2(before, 2)
            os.close(before)
        printed.seek(0)
        text = printed.read().decode()
    head, tail = (int(found) for found in re.findall(r"Arena allocation (?:head|tail) (\d+) bytes", text))
    return head, tail
