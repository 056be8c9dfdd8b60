"""Ghost modules and bottlenecks."""

import math
from typing import Any

from effviz.core.rounding import make_divisible
from effviz.model.blocks.basic import ConvBNAct, StridedBlock, depthwise, pointwise
from effviz.model.blocks.mobile import SqueezeExcite
from effviz.model.fields import FieldBlock, activation, block, declare, kernel, se_bias, se_ratio
from effviz.model.layers import (
    RESIZE,
    Activation,
    AvgPool2d,
    BatchNorm2d,
    Branches,
    Conv2d,
    Identity,
    Layer,
    Sequential,
    Slice,
    residual,
)


def _ratio() -> Any:
    choices = (1, 2, 3, 4, 5)
    return declare(2, unit="x", minimum=1, maximum=16, choices=choices, help="Channels per real one (s in GhostNet).")


@block("ghost_module", "Ghost module")
class GhostModule(StridedBlock):
    """A convolution to a few channels; a cheap depthwise layer derives the others (GhostNet, arXiv 1911.11907).

    The convolution has ``ceil(out_channels / ratio)`` channels, each with ``ratio - 1`` ghosts. A surplus is cut.
    """

    kernel_size: int = kernel(1)
    ratio: int = _ratio()
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


@block("ghost_module_dfc", "Ghost module with DFC attention")
class AttentiveGhostModule(FieldBlock):
    """A Ghost module whose output is multiplied by DFC attention (GhostNetV2, arXiv 2211.12905, section 3).

    DFC attention ("decoupled fully connected") averages 2 x 2 pixels, sums each row and then each column with one
    depthwise filter per channel, and is enlarged to the size of the map again.
    """

    in_channels: int
    out_channels: int
    ratio: int = _ratio()
    cheap_kernel_size: int = kernel(3)
    attention_kernel_size: int = declare(
        5,
        unit="pixels",
        minimum=1,
        maximum=63,
        choices=(3, 5, 7, 9),
        help="Length of the filters along rows and columns.",
    )
    activation: str = activation("relu")

    def expand(self) -> Layer:
        ghost = GhostModule(
            self.in_channels, self.out_channels,
            ratio=self.ratio, cheap_kernel_size=self.cheap_kernel_size, activation=self.activation,
        )  # fmt: skip
        attention = Sequential.of(
            pool=AvgPool2d(2),
            pointwise=pointwise(self.in_channels, self.out_channels),
            horizontal=self._line((1, self.attention_kernel_size)),
            vertical=self._line((self.attention_kernel_size, 1)),
            sigmoid=Activation("sigmoid"),
        )
        enlarged = Branches((("", attention), ("size", Identity())), RESIZE)
        return Branches((("ghost", ghost), ("attention", enlarged)), "mul")

    def _line(self, size: tuple[int, int]) -> Layer:
        width, (high, wide) = self.out_channels, size
        conv = Conv2d(width, width, size, padding=(high // 2, wide // 2), groups=width, bias=False)
        return Sequential.of(conv=conv, norm=BatchNorm2d(width))


@block("ghost_bottleneck", "Ghost bottleneck")
class GhostBottleneck(StridedBlock):
    """Two Ghost modules; with a stride, a depthwise layer between them (GhostNet, arXiv 1911.11907).

    `kernel_size` applies to this layer and to the depthwise layer of the shortcut. Squeeze-and-excitation has
    ``make_divisible(expanded * se_ratio, 4)`` channels and a hard sigmoid. With `attention`, the first Ghost module has
    DFC attention (GhostNetV2, arXiv 2211.12905).
    """

    kernel_size: int = kernel(3)
    expanded: int = declare(64, unit="channels", minimum=1, scales=True, help="Channels between the Ghost modules.")
    se_ratio: float = se_ratio(0.0)
    ratio: int = _ratio()
    se_bias: bool = se_bias()
    attention: bool = declare(False, help="DFC attention in the first Ghost module, as in GhostNetV2.")

    def expand(self) -> Layer:
        squeezed = make_divisible(self.expanded * self.se_ratio, 4)
        excite = SqueezeExcite(self.expanded, squeezed, "relu", "hardsigmoid", self.se_bias) if self.se_ratio else None
        inputs, wide, ratio = self.in_channels, self.expanded, self.ratio
        first: Layer = GhostModule(inputs, wide, ratio=ratio)
        if self.attention:
            first = AttentiveGhostModule(inputs, wide, ratio)
        body = Sequential.of(
            ghost1=first,
            depthwise=depthwise(self.expanded, self.kernel_size, self.stride) if self.stride > 1 else None,
            squeeze_excite=excite,
            ghost2=GhostModule(self.expanded, self.out_channels, ratio=self.ratio, activation="none"),
        )
        if self.keeps_shape:
            return residual(body)
        shortcut = Sequential.of(
            depthwise=depthwise(self.in_channels, self.kernel_size, self.stride),
            pointwise=pointwise(self.in_channels, self.out_channels),
        )
        return residual(body, shortcut)
