"""Five kinds of convolution: counted, reduced, connected, each against torch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples
from torch import nn

import effviz
from effviz import DesignError
from effviz.charts.convolutions import (
    FactorCurve,
    connection_picture,
    kind_costs,
    reach_picture,
    reduction_curve,
    window_picture,
)
from effviz.charts.style import DARK, KIND_COLORS, LIGHT, Appearance
from effviz.studies.convolutions import (
    KINDS,
    Connection,
    Setting,
    by_kernel,
    by_width,
    connections,
    design,
    drawn_channels,
    enough_channels,
    legal_groups,
    near_limit,
    reach,
    reduction,
    relative_costs,
    report,
    sensitivities,
)

every_look = pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])


@st.composite
def any_setting(draw: st.DrawFn) -> Setting:
    groups = draw(st.integers(1, 8))
    return Setting(
        kernel_size=draw(st.integers(1, 9)),
        in_channels=groups * draw(st.integers(1, 12)),
        out_channels=groups * draw(st.integers(1, 12)),
        groups=groups,
        stride=draw(st.integers(1, 3)),
        resolution=draw(st.integers(9, 40)),
        bias=draw(st.booleans()),
    )


def by_hand(kind: str, setting: Setting) -> nn.Module:
    """The same layers, written in torch."""
    size, wide, out, stride = setting.kernel_size, setting.in_channels, setting.out_channels, setting.stride
    half = (size - 1) // 2
    if kind == "standard":
        return nn.Conv2d(wide, out, size, stride, half, bias=setting.bias)
    if kind == "pointwise":
        return nn.Conv2d(wide, out, 1, stride, bias=setting.bias)
    if kind == "grouped":
        return nn.Conv2d(wide, out, size, stride, half, groups=setting.groups, bias=setting.bias)
    deep = nn.Conv2d(wide, wide, size, stride, half, groups=wide, bias=setting.bias)
    return deep if kind == "depthwise" else nn.Sequential(deep, nn.Conv2d(wide, out, 1, bias=setting.bias))


@settings(max_examples=examples(20))
@given(setting=any_setting(), kind=st.sampled_from(list(KINDS)))
def test_counts_equal_torch(setting: Setting, kind: str) -> None:
    module, counted = by_hand(kind, setting).to("meta"), report(kind, setting)
    profile = effviz.profile(module, (setting.in_channels, setting.resolution, setting.resolution))
    assert (counted.params, counted.macs) == (profile.params, profile.macs)
    assert counted.params == sum(weights.numel() for weights in module.parameters())


@settings(max_examples=examples(20))
@given(setting=any_setting(), kind=st.sampled_from(list(KINDS)))
def test_the_closed_form_is_the_counted_reduction(setting: Setting, kind: str) -> None:
    found = reduction(kind, setting)
    same_map = kind != "pointwise" or setting.kernel_size % 2
    if same_map:
        # A window of even side, padded by half of it, gives a smaller map than a 1x1 does.
        assert found.closed == pytest.approx(found.factor)


def test_the_factor_of_mobilenets_paper() -> None:
    """8 to 9 times for 3x3 (arXiv 1704.04861, section 3.1)."""
    assert 8 < reduction("separable", Setting(3, 512, 512, 1, 1, 14)).factor < 9
    assert reduction("separable", Setting(3, 512, 512, 1, 1, 14)).factor == pytest.approx(1 / (1 / 512 + 1 / 9))


@settings(deadline=None, derandomize=True)
@given(size=st.integers(2, 15), share=st.floats(0.05, 0.99))
def test_from_how_many_channels_on(size: int, share: float) -> None:
    factor = share * size**2
    first = enough_channels(size, factor)
    assert first is not None

    def saves(out: int) -> float:
        return reduction("separable", Setting(size, 4, out, 1, 1, 16)).factor

    if first < 4000:
        assert saves(first) >= factor * (1 - 1e-12)
        assert first == 1 or saves(first - 1) < factor * (1 + 1e-12)


def test_never_more_than_the_window() -> None:
    assert enough_channels(3, 9) is None
    assert enough_channels(3, 8) == 72


@settings(deadline=None, derandomize=True)
@given(wide=st.integers(1, 200), out=st.integers(1, 200))
def test_legal_groups_are_those_that_torch_takes(wide: int, out: int) -> None:
    legal = legal_groups(wide, out)
    assert legal == [count for count in range(1, 201) if wide % count == 0 and out % count == 0]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"groups": 3}, "groups = 3 must divide in_channels = 128"),
        ({"in_channels": 12, "out_channels": 10, "groups": 4}, "groups = 4 must divide out_channels = 10"),
        ({"kernel_size": 0}, "kernel_size = 0 must be at least 1"),
        ({"stride": 1.5}, "stride = 1.5 must be an integer"),
    ],
)
def test_impossible_settings_are_named(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(DesignError, match=problem):
        Setting(**values)


@settings(max_examples=examples(12))
@given(setting=any_setting(), kind=st.sampled_from(list(KINDS)))
def test_one_step_of_one_control(setting: Setting, kind: str) -> None:
    now = report(kind, setting)
    for row in sensitivities(kind, setting):
        name = {"Kernel size": "kernel_size", "Groups": "groups", "Stride": "stride", "Resolution": "resolution"}.get(
            row.control, row.control.split()[0].lower().replace("put", "") + "_channels"
        )
        values = {key: getattr(setting, key) for key in Setting.__dataclass_fields__} | {name: row.after}
        then = effviz.analyze(design(kind, Setting(**values)))
        assert row.before == getattr(setting, name)
        assert row.params * now.params == pytest.approx(then.params)
        assert row.macs * now.macs == pytest.approx(then.macs)
        assert row.memory_access * now.memory_access == pytest.approx(then.memory_access)


# --- connections ------------------------------------------------------------------------------------------------------


def reads(module: nn.Module, channels: int, side: int) -> np.ndarray:
    """Which outputs depend on which inputs: where the gradient is not 0, with weights that cannot cancel."""
    for weights in module.parameters():
        nn.init.uniform_(weights, 0.5, 1.0)
    image = torch.ones(1, channels, side, side, requires_grad=True)
    output = module(image)
    rows = []
    for channel in range(output.shape[1]):
        (gradient,) = torch.autograd.grad(output[0, channel].sum(), image, retain_graph=True)
        rows.append(gradient[0].abs().sum(dim=(1, 2)) > 0)
    return torch.stack(rows).numpy()


@settings(max_examples=examples(10))
@given(setting=any_setting(), kind=st.sampled_from(list(KINDS)))
def test_connections_are_those_of_the_built_layers(setting: Setting, kind: str) -> None:
    module = effviz.build(design(kind, setting))
    convs = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    drawn = connections(kind, setting)
    assert len(drawn) == len(convs)
    for blocks, conv in zip(drawn, convs, strict=True):
        matrix = np.zeros((conv.out_channels, conv.in_channels), dtype=bool)
        for each in blocks:
            matrix[each.first_out : each.end_out, each.first_in : each.end_in] = True
        assert (matrix == reads(conv, conv.in_channels, setting.resolution)).all()


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    ("channels", "groups"), [(12, 3), (12, 4), (16, 4), (16, 8), (24, 1), (24, 24), (36, 6), (10, 5)]
)
def test_reach_is_that_of_two_built_convolutions(channels: int, groups: int, shuffle: bool) -> None:
    bare: dict[str, Any] = {"norm": False, "activation": "none", "bias": False, "kernel_size": 1, "groups": groups}
    rows = [effviz.Stage("conv", channels, **bare), effviz.Stage("conv", channels, **bare)]
    if shuffle:
        rows.insert(1, effviz.Stage("channel_shuffle", groups=groups))
    module = effviz.build(effviz.Design("two", tuple(rows), resolution=2, in_channels=channels))
    reached = reach(channels, groups, shuffle=shuffle)
    assert (reached == reads(module, channels, 2)).all()
    if not shuffle:
        assert reached.mean() == pytest.approx(1 / groups)
    elif channels // groups >= groups:
        assert reached.all(), "as many channels in a group as groups: everything reaches everything"


def test_reach_needs_groups_that_divide() -> None:
    with pytest.raises(DesignError, match="groups = 5 must divide channels = 12"):
        reach(12, 5, shuffle=True)


@settings(deadline=None, derandomize=True)
@given(channels=st.integers(1, 4096), groups=st.integers(1, 4096))
def test_a_picture_has_few_channels_and_equal_groups(channels: int, groups: int) -> None:
    if channels % groups:
        return
    few, drawn = drawn_channels(channels, groups)
    assert few <= 64
    assert few % drawn == 0
    assert (few, drawn) == (channels, groups) if channels <= 64 else drawn <= groups


# --- charts -----------------------------------------------------------------------------------------------------------


@every_look
def test_the_costs_are_drawn_where_they_are(look: Appearance) -> None:
    setting = Setting()
    shares = relative_costs(setting)
    chart = kind_costs(shares, "separable", KINDS, "Multiply-adds", look)
    points = [trace for trace in chart.figure.data if trace.mode == "markers" and trace.x != (None,)]
    for trace, name in zip(points, ("macs", "memory_access"), strict=True):
        assert list(trace.x) == [costs[name] for costs in shares.values()]
        assert [color == look.accent for color in trace.marker.color] == [kind == "separable" for kind in KINDS]
    low, high = chart.figure.layout.xaxis.range
    assert all(low <= math.log10(value) <= high for trace in points for value in trace.x)
    assert chart.title == (
        "Compared with a standard convolution, depthwise separable needs 8.41× fewer multiply-adds and 1.2× the memory "
        "access"
    )
    assert all(label in chart.alt for label in KINDS.values())


def test_parameters_have_their_own_marks_with_bias() -> None:
    chart = kind_costs(relative_costs(Setting(bias=True)), "separable", KINDS, "Multiply-adds", LIGHT)
    drawn = [trace.name for trace in chart.figure.data if trace.mode == "markers" and trace.x != (None,)]
    assert drawn == ["Parameters", "Multiply-adds", "Memory access"]


@every_look
@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_curve_has_a_mark_at_the_current_setting(look: Appearance, logarithmic: bool) -> None:
    amounts, factors = [8, 32, 128], [4.2, 7.0, 8.4]
    chart = reduction_curve(
        amounts, [FactorCurve("Multiply-adds", factors, "solid")], 32, "Output channels", "Separable", look,
        logarithmic=logarithmic, limit=(9.0, "k² = 9"),
    )  # fmt: skip
    lines = [trace for trace in chart.figure.data if trace.mode == "lines"]
    (point,) = (trace for trace in chart.figure.data if trace.mode == "markers")
    assert (list(lines[0].x), list(lines[0].y)) == (amounts, factors)
    assert (point.x[0], point.y[0], point.marker.color) == (32, 7.0, look.accent)
    assert chart.figure.layout.yaxis.range[1] > 9
    assert "With 32 output channels, separable needs 7× fewer multiply-adds" in chart.title
    assert "from 4.2× at 8 to 8.4× at 128" in chart.title


def test_a_saving_below_one_is_said_as_a_loss() -> None:
    chart = reduction_curve(
        [1, 3],
        [FactorCurve("Multiply-adds", [0.5, 0.9], "solid")],
        1,
        "Kernel size",
        "Separable",
        LIGHT,
        logarithmic=False,
    )
    assert "At kernel size 1, separable needs 2× the multiply-adds of" in chart.title


@every_look
def test_pictures_show_windows_and_groups(look: Appearance) -> None:
    window = window_picture(Setting(stride=2), 3, look)
    assert window.title == "A 3×3 window reads 9 positions of each input channel"
    assert "2 positions further" in window.alt
    four = [Connection(8 * group, 8 * group + 8, 4 * group, 4 * group + 4) for group in range(4)]
    chart = connection_picture(four, "grouped convolution", look)
    assert chart.title == "Each output channel reads 8 of 32 input channels (25 %)"
    filled = [shape for shape in chart.figure.layout.shapes if shape.fillcolor == KIND_COLORS["grouped convolution"]]
    assert [(shape.x0, shape.y0, shape.x1, shape.y1) for shape in filled] == [
        (each.first_in, each.first_out, each.end_in, each.end_out) for each in four
    ]
    many = [Connection(place, place + 1, place, place + 1) for place in range(300)]
    assert len(connection_picture(many, "depthwise", look).figure.layout.shapes) == 2
    reached = reach(12, 3, shuffle=False)
    matrix = reach_picture(reached, 3, "Without shuffle", look)
    assert np.array(matrix.figure.data[0].z).sum() == reached.sum()
    assert "33 %" in matrix.alt


def test_relative_costs_and_curves() -> None:
    setting = Setting()
    shares = relative_costs(setting)
    assert shares["standard"] == {"params": 1.0, "macs": 1.0, "memory_access": 1.0}
    for kind in KINDS:
        factor = reduction(kind, setting).factor
        assert shares[kind]["macs"] == pytest.approx(1 / factor)
        kernels, widths = by_kernel(kind, setting), by_width(kind, setting)
        for curves, at in ((kernels, setting.kernel_size), (widths, setting.out_channels)):
            place = curves.at.index(at)
            assert curves.macs[place] == pytest.approx(factor)
            assert curves.memory_access[place] == pytest.approx(1 / shares[kind]["memory_access"])
    assert all(width % 3 == 0 for width in by_width("grouped", Setting(in_channels=3, out_channels=9, groups=3)).at)


def test_the_limit_of_the_reduction() -> None:
    assert near_limit(3) == (8.0, 72)
    assert near_limit(1)[1] is None
