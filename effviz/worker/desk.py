"""Who waits for what: one job per visitor and purpose, and one job for all visitors who ask for the same.

Thirty students open one link: their pages need one diagram, not thirty. A visitor turns to another setting: the job
for the former one is stopped, unless somebody else still waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import NamedTuple

from effviz.worker.manager import Ticket


class _Flight(NamedTuple):
    key: Hashable
    ticket: Ticket
    seats: set[tuple[str, str]]


class Desk:
    """Tickets by what they are for. Use it from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[tuple[str, str], _Flight] = {}
        # The latest of each key: the one for newcomers. Others may still sit in a former one that has ended.
        self._flights: dict[Hashable, _Flight] = {}

    def take(self, visitor: str, purpose: str, key: Hashable, start: Callable[[], Ticket]) -> Ticket:
        """The ticket of the job `key`, started if nobody has; the visitor's former job for this purpose is let go.

        A ticket that has ended stays with its visitors until they leave it; whoever asks for `key` afresh gets a new
        job, as does everybody after a job that was cancelled.

        Args:
            visitor: who asks.
            purpose: of several things that a visitor may wait for, which.
            key: names the job; equal keys, equal jobs.
            start: submits it. Called with the desk locked: it must not wait for the job.
        """
        seat = visitor, purpose
        with self._lock:
            mine = self._taken.get(seat)
            if mine is not None and mine.key == key and mine.ticket.state != "cancelled":
                return mine.ticket
            self._leave(seat)
            flight = self._flights.get(key)
            if flight is None or flight.ticket.state not in ("queued", "running"):
                flight = self._flights[key] = _Flight(key, start(), set())
            flight.seats.add(seat)
            self._taken[seat] = flight
            return flight.ticket

    def held(self, visitor: str, purpose: str) -> Ticket | None:
        """What the visitor waits for, or has waited for and not left yet."""
        with self._lock:
            flight = self._taken.get((visitor, purpose))
            return flight.ticket if flight is not None else None

    def leave(self, visitor: str, purpose: str) -> None:
        """Let go; a job that nobody else waits for is cancelled."""
        with self._lock:
            self._leave((visitor, purpose))

    def forget(self, visitor: str) -> None:
        """Let go of everything, because the visitor has gone."""
        with self._lock:
            for seat in [each for each in self._taken if each[0] == visitor]:
                self._leave(seat)

    def _leave(self, seat: tuple[str, str]) -> None:
        flight = self._taken.pop(seat, None)
        if flight is None:
            return
        flight.seats.discard(seat)
        if not flight.seats:
            if self._flights.get(flight.key) is flight:
                del self._flights[flight.key]
            flight.ticket.cancel()
