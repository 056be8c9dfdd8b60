"""Every page, run without a browser: it shows what the engine counts, whatever controls and links say."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import pytest
from page_reader import (
    cards,
    changes,
    charts,
    counted_cards,
    formulas,
    layers,
    layers_element,
    line,
    open_page,
    printed,
    run,
    words,
)
from streamlit.testing.v1 import AppTest

import effviz
from effviz import ARCHITECTURES, Report
from effviz.core.units import binary, change, exact, si
from effviz.count.formulas import evaluate
from effviz.count.kinds import VIEW
from effviz.ui.convention import COUNTS, MEMORIES, UNITS
from effviz.ui.navigation import PAGES, PageInfo

BYTES = {"elements": 0, "float32": 4, "float16": 2, "int8": 1}
CONVENTION_KEYS = ("count", "unit", "memory")

every_page = pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.url_path or "home")
every_architecture = pytest.mark.parametrize("name", list(ARCHITECTURES))
every_memory = pytest.mark.parametrize("memory", list(MEMORIES))


@cache
def report(name: str = "mobilenet_v2", memory: str = "fused", **options: Any) -> Report:
    return effviz.analyze(effviz.architecture(name, **options), memory=memory)


def title(name: str) -> str:
    return report(name).design.title.removesuffix(" (g = 3)")


def expected_cards(counted: Report, count: str = "macs", unit: str = "elements") -> dict[str, str]:
    def size(elements: int) -> str:
        return si(elements) if unit == "elements" else binary(elements * BYTES[unit])

    suffix = ", elements" if unit == "elements" else ""
    return {
        "Parameters": si(counted.params),
        COUNTS[count]: si(counted.macs if count == "macs" else counted.flops),
        f"Memory access{suffix}": size(counted.memory_access),
        f"Peak activations{suffix}": size(counted.peak_activation),
    }


# --- every page ---------------------------------------------------------------------------------------------------


@every_page
def test_a_page_keeps_its_frame(entry: PageInfo) -> None:
    at = open_page(entry.url_path)
    for _ in range(3):
        assert [group.key for group in at.button_group][:3] == list(CONVENTION_KEYS)
        assert [heading.value for heading in at.title] == [entry.title]
        assert at.markdown[0].value == entry.purpose
        run(at)


def test_pages_follow_one_another_in_one_visit() -> None:
    at = open_page("")
    for entry in (*PAGES, *PAGES):
        at.switch_page(f"../../pages/{entry.file}")
        run(at)
        assert [heading.value for heading in at.title] == [entry.title]
        assert [group.key for group in at.button_group][:3] == list(CONVENTION_KEYS)


@every_page
def test_the_convention_survives_the_pages(entry: PageInfo) -> None:
    at = open_page("")
    for key, value in (("count", "flops"), ("unit", "int8"), ("memory", "eager")):
        at.button_group(key=key).set_value(value)
    run(at)
    at.switch_page(f"../../pages/{entry.file}")
    run(at)
    assert [at.button_group(key=key).value for key in CONVENTION_KEYS] == ["flops", "int8", "eager"]


@every_page
def test_the_convention_of_a_link_is_taken(entry: PageInfo) -> None:
    at = open_page(entry.url_path, count="FLOPs", unit="float16", memory="Paper")
    assert [at.button_group(key=key).value for key in CONVENTION_KEYS] == ["flops", "float16", "paper"]
    assert line(at) == ""


@every_page
def test_charts_and_tables_have_alt_text(entry: PageInfo) -> None:
    at = open_page(entry.url_path)
    drawn = [*at.get("plotly_chart"), *at.dataframe]
    assert drawn
    assert [element.key for element in drawn if len(element.proto.alt) < 20] == []


@every_page
def test_the_convention_stands_on_the_page(entry: PageInfo) -> None:
    for query, phrase in (
        ({}, "Multiply-adds: fused multiply-adds of convolution and linear layers"),
        ({"count": "FLOPs"}, "FLOPs: 2 x multiply-adds"),
        ({"unit": "int8"}, "1 byte per element"),
        ({"memory": "Eager"}, "every operation as PyTorch runs it"),
        ({"memory": "Paper"}, "ShuffleNetV2, eq. 1"),
    ):
        assert any(phrase in entry.value for entry in open_page(entry.url_path, **query).caption), phrase


FORBIDDEN = re.compile(r"\b(simply|just|obviously)\b", re.IGNORECASE)


@every_page
def test_no_word_belittles_the_reader(entry: PageInfo) -> None:
    for text in words(open_page(entry.url_path)):
        assert not FORBIDDEN.search(text), text


@every_page
@pytest.mark.parametrize("count", COUNTS.values())
def test_one_name_for_the_compute_number(entry: PageInfo, count: str) -> None:
    at = open_page(entry.url_path, count=count)
    everything = "\n".join(words(at))
    assert count in everything
    assert "flops" not in everything
    other = next(name for name in COUNTS.values() if name != count)
    assert not [metric.label for metric in at.metric if other in metric.label]
    for table in at.dataframe:
        if "printed figures" not in table.proto.alt:
            assert other not in table.value.columns


# --- home ---------------------------------------------------------------------------------------------------------


def _home_table(at: AppTest) -> pd.DataFrame:
    assert len(at.dataframe) == 1
    table: pd.DataFrame = at.dataframe[0].value
    return table


@pytest.mark.parametrize(("count", "unit", "memory"), [("macs", "elements", "fused"), ("flops", "float32", "eager")])
def test_home_has_every_network_with_its_totals(count: str, unit: str, memory: str) -> None:
    at = open_page("", count=COUNTS[count], unit=UNITS[unit], memory=MEMORIES[memory])
    table = _home_table(at)
    assert len(table) == len(ARCHITECTURES)
    word, factor = ("elements", 1) if unit == "elements" else ("bytes", BYTES[unit])
    for name in ARCHITECTURES:
        counted = report(name, memory)
        row = table[table["Network"] == counted.design.title].iloc[0]
        assert row["Resolution (px)"] == counted.resolution
        assert row["Parameters"] == counted.params
        assert row[COUNTS[count]] == (counted.flops if count == "flops" else counted.macs)
        assert row[f"Memory access ({word})"] == factor * counted.memory_access
        assert row[f"Peak activations ({word})"] == factor * counted.peak_activation
        assert row["Source"] == counted.design.source


def test_home_counts_its_networks() -> None:
    assert any(f"{len(ARCHITECTURES)} networks" in entry.value for entry in open_page("").caption)


def test_the_map_shows_the_table() -> None:
    for count in COUNTS:
        at = open_page("", count=COUNTS[count])
        (spec,) = charts(at).values()
        params, compute = (trace for trace in spec["data"] if trace["mode"] == "markers")
        table = _home_table(at).set_index("Network")
        for trace, column in ((params, "Parameters"), (compute, COUNTS[count])):
            assert dict(zip(trace["y"], trace["x"], strict=True)) == table[column].to_dict()


def _ways() -> list[Any]:
    return list(open_page("").get("page_link"))


def test_home_offers_three_ways() -> None:
    assert len(_ways()) == 3


@pytest.mark.parametrize("index", range(3))
def test_each_way_leads_to_what_it_says(index: int) -> None:
    way = _ways()[index].proto
    query = {key: values[0] for key, values in parse_qs(way.query_string).items()}
    at = open_page(way.page.rpartition("/")[2], **query)
    assert line(at) == "", "every setting of the link is taken"
    for key, value in query.items():
        widget = {entry.key: entry for entry in (*at.selectbox, *at.number_input, *at.button_group)}[key]
        shown = (
            widget.options[widget.index] if hasattr(widget, "options") and hasattr(widget, "index") else widget.value
        )
        assert str(shown) == value or float(shown) == float(value)
    usual = {"scaling": "EfficientNet-B0", "studio": "MobileNetV2"}
    assert (query.get("net") or usual[way.page.rpartition("/")[2]]) in way.label


def test_efficientnet_b0_scaled_like_b3_is_b3() -> None:
    at = open_page(net="EfficientNet-B0", width="1.2", depth="1.4", res="300")
    assert cards(at) == expected_cards(report("efficientnet_b3"))


# --- architectures: every network ---------------------------------------------------------------------------------


def test_the_drop_down_has_every_network() -> None:
    assert open_page().selectbox(key="net").options == [title(name) for name in ARCHITECTURES]


@every_architecture
def test_every_network_loads_with_the_engines_numbers(name: str) -> None:
    at = open_page(net=title(name))
    counted = report(name)
    assert cards(at) == expected_cards(counted)
    assert changes(at) == ["as published"] * 4
    assert line(at) == ""
    for metric, number in zip(
        counted_cards(at), (counted.params, counted.macs, counted.memory_access, counted.peak_activation), strict=True
    ):
        assert metric.help.startswith(exact(number)), "the exact number on hover"
    _check_charts(at, counted, 1, 1)
    _check_layers(at, counted, 1, 1)
    assert not [text for text in words(at) if FORBIDDEN.search(text)]
    assert any(counted.design.source in entry.value for entry in at.caption)
    for note in counted.design.notes:
        assert any(note in entry.value for entry in at.markdown)


@every_architecture
def test_choosing_a_network_is_the_same_as_its_link(name: str) -> None:
    at = open_page(net=title(next(other for other in ARCHITECTURES if other != name)))
    at.selectbox(key="net").set_value(name)
    run(at)
    assert cards(at) == expected_cards(report(name))


def _check_charts(at: AppTest, counted: Report, compute: int, size: int) -> None:
    drawn = charts(at)
    assert list(drawn) == ["stages", "kinds", "timeline"]
    sums: dict[str, float] = defaultdict(float)
    for trace in drawn["stages"]["data"]:
        sums[trace["yaxis"]] += sum(trace["y"])
    assert list(sums.values()) == [counted.params, compute * counted.macs, size * counted.memory_access]
    shares: dict[str, float] = defaultdict(float)
    for trace in drawn["kinds"]["data"]:
        for label, share in zip(trace["y"], trace["x"], strict=True):
            shares[label] += share
    assert list(shares.values()) == pytest.approx([1, 1, 1])
    assert max(drawn["timeline"]["data"][0]["y"]) == size * counted.peak_activation


def _check_layers(at: AppTest, counted: Report, compute: int, size: int) -> None:
    table, own = layers(at), counted.table[counted.table["kind"] != VIEW]
    word = "elements" if at.button_group(key="unit").value == "elements" else "bytes"
    label = COUNTS[at.button_group(key="count").value]
    assert table["Path"].tolist() == own["path"].tolist()
    for column, numbers in (
        ("Parameters", own["params"]),
        (label, own["macs"] * compute),
        (f"Memory access ({word})", own["memory_access"] * size),
        (f"Alive ({word})", own["alive"] * size),
    ):
        assert table[column].tolist() == numbers.tolist(), column
    assert table["Parameters"].sum() == counted.params
    assert table[label].sum() == compute * counted.macs
    assert table[f"Memory access ({word})"].sum() == size * counted.memory_access
    assert table[f"Alive ({word})"].max() == size * counted.peak_activation
    sums = f"{exact(counted.params)} parameters, {exact(compute * counted.macs)} {label}"
    assert any(sums in entry.value for entry in at.caption)


# --- architectures: every control ---------------------------------------------------------------------------------

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("mobilenet_v2", {"width": 0.5}),
    ("mobilenet_v2", {"width": 0.1}),
    ("mobilenet_v2", {"width": 4.0}),
    ("mobilenet_v2", {"width": 0.33}),
    ("mobilenet_v2", {"depth": 0.1}),
    ("mobilenet_v2", {"depth": 2.2}),
    ("mobilenet_v2", {"depth": 8.0}),
    ("mobilenet_v2", {"res": 96}),
    ("mobilenet_v2", {"res": 1}),
    ("mobilenet_v2", {"res": 2048}),
    ("mobilenet_v2", {"classes": 10}),
    ("mobilenet_v2", {"classes": 1}),
    ("mobilenet_v2", {"width": 1.4, "depth": 1.5, "res": 260, "classes": 21_843}),
    ("efficientnet_b7", {"width": 4.0, "depth": 8.0, "res": 2048, "classes": 100_000}),
    ("densenet121", {"width": 4.0, "depth": 8.0, "res": 2048, "classes": 100_000}),
    ("alexnet", {"width": 0.1, "depth": 0.1, "res": 63, "classes": 1}),
    ("resnext50_32x4d", {"width": 0.1, "depth": 0.1, "res": 1, "classes": 1}),
    ("shufflenet_v2", {"width": 0.75, "depth": 0.5}),
    ("vgg16", {"classes": 1001}),
]
OPTIONS = {"width": "width_mult", "depth": "depth_mult", "res": "resolution", "classes": "num_classes"}
by_setting = pytest.mark.parametrize(
    ("name", "controls"),
    SETTINGS,
    ids=[f"{name}-{'-'.join(f'{key}{value:g}' for key, value in controls.items())}" for name, controls in SETTINGS],
)


def _counted(name: str, controls: dict[str, Any], **options: Any) -> Report:
    return report(name, **options, **{OPTIONS[key]: value for key, value in controls.items()})


def _expected_changes(counted: Report, base: Report) -> list[str]:
    return [
        change(getattr(counted, number), getattr(base, number))
        for number in ("params", "macs", "memory_access", "peak_activation")
    ]


@by_setting
def test_controls_show_what_the_engine_counts(name: str, controls: dict[str, Any]) -> None:
    at = open_page(net=title(name))
    for key, value in controls.items():
        at.number_input(key=key).set_value(value)
    run(at)
    counted = _counted(name, controls)
    assert cards(at) == expected_cards(counted)
    assert changes(at) == _expected_changes(counted, report(name))
    _check_charts(at, counted, 1, 1)
    _check_layers(at, counted, 1, 1)


@by_setting
def test_a_link_shows_the_same_as_the_controls(name: str, controls: dict[str, Any]) -> None:
    at = open_page(net=title(name), **{key: f"{value:g}" for key, value in controls.items()})
    assert cards(at) == expected_cards(_counted(name, controls))
    assert line(at) == ""
    for key, value in controls.items():
        assert at.number_input(key=key).value == pytest.approx(value)


@pytest.mark.parametrize(("key", "value"), [("width", 0.5), ("depth", 1.5), ("res", 128)])
def test_sliders_do_what_their_inputs_do(key: str, value: float) -> None:
    at = open_page()
    at.slider(key=f"{key}_slider").set_value(value)
    run(at)
    assert at.number_input(key=key).value == value
    assert cards(at) == expected_cards(_counted("mobilenet_v2", {key: value}))
    assert at.query_params == {key: f"{value:g}"}


@pytest.mark.parametrize(("key", "value"), [("width", 1.25), ("depth", 0.5), ("res", 320), ("classes", 12)])
def test_each_control_changes_its_own_number_only(key: str, value: float) -> None:
    at = open_page()
    at.number_input(key=key).set_value(value)
    run(at)
    others = {"width": 1.0, "depth": 1.0, "res": 224, "classes": 1000}
    del others[key]
    assert {other: at.number_input(key=other).value for other in others} == others


@every_architecture
def test_every_reachable_width_can_be_built(name: str) -> None:
    at = open_page(net=title(name))
    widths = [entry for entry in at.number_input if entry.key == "width"]
    if not widths:
        assert name == "shufflenet_v1", "widths of others are a number"
        return
    low, high = widths[0].min, widths[0].max
    sides = at.number_input(key="res")
    for width in (low, low + 0.01, low + 0.05, high):
        for depth in (at.number_input(key="depth").min, at.number_input(key="depth").max):
            for side in (int(sides.min), int(sides.max)):
                # Legal values only: no DesignError.
                report(name, width_mult=round(width, 2), depth_mult=depth, resolution=side)


@every_architecture
def test_the_smallest_resolution_is_the_smallest(name: str) -> None:
    smallest = int(open_page(net=title(name)).number_input(key="res").min)
    at = open_page(net=title(name), res=str(smallest))
    assert cards(at) == expected_cards(report(name, resolution=smallest))
    if smallest > 1:
        with pytest.raises(effviz.DesignError):
            report(name, resolution=smallest - 1)


def test_alexnet_needs_63_pixels() -> None:
    at = open_page(net="AlexNet", res="62")
    assert at.number_input(key="res").min == 63
    assert line(at) == "Ignored in the link: res = 62 (63 to 2048)."
    assert cards(at) == expected_cards(report("alexnet"))


@pytest.mark.parametrize("key", ["width", "depth", "res", "classes"])
def test_an_emptied_input_means_the_default(key: str) -> None:
    at = open_page(**{key: "2"})
    at.number_input(key=key).set_value(None)
    run(at)
    assert cards(at) == expected_cards(report())


# --- ShuffleNetV1: groups and published scales ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "scales"),
    [(1, ["1"]), (2, ["1"]), (3, ["0.5", "1", "1.5", "2"]), (4, ["1"]), (8, ["0.5", "1", "1.5", "2"])],
)
def test_shufflenet_v1_has_groups_and_published_scales(groups: int, scales: list[str]) -> None:
    at = open_page(net="ShuffleNetV1")
    at.button_group(key="groups").set_value(str(groups))
    run(at)
    assert at.button_group(key="scale").options == scales
    for scale in scales:
        at.button_group(key="scale").set_value(scale)
        run(at)
        counted = report("shufflenet_v1", groups=groups, width_mult=float(scale))
        assert cards(at) == expected_cards(counted), (groups, scale)
        base = report("shufflenet_v1", groups=groups)
        expected = ["as published"] * 4 if scale == "1" else _expected_changes(counted, base)
        assert changes(at) == expected, "unscaled means the same groups"


def test_a_scale_that_the_new_groups_lack_is_let_go() -> None:
    at = open_page(net="ShuffleNetV1", groups="3", scale="2")
    at.button_group(key="groups").set_value("4")
    run(at)
    assert at.button_group(key="scale").value == "1"
    assert cards(at) == expected_cards(report("shufflenet_v1", groups=4))


def test_shufflenet_v1_by_link() -> None:
    at = open_page(net="ShuffleNetV1", groups="8", scale="1.5", depth="2", res="160", classes="10")
    counted = report("shufflenet_v1", groups=8, width_mult=1.5, depth_mult=2.0, resolution=160, num_classes=10)
    assert cards(at) == expected_cards(counted)
    assert line(at) == ""


# --- from one network to the next -------------------------------------------------------------------------------------


def test_another_network_starts_unscaled() -> None:
    at = open_page(net="MobileNetV2", width="0.5", depth="2", res="96", classes="10", find="conv", layer="stem.conv")
    at.selectbox(key="net").set_value("efficientnet_b7")
    run(at)
    assert cards(at) == expected_cards(report("efficientnet_b7"))
    assert changes(at) == ["as published"] * 4
    values = {key: at.number_input(key=key).value for key in ("width", "depth", "res", "classes")}
    assert values == {"width": 1.0, "depth": 1.0, "res": 600, "classes": 1000}
    assert at.text_input(key="find").value == ""
    assert len(layers(at)) == (report("efficientnet_b7").table["kind"] != VIEW).sum()
    assert at.query_params.get("net") in (None, "EfficientNet-B7")
    assert not set(at.query_params) & {"width", "depth", "res", "classes", "find", "layer"}


def test_to_shufflenet_v1_and_back() -> None:
    at = open_page(net="MobileNetV2", width="0.5")
    at.selectbox(key="net").set_value("shufflenet_v1")
    run(at)
    assert cards(at) == expected_cards(report("shufflenet_v1"))
    at.button_group(key="groups").set_value("8")
    at.button_group(key="scale").set_value("0.5")
    run(at)
    at.selectbox(key="net").set_value("mobilenet_v2")
    run(at)
    assert cards(at) == expected_cards(report())
    at.selectbox(key="net").set_value("shufflenet_v1")
    run(at)
    assert cards(at) == expected_cards(report("shufflenet_v1"))


def test_the_convention_stays_when_the_network_changes() -> None:
    at = open_page(count="FLOPs", unit="int8", memory="Paper")
    at.selectbox(key="net").set_value("vgg16")
    run(at)
    assert cards(at) == expected_cards(report("vgg16", "paper"), "flops", "int8")


# --- the convention ---------------------------------------------------------------------------------------------------


@every_memory
@pytest.mark.parametrize("unit", list(UNITS))
@pytest.mark.parametrize("count", list(COUNTS))
def test_the_convention_rules_every_number(count: str, unit: str, memory: str) -> None:
    at = open_page(net="MobileNetV3-Small")
    for key, value in (("count", count), ("unit", unit), ("memory", memory)):
        at.button_group(key=key).set_value(value)
    run(at)
    counted = report("mobilenet_v3_small", memory)
    compute, size = 2 if count == "flops" else 1, BYTES[unit] or 1
    assert cards(at) == expected_cards(counted, count, unit)
    _check_charts(at, counted, compute, size)
    _check_layers(at, counted, compute, size)
    _check_formulas(at, counted, "macs")


def _check_formulas(at: AppTest, counted: Report, heaviest: str) -> None:
    """The formulas of the chosen layer give the values of its row in the table on the page."""
    path = at.selectbox(key="layer").value
    row = layers(at).set_index("Path").loc[path]
    count, unit = at.button_group(key="count").value, at.button_group(key="unit").value
    word = "elements" if unit == "elements" else "bytes"
    shown = formulas(at)
    assert list(shown) == ["Parameters", COUNTS[count], "Memory access cost"]
    for label, value in (
        ("Parameters", exact(row["Parameters"])),
        (COUNTS[count], exact(row[COUNTS[count]])),
        ("Memory access cost", f"{exact(row[f'Memory access ({word})'])} {word}"),
    ):
        symbols, numbers, result = shown[label]
        assert result == value, label
        factor, inner = re.fullmatch(r"(?:(\d) × \()?(.*?)\)?", numbers).groups() if "(" in numbers else (None, numbers)  # type: ignore[union-attr]
        assert int(factor or 1) * evaluate(inner) == int(value.split()[0].replace(",", "")), numbers
        assert symbols.startswith(f"{factor} × (") == bool(factor), "symbols and numbers tell the same factor"


# --- layers, search, formula --------------------------------------------------------------------------------------


def test_the_heaviest_layer_is_explained_first() -> None:
    for name in ("mobilenet_v2", "vgg16", "shufflenet_v1"):
        at = open_page(net=title(name))
        table = report(name).table
        assert at.selectbox(key="layer").value == table.loc[table["macs"].idxmax(), "path"]


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "densenet121", "shufflenet_v1"])
def test_any_layer_can_be_explained(name: str) -> None:
    table = report(name).table
    at = open_page(net=title(name))
    paths = table[table["kind"] != VIEW].drop_duplicates("kind")["path"].tolist()
    assert at.selectbox(key="layer").options == table[table["kind"] != VIEW]["path"].tolist()
    for path in (*paths, at.selectbox(key="layer").options[-1]):
        at.selectbox(key="layer").set_value(path)
        run(at)
        assert at.selectbox(key="layer").value == path
        _check_formulas(at, report(name), path)


def test_a_layer_by_link() -> None:
    at = open_page(layer="classifier.linear", count="FLOPs", unit="float32")
    shown = formulas(at)
    assert shown["Parameters"] == (
        "in\\_features × out\\_features + out\\_features", "1,280 × 1,000 + 1,000", "1,281,000",
    )  # fmt: skip
    assert shown["FLOPs"] == ("2 × (in\\_features × out\\_features)", "2 × (1,280 × 1,000)", "2,560,000")
    access = 1280 + 1_281_000 + 1000
    assert shown["Memory access cost"][2] == f"{exact(4 * access)} bytes"


def test_a_layer_that_is_gone_gives_way_to_the_heaviest() -> None:
    at = open_page(layer="stage6.2.project.conv")
    assert at.selectbox(key="layer").value == "stage6.2.project.conv"
    at.number_input(key="depth").set_value(0.25)
    run(at)
    table = report(depth_mult=0.25).table
    assert "stage6.2.project.conv" not in set(table["path"])
    assert at.selectbox(key="layer").value == table.loc[table["macs"].idxmax(), "path"]
    assert line(at) == ""


def test_a_chosen_layer_stays_chosen() -> None:
    at = open_page(layer="stage4.1.depthwise.conv")
    before = formulas(at)
    at.number_input(key="width").set_value(0.5)
    run(at)
    assert at.selectbox(key="layer").value == "stage4.1.depthwise.conv"
    assert formulas(at) != before
    _check_formulas(at, report(width_mult=0.5), "")


@pytest.mark.parametrize(
    "find", ["depthwise", "DEPTHWISE", "stage4", "BatchNorm2d", "InvertedResidual", "pointwise 1x1", "4.1.d", "nothing"]
)
def test_the_search_filters_by_path_block_layer_and_kind(find: str) -> None:
    table = report().table
    table = table[table["kind"] != VIEW]
    expected = [
        row.path
        for row in table.itertuples()
        if any(find.lower() in word.lower() for word in (row.path, row.block, row.layer, row.kind))
    ]
    at = open_page()
    at.text_input(key="find").set_value(find)
    run(at)
    assert layers(at)["Path"].tolist() == expected
    assert any(entry.value.startswith(f"{len(expected)} of {len(table)} layers") for entry in at.caption)
    assert f"{len(expected)} of {len(table)}" in layers_element(at).proto.alt
    assert open_page(find=find).text_input(key="find").value == find


@pytest.mark.parametrize("find", [".*", "[", "(", "\\", "a|b", "^stem", "conv$", "*", "?", "{2}", "%", "'\"", "<b>"])
def test_the_search_takes_text_and_not_patterns(find: str) -> None:
    at = open_page(find=find)
    assert layers(at).empty
    assert line(at) == ""


def test_the_search_leaves_the_totals_alone() -> None:
    at = open_page(find="depthwise")
    assert cards(at) == expected_cards(report())
    assert any(exact(report().params) in entry.value for entry in at.caption)


# --- published figures --------------------------------------------------------------------------------------------


@every_architecture
def test_printed_figures_have_a_source_and_a_difference(name: str) -> None:
    table = printed(open_page(net=title(name)))
    assert table is not None
    assert len(table)
    assert (table["Source"].str.len() > 5).all()
    counted = report(name)
    for _, row in table.iterrows():
        for column, against, number in (
            ("Parameters", "vs exact", counted.params),
            ("Multiply-adds", "vs exact ", counted.macs),
        ):
            assert bool(row[column]) == bool(row[against])
            if not row[column]:
                continue
            figure = float(row[column].removesuffix(" M").replace(",", "")) * 1e6
            if row[against] == "rounded":
                assert figure == pytest.approx(number, rel=0.25)
            else:
                assert row[against] == change(figure, number)
                if abs(figure / number - 1) > 0.2:
                    assert row["What to know"], "a figure that far off has an explanation"


def test_printed_figures_follow_the_controls() -> None:
    here = printed(open_page(net="MobileNetV1", width="0.5", res="160"))
    assert here is not None
    assert here["Printed as"].str.contains("0.5").any()
    assert not here["Printed as"].str.contains("0.75").any()
    assert printed(open_page(net="ShuffleNetV1", groups="8")) is not None


def test_no_printed_figures_where_none_were_printed() -> None:
    at = open_page(net="MobileNetV2", width="0.33")
    assert printed(at) is None
    assert any("No printed figures" in entry.value for entry in at.markdown)


def test_printed_figures_are_of_a_thousand_classes() -> None:
    """Ten classes against a figure for a thousand is a difference that nobody made."""
    at = open_page(net="MobileNetV2", classes="10")
    table = printed(at)
    compared = table is not None and (table["vs exact"] != "").any()
    said = any(re.search(r"1[, ]?000 classes", text) for text in words(at))
    assert not compared or said


# --- exercises ------------------------------------------------------------------------------------------------------


def _reveal(at: AppTest, key: str, guess: float) -> str:
    if not at.button(key=f"{key}_reveal").disabled:
        at.button(key=f"{key}_reveal").click()
        run(at)
        assert not [entry for entry in at.markdown if "your guess" in entry.value], "first a guess"
    at.number_input(key=f"{key}_guess").set_value(guess)
    run(at)
    before = {entry.value for entry in at.markdown}
    at.button(key=f"{key}_reveal").click()
    run(at)
    new = [entry.value for entry in at.markdown if entry.value not in before]
    assert len(new) == 1
    return new[0]


@pytest.mark.parametrize(
    ("name", "controls"),
    [("mobilenet_v2", {}), ("vgg16", {}), ("efficientnet_b0", {"res": 300, "width": 1.2}), ("alexnet", {"res": 225})],
)
def test_the_answers_are_computed(name: str, controls: dict[str, Any]) -> None:
    query = {key: f"{value:g}" for key, value in controls.items()}
    counted = _counted(name, controls)
    half = _counted(name, controls | {"res": counted.resolution // 2})
    share = f"{100 * half.macs / counted.macs:.1f} %"
    at = open_page(net=title(name), **query)
    assert any(f"from {counted.resolution} to {half.resolution} px" in entry.value for entry in at.markdown)
    assert not any(share in entry.value for entry in at.markdown), "not before it is asked for"
    assert _reveal(at, "half", 50.0).startswith(f"**{share}** (your guess: 50.0 %)")
    wide = effviz.analyze(counted.design.scaled(width_mult=2))
    answer = _reveal(open_page(net=title(name), **query), "double", 2.0)
    assert answer.startswith(f"**x{wide.macs / counted.macs:.2f}** (your guess: x2.00)")


def test_a_right_guess_is_acknowledged() -> None:
    half = report(resolution=112).macs / report().macs * 100
    assert "Correct." in _reveal(open_page(), "half", round(half, 1))
    assert "Off by" in _reveal(open_page(), "half", 99.0)


@pytest.mark.parametrize("name", ["alexnet", "mobilenet_v2"])
def test_no_question_without_a_change(name: str) -> None:
    smallest = int(open_page(net=title(name)).number_input(key="res").min)
    for text in (entry.value for entry in open_page(net=title(name), res=str(smallest)).markdown):
        asked = re.search(r"resolution goes from (\d+) to (\d+) px", text)
        assert asked is None or asked[1] != asked[2], text


def test_no_doubling_where_no_such_width_was_published() -> None:
    at = open_page(net="ShuffleNetV1", scale="1.5")
    assert "double_guess" not in {entry.key for entry in at.number_input}
    at = open_page(net="ShuffleNetV1", scale="1")
    assert "double_guess" in {entry.key for entry in at.number_input}


# --- hostile links ----------------------------------------------------------------------------------------------------

LONG = "x" * 10_000
HOSTILE: dict[str, dict[str, str | list[str]]] = {
    "script": {"net": "<script>alert(1)</script>"},
    "internal name": {"net": "mobilenet_v2"},
    "empty name": {"net": ""},
    "two names": {"net": ["AlexNet", "VGG-16"]},
    "nan": {"width": "nan"},
    "infinite width": {"width": "inf"},
    "negative": {"width": "-1"},
    "huge": {"width": "1e9"},
    "zero width": {"width": "0"},
    "two widths": {"width": ["0.5", "0.75"]},
    "word": {"depth": "deep"},
    "overflow": {"depth": "1e400"},
    "zero pixels": {"res": "0"},
    "half a pixel": {"res": "7.5"},
    "infinite pixels": {"res": "inf"},
    "nan pixels": {"res": "nan"},
    "endless pixels": {"res": "9" * 400},
    "no classes": {"classes": "0"},
    "half a class": {"classes": "10.5"},
    "infinite classes": {"classes": "1e400"},
    "another case": {"count": "MACS"},
    "empty switch": {"count": ""},
    "two units": {"unit": ["float32", "int8"]},
    "no memory": {"memory": "none"},
    "nonsense layer": {"layer": "nonsense"},
    "two layers": {"layer": ["stem.conv", "classifier.linear"]},
    "long value": {"net": LONG},
    "long number": {"width": "9" * 10_000},
    "long key": {LONG: "1"},
    "unicode": {"net": "ünïcødé \u202e ☃ 🦊"},
    "null": {"net": "a\x00b"},
    "unknown key": {"nonsense": "1"},
    "inner state": {"_link_asked": "1"},
    "slider": {"width_slider": "0.5"},
    "guess": {"half_guess": "3"},
    "markdown": {"net": "**b** [x](javascript:alert(1)) ![y](https://example.org/y.png)"},
    "html": {"<img src=x onerror=alert(1)>": "1"},
    "control of another network": {"groups": "3"},
    "scale of other groups": {"net": "ShuffleNetV1", "groups": "4", "scale": "0.5"},
    "width of a network without": {"net": "ShuffleNetV1", "width": "0.5"},
    "too small for the network": {"net": "AlexNet", "res": "62"},
}
LEGAL = {"AlexNet": "alexnet", "ShuffleNetV1": "shufflenet_v1"}


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_link_shows_the_default_and_says_so(query: dict[str, str | list[str]]) -> None:
    at = open_page(**query)
    net, groups = query.get("net"), query.get("groups")
    known = LEGAL.get(net, "mobilenet_v2") if isinstance(net, str) else "mobilenet_v2"
    options = {"groups": int(groups)} if known == "shufflenet_v1" and isinstance(groups, str) else {}
    assert cards(at) == expected_cards(report(known, **options))
    assert changes(at) == ["as published"] * 4
    key, value = list(query.items())[-1]
    said = line(at)
    assert said.startswith("Ignored in the link: ")
    assert key[:30] in said
    if key in ("net", "width", "depth", "res", "classes", "count", "unit", "memory", "layer", "scale"):
        asked = ", ".join(value) if isinstance(value, list) else value
        assert asked[:30] in said or "no such setting here" in said
    assert len(said) < 300
    assert said.count("\n") == 0
    run(at)
    assert line(at) == said


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_link_does_not_hurt_home(query: dict[str, str | list[str]]) -> None:
    at = open_page("", **query)
    assert len(_home_table(at)) == len(ARCHITECTURES)
    assert line(at).startswith("Ignored in the link: ")


def test_many_bad_values_at_once() -> None:
    at = open_page(net="x", width="nan", depth="0", res="-5", classes="x", count="x", unit="x", memory="x", layer="x")
    assert cards(at) == expected_cards(report())
    for key in ("net", "width", "depth", "res", "classes", "count", "unit", "memory"):
        assert f"{key} = " in line(at)


def test_a_bad_value_does_not_spoil_the_good_ones() -> None:
    at = open_page(net="MobileNetV1", width="0.5", res="9999", classes="10")
    assert cards(at) == expected_cards(report("mobilenet_v1", width_mult=0.5, num_classes=10))
    assert line(at) == "Ignored in the link: res = 9999 (1 to 2048)."


def test_the_line_goes_with_the_page() -> None:
    at = open_page(nonsense="1")
    assert line(at)
    at.switch_page("../../pages/home.py")
    run(at)
    assert line(at) == ""
    at.switch_page("../../pages/architectures.py")
    run(at)
    assert line(at) == ""


def test_embedding_is_no_setting_of_a_page() -> None:
    assert line(open_page(embed="true")) == ""


# --- downloads ------------------------------------------------------------------------------------------------------


def test_downloads_are_there() -> None:
    at = open_page()
    offered = [entry.proto.label for entry in at.get("download_button")]
    assert [label for label in offered if label != "Diagram as DOT"] == ["Layers as CSV", "Design as JSON"]
