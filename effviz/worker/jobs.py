"""What the torch process can do: names of jobs and the functions behind them, imported on first use.

A job is a function ``run(payload, progress, cancelled) -> dict``. The payload and the result are JSON-able dicts;
``progress(fraction, message)`` may be called often; where ``cancelled()`` is true, the job returns or raises
`effviz.core.errors.Cancelled`. A new kind is one line in `JOBS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeAlias, cast

from effviz.core.errors import unknown

Job: TypeAlias = Callable[[dict[str, Any], Callable[[float, str], None], Callable[[], bool]], dict[str, Any]]

JOBS: Mapping[str, str] = {
    "latency": "effviz.backend.timing:latency_job",
    "diagram": "effviz.backend.diagram.draw:diagram_job",
    "crosscheck": "effviz.backend.crosscheck:crosscheck_job",
}


def load(kind: str, jobs: Mapping[str, str]) -> Job:
    """The function behind `kind`.

    Raises:
        UnknownNameError: `jobs` has no such kind.
    """
    if kind not in jobs:
        unknown("kind", kind, jobs)
    module, _, function = jobs[kind].partition(":")
    return cast("Job", getattr(import_module(module), function))
