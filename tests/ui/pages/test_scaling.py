"""The page about compound scaling shows the counts of the engine, for any control and any link."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latex import evaluated, shown
from page_reader import MAIN, charts, headings, line, metrics, open_page, opened, reveal, run, show_part
from profiles import examples
from streamlit.testing.v1 import AppTest

import effviz
from effviz.advice.scaling import ScalingRule, built_body, compound_scale, feasible, fit_phi
from effviz.charts.scaling.promised import floored
from effviz.core.units import milliseconds, si
from effviz.measure import latency as latencies
from effviz.measure.latency import Latency, environment, remember
from effviz.studies import scaling
from effviz.studies.scaling import LETTERS, contenders, held_base, scalable
from effviz.ui.page_parts.scaling.controls import VIEWS
from effviz.ui.page_parts.scaling.rules import AMONG
from effviz.ui.widgets.parts import KEY

B0 = effviz.architecture("efficientnet_b0")
PATH = "scaling"


@pytest.fixture(scope="module", autouse=True)
def coarse_stairs() -> Iterator[None]:
    """Build fewer networks for each new rule: no test here is about the steps between them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scaling, "STEPS_A_PHI", 4)
        scaling.stairs.cache_clear()
        yield
    scaling.stairs.cache_clear()


@pytest.fixture(autouse=True)
def no_known_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latencies._remembered.clear()


def cards(at: AppTest) -> dict[str, str]:
    return {card.label: card.value for card in metrics(at)}


def text(at: AppTest) -> str:
    return "\n".join([*(entry.value for entry in (*at.markdown, *at.caption)), *headings(at)])


# --- headline and stairs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phi", ["1", "-1.5", "0", "2.35", "7"])
def test_the_headline_is_the_network_at_phi(phi: str) -> None:
    at = opened(PATH, phi=phi)
    report = effviz.analyze(compound_scale(B0, float(phi)))
    headline = cards(at)
    assert headline["α · β² · γ²"] == "1.920"
    assert headline["Parameters"] == si(report.params)
    assert headline["Multiply-adds"] == si(report.macs)
    assert headline["Memory access"] == si(report.memory_access)
    (built,) = (each for entry in at.markdown for each in shown(entry.value) if each.name == "Built multiply-adds")
    assert evaluated(built.numbers) == report.macs / 385_814_752
    blocks = built_body(compound_scale(B0, float(phi)))[0]
    assert f"builds the same {blocks} blocks" in text(at)


def test_the_plateau_of_the_first_step() -> None:
    assert "Every depth multiplier in (1, 1.25] builds the same 23 blocks" in text(opened(PATH, phi="1"))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("mobilenet_v2", VIEWS[1]), ("vgg16", VIEWS[1]), ("resnet50", VIEWS[2]), ("densenet121", VIEWS[2]),
        ("shufflenet_v2", VIEWS[2]),
    ],
)  # fmt: skip
def test_every_network_can_be_scaled(name: str, part: str) -> None:
    base = effviz.architecture(name)
    at = open_page(PATH, net=base.title, phi="0.5", show=part)
    assert at.selectbox(key="net").options == [effviz.architecture(each).title for each in scalable()]
    assert cards(at)["Parameters"] == si(effviz.analyze(compound_scale(base, 0.5)).params)


def test_flops_double_the_compute_everywhere() -> None:
    at = open_page(PATH, count="FLOPs", show=VIEWS[1])
    report = effviz.analyze(compound_scale(B0, 1))
    assert cards(at)["FLOPs"] == si(2 * report.macs)
    assert "Multiply-adds" not in cards(at)
    (table,) = (frame.value for frame in at.dataframe if "Of the budget (%)" in frame.value)
    assert table["FLOPs"].tolist()[1] == 2 * report.macs
    show_part(at, "How this is computed")
    (built,) = (each for entry in at.markdown for each in shown(entry.value) if each.name == "Built FLOPs")
    assert evaluated(built.numbers) == report.macs / 385_814_752
    assert f"{2 * report.macs:,}".replace(",", "{,}") in built.numbers


@pytest.mark.parametrize("held", LETTERS)
def test_a_held_base_follows_the_others(held: str) -> None:
    at = open_page(PATH, hold=held)
    assert cards(at)["α · β² · γ²"] == "2.000"
    moved = "alpha" if held != "alpha" else "beta"
    at.number_input(key=moved).set_value(1.15)
    run(at)
    assert cards(at)["α · β² · γ²"] == "2.000"
    bases = {"alpha": 1.2, "beta": 1.1, "gamma": 1.15} | {moved: 1.15}
    del bases[held]
    value = held_base(held, bases)
    (follower,) = (entry for entry in at.number_input if entry.disabled)
    assert follower.value == pytest.approx(value)
    assert follower.label == {"alpha": "α depth", "beta": "β width", "gamma": "γ resolution"}[held]


def test_a_constraint_that_cannot_be_held_has_a_note() -> None:
    at = open_page(PATH, hold="gamma", alpha="3", beta="1.5")
    assert "γ would be 0.544" in text(at)
    assert cards(at)["α · β² · γ²"] == f"{3 * 1.5**2:.3f}"


def test_a_network_that_cannot_be_built_is_named_and_the_page_stays_usable() -> None:
    at = open_page(PATH, part="Stages")
    at.number_input(key="alpha").set_value(3.0)
    at.number_input(key="phi").set_value(12.0)
    at.run()
    assert not at.exception
    assert len(at.error) == 1
    assert "phi = 12" in at.error[0].value
    at.number_input(key="phi").set_value(1.0)
    run(at)
    assert cards(at)["Parameters"] == si(effviz.analyze(compound_scale(B0, 1, alpha=3.0)).params)
    assert at.button_group(key=KEY).value == "Stages"


# --- the parts -----------------------------------------------------------------------------------------------------


CHARTS = {VIEWS[0]: {"picture"}, VIEWS[1]: {"duel", "growth", "printed"}, VIEWS[2]: {"fit"}, VIEWS[3]: {"grid_chart"}}
STAIRS = {"stairs_0", "stairs_1"}
SIZES = STAIRS | {"strip"}


def charts_beside(view: str) -> set[str]:
    return CHARTS[view] | (STAIRS if view == VIEWS[0] else SIZES)


@pytest.mark.parametrize(("key", "show"), [*(("show", show) for show in VIEWS), (KEY, VIEWS[1])])
def test_every_view_by_link_and_by_control(key: str, show: str) -> None:
    """Links of earlier versions have the key "show"."""
    at = open_page(PATH, **{key: show})
    assert line(at) == ""
    assert dict(at.query_params) == {KEY: show}
    assert set(charts(at)) == charts_beside(show)
    other = next(each for each in VIEWS if each != show)
    show_part(at, other)
    assert set(charts(at)) == charts_beside(other)


def test_every_part_is_there() -> None:
    at = open_page(PATH)
    assert set(charts(at)) == SIZES
    titles = ["How this is computed", "B0 to B7", "Stages", *VIEWS, "Try this", "Downloads"]
    assert at.button_group(key=KEY).options == titles
    for title in titles:
        assert at.button_group(key=KEY).options == titles
        show_part(at, title)


def test_a_budget_or_a_grid_in_a_link_opens_its_view() -> None:
    assert set(charts(open_page(PATH, most_params="12", of="Parameters"))) == SIZES | {"fit"}
    assert set(charts(open_page(PATH, tolerance="2"))) == SIZES | {"grid_chart"}


def test_the_stairs_do_not_change_with_phi() -> None:
    """All traces but the last of each panel, the current network, are equal."""
    at = open_page(PATH)
    before = charts(at)
    at.number_input(key="phi").set_value(1.5)
    after = charts(run(at))
    for key, marks in {"stairs_0": {2, 6}, "stairs_1": {3, 7, 11}}.items():
        pairs = enumerate(zip(before[key]["data"], after[key]["data"], strict=True))
        assert {place for place, (old, new) in pairs if old != new} == marks


def test_the_rules_share_the_multiply_adds_of_phi() -> None:
    at = open_page(PATH, show=VIEWS[1], phi="2")
    (table,) = (frame.value for frame in at.dataframe if "Of the budget (%)" in frame.value)
    budget = effviz.analyze(compound_scale(B0, 2)).macs
    found, _ = contenders(B0, ScalingRule(), 2.0, AMONG)
    assert table["Multiply-adds"].tolist() == [effviz.analyze(each.design).macs for each in found]
    assert table["Activations"].tolist() == [effviz.analyze(each.design).activations for each in found]
    assert table["Rule"].tolist() == ["Baseline", "Compound", "Width only", "Depth only", "Resolution only",
                                      "Fast scaling"]  # fmt: skip
    assert all(value <= 100 for value in table["Of the budget (%)"])
    assert table["Multiply-adds"][1] == budget


def test_measured_latencies_are_in_the_table() -> None:
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
    at = open_page(PATH, show=VIEWS[1])
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
    at = open_page(PATH, show=VIEWS[2], of=of, unit=unit, **{key: str(amount)})
    assert line(at) == ""
    fit = fit_phi(B0, amount * scale, quantity)
    words = text(at)
    assert f"**φ = {floored(fit.phi)}**" in words
    assert "exceeds the budget" in words
    bytes_each = (
        {"Elements": 1, "int8": 1, "float32": 4}[unit] if "activation" in quantity or "memory" in quantity else 1
    )
    assert f"{fit.value * bytes_each:,} " in words
    assert f"{(fit.excess or 0) * bytes_each:,} " in words


def test_phi_can_be_set_to_what_fits() -> None:
    at = open_page(PATH, show=VIEWS[2], most_macs="1800")
    fit = fit_phi(B0, 1.8e9)
    at.button(key="set_phi").click()
    run(at)
    down = math.floor(fit.phi * 100) / 100
    assert at.number_input(key="phi").value == down
    assert cards(at)["Multiply-adds"] == si(effviz.analyze(compound_scale(B0, down)).macs)


def test_a_budget_below_the_smallest_network_is_refused() -> None:
    at = open_page(PATH, show=VIEWS[2], most_macs="0.001")
    assert "No φ fits. budget = 1000.0 must be at least" in text(at)
    at = open_page(PATH, show=VIEWS[2], alpha="1", beta="1", gamma="1")
    assert "must be greater than 1: otherwise phi changes nothing" in text(at)


def test_the_grid_marks_the_paper_and_the_current_bases() -> None:
    at = open_page(PATH, show=VIEWS[3], tolerance="5")
    found = feasible(B0, tolerance=0.05)
    (table,) = (frame.value for frame in at.dataframe if "Promised factor" in frame.value)
    assert len(table) == len(found)
    chart = charts(at)["grid_chart"]
    cell = [entry for row in chart["data"][0]["text"] for entry in row if "*" in entry]
    assert cell == ["1.2*"], "the asterisk is for the paper"
    assert len(chart["layout"]["shapes"]) == 1
    at.number_input(key="tolerance").set_value(0.0)
    run(at)
    assert {tuple(each.rule) for each in feasible(B0, tolerance=0)} == {(2, 1, 1)}
    at.segmented_control(key="grid").set_value("0.1")
    run(at)


def test_the_table_of_stages() -> None:
    at = open_page(PATH, phi="1", part="Stages")
    (table,) = (frame.value for frame in at.dataframe if "Blocks promised" in frame.value)
    row = table[table["Stage"] == "stage6"].iloc[0]
    assert (row["Blocks, baseline"], row["Blocks built"], row["Channels built"]) == (4, 5, 208)
    assert row["Blocks promised"] == pytest.approx(4.8)


def test_exercises_reveal_what_is_built() -> None:
    at = open_page(PATH, part="Try this")
    factor = effviz.analyze(compound_scale(B0, 2)).macs / effviz.analyze(compound_scale(B0, 1)).macs
    assert reveal(at, "step").startswith(f"{factor:.2f}×.")
    assert reveal(at, "blocks").startswith(f"{built_body(compound_scale(B0, 1.5))[0]} blocks.")


@pytest.mark.parametrize(
    "query",
    [
        {
            "show": VIEWS[2], "phi": "nan", "alpha": "0.5", "hold": "delta", "net": "ShuffleNetV1 (g = 3)",
            "of": "money", "most_macs": "-1", "width": "0.5",
        },
        {"show": VIEWS[3], "phi": "99", "alpha": "1e400", "tolerance": "99", "grid": "0.01"},
        {"show": "<script>", "phi": ["1", "2"]},
    ],
    ids=str,
)  # fmt: skip
def test_ignored_parameters_of_a_link_are_named(query: dict[str, Any]) -> None:
    at = open_page(PATH, **query)
    assert cards(at)["Parameters"] == si(effviz.analyze(compound_scale(B0, 1)).params)
    for key, value in query.items():
        assert (key in line(at)) == (value not in VIEWS)


def test_controls_of_other_parts_are_known() -> None:
    assert line(open_page(PATH, show=VIEWS[2], tolerance="99", grid="0.01")) == ""
    assert line(open_page(PATH, show=VIEWS[3], of="money", most_macs="-1")) == ""


@settings(max_examples=examples(4))
@given(
    net=st.sampled_from(scalable()),
    phi=st.floats(-5, 12).map(lambda phi: round(phi, 2)),
    bases=st.tuples(*(st.floats(1, 3).map(lambda base: round(base, 2)) for _ in range(3))),
    show=st.sampled_from(VIEWS),
    hold=st.sampled_from(["nothing", "alpha", "beta", "gamma"]),
)
def test_any_setting_is_shown_or_refused(
    net: str, phi: float, bases: tuple[float, float, float], show: str, hold: str
) -> None:
    at = AppTest.from_file(str(MAIN), default_timeout=120)
    values = {"net": effviz.architecture(net).title, "phi": f"{phi}", "show": show, "hold": hold}
    values |= {letter: f"{base}" for letter, base in zip(("alpha", "beta", "gamma"), bases, strict=True)}
    for key, value in values.items():
        at.query_params[key] = value
    at.switch_page("../../pages/scaling.py")
    at.run()
    assert not at.exception, [entry.message for entry in at.exception]
    assert len(metrics(at)) == 5 or len(at.error) == 1


# --- downloads -----------------------------------------------------------------------------------------------------


def test_downloads_hold_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as streamlit_module

    kept: dict[str, Any] = {}

    def download(label: str, data: Any, *_: Any, **__: Any) -> None:
        kept[label] = data()

    monkeypatch.setattr(streamlit_module, "download_button", download)
    open_page(PATH, phi="1", count="FLOPs", part="Downloads")
    first, rows = kept["Stairs as CSV"].split("\n", 1)
    assert first.startswith("# EfficientNet-B0, 224 px, alpha 1.2, beta 1.1, gamma 1.15. ")
    table = pd.read_csv(io.StringIO(rows))
    at_one = table[(table["phi"] - 1).abs() < 1e-9].iloc[0]
    assert at_one["FLOPs built"] == 2 * 992_629_472
    assert at_one["Blocks built"] == 23
    assert effviz.Design.from_json(kept["Network as JSON"]) == compound_scale(B0, 1)
    assert re.match(r"phi,Blocks promised,Blocks built", rows)
