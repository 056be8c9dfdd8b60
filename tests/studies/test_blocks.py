"""Single blocks of the papers: fields with legal values, places that can be built, and costs as in torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

import effviz
from effviz import DesignError, UnknownNameError
from effviz.model.blocks import BLOCKS
from effviz.model.fields import declared
from effviz.studies import blocks as lesson
from effviz.studies.blocks import PRESETS, Place

every_preset = pytest.mark.parametrize("name", list(PRESETS))


def defaults(name: str) -> dict[str, Any]:
    return {entry.name: entry.default for entry in lesson.fields_of(name)}


@every_preset
def test_a_block_alone_is_the_block_in_torch(name: str) -> None:
    place = Place()
    values = lesson.settle(name, place, defaults(name))
    assert lesson.problem(name, place, values) == ""
    design = lesson.design(name, place, values)
    report, module = effviz.analyze(design), effviz.build(design)
    assert sum(weights.numel() for weights in module.parameters()) == report.params
    profile = effviz.profile(module, (96, 14, 14))
    assert (profile.params, profile.macs) == (report.params, report.macs)
    with torch.no_grad():
        output = module(torch.zeros(1, 96, 14, 14))
    assert " x ".join(map(str, output.shape[1:])) == report.table["output_shape"].iloc[-1]


@every_preset
def test_controls_are_the_declared_fields(name: str) -> None:
    preset = PRESETS[name]
    known = {entry.name: entry for entry in declared(BLOCKS[preset.block])}
    shown = lesson.fields_of(name)
    assert {entry.name for entry in shown} <= set(known)
    hidden = set(known) - {entry.name for entry in shown}
    assert hidden <= {
        "drop_prob", "padding", "dilation", "bias", "norm", "expand_divisor", "se_divisor",
        "expanded_channels", "always_expand", "conv_bias", "equal_branches",
    }  # fmt: skip
    for entry in shown:
        assert entry.default == preset.fields.get(entry.name, known[entry.name].default)
        assert entry.help


@every_preset
def test_sums_by_part_add_up(name: str) -> None:
    report = effviz.analyze(lesson.design(name, Place(), lesson.settle(name, Place(), defaults(name))))
    sums = lesson.sublayer_sums(report)
    total = [sum(column) for column in zip(*sums.values(), strict=True)]
    assert total == [report.params, report.macs, report.flops, report.memory_access]
    parts = list(dict.fromkeys(lesson.sublayer(step) for step in report.steps if not step.is_view))
    assert list(dict.fromkeys(part for part, _ in sums)) == parts


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(
    name=st.sampled_from(list(PRESETS)),
    wide=st.integers(1, 200),
    out=st.integers(1, 200),
    stride=st.sampled_from([1, 2]),
    side=st.integers(1, 40),
    data=st.data(),
)
def test_legal_values_build_and_others_are_explained(
    name: str, wide: int, out: int, stride: int, side: int, data: st.DataObject
) -> None:
    place = Place(wide, out, stride, side)
    values = lesson.settle(name, place, defaults(name))
    for entry in lesson.fields_of(name):
        possible = lesson.legal(name, place, values, entry)
        if possible:
            values[entry.name] = data.draw(st.sampled_from(possible))
            assert lesson.problem(name, place, values) == ""
        if entry.is_free:
            assert len({lesson.problem(name, place, {**values, entry.name: each}) for each in entry.choices}) == 1
    reason = lesson.problem(name, place, values)
    if reason:
        with pytest.raises(DesignError) as raised:
            effviz.analyze(lesson.design(name, place, values))
        assert str(raised.value) == reason
    else:
        effviz.analyze(lesson.design(name, place, values))


def test_groups_settle_where_they_divide() -> None:
    assert lesson.problem("resnext", Place(96, 96), defaults("resnext")).endswith(
        "groups = 32 must divide in_channels = 48"
    )
    assert lesson.settle("resnext", Place(96, 96), defaults("resnext"))["groups"] == 16
    assert lesson.settle("resnext", Place(256, 256), defaults("resnext"))["groups"] == 32


def test_an_unknown_block_lists_the_choices() -> None:
    with pytest.raises(UnknownNameError, match="inverted_residual"):
        lesson.fields_of("inception")


@every_preset
def test_every_layer_belongs_to_a_part(name: str) -> None:
    values = lesson.settle(name, Place(), defaults(name))
    report = effviz.analyze(lesson.design(name, Place(), values))
    words = [lesson.sublayer(step) for step in report.steps]
    assert all(words)
    assert len(set(words)) >= (1 if name == "vgg" else 2)
    assert not [word for word in words if "residual" in word or "_" in word]


def test_the_parts_of_an_inverted_residual() -> None:
    report = effviz.analyze(lesson.design("inverted_residual_v3", Place()))
    parts = list(dict.fromkeys(lesson.sublayer(step) for step in report.steps if not step.is_view))
    assert parts[:2] == ["expand", "depthwise"]
    assert parts[-2:] == ["project", "add"]
    assert parts == ["expand", "depthwise", "squeeze excite", "project", "add"]


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(
    name=st.sampled_from(list(PRESETS)),
    wide=st.integers(1, 4096),
    out=st.integers(1, 4096),
    stride=st.sampled_from([1, 2]),
    side=st.integers(1, 224),
)
def test_any_widths_are_adapted_to_ones_that_build(name: str, wide: int, out: int, stride: int, side: int) -> None:
    place, values = lesson.adapt(name, Place(wide, out, stride, side), defaults(name))
    assert lesson.problem(name, place, values) == ""
    assert abs(place.in_channels - wide) <= max(64, wide // 2)


@every_preset
def test_shares_and_the_heaviest_layer(name: str) -> None:
    report = effviz.analyze(lesson.design(name, Place(), lesson.settle(name, Place(), defaults(name))))
    table = report.table
    assert lesson.output_text(report) == report.rows[-1].output_shape
    path, macs = lesson.heaviest_layer(report)
    assert macs == table["macs"].max()
    assert path == table.loc[table["macs"].idxmax(), "path"]
    depthwise = table[table["kind"] == "depthwise"]
    shares = lesson.depthwise_shares(report)
    assert (shares is None) == (not 0 < depthwise["macs"].sum() < report.macs)
    if shares is not None:
        assert shares.macs == depthwise["macs"].sum() / report.macs
        assert shares.memory_access == depthwise["memory_access"].sum() / report.memory_access
