"""Channels that later blocks contain: the marks on the layer tree against the outputs of torch."""

from __future__ import annotations

import math
from fnmatch import fnmatch
from typing import Any

import pytest
import torch
from torch import nn

import effviz
from effviz import Design
from effviz.backend.build import to_module
from effviz.model.layers import (
    BatchNorm2d,
    Branches,
    ChannelSelect,
    ChannelShuffle,
    Conv2d,
    Identity,
    Layer,
    Primitive,
    Sequential,
    Slice,
    ZeroPadChannels,
    primitive_kinds,
)
from effviz.studies import reuse as reuse_module
from effviz.studies.reuse import Channel, reading, reuse, through


def _stage(design: Design, stage: str, resolution: int) -> list[Any]:
    return [entry for entry in design.blocks(resolution) if entry.path.partition(".")[0] == stage]


def _modules(design: Design, stage: str, resolution: int) -> tuple[list[nn.Module], tuple[int, ...]]:
    """The blocks of a stage in torch, batch norms as after training, so that no channel passes one by chance."""
    torch.manual_seed(0)
    entries = _stage(design, stage, resolution)
    modules = [to_module(entry.block).eval() for entry in entries]
    for module in modules:
        for each in module.modules():
            if isinstance(each, nn.BatchNorm2d):
                nn.init.normal_(each.weight)
                nn.init.normal_(each.bias)
                nn.init.normal_(each.running_mean)  # type: ignore[arg-type]
                nn.init.uniform_(each.running_var, 0.5, 2)  # type: ignore[arg-type]
    return modules, entries[0].shape


def _same(before: torch.Tensor, after: torch.Tensor) -> int:
    """Channels of `before` of which `after` has one that is equal in every bit."""
    known = {channel.numpy().tobytes() for channel in after[0]}
    rows = {channel.numpy().tobytes() for channel in before[0]}
    assert len(rows) == before.shape[1], "every channel is known by its content"
    return len(rows & known)


def _unchanged(design: Design, stage: str, resolution: int) -> list[list[int]]:
    modules, shape = _modules(design, stage, resolution)
    size = len(modules)
    found = [[0] * size for _ in modules]
    with torch.no_grad():
        first: Any = modules[0](torch.randn(1, *shape))
        for source in range(size):
            # A fresh pattern for every channel of this block; its sign too, or ReLU would pass what is positive.
            output = torch.randn_like(first)
            found[source][source] = output.shape[1]
            marked = output
            for target in range(source + 1, size):
                output = modules[target](output)
                found[source][target] = _same(marked, output)
            if source + 1 < size:
                first = modules[source + 1](first)
    return found


def _summed(design: Design, stage: str, resolution: int) -> list[list[int]]:
    """With every convolution and norm silenced, what arrives is what is copied or added; positive, for ReLU."""
    modules, shape = _modules(design, stage, resolution)
    for module in modules:
        for parameter in module.parameters():
            nn.init.zeros_(parameter)
    size = len(modules)
    found = [[0] * size for _ in modules]
    with torch.no_grad():
        first: Any = modules[0](torch.rand(1, *shape) + 1)
        for source in range(size):
            marked = output = torch.rand_like(first) + 1
            for target in range(source + 1, size):
                output = modules[target](output)
                found[source][target] = _same(marked, output)
            if source + 1 < size:
                first = modules[source + 1](first)
    return found


CASES = [
    *(("shufflenet_v2", {"width_mult": width}, stage) for width in (0.5, 1.0, 1.3, 2.0)
      for stage in ("stage2", "stage3", "stage4")),
    ("shufflenet_v1", {}, "stage2"),
    *(("densenet121", {}, stage) for stage in ("stage1", "stage2", "stage4")),
    ("densenet121", {"width_mult": 0.5}, "stage1"),
    *(("condensenet", {"groups": groups}, "stage2") for groups in (4, 8)),
    *(("resnet18", {}, stage) for stage in ("stage1", "stage2", "stage4")),
    ("resnet50", {"width_mult": 0.25}, "stage3"),
    ("mobilenet_v2", {}, "stage4"),
    ("mobilenet_v1", {}, "stage4"),
    ("efficientnet_b0", {}, "stage6"),
    ("ghostnet", {}, "stage5"),
    ("squeezenet1_1", {}, "stage2"),
    ("vgg16", {"width_mult": 0.25}, "stage3"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options", "stage"), CASES)
def test_the_marks_are_what_torch_does(name: str, options: dict[str, Any], stage: str) -> None:
    design = effviz.architecture(name, **options)
    found = reuse(design, stage, 64)
    assert [list(row) for row in found.direct] == _unchanged(design, stage, 64)
    reached = [
        [copies + terms if j > i else 0 for j, (copies, terms) in enumerate(zip(*rows, strict=True))]
        for i, rows in enumerate(zip(found.direct, found.added, strict=True))
    ]
    assert reached == _summed(design, stage, 64)
    assert found.labels == tuple(entry.path for entry in _stage(design, stage, 64))


@pytest.mark.parametrize("width", [0.5, 1.0, 1.5, 2.0])
def test_shufflenet_v2_halves_with_every_block(width: float) -> None:
    """Section 3 of arXiv 1807.11164: c / 2^(j - i) channels, to a whole one."""
    for stage in ("stage2", "stage3", "stage4"):
        found = reuse(effviz.architecture("shufflenet_v2", width_mult=width), stage)
        for i, (c, row) in enumerate(zip(found.channels, found.direct, strict=True)):
            assert list(row[i:]) == [math.ceil(c / 2**distance) for distance in range(len(row) - i)]
            assert row[:i] == (0,) * i
        assert not any(map(any, found.added))


def test_shufflenet_v2_by_hand() -> None:
    found = reuse(effviz.architecture("shufflenet_v2"), "stage2")
    assert found.labels == ("stage2.0", "stage2.1", "stage2.2", "stage2.3")
    assert found.channels == (116,) * 4
    assert found.direct[0] == (116, 58, 29, 15)
    assert found.direct_shares[0][1:3] == (0.5, 0.25)
    assert found.design == "shufflenet_v2"


def test_densenet_keeps_all() -> None:
    found = reuse(effviz.architecture("densenet121"), "stage3")
    assert found.channels == tuple(128 + 128 + 32 * count for count in range(1, 25))
    for i, row in enumerate(found.direct_shares):
        assert row == (0.0,) * i + (1.0,) * (24 - i)
    assert not any(map(any, found.added))


@pytest.mark.parametrize("stage", [f"stage{index}" for index in range(1, 6)])
def test_condensenet_keeps_all(stage: str) -> None:
    found = reuse(effviz.architecture("condensenet"), stage)
    for i, row in enumerate(found.direct_shares):
        assert row == (0.0,) * i + (1.0,) * (len(row) - i)


@pytest.mark.parametrize(
    ("name", "options", "share"),
    [
        ("densenet121", {}, 1.0),
        ("condensenet", {}, 1 / 4),
        ("condensenet", {"groups": 8}, 1 / 8),
        ("resnet50", {}, 1.0),
    ],
)
def test_what_a_filter_reads(name: str, options: dict[str, Any], share: float) -> None:
    assert reading(effviz.architecture(name, **options)).share == share


@pytest.mark.parametrize(("name", "pattern"), [("densenet121", "*.reduce.conv"), ("condensenet", "*.reduce")])
def test_cost_of_reading(name: str, pattern: str) -> None:
    """The 1x1 convolutions of the built module, with the map of each in the table of the report."""
    table: Any = effviz.analyze(effviz.architecture(name)).table
    found = reading(effviz.architecture(name))
    assert found.first_macs == sum(
        row.macs for row in table.itertuples() if fnmatch(row.path, pattern) and row.path.startswith("stage")
    )
    assert 0 < found.first_macs < found.macs


def test_reading_needs_blocks_with_convolutions() -> None:
    rows = (effviz.Stage("conv", 8), effviz.Stage("norm_act", repeats=2))
    with pytest.raises(effviz.DesignError, match="design = 'plain' must have a stage of several blocks with"):
        reading(Design("plain", rows, resolution=8))


def test_resnet_adds_all() -> None:
    found = reuse(effviz.architecture("resnet18"), "stage2")
    assert found.direct == ((128, 0), (0, 128))
    assert found.added == ((0, 128), (0, 0))
    assert found.added_shares == ((0, 1), (0, 0))
    deep = reuse(effviz.architecture("resnet50"), "stage3")
    assert all(deep.added[i][j] == (1024 if j > i else 0) for i in range(6) for j in range(6))


def test_the_resolution_does_not_matter_here() -> None:
    design = effviz.architecture("shufflenet_v2")
    assert reuse(design, "stage3", 64) == reuse(design, "stage3", 224) == reuse(design, "stage3")


def test_a_stage_of_one_block() -> None:
    found = reuse(effviz.architecture("mobilenet_v2"), "stem")
    assert (found.labels, found.channels, found.direct, found.added) == (("stem",), (32,), ((32,),), ((0,),))


def test_an_unknown_stage() -> None:
    with pytest.raises(effviz.UnknownNameError, match=r"^stage = 'stage9' is unknown; did you mean 'stage\d'\?"):
        reuse(effviz.architecture("resnet18"), "stage9")


def test_a_network_that_cannot_be_built() -> None:
    with pytest.raises(effviz.DesignError, match=r"^resolution = 0 must be at least 1$"):
        reuse(effviz.architecture("resnet18"), "stage1", 0)


# --- single layers ----------------------------------------------------------------------------------------------------


def _through(layer: Layer, count: int) -> list[Channel]:
    channels = [Channel(frozenset({(0, index)})) for index in range(count)]
    return through(layer, channels, (count, 4, 4))[0]


def _marks(channels: list[Channel]) -> list[int | None]:
    return [next((index for _, index in channel.marks), None) for channel in channels]


def test_slices_splits_and_shuffles() -> None:
    assert _marks(_through(Slice(1, 3), 4)) == [1, 2]
    assert _marks(_through(ChannelShuffle(2), 6)) == [0, 3, 1, 4, 2, 5]
    assert _marks(_through(ZeroPadChannels(2, 5), 2)) == [None, 0, 1, None, None]
    kept = Branches((("a", Identity()), ("b", Conv2d(2, 3, 1))), "concat", split=True)
    assert _marks(_through(kept, 4)) == [0, 1, None, None, None]
    twice = Branches((("a", Identity()), ("b", Slice(0, 1))), "concat")
    assert _marks(_through(twice, 2)) == [0, 1, 0]


@pytest.mark.parametrize("width", [1, 5, 6, 9])
def test_the_selection_is_that_of_the_module(width: int) -> None:
    order = to_module(ChannelSelect(6, width))(torch.arange(6.0).reshape(1, 6, 1, 1)).flatten().tolist()
    assert _marks(_through(ChannelSelect(6, width), 6)) == order


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 6])
def test_the_shuffle_is_torchs(groups: int) -> None:
    order = to_module(ChannelShuffle(groups))(torch.arange(12.0).reshape(1, 12, 1, 1)).flatten().tolist()
    assert _marks(_through(ChannelShuffle(groups), 12)) == order


def test_sums_and_products() -> None:
    swapped = Sequential.of(shuffle=ChannelShuffle(2))
    added = _through(Branches((("a", Identity()), ("b", swapped)), "add"), 4)
    assert _marks(added) == [None] * 4
    assert [sorted(mark[1] for mark in channel.summands) for channel in added] == [[0], [1, 2], [1, 2], [3]]
    weighed = _through(Branches((("a", Identity()), ("b", BatchNorm2d(4))), "mul"), 4)
    assert weighed == [Channel()] * 4


def test_every_primitive_has_a_rule() -> None:
    known = (
        *reuse_module.KEEP,
        *reuse_module.MAKE_NEW,
        Slice,
        ChannelSelect,
        ChannelShuffle,
        ZeroPadChannels,
        effviz.model.layers.Activation,
    )
    assert {kind.__name__ for kind in primitive_kinds()} == {kind.__name__ for kind in known}

    class Unknown(Primitive):
        def out_shape(self, shape: Any) -> Any:
            return shape

    try:
        with pytest.raises(effviz.UncountedLayerError, match="Unknown has no rule"):
            _through(Unknown(), 2)
    finally:
        del Unknown
