"""Results that pages need at a first visit, calculated as soon as the server has started."""

from __future__ import annotations

import threading

from effviz.studies import finder
from effviz.studies.literature.judge import judged
from effviz.studies.search.summary import searched, space_facts
from effviz.ui.convention import Convention
from effviz.ui.page_parts.search.controls import SPACE
from effviz.ui.page_parts.search.place import EXAMPLE
from effviz.ui.widgets.calculation import prepare
from effviz.worker.calculations import Pool

_MEMORY = Convention().memory
CALLS = (
    (finder.candidates, _MEMORY, None, None, None, False),
    (judged,),
    (searched, EXAMPLE, ""),
    (space_facts, SPACE),
    (finder.candidates, _MEMORY, None, None, None, True),
)
"""Remembered functions with their arguments, in the order of the waiting times that they save."""


def start(processes: Pool) -> threading.Thread:
    """Calculate them in a thread, one after another; it ends when the processes are closed."""
    thread = threading.Thread(target=_calculate, args=(processes,), name="first visits", daemon=True)
    thread.start()
    return thread


def _calculate(processes: Pool) -> None:
    for function, *arguments in CALLS:
        try:
            prepare(processes, function, *arguments)
        except RuntimeError:  # the server ends
            return
