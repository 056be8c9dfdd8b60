"""The trace of a network: a flat list of steps in execution order.

This file contains the only recursion over the layers of a network. A step has a path and the tensors that it reads and
writes. A view shares the storage of its input, so memory can be counted without running the network.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from effviz.core.errors import DesignError, UncountedLayerError
from effviz.model import layers
from effviz.model.layers import Block, Branches, Layer, Primitive, Sequential, Shape, check_shape, elements

VIEWS = (layers.Flatten, layers.Identity, layers.Dropout, layers.StochasticDepth, layers.Slice)
"""Primitives that move no data in evaluation: the output shares the storage of the input."""


class Tensor(NamedTuple):
    """A tensor between two layers, one image."""

    storage: int  # number of its storage; 0 is the input of the trace
    shape: Shape  # without the batch


class Step(NamedTuple):
    """One executed layer."""

    path: str  # name in module.named_modules() of the built module
    layer: Primitive | Branches  # the latter for a merge
    blocks: tuple[str, ...]  # class names of the blocks around it, outermost first
    inputs: tuple[Tensor, ...]  # the tensors that it reads
    output: Tensor  # the tensor that it writes; a view has the storage of its input

    @property
    def is_view(self) -> bool:
        """Whether the step moves no data."""
        return isinstance(self.layer, VIEWS)


def join(prefix: str, name: str) -> str:
    """Join two parts of a path with a dot; either may be empty."""
    return f"{prefix}.{name}" if prefix and name else prefix or name


@lru_cache(maxsize=16_384)
def _expanded(block: Block) -> Layer:
    return block.expand()


class _Walk:
    """The state of a trace: the steps and the number of storages so far."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.storages = 0

    def new(self, shape: Shape) -> Tensor:
        self.storages += 1
        return Tensor(self.storages, shape)

    def through(self, layer: Layer, path: str, tensor: Tensor, blocks: tuple[str, ...]) -> Tensor:
        if isinstance(layer, Primitive):
            return self.primitive(layer, path, tensor, blocks)
        if isinstance(layer, Sequential):
            for name, child in layer.children:
                tensor = self.through(child, join(path, name), tensor, blocks)
            return tensor
        if isinstance(layer, Branches):
            return self.branches(layer, path, tensor, blocks)
        if isinstance(layer, Block):
            try:
                expanded = _expanded(layer)
            except DesignError as error:
                raise error.at(path) from None
            return self.through(expanded, path, tensor, (*blocks, type(layer).__name__))
        raise UncountedLayerError(f"{type(layer).__name__} is neither primitive, container nor block", path=path)

    def primitive(self, layer: Primitive, path: str, tensor: Tensor, blocks: tuple[str, ...]) -> Tensor:
        try:
            shape = layer.out_shape(tensor.shape)
        except DesignError as error:
            raise error.at(path) from None
        output = Tensor(tensor.storage, shape) if isinstance(layer, VIEWS) else self.new(shape)
        self.steps.append(Step(path, layer, blocks, (tensor,), output))
        return output

    def branches(self, layer: Branches, path: str, tensor: Tensor, blocks: tuple[str, ...]) -> Tensor:
        try:
            share = Tensor(tensor.storage, layer.shares(tensor.shape))
            outputs = tuple(self.through(child, join(path, name), share, blocks) for name, child in layer.branches)
            merged = layer.merged([output.shape for output in outputs])
        except DesignError as error:
            raise (error if error.path else error.at(path)) from None
        output = self.new(merged)
        self.steps.append(Step(path, layer, blocks, outputs, output))
        return output


class Trace(NamedTuple):
    """The steps of a layer and its output."""

    steps: tuple[Step, ...]  # in execution order
    output: Tensor  # of the layer
    storages: int  # the number of storages without that of the input


@lru_cache(maxsize=16_384)
def trace_block(layer: Layer, shape: Shape) -> Trace:
    """Trace one layer with paths relative to it; the result is cached by layer and shape."""
    walk = _Walk()
    output = walk.through(layer, "", Tensor(0, shape), ())
    return Trace(tuple(walk.steps), output, walk.storages)


def trace(layer: Layer, shape: Shape, path: str = "") -> list[Step]:
    """Return all steps of `layer` for an input of `shape`, in execution order.

    Args:
        layer: any layer tree.
        shape: ``(channels, height, width)`` or ``(features,)``.
        path: prefix of the paths.

    Raises:
        DesignError: a layer rejects its input; the message starts with the path of the layer.
    """
    walk = _Walk()
    walk.through(layer, path, Tensor(0, check_shape(shape)), ())
    return walk.steps


def chain(pieces: list[tuple[str, Trace]], shape: Shape) -> list[Step]:
    """Join the traces of consecutive layers into one: prefix the paths and renumber the storages."""
    steps: list[Step] = []
    tensor = Tensor(0, shape)
    storages = 0
    for path, piece in pieces:
        # The input of a piece is the output of the piece before it.
        number = [tensor.storage, *range(storages + 1, storages + piece.storages + 1)]
        for step in piece.steps:
            inputs = tuple(Tensor(number[each.storage], each.shape) for each in step.inputs)
            output = Tensor(number[step.output.storage], step.output.shape)
            steps.append(Step(join(path, step.path), step.layer, step.blocks, inputs, output))
        tensor = Tensor(number[piece.output.storage], piece.output.shape)
        storages += piece.storages
    return steps


def storage_sizes(steps: Sequence[Step], shape: Shape) -> dict[int, int]:
    """Count the elements of each storage; views do not change them."""
    sizes = {0: elements(shape)}
    for step in steps:
        if not step.is_view:
            sizes[step.output.storage] = elements(step.output.shape)
    return sizes
