"""The receptive field: the exact number of input pixels that one pixel of a map depends on, and the rule about it.

The spans of pixels are followed backwards from one pixel. A window maps a span to the span it reads, and branches join
theirs. The input is assumed to continue beyond its border, as usual for receptive fields (Araujo et al. 2019,
distill.pub/2019/computing-receptive-fields). A gate that weighs whole channels, as in squeeze-and-excitation, carries
no spatial detail and is left out. A pooling over the whole map ends the search, because all later pixels depend on the
whole image.
"""

from collections.abc import Iterator, Sequence
from functools import singledispatch
from typing import TypeAlias

from effviz.advice.lint.faults import WINDOWS, Window, sides
from effviz.advice.lint.findings import Finding, Proposal, Rule
from effviz.advice.lint.network import BuiltNetwork, BuiltRow, image, pixels
from effviz.core.errors import UncountedLayerError
from effviz.core.resolution import sides as resolution_sides
from effviz.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Branches,
    ChannelSelect,
    ChannelShuffle,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Layer,
    LayerNorm2d,
    LayerScale,
    Linear,
    Shape,
    Slice,
    StochasticDepth,
    Subsample,
    ZeroPadChannels,
    pair,
)
from effviz.model.trace import Tensor, TraceStep

Span: TypeAlias = tuple[int, int]
"""First and last row, or column, of pixels."""

LARGEST_KERNEL = 7
"""Pixels. Larger kernels are rare, and costly unless they are depthwise."""

COSTLY = 0.25
"""The share by which a larger kernel may increase the multiply-adds or parameters."""


@singledispatch
def reads(layer: Layer, span: Span, axis: int, input_shape: Shape) -> Span:
    """Return the rows (axis 0) or columns (axis 1) of its input that `layer` reads for a span of its output."""
    raise UncountedLayerError(f"{type(layer).__name__} has no rule for the receptive field")


@reads.register
def _(layer: AdaptiveAvgPool2d, span: Span, axis: int, input_shape: Shape) -> Span:
    size, windows = image(input_shape)[axis], pair(layer.output_size)[axis]
    return span[0] * size // windows, -(-(span[1] + 1) * size // windows) - 1


@reads.register
def _(layer: Subsample, span: Span, axis: int, input_shape: Shape) -> Span:
    return span[0] * layer.stride, span[1] * layer.stride


def _window(layer: Window, span: Span, axis: int, input_shape: Shape) -> Span:
    kernel, stride, padding, dilation = sides(layer, axis)
    return span[0] * stride - padding, span[1] * stride - padding + dilation * (kernel - 1)


def _same(layer: Layer, span: Span, axis: int, input_shape: Shape) -> Span:
    return span


def _all(layer: Layer, span: Span, axis: int, input_shape: Shape) -> Span:
    return 0, image(input_shape)[axis] - 1


_PER_PIXEL: tuple[type[Layer], ...] = (
    Activation, BatchNorm2d, Branches, ChannelSelect, ChannelShuffle, Dropout, Identity, LayerNorm2d, LayerScale, Slice,
    StochasticDepth, ZeroPadChannels,
)  # fmt: skip
_WHOLE_MAP: tuple[type[Layer], ...] = (Flatten, GlobalAvgPool, Linear)
for _kinds, _reads in ((WINDOWS, _window), (_PER_PIXEL, _same), (_WHOLE_MAP, _all)):
    for _kind in _kinds:
        reads.register(_kind, _reads)


def _resized(step: TraceStep, span: Span, axis: int) -> Span | None:
    """Return what a resizing merge reads: the nearest pixels; None for other steps."""
    if step.like is None:
        return None
    size, resized = image(step.inputs[0].shape)[axis], image(step.output.shape)[axis]
    return span[0] * size // resized, span[1] * size // resized


def carries_detail(step: TraceStep) -> tuple[Tensor, ...]:
    """Return the inputs of a step that carry spatial detail: all except gates of one pixel."""
    if isinstance(step.layer, Branches) and step.layer.merge == "mul":
        return tuple(each for each in step.inputs if pixels(each.shape) == pixels(step.output.shape))
    return step.inputs


def averaged_map(steps: Sequence[TraceStep]) -> Tensor | None:
    """Return the last map before the average over all pixels; None without such an average.

    A linear layer over a flattened map needs no average. Like a convolution with a kernel of the size of the map, it
    relates all positions, so the receptive field of that map limits nothing.
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


def receptive_field(steps: Sequence[TraceStep], target: Tensor) -> tuple[int, int]:
    """Return height and width of the region that one pixel of `target` depends on, in pixels of the input.

    The target is the output of one of the steps of a trace, or the input.
    """
    high, wide = image(target.shape)
    # A view has the pixels of its storage, unless it leaves some out.
    sparse = {step.output for step in steps if isinstance(step.layer, Subsample) and step.output not in step.inputs}

    def pixels_of(tensor: Tensor) -> Tensor | int:
        return tensor if tensor in sparse else tensor.storage

    rows: dict[Tensor | int, Span] = {pixels_of(target): (high // 2, high // 2)}
    columns: dict[Tensor | int, Span] = {pixels_of(target): (wide // 2, wide // 2)}
    end = max((index for index, step in enumerate(steps) if step.output == target), default=-1)
    for step in reversed(steps[: end + 1]):
        written = pixels_of(step.output)
        if written not in rows or (step.is_view and step.output not in sparse):
            continue
        for tensor in carries_detail(step):
            for axis, spans in enumerate((rows, columns)):
                first, last = _resized(step, spans[written], axis) or reads(
                    step.layer, spans[written], axis, tensor.shape
                )
                known = spans.get(pixels_of(tensor), (first, last))
                spans[pixels_of(tensor)] = (min(first, known[0]), max(last, known[1]))
    (top, bottom), (left, right) = rows.get(0, (0, 0)), columns.get(0, (0, 0))
    return bottom - top + 1, right - left + 1


def _small_field(network: BuiltNetwork) -> Iterator[Finding]:
    target = averaged_map(network.steps)
    if target is None:
        return
    high, wide = receptive_field(network.steps, target)
    high_input, wide_input = resolution_sides(network.resolution)
    seen = min(high / high_input, wide / wide_input)
    if seen >= 1:
        return
    last = next(layer for step, layer in zip(network.steps, network.layers, strict=True) if target in step.inputs)
    rows, columns = image(target.shape)
    yield Finding(
        "receptive_field",
        None,
        last.path,
        "the whole network",
        f"A pixel of the last map ({rows} × {columns}) depends on {high} × {wide} of the {high_input} × {wide_input} "
        "input pixels. Features further apart meet only in global pooling, which discards position.",
        1 - seen,
    )


def _may_narrow(before: BuiltNetwork, after: BuiltNetwork) -> bool:
    """Whether other rows with the same output may narrow the receptive field: other strides, or a smaller own field."""
    strides, fields = [], []
    for network in (before, after):
        layers = (step.layer for step in network.steps)
        strides.append([[sides(layer, axis)[1] for axis in (0, 1)] for layer in layers if isinstance(layer, WINDOWS)])
        fields.append(receptive_field(network.steps, network.steps[-1].output) if network.steps else (1, 1))
    moved = [[each for each in found if each != [1, 1]] for found in strides]
    return moved[0] != moved[1] or any(now > then for now, then in zip(*fields, strict=True))


def _larger_kernels(first: BuiltRow) -> Iterator[Proposal]:
    for more in (2, 4):
        # A larger kernel in the first row costs the most, and no earlier stride multiplies its reach.
        for index in list(first.network.rows)[:0:-1]:
            row = first.network.row(index)
            size = row.fields.get("kernel_size", 0)
            if size % 2 and size + more <= LARGEST_KERNEL and row.stage.block not in ("max_pool", "avg_pool"):
                yield row.kernel(size + more, rise=COSTLY)


RULES = (
    Rule(
        "receptive_field", "Receptive field smaller than the input",
        "Let every pixel of the last map depend on the whole image: add layers, enlarge kernels or move strides "
        "earlier.",
        "Araujo et al. 2019, Computing receptive fields, distill.pub/2019/computing-receptive-fields",
        "Another layer, a larger kernel or an earlier stride would fix this.",
        _small_field, _larger_kernels, is_whole=True, is_fault=True, may_break=_may_narrow,
    ),
)  # fmt: skip
