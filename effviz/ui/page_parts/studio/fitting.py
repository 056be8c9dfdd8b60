"""The solver on the Studio page: its start, its progress, and the path of changes that meets the limits."""

from __future__ import annotations

import streamlit as st

from effviz.advice.budgets import QUANTITIES, Verdict, format_share
from effviz.advice.solver import FITS, FOUND, Fit, SolverStep
from effviz.core.caches import NotKnownError, known
from effviz.core.errors import DesignError
from effviz.core.text import html_text
from effviz.core.units import lower, percent
from effviz.model.draft import Draft
from effviz.studies.fitting import applied, fitted, remaining
from effviz.ui import runs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, edit
from effviz.ui.page_parts.studio.limits import Limits
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.jobs import DESK, visitor

_ASKED = "_studio_fit"
_NAME = "Fit"


def button(here: Bench, chosen: Limits, convention: Convention) -> None:
    """Show the button that looks for changes with which all limits on counts are met."""
    can = here.is_whole and bool(chosen.counted)
    help = "Changes widths, expand ratios, kernels and depth until all limits are met, and keeps the most capacity."
    if not can:
        help = "Fix the highlighted row first." if chosen.counted else "Latency is measured, not counted."
    st.button(
        "Fit this budget", key="fit", type="primary", help=help, disabled=not can, on_click=_start,
        args=((here.design, chosen.counted, convention.memory),),
    )  # fmt: skip


def _start(asked: object) -> None:
    if not runs.is_poll():
        st.session_state[_ASKED] = asked


def _close() -> None:
    st.session_state.pop(_ASKED, None)


def result(here: Bench, chosen: Limits, convention: Convention) -> None:
    """Show the result of the search, as long as the table is on its path and the limits are the same."""
    design, budgets, memory = st.session_state.get(_ASKED, (None, (), ""))
    if design is None or not here.is_whole:
        return
    if (budgets, memory) != (chosen.counted, convention.memory):
        _close()
        return
    if here.design != design and not _is_known(design, budgets, memory):
        # The table was edited while the search ran.
        DESK.leave(visitor(), _NAME)
        _close()
        return
    try:
        found = calculated(_NAME, fitted, design, budgets, memory)
    except DesignError as error:
        notice(f"No changes: {error}.", "ignored over", alert=True)
        return
    if found is None:
        return
    if found.status not in (FITS, FOUND):
        if here.design == design:
            _failure(found)
        return
    rest = remaining(found, here.draft)
    if rest is None or not found.path:
        _close()
        return
    _path(found, rest)


def _is_known(*arguments: object) -> bool:
    try:
        known(fitted, *arguments)
    except NotKnownError:
        return False
    return True


def _failure(found: Fit) -> None:
    """Show which limit cannot be met."""
    limit = next(each.budget.text for each in found.verdicts if each.budget.quantity == found.binding)
    lead = f"The binding limit is {lower(QUANTITIES[found.binding].title)}, {limit}. "
    with st.container(key="studio_fit", border=True):
        notice(found.sentence, "finding", alert=True, strong=lead)
        st.button("Close", key="fit_close", on_click=_close)


def _path(found: Fit, rest: tuple[SolverStep, ...]) -> None:
    """Show every change with the limits after it and all before it, and a button that applies it alone."""
    with st.container(key="studio_fit", border=True, gap="small"):
        with st.container(key="fit_step_0", horizontal=True, gap="small", vertical_alignment="center"):
            notice(found.sentence, "finding")
            if rest:
                st.button("Apply all", key="fit_all", type="primary", on_click=_apply, args=(rest,))
            st.button("Close", key="fit_close", on_click=_close)
        for place, step in enumerate(found.path, start=1):
            with st.container(key=f"fit_step_{place}", horizontal=True, gap="small", vertical_alignment="center"):
                st.html(
                    f'<p class="finding"><strong>{place}. {html_text(step.edit.label)}.</strong> {_after(step)}</p>'
                )
                if step in rest:
                    st.button("Apply", key=f"fit_{place}", on_click=_apply, args=((step,),))
                else:
                    notice("Applied")


def _after(step: SolverStep) -> str:
    """Describe the limits after a step and all steps before it."""
    shares = ", ".join(map(_share, step.verdicts))
    return html_text(f"With all above: {shares} of the limit; {percent(step.capacity)} of the capacity.")


def _share(verdict: Verdict) -> str:
    return f"{lower(QUANTITIES[verdict.budget.quantity].title)} {format_share(verdict.share)}"


def _apply(steps: tuple[SolverStep, ...]) -> None:
    def change(draft: Draft) -> Draft:
        return applied(steps, draft)

    edit(change, min(steps[0].edit.rows, default=None) if len(steps) == 1 else None)
