"""Charts say what the table says: bars add up, titles hold computed numbers, marks can be told apart and read."""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from functools import cache
from math import dist
from typing import Any

import pandas as pd
import pytest

import effviz
from effviz import Design, Stage
from effviz.charts.architectures import activation_timeline, kind_shares, stage_costs
from effviz.charts.home import zoo_dots
from effviz.charts.style import DARK, KIND_COLORS, LIGHT, Appearance, Chart, appearance
from effviz.core.units import exact, lower, percent, si, snapped
from effviz.count import kinds
from effviz.count.report import Report
from effviz.ui.convention import Convention
from effviz.ui.page_parts.architectures.network import alive_measure, measures

every_architecture = pytest.mark.parametrize("name", effviz.list_architectures())
each_look = pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
PLAIN = Convention()
OTHER = Convention("flops", "float16", "eager")
each_convention = pytest.mark.parametrize("convention", [PLAIN, OTHER], ids=["default", "flops-float16-eager"])


@cache
def _report(name: str, memory: str = "fused") -> Report:
    return effviz.analyze(effviz.architecture(name), memory=memory)


def _spec(chart: Chart) -> dict[str, Any]:
    """What the browser gets; JSON has no word for NaN and infinity."""
    made: dict[str, Any] = json.loads(chart.figure.to_json(), parse_constant=lambda word: pytest.fail(word))
    return made


def _charts(report: Report, convention: Convention, look: Appearance) -> dict[str, Chart]:
    columns = measures(convention)
    return {
        "stages": stage_costs(report.table, columns, look, report.table),
        "kinds": kind_shares(report.table, columns, look),
        "timeline": activation_timeline(report.table, alive_measure(convention), look),
    }


def _totals(report: Report, convention: Convention) -> dict[str, int]:
    return {
        "Parameters": report.params,
        convention.compute_label: convention.compute(report.macs),
        "Memory access": convention.size(report.memory_access),
    }


# --- the numbers ----------------------------------------------------------------------------------------------------


@each_convention
@every_architecture
def test_stage_bars_add_up_to_the_totals(name: str, convention: Convention) -> None:
    report = _report(name, convention.memory)
    spec = _spec(stage_costs(report.table, measures(convention), LIGHT))
    panels: dict[str, float] = defaultdict(float)
    stages: dict[tuple[str, str], float] = defaultdict(float)
    for trace in spec["data"]:
        for stage, value in zip(trace["x"], trace["y"], strict=True):
            panels[trace["yaxis"]] += value
            stages[trace["yaxis"], stage] += value
    totals = _totals(report, convention)
    assert list(panels.values()) == list(totals.values())
    shown = [note["text"] for note in spec["layout"]["annotations"]]
    for text, (label, total), measure in zip(shown, totals.items(), measures(convention), strict=True):
        assert text == f"<b>{label}</b>  {measure.show(total)}"
    for axis in panels:
        low, high = spec["layout"][axis.replace("y", "yaxis", 1)]["range"]
        highest = max(value for (panel, _), value in stages.items() if panel == axis)
        assert low == 0
        assert high == snapped(highest) >= highest, "a bar stays inside its panel"


@every_architecture
def test_each_stage_and_kind_has_its_own_bar(name: str) -> None:
    table = _report(name).table
    spec = _spec(stage_costs(table, measures(PLAIN), LIGHT))
    columns = {"y": "params", "y2": "macs", "y3": "memory_access"}
    for trace in spec["data"]:
        for stage, value in zip(trace["x"], trace["y"], strict=True):
            rows = table[(table["stage"] == stage) & (table["kind"] == trace["name"])]
            assert value == rows[columns[trace["yaxis"]]].sum()


def test_the_ghost_stands_where_the_unscaled_bar_ends() -> None:
    base = _report("mobilenet_v2")
    wide = effviz.analyze(base.design.scaled(width_mult=0.5))
    spec = _spec(stage_costs(wide.table, measures(PLAIN), LIGHT, base.table))
    stages = list(dict.fromkeys(wide.table["stage"]))
    for axis, column in (("y", "params"), ("y2", "macs"), ("y3", "memory_access")):
        expected = base.table.groupby("stage", sort=False)[column].sum()[stages].tolist()
        ghosts = [shape for shape in spec["layout"]["shapes"] if shape["yref"] == axis]
        assert [ghost["y0"] for ghost in ghosts] == [ghost["y1"] for ghost in ghosts] == expected
        assert spec["layout"][axis.replace("y", "yaxis")]["range"][1] >= max(expected), "the ghost stays in sight"


def test_no_ghost_without_a_baseline() -> None:
    assert "shapes" not in _spec(stage_costs(_report("vgg16").table, measures(PLAIN), LIGHT))["layout"]


@each_convention
@every_architecture
def test_kind_shares_fill_the_bar(name: str, convention: Convention) -> None:
    report = _report(name, convention.memory)
    spec = _spec(kind_shares(report.table, measures(convention), LIGHT))
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
    chart = activation_timeline(report.table, alive_measure(convention), LIGHT)
    line, marker = _spec(chart)["data"]
    peak = convention.size(report.peak_activation)
    assert max(line["y"]) == peak
    assert marker["y"] == [peak]
    assert line["y"][marker["x"][0] - 1] == peak
    assert _spec(chart)["layout"]["yaxis"]["range"][1] >= peak
    path = report.table.loc[report.table["alive"].idxmax(), "path"]
    assert chart.title == f"Activation memory peaks at {convention.show_amount(peak)} in {path}"
    assert exact(report.peak_activation) in chart.alt


@pytest.mark.parametrize("factor", [1, 2])
def test_every_network_is_on_the_map(factor: int) -> None:
    reports = [_report(name) for name in effviz.list_architectures()]
    table = pd.DataFrame(
        {"title": r.design.title, "params": r.params, "macs": r.macs, "resolution": r.resolution} for r in reports
    )
    label = {1: "Multiply-adds", 2: "FLOPs"}[factor]
    chart = zoo_dots(table, factor, label, LIGHT)
    _, params, compute = _spec(chart)["data"]
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
    title = kind_shares(table, measures(convention), LIGHT).title
    assert percent(sums.loc[heaviest, "macs"] / report.macs) in title
    assert title.endswith(f" and {percent(sums.loc[heaviest, 'params'] / report.params)} of the parameters")
    stem = {"linear": "linear layer", "squeeze-and-excitation": heaviest}.get(heaviest, heaviest.split()[0])
    assert title.lower().startswith(stem)


@each_convention
@every_architecture
def test_the_title_of_the_stages_is_computed(name: str, convention: Convention) -> None:
    report = _report(name, convention.memory)
    title = stage_costs(report.table, measures(convention), LIGHT).title
    found = re.fullmatch(
        r"The layers of (?:(\w+) to )?(\w+) hold (.+ %) of the ([\w-]+) and (.+ %) of the parameters", title
    )
    assert found, title
    first, last, compute, _, params = found.groups()
    stages = list(dict.fromkeys(report.table["stage"]))
    split = stages.index(last) + 1
    assert (first or last) == stages[0]
    assert split < len(stages)
    before = report.table[report.table["stage"].isin(stages[:split])]
    assert compute == percent(before["macs"].sum() / report.macs)
    assert params == percent(before["params"].sum() / report.params)


@each_look
@each_convention
@every_architecture
def test_the_alt_text_holds_the_finding_and_the_numbers(name: str, convention: Convention, look: Appearance) -> None:
    report = _report(name, convention.memory)
    for chart in _charts(report, convention, look).values():
        _spec(chart)
        assert chart.title
        assert chart.alt.startswith(chart.title)
        assert len(re.findall(r"\d", chart.alt)) > len(re.findall(r"\d", chart.title))
        assert "nan" not in chart.alt.lower().replace("nano", "")


@pytest.mark.parametrize("key", ["stages", "kinds"])
def test_flops_are_written_flops(key: str) -> None:
    chart = _charts(_report("mobilenet_v2"), Convention(count="flops"), LIGHT)[key]
    assert "FLOPs" in chart.title
    assert "flops" not in chart.title
    assert "flops" not in chart.alt


@every_architecture
def test_charts_leave_the_table_alone(name: str) -> None:
    table = _report(name).table
    before = table.copy()
    for look in (LIGHT, DARK):
        _charts(_report(name), OTHER, look)
    pd.testing.assert_frame_equal(table, before)


# --- designs that nobody published ----------------------------------------------------------------------------------

ODD = {
    "one stage": (Stage("conv", 8, kernel_size=3),),
    "no arithmetic": (Stage("max_pool", stride=2, kernel_size=3, name="first"), Stage("global_avg_pool", name="pool")),
    "no parameters in the first stage": (Stage("max_pool", stride=2, kernel_size=3), Stage("conv", 8, kernel_size=1)),
}


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD)
def test_charts_of_small_designs(rows: tuple[Stage, ...]) -> None:
    for chart in _charts(effviz.analyze(Design("small", rows, resolution=32)), PLAIN, LIGHT).values():
        _spec(chart)
        assert "nan" not in chart.alt


# --- the look -------------------------------------------------------------------------------------------------------


def _linear(color: str) -> list[float]:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]


def _luminance(color: str) -> float:
    red, green, blue = _linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(first: str, second: str) -> float:
    """WCAG 2 contrast ratio."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_formula() -> None:
    assert _contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert _contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@each_look
@pytest.mark.parametrize("role", ["ink", "muted", "accent"])
def test_text_can_be_read(look: Appearance, role: str) -> None:
    assert _contrast(getattr(look, role), look.paper) >= 4.5


@each_look
@pytest.mark.parametrize("kind", KIND_COLORS)
def test_marks_stand_out_by_fill_or_outline(look: Appearance, kind: str) -> None:
    assert max(_contrast(KIND_COLORS[kind], look.paper), _contrast(look.outline, look.paper)) >= 3


def test_every_kind_has_a_colour_of_its_own() -> None:
    assert set(KIND_COLORS) == set(kinds.KINDS) - {kinds.VIEW}
    assert len({color.lower() for color in KIND_COLORS.values()}) == len(KIND_COLORS)
    for look in (LIGHT, DARK):
        roles = (look.ink, look.muted, look.accent, look.paper)
        assert len({*KIND_COLORS.values(), *roles}) == len(KIND_COLORS) + len(roles), "the accent is no layer's colour"


def _lab(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """CIE L*a*b* of linear RGB: a distance of 2 can be seen side by side, one of 10 at a glance."""
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


# Red and green from the linear red and green, blue plus or minus a share of their difference: Vienot, Brettel and
# Mollon 1999.
BLINDNESS = {"protanopia": (0.11238, 0.00401), "deuteranopia": (0.29275, -0.02234)}


@pytest.mark.parametrize(("red_share", "into_blue"), BLINDNESS.values(), ids=BLINDNESS)
def test_colour_blind_eyes_tell_the_kinds_apart(red_share: float, into_blue: float) -> None:
    seen = {}
    for kind, color in KIND_COLORS.items():
        red, green, blue = _linear(color)
        both = red_share * red + (1 - red_share) * green
        seen[kind] = _lab(both, both, max(0.0, blue + into_blue * (red - green)))
    alike = {
        (first, second): round(dist(seen[first], seen[second]), 1)
        for first, second in itertools.combinations(seen, 2)
        if dist(seen[first], seen[second]) < 10
    }
    assert alike == {}


@each_look
def test_labels_inside_bars_can_be_read(look: Appearance) -> None:
    labelled = {}
    for name, memory in itertools.product(effviz.list_architectures(), ("fused", "eager")):
        for trace in _spec(kind_shares(_report(name, memory).table, measures(PLAIN), look))["data"]:
            if any(trace["text"]):
                labelled[trace["name"]] = _contrast(trace["textfont"]["color"], trace["marker"]["color"])
    assert len(labelled) > 5
    assert {kind: contrast for kind, contrast in labelled.items() if contrast < 4.5} == {}


@each_look
def test_charts_are_transparent_and_use_their_appearance(look: Appearance) -> None:
    for chart in _charts(_report("ghostnet"), PLAIN, look).values():
        layout = _spec(chart)["layout"]
        layout = layout["template"]["layout"] | layout
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
        assert layout["font"]["color"] == look.ink
        assert layout["height"] > 0


def test_an_unknown_appearance_is_light() -> None:
    assert appearance(None) is appearance("light") is LIGHT
    assert appearance("dark") is DARK
