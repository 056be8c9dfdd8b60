"""The blocks of the papers, each as fields and an `expand()` into simpler layers.

A block is one row of a design. Its fields carry their own declaration (unit, legal values, default, help), from
which pages, JSON checks and documentation are generated; `BLOCKS` names them all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from effviz.errors import fail
from effviz.fields import FieldBlock, activation, declare, expand_ratio, groups, kernel, se_ratio
from effviz.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    ChannelShuffle,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Layer,
    Linear,
    MaxPool2d,
    Primitive,
    Sequential,
    Slice,
    StochasticDepth,
    residual,
)
from effviz.rounding import exact, make_divisible


def _act(function: str) -> Activation | None:
    return None if function == "none" else Activation(function)


def _drop(p: float) -> StochasticDepth | None:
    return StochasticDepth(p) if p > 0 else None


def _same_padding(kernel_size: int, dilation: int = 1) -> int:
    return dilation * (kernel_size - 1) // 2


def _keeps_shape(block: FieldBlock) -> bool:
    fields = vars(block)
    return bool(fields["stride"] == 1 and fields["in_channels"] == fields["out_channels"])


# --- plain rows: stem, pooling, head -----------------------------------------------------------------------------


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
        padding = _same_padding(self.kernel_size, self.dilation) if self.padding is None else self.padding
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
            act=_act(self.activation),
        )


def pointwise(in_channels: int, out_channels: int, activation: str = "none", groups: int = 1) -> ConvBNAct:
    """1x1 convolution with batch norm; linear unless an activation is given."""
    return ConvBNAct(in_channels, out_channels, kernel_size=1, groups=groups, activation=activation)


def depthwise(channels: int, kernel_size: int, stride: int, activation: str = "none") -> ConvBNAct:
    """One filter for every channel, with batch norm; linear unless an activation is given."""
    return ConvBNAct(channels, channels, stride, kernel_size, channels, activation)


@dataclass(frozen=True)
class NormAct(FieldBlock):
    """Batch norm and activation ahead of a convolution (pre-activation, DenseNet)."""

    title: ClassVar[str] = "Batch norm, activation"
    keeps_channels = True
    has_stride = False

    in_channels: int
    activation: str = activation("relu")

    def expand(self) -> Layer:
        return Sequential.of(norm=BatchNorm2d(self.in_channels), act=_act(self.activation))


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
            act=_act(self.activation),
        )


# --- squeeze-and-excitation, depthwise separable, inverted residuals ---------------------------------------------


@dataclass(frozen=True)
class SqueezeExcite(FieldBlock):
    """Weigh every channel by a gate computed from all of them (arXiv 1709.01507).

    Global average pool, 1x1 to `squeezed` channels, 1x1 back, gate; both 1x1 have a bias and no batch norm.
    """

    title: ClassVar[str] = "Squeeze-and-excitation"
    keeps_channels = True
    has_stride = False

    in_channels: int
    squeezed: int = declare(16, unit="channels", minimum=1, scales=True, help="Channels between the two 1x1 layers.")
    activation: str = activation("relu")
    gate: str = declare("sigmoid", choices=("sigmoid", "hardsigmoid"), help="Function that gives the weights.")

    def expand(self) -> Layer:
        gate = Sequential.of(
            pool=GlobalAvgPool(),
            reduce=Conv2d(self.in_channels, self.squeezed, 1),
            act=_act(self.activation),
            expand=Conv2d(self.squeezed, self.in_channels, 1),
            gate=Activation(self.gate),
        )
        return Branches((("input", Identity()), ("", gate)), "mul")


@dataclass(frozen=True)
class DepthwiseSeparable(FieldBlock):
    """Depthwise then pointwise convolution, each with batch norm and activation (MobileNetV1, arXiv 1704.04861)."""

    title: ClassVar[str] = "Depthwise separable convolution"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    def expand(self) -> Layer:
        return Sequential.of(
            depthwise=depthwise(self.in_channels, self.kernel_size, self.stride, self.activation),
            pointwise=pointwise(self.in_channels, self.out_channels, self.activation),
        )


@dataclass(frozen=True)
class InvertedResidual(FieldBlock):
    """Expand, depthwise, project linearly; a shortcut between the narrow ends (MobileNetV2/V3).

    Source: arXiv 1801.04381, table 1; with squeeze-and-excitation on the *expanded* channels arXiv 1905.02244.
    The expansion is left out where it would not change the width. MobileNetV3 rounds the expanded width to a
    multiple of 8 (`expand_divisor`) and the squeeze to a multiple of 8 (`se_divisor`); GhostNet's is 4.
    """

    title: ClassVar[str] = "Inverted residual"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    expand_ratio: float = expand_ratio(6.0)
    se_ratio: float = se_ratio(0.0)
    activation: str = activation("relu6")
    expand_divisor: int = declare(1, unit="channels", minimum=1, maximum=64, help="Round the expanded width to this.")
    shortcut: bool = declare(True, help="Add the input where shapes agree.")
    drop_prob: float = declare(0.0, minimum=0, maximum=1, help="Stochastic depth of the residual, in training.")

    @property
    def expanded(self) -> int:
        """Channels between expansion and projection."""
        wide = exact(self.in_channels * self.expand_ratio)
        return make_divisible(wide, self.expand_divisor) if self.expand_divisor > 1 else max(1, round(wide))

    def expand(self) -> Layer:
        squeezed = make_divisible(self.expanded * self.se_ratio, 8)
        excite = SqueezeExcite(self.expanded, squeezed, "relu", "hardsigmoid") if self.se_ratio > 0 else None
        return _inverted_residual(self, self.expanded, excite)


@dataclass(frozen=True)
class MBConv(FieldBlock):
    """Inverted residual with squeeze-and-excitation measured by the block's *input* (EfficientNet, MnasNet).

    Source: arXiv 1905.11946; squeeze = max(1, int(in_channels * se_ratio)), as in tensorflow/tpu
    `efficientnet_model.py`.
    """

    title: ClassVar[str] = "MBConv"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    expand_ratio: float = expand_ratio(6.0)
    se_ratio: float = se_ratio(0.25)
    activation: str = activation("silu")
    shortcut: bool = declare(True, help="Add the input where shapes agree.")
    drop_prob: float = declare(0.0, minimum=0, maximum=1, help="Stochastic depth of the residual, in training.")

    @property
    def expanded(self) -> int:
        """Channels between expansion and projection."""
        return max(1, round(exact(self.in_channels * self.expand_ratio)))

    @property
    def squeezed(self) -> int:
        """Channels of the squeeze."""
        return max(1, int(exact(self.in_channels * self.se_ratio)))

    def expand(self) -> Layer:
        excite = SqueezeExcite(self.expanded, self.squeezed, self.activation) if self.se_ratio > 0 else None
        return _inverted_residual(self, self.expanded, excite)


def _inverted_residual(block: InvertedResidual | MBConv, expanded: int, excite: SqueezeExcite | None) -> Layer:
    body = Sequential.of(
        expand=pointwise(block.in_channels, expanded, block.activation) if expanded != block.in_channels else None,
        depthwise=depthwise(expanded, block.kernel_size, block.stride, block.activation),
        squeeze_excite=excite,
        project=pointwise(expanded, block.out_channels),
    )
    return _with_shortcut(block, body, block.shortcut, block.drop_prob)


def _with_shortcut(block: FieldBlock, body: Sequential, shortcut: bool, drop_prob: float) -> Layer:
    if not (shortcut and _keeps_shape(block)):
        return body
    drop = _drop(drop_prob)
    return residual(body if drop is None else Sequential((*body.children, ("drop", drop))))


@dataclass(frozen=True)
class FusedMBConv(FieldBlock):
    """MBConv whose expansion and depthwise layer are one full convolution (EfficientNetV2, arXiv 2104.00298).

    With expand_ratio 1 it is a single convolution.
    """

    title: ClassVar[str] = "Fused-MBConv"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    expand_ratio: float = expand_ratio(4.0)
    se_ratio: float = se_ratio(0.0)
    activation: str = activation("silu")
    shortcut: bool = declare(True, help="Add the input where shapes agree.")
    drop_prob: float = declare(0.0, minimum=0, maximum=1, help="Stochastic depth of the residual, in training.")

    @property
    def expanded(self) -> int:
        """Channels between expansion and projection."""
        return max(1, round(exact(self.in_channels * self.expand_ratio)))

    def expand(self) -> Layer:
        expanded = self.expanded
        squeezed = max(1, int(exact(self.in_channels * self.se_ratio)))
        excite = SqueezeExcite(expanded, squeezed, self.activation) if self.se_ratio > 0 else None
        if expanded == self.in_channels:
            fused = ConvBNAct(
                self.in_channels, self.out_channels, self.stride, self.kernel_size, activation=self.activation
            )
            excite = replace(excite, in_channels=self.out_channels) if excite else None
            body = Sequential.of(fused=fused, squeeze_excite=excite)
        else:
            body = Sequential.of(
                expand=ConvBNAct(self.in_channels, expanded, self.stride, self.kernel_size, activation=self.activation),
                squeeze_excite=excite,
                project=pointwise(expanded, self.out_channels),
            )
        return _with_shortcut(self, body, self.shortcut, self.drop_prob)


# --- ShuffleNet --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShuffleUnitV1(FieldBlock):
    """Grouped 1x1, channel shuffle, depthwise, grouped 1x1 (ShuffleNet, arXiv 1707.01083, figure 2).

    Stride 1 adds the input; a larger stride concatenates its 3x3 average pool, so that the second 1x1 gives
    ``out_channels - in_channels``. The inner width is a quarter of the output. With `grouped_input` false the first
    1x1 is not grouped, as in the first unit of stage 2. Activations as in megvii-model/ShuffleNet-Series.
    """

    title: ClassVar[str] = "ShuffleNet V1 unit"

    in_channels: int
    out_channels: int
    stride: int = 1
    groups: int = groups(3)
    kernel_size: int = kernel(3)
    grouped_input: bool = declare(True, help="Group the first 1x1 too; the first unit of stage 2 does not.")
    activation: str = activation("relu")

    def check(self) -> None:
        if self.stride == 1 and self.in_channels != self.out_channels:
            fail("out_channels", self.out_channels, f"must equal in_channels = {self.in_channels} at stride 1")
        if self.stride > 1 and self.out_channels <= self.in_channels:
            fail("out_channels", self.out_channels, f"must exceed in_channels = {self.in_channels} at stride > 1")
        if self.out_channels < 4:
            fail("out_channels", self.out_channels, "must be at least 4, the inner width is a quarter of it")

    def expand(self) -> Layer:
        inner = self.out_channels // 4
        reduced = self.stride > 1
        body = Sequential.of(
            reduce=pointwise(self.in_channels, inner, self.activation, self.groups if self.grouped_input else 1),
            shuffle=ChannelShuffle(self.groups) if self.groups > 1 else None,
            depthwise=depthwise(inner, self.kernel_size, self.stride),
            expand=pointwise(
                inner,
                self.out_channels - self.in_channels if reduced else self.out_channels,
                self.activation if reduced else "none",
                self.groups,
            ),
        )
        if not reduced:
            return Sequential.of(residual=residual(body), act=_act(self.activation))
        return Branches((("pool", AvgPool2d(3, self.stride, 1)), ("", body)), "concat")


@dataclass(frozen=True)
class ShuffleUnitV2(FieldBlock):
    """Split the channels, convolve one half, concatenate, shuffle (ShuffleNetV2, arXiv 1807.11164, figure 3).

    At a larger stride nothing is split: the left branch keeps the input's channels and the right one gives the rest,
    as in megvii-model/ShuffleNet-Series (torchvision gives both half of the output).
    """

    title: ClassVar[str] = "ShuffleNet V2 unit"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    def check(self) -> None:
        if self.stride == 1 and self.in_channels != self.out_channels:
            fail("out_channels", self.out_channels, f"must equal in_channels = {self.in_channels} at stride 1")
        if self.stride > 1 and self.out_channels <= self.in_channels:
            fail("out_channels", self.out_channels, f"must exceed in_channels = {self.in_channels} at stride > 1")
        if self.out_channels % 2:
            fail("out_channels", self.out_channels, "must be even, the unit works on halves")

    def expand(self) -> Layer:
        half = self.out_channels // 2
        reduced = self.stride > 1
        right = Sequential.of(
            reduce=pointwise(self.in_channels if reduced else half, half, self.activation),
            depthwise=depthwise(half, self.kernel_size, self.stride),
            expand=pointwise(half, self.out_channels - self.in_channels if reduced else half, self.activation),
        )
        left: Layer = Identity()
        if reduced:
            left = Sequential.of(
                depthwise=depthwise(self.in_channels, self.kernel_size, self.stride),
                pointwise=pointwise(self.in_channels, self.in_channels, self.activation),
            )
        merged = Branches((("left", left), ("right", right)), "concat", split=not reduced)
        return Sequential.of(concat=merged, shuffle=ChannelShuffle(2))


# --- GhostNet ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GhostModule(FieldBlock):
    """A few real channels, the others derived from them by a cheap depthwise layer (GhostNet, arXiv 1911.11907).

    ``ceil(out_channels / ratio)`` channels by an ordinary convolution, ``ratio - 1`` ghosts of each; a surplus is cut.
    """

    title: ClassVar[str] = "Ghost module"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(1)
    ratio: int = declare(
        2, unit="x", minimum=1, maximum=16, choices=(1, 2, 3, 4, 5), help="Channels per real one (s in GhostNet)."
    )
    cheap_kernel_size: int = kernel(3)
    activation: str = activation("relu")

    def expand(self) -> Layer:
        real = math.ceil(self.out_channels / self.ratio)
        ghosts = real * (self.ratio - 1)
        primary = ConvBNAct(self.in_channels, real, self.stride, self.kernel_size, activation=self.activation)
        if not ghosts:
            return Sequential.of(primary=primary)
        cheap = ConvBNAct(real, ghosts, 1, self.cheap_kernel_size, real, self.activation)
        return Sequential.of(
            primary=primary,
            concat=Branches((("primary", Identity()), ("cheap", cheap)), "concat"),
            cut=Slice(0, self.out_channels) if real + ghosts > self.out_channels else None,
        )


@dataclass(frozen=True)
class GhostBottleneck(FieldBlock):
    """Two Ghost modules around a depthwise layer that only a larger stride has (GhostNet, arXiv 1911.11907).

    `kernel_size` is that of the depthwise layer and of the shortcut's. Squeeze-and-excitation has
    ``make_divisible(expanded * se_ratio, 4)`` channels and a hard sigmoid.
    """

    title: ClassVar[str] = "Ghost bottleneck"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    expanded: int = declare(64, unit="channels", minimum=1, scales=True, help="Channels between the Ghost modules.")
    se_ratio: float = se_ratio(0.0)
    ratio: int = declare(
        2, unit="x", minimum=1, maximum=16, choices=(1, 2, 3, 4, 5), help="Channels per real one (s in GhostNet)."
    )

    def expand(self) -> Layer:
        squeezed = make_divisible(self.expanded * self.se_ratio, 4)
        body = Sequential.of(
            ghost1=GhostModule(self.in_channels, self.expanded, ratio=self.ratio),
            depthwise=depthwise(self.expanded, self.kernel_size, self.stride) if self.stride > 1 else None,
            squeeze_excite=(
                SqueezeExcite(self.expanded, squeezed, "relu", "hardsigmoid") if self.se_ratio > 0 else None
            ),
            ghost2=GhostModule(self.expanded, self.out_channels, ratio=self.ratio, activation="none"),
        )
        if _keeps_shape(self):
            return residual(body)
        shortcut = Sequential.of(
            depthwise=depthwise(self.in_channels, self.kernel_size, self.stride),
            pointwise=pointwise(self.in_channels, self.out_channels),
        )
        return residual(body, shortcut)


# --- ResNet, ResNeXt, DenseNet, SqueezeNet -----------------------------------------------------------------------


def _projection(block: BasicBlock | Bottleneck) -> Layer | None:
    if _keeps_shape(block):
        return None
    return ConvBNAct(block.in_channels, block.out_channels, block.stride, kernel_size=1, activation="none")


@dataclass(frozen=True)
class BasicBlock(FieldBlock):
    """Two 3x3 convolutions and a shortcut (ResNet-18/34, arXiv 1512.03385, figure 5)."""

    title: ClassVar[str] = "ResNet basic block"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    def expand(self) -> Layer:
        body = Sequential.of(
            conv1=ConvBNAct(
                self.in_channels, self.out_channels, self.stride, self.kernel_size, activation=self.activation
            ),
            conv2=ConvBNAct(self.out_channels, self.out_channels, 1, self.kernel_size, activation="none"),
        )
        return Sequential.of(residual=residual(body, _projection(self)), act=_act(self.activation))


@dataclass(frozen=True)
class Bottleneck(FieldBlock):
    """1x1 down, 3x3, 1x1 up, and a shortcut (ResNet-50, arXiv 1512.03385; grouped: ResNeXt, arXiv 1611.05431).

    `stride_at` says which convolution reduces: the 3x3 (torchvision, most libraries) or the first 1x1 (the paper).
    """

    title: ClassVar[str] = "ResNet bottleneck"

    in_channels: int
    out_channels: int
    stride: int = 1
    kernel_size: int = kernel(3)
    groups: int = groups(1, "Groups of the 3x3 convolution (cardinality in ResNeXt).")
    bottleneck_ratio: float = declare(
        0.25,
        unit="x",
        minimum=0,
        maximum=8,
        open_below=True,
        choices=(0.25, 0.5, 1.0),
        help="Inner channels per output channel: 1/4 in ResNet, 1/2 in ResNeXt 32x4d.",
    )
    stride_at: str = declare("3x3", choices=("3x3", "1x1"), help="Which convolution has the stride.")
    activation: str = activation("relu")

    @property
    def inner(self) -> int:
        """Channels of the 3x3 convolution."""
        return max(1, round(exact(self.out_channels * self.bottleneck_ratio)))

    def expand(self) -> Layer:
        first, second = (self.stride, 1) if self.stride_at == "1x1" else (1, self.stride)
        body = Sequential.of(
            reduce=ConvBNAct(self.in_channels, self.inner, first, 1, activation=self.activation),
            conv=ConvBNAct(self.inner, self.inner, second, self.kernel_size, self.groups, self.activation),
            expand=pointwise(self.inner, self.out_channels),
        )
        return Sequential.of(residual=residual(body, _projection(self)), act=_act(self.activation))


@dataclass(frozen=True)
class DenseLayer(FieldBlock):
    """Add `growth` channels computed from all before them (DenseNet-B, arXiv 1608.06993)."""

    title: ClassVar[str] = "Dense layer"
    derives_out_channels = True
    has_stride = False

    in_channels: int
    growth: int = declare(32, unit="channels", minimum=1, scales=True, help="New channels per layer (k in DenseNet).")
    bottleneck: int = declare(4, unit="x", minimum=1, maximum=64, help="Channels of the 1x1 per new channel.")
    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    @property
    def out_channels(self) -> int:
        """The input's channels and the new ones."""
        return self.in_channels + self.growth

    def expand(self) -> Layer:
        inner = self.bottleneck * self.growth
        body = Sequential.of(
            norm=BatchNorm2d(self.in_channels),
            act=_act(self.activation),
            reduce=pointwise(self.in_channels, inner, self.activation),
            conv=Conv2d(inner, self.growth, self.kernel_size, 1, _same_padding(self.kernel_size), bias=False),
        )
        return Branches((("input", Identity()), ("", body)), "concat")


@dataclass(frozen=True)
class Transition(FieldBlock):
    """Batch norm, activation, 1x1 to a share of the channels, average pool (DenseNet-C, arXiv 1608.06993)."""

    title: ClassVar[str] = "Transition"
    derives_out_channels = True

    in_channels: int
    stride: int = 2
    compression: float = declare(
        0.5, unit="x", minimum=0, maximum=1, open_below=True, help="Output channels per input channel."
    )
    activation: str = activation("relu")

    @property
    def out_channels(self) -> int:
        """The compressed width."""
        return max(1, int(exact(self.in_channels * self.compression)))

    def expand(self) -> Layer:
        return Sequential.of(
            norm=BatchNorm2d(self.in_channels),
            act=_act(self.activation),
            conv=Conv2d(self.in_channels, self.out_channels, 1, bias=False),
            pool=AvgPool2d(self.stride, self.stride) if self.stride > 1 else None,
        )


@dataclass(frozen=True)
class Fire(FieldBlock):
    """1x1 squeeze, then 1x1 and 3x3 side by side; biases, no batch norm (SqueezeNet, arXiv 1602.07360)."""

    title: ClassVar[str] = "Fire module"
    derives_out_channels = True
    has_stride = False

    in_channels: int
    squeeze: int = declare(16, unit="channels", minimum=1, scales=True, help="Channels of the squeeze (s1x1).")
    expand1x1: int = declare(64, unit="channels", minimum=1, scales=True, help="Channels of the 1x1 branch (e1x1).")
    expand3x3: int = declare(64, unit="channels", minimum=1, scales=True, help="Channels of the 3x3 branch (e3x3).")

    @property
    def out_channels(self) -> int:
        """Both branches together."""
        return self.expand1x1 + self.expand3x3

    def expand(self) -> Layer:
        return Sequential.of(
            squeeze=ConvBNAct(self.in_channels, self.squeeze, kernel_size=1, norm=False),
            concat=Branches(
                (
                    ("expand1x1", ConvBNAct(self.squeeze, self.expand1x1, kernel_size=1, norm=False)),
                    ("expand3x3", ConvBNAct(self.squeeze, self.expand3x3, kernel_size=3, norm=False)),
                ),
                "concat",
            ),
        )


BLOCKS: dict[str, type[FieldBlock]] = {
    "conv": ConvBNAct,
    "depthwise_separable": DepthwiseSeparable,
    "inverted_residual": InvertedResidual,
    "mbconv": MBConv,
    "fused_mbconv": FusedMBConv,
    "squeeze_excite": SqueezeExcite,
    "shuffle_unit_v1": ShuffleUnitV1,
    "shuffle_unit_v2": ShuffleUnitV2,
    "ghost_module": GhostModule,
    "ghost_bottleneck": GhostBottleneck,
    "basic_block": BasicBlock,
    "bottleneck": Bottleneck,
    "dense_layer": DenseLayer,
    "transition": Transition,
    "fire": Fire,
    "channel_shuffle": ShuffleRow,
    "norm_act": NormAct,
    "max_pool": MaxPool,
    "avg_pool": AvgPool,
    "adaptive_avg_pool": AdaptivePool,
    "global_avg_pool": GlobalPool,
    "flatten": FlattenRow,
    "dropout": DropoutRow,
    "linear": LinearAct,
}
"""Every block by the name a design's row calls it."""

__all__ = ["BLOCKS", *sorted(block.__name__ for block in BLOCKS.values()), "Primitive", "depthwise", "pointwise"]
