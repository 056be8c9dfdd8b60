"""The blocks of MobileNet, MnasNet and EfficientNet: separable convolutions, inverted residuals, excitation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from effviz.core.errors import fail
from effviz.core.rounding import floor_at_least, make_divisible, nearest
from effviz.model import layers
from effviz.model.blocks.basic import ConvBNAct, StridedBlock, act, depthwise, pointwise
from effviz.model.fields import FieldBlock, activation, block, declare, expand_ratio, kernel, se_bias, se_ratio
from effviz.model.layers import Activation, Branches, Conv2d, Identity, Layer, Sequential, residual


@block("depthwise_separable", "Depthwise separable convolution")
class DepthwiseSeparable(StridedBlock):
    """Depthwise then pointwise convolution, each with batch norm and activation (MobileNetV1, arXiv 1704.04861)."""

    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    def expand(self) -> Layer:
        return Sequential.of(
            depthwise=depthwise(self.in_channels, self.kernel_size, self.stride, self.activation),
            pointwise=pointwise(self.in_channels, self.out_channels, self.activation),
        )


@block("inverted_residual", "Inverted residual")
class InvertedResidual(StridedBlock):
    """Expansion, depthwise layer, linear projection; a shortcut joins the narrow ends (MobileNetV2/V3).

    Source: arXiv 1801.04381, table 1; with squeeze-and-excitation on the *expanded* channels arXiv 1905.02244.
    There is no expansion if it would not change the width. MobileNetV3 rounds the expanded width (`expand_divisor`)
    and the squeeze to multiples of 8. torchvision scales the expanded width of the paper's table instead
    (`expanded_channels`). Other code truncates the squeeze (`se_divisor` 1) or keeps the expansion (`always_expand`).
    """

    kernel_size: int = kernel(3)
    expand_ratio: float = expand_ratio(6.0)
    se_ratio: float = se_ratio(0.0)
    activation: str = activation("relu6")
    expand_divisor: int = declare(1, unit="channels", minimum=1, maximum=64, help="Divisor of the expanded width.")
    shortcut: bool = declare(True, help="Add the input if the shapes agree.")
    drop_prob: float = declare(0.0, minimum=0, maximum=1, help="Stochastic depth of the residual, in training.")
    se_bias: bool = se_bias()
    se_divisor: int = declare(8, unit="channels", minimum=1, maximum=64, help="Divisor of the squeeze; 1 truncates it.")
    expanded_channels: int | None = declare(
        None, kind="int", optional=True, unit="channels", minimum=1, scales=True,
        help="Channels inside the block, instead of the expand ratio.",
    )  # fmt: skip
    always_expand: bool = declare(False, help="Keep the 1×1 expansion if it does not change the width.")

    @property
    def expanded(self) -> int:
        """Channels between expansion and projection."""
        if self.expanded_channels is not None:
            return self.expanded_channels
        wide = self.in_channels * self.expand_ratio
        return make_divisible(wide, self.expand_divisor) if self.expand_divisor > 1 else nearest(wide)

    @property
    def expands(self) -> bool:
        """Whether the block has the 1x1 expansion."""
        return self.always_expand or self.expanded != self.in_channels

    def expand(self) -> Layer:
        exact, divisor = self.expanded * self.se_ratio, self.se_divisor
        squeezed = make_divisible(exact, divisor) if divisor > 1 else floor_at_least(exact, 1)
        excite = SqueezeExcite(self.expanded, squeezed, "relu", "hardsigmoid", self.se_bias) if self.se_ratio else None
        return _inverted_residual(self, excite)


@dataclass(frozen=True)
class _MBConv(StridedBlock):
    kernel_size: int = kernel(3)
    expand_ratio: float = expand_ratio(6.0)
    se_ratio: float = se_ratio(0.25)
    activation: str = activation("silu")
    shortcut: bool = declare(True, help="Add the input if the shapes agree.")
    drop_prob: float = declare(0.0, minimum=0, maximum=1, help="Stochastic depth of the residual, in training.")
    se_bias: bool = se_bias()

    @property
    def expanded(self) -> int:
        """Channels between expansion and projection."""
        return nearest(self.in_channels * self.expand_ratio)

    @property
    def expands(self) -> bool:
        """Whether the block has the 1x1 expansion."""
        return self.expanded != self.in_channels


@block("mbconv", "MBConv")
class MBConv(_MBConv):
    """Inverted residual; its squeeze is relative to the block's *input* channels (EfficientNet, MnasNet).

    Source: arXiv 1905.11946; squeeze = max(1, int(in_channels * se_ratio)), as in tensorflow/tpu
    `efficientnet_model.py`.
    """

    @property
    def squeezed(self) -> int:
        """Channels of the squeeze."""
        return floor_at_least(self.in_channels * self.se_ratio, 1)

    def expand(self) -> Layer:
        excite = (
            SqueezeExcite(self.expanded, self.squeezed, self.activation, bias=self.se_bias) if self.se_ratio else None
        )
        return _inverted_residual(self, excite)


@block("fused_mbconv", "Fused-MBConv")
class FusedMBConv(_MBConv):
    """MBConv with one full convolution for expansion and depthwise layer (EfficientNetV2, arXiv 2104.00298).

    At `expand_ratio` 1 the block is a single convolution.
    """

    expand_ratio: float = expand_ratio(4.0)
    se_ratio: float = se_ratio(0.0)

    def expand(self) -> Layer:
        is_single = self.expanded == self.in_channels
        width = self.out_channels if is_single else self.expanded
        conv = ConvBNAct(self.in_channels, width, self.stride, self.kernel_size, activation=self.activation)
        squeezed = floor_at_least(self.in_channels * self.se_ratio, 1)
        excite = SqueezeExcite(width, squeezed, self.activation, bias=self.se_bias) if self.se_ratio > 0 else None
        if is_single:
            return _with_shortcut(self, Sequential.of(fused=conv, squeeze_excite=excite))
        project = pointwise(width, self.out_channels)
        return _with_shortcut(self, Sequential.of(expand=conv, squeeze_excite=excite, project=project))


def _inverted_residual(block: InvertedResidual | MBConv, excite: Layer | None) -> Layer:
    wide = block.expanded
    body = Sequential.of(
        expand=pointwise(block.in_channels, wide, block.activation) if block.expands else None,
        depthwise=depthwise(wide, block.kernel_size, block.stride, block.activation),
        squeeze_excite=excite,
        project=pointwise(wide, block.out_channels),
    )
    return _with_shortcut(block, body)


def _with_shortcut(block: InvertedResidual | _MBConv | UniversalInvertedBottleneck, body: Sequential) -> Layer:
    if not (block.shortcut and block.keeps_shape):
        return body
    drop = (("drop", layers.StochasticDepth(block.drop_prob)),) if block.drop_prob > 0 else ()
    return residual(Sequential((*body.children, *drop)))


@block("squeeze_excite", "Squeeze-and-excitation")
class SqueezeExcite(FieldBlock):
    """Weight each channel by a gate computed from all channels (arXiv 1709.01507).

    Global average pool, 1x1 to `squeezed` channels, 1x1 back, gate. Neither 1x1 layer has batch norm.
    """

    in_channels: int
    squeezed: int = declare(16, unit="channels", minimum=1, scales=True, help="Channels between the two 1×1 layers.")
    activation: str = activation("relu")
    gate: str = declare("sigmoid", choices=("sigmoid", "hardsigmoid"), help="Activation of the gate.")
    bias: bool = se_bias()

    def expand(self) -> Layer:
        gate = Sequential.of(
            pool=layers.GlobalAvgPool(),
            reduce=Conv2d(self.in_channels, self.squeezed, 1, bias=self.bias),
            act=act(self.activation),
            expand=Conv2d(self.squeezed, self.in_channels, 1, bias=self.bias),
            gate=Activation(self.gate),
        )
        return Branches((("input", Identity()), ("", gate)), "mul")


def _depthwise_size(default: int, text: str) -> Any:
    choices = (0, 3, 5, 7)
    return declare(default, unit="pixels", minimum=0, maximum=63, choices=choices, help=f"{text} 0 leaves it out.")


@block("universal_inverted_bottleneck", "Universal inverted bottleneck")
class UniversalInvertedBottleneck(StridedBlock):
    """Inverted residual with optional depthwise layers before and after the expansion (MobileNetV4, arXiv 2404.10518).

    With both it is ExtraDW. With the inner one it is an inverted residual, with the first one a ConvNeXt block, and
    without any a feed-forward network (FFN). The inner one has the stride, otherwise the first one. The expanded width
    is rounded to multiples of 8.
    """

    start_kernel_size: int = _depthwise_size(0, "Side of the first depthwise window.")
    kernel_size: int = _depthwise_size(3, "Side of the inner depthwise window.")
    expand_ratio: float = expand_ratio(4.0)
    activation: str = activation("relu")
    shortcut: bool = declare(True, help="Add the input if the shapes agree.")
    drop_prob: float = declare(0.0, minimum=0, maximum=1, help="Stochastic depth of the residual, in training.")

    def check(self) -> None:
        if self.stride > 1 and not (self.start_kernel_size or self.kernel_size):
            fail("stride", self.stride, "must be 1 without a depthwise layer")

    @property
    def expanded(self) -> int:
        """Channels between expansion and projection."""
        return make_divisible(self.in_channels * self.expand_ratio, 8)

    def expand(self) -> Layer:
        first, inner = (1, self.stride) if self.kernel_size else (self.stride, 1)
        start, middle = self.start_kernel_size, self.kernel_size
        body = Sequential.of(
            start=depthwise(self.in_channels, start, first) if start else None,
            expand=pointwise(self.in_channels, self.expanded, self.activation),
            depthwise=depthwise(self.expanded, middle, inner, self.activation) if middle else None,
            project=pointwise(self.expanded, self.out_channels),
        )
        return _with_shortcut(self, body)


@block("mobileone_block", "MobileOne block")
class MobileOneBlock(StridedBlock):
    """Depthwise then pointwise convolution, each with a bias and an activation (MobileOne, arXiv 2206.04040).

    This is the inference form: the parallel branches of the training form and their batch norms are folded into one
    convolution.
    """

    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    def expand(self) -> Layer:
        channels, window = self.in_channels, (self.stride, self.kernel_size)
        return Sequential.of(
            depthwise=ConvBNAct(channels, channels, *window, channels, self.activation, norm=False),
            pointwise=ConvBNAct(channels, self.out_channels, 1, 1, activation=self.activation, norm=False),
        )
