"""The manager of the torch process: a fair job queue, limits on time and memory, restarts.

>>> manager = default_manager()                                            # doctest: +SKIP
>>> ticket = manager.submit("me", "latency", {"design": ...}, timeout_s=60)  # doctest: +SKIP
>>> ticket.state, ticket.position, ticket.progress, ticket.message          # doctest: +SKIP
('running', 0, 0.4, 'Run 12')

Everything is thread-safe, and only `Ticket.wait` blocks. This module imports neither torch nor streamlit.
"""

import atexit
import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from itertools import count
from typing import Any, Literal, NamedTuple, Self

from effviz.core import settings
from effviz.core.errors import look_up, number, text
from effviz.core.units import binary
from effviz.worker.jobs import JOBS
from effviz.worker.limits import memory_limit as default_memory_limit
from effviz.worker.process import WorkerProcess
from effviz.worker.protocol import CANCEL, Event, Request, encode_request
from effviz.worker.queue import FairQueue
from effviz.worker.ticket import Outcome, Ticket

__all__ = ["Manager", "Status", "Ticket", "default_manager"]

START_TIMEOUT_S = 120.0
# Time for a job to stop after a cancellation; most jobs check after every run of a network.
GRACE_S = 0.5
_logger = logging.getLogger("effviz.worker")


class Status(NamedTuple):
    """The state of the manager."""

    process: Literal["off", "starting", "idle", "busy"]
    waiting: int  # number of jobs in the queue
    pid: int | None  # of the torch process; None if there is none
    versions: dict[str, str]  # of torch and python in the process; empty until it is ready


class Manager:
    """One torch process, started with the first job, that runs one job at a time.

    A job that crashes the process fails and is not repeated. The queue continues with a new process.

    Args:
        jobs: functions by kind, see `effviz.worker.jobs`.
        memory_limit: of the torch process, in bytes; None for half the memory of this machine or container.
        torch: whether the jobs use torch. Without it the process starts faster, and its jobs are not measurements.
    """

    def __init__(self, *, jobs: Mapping[str, str] = JOBS, memory_limit: int | None = None, torch: bool = True) -> None:
        self.name = "torch process" if torch else "process for calculations"
        self._torch = torch
        self.memory_limit = default_memory_limit() if memory_limit is None else memory_limit
        self._jobs = dict(jobs)
        self._made_in = os.getpid()
        self._ids = count(1)
        # Guards everything below; a notification wakes the manager's thread.
        self._changed = threading.Condition()
        self._queue: FairQueue[Ticket] = FairQueue()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._wanted = False
        self._process: WorkerProcess | None = None
        self._versions: dict[str, str] = {}
        self._start_error = "it exited immediately"
        self._running: Ticket | None = None
        # The outcome of a running job that is being stopped, whatever its later events are.
        self._verdict: Outcome | None = None
        self._deadline: float | None = None
        self._killed = False
        self._worn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- public methods ------------------------------------------------------------------------------------------

    def submit(
        self,
        owner: str,
        kind: str,
        payload: dict[str, Any],
        timeout_s: float = 60.0,
        *,
        memory_bytes: int | None = None,
        keep_all: bool = False,
        address: str = "",
        cost_s: float = 1.0,
    ) -> Ticket:
        """Queue a job.

        Args:
            owner: visitor or purpose; owners take turns.
            kind: a key of `effviz.worker.jobs.JOBS`.
            payload: JSON values, as the job requires.
            timeout_s: limit of the running time; time in the queue, or waiting for another server, does not count.
            memory_bytes: estimate by `effviz.worker.limits.estimate_bytes`. Above the limit, the returned ticket has
                failed with the reason ``"memory"``.
            keep_all: keep the owner's waiting job of this kind; by default the new job replaces it.
            address: of the visitor, whose waiting jobs are limited by `effviz.core.settings`; empty for no limit. Above
                the limit, the returned ticket has failed with the reason ``"queue"``.
            cost_s: expected running time, see `effviz.worker.limits.estimate_seconds`. It decides the turn.

        Raises:
            UnknownNameError: `kind` is unknown.
            ProtocolError: the payload cannot be written as JSON.
            RuntimeError: the manager is closed.
        """
        look_up("kind", kind, self._jobs)
        timeout_s = number("timeout_s", timeout_s, 0, 86_400, open_below=True)
        cost_s = number("cost_s", cost_s, 0, 86_400, open_below=True)
        ticket = Ticket(self, Request(next(self._ids), kind, payload), text("owner", owner), timeout_s, address)
        if memory_bytes is not None and memory_bytes > self.memory_limit:
            sizes = f"needs about {binary(memory_bytes)}, the limit is {binary(self.memory_limit)}"
            ticket.end(Outcome.failed("memory", f"Too large for this machine: {sizes}."))
            return ticket
        with self._changed:
            self._start()
            older = [each for each in self._queue.of(owner) if each.kind == kind]
            if older and not keep_all:
                self._queue.replace(owner, older[0], ticket, cost_s)
                for each in older:
                    self._queue.remove(owner, each)
                    each.end(Outcome.cancelled("Replaced by a newer job."))
            elif address and (problem := self._too_many(owner, address)):
                ticket.end(Outcome.failed("queue", problem))
            else:
                self._queue.push(owner, ticket, cost_s)
        return ticket

    def _too_many(self, owner: str, address: str) -> str:
        """Return why a visitor must not add a job; empty if it may."""
        waiting = [ticket for ticket in self._queue.order() if ticket.address == address]
        own = sum(ticket.owner == owner for ticket in waiting)
        for who, found, limit in (
            ("of this tab", own, settings.VISITOR_JOBS.value),
            ("of your network address", len(waiting), settings.ADDRESS_JOBS.value),
        ):
            if found >= limit:
                problem = f"Too many jobs {who} are waiting for the {self.name}: {found} of at most {limit}."
                return f"{problem} Try again later."
        return ""

    def start(self) -> None:
        """Start the torch process now, before the first job."""
        with self._changed:
            self._wanted = True
            self._start()

    def cancel(self, ticket: Ticket) -> None:
        """Cancel a job: a waiting one immediately, a running one after about `GRACE_S` at most."""
        with self._changed:
            if self._queue.remove(ticket.owner, ticket):
                ticket.end(Outcome.cancelled("Cancelled."))
            elif ticket is self._running:
                self._stop(Outcome.cancelled("Cancelled."))

    def position(self, ticket: Ticket) -> int:
        """Return the position in the queue, starting at 1; 0 if the job is not waiting."""
        if ticket.state != "queued":
            return 0
        with self._changed:
            order = self._queue.order()
            return order.index(ticket) + 1 if ticket in order else 0

    @property
    def status(self) -> Status:
        """The current state of the process and the queue."""
        with self._changed:
            waiting, versions = len(self._queue), dict(self._versions)
            if self._process is None:
                return Status("off", waiting, None, versions)
            if self._killed or not versions:
                return Status("starting", waiting, self._process.pid, versions)
            return Status("busy" if self._running else "idle", waiting, self._process.pid, versions)

    @property
    def closed(self) -> bool:
        """Whether it is unusable: closed, or copied into a forked process."""
        return self._closing or os.getpid() != self._made_in

    def close(self) -> None:
        """Cancel all jobs, kill the process, and wait for the end of its threads."""
        if self.closed:
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()
        atexit.unregister(self.close)

    # --- the manager's thread; the lock is held ------------------------------------------------------------------

    def _start(self) -> None:
        if self.closed:
            raise RuntimeError(f"the manager of the {self.name} is closed")
        if self._thread is None:
            # The manager has a thread because, on Linux, the torch process dies with the thread that started it, and
            # the threads of a server's sessions are short-lived.
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
                    ticket.end(Outcome.cancelled(f"The {self.name} was closed."))
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
                self._process.send(ticket.line)

    def _spawn(self) -> None:
        self._wanted = self._killed = self._worn = False
        self._start_error = "it exited immediately"
        try:
            self._process = WorkerProcess(
                self._jobs, self.memory_limit, self._on_event, self._on_exit, torch=self._torch
            )
            self._deadline = time.monotonic() + START_TIMEOUT_S
        except OSError as error:
            # If the system cannot start a process for this job, it cannot for the others.
            while len(self._queue):
                self._start_failed(str(error))

    def _overdue(self) -> None:
        """Handle a start, a job or a cancellation that exceeds its time limit."""
        if self._running is not None and self._verdict is None:
            self._stop(Outcome.failed("timeout", f"Stopped at the time limit of {self._running.timeout_s:g} s."))
            return
        if self._running is None:
            self._start_error = f"it was not ready after {START_TIMEOUT_S:g} s"
        self._kill()

    def _stop(self, verdict: Outcome) -> None:
        """Request the running job to stop; `_overdue` kills the process if it does not."""
        if self._running is None or self._process is None or self._verdict is not None:
            return
        self._verdict = verdict
        self._running.message = "Stopping"
        self._deadline = time.monotonic() + GRACE_S
        self._process.send(encode_request(Request(self._running.id, CANCEL, {})))
        self._changed.notify_all()

    def _kill(self) -> None:
        """Kill the process and end its job; a new process starts after the exit of this one."""
        self._deadline = None
        self._killed = True
        self._wanted = bool(self._versions)
        if self._process is not None:
            self._process.kill()
        if self._running is not None:
            self._end_running(Outcome.failed("crashed", f"The {self.name} was killed."))

    def _end_running(self, outcome: Outcome) -> None:
        ticket, verdict = self._running, self._verdict
        self._running, self._verdict, self._deadline = None, None, None
        if ticket is not None:
            ticket.end(verdict or outcome)
        if self._worn and not self._killed:
            self._kill()

    def _start_failed(self, why: str) -> None:
        """Fail the next job; the one after it triggers another start."""
        _logger.error("the %s did not start: %s", self.name, why)
        ticket = self._queue.pop()
        if ticket is not None:
            ticket.end(Outcome.failed("start", f"The {self.name} did not start: {why}."))

    # --- the thread that reads the events of the process ---------------------------------------------------------

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
                _logger.warning("the %s: %s", self.name, self._start_error)
            elif running is None or running.id != event.id:
                _logger.warning("the %s sent an event of job %s, which is not running", self.name, event.id)
            elif event.name in ("started", "progress"):
                self._on_progress(running, event)
            elif event.name == "result":
                self._end_running(Outcome("done", result=data["value"]))
            elif event.name == "error":
                self._end_running(Outcome.failed(data["reason"], data["message"]))
            else:
                self._end_running(Outcome.cancelled("Cancelled."))
            self._changed.notify_all()

    def _on_progress(self, running: Ticket, event: Event) -> None:
        now = time.monotonic()
        if running.started_at is None and self._verdict is None:
            # It starts now, or it waits for another server, which does not count as running time.
            self._deadline = now + running.timeout_s
        if event.name == "started":
            running.started_at = now
        else:
            running.progress = event.data["fraction"]
        if self._verdict is None:
            running.message = event.data.get("message", "Starting")

    def _on_exit(self, process: WorkerProcess, code: int) -> None:
        with self._changed:
            if process is not self._process:
                return
            was_ready = bool(self._versions)
            self._process, self._versions, self._deadline = None, {}, None
            if self._running is not None:
                why = process.fault or _describe(code)
                self._end_running(Outcome.failed("crashed", f"The {self.name} ended during this job ({why})."))
                self._wanted = True
            elif not was_ready:
                self._start_failed(self._start_error)
            self._changed.notify_all()


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    if -code == signal.SIGKILL:
        return "SIGKILL: killed by another process, or by the system to free memory"
    return next((each.name for each in signal.Signals if each == -code), f"signal {-code}")


_default: Manager | None = None
_default_lock = threading.Lock()


def default_manager() -> Manager:
    """Return the manager shared by this process; created on first use."""
    global _default
    with _default_lock:
        if _default is None or _default.closed:
            _default = Manager()
        return _default
