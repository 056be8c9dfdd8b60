"""The trace of a network: a flat list of steps in execution order.

This file contains the only recursion over the layers of a network. A step has a path and the tensors that it reads and
writes. A view shares the storage of its input, so memory can be counted without running the network.
"""

from collections.abc import Sequence
from typing import NamedTuple

from effviz.core.caches import remembered
from effviz.core.errors import DesignError, UncountedLayerError
from effviz.model import layers
from effviz.model.layers import RESIZE, Block, Branches, Layer, Primitive, Sequential, Shape, check_shape, elements


class Tensor(NamedTuple):
    """A tensor between two layers, one image."""

    storage: int  # number of the step that wrote it, from 1; 0 is the input of the trace
    shape: Shape  # without the batch
    first: int = 0  # of a part of the channels: the channel of the storage with which it begins


class TraceStep(NamedTuple):
    """One executed layer."""

    path: str  # name in module.named_modules() of the built module
    layer: Primitive | Branches  # the latter for a merge
    blocks: tuple[str, ...]  # class names of the blocks around it, outermost first
    inputs: tuple[Tensor, ...]  # the tensors that it reads
    output: Tensor  # the tensor that it writes; a view has the storage of its input
    like: Tensor | None = None  # of a resizing merge: the tensor whose height and width the output has; it is not read

    @property
    def is_view(self) -> bool:
        """Whether the step moves no data."""
        return self.layer.is_view


def join(prefix: str, name: str) -> str:
    """Join two parts of a path with a dot; either may be empty."""
    return f"{prefix}.{name}" if prefix and name else prefix or name


@remembered
def _expanded(block: Block) -> Layer:
    return block.expand()


def _parts(layer: Branches, tensor: Tensor) -> list[Tensor]:
    """Return the input of each branch: the whole tensor or its share."""
    shape = layer.shares(tensor.shape)
    width = shape[0] if layer.split else 0
    return [Tensor(tensor.storage, shape, tensor.first + place * width) for place in range(len(layer.branches))]


def _walk(layer: Layer, path: str, tensor: Tensor, blocks: tuple[str, ...], steps: list[TraceStep]) -> Tensor:
    """Append the steps of `layer` to `steps` and return its output."""
    if isinstance(layer, Sequential):
        prefix = f"{path}." if path else ""
        for name, child in layer.children:
            tensor = _walk(child, prefix + name, tensor, blocks, steps)
        return tensor
    if not isinstance(layer, (Primitive, Branches)):
        if not isinstance(layer, Block):
            raise UncountedLayerError(f"{type(layer).__name__} is neither primitive, container nor block", path=path)
        try:
            expanded = _expanded(layer)
        except DesignError as error:
            raise error.at(path) from None
        return _walk(expanded, path, tensor, (*blocks, type(layer).__name__), steps)
    inputs: tuple[Tensor, ...] = (tensor,)
    like: Tensor | None = None
    try:
        if isinstance(layer, Primitive):
            shape = layer.out_shape(tensor.shape)
        else:
            inputs = tuple(
                _walk(child, join(path, name), part, blocks, steps)
                for part, (name, child) in zip(_parts(layer, tensor), layer.branches, strict=True)
            )
            shape = layer.merged([each.shape for each in inputs])
            if layer.merge == RESIZE:
                inputs, like = inputs[:1], inputs[1]
    except DesignError as error:
        raise (error if error.path else error.at(path)) from None
    if layer.is_view:
        first = tensor.first + (layer.start if isinstance(layer, layers.Slice) else 0)
        output = Tensor(tensor.storage, shape, first)
    else:
        output = Tensor(len(steps) + 1, shape)
    steps.append(TraceStep(path, layer, blocks, inputs, output, like))
    return output


class Trace(NamedTuple):
    """The steps of a layer and its output."""

    steps: tuple[TraceStep, ...]  # in execution order
    output: Tensor  # of the layer


@remembered
def trace_block(layer: Layer, shape: Shape) -> Trace:
    """Trace one layer with paths relative to it; the result is cached by layer and shape."""
    steps: list[TraceStep] = []
    output = _walk(layer, "", Tensor(0, shape), (), steps)
    return Trace(tuple(steps), output)


def trace(layer: Layer, shape: Shape, path: str = "") -> list[TraceStep]:
    """Return all steps of `layer` for an input of `shape`, in execution order.

    Args:
        layer: any layer tree.
        shape: ``(channels, height, width)`` or ``(features,)``.
        path: prefix of the paths.

    Raises:
        DesignError: a layer rejects its input; the message starts with the path of the layer.
    """
    steps: list[TraceStep] = []
    _walk(layer, path, Tensor(0, check_shape(shape)), (), steps)
    return steps


def _moved(tensor: Tensor, number: list[int], start: int) -> Tensor:
    """Renumber the storage of a tensor of a piece whose input begins with channel `start` of its storage."""
    return Tensor(number[tensor.storage], tensor.shape, tensor.first if tensor.storage else tensor.first + start)


def chain(pieces: list[tuple[str, Trace]], shape: Shape) -> list[TraceStep]:
    """Join the traces of consecutive layers into one: prefix the paths and renumber the storages."""
    steps: list[TraceStep] = []
    tensor = Tensor(0, shape)
    for path, piece in pieces:
        # The input of a piece is the output of the piece before it.
        number = [tensor.storage, *range(len(steps) + 1, len(steps) + len(piece.steps) + 1)]
        start = tensor.first
        for step in piece.steps:
            inputs = tuple(_moved(each, number, start) for each in step.inputs)
            output = _moved(step.output, number, start)
            like = step.like and _moved(step.like, number, start)
            steps.append(TraceStep(join(path, step.path), step.layer, step.blocks, inputs, output, like))
        tensor = _moved(piece.output, number, start)
    return steps


def storage_sizes(steps: Sequence[TraceStep], shape: Shape) -> dict[int, int]:
    """Count the elements of each storage; views do not change them."""
    sizes = {0: elements(shape)}
    for step in steps:
        if not step.is_view:
            sizes[step.output.storage] = elements(step.output.shape)
    return sizes
