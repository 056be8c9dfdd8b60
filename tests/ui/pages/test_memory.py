"""The page about memory access shows the counts of the engine and the measurements of this machine."""

from __future__ import annotations

import html
import io
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from latex import shown
from page_reader import (
    charts,
    component,
    headings,
    line,
    metrics,
    open_page,
    opened,
    questions,
    reveal,
    run,
    show_part,
    table,
)
from streamlit.testing.v1 import AppTest

import effviz
from effviz.charts.style import LIGHT
from effviz.core.units import binary, change, percent, si
from effviz.measure import background as zoo_run
from effviz.measure import latency as latencies
from effviz.measure.latency import Latency, cached, environment, remember
from effviz.studies.guideline_shapes import Shape, compare
from effviz.studies.guidelines.access import (
    DEVICES,
    FRAGMENT_COUNTS,
    GROUP_COUNTS,
    GUIDELINES,
    SCALES,
    VARIANTS,
    least_access,
)
from effviz.studies.guidelines.experiments import Case, column, printed_speed
from effviz.studies.guidelines.theory import (
    Point,
    elementwise_point,
    fragments_point,
    groups_point,
    intensities,
    ratio_curve,
    ratio_point,
)
from effviz.ui.convention import Convention
from effviz.ui.page_parts.memory import experiment as experiments
from effviz.ui.page_parts.memory.controls import Options
from effviz.ui.page_parts.memory.intensity import intensity_table
from effviz.ui.page_parts.memory.theory import curve_chart, theory_table
from effviz.worker.limits import usable_cores
from effviz.worker.manager import default_manager

WAIT_S = 90.0
every_guideline = pytest.mark.parametrize("guideline", list(GUIDELINES))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start without known latencies, and leave none behind."""
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latencies._remembered.clear()
    yield
    zoo_run.guideline_run().pause()
    latencies._remembered.clear()


def fill(cases: list[Case], times: list[float], noisy: int = 0, threads: int = 1) -> dict[str, float]:
    """Remember latencies as if measured before; return them by label."""
    for position, (case, median) in enumerate(zip(cases, times, strict=True)):
        spread = 0.5 * median if position < noisy else 0.01 * median
        found = Latency(
            median_ms=median, p90_ms=median + spread, iqr_ms=spread, min_ms=median - spread / 2, runs=50, loaded=False,
            batch_size=1, threads=threads, resolution=56, environment=environment(threads),
            measured_at="2026-01-02T03:04:05+00:00",
        )  # fmt: skip
        remember(case.design, found)
    return {case.label: median for case, median in zip(cases, times, strict=True)}


def values(at: AppTest) -> dict[str, tuple[str, str]]:
    """The headline numbers: the number and the line below it, which may name a baseline."""
    return {metric.label: (metric.value, metric.delta) for metric in metrics(at)}


def bar(at: AppTest) -> str:
    (text,) = (entry.proto.body for entry in at.html if 'class="latency"' in entry.proto.body)
    return html.unescape(re.sub(r"<[^>]*>", "", text)).strip()


def formulas(at: AppTest) -> dict[str, int]:
    """Read the results of the formulas, by quantity."""
    found = [each for entry in at.markdown for each in shown(entry.value)]
    values = {each.name: each.value.partition(" ")[::2] for each in found}
    return {name: int(value.replace(",", "")) for name, (value, unit) in values.items() if unit == "elements"}


def until(at: AppTest, condition: Callable[[AppTest], Any]) -> AppTest:
    limit = time.monotonic() + WAIT_S
    while not condition(at):
        assert time.monotonic() < limit, [entry.proto.body for entry in at.html]
        time.sleep(0.1)
        run(at)
    return at


def open_at(**query: str) -> AppTest:
    return open_page("memory", **query)


def options(guideline: str = "G1", device: str = "ARM", scale: str = "x1", **shape: Any) -> Options:
    return Options(Shape(guideline, **shape), device, scale)


# --- theory -----------------------------------------------------------------------------------------------------------

SHAPES: list[tuple[dict[str, str], Point, Point]] = [
    ({}, ratio_point(64, 6), ratio_point(64, 1)),
    ({"ratio": "12", "c": "128", "res": "28"}, ratio_point(128, 12, 28), ratio_point(128, 1, 28)),
    ({"ratio": "1"}, ratio_point(64, 1), ratio_point(64, 1)),
    ({"ratio": "64", "c": "16", "res": "1"}, ratio_point(16, 64, 1), ratio_point(16, 1, 1)),
    ({"guideline": "G2"}, groups_point(64, 4), groups_point(64, 1)),
    ({"guideline": "G2", "groups": "16", "c": "512", "res": "1024"}, groups_point(512, 16, 1024),
     groups_point(512, 1, 1024)),
    ({"guideline": "G3"}, fragments_point(64, 4, "parallel"), fragments_point(64, 1, "series")),
    ({"guideline": "G3", "fragments": "8", "arranged": "series", "c": "48"}, fragments_point(48, 8, "series"),
     fragments_point(48, 1, "series")),
    ({"guideline": "G3", "fragments": "1"}, fragments_point(64, 1, "series"), fragments_point(64, 1, "series")),
    ({"guideline": "G4"}, elementwise_point(64, "relu+shortcut"), elementwise_point(64, "neither")),
    ({"guideline": "G4", "with": "Shortcut", "res": "7"}, elementwise_point(64, "shortcut", 7),
     elementwise_point(64, "neither", 7)),
    ({"guideline": "G4", "with": "Neither"}, elementwise_point(64, "neither"), elementwise_point(64, "neither")),
]  # fmt: skip


def same(value: float, base: float) -> str:
    return "equal" if value == base else change(value, base)


@pytest.mark.parametrize(("query", "now", "base"), SHAPES, ids=lambda value: str(value) if type(value) is dict else "")
def test_a_link_restores_the_page_and_cards_show_the_counts(query: dict[str, str], now: Point, base: Point) -> None:
    at = opened("memory", **query)
    assert line(at) == ""
    found = values(at)
    assert found["Multiply-adds"] == (si(now.macs), same(now.macs, base.macs))
    access, before = now.memory_access["fused"], base.memory_access["fused"]
    assert found["Memory access"] == (si(access), same(access, before))
    assert found["Intensity"][0] == f"{now.macs / access:.1f}"
    guideline, side = query.get("guideline", "G1"), int(query.get("res", "56"))
    if guideline == "G1":
        least = least_access(side**2, now.macs)
        assert found["Lower bound"] == (si(round(least)), f"{access / least:.3g}× the bound")
    elif guideline == "G2":
        assert found["Weights"] == (si(now.params), "equal")
    elif guideline == "G3":
        assert found["Kernels"] == (str(now.kernels), same(now.kernels, 1))
    else:
        assert found["Element-wise share"][0] == percent(now.share("fused"))
    assert found["Speed here"] == ("\N{EN DASH}", "not measured")
    assert len(found) == len(metrics(at)) == 5
    results = formulas(at)
    if guideline == "G4":
        assert results["Convolutions"] == now.memory_access["paper"]
        assert sum(results.values()) == now.memory_access["eager"]
    else:
        assert results["Memory access"] == access


DEFAULTS = {
    "G1": ratio_point(64, 6), "G2": groups_point(64, 4), "G3": fragments_point(64, 4, "parallel"),
    "G4": elementwise_point(64, "relu+shortcut"),
}  # fmt: skip


@every_guideline
@pytest.mark.parametrize("memory", ["paper", "fused", "eager"])
def test_the_curve_is_the_engine(guideline: str, memory: str) -> None:
    convention = Convention("flops", "float16", memory)
    found = compare(Shape(guideline))
    drawn = json.loads(curve_chart(found, convention, LIGHT).figure.to_json())
    if guideline == "G4":
        expected = sorted(
            2 * point.memory_access[each]
            for point in (elementwise_point(64, variant) for variant in VARIANTS)
            for each in ("eager", "fused")
        )
        sums = [sum(parts) for parts in zip(*(trace["x"] for trace in drawn["data"]), strict=True)]
        assert sorted(sums) == expected
    else:
        points = {
            "G1": lambda: ratio_curve(64),
            "G2": lambda: [groups_point(64, n, widened=wide) for wide in (False, True) for n in GROUP_COUNTS],
            "G3": lambda: [
                fragments_point(64, n, each)
                for each in (("series",) if memory == "paper" else ("parallel", "series"))
                for n in FRAGMENT_COUNTS
            ],
        }[guideline]()
        dots = [trace for trace in drawn["data"] if trace["mode"] == "markers"]
        assert [y for trace in dots[:-1] for y in trace["y"]] == [2 * point.memory_access[memory] for point in points]
    shapes = theory_table(found, convention).cells
    assert shapes["FLOPs per byte"] == [
        pytest.approx(flops / size)
        for flops, size in zip(shapes["FLOPs"], shapes["Memory access (bytes)"], strict=True)
    ]
    if guideline == "G1":
        assert min(shapes["Relative to bound"]) == pytest.approx(1)


@pytest.mark.parametrize(("guideline", "memory"), [("G1", "Paper"), ("G3", "Paper"), ("G4", "Eager")])
def test_the_convention_applies_to_cards_chart_and_table(guideline: str, memory: str) -> None:
    at = opened("memory", guideline=guideline, memory=memory, unit="float16", count="FLOPs", part="Shapes")
    convention = Convention("flops", "float16", memory.lower())
    found = compare(Shape(guideline))
    drawn = json.loads(curve_chart(found, convention, LIGHT).figure.to_json())["data"]
    places = [[trace[axis] for axis in "xy"] for trace in drawn]
    assert [[trace[axis] for axis in "xy"] for trace in charts(at)["theory"]["data"]] == places
    shapes = table(at, "shapes with their multiply-adds")
    assert shapes["FLOPs per byte"].tolist() == theory_table(found, convention).cells["FLOPs per byte"]
    assert values(at)["Memory access"][0] == binary(2 * DEFAULTS[guideline].memory_access[memory.lower()])


def test_every_control_has_its_effect() -> None:
    at = open_at()
    at.number_input(key="ratio").set_value(2)
    run(at)
    assert any("45 → 91 channels move 1.06× as much data as 64 → 64" in entry for entry in headings(at))
    at.selectbox(key="c").set_value(128)
    run(at)
    assert values(at)["Multiply-adds"][0] == si(ratio_point(128, 2).macs)
    at.number_input(key="res").set_value(14)
    run(at)
    assert values(at)["Multiply-adds"][0] == si(ratio_point(128, 2, 14).macs)
    for guideline in GUIDELINES:
        at.button_group(key="guideline").set_value(guideline)
        run(at)
        assert any(GUIDELINES[guideline] in entry.value for entry in at.caption)
    at.selectbox(key="with").set_value("relu")
    run(at)
    assert any(entry.startswith("ReLU takes ") for entry in headings(at))
    at.button_group(key="guideline").set_value("G2")
    run(at)
    at.button_group(key="groups").set_value("8")
    run(at)
    assert any(entry.startswith("8 groups move ") for entry in headings(at))
    at.button_group(key="guideline").set_value("G3")
    run(at)
    at.button_group(key="fragments").set_value("8")
    at.button_group(key="arranged").set_value("series")
    run(at)
    assert any(entry.startswith("8 in series move ") for entry in headings(at))
    show_part(at, "Arithmetic intensity")
    at.selectbox(key="net").set_value("vgg16")
    run(at)
    assert any(entry.startswith("VGG-16 has ") for entry in headings(at))


@pytest.mark.parametrize(
    ("query", "ignored"),
    [
        (
            {
                "ratio": "65", "res": "0", "c": "17", "groups": "4", "widths": "TPU", "scale": "x3", "net": "LeNet",
                "threads": str(usable_cores() + 1),
            },
            [
                "ratio = 65 (1 to 64)", "res = 0 (1 to 1024)", "c = 17 (choices: 16, 32, ",
                "groups (no such setting here)", "widths = TPU (choices: ARM, GPU)", "scale = x3 (choices: 1×, 2×, 4×)",
                f"threads = {usable_cores() + 1} (1 to {usable_cores()})", "net = LeNet (choices: ",
            ],
        ),
        (
            {"guideline": "G5", "ratio": "nan", "res": "1e9"},
            [
                "guideline = G5 (choices: G1, G2, G3, G4)", "ratio = nan (1 to 64)", "res = 1e9 (1 to 1024)",
            ],
        ),
        ({"guideline": "G2", "groups": "3"}, ["groups = 3 (choices: 1, 2, 4, 8, 16)"]),
        (
            {"guideline": "G3", "fragments": "-1", "arranged": "<b>"},
            ["fragments = -1 (choices: 1, 2, 3, 4, 8)", "arranged = <b> (choices: series, parallel)"],
        ),
        ({"guideline": "G4", "with": "gelu"}, ["with = gelu (choices: ReLU and shortcut, "]),
    ],
    ids=str,
)  # fmt: skip
def test_ignored_parameters_of_a_link_are_named(query: dict[str, str], ignored: list[str]) -> None:
    at = open_at(**query)
    for each in ignored:
        assert each in line(at)
    assert len(metrics(at)) == 5
    guideline = query.get("guideline", "G5").replace("G5", "G1")
    assert values(at)["Memory access"][0] == si(DEFAULTS[guideline].memory_access["fused"])


# --- the experiment ---------------------------------------------------------------------------------------------------


@every_guideline
@pytest.mark.parametrize("device", list(DEVICES))
@pytest.mark.parametrize("scale", ["x1", "x4"])
def test_the_table_has_measured_and_published_speeds(guideline: str, device: str, scale: str) -> None:
    compared = column(guideline, device, scale)
    times = fill(compared, [10.0 + 3 * place for place in range(len(compared))])
    run = experiments.experiment(options(guideline, device, scale))
    rows = experiments.experiment_table(run, Convention()).cells
    assert rows["Case"] == list(times)
    assert rows["Here (images/s)"] == [pytest.approx(1000 / each) for each in times.values()]
    assert rows["Here, relative"] == [pytest.approx(times[run.labels[0]] / each) for each in times.values()]
    assert rows["Median (ms)"] == list(times.values())
    assert rows["Multiply-adds"] == [effviz.analyze(case.design).macs for case in compared]
    for other, per in (("ARM", "images/s"), ("GPU", "batches/s")):
        speeds = [printed_speed(case, other)[0] for case in compared]
        assert rows[f"{other} ({per})"] == speeds
        assert rows[f"{other}, relative"] == [pytest.approx(each / speeds[0]) for each in speeds]


@every_guideline
def test_measured_and_published_speeds_are_compared(guideline: str) -> None:
    device = "GPU" if guideline in ("G1", "G3") else "ARM"
    compared = column(guideline, device, "x4")
    times = fill(compared, [10.0 + 3 * place for place in range(len(compared))], noisy=1)
    at = open_at(guideline=guideline, widths=device, scale="x4", part="Experiment")
    labels = list(times)
    relative = [times[labels[0]] / each for each in times.values()]
    assert table(at, f"networks of table {guideline[1]} of the paper")["Case"].tolist() == labels
    here = next(trace for trace in charts(at)["experiment"]["data"] if trace.get("name", "").startswith("Here"))
    assert here["x"] == [pytest.approx(each) for each in relative]
    first, *others = here["marker"]["symbol"]
    assert first == "circle-open", "a noisy measurement is hollow"
    assert set(others) == {"circle"}
    finding = next(entry for entry in headings(at) if entry.startswith("On this machine"))
    if guideline == "G4":
        assert f"are slower than {labels[0]}. The fastest, {labels[1]}, runs at " in finding
    else:
        slowest = f"The slowest, {labels[-1]}, runs at {relative[-1]:.2f}× the speed (paper: "
        assert f"are slower than {labels[0]}. {slowest}" in finding
    (chart,) = (each for key, each in component(at, "chart").items() if "experiment" in key)
    contradicted, _, noisy = chart["note"].partition("Hollow marks: ")
    assert noisy == f"noisy measurements, 1 of {len(labels)}."
    # Each case is slower than the one before. Only in guideline 4, a later one accesses less.
    assert bool(contradicted) == (guideline == "G4")
    chosen = {"G1": "1:6", "G2": "4 groups", "G3": "4 in parallel", "G4": "Neither"}[guideline]
    assert values(at)["Speed here"] == (f"{relative[labels.index(chosen)]:.2f}×", chosen)
    assert at.button(key="again_noisy").label == "Measure 1 noisy again"


def test_another_column_and_other_threads_are_other_measurements() -> None:
    fill(column("G1", "ARM", "x1"), [1.0, 2.0, 3.0, 4.0])
    at = open_at()
    assert values(at)["Speed here"] == ("0.33×", "1:6")
    at.number_input(key="ratio").set_value(12)
    run(at)
    assert values(at)["Speed here"] == ("0.25×", "1:12")
    at.number_input(key="ratio").set_value(5)
    run(at)
    assert values(at)["Speed here"] == ("0.25×", "1:12"), "not in the experiment"
    unmeasured = [options(scale="x2"), options(device="GPU"), options("G2")]
    if usable_cores() > 1:
        unmeasured.append(Options(Shape(), threads=2))
    for each in unmeasured:
        assert experiments.speed_card(experiments.experiment(each)).below == "not measured"
    at.button_group(key="scale").set_value("x2")
    assert values(run(at))["Speed here"] == ("\N{EN DASH}", "not measured")
    # The GPU's widths at scale 1 are ARM's at scale 4, where the tables round alike.
    fill(column("G1", "ARM", "x4"), [1.0, 2.0, 3.0, 4.0])
    rows = experiments.experiment_table(experiments.experiment(options(device="GPU")), Convention()).cells
    assert rows["Median (ms)"][:3] == [1.0, None, 3.0]


@every_guideline
def test_before_any_measurement_the_paper_is_shown(guideline: str) -> None:
    at = opened("memory", guideline=guideline) if guideline != "G1" else opened("memory")
    count = len(column(guideline, "ARM", "x1"))
    assert at.button(key="start").label == f"Measure here: {count} networks"
    assert bar(at).startswith("The paper's networks, not measured here yet.")
    assert any(entry.startswith(f"0 of {count} cases measured so far. ") for entry in headings(at))


def test_differences_from_the_paper_are_explained() -> None:
    at = open_at(guideline="G2", part="Experiment")
    assert any("184 → 184, because the published 180 channels" in entry.value for entry in at.caption)
    at.button_group(key="scale").set_value("x2")
    assert not any("published 180" in entry.value for entry in run(at).caption)
    at.button_group(key="scale").set_value("x1")
    at.button_group(key="guideline").set_value("G1")
    assert any("differ from the first row by at most 5.5 %" in entry.value for entry in run(at).caption)
    at.button_group(key="guideline").set_value("G4")
    assert any("Multiply-adds are equal." in entry.value for entry in run(at).caption)


@pytest.mark.skipif(not Path("/proc").exists(), reason="as in test_worker")
def test_a_column_is_measured_in_the_background_paused_and_resumed() -> None:
    compared = column("G4", "ARM", "x1")
    fill(compared[2:], [5.0, 5.0])
    at = open_at(guideline="G4", part="Experiment")
    assert at.button(key="start").label == "Measure here: 2 networks"
    with stopped_process():
        # Stopped, the process takes the job and does nothing: what is on the page stays there to be read.
        at.button(key="start").click()
        run(at)
        until(at, lambda _: zoo_run.guideline_run().progress.title == compared[0].title)
        run(at)
        assert zoo_run.guideline_run().progress.threads == 1
        assert compared[0].title in bar(at)
        assert "2 left" in bar(at)
        assert at.button(key="pause").label == "Pause"
        assert "Another column is being measured" in bar(open_at(guideline="G1"))
        at.button(key="pause").click()
        run(at)
        assert bar(at).startswith("Paused.")
    at.button(key="start").click()
    run(at)
    until(at, lambda page: not [each for each in page.button if each.key in ("pause", "start")])
    found = [cached(case.design) for case in compared]
    assert all(each is not None and each.median_ms > 0 for each in found)
    # The last measurement can end within a run, after its table is drawn. The next run is that of the end.
    rows = table(run(at), "networks of table 4")
    assert rows["Median (ms)"].tolist() == [each.median_ms for each in found if each]
    # As after a restart: the memory of the process is gone, the disk is not.
    latencies._remembered.clear()
    assert table(run(at), "networks of table 4")["Median (ms)"].tolist() == rows["Median (ms)"].tolist()


@contextmanager
def stopped_process() -> Iterator[None]:
    """The torch process, running but stopped."""
    manager = default_manager()
    manager.start()
    limit = time.monotonic() + 60
    while manager.status.process != "idle":
        assert time.monotonic() < limit
        time.sleep(0.05)
    pid = manager.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # a job that ignores the stop request is killed with its process
            os.kill(pid, signal.SIGCONT)


# --- arithmetic intensity ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", ["mobilenet_v2", "shufflenet_v1", "alexnet", "efficientnet_b0"])
@pytest.mark.parametrize(
    ("unit", "per", "size"), [("elements", "element", 1), ("int8", "byte", 1), ("float32", "byte", 4)]
)
def test_intensity_of_every_kind(net: str, unit: str, per: str, size: int) -> None:
    rows = intensity_table(net, Convention("flops", unit, "eager")).cells
    entries = intensities(net, "eager")
    assert rows[f"FLOPs per {per}"] == [pytest.approx(2 * entry.per_element / size) for entry in entries]
    assert sum(rows["Share of memory access (%)"]) == pytest.approx(100)


def test_intensity_is_shown_in_the_convention() -> None:
    at = open_at(net="AlexNet", unit="float32", count="FLOPs", memory="Eager")
    assert at.button_group(key="part").value == "Arithmetic intensity", "a link with its network opens the part"
    entries = intensities("alexnet", "eager")
    (bars,) = charts(at)["intensity"]["data"]
    assert bars["y"] == [entry.kind for entry in entries]
    assert bars["x"] == [pytest.approx(2 * entry.per_element / 4) for entry in entries]
    rows = table(at, "kinds of layer with")
    assert rows["FLOPs per byte"].tolist() == [pytest.approx(2 * entry.per_element / 4) for entry in entries]


# --- exercises, downloads ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [{"ratio": "12"}, {"ratio": "1"}, {"ratio": "3", "res": "7", "c": "256"}], ids=str)
def test_answers_of_guideline_1(query: dict[str, str]) -> None:
    at = open_at(part="Try this", **query)
    ratio, side, width = int(query["ratio"]), int(query.get("res", 56)), int(query.get("c", 64))
    ratio = 6 if ratio == 1 else ratio
    for key, map_side in (("theory", side), ("small", 56 if side == 7 else 7)):
        now, base = ratio_point(width, ratio, map_side), ratio_point(width, 1, map_side)
        answer = now.memory_access["fused"] / base.memory_access["fused"]
        assert reveal(at, key).startswith(f"{answer:.2f}×.")


@pytest.mark.parametrize("groups", [1, 8])
def test_answers_of_guideline_2(groups: int) -> None:
    at = open_at(guideline="G2", groups=str(groups), part="Try this")
    for key, side in (("theory", 56), ("small", 7)):
        now, base = (groups_point(64, each, side).memory_access["fused"] for each in (4 if groups == 1 else groups, 1))
        assert reveal(at, key).startswith(f"{now / base:.2f}×.")


@pytest.mark.parametrize("arranged", ["series", "parallel"])
def test_answers_of_guideline_3(arranged: str) -> None:
    at = open_at(guideline="G3", fragments="8", arranged=arranged, part="Try this")
    now, base = fragments_point(64, 8, arranged), fragments_point(64, 1, "series")
    answer = now.memory_access["fused"] / base.memory_access["fused"]
    assert reveal(at, "theory").startswith(f"{answer:.2f}×.")
    assert reveal(at, "kernels").startswith(f"{80 if arranged == 'series' else 150}.")


@pytest.mark.parametrize("variant", ["Shortcut", "ReLU", "Neither"])
def test_answers_of_guideline_4(variant: str) -> None:
    at = open_at(guideline="G4", part="Try this", **{"with": variant})
    now = elementwise_point(64, "relu+shortcut" if variant == "Neither" else variant.lower())
    assert reveal(at, "share").startswith(f"{100 * now.share('eager'):.0f} %.")
    assert reveal(at, "fused").startswith(f"{100 * now.share('fused'):.0f} %.")


@every_guideline
def test_the_answer_about_speed_is_that_of_this_machine_once_measured(guideline: str) -> None:
    at = open_at(guideline=guideline, part="Try this")
    compared = column(guideline, "ARM", "x1")
    printed = printed_speed(compared[-1], "ARM")[0] / printed_speed(compared[0], "ARM")[0]
    assert questions(at)["speed"]["question"].startswith("On the paper's Snapdragon 810")
    assert reveal(at, "speed").startswith(f"{printed:.2f}×.")
    fill(compared, [1.0 + place for place in range(len(compared))])
    run(at)
    assert questions(at)["speed"]["question"].startswith("On this machine: ")
    assert reveal(at, "speed").startswith(f"{1 / len(compared):.2f}×.")


def test_downloads_hold_the_tables() -> None:
    compared = column("G2", "GPU", "x2")
    fill(compared, [1.0, 2.0, 3.0, 4.0])
    convention = Convention("flops", "float32", "eager")
    measured = experiments.experiment(options("G2", "GPU", "x2"))
    rows = pd.read_csv(io.StringIO(experiments.experiment_table(measured, convention).csv()))
    assert rows["FLOPs"].tolist() == [2 * effviz.analyze(case.design).macs for case in compared]
    assert rows["Here (images/s)"].tolist() == [1000, 500, pytest.approx(1000 / 3), 250]
    assert rows["Source"].unique().tolist() == ["ShuffleNetV2 paper, arXiv 1807.11164, table 2"]
    found = theory_table(compare(Shape("G2", 28, 64, groups=8)), convention).cells
    assert found["Memory access (bytes)"][:5] == [
        4 * groups_point(64, count, 28).memory_access["eager"] for count in GROUP_COUNTS
    ]
    at = open_at(guideline="G2", part="Downloads")
    assert [entry.proto.label for entry in at.get("download_button")] == ["Theory as CSV", "Experiment as CSV"]
    show_part(at, "Arithmetic intensity")
    assert [entry.proto.label for entry in at.get("download_button")] == ["Intensity as CSV"]


def test_scales_of_the_sidebar_are_those_of_the_tables() -> None:
    assert opened("memory").button_group(key="scale").options == [f"{factor}×" for factor in SCALES.values()]
