"""Table of rows on the Studio page, and the buttons that edit whole rows."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from effviz.core.units import si
from effviz.model.draft import Draft
from effviz.studies.studio import draft_rows, new_row
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import FUTURE, PAST, PROBLEM, Bench, edit, select, too_long, travel
from effviz.ui.widgets.frame import notice

TABLE = "studio_rows"
MACS = "Multiply-adds"
_TALLEST = 510
_COLUMNS = (
    # heading, attribute of the row, width in pixels, help
    ("Stage", "stage", 64, None),
    ("Block", "block", 108, None),
    ("c", "channels", 44, "Output channels, as built."),
    ("n", "blocks", 30, "Number of blocks, as built."),
    ("s", "stride", 30, "Stride of the first block."),
    ("Output", "output", 92, "Channels × height × width."),
    ("Parameters", "params", 76, None),
    (MACS, "macs", 88, None),
    ("Status", "status", 50, None),
)


def toolbar(here: Bench) -> None:
    """Show the buttons that edit whole rows."""
    rows, row, state = len(here.draft.rows), here.row, st.session_state

    def button(label: str, key: str, change: Callable[[Draft], Draft], then: int, *, enabled: bool) -> None:
        st.button(label, key=key, on_click=edit, args=(change, then), disabled=not enabled)

    def add(draft: Draft) -> Draft:
        return draft.add(new_row(draft, row), min(row + 1, len(draft.rows)))

    with st.container(horizontal=True, gap="small", key="studio_tools"):
        button("Add row", "row_add", add, row + 1 if rows else 0, enabled=True)
        button("Duplicate", "row_copy", lambda draft: draft.duplicate(row), row + 1, enabled=rows > 0)
        button("Up", "row_up", lambda draft: draft.move(row, -1), row - 1, enabled=row > 0)
        button("Down", "row_down", lambda draft: draft.move(row, 1), row + 1, enabled=row < rows - 1)
        button("Delete", "row_delete", lambda draft: draft.remove(row), min(row, rows - 2), enabled=rows > 0)
        st.button("Undo", key="undo", on_click=travel, args=(PAST, FUTURE), disabled=not state.get(PAST))
        st.button("Redo", key="redo", on_click=travel, args=(FUTURE, PAST), disabled=not state.get(FUTURE))


def problems(here: Bench) -> None:
    """Show why the last edit was rejected, and whether the draft is too long for a link."""
    if too_long(here.draft):
        text = "Too long for a link: this design exists only in this browser session. Download it as JSON to keep it."
        notice(text, "ignored", alert=True)
    problem = st.session_state.get(PROBLEM)
    if problem:
        notice(f"Not changed: {problem}.", "ignored", alert=True)


def table(here: Bench, convention: Convention) -> None:
    """Show the rows; the selected one is in the form."""
    if not here.draft.rows:
        st.markdown("The table is empty. Add a row, or start from a network in the sidebar.")
        return
    _fault(here)
    data = _data(here, convention)
    state = st.session_state
    if TABLE not in state or list(state[TABLE]["selection"]["rows"]) != [here.row]:
        state[TABLE] = {"selection": {"rows": [here.row], "columns": [], "cells": []}}

    def chosen() -> None:
        picked = st.session_state[TABLE]["selection"]["rows"]
        if picked:
            select(picked[0])

    numbers = [name for name in ("Parameters", convention.compute_label) if data[name].notna().any()]
    st.dataframe(
        data.style.format(precision=0).format(si, subset=numbers, na_rep=""),
        key=TABLE,
        height=min(35 * (len(data) + 1) + 3, _TALLEST),
        on_select=chosen,
        selection_mode="single-row-required",
        hide_index=True,
        column_config={
            convention.compute_label if label == MACS else label: st.column_config.Column(width=width, help=help)
            for label, _, width, help in (("#", "", 34, None), *_COLUMNS)
        },
        placeholder="",
        alt=f"{len(data)} rows of {here.draft.frame.title or 'the draft'} with widths, costs and status",
    )


def _fault(here: Bench) -> None:
    fault = here.checked.fault
    if fault is not None:
        name = here.draft.rows[fault.row].name
        counted = "Only the rows above it are counted." if fault.row else "Nothing is counted."
        text = f"Row {fault.row + 1}, {name}, cannot be built: {fault.problem} (at {fault.path}). {counted}"
        notice(text, "ignored", alert=True)


def _data(here: Bench, convention: Convention) -> pd.DataFrame:
    rows = draft_rows(here.draft, here.checked)
    data = pd.DataFrame({label: [getattr(row, name) for row in rows] for label, name, _, _ in _COLUMNS})
    data[MACS] = [row.macs and convention.compute(row.macs) for row in rows]
    data.insert(0, "#", range(1, len(rows) + 1))
    return data.rename(columns={MACS: convention.compute_label})
