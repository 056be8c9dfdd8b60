"""Blocks of ResNet, ResNeXt, DenseNet and SqueezeNet."""

from __future__ import annotations

from typing import Any

from effviz.core.errors import fail
from effviz.core.rounding import floor_at_least, nearest
from effviz.model.blocks.basic import ConvBNAct, StridedBlock, act, pointwise, same_padding
from effviz.model.fields import FieldBlock, activation, block, bottleneck_ratio, declare, groups, kernel
from effviz.model.layers import (
    AvgPool2d,
    BatchNorm2d,
    Branches,
    Conv2d,
    Identity,
    Layer,
    Sequential,
    Subsample,
    ZeroPadChannels,
    residual,
)


def _shortcut() -> Any:
    """Declare the shortcut of a residual block where the shape changes (arXiv 1512.03385, section 4.1)."""
    text = "Where the shape changes: B, a 1×1 projection; A, subsampling and channels of zeros, without parameters."
    return declare("B", choices=("B", "A"), help=text)


def _check_shortcut(block: BasicBlock | Bottleneck) -> None:
    if block.shortcut == "A" and block.out_channels < block.in_channels:
        relation = f"must be at least in_channels = {block.in_channels} with shortcut A, which only adds channels"
        fail("out_channels", block.out_channels, relation)


def _residual(block: BasicBlock | Bottleneck, body: Sequential, bias: bool | None = None) -> Layer:
    """Add the input, brought to another shape if necessary, and apply the activation to the sum."""
    channels, shortcut = (block.in_channels, block.out_channels), None  # type: tuple[tuple[int, int], Layer | None]
    if not block.keeps_shape and block.shortcut == "A":
        shortcut = Sequential.of(
            subsample=Subsample(block.stride) if block.stride > 1 else None,
            pad=ZeroPadChannels(*channels) if channels[0] != channels[1] else None,
        )
    elif not block.keeps_shape:
        shortcut = ConvBNAct(*channels, block.stride, kernel_size=1, activation="none", bias=bias)
    return Sequential.of(residual=residual(body, shortcut), act=act(block.activation))


@block("basic_block", "ResNet basic block")
class BasicBlock(StridedBlock):
    """Two 3x3 convolutions and a shortcut (ResNet-18/34, arXiv 1512.03385, figure 5)."""

    kernel_size: int = kernel(3)
    activation: str = activation("relu")
    shortcut: str = _shortcut()

    def check(self) -> None:
        _check_shortcut(self)

    def expand(self) -> Layer:
        width, kernel_size = self.out_channels, self.kernel_size
        body = Sequential.of(
            conv1=ConvBNAct(self.in_channels, width, self.stride, kernel_size, activation=self.activation),
            conv2=ConvBNAct(width, width, 1, kernel_size, activation="none"),
        )
        return _residual(self, body)


@block("bottleneck", "ResNet bottleneck")
class Bottleneck(StridedBlock):
    """1x1 down, 3x3, 1x1 up, and a shortcut (ResNet-50, arXiv 1512.03385; grouped: ResNeXt, arXiv 1611.05431).

    `stride_at` selects the strided convolution: the 3x3 (torchvision, most libraries) or the first 1x1 (the paper).
    With `conv_bias`, every convolution has a bias ahead of its batch norm (Keras).
    """

    kernel_size: int = kernel(3)
    groups: int = groups(1, "Groups of the 3×3 convolution (cardinality in ResNeXt).")
    bottleneck_ratio: float = bottleneck_ratio(
        "Inner channels per output channel: 1/4 in ResNet, 1/2 in ResNeXt 32x4d."
    )
    stride_at: str = declare("3x3", choices=("3x3", "1x1"), help="The convolution with the stride.")
    activation: str = activation("relu")
    shortcut: str = _shortcut()
    conv_bias: bool = declare(False, help="A bias in every convolution, although batch norm follows (Keras).")

    def check(self) -> None:
        _check_shortcut(self)

    @property
    def inner(self) -> int:
        """Channels of the 3x3 convolution."""
        return nearest(self.out_channels * self.bottleneck_ratio)

    def expand(self) -> Layer:
        first, second = (self.stride, 1) if self.stride_at == "1x1" else (1, self.stride)
        bias = self.conv_bias or None
        body = Sequential.of(
            reduce=ConvBNAct(self.in_channels, self.inner, first, 1, 1, self.activation, bias=bias),
            conv=ConvBNAct(self.inner, self.inner, second, self.kernel_size, self.groups, self.activation, bias=bias),
            expand=ConvBNAct(self.inner, self.out_channels, 1, 1, 1, "none", bias=bias),
        )
        return _residual(self, body, bias)


@block("dense_layer", "Dense layer", part=False)
class DenseLayer(FieldBlock):
    """Append `growth` channels, computed from all earlier ones (DenseNet-B, arXiv 1608.06993)."""

    in_channels: int
    growth: int = declare(32, unit="channels", minimum=1, scales=True, help="New channels per layer (k in DenseNet).")
    bottleneck: int = declare(4, unit="x", minimum=1, maximum=64, help="Channels of the 1×1 per new channel.")
    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    @property
    def out_channels(self) -> int:
        """Channels of the input plus the new channels."""
        return self.in_channels + self.growth

    def expand(self) -> Layer:
        inner = self.bottleneck * self.growth
        body = Sequential.of(
            norm=BatchNorm2d(self.in_channels),
            act=act(self.activation),
            reduce=pointwise(self.in_channels, inner, self.activation),
            conv=Conv2d(inner, self.growth, self.kernel_size, 1, same_padding(self.kernel_size), bias=False),
        )
        return Branches((("input", Identity()), ("", body)), "concat")


@block("transition", "Transition", part=False)
class Transition(FieldBlock):
    """Batch norm, activation, 1x1 to fewer channels, average pool (DenseNet-C, arXiv 1608.06993)."""

    in_channels: int
    stride: int = 2
    compression: float = declare(
        0.5, unit="x", minimum=0, maximum=1, open_below=True, help="Output channels per input channel."
    )
    activation: str = activation("relu")

    @property
    def out_channels(self) -> int:
        """Channels after the compression."""
        return floor_at_least(self.in_channels * self.compression, 1)

    def expand(self) -> Layer:
        return Sequential.of(
            norm=BatchNorm2d(self.in_channels),
            act=act(self.activation),
            conv=Conv2d(self.in_channels, self.out_channels, 1, bias=False),
            pool=AvgPool2d(self.stride, self.stride) if self.stride > 1 else None,
        )


@block("fire", "Fire module", part=False)
class Fire(FieldBlock):
    """1x1 squeeze, then parallel 1x1 and 3x3 with biases, without batch norm (SqueezeNet, arXiv 1602.07360)."""

    in_channels: int
    squeeze: int = declare(16, unit="channels", minimum=1, scales=True, help="Channels of the squeeze (s1×1).")
    expand1x1: int = declare(64, unit="channels", minimum=1, scales=True, help="Channels of the 1×1 branch (e1×1).")
    expand3x3: int = declare(64, unit="channels", minimum=1, scales=True, help="Channels of the 3×3 branch (e3×3).")

    @property
    def out_channels(self) -> int:
        """Channels of both branches."""
        return self.expand1x1 + self.expand3x3

    def expand(self) -> Layer:
        branches = (
            ("expand1x1", ConvBNAct(self.squeeze, self.expand1x1, kernel_size=1, norm=False)),
            ("expand3x3", ConvBNAct(self.squeeze, self.expand3x3, kernel_size=3, norm=False)),
        )
        squeeze = ConvBNAct(self.in_channels, self.squeeze, kernel_size=1, norm=False)
        return Sequential.of(squeeze=squeeze, concat=Branches(branches, "concat"))
