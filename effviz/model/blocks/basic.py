"""Plain rows: stem, pooling, head, and the convolutions that other blocks are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from effviz.model.fields import FieldBlock, activation, declare, groups, kernel
from effviz.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    ChannelShuffle,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    Linear,
    MaxPool2d,
    Sequential,
)


def act(function: str) -> Activation | None:
    """The activation, None for ``"none"``."""
    return None if function == "none" else Activation(function)


def same_padding(kernel_size: int, dilation: int = 1) -> int:
    """Half of the window, which keeps the resolution at stride 1 for odd kernels."""
    return dilation * (kernel_size - 1) // 2


def keeps_shape(block: FieldBlock) -> bool:
    """Whether the input can be added to the output as it is."""
    fields = vars(block)
    return bool(fields["stride"] == 1 and fields["in_channels"] == fields["out_channels"])


@dataclass(frozen=True)
class ConvBNAct(FieldBlock):
    """Convolution, batch norm, activation; the last two can be left out."""

    title: ClassVar[str] = "Convolution, batch norm, activation"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    groups: int = groups(1)
    activation: str = activation("relu")
    norm: bool = declare(True, help="Batch norm after the convolution.")
    bias: bool | None = declare(None, kind="bool", optional=True, help="A bias; by default only without batch norm.")
    padding: int | None = declare(
        None, kind="int", optional=True, unit="pixels", maximum=1024, help="By default half of the kernel."
    )
    dilation: int = declare(1, unit="pixels", minimum=1, maximum=64, help="Distance between the kernel's elements.")

    def expand(self) -> Layer:
        padding = same_padding(self.kernel_size, self.dilation) if self.padding is None else self.padding
        bias = not self.norm if self.bias is None else self.bias
        return Sequential.of(
            conv=Conv2d(
                self.in_channels,
                self.out_channels,
                self.kernel_size,
                self.stride,
                padding,
                self.dilation,
                self.groups,
                bias,
            ),
            norm=BatchNorm2d(self.out_channels) if self.norm else None,
            act=act(self.activation),
        )


def pointwise(in_channels: int, out_channels: int, activation: str = "none", groups: int = 1) -> ConvBNAct:
    """1x1 convolution with batch norm; linear unless an activation is given."""
    return ConvBNAct(in_channels, out_channels, kernel_size=1, groups=groups, activation=activation)


def depthwise(channels: int, kernel_size: int, stride: int, activation: str = "none") -> ConvBNAct:
    """One filter for every channel, with batch norm; linear unless an activation is given."""
    return ConvBNAct(channels, channels, stride, kernel_size, channels, activation)


@dataclass(frozen=True)
class Depthwise(FieldBlock):
    """Depthwise convolution on its own, with batch norm and activation: one filter for every channel."""

    title: ClassVar[str] = "Depthwise convolution"
    keeps_channels = True

    in_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    def expand(self) -> Layer:
        return depthwise(self.in_channels, self.kernel_size, self.stride, self.activation).expand()


@dataclass(frozen=True)
class NormAct(FieldBlock):
    """Batch norm and activation ahead of a convolution (pre-activation, DenseNet)."""

    title: ClassVar[str] = "Batch norm, activation"
    keeps_channels = True
    has_stride = False

    in_channels: int
    activation: str = activation("relu")

    def expand(self) -> Layer:
        return Sequential.of(norm=BatchNorm2d(self.in_channels), act=act(self.activation))


@dataclass(frozen=True)
class MaxPool(FieldBlock):
    """Maximum over a sliding window."""

    title: ClassVar[str] = "Max pooling"
    keeps_channels = True
    has_in_channels = False

    stride: int = 2
    kernel_size: int = kernel(3)
    padding: int | None = declare(
        None, kind="int", optional=True, unit="pixels", maximum=31, help="By default half of the kernel."
    )
    ceil_mode: bool = declare(False, help="Keep a last window that is only partly filled.")

    def expand(self) -> Layer:
        padding = (self.kernel_size - 1) // 2 if self.padding is None else self.padding
        return MaxPool2d(self.kernel_size, self.stride, padding, ceil_mode=self.ceil_mode)


@dataclass(frozen=True)
class AvgPool(FieldBlock):
    """Mean over a sliding window."""

    title: ClassVar[str] = "Average pooling"
    keeps_channels = True
    has_in_channels = False

    stride: int = 2
    kernel_size: int = kernel(2)
    padding: int | None = declare(
        None, kind="int", optional=True, unit="pixels", maximum=31, help="By default half of the kernel."
    )
    ceil_mode: bool = declare(False, help="Keep a last window that is only partly filled.")

    def expand(self) -> Layer:
        padding = (self.kernel_size - 1) // 2 if self.padding is None else self.padding
        return AvgPool2d(self.kernel_size, self.stride, padding, ceil_mode=self.ceil_mode)


@dataclass(frozen=True)
class AdaptivePool(FieldBlock):
    """Average pooling to a fixed size, so that the layers after it do not depend on the resolution."""

    title: ClassVar[str] = "Adaptive average pooling"
    keeps_channels = True
    has_stride = False
    has_in_channels = False

    output_size: int = declare(1, unit="pixels", minimum=1, maximum=1024, help="Side of the output.")

    def expand(self) -> Layer:
        return AdaptiveAvgPool2d(self.output_size)


@dataclass(frozen=True)
class GlobalPool(FieldBlock):
    """Mean over all pixels of each channel."""

    title: ClassVar[str] = "Global average pooling"
    keeps_channels = True
    has_stride = False
    has_in_channels = False

    def expand(self) -> Layer:
        return GlobalAvgPool()


@dataclass(frozen=True)
class DropoutRow(FieldBlock):
    """Dropout: active in training, nothing in evaluation."""

    title: ClassVar[str] = "Dropout"
    keeps_channels = True
    has_stride = False
    has_in_channels = False

    p: float = declare(0.5, minimum=0, maximum=1, help="Probability that an element is set to zero in training.")

    def expand(self) -> Layer:
        return Dropout(self.p)


@dataclass(frozen=True)
class FlattenRow(FieldBlock):
    """The map as one vector of features."""

    title: ClassVar[str] = "Flatten"
    keeps_channels = True
    has_stride = False
    has_in_channels = False

    def expand(self) -> Layer:
        return Flatten()


@dataclass(frozen=True)
class ShuffleRow(FieldBlock):
    """Deal the channels of the groups out in turn (ShuffleNet)."""

    title: ClassVar[str] = "Channel shuffle"
    keeps_channels = True
    has_stride = False
    has_in_channels = False

    groups: int = groups(2)

    def expand(self) -> Layer:
        return ChannelShuffle(self.groups)


@dataclass(frozen=True)
class LinearAct(FieldBlock):
    """Fully connected layer: flatten, dropout, matrix product, activation."""

    title: ClassVar[str] = "Fully connected layer"
    flattens = True
    has_stride = False

    in_channels: int
    out_channels: int
    bias: bool = declare(True, help="A bias for every output.")
    dropout: float = declare(0.0, minimum=0, maximum=1, help="Dropout ahead of the layer, in training.")
    activation: str = activation("none")

    def expand(self) -> Layer:
        return Sequential.of(
            flatten=Flatten(),
            dropout=Dropout(self.dropout) if self.dropout > 0 else None,
            linear=Linear(self.in_channels, self.out_channels, self.bias),
            act=act(self.activation),
        )
