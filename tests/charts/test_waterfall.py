"""Waterfalls: every bar starts where the one before ends, and the last one is the sum."""

from __future__ import annotations

import pytest
from chart_gallery import spec_of

from effviz import analyze, architecture
from effviz.charts.counters import Addend, counted_chart, finding, signed
from effviz.charts.style import DARK, LIGHT
from effviz.count.reconcile import reconcile

TERMS = [Addend("batch norm", 40, "4 × 10"), Addend("rounding", -5, "35 − 40")]


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_bars_join(look: object) -> None:
    made = counted_chart(("effviz", 100), TERMS, "thop", "Multiply-adds", look)  # type: ignore[arg-type]
    (bars,) = spec_of(made)["data"]
    assert bars["x"] == [100, 40, -5, 135]
    assert bars["measure"] == ["absolute", "relative", "relative", "total"]
    assert spec_of(made)["layout"]["yaxis"]["ticktext"] == ["<b>effviz</b>", "batch norm", "rounding", "<b>thop</b>"]
    assert made.title == "thop prints 35.0 % more: 40 % for batch norm and −5.0 % for rounding"
    assert made.alt.endswith("effviz 100, batch norm +40, rounding −5, thop 135.")


def test_values_are_to_the_right_of_their_bars() -> None:
    layout = spec_of(counted_chart(("effviz", 100), TERMS, "thop", "Multiply-adds", LIGHT))["layout"]
    assert [(note["x"], note["text"]) for note in layout["annotations"]] == [
        (100, "100"), (140, "+40"), (140, "−5"), (135, "135"),
    ]  # fmt: skip


def test_values_of_a_sum_below_zero() -> None:
    terms = [Addend("batch norm", -30, ""), Addend("rounding", 40, "")]
    layout = spec_of(counted_chart(("effviz", 10), terms, "torch", "FLOPs", LIGHT))["layout"]
    assert [(note["x"], note["text"]) for note in layout["annotations"]] == [
        (10, "10"), (10, "−30"), (20, "+40"), (20, "20"),
    ]  # fmt: skip


def test_findings_of_odd_sums() -> None:
    assert finding(100, [], "calflops MACs") == "calflops MACs prints the same number as effviz"
    assert finding(0, [Addend("pooling", 1500, "")], "ptflops") == "ptflops prints 1.50 k where effviz counts 0"
    double = [Addend("2 per multiply-add", 100, "")]
    assert finding(100, double, "torch") == "torch prints 2× as much: 100 % for 2 per multiply-add"
    small = [Addend("bias", 1, ""), Addend("batch norm", 2, "")]
    assert finding(10**6, small, "torchinfo") == "torchinfo prints <0.001 % more: under 0.1 % for batch norm"
    assert finding(400, [Addend("rounding", -400, "")], "torchvision") == (
        "torchvision prints 100.0 % less: −100 % for rounding"
    )
    assert (signed(-1234), signed(0)) == ("−1,234", "+0")


def test_every_counter_of_a_network() -> None:
    for each in reconcile(analyze(architecture("mobilenet_v2"))):
        terms = [Addend(term.label, term.value, term.formula) for term in each.terms]
        (bars,) = spec_of(counted_chart(("effviz", each.ours), terms, each.counter.name, "Operations", LIGHT))["data"]
        assert sum(bars["x"][:-1]) == bars["x"][-1]
        assert bars["x"][-1] == each.total
