"""The manager with a real torch process: killed, stuck, out of memory, busy, and without its parent."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from worker_jobs import JOBS

import effviz
from effviz import UnknownNameError
from effviz.worker.limits import estimate_bytes, memory_limit, usable_cores
from effviz.worker.manager import Manager, Ticket, default_manager
from effviz.worker.protocol import (
    MAX_LINE,
    Event,
    ProtocolError,
    Request,
    decode_event,
    decode_request,
    encode_event,
    encode_request,
)
from effviz.worker.queue import FairQueue

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
ROOT = Path(__file__).resolve().parents[2]
MEMORY = 2**30


@pytest.fixture(scope="module")
def manager() -> Iterator[Manager]:
    """One manager for all tests that do not close it; they may kill its process."""
    with Manager(jobs=JOBS, memory_limit=MEMORY) as made:
        yield made


@pytest.fixture(scope="module")
def plain() -> Iterator[Manager]:
    """Return a manager whose process starts in a tenth of the time, for tests that kill the process."""
    with Manager(jobs=JOBS, memory_limit=MEMORY, torch=False) as made:
        yield made


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give jobs a minute to stop, so that a busy machine does not let the manager kill the process."""
    monkeypatch.setattr("effviz.worker.manager.GRACE_S", 60.0)


def done(ticket: Ticket, within: float = 60.0) -> dict[str, Any]:
    assert ticket.wait(within), ticket
    assert ticket.state == "done", ticket.error
    assert ticket.result is not None
    return ticket.result


def ended(ticket: Ticket, within: float = 60.0) -> tuple[str, str | None, str | None]:
    assert ticket.wait(within), ticket
    return ticket.state, ticket.reason, ticket.error


def until(condition: Callable[[], Any], within: float = 60.0) -> None:
    limit = time.monotonic() + within
    while not condition():
        assert time.monotonic() < limit, "timeout"
        time.sleep(0.005)


def started(ticket: Ticket) -> Ticket:
    until(lambda: ticket.started_at is not None)
    return ticket


def warm(manager: Manager) -> int:
    """Return the pid of the process as soon as it is idle."""
    pid = done(manager.submit("warm", "echo", {}))["pid"]
    assert isinstance(pid, int)
    return pid


def is_alive(pid: int) -> bool:
    try:
        # The state follows the name in parentheses. Z is a dead process that has not been reaped.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children() -> set[int]:
    tasks = Path("/proc/self/task").iterdir()
    found: set[int] = set()
    for task in tasks:
        # A thread may end after it has been listed.
        with contextlib.suppress(FileNotFoundError):
            found.update(int(pid) for pid in (task / "children").read_text().split())
    return found


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# --- one job ------------------------------------------------------------------------------------------------------


def test_result_and_states(manager: Manager) -> None:
    ticket = manager.submit("me", "echo", {"text": "größer"})
    assert done(ticket) | {"pid": 0} == {"text": "größer", "pid": 0}
    assert (ticket.progress, ticket.position, ticket.error, ticket.reason, ticket.ended) == (1.0, 0, None, None, True)
    status = manager.status
    assert (status.process, status.waiting) == ("idle", 0)
    assert set(status.versions) == {"torch", "python"}


def test_progress_is_reported(manager: Manager) -> None:
    ticket = manager.submit("me", "nap", {"seconds": 0.6})
    until(lambda: ticket.progress > 0.4)
    assert ticket.state == "running"
    assert ticket.message.startswith("Step")
    assert manager.status.process == "busy"
    done(ticket)


def test_one_process_does_all_jobs_one_thread_each(manager: Manager) -> None:
    assert warm(manager) == warm(manager) == manager.status.pid
    assert manager.status.pid in children()


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("fail", ("failed", "job", "KeyError: 'missing'")),
        ("refuse", ("failed", "design", "stem.conv: groups = 3 must divide in_channels = 64")),
        # The end of the message depends on the version of Python.
        ("answer_nan", ("failed", "job", "ProtocolError: not JSON: Out of range float values are not JSON compliant")),
        ("answer_nothing", ("failed", "job", "ProtocolError: the fields of result must be: value (dict)")),
        ("missing", ("failed", "job", "ModuleNotFoundError: No module named 'worker_jobs_that_are_not_there'")),
    ],
)
def test_a_failed_job_keeps_the_process(manager: Manager, kind: str, outcome: tuple[str, str, str]) -> None:
    pid = warm(manager)
    state, reason, error = ended(manager.submit("me", kind, {}))
    assert (state, reason, (error or "")[: len(outcome[2])]) == outcome
    assert warm(manager) == pid


def test_output_and_input_of_a_job_are_not_the_protocol(manager: Manager) -> None:
    pid = warm(manager)
    assert done(manager.submit("me", "chat", {})) == {"read": ""}
    assert warm(manager) == pid


def test_invalid_submissions(manager: Manager) -> None:
    with pytest.raises(UnknownNameError, match=r"^kind = 'diagramm' is unknown\.? Choices: answer_nan, "):
        manager.submit("me", "diagramm", {})
    with pytest.raises(ProtocolError, match=r"^not JSON: Object of type set is not JSON serializable$"):
        manager.submit("me", "echo", {"set": set()})
    with pytest.raises(ProtocolError, match="the maximum is 16,777,216"):
        manager.submit("me", "echo", {"text": "x" * MAX_LINE})
    with pytest.raises(effviz.DesignError, match=r"^timeout_s = 0 must be greater than 0$"):
        manager.submit("me", "echo", {}, 0)


def test_payload_larger_than_a_pipe_passes(manager: Manager) -> None:
    text = "x" * 2_000_000
    assert done(manager.submit("me", "echo", {"text": text}))["text"] == text


# --- failing jobs -------------------------------------------------------------------------------------------------


def test_worker_killed_during_a_job(manager: Manager) -> None:
    running = started(manager.submit("me", "deaf", {}))
    following = manager.submit("you", "echo", {})
    pid = manager.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert ended(running) == (
        "failed",
        "crashed",
        "The torch process ended during this job "
        "(SIGKILL: killed by another process, or by the system to free memory).",
    )
    assert done(following)["pid"] != pid
    assert not is_alive(pid)


@pytest.mark.parametrize(
    ("kind", "payload", "how"),
    [
        ("die", {"signal": signal.SIGSEGV}, "SIGSEGV"),
        ("die", {"signal": 40}, "signal 40"),
        ("leave", {}, "exit code 3"),
    ],
)
def test_a_job_that_crashes_the_process_is_not_repeated(
    plain: Manager, kind: str, payload: dict[str, Any], how: str
) -> None:
    poison = plain.submit("me", kind, payload)
    following = plain.submit("me", "echo", {})
    assert ended(poison) == ("failed", "crashed", f"The {plain.name} ended during this job ({how}).")
    done(following)


def test_a_kill_while_idle_fails_no_job(plain: Manager) -> None:
    pid = warm(plain)
    os.kill(pid, signal.SIGKILL)
    until(lambda: plain.status.process == "off")
    assert warm(plain) != pid


@pytest.mark.parametrize("way", ["torch", "python"])
def test_out_of_memory_fails_cleanly(manager: Manager, way: str) -> None:
    pid = warm(manager)
    ticket = manager.submit("me", "fill_memory", {"way": way})
    assert ended(ticket) == ("failed", "memory", "Out of memory: it needs more than the limit of 1.00 GiB.")
    assert warm(manager) == pid


def test_memory_is_returned_or_the_process_restarts(manager: Manager) -> None:
    before = data_size(warm(manager))
    for _ in range(2):
        ticket = manager.submit("me", "fill_memory", {"way": "bit by bit"})
        assert ended(ticket) == ("failed", "memory", "Out of memory: it needs more than the limit of 1.00 GiB.")
        # The server restarts when a quarter of the limit is lost.
        assert data_size(warm(manager)) < before + 0.26 * MEMORY


def data_size(pid: int) -> int:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmData"))
    return 1024 * int(line.split()[1])


def test_a_job_above_the_memory_limit_starts_no_process() -> None:
    with Manager(jobs=JOBS, memory_limit=MEMORY) as manager:
        ticket = manager.submit("me", "echo", {}, memory_bytes=3 * MEMORY)
        assert ended(ticket, 0) == (
            "failed",
            "memory",
            "Too large for this machine: needs about 3.00 GiB, the limit is 1.00 GiB.",
        )
        assert manager.status.process == "off"
        assert manager.submit("me", "echo", {}, memory_bytes=MEMORY).state == "queued"


@pytest.mark.parametrize("kind", ["deaf", "stuck"])
def test_timeout_ends_a_job_that_never_checks(plain: Manager, kind: str) -> None:
    pid = warm(plain)
    ticket = plain.submit("me", kind, {}, 0.3)
    following = plain.submit("me", "echo", {})
    assert ended(ticket) == ("failed", "timeout", "Stopped at the time limit of 0.3 s.")
    assert done(following)["pid"] != pid


@pytest.mark.usefixtures("patient")
def test_timeout_of_a_job_that_checks_keeps_the_process(manager: Manager) -> None:
    pid = warm(manager)
    assert ended(manager.submit("me", "give_up", {}, 0.2))[1] == "timeout"
    assert warm(manager) == pid


# --- cancelling ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("kind", ["give_up", "nap"])
def test_cancel_of_a_job_that_checks_keeps_the_process(manager: Manager, kind: str) -> None:
    pid = warm(manager)
    ticket = started(manager.submit("me", kind, {"seconds": 60}))
    ticket.cancel()
    ticket.cancel()
    assert ended(ticket) == ("cancelled", None, None)
    assert ticket.message == "Cancelled."
    assert warm(manager) == pid


@pytest.mark.parametrize("kind", ["deaf", "stuck"])
def test_cancel_of_a_job_that_never_checks(plain: Manager, kind: str) -> None:
    ticket = started(plain.submit("me", kind, {}))
    following = plain.submit("you", "echo", {})
    ticket.cancel()
    assert ticket.message == "Stopping"
    assert ended(ticket) == ("cancelled", None, None)
    done(following)


def test_cancel_of_a_stopped_process_even_if_it_reads_nothing(plain: Manager) -> None:
    pid = warm(plain)
    os.kill(pid, signal.SIGSTOP)
    ticket = plain.submit("me", "echo", {"text": "x" * 1_000_000})
    until(lambda: ticket.state == "running")
    ticket.cancel()
    assert ended(ticket) == ("cancelled", None, None)
    assert warm(plain) != pid


def test_a_new_process_starts_after_a_kill(plain: Manager) -> None:
    ticket = started(plain.submit("me", "deaf", {}))
    ticket.cancel()
    assert ticket.wait(60)
    until(lambda: plain.status.process == "idle")


def test_cancel_of_a_queued_job(manager: Manager) -> None:
    running = started(manager.submit("me", "give_up", {}))
    first, second = manager.submit("you", "echo", {}), manager.submit("she", "echo", {})
    assert (first.position, second.position) == (1, 2)
    first.cancel()
    assert ended(first, 0) == ("cancelled", None, None)
    assert second.position == 1
    running.cancel()
    done(second)
    first.cancel()
    second.cancel()
    assert (first.state, second.state) == ("cancelled", "done")


# --- the queue ----------------------------------------------------------------------------------------------------


def test_turns() -> None:
    queue: FairQueue[str] = FairQueue()
    assert queue.pop() is None
    for item in ("a1", "a2", "a3"):
        queue.push("a", item)
    assert queue.pop() == "a1"
    queue.push("b", "b1")
    queue.push("c", "c1")
    queue.push("b", "b2")
    assert queue.order() == ["b1", "c1", "a2", "b2", "a3"]
    queue.replace("b", "b2", "b3")
    assert queue.of("b") == ["b1", "b3"]
    assert queue.remove("c", "c1")
    assert not queue.remove("c", "c1")
    assert not queue.remove("a", "a1")
    queue.push("d", "d1")
    expected = ["b1", "d1", "a2", "b3", "a3"]
    assert queue.order() == expected
    assert len(queue) == 5
    assert [queue.pop() for _ in range(5)] == expected
    assert queue.pop() is None
    assert len(queue) == 0


def test_no_owner_starves() -> None:
    queue: FairQueue[str] = FairQueue()
    for index in range(3):
        queue.push("background", f"background{index}")
    served = []
    for index in range(6):
        queue.push(f"visitor{index}", f"visitor{index}")
        served.append(queue.pop())
        queue.push(f"late{index}", f"late{index}")
    assert served[0] == "background0"
    assert "background1" in served


def test_a_short_job_does_not_wait_for_the_long_ones_before_it() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(5):
        queue.push(f"visitor{number}", f"long{number}", 40.0)
    assert queue.pop() == "long0"
    queue.push("late", "short", 2.0)
    assert queue.order() == ["short", "long1", "long2", "long3", "long4"]
    served = []
    for number in range(200):  # a new visitor with a short job before each turn
        queue.push(f"new{number}", f"new{number}", 2.0)
        served.append(queue.pop())
    assert {"long1", "long2", "long3", "long4"} <= set(served), "no job waits for ever"


def test_an_owner_with_many_jobs_has_one_turn_at_a_time() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(20):
        queue.push("greedy", f"greedy{number}", 1.0)
    assert queue.pop() == "greedy0"
    queue.push("other", "short", 1.0)
    queue.push("another", "long", 3.0)
    order = queue.order()
    assert order[0] == "short"
    assert order.index("long") <= 7


def test_waiting_jobs_of_a_visitor_and_of_an_address_are_limited(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFVIZ_VISITOR_JOBS", "2")
    monkeypatch.setenv("EFFVIZ_ADDRESS_JOBS", "3")
    blocker = started(manager.submit("blocker", "give_up", {}))

    def asked(owner: str, address: str = "192.0.2.1") -> Ticket:
        return manager.submit(owner, "echo", {}, keep_all=True, address=address)

    accepted = [asked("me"), asked("me")]
    refused = asked("me")
    assert ended(refused)[:2] == ("failed", "queue")
    assert refused.error == (
        "Too many jobs of this tab are waiting for the torch process: 2 of at most 2. Try again later."
    )
    accepted.append(asked("you"))
    assert asked("she").error == (
        "Too many jobs of your network address are waiting for the torch process: 3 of at most 3. Try again later."
    )
    accepted += [asked("she", "192.0.2.2"), asked("the program", "")]
    assert manager.status.waiting == 5
    blocker.cancel()
    for ticket in accepted:
        done(ticket)
    done(asked("me"))


def test_a_newer_job_of_an_owner_replaces_the_waiting_one(manager: Manager) -> None:
    running = started(manager.submit("me", "give_up", {}))
    older, other = manager.submit("you", "echo", {"n": 1}), manager.submit("she", "echo", {})
    another_kind = manager.submit("you", "nap", {"seconds": 0})
    newer = manager.submit("you", "echo", {"n": 2})
    assert (older.state, older.message) == ("cancelled", "Replaced by a newer job.")
    assert [ticket.position for ticket in (newer, other, another_kind)] == [1, 2, 3]
    running.cancel()
    assert done(newer)["n"] == 2
    done(other)
    done(another_kind)


def test_twenty_users_and_a_background_table_are_served_in_turn(manager: Manager) -> None:
    blocker = started(manager.submit("blocker", "give_up", {}))
    table = [manager.submit("table", "nap", {"seconds": 0.1}, keep_all=True) for _ in range(3)]
    gate = threading.Barrier(20)
    tickets: dict[int, Ticket] = {}

    def user(index: int) -> None:
        gate.wait()
        tickets[index] = manager.submit(f"user {index}", "nap", {"seconds": 0.01})
        tickets[index].wait(30)

    users = [threading.Thread(target=user, args=(index,)) for index in range(20)]
    for each in users:
        each.start()
    until(lambda: len(tickets) == 20)
    waiting = [*table, *tickets.values()]
    promised = sorted(waiting, key=lambda ticket: ticket.position)
    assert [ticket.position for ticket in promised] == list(range(1, 24))
    blocker.cancel()
    for each in users:
        each.join()
    for ticket in waiting:
        done(ticket)
    assert sorted(waiting, key=lambda ticket: ticket.started_at or 0.0) == promised
    # One job of the table, one of every user, then the rest of the table.
    owners = [ticket.owner for ticket in promised]
    assert owners[0] == "table"
    assert owners[21:] == ["table", "table"]


def test_second_job_starts_at_once(manager: Manager) -> None:
    warm(manager)
    handover, idle = [], []
    for _ in range(5):
        first = started(manager.submit("me", "nap", {"seconds": 0.05}))
        second = manager.submit("you", "echo", {})
        done(second)
        assert first.finished_at is not None
        assert second.started_at is not None
        handover.append(second.started_at - first.finished_at)
        time.sleep(0.05)
        third = manager.submit("me", "echo", {})
        done(third)
        assert third.started_at is not None
        idle.append(third.started_at - third.submitted_at)
    print(f"end of a job to the start of the next: {1e3 * min(handover):.1f} ms, from idle: {1e3 * min(idle):.1f} ms")
    assert min(handover) < 0.5
    assert min(idle) < 0.5


# --- start and end of the process ---------------------------------------------------------------------------------


def test_close_ends_processes_threads_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manager: Manager
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    default_manager().close()
    warm(manager)
    before = children(), threading.active_count(), open_files()
    extra = Manager(jobs=JOBS, memory_limit=MEMORY)
    extra.start()
    until(lambda: extra.status.process == "idle")
    running = started(extra.submit("me", "deaf", {}))
    waiting = extra.submit("you", "echo", {})
    pid = extra.status.pid
    assert pid is not None
    assert is_alive(pid)
    extra.close()
    assert not is_alive(pid)
    assert [(ticket.state, ticket.message) for ticket in (running, waiting)] == [
        ("cancelled", "The torch process was closed.")
    ] * 2
    until(lambda: (children(), threading.active_count(), open_files()) == before)
    assert not list(tmp_path.iterdir())
    extra.close()
    assert extra.closed
    with pytest.raises(RuntimeError, match=r"^the manager of .* is closed$"):
        extra.submit("me", "echo", {})


def test_close_before_the_first_job() -> None:
    manager = Manager(jobs=JOBS)
    assert manager.memory_limit == memory_limit() >= 2**30
    manager.close()
    assert manager.closed


def test_close_while_starting() -> None:
    default_manager().close()
    before = children()
    with Manager(jobs=JOBS) as manager:
        ticket = manager.submit("me", "echo", {})
        until(lambda: manager.status.pid is not None)
    assert ticket.state == "cancelled"
    assert children() == before


def test_process_outlives_the_thread_of_its_first_job() -> None:
    with Manager(jobs=JOBS, memory_limit=MEMORY) as manager:
        visitor = threading.Thread(target=lambda: manager.submit("me", "echo", {}).wait(30))
        visitor.start()
        visitor.join()
        pid = manager.status.pid
        assert warm(manager) == pid


PARENT = """
import sys, time
from worker_jobs import JOBS
from effviz.worker.manager import Manager
manager = Manager(jobs=JOBS)
ticket = manager.submit("me", sys.argv[1], {})
while manager.status.pid is None or (sys.argv[2] == "running" and ticket.started_at is None):
    time.sleep(0.001)
print(manager.status.pid, flush=True)
if sys.argv[2] == "leaves":
    sys.exit()
time.sleep(600)
"""


@pytest.mark.parametrize(
    ("kind", "when"), [("deaf", "running"), ("stuck", "running"), ("echo", "starting"), ("deaf", "leaves")]
)
def test_worker_ends_with_its_parent(kind: str, when: str) -> None:
    search = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, kind, when],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": search},
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if when == "leaves":
            assert parent.wait(60) == 0
        else:
            assert is_alive(pid)
            parent.kill()
            parent.wait()
        until(lambda: not is_alive(pid))


def test_a_process_that_cannot_start_fails_its_job_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with Manager(jobs=JOBS) as manager:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        assert ended(manager.submit("me", "echo", {})) == (
            "failed",
            "start",
            "The torch process did not start: [Errno 2] No such file or directory: '/nowhere/python'.",
        )
        monkeypatch.setattr(sys, "executable", "/bin/false")
        first, second = manager.submit("me", "echo", {}), manager.submit("you", "echo", {})
        for ticket in (first, second):
            assert ended(ticket) == ("failed", "start", "The torch process did not start: it exited immediately.")
        monkeypatch.undo()
        done(manager.submit("me", "echo", {}))


def test_a_process_without_torch_reports_the_import_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch is not here')")
    monkeypatch.syspath_prepend(tmp_path)
    with Manager(jobs=JOBS) as manager:
        assert ended(manager.submit("me", "echo", {})) == (
            "failed",
            "start",
            "The torch process did not start: torch cannot be imported: libtorch is not here.",
        )


def test_default_manager_is_one() -> None:
    default_manager().close()
    manager = default_manager()
    assert default_manager() is manager
    assert manager.status.process == "off"
    manager.close()
    again = default_manager()
    assert again is not manager
    assert not again.closed


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_copy_in_a_forked_process_leaves_the_original_alone(manager: Manager) -> None:
    pid = warm(manager)
    code = os.fork()
    if not code:
        manager.close()
        os._exit(0 if manager.closed and default_manager() is not manager else 1)
    assert os.waitpid(code, 0)[1] == 0
    assert warm(manager) == pid


def test_manager_imports_neither_torch_nor_streamlit() -> None:
    code = (
        "import sys, effviz.measure.latency; from effviz.worker.manager import default_manager\n"
        "ticket = default_manager().submit('me', 'latency', {})\n"
        "assert ticket.wait(60) and ticket.reason == 'job', ticket.error\n"
        "print(sorted({'torch', 'streamlit', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


# --- the protocol -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "times"),
    [("garbage\n", 1), ('{"id": 1, "event": "over"}\n', 1), ("x" * 2**20, 17)],
    ids=["no JSON", "unknown event", "no end"],
)
def test_an_invalid_event_kills_the_process(
    plain: Manager, text: str, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    pid = warm(plain)
    ticket = plain.submit("me", "babble", {"text": text, "times": times})
    state, reason, error = ended(ticket)
    assert (state, reason) == ("failed", "crashed")
    assert (error or "").startswith(f"The {plain.name} ended during this job (invalid message: ")
    assert "invalid message" in caplog.text
    assert warm(plain) != pid


@pytest.mark.parametrize("garbage", [b"garbage\n", b"\n", b"[]\n", b'{"id": "x", "kind": "echo", "payload": {}}\n'])
def test_an_invalid_request_is_reported(manager: Manager, garbage: bytes) -> None:
    pid = warm(manager)
    assert manager._process is not None
    manager._process.send(garbage)
    assert warm(manager) == pid


def test_process_without_a_manager() -> None:
    lines = [
        b"what?\n",
        encode_request(Request(1, "latency", {})),
        encode_request(Request(2, "nothing", {})),
        encode_request(Request(99, "cancel", {})),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "effviz.worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in lines:
            process.stdin.write(line)
        process.stdin.flush()
        events = [decode_event(process.stdout.readline()) for _ in range(6)]
        # The process exits at the end of its input.
        process.stdin.close()
        assert process.wait(60) == 0
    unreadable = Event(None, "error", {"reason": "job", "message": "unreadable request: not JSON: " + JSON_ERROR})
    assert unreadable in events
    events.remove(unreadable)
    assert [(event.id, event.name) for event in events] == [
        (None, "ready"),
        (1, "started"),
        (1, "error"),
        (2, "started"),
        (2, "error"),
    ]
    assert events[2].data == {"reason": "job", "message": "KeyError: 'design'"}
    assert events[4].data["reason"] == "design"
    assert events[4].data["message"].startswith("kind = 'nothing' is unknown")


NOT_A_REQUEST = "the fields of a request must be: id (int), kind (str), payload (dict)"
JSON_ERROR = "Expecting value: line 1 column 1 (char 0)"


@pytest.mark.parametrize(
    "request_", [Request(1, "latency", {}), Request(2**60, "cancel", {"deep": {"list": [1, None, "ü", 1.5]}})]
)
def test_requests_pass_unchanged(request_: Request) -> None:
    line = encode_request(request_)
    assert line.count(b"\n") == 1
    assert decode_request(line) == request_


def test_events_pass_unchanged() -> None:
    for event in (
        Event(None, "ready", {"torch": "2", "python": "3"}),
        Event(1, "progress", {"fraction": 0.0, "message": "line\nbreak"}),
        Event(1, "result", {"value": {"a": [1]}}),
        Event(1, "cancelled", {}),
    ):
        assert decode_event(encode_event(event)) == event


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"", "the line has no end"),
        (b"{}", "the line has no end"),
        (b"[1]\n", "the message must be an object"),
        (b"{}\n", NOT_A_REQUEST),
        (b'{"id":1,"kind":"a","payload":{},"x":1}\n', NOT_A_REQUEST),
        (b'{"id":true,"kind":"a","payload":{}}\n', NOT_A_REQUEST),
        (b'{"id":1,"kind":1,"payload":{}}\n', NOT_A_REQUEST),
        (b'{"id":1,"kind":"a","payload":[]}\n', NOT_A_REQUEST),
        (b'{"id":NaN,"kind":"a","payload":{}}\n', "NaN is not a number"),
        (b"nothing\n", "not JSON: " + JSON_ERROR),
    ],
)
def test_unreadable_requests(line: bytes, problem: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_request(line)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ({}, "the id of an event must be an integer or null"),
        ({"id": "1", "event": "started"}, "the id of an event must be an integer or null"),
        ({"id": 1, "event": 1}, "event 1 is unknown"),
        ({"id": 1, "event": "stopped"}, "event 'stopped' is unknown"),
        ({"id": 1, "event": "started", "more": 1}, "the fields of started must be: none"),
        (
            {"id": 1, "event": "progress", "fraction": 1},
            "the fields of progress must be: fraction (float), message (str)",
        ),
        ({"id": 1, "event": "result", "value": 1}, "the fields of result must be: value (dict)"),
    ],
)
def test_unreadable_events(message: dict[str, Any], problem: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_event(json.dumps(message).encode() + b"\n")
    assert str(caught.value) == problem


def test_deeply_nested_line_is_unreadable_not_fatal() -> None:
    with pytest.raises(ProtocolError, match="not JSON"):
        decode_request(b"[" * 100_000 + b"\n")


# --- limits -------------------------------------------------------------------------------------------------------


def test_estimate_grows_with_what_it_is_made_of() -> None:
    report = effviz.analyze(effviz.architecture("mobilenet_v2"))
    one, many = estimate_bytes(report), estimate_bytes(report, 32)
    # Peak without fusion: 96 x 112 x 112 elements in, as many out; times three for oneDNN's copies and the heap.
    assert many - one == 31 * 3 * 4 * 2 * 96 * 112 * 112
    assert estimate_bytes(report, 32, "bfloat16") < many
    assert one < estimate_bytes(effviz.analyze(effviz.architecture("vgg16")))
    with pytest.raises(effviz.DesignError, match=r"^batch_size = 257 must be at most 256$"):
        estimate_bytes(report, 257)
    with pytest.raises(effviz.DesignError, match=r"^dtype = 'int8' must be one of float32, bfloat16, float16$"):
        estimate_bytes(report, 1, "int8")


def test_usable_cores_are_those_of_the_affinity() -> None:
    assert 1 <= usable_cores() <= len(os.sched_getaffinity(0))


def test_nothing_is_logged_without_an_error(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        warm(manager)
    assert not caplog.records
