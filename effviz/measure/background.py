"""Measure networks in the background: one after the other, for everybody who looks, resumed where it was stopped.

What is measured is kept by `effviz.measure.latency` on disk, per environment. So whatever was measured before, here or
on another page, is not measured again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from effviz.core.errors import DesignError
from effviz.measure.latency import Latency, LatencyError, Measurement, cached, request
from effviz.studies.guidelines import cases, distinct
from effviz.studies.prediction import ENTRIES
from effviz.worker.manager import Manager, default_manager

if TYPE_CHECKING:
    from effviz.model.design import Design

OWNER = "zoo"


class Network(Protocol):
    """What can be measured: a design, and a title that no other network of the run has."""

    @property
    def design(self) -> Design:
        """What is built."""

    @property
    def title(self) -> str:
        """For a label."""


@dataclass(frozen=True)
class Progress:
    """Where the background measurement stands.

    Attributes:
        threads: that it measures with; None while it does not run.
        left: networks that are still to be measured, the present one among them.
        title: of the present network.
        message: what is being done with it, or where it waits.
        fraction: of the present network, 0 to 1.
    """

    threads: int | None = None
    left: int = 0
    title: str = ""
    message: str = ""
    fraction: float = 0.0


class ZooRun:
    """One background measurement at a time, on behalf of all visitors. Use it from any thread."""

    def __init__(
        self,
        entries: Sequence[Network] = ENTRIES,
        manager: Callable[[], Manager] = default_manager,
        owner: str = OWNER,
    ) -> None:
        self.entries = entries
        self._manager = manager
        self._owner = owner
        self._lock = threading.Lock()
        self._todo: deque[tuple[Network, int]] = deque()
        self._now: tuple[Network, Measurement] | None = None
        self._thread: threading.Thread | None = None
        self._failures: dict[tuple[str, int], str] = {}
        # Counts starts and pauses: what is cancelled without one of them means that the torch process is closed.
        self._turn = 0

    def latencies(self, threads: int = 1, among: Sequence[Network] | None = None) -> dict[str, Latency]:
        """What is known so far, by the title of the network; the order is that of the entries, or of some of them."""
        entries = self.entries if among is None else among
        known = {entry.title: cached(entry.design, threads=threads) for entry in entries}
        return {title: latency for title, latency in known.items() if latency is not None}

    def failures(self, threads: int = 1) -> dict[str, str]:
        """Why networks could not be measured, by title."""
        with self._lock:
            return {title: why for (title, with_threads), why in self._failures.items() if with_threads == threads}

    def start(self, threads: int = 1, again: Iterable[str] = (), among: Sequence[Network] | None = None) -> None:
        """Measure what was not measured yet, and the networks titled in `again` anew; what ran before is dropped.

        Args:
            threads: of torch.
            again: titles.
            among: some of the entries; None for all.
        """
        anew = set(again)
        known = self.latencies(threads, among)
        entries = self.entries if among is None else among
        wanted = [entry for entry in entries if entry.title in anew or entry.title not in known]
        with self._lock:
            self._drop()
            self._todo.extend((entry, threads) for entry in wanted)
            self._failures = {key: why for key, why in self._failures.items() if key[1] != threads}
            if self._todo and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, name="effviz-zoo", daemon=True)
                self._thread.start()

    def pause(self) -> None:
        """Stop after dropping the present network; what was measured stays."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        self._turn += 1
        self._todo.clear()
        if self._now is not None:
            self._now[1].ticket.cancel()
            self._now = None

    @property
    def progress(self) -> Progress:
        """Where it stands."""
        with self._lock:
            now, left = self._now, len(self._todo)
            if now is None:
                return Progress(self._todo[0][1], left, self._todo[0][0].title, "Starting") if left else Progress()
        entry, measurement = now
        ticket = measurement.ticket
        message = f"waiting, place {ticket.position}" if ticket.state == "queued" else ticket.message.lower()
        return Progress(measurement.threads, left + 1, entry.title, message, ticket.progress)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._todo:
                    self._thread = None
                    return
                (entry, threads), turn = self._todo[0], self._turn
            try:
                measurement = request(
                    entry.design, threads=threads, owner=self._owner, keep_all=True, manager=self._manager()
                )
            except (DesignError, RuntimeError) as error:
                with self._lock:
                    if turn == self._turn:
                        self._todo.popleft()
                        self._failures[entry.title, threads] = str(error)
                continue
            with self._lock:
                dropped = turn != self._turn
                if not dropped:
                    self._todo.popleft()
                    self._now = entry, measurement
            if dropped:
                measurement.ticket.cancel()
                continue
            problem = ""
            try:
                measurement.result()
            except (DesignError, LatencyError) as error:
                problem = str(error)
            with self._lock:
                if turn != self._turn:
                    continue
                self._now = None
                if measurement.ticket.state == "cancelled":
                    self._todo.clear()
                elif problem:
                    self._failures[entry.title, threads] = problem


_default: ZooRun | None = None
_guidelines: ZooRun | None = None
_default_lock = threading.Lock()


def default_run() -> ZooRun:
    """The background measurement of the zoo, one for this process."""
    global _default
    with _default_lock:
        if _default is None:
            _default = ZooRun()
        return _default


def guideline_run() -> ZooRun:
    """The background measurement of ShuffleNetV2's guideline experiments, one for this process."""
    global _guidelines
    with _default_lock:
        if _guidelines is None:
            _guidelines = ZooRun(distinct(cases()), owner="guidelines")
        return _guidelines
