"""Charts of the page about architecture search: valid, with the numbers in their titles, also for degenerate input."""

from __future__ import annotations

import math

import pytest

from effviz.charts.search import ChoiceBar, Cut, Dot, choice_chart, front_chart, objective_chart, share_chart
from effviz.charts.style import DARK, LIGHT, Chart
from effviz.studies.objective import Objective, TimedNetwork, constrained, hard, phones, ranked, soft

ONE = [TimedNetwork("only", "A", 70.0, 10.0, "s")]
TWINS = [TimedNetwork("first", "A", 70.0, 10.0, "s"), TimedNetwork("second", "A", 70.0, 10.0, "s", noisy=True)]


def valid(chart: Chart) -> Chart:
    assert chart.figure.data
    assert chart.json
    assert chart.alt.startswith(chart.title)
    assert not chart.title.endswith(".")
    return chart


@pytest.mark.slow
@pytest.mark.parametrize("by", [soft(-0.07, 20), soft(0, 20), hard(-1, 20), constrained(20), constrained(0.01)])
def test_the_objective(by: Objective) -> None:
    for networks in (*phones().values(), ONE, TWINS):
        order = ranked(networks, by)
        chart = valid(objective_chart(order, by, "Phone", LIGHT))
        start = f"{order[0].network.title} has the highest value: "
        if not order[0].value:
            start = "No network is within the target of "
        elif order[1:] and order[1].rank == 1:
            start = f"2 networks share the highest value, among them {order[0].network.title} with "
        assert chart.title.startswith(start)
        # Every line has one value: that of the best network, or a share of it.
        for line in [trace for trace in chart.spec["data"] if trace["mode"] == "lines"]:
            values = [by.value(top1, time) for time, top1 in zip(line["x"], line["y"], strict=True)]
            assert max(values) == pytest.approx(min(values))
            assert all(map(math.isfinite, line["y"]))


def test_the_space() -> None:
    points = [(0, 0.0), (500_000_000, 0.6), (1_000_000_000, 1.0)]
    for cut in (Cut(300_000_000, 0.24, "24.0 %"), Cut(1_000_000_000, 1.0, "100.0 %")):
        chart = valid(share_chart(points, cut, "FLOPs", DARK))
        assert chart.title.startswith(f"{cut.text} of the networks are within a budget of ")
    bars = [ChoiceBar("Kernel size", "3", 1e8), ChoiceBar("Kernel size", "5", 3e8), ChoiceBar("SE ratio", "0", 2e8)]
    chart = valid(choice_chart(bars, 2e8, "Multiply-adds", LIGHT))
    assert chart.title == "The kernel size matters most: the mean network has 100.0 M to 300.0 M multiply-adds"
    assert chart.spec["data"][0]["y"][:2] == ["All networks", "Kernel size 3"]
    assert choice_chart(bars[2:], 2e8, "Multiply-adds", LIGHT).title == "No choice changes the mean multiply-adds"


def test_the_front() -> None:
    front = [Dot(4, 1e8, 1500.0), Dot(2, 2e8, 2000.0)]
    others = [Dot(1, 4e8, 1800.0)]
    chart = valid(front_chart(front, others, 2, 300_000_000, "Multiply-adds", LIGHT))
    assert chart.title == "On the front within 300.0 M multiply-adds: 2 networks of 3"
    marks = chart.spec["data"][2]
    assert marks["customdata"] == [4, 2]
    assert marks["marker"]["color"] == [LIGHT.ink, LIGHT.accent]
    assert valid(front_chart(front[:1], [], None, 300_000_000, "FLOPs", DARK)).title.endswith(": 1 network of 1")
    assert (
        valid(front_chart([], others, None, 10, "FLOPs", DARK)).title
        == "No network is within the budget: 1 network evaluated"
    )
