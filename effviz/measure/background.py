"""Background measurement of several networks, one after the other, shared by all visitors.

A run skips the networks that `effviz.measure.latency` has stored for this environment, so it resumes after a pause.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from effviz.core.errors import DesignError
from effviz.measure.latency import Latency, LatencyError, Measurement, fingerprint, request, stored
from effviz.measure.recorded import find
from effviz.model.design import Design
from effviz.studies.guidelines.experiments import cases, distinct
from effviz.studies.prediction import ENTRIES
from effviz.worker.manager import Manager, default_manager

OWNER = "zoo"


class Measurable(Protocol):
    """A design with a title that is unique within the run."""

    @property
    def design(self) -> Design:
        """The network to measure."""

    @property
    def title(self) -> str:
        """Its label."""


@dataclass(frozen=True)
class Progress:
    """The progress of a background measurement."""

    threads: int | None = None  # of torch; None while nothing is measured
    left: int = 0  # number of networks left, including the current one
    title: str = ""  # of the current network
    message: str = ""  # its current step, or its position in the queue
    fraction: float = 0.0  # of the current network, 0 to 1


class ZooRun:
    """One background measurement at a time, for all visitors. All methods are thread-safe.

    Args:
        entries: the networks.
        manager: returns the manager of the torch process.
        owner: of its jobs in the queue.
    """

    def __init__(
        self, entries: Sequence[Measurable], manager: Callable[[], Manager] = default_manager, owner: str = OWNER
    ) -> None:
        self.entries = entries
        self._manager = manager
        self._owner = owner
        self._lock = threading.Lock()
        self._todo: deque[tuple[Measurable, int]] = deque()
        self._now: tuple[Measurable, Measurement] | None = None
        self._thread: threading.Thread | None = None
        self._failures: dict[tuple[str, int], str] = {}
        self._keys: dict[tuple[str, int], str] = {}
        self._visitors: set[str] = set()
        # Counts starts and pauses. A cancellation without either means that the torch process was closed.
        self._turn = 0

    def latencies(self, threads: int = 1, among: Sequence[Measurable] | None = None) -> dict[str, Latency]:
        """Return the stored latencies by title, in the order of the entries or of `among`."""
        entries = self.entries if among is None else among
        known = {entry.title: stored(self._key(entry, threads)) for entry in entries}
        return {title: latency for title, latency in known.items() if latency is not None}

    def _key(self, entry: Measurable, threads: int) -> str:
        """Return the fingerprint of a network, which a page needs for all networks at every move."""
        known = self._keys.get((entry.title, threads))
        return known or self._keys.setdefault((entry.title, threads), fingerprint(entry.design, threads=threads))

    def shown(self, threads: int, among: Sequence[Measurable] | None = None, *, enough: int = 1) -> dict[str, Latency]:
        """Return latencies by title, all of one kind: measured here, or recorded while fewer than `enough` are.

        Without recorded ones, those measured here.
        """
        entries = self.entries if among is None else among
        here = self.latencies(threads, entries)
        if len(here) >= min(enough, len(entries)):
            return here
        known = {entry.title: find(entry.design, threads=threads) for entry in entries}
        return {title: latency for title, latency in known.items() if latency is not None} or here

    def failures(self, threads: int = 1) -> dict[str, str]:
        """Return the error messages of the networks that could not be measured, by title."""
        with self._lock:
            return {title: why for (title, with_threads), why in self._failures.items() if with_threads == threads}

    def start(
        self,
        threads: int = 1,
        again: Iterable[str] = (),
        among: Sequence[Measurable] | None = None,
        visitor: str = "",
    ) -> None:
        """Measure the networks without a stored latency.

        A running measurement is cancelled, unless other visitors have started it. Then these networks come after it.

        Args:
            threads: of torch.
            again: titles of networks to measure even so.
            among: some of the entries; None for all.
            visitor: who starts it.
        """
        anew = set(again)
        known = self.latencies(threads, among)
        entries = self.entries if among is None else among
        wanted = [entry for entry in entries if entry.title in anew or entry.title not in known]
        with self._lock:
            if not self._visitors - {visitor}:
                self._drop()
            self._visitors.add(visitor)
            known_jobs = {(entry.title, count) for entry, count in self._todo}
            if self._now is not None:
                known_jobs.add((self._now[0].title, self._now[1].threads))
            self._todo.extend((entry, threads) for entry in wanted if (entry.title, threads) not in known_jobs)
            self._failures = {key: why for key, why in self._failures.items() if key[1] != threads}
            if not self._todo and self._now is None:
                self._visitors.clear()
            elif self._todo and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, name="effviz-zoo", daemon=True)
                self._thread.start()

    def pause(self, visitor: str | None = None) -> None:
        """Stop and drop the current network; finished measurements stay stored.

        Args:
            visitor: who no longer needs the measurement. It continues if others do; None stops it for all.
        """
        with self._lock:
            if visitor is not None and visitor not in self._visitors:
                return
            self._visitors -= self._visitors if visitor is None else {visitor}
            if not self._visitors:
                self._drop()

    def is_for(self, visitor: str) -> bool:
        """Whether a visitor has started the running measurement."""
        with self._lock:
            return visitor in self._visitors

    def _drop(self) -> None:
        self._turn += 1
        self._visitors.clear()
        self._todo.clear()
        if self._now is not None:
            self._now[1].ticket.cancel()
            self._now = None

    @property
    def progress(self) -> Progress:
        """The current progress."""
        with self._lock:
            now, left = self._now, len(self._todo)
            if now is None:
                return Progress(self._todo[0][1], left, self._todo[0][0].title, "Starting") if left else Progress()
        entry, measurement = now
        ticket = measurement.ticket
        is_waiting = ticket.state == "queued"
        message = f"waiting, position {ticket.position} in the queue" if is_waiting else ticket.message.lower()
        return Progress(measurement.threads, left + 1, entry.title, message, ticket.progress)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._todo:
                    self._thread = None
                    self._visitors.clear()
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


# --- the runs of the app: one per set of networks and process ------------------------------------------------------

_runs: dict[str, ZooRun] = {}
_starting = threading.Lock()


def release(visitor: str) -> None:
    """Pause the measurements that only this visitor has started."""
    for run in list(_runs.values()):
        run.pause(visitor)


def default_run() -> ZooRun:
    """Return the background measurement of the zoo."""
    return _run(OWNER, lambda: ENTRIES)


def guideline_run() -> ZooRun:
    """Return the background measurement of ShuffleNetV2's guideline experiments."""
    return _run("guidelines", lambda: distinct(cases()))


def _run(owner: str, networks: Callable[[], Sequence[Measurable]]) -> ZooRun:
    with _starting:
        if owner not in _runs:
            _runs[owner] = ZooRun(networks(), owner=owner)
        return _runs[owner]
