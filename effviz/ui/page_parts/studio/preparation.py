"""Results of a large network on the Studio page, which are calculated in another process before the page is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import streamlit as st

from effviz.core.caches import plant, remembered
from effviz.core.resolution import halved
from effviz.measure.digest import network_digest
from effviz.model.draft import Draft, checked
from effviz.studies.studio import buildable, is_costly, largest_layer, row_totals, scaled_report
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.code import calls, source
from effviz.ui.page_parts.studio.draft import current, selected
from effviz.ui.page_parts.studio.findings import count_shown, suggestions
from effviz.ui.page_parts.studio.form import judged
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.cards import cached_report
from effviz.ui.widgets.parts import KEY
from effviz.worker.limits import eager_peak


class Result(NamedTuple):
    """A result of a remembered function, for a server that has not computed it."""

    value: Any
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any]


def is_ready(convention: Convention) -> bool:
    """Return whether the page can be drawn now; if not, show the progress of its calculation."""
    draft = current()
    if not is_costly(draft):
        return True
    part = str(st.session_state.get(KEY, st.query_params.get(KEY)))
    arguments = draft, selected(draft), convention.memory, part, count_shown(draft.design)
    found = calculated("Counts of a large network", results, *arguments)
    for each in found or ():
        plant(each.value, each.function, *each.arguments, **each.named)
    return found is not None


@remembered
def results(draft: Draft, row: int, memory: str, part: str, shown: int) -> tuple[Result, ...]:
    """Return what the page shows of a network: its counts, the options of a row, and the content of one part."""
    return tuple(_results(draft, row, memory, part, shown))


def _results(draft: Draft, row: int, memory: str, part: str, shown: int) -> Iterator[Result]:
    def result(function: Callable[..., Any], *arguments: Any, **named: Any) -> Result:
        return Result(function(*arguments, **named), function, arguments, named)

    yield (known := result(checked, draft))
    yield from (result(buildable, *each) for each in judged(draft, row))
    design, fault = known.value.design, known.value.fault
    if design is None:
        return
    yield (counted := result(cached_report, design, memory))
    report = counted.value
    # A copy of a report contains what was read before.
    _ = report.memory_access, report.peak_activation, report.sums, report.__sizeof__()
    yield result(row_totals, design)
    yield result(network_digest, design, design.resolution)
    yield result(eager_peak, design, design.resolution)
    yield result(largest_layer, report)
    if part == "Suggestions":
        yield result(suggestions, report, shown)
    if fault is None and part == "Code":
        yield result(source, design)
        yield result(calls, design)
    if fault is None and part == "Try this":
        yield result(scaled_report, design, resolution=halved(report.resolution))
        yield result(scaled_report, design, width_mult=2)
