"""Blocks of the experiments behind ShuffleNetV2's guidelines (arXiv 1807.11164, section 2): no batch norm, no bias."""

from effviz.core.rounding import nearest
from effviz.model.blocks.basic import act
from effviz.model.fields import FieldBlock, activation, block, bottleneck_ratio, declare
from effviz.model.layers import Branches, Conv2d, Layer, Sequential, residual


@block("fragments", "Fragments")
class Fragments(FieldBlock):
    """1x1 convolutions in series, or in parallel and added (guideline 3)."""

    in_channels: int
    fragments: int = declare(
        2, unit="convolutions", minimum=1, maximum=64, choices=(1, 2, 4, 8), help="Number of 1×1 convolutions."
    )
    arrangement: str = declare("parallel", choices=("series", "parallel"), help="In series, or in parallel and added.")

    def expand(self) -> Layer:
        convs = [Conv2d(self.in_channels, self.in_channels, 1, bias=False) for _ in range(self.fragments)]
        if self.arrangement == "series" or self.fragments == 1:
            return Sequential.numbered(convs)
        return Branches(tuple((str(index), conv) for index, conv in enumerate(convs)), "add")


@block("plain_bottleneck", "Bottleneck without batch norm")
class PlainBottleneck(FieldBlock):
    """1x1 down, 3x3, 1x1 up; activation and shortcut are optional (guideline 4)."""

    in_channels: int
    bottleneck_ratio: float = bottleneck_ratio("Inner channels per channel of the block: 1/4 in ResNet.")
    shortcut: bool = declare(True, help="Add the input to the output.")
    activation: str = activation("relu")

    @property
    def inner(self) -> int:
        """Channels of the 3x3 convolution."""
        return nearest(self.in_channels * self.bottleneck_ratio)

    def expand(self) -> Layer:
        body = Sequential.of(
            reduce=Conv2d(self.in_channels, self.inner, 1, bias=False),
            act1=act(self.activation),
            conv=Conv2d(self.inner, self.inner, 3, padding=1, bias=False),
            act2=act(self.activation),
            expand=Conv2d(self.inner, self.in_channels, 1, bias=False),
        )
        last = act(self.activation)
        if self.shortcut:
            return Sequential.of(residual=residual(body), act=last)
        return Sequential((*body.children, *((("act", last),) if last else ())))
