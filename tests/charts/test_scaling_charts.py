"""Charts of compound scaling: what they draw is what the engine counts."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

import effviz
from effviz.advice.scaling import EXPONENTS, ScalingRule, built_stages, feasible, sweep
from effviz.charts.relative import Measured as Measure
from effviz.charts.scaling.grid import grid_chart
from effviz.charts.scaling.picture import body, picture_chart
from effviz.charts.scaling.promised import Count, log_ticks, stairs_charts
from effviz.charts.scaling.rules import duel_chart, growth_chart, printed_chart
from effviz.charts.style import DARK, LIGHT
from effviz.studies.scaling import contenders, curves, frames, pins, printed, stairs

B0 = effviz.architecture("efficientnet_b0")
MACS = Count("Multiply-adds", 1)


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_stairs_show_what_is_built(look: Any) -> None:
    found = stairs(B0, ScalingRule(), -2, 8)
    now = sweep(B0, ScalingRule(), [1.0])[0]
    cost, sizes = stairs_charts(found, now, pins(B0, ScalingRule()), Count("FLOPs", 2), look)
    traces = json.loads(cost.figure.to_json())["data"]
    promised, built, marked = traces[:3]
    assert promised["y"] == [1, 1]
    factor = 1.2 * 1.1**2 * 1.15**2
    assert [*built["x"], *marked["x"]] == [each.phi for each in (*found.built[::4], now)]
    ratios = [each.macs / (385_814_752 * factor**each.phi) for each in (*found.built[::4], now)]
    assert [*built["y"], *marked["y"]] == pytest.approx(ratios, abs=5e-4)
    for data, panels in (
        (traces[3:], ("macs",)), (json.loads(sizes.figure.to_json())["data"], ("blocks", "channels", "resolution")),
    ):  # fmt: skip
        for row, panel in enumerate(panels):
            promised, built, released, marked = data[4 * row : 4 * row + 4]
            factor = 2 if panel == "macs" else 1
            assert marked["y"] == [factor * getattr(now, panel)]
            # Between the steps that are drawn nothing changes.
            steps = dict(zip(built["x"], built["y"], strict=True))
            current = None
            for each in found.built:
                current = steps.get(each.phi, current)
                assert current == factor * getattr(each, panel)
            assert promised["y"][0] < promised["y"][1]
            assert released["text"] == [f"B{i}" for i in range(1, 8)]
    assert "B1 0.52" in sizes.alt
    assert cost.title == "φ = 1 promises 1.92× the FLOPs, but the built network has 2.57×: 19.2 blocks become 23"


def test_the_picture_is_to_scale() -> None:
    drawn = frames(B0, ScalingRule())
    chart = picture_chart(drawn, 0.8, MACS, LIGHT)
    # The picture is that of the φ on screen, and the animation returns to it.
    assert chart.spec["data"] == chart.spec["frames"][3]["data"]
    button, pause = chart.spec["layout"]["updatemenus"][0]["buttons"]
    assert pause["args"][0] == [None]
    assert button["args"][0] == [*(f"{frame.phi:g}" for frame in drawn), "0.75"]
    assert "φ = 0.75" in chart.alt
    assert [frame.name for frame in chart.figure.frames] == [f"{frame.phi:g}" for frame in drawn]
    for frame, made in zip(drawn, chart.figure.frames, strict=True):
        fronts = [trace for trace in made.data if trace.name == "front"]
        boxes = []
        for trace in fronts:
            xs, ys = list(trace.x), list(trace.y)
            boxes += [(xs[at : at + 4], ys[at : at + 4]) for at in range(0, len(xs), 6)]
        expected = [stage for rank in (False, True) for each in frame.drawn if (each.rule == "compound") is rank
                    for stage in body(each)]  # fmt: skip
        assert len(boxes) == len(expected)
        scale = {round((max(ys) - min(ys)) / stage.channels, 9) for (_, ys), stage in zip(boxes, expected, strict=True)}
        assert len(scale) == 1, "one scale for the channels of every box"
        for (xs, _), stage in zip(boxes, expected, strict=True):
            assert max(xs) - min(xs) == pytest.approx(stage.blocks)
    names = {stage.name for stage in body(drawn[0].drawn[0])}
    assert names == {stage.name for stage in built_stages(B0) if stage.scales}


def test_the_duel_chart_is_relative_to_the_compound_network() -> None:
    found, _ = contenders(B0, ScalingRule(), 1.0, ("baseline", "compound", "width", "depth", "resolution", "fast"))
    measures = [
        Measure("Activations", "diamond", [each.report.activations for each in found]),
        Measure("Latency here", "cross", [None] * len(found)),
    ]
    chart = duel_chart(found, measures, LIGHT)
    dots = next(trace for trace in chart.figure.data if trace.name == "Activations" and trace.x[0] is not None)
    own = found[1].report.activations
    assert list(dots.x) == pytest.approx([each.report.activations / own for each in found])
    width = next(each.report.activations for each in found if each.rule == "width") / own
    assert f"width only has {width:.3g}× the activations" in chart.title


def test_the_growth_chart_ends_where_the_curves_end() -> None:
    spread = curves(B0, ScalingRule(), 0, 6)
    chart = growth_chart(spread, 10**9, Count("FLOPs", 2), DARK)
    assert len(chart.figure.data) == len(EXPONENTS) + 1
    for trace, points in zip(chart.figure.data, spread.values(), strict=True):
        assert trace.x[-1] == 2 * points[-1].macs
    same = curves(B0, ScalingRule(1, 1, 1), 0, 2)
    assert growth_chart(same, 10**9, MACS, LIGHT).figure.data == ()


def test_the_printed_chart_counts_misfits() -> None:
    rows = printed(B0)
    chart = printed_chart(rows, LIGHT)
    assert chart.title == (
        "In the paper, compound scaling reaches 81.1 % top-1 and resolution scaling 79.1 %; for 3 networks, the stated "
        "multipliers give other multiply-adds"
    )
    shown = {trace.name: list(trace.x) for trace in chart.figure.data if trace.name}
    assert shown["published"] == [row.macs for row in rows]
    assert shown["counted from the stated multipliers"] == [row.counted for row in rows]


def test_the_grid_chart_holds_the_closest_alpha() -> None:
    found = feasible(B0)
    chart = grid_chart(found, effviz.analyze(B0).macs, 2.0, ScalingRule(1.5, 1.0, 1.15), MACS, LIGHT)
    heat = chart.figure.data[0]
    for gamma, row in zip(heat.y, heat.text, strict=True):
        for beta, label in zip(heat.x, row, strict=True):
            near = [each.rule for each in found if (f"{each.rule.beta:g}", f"{each.rule.gamma:g}") == (beta, gamma)]
            if not near:
                assert label == ""
            elif "*" not in label:
                assert float(label) in {rule.alpha for rule in near}
                assert (
                    abs(float(label) * float(beta) ** 2 * float(gamma) ** 2 - 2)
                    <= min(abs(rule.factor - 2) for rule in near) + 1e-9
                )


@settings(max_examples=examples(100))
@given(low=st.floats(-1, 9), span=st.floats(0.05, 8), most=st.integers(3, 8))
def test_ticks_are_on_the_axis_and_few(low: float, span: float, most: int) -> None:
    ticks = log_ticks(low, low + span, most)
    assert len(ticks) <= most
    assert all(low - 0.03 <= math.log10(tick) <= low + span + 0.03 for tick in ticks)
