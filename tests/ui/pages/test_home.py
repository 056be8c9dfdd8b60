"""The home page: totals of every network, and three links into pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pandas as pd
import pytest
from page_reader import BYTES, charts, line, open_page, opened, report
from streamlit.testing.v1 import AppTest

from effviz import ARCHITECTURES
from effviz.studies.principles import PRINCIPLES
from effviz.ui.convention import COUNTS, MEMORIES, UNITS


def _home_table(at: AppTest) -> pd.DataFrame:
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
    assert any(f"{len(ARCHITECTURES)} networks" in entry.value for entry in opened("").caption)


def test_the_map_shows_the_table() -> None:
    for count in COUNTS:
        at = opened("", count=COUNTS[count])
        (spec,) = charts(at).values()
        params, compute = (trace for trace in spec["data"] if trace["mode"] == "markers")
        table = _home_table(at).set_index("Network")
        for trace, column in ((params, "Parameters"), (compute, COUNTS[count])):
            assert dict(zip(trace["y"], trace["x"], strict=True)) == table[column].to_dict()


def _ways() -> list[Any]:
    return list(opened("").get("page_link"))


def test_home_offers_three_ways() -> None:
    assert len(_ways()) == 3 + len(PRINCIPLES)


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
