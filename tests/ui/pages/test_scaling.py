"""The page about compound scaling: it shows what the engine counts, for any control and any link."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_reader import charts, line, open_page, run
from streamlit.testing.v1 import AppTest

import effviz
from effviz.advice.scaling import (
    EXPONENTS,
    ScalingRule,
    built_body,
    built_stages,
    compound_scale,
    feasible,
    fit_phi,
    sweep,
)
from effviz.charts.scaling.grid import grid_chart
from effviz.charts.scaling.picture import body, picture_chart
from effviz.charts.scaling.promised import Count, floored, log_ticks, stairs_charts
from effviz.charts.scaling.rules import Measure, duel_chart, growth_chart, printed_chart
from effviz.charts.style import DARK, LIGHT
from effviz.core.units import milliseconds, si
from effviz.measure import latency as latencies
from effviz.measure.latency import Latency, environment, remember
from effviz.studies.scaling import contenders, curves, frames, pins, printed, stairs
from effviz.ui.page_parts.scaling.page import follow, scalable
from effviz.ui.page_parts.scaling.parts import AMONG, SHOWN

B0 = effviz.architecture("efficientnet_b0")
MACS = Count("Multiply-adds", 1)
PATH = "scaling"


@pytest.fixture(autouse=True)
def no_known_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latencies._remembered.clear()


def cards(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def text(at: AppTest) -> str:
    return "\n".join(entry.value for entry in (*at.markdown, *at.caption, *at.subheader))


# --- headline and stairs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phi", ["1", "-1.5", "0", "2.35", "7"])
def test_the_headline_is_the_network_at_phi(phi: str) -> None:
    at = open_page(PATH, phi=phi)
    report = effviz.analyze(compound_scale(B0, float(phi)))
    shown = cards(at)
    assert shown["α · β² · γ²"] == "1.920"
    assert shown["Parameters"] == si(report.params)
    assert shown["Multiply-adds"] == si(report.macs)
    assert shown["Memory access, elements"] == si(report.memory_access)
    told = text(at)
    assert f"{report.macs:,} / 385,814,752" in told
    blocks = built_body(compound_scale(B0, float(phi)))[0]
    assert f"builds the same {blocks} blocks" in told


def test_the_plateau_of_the_first_step() -> None:
    assert "Every depth multiplier in (1, 1.25] builds the same 23 blocks" in text(open_page(PATH))


def test_every_network_can_be_scaled() -> None:
    assert "shufflenet_v1" not in scalable()
    assert set(effviz.ARCHITECTURES) - set(scalable()) == {"shufflenet_v1"}
    for name in ("resnet50", "mobilenet_v2", "densenet121", "shufflenet_v2", "vgg16"):
        base = effviz.architecture(name)
        at = open_page(PATH, net=base.title, phi="0.5", show=SHOWN[1])
        assert cards(at)["Parameters"] == si(effviz.analyze(compound_scale(base, 0.5)).params)


def test_flops_double_the_compute_everywhere() -> None:
    at = open_page(PATH, count="FLOPs", show=SHOWN[1])
    report = effviz.analyze(compound_scale(B0, 1))
    assert cards(at)["FLOPs"] == si(2 * report.macs)
    assert "Multiply-adds" not in cards(at)
    assert f"{2 * report.macs:,} / {2 * 385_814_752:,}" in text(at)
    (table,) = (frame.value for frame in at.dataframe if "Of the budget (%)" in frame.value)
    assert table["FLOPs"].tolist()[1] == 2 * report.macs


@pytest.mark.parametrize("held", ["alpha", "beta", "gamma"])
def test_a_letter_that_is_held_follows_the_others(held: str) -> None:
    at = open_page(PATH, hold=held)
    assert cards(at)["α · β² · γ²"] == "2.000"
    moved = "alpha" if held != "alpha" else "beta"
    at.number_input(key=moved).set_value(1.15)
    run(at)
    assert cards(at)["α · β² · γ²"] == "2.000"
    bases = {"alpha": 1.2, "beta": 1.1, "gamma": 1.15} | {moved: 1.15}
    del bases[held]
    value = follow(held, bases)
    assert [entry.value for entry in at.number_input if entry.label == held] == [pytest.approx(value)]


def test_a_constraint_that_cannot_be_held_is_said() -> None:
    at = open_page(PATH, hold="gamma", alpha="3", beta="1.5")
    assert "gamma would be 0.544" in text(at)
    assert cards(at)["α · β² · γ²"] == f"{3 * 1.5**2:.3f}"


def test_a_network_that_cannot_be_built_is_named_and_the_page_goes_on() -> None:
    at = open_page(PATH)
    at.number_input(key="alpha").set_value(3.0)
    at.number_input(key="phi").set_value(12.0)
    at.run()
    assert not at.exception
    assert len(at.error) == 1
    assert "phi = 12" in at.error[0].value
    at.number_input(key="phi").set_value(1.0)
    run(at)
    assert cards(at)["Parameters"] == si(effviz.analyze(compound_scale(B0, 1, alpha=3.0)).params)


# --- the parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("show", SHOWN)
def test_every_part_by_link_and_by_control(show: str) -> None:
    at = open_page(PATH, show=show)
    assert line(at) == ""
    expected = {SHOWN[0]: {"picture"}, SHOWN[1]: {"duel", "growth", "printed"}, SHOWN[2]: {"fit"},
                SHOWN[3]: {"grid_chart"}}  # fmt: skip
    assert set(charts(at)) == {"stairs_0", "stairs_1"} | expected[show]
    other = next(each for each in SHOWN if each != show)
    at.segmented_control(key="show").set_value(other)
    run(at)
    assert set(charts(at)) == {"stairs_0", "stairs_1"} | expected[other]


def test_the_duel_is_at_the_multiply_adds_of_phi() -> None:
    at = open_page(PATH, show=SHOWN[1], phi="2")
    (table,) = (frame.value for frame in at.dataframe if "Of the budget (%)" in frame.value)
    budget = effviz.analyze(compound_scale(B0, 2)).macs
    found, _ = contenders(B0, ScalingRule(), 2.0, AMONG)
    assert table["Multiply-adds"].tolist() == [effviz.analyze(each.design).macs for each in found]
    assert table["Activations"].tolist() == [effviz.analyze(each.design).activations for each in found]
    assert table["Rule"].tolist() == ["Baseline", "Compound", "Width only", "Depth only", "Resolution only",
                                      "Fast scaling"]  # fmt: skip
    assert all(value <= 100 for value in table["Of the budget (%)"])
    assert table["Multiply-adds"][1] == budget


def test_measured_latencies_stand_beside_the_counts() -> None:
    found, _ = contenders(B0, ScalingRule(), 1.0, AMONG)
    for place, each in enumerate(found):
        remember(
            each.design,
            Latency(
                median_ms=10.0 + place, p90_ms=11.0 + place, iqr_ms=0.1, min_ms=9.0, runs=20, loaded=False,
                batch_size=1, threads=1, resolution=each.design.resolution, environment=environment(),
                measured_at="2026-01-02T03:04:05+00:00",
            ),
        )  # fmt: skip
    at = open_page(PATH, show=SHOWN[1])
    (table,) = (frame.value for frame in at.dataframe if "Of the budget (%)" in frame.value)
    assert table["Latency here (ms)"].tolist() == [10.0 + place for place in range(6)]
    assert cards(at)["Latency here"] == milliseconds(11.0)


@pytest.mark.parametrize(
    ("of", "key", "amount", "unit", "quantity", "scale"),
    [
        ("Multiply-adds", "most_macs", 1800.0, "Elements", "macs", 1e6),
        ("Parameters", "most_params", 12.0, "Elements", "params", 1e6),
        ("Peak activations", "most_peak_activation", 2.5, "Elements", "peak_activation", 1e6),
        ("Peak activations", "most_peak_activation", 2048.0, "int8", "peak_activation", 1024),
        ("Memory access", "most_memory_access", 100_000.0, "float32", "memory_access", 1024 / 4),
    ],
)
def test_the_inverse_is_that_of_the_engine(
    of: str, key: str, amount: float, unit: str, quantity: str, scale: float
) -> None:
    at = open_page(PATH, show=SHOWN[2], of=of, unit=unit, **{key: str(amount)})
    assert line(at) == ""
    fit = fit_phi(B0, amount * scale, quantity)
    told = text(at)
    assert f"**phi = {floored(fit.phi)}**" in told
    assert "breaks the budget" in told
    bytes_each = (
        {"Elements": 1, "int8": 1, "float32": 4}[unit] if "activation" in quantity or "memory" in quantity else 1
    )
    assert f"{fit.value * bytes_each:,} " in told
    assert f"{(fit.excess or 0) * bytes_each:,} " in told


def test_phi_can_be_set_to_what_fits() -> None:
    at = open_page(PATH, show=SHOWN[2], most_macs="1800")
    fit = fit_phi(B0, 1.8e9)
    at.button(key="set_phi").click()
    run(at)
    down = math.floor(fit.phi * 100) / 100
    assert at.number_input(key="phi").value == down
    assert cards(at)["Multiply-adds"] == si(effviz.analyze(compound_scale(B0, down)).macs)


def test_a_budget_that_nothing_meets_is_said() -> None:
    at = open_page(PATH, show=SHOWN[2], most_macs="0.001")
    assert "No phi fits. budget = 1000.0 must be at least" in text(at)
    at = open_page(PATH, show=SHOWN[2], alpha="1", beta="1", gamma="1")
    assert "must be greater than 1: otherwise phi changes nothing" in text(at)


def test_the_grid_marks_the_paper_and_the_current_bases() -> None:
    at = open_page(PATH, show=SHOWN[3], tolerance="5")
    found = feasible(B0, tolerance=0.05)
    (table,) = (frame.value for frame in at.dataframe if "Promised x" in frame.value)
    assert len(table) == len(found)
    chart = charts(at)["grid_chart"]
    cell = [entry for row in chart["data"][0]["text"] for entry in row if "paper" in entry]
    assert cell == ["1.2, paper"]
    assert len(chart["layout"]["shapes"]) == 1
    at.number_input(key="tolerance").set_value(0.0)
    run(at)
    assert {tuple(each.rule) for each in feasible(B0, tolerance=0)} == {(2, 1, 1)}
    at.segmented_control(key="grid").set_value("0.1")
    run(at)


def test_the_table_of_stages() -> None:
    at = open_page(PATH, phi="1")
    (table,) = (frame.value for frame in at.dataframe if "Blocks promised" in frame.value)
    row = table[table["Stage"] == "stage6"].iloc[0]
    assert (row["Blocks at phi = 0"], row["Blocks built"], row["Channels built"]) == (4, 5, 208)
    assert row["Blocks promised"] == pytest.approx(4.8)


def test_exercises_reveal_what_is_built() -> None:
    at = open_page(PATH)
    at.number_input(key="step_guess").set_value(2.0)
    at.button(key="step_reveal").click()
    run(at)
    factor = effviz.analyze(compound_scale(B0, 2)).macs / effviz.analyze(compound_scale(B0, 1)).macs
    assert f"**x{factor:.2f}**" in text(at)
    at.number_input(key="blocks_guess").set_value(20.0)
    at.button(key="blocks_reveal").click()
    run(at)
    assert f"**{built_body(compound_scale(B0, 1.5))[0]} blocks**" in text(at)


@pytest.mark.parametrize(
    "query",
    [
        {"phi": "nan"}, {"phi": "99"}, {"alpha": "0.5"}, {"alpha": "1e400"}, {"hold": "delta"}, {"show": "<script>"},
        {"net": "ShuffleNetV1 (g = 3)"}, {"of": "money"}, {"most_macs": "-1"}, {"tolerance": "99"}, {"grid": "0.01"},
        {"width": "0.5"}, {"phi": ["1", "2"]},
    ],
    ids=str,
)  # fmt: skip
def test_a_hostile_link_is_survived(query: dict[str, Any]) -> None:
    for show in (SHOWN[2], SHOWN[3]):
        at = open_page(PATH, **({"show": show} | query))
        assert cards(at)["Parameters"] == si(effviz.analyze(compound_scale(B0, 1)).params)
        of_this_part = {"of", "most_macs"} if show == SHOWN[2] else {"tolerance", "grid"}
        known_elsewhere = {"of", "most_macs", "tolerance", "grid"} - of_this_part
        if not set(query) & known_elsewhere:
            assert next(iter(query)) in line(at)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(
    net=st.sampled_from(scalable()),
    phi=st.floats(-5, 12).map(lambda phi: round(phi, 2)),
    bases=st.tuples(*(st.floats(1, 3).map(lambda base: round(base, 2)) for _ in range(3))),
    show=st.sampled_from(SHOWN),
    hold=st.sampled_from(["nothing", "alpha", "beta", "gamma"]),
)
def test_any_setting_is_shown_or_explained(
    net: str, phi: float, bases: tuple[float, float, float], show: str, hold: str
) -> None:
    at = AppTest.from_file(str(Path(__file__).parents[3] / "effviz" / "ui" / "main.py"), default_timeout=120)
    values = {"net": effviz.architecture(net).title, "phi": f"{phi}", "show": show, "hold": hold}
    values |= {letter: f"{base}" for letter, base in zip(("alpha", "beta", "gamma"), bases, strict=True)}
    for key, value in values.items():
        at.query_params[key] = value
    at.switch_page("../../pages/scaling.py")
    at.run()
    assert not at.exception, [entry.message for entry in at.exception]
    assert len(at.metric) == 5 or len(at.error) == 1


# --- charts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_stairs_show_what_is_built(look: Any) -> None:
    found = stairs(B0, ScalingRule(), -2, 8)
    now = sweep(B0, ScalingRule(), [1.0])[0]
    left, right = stairs_charts(found, now, pins(B0, ScalingRule()), Count("FLOPs", 2), look)
    for chart, panels in ((left, ("blocks", "resolution")), (right, ("channels", "macs"))):
        spec = json.loads(chart.figure.to_json())
        for row, panel in enumerate(panels):
            promised, built, released, marked = spec["data"][4 * row : 4 * row + 4]
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
        assert "B1 0.52" in left.alt
    assert left.title == "φ = 1 promises 1.92× the FLOPs, but rounding builds 2.57×: 19.2 blocks become 23"


def test_the_picture_is_to_scale() -> None:
    drawn = frames(B0, ScalingRule())
    chart = picture_chart(drawn, MACS, LIGHT)
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
    found, _ = contenders(B0, ScalingRule(), 1.0, AMONG)
    measures = [
        Measure("Activations", "diamond", [each.report.activations for each in found]),
        Measure("Latency here", "cross", [None] * len(found)),
    ]
    chart = duel_chart(found, measures, LIGHT)
    dots = next(trace for trace in chart.figure.data if trace.name == "Activations" and trace.x[0] is not None)
    own = found[1].report.activations
    assert list(dots.x) == pytest.approx([each.report.activations / own for each in found])
    width = next(each.report.activations for each in found if each.rule == "width") / own
    assert f"width only has {100 * width:.3g} %" in chart.title


def test_the_growth_chart_ends_where_the_curves_end() -> None:
    spread = curves(B0, ScalingRule(), 0, 6)
    chart = growth_chart(spread, 10**9, Count("FLOPs", 2), DARK)
    assert len(chart.figure.data) == len(EXPONENTS) + 1
    for trace, points in zip(chart.figure.data, spread.values(), strict=True):
        assert trace.x[-1] == 2 * points[-1].macs
    same = curves(B0, ScalingRule(1, 1, 1), 0, 2)
    assert growth_chart(same, 10**9, MACS, LIGHT).figure.data == ()


def test_the_printed_chart_names_what_does_not_fit() -> None:
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
            elif "paper" not in label:
                assert float(label) in {rule.alpha for rule in near}
                assert (
                    abs(float(label) * float(beta) ** 2 * float(gamma) ** 2 - 2)
                    <= min(abs(rule.factor - 2) for rule in near) + 1e-9
                )


@settings(derandomize=True, max_examples=100, deadline=None)
@given(low=st.floats(-1, 9), span=st.floats(0.05, 8), most=st.integers(3, 8))
def test_ticks_lie_on_the_axis_and_are_not_too_many(low: float, span: float, most: int) -> None:
    ticks = log_ticks(low, low + span, most)
    assert len(ticks) <= most
    assert all(low - 0.03 <= math.log10(tick) <= low + span + 0.03 for tick in ticks)


# --- downloads -----------------------------------------------------------------------------------------------------


def test_downloads_hold_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as streamlit_module

    kept: dict[str, Any] = {}

    def download(label: str, data: Any, *_: Any, **__: Any) -> None:
        kept[label] = data()

    monkeypatch.setattr(streamlit_module, "download_button", download)
    open_page(PATH, phi="1", count="FLOPs")
    first, rows = kept["Stairs as CSV"].split("\n", 1)
    assert first.startswith("# EfficientNet-B0, 224 px, alpha 1.2, beta 1.1, gamma 1.15. ")
    table = pd.read_csv(io.StringIO(rows))
    at_one = table[(table["phi"] - 1).abs() < 1e-9].iloc[0]
    assert at_one["FLOPs built"] == 2 * 992_629_472
    assert at_one["Blocks built"] == 23
    assert effviz.Design.from_json(kept["Network as JSON"]) == compound_scale(B0, 1)
    assert re.match(r"phi,Blocks promised,Blocks built", rows)
