"""Scratch memory of the kernels that run an operator, in bytes.

A scratch buffer is needed while one operator runs. The kernels of TensorFlow Lite for Microcontrollers are portable C++
without optimization. CMSIS-NN replaces those of convolutions, pooling and linear layers on Arm cores. Its convolutions
copy the inputs of a few output pixels into a matrix first (im2col).

Source: ARM-software/CMSIS-NN of March 2026, `arm_convolve_get_buffer_sizes_s8.c` and the files of the same name for
depthwise convolutions, average pooling and linear layers, compiled with GCC.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from effviz.count.microcontroller.operators import Operator
from effviz.model.layers import Shape, pair

_LANES = 16
"""Elements in a vector register of Helium (MVE)."""
_DEPTHWISE_BLOCK = 124
"""Channels that the depthwise kernel for Helium processes at once."""


@dataclass(frozen=True)
class Kernels:
    """A library of kernels.

    Attributes:
        label: on screen.
        help: the processors that it runs on, for pages and the command line.
        scratch: bytes of an operator beyond those of the portable kernels, for its first input and output.
    """

    label: str
    help: str
    scratch: Callable[[Operator, Shape, Shape], int]


def _none(operator: Operator, source: Shape, output: Shape) -> int:
    return 0


def _window(operator: Operator) -> int:
    """Return the pixels of the filter of a convolution."""
    _, high, wide, _ = operator.constants[0].shape
    return high * wide


def _is_pointwise(operator: Operator, source: Shape) -> bool:
    """Return whether CMSIS-NN runs a convolution as a product of matrices, without a copy."""
    grouped = operator.constants[0].shape[3] != source[0]
    return _window(operator) == 1 and not grouped


def _is_plain_depthwise(operator: Operator, source: Shape, output: Shape) -> bool:
    return source[0] == output[0] and pair(getattr(operator.layer, "dilation", 1)) == (1, 1)


def _dsp(operator: Operator, source: Shape, output: Shape) -> int:
    if operator.code == "CONV_2D" and not _is_pointwise(operator, source):
        # Two columns of 16-bit numbers, each padded to a multiple of four.
        return 2 * 2 * (-(-_window(operator) * source[0] // 4) * 4)
    if operator.code == "DEPTHWISE_CONV_2D" and _is_plain_depthwise(operator, source, output):
        return 0 if operator.constants[0].shape[1:3] == (3, 3) else 2 * source[0] * _window(operator)
    return 4 * source[0] if operator.code == "AVERAGE_POOL_2D" else 0


def _mve(operator: Operator, source: Shape, output: Shape) -> int:
    if operator.code == "CONV_2D" and not _is_pointwise(operator, source):
        # Four columns of 8-bit numbers, each padded to whole registers.
        return 4 * (-(-_window(operator) * source[0] // _LANES) * _LANES)
    if operator.code == "DEPTHWISE_CONV_2D" and _is_plain_depthwise(operator, source, output):
        return 4 * _DEPTHWISE_BLOCK * _window(operator)
    return 4 * output[0] if operator.code == "FULLY_CONNECTED" else 0


KERNELS = {
    "reference": Kernels("Portable", "every processor", _none),
    "cmsis_nn_dsp": Kernels("CMSIS-NN, DSP", "Cortex-M4, M7, M33", _dsp),
    "cmsis_nn_mve": Kernels("CMSIS-NN, Helium", "Cortex-M55, M85", _mve),
}
"""The kernel libraries by their name in `effviz.microcontroller` and in links."""


def scratch(operator: Operator, shapes: list[Shape], kernels: Kernels) -> list[int]:
    """Return the bytes of the scratch buffers that an operator needs."""
    source, output = shapes[operator.inputs[0]], shapes[operator.outputs[0]]
    if operator.code == "MEAN":
        # With every library: a counter per dimension, the axes, and 32-bit sums.
        return [4 * (1 + len(source)), 4 * operator.constants[0].shape[0], 4 * prod(output)]
    size = kernels.scratch(operator, source, output)
    return [size] if size else []
