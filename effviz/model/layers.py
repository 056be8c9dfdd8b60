"""Layers: what a network is made of, as immutable data.

Three kinds of node. A `Primitive` does arithmetic and knows one thing, the shape that comes out. A `Container` has
children. A `Block` is a named pattern from a paper that expands into simpler layers (see `effviz.model.blocks`).
Nothing here counts, draws or runs: each of those is a function in a module of its own.

Shapes are those of one image, without the batch: ``(channels, height, width)``, or ``(features,)`` after `Flatten`.
Names, order and defaults of the fields are those of torch.nn.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from effviz.core.errors import MAX_CHANNELS, MAX_FEATURES, MAX_RESOLUTION, fail, flag, number, one_of, text, whole

Shape: TypeAlias = tuple[int, ...]
Size: TypeAlias = int | tuple[int, int]

ACTIVATIONS = ("relu", "relu6", "hardswish", "silu", "sigmoid", "hardsigmoid", "gelu", "tanh", "leaky_relu", "elu")
MERGES = ("add", "mul", "concat")


def pair(size: Size) -> tuple[int, int]:
    """``(height, width)`` of a field that torch also accepts as one int."""
    return size if isinstance(size, tuple) else (size, size)


def elements(shape: Shape) -> int:
    """How many numbers a tensor of this shape holds."""
    return math.prod(shape)


def shape_text(shape: Shape) -> str:
    """A shape as a reader writes it: ``96 x 56 x 56``."""
    return " x ".join(map(str, shape))


def check_shape(shape: object) -> Shape:
    """`shape` if it is one of an image or of a feature vector."""
    if not isinstance(shape, tuple) or len(shape) not in (1, 3):
        fail("shape", shape, "must be (channels, height, width) or (features,)")
    if len(shape) == 1:
        return (whole("features", shape[0], 1, MAX_FEATURES),)
    return (
        whole("channels", shape[0], 1, MAX_CHANNELS),
        whole("height", shape[1], 1, MAX_RESOLUTION),
        whole("width", shape[2], 1, MAX_RESOLUTION),
    )


class Layer:
    """Anything that maps one tensor to one tensor."""

    __slots__ = ()


class Primitive(Layer):
    """A layer that does arithmetic; its class decides every count."""

    __slots__ = ()

    def out_shape(self, shape: Shape) -> Shape:
        """Shape of the output for an input of `shape`; `DesignError` if torch would refuse the input."""
        # Not abstract: isinstance is what the engine does most, and it is slow for abstract base classes.
        raise NotImplementedError(type(self).__name__)


class Container(Layer):
    """A layer that only arranges others."""

    __slots__ = ()


class Block(Layer, ABC):
    """A named pattern: fields, and `expand()` into simpler layers."""

    __slots__ = ()

    @abstractmethod
    def expand(self) -> Layer:
        """The layers this block stands for."""


def _image(shape: Shape, owner: Layer) -> tuple[int, int, int]:
    if len(shape) != 3:
        fail("input shape", shape, f"must be (channels, height, width) for {type(owner).__name__}")
    return shape


def _set_whole(layer: Layer, argument: str, minimum: int = 1, maximum: int = MAX_CHANNELS) -> None:
    value = getattr(layer, argument)
    if type(value) is not int or not minimum <= value <= maximum:
        object.__setattr__(layer, argument, whole(argument, value, minimum, maximum))


def _set_size(layer: Layer, argument: str, minimum: int = 1, maximum: int = MAX_RESOLUTION) -> None:
    value = getattr(layer, argument)
    if not isinstance(value, (tuple, list)):
        _set_whole(layer, argument, minimum, maximum)
        return
    if len(value) != 2:
        fail(argument, value, "must be one integer or (height, width)")
    object.__setattr__(layer, argument, tuple(whole(argument, side, minimum, maximum) for side in value))


def _window(size: int, kernel: int, stride: int, padding: int, dilation: int = 1, *, ceil_mode: bool = False) -> int:
    """Positions of a sliding window along one side, as torch's convolution and pooling count them."""
    span = dilation * (kernel - 1) + 1
    room = size + 2 * padding - span
    positions = (-(-room // stride) if ceil_mode else room // stride) + 1
    # torch drops a last window that would start in the right padding.
    if ceil_mode and (positions - 1) * stride >= size + padding:
        positions -= 1
    if positions < 1:
        fail("kernel_size", kernel, f"spans {span} pixels, more than the padded input of {size + 2 * padding}")
    return positions


@dataclass(frozen=True)
class Conv2d(Primitive):
    """2-D convolution. ``(in_channels, H, W) -> (out_channels, H', W')``."""

    in_channels: int
    out_channels: int
    kernel_size: Size
    stride: Size = 1
    padding: Size = 0
    dilation: Size = 1
    groups: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        _set_whole(self, "in_channels")
        _set_whole(self, "out_channels")
        _set_size(self, "kernel_size")
        _set_size(self, "stride")
        _set_size(self, "padding", 0)
        _set_size(self, "dilation")
        _set_whole(self, "groups")
        flag("bias", self.bias)
        if self.in_channels % self.groups:
            fail("groups", self.groups, f"must divide in_channels = {self.in_channels}")
        if self.out_channels % self.groups:
            fail("groups", self.groups, f"must divide out_channels = {self.out_channels}")

    def out_shape(self, shape: Shape) -> Shape:
        channels, height, width = _image(shape, self)
        if channels != self.in_channels:
            fail("in_channels", self.in_channels, f"must equal the {channels} channels of the input")
        (high, wide), (down, right) = pair(self.kernel_size), pair(self.stride)
        (above, beside), (dilated, spread) = pair(self.padding), pair(self.dilation)
        return (
            self.out_channels,
            _window(height, high, down, above, dilated),
            _window(width, wide, right, beside, spread),
        )


@dataclass(frozen=True)
class BatchNorm2d(Primitive):
    """Batch normalisation with running statistics (evaluation mode)."""

    num_features: int
    eps: float = 1e-5
    momentum: float = 0.1
    affine: bool = True

    def __post_init__(self) -> None:
        _set_whole(self, "num_features")
        number("eps", self.eps, 0.0, 1.0)
        number("momentum", self.momentum, 0.0, 1.0)
        flag("affine", self.affine)

    def out_shape(self, shape: Shape) -> Shape:
        channels, _, _ = _image(shape, self)
        if channels != self.num_features:
            fail("num_features", self.num_features, f"must equal the {channels} channels of the input")
        return shape


@dataclass(frozen=True)
class Activation(Primitive):
    """An element-wise non-linearity, named as in torch.nn.functional."""

    function: str = "relu"

    def __post_init__(self) -> None:
        one_of("activation", self.function, ACTIVATIONS)

    def out_shape(self, shape: Shape) -> Shape:
        return shape


class _Pool(Primitive):
    kernel_size: Size
    stride: Size | None
    padding: Size
    ceil_mode: bool

    def _check(self, span: tuple[int, int]) -> None:
        for side, padding in zip(span, pair(self.padding), strict=True):
            if padding > side // 2:
                fail("padding", padding, f"must be at most half of the window, {side // 2}")

    def _sides(self, shape: Shape, dilation: Size) -> Shape:
        channels, height, width = _image(shape, self)
        strides = pair(self.kernel_size if self.stride is None else self.stride)
        windows = zip(pair(self.kernel_size), strides, pair(self.padding), pair(dilation), strict=True)
        sides = [
            _window(side, *window, ceil_mode=self.ceil_mode)
            for side, window in zip((height, width), windows, strict=True)
        ]
        return (channels, *sides)


@dataclass(frozen=True)
class MaxPool2d(_Pool):
    """Maximum over a sliding window; `stride` None means the kernel size."""

    kernel_size: Size
    stride: Size | None = None
    padding: Size = 0
    dilation: Size = 1
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        _set_size(self, "kernel_size")
        if self.stride is not None:
            _set_size(self, "stride")
        _set_size(self, "padding", 0)
        _set_size(self, "dilation")
        flag("ceil_mode", self.ceil_mode)
        # Half of the kernel, not of what it spans: torch leaves the dilation out of this check.
        self._check(pair(self.kernel_size))

    def out_shape(self, shape: Shape) -> Shape:
        return self._sides(shape, self.dilation)


@dataclass(frozen=True)
class AvgPool2d(_Pool):
    """Mean over a sliding window; `stride` None means the kernel size."""

    kernel_size: Size
    stride: Size | None = None
    padding: Size = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def __post_init__(self) -> None:
        _set_size(self, "kernel_size")
        if self.stride is not None:
            _set_size(self, "stride")
        _set_size(self, "padding", 0)
        flag("ceil_mode", self.ceil_mode)
        flag("count_include_pad", self.count_include_pad)
        self._check(pair(self.kernel_size))

    def out_shape(self, shape: Shape) -> Shape:
        return self._sides(shape, 1)


@dataclass(frozen=True)
class AdaptiveAvgPool2d(Primitive):
    """Mean over as many windows as the output has pixels."""

    output_size: Size

    def __post_init__(self) -> None:
        _set_size(self, "output_size")

    def out_shape(self, shape: Shape) -> Shape:
        channels, _, _ = _image(shape, self)
        return (channels, *pair(self.output_size))


@dataclass(frozen=True)
class GlobalAvgPool(Primitive):
    """Mean over all pixels: ``(C, H, W) -> (C, 1, 1)``."""

    def out_shape(self, shape: Shape) -> Shape:
        channels, _, _ = _image(shape, self)
        return (channels, 1, 1)


@dataclass(frozen=True)
class Linear(Primitive):
    """Matrix product over the features: ``(in_features,) -> (out_features,)``."""

    in_features: int
    out_features: int
    bias: bool = True

    def __post_init__(self) -> None:
        _set_whole(self, "in_features", 1, MAX_FEATURES)
        _set_whole(self, "out_features", 1, MAX_FEATURES)
        flag("bias", self.bias)

    def out_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            fail("input shape", shape, "must be (features,) for Linear: flatten the map first")
        if shape[0] != self.in_features:
            fail("in_features", self.in_features, f"must equal the {shape[0]} features of the input")
        return (self.out_features,)


@dataclass(frozen=True)
class ChannelShuffle(Primitive):
    """Deal the channels of `groups` groups out in turn (ShuffleNet, arXiv 1707.01083, section 3.1)."""

    groups: int

    def __post_init__(self) -> None:
        _set_whole(self, "groups")

    def out_shape(self, shape: Shape) -> Shape:
        channels, _, _ = _image(shape, self)
        if channels % self.groups:
            fail("groups", self.groups, f"must divide the {channels} channels of the input")
        return shape


@dataclass(frozen=True)
class Slice(Primitive):
    """The channels from `start` up to, not including, `stop`."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        _set_whole(self, "start", 0)
        _set_whole(self, "stop")
        if self.stop <= self.start:
            fail("stop", self.stop, f"must be greater than start = {self.start}")

    def out_shape(self, shape: Shape) -> Shape:
        channels, height, width = _image(shape, self)
        if self.stop > channels:
            fail("stop", self.stop, f"must be at most the {channels} channels of the input")
        return (self.stop - self.start, height, width)


@dataclass(frozen=True)
class Flatten(Primitive):
    """``(C, H, W) -> (C * H * W,)``."""

    def out_shape(self, shape: Shape) -> Shape:
        return (elements(shape),)


@dataclass(frozen=True)
class Dropout(Primitive):
    """Zero single elements in training; nothing in evaluation."""

    p: float = 0.5

    def __post_init__(self) -> None:
        number("p", self.p, 0.0, 1.0)

    def out_shape(self, shape: Shape) -> Shape:
        return shape


@dataclass(frozen=True)
class StochasticDepth(Primitive):
    """Drop a whole residual branch, image by image, in training; nothing in evaluation (arXiv 1603.09382)."""

    p: float

    def __post_init__(self) -> None:
        number("p", self.p, 0.0, 1.0)

    def out_shape(self, shape: Shape) -> Shape:
        return shape


@dataclass(frozen=True)
class Identity(Primitive):
    """The input."""

    def out_shape(self, shape: Shape) -> Shape:
        return shape


def check_name(argument: str, name: object) -> str:
    """`name` if a layer can be called so in ``module.named_modules()``."""
    text(argument, name, 60)
    if not str(name).strip() or "." in str(name):
        fail(argument, name, "must be text without dots")
    if name == "training":
        fail(argument, name, "is taken: every torch module has a flag of this name")
    return str(name)


def _named(children: Iterable[tuple[str, Layer]], *, inline: bool) -> tuple[tuple[str, Layer], ...]:
    """Children checked for what torch's module names allow."""
    children = tuple(children)
    seen: set[str] = set()
    for name, layer in children:
        if not isinstance(layer, Layer):
            fail(f"layer {name!r}", layer, "must be a Layer")
        if inline and isinstance(name, str) and not name:
            if not isinstance(layer, Sequential):
                fail("layer", layer, "must be a Sequential where the branch has no name")
            names = [child for child, _ in layer.children]
        else:
            check_name("name", name)
            names = [name]
        for each in names:
            if each in seen:
                fail("name", each, "must be used once among its siblings")
            seen.add(each)
    return children


@dataclass(frozen=True)
class Sequential(Container):
    """Children one after another, each with the name it has in ``module.named_modules()``."""

    children: tuple[tuple[str, Layer], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "children", _named(self.children, inline=False))

    @classmethod
    def of(cls, **layers: Layer | None) -> Sequential:
        """Named children in the order given; a None is left out."""
        return cls(tuple((name, layer) for name, layer in layers.items() if layer is not None))

    @classmethod
    def numbered(cls, layers: Iterable[Layer]) -> Sequential:
        """Children named "0", "1", ... as ``torch.nn.Sequential`` names them."""
        return cls(tuple((str(index), layer) for index, layer in enumerate(layers)))


@dataclass(frozen=True)
class Branches(Container):
    """The same input through every branch, then one merge; with `split`, equal shares of its channels instead.

    The merge is a step of its own and carries the path of this container. A branch with the name ``""`` is a
    `Sequential` whose children are named as children of this container, as one writes a residual body.
    """

    branches: tuple[tuple[str, Layer], ...]
    merge: str = "add"
    split: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "branches", _named(self.branches, inline=True))
        one_of("merge", self.merge, MERGES)
        flag("split", self.split)
        if len(self.branches) < 2:
            fail("branches", len(self.branches), "must be at least 2")

    def shares(self, shape: Shape) -> Shape:
        """Shape that each branch receives."""
        if not self.split:
            return shape
        channels, height, width = _image(shape, self)
        if channels % len(self.branches):
            fail("branches", len(self.branches), f"must divide the {channels} channels that are split among them")
        return (channels // len(self.branches), height, width)

    def merged(self, shapes: list[Shape]) -> Shape:
        """Shape after the merge of the branches' outputs."""
        first = shapes[0]
        if self.merge == "concat":
            if any(shape[1:] != first[1:] or len(shape) != len(first) for shape in shapes):
                fail("branch outputs", shapes, "must agree in height and width to be concatenated")
            return (sum(shape[0] for shape in shapes), *first[1:])
        if self.merge == "add":
            if any(shape != first for shape in shapes):
                fail("branch outputs", shapes, "must have equal shapes to be added")
            return first
        return _broadcast(shapes)


def _broadcast(shapes: list[Shape]) -> Shape:
    if any(len(shape) != len(shapes[0]) for shape in shapes):
        fail("branch outputs", shapes, "must have the same number of dimensions to be multiplied")
    merged = tuple(max(sides) for sides in zip(*shapes, strict=True))
    for shape in shapes:
        if any(side not in (1, full) for side, full in zip(shape, merged, strict=True)):
            fail("branch outputs", shapes, "must be equal or 1 in every dimension to be multiplied")
    return merged


def residual(body: Sequential, shortcut: Layer | None = None) -> Branches:
    """``body(x) + shortcut(x)``; the shortcut is the identity unless given."""
    return Branches((("", body), ("shortcut", shortcut or Identity())), "add")


def primitive_kinds() -> tuple[type[Primitive], ...]:
    """Every final primitive class, for tests that check that each consumer knows them all."""
    found: list[type[Primitive]] = []
    pending: list[type[Primitive]] = list(Primitive.__subclasses__())
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if not kind.__name__.startswith("_"):
            found.append(kind)
    return tuple(sorted(found, key=lambda kind: kind.__name__))
