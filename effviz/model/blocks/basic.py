"""The convolution with its batch norm and activation, and the helpers of the other blocks."""

from dataclasses import dataclass

from effviz.model.fields import FieldBlock, activation, block, declare, groups, kernel, padding
from effviz.model.layers import Activation, BatchNorm2d, Conv2d, Layer, Sequential


def act(function: str) -> Activation | None:
    """Return the activation, or None for ``"none"``."""
    return None if function == "none" else Activation(function)


def same_padding(kernel_size: int, dilation: int = 1) -> int:
    """Return half of the window, which keeps the resolution at stride 1 for odd kernels."""
    return dilation * (kernel_size - 1) // 2


@dataclass(frozen=True)
class StridedBlock(FieldBlock):
    """Base of the blocks whose row names the output width and the stride."""

    in_channels: int
    out_channels: int
    stride: int = 1

    @property
    def keeps_shape(self) -> bool:
        """Whether the output has the shape of the input, so that the two can be added."""
        return self.stride == 1 and self.in_channels == self.out_channels


@block("conv", "Convolution, batch norm, activation")
class ConvBNAct(StridedBlock):
    """Convolution, batch norm and activation; the last two are optional."""

    kernel_size: int = kernel(3)
    groups: int = groups(1)
    activation: str = activation("relu")
    norm: bool = declare(True, help="Batch norm after the convolution.")
    bias: bool | None = declare(None, kind="bool", optional=True, help="A bias; by default only without batch norm.")
    padding: int | None = padding(1024)
    dilation: int = declare(1, unit="pixels", minimum=1, maximum=64, help="Distance between kernel elements.")

    def expand(self) -> Layer:
        padding = same_padding(self.kernel_size, self.dilation) if self.padding is None else self.padding
        bias = not self.norm if self.bias is None else self.bias
        window = (self.kernel_size, self.stride, padding, self.dilation)
        return Sequential.of(
            conv=Conv2d(self.in_channels, self.out_channels, *window, self.groups, bias),
            norm=BatchNorm2d(self.out_channels) if self.norm else None,
            act=act(self.activation),
        )


def pointwise(in_channels: int, out_channels: int, activation: str = "none", groups: int = 1) -> ConvBNAct:
    """Build a 1x1 convolution with batch norm; without `activation` it is linear."""
    return ConvBNAct(in_channels, out_channels, kernel_size=1, groups=groups, activation=activation)


def depthwise(channels: int, kernel_size: int, stride: int, activation: str = "none") -> ConvBNAct:
    """Build a depthwise convolution with batch norm; without `activation` it is linear."""
    return ConvBNAct(channels, channels, stride, kernel_size, channels, activation)


@block("depthwise", "Depthwise convolution")
class Depthwise(FieldBlock):
    """Depthwise convolution, batch norm and activation: one filter for each channel."""

    in_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    def expand(self) -> Layer:
        return depthwise(self.in_channels, self.kernel_size, self.stride, self.activation).expand()
