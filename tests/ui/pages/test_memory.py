"""The page about memory access: what it shows is what the engine counts and what was measured."""

from __future__ import annotations

import html
import io
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
from page_reader import charts, line, open_page, run
from streamlit.testing.v1 import AppTest

import effviz
from effviz.core.units import binary, change, percent, si
from effviz.measure import latency as latencies
from effviz.measure import runs as zoo_run
from effviz.measure.latency import Latency, cached, environment, remember
from effviz.studies.guidelines import (
    DEVICES,
    FRAGMENT_COUNTS,
    GROUP_COUNTS,
    GUIDELINES,
    SCALES,
    VARIANTS,
    Case,
    Point,
    column,
    elementwise_point,
    fragments_point,
    groups_point,
    intensities,
    least_access,
    printed_speed,
    ratio_curve,
    ratio_point,
)
from effviz.ui.convention import Convention
from effviz.worker.limits import usable_cores
from effviz.worker.manager import default_manager

WAIT_S = 90.0
every_guideline = pytest.mark.parametrize("guideline", list(GUIDELINES))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No latency is known, and none is left behind."""
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latencies._remembered.clear()
    yield
    zoo_run.guideline_run().pause()
    latencies._remembered.clear()


def fill(cases: list[Case], times: list[float], noisy: int = 0, threads: int = 1) -> dict[str, float]:
    """As if measured before; by label."""
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
    return {metric.label: (metric.value, metric.delta) for metric in at.metric}


def headings(at: AppTest) -> list[str]:
    return [entry.value for entry in at.subheader]


def bar(at: AppTest) -> str:
    (text,) = (entry.proto.body for entry in at.html if 'class="latency"' in entry.proto.body)
    return html.unescape(re.sub(r"<[^>]*>", "", text)).strip()


def table(at: AppTest, alt: str) -> pd.DataFrame:
    (found,) = (entry.value for entry in at.dataframe if alt in entry.proto.alt)
    return found


def formulas(at: AppTest) -> dict[str, int]:
    """The values at the end of the formulas, by quantity."""
    found = {}
    for entry in at.markdown:
        match = re.fullmatch(r"\*\*([^*]+)\*\* = .+  \n= .+  \n= \*\*([\d,]+)\*\* \w+", entry.value, flags=re.S)
        if match:
            found[match[1]] = int(match[2].replace(",", ""))
    return found


def reveal(at: AppTest, key: str, guess: float = 1.0) -> str:
    at.number_input(key=f"{key}_guess").set_value(guess)
    at.button(key=f"{key}_reveal").click()
    run(at)
    (found,) = (entry.value for entry in at.markdown if "(your guess:" in entry.value)
    return found


def until(at: AppTest, condition: Callable[[AppTest], Any]) -> AppTest:
    limit = time.monotonic() + WAIT_S
    while not condition(at):
        assert time.monotonic() < limit, [entry.proto.body for entry in at.html]
        time.sleep(0.1)
        run(at)
    return at


def open_at(**query: str) -> AppTest:
    return open_page("memory", **query)


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
def test_a_link_restores_the_page_and_cards_show_what_is_counted(
    query: dict[str, str], now: Point, base: Point
) -> None:
    at = open_at(**query)
    assert line(at) == ""
    found = values(at)
    assert found["Multiply-adds"] == (si(now.macs), same(now.macs, base.macs))
    access, before = now.memory_access["fused"], base.memory_access["fused"]
    assert found["Memory access, elements"] == (si(access), same(access, before))
    assert found["Multiply-adds per element"][0] == f"{now.macs / access:.1f}"
    guideline, side = query.get("guideline", "G1"), int(query.get("res", "56"))
    if guideline == "G1":
        assert found["Least possible"] == (
            si(round(least_access(side**2, now.macs))), f"x{access / least_access(side**2, now.macs):.3g} is moved",
        )  # fmt: skip
    elif guideline == "G2":
        assert found["Weights"] == (si(now.params), "equal")
    elif guideline == "G3":
        assert found["Kernels"] == (str(now.kernels), same(now.kernels, 1))
    else:
        assert found["Element-wise"][0] == percent(now.share("fused"))
    assert found["Speed here"] == ("\N{EN DASH}", "not measured")
    assert len(at.metric) == 5
    told = formulas(at)
    if "Memory access" in told:
        assert told["Memory access"] == access
    if guideline == "G4":
        assert told["Convolutions"] == now.memory_access["paper"]
        assert sum(told.values()) == now.memory_access["eager"]


@every_guideline
@pytest.mark.parametrize("memory", ["Paper", "Fused", "Eager"])
def test_the_curve_is_the_engine(guideline: str, memory: str) -> None:
    at = open_at(guideline=guideline, memory=memory, unit="float16", count="FLOPs")
    drawn, name = charts(at)["theory"], memory.lower()
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
                for each in (("series",) if name == "paper" else ("parallel", "series"))
                for n in FRAGMENT_COUNTS
            ],
        }[guideline]()
        dots = [trace for trace in drawn["data"] if trace["mode"] == "markers"]
        assert [y for trace in dots[:-1] for y in trace["y"]] == [2 * point.memory_access[name] for point in points]
    shapes = table(at, "shapes with their multiply-adds")
    assert (shapes["FLOPs per byte"] == shapes["FLOPs"] / shapes["Memory access (bytes)"]).all()
    if guideline == "G1":
        assert shapes["Over the bound"].min() == pytest.approx(1)
    assert values(at)["Memory access"][0] == binary(
        2 * {"G1": ratio_point(64, 6), "G2": groups_point(64, 4), "G3": fragments_point(64, 4, "parallel"),
             "G4": elementwise_point(64, "relu+shortcut")}[guideline].memory_access[name]
    )  # fmt: skip


def test_every_control_changes_what_it_is_about() -> None:
    at = open_at()
    at.number_input(key="ratio").set_value(2)
    run(at)
    assert any("45 → 91 needs 1.06× as much" in entry for entry in headings(at))
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
    assert any(entry.startswith("8 groups need ") for entry in headings(at))
    at.button_group(key="guideline").set_value("G3")
    run(at)
    at.button_group(key="fragments").set_value("8")
    at.button_group(key="arranged").set_value("series")
    run(at)
    assert any(entry.startswith("8 in series need ") for entry in headings(at))
    at.selectbox(key="net").set_value("vgg16")
    run(at)
    assert any(entry.startswith("VGG-16 has ") for entry in headings(at))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"guideline": "G5"}, "guideline = G5 (choices: G1, G2, G3, G4)"),
        ({"ratio": "65"}, "ratio = 65 (1 to 64)"),
        ({"ratio": "nan"}, "ratio = nan (1 to 64)"),
        ({"res": "0"}, "res = 0 (1 to 1024)"),
        ({"res": "1e9"}, "res = 1e9 (1 to 1024)"),
        ({"c": "17"}, "c = 17 (choices: 16, 32, "),
        ({"groups": "4"}, "groups (no such setting here)"),
        ({"guideline": "G2", "groups": "3"}, "groups = 3 (choices: 1, 2, 4, 8, 16)"),
        ({"guideline": "G3", "fragments": "-1"}, "fragments = -1 (choices: 1, 2, 3, 4, 8)"),
        ({"guideline": "G3", "arranged": "<b>"}, "arranged = <b> (choices: series, parallel)"),
        ({"guideline": "G4", "with": "gelu"}, "with = gelu (choices: ReLU and shortcut, "),
        ({"widths": "TPU"}, "widths = TPU (choices: ARM, GPU)"),
        ({"scale": "x3"}, "scale = x3 (choices: x1, x2, x4)"),
        ({"threads": str(usable_cores() + 1)}, f"threads = {usable_cores() + 1} (1 to {usable_cores()})"),
        ({"net": "LeNet"}, "net = LeNet (choices: "),
    ],
    ids=str,
)
def test_what_a_link_asks_in_vain_is_named(query: dict[str, str], said: str) -> None:
    at = open_at(**query)
    assert said in line(at)
    assert len(at.metric) == 5
    if "guideline" not in query:
        assert values(at)["Memory access, elements"][0] == si(ratio_point(64, 6).memory_access["fused"])


# --- the experiment ---------------------------------------------------------------------------------------------------


@every_guideline
@pytest.mark.parametrize("device", list(DEVICES))
@pytest.mark.parametrize("scale", ["x1", "x4"])
def test_what_was_measured_stands_beside_what_is_printed(guideline: str, device: str, scale: str) -> None:
    compared = column(guideline, device, scale)
    times = fill(compared, [10.0 + 3 * place for place in range(len(compared))], noisy=1)
    at = open_at(guideline=guideline, widths=device, scale=scale)
    labels = list(times)
    rows = table(at, f"networks of table {guideline[1]} of the paper")
    assert rows["Case"].tolist() == labels
    assert rows["Here (images/s)"].tolist() == [pytest.approx(1000 / each) for each in times.values()]
    relative = [times[labels[0]] / each for each in times.values()]
    assert rows["Here, relative"].tolist() == [pytest.approx(each) for each in relative]
    assert rows["Median (ms)"].tolist() == list(times.values())
    assert rows["Multiply-adds"].tolist() == [effviz.analyze(case.design).macs for case in compared]
    for other, per in (("ARM", "images/s"), ("GPU", "batches/s")):
        speeds = [printed_speed(case, other)[0] for case in compared]
        assert rows[f"{other} ({per})"].tolist() == speeds
        assert rows[f"{other}, relative"].tolist() == [pytest.approx(each / speeds[0]) for each in speeds]
    drawn = charts(at)["experiment"]["data"]
    assert drawn[0]["x"] == [pytest.approx(each) for each in relative]
    assert drawn[0]["text"] == [f"{each:.2f}" for each in relative]
    colors = drawn[0]["marker"]["color"]
    assert colors[0] != colors[1] == colors[-1], "what is noisy is drawn open"
    told = next(entry for entry in headings(at) if entry.startswith("Guideline"))
    if guideline == "G4":
        assert "does not hold here: no case is more than 5 % faster" in told
    else:
        slowest = f"the slowest case, {labels[-1]}, has {relative[-1]:.2f}× the speed of "
        assert told.startswith(f"Guideline {guideline[1]} holds here: {slowest}")
    assert told.endswith(f"noisy measurements: 1 of {len(labels)}")
    assert values(at)["Speed here"] == (f"x{relative[-1]:.2f}", labels[-1])
    assert at.button(key="again_noisy").label == "Measure 1 noisy again"


def test_another_column_and_other_threads_are_other_measurements() -> None:
    fill(column("G1", "ARM", "x1"), [1.0, 2.0, 3.0, 4.0])
    assert values(open_at())["Speed here"] == ("x0.25", "1:12")
    for query in ({"scale": "x2"}, {"widths": "GPU"}, {"guideline": "G2"}):
        assert values(open_at(**query))["Speed here"] == ("\N{EN DASH}", "not measured")
    if usable_cores() > 1:
        assert values(open_at(threads="2"))["Speed here"] == ("\N{EN DASH}", "not measured")
    # The GPU's widths at x1 are ARM's at x4, where the tables round alike.
    fill(column("G1", "ARM", "x4"), [1.0, 2.0, 3.0, 4.0])
    rows = table(open_at(widths="GPU"), "networks of table 1")
    assert rows["Median (ms)"].tolist()[0::2] == [1.0, 3.0]
    assert pd.isna(rows["Median (ms)"].tolist()[1])


@every_guideline
def test_before_anything_is_measured_the_paper_is_there(guideline: str) -> None:
    at = open_at(guideline=guideline)
    count = len(column(guideline, "ARM", "x1"))
    assert at.button(key="start").label == f"Measure: {count} networks"
    assert bar(at).startswith("The paper's networks, not measured yet here.")
    assert any(entry.startswith(f"0 of {count} cases measured so far. ") for entry in headings(at))


def test_what_differs_from_the_paper_is_said() -> None:
    assert any("184 → 184, as 180 channels" in entry.value for entry in open_at(guideline="G2").caption)
    assert not any("as 180" in entry.value for entry in open_at(guideline="G2", scale="x2").caption)
    assert any("differ by at most 5.5 %" in entry.value for entry in open_at().caption)
    assert any("Multiply-adds are equal." in entry.value for entry in open_at(guideline="G4").caption)


@pytest.mark.skipif(not Path("/proc").exists(), reason="as in test_worker")
def test_a_column_is_measured_in_the_background_paused_and_resumed() -> None:
    compared = column("G4", "ARM", "x1")
    fill(compared[2:], [5.0, 5.0])
    at = open_at(guideline="G4")
    assert at.button(key="start").label == "Continue: 2 networks"
    with stopped_process():
        # Stopped, the process takes the job and does nothing: what is on the page stays there to be read.
        at.button(key="start").click()
        run(at)
        until(at, lambda _: zoo_run.guideline_run().progress.title == compared[0].title)
        run(at)
        assert zoo_run.guideline_run().progress.threads == 1
        assert compared[0].title in bar(at)
        assert "2 to go" in bar(at)
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
    rows = table(at, "networks of table 4")
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
        with suppress(ProcessLookupError):  # a job that does not stop when asked is killed with its process
            os.kill(pid, signal.SIGCONT)


# --- arithmetic intensity ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", ["MobileNetV2", "ShuffleNetV1", "AlexNet", "EfficientNet-B0"])
@pytest.mark.parametrize(
    ("unit", "per", "size"), [("Elements", "element", 1), ("int8", "byte", 1), ("float32", "byte", 4)]
)
def test_intensity_of_every_kind(net: str, unit: str, per: str, size: int) -> None:
    at = open_at(net=net, unit=unit, count="FLOPs", memory="Eager")
    entries = intensities(at.selectbox(key="net").value, "eager")
    (bars,) = charts(at)["intensity"]["data"]
    assert bars["y"] == [entry.kind for entry in entries]
    assert bars["x"] == [pytest.approx(2 * entry.per_element / size) for entry in entries]
    rows = table(at, "kinds of layer with")
    assert rows[f"FLOPs per {per}"].tolist() == [pytest.approx(2 * entry.per_element / size) for entry in entries]
    assert rows["Share of memory access (%)"].sum() == pytest.approx(100)


# --- exercises, downloads ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [{"ratio": "12"}, {"ratio": "1"}, {"ratio": "3", "res": "7", "c": "256"}], ids=str)
def test_answers_of_guideline_1(query: dict[str, str]) -> None:
    at = open_at(**query)
    ratio, side, width = int(query["ratio"]), int(query.get("res", 56)), int(query.get("c", 64))
    ratio = 6 if ratio == 1 else ratio
    for key, asked in (("theory", side), ("small", 56 if side == 7 else 7)):
        now, base = ratio_point(width, ratio, asked), ratio_point(width, 1, asked)
        answer = now.memory_access["fused"] / base.memory_access["fused"]
        assert reveal(at, key).startswith(f"**x{answer:.2f}** (your guess: x1.00)")


@pytest.mark.parametrize("groups", [1, 8])
def test_answers_of_guideline_2(groups: int) -> None:
    at = open_at(guideline="G2", groups=str(groups))
    for key, side in (("theory", 56), ("small", 7)):
        now, base = (groups_point(64, each, side).memory_access["fused"] for each in (4 if groups == 1 else groups, 1))
        assert reveal(at, key).startswith(f"**x{now / base:.2f}**")


@pytest.mark.parametrize("arranged", ["series", "parallel"])
def test_answers_of_guideline_3(arranged: str) -> None:
    at = open_at(guideline="G3", fragments="8", arranged=arranged)
    now, base = fragments_point(64, 8, arranged), fragments_point(64, 1, "series")
    answer = now.memory_access["fused"] / base.memory_access["fused"]
    assert reveal(at, "theory").startswith(f"**x{answer:.2f}**")
    assert reveal(at, "kernels").startswith(f"**{80 if arranged == 'series' else 150}**")


@pytest.mark.parametrize("variant", ["Shortcut", "ReLU", "Neither"])
def test_answers_of_guideline_4(variant: str) -> None:
    at = open_at(guideline="G4", **{"with": variant})
    now = elementwise_point(64, "relu+shortcut" if variant == "Neither" else variant.lower())
    assert reveal(at, "share").startswith(f"**{100 * now.share('eager'):.0f} %**")
    assert reveal(at, "fused").startswith(f"**{100 * now.share('fused'):.0f} %**")


@every_guideline
def test_the_answer_about_speed_is_of_this_machine_once_it_is_measured(guideline: str) -> None:
    at = open_at(guideline=guideline)
    compared = column(guideline, "ARM", "x1")
    printed = printed_speed(compared[-1], "ARM")[0] / printed_speed(compared[0], "ARM")[0]
    assert any(entry.value.startswith("On the paper's Snapdragon 810") for entry in at.markdown)
    assert reveal(at, "speed").startswith(f"**x{printed:.2f}**")
    fill(compared, [1.0 + place for place in range(len(compared))])
    run(at)
    assert any(entry.value.startswith("On this machine: ") for entry in at.markdown)
    assert reveal(at, "speed").startswith(f"**x{1 / len(compared):.2f}**")


def test_what_is_taken_away_names_its_conditions() -> None:
    from effviz.ui.page_parts.memory import page

    compared = column("G2", "GPU", "x2")
    fill(compared, [1.0, 2.0, 3.0, 4.0])
    options = page.Options("G2", 28, 64, groups=8, device="GPU", scale="x2")
    convention = Convention("flops", "float32", "eager")
    made = page.experiment_rows(page.experiment(options), convention)
    rows = pd.read_csv(io.StringIO(made.to_csv(index=False)))
    assert rows["FLOPs"].tolist() == [2 * effviz.analyze(case.design).macs for case in compared]
    assert rows["Here (images/s)"].tolist() == [1000, 500, pytest.approx(1000 / 3), 250]
    assert rows["Source"].unique().tolist() == ["ShuffleNetV2 paper, arXiv 1807.11164, table 2"]
    found = page.theory_rows(page.theory(options), options, convention)
    assert found["Memory access (bytes)"].tolist()[:5] == [
        4 * groups_point(64, count, 28).memory_access["eager"] for count in GROUP_COUNTS
    ]
    at = open_at(guideline="G2")
    assert [entry.proto.label for entry in at.get("download_button")] == [
        "Theory as CSV", "Experiment as CSV", "Intensity as CSV",
    ]  # fmt: skip


def test_scales_of_the_sidebar_are_those_of_the_tables() -> None:
    at = open_at()
    assert at.button_group(key="scale").options == list(SCALES)
