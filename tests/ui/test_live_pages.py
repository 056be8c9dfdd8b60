"""Pages with the real torch process: latency, diagrams, cross-check, and the measurement of the zoo."""

from __future__ import annotations

import html
import io
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from page_reader import charts, line, metrics, open_page, put, questions, reveal, run, show_part
from streamlit.testing.v1 import AppTest

import effviz
from effviz.advice.lint import lint
from effviz.backend.crosscheck import crosscheck
from effviz.backend.diagram.draw import draw
from effviz.core.units import change, milliseconds, percent, si
from effviz.measure import background as zoo_run
from effviz.measure import latency as latencies
from effviz.measure.latency import Latency, cached, environment, remember
from effviz.model.draft import Draft
from effviz.studies.outline import block_runs
from effviz.studies.prediction import ENTRIES, PREDICTORS, report, row
from effviz.ui.widgets.jobs import DESK
from effviz.ui.widgets.latency_words import TOO_NOISY
from effviz.worker.limits import usable_cores
from effviz.worker.manager import Ticket, default_manager

WAIT_S = 60.0


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start without known latencies and leave none."""
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latencies._remembered.clear()
    yield
    zoo_run.default_run().pause()
    for name in {seat[0] for seat in DESK._taken}:
        DESK.forget(name)
    latencies._remembered.clear()


def until(at: AppTest, condition: Callable[[AppTest], Any]) -> AppTest:
    """Rerun the page, as its fragments do, until the condition holds."""
    limit = time.monotonic() + WAIT_S
    while not condition(at):
        assert time.monotonic() < limit, [entry.proto.body for entry in at.html]
        time.sleep(0.05)
        run(at)
    return at


def held(purpose: str) -> Ticket | None:
    """The pending job of the page; the only visitor is the test."""
    names = {name for name, wanted in DESK._taken if wanted == purpose}
    assert len(names) <= 1
    return DESK.held(names.pop(), purpose) if names else None


def card(at: AppTest, label: str = "Latency here") -> tuple[str, str]:
    (found,) = (each for each in metrics(at) if each.label == label)
    return found.value, found.delta


def difference(now: Latency, before: Latency) -> str:
    # This machine may be busy while it measures.
    return TOO_NOISY if now.noisy or before.noisy else change(now.median_ms, before.median_ms)


def bar(at: AppTest) -> str:
    """The line about the measurement, without tags."""
    (text,) = (entry.proto.body for entry in at.html if 'class="latency"' in entry.proto.body)
    return html.unescape(re.sub(r"<[^>]*>", "", text)).strip()


def status(at: AppTest) -> list[str]:
    bodies = (entry.proto.body for entry in at.html if 'class="status"' in entry.proto.body)
    return [html.unescape(re.sub(r"<[^>]*>", "", body)).strip() for body in bodies]


def button(at: AppTest, key: str) -> Any:
    return at.button(key=key)


def shown_history(at: AppTest) -> list[pd.DataFrame]:
    tables = show_part(at, "Measured here").dataframe
    return [entry.value for entry in tables if "measurements of this visit" in entry.proto.alt]


def idle(at: AppTest) -> bool:
    """Whether no measurement of the page is pending."""
    return button(at, "measure").label != "Cancel"


def measured(median: float = 10.0, *, iqr: float = 0.1, loaded: bool = False, **options: Any) -> Latency:
    """A latency measured under the page's conditions."""
    threads = options.pop("threads", 1)
    given: dict[str, Any] = {"batch_size": 1, "resolution": 224, "runs": 50} | options
    return Latency(
        median_ms=median,
        p90_ms=median + iqr,
        iqr_ms=iqr,
        min_ms=median - iqr / 2,
        loaded=loaded,
        threads=threads,
        environment=environment(threads),
        measured_at="2026-01-02T03:04:05+00:00",
        **given,
    )


SMALL = {"net": "MobileNetV3-Small", "res": "32"}


def small(**options: Any) -> effviz.Design:
    return effviz.architecture("mobilenet_v3_small", resolution=32, **options)


# --- latency ----------------------------------------------------------------------------------------------------------


def test_nothing_is_measured_without_a_request() -> None:
    at = open_page(**SMALL)
    assert card(at) == ("\N{EN DASH}", "not measured")
    assert bar(at) == "Not measured for this setting: 1 thread, batch 1, float32."
    assert idle(at)
    assert held("latency") is None


def test_a_click_measures_the_network_on_screen() -> None:
    at = open_page(**SMALL)
    button(at, "measure").click()
    run(at)
    until(at, idle)
    found = cached(small())
    assert found is not None
    assert found.resolution == 32
    # The network on screen has another resolution than the named one, which is measured next.
    unscaled = cached(effviz.architecture("mobilenet_v3_small"))
    assert unscaled is not None
    assert card(at) == (milliseconds(found.median_ms), difference(found, unscaled))
    told = bar(at)
    for part in (
        f"Median {milliseconds(found.median_ms)}", f"90th percentile {milliseconds(found.p90_ms)}",
        f"IQR {milliseconds(found.iqr_ms)}", f"{found.runs} runs", "1 thread, batch 1, float32",
        found.environment["cpu"], f"torch {found.environment['torch']}", "just now",
    ):  # fmt: skip
        assert part in told
    assert told.startswith("noisy") == found.noisy
    (history,) = shown_history(at)
    assert history["Median (ms)"].tolist() == [found.median_ms]
    speed = effviz.analyze(small()).macs / found.median_ms / 1e6
    assert history["Multiply-adds per second (G)"].tolist() == [pytest.approx(speed)]


def test_a_known_latency_is_shown_at_once_and_can_be_measured_again() -> None:
    design = effviz.architecture("mobilenet_v3_small")
    remember(design, measured(12.5))
    at = open_page(net="MobileNetV3-Small")
    assert card(at) == ("12.5 ms", "IQR 0.10 ms")
    assert "d ago" in bar(at)
    assert button(at, "measure").label == "Measure again"
    button(at, "measure").click()
    run(at)
    assert card(at)[0] == "12.5 ms", "the known one stays until the new one is there"
    until(at, idle)
    found = cached(design)
    assert found is not None
    assert found.measured_at != "2026-01-02T03:04:05+00:00"
    assert card(at) == (milliseconds(found.median_ms), f"IQR {milliseconds(found.iqr_ms)}")


def test_a_measurement_is_charged_to_its_visitor() -> None:
    at = open_page(net="VGG16")
    button(at, "measure").click()
    run(at)
    ticket = held("latency")
    assert ticket is not None
    assert {ticket.owner} == {name for name, _ in DESK._taken}
    assert ticket.address == "127.0.0.1"
    button(at, "measure").click()
    run(at)
    assert ticket.wait(10)


def test_a_run_of_another_visitor_can_be_joined_and_not_paused() -> None:
    measured = zoo_run.default_run()
    measured.start(visitor="other")
    at = open_page("latency")
    assert not [each for each in at.button if each.key == "pause"]
    button(at, "start").click()
    run(at)
    button(at, "pause").click()
    run(at)
    assert measured.is_for("other")
    assert measured.progress.left
    assert button(at, "start").label == "Join"


def test_a_full_queue_is_reported_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_ADDRESS_JOBS", "1")
    # Long enough for the whole test, small enough for the memory of the process.
    payload = {"design": effviz.architecture("vgg16").to_json(), "resolution": 224, "batch_size": 16, "threads": 1}
    payload["dtype"] = "float32"
    others = [default_manager().submit("running", "latency", payload, address="127.0.0.1")]
    try:
        limit = time.monotonic() + WAIT_S
        while others[0].state == "queued":
            assert time.monotonic() < limit
            time.sleep(0.02)
        others.append(default_manager().submit("waiting", "latency", payload, address="127.0.0.1"))
        at = open_page(**SMALL)
        button(at, "measure").click()
        run(at)
        assert [each.state for each in others] == ["running", "queued"]
        assert "Too many jobs of your network address are waiting for the torch process: 1 of at most 1." in bar(at)
    finally:
        for ticket in others:
            ticket.cancel()


def test_a_noisy_latency_has_a_badge_with_the_reasons() -> None:
    design = effviz.architecture("mobilenet_v3_small")
    at = open_page(net="MobileNetV3-Small")
    for latency, reasons in (
        (measured(10.0, iqr=1.0), ""),
        (measured(10.0, iqr=1.2), "Noisy: IQR is 12 % of the median."),
        (measured(10.0, loaded=True), "Noisy: the machine was busy."),
        (measured(10.0, iqr=3.0, loaded=True), "Noisy: the machine was busy, IQR is 30 % of the"),
    ):
        latencies._remembered.clear()
        remember(design, latency)
        run(at)
        assert bar(at).startswith("noisy 10.0 ms" if reasons else "10.0 ms")
        assert reasons in bar(at)
        assert any('class="noisy"' in entry.proto.body for entry in at.html) == bool(reasons)


def test_a_change_dims_the_latency_and_offers_a_new_one() -> None:
    remember(effviz.architecture("mobilenet_v3_small"), measured(12.5))
    at = open_page(net="MobileNetV3-Small")
    at.number_input(key="width").set_value(0.75)
    run(at)
    assert card(at) == ("12.5 ms", "before the change")
    assert bar(at).startswith("Not measured for this setting")
    assert button(at, "measure").label == "Measure latency"
    assert held("latency") is None
    at.number_input(key="width").set_value(1.0)
    run(at)
    assert card(at) == ("12.5 ms", "IQR 0.10 ms")


def test_a_latency_of_another_page_is_not_shown_as_stale() -> None:
    remember(effviz.architecture("mobilenet_v3_small"), measured(12.5))
    at = open_page(net="MobileNetV3-Small")
    assert card(at)[0] == "12.5 ms"
    diagram(at)
    for file in ("convolutions", "blocks"):
        at.switch_page(f"../../pages/{file}.py")
        run(at)
        assert card(at) == ("\N{EN DASH}", "not measured")
        assert not [each for each in at.get("graphviz_chart") if "MobileNetV3" in each.proto.alt]


def test_speed_follows_the_convention() -> None:
    speeds = {}
    for count in ("Multiply-adds", "FLOPs"):
        at = open_page(count=count, auto="true", **SMALL)
        until(at, idle)
        button(at, "measure").click()
        run(at)
        until(at, idle)
        (history,) = shown_history(at)
        (row,) = history.head(1).to_dict("records")
        speeds[count] = row[f"{count} per second (G)"] * row["Median (ms)"]
    assert speeds["FLOPs"] == pytest.approx(2 * speeds["Multiply-adds"])


def test_another_condition_is_another_latency() -> None:
    remember(effviz.architecture("mobilenet_v3_small"), measured(12.5))
    remember(effviz.architecture("mobilenet_v3_small"), measured(40.0, batch_size=4))
    at = open_page(net="MobileNetV3-Small", batch="4")
    assert card(at) == ("40.0 ms", "IQR 0.10 ms")
    assert "1 thread, batch 4, float32" in bar(at)
    at.button_group(key="dtype").set_value("bfloat16")
    run(at)
    assert card(at) == ("40.0 ms", "before the change")
    assert "1 thread, batch 4, bfloat16" in bar(at)


def test_scaled_is_compared_with_unscaled() -> None:
    remember(effviz.architecture("mobilenet_v3_small"), measured(10.0))
    remember(effviz.architecture("mobilenet_v3_small", width_mult=0.5), measured(7.0))
    assert card(open_page(net="MobileNetV3-Small", width="0.5")) == ("7.00 ms", "\N{MINUS SIGN}30.0 %")
    for noise in ({"iqr": 0.8}, {"loaded": True}):
        remember(effviz.architecture("mobilenet_v3_small", width_mult=0.5), measured(7.0, **noise))
        assert card(open_page(net="MobileNetV3-Small", width="0.5")) == ("7.00 ms", TOO_NOISY)


def test_the_gain_of_a_suggestion_is_the_difference_of_two_latencies() -> None:
    draft = Draft.of(effviz.architecture("vgg16"))
    (place, fixed), (other, also_fixed) = [
        (place, each.fix.design) for place, each in enumerate(lint(draft.design)) if each.fix
    ][:2]
    remember(draft.design, measured(10.0))
    remember(fixed, measured(8.0))
    remember(also_fixed, measured(9.0, loaded=True))
    at = open_page("studio", design=draft.packed(), part="Suggestions")
    for key, gain in (
        (place, "8.00 ms with the fix (\N{MINUS SIGN}20.0 %)"),
        (other, f"9.00 ms with the fix ({TOO_NOISY})"),
    ):
        button(at, f"gain_{key}").click()
        run(at)
        (text,) = (entry.proto.body for entry in at.html if "with the fix" in entry.proto.body)
        assert f"Latency: 10.0 ms now, {gain}." in html.unescape(text)


def test_auto_measures_after_every_change() -> None:
    at = open_page(auto="true", **SMALL)
    until(at, idle)
    assert cached(small()) is not None
    at.number_input(key="width").set_value(0.5)
    run(at)
    until(at, idle)
    found, unscaled = cached(small(width_mult=0.5)), cached(effviz.architecture("mobilenet_v3_small"))
    assert found is not None
    assert unscaled is not None
    assert card(at) == (milliseconds(found.median_ms), difference(found, unscaled))


def test_a_change_stops_the_unneeded_measurement() -> None:
    at = open_page(net="VGG-16", auto="true", batch="4")
    ticket = held("latency")
    assert ticket is not None
    until(at, lambda _: ticket.state == "running")
    put(at, "res", 64)
    newer = held("latency")
    assert newer is not ticket
    assert ticket.wait(WAIT_S)
    assert ticket.state == "cancelled"
    button(at, "measure").click()
    run(at)


def test_cancel() -> None:
    at = open_page(net="VGG-16", batch="4", auto="true")
    ticket = held("latency")
    assert ticket is not None
    until(at, lambda _: ticket.state == "running" and ticket.progress > 0)
    assert button(at, "measure").label == "Cancel"
    run(at)
    assert "1 thread, batch 4, float32" in bar(at)
    button(at, "measure").click()
    run(at)
    assert ticket.wait(WAIT_S)
    assert ticket.state == "cancelled"
    assert idle(at)
    assert at.toggle(key="auto").value is False
    assert bar(at).startswith("Not measured for this setting")


def test_a_too_large_network_is_refused_with_a_reason() -> None:
    at = open_page(net="EfficientNet-B7", res="2048", batch="256")
    before = metrics(at)
    for _ in range(2):
        button(at, "measure").click()
        run(at)
        assert bar(at).startswith("EfficientNet-B7 was not measured. Too large for this machine: needs about ")
        assert metrics(at) == before
        assert idle(at)
    at.number_input(key="batch").set_value(1)
    run(at)
    assert bar(at).startswith("Not measured for this setting")


def test_a_lost_process_costs_a_sentence_and_no_more() -> None:
    at = open_page(net="VGG-16", batch="4")
    button(at, "measure").click()
    run(at)
    ticket = held("latency")
    assert ticket is not None
    until(at, lambda _: ticket.state == "running")
    pid = default_manager().status.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(at, idle)
    assert bar(at).startswith("VGG-16 was not measured. The torch process ended during this job (SIGKILL")
    at.selectbox(key="net").set_value("mobilenet_v3_small")
    run(at)
    button(at, "measure").click()
    run(at)
    until(at, idle)
    assert cached(effviz.architecture("mobilenet_v3_small"), batch_size=4) is not None


def test_impossible_conditions_in_a_link_are_listed() -> None:
    expected = {
        "threads": (str(usable_cores() + 1), f"threads = {usable_cores() + 1} (1 to {usable_cores()})"),
        "batch": ("257", "batch = 257 (1 to 256)"),
        "dtype": ("float64", "dtype = float64 (choices: float32, bfloat16, float16)"),
        "auto": ("always", "auto = always (true or false)"),
        "draw": ("stage99.7", "draw = stage99.7 (choices: "),
    }
    at = open_page(**SMALL, **{key: value for key, (value, _) in expected.items()})
    for _, listed in expected.values():
        assert listed in line(at)
    assert card(at) == ("\N{EN DASH}", "not measured")


# --- diagrams ---------------------------------------------------------------------------------------------------------


def blocks_part(at: AppTest) -> AppTest:
    return show_part(at, "Blocks")


def diagram(at: AppTest) -> Any:
    run(blocks_part(at))
    until(at, lambda _: at.get("graphviz_chart") and held("diagram") is None)
    (found,) = at.get("graphviz_chart")
    return found.proto


@pytest.mark.parametrize(
    ("net", "path"),
    [("MobileNetV2", "stage5.1"), ("ResNet-50", "stage3.1"), ("DenseNet-121", "stage1.0"), ("VGG-16", None)],
)
def test_the_heaviest_repeated_block_is_drawn_first(net: str, path: str | None) -> None:
    at = open_page(net=net)
    design = next(effviz.architecture(name) for name in effviz.ARCHITECTURES if effviz.architecture(name).title == net)
    expected = draw(design, path=path or blocks_part(at).selectbox(key="draw").value)
    shown = diagram(at)
    assert (shown.spec, shown.alt) == (expected.dot, expected.title)
    assert any(html.escape(expected.title) in entry.proto.body for entry in at.html)
    assert [entry.value for entry in at.text if entry.value == expected.alt]


@pytest.mark.parametrize(
    ("choice", "options"),
    [
        ("Whole network, by stage", {"depth": 1}),
        ("Whole network, by block", {"depth": 2}),
        ("stage2.0: Inverted residual, stride 2", {"path": "stage2.0"}),
        ("classifier: linear", {"path": "classifier"}),
    ],
)
def test_a_diagram_by_link(choice: str, options: dict[str, Any]) -> None:
    at = open_page(net="MobileNetV2", width="0.5", res="96", draw=choice)
    assert line(at) == ""
    expected = draw(effviz.architecture("mobilenet_v2", width_mult=0.5, resolution=96), **options)
    assert diagram(at).spec == expected.dot


def test_a_selected_row_is_drawn() -> None:
    at = open_page(net="MobileNetV2", part="Blocks")
    (table,) = (entry for entry in at.dataframe if "a selected row is drawn" in entry.proto.alt)
    row = table.value["Block"].tolist().index("stage3.1 \N{MULTIPLICATION SIGN} 2")
    at.session_state[table.key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    run(at)
    # AppTest sets the selection without the callback that a browser's click would run; the choice does the same.
    at.selectbox(key="draw").set_value("stage3.1")
    run(at)
    assert diagram(at).spec == draw(effviz.architecture("mobilenet_v2"), path="stage3.1").dot


def test_the_table_of_blocks_shows_the_runs_of_equal_blocks() -> None:
    at = open_page(net="MobileNetV2", part="Blocks")
    (table,) = (entry.value for entry in at.dataframe if "a selected row is drawn" in entry.proto.alt)
    runs = block_runs(effviz.analyze(effviz.architecture("mobilenet_v2")))
    assert table["Parameters"].tolist() == [run.params for run in runs]
    assert table["Output"].tolist() == [run.output for run in runs]
    assert table["Share (%)"].sum() == pytest.approx(100)
    assert [int(text.partition("\N{MULTIPLICATION SIGN} ")[2] or 1) for text in table["Block"]] == [
        run.repeats for run in runs
    ]


def test_a_block_that_is_gone_gives_way() -> None:
    at = open_page(net="MobileNetV2", draw="stage5.2: Inverted residual")
    assert at.selectbox(key="draw").value == "stage5.2"
    at.number_input(key="depth").set_value(0.25)
    run(at)
    assert at.selectbox(key="draw").value in [entry.path for entry in effviz.analyze(
        effviz.architecture("mobilenet_v2", depth_mult=0.25)
    ).blocks]  # fmt: skip
    diagram(at)


def test_a_diagram_that_was_lost_can_be_drawn_again() -> None:
    at = open_page(net="MobileNetV2")
    diagram(at)
    pid = default_manager().status.pid
    assert pid is not None
    # Stopped, the process takes the job and does nothing.
    os.kill(pid, signal.SIGSTOP)
    at.selectbox(key="draw").set_value("stage2.0")
    run(at)
    assert held("diagram") is None, "a control that moves on requests no diagram"
    run(at)
    ticket = held("diagram")
    assert ticket is not None
    until(at, lambda _: ticket.state == "running")
    assert at.get("graphviz_chart"), "the former diagram stays, dimmed"
    os.kill(pid, signal.SIGKILL)
    until(at, lambda _: status(at))
    assert status(at)[0].startswith("The diagram was not drawn. The torch process ended during this job (SIGKILL")
    at.button(key="draw_again").click()
    run(at)
    assert diagram(at).spec == draw(effviz.architecture("mobilenet_v2"), path="stage2.0").dot


# --- other counters ---------------------------------------------------------------------------------------------------


def test_other_counters_do_not_run_without_a_request() -> None:
    at = open_page(**SMALL, part="Other counters")
    assert [entry for entry in at.dataframe if "other counters print" in entry.proto.alt]
    assert held("crosscheck") is None
    assert not [entry for entry in at.dataframe if "by other tools" in entry.proto.alt]


@pytest.mark.parametrize("net", ["MobileNetV3-Small", "DenseNet-121", "ShuffleNetV2"])
def test_other_counters_are_compared_with_effviz(net: str) -> None:
    at = open_page(net=net, check="true")
    until(at, lambda _: [entry for entry in at.dataframe if "by other tools" in entry.proto.alt])
    design = effviz.architecture(at.selectbox(key="net").value)
    expected = crosscheck(design)
    (table,) = (entry.value for entry in at.dataframe if "by other tools" in entry.proto.alt)
    assert table["Counter's result"].tolist() == [each.total for each in expected.comparisons]
    assert table["effviz"].tolist() == [each.effviz for each in expected.comparisons]
    assert (table["Difference"] - table["Explained"]).tolist() == table["Unexplained"].tolist() == [0] * len(table)
    (terms,) = (entry.value for entry in at.dataframe if "terms that the other" in entry.proto.alt)
    assert terms["Amount"].sum() == table["Difference"].sum()
    (said,) = (entry.value for entry in at.markdown if "Unexplained" in entry.value)
    assert said.endswith("Unexplained: **0**.")


# --- FLOPs are not latency --------------------------------------------------------------------------------------------


def fill(noisy: int = 0) -> dict[str, float]:
    """A latency for every network: memory access times a factor that changes from one to the next."""
    times = {}
    for position, entry in enumerate(ENTRIES):
        counted = report(entry)
        times[entry.title] = counted.memory_access / 1e6 * (1 + position % 3)
        iqr = 0.5 * times[entry.title] if position < noisy else 0.01
        remember(entry.design, measured(times[entry.title], iqr=iqr, resolution=counted.resolution))
    return times


def values(at: AppTest) -> dict[str, tuple[str, str]]:
    return {each.label: (each.value, each.delta) for each in metrics(at)}


def spearman(one: list[float], two: list[float]) -> float:
    """Without ties, from the squared differences of the ranks."""
    first, second = np.argsort(np.argsort(one)), np.argsort(np.argsort(two))
    count = len(one)
    return float(1 - 6 * ((first - second) ** 2).sum() / (count * (count**2 - 1)))


def test_before_anything_is_measured_the_printed_figures_are_there() -> None:
    at = open_page("latency")
    assert values(at)["Measured"] == (f"0 of {len(ENTRIES)}", "1 thread")
    assert values(at)["Rank correlation"] == ("\N{EN DASH}", "not measured")
    assert button(at, "start").label == f"Measure here: {len(ENTRIES)} networks"
    assert list(charts(at)) == ["printed_chart"]
    assert "Snapdragon 810" in charts(at)["printed_chart"]["alt"]


@pytest.mark.parametrize("column", list(PREDICTORS))
@pytest.mark.parametrize("limit", [None, 1e9], ids=["all", "mobile"])
def test_the_page_says_what_this_machine_shows(column: str, limit: float | None) -> None:
    times = fill(noisy=4)
    at = open_page("latency", part="Measured networks")
    at.button_group(key="by").set_value(column)
    at.button_group(key="size").set_value("all" if limit is None else "mobile")
    run(at)
    shown = [row(entry) for entry in ENTRIES if limit is None or report(entry).macs < limit]
    amounts, spans = [each[column] for each in shown], [times[each["title"]] for each in shown]
    speeds = [1e3 * amount / span for amount, span in zip(amounts, spans, strict=True)]
    found = values(at)
    assert found["Measured"][0] == f"{len(shown)} of {len(shown)}"
    if len(set(amounts)) == len(amounts):
        assert float(found["Rank correlation"][0]) == pytest.approx(spearman(amounts, spans), abs=0.00501)
    assert found["Lowest rate"] == (f"{si(min(speeds))}/s", shown[int(np.argmin(speeds))]["title"])
    # Several networks may have the highest speed.
    fastest = {each["title"] for each, speed in zip(shown, speeds, strict=True) if speed == pytest.approx(max(speeds))}
    assert found["Highest rate"][0] == f"{si(max(speeds))}/s"
    assert found["Highest rate"][1] in fastest
    assert found["Spread of rates"][0] == f"{max(speeds) / min(speeds):.1f}×"
    drawn = charts(at)["scatter"]
    points = [trace for trace in drawn["data"] if trace["mode"] == "markers" and trace["x"] != [None]]
    assert sorted(x for trace in points for x in trace["x"]) == sorted(amounts)
    assert sorted(y for trace in points for y in trace["y"]) == sorted(spans)
    assert sum(symbol.endswith("-open") for trace in points for symbol in trace["marker"]["symbol"]) == 4
    (table,) = (entry.value for entry in at.dataframe if "with counts, latency" in entry.proto.alt)
    assert table["Network"].tolist() == [each["title"] for each in shown]
    assert table["Median (ms)"].tolist() == spans
    assert button(at, "again_noisy").label == "Measure 4 noisy again"


def test_pairs_in_the_wrong_order_are_counted() -> None:
    times = fill()
    at = open_page("latency")
    macs = {entry.title: report(entry).macs for entry in ENTRIES}
    wrong = sum(macs[one] < macs[two] and times[one] > times[two] for one in times for two in times if one != two)
    (said,) = (entry.value for entry in at.markdown if "multiply-adds is faster" in entry.value)
    every = len(times) * (len(times) - 1) // 2
    assert said.startswith(
        f"In {wrong} of {every:,} pairs ({percent(wrong / every)}), the network with more multiply-adds is faster. "
    )


def test_flops_are_twice_the_multiply_adds_on_every_axis() -> None:
    fill()
    one, two = open_page("latency"), open_page("latency", count="FLOPs")
    for key in ("scatter", "printed_chart"):
        once, twice = (
            sorted(
                x
                for trace in charts(at)[key]["data"]
                for x in trace["x"]
                if x is not None and trace["mode"] == "markers"
            )
            for at in (one, two)
        )
        assert twice == [2 * x for x in once]
    assert values(one)["Spread of rates"] == values(two)["Spread of rates"]


def test_a_family_is_marked() -> None:
    fill()
    at = open_page("latency", family="ShuffleNet")
    titles = {entry.title for entry in ENTRIES if entry.design.family == "ShuffleNet"}
    drawn = charts(at)["scatter"]
    marked = {
        data[0]
        for trace in drawn["data"]
        if trace["mode"] == "markers" and trace["x"] != [None]
        for data, size in zip(trace["customdata"], trace["marker"]["size"], strict=True)
        if size > 9
    }
    assert marked == titles


def test_the_zoo_is_measured_in_the_background_paused_and_resumed() -> None:
    at = open_page("latency")
    button(at, "start").click()
    run(at)
    assert button(at, "pause").label == "Pause"
    progress = zoo_run.default_run().progress
    assert progress.threads == 1
    assert ENTRIES[0].title in bar(at) or progress.left < len(ENTRIES)
    until(at, lambda _: cached(ENTRIES[1].design) is not None)
    button(at, "pause").click()
    run(at)
    done = len(zoo_run.default_run().latencies())
    assert 2 <= done < len(ENTRIES)
    assert values(at)["Measured"][0] == f"{done} of {len(ENTRIES)}"
    assert button(at, "start").label == f"Measure here: {len(ENTRIES) - done} networks"
    assert bar(at).startswith("Paused.")
    # As after a restart: the memory of the process is gone, the disk is not.
    latencies._remembered.clear()
    assert values(run(at))["Measured"][0] == f"{done} of {len(ENTRIES)}"


def test_the_answers_are_those_of_this_machine_and_of_the_printed_one() -> None:
    times = fill()
    at = open_page("latency", part="Try this")
    speeds = {entry.title: report(entry).macs / times[entry.title] for entry in ENTRIES}
    one, two = min(speeds, key=speeds.__getitem__), max(speeds, key=speeds.__getitem__)
    macs = {entry.title: report(entry).macs for entry in ENTRIES}
    light, heavy = sorted((one, two), key=macs.__getitem__)
    assert questions(at)["here"]["question"] == (
        f"On this machine: {heavy} has {macs[heavy] / macs[light]:.1f} times the multiply-adds of {light}. "
        "How many times as long does it take?"
    )
    assert reveal(at, "here").startswith(f"{times[heavy] / times[light]:.2f}×.")
    assert re.match(r"\d+\.\d\d×\.", reveal(at, "printed"))


def test_every_printed_device_can_be_chosen() -> None:
    at = open_page("latency")
    devices = at.selectbox(key="printed").options
    assert len(devices) > 30
    for device in devices:
        at.selectbox(key="printed").set_value(device)
        run(at)
        (table,) = (entry.value for entry in at.dataframe if "latencies as published for" in entry.proto.alt)
        assert len(table) >= 3
        assert (table["Source"] != "").all()


def test_what_is_taken_away_names_its_conditions() -> None:
    from effviz.ui.convention import Convention
    from effviz.ui.page_parts.latency.controls import Options
    from effviz.ui.page_parts.latency.results import measured_table, measurements

    times = fill()
    table = measurements(Options("macs", None, "", 1, ""), Convention("flops", "float32"))
    text = measured_table(table, Convention("flops", "float32")).csv()
    rows = pd.read_csv(io.StringIO(text))
    assert rows["Network"].tolist() == list(times)
    assert rows["FLOPs"].tolist() == [2 * report(entry).macs for entry in ENTRIES]
    assert rows["Memory access (bytes)"].tolist() == [4 * report(entry).memory_access for entry in ENTRIES]
    assert json.loads(rows.to_json())["Median (ms)"]["0"] == pytest.approx(times[ENTRIES[0].title])
