"""Bytes of a network in flash: a file of TensorFlow Lite, and the code that runs it."""

from dataclasses import dataclass
from math import prod

from effviz.count.microcontroller.operators import Constant, OperatorGraph

_BYTES = {"int8": 1, "int32": 4}
_CHANNEL = 4 + 8
"""A scale in 32 bits and a zero point in 64 bits."""
_TENSOR = 130
"""Description of a tensor with its name, and its share of the operators: measured, 124 to 135 in eight networks."""
_CORE, _KERNEL = 16 * 1024, 5 * 1024
"""The interpreter as stated in its documentation, and an assumption about each kind of operator."""


@dataclass(frozen=True)
class Flash:
    """Bytes in flash by purpose.

    Attributes:
        weights: of int8, and constants such as sizes and axes.
        biases: of int32.
        quantization: a scale and a zero point for each output channel of a convolution, once for its weights and once
            for its biases.
        structure: shapes, names and order of tensors and operators; an estimate.
        code: interpreter and kernels; an assumption.
    """

    weights: int
    biases: int
    quantization: int
    structure: int
    code: int

    @property
    def file(self) -> int:
        """Bytes of the file."""
        return self.weights + self.biases + self.quantization + self.structure

    @property
    def total(self) -> int:
        """Bytes of the file and the code."""
        return self.file + self.code


def flash(graph: OperatorGraph, code: int | None = None) -> Flash:
    """Count the bytes of a network in flash; `code` None assumes 16 KiB and 5 KiB for each kind of operator."""
    constants = [each for operator in graph.operators for each in operator.constants]
    biases = sum(map(_size, (each for each in constants if each.name == "bias")))
    return Flash(
        weights=sum(map(_size, constants)) - biases,
        biases=biases,
        quantization=_CHANNEL * sum(each.channels for each in constants),
        structure=_TENSOR * (len(graph.shapes) + len(constants)),
        code=_CORE + _KERNEL * len({each.code for each in graph.operators}) if code is None else code,
    )


def _size(constant: Constant) -> int:
    return _BYTES[constant.dtype] * prod(constant.shape)
