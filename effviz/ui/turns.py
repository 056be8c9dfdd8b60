"""Turns of visitors: short runs of scripts one after the other, and long ones between them.

All scripts share one interpreter, in which threads compute alternately. Six runs that start together would all end
late; one after the other, only the last one does. So a run of a page starts when those before it have ended or are
older than `SHORT_S`. Small parts that look at a job or at a room by a timer start at once. A computation that misses
the caches calls `give_way` between its parts: an old run then sleeps while others are young or wait.
"""

from __future__ import annotations

import gc
import math
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from effviz.core import caches

SHORT_S = 0.06
"""Seconds for which a run has priority. Most moves of a slider take less."""

_WORK_S = 0.004
_LONGEST_PAUSE_S = 0.05
_STEP_S = 0.002
_SWITCH_S = 0.001
# Collections of the oldest generation stop all threads, for 0.3 s in a server with full caches. The results in caches
# have no cycles, so these collections can be rare. They leave out the modules that are imported before the start.
_GC_THRESHOLDS = (2_000, 20, 50)


class Turns:
    """The runs of scripts in this process by their threads, in the order of their requests."""

    def __init__(self) -> None:
        self._began: dict[threading.Thread, float] = {}  # infinity: has not begun yet
        self._changed = threading.Condition()
        self._resumed = threading.local()

    @contextmanager
    def run(self) -> Iterator[None]:
        """Wait for the turn of the current thread and run; within another run, go on."""
        me = threading.current_thread()
        if me in self._began:
            yield
            return
        try:
            with self._changed:
                self._began[me] = math.inf
                while (seconds := self._seconds_to_wait(me)) > 0:
                    self._changed.wait(seconds)
                self._began[me] = time.monotonic()
            yield
        finally:
            with self._changed:
                self._began.pop(me, None)
                self._changed.notify_all()

    def end(self) -> None:
        """Let other runs begin, as the current one waits for another process; it is an old run from now on."""
        me = threading.current_thread()
        with self._changed:
            if me in self._began:
                self._began[me] = -math.inf
            self._changed.notify_all()

    def _seconds_to_wait(self, me: threading.Thread) -> float:
        """Return the time after which the first run before this one is old."""
        now = time.monotonic()
        for thread, began in self._began.items():
            if thread is me:
                return 0.0
            if now - began < SHORT_S:
                return min(SHORT_S, SHORT_S - (now - began))
        return 0.0

    def give_way(self) -> None:
        """Sleep while other runs are young or wait, unless this one is young; for a short time, and not too often."""
        now, me = time.monotonic(), threading.current_thread()
        # The main thread serves the sockets of all visitors.
        if now - getattr(self._resumed, "at", 0.0) < _WORK_S or me is threading.main_thread():
            return
        end = now + _LONGEST_PAUSE_S
        while now < end and now - self._began.get(me, 0.0) > SHORT_S and self._has_young(me, now):
            time.sleep(_STEP_S)
            now = time.monotonic()
        self._resumed.at = now

    def _has_young(self, me: threading.Thread, now: float) -> bool:
        return any(now - began < SHORT_S and thread is not me for thread, began in list(self._began.items()))


TURNS = Turns()


def start() -> None:
    """Let computations give way in this process, and shorten the times in which no other thread can run."""
    caches.pause = TURNS.give_way
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
