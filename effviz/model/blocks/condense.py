"""Blocks of CondenseNet in its converted form, after training."""

from typing import ClassVar

from effviz.core.errors import fail
from effviz.core.rounding import floor_at_least
from effviz.model.blocks.basic import act, same_padding
from effviz.model.fields import FieldBlock, activation, block, declare, groups, kernel
from effviz.model.layers import (
    BatchNorm2d,
    Branches,
    ChannelSelect,
    ChannelShuffle,
    Conv2d,
    Flatten,
    Identity,
    Layer,
    Linear,
    Sequential,
)


@block("condense_layer", "CondenseNet layer", part=False)
class CondenseLayer(FieldBlock):
    """Append `growth` channels, computed from a learned selection of earlier ones (CondenseNet, arXiv 1711.09224).

    Training keeps the most important ``in_channels / condense_factor`` inputs of each group of the 1x1 convolution. The
    converted layer selects the inputs of all groups and runs a standard group convolution. Layers as in
    ShichenLiu/CondenseNet.
    """

    in_channels: int
    growth: int = declare(32, unit="channels", minimum=1, scales=True, help="New channels per layer (k in DenseNet).")
    groups: int = groups(4, "Groups of the 1×1 and of the 3×3 convolution (G).")
    condense_factor: int = declare(
        4, unit="x", minimum=1, choices=(1, 2, 4, 8), help="Input channels per channel that a group keeps (C)."
    )
    bottleneck: int = declare(4, unit="x", minimum=1, maximum=64, help="Channels of the 1×1 per new channel.")
    kernel_size: int = kernel(3)
    activation: str = activation("relu")

    def check(self) -> None:
        if self.in_channels % self.condense_factor:
            fail("condense_factor", self.condense_factor, f"must divide in_channels = {self.in_channels}")

    @property
    def out_channels(self) -> int:
        """Channels of the input plus the new channels."""
        return self.in_channels + self.growth

    def expand(self) -> Layer:
        selected = self.groups * (self.in_channels // self.condense_factor)
        inner = self.bottleneck * self.growth
        padding = same_padding(self.kernel_size)
        body = Sequential.of(
            select=ChannelSelect(self.in_channels, selected),
            norm1=BatchNorm2d(selected),
            act1=act(self.activation),
            reduce=Conv2d(selected, inner, 1, groups=self.groups, bias=False),
            shuffle=ChannelShuffle(self.groups) if self.groups > 1 else None,
            norm2=BatchNorm2d(inner),
            act2=act(self.activation),
            conv=Conv2d(inner, self.growth, self.kernel_size, 1, padding, groups=self.groups, bias=False),
        )
        return Branches((("input", Identity()), ("", body)), "concat")


@block("condense_linear", "Condensed fully connected layer", part=False)
class CondenseLinear(FieldBlock):
    """Fully connected layer of the most important features (CondenseNet, arXiv 1711.09224)."""

    flattens: ClassVar[bool] = True

    in_channels: int
    out_channels: int
    kept: float = declare(
        0.5, unit="x", minimum=0, maximum=1, open_below=True, help="Features that the layer reads, per feature."
    )
    bias: bool = declare(True, help="Add a bias to each output.")

    def expand(self) -> Layer:
        selected = floor_at_least(self.in_channels * self.kept, 1)
        return Sequential.of(
            flatten=Flatten(),
            select=ChannelSelect(self.in_channels, selected),
            linear=Linear(selected, self.out_channels, self.bias),
        )
