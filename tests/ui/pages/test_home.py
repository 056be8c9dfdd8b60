"""The home page: totals of every network, and three links into pages."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import pytest
import torch
from page_reader import BYTES, cards, charts, component, line, open_page, opened, report, show_part, title
from streamlit.testing.v1 import AppTest

import effviz
from effviz import ARCHITECTURES
from effviz.core.units import si
from effviz.ui.convention import COUNTS, MEMORIES, UNITS


def _home_table(at: AppTest) -> pd.DataFrame:
    show_part(at, "All counts")
    assert len(at.dataframe) == 1
    table: pd.DataFrame = at.dataframe[0].value
    return table


@pytest.mark.parametrize(("count", "unit", "memory"), [("macs", "elements", "fused"), ("flops", "float32", "eager")])
def test_home_has_every_network_with_its_totals(count: str, unit: str, memory: str) -> None:
    at = opened("", count=COUNTS[count], unit=UNITS[unit], memory=MEMORIES[memory])
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
    at = show_part(opened(""), "All counts")
    assert any(f"{len(ARCHITECTURES)} networks" in entry.value for entry in at.caption)


def map_shapes(design: effviz.Design) -> list[tuple[int, ...]]:
    """Output shapes of the blocks of a network with more than one pixel, as torch computes them."""
    module, shapes = effviz.build(design).eval(), []
    blocks = [block for stage in module.children() for block in (
        stage.children() if all(name.isdigit() for name, _ in stage.named_children()) else [stage])]  # fmt: skip
    for block in blocks:
        block.register_forward_hook(lambda *args: shapes.append(tuple(args[2].shape)))
    with torch.inference_mode():
        module(torch.zeros(1, 3, design.resolution, design.resolution))
    return [shape for shape in shapes if len(shape) == 4 and shape[2] > 1]


@pytest.mark.parametrize("width", [0.25, 1.0, 1.4])
def test_the_instrument_shows_the_network_of_the_slider(width: float) -> None:
    at = open_page("", w=f"{width:g}")
    counted = report("mobilenet_v2", width_mult=width)
    shown = cards(at)
    assert shown["Multiply-adds"] == si(counted.macs)
    assert shown["Parameters"] == si(counted.params)
    assert shown["Memory access"] == si(counted.memory_access)
    drawn, outline, *strips = charts(at)["network"]["data"]
    channels = [shape[1] for shape in map_shapes(counted.design)]
    assert drawn["width"] == channels
    assert outline["width"] == [shape[1] for shape in map_shapes(report("mobilenet_v2").design)]
    assert drawn["y"] == [shape[2] for shape in map_shapes(counted.design)]
    classifier = counted.table.set_index("kind").loc[["linear"], ["macs", "params"]].sum()
    *_, last = [strip["x"] for strip in strips]
    assert last == pytest.approx([classifier["macs"] / counted.macs, classifier["params"] / counted.params])
    assert [sum(strip["x"][place] for strip in strips) for place in (0, 1)] == pytest.approx([1, 1])


def test_the_gallery_has_every_network_with_its_counts_and_accuracy() -> None:
    (gallery,) = component(show_part(opened(""), "Networks"), "gallery").values()
    by_title = {card["title"]: card for card in gallery}
    assert len(by_title) == len(ARCHITECTURES)
    for name in ARCHITECTURES:
        counted, card = report(name), by_title[title(name)]
        assert card["counts"] == [["Multiply-adds", si(counted.macs)], ["Parameters", si(counted.params)]]
        assert parse_qs(card["address"].partition("?")[2]) == {"net": [title(name)]}
    # As printed: table 2 of the EfficientNet paper, table 8 of the ShuffleNetV2 paper, torchvision's first weights.
    known = {"EfficientNet-B0": "77.1 %", "EfficientNet-B7": "84.3 %", "ShuffleNetV2": "69.4 %", "VGG-16": "71.6 %"}
    assert {name: by_title[name]["top1"] for name in known} == known
    assert all(card["top1"] and card["source"] for card in gallery)
    assert Counter(card["group"].partition(",")[0] for card in gallery if card["first"]) == {
        "Mobile": 6, "Mid-range": 6, "Large": 6,
    }  # fmt: skip


def test_the_map_shows_the_table() -> None:
    for count in COUNTS:
        at = opened("", count=COUNTS[count])
        spec = charts(show_part(at, "Parameters and compute"))["zoo"]
        params, compute = (trace for trace in spec["data"] if trace["mode"] == "markers")
        table = _home_table(at).set_index("Network")
        for trace, column in ((params, "Parameters"), (compute, COUNTS[count])):
            assert dict(zip(trace["y"], trace["x"], strict=True)) == table[column].to_dict()


def _ways() -> list[Any]:
    return list(opened("").get("page_link"))


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
    usual = {"lessons": "Lessons", "studio": "MobileNetV2"}
    assert (query.get("net") or usual[way.page.rpartition("/")[2]]) in way.label
