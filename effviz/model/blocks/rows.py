"""Blocks that are one layer with its options: pooling, flatten, dropout, channel shuffle, the classifier."""

from dataclasses import dataclass
from typing import ClassVar

from effviz.model import layers
from effviz.model.blocks.basic import act, same_padding
from effviz.model.fields import FieldBlock, activation, block, declare, groups, kernel, padding
from effviz.model.layers import AvgPool2d, Layer, MaxPool2d, Sequential


@block("channel_shuffle", "Channel shuffle")
class ShuffleRow(FieldBlock):
    """Interleave the channels of the groups (ShuffleNet)."""

    groups: int = groups(2)

    def expand(self) -> Layer:
        return layers.ChannelShuffle(self.groups)


@block("norm_act", "Batch norm, activation")
class NormAct(FieldBlock):
    """Batch norm and activation before a convolution (pre-activation, DenseNet)."""

    in_channels: int
    activation: str = activation("relu")

    def expand(self) -> Layer:
        return Sequential.of(norm=layers.BatchNorm2d(self.in_channels), act=act(self.activation))


@dataclass(frozen=True)
class _Pool(FieldBlock):
    layer: ClassVar[type[MaxPool2d | AvgPool2d]]

    stride: int = 2
    kernel_size: int = kernel(3)
    padding: int | None = padding(31)
    ceil_mode: bool = declare(False, help="Keep a last window that is only partly filled.")

    def expand(self) -> Layer:
        padding = same_padding(self.kernel_size) if self.padding is None else self.padding
        return self.layer(self.kernel_size, self.stride, padding, ceil_mode=self.ceil_mode)


@block("max_pool", "Max pooling")
class MaxPool(_Pool):
    """Maximum over a sliding window."""

    layer = MaxPool2d


@block("avg_pool", "Average pooling")
class AvgPool(_Pool):
    """Mean over a sliding window."""

    layer = AvgPool2d

    kernel_size: int = kernel(2)


@block("adaptive_avg_pool", "Adaptive average pooling", part=False)
class AdaptivePool(FieldBlock):
    """Average pooling to a fixed size, which makes the next layers independent of the resolution."""

    output_size: int = declare(1, unit="pixels", minimum=1, maximum=1024, help="Side of the output.")

    def expand(self) -> Layer:
        return layers.AdaptiveAvgPool2d(self.output_size)


@block("global_avg_pool", "Global average pooling", part=False)
class GlobalPool(FieldBlock):
    """Mean over all pixels of each channel."""

    def expand(self) -> Layer:
        return layers.GlobalAvgPool()


@block("flatten", "Flatten", part=False)
class FlattenRow(FieldBlock):
    """Reshape the map into one vector of features."""

    def expand(self) -> Layer:
        return layers.Flatten()


@block("dropout", "Dropout")
class DropoutRow(FieldBlock):
    """Dropout, active in training only."""

    p: float = declare(0.5, minimum=0, maximum=1, help="Probability that an element is set to zero in training.")

    def expand(self) -> Layer:
        return layers.Dropout(self.p)


@block("linear", "Fully connected layer", part=False)
class LinearAct(FieldBlock):
    """Fully connected layer: flatten, dropout, matrix product, activation."""

    flattens: ClassVar[bool] = True

    in_channels: int
    out_channels: int
    bias: bool = declare(True, help="Add a bias to each output.")
    dropout: float = declare(0.0, minimum=0, maximum=1, help="Dropout before the layer, in training.")
    activation: str = activation("none")

    def expand(self) -> Layer:
        return Sequential.of(
            flatten=layers.Flatten(),
            dropout=layers.Dropout(self.dropout) if self.dropout > 0 else None,
            linear=layers.Linear(self.in_channels, self.out_channels, self.bias),
            act=act(self.activation),
        )
