"""The background measurements of the app: one run per set of networks and process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from effviz.measure.background import OWNER, Network, ZooRun
from effviz.studies.guidelines.experiments import cases, distinct
from effviz.studies.prediction import ENTRIES

_runs: dict[str, ZooRun] = {}
_lock = threading.Lock()


def default_run() -> ZooRun:
    """Return the background measurement of the zoo."""
    return _run(OWNER, lambda: ENTRIES)


def guideline_run() -> ZooRun:
    """Return the background measurement of ShuffleNetV2's guideline experiments."""
    return _run("guidelines", lambda: distinct(cases()))


def _run(owner: str, networks: Callable[[], Sequence[Network]]) -> ZooRun:
    with _lock:
        if owner not in _runs:
            _runs[owner] = ZooRun(networks(), owner=owner)
        return _runs[owner]
