"""The layers that do arithmetic. Names, order and defaults of their fields are those of torch.nn."""

from dataclasses import dataclass

from effviz.core.errors import MAX_CHANNELS, MAX_FEATURES, MAX_RESOLUTION, fail, flag, number, one_of, whole
from effviz.model.layers.base import Layer, Primitive, Shape, Size, elements, image, pair

ACTIVATIONS = ("relu", "relu6", "hardswish", "silu", "sigmoid", "hardsigmoid", "gelu", "tanh", "leaky_relu", "elu")


def _set_whole(layer: Layer, argument: str, minimum: int = 1, maximum: int = MAX_CHANNELS) -> None:
    value = getattr(layer, argument)
    if type(value) is not int or not minimum <= value <= maximum:
        object.__setattr__(layer, argument, whole(argument, value, minimum, maximum))


def _set_size(layer: Layer, argument: str, minimum: int = 1) -> None:
    value = getattr(layer, argument)
    if not isinstance(value, (tuple, list)):
        _set_whole(layer, argument, minimum, MAX_RESOLUTION)
        return
    if len(value) != 2:
        fail(argument, value, "must be one integer or (height, width)")
    object.__setattr__(layer, argument, tuple(whole(argument, side, minimum, MAX_RESOLUTION) for side in value))


def _window(size: int, kernel: int, stride: int, padding: int, dilation: int, *, ceil_mode: bool = False) -> int:
    """Return the number of window positions along one side, as in torch's convolution and pooling."""
    span = dilation * (kernel - 1) + 1
    room = size + 2 * padding - span
    positions = (-(-room // stride) if ceil_mode else room // stride) + 1
    # torch drops a last window that starts in the right padding.
    if ceil_mode and (positions - 1) * stride >= size + padding:
        positions -= 1
    if positions < 1:
        fail("kernel_size", kernel, f"spans {span} pixels, more than the padded input of {size + 2 * padding}")
    return positions


# --- primitives ------------------------------------------------------------------------------------------------------


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
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                fail("groups", self.groups, f"must divide {name} = {getattr(self, name)}")

    def out_shape(self, shape: Shape) -> Shape:
        channels, height, width = image(shape, self)
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

    keeps_size = True
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
        return _of_channels(self, shape)


@dataclass(frozen=True)
class LayerNorm2d(Primitive):
    """Layer normalisation of the channels of each pixel (ConvNeXt, arXiv 2201.03545, section 2.6)."""

    keeps_size = True
    num_features: int
    eps: float = 1e-6

    def __post_init__(self) -> None:
        _set_whole(self, "num_features")
        number("eps", self.eps, 0.0, 1.0)

    def out_shape(self, shape: Shape) -> Shape:
        return _of_channels(self, shape)


@dataclass(frozen=True)
class LayerScale(Primitive):
    """One trained factor per channel (arXiv 2103.17239, section 2.1)."""

    keeps_size = True
    num_features: int

    def __post_init__(self) -> None:
        _set_whole(self, "num_features")

    def out_shape(self, shape: Shape) -> Shape:
        return _of_channels(self, shape)


def _of_channels(layer: BatchNorm2d | LayerNorm2d | LayerScale, shape: Shape) -> Shape:
    channels, _, _ = image(shape, layer)
    if channels != layer.num_features:
        fail("num_features", layer.num_features, f"must equal the {channels} channels of the input")
    return shape


class _Pool(Primitive):
    kernel_size: Size
    stride: Size | None
    padding: Size
    dilation: Size = 1  # a field of max pooling only
    ceil_mode: bool

    def __post_init__(self) -> None:
        _set_size(self, "kernel_size")
        if self.stride is not None:
            _set_size(self, "stride")
        _set_size(self, "padding", 0)
        _set_size(self, "dilation")
        flag("ceil_mode", self.ceil_mode)
        # torch ignores the dilation in this check.
        for side, padding in zip(pair(self.kernel_size), pair(self.padding), strict=True):
            if padding > side // 2:
                fail("padding", padding, f"must be at most half of the window, {side // 2}")

    def out_shape(self, shape: Shape) -> Shape:
        channels, height, width = image(shape, self)
        strides = pair(self.kernel_size if self.stride is None else self.stride)
        windows = zip(pair(self.kernel_size), strides, pair(self.padding), pair(self.dilation), strict=True)
        sides = zip((height, width), windows, strict=True)
        return (channels, *(_window(side, *window, ceil_mode=self.ceil_mode) for side, window in sides))


@dataclass(frozen=True)
class MaxPool2d(_Pool):
    """Maximum over a sliding window; `stride` None means the kernel size."""

    kernel_size: Size
    stride: Size | None = None
    padding: Size = 0
    dilation: Size = 1
    ceil_mode: bool = False


@dataclass(frozen=True)
class AvgPool2d(_Pool):
    """Mean over a sliding window; `stride` None means the kernel size."""

    kernel_size: Size
    stride: Size | None = None
    padding: Size = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        flag("count_include_pad", self.count_include_pad)


@dataclass(frozen=True)
class AdaptiveAvgPool2d(Primitive):
    """Mean over one window per output pixel."""

    output_size: Size

    def __post_init__(self) -> None:
        _set_size(self, "output_size")

    def out_shape(self, shape: Shape) -> Shape:
        channels, _, _ = image(shape, self)
        return (channels, *pair(self.output_size))


@dataclass(frozen=True)
class GlobalAvgPool(Primitive):
    """Mean over all pixels: ``(C, H, W) -> (C, 1, 1)``."""

    def out_shape(self, shape: Shape) -> Shape:
        channels, _, _ = image(shape, self)
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
    """Interleave the channels of `groups` groups (ShuffleNet, arXiv 1707.01083, section 3.1)."""

    keeps_size = True
    groups: int

    def __post_init__(self) -> None:
        _set_whole(self, "groups")

    def out_shape(self, shape: Shape) -> Shape:
        channels, _, _ = image(shape, self)
        if channels % self.groups:
            fail("groups", self.groups, f"must divide the {channels} channels of the input")
        return shape


@dataclass(frozen=True)
class Slice(Primitive):
    """The channels from `start` up to but not including `stop`."""

    is_view = True
    keeps_size = True
    start: int
    stop: int

    def __post_init__(self) -> None:
        _set_whole(self, "start", 0)
        _set_whole(self, "stop")
        if self.stop <= self.start:
            fail("stop", self.stop, f"must be greater than start = {self.start}")

    def out_shape(self, shape: Shape) -> Shape:
        channels, height, width = image(shape, self)
        if self.stop > channels:
            fail("stop", self.stop, f"must be at most the {channels} channels of the input")
        return (self.stop - self.start, height, width)


@dataclass(frozen=True)
class ChannelSelect(Primitive):
    """Copy chosen channels or features in a chosen order (CondenseNet, arXiv 1711.09224, section 3.1).

    The indices are constants that training determines. A channel may be copied several times or not at all.
    """

    keeps_size = True
    in_channels: int
    out_channels: int

    def __post_init__(self) -> None:
        _set_whole(self, "in_channels", 1, MAX_FEATURES)
        _set_whole(self, "out_channels", 1, MAX_FEATURES)

    def out_shape(self, shape: Shape) -> Shape:
        if shape[0] != self.in_channels:
            fail("in_channels", self.in_channels, f"must equal the {shape[0]} channels of the input")
        return (self.out_channels, *shape[1:])


@dataclass(frozen=True)
class Subsample(Primitive):
    """Every `stride`-th pixel of both sides, from the first."""

    is_view = True
    stride: int

    def __post_init__(self) -> None:
        _set_whole(self, "stride")

    def out_shape(self, shape: Shape) -> Shape:
        channels, height, width = image(shape, self)
        return (channels, -(-height // self.stride), -(-width // self.stride))


@dataclass(frozen=True)
class ZeroPadChannels(Primitive):
    """Channels of zeros, half of them before and half after those of the input. ``(in, H, W) -> (out, H, W)``."""

    keeps_size = True
    in_channels: int
    out_channels: int

    def __post_init__(self) -> None:
        _set_whole(self, "in_channels")
        _set_whole(self, "out_channels")
        if self.out_channels < self.in_channels:
            fail("out_channels", self.out_channels, f"must be at least in_channels = {self.in_channels}")

    def out_shape(self, shape: Shape) -> Shape:
        channels, height, width = image(shape, self)
        if channels != self.in_channels:
            fail("in_channels", self.in_channels, f"must be the {channels} channels of the input")
        return (self.out_channels, height, width)


@dataclass(frozen=True)
class Flatten(Primitive):
    """``(C, H, W) -> (C * H * W,)``."""

    is_view = True

    def out_shape(self, shape: Shape) -> Shape:
        return (elements(shape),)


class _ElementWise(Primitive):
    keeps_size = True

    def out_shape(self, shape: Shape) -> Shape:
        return shape


@dataclass(frozen=True)
class Activation(_ElementWise):
    """An element-wise non-linearity, named as in torch.nn.functional."""

    function: str = "relu"

    def __post_init__(self) -> None:
        one_of("activation", self.function, ACTIVATIONS)


@dataclass(frozen=True)
class Dropout(_ElementWise):
    """Set elements to zero in training; the identity in evaluation."""

    is_view = True
    p: float = 0.5

    def __post_init__(self) -> None:
        number("p", self.p, 0.0, 1.0)


@dataclass(frozen=True)
class StochasticDepth(_ElementWise):
    """Drop the residual branch of an image in training; the identity in evaluation (arXiv 1603.09382)."""

    is_view = True
    p: float

    def __post_init__(self) -> None:
        number("p", self.p, 0.0, 1.0)


@dataclass(frozen=True)
class Identity(_ElementWise):
    """Return the input."""

    is_view = True


def primitive_kinds() -> tuple[type[Primitive], ...]:
    """Return all primitive classes, for tests that each consumer covers them."""
    pending: list[type[Primitive]] = [Primitive]
    for kind in pending:
        pending += kind.__subclasses__()
    public = (kind for kind in pending[1:] if not kind.__name__.startswith("_"))
    return tuple(sorted(public, key=lambda kind: kind.__name__))
