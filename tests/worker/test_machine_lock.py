"""Two managers with two torch processes and one lock file, as two servers of one machine have."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from worker_jobs import JOBS

from effviz.core.settings import LOCK
from effviz.worker.machine_lock import WAITING
from effviz.worker.manager import Manager, Ticket

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills processes as on Linux")


@pytest.fixture(scope="module")
def lock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lock") / "effviz.lock"


@pytest.fixture(scope="module")
def managers(lock: Path) -> Iterator[tuple[Manager, Manager]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOCK.variable, str(lock))
        # A busy machine must not let the manager kill a process that stops slowly.
        patch.setattr("effviz.worker.manager.GRACE_S", 60.0)
        with Manager(jobs=JOBS) as first, Manager(jobs=JOBS) as second:
            yield first, second


def until(condition: Callable[[], Any], within: float = 60.0) -> None:
    limit = time.monotonic() + within
    while not condition():
        assert time.monotonic() < limit, "timeout"
        time.sleep(0.005)


def done(ticket: Ticket) -> dict[str, Any]:
    assert ticket.wait(60), ticket
    assert ticket.result is not None, ticket.error
    return ticket.result


def waiting(manager: Manager, kind: str = "echo", timeout_s: float = 60.0) -> Ticket:
    """Submit a job, and return it when it waits for the other process."""
    ticket = manager.submit("me", kind, {}, timeout_s)
    until(lambda: ticket.message == WAITING)
    assert ticket.started_at is None
    return ticket


def test_jobs_of_two_processes_never_overlap_and_take_turns(managers: tuple[Manager, Manager], lock: Path) -> None:
    with FileLock(lock):
        tickets = [
            [manager.submit("me", "clocked", {"seconds": 0.2}, keep_all=True) for _ in range(4)] for manager in managers
        ]
        until(lambda: all(jobs[0].message == WAITING for jobs in tickets))
    runs = sorted(
        (done(ticket)["start"], done(ticket)["end"], place) for place, jobs in enumerate(tickets) for ticket in jobs
    )
    assert all(before[1] <= after[0] for before, after in pairwise(runs))
    rows = [len(list(group)) for _, group in groupby(place for *_, place in runs)]
    assert max(rows) <= 2, "one process took the lock again before the other one"


def test_a_waiting_job_has_no_time_limit_until_it_starts(managers: tuple[Manager, Manager], lock: Path) -> None:
    with FileLock(lock):
        ticket = waiting(managers[0], timeout_s=0.5)
        assert not ticket.wait(1.0)
    done(ticket)
    assert ticket.started_at is not None
    # The limit holds from there on.
    late = managers[0].submit("me", "give_up", {}, 0.2)
    assert late.wait(60)
    assert late.reason == "timeout"


def test_a_waiting_job_can_be_cancelled(managers: tuple[Manager, Manager], lock: Path) -> None:
    pid = done(managers[0].submit("me", "echo", {}))["pid"]
    with FileLock(lock):
        ticket = waiting(managers[0])
        ticket.cancel()
        assert ticket.wait(60)
        assert (ticket.state, ticket.message, ticket.started_at) == ("cancelled", "Cancelled.", None)
    assert done(managers[0].submit("me", "echo", {}))["pid"] == pid


def test_a_killed_process_releases_the_lock(managers: tuple[Manager, Manager]) -> None:
    holder, other = managers
    running = holder.submit("me", "deaf", {})
    until(lambda: running.started_at is not None)
    ticket = waiting(other)
    pid = holder.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    done(ticket)
    assert running.wait(60)
    assert running.reason == "crashed"


def test_a_lock_that_cannot_be_opened_fails_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOCK.variable, str(tmp_path))
    with Manager(jobs=JOBS) as manager:
        ticket = manager.submit("me", "echo", {})
        assert ticket.wait(60)
        assert ticket.reason == "job"
        assert str(tmp_path) in (ticket.error or "")
