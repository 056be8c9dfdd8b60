"""Turns of visitors: a long computation pauses while short ones of other visitors run.

All scripts share one interpreter, in which threads compute alternately. A computation that misses the caches calls
`give_way` between its parts. A run of a script that is older than `SHORT_S` then sleeps until younger runs have ended.
"""

from __future__ import annotations

import gc
import sys
import threading
import time

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
    """The runs of scripts in this process by their threads."""

    def __init__(self) -> None:
        self._runs: dict[threading.Thread, float] = {}
        self._resumed = threading.local()

    def begin(self) -> None:
        """Note that the current thread begins a run."""
        for thread in [each for each in list(self._runs) if not each.is_alive()]:
            self._runs.pop(thread, None)
        self._runs[threading.current_thread()] = time.monotonic()

    def give_way(self) -> None:
        """Sleep while runs in other threads are young, unless this one is; for a short time, and not too often."""
        now, me = time.monotonic(), threading.current_thread()
        # The main thread serves the sockets of all visitors.
        if now - getattr(self._resumed, "at", 0.0) < _WORK_S or me is threading.main_thread():
            return
        end = now + _LONGEST_PAUSE_S
        while now < end and now - self._runs.get(me, 0.0) > SHORT_S and self._has_young(me, now):
            time.sleep(_STEP_S)
            now = time.monotonic()
        self._resumed.at = now

    def _has_young(self, me: threading.Thread, now: float) -> bool:
        return any(
            now - started < SHORT_S and thread is not me and thread.is_alive()
            for thread, started in list(self._runs.items())
        )


TURNS = Turns()


def start() -> None:
    """Let computations give way in this process, and shorten the times in which no other thread can run."""
    caches.pause = TURNS.give_way
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
