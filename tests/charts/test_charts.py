"""Charts of networks agree with the table: bars add up, titles have computed numbers, marks are distinguishable."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from functools import cache
from math import dist
from typing import Any, NamedTuple

import pandas as pd
import pytest
from cases import for_each
from chart_gallery import spec_of
from vision import BLINDNESS, channels, contrast, seen

import effviz
from effviz import Design, Stage
from effviz.charts.architectures import StageMap, activation_timeline, kind_shares, stage_costs
from effviz.charts.home import Totals, zoo_dots
from effviz.charts.style import DARK, KIND_COLORS, LIGHT, Appearance, Chart, appearance
from effviz.core.text import with_letter
from effviz.core.units import exact, lower, percent, si
from effviz.count import kinds
from effviz.count.report import Report
from effviz.ui.convention import Convention
from effviz.ui.widgets.charts import alive_measure, stage_measures

every_architecture = for_each("name", effviz.list_architectures())
each_look = for_each("look", [LIGHT, DARK], ids=lambda look: look.name)
PLAIN = Convention()
OTHER = Convention("flops", "float16", "eager")
each_convention = for_each("convention", [PLAIN, OTHER], ids=["default", "flops-float16-eager"])


@cache
def _report(name: str, memory: str = "fused") -> Report:
    return effviz.analyze(effviz.architecture(name), memory=memory)


class Drawn(NamedTuple):
    """A chart and its plotly specification."""

    chart: Chart
    spec: dict[str, Any]


@cache
def _drawn(name: str, convention: Convention, look: Appearance) -> dict[str, Drawn]:
    """Draw every chart of a network once, and check that this does not change the table."""
    report = _report(name, convention.memory)
    before = report.table.copy()
    made = {key: Drawn(chart, spec_of(chart)) for key, chart in _charts(report, convention, look).items()}
    pd.testing.assert_frame_equal(report.table, before)
    return made


def _charts(report: Report, convention: Convention, look: Appearance) -> dict[str, Chart]:
    columns = stage_measures(convention)
    return {
        "stages": stage_costs(report.sums, columns, look, report.sums),
        "kinds": kind_shares(report.sums, columns, look),
        "timeline": activation_timeline(report.running, alive_measure(convention), look),
    }


def _totals(report: Report, convention: Convention) -> dict[str, int]:
    return {
        "Parameters": report.params,
        convention.compute_label: convention.compute(report.macs),
        "Memory access": convention.size(report.memory_access),
    }


# --- the numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@each_convention
@every_architecture
def test_stage_bars_add_up_to_the_totals(name: str, convention: Convention) -> None:
    report = _report(name, convention.memory)
    spec = _drawn(name, convention, LIGHT)["stages"].spec
    panels: dict[str, float] = defaultdict(float)
    stages: dict[tuple[str, str], float] = defaultdict(float)
    for trace in spec["data"]:
        for stage, value in zip(trace["x"], trace["y"], strict=True):
            panels[trace["yaxis"]] += value
            stages[trace["yaxis"], stage] += value
    totals = _totals(report, convention)
    assert list(panels.values()) == list(totals.values())
    shown = [note["text"] for note in spec["layout"]["annotations"]]
    for text, (label, total), measure in zip(shown, totals.items(), stage_measures(convention), strict=True):
        assert text == f"<b>{label}</b>  {measure.show(total)}"
    for axis in panels:
        low, high = spec["layout"][axis.replace("y", "yaxis", 1)]["range"]
        highest = max(value for (panel, _), value in stages.items() if panel == axis)
        assert low == 0
        assert highest <= high <= 1.4 * highest, "a bar stays inside its panel and fills most of it"


@every_architecture
def test_each_stage_and_kind_has_its_own_bar(name: str) -> None:
    columns = {"y": "params", "y2": "macs", "y3": "memory_access"}
    sums = _report(name).table.groupby(["stage", "kind"])[list(columns.values())].sum().to_dict()
    for trace in _drawn(name, PLAIN, LIGHT)["stages"].spec["data"]:
        for stage, value in zip(trace["x"], trace["y"], strict=True):
            assert value == sums[columns[trace["yaxis"]]].get((stage, with_letter(trace["name"])), 0)


def test_the_ghost_marks_the_end_of_the_unscaled_bar() -> None:
    base = _report("mobilenet_v2")
    wide = effviz.analyze(base.design.scaled(width_mult=0.5))
    spec = spec_of(stage_costs(wide.sums, stage_measures(PLAIN), LIGHT, base.sums))
    stages = list(dict.fromkeys(wide.table["stage"]))
    for axis, column in (("y", "params"), ("y2", "macs"), ("y3", "memory_access")):
        expected = base.table.groupby("stage", sort=False)[column].sum()[stages].tolist()
        ghosts = [shape for shape in spec["layout"]["shapes"] if shape["yref"] == axis]
        assert [ghost["y0"] for ghost in ghosts] == [ghost["y1"] for ghost in ghosts] == expected
        assert spec["layout"][axis.replace("y", "yaxis")]["range"][1] >= max(expected), "the ghost is inside the panel"


def test_the_output_of_each_stage_is_above_its_costs() -> None:
    found = _report("mobilenet_v2")
    own = {"stem": StageMap(32, 112, 112), "stage1": StageMap(16, 112, 112), "classifier": StageMap(1000, 1, 1)}
    twice = {"classifier": StageMap(4000, 1, 1)}
    spec = spec_of(stage_costs(found.sums, stage_measures(PLAIN), LIGHT, maps=[own, twice]))
    (strip,) = (trace for trace in spec["data"] if trace["yaxis"] == spec["layout"]["meta"]["upright"])
    assert strip["x"] == list(own)
    assert [height**2 for height in strip["y"]] == pytest.approx([112, 112, 1])
    stem, stage1, classifier = strip["width"]
    assert (stem / stage1, stem / classifier) == pytest.approx((2**0.5, 0.032**0.5))
    assert classifier == pytest.approx(0.46), "the widest stage of both networks fills its place"
    texts = [note["text"] for note in spec["layout"]["annotations"]]
    assert texts[-3:] == ["32 × 112²", "16 × 112²", "1000"]
    panels = [spec["layout"][f"yaxis{number}"]["domain"] for number in ("", 2, 3, 4)]
    assert panels[3][1] == 1
    assert all(lower[1] < upper[0] for upper, lower in itertools.pairwise([panels[3], *panels[:3]])), (
        "panels do not overlap"
    )


def test_no_ghost_without_a_baseline() -> None:
    assert "shapes" not in spec_of(stage_costs(_report("vgg16").sums, stage_measures(PLAIN), LIGHT))["layout"]


@each_convention
@every_architecture
def test_kind_shares_fill_the_bar(name: str, convention: Convention) -> None:
    report = _report(name, convention.memory)
    spec = _drawn(name, convention, LIGHT)["kinds"].spec
    bars: dict[str, float] = defaultdict(float)
    for trace in spec["data"]:
        for label, share in zip(trace["y"], trace["x"], strict=True):
            assert 0 <= share <= 1
            bars[label] += share
    assert list(bars) == list(_totals(report, convention))
    assert list(bars.values()) == pytest.approx([1.0] * 3)


@each_convention
@every_architecture
def test_the_timeline_peaks_at_the_reports_peak(name: str, convention: Convention) -> None:
    report = _report(name, convention.memory)
    chart, spec = _drawn(name, convention, LIGHT)["timeline"]
    line, marker = spec["data"]
    peak = convention.size(report.peak_activation)
    assert max(line["y"]) == peak
    assert marker["y"] == [peak]
    assert line["y"][marker["x"][0] - 1] == peak
    assert spec["layout"]["yaxis"]["range"][1] >= peak
    path = report.table.loc[report.table["alive"].idxmax(), "path"]
    assert chart.title == f"Activation memory peaks at {convention.show_amount(peak)} in {path}"
    assert exact(report.peak_activation) in chart.alt


@pytest.mark.parametrize("factor", [1, 2])
def test_every_network_is_on_the_map(factor: int) -> None:
    reports = [_report(name) for name in effviz.list_architectures()]
    networks = [Totals(r.design.title, r.params, r.macs, r.resolution) for r in reports]
    label = {1: "Multiply-adds", 2: "FLOPs"}[factor]
    chart = zoo_dots(networks, factor, label, LIGHT)
    _, params, compute = spec_of(chart)["data"]
    assert dict(zip(params["y"], params["x"], strict=True)) == {r.design.title: r.params for r in reports}
    assert dict(zip(compute["y"], compute["x"], strict=True)) == {r.design.title: factor * r.macs for r in reports}
    uses = {r.design.title: r.macs / r.params for r in reports}
    least, most = min(uses, key=uses.__getitem__), max(uses, key=uses.__getitem__)
    assert f"{least} uses each parameter {uses[least]:.0f} times per image" in chart.title
    assert f"{most} {uses[most]:.0f} times" in chart.title
    for report in reports:
        assert f"{report.design.title}: {si(factor * report.macs)} {lower(label)}, {si(report.params)}" in chart.alt


# --- the sentences --------------------------------------------------------------------------------------------------


@each_convention
@every_architecture
def test_the_title_of_the_shares_is_computed(name: str, convention: Convention) -> None:
    report = _report(name, convention.memory)
    table = report.table
    sums = table.groupby("kind")[["params", "macs"]].sum()
    heaviest = sums["macs"].idxmax()
    title = _drawn(name, convention, LIGHT)["kinds"].chart.title
    assert percent(sums.loc[heaviest, "macs"] / report.macs) in title
    assert title.endswith(f" and {percent(sums.loc[heaviest, 'params'] / report.params)} of the parameters")
    stem = {"linear": "linear layer", "squeeze-and-excitation": heaviest}.get(heaviest, heaviest.split()[0])
    assert title.lower().startswith(stem)


@each_convention
@every_architecture
def test_the_title_of_the_stages_is_computed(name: str, convention: Convention) -> None:
    report = _report(name, convention.memory)
    title = _drawn(name, convention, LIGHT)["stages"].chart.title
    shares, where = r"(.+ %) of the [\w-]+ and (.+ %) of the parameters", r"(?:parts from (\w+) to|part) (\w+)"
    found = re.fullmatch(f"{shares} are in the {where}", title)
    assert found, title
    compute, params, first, last = found.groups()
    stages = list(dict.fromkeys(report.table["stage"]))
    split = stages.index(last) + 1
    assert (first or last) == stages[0]
    assert split < len(stages)
    before = report.table[report.table["stage"].isin(stages[:split])]
    assert compute == percent(before["macs"].sum() / report.macs)
    assert params == percent(before["params"].sum() / report.params)


@each_convention
@every_architecture
def test_the_alt_text_holds_the_finding_and_the_numbers(name: str, convention: Convention) -> None:
    for chart, _ in _drawn(name, convention, LIGHT).values():
        assert chart.title
        assert chart.alt.startswith(chart.title)
        assert len(re.findall(r"\d", chart.alt)) > len(re.findall(r"\d", chart.title))
        assert "nan" not in chart.alt.lower().replace("nano", "")


@each_convention
def test_the_texts_of_a_dark_chart_are_those_of_a_light_one(convention: Convention) -> None:
    for name in ("mobilenet_v2", "shufflenet_v2", "densenet121", "vgg16"):
        light, dark = (_drawn(name, convention, look) for look in (LIGHT, DARK))
        assert [(each.chart.title, each.chart.alt) for each in light.values()] == [
            (each.chart.title, each.chart.alt) for each in dark.values()
        ]


@pytest.mark.parametrize("key", ["stages", "kinds"])
def test_flops_are_capitalised(key: str) -> None:
    chart = _drawn("mobilenet_v2", Convention(count="flops"), LIGHT)[key].chart
    assert "FLOPs" in chart.title
    assert "flops" not in chart.title
    assert "flops" not in chart.alt


# --- unusual designs ------------------------------------------------------------------------------------------------

ODD = {
    "one stage": (Stage("conv", 8, kernel_size=3),),
    "no arithmetic": (Stage("max_pool", stride=2, kernel_size=3, name="first"), Stage("global_avg_pool", name="pool")),
    "no parameters in the first stage": (Stage("max_pool", stride=2, kernel_size=3), Stage("conv", 8, kernel_size=1)),
}


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD)
def test_charts_of_small_designs(rows: tuple[Stage, ...]) -> None:
    for chart in _charts(effviz.analyze(Design("small", rows, resolution=32)), PLAIN, LIGHT).values():
        spec_of(chart)
        assert "nan" not in chart.alt


# --- the look -------------------------------------------------------------------------------------------------------


def test_the_contrast_formula() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@each_look
@pytest.mark.parametrize("role", ["ink", "muted", "accent"])
def test_text_can_be_read(look: Appearance, role: str) -> None:
    assert contrast(getattr(look, role), look.paper) >= 4.5


@each_look
@for_each("kind", KIND_COLORS)
def test_marks_contrast_by_fill_or_outline(look: Appearance, kind: str) -> None:
    assert max(contrast(KIND_COLORS[kind], look.paper), contrast(look.outline, look.paper)) >= 3


def test_every_kind_has_its_own_colour() -> None:
    assert set(KIND_COLORS) == set(kinds.KINDS) - {kinds.VIEW}
    assert len({color.lower() for color in KIND_COLORS.values()}) == len(KIND_COLORS)
    for look in (LIGHT, DARK):
        roles = (look.ink, look.muted, look.accent, look.paper)
        assert len({*KIND_COLORS.values(), *roles}) == len(KIND_COLORS) + len(roles), "the accent is no layer's colour"


@pytest.mark.parametrize("blindness", BLINDNESS.values(), ids=BLINDNESS)
def test_kinds_are_distinguishable_for_colour_blind_readers(blindness: tuple[float, float] | None) -> None:
    looks = {kind: seen(channels(color), blindness) for kind, color in KIND_COLORS.items()}
    alike = {
        (first, second): round(dist(looks[first], looks[second]), 1)
        for first, second in itertools.combinations(looks, 2)
        if dist(looks[first], looks[second]) < 10
    }
    assert alike == {}


@pytest.mark.slow
@each_look
def test_labels_inside_bars_can_be_read(look: Appearance) -> None:
    labelled = {}
    for name, convention in itertools.product(effviz.list_architectures(), (PLAIN, OTHER)):
        for trace in _drawn(name, convention, look)["kinds"].spec["data"]:
            if any(trace["text"]):
                labelled[trace["name"]] = contrast(trace["textfont"]["color"], trace["marker"]["color"])
    assert len(labelled) > 5
    assert {kind: contrast for kind, contrast in labelled.items() if contrast < 4.5} == {}


@each_look
def test_charts_are_transparent_and_use_their_appearance(look: Appearance) -> None:
    for _, spec in _drawn("ghostnet", PLAIN, look).values():
        layout = spec["layout"]
        layout = layout["template"]["layout"] | layout
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
        assert layout["font"]["color"] == look.ink
        assert layout["height"] > 0


def test_an_unknown_appearance_is_light() -> None:
    assert appearance(None) is appearance("light") is LIGHT
    assert appearance("dark") is DARK
