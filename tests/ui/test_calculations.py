"""Long calculations run in another process, can be cancelled, and leave the page usable."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from page_reader import charts, headings, open_page, run
from streamlit.testing.v1 import AppTest
from worst import WORST

from effviz.core import caches, progress
from effviz.core.caches import NotKnownError, known, plant, remembered
from effviz.core.errors import DesignError, fail
from effviz.model.draft import Draft
from effviz.ui import first_visits
from effviz.ui.widgets import calculation
from effviz.worker.calculations import Pool, value_of


@pytest.fixture
def pool() -> Iterator[Pool]:
    found = Pool(1)
    yield found
    found.close()


@remembered
def place(number: int) -> tuple[int, str, int]:
    """Return the process and the thread of the call, and the number."""
    return os.getpid(), threading.current_thread().name, number


@remembered
def endless(number: int) -> int:
    """Compute remembered functions until the process ends."""
    while True:
        number += place(number)[2] >= 0


def deaf(seconds: float) -> float:
    """Call no remembered function for some time."""
    time.sleep(seconds)
    return seconds


def halfway() -> None:
    """Report the half, repeatedly because reports are limited to ten per second, until the process ends."""
    while True:
        progress.report(0.5, "1 of 2 steps")
        caches.pause()


def illegal(number: int) -> int:
    fail("number", number, "must be another one")


def test_a_calculation_runs_in_another_process(pool: Pool) -> None:
    ticket = pool.submit("me", place, 7, address="")
    assert ticket.wait(60)
    process, _, number = value_of(ticket)
    assert number == 7
    assert process != os.getpid()


def test_a_calculation_reports_its_progress(pool: Pool) -> None:
    ticket = pool.submit("me", halfway, address="")
    while ticket.progress < 0.5:
        assert not ticket.ended
        time.sleep(0.01)
    assert (ticket.progress, ticket.message) == (0.5, "1 of 2 steps")
    ticket.cancel()
    assert ticket.wait(10)


def test_a_prepared_result_is_known(pool: Pool) -> None:
    calculation.prepare(pool, place, 8)
    process, _, number = known(place, 8)
    assert number == 8
    assert process != os.getpid()


def test_a_closed_server_prepares_nothing_more(pool: Pool) -> None:
    caches.forget()
    thread = first_visits.start(pool)
    pool.close()
    thread.join(30)
    assert not thread.is_alive()
    assert pool.closed
    with pytest.raises(NotKnownError):
        known(*first_visits.CALLS[-1])


def test_the_first_visits_find_what_the_server_has_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(function(*arguments), function, *arguments) for function, *arguments in first_visits.CALLS]
    caches.forget()  # as in a server, whose other process computes them
    for each in found:
        plant(*each)

    def none() -> Pool:
        raise AssertionError("a page calculates")

    monkeypatch.setattr(calculation, "pool", none)
    for path, query in (
        ("find", {}), ("find", {"others": "true"}), ("literature", {}), ("search", {"part": "The search"}),
        ("search", {"part": "The space"}),
    ):  # fmt: skip
        at = open_page(path, **query)
        assert headings(at), path
        assert not any('class="reserved' in entry.proto.body for entry in at.html), path


def test_an_illegal_argument_is_a_result(pool: Pool) -> None:
    ticket = pool.submit("me", illegal, 7, address="")
    assert ticket.wait(60)
    assert isinstance(value_of(ticket), DesignError)
    assert str(value_of(ticket)) == "number = 7 must be another one"


@pytest.mark.parametrize("call", [(endless, 1), (deaf, 600.0)])
def test_a_running_calculation_can_be_cancelled(pool: Pool, call: tuple[object, object]) -> None:
    ticket = pool.submit("me", *call, address="")  # type: ignore[arg-type]
    while ticket.started_at is None:
        time.sleep(0.01)
    ticket.cancel()
    assert ticket.wait(10)
    assert ticket.state == "cancelled"
    later = pool.submit("other", place, 1, address="")
    assert later.wait(60)
    assert value_of(later)[2] == 1


def test_a_long_calculation_leaves_a_process_to_others() -> None:
    pool = Pool(2)
    try:
        long = pool.submit("me", endless, 1, address="")
        short = pool.submit("other", place, 1, address="")
        assert short.wait(60)
        assert not long.ended
    finally:
        pool.close()


def test_a_planted_result_is_remembered() -> None:
    caches.forget()
    with pytest.raises(NotKnownError):
        known(place, 3)
    plant((0, "there", 3), place, 3)
    assert place(3) == known(place, 3) == (0, "there", 3)
    assert place(4)[0] == os.getpid()


# --- on a page -----------------------------------------------------------------------------------------------------

SLOW = {"net": "densenet121", "phi": "2", "alpha": "1.23"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    caches.forget()
    monkeypatch.setattr(calculation, "PATIENCE_S", 0.0)


def button(at: AppTest, label: str) -> list[str]:
    return [each.key for each in at.button if each.label == label]


def lines(at: AppTest) -> str:
    return " ".join(entry.proto.body for entry in at.html)


@pytest.mark.usefixtures("impatient")
def test_a_page_shows_progress_cancels_and_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_page("scaling", **SLOW)
    assert "Built sizes: " in lines(at)
    assert "stairs_0" not in charts(at)
    at.number_input(key="phi").set_value(3.0)
    run(at)
    assert charts(at).keys() == set()
    assert "Built sizes: " in lines(at), "the page stays usable"
    at.button(key=button(at, "Cancel")[0]).click()
    run(at)
    assert "Built sizes: cancelled." in lines(at)
    assert button(at, "Cancel") == []
    monkeypatch.setattr(calculation, "PATIENCE_S", 100.0)
    at.button(key=button(at, "Calculate")[0]).click()
    run(at)
    assert "stairs_0" in charts(at)


@pytest.mark.usefixtures("impatient")
def test_a_failed_calculation_says_so_and_is_tried_again(monkeypatch: pytest.MonkeyPatch, pool: Pool) -> None:
    monkeypatch.setattr(calculation, "pool", lambda: pool)
    at = open_page("scaling", **SLOW)
    (manager,) = pool.managers
    while manager.status.process != "busy":
        time.sleep(0.01)
    os.kill(manager.status.pid, signal.SIGKILL)
    while manager.status.process == "busy":
        time.sleep(0.01)
    at.run()
    assert "Built sizes: not calculated. The process for calculations ended during this job" in lines(at)
    monkeypatch.setattr(calculation, "PATIENCE_S", 100.0)
    at.button(key=button(at, "Try again")[0]).click()
    run(at)
    assert "stairs_0" in charts(at)


@pytest.mark.usefixtures("impatient")
def test_a_large_network_is_counted_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    query = {"design": Draft.of(WORST["recipes of fragments"]()).packed(), "part": "Suggestions"}
    waiting = open_page("studio", **query)
    assert "Counts of a large network: " in lines(waiting)
    assert waiting.number_input(key="set_width_mult").value == 1.0, "its settings can be changed"
    monkeypatch.setattr(calculation, "PATIENCE_S", 100.0)
    computed = []
    monkeypatch.setattr(caches, "pause", lambda: computed.append(1))
    assert "suggestion" in " ".join(headings(open_page("studio", **query)))
    assert len(computed) < 100, "this process computes only what it shows"
