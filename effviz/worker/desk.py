"""Jobs shared by visitors: one job per visitor and purpose, and one job for equal requests.

Thirty students who open one link need one diagram, not thirty. If a visitor changes a setting, the previous job is
cancelled, unless other visitors wait for it.
"""

import threading
from collections.abc import Callable, Hashable
from typing import NamedTuple

from effviz.worker.manager import Ticket


class _SharedJob(NamedTuple):
    key: Hashable
    ticket: Ticket
    holders: set[tuple[str, str]]


class Desk:
    """Tickets by visitor and purpose. All methods are thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[tuple[str, str], _SharedJob] = {}
        # The latest job of each key, for new visitors. Earlier visitors may hold an older one that has ended.
        self._latest: dict[Hashable, _SharedJob] = {}

    def take(self, visitor: str, purpose: str, key: Hashable, start: Callable[[], Ticket]) -> Ticket:
        """Return the ticket of the job `key`, and leave the visitor's previous job for this purpose.

        The job is started if no visitor has a running one. Visitors keep the ticket of a job that has ended until they
        leave it, unless it was cancelled. New visitors get a new job.

        Args:
            visitor: an identifier.
            purpose: distinguishes the jobs of one visitor.
            key: identifies the job; equal keys share a job.
            start: submits the job. It is called with the desk locked and must not wait for the job.
        """
        holder = visitor, purpose
        with self._lock:
            mine = self._taken.get(holder)
            if mine is not None and mine.key == key and mine.ticket.state != "cancelled":
                return mine.ticket
            self._leave(holder)
            job = self._latest.get(key)
            if job is None or job.ticket.state not in ("queued", "running"):
                job = self._latest[key] = _SharedJob(key, start(), set())
            job.holders.add(holder)
            self._taken[holder] = job
            return job.ticket

    def held(self, visitor: str, purpose: str) -> Ticket | None:
        """Return the visitor's current ticket, running or ended; None if there is none."""
        with self._lock:
            job = self._taken.get((visitor, purpose))
            return job.ticket if job is not None else None

    def leave(self, visitor: str, purpose: str) -> None:
        """Drop the visitor's ticket; the job is cancelled unless other visitors hold it."""
        with self._lock:
            self._leave((visitor, purpose))

    def forget(self, visitor: str) -> None:
        """Drop all tickets of a visitor."""
        with self._lock:
            for holder in [each for each in self._taken if each[0] == visitor]:
                self._leave(holder)

    def _leave(self, holder: tuple[str, str]) -> None:
        job = self._taken.pop(holder, None)
        if job is None:
            return
        job.holders.discard(holder)
        if not job.holders:
            if self._latest.get(job.key) is job:
                del self._latest[job.key]
            job.ticket.cancel()
