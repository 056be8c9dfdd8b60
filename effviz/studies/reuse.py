"""Feature reuse: the output channels of one block that are unchanged in the output of a later one.

Every output channel of a block gets a mark, which is followed through the layer tree of the later blocks. Splits,
slices, concatenations and channel shuffles move a channel and keep its mark. A convolution, a norm, an activation,
pooling or a product makes new channels. A sum is not a copy: its channels are counted separately, as added.
"""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from effviz.core.arguments import check_border
from effviz.core.errors import UncountedLayerError, fail, unknown
from effviz.core.resolution import Resolution
from effviz.count import cost
from effviz.count.report import analyze
from effviz.model.design import Design
from effviz.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    Block,
    Branches,
    ChannelSelect,
    ChannelShuffle,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Layer,
    LayerNorm2d,
    LayerScale,
    Linear,
    MaxPool2d,
    Primitive,
    Sequential,
    Shape,
    Slice,
    StochasticDepth,
    Subsample,
    ZeroPadChannels,
)
from effviz.model.outline import by_stage, stage_of
from effviz.model.trace import trace_block

KEEP = (Identity, Dropout, StochasticDepth)
"""Layers whose output channels are their input channels, in evaluation mode."""

MAKE_NEW = (
    AdaptiveAvgPool2d, AvgPool2d, BatchNorm2d, Conv2d, Flatten, GlobalAvgPool, LayerNorm2d, LayerScale, Linear,
    MaxPool2d, Subsample,
)  # fmt: skip
"""Layers whose output channels are new. An activation makes new channels too, but keeps the terms of sums."""

Mark: TypeAlias = tuple[int, int]


class Channel(NamedTuple):
    """The origin of a channel."""

    marks: frozenset[Mark] = frozenset()  # blocks and output channels that it copies, one per block passed unchanged
    summands: frozenset[Mark] = frozenset()  # blocks and output channels that are terms of its sum


NEW = Channel()
Matrix: TypeAlias = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Reuse:
    """The output channels of every block of a stage that the output of a later block contains."""

    design: str  # name of the network
    stage: str  # name of the stage
    labels: tuple[str, ...]  # paths of its blocks
    channels: tuple[int, ...]  # number of output channels of each block
    # direct[i][j]: output channels of block i that are unchanged in the output of block j; 0 for j < i
    direct: Matrix
    # added[i][j]: other output channels of block i that are terms of sums in the output of block j; an activation may
    # follow a sum, as in ResNet
    added: Matrix

    @property
    def direct_shares(self) -> tuple[tuple[float, ...], ...]:
        """`direct` as shares of the output channels of block i."""
        return self._shares(self.direct)

    @property
    def added_shares(self) -> tuple[tuple[float, ...], ...]:
        """`added` as shares of the output channels of block i."""
        return self._shares(self.added)

    def _shares(self, counts: Matrix) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(count / width for count in row) for row, width in zip(counts, self.channels, strict=True))


def reuse(design: Design, stage_name: str, resolution: Resolution | None = None) -> Reuse:
    """Follow the channels of one stage, such as ``"stage2"``; the resolution None is that of the design.

    Raises:
        UnknownNameError: the design has no such stage.
        DesignError: the network cannot be built at this resolution.
    """
    built = design.blocks(resolution)
    stages = list(dict.fromkeys(stage_of(entry.path) for entry in built))
    if stage_name not in stages:
        unknown("stage", stage_name, stages)
    blocks = [entry for entry in built if stage_of(entry.path) == stage_name]
    direct, added, widths = [], [], []
    channels = [NEW] * blocks[0].shape[0]
    for place, entry in enumerate(blocks):
        channels, _ = through(entry.block, channels, entry.shape)
        widths.append(len(channels))
        channels = [
            Channel(channel.marks | {(place, index)}, channel.summands) for index, channel in enumerate(channels)
        ]
        copies = frozenset[Mark]().union(*(channel.marks for channel in channels))
        terms = frozenset[Mark]().union(*(channel.summands for channel in channels))
        direct.append(Counter(block for block, _ in copies))
        added.append(Counter(block for block, _ in terms - copies))
    size = range(len(blocks))
    labels = tuple(entry.path for entry in blocks)
    counts = [tuple(tuple(behind[j][i] for j in size) for i in size) for behind in (direct, added)]
    return Reuse(design.name, stage_name, labels, tuple(widths), *counts)


class FeatureReads(NamedTuple):
    """The first convolutions of the blocks of a network, which read the channels that earlier blocks have made."""

    title: str  # of the network
    share: float  # input channels of its block that one filter reads; the mean over all filters, from 0 to 1
    first_macs: int  # multiply-adds of the first convolutions
    macs: int  # multiply-adds of the network
    params: int  # of the network


def reading(design: Design) -> FeatureReads:
    """Count what the first convolution of each block reads, in all stages with several blocks.

    Raises:
        DesignError: the network cannot be built, or it has no such convolution.
    """
    blocks = [entry for stage in by_stage(design.blocks()) if len(stage) > 1 for entry in stage]
    read = available = macs = 0
    for entry in blocks:
        steps = trace_block(entry.block, entry.shape).steps
        first = next((step for step in steps if isinstance(step.layer, Conv2d)), None)
        if first is None:
            continue
        conv: Conv2d = first.layer  # type: ignore[assignment]
        read += conv.in_channels // conv.groups * conv.out_channels
        available += entry.shape[0] * conv.out_channels
        macs += cost.macs(conv, first.output.shape)
    if not available:
        fail("design", design.name, "must have a stage of several blocks with convolutions")
    report = analyze(design)
    return FeatureReads(design.title, read / available, macs, report.macs, report.params)


def through(layer: Layer, channels: list[Channel], shape: Shape) -> tuple[list[Channel], Shape]:
    """Return output channels and output shape of a layer.

    Raises:
        UncountedLayerError: the layer has no rule for its channels.
    """
    if isinstance(layer, Sequential):
        for _, child in layer.children:
            channels, shape = through(child, channels, shape)
        return channels, shape
    if isinstance(layer, Block):
        return through(layer.expand(), channels, shape)
    if isinstance(layer, Branches):
        return _branches(layer, channels, shape)
    after = layer.out_shape(shape) if isinstance(layer, Primitive) else shape
    if isinstance(layer, KEEP):
        return channels, after
    if isinstance(layer, Slice):
        return channels[layer.start : layer.stop], after
    if isinstance(layer, ZeroPadChannels):
        zeros = [NEW] * (after[0] - len(channels))
        half = len(zeros) // 2
        return [*zeros[:half], *channels, *zeros[half:]], after
    if isinstance(layer, ChannelSelect):
        # The order of the built module. Training changes it, but no block ends with a selection.
        count, width = len(channels), layer.out_channels
        return [channels[place * count // width] for place in range(width)], after
    if isinstance(layer, ChannelShuffle):
        each = len(channels) // layer.groups
        return [channels[group * each + place] for place in range(each) for group in range(layer.groups)], after
    if isinstance(layer, Activation):
        return [Channel(summands=channel.summands) for channel in channels], after
    if isinstance(layer, MAKE_NEW):
        return [NEW] * after[0], after
    raise UncountedLayerError(f"{type(layer).__name__} has no rule for its output channels")


def _branches(layer: Branches, channels: list[Channel], shape: Shape) -> tuple[list[Channel], Shape]:
    share = layer.shares(shape)
    outputs = []
    for index, (_, child) in enumerate(layer.branches):
        start = index * share[0] if layer.split else 0
        outputs.append(through(child, channels[start : start + share[0]], share))
    merged = layer.merged([after for _, after in outputs])
    if layer.merge == "concat":
        return [channel for part, _ in outputs for channel in part], merged
    if layer.merge == "add":
        return [_sum(terms) for terms in zip(*(part for part, _ in outputs), strict=True)], merged
    return [NEW] * merged[0], merged


def _sum(terms: tuple[Channel, ...]) -> Channel:
    return Channel(summands=frozenset[Mark]().union(*(term.marks | term.summands for term in terms)))


check_border(globals())
