"""Blocks of the networks after vision transformers: ConvNeXt and FasterNet."""

from effviz.core.errors import fail
from effviz.core.rounding import nearest
from effviz.model import layers
from effviz.model.blocks.basic import act, same_padding
from effviz.model.fields import FieldBlock, activation, block, declare, expand_ratio, kernel
from effviz.model.layers import BatchNorm2d, Branches, Conv2d, LayerNorm2d, LayerScale, Sequential, Slice, residual


@block("layer_norm", "Layer norm")
class LayerNormRow(FieldBlock):
    """Normalise the channels of each pixel (ConvNeXt, arXiv 2201.03545)."""

    in_channels: int

    def expand(self) -> layers.Layer:
        return LayerNorm2d(self.in_channels)


@block("convnext_block", "ConvNeXt block")
class ConvNeXtBlock(FieldBlock):
    """Depthwise layer, layer norm, 1x1 up, activation, 1x1 down, scale per channel, residual (arXiv 2201.03545).

    All convolutions have biases. Libraries write the 1x1 convolutions as linear layers, with equal counts.
    """

    in_channels: int
    kernel_size: int = kernel(7)
    expand_ratio: float = expand_ratio(4.0)
    activation: str = activation("gelu")
    drop_prob: float = declare(0.0, minimum=0, maximum=1, help="Stochastic depth of the residual, in training.")

    @property
    def expanded(self) -> int:
        """Channels between the two 1x1 convolutions."""
        return nearest(self.in_channels * self.expand_ratio)

    def expand(self) -> layers.Layer:
        channels, size = self.in_channels, self.kernel_size
        body = Sequential.of(
            depthwise=Conv2d(channels, channels, size, padding=same_padding(size), groups=channels),
            norm=LayerNorm2d(channels),
            expand=Conv2d(channels, self.expanded, 1),
            act=act(self.activation),
            project=Conv2d(self.expanded, channels, 1),
            scale=LayerScale(channels),
            drop=layers.StochasticDepth(self.drop_prob) if self.drop_prob > 0 else None,
        )
        return residual(body)


@block("partial_conv", "Partial convolution")
class PartialConv(FieldBlock):
    """Convolve the first channels and copy the others (FasterNet, arXiv 2303.03667).

    The first ``in_channels // partial_ratio`` channels have a convolution without batch norm and bias.
    """

    in_channels: int
    kernel_size: int = kernel(3)
    partial_ratio: int = declare(
        4, unit="x", minimum=1, maximum=64, choices=(1, 2, 4, 8), help="Channels per convolved one (r in FasterNet)."
    )

    def check(self) -> None:
        if self.in_channels < self.partial_ratio:
            fail("partial_ratio", self.partial_ratio, f"must be at most in_channels = {self.in_channels}")

    def expand(self) -> layers.Layer:
        channels = self.in_channels // self.partial_ratio
        conv = Conv2d(channels, channels, self.kernel_size, padding=same_padding(self.kernel_size), bias=False)
        if channels == self.in_channels:
            return Sequential.of(conv=conv)
        convolved = Sequential.of(first=Slice(0, channels), conv=conv)
        return Branches((("", convolved), ("others", Slice(channels, self.in_channels))), "concat")


@block("fasternet_block", "FasterNet block")
class FasterNetBlock(FieldBlock):
    """Partial convolution, 1x1 up, batch norm and activation, 1x1 down, residual (FasterNet, arXiv 2303.03667)."""

    in_channels: int
    kernel_size: int = kernel(3)
    partial_ratio: int = declare(
        4, unit="x", minimum=1, maximum=64, choices=(1, 2, 4, 8), help="Channels per convolved one (r in FasterNet)."
    )
    expand_ratio: float = expand_ratio(2.0)
    activation: str = activation("relu")
    drop_prob: float = declare(0.0, minimum=0, maximum=1, help="Stochastic depth of the residual, in training.")

    @property
    def expanded(self) -> int:
        """Channels between the two 1x1 convolutions."""
        return nearest(self.in_channels * self.expand_ratio)

    def expand(self) -> layers.Layer:
        body = Sequential.of(
            partial=PartialConv(self.in_channels, self.kernel_size, self.partial_ratio),
            expand=Conv2d(self.in_channels, self.expanded, 1, bias=False),
            norm=BatchNorm2d(self.expanded),
            act=act(self.activation),
            project=Conv2d(self.expanded, self.in_channels, 1, bias=False),
            drop=layers.StochasticDepth(self.drop_prob) if self.drop_prob > 0 else None,
        )
        return residual(body)
