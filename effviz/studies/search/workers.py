"""Several workers of one search on this machine: this process and others."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from effviz.core.arguments import check_border
from effviz.core.errors import DesignError, whole
from effviz.studies.search.run import StudyResult, Task, search

if TYPE_CHECKING:
    from effviz.model.design import Design

MOST = 64


def search_together(
    task: Task, storage: str, workers: int = 1, measure: Callable[[Design], float] | None = None
) -> StudyResult:
    """Search with several processes, which end when the study has enough networks.

    Args:
        task: the search.
        storage: a file or the URL of a database.
        workers: number of processes, with this one.
        measure: see `effviz.studies.search.run.search`. Measurements of several workers would disturb each other.

    Raises:
        DesignError: as `effviz.studies.search.run.search`.
    """
    whole("workers", workers, 1, MOST)
    if workers > 1 and task.measures:
        raise DesignError(f"workers = {workers} must be 1 on one machine if latency is measured")
    # Not fork: it copies locks that other threads hold.
    context = multiprocessing.get_context("spawn")
    # Daemons end with this process, whatever ends it.
    others = [context.Process(target=_work, args=(task, storage, number), daemon=True) for number in range(1, workers)]
    for each in others:
        each.start()
    found = search(task, storage, measure)
    for each in others:
        each.join()
    return found


def _work(task: Task, storage: str, worker: int) -> None:
    """Work in another process. Its error ends this worker only; the first worker reports its own."""
    try:
        search(task, storage, worker=worker)
    except (DesignError, KeyboardInterrupt):
        sys.exit(1)


check_border(globals())
