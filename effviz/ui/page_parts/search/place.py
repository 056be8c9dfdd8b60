"""Where the searches of the page are stored, and their results."""

from __future__ import annotations

import hashlib

from effviz.advice.budgets import Budget
from effviz.core.caches import NotKnownError, known
from effviz.measure import store
from effviz.studies.search.run import StudyResult, Task
from effviz.studies.search.summary import searched
from effviz.ui.page_parts.search.controls import SPACE, USUAL_BUDGET, USUAL_TRIALS

EXAMPLE = Task("example", USUAL_TRIALS, budgets=(Budget("macs", USUAL_BUDGET),), seed=1, space=SPACE)
"""The search that is shown before a visitor starts one. It has another seed, so that a search finds other networks."""


def storage(task: Task) -> str:
    """Return the file of a search in the cache folder; empty for the memory of one calculation.

    Visitors with the same study, settings and algorithm share a file. Another number of networks continues it.
    """
    folder = store.cache_folder("search")
    if folder is None:
        return ""
    name = hashlib.sha256(f"{task.study}\n{task.sampler}\n{task.seed}\n{task.settings}".encode()).hexdigest()
    return str(folder / f"{name}.log")


def finished(task: Task) -> StudyResult | None:
    """Return the result of a search; None before its end."""
    return _found(task, storage(task))


def example() -> StudyResult | None:
    """Return the result of the example; None before its end."""
    return _found(EXAMPLE, "")


def _found(task: Task, place: str) -> StudyResult | None:
    try:
        return known(searched, task, place)
    except NotKnownError:
        return None


def evict() -> None:
    """Delete old and excess searches of the page, before another one starts."""
    folder = store.cache_folder("search")
    if folder is not None and folder.is_dir():
        store.evict(folder)
