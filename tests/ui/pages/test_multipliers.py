"""The page about width and resolution shows the counts of the engine and the published accuracies."""

from __future__ import annotations

import io
import json
import math
import re
from typing import Any

import pandas as pd
import pytest
from cases import for_each
from latex import evaluated, shown, spans
from page_reader import charts, counted_cards, line, metrics, notes, open_page, opened, put, reveal, run, show_part
from streamlit.testing.v1 import AppTest

import effviz
from effviz.core.units import binary, change, si
from effviz.studies.printed_cells import GROUPS, NETWORKS, PrintedCells, printed_points
from effviz.ui.convention import Convention
from effviz.ui.page_parts.multipliers.controls import MEASURES, TITLES, Choice
from effviz.ui.page_parts.multipliers.cost_map import cell_table, map_cells
from effviz.ui.page_parts.multipliers.law import law_text

# Who prints the accuracies of the unscaled networks.
SOURCES = {
    "mobilenet_v1": "TF-slim", "mobilenet_v2": "TF-slim", "mobilenet_v3_large": "MobileNetV3 paper",
    "mobilenet_v3_small": "MobileNetV3 paper", "shufflenet_v1": "ShuffleNet paper",
    "shufflenet_v2": "ShuffleNetV2 paper", "ghostnet": "GhostNet paper", "mnasnet_a1": "tensorflow/tpu",
    "mnasnet_b1": "post by the timm author",
}  # fmt: skip
EN_DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def open_at(**query: str | list[str]) -> AppTest:
    return open_page("multipliers", **query)


def values(at: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in counted_cards(at)}


def title(at: AppTest) -> str:
    """The title of the heat map."""
    return str(charts(at)["cells_map"]["title"])


def plain(text: str) -> str:
    """A text of a chart without tags, which make the place on screen bold."""
    return re.sub("<[^>]*>", "", text).strip()


def heat(at: AppTest) -> tuple[dict[tuple[str, str], str], dict[str, Any]]:
    """Read the texts of the cells by width and resolution, and the layout."""
    spec = charts(at)["cells_map"]
    layout = spec["layout"]
    texts = spec["data"][1]
    sides, widths = ([plain(name) for name in layout[axis]["ticktext"]] for axis in ("xaxis", "yaxis"))
    found = {
        (widths[row], sides[column]): text
        for column, row, text in zip(texts["x"], texts["y"], texts["text"], strict=True)
    }
    assert len(found) == len(widths) * len(sides) == len(texts["text"])
    return found, layout


def misfit_lines(at: AppTest) -> list[str]:
    (found,) = (entry.value for entry in at.markdown if " not fit.**" in entry.value)
    return [each for each in found.splitlines() if each.startswith("- ")]


def table(at: AppTest) -> pd.DataFrame:
    (found,) = (entry.value for entry in at.dataframe if "exact counts and published figures" in entry.proto.alt)
    return found


def law(text: str) -> tuple[float, list[float], int]:
    """Read the promise, the signed terms and the count of the law's text."""
    (found,) = shown(text)
    promised = float(spans([row for row in text.split("  \n") if row.startswith("$=")][2])[0][2:].replace("{,}", ""))
    assert evaluated(found.numbers.removesuffix(r" + \dots")) == pytest.approx(promised, abs=0.06)
    value, unit = found.value.split()
    assert unit == "counted"
    return promised, list(found.terms), int(value.replace(",", ""))


def report(name: str, width: float = 1.0, side: int = 224, memory: str = "fused", **options: int) -> effviz.Report:
    return effviz.analyze(effviz.architecture(name, width_mult=width, resolution=side, **options), memory=memory)


# --- cards ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_opens_unscaled(name: str) -> None:
    at = opened("multipliers", net=TITLES[name])
    assert line(at) == ""
    counted, found = report(name), values(at)
    assert found["Parameters"] == (si(counted.params), "")
    assert found["Multiply-adds"] == (si(counted.macs), "as published")
    assert found["Memory access"] == (si(counted.memory_access), "")
    assert found["Published top-1"][1] == SOURCES[name]
    assert len(metrics(at)) == 5
    half = report(name, 0.5).macs / counted.macs
    short = report(name, side=112).macs / counted.macs
    assert title(at) == (
        f"Half the width leaves {100 * half:.3g} %, half the resolution leaves {100 * short:.3g} % of the multiply-adds"
    )


@pytest.mark.parametrize(
    ("query", "name", "width", "side", "top1"),
    [
        ({"net": "MobileNetV1", "width": "0.5", "res": "160"}, "mobilenet_v1", 0.5, 160,
         ("59.1 %", f"{MINUS}11.8 pts")),
        ({"width": "1.4"}, "mobilenet_v2", 1.4, 224, ("75.0 %", "+3.2 pts")),
        ({"width": "0.35", "res": "96"}, "mobilenet_v2", 0.35, 96, ("45.5 %", f"{MINUS}26.3 pts")),
        ({"net": "MobileNetV3-Large", "res": "256"}, "mobilenet_v3_large", 1.0, 256, ("76.0 %", "+0.8 pts")),
        ({"net": "ShuffleNetV2", "width": "2"}, "shufflenet_v2", 2.0, 224, ("74.9 %", "+5.5 pts")),
        ({"net": "GhostNet", "width": "0.5"}, "ghostnet", 0.5, 224, ("66.2 %", f"{MINUS}7.7 pts")),
        ({"net": "MnasNet-A1", "width": "0.35", "res": "160"}, "mnasnet_a1", 0.35, 160, ("52.3 %", "a misprint")),
        ({"net": "MnasNet-B1", "width": "0.5"}, "mnasnet_b1", 0.5, 224, (EN_DASH, "not published")),
        ({"net": "MnasNet-B1", "width": "0.5", "others": "true"}, "mnasnet_b1", 0.5, 224,
         ("67.7 %", f"{MINUS}6.8 pts")),
        ({"width": "4", "res": "2048"}, "mobilenet_v2", 4.0, 2048, (EN_DASH, "not published")),
        ({"width": "0.1", "res": "1"}, "mobilenet_v2", 0.1, 1, (EN_DASH, "not published")),
    ],
    ids=str,
)  # fmt: skip
def test_a_link_restores_the_cell(
    query: dict[str, str], name: str, width: float, side: int, top1: tuple[str, str]
) -> None:
    at = opened("multipliers", **query)
    assert line(at) == ""
    now, own, found = report(name, width, side), report(name), values(at)
    assert found["Parameters"] == (si(now.params), change(now.params, own.params))
    assert found["Multiply-adds"] == (si(now.macs), change(now.macs, own.macs))
    assert found["Memory access"] == (
        si(now.memory_access), change(now.memory_access, own.memory_access),
    )  # fmt: skip
    assert found["Published top-1"] == top1
    cells, layout = heat(at)
    value = now.macs / 1e6
    shown = f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
    assert re.sub("<.?b>", "", cells[f"{width:g}", str(side)]) == shown
    outline = layout["shapes"][-1]
    assert outline["line"]["width"] == 5
    assert plain(layout["yaxis"]["ticktext"][round(outline["y0"] + 0.5)]) == f"{width:g}"
    assert plain(layout["xaxis"]["ticktext"][round(outline["x0"] + 0.5)]) == str(side)


def test_interpolated_accuracies_are_marked() -> None:
    value, ends = values(opened("multipliers", width="0.5", res="176"))["Top-1, interpolated"]
    assert 61.0 < float(re.fullmatch(r"≈ ([\d.]+) %", value)[1]) < 63.9  # type: ignore[index]
    assert ends == "160 to 192 px"
    at = opened("multipliers", width="0.6", heat="Printed top-1", part="All cells")
    value, ends = values(at)["Top-1, interpolated"]
    assert 65.4 < float(re.fullmatch(r"≈ ([\d.]+) %", value)[1]) < 69.8  # type: ignore[index]
    assert ends == "0.5 to 0.75×"
    assert (
        title(at) == f"0.6× MobileNetV2 at 224 px: no top-1 is published; between published cells about {value[2:6]} %"
    )
    caption = notes(at)["cells_map"]
    assert "≈: interpolated. Tested on 18 published" in caption
    assert "at most 1.5 points too low" in caption


# --- the two ways -----------------------------------------------------------------------------------------------------


def ways(at: AppTest) -> dict[str, list[Any]]:
    """Read width, resolution and accuracy of the points by width, by resolution, and on screen."""
    spec = charts(at)["two_ways"]
    (_, others), *pairs = zip(*[iter(spec["data"][:6])] * 2, strict=True)
    found = {"others": others, "resolution": pairs[0][1], "width": pairs[1][1], "here": (spec["data"][6:] or [None])[0]}
    return {
        name: [(*each[1:], top1) for each, top1 in zip(trace["customdata"], trace["y"], strict=True)] if trace else []
        for name, trace in found.items()
    }


def test_two_ways_from_the_network_on_screen() -> None:
    at = open_at()
    found = ways(at)
    assert found["here"] == [(1.0, "224", 71.8)]
    assert found["width"] == [
        (0.35, "224", 60.3), (0.5, "224", 65.4), (0.75, "224", 69.8), (1.0, "224", 71.8), (1.3, "224", 74.4),
        (1.4, "224", 75.0),
    ]  # fmt: skip
    assert found["resolution"] == [
        (1.0, "96", 60.3), (1.0, "128", 65.3), (1.0, "160", 68.8), (1.0, "192", 70.7), (1.0, "224", 71.8),
    ]  # fmt: skip
    cheapest = report("mobilenet_v2", 1.0, 96).macs / 1.1
    near = {
        (width, str(side), top1) for (width, side), top1 in PrintedCells("mobilenet_v2").known.items()
        if top1 > 55 and report("mobilenet_v2", width, side).macs > cheapest
    }  # fmt: skip
    assert (
        near
        <= set(found["others"])
        < {(width, str(side), top1) for (width, side), top1 in PrintedCells("mobilenet_v2").known.items()}
    )
    names = [plain(each["text"]) for each in charts(at)["two_ways"]["layout"]["annotations"]]
    assert names == ["Width changes, 224 px stays", "Resolution changes, 1× stays"]


def test_the_two_ways_are_compared_at_equal_compute() -> None:
    at = open_at()
    spec = charts(at)["two_ways"]
    narrow, (low, high) = (
        report("mobilenet_v2", 0.35).macs,
        (report("mobilenet_v2", 1.0, side).macs for side in (96, 128)),
    )
    share = math.log(narrow / low) / math.log(high / low)
    assert spec["title"] == (
        f"At {si(narrow)} multiply-adds (dotted line), MobileNetV2 keeps more top-1 with a smaller image "
        f"(about {60.3 + share * (65.3 - 60.3):.1f} %) than with 0.35× width (60.3 %)"
    )
    (rule,) = spec["layout"]["shapes"]
    assert rule["x0"] == rule["x1"] == narrow


def test_the_comparison_starts_from_a_resolution_where_no_width_can_be_compared() -> None:
    title = charts(open_at(net="MobileNetV1", width="0.5", res="160"))["two_ways"]["title"]
    macs, low, high = (report("mobilenet_v1", *place).macs for place in ((0.5, 128), (0.25, 160), (0.5, 160)))
    known = PrintedCells("mobilenet_v1").known
    first, last = known[0.25, 160], known[0.5, 160]
    other = first + math.log(macs / low) / math.log(high / low) * (last - first)
    assert title == (
        f"At {si(macs)} multiply-adds (dotted line), MobileNetV1 keeps more top-1 with a 128 px image "
        f"({known[0.5, 128]:.1f} %) than with a narrower network (about {other:.1f} %)"
    )


@for_each("name", NETWORKS)
def test_networks_with_one_way_or_none_say_so(name: str) -> None:
    at = open_at(net=TITLES[name])
    found, spec = ways(at), charts(at)["two_ways"]
    assert found["here"], "every unscaled network has a published accuracy"
    text = spec["alt"] + str(spec["layout"]["annotations"])
    assert ("No other resolution is published at 1×" in text) == (not found["resolution"])
    assert ("No other width is published at 224 px" in text) == (not found["width"])
    assert bool(spec["layout"]["shapes"]) == bool(found["resolution"] and found["width"])


def test_interpolated_points_are_hollow_and_unpublished_sizes_have_no_point() -> None:
    at = open_at(width="0.6", res="170")
    spec = charts(at)["two_ways"]
    assert ways(at)["here"][0][:2] == (0.6, "170")
    assert spec["data"][6]["marker"]["color"] != [spec["data"][6]["marker"]["line"]["color"]]
    assert ways(open_at(width="4", res="2048"))["here"] == []


# --- the map ----------------------------------------------------------------------------------------------------------


@for_each("name", NETWORKS)
@for_each("measure", MEASURES)
def test_every_cell_of_the_map(name: str, measure: str) -> None:
    groups = 3 if name == "shufflenet_v1" else None
    choice = Choice(PrintedCells(name, groups), 1.0, 224, measure)
    cells = map_cells(choice, Convention("flops", "float16", "eager"))
    if measure == "memory":
        assert not any(cell.misfit for cell in cells), "no source prints it"
    for cell in cells:
        text = cell.text.replace(",", "")
        if measure == "top1":
            assert text == EN_DASH or re.fullmatch(r"≈?\d\d\.\d", text)
            continue
        counted = report(name, cell.width, cell.resolution, "eager")
        exact = {
            "compute": counted.flops / 1e6,
            "params": counted.params / 1e6,
            "memory": 2 * counted.memory_access / 2**20,
        }[measure]
        assert float(text) == pytest.approx(exact, rel=0.006)
    assert (1.0, 224) in {(cell.width, cell.resolution) for cell in cells}


def test_the_map_is_in_the_convention() -> None:
    at = open_at(net="GhostNet", heat="Compute", count="FLOPs", unit="float16", memory="Eager")
    cells = map_cells(Choice(PrintedCells("ghostnet"), 1.0, 224), Convention("flops", "float16", "eager"))
    texts = {place: re.sub("<.?b>", "", text) for place, text in heat(at)[0].items()}
    assert texts == {(f"{cell.width:g}", str(cell.resolution)): cell.text for cell in cells}
    assert notes(at)["cells_map"].startswith("FLOPs in millions.")


def test_wrong_figures_are_marked_and_explained() -> None:
    at = open_at(net="MobileNetV1", width="0.75", res="192", part="Wrong figures")
    assert "Triangle: a published figure does not fit, see “Wrong figures”." in notes(at)["cells_map"]
    _, layout = heat(at)
    sides, widths = ([plain(name) for name in layout[axis]["ticktext"]] for axis in ("xaxis", "yaxis"))
    marked = {
        (widths[round(shape["yanchor"] - 0.5)].strip(), sides[round(shape["xanchor"] - 0.5)])
        for shape in layout["shapes"]
        if shape["type"] == "path"
    }
    assert marked == {("0.75", "224"), ("0.75", "192"), ("0.75", "160"), ("0.75", "128"), ("0.25", "192")}
    lines = misfit_lines(at)
    assert len(lines) == 5
    assert lines[0] == (
        "- **0.25× at 192 px**: 34 M multiply-adds published, 30.21 M counted (+12.5 %). Misprint: 34 M "
        "multiply-adds; exact 30.2 M. *TF-slim tensorflow/models research/slim/nets/mobilenet_v1.md*"
    )
    assert all("TF-slim" in each for each in lines)
    assert any("233 M multiply-adds published, 239.3 M counted" in each for each in lines)


def test_two_figures_of_one_row_share_their_line() -> None:
    (found,) = misfit_lines(open_at(net="MobileNetV2", part="Wrong figures"))
    assert (
        "6.9 M parameters published, 6.109 M counted (+13.0 %); 585 M multiply-adds published, 582.2 M counted" in found
    )


def test_a_misprinted_accuracy_is_shown_as_printed_and_explained() -> None:
    at = open_at(net="MnasNet-A1", width="0.35", res="160", heat="Printed top-1", part="Wrong figures")
    assert title(at) == "0.35× MnasNet-A1 at 160 px: the published top-1 of 52.3 % is a misprint"
    found, layout = heat(at)
    assert found["0.35", "160"] == "<b>52.3</b>"
    assert len([shape for shape in layout["shapes"] if shape["type"] == "path"]) == 1
    assert re.search(r"top-1 52.3 % published, 59.\d % interpolated between its neighbors", misfit_lines(at)[0])
    show_part(at, "Accuracy")
    (drawn,) = (each for each in charts(at)["front"]["data"] if each.get("name") == "0.35×, interpolated")
    assert 52.3 not in drawn["y"]


def test_a_network_without_wrong_figures_has_a_note() -> None:
    at = open_at(net="ShuffleNetV1", groups="1", part="Wrong figures")
    assert any("No published figure of these cells" in entry.value for entry in at.caption)


# --- accuracy ---------------------------------------------------------------------------------------------------------


def test_points_of_this_network_and_of_all() -> None:
    at = open_at(net="GhostNet", part="Accuracy")
    every = charts(at)["front"]
    printed = printed_points(False)
    marks = [each for each in every["data"] if each.get("customdata")]
    assert sum(len(each["x"]) for each in marks) == len(printed)
    assert sum("-open" not in symbol for each in marks for symbol in each["marker"]["symbol"]) == sum(
        each.front for each in printed
    )
    assert all(len(label) > 5 and "Published top-1" in hover for each in marks for label, hover in each["customdata"])
    at.button_group(key="points").set_value("one")
    run(at)
    alone = charts(at)["front"]
    (mine,) = (each for each in alone["data"] if each.get("customdata"))
    assert len(mine["x"]) == len([each for each in printed if each.name == "ghostnet"])
    assert alone["data"][0] == every["data"][0], "the front stays"
    assert alone["layout"]["xaxis"]["range"] == every["layout"]["xaxis"]["range"]


def test_retrained_accuracies_are_optional() -> None:
    at = open_at(net="MnasNet-B1", heat="Printed top-1", part="Accuracy")
    before = heat(at)[0]
    assert before["0.5", "224"] == EN_DASH
    at.toggle(key="others").set_value(True)
    run(at)
    assert heat(at)[0]["0.5", "224"] == "67.7", "by others, so not bold"
    assert heat(at)[0]["1", "224"] == before["1", "224"] == "<b>74.5</b>"
    assert "by the authors and by others" in notes(at)["front"]


def test_a_large_chart_is_compressed() -> None:
    at = open_at(part="Accuracy", others="true")
    sent = {entry.key: len(entry.proto.bytes) for entry in at.get("bidi_component")}
    assert len(json.dumps(charts(at)["front"])) > 90_000
    assert sent["front"] < 25_000


def test_the_curve_on_screen_runs_through_the_cell() -> None:
    at = open_at(width="0.6", res="170", part="Accuracy")
    value = float(values(at)["Top-1, interpolated"][0][2:6])
    macs = report("mobilenet_v2", 0.6, 170).macs
    drawn = [each for each in charts(at)["front"]["data"] if "interpolated" in str(each.get("name"))]
    assert [each["name"] for each in drawn] == ["0.6×, interpolated", "170 px, interpolated"]
    for each in drawn:
        place = each["x"].index(macs)
        assert each["y"][place] == pytest.approx(value, abs=0.051)
        assert each["x"] == sorted(each["x"])


def test_the_caption_explains_how_far_points_compare() -> None:
    text = notes(open_at(net="MobileNetV2", points="All small networks"))["front"]
    assert text.startswith("Filled: on the front")
    assert "Papers use different training recipes." in text
    assert re.search(r"unscaled MobileNetV2 range from [\d.]+ to [\d.]+ %", text)


# --- the law ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", ["macs", "flops"])
@pytest.mark.parametrize(
    ("name", "width", "side", "options"),
    [
        ("mobilenet_v1", 0.5, 160, {}), ("mobilenet_v2", 1.4, 200, {}), ("mobilenet_v2", 0.35, 224, {}),
        ("ghostnet", 0.15, 100, {}), ("shufflenet_v2", 1.5, 224, {}), ("shufflenet_v1", 2.0, 224, {"groups": 8}),
    ],
)  # fmt: skip
def test_the_written_terms_add_up(name: str, width: float, side: int, options: dict[str, int], count: str) -> None:
    factor = 2 if count == "flops" else 1
    choice = Choice(PrintedCells(name, options.get("groups")), width, side)
    promised, terms, counted = law(law_text(choice, Convention(count)))
    own = report(name, **options).macs
    assert counted == factor * report(name, width, side, **options).macs
    assert promised == pytest.approx(factor * own * width**2 * (side / 224) ** 2, abs=0.06)
    assert promised + sum(terms) == pytest.approx(counted, abs=0.06 * (len(terms) + 1))


def test_the_law_is_shown_for_half_of_both_when_unscaled() -> None:
    at = opened("multipliers", net="MobileNetV2")
    (text,) = (entry.value for entry in at.markdown if "$ counted" in entry.value)
    assert law(text)[2] == report("mobilenet_v2", 0.5, 112).macs
    assert any(entry.value.startswith("Example: 0.5× at 112 px") for entry in at.caption)


# --- controls ---------------------------------------------------------------------------------------------------------


def test_every_control_has_its_effect() -> None:
    at = open_at()
    at.number_input(key="width").set_value(0.75)
    run(at)
    assert values(at)["Multiply-adds"][0] == si(report("mobilenet_v2", 0.75).macs)
    put(at, "res", 160)
    assert values(at)["Multiply-adds"][0] == si(report("mobilenet_v2", 0.75, 160).macs)
    at.slider(key="width_slider").set_value(0.5)
    run(at)
    assert values(at)["Multiply-adds"][0] == si(report("mobilenet_v2", 0.5, 160).macs)
    at.slider(key="res_slider").set_value(128)
    run(at)
    assert values(at)["Multiply-adds"][0] == si(report("mobilenet_v2", 0.5, 128).macs)
    expected = {
        "compute": "width² × resolution² promises", "params": "width² promises 25 %",
        "memory": "of the multiply-adds", "top1": "published top-1 57.7 %",
    }  # fmt: skip
    for measure, words in expected.items():
        at.selectbox(key="heat").set_value(measure)
        run(at)
        assert words in title(at)
    for name in NETWORKS:
        at.selectbox(key="net").set_value(name)
        run(at)
        assert values(at)["Multiply-adds"] == (si(report(name).macs), "as published"), "another network is unscaled"


def test_only_published_widths_of_shufflenet_v1() -> None:
    at = open_at(net="ShuffleNetV1", groups="8", scale="2", res="160")
    assert line(at) == ""
    assert values(at)["Multiply-adds"][0] == si(report("shufflenet_v1", 2.0, 160, groups=8).macs)
    for groups in GROUPS:
        at.button_group(key="groups").set_value(str(groups))
        run(at)
        scales = at.button_group(key="scale").options
        rows = {width for width, _ in heat(at)[0]}
        assert rows == {option.content if hasattr(option, "content") else option for option in scales}
    at.button_group(key="groups").set_value("4")
    run(at)
    assert values(at)["Multiply-adds"][0] == si(report("shufflenet_v1", 1.0, 160, groups=4).macs)


@pytest.mark.parametrize(
    ("query", "ignored"),
    [
        (
            {"net": "AlexNet", "width": "nan", "res": "0", "heat": "FLOPs", "others": "yes", "points": "none",
             "sizes": "true", "depth": "2"},
            ["net = AlexNet (choices: ", "width = nan", "res = 0 (1 to 2048, or height × width)",
             "heat = FLOPs (choices: ", "others = yes (true or false)", "points = none (choices: ",
             "sizes (no such setting here)", "depth (no such setting here)"],
        ),
        (
            {"net": "MobileNetV2", "width": "0.01", "res": "224.5", "heat": "<b>", "scale": "0.5"},
            ["width = 0.01 (0.1 to 4)", "res = 224.5 (1 to 2048, or height × width)", "heat = <b> (choices: ",
             "scale (no such setting here)"],
        ),
        ({"width": "5"}, ["width = 5 (0.1 to 4)"]),
        (
            {"net": "ShuffleNetV1", "groups": "4", "scale": "0.5", "width": "0.5"},
            ["width (no such setting here)", "scale = 0.5 (choices: 1)"],
        ),
        ({"width": ["0.5", "0.75"]}, ["width = 0.5, 0.75"]),
    ],
    ids=str,
)  # fmt: skip
def test_ignored_parameters_of_a_link_are_named(query: dict[str, str | list[str]], ignored: list[str]) -> None:
    at = open_at(**query)
    for _ in range(2):
        for each in ignored:
            assert each in line(at)
        assert len(metrics(at)) == 5
        macs, top1, *others = [delta for _, delta in values(at).values()]
        assert (macs, *others) == ("as published", "", "")
        assert top1 in SOURCES.values()
        run(at)


def test_other_pages_and_back() -> None:
    """A key of the session has values of one type on every page."""
    at = open_at(width="0.5", res="128", heat="Parameters", others="true")
    for file in ("architectures", "multipliers", "memory", "multipliers", "blocks", "convolutions", "multipliers"):
        at.switch_page(f"../../pages/{file}.py")
        run(at)
    assert set(values(at)) == {"Parameters", "Multiply-adds", "Memory access", "Published top-1"}


# --- memory, tables, exercises ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", ["Paper", "Fused", "Eager"])
def test_memory_follows_the_convention(memory: str) -> None:
    at = open_at(net="MobileNetV1", width="0.5", memory=memory, unit="int8", heat="Memory access", count="FLOPs")
    now, own = report("mobilenet_v1", 0.5, memory=memory.lower()), report("mobilenet_v1", memory=memory.lower())
    assert values(at)["Memory access"] == (
        binary(now.memory_access), change(now.memory_access, own.memory_access),
    )  # fmt: skip
    share = 100 * now.memory_access / own.memory_access
    assert title(at) == f"0.5× MobileNetV1 at 224 px: {share:.3g} % of the memory access; 26.3 % of the FLOPs"


def test_the_table_has_every_cell_and_every_printed_row() -> None:
    closed = opened("multipliers", net="MobileNetV2")
    assert not any("exact counts and published figures" in entry.proto.alt for entry in closed.dataframe)
    at = opened("multipliers", width="0.6", heat="Printed top-1", part="All cells")
    found, cells = table(at), heat(at)[0]
    assert {
        (f"{width:g}", str(side)) for width, side in zip(found["Width"], found["Resolution (px)"], strict=True)
    } == set(cells)
    printed = found[found["Source"] != ""]
    assert len(printed) == sum(len(figures) for figures in PrintedCells("mobilenet_v2").figures.values())
    row = printed[(printed["Width"] == 1.4) & (printed["Published parameters (M)"] == 6.9)].iloc[0]
    counted = report("mobilenet_v2", 1.4)
    assert (row["Parameters"], row["Multiply-adds"]) == (counted.params, counted.macs)
    assert row["Memory access (elements)"] == counted.memory_access
    assert (row["Published multiply-adds (M)"], row["Published top-1 (%)"]) == (585, 74.7)
    assert "no implementation gives it" in row["Notes"]
    between = found[(found["Width"] == 0.6) & (found["Resolution (px)"] == 224)].iloc[0]
    assert between["Source"] == ""
    assert 65.4 < between["Interpolated top-1 (%)"] < 69.8


def test_the_file_is_in_the_convention() -> None:
    choice = Choice(PrintedCells("mobilenet_v1", retrained=True), 0.5, 160)
    convention = Convention("flops", "float16", "eager")
    read = pd.read_csv(io.StringIO(cell_table(choice, convention).csv()))
    counted = report("mobilenet_v1", 0.5, 160, "eager")
    row = read[(read["Width"] == 0.5) & (read["Resolution (px)"] == 160)].iloc[0]
    assert row["FLOPs"] == counted.flops
    assert row["Memory access (bytes)"] == 2 * counted.memory_access
    offered = [entry.proto.label for entry in open_at(part="Downloads").get("download_button")]
    assert offered == ["Cells as CSV", "Design as JSON"]


def test_the_exercises_know_their_answers() -> None:
    at = open_at(net="MobileNetV1", part="Try this")
    share = 100 * report("mobilenet_v1", 0.5).macs / report("mobilenet_v1").macs
    assert reveal(at, "narrow").startswith(f"{share:.1f} %.")
    share = 100 * report("mobilenet_v1", side=112).memory_access / report("mobilenet_v1").memory_access
    assert reveal(at, "access").startswith(f"{share:.1f} %.")
    at = open_at(net="ShuffleNetV1", groups="1", part="Try this")
    share = 100 * report("shufflenet_v1", side=112, groups=1).macs / report("shufflenet_v1", groups=1).macs
    assert reveal(at, "small").startswith(f"{share:.1f} %.")


def test_an_older_link_opens_the_table_of_all_cells() -> None:
    at = open_at(cells="true")
    assert at.button_group(key="part").value == "All cells"
    assert line(at) == ""
