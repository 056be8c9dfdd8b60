"""Examples of every layer and strategies for random layers, used by all property tests.

Strategies generate layers that the engine constructs. A layer may not fit its input: the tests compare the engine with
torch.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple
from unittest import mock

import oracle
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from profiles import examples
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from effviz import BLOCKS, Design, DesignError, Report, Stage, WidthRule, architecture, list_architectures
from effviz.count import cost
from effviz.count.memory import alive, fuse, memory_access
from effviz.model.blocks import (
    AdaptivePool,
    AttentiveGhostModule,
    AvgPool,
    BasicBlock,
    Bottleneck,
    Composed,
    CondenseLayer,
    CondenseLinear,
    ConvBNAct,
    ConvNeXtBlock,
    DenseLayer,
    Depthwise,
    DepthwiseSeparable,
    DropoutRow,
    FasterNetBlock,
    Fire,
    FlattenRow,
    Fragments,
    FusedMBConv,
    GhostBottleneck,
    GhostModule,
    GlobalPool,
    InvertedResidual,
    LayerNormRow,
    LinearAct,
    MaxPool,
    MBConv,
    MobileOneBlock,
    NormAct,
    PartialConv,
    PlainBottleneck,
    Recipe,
    RecipeStep,
    RegNetBlock,
    ShuffleRow,
    ShuffleUnitV1,
    ShuffleUnitV2,
    SqueezeExcite,
    Transition,
    UniversalInvertedBottleneck,
)
from effviz.model.fields import PARTS, Field, FieldBlock, declared
from effviz.model.layers import (
    ACTIVATIONS,
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
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
    Sequential,
    Shape,
    Slice,
    StochasticDepth,
    Subsample,
    ZeroPadChannels,
    elements,
    residual,
)
from effviz.model.trace import trace
from effviz.model.widths import ROUNDINGS


class Example(NamedTuple):
    """A layer and a shape that it accepts."""

    layer: Layer
    shape: Shape


def _examples(*groups: tuple[Shape, Iterable[Layer]]) -> tuple[Example, ...]:
    return tuple(Example(layer, shape) for shape, layers in groups for layer in layers)


PRIMITIVES = _examples(
    (
        (6, 13, 10),
        (
            Conv2d(6, 8, 3),
            Conv2d(6, 4, 1, bias=False),
            Conv2d(6, 6, 3, 2, 1, groups=6),
            Conv2d(6, 12, 3, 1, 1, groups=6),
            Conv2d(6, 9, 5, 3, 2, groups=3, bias=False),
            Conv2d(6, 4, 3, 1, 2, dilation=2, groups=2),
            Conv2d(6, 3, (1, 7), padding=(0, 3)),
            Conv2d(6, 3, (5, 2), (3, 1), (2, 0), (2, 3)),
            Conv2d(6, 2, (13, 10)),
            Conv2d(6, 2, 1, 4, 9),
            Conv2d(6, 1, 2, 64, 1),
            BatchNorm2d(6),
            BatchNorm2d(6, affine=False),
            LayerNorm2d(6),
            LayerScale(6),
            *(Activation(function) for function in ACTIVATIONS),
            MaxPool2d(2),
            MaxPool2d(3, 2, 1),
            MaxPool2d(3, 2, ceil_mode=True),
            MaxPool2d(2, 2, 1, ceil_mode=True),
            MaxPool2d((3, 2), (1, 2), (1, 0), (2, 3)),
            MaxPool2d(3, 1, 1, 3, ceil_mode=True),
            AvgPool2d(2),
            AvgPool2d(3, 2, 1),
            AvgPool2d(2, 2, 1, ceil_mode=True, count_include_pad=False),
            AvgPool2d((3, 10), (4, 1), (1, 5), ceil_mode=True),
            AdaptiveAvgPool2d(1),
            AdaptiveAvgPool2d((3, 14)),
            GlobalAvgPool(),
            ChannelShuffle(1),
            ChannelShuffle(2),
            ChannelShuffle(6),
            ChannelSelect(6, 6),
            ChannelSelect(6, 3),
            ChannelSelect(6, 12),
            Slice(0, 6),
            Slice(2, 5),
            Subsample(1),
            Subsample(3),
            ZeroPadChannels(6, 6),
            ZeroPadChannels(6, 9),
            Flatten(),
            Dropout(),
            Dropout(0.0),
            StochasticDepth(0.2),
            Identity(),
        ),
    ),
    (
        (1, 1, 1),
        (
            Conv2d(1, 1, 1),
            Conv2d(1, 1, 7, 2, 3),
            BatchNorm2d(1),
            LayerNorm2d(1),
            LayerScale(1),
            AvgPool2d(1),
            AdaptiveAvgPool2d(7),
            GlobalAvgPool(),
            ChannelShuffle(1),
            Flatten(),
        ),
    ),
    ((7,), (ChannelSelect(7, 3),)),
    ((7,), (Linear(7, 3), Linear(7, 1, bias=False), Activation("gelu"), Dropout(1.0), Flatten(), Identity())),
)

_CONV = Conv2d(4, 4, 3, padding=1, bias=False)
_HEAVY = Sequential.of(conv=_CONV, norm=BatchNorm2d(4), act=Activation("relu"))

CONTAINERS = _examples(
    (
        (4, 9, 6),
        (
            Sequential(()),
            Sequential.of(conv=_CONV, act=Activation()),
            Sequential.numbered([_CONV, Sequential.numbered([BatchNorm2d(4), Activation("silu")]), MaxPool2d(2)]),
            # Cases with and without folding or fusion.
            Sequential.of(conv=_CONV, drop=Dropout(), norm=BatchNorm2d(4), again=BatchNorm2d(4), act=Activation()),
            Sequential.of(conv=_CONV, act=Activation(), norm=BatchNorm2d(4), more=Activation("gelu")),
            Sequential.of(conv=Conv2d(4, 6, 1), norm=BatchNorm2d(6), cut=Slice(1, 5), act=Activation()),
            Sequential.of(conv=_CONV, cut=Slice(0, 4), norm=BatchNorm2d(4), act=Activation("tanh")),
            Sequential.of(act=Activation("relu"), flatten=Flatten(), more=Activation("relu6")),
            Sequential.of(pool=AvgPool2d(2), norm=BatchNorm2d(4), act=Activation(), shuffle=ChannelShuffle(2)),
            Sequential.of(shuffle=ChannelShuffle(2), act=Activation("elu"), conv=_CONV),
            Sequential.of(conv=_CONV, flatten=Flatten(), act=Activation(), linear=Linear(216, 5), sigmoid=Activation()),
            Sequential.of(conv=_CONV, norm=LayerNorm2d(4), act=Activation("gelu"), more=Conv2d(4, 4, 1)),
            Sequential.of(conv=_CONV, scale=LayerScale(4), norm=BatchNorm2d(4), again=LayerNorm2d(4)),
            residual(Sequential.of(norm=LayerNorm2d(4), conv=_CONV, scale=LayerScale(4))),
            Branches((("a", Identity()), ("b", Identity()))),
            Branches((("a", _HEAVY), ("b", Conv2d(4, 4, 1)))),
            Branches((("a", Activation()), ("b", Activation("sigmoid"))), "mul"),
            Branches((("a", Identity()), ("gate", Sequential.of(pool=GlobalAvgPool(), act=Activation()))), "mul"),
            Branches((("pool", GlobalAvgPool()), ("mask", Conv2d(4, 1, 1))), "mul"),
            Branches((("a", Identity()), ("b", _HEAVY), ("c", MaxPool2d(3, 1, 1))), "concat"),
            Branches((("a", Flatten()), ("b", Sequential.of(pool=GlobalAvgPool(), flatten=Flatten()))), "concat"),
            Branches((("a", Identity()), ("b", Identity())), "concat", split=True),
            Branches((("a", Identity()), ("b", Conv2d(2, 3, 1))), "concat", split=True),
            Branches((("a", Activation()), ("b", Conv2d(2, 2, 1))), "add", split=True),
            Branches(tuple((str(index), BatchNorm2d(1)) for index in range(4)), "concat", split=True),
            Branches((("a", BatchNorm2d(2)), ("b", GlobalAvgPool())), "mul", split=True),
            Branches((("", _HEAVY), ("b", Slice(0, 3))), "concat"),
            Branches((("", Sequential.of(pool=MaxPool2d(2), act=Activation())), ("size", Identity())), "resize"),
            Branches((("a", Conv2d(4, 5, 1)), ("b", Subsample(2))), "resize"),
            Branches((("a", GlobalAvgPool()), ("b", Conv2d(2, 3, 3))), "resize", split=True),
            residual(_HEAVY),
            residual(Sequential.of(norm=BatchNorm2d(4), act=Activation(), conv=_CONV)),
            residual(Sequential.of(wide=Conv2d(4, 32, 1), deep=residual(Sequential.of(conv=Conv2d(32, 32, 1))),
                                   narrow=Conv2d(32, 4, 1)), _HEAVY),
            Sequential.of(residual=residual(_HEAVY), act=Activation(), norm=BatchNorm2d(4)),
            Sequential.of(conv=_CONV, residual=residual(Sequential.of(norm=BatchNorm2d(4), act=Activation()))),
            Sequential.of(
                conv=_CONV, halves=Branches((("a", Activation()), ("b", BatchNorm2d(2))), "concat", split=True),
                act=Activation(), cut=Slice(1, 4), pool=AvgPool2d(3), norm=BatchNorm2d(3),
            ),
            Sequential.of(
                conv=_CONV,
                nested=Branches((("a", Branches((("a", Identity()), ("b", Slice(0, 2))), "concat")),
                                 ("b", residual(_HEAVY))), "concat"),
            ),
        ),
    ),
)  # fmt: skip

BLOCK_EXAMPLES = _examples(
    (
        (12, 15, 15),
        (
            ConvBNAct(12, 16),
            ConvBNAct(12, 16, 2, 5, activation="none"),
            ConvBNAct(12, 7, kernel_size=1, norm=False),
            ConvBNAct(12, 24, 3, 4, 12, "hardswish", bias=True),
            ConvBNAct(12, 8, 1, 3, 4, norm=False, bias=False, padding=3, dilation=4, activation="gelu"),
            Depthwise(12),
            Depthwise(12, 2, 5, "silu"),
            Composed(12, 12),
            Composed(12, 20, 2),
            Composed(
                12,
                7,
                2,
                Recipe("pooled", (RecipeStep("conv", 2, "in", groups=3), RecipeStep("max_pool"), RecipeStep("conv"))),
            ),
            Composed(
                12, 12, 1, Recipe("twice", (RecipeStep("mbconv"), RecipeStep("mbconv", drop_prob=0.5)), shortcut=True)
            ),
            DepthwiseSeparable(12, 5),
            DepthwiseSeparable(12, 12, 2, 7, "none"),
            InvertedResidual(12, 12),
            InvertedResidual(12, 12, drop_prob=0.5, se_ratio=0.25, expand_divisor=8, activation="hardswish"),
            InvertedResidual(12, 12, shortcut=False, expand_ratio=1, se_ratio=1),
            InvertedResidual(12, 12, se_ratio=0.25, se_bias=False),
            InvertedResidual(12, 20, 2, 5, expand_ratio=0.01, se_ratio=0.001, activation="none"),
            InvertedResidual(12, 8, expand_ratio=88 / 24, expand_divisor=8),
            InvertedResidual(12, 12, expand_ratio=1, always_expand=True),
            InvertedResidual(12, 8, expanded_channels=30, se_ratio=0.25, se_divisor=1),
            MBConv(12, 12),
            MBConv(12, 12, expand_ratio=1, drop_prob=1.0),
            MBConv(12, 6, 2, 5, se_ratio=0.0, expand_ratio=2.5),
            MBConv(12, 12, se_ratio=0.01, shortcut=False, activation="none", se_bias=False),
            FusedMBConv(12, 12),
            FusedMBConv(12, 12, expand_ratio=1, drop_prob=0.1),
            FusedMBConv(12, 10, 2, 5, expand_ratio=1, se_ratio=0.25),
            FusedMBConv(12, 12, se_ratio=0.5, shortcut=False, activation="none", se_bias=False),
            SqueezeExcite(12),
            SqueezeExcite(12, bias=False),
            SqueezeExcite(12, 1, "none", "hardsigmoid"),
            UniversalInvertedBottleneck(12, 12),
            UniversalInvertedBottleneck(12, 12, start_kernel_size=5, expand_ratio=2, drop_prob=0.2),
            UniversalInvertedBottleneck(12, 12, start_kernel_size=3, kernel_size=0),
            UniversalInvertedBottleneck(12, 20, 2, 3, 0, activation="silu"),
            UniversalInvertedBottleneck(12, 20, 2, 3, 5),
            UniversalInvertedBottleneck(12, 12, kernel_size=0, shortcut=False),
            UniversalInvertedBottleneck(12, 8, kernel_size=0),
            MobileOneBlock(12, 12),
            MobileOneBlock(12, 20, 2, 5, "none"),
            RegNetBlock(12, 16),
            RegNetBlock(12, 12, group_width=4, se_ratio=0.25),
            RegNetBlock(12, 12, 2, group_width=12, se_ratio=0.01, activation="silu", se_bias=False),
            RegNetBlock(12, 12, 1, 5, 1, activation="none"),
            LayerNormRow(12),
            ConvNeXtBlock(12),
            ConvNeXtBlock(12, 3, 2, "none", 0.3),
            PartialConv(12),
            PartialConv(12, 5, 1),
            PartialConv(12, 3, 5),
            FasterNetBlock(12),
            FasterNetBlock(12, 5, 2, 1.5, "gelu", 0.3),
            FasterNetBlock(12, partial_ratio=1, activation="none"),
            ShuffleUnitV1(12, 12),
            ShuffleUnitV1(12, 24, 2, 1, 5),
            ShuffleUnitV1(12, 24, 2, 3, grouped_input=False),
            ShuffleUnitV1(12, 36, 3, 3, activation="none"),
            ShuffleUnitV2(12, 12),
            ShuffleUnitV2(12, 26, 2, 5, "silu"),
            ShuffleUnitV2(12, 14, 3, activation="none"),
            ShuffleUnitV2(12, 26, 2, equal_branches=True),
            GhostModule(12, 12),
            GhostModule(12, 7),
            GhostModule(12, 5, 2, 3, 3, 5, "none"),
            GhostModule(12, 9, ratio=1),
            GhostModule(12, 1, ratio=16),
            GhostBottleneck(12, 12, expanded=30),
            GhostBottleneck(12, 12, 2, 5, expanded=9, se_ratio=0.25),
            GhostBottleneck(12, 11, 1, 5, expanded=31, ratio=3, se_ratio=1, se_bias=False),
            GhostBottleneck(12, 12, 2, expanded=9, attention=True),
            AttentiveGhostModule(12, 7),
            AttentiveGhostModule(12, 9, 3, 5, 4, "none"),
            BasicBlock(12, 12),
            BasicBlock(12, 9, 2, activation="silu"),
            BasicBlock(12, 12, 2, 5, "none"),
            BasicBlock(12, 19, 2, shortcut="A"),
            BasicBlock(12, 24, activation="none", shortcut="A"),
            BasicBlock(12, 12, 3, shortcut="A"),
            BasicBlock(12, 12, shortcut="A"),
            Bottleneck(12, 12),
            Bottleneck(12, 32, 2, groups=4, bottleneck_ratio=0.5),
            Bottleneck(12, 12, 2, stride_at="1x1", activation="none"),
            Bottleneck(12, 20, 1, 1, bottleneck_ratio=0.001),
            Bottleneck(12, 20, 2, stride_at="1x1", shortcut="A"),
            Bottleneck(12, 20, 2, conv_bias=True),
            DenseLayer(12),
            DenseLayer(12, 5, 1, 7, "none"),
            CondenseLayer(12),
            CondenseLayer(12, 4, 2, 3, 1, 5, "none"),
            CondenseLayer(12, 3, 1, 2),
            CondenseLayer(12, 8, 8),
            Transition(12),
            Transition(12, 1),
            Transition(12, 4, 0.01, "silu"),
            Fire(12),
            Fire(12, 3, 1, 5),
            Fragments(12),
            Fragments(12, 1),
            Fragments(12, 5),
            Fragments(12, 4, "series"),
            PlainBottleneck(12),
            PlainBottleneck(12, 0.5, shortcut=False),
            PlainBottleneck(12, activation="none"),
            PlainBottleneck(12, 0.001, False, "none"),
            ShuffleRow(),
            ShuffleRow(1),
            ShuffleRow(12),
            NormAct(12),
            NormAct(12, "none"),
            MaxPool(),
            MaxPool(3, 2, 1, True),
            MaxPool(1, 5),
            AvgPool(),
            AvgPool(2, 3, ceil_mode=True),
            AvgPool(2, 2, 0, True),
            AdaptivePool(),
            AdaptivePool(20),
            GlobalPool(),
            FlattenRow(),
            DropoutRow(),
            LinearAct(2700, 10),
            LinearAct(2700, 1, False, 0.5, "relu"),
            CondenseLinear(2700, 10),
            CondenseLinear(2700, 3, 0.001, False),
        ),
    ),
    ((7,), (LinearAct(7, 5), CondenseLinear(7, 5), DropoutRow(0.0), FlattenRow())),
    (
        (3, 1, 1),
        (
            ConvBNAct(3, 4, 2, 7),
            InvertedResidual(3, 3),
            MBConv(3, 3, 2),
            ShuffleUnitV2(3, 8, 2),
            GhostBottleneck(3, 3),
            Bottleneck(3, 4, 2),
            Fire(3),
            MaxPool(),
            LinearAct(3, 1000),
        ),
    ),
)

EXAMPLES = PRIMITIVES + CONTAINERS + BLOCK_EXAMPLES
"""Every primitive, container and block, several times."""


# --- both sides of every comparison -------------------------------------------------------------------------------


class Counts(NamedTuple):
    """All numbers of one network for one input."""

    output: Shape
    params: int
    macs: int
    eager: int
    paper: int
    fused: int
    peak: int


def counted(layer: Layer, shape: Shape) -> Counts:
    """Count a layer tree with effviz, from one trace."""
    steps = trace(layer, shape)
    fusion = fuse(steps, shape)
    access = {each: sum(memory_access(steps, fusion, each)) for each in ("eager", "paper", "fused")}
    return Counts(
        output=steps[-1].output.shape if steps else shape,
        params=sum(cost.params(step.layer) for step in steps),
        macs=sum(cost.macs(step.layer, step.output.shape) for step in steps),
        **access,
        # The input is there even if no step runs.
        peak=max(elements(shape), *alive(steps, fusion), 0),
    )


def reported(report: Report) -> Counts:
    """Count a design with effviz, from the sums over its blocks."""
    return Counts(
        report.steps[-1].output.shape,
        report.params,
        report.macs,
        **{name: report.memory_accesses[name] for name in ("eager", "paper", "fused")},
        peak=report.peak_activation,
    )


def measured(module: nn.Module, shape: Shape) -> Counts:
    """Count with torch, in one pass on the meta device with both counters."""
    with FlopCounterMode(display=False) as counter:
        recording = oracle.record(module, shape)
    with mock.patch.object(oracle, "record", return_value=recording):
        return Counts(
            recording.outputs[0].shape[1:],
            oracle.count_params(module),
            counter.get_total_flops() // 2,
            oracle.eager_memory_access(module, shape),
            oracle.paper_memory_access(module, shape),
            oracle.fused_memory_access(module, shape),
            oracle.peak_activation(module, shape)[0],
        )


# --- random layers ------------------------------------------------------------------------------------------------


def field_values(field: Field) -> SearchStrategy[Any]:
    """Draw legal values of a declared field, small enough to run."""
    if field.kind == "bool":
        values: SearchStrategy[Any] = st.booleans()
    elif field.kind == "choice":
        values = st.sampled_from(field.choices)
    elif field.kind == "recipe":
        values = recipes()
    elif field.kind == "int":
        low = int(field.minimum)
        usual = [choice for choice in field.choices if choice <= 9]
        values = st.sampled_from(usual or [field.default]) | st.integers(low, min(int(field.maximum), low + 9))
    else:
        values = st.sampled_from(field.choices or (field.default,)) | st.floats(
            field.minimum, min(field.maximum, 4.0), exclude_min=field.open_below, allow_subnormal=False
        )
    return st.none() | values if field.optional else values


@st.composite
def recipes(draw: DrawFn) -> Recipe:
    """Draw a recipe of random steps; the last step has the output width of the block."""
    parts = []
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(sorted(PARTS)))
        fields = {field.name: draw(field_values(field)) for field in declared(PARTS[kind]) if draw(st.booleans())}
        width = {} if PARTS[kind].keeps_channels else {
            "times": draw(st.sampled_from((0.5, 1.0, 2.0))), "of": draw(st.sampled_from(("in", "out")))
        }  # fmt: skip
        with contextlib.suppress(DesignError):
            parts.append(RecipeStep(kind, **width, **fields))
    parts.append(RecipeStep("conv", kernel_size=draw(st.sampled_from((1, 3))), activation="none"))
    shortcut = draw(st.booleans())
    # Only equal recipes have equal names.
    name = f"own_{zlib.crc32(repr((parts, shortcut)).encode()):08x}"
    return Recipe(name, tuple(parts), shortcut=shortcut)


@st.composite
def _channels(draw: DrawFn) -> tuple[int, int, int]:
    """Draw input channels, output channels and a number of groups that divides both."""
    unit = draw(st.sampled_from((1, 2, 3, 4, 6, 8)))
    inputs = unit * draw(st.integers(1, 6))
    outputs = draw(st.just(inputs) | st.just(2 * inputs) | st.integers(1, 6).map(lambda times: unit * times))
    return inputs, outputs, draw(st.sampled_from((1, unit)))


@st.composite
def blocks(draw: DrawFn, kind: type[FieldBlock]) -> FieldBlock | None:
    """Draw a block with random fields; None if they are inconsistent."""
    inputs, outputs, groups = draw(_channels())
    arguments = {field.name: draw(field_values(field)) for field in declared(kind)}
    if "groups" in arguments:
        arguments["groups"] = draw(st.just(groups) | st.just(arguments["groups"]))
    if kind.has_in_channels:
        arguments["in_channels"] = inputs
    if kind.has_out_channels:
        arguments["out_channels"] = outputs
    if kind.has_stride:
        arguments["stride"] = draw(st.integers(1, 4))
    try:
        return kind(**arguments)
    except DesignError:
        return None


sizes = st.integers(1, 17)


# --- random designs -----------------------------------------------------------------------------------------------

_MIDDLE = tuple(name for name in BLOCKS if name not in ("linear", "flatten", "adaptive_avg_pool", "global_avg_pool"))


@st.composite
def rows(draw: DrawFn, name: str, depth: str, blocks: tuple[str, ...] = _MIDDLE) -> Stage | None:
    """Draw a row of a random block; None if its fields are inconsistent."""
    block = draw(st.sampled_from(blocks))
    kind = BLOCKS[block]
    _, outputs, _ = draw(_channels())
    fields = {field.name: draw(field_values(field)) for field in declared(kind) if draw(st.booleans())}
    try:
        return Stage(
            block,
            outputs if kind.has_out_channels else None,
            draw(st.sampled_from((1, 1, 1, 2, 3))),
            draw(st.sampled_from((1, 1, 2, 3))) if kind.has_stride else 1,
            name=name,
            width=draw(st.sampled_from(("scaled", "scaled", "fixed", "at_least"))),
            depth=depth,
            divisor=draw(st.none() | st.sampled_from((1, 2, 4, 12))),
            **fields,
        )
    except DesignError:
        return None


width_rules = st.builds(
    WidthRule,
    divisor=st.sampled_from((1, 2, 4, 8, 12)),
    minimum=st.none() | st.integers(1, 16),
    rounding=st.sampled_from(ROUNDINGS),
)


@st.composite
def designs(draw: DrawFn) -> Design:
    """Draw stem, random rows and head; a row that rejects its input is skipped."""
    stem = Stage("conv", 4 * draw(st.integers(1, 6)), 1, draw(st.integers(1, 2)), name="stem", depth="fixed",
                 norm=draw(st.booleans()), activation=draw(st.sampled_from(("none", "relu"))))  # fmt: skip
    design = Design(
        "random",
        (stem,),
        resolution=draw(st.integers(1, 40) | st.tuples(st.integers(1, 40), st.integers(1, 40))),
        in_channels=draw(st.integers(1, 4)),
        width_rule=draw(width_rules),
        stochastic_depth=draw(st.sampled_from((0.0, 0.2, 1.0))),
    )
    depth, name = "scaled", ""
    wanted: list[SearchStrategy[Stage | None]] = []
    for index in range(draw(st.integers(0, 6))):
        if not name or draw(st.booleans()):
            name, depth = f"stage{index}", draw(st.sampled_from(("scaled", "scaled", "fixed")))
        wanted.append(rows(name, depth))
    wanted += [rows("pool", "fixed", ("global_avg_pool", "adaptive_avg_pool", "flatten", "norm_act", "dropout"))]
    wanted += [rows("hidden", "fixed", ("linear", "dropout"))] if draw(st.booleans()) else []
    wanted += [st.just(Stage("linear", draw(st.integers(1, 20)), name="classifier", width="classes", depth="fixed"))]
    for strategy in wanted:
        row = draw(strategy)
        if row is not None:
            longer = replace(design, stages=(*design.stages, row))
            design = longer if _is_buildable(longer) else design
    scaled = design.scaled(width_mult=draw(st.sampled_from((1.0, 0.5, 0.3, 1.7))),
                           depth_mult=draw(st.sampled_from((1.0, 0.4, 2.2))))  # fmt: skip
    return scaled if _is_buildable(scaled) else design


_RATIOS = {"expand_ratio": (0.1, 6.0, (0.25, 0.5, 1 / 3, 2 / 3, 1, 1.5, 2, 3, 4, 6)),
           "se_ratio": (0.05, 0.75, (1 / 16, 1 / 12, 0.1, 0.25, 1 / 3, 0.5, 2 / 3, 0.75))}  # fmt: skip


@st.composite
def bottlenecks(draw: DrawFn) -> Design:
    """Draw a stem and 1 to 3 rows of bottlenecks with unusual inner widths."""
    stages = [Stage("conv", draw(st.integers(1, 49)), name="stem")]
    for _ in range(draw(st.integers(1, 3))):
        ratios = {
            name: draw(st.sampled_from(plain) | st.floats(low, high)) for name, (low, high, plain) in _RATIOS.items()
        }
        stages.append(
            Stage(
                draw(st.sampled_from(("fused_mbconv", "mbconv", "inverted_residual"))),
                draw(st.integers(1, 49)),
                draw(st.integers(1, 2)),
                draw(st.integers(1, 2)),
                **ratios,
            )
        )
    return Design("bottlenecks", tuple(stages), resolution=draw(st.sampled_from((8, 9, 16))), width_rule=draw(
        st.sampled_from((WidthRule(divisor=1), WidthRule(divisor=8)))
    ))  # fmt: skip


def _is_buildable(design: Design) -> bool:
    try:
        design.blocks()
    except DesignError:
        return False
    return True


# --- random scalings of the zoo -----------------------------------------------------------------------------------

SHUFFLENET_V1_SCALES = {1: (1.0,), 2: (1.0,), 3: (0.5, 1.0, 1.5, 2.0), 4: (1.0,), 8: (0.5, 1.0, 1.5, 2.0)}
SMALLEST = {
    # At a smaller size, the window of a pooling or convolution exceeds its map.
    "alexnet": 63,
    # Below width 0.2, neighbouring stages have equal widths, which is illegal for a stride-2 unit.
    "shufflenet_v2": 32,
}


@st.composite
def widths(draw: DrawFn, name: str) -> dict[str, Any]:
    """Draw legal width options of an architecture."""
    if name == "shufflenet_v1":
        groups = draw(st.sampled_from(sorted(SHUFFLENET_V1_SCALES)))
        return {"groups": groups, "width_mult": draw(st.sampled_from(SHUFFLENET_V1_SCALES[groups]))}
    low = 0.25 if name == "shufflenet_v2" else 0.1
    return {"width_mult": draw(st.sampled_from((0.25, 0.5, 0.75, 1.0, 1.4, 2.0)) | st.floats(low, 4))}


names = st.sampled_from(list_architectures())


@st.composite
def scalings(draw: DrawFn, among: SearchStrategy[str] = names) -> Design:
    """Draw an architecture of `among` at a legal width, depth, resolution, number of classes and of input channels."""
    name = draw(among)
    side = st.integers(SMALLEST.get(name, 32), 320)
    # At most about 60 blocks, to limit the time in torch.
    deepest = min(4.0, 60 / len(architecture(name).blocks()))
    return architecture(
        name,
        **draw(widths(name)),
        depth_mult=draw(st.sampled_from((0.5, 1.0, 1.1)) | st.floats(0.2, deepest)),
        resolution=draw(st.sampled_from((96, 128, 224)) | side | st.tuples(side, side)),
        in_channels=draw(st.sampled_from((3, 3, 1, 4))),
        num_classes=draw(st.none() | st.integers(1, 2000)),
    )


# --- the zoo in fewer networks --------------------------------------------------------------------------------------


def _kinds(name: str) -> set[tuple[str, str]]:
    """Return the kinds of block of a network: class and fields, with kernels and strides but without widths."""
    return {
        (
            type(entry.block).__name__,
            repr([(key, value > 0 if isinstance(value, float) else value)
                  for key, value in vars(entry.block).items()
                  if type(value) is not int or key in ("kernel_size", "stride")]),
        )
        for entry in architecture(name).blocks()
    }  # fmt: skip


def _representatives() -> list[str]:
    """Return networks that together have every kind of block of the zoo, in the order of the zoo."""
    found = {name: _kinds(name) for name in list_architectures()}
    size = {name: len(architecture(name).blocks()) for name in found}
    missing, chosen = set().union(*found.values()), set()
    while missing:
        best = max(found, key=lambda name: len(found[name] & missing) / size[name])
        chosen.add(best)
        missing -= found[best]
    return [name for name in found if name in chosen]


REPRESENTATIVES = list_architectures() if examples(1) > 1 else _representatives()
"""Networks for tests that run whole modules: half of the zoo, with every kind of block; all networks in the full
profile."""
