"""Animations: counts against the engine, the shuffle against numpy, values against torch, and their texts."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from style import COMPILED

from effviz import DesignError
from effviz.charts.motion import MOTIONS, Motion, convolution, motion, motions_of, shuffle
from effviz.charts.motion.excite import excitation
from effviz.charts.motion.ghost import drawn_module, ghost
from effviz.charts.motion.maps import convolve, input_maps, weights
from effviz.charts.motion.shuffle import places
from effviz.charts.motion.volumes import drawn_setting
from effviz.charts.motion.widths import widths
from effviz.core.errors import if_legal
from effviz.count.totals import block_totals
from effviz.model.blocks import Bottleneck, ConvBNAct, FusedMBConv, GhostModule, InvertedResidual, MBConv, SqueezeExcite
from effviz.model.layers import Conv2d
from effviz.studies.blocks import PRESETS, Place
from effviz.studies.blocks import design as block_design
from effviz.studies.convolutions import KINDS, Setting, reach, report


@st.composite
def settings(draw: st.DrawFn) -> Setting:
    groups = draw(st.integers(1, 12))
    reads, writes = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    size, stride, side = draw(st.integers(1, 9)), draw(st.integers(1, 5)), draw(st.integers(1, 40))
    return Setting(size, groups * reads, groups * writes, groups, stride, side)


def windows(found: Motion) -> int:
    """Count the multiplications of an animation cell by cell, as the browser draws them."""
    spec = json.loads(found.json)
    total = 0
    for phase in spec["phases"]:
        if "kernel" not in phase:
            continue
        source, target = spec["stacks"][phase["from"]], spec["stacks"][phase["to"]]
        high = source["side"] + 2 * source["pad"]
        for kernel in range(phase["kernels"]):
            first = kernel // phase["group"] * phase["inner"]
            assert first + phase["inner"] <= source["channels"]
            assert phase["first"] + kernel < target["channels"]
            # Each weight of the window at each place is one product; the window stays on the map and its zeros.
            for row in range(phase["side"]):
                for _ in range(phase["side"]):
                    assert row * phase["stride"] + phase["kernel"] <= high
                    total += sum(len(digits) for digits in phase["weights"][kernel])
        assert phase["side"] == target["side"]
    return total


@given(settings(), st.sampled_from(sorted(KINDS)))
def test_multiplications_of_a_convolution_are_those_of_the_engine(setting: Setting, kind: str) -> None:
    if if_legal(lambda: report("standard", setting)) is None:
        return  # no kind is comparable
    found, small = convolution(kind, setting), drawn_setting(setting)
    expected = report(kind, small).macs
    assert windows(found) == found.multiplications() == found.tracks[0].total == expected
    assert found.tracks[0].real == report(kind, setting).macs
    assert f"{found.tracks[0].real:,}" in found.alt
    if drawn_setting(small) == small == setting:
        assert "all channels and pixels" in found.note


@given(settings())
def test_a_drawing_is_small_and_has_the_structure_of_the_convolution(setting: Setting) -> None:
    small = drawn_setting(setting)
    assert max(small.in_channels, small.out_channels) <= 6
    assert small.kernel_size <= 5
    assert small.resolution <= 7

    def structure(each: Setting) -> tuple[Any, ...]:
        groups, wide, out = each.groups, each.in_channels, each.out_channels
        return groups > 1, wide // groups > 1, out // groups > 1, (wide > out) - (wide < out), each.kernel_size % 2

    assert structure(small) == structure(setting)
    assert drawn_setting(small) == small


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5), st.sampled_from([1, 3, 5, 7]), st.integers(1, 30))
def test_multiplications_of_a_ghost_module(wide: int, out: int, ratio: int, size: int, side: int) -> None:
    module = GhostModule(wide, out, ratio=ratio, cheap_kernel_size=size)
    found, small = ghost(module, side), drawn_module(module)
    expected = block_totals(small, (small.in_channels, min(side, 5), min(side, 5))).macs
    assert windows(found) == found.multiplications() == found.tracks[0].total == expected
    assert found.tracks[0].real == block_totals(module, (wide, side, side)).macs


@given(st.integers(1, 200), st.integers(1, 60), st.integers(1, 30))
def test_multiplications_of_squeeze_and_excitation(wide: int, squeezed: int, side: int) -> None:
    found = excitation(SqueezeExcite(wide, squeezed), side)
    channels, hidden = (json.loads(found.json)[key] for key in ("channels", "squeezed"))
    assert found.multiplications() == found.tracks[0].total == 2 * channels * hidden
    assert found.tracks[0].real == 2 * wide * squeezed


@pytest.mark.parametrize(
    "block",
    [
        InvertedResidual(24, 24), InvertedResidual(24, 40, 2, se_ratio=0.25), MBConv(16, 24, 2),
        MBConv(8, 8, expand_ratio=1.0), FusedMBConv(24, 24), FusedMBConv(24, 24, expand_ratio=1.0),
        Bottleneck(64, 256, 2), Bottleneck(256, 256, groups=32),
    ],
)  # fmt: skip
def test_multiplications_of_blocks_and_their_counterparts(block: Any) -> None:
    found = widths(block, 28)
    rows = json.loads(found.json)["rows"]
    assert found.multiplications(0) == found.tracks[0].total == block_totals(block, (block.in_channels, 28, 28)).macs
    assert rows[0]["nodes"][0] == block.in_channels
    assert rows[0]["nodes"][-1] == block.out_channels
    narrow_and_wide = [{min(row["nodes"]), max(row["nodes"])} for row in rows]
    if block.keeps_shape:
        assert narrow_and_wide[0] == narrow_and_wide[1], "the same two widths"
    assert rows[0]["shortcut"] == ("identity" if block.keeps_shape else "1×1" if isinstance(block, Bottleneck) else "")


def test_the_gates_of_a_block_are_on_the_map_after_its_stride() -> None:
    found = motions_of(MBConv(24, 40, 2), (24, 28, 28))
    assert list(found) == ["Widths", "Gating"]
    assert "5×5 of 14×14 pixels" in found["Gating"]().note
    assert motions_of(ConvBNAct(8, 8, dilation=2), (8, 9, 9)) == {}


@given(st.integers(1, 12), st.integers(1, 12))
def test_the_shuffle_is_reshape_transpose_flatten(groups: int, size: int) -> None:
    channels = np.arange(groups * size)
    shuffled = torch.channel_shuffle(torch.from_numpy(channels).reshape(1, -1, 1, 1), groups).flatten().numpy()
    expected = channels.reshape(groups, size).T.reshape(-1)
    found = np.empty_like(channels)
    found[places(groups * size, groups)] = channels
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found, shuffled)


def test_the_default_shuffle_is_that_of_the_paper() -> None:
    found = motion("shuffle")
    assert found == shuffle(9, 3)
    assert found.steps == 27
    assert "1, 4, 7, 2, 5, 8, 3, 6, 9" in found.alt
    # Afterwards each output of two convolutions depends on every input, as the page shows below.
    assert reach(9, 3, shuffle=True).all()


@given(st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.integers(1, 7))
def test_values_are_those_of_torch(groups: int, reads: int, writes: int, size: int, stride: int, side: int) -> None:
    padding = (size - 1) // 2
    if side + 2 * padding < size:
        return
    conv = Conv2d(groups * reads, groups * writes, size, stride, padding, groups=groups, bias=False)
    maps, kernels = input_maps(groups * reads, side), weights(conv)
    expected = torch.nn.functional.conv2d(
        torch.tensor(maps)[None], torch.tensor(kernels), stride=stride, padding=padding, groups=groups
    )
    np.testing.assert_allclose(convolve(conv, maps, kernels), expected[0].numpy(), rtol=1e-4, atol=1e-5)


FAULTS = re.compile(r"\b(?:nan|inf|None)\b|  |\.\.|,,|\b1 (?:groups|channels|maps|multiplications)\b")


def every() -> list[Motion]:
    """Animations of every block at usual and extreme numbers, and the defaults of all names."""
    found = [motion(name) for name in MOTIONS]
    for setting in (Setting(), Setting(1, 1, 1, 1, 1, 1), Setting(5, 3, 32, 1, 2, 224), Setting(3, 6, 12, 6, 4, 9)):
        found += [convolution(kind, setting) for kind in KINDS]
    for name in PRESETS:
        for place in (Place(), Place(24, 48, 2, 28), Place(8, 8, 1, 1), Place(384, 384, 1, 7)):
            block = if_legal(lambda name=name, place=place: block_design(name, place).blocks()[0])  # type: ignore[misc]
            if block is not None:
                found += [make() for make in motions_of(block.block, block.shape).values()]
    return [
        *found,
        shuffle(1, 1),
        shuffle(7, 1),
        shuffle(7, 7),
        shuffle(1000, 500),
        ghost(GhostModule(1, 1, ratio=1), 1),
    ]


def test_texts_are_sentences_with_the_numbers() -> None:
    for found in every():
        assert found.alt.startswith(found.title), found.name
        texts = [found.title, found.alt, found.note, *(text for _, text in found.captions)]
        for text in texts:
            assert not FAULTS.search(text), text
            assert not [why for rule, why in COMPILED.items() if rule.search(text)], text
        assert all(text.endswith(".") for text in texts[1:]), found.name
        starts = [at for at, _ in found.captions]
        assert starts == sorted(starts)
        assert starts[0] == 0
        assert starts[-1] == found.steps >= found.twin
        assert len(found.json) < 12_000, found.name


@pytest.mark.parametrize(
    ("name", "numbers", "message"),
    [
        ("shufle", {}, "motion = 'shufle' is unknown; did you mean 'shuffle'?"),
        ("shuffle", {"channel": 3}, "argument = 'channel' is unknown; did you mean 'channels'?"),
        ("shuffle", {"channels": 0}, "channels = 0 must be at least 1"),
        ("shuffle", {"channels": 9, "groups": 2}, "groups = 2 must divide"),
        ("grouped", {"groups": 3}, "groups = 3 must divide in_channels = 128"),
        ("excite", {"squeezed": -1}, "squeezed = -1 must be at least 1"),
        ("ghost", {"resolution": 0}, "resolution = 0 must be at least 1"),
        ("inverted_residual", {"expand_ratio": "6"}, "expand_ratio = '6' must be a number"),
    ],
)  # fmt: skip
def test_illegal_arguments_are_named(name: str, numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=f"^{re.escape(message)}"):
        motion(name, **numbers)
