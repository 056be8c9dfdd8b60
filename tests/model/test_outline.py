"""Groups and names of blocks: complete and correct."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from cases import for_each
from examples import PRIMITIVES, designs
from hypothesis import HealthCheck, given, settings
from profiles import examples

import effviz
from effviz import BLOCKS, Design, Stage
from effviz.count.words import block_title, channels_of, describe, reader_name
from effviz.model.blocks import ConvBNAct
from effviz.model.layers import (
    Activation,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm2d,
    ChannelSelect,
    ChannelShuffle,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    LayerNorm2d,
    LayerScale,
    Linear,
    MaxPool2d,
    Slice,
    StochasticDepth,
    Subsample,
    ZeroPadChannels,
    pair,
)
from effviz.model.layout import BuiltBlock
from effviz.model.outline import alike_runs, by_stage, span, stage_of
from effviz.model.trace import trace

every_architecture = for_each("name", effviz.list_architectures())
repeatable = settings(
    max_examples=examples(6),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def _spans(runs: Sequence[Sequence[BuiltBlock]]) -> list[str]:
    return [span([entry.path for entry in run]) for run in runs]


def _layer_names(entry: BuiltBlock) -> tuple[str, ...]:
    return tuple(f"{step.path} {type(step.layer).__name__}" for step in trace(entry.block, entry.shape))


def _check(design: Design) -> None:
    """Check that runs and stages contain all blocks in order, equal neighbours together."""
    blocks = design.blocks()
    runs, stages = alike_runs(blocks), by_stage(blocks)
    assert [entry for run in runs for entry in run] == blocks
    assert [entry for stage in stages for entry in stage] == blocks
    assert all(runs)
    names = [{entry.path.split(".")[0] for entry in stage} for stage in stages]
    assert all(len(each) == 1 for each in names)
    assert [each.pop() for each in names] == list(dict.fromkeys(row.name for row in design.stages))
    for run in runs:
        assert len({entry.path.split(".")[0] for entry in run}) == 1, "a run never crosses a stage"
        assert len({type(entry.block) for entry in run}) == 1
        assert len({getattr(entry.block, "stride", None) for entry in run}) == 1
        assert len({block_title(entry.block) for entry in run}) == 1
        assert len({_layer_names(entry) for entry in run}) == 1
    for one, two in pairwise(runs):
        if one[0].path.split(".")[0] == two[0].path.split(".")[0]:
            before, after = one[-1], two[0]
            assert before.block != after.block, "equal neighbours are one run"
            strides = [getattr(entry.block, "stride", 1) for entry in (before, after)]
            assert before.row != after.row or strides[0] != strides[1] or _layer_names(before) != _layer_names(after)


# --- outline ------------------------------------------------------------------------------------------------------


@every_architecture
def test_the_outline_of_the_zoo(name: str) -> None:
    _check(effviz.architecture(name))
    _check(effviz.architecture(name, depth_mult=2.0))


@given(design=designs())
@repeatable
def test_the_outline_of_any_design(design: Design) -> None:
    _check(design)


@pytest.mark.parametrize(
    ("name", "spans"),
    [
        (
            "vgg16",
            "stage1.0 to stage1.1, max_pool1, stage2.0 to stage2.1, max_pool2, stage3.0 to stage3.2, max_pool3, "
            "stage4.0 to stage4.2, max_pool4, stage5.0 to stage5.2, max_pool5, pool, fc1, fc2, classifier",
        ),
        (
            "mobilenet_v2",
            "stem, stage1.0, stage2.0, stage2.1, stage3.0, stage3.1 to stage3.2, stage4.0, stage4.1 to stage4.3, "
            "stage5.0, stage5.1 to stage5.2, stage6.0, stage6.1 to stage6.2, stage7.0, head, pool, classifier",
        ),
        (
            "densenet121",
            "stem, max_pool, stage1.0 to stage1.5, transition1, stage2.0 to stage2.11, transition2, "
            "stage3.0 to stage3.23, transition3, stage4.0 to stage4.15, norm, pool, classifier",
        ),
        (
            "resnet101",
            "stem, max_pool, stage1.0, stage1.1 to stage1.2, stage2.0, stage2.1 to stage2.3, stage3.0, "
            "stage3.1 to stage3.22, stage4.0, stage4.1 to stage4.2, pool, classifier",
        ),
    ],
)
def test_runs_of_the_zoo(name: str, spans: str) -> None:
    assert ", ".join(_spans(alike_runs(effviz.architecture(name).blocks()))) == spans


def _runs(*rows: Stage) -> list[str]:
    return _spans(alike_runs(Design("small", rows, resolution=32).blocks()))


def test_equal_blocks_of_two_stages_are_two_runs() -> None:
    conv = Stage("conv", 3, 2, name="one")
    assert _runs(conv, conv.with_changes(name="two")) == ["one.0 to one.1", "two.0 to two.1"]


def test_equal_blocks_of_two_rows_of_a_stage_are_one_run() -> None:
    conv = Stage("conv", 3, 2, name="one")
    assert _runs(conv, conv) == ["one.0 to one.3"]
    # Blocks of different rows are compared as a whole.
    assert _runs(conv, conv.with_changes(kernel_size=5)) == ["one.0 to one.1", "one.2 to one.3"]
    assert _runs(conv, conv.with_changes(out_channels=4)) == ["one.0 to one.1", "one.2 to one.3"]


def test_a_different_first_block_is_a_separate_run() -> None:
    assert _runs(Stage("conv", 8, 3, 2, name="one")) == ["one.0", "one.1 to one.2"], "by its stride"
    assert _runs(Stage("basic_block", 8, 3, name="one")) == ["one.0", "one.1 to one.2"], "by its shortcut"
    assert _runs(Stage("basic_block", 3, 3, name="one")) == ["one.0 to one.2"]
    # Only its number of input channels differs.
    assert _runs(Stage("conv", 8, 3, name="one")) == ["one.0 to one.2"]


def test_an_empty_list_has_no_groups() -> None:
    assert alike_runs([]) == by_stage([]) == []


def test_stages_and_spans_of_paths() -> None:
    assert stage_of("stage4.1") == "stage4"
    assert stage_of("stage4.1.depthwise.conv") == "stage4"
    assert stage_of("stem") == "stem"
    assert span(["stem"]) == "stem"
    assert span(["a.0", "a.1", "a.2"]) == "a.0 to a.2"


# --- words --------------------------------------------------------------------------------------------------------


@every_architecture
def test_everything_in_the_zoo_has_a_name(name: str) -> None:
    report = effviz.analyze(effviz.architecture(name))
    for entry in report.blocks:
        assert block_title(entry.block).strip()
    for step in report.steps:
        words = describe(step.layer)
        assert words.strip()
        assert not re.search(r"2d\b|\(|=", words), "words, not code"


@for_each("kind", BLOCKS.values(), ids=BLOCKS)
def test_every_block_has_a_title(kind: type) -> None:
    assert "title" in vars(kind)
    assert re.fullmatch(r"[A-Z][\w -]+(, [\w -]+)*", vars(kind)["title"])


def test_titles_are_unique() -> None:
    titles = [kind.title for kind in BLOCKS.values()]  # type: ignore[attr-defined]
    assert len(set(titles)) == len(titles)
    assert block_title(ConvBNAct(3, 8)) == "Convolution, batch norm, activation"
    assert block_title(Conv2d(3, 8, 3)) == "Conv2d", "a class without a title has its class name"


def _layers() -> list[Layer]:
    zoo = (effviz.analyze(effviz.architecture(name)).steps for name in effviz.list_architectures())
    return [*(example.layer for example in PRIMITIVES), *{step.layer for steps in zoo for step in steps}]


def _pair(text: str) -> tuple[int, int]:
    sides = [int(side) for side in text.split("×")]
    return (sides[0], sides[-1])


def test_a_convolution_can_be_read_back() -> None:
    convolutions = [layer for layer in _layers() if isinstance(layer, Conv2d)]
    assert len(convolutions) > 100
    for layer in convolutions:
        found = re.fullmatch(
            r"(\d+×\d+) (depthwise )?conv(?:, stride ([\d×]+))?(?:, (\d+) groups)?(?:, dilation (\d+×\d+))?",
            describe(layer),
        )
        assert found, describe(layer)
        kernel, depthwise, stride, groups, dilation = found.groups()
        assert _pair(kernel) == pair(layer.kernel_size)
        assert _pair(stride or "1") == pair(layer.stride)
        assert _pair(dilation or "1") == pair(layer.dilation)
        assert (layer.in_channels if depthwise else int(groups or 1)) == layer.groups
        assert stride != "1"


def test_a_pooling_window_can_be_read_back() -> None:
    pools = [layer for layer in _layers() if isinstance(layer, (MaxPool2d, AvgPool2d))]
    assert len(pools) > 5
    for layer in pools:
        found = re.fullmatch(r"(\d+×\d+) (max|average) pool(?:, stride ([\d×]+))?", describe(layer))
        assert found, describe(layer)
        assert _pair(found[1]) == pair(layer.kernel_size)
        assert found[2] == ("max" if isinstance(layer, MaxPool2d) else "average")
        stride = layer.kernel_size if layer.stride is None else layer.stride
        assert _pair(found[3] or "1") == pair(stride)


@for_each(
    ("layer", "words"),
    [
        (Conv2d(3, 32, 3, 2, 1), "3×3 conv, stride 2"),
        (Conv2d(32, 32, 3, 1, 1, groups=32), "3×3 depthwise conv"),
        (Conv2d(32, 64, 5, 2, 2, groups=32), "5×5 depthwise conv, stride 2"),
        (Conv2d(32, 64, 1), "1×1 conv"),
        (Conv2d(128, 128, 3, 2, 1, groups=32), "3×3 conv, stride 2, 32 groups"),
        (Conv2d(6, 3, (5, 2), (3, 1), (2, 0), (2, 3)), "5×2 conv, stride 3×1, dilation 2×3"),
        (Conv2d(1, 8, 3), "3×3 conv"),
        (BatchNorm2d(8), "BN"),
        (LayerNorm2d(8), "layer norm"),
        (LayerScale(8), "scale per channel"),
        (Activation("relu6"), "ReLU6"),
        (Activation("hardswish"), "hard swish"),
        (Activation("silu"), "SiLU"),
        (Activation("sigmoid"), "sigmoid"),
        (MaxPool2d(2), "2×2 max pool, stride 2"),
        (MaxPool2d(3, 1, 1), "3×3 max pool"),
        (AvgPool2d(3, 2, 1), "3×3 average pool, stride 2"),
        (AdaptiveAvgPool2d(7), "average pool to 7×7"),
        (GlobalAvgPool(), "global average pool"),
        (Linear(1280, 1000), "linear"),
        (ChannelShuffle(3), "channel shuffle, 3 groups"),
        (ChannelSelect(48, 24), "select 24 of 48 channels"),
        (Slice(0, 24), "first 24 channels"),
        (Slice(24, 48), "channels 24 to 47"),
        (Subsample(2), "1 of 2×2 pixels"),
        (ZeroPadChannels(16, 32), "16 channels of zeros"),
        (Flatten(), "flatten"),
        (Dropout(0.2), "dropout 0.2"),
        (StochasticDepth(0.1), "stochastic depth"),
    ],
)
def test_layers_in_words(layer: Layer, words: str) -> None:
    assert describe(layer) == words


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (Linear(1280, 1000), "1280 → 1000"),
        (Conv2d(3, 32, 3), "3 → 32"),
        (Conv2d(32, 32, 3, groups=32), "32 channels"),
        (Conv2d(32, 64, 3, groups=32), "32 → 64"),
        (Conv2d(64, 64, 3, groups=32), "64 → 64"),
        (BatchNorm2d(8), ""),
        (Flatten(), ""),
    ],
)
def test_channels_in_words(layer: Layer, words: str) -> None:
    assert channels_of(layer) == words


@pytest.mark.parametrize(
    ("path", "base", "words"),
    [
        ("stage2.0.residual.expand", "stage2.0", "expand"),
        ("stage2.0.squeeze_excite.reduce", "stage2.0", "squeeze excite reduce"),
        ("stage2.0.squeeze_excite.reduce", "stage2.0.squeeze_excite", "reduce"),
        ("stage1.0.concat.expand3x3", "stage1.0", "expand 3×3"),
        ("stage1.0.ghost2.cheap", "stage1.0", "ghost 2 cheap"),
        ("stem", "stem", ""),
        ("stage1.0.residual", "stage1.0", ""),
    ],
)
def test_relative_paths(path: str, base: str, words: str) -> None:
    assert reader_name(path, base) == words


def test_a_title_does_not_depend_on_the_design() -> None:
    design: Any = effviz.architecture("mobilenet_v2")
    titles = [block_title(entry.block) for entry in design.blocks()]
    assert titles.count("Inverted residual") == 17
    assert titles[0] == titles[-3] == "Convolution, batch norm, activation"
    assert titles[-2:] == ["Global average pooling", "Fully connected layer"]
    assert [block_title(entry.block) for entry in replace(design, title="MBConv").blocks()] == titles
