"""The receptive field: how many pixels of the input one pixel of a map depends on, exactly.

Followed backwards from one pixel: a window takes a span of pixels to the span that it reads, branches join theirs. The
input is thought of as going on beyond its border, as the receptive field is usually defined (Araujo et al. 2019,
distill.pub/2019/computing-receptive-fields). A gate that weighs whole channels, as in squeeze-and-excitation, carries
no detail from one place to another and is left out; a pooling over the whole map ends the question, as every pixel
behind it depends on all.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import TypeAlias

from effviz.advice.lint.network import image, pixels
from effviz.core.errors import UncountedLayerError
from effviz.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    ChannelShuffle,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Layer,
    Linear,
    MaxPool2d,
    Shape,
    Slice,
    StochasticDepth,
    pair,
)
from effviz.model.trace import Step, Tensor

Span: TypeAlias = tuple[int, int]
"""First and last row, or column, of pixels."""

PIXEL_BY_PIXEL: tuple[type[Layer], ...] = (
    Activation,
    BatchNorm2d,
    Branches,
    ChannelShuffle,
    Dropout,
    Identity,
    Slice,
    StochasticDepth,
)
WHOLE_MAP: tuple[type[Layer], ...] = (Flatten, GlobalAvgPool, Linear)


@singledispatch
def reads(layer: Layer, span: Span, axis: int, entering: Shape) -> Span:
    """Rows (axis 0) or columns (axis 1) of its input that `layer` reads for a span of its output."""
    raise UncountedLayerError(f"{type(layer).__name__} has no rule for the receptive field")


@reads.register
def _(layer: Conv2d, span: Span, axis: int, entering: Shape) -> Span:
    return _window(span, *(pair(each)[axis] for each in _sides(layer, layer.dilation)))


@reads.register
def _(layer: MaxPool2d, span: Span, axis: int, entering: Shape) -> Span:
    return _window(span, *(pair(each)[axis] for each in _sides(layer, layer.dilation)))


@reads.register
def _(layer: AvgPool2d, span: Span, axis: int, entering: Shape) -> Span:
    return _window(span, *(pair(each)[axis] for each in _sides(layer, 1)))


@reads.register
def _(layer: AdaptiveAvgPool2d, span: Span, axis: int, entering: Shape) -> Span:
    size, windows = image(entering)[axis], pair(layer.output_size)[axis]
    return span[0] * size // windows, -(-(span[1] + 1) * size // windows) - 1


def _sides(layer: Conv2d | MaxPool2d | AvgPool2d, dilation: int | tuple[int, int]) -> tuple[int | tuple[int, int], ...]:
    stride = layer.kernel_size if layer.stride is None else layer.stride
    return layer.kernel_size, stride, layer.padding, dilation


def _window(span: Span, kernel: int, stride: int, padding: int, dilation: int) -> Span:
    return span[0] * stride - padding, span[1] * stride - padding + dilation * (kernel - 1)


def _same(layer: Layer, span: Span, axis: int, entering: Shape) -> Span:
    return span


def _all(layer: Layer, span: Span, axis: int, entering: Shape) -> Span:
    return 0, image(entering)[axis] - 1


for _kind in PIXEL_BY_PIXEL:
    reads.register(_kind, _same)
for _kind in WHOLE_MAP:
    reads.register(_kind, _all)


def carries_detail(step: Step) -> tuple[Tensor, ...]:
    """The inputs of a step that its output depends on place by place: all but gates of one pixel."""
    if isinstance(step.layer, Branches) and step.layer.merge == "mul":
        return tuple(each for each in step.inputs if pixels(each.shape) == pixels(step.output.shape))
    return step.inputs


def averaged_map(steps: Sequence[Step]) -> Tensor | None:
    """The last map before the average over all pixels; None without such an average.

    A matrix product over a flattened map has no average before it. It relates places to one another, as a convolution
    with a window of the size of the map does, and the receptive field of the map before limits nothing.
    """
    if not steps:
        return None
    wanted = {steps[-1].output.storage}
    found: Tensor | None = None
    for step in reversed(steps):
        if step.output.storage not in wanted:
            continue
        inputs = carries_detail(step)
        if not step.is_view:
            wanted |= {each.storage for each in inputs}
        if isinstance(step.layer, (GlobalAvgPool, AdaptiveAvgPool2d)) and pixels(step.output.shape) == 1:
            found = inputs[0]
    return found


def receptive_field(steps: Sequence[Step], target: Tensor) -> tuple[int, int]:
    """Height and width of what one pixel of `target` depends on, in pixels of the input.

    Args:
        steps: a trace of a network.
        target: the output of one of the steps, or the input.
    """
    high, wide = image(target.shape)
    rows: dict[int, Span] = {target.storage: (high // 2, high // 2)}
    columns: dict[int, Span] = {target.storage: (wide // 2, wide // 2)}
    end = max((index for index, step in enumerate(steps) if step.output == target), default=-1)
    for step in reversed(steps[: end + 1]):
        storage = step.output.storage
        if storage not in rows or step.is_view:
            continue
        for tensor in carries_detail(step):
            for axis, spans in enumerate((rows, columns)):
                first, last = reads(step.layer, spans[storage], axis, tensor.shape)
                known = spans.get(tensor.storage, (first, last))
                spans[tensor.storage] = (min(first, known[0]), max(last, known[1]))
    (top, bottom), (left, right) = rows.get(0, (0, 0)), columns.get(0, (0, 0))
    return bottom - top + 1, right - left + 1
