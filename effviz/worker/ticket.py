"""A submitted job: its state, progress and outcome."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from effviz.worker.protocol import Request, encode_request

if TYPE_CHECKING:
    from effviz.worker.manager import Manager

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]


class Outcome(NamedTuple):
    """The end of a job."""

    state: State
    result: dict[str, Any] | None = None
    error: str | None = None
    reason: str | None = None
    message: str = ""

    @classmethod
    def failed(cls, reason: str, error: str) -> Outcome:
        """Return the outcome of a failed job."""
        return cls("failed", error=error, reason=reason)

    @classmethod
    def cancelled(cls, message: str) -> Outcome:
        """Return the outcome of a cancelled job."""
        return cls("cancelled", message=message)


class Ticket:
    """A submitted job and its state. All attributes may be read from any thread."""

    def __init__(self, manager: Manager, request: Request, owner: str, timeout_s: float, address: str) -> None:
        self._manager = manager
        self._ended = threading.Event()
        # Encoded now, because the caller may change the payload later.
        self.line = encode_request(request)
        self.id, self.kind, self.payload = request
        self.owner = owner
        self.address = address  # of the visitor; empty for a job of the program itself
        self.timeout_s = timeout_s
        self.state: State = "queued"
        self.progress = 0.0  # fraction done, 0 to 1
        self.message = ""  # the current step, or why it was cancelled
        self.result: dict[str, Any] | None = None  # return value of a job that is done
        self.error: str | None = None  # message of a failed job
        # Category of the error: "memory" (above the limit), "queue" (too many jobs wait), "timeout", "crashed" (the
        # process ended), "start" (it did not start), "design" (a `DesignError`), or "job" (any other exception).
        self.reason: str | None = None
        self.submitted_at = time.monotonic()
        self.started_at: float | None = None  # in the torch process
        self.finished_at: float | None = None

    def __repr__(self) -> str:
        return f"Ticket({self.id}, {self.owner!r}, {self.kind!r}, {self.state})"

    @property
    def position(self) -> int:
        """Position in the queue, starting at 1; 0 if the job is not waiting."""
        return self._manager.position(self)

    @property
    def ended(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self._ended.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most `timeout` seconds, and return whether the job has ended."""
        return self._ended.wait(timeout)

    def cancel(self) -> None:
        """See `Manager.cancel`."""
        self._manager.cancel(self)

    def end(self, outcome: Outcome) -> None:
        """Set the outcome; called by the manager."""
        self.result, self.error, self.reason = outcome.result, outcome.error, outcome.reason
        self.message = outcome.message
        self.finished_at = time.monotonic()
        if outcome.state == "done":
            self.progress = 1.0
        # Last, so that the result is set when the state is "done".
        self.state = outcome.state
        self._ended.set()
