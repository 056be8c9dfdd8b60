"""Table of rows on the Studio page, and the buttons that edit whole rows."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effviz.core.caches import remembered
from effviz.model.draft import Draft, checked
from effviz.studies.studio import draft_rows, new_row
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import FUTURE, PAST, PROBLEM, Bench, edit, select, too_long, travel
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.tables import Column, Table, show_table

TABLE = "studio_rows"
_TALLEST = 510
_PLAIN = "%d"


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
    """Show why the last edit was rejected, whether the draft is too long for a link, and which row cannot be built."""
    if too_long(here.draft):
        text = "Too long for a link: this design exists only in this browser session. Download it as JSON to keep it."
        notice(text, "ignored", alert=True)
    problem = st.session_state.get(PROBLEM)
    if problem:
        notice(f"Not changed: {problem}.", "ignored", alert=True)
    fault = here.checked.fault
    if fault is not None:
        name = here.draft.rows[fault.row].name
        counted = "Only the rows above it are counted." if fault.row else "Nothing is counted."
        text = f"Row {fault.row + 1}, {name}, cannot be built: {fault.problem} (at {fault.path}). {counted}"
        notice(text, "ignored", alert=True)
    if not here.draft.rows:
        st.markdown("The table is empty. Add a row, or start from a network in the sidebar.")


def place() -> DeltaGenerator:
    """Return the place of the table and of the form of a row, side by side."""
    return st.container(horizontal=True, key="studio_rows_and_form", gap="medium")


def table(here: Bench, convention: Convention) -> None:
    """Show the rows; the selected one is in the form."""
    if not here.draft.rows:
        return
    state = st.session_state
    if TABLE not in state or list(state[TABLE]["selection"]["rows"]) != [here.row]:
        state[TABLE] = {"selection": {"rows": [here.row], "columns": [], "cells": []}}

    def chosen() -> None:
        picked = st.session_state[TABLE]["selection"]["rows"]
        if picked:
            select(picked[0])

    more = {"on_select": chosen, "selection_mode": "single-row-required"}
    show_table(_table(here.draft, convention), key=TABLE, height=_TALLEST, more=more)


@remembered
def _table(draft: Draft, convention: Convention) -> Table:
    rows = draft_rows(draft, checked(draft))
    # The status needs room only where a row is not built.
    faulty = any(row.status != "built" for row in rows)
    columns = [
        Column("#", lambda row: row[0], _PLAIN, 34),
        Column("Stage", lambda row: row[1].stage, width=64),
        Column("Block", lambda row: row[1].block, width=108 if faulty else 136),
        Column("c", lambda row: row[1].channels, _PLAIN, 44, "Output channels, as built."),
        Column("n", lambda row: row[1].blocks, _PLAIN, 30, "Number of blocks, as built."),
        Column("s", lambda row: row[1].stride, _PLAIN, 30, "Stride of the first block."),
        Column("Output", lambda row: row[1].output, width=92, help="Channels × height × width."),
        Column("Parameters", lambda row: row[1].params, width=80),
        Column(convention.compute_label, lambda row: row[1].macs and convention.compute(row[1].macs), width=92),
        *([Column("Status", lambda row: row[1].status)] if faulty else []),
    ]
    alt = f"{len(rows)} rows of {draft.frame.title or 'the draft'} with widths and costs{' and status' * faulty}"
    return Table(list(enumerate(rows, start=1)), columns, alt)
