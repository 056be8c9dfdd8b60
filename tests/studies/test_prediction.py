"""The zoo against the clock: what is counted and followed from it, and the background measurement that fills it."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
import worker_jobs
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples
from torch import Tensor, nn

import effviz
from effviz.measure import latency
from effviz.measure.background import OWNER, Progress, ZooRun, default_run
from effviz.measure.latency import Latency, remember
from effviz.studies.prediction import (
    ENTRIES,
    PREDICTORS,
    Contrast,
    Entry,
    Inversion,
    contrast,
    highlights,
    inversions,
    predictors,
    ranks,
    report,
    row,
    speed_extremes,
)
from effviz.studies.printed_latency import devices, latencies
from effviz.worker.jobs import JOBS
from effviz.worker.limits import usable_cores
from effviz.worker.manager import Manager, Ticket

pytestmark = pytest.mark.processes
repeatable = settings(max_examples=examples(50))


# --- what is counted ----------------------------------------------------------------------------------------------

SAMPLE = [
    Entry("mobilenet_v1", {"width_mult": 0.25}),
    Entry("mobilenet_v2"),
    Entry("mobilenet_v3_small", {"width_mult": 0.75}),
    Entry("shufflenet_v1", {"groups": 8}),
    Entry("shufflenet_v2", {"width_mult": 1.5}),
    Entry("ghostnet", {"width_mult": 1.3}),
    Entry("efficientnet_b1"),
    Entry("squeezenet1_1"),
    Entry("densenet121"),
    Entry("resnet18"),
    Entry("alexnet"),
]
each_sample = pytest.mark.parametrize("entry", SAMPLE, ids=lambda entry: entry.title)


def _module(entry: Entry) -> tuple[nn.Module, oracle.Shape]:
    return effviz.build(entry.design, device="meta"), entry.design.input_shape()


@each_sample
def test_counts_are_what_torch_runs(entry: Entry) -> None:
    module, shape = _module(entry)
    written: list[int] = []

    def hook(_module: nn.Module, _args: Any, output: Tensor) -> None:
        written.append(output.numel())

    layers = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    for layer in layers:
        layer.register_forward_hook(hook)
    macs = oracle.count_macs(module, shape)
    assert len(written) >= len(layers) > 0
    found = report(entry)
    assert found.activations == sum(written)
    assert found.macs == macs
    assert found.params == sum(parameter.numel() for parameter in module.parameters())
    assert found.resolution == shape[-1]


@pytest.mark.parametrize("entry", SAMPLE[2:4], ids=lambda entry: entry.title)
def test_memory_access_follows_the_assumption(entry: Entry) -> None:
    module, shape = _module(entry)
    expected = {
        "paper": oracle.paper_memory_access(module, shape),
        "fused": oracle.fused_memory_access(module, shape),
        "eager": oracle.eager_memory_access(module, shape),
    }
    assert len(set(expected.values())) == 3
    assert {memory: report(entry, memory).memory_access for memory in expected} == expected
    assert row(entry) == row(entry, "fused")
    others = {tuple((row(entry, memory) | {"memory_access": 0}).items()) for memory in expected}
    assert len(others) == 1, "nothing else depends on it"


def test_titles_are_unique_and_name_the_multiplier() -> None:
    titles = [entry.title for entry in ENTRIES]
    assert len(set(titles)) == len(titles)
    assert {"ResNet-50", "MobileNetV2", "MobileNetV2 1.4x", "MobileNetV1 0.25x", "ShuffleNetV1 (g = 8)"} <= set(titles)
    assert all(row(entry)["title"] == entry.title for entry in ENTRIES)


def test_every_family_is_there_as_it_is_published() -> None:
    plain = [entry for entry in ENTRIES if not entry.options]
    names = {entry.name for entry in plain}
    assert len(names) == len(plain)
    assert names <= set(effviz.list_architectures())
    families = {effviz.architecture(name).family for name in effviz.list_architectures()}
    assert {entry.design.family for entry in plain} == families
    # Only sizes of a series with other sizes are left out, and it stays a minority.
    assert 2 * len(names) > len(effviz.list_architectures())
    for entry in plain:
        assert entry.design == effviz.architecture(entry.name)
    assert {row(entry)["family"] for entry in ENTRIES} >= {"MobileNet", "ShuffleNet", "ResNet", "EfficientNet"}


def test_the_cheapest_comes_first() -> None:
    macs = [report(entry).macs for entry in ENTRIES]
    assert all(before <= after for before, after in pairwise(macs))
    assert min(macs) > 0


def test_counts_have_every_predictor() -> None:
    assert set(PREDICTORS) <= set(row(SAMPLE[0]))


# --- what follows from it -----------------------------------------------------------------------------------------


def _ranks(values: list[float]) -> np.ndarray[Any, Any]:
    """From 1, in the order of a sort; equal values get the mean of their places."""
    places = np.empty(len(values))
    places[np.argsort(values, kind="stable")] = np.arange(1, len(values) + 1)
    return np.array([places[[other == value for other in values]].mean() for value in values])


def _table(amounts: list[int], times: list[float], column: str = "macs") -> list[dict[str, Any]]:
    pairs = zip(amounts, times, strict=True)
    return [{"title": f"Net {index}", column: amount, "latency_ms": time} for index, (amount, time) in enumerate(pairs)]


def _columns(amount: st.SearchStrategy[int], time: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    rows = st.lists(st.tuples(amount, time), min_size=2, max_size=12)
    return rows.map(lambda pairs: tuple(map(list, zip(*pairs, strict=True))))


tied = _columns(st.integers(1, 4), st.sampled_from([0.5, 1.0, 1.5, 2.0]))
distinct = st.integers(2, 30).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(1, 10**12), min_size=size, max_size=size, unique=True),
        st.lists(st.floats(1e-3, 1e5), min_size=size, max_size=size, unique=True),
    )
)


@given(rows=tied | distinct)
@repeatable
def test_rank_correlation(rows: tuple[list[int], list[float]]) -> None:
    one, two = (_ranks([float(value) for value in column]) for column in rows)
    found = ranks(_table(*rows), "macs")
    assert found.by_count == pytest.approx(len(one) * one.var())
    assert found.by_latency == pytest.approx(len(two) * two.var())
    assert found.together == pytest.approx(np.dot(one, two) - one.sum() * two.mean(), abs=1e-6)
    if np.ptp(one) and np.ptp(two):
        assert found.correlation == pytest.approx(np.corrcoef(one, two)[0, 1], abs=1e-9)
    else:
        assert math.isnan(found.correlation)


@given(rows=distinct)
@repeatable
def test_rank_correlation_without_ties_is_spearmans_short_formula(rows: tuple[list[int], list[float]]) -> None:
    size = len(rows[0])
    places = [{value: place for place, value in enumerate(sorted(column))} for column in rows]
    gaps = sum((places[0][amount] - places[1][time]) ** 2 for amount, time in zip(*rows, strict=True))
    expected = 1 - 6 * gaps / (size * (size**2 - 1))
    assert ranks(_table(*rows), "macs").correlation == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("times", "correlation"),
    [([1.0, 2.0, 9.0, 9.5], 1.0), ([4.0, 3.0, 2.0, 1.0], -1.0), ([2.0, 1.0, 4.0, 3.0], 0.6), ([1.0] * 4, math.nan)],
)
def test_rank_correlation_by_hand(times: list[float], correlation: float) -> None:
    table = _table([10, 20, 30, 40], times)
    assert ranks(table, "macs").correlation == pytest.approx(correlation, nan_ok=True)
    (found,) = predictors(table)
    assert found.rank_correlation == pytest.approx(correlation, nan_ok=True)


def test_predictors_by_hand() -> None:
    table = [
        {"title": "A", "latency_ms": 2.0, "params": 10, "macs": 1_000},
        {"title": "B", "latency_ms": 4.0, "params": 20, "macs": 4_000},
        {"title": "C", "latency_ms": 5.0, "params": 25, "macs": 1_000},
    ]
    macs, params = predictors(table)
    assert (macs.column, macs.label) == ("macs", "multiply-adds")
    # Per second: 1,000 in 2 ms are 500,000; 4,000 in 4 ms a million; 1,000 in 5 ms 200,000.
    assert (macs.slowest, macs.fastest, macs.spread) == pytest.approx((200_000, 1_000_000, 5))
    assert macs.rank_correlation == pytest.approx(0)
    assert (params.column, params.label) == ("params", "parameters")
    assert (params.slowest, params.fastest, params.spread) == pytest.approx((5_000, 5_000, 1))
    assert params.rank_correlation == pytest.approx(1)


@given(rows=tied | distinct)
@repeatable
def test_spread_is_the_widest_gap_of_speeds(rows: tuple[list[int], list[float]]) -> None:
    (found,) = predictors(_table(*rows, column="activations"))
    speeds = [1000 * amount / time for amount, time in zip(*rows, strict=True)]
    assert found.column == "activations"
    assert found.slowest == pytest.approx(min(speeds))
    assert found.fastest == pytest.approx(max(speeds))
    assert found.spread == pytest.approx(max(one / two for one in speeds for two in speeds))


def test_predictors_of_the_zoo() -> None:
    rows = [row(entry) | {"latency_ms": 1.0 + index} for index, entry in enumerate(ENTRIES)]
    assert [found.column for found in predictors(rows)] == list(PREDICTORS)
    some = [{key: each[key] for key in ("title", "latency_ms", "macs", "memory_access")} for each in rows]
    assert [found.column for found in predictors(some)] == ["macs", "memory_access"]
    assert predictors(rows)[0].rank_correlation == pytest.approx(1), "entries are sorted by multiply-adds"


@given(rows=tied | distinct)
@repeatable
def test_inversions(rows: tuple[list[int], list[float]]) -> None:
    table = _table(*rows)
    nets = list(zip([each["title"] for each in table], *rows, strict=True))
    expected = {
        (heavy, light): (macs / less, longer / time)
        for heavy, macs, time in nets
        for light, less, longer in nets
        if macs > less and time < longer
    }
    found = inversions(table)
    assert {(pair.heavy, pair.light): (pair.more_macs, pair.faster) for pair in found} == expected
    assert len(found) == len(expected)
    striking = [pair.more_macs * pair.faster for pair in found]
    assert striking == sorted(striking, reverse=True)


def test_inversions_by_hand() -> None:
    assert inversions(_table([100, 250, 400], [3.0, 2.0, 1.0])) == [
        Inversion("Net 2", "Net 0", 4.0, 3.0),
        Inversion("Net 1", "Net 0", 2.5, 1.5),
        Inversion("Net 2", "Net 1", 1.6, 2.0),
    ]
    assert inversions(_table([100, 100, 200], [3.0, 2.0, 3.0])) == []


def test_the_contrast_is_between_the_slowest_and_the_fastest_network() -> None:
    table = _table([100, 300, 200], [1.0, 2.0, 4.0])
    assert speed_extremes(table, "macs") == (2, 1)
    assert contrast(table) == Contrast("Net 2", "Net 1", 1.5, 0.5)
    equal = contrast(_table([100, 100], [1.0, 2.0]))
    assert (equal.more_macs, {equal.light, equal.heavy}) == (1.0, {"Net 0", "Net 1"})


def test_highlights_are_a_family_or_the_most_striking_inversion() -> None:
    networks = zip(_table([100, 250, 400], [3.0, 2.0, 1.0]), "aba", strict=True)
    table = [each | {"family": family} for each, family in networks]
    assert highlights(table) == {"Net 0", "Net 2"}
    assert highlights(table, "a") == {"Net 0", "Net 2"}
    assert highlights(table, "b") == {"Net 1"}
    assert highlights(_table([100, 200], [1.0, 2.0])) == set()


def test_latencies_on_a_device() -> None:
    table = latencies()
    assert list(devices()) == list(table["where"].unique())
    for where, rows in devices().items():
        assert [each["title"] for each in rows] == table.loc[table["where"] == where, "title"].tolist()
        assert {each["where"] for each in rows} == {where}
        assert not any(each["noisy"] for each in rows)


# --- measuring in the background, in the torch process ------------------------------------------------------------

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="as in test_worker")
FIRST, SECOND, THIRD = TINY = (
    Entry("mobilenet_v1", {"width_mult": 0.25, "resolution": 32}),
    Entry("shufflenet_v2", {"width_mult": 0.5, "resolution": 32}),
    Entry("squeezenet1_1", {"resolution": 32}),
)
TITLES = [entry.title for entry in TINY]
HUGE = Entry("vgg16", {"resolution": 1024})


class Watched(Manager):
    """A manager that records the jobs of the zoo."""

    def __init__(self, **options: Any) -> None:
        super().__init__(jobs={**JOBS, **worker_jobs.JOBS}, **options)
        self.asked: list[Ticket] = []

    def submit(self, owner: str, *arguments: Any, **options: Any) -> Ticket:
        ticket = super().submit(owner, *arguments, **options)
        if owner == OWNER:
            self.asked.append(ticket)
        return ticket


@pytest.fixture(scope="module")
def shared_manager() -> Iterator[Watched]:
    with Watched(memory_limit=2**30) as made:
        yield made


@pytest.fixture
def manager(shared_manager: Watched) -> Watched:
    shared_manager.asked.clear()
    return shared_manager


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A separate cache for every test."""
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latency._remembered.clear()
    yield tmp_path / "latency"
    latency._remembered.clear()


@pytest.fixture
def run(manager: Watched, folder: Path) -> Iterator[ZooRun]:
    made = ZooRun(TINY, lambda: manager)
    yield made
    made.pause()
    idle(made)


@pytest.fixture
def blocker(manager: Watched) -> Iterator[Ticket]:
    """Keeps the torch process until it is cancelled."""
    ticket = manager.submit("another visitor", "give_up", {})
    until(lambda: ticket.started_at is not None)
    yield ticket
    ticket.cancel()
    assert ticket.wait(30)


def until(condition: Callable[[], Any], within: float = 60.0) -> None:
    limit = time.monotonic() + within
    while not condition():
        assert time.monotonic() < limit, "the state is not reached"
        time.sleep(0.005)


def idle(run: ZooRun) -> None:
    """Wait until the run has ended and released its last job."""
    until(lambda: run._thread is None)


def some(entry: Entry, milliseconds: float = 10.0, threads: int = 1) -> Latency:
    """As if measured before, on another page."""
    found = Latency(
        median_ms=milliseconds,
        p90_ms=milliseconds,
        iqr_ms=0.0,
        min_ms=milliseconds,
        runs=20,
        loaded=False,
        batch_size=1,
        threads=threads,
        resolution=entry.design.resolution,
        environment=latency.environment(threads),
        measured_at="2026-01-31T12:00:00+00:00",
    )
    remember(entry.design, found)
    return found


@on_linux
def test_everything_is_measured_once_and_found_again(run: ZooRun, manager: Watched, folder: Path) -> None:
    assert run.latencies() == {}
    assert run.progress == Progress()
    run.start()
    seen = [run.progress]
    while seen[-1].threads is not None:
        seen.append(run.progress)
        time.sleep(0.005)
    idle(run)
    found = run.latencies()
    assert list(found) == TITLES
    assert all(each.median_ms > 0 and each.runs >= 20 and each.threads == 1 for each in found.values())
    assert [each.resolution for each in found.values()] == [32] * 3
    assert run.failures() == {}
    # One network after the other, from nothing done to all of it.
    *during, after = seen
    assert after == Progress()
    assert {each.threads for each in during} == {1}
    assert [(each.left, each.title) for each in during] == sorted(
        ((each.left, each.title) for each in during), key=lambda step: -step[0]
    )
    assert {(each.left, each.title) for each in during} == set(zip((3, 2, 1), TITLES, strict=True))
    assert all(0 <= each.fraction <= 1 for each in during)
    for title in TITLES:
        fractions = [each.fraction for each in during if each.title == title]
        assert fractions == sorted(fractions)
        assert any(0 < fraction < 1 for fraction in fractions)
    assert any(each.message.startswith("run ") for each in during)
    assert [ticket.state for ticket in manager.asked] == ["done"] * 3

    # Nothing is measured twice, neither in a second run nor after a restart.
    run.start()
    assert run.progress == Progress()
    latency._remembered.clear()
    restarted = ZooRun(TINY, lambda: manager)
    assert restarted.latencies() == found
    restarted.start()
    assert restarted.progress == Progress()
    assert restarted._thread is None
    assert len(manager.asked) == 3
    assert len(list(folder.glob("*.json"))) == 3


@on_linux
def test_pause_keeps_the_measurements_and_start_continues(run: ZooRun, manager: Watched) -> None:
    run.start()
    until(lambda: run.progress.title == SECOND.title and run.progress.fraction > 0)
    run.pause()
    assert run.progress == Progress(), "immediately, even if the process has not released its job"
    idle(run)
    before = run.latencies()
    assert list(before) == [FIRST.title]
    assert run.failures() == {}
    assert [ticket.state for ticket in manager.asked] == ["done", "cancelled"]
    until(lambda: manager.status.process == "idle")

    run.start()
    assert run.progress.left == 2
    assert run.progress.title == SECOND.title
    until(lambda: run.progress == Progress())
    after = run.latencies()
    assert list(after) == TITLES
    assert after[FIRST.title] is before[FIRST.title]
    assert [ticket.state for ticket in manager.asked] == ["done", "cancelled", "done", "done"]


@on_linux
def test_only_what_is_missing_is_measured(run: ZooRun, manager: Watched) -> None:
    known = {entry.title: some(entry) for entry in (FIRST, THIRD)}
    # With other threads it is another measurement.
    some(SECOND, threads=2)
    assert list(run.latencies()) == [FIRST.title, THIRD.title]
    assert list(run.latencies(threads=2)) == [SECOND.title]
    run.start()
    assert run.progress.left == 1
    until(lambda: run.progress == Progress())
    found = run.latencies()
    assert list(found) == TITLES
    assert {title: found[title] for title in known} == known
    assert len(manager.asked) == 1


@on_linux
def test_again_repeats_the_measurements(run: ZooRun, manager: Watched) -> None:
    old = {entry.title: some(entry, 1e6) for entry in TINY}
    run.start(again=[SECOND.title, "no such network"])
    assert run.latencies() == old, "the former value stays until there is a newer one"
    assert (run.progress.left, run.progress.title) == (1, SECOND.title)
    until(lambda: run.progress == Progress())
    found = run.latencies()
    assert found[SECOND.title].measured_at > old[SECOND.title].measured_at
    assert found[SECOND.title].median_ms < 1e6
    assert [title for title in TITLES if found[title] is old[title]] == [FIRST.title, THIRD.title]
    assert len(manager.asked) == 1


@on_linux
def test_a_network_that_is_refused_does_not_stop_the_others(manager: Watched, folder: Path) -> None:
    for entry in (FIRST, THIRD):
        some(entry)
    run = ZooRun((HUGE, *TINY), lambda: manager)
    run.start()
    until(lambda: run.progress == Progress())
    assert list(run.latencies()) == TITLES
    (why,) = run.failures().values()
    assert list(run.failures()) == [HUGE.title]
    assert why.startswith("Too large for this machine: needs about ")
    assert why.endswith(" GiB, the limit is 1.00 GiB.")
    assert run.failures(threads=2) == {}
    # A second run tries it again.
    before = len(manager.asked)
    run.start()
    until(lambda: run.progress == Progress())
    assert run.failures() == {HUGE.title: why}
    assert [ticket.reason for ticket in manager.asked[before:]] == ["memory"]
    # A measurement with more memory clears the failure.
    some(HUGE)
    run.start()
    assert run.failures() == {}


def test_threads_that_are_not_there_are_a_failure_of_each(folder: Path) -> None:
    threads = usable_cores() + 1
    with Manager(memory_limit=1) as manager:
        run = ZooRun(TINY, lambda: manager)
        run.start(threads)
        idle(run)
        assert list(run.failures(threads)) == TITLES
        for why in run.failures(threads).values():
            assert why.startswith(f"threads = {threads} must be at most {threads - 1}, ")
        assert run.failures() == {}
        assert run.progress == Progress()
        assert manager.status.process == "off"


@on_linux
@pytest.mark.skipif(usable_cores() == 1, reason="one thread is all there is")
def test_other_threads_take_over(run: ZooRun, manager: Watched, blocker: Ticket) -> None:
    run.start()
    until(lambda: manager.status.waiting == 1)
    run.start(threads=2)
    assert run.progress.threads == 2
    assert run.progress.left == 3
    blocker.cancel()
    until(lambda: run.progress == Progress())
    assert run.latencies() == {}
    found = run.latencies(threads=2)
    assert list(found) == TITLES
    assert {each.threads for each in found.values()} == {2}
    assert manager.asked[0].state == "cancelled"
    assert [ticket.payload["threads"] for ticket in manager.asked] == [1, 2, 2, 2]


@on_linux
def test_waiting_is_reported_and_can_be_paused(run: ZooRun, manager: Watched, blocker: Ticket) -> None:
    run.start()
    until(lambda: run.progress.message == "waiting, position 1 in the queue")
    assert run.progress == Progress(1, 3, FIRST.title, "waiting, position 1 in the queue", 0.0)
    run.pause()
    idle(run)
    assert manager.status.waiting == 0
    assert [ticket.state for ticket in manager.asked] == ["cancelled"]
    assert not blocker.ended
    run.pause()
    assert run.progress == Progress()
    assert run.latencies() == {}


@on_linux
def test_a_visitor_pauses_only_what_no_other_needs(run: ZooRun, manager: Watched, blocker: Ticket) -> None:
    run.start(visitor="a")
    until(lambda: manager.status.waiting == 1)
    run.pause("b")
    run.start(threads=usable_cores(), visitor="b", among=[SECOND])
    assert run.progress.threads == 1, "it does not replace the measurement of another"
    run.start(visitor="b")
    assert run.is_for("a")
    assert run.is_for("b")
    run.pause("a")
    assert not run.is_for("a")
    assert run.progress.title == FIRST.title
    assert manager.asked[0].state == "queued"
    run.pause("b")
    idle(run)
    assert [ticket.state for ticket in manager.asked] == ["cancelled"]
    assert run.progress == Progress()
    assert not run.is_for("b")


@on_linux
def test_paused_while_the_manager_is_created(manager: Watched, folder: Path, blocker: Ticket) -> None:
    def create() -> Manager:
        run.pause()
        return manager

    run = ZooRun(TINY, create)
    run.start()
    idle(run)
    assert [ticket.state for ticket in manager.asked] == ["cancelled"]
    assert run.progress == Progress()
    assert manager.status.waiting == 0


@on_linux
def test_started_twice_it_measures_once(run: ZooRun, manager: Watched, blocker: Ticket) -> None:
    for _ in range(3):
        run.start()
    until(lambda: manager.status.waiting == 1)
    assert run.progress.left == 3
    blocker.cancel()
    run.start()
    until(lambda: run.progress.fraction > 0)
    run.start()
    assert run.progress.left == 3
    assert sum(thread.name == "effviz-zoo" for thread in threading.enumerate()) == 1
    until(lambda: run.progress == Progress())
    assert list(run.latencies()) == TITLES
    assert run.failures() == {}
    finished = [ticket for ticket in manager.asked if ticket.state == "done"]
    assert len(finished) == 3
    assert {ticket.state for ticket in manager.asked} == {"done", "cancelled"}
    # Never two of its jobs at once, neither running nor waiting.
    for before, after in pairwise(manager.asked):
        assert before.finished_at is not None
        assert before.finished_at <= after.submitted_at


@on_linux
def test_a_closed_manager_ends_the_run(folder: Path) -> None:
    made: list[Watched] = []

    def manager() -> Manager:
        """As `default_manager`: a new one for the old one that is closed."""
        if not made or made[-1].closed:
            made.append(Watched(memory_limit=2**30))
        return made[-1]

    run = ZooRun(TINY, manager)
    try:
        run.start()
        until(lambda: run.progress.fraction > 0)
        made[0].close()
        idle(run)
        assert len(made) == 1
        assert run.progress == Progress()
        assert run.failures() == {}
        assert len(run.latencies()) < len(TINY)
        # The remaining networks are measured in a new process.
        for entry in (SECOND, THIRD):
            some(entry)
        run.start()
        until(lambda: run.progress == Progress())
        assert list(run.latencies()) == TITLES
    finally:
        for each in made:
            each.close()


def test_a_closed_manager_is_reported(folder: Path) -> None:
    closed = Manager(memory_limit=2**30)
    closed.close()
    run = ZooRun(TINY, lambda: closed)
    run.start()
    idle(run)
    assert run.failures() == dict.fromkeys(TITLES, "the manager of the torch process is closed")
    assert run.progress == Progress()


def test_starts_from_many_threads_do_not_mix(folder: Path) -> None:
    """All networks are refused at once, so that starts and ends meet often; the last start is done to its end."""
    entries = [Entry("mobilenet_v1", {"width_mult": width, "resolution": 32}) for width in (0.25, 0.5, 0.75, 1.0)]
    titles = [entry.title for entry in entries]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with Manager(memory_limit=1) as manager:
            for _ in range(60):
                run = ZooRun(entries, lambda: manager)
                gate = threading.Barrier(4)

                def visit(threads: int, run: ZooRun = run, gate: threading.Barrier = gate) -> None:
                    gate.wait(30)
                    run.start(threads)

                visitors = [threading.Thread(target=visit, args=(1 + index % 2,)) for index in range(4)]
                for each in visitors:
                    each.start()
                for each in visitors:
                    each.join(30)
                idle(run)
                assert run.progress == Progress()
                assert titles in (list(run.failures(1)), list(run.failures(2)))
            assert manager.status.process == "off"
    finally:
        sys.setswitchinterval(before)


def test_the_default_run_is_one_and_about_the_zoo() -> None:
    assert default_run() is default_run()
    assert default_run().entries is ENTRIES
    assert default_run().progress == Progress()
