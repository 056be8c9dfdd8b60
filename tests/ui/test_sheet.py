"""The printable report: its numbers are those of the report, and text from designs is text."""

from __future__ import annotations

import re
from html import unescape

import pytest

import effviz
from effviz import Design, Report, Stage
from effviz.advice.budgets import Budget, check, read_limits
from effviz.ui.sheet import LONGEST, Receipt, entries, sheet

RECEIPT = Receipt("1.2.3", "2026-01-31", "http://localhost/studio?design=abc")


def cells(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page)
    return [[unescape(each) for each in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)] for row in rows]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def long_network() -> Design:
    stages = [Stage("conv", 8, name=f"s{index}", kernel_size=3) for index in range(60)]
    head = [Stage("global_avg_pool", name="pool"), Stage("linear", 10, name="out")]
    return Design("<i>a|b_$%&", (*stages, *head))


def reports() -> list[Report]:
    names = ("mobilenet_v2", "efficientnet_b7", "densenet121", "vgg16")
    return [effviz.analyze(effviz.architecture(name), memory="eager") for name in names] + [
        effviz.analyze(long_network())
    ]


@pytest.mark.parametrize("report", reports(), ids=lambda each: each.design.name[:12])
def test_all_numbers_are_those_of_the_report(report: Report) -> None:
    budgets = [Budget("macs", report.macs), Budget("peak_activation", report.peak_activation), Budget("latency", 5.5)]
    page = sheet(report, RECEIPT, verdicts=check(report, budgets, dtype="int8"), dtype="int8", source="a preset")
    rows = {row[0]: row for row in cells(page)}
    assert number(rows["Parameters"][1]) == report.params
    assert number(rows["Memory access"][1]) == report.memory_access
    assert rows["Multiply-adds"][1:] == [f"{report.macs:,}", f"{report.macs:,}", "+0.0 %", "fits"], "the budget"
    assert [number(each) for each in rows["Network"][4:]] == [report.params, report.macs, report.memory_access]
    assert f"{report.flops:,} FLOPs" in page
    found = entries(report)
    assert len(found) <= LONGEST
    for name in ("params", "macs", "memory_access"):
        assert sum(getattr(each, name) for each in found) == getattr(report, name)
    shown = {row[0]: row for row in cells(page) if len(row) == 7}
    for each in found:
        assert [number(cell) for cell in shown[each.stage][4:]] == [each.params, each.macs, each.memory_access]
    stages = report.table.groupby("stage", sort=False)[["params", "macs", "memory_access"]].sum()
    assert [each.macs for each in found][: LONGEST - 1] == stages["macs"].tolist()[: min(len(found), LONGEST - 1)]
    assert rows["Peak activation memory"][2:] == [f"{report.peak_activation:,} bytes", "+0.0 %", "fits"]
    assert rows["Latency"][1:] == ["not measured", "5.5 ms", "", "not measured"]
    mixed = check(report, read_limits({"peak_activation": "1 MB int8", "weight_size": "9 MB"}, "float16"))
    assert "Peak activation memory in int8. Weight size in float16." in sheet(report, RECEIPT, verdicts=mixed)
    for part in ("1.2.3", "2026-01-31", RECEIPT.link, f"{report.peak_activation:,} elements", "Source: a preset"):
        assert part in page


def test_names_are_text() -> None:
    page = sheet(effviz.analyze(long_network()), RECEIPT)
    assert "<h1>&lt;i&gt;a|b_$%&amp;</h1>" in page
    assert "<i>" not in page
    assert "more stages" in page
