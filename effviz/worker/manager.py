"""Jobs for one torch process: a fair queue, limits on time and memory, and a new process where one was lost.

>>> manager = default_manager()                                            # doctest: +SKIP
>>> ticket = manager.submit("me", "latency", {"design": ...}, timeout_s=60)  # doctest: +SKIP
>>> ticket.state, ticket.position, ticket.progress, ticket.message          # doctest: +SKIP
('running', 0, 0.4, 'Run 12')

Everything here may be called from any thread, and nothing waits for the torch process but `Ticket.wait`. Neither torch
nor streamlit is imported.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from itertools import count
from typing import Any, Literal, NamedTuple, TypeAlias

from effviz.core.errors import number, text, unknown
from effviz.core.units import binary
from effviz.worker.jobs import JOBS
from effviz.worker.limits import memory_limit as default_memory_limit
from effviz.worker.process import WorkerProcess
from effviz.worker.protocol import CANCEL, Event, Request, encode_request
from effviz.worker.queue import FairQueue

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]

START_TIMEOUT_S = 120.0
# A job that is asked to stop has this long to do so; most ask themselves after every run of a network.
GRACE_S = 0.5
_logger = logging.getLogger("effviz.worker")


class Ticket:
    """A job that was asked for, and what has become of it. Read it from any thread.

    Attributes:
        owner, kind, payload, timeout_s: as submitted.
        state: ``"queued"``, ``"running"``, ``"done"``, ``"failed"`` or ``"cancelled"``.
        progress: fraction done, 0 to 1.
        message: what is being done, or why it was cancelled.
        result: what the job returned, None until it is done.
        error: why it failed, a sentence; None otherwise.
        reason: the same in a word: ``"memory"`` (refused or ran out), ``"timeout"``, ``"crashed"`` (the process died),
            ``"start"`` (it did not start), ``"design"`` (a `DesignError`), ``"job"`` (any other exception).
        started_at, finished_at: `time.monotonic` when the torch process began, and when the job ended.
    """

    def __init__(self, manager: Manager, request: Request, owner: str, timeout_s: float) -> None:
        self._manager = manager
        self._ended = threading.Event()
        # What will be sent is what was submitted, whatever becomes of the payload meanwhile.
        self._line = encode_request(request)
        self.id, self.kind, self.payload = request
        self.owner = owner
        self.timeout_s = timeout_s
        self.state: State = "queued"
        self.progress = 0.0
        self.message = ""
        self.result: dict[str, Any] | None = None
        self.error: str | None = None
        self.reason: str | None = None
        self.submitted_at = time.monotonic()
        self.started_at: float | None = None
        self.finished_at: float | None = None

    def __repr__(self) -> str:
        return f"Ticket({self.id}, {self.owner!r}, {self.kind!r}, {self.state})"

    @property
    def position(self) -> int:
        """Place in the queue, 1 is next; 0 when it no longer waits."""
        return self._manager.position(self)

    @property
    def ended(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self._ended.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most `timeout` seconds; whether it has come."""
        return self._ended.wait(timeout)

    def cancel(self) -> None:
        """See `Manager.cancel`."""
        self._manager.cancel(self)

    def _end(self, outcome: _Outcome) -> None:
        self.result, self.error, self.reason = outcome.result, outcome.error, outcome.reason
        self.message = outcome.message
        self.finished_at = time.monotonic()
        if outcome.state == "done":
            self.progress = 1.0
        # Last, so that whoever reads "done" finds the result.
        self.state = outcome.state
        self._ended.set()


class _Outcome(NamedTuple):
    state: State
    result: dict[str, Any] | None = None
    error: str | None = None
    reason: str | None = None
    message: str = ""


def _failed(reason: str, error: str) -> _Outcome:
    return _Outcome("failed", error=error, reason=reason)


def _cancelled(message: str) -> _Outcome:
    return _Outcome("cancelled", message=message)


class Status(NamedTuple):
    """The manager at a glance.

    Attributes:
        process: ``"off"``, ``"starting"`` (anew, too), ``"idle"`` or ``"busy"``.
        waiting: jobs in the queue.
        pid: of the torch process, None without one.
        versions: of torch and python in it; empty until it is ready.
    """

    process: Literal["off", "starting", "idle", "busy"]
    waiting: int
    pid: int | None
    versions: dict[str, str]


class Manager:
    """One warm torch process, started with the first job, that does one job at a time for everybody.

    A job that the process does not survive fails and is not tried again; the queue goes on with a new process.

    Args:
        jobs: what can be asked for, see `effviz.worker.jobs`.
        memory_limit: of the torch process, in bytes; None for half of this machine's or container's memory.
    """

    def __init__(self, *, jobs: Mapping[str, str] = JOBS, memory_limit: int | None = None) -> None:
        self.memory_limit = default_memory_limit() if memory_limit is None else memory_limit
        self._jobs = dict(jobs)
        self._made_in = os.getpid()
        self._ids = count(1)
        # Guards everything below; notified when the thread of the manager has to look at it.
        self._changed = threading.Condition()
        self._queue: FairQueue[Ticket] = FairQueue()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._wanted = False
        self._process: WorkerProcess | None = None
        self._versions: dict[str, str] = {}
        self._start_error = "it ended at once"
        self._running: Ticket | None = None
        # Decided while the job runs on: its outcome, whatever it still says.
        self._verdict: _Outcome | None = None
        self._deadline: float | None = None
        self._killed = False
        self._worn = False

    def __enter__(self) -> Manager:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- for those who want jobs done ----------------------------------------------------------------------------

    def submit(
        self,
        owner: str,
        kind: str,
        payload: dict[str, Any],
        timeout_s: float = 60.0,
        *,
        memory_bytes: int | None = None,
        keep_all: bool = False,
    ) -> Ticket:
        """Queue a job.

        Args:
            owner: on whose behalf; owners take turns.
            kind: a name in `effviz.worker.jobs.JOBS`.
            payload: JSON-able; what it must hold is up to the job.
            timeout_s: for the running, not for the waiting.
            memory_bytes: estimated need, see `effviz.worker.limits.estimate_bytes`. Beyond the limit the ticket has
                failed at once, with the reason ``"memory"``.
            keep_all: queue it beside the owner's other jobs of this kind; otherwise it takes the place of the one that
                still waits, which is cancelled.

        Raises:
            UnknownNameError: there is no such kind.
            ProtocolError: the payload is not JSON-able.
            RuntimeError: the manager is closed.
        """
        if kind not in self._jobs:
            unknown("kind", kind, self._jobs)
        timeout_s = number("timeout_s", timeout_s, 0, 86_400, open_below=True)
        ticket = Ticket(self, Request(next(self._ids), kind, payload), text("owner", owner), timeout_s)
        if memory_bytes is not None and memory_bytes > self.memory_limit:
            needs, limit = binary(memory_bytes), binary(self.memory_limit)
            ticket._end(_failed("memory", f"Too large for this machine: needs about {needs}, the limit is {limit}."))
            return ticket
        with self._changed:
            self._start()
            older = [each for each in self._queue.of(owner) if each.kind == kind]
            if older and not keep_all:
                self._queue.replace(owner, older[0], ticket)
                for each in older:
                    self._queue.remove(owner, each)
                    each._end(_cancelled("Replaced by a newer one."))
            else:
                self._queue.push(owner, ticket)
        return ticket

    def start(self) -> None:
        """Start the torch process now, so that the first job finds it warm."""
        with self._changed:
            self._wanted = True
            self._start()

    def cancel(self, ticket: Ticket) -> None:
        """Stop a job: at once while it waits, within `GRACE_S` and a moment while it runs; no effect afterwards."""
        with self._changed:
            if self._queue.remove(ticket.owner, ticket):
                ticket._end(_cancelled("Cancelled."))
            elif ticket is self._running:
                self._stop(_cancelled("Cancelled."))

    def forget(self, owner: str) -> None:
        """Cancel all jobs of an owner who has gone."""
        with self._changed:
            mine = self._queue.of(owner)
            if self._running is not None and self._running.owner == owner:
                mine.append(self._running)
            for ticket in mine:
                self.cancel(ticket)

    def position(self, ticket: Ticket) -> int:
        """Place in the queue, 1 is next; 0 when it no longer waits."""
        if ticket.state != "queued":
            return 0
        with self._changed:
            order = self._queue.order()
            return order.index(ticket) + 1 if ticket in order else 0

    @property
    def status(self) -> Status:
        """What the process is doing and how much waits for it."""
        with self._changed:
            waiting, versions = len(self._queue), dict(self._versions)
            if self._process is None:
                return Status("off", waiting, None, versions)
            if self._killed or not versions:
                return Status("starting", waiting, self._process.pid, versions)
            return Status("busy" if self._running else "idle", waiting, self._process.pid, versions)

    @property
    def closed(self) -> bool:
        """Whether it can no longer be used: closed, or a copy in a forked process."""
        return self._closing or os.getpid() != self._made_in

    def close(self) -> None:
        """Kill the process, cancel all jobs, and wait until no process and no thread is left."""
        if self.closed:
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        atexit.unregister(self.close)

    # --- the thread of the manager; all of this with the lock held -----------------------------------------------

    def _start(self) -> None:
        if self.closed:
            raise RuntimeError("the manager is closed")
        if self._thread is None:
            # One thread for as long as the manager lives: on Linux the torch process dies with the thread that starts
            # it, and the threads of a server's sessions come and go.
            self._thread = threading.Thread(target=self._manage, name="effviz-worker-manager", daemon=True)
            self._thread.start()
            atexit.register(self.close)
        self._changed.notify_all()

    def _manage(self) -> None:
        try:
            with self._changed:
                while not self._closing:
                    self._step()
                    self._changed.wait(None if self._deadline is None else max(0.0, self._deadline - time.monotonic()))
        finally:
            with self._changed:
                self._closing = True
                process, self._process = self._process, None
                for ticket in [*([self._running] if self._running else []), *self._queue.order()]:
                    ticket._end(_cancelled("The torch process was closed."))
                self._running, self._queue = None, FairQueue()
            if process is not None:
                process.kill()
                process.join()

    def _step(self) -> None:
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._overdue()
        if self._process is None and (self._wanted or len(self._queue)):
            self._spawn()
        if self._versions and self._running is None and not self._killed:
            ticket = self._queue.pop()
            if ticket is not None and self._process is not None:
                self._running = ticket
                ticket.state, ticket.message = "running", "Starting"
                self._deadline = time.monotonic() + ticket.timeout_s
                self._process.send(ticket._line)

    def _spawn(self) -> None:
        self._wanted, self._killed, self._worn = False, False, False
        self._start_error = "it ended at once"
        try:
            self._process = WorkerProcess(self._jobs, self.memory_limit, self._on_event, self._on_exit)
            self._deadline = time.monotonic() + START_TIMEOUT_S
        except OSError as error:
            # A system that cannot start a process for the first job cannot for the others.
            while len(self._queue):
                self._start_failed(str(error))

    def _overdue(self) -> None:
        """The start, the job, or the stopping of the job has taken too long."""
        if self._running is not None and self._verdict is None:
            self._stop(_failed("timeout", f"Stopped after {self._running.timeout_s:g} s, its limit."))
            return
        if self._running is None:
            self._start_error = f"it was not ready after {START_TIMEOUT_S:g} s"
        self._kill()

    def _stop(self, verdict: _Outcome) -> None:
        """Ask the running job to stop; `_overdue` follows if it does not."""
        if self._running is None or self._process is None or self._verdict is not None:
            return
        self._verdict = verdict
        self._running.message = "Stopping"
        self._deadline = time.monotonic() + GRACE_S
        self._process.send(encode_request(Request(self._running.id, CANCEL, {})))
        self._changed.notify_all()

    def _kill(self) -> None:
        """Kill the process; its job is over at once, a new process is started when this one is gone."""
        self._deadline = None
        self._killed = True
        self._wanted = bool(self._versions)
        if self._process is not None:
            self._process.kill()
        if self._running is not None:
            self._end_running(_failed("crashed", "The torch process was killed."))

    def _end_running(self, outcome: _Outcome) -> None:
        ticket, verdict = self._running, self._verdict
        self._running, self._verdict, self._deadline = None, None, None
        if ticket is not None:
            ticket._end(verdict or outcome)
        if self._worn and not self._killed:
            self._kill()

    def _start_failed(self, why: str) -> None:
        """Let the next job fail; the one after it, if any, has the process started again."""
        _logger.error("the torch process did not start: %s", why)
        ticket = self._queue.pop()
        if ticket is not None:
            ticket._end(_failed("start", f"The torch process did not start: {why}."))

    # --- the thread that reads what the process says -------------------------------------------------------------

    def _on_event(self, process: WorkerProcess, event: Event) -> None:
        with self._changed:
            if process is not self._process or self._killed:
                return
            data, running = event.data, self._running
            if event.name == "ready":
                self._versions, self._deadline = data, None
            elif event.name == "worn":
                self._worn = True
            elif event.id is None:
                self._start_error = data.get("message", self._start_error)
                _logger.warning("the torch process: %s", self._start_error)
            elif running is None or running.id != event.id:
                _logger.warning("the torch process speaks of job %s, which does not run", event.id)
            elif event.name == "started":
                running.started_at = time.monotonic()
            elif event.name == "progress":
                running.progress = data["fraction"]
                if self._verdict is None:
                    running.message = data["message"]
            elif event.name == "result":
                self._end_running(_Outcome("done", result=data["value"]))
            elif event.name == "error":
                self._end_running(_failed(data["reason"], data["message"]))
            else:
                self._end_running(_cancelled("Cancelled."))
            self._changed.notify_all()

    def _on_exit(self, process: WorkerProcess, code: int) -> None:
        with self._changed:
            if process is not self._process:
                return
            was_ready = bool(self._versions)
            self._process, self._versions, self._deadline = None, {}, None
            if self._running is not None:
                why = process.fault or _describe(code)
                self._end_running(_failed("crashed", f"The torch process ended during this job ({why})."))
                self._wanted = True
            elif not was_ready:
                self._start_failed(self._start_error)
            self._changed.notify_all()


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    names = {each.value: each.name for each in signal.Signals}
    name = names.get(-code, f"signal {-code}")
    hint = ": killed from outside, or by the system for want of memory" if name == "SIGKILL" else ""
    return f"{name}{hint}"


_default: Manager | None = None
_default_lock = threading.Lock()


def default_manager() -> Manager:
    """The manager of this process, the same for all who ask; made when first asked for."""
    global _default
    with _default_lock:
        if _default is None or _default.closed:
            _default = Manager()
        return _default
