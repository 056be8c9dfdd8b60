"""The page about width against depth shows the designs of the solver and the counts of the engine."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from page_reader import charts, formulas, headings, line, metrics, open_page, put, reveal, run, show_part, table
from streamlit.testing.v1 import AppTest

import effviz
from effviz import Design, Report
from effviz.charts.sentences import times
from effviz.core.units import binary, change, exact, milliseconds, percent, si
from effviz.measure import latency as latencies
from effviz.measure.latency import Latency, environment, remember
from effviz.studies.equal_budget import at_depths
from effviz.studies.width_depth.designs import KINDS, placed, stage_widths, template, title_of
from effviz.studies.width_depth.fit import OverBudgetError, fit_width
from effviz.ui.convention import Convention
from effviz.ui.page_parts.width_depth.comparison import View, design_table
from effviz.ui.page_parts.width_depth.controls import Options, sources
from effviz.ui.page_parts.width_depth.lesson import closeness_columns
from effviz.ui.widgets.live_latency import Reading


@pytest.fixture(autouse=True)
def no_known_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latencies._remembered.clear()


def open_at(**query: str) -> AppTest:
    return open_page("width_depth", **query)


def values(at: AppTest) -> dict[str, tuple[str, str]]:
    return {card.label: (card.value, card.delta) for card in metrics(at)}


def found(budget: int = 300, depths: tuple[float, ...] = (0.5, 1, 2), **options: Any) -> list[Report]:
    """Solve each design separately."""
    kind = options.pop("kind", "inverted_residual")
    memory = options.pop("memory", "fused")
    base = template(kind, **options)
    return [effviz.analyze(fit_width(base, budget * 10**6, depth_mult=each).design, memory=memory) for each in depths]


def finding(at: AppTest) -> str:
    return next(text for text in headings(at) if " deep" in text or "design" in text.lower())


def paragraphs(at: AppTest) -> list[str]:
    """The paragraphs of the page."""
    return [text for entry in at.markdown for text in entry.value.split("\n\n")]


def designs(at: AppTest) -> pd.DataFrame:
    """The table of the designs."""
    return table(show_part(at, "Designs"), "designs with their widths and costs")


def closeness(at: AppTest) -> pd.DataFrame:
    """The table of what remains of the budget."""
    return table(show_part(at, "Rest of the budget"), "the rest of the budget")


def dots(at: AppTest) -> dict[str, dict[str, Any]]:
    """The marks of every design in the chart of the costs."""
    return {trace["name"]: trace for trace in charts(at)["multiples"]["data"] if trace["mode"] == "markers"}


def check(at: AppTest, reports: list[Report], shown: int, base: int, budget: int) -> None:
    """Compare cards, charts and tables with the designs."""
    report, names = reports[shown], at.button_group(key="card").options
    cards = values(at)

    for label, number in (("Parameters", "params"), ("Activations", "activations"), ("Memory access", "memory_access")):
        now, before = getattr(report, number), getattr(reports[base], number)
        text, below = cards[label]
        assert text == si(now)
        if base == shown:
            assert re.fullmatch(r"\d+ blocks?( per stage)?" if number == "params" else "", below)
        else:
            assert below == change(now, before)
    left = 1 - report.macs / (budget * 10**6)
    assert cards["Multiply-adds"] == (si(report.macs), f"{percent(left)} under {si(budget * 10**6)}")
    assert cards["Latency here"] == ("\N{EN DASH}", "not measured")
    assert len(metrics(at)) == 5
    drawn = charts(at)
    bars = [trace["y"] for trace in drawn["shapes"]["data"]]
    # A thinner bar might be left out by the browser.
    channels = [[entry.channels for entry in placed(each.design)] for each in reports]
    least = min(map(min, bars))
    assert bars == [[max(count, least) for count in row] for row in channels]
    assert least == min(map(min, channels)) or least < 0.15 * max(map(max, channels))
    marks = dots(at)
    assert list(marks) == list(names)
    numbers = "activations", "memory_access", "peak_activation", "params", "macs"
    # The title says that the multiply-adds are equal.
    compute = [each.macs for each in reports]
    numbers = numbers[:-1] if len(compute) > 1 and max(compute) <= 1.05 * min(compute) else numbers
    for trace, each in zip(marks.values(), reports, strict=True):
        assert trace["x"] == [
            pytest.approx(getattr(each, number) / getattr(reports[base], number)) for number in numbers
        ] + [None]
    rows = designs(at)
    assert rows["Design"].tolist() == list(names)
    for heading, number in (
        ("Parameters", "params"), ("Multiply-adds", "macs"), ("Activations (elements)", "activations"),
        ("Memory access (elements)", "memory_access"), ("Peak activations (elements)", "peak_activation"),
    ):  # fmt: skip
        assert rows[heading].tolist() == [getattr(each, number) for each in reports]
    assert rows["Width multiplier"].tolist() == [each.design.width_mult for each in reports]
    close = closeness(at)
    assert close["Left (%)"].tolist() == [pytest.approx(100 * (1 - each.macs / budget / 1e6)) for each in reports]
    assert (close["Over (%)"] > 0).all()
    assert close["Stage widths"].tolist() == [
        " · ".join(map(str, stage_widths(each.design).values())) for each in reports
    ]


def test_the_page_at_first() -> None:
    at = open_at()
    check(at, found(), 1, 1, 300)
    assert at.button_group(key="card").value == "Balanced"
    reports = found()
    assert finding(at).startswith(
        "At equal multiply-adds (within 1.4 %), Deep is 2× as deep as Balanced: 1.26× the activations, but "
    )
    assert f"{times(reports[2].params / reports[1].params)} the parameters" in finding(at)
    assert line(at) == ""


LINKS: list[tuple[dict[str, str], dict[str, Any], int, int]] = [
    ({"budget": "123", "card": "Deep"}, {"budget": 123}, 2, 1),
    ({"card": "Wide", "blocks": "3"}, {"blocks": 3}, 0, 1),
    ({"designs": "2", "factor": "x3"}, {"depths": (1, 3)}, 0, 0),
    ({"designs": "4", "factor": "x1.5", "divisor": "1"}, {"depths": (1 / 1.5, 1, 1.5, 2.25), "divisor": 1}, 1, 1),
    ({"designs": "5", "divisor": "4", "card": "Widest"}, {"depths": (0.25, 0.5, 1, 2, 4), "divisor": 4}, 0, 2),
    ({"px": "160", "divisor": "16", "budget": "500"}, {"resolution": 160, "divisor": 16, "budget": 500}, 1, 1),
    ({"of_kernel_size": "5", "of_expand_ratio": "3"}, {"fields": {"kernel_size": 5, "expand_ratio": 3.0}}, 1, 1),
    ({"kind": "ShuffleNet V2 unit", "card": "Deep"}, {"kind": "shuffle_v2"}, 2, 1),
    ({"kind": "ResNeXt block", "of_groups": "8"}, {"kind": "resnext", "fields": {"groups": 8}}, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize(("query", "options", "shown", "base"), LINKS, ids=str)
def test_a_link_restores_the_page(query: dict[str, str], options: dict[str, Any], shown: int, base: int) -> None:
    at = open_at(**query)
    assert line(at) == ""
    check(at, found(**options), shown, base, options.get("budget", 300))


def test_every_control_has_its_effect() -> None:
    at = open_at()
    at.slider(key="budget_slider").set_value(500)
    run(at)
    check(at, found(500), 1, 1, 500)
    at.button_group(key="card").set_value("Wide")
    run(at)
    check(at, found(500), 0, 1, 500)
    at.button_group(key="designs").set_value("5")
    run(at)
    check(at, found(500, (0.25, 0.5, 1, 2, 4)), 1, 2, 500)
    at.button_group(key="card").set_value("Widest")
    run(at)
    at.button_group(key="designs").set_value("3")
    run(at)
    check(at, found(500), 1, 1, 500)
    assert at.button_group(key="card").value == "Balanced", "the widest design is no longer there"
    at.button_group(key="factor").set_value("1.5")
    at.button_group(key="divisor").set_value("4")
    run(at)
    check(at, found(500, (1 / 1.5, 1, 1.5), divisor=4), 1, 1, 500)
    at.number_input(key="blocks").set_value(6)
    put(at, "px", 192)
    check(at, found(500, (1 / 1.5, 1, 1.5), divisor=4, blocks=6, resolution=192), 1, 1, 500)
    at.selectbox(key="of_kernel_size").set_value(5)
    run(at)
    options = {"divisor": 4, "blocks": 6, "resolution": 192}
    check(at, found(500, (1 / 1.5, 1, 1.5), fields={"kernel_size": 5}, **options), 1, 1, 500)
    at.selectbox(key="kind").set_value("separable")
    run(at)
    check(at, found(500, (1 / 1.5, 1, 1.5), kind="separable", **options), 1, 1, 500)


def test_everything_offered_can_be_shown() -> None:
    at = open_at(budget="4000")
    names = at.selectbox(key="kind").options
    assert names == list(sources().values())
    assert names[: len(KINDS)] == [title_of(kind) for kind in KINDS]
    assert {"MobileNetV2", "ResNet-50", "EfficientNet-B7"} < set(names)
    assert not {"DenseNet-121", "SqueezeNet 1.1"} & set(names), "their stages do not have one width"
    for source in sources():
        options = Options(source, macs=4 * 10**9)
        assert len(at_depths(options.design, options.macs, 3, 2.0).variants) == 3, source
    for source in ("resnext", "efficientnet_b7"):
        at.selectbox(key="kind").set_value(source)
        run(at)
        assert len(at.button_group(key="card").options) == 3, source
        assert line(at) == ""


def test_a_network_of_the_zoo() -> None:
    at = open_at(kind="MobileNetV2", px="160", card="Deep")
    base = effviz.architecture("mobilenet_v2", resolution=160)
    fits = [fit_width(base, 300 * 10**6, depth_mult=each) for each in (0.5, 1, 2)]
    check(at, [effviz.analyze(fit.design) for fit in fits], 2, 1, 300)
    assert any("TF-slim mobilenet_v2.py" in entry.value for entry in at.caption)
    assert not [entry for entry in at.number_input if entry.key == "blocks"]


# --- no room in the budget ------------------------------------------------------------------------------------------


def test_nothing_is_within_the_budget() -> None:
    at = open_at(budget="1", count="FLOPs", card="Deep", part="Designs")
    assert any(entry.value == "No design is within 2.00 M FLOPs" for entry in at.subheader)
    (text,) = (entry.value for entry in at.markdown if "narrowest" in entry.value)
    for name, depth in (("Wide", 0.5), ("Balanced", 1), ("Deep", 2)):
        with pytest.raises(OverBudgetError) as raised:
            fit_width(template("inverted_residual"), 10**6, depth_mult=depth)
        assert f"- {name}: its narrowest network has {si(2 * raised.value.least)}." in text
    assert not metrics(at)
    assert line(at) == ""
    at.number_input(key="budget").set_value(300)
    run(at)
    assert values(at)["FLOPs"][0] == si(2 * found()[2].macs)
    assert at.button_group(key="part").value == "Designs"


def test_a_design_over_the_budget_is_left_out() -> None:
    at = open_at(budget="20")
    (text,) = (entry.value for entry in at.caption if "Left out" in entry.value)
    assert "Balanced: its narrowest network has 27.5 M." in text
    assert at.button_group(key="card").options == ["Wide"]
    assert finding(at).startswith("One design is within 20.0 M multiply-adds: Wide, 2 blocks per stage: 8 · ")
    assert values(at)["Parameters"][1] == "2 blocks per stage"


def test_a_stage_has_at_least_one_block() -> None:
    at = open_at(blocks="1", designs="5")
    check(at, found(depths=(1, 2, 4), blocks=1), 0, 0, 300)
    assert at.button_group(key="card").options == ["Balanced", "Deep", "Deepest"]
    (text,) = (entry.value for entry in at.caption if "Left out" in entry.value)
    assert "Left out: Widest: no shallower than Wide, because every stage keeps a block." in text
    assert "Left out: Wide: no shallower than Balanced, because every stage keeps a block." in text


def test_the_deepest_designs() -> None:
    at = open_at(blocks="12", factor="x4", designs="5", budget="2000", divisor="1")
    assert designs(at)["Blocks"].tolist() == [4, 12, 48, 192, 768]


@pytest.mark.parametrize(("divisor", "coarse"), [("8", True), ("1", False)])
def test_a_coarse_width_has_a_note(divisor: str, coarse: bool) -> None:
    at = open_at(budget="350", factor="x1.5", designs="2", divisor=divisor)
    deep = found(350, (1.5,), divisor=int(divisor))[0]
    left = f"Deep leaves {percent(1 - deep.macs / 350e6)} of the budget: its next wider network exceeds it. Widths"
    assert any(left in entry.value for entry in at.caption) == coarse


def test_a_budget_that_no_wider_network_reaches() -> None:
    at = open_at(budget="1000000", kind="ShuffleNet V1 unit", px="32", designs="5")
    close = closeness(at)
    assert close["Next step"].iloc[0] == "none can be built"
    assert math.isnan(close["Over (%)"].iloc[0])
    assert any("no wider network can be built" in entry.value for entry in at.caption)


IGNORED: list[tuple[dict[str, str], list[str]]] = [
    (
        {
            "kind": "Inception", "budget": "0", "designs": "6", "factor": "7", "blocks": "0", "divisor": "7",
            "px": "16", "card": "Deepest",
        },
        [
            "kind = Inception (choices: Inverted residual", "budget = 0 (1 to 1e+06)",
            "designs = 6 (choices: 2, 3, 4, 5)", "factor = 7 (choices: 1.5×, 2×, 3×, 4×)", "blocks = 0 (1 to 12)",
            "divisor = 7 (choices: 1, 4, 8, 16)", "px = 16 (32 to 1024, or height × width)",
            "card = Deepest (choices: Wide, Balanced, Deep)",
        ],
    ),
    (
        {"budget": "nan", "card": "<b>", "of_kernel_size": "2", "of_groups": "2"},
        [
            "budget = nan (1 to 1e+06)", "card = <b> (choices: ",
            "of_kernel_size = 2 (choices: 1, 3, 5, 7, 9, 11)", "of_groups (no such setting here)",
        ],
    ),
    ({"budget": "1e9"}, ["budget = 1e9 (1 to 1e+06)"]),
    ({"budget": "2.5"}, ["budget = 2.5 (1 to 1e+06)"]),
    ({"px": "62", "kind": "AlexNet"}, ["px = 62 (63 to 1024, or height × width)"]),
    (
        {"blocks": "3", "divisor": "4", "kind": "MobileNetV2"},
        ["blocks (no such setting here)", "divisor (no such setting here)"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("query", "ignored"), IGNORED, ids=str)
def test_ignored_parameters_of_a_link_are_named(query: dict[str, str], ignored: list[str]) -> None:
    at = open_at(**query)
    for each in ignored:
        assert each in line(at)
    assert len(metrics(at)) == 5
    if query.get("kind", "Inception") == "Inception":
        check(at, found(), 1, 1, 300)


# --- convention, latency, exercises, downloads -----------------------------------------------------------------------


@pytest.mark.parametrize("memory", ["Paper", "Eager"])
def test_every_number_is_in_the_convention(memory: str) -> None:
    at = open_at(count="FLOPs", unit="float32", memory=memory)
    report = found(memory=memory.lower())[1]
    cards = values(at)
    assert cards["FLOPs"][0] == si(2 * report.macs)
    assert cards["FLOPs"][1].endswith(" under 600.0 M")
    assert cards["Activations"][0] == binary(4 * report.activations)
    assert cards["Memory access"][0] == binary(4 * report.memory_access)
    rows = designs(at).iloc[1]
    assert rows["FLOPs"] == 2 * report.macs
    assert rows["Activations (bytes)"] == 4 * report.activations
    assert rows["Memory access (bytes)"] == 4 * report.memory_access
    assert rows["Peak activations (bytes)"] == 4 * report.peak_activation
    close = closeness(at).iloc[1]
    assert close["FLOPs"] == 2 * report.macs
    assert close["Next step, FLOPs"] > 600e6
    assert "At equal FLOPs (within " in finding(at)


def measured(designs: list[Design], times: list[float], spread: float = 0.01) -> None:
    """Remember latencies as if measured before."""
    for design, median in zip(designs, times, strict=True):
        found = Latency(
            median_ms=median, p90_ms=median * (1 + spread), iqr_ms=median * spread, min_ms=median / 2, runs=50,
            loaded=False, batch_size=1, threads=1, resolution=design.resolution, environment=environment(1),
            measured_at="2026-01-02T03:04:05+00:00",
        )  # fmt: skip
        remember(design, found)


def test_latency_of_all_designs() -> None:
    measured([report.design for report in found()], [10, 20, 50])
    at = open_at()
    for show, now, below in (
        ("Balanced", 20, "IQR 0.20 ms"), ("Deep", 50, change(50, 20)), ("Wide", 10, change(10, 20)),
    ):  # fmt: skip
        at.button_group(key="card").set_value(show)
        run(at)
        assert values(at)["Latency here"] == (milliseconds(now), below)
        assert designs(at)["Latency (ms)"].tolist() == [10, 20, 50]
        assert " and 2.5× the latency here, but " in finding(at)
        assert [trace["x"][-1] for trace in dots(at).values()] == [0.5, 1, 2.5]


def test_noise_is_part_of_the_finding() -> None:
    measured([report.design for report in found()], [10, 20, 50], spread=0.9)
    assert " and 2.5× the latency here (noisy), but " in finding(open_at())


def test_the_law_with_the_current_numbers() -> None:
    at = open_at(card="Deep")
    _, balanced, deep = found()
    shown = formulas(at)
    widths = [sum(stage_widths(each.design).values()) for each in (deep, balanced)]
    for name, law, numbers, built in (
        ("Deep relative to Balanced: widths", "0.707", r"\sqrt{1 / \dfrac{32}{16}}", widths[0] / widths[1]),
        ("Activations", "1.414", r"\sqrt{\dfrac{32}{16}}", deep.activations / balanced.activations),
        ("Parameters", "1", r"\textbf{1}", deep.params / balanced.params),
    ):
        assert shown[name][1:] == (numbers, f"{law} by the law, **{built:.3f}** built")
    (fails,) = (text for text in paragraphs(at) if text.startswith("**Where the law fails**"))
    depthwise = deep.table.loc[deep.table["kind"] == "depthwise", "macs"].sum() / deep.macs
    assert f"not $w^2$: {percent(depthwise)} of the multiply-adds" in fails
    vgg = open_at(kind="Plain convolution (VGG)")
    assert not any("Depthwise" in entry.value for entry in vgg.markdown)


def test_the_next_step_is_wider() -> None:
    close = closeness(open_at(divisor="1"))
    for row, depth in zip(close.itertuples(), (0.5, 1, 2), strict=True):
        fit = fit_width(template("inverted_residual", divisor=1), 300 * 10**6, depth_mult=depth)
        assert fit.above is not None
        now, then = (stage_widths(design) for design in (fit.design, fit.above))
        wider = dict(re.findall(r"(stage\d) (\d+)", row[6]))
        assert wider == {stage: str(then[stage]) for stage in now if now[stage] != then[stage]}


@pytest.mark.parametrize("query", [{}, {"kind": "ResNet-50", "budget": "4000"}], ids=str)
def test_exercises(query: dict[str, str]) -> None:
    at = open_at(part="Try this", **query)
    base = effviz.architecture("resnet50") if query else template("inverted_residual")
    macs = int(query.get("budget", "300")) * 10**6
    now = sum(stage_widths(fit_width(base, macs).design).values())
    deep = sum(stage_widths(fit_width(base, macs, depth_mult=3).design).values())
    half = sum(stage_widths(fit_width(base, macs, resolution=112).design).values())
    for key, answer in (("three", now / deep), ("half", half / now)):
        assert reveal(at, key).startswith(f"{answer:.2f}×.")


def test_an_exercise_without_an_answer() -> None:
    at = open_at(budget="30", part="Try this")
    assert reveal(at, "three").startswith("No such network can be built. macs = 30000000")


def test_downloads_hold_the_designs() -> None:
    at = open_at(card="Deep", part="Downloads")
    assert [entry.proto.label for entry in at.get("download_button")] == ["Designs as CSV", "Deep as JSON"]
    options, convention = Options(), Convention("flops", "int8", "eager")
    fitted = at_depths(options.design, options.macs, 3, 2.0, "eager")
    view = View(options, fitted, fitted.base, Reading(None, (), None), dict.fromkeys(fitted.names))
    rows = design_table(view, convention).cells
    assert rows["FLOPs"] == [2 * report.macs for report in found()]
    assert "Left (%)" in [column.label for column in closeness_columns(convention)]
    design = fitted.named("Deep").design
    again = Design.from_json(design.to_json())
    assert again == design
    assert effviz.analyze(again).macs == found()[2].macs
    help = next(metric.help for metric in metrics(at) if metric.label == "Multiply-adds")
    assert exact(effviz.analyze(again).macs) in help


@pytest.mark.parametrize(
    ("file", "query"),
    [
        ("architectures", {"net": "EfficientNet-B7", "res": "2048", "depth": "2.5", "width": "0.5"}),
        ("blocks", {"block": "Dense layer (DenseNet)"}),
        ("memory", {"res": "1", "guideline": "G2"}),
    ],
)
def test_another_page_leaves_no_values_behind(file: str, query: dict[str, str]) -> None:
    at = open_page(file, **query)
    at.switch_page("../../pages/width_depth.py")
    run(at)
    assert at.title[0].value == "Width against depth"
    assert at.text_input(key="px").value == "224"
    check(at, found(), 1, 1, 300)
