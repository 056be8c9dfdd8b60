"""The units of ShuffleNetV1 and V2."""

from effviz.core.errors import fail
from effviz.model.blocks.basic import StridedBlock, act, depthwise, pointwise
from effviz.model.fields import activation, block, declare, groups, kernel
from effviz.model.layers import AvgPool2d, Branches, ChannelShuffle, Identity, Layer, Sequential, residual


def _check_widths(unit: StridedBlock) -> None:
    relation = f"in_channels = {unit.in_channels} at stride"
    if unit.stride == 1 and unit.in_channels != unit.out_channels:
        fail("out_channels", unit.out_channels, f"must equal {relation} 1")
    if unit.stride > 1 and unit.out_channels <= unit.in_channels:
        fail("out_channels", unit.out_channels, f"must exceed {relation} > 1")


@block("shuffle_unit_v1", "ShuffleNet V1 unit", part=False)
class ShuffleUnitV1(StridedBlock):
    """Grouped 1x1, channel shuffle, depthwise, grouped 1x1 (ShuffleNet, arXiv 1707.01083, figure 2).

    At stride 1 the input is added. At a larger stride its 3x3 average pool is concatenated, and the second 1x1 has
    ``out_channels - in_channels`` channels. The inner width is a quarter of the output. Without `grouped_input` the
    first 1x1 has one group, as in the first unit of stage 2. Activations as in megvii-model/ShuffleNet-Series.
    """

    groups: int = groups(3)
    kernel_size: int = kernel(3)
    grouped_input: bool = declare(True, help="Group the first 1×1 too, unlike the first unit of stage 2.")
    activation: str = activation("relu")

    def check(self) -> None:
        _check_widths(self)
        if self.out_channels < 4:
            fail("out_channels", self.out_channels, "must be at least 4: the inner width is a quarter of it")

    def expand(self) -> Layer:
        inner = self.out_channels // 4
        reduced = self.stride > 1
        added = self.out_channels - self.in_channels if reduced else self.out_channels
        body = Sequential.of(
            reduce=pointwise(self.in_channels, inner, self.activation, self.groups if self.grouped_input else 1),
            shuffle=ChannelShuffle(self.groups) if self.groups > 1 else None,
            depthwise=depthwise(inner, self.kernel_size, self.stride),
            expand=pointwise(inner, added, self.activation if reduced else "none", self.groups),
        )
        if not reduced:
            return Sequential.of(residual=residual(body), act=act(self.activation))
        return Branches((("pool", AvgPool2d(3, self.stride, 1)), ("", body)), "concat")


@block("shuffle_unit_v2", "ShuffleNet V2 unit", part=False)
class ShuffleUnitV2(StridedBlock):
    """Split the channels, convolve one half, concatenate, shuffle (ShuffleNetV2, arXiv 1807.11164, figure 3).

    A larger stride has no split. The left branch keeps the input channels and the right branch adds the others, as in
    megvii-model/ShuffleNet-Series. In torchvision each branch has half of the output channels (`equal_branches`).
    """

    kernel_size: int = kernel(3)
    activation: str = activation("relu")
    equal_branches: bool = declare(False, help="At a larger stride, each branch has half of the output (torchvision).")

    def check(self) -> None:
        _check_widths(self)
        if self.out_channels % 2:
            fail("out_channels", self.out_channels, "must be even: the unit splits it into halves")

    def expand(self) -> Layer:
        half, kept = self.out_channels // 2, left_channels(self)
        reduced = self.stride > 1
        right = Sequential.of(
            reduce=pointwise(self.in_channels if reduced else half, half, self.activation),
            depthwise=depthwise(half, self.kernel_size, self.stride),
            expand=pointwise(half, self.out_channels - kept, self.activation),
        )
        left: Layer = Identity()
        if reduced:
            left = Sequential.of(
                depthwise=depthwise(self.in_channels, self.kernel_size, self.stride),
                pointwise=pointwise(self.in_channels, kept, self.activation),
            )
        merged = Branches((("left", left), ("right", right)), "concat", split=not reduced)
        return Sequential.of(concat=merged, shuffle=ChannelShuffle(2))


def left_channels(unit: ShuffleUnitV2) -> int:
    """Return the output channels of the left branch."""
    return unit.out_channels // 2 if unit.stride == 1 or unit.equal_branches else unit.in_channels
