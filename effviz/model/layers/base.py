"""Shapes of tensors, and the three kinds of layer.

A shape describes one image, without the batch: ``(channels, height, width)``, or ``(features,)`` after `Flatten`.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, TypeAlias

from effviz.core.errors import MAX_CHANNELS, MAX_FEATURES, MAX_RESOLUTION, fail, whole

Shape: TypeAlias = tuple[int, ...]
Size: TypeAlias = int | tuple[int, int]


def pair(size: Size) -> tuple[int, int]:
    """Return ``(height, width)`` of a field that torch also accepts as one int."""
    return size if isinstance(size, tuple) else (size, size)


def elements(shape: Shape) -> int:
    """Return the number of elements of a tensor of this shape."""
    return math.prod(shape)


def shape_text(shape: Shape) -> str:
    """Format a shape: ``96 × 56 × 56``."""
    return " × ".join(map(str, shape))


def check_shape(shape: object) -> Shape:
    """Return `shape` if it is the shape of an image or of a feature vector."""
    if not isinstance(shape, tuple) or len(shape) not in (1, 3):
        fail("shape", shape, "must be (channels, height, width) or (features,)")
    if len(shape) == 1:
        return (whole("features", shape[0], 1, MAX_FEATURES),)
    limits = (("channels", MAX_CHANNELS), ("height", MAX_RESOLUTION), ("width", MAX_RESOLUTION))
    return tuple(whole(name, side, 1, limit) for side, (name, limit) in zip(shape, limits, strict=True))


class Layer:
    """Anything that maps one tensor to one tensor."""

    __slots__ = ()

    is_view: ClassVar[bool] = False
    """Whether it moves no data in evaluation: the output shares the storage of the input."""
    keeps_size: ClassVar[bool] = False
    """Whether the output map has the size of the input map, whatever the fields are."""

    def __sizeof__(self) -> int:
        """Return about the bytes of a layer without its children, for caches: several of them share one layer."""
        return 300


class Primitive(Layer):
    """A layer that does arithmetic; its class determines all counts."""

    __slots__ = ()

    def out_shape(self, shape: Shape) -> Shape:
        """Return the output shape; raise `DesignError` if torch would reject an input of `shape`."""
        # Not abstract: isinstance is slow for abstract base classes, and the engine calls it most.
        raise NotImplementedError(type(self).__name__)


class Container(Layer):
    """A layer that arranges other layers."""

    __slots__ = ()


class Block(Layer, ABC):
    """A named pattern with fields and an `expand()` into simpler layers."""

    __slots__ = ()

    @abstractmethod
    def expand(self) -> Layer:
        """Build the layers of this block."""


def image(shape: Shape, owner: Layer) -> tuple[int, int, int]:
    """Return `shape` if it is the shape of an image; the error names `owner`."""
    if len(shape) != 3:
        fail("input shape", shape, f"must be (channels, height, width) for {type(owner).__name__}")
    return shape
