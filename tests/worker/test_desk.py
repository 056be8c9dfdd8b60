"""The desk with a real torch process: shared jobs, cancelled jobs, and jobs that have ended."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from worker_jobs import JOBS

from effviz.worker.desk import Desk
from effviz.worker.manager import Manager, Ticket

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="as in test_worker")


@pytest.fixture(scope="module")
def manager() -> Iterator[Manager]:
    with Manager(jobs=JOBS, memory_limit=2**30) as made:
        yield made


class Counter:
    """Starts and records jobs with different owners, so that none replaces another."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.started: list[Ticket] = []

    def job(self, kind: str, **payload: Any) -> Callable[[], Ticket]:
        def start() -> Ticket:
            ticket = self.manager.submit(f"job {len(self.started)}", kind, payload)
            self.started.append(ticket)
            return ticket

        return start


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def jobs(manager: Manager) -> Iterator[Counter]:
    made = Counter(manager)
    yield made
    for ticket in made.started:
        ticket.cancel()
    assert all(ticket.wait(60) for ticket in made.started)


def refuses() -> NoReturn:
    raise RuntimeError("no job")


def unwanted() -> NoReturn:
    pytest.fail("the job is running already")


def until(condition: Callable[[], Any], within: float = 60.0) -> None:
    limit = time.monotonic() + within
    while not condition():
        assert time.monotonic() < limit, "timeout"
        time.sleep(0.005)


def running(ticket: Ticket) -> Ticket:
    until(lambda: ticket.started_at is not None)
    return ticket


def ended(ticket: Ticket) -> str:
    assert ticket.wait(60), ticket
    return ticket.state


# --- sharing ------------------------------------------------------------------------------------------------------


def test_equal_keys_share_one_job(desk: Desk, jobs: Counter) -> None:
    first = desk.take("ann", "diagram", ("net", 224), jobs.job("give_up"))
    # An equal but not identical key, also for another purpose.
    second = desk.take("bob", "diagram", ("net", 200 + 24), unwanted)
    third = desk.take("bob", "chart", ("net", 224), unwanted)
    assert first is second is third
    assert jobs.started == [first]
    assert desk.held("ann", "diagram") is desk.held("bob", "chart") is first


def test_taking_again_returns_the_same_job(desk: Desk, jobs: Counter) -> None:
    first = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    assert all(desk.take("ann", "diagram", "a", unwanted) is first for _ in range(3))
    # One leave is enough after several takes.
    desk.leave("ann", "diagram")
    assert ended(first) == "cancelled"


def test_other_keys_are_other_jobs(desk: Desk, jobs: Counter) -> None:
    taken = [desk.take(name, "diagram", name, jobs.job("give_up")) for name in ("ann", "bob", "cid")]
    assert len(set(map(id, taken))) == 3
    assert {ticket.state for ticket in taken} <= {"queued", "running"}


@pytest.mark.parametrize("key", [None, 0, "", (), False])
def test_any_hashable_key(desk: Desk, jobs: Counter, key: Any) -> None:
    first = desk.take("ann", "diagram", key, jobs.job("give_up"))
    assert desk.take("bob", "diagram", key, unwanted) is first
    assert desk.held("ann", "diagram") is first
    desk.leave("ann", "diagram")
    assert not first.ended
    desk.leave("bob", "diagram")
    assert ended(first) == "cancelled"


# --- leaving ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["queued", "running"])
def test_another_key_cancels_an_unshared_job(desk: Desk, jobs: Counter, when: str) -> None:
    blocker = running(jobs.job("give_up")()) if when == "queued" else None
    former = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    if blocker is None:
        running(former)
    assert former.state == when
    latter = desk.take("ann", "diagram", "b", jobs.job("give_up"))
    assert ended(former) == "cancelled"
    assert desk.held("ann", "diagram") is latter
    assert not latter.ended
    if blocker is not None:
        assert not blocker.ended


def test_another_key_keeps_a_shared_job(desk: Desk, jobs: Counter) -> None:
    shared = running(desk.take("ann", "diagram", "a", jobs.job("give_up")))
    queued = desk.take("ann", "chart", "b", jobs.job("echo"))
    desk.take("bob", "diagram", "a", unwanted)
    desk.take("bob", "chart", "b", unwanted)
    desk.take("ann", "diagram", "c", jobs.job("echo"))
    desk.leave("ann", "chart")
    assert (shared.state, queued.state) == ("running", "queued")
    assert shared.message != "Stopping"
    desk.leave("bob", "diagram")
    assert ended(shared) == "cancelled"
    assert ended(queued) == "done"
    assert desk.held("bob", "chart") is queued


def test_returning_to_a_key_starts_a_new_job_unless_it_is_shared(desk: Desk, jobs: Counter) -> None:
    first = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    desk.take("ann", "diagram", "b", jobs.job("give_up"))
    again = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    assert again is not first
    desk.take("bob", "diagram", "a", unwanted)
    desk.take("ann", "diagram", "b", jobs.job("give_up"))
    assert desk.take("ann", "diagram", "a", unwanted) is again
    assert not again.ended


def test_leave(desk: Desk, jobs: Counter) -> None:
    shared = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    desk.take("bob", "diagram", "a", unwanted)
    desk.leave("ann", "diagram")
    assert desk.held("ann", "diagram") is None
    assert desk.held("bob", "diagram") is shared
    assert not shared.ended
    # Leaving again has no effect.
    desk.leave("ann", "diagram")
    desk.leave("ann", "chart")
    desk.leave("unknown", "diagram")
    assert not shared.ended
    desk.leave("bob", "diagram")
    assert ended(shared) == "cancelled"


def test_purposes_of_a_visitor_are_independent(desk: Desk, jobs: Counter) -> None:
    diagram = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    chart = desk.take("ann", "chart", "b", jobs.job("give_up"))
    assert desk.held("ann", "diagram") is diagram
    assert desk.held("ann", "chart") is chart
    assert desk.held("ann", "table") is None
    desk.take("ann", "chart", "c", jobs.job("give_up"))
    assert ended(chart) == "cancelled"
    desk.leave("ann", "chart")
    assert not diagram.ended


def test_two_purposes_with_one_key_count_twice(desk: Desk, jobs: Counter) -> None:
    shared = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    desk.take("ann", "chart", "a", unwanted)
    desk.leave("ann", "diagram")
    assert not shared.ended
    desk.leave("ann", "chart")
    assert ended(shared) == "cancelled"


def test_forget_drops_all_tickets_of_a_visitor(desk: Desk, jobs: Counter) -> None:
    mine = [desk.take("ann", purpose, purpose, jobs.job("give_up")) for purpose in ("diagram", "chart")]
    shared = desk.take("ann", "table", "t", jobs.job("give_up"))
    # A visitor with a similar name.
    desk.take("anna", "table", "t", unwanted)
    desk.forget("ann")
    desk.forget("unknown")
    assert {ended(ticket) for ticket in mine} == {"cancelled"}
    assert {desk.held("ann", purpose) for purpose in ("diagram", "chart", "table")} == {None}
    assert desk.held("anna", "table") is shared
    assert not shared.ended


# --- jobs that have ended -----------------------------------------------------------------------------------------

ENDS = pytest.mark.parametrize(("kind", "state"), [("echo", "done"), ("fail", "failed"), ("leave", "failed")])


@ENDS
def test_an_ended_job_stays_with_its_visitor(desk: Desk, jobs: Counter, kind: str, state: str) -> None:
    ticket = desk.take("ann", "diagram", "a", jobs.job(kind))
    assert ended(ticket) == state
    assert all(desk.take("ann", "diagram", "a", unwanted) is ticket for _ in range(3))
    assert desk.held("ann", "diagram") is ticket
    desk.leave("ann", "diagram")
    assert desk.held("ann", "diagram") is None
    assert ticket.state == state
    assert desk.take("ann", "diagram", "a", jobs.job("give_up")) is not ticket


@ENDS
def test_a_new_visitor_gets_a_new_job(desk: Desk, jobs: Counter, kind: str, state: str) -> None:
    old = desk.take("ann", "diagram", "a", jobs.job(kind))
    assert ended(old) == state
    new = desk.take("bob", "diagram", "a", jobs.job("give_up"))
    assert new is not old
    # Another new visitor shares it; the first visitor keeps the old ticket and starts nothing.
    assert desk.take("cid", "diagram", "a", unwanted) is new
    assert desk.take("ann", "diagram", "a", unwanted) is old
    assert desk.held("ann", "diagram") is old
    desk.leave("ann", "diagram")
    assert not new.ended
    assert desk.take("ann", "diagram", "a", unwanted) is new


def test_a_failing_job_is_started_at_most_once_per_visitor(desk: Desk, jobs: Counter) -> None:
    names = ["ann", "bob", "cid"]
    for name in names:
        assert ended(desk.take(name, "diagram", "a", jobs.job("fail"))) == "failed"
    held = {name: desk.held(name, "diagram") for name in names}
    # Pages take the ticket repeatedly, in any order.
    for name in names * 3 + names[::-1]:
        assert desk.take(name, "diagram", "a", unwanted) is held[name]
    assert len(jobs.started) == len(names)


def test_leaving_an_old_job_does_not_touch_the_new_one(desk: Desk, jobs: Counter) -> None:
    assert ended(desk.take("ann", "diagram", "a", jobs.job("echo"))) == "done"
    new = desk.take("bob", "diagram", "a", jobs.job("give_up"))
    desk.take("ann", "diagram", "b", jobs.job("give_up"))
    desk.forget("ann")
    assert desk.held("bob", "diagram") is new
    assert desk.take("cid", "diagram", "a", unwanted) is new
    assert not new.ended


def test_a_cancelled_job_is_replaced(desk: Desk, jobs: Counter) -> None:
    old = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    desk.take("bob", "diagram", "a", unwanted)
    # Not cancelled by the desk, as when the process is closed.
    old.cancel()
    assert ended(old) == "cancelled"
    new = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    assert new is not old
    assert desk.take("cid", "diagram", "a", unwanted) is new
    assert desk.take("bob", "diagram", "a", unwanted) is new
    for name in ("ann", "bob"):
        desk.leave(name, "diagram")
    assert not new.ended
    desk.leave("cid", "diagram")
    assert ended(new) == "cancelled"


# --- errors and threads -------------------------------------------------------------------------------------------


def test_a_start_that_raises_leaves_the_desk_usable(desk: Desk, jobs: Counter) -> None:
    with pytest.raises(RuntimeError, match="no job"):
        desk.take("ann", "diagram", "a", refuses)
    assert desk.held("ann", "diagram") is None
    desk.leave("ann", "diagram")
    ticket = desk.take("ann", "diagram", "a", jobs.job("give_up"))
    with pytest.raises(RuntimeError, match="no job"):
        desk.take("ann", "diagram", "b", refuses)
    assert ended(ticket) == "cancelled"
    assert desk.held("ann", "diagram") is None
    assert desk.take("ann", "diagram", "b", jobs.job("give_up")).state in ("queued", "running")


def test_a_start_that_raises_after_a_cancelled_job(desk: Desk, jobs: Counter) -> None:
    for name in ("ann", "bob"):
        desk.take(name, "diagram", "a", jobs.job("give_up"))
    (ticket,) = jobs.started
    ticket.cancel()
    assert ended(ticket) == "cancelled"
    with pytest.raises(RuntimeError, match="no job"):
        desk.take("ann", "diagram", "a", refuses)
    new = desk.take("bob", "diagram", "a", jobs.job("give_up"))
    assert new is not ticket
    assert desk.take("ann", "diagram", "a", unwanted) is new


@pytest.fixture
def restless() -> Iterator[None]:
    """Switch threads as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_many_visitors_at_once(desk: Desk, manager: Manager) -> None:
    keys, visitors, turns = ("a", "b", "c"), 16, 40
    lock, started = threading.Lock(), []
    gate = threading.Barrier(visitors)
    wrong: list[str] = []

    def start(key: str) -> Ticket:
        with lock:
            ticket = manager.submit(key, "give_up", {"key": key}, keep_all=True)
            started.append(ticket)
            return ticket

    def visit(name: str) -> None:
        draw = random.Random(name)
        gate.wait()
        for _ in range(turns):
            purpose, key = draw.choice(("diagram", "chart")), draw.choice(keys)
            ticket = desk.take(name, purpose, key, lambda key=key: start(key))
            if ticket.payload["key"] != key:
                wrong.append(f"{name} took {key} and got {ticket}")
            if desk.held(name, purpose) is not ticket:
                wrong.append(f"{name} does not hold {ticket}")
            # A held job is not cancelled when other visitors leave.
            if ticket.state == "cancelled" or ticket.message == "Stopping":
                wrong.append(f"{name} holds {ticket}, which is cancelled")
            if draw.random() < 0.5:
                desk.leave(name, purpose)
        if draw.random() < 0.5:
            desk.forget(name)
        else:
            desk.leave(name, "diagram")
            desk.leave(name, "chart")

    threads = [threading.Thread(target=visit, args=(f"visitor {index}",)) for index in range(visitors)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
        assert not each.is_alive(), "a deadlock"
    assert wrong == []
    assert len(started) > len(keys)
    assert {ended(ticket) for ticket in started} == {"cancelled"}
    until(lambda: manager.status.process == "idle")
    assert manager.status.waiting == 0
    assert not desk._taken
    assert not desk._latest


@pytest.mark.usefixtures("restless")
def test_simultaneous_visitors_share_one_job(desk: Desk, jobs: Counter) -> None:
    crowd, keys = 16, range(20)
    gate = threading.Barrier(crowd)
    taken: list[tuple[int, Ticket]] = []

    def visit(name: str) -> None:
        for key in keys:
            gate.wait(60)
            taken.append((key, desk.take(name, f"purpose {key}", key, jobs.job("give_up", key=key))))

    threads = [threading.Thread(target=visit, args=(f"visitor {index}",)) for index in range(crowd)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(taken) == crowd * len(keys)
    assert [ticket.payload["key"] for ticket in jobs.started] == list(keys)
    assert all(ticket is jobs.started[key] for key, ticket in taken)
