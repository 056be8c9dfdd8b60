"""Fixes for exceeded limits on the Studio page, ranked by the gap that they close, with their effect on every limit."""

from __future__ import annotations

import streamlit as st

from effviz.advice.remedies import Remedy
from effviz.core.text import html_text
from effviz.core.units import percent
from effviz.model.draft import Draft
from effviz.studies.fitting import diagnosed
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, edit
from effviz.ui.page_parts.studio.limits import Limits
from effviz.ui.widgets.calculation import calculated

_SHOWN = 6


def remedies(here: Bench, chosen: Limits, convention: Convention) -> None:
    """Show the fixes that close the largest parts of the gap to the limits."""
    if here.design is None:
        return
    found = calculated("Fixes", diagnosed, here.design, chosen.counted, convention.memory)
    if found is None or not found.breaches:
        return
    st.subheader(_heading(found.remedies), anchor=False)
    for place, each in enumerate(found.remedies[:_SHOWN]):
        with st.container(key=f"fix_{place}", border=True, horizontal=True, gap="small"):
            closed = f"Closes {percent(each.closed)} of the gap."
            st.html(
                f'<p class="finding"><strong>{html_text(each.label)}.</strong> {html_text(closed)}</p>'
                f'<p class="finding{" over" if each.breaks else ""}">{html_text(each.sentence)}</p>'
            )
            st.button("Apply", key=f"remedy_{place}", on_click=_apply, args=(each,), disabled=not here.is_whole)


def _heading(found: tuple[Remedy, ...]) -> str:
    if not found:
        return "No single change reduces the excess"
    if len(found) == 1:
        return "One change reduces the excess"
    return f"{len(found)} changes reduce the excess" + (f"; the best {_SHOWN}" if len(found) > _SHOWN else "")


def _apply(each: Remedy) -> None:
    edit(lambda _: Draft.of(each.design), min(each.rows, default=None))
