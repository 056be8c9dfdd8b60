"""Sums over one block for a map of any size, without tracing it anew for each.

What a block is made of does not depend on the size of its map, and few of its layers change that size: a stride, a
pooling, a gate. So a block is traced once; for another size only those layers are asked again, and what is counted per
pixel is multiplied by the pixels. A network at another resolution then costs microseconds a block.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from effviz import cost
from effviz.errors import DesignError
from effviz.layers import (
    Activation,
    BatchNorm2d,
    Branches,
    ChannelShuffle,
    Conv2d,
    Dropout,
    Identity,
    Layer,
    Primitive,
    Shape,
    Slice,
    StochasticDepth,
    pair,
)
from effviz.trace import trace_block

KEEP_THE_SIZE = (Activation, BatchNorm2d, ChannelShuffle, Dropout, Identity, Slice, StochasticDepth)
"""Primitives that put out a map of the size they are given."""

ANY_SIDE = 512
"""Side of the map for which a block is traced; any would do that the block can take."""


class Counts(NamedTuple):
    """Sums over the layers of one block.

    Attributes:
        params, macs, activations: as in `effviz.cost`.
        leaving: shape of the output.
    """

    params: int
    macs: int
    activations: int
    leaving: Shape


class _Resize(NamedTuple):
    """A step that may put out another size than it is given: its layer, and the channels and sizes that it reads."""

    layer: Primitive | Branches
    channels: tuple[int, ...]
    sizes: tuple[int, ...]

    def leaving(self, sides: list[Shape]) -> Shape:
        """Height and width of the output."""
        inputs = [(channels, *sides[size]) for channels, size in zip(self.channels, self.sizes, strict=True)]
        return (self.layer.merged(inputs) if isinstance(self.layer, Branches) else self.layer.out_shape(inputs[0]))[1:]


class _Outline(NamedTuple):
    """A block without its sizes. Those are numbered: 0 is the input's, each of `resizes` adds the next one.

    Attributes:
        params: of the block.
        resizes: in execution order.
        per_pixel: multiply-adds and activations for one pixel, of every size.
        channels, size: of the output.
    """

    params: int
    resizes: tuple[_Resize, ...]
    per_pixel: tuple[tuple[int, int], ...]
    channels: int
    size: int


@lru_cache(maxsize=32_768)
def counts(block: Layer, shape: Shape) -> Counts:
    """The sums of `block` for an input of `shape`.

    Raises:
        DesignError: a layer cannot take what reaches it; the message starts with its path in the block.
    """
    outline = _outline(block, shape[0]) if len(shape) == 3 else None
    if outline is None:
        return _traced(block, shape)
    sides = [shape[1:]]
    try:
        for resize in outline.resizes:
            sides.append(resize.leaving(sides))
    except DesignError:
        # The same fault again, with the path.
        return _traced(block, shape)
    macs = activations = 0
    for (height, width), (multiplied, put_out) in zip(sides, outline.per_pixel, strict=True):
        macs += height * width * multiplied
        activations += height * width * put_out
    return Counts(outline.params, macs, activations, (outline.channels, *sides[outline.size]))


def _traced(block: Layer, shape: Shape) -> Counts:
    trace = trace_block(block, shape)
    return Counts(
        params=sum(cost.params(step.layer) for step in trace.steps),
        macs=sum(cost.macs(step.layer, step.output.shape) for step in trace.steps),
        activations=sum(cost.activations(step.layer, step.output.shape) for step in trace.steps),
        leaving=trace.output.shape,
    )


@lru_cache(maxsize=16_384)
def _outline(block: Layer, channels: int) -> _Outline | None:
    """The outline of a block for an input of so many channels; None where sizes decide more than pixels."""
    shape: Shape = (channels, ANY_SIDE, ANY_SIDE)
    try:
        steps = trace_block.__wrapped__(block, shape).steps
    except DesignError:
        return None
    params, resizes, per_pixel = 0, [], [[0, 0]]
    # Of every storage, the number of its size: a view has the size of what it looks at, here without exception.
    size_of = {0: 0}
    size = 0
    for step in steps:
        layer, shape = step.layer, step.output.shape
        if len(shape) != 3:
            return None
        sizes = tuple(size_of[tensor.storage] for tensor in step.inputs)
        size = sizes[0]
        if not _keeps(layer, sizes):
            resizes.append(_Resize(layer, tuple(tensor.shape[0] for tensor in step.inputs), sizes))
            size = len(resizes)
            per_pixel.append([0, 0])
        size_of[step.output.storage] = size
        pixel = (shape[0], 1, 1)
        params += cost.params(layer)
        per_pixel[size][0] += cost.macs(layer, pixel)
        per_pixel[size][1] += cost.activations(layer, pixel)
    return _Outline(params, tuple(resizes), tuple((macs, put_out) for macs, put_out in per_pixel), shape[0], size)


def _keeps(layer: Primitive | Branches, sizes: tuple[int, ...]) -> bool:
    """Whether a step puts out the size that it is given, whatever that is."""
    if isinstance(layer, Branches):
        return len(set(sizes)) == 1
    if isinstance(layer, Conv2d):
        sides = zip(*map(pair, (layer.kernel_size, layer.stride, layer.padding, layer.dilation)), strict=True)
        return all(
            stride == 1 and 2 * padding == dilation * (kernel - 1) for kernel, stride, padding, dilation in sides
        )
    return isinstance(layer, KEEP_THE_SIZE)
