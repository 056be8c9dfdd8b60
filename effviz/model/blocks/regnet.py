"""The block of RegNetX and RegNetY."""

from effviz.core.errors import fail
from effviz.core.rounding import nearest
from effviz.model.blocks.basic import ConvBNAct, StridedBlock, act, pointwise
from effviz.model.blocks.mobile import SqueezeExcite
from effviz.model.fields import activation, block, declare, kernel, se_bias, se_ratio
from effviz.model.layers import Layer, Sequential, residual


@block("regnet_block", "RegNet block")
class RegNetBlock(StridedBlock):
    """1x1, grouped 3x3, 1x1 of equal width, and a shortcut (RegNetX, RegNetY, arXiv 2003.13678, section 3.2).

    The width of a group is given, not the number of groups. Squeeze-and-excitation (RegNetY) follows the 3x3 and has
    ``round(in_channels * se_ratio)`` channels, as in facebookresearch/pycls.
    """

    kernel_size: int = kernel(3)
    group_width: int = declare(
        8, unit="channels", minimum=1, choices=(1, 8, 16, 24, 48), help="Channels in one group of the 3×3 convolution."
    )
    se_ratio: float = se_ratio(0.0)
    activation: str = activation("relu")
    se_bias: bool = se_bias()

    def check(self) -> None:
        if self.out_channels % self.group_width:
            fail("group_width", self.group_width, f"must divide out_channels = {self.out_channels}")

    def expand(self) -> Layer:
        channels, groups = self.out_channels, self.out_channels // self.group_width
        squeezed = nearest(self.in_channels * self.se_ratio)
        excite = SqueezeExcite(channels, squeezed, self.activation, bias=self.se_bias) if self.se_ratio else None
        body = Sequential.of(
            reduce=pointwise(self.in_channels, channels, self.activation),
            conv=ConvBNAct(channels, channels, self.stride, self.kernel_size, groups, self.activation),
            squeeze_excite=excite,
            expand=pointwise(channels, channels),
        )
        shortcut = None
        if not self.keeps_shape:
            shortcut = ConvBNAct(self.in_channels, channels, self.stride, 1, activation="none")
        return Sequential.of(residual=residual(body, shortcut), act=act(self.activation))
