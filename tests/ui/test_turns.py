"""One visitor's largest legal work does not delay the move of another one."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from urllib.parse import urlencode

import pytest
from server import running_server
from visitor import Visitor, visiting
from worst import WORST, cpu

from effviz.core import caches
from effviz.model.draft import Draft
from effviz.ui import turns as turns_of_visitors
from effviz.ui.turns import SHORT_S, Turns

IDLE_LOOP_S = 0.04


def test_an_old_run_waits_for_a_young_one() -> None:
    turns, log = Turns(), []
    began, young = threading.Event(), threading.Event()

    def work() -> None:
        with turns.run():
            began.set()
            young.wait()
            start = time.monotonic()
            turns.give_way()
            log.append(time.monotonic() - start)

    thread = threading.Thread(target=work)
    thread.start()
    began.wait()
    time.sleep(2 * SHORT_S)
    with turns.run():
        turns.give_way()  # returns at once: this run is the young one
        young.set()
        thread.join()
    assert 0.02 < log[0] < 1


def test_runs_begin_in_the_order_of_their_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_of_visitors, "SHORT_S", 20)
    turns, log = Turns(), []

    def work(number: int) -> None:
        with turns.run(), turns.run():
            log.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    with turns.run():
        for thread in threads:
            thread.start()
            time.sleep(0.02)
        assert log == []
    for thread in threads:
        thread.join()
    assert log == list(range(5))


def begins(turns: Turns) -> bool:
    """Return whether a run of another thread begins within seconds."""
    begun = threading.Event()

    def work() -> None:
        with turns.run():
            begun.set()

    thread = threading.Thread(target=work)
    thread.start()
    return begun.wait(5)


def test_an_old_run_delays_no_other_one() -> None:
    turns = Turns()
    with turns.run():
        assert begins(turns)


def test_a_run_that_waits_or_has_failed_delays_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_of_visitors, "SHORT_S", 20)
    turns = Turns()
    with turns.run():
        turns.end()
        assert begins(turns)
    with pytest.raises(ZeroDivisionError), turns.run():
        1 / 0  # noqa: B018
    assert begins(turns)


def test_runs_without_others_do_not_wait() -> None:
    turns = Turns()
    start = time.monotonic()
    for _ in range(1_000):
        turns.give_way()
    assert time.monotonic() - start < 0.5


def test_computations_pause_at_each_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[int] = []
    monkeypatch.setattr(caches, "pause", lambda: pauses.append(1))
    double = caches.remembered(lambda number: 2 * number)
    assert [double(each) for each in (1, 2, 1)] == [2, 4, 2]
    assert len(pauses) == 2


async def delays(port: int, name: str) -> tuple[list[float], list[float]]:
    """Return the seconds of a visitor's moves alone, and while another visitor opens a design."""
    phis = iter(round(-1 + step / 100, 2) for step in range(500))

    async def move(visitor: Visitor) -> float:
        await asyncio.sleep(0.03)
        return (await visitor.move("Coefficient φ", next(phis))).seconds

    async with visiting(port, "scaling") as visitor:
        await visitor.open()
        alone = [await move(visitor) for _ in range(25)][5:]
        query = urlencode({"design": Draft.of(WORST[name]()).packed(), "part": "Suggestions"})
        async with visiting(port, "studio", query) as other:
            opening = asyncio.create_task(other.open())
            during = []
            while not opening.done():
                during.append(await move(visitor))
            await opening
            assert not other.errors
    return alone, during


def test_the_largest_design_of_a_visitor_does_not_delay_another_one() -> None:
    """On an idle machine the median move is delayed by less than 100 ms; a busy one takes its share longer."""
    with running_server() as server:
        for _ in range(3):
            busy = max(1.0, cpu(lambda: sorted(map(str, range(150_000)))) / IDLE_LOOP_S)
            alone, during = asyncio.run(delays(server.port, "recipes of fragments"))
            delay = statistics.median(during) - statistics.median(alone)
            if len(during) > 3 and delay < 0.1 * busy:
                return
        pytest.fail(f"{len(during)} moves, delayed by {1000 * delay:.0f} ms; the machine is {busy:.1f}x slower")
