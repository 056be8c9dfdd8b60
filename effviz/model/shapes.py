"""Output shapes of a block for maps of any size, from one trace.

The structure of a block does not depend on the size of its map. Few layers change that size: strided ones, pooling and
gates. A block is therefore traced once per number of input channels. Another map size needs only those layers.
"""

from dataclasses import dataclass
from typing import NamedTuple

from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.model.layers import Branches, Conv2d, Layer, Primitive, Shape, pair
from effviz.model.trace import TraceStep, trace_block

_STEP_BYTES = 1_000
_ANY_SIDE = 512
"""Side of the map in the trace. Any side that the block accepts would do."""


class SizedStep(NamedTuple):
    """One step of a block."""

    step: TraceStep  # in the trace; its map sizes are those of the traced size
    inputs: tuple[int, ...]  # number of the map size of each input
    size: int  # number of the output's map size

    @property
    def layer(self) -> Primitive | Branches:
        """The layer, or the container of a merge."""
        return self.step.layer

    @property
    def channels(self) -> int:
        """Channels of the output."""
        return self.step.output.shape[0]


class Resize(NamedTuple):
    """A step whose output size may differ from its input size, and channels and map size of each input."""

    layer: Primitive | Branches
    inputs: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SizedBlock:
    """A block with numbered map sizes: 0 is the input's, and each of `resizes` adds the next one."""

    steps: tuple[SizedStep, ...]
    resizes: tuple[Resize, ...]

    def __sizeof__(self) -> int:
        """Return about the bytes of the block with its steps, for caches."""
        return _STEP_BYTES * len(self.steps)


@remembered
def sized_block(block: Layer, in_channels: int) -> SizedBlock | None:
    """Trace a block for maps with `in_channels`; None if its output is not a map or it rejects the traced size."""
    shape: Shape = (in_channels, _ANY_SIDE, _ANY_SIDE)
    try:
        steps = trace_block.__wrapped__(block, shape).steps
    except DesignError:
        return None
    resizes: list[Resize] = []
    sized: list[SizedStep] = []
    # A view shares the storage of its input, and subsampling is a view with another size.
    size_of = {(0, shape[1:]): 0}
    for step in steps:
        _, layer, _, inputs, output, like = step
        if len(output.shape) != 3:
            return None
        sizes = tuple([size_of[tensor.storage, tensor.shape[1:]] for tensor in inputs])
        size = sizes[0]
        if like is not None:
            size = size_of[like.storage, like.shape[1:]]
        elif not _keeps_size(layer, sizes):
            channels = (tensor.shape[0] for tensor in inputs)
            resizes.append(Resize(layer, tuple(zip(channels, sizes, strict=True))))
            size = len(resizes)
        size_of[output.storage, output.shape[1:]] = size
        sized.append(SizedStep(step, sizes, size))
    return SizedBlock(tuple(sized), tuple(resizes)) if sized else None


@remembered
def map_sizes(block: Layer, shape: Shape) -> tuple[Shape, ...] | None:
    """Compute each map size of `sized_block`; None if the block has to be traced.

    A block that rejects `shape` also has to be traced, because the trace raises the error with the path of the layer.
    """
    sized = sized_block(block, shape[0]) if len(shape) == 3 else None
    if sized is None:
        return None
    sizes = [shape[1:]]
    try:
        for layer, inputs in sized.resizes:
            shapes = [(channels, *sizes[size]) for channels, size in inputs]
            after = layer.merged(shapes) if isinstance(layer, Branches) else layer.out_shape(shapes[0])
            sizes.append(after[1:])
    except DesignError:
        return None
    return tuple(sizes)


def outline(block: Layer, shape: Shape) -> tuple[Shape, int]:
    """Compute the output shape of `block` and its number of layers; raises as `effviz.model.trace.trace`."""
    sizes, sized = map_sizes(block, shape), sized_block(block, shape[0])
    if sizes is None or sized is None:
        trace = trace_block(block, shape)
        return trace.output.shape, len(trace.steps)
    last = sized.steps[-1]
    return (last.channels, *sizes[last.size]), len(sized.steps)


def out_shape(block: Layer, shape: Shape) -> Shape:
    """Compute the output shape of `block` for an input of `shape`; raises as `effviz.model.trace.trace`."""
    return outline(block, shape)[0]


def _keeps_size(layer: Primitive | Branches, sizes: tuple[int, ...]) -> bool:
    """Whether the output of a step has the size of its input for any input size."""
    if layer.keeps_size:
        return True
    if isinstance(layer, Branches):
        return len(set(sizes)) == 1
    if isinstance(layer, Conv2d):
        if layer.kernel_size == layer.stride == 1 and not layer.padding:
            return True
        sides = zip(*map(pair, (layer.kernel_size, layer.stride, layer.padding, layer.dilation)), strict=True)
        return all(
            stride == 1 and 2 * padding == dilation * (kernel - 1) for kernel, stride, padding, dilation in sides
        )
    return False
