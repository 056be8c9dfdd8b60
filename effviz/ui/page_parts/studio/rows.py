"""Table of rows on the Studio page, and the buttons that edit whole rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from effviz.advice.breaches import Breach
from effviz.advice.budgets import QUANTITIES, format_share
from effviz.core.caches import remembered
from effviz.core.units import lower, percent
from effviz.count.words import short_title
from effviz.model.draft import Draft, checked
from effviz.studies.studio import draft_rows, new_row
from effviz.studies.templates import TEMPLATES, template
from effviz.ui import runs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.cells import cells, is_editing, set_editing
from effviz.ui.page_parts.studio.draft import (
    FUTURE,
    PAST,
    PROBLEM,
    Bench,
    chosen_rows,
    current,
    edit,
    select,
    select_several,
    selected,
    too_long,
    travel,
)
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.tables import Column, Table, show_table

TABLE, SEVERAL = "studio_rows", "studio_several"
"""Keys of the table whose rows are selected one at a time, and of the one for several."""
ONE, SOME, ALL, BLOCK, STAGE = "One row", "Several rows", "All rows", "Rows with this block", "Rows of this stage"
CELLS = "Edit cells"
_TALLEST = 510
_PLAIN = "%d"


def toolbar(here: Bench) -> None:
    """Show the buttons that edit whole rows: those that are selected."""
    rows, chosen, state = len(here.draft.rows), here.rows, st.session_state

    def button(
        label: str, key: str, change: Callable[[Draft], Draft], then: int | Sequence[int], shortcut: str, *,
        enabled: bool,
    ) -> None:  # fmt: skip
        at = then[0] if not isinstance(then, int) and len(then) == 1 and not here.several else then
        st.button(label, key=key, on_click=edit, args=(change, at), disabled=not enabled, help=_keys(shortcut),
                  shortcut=shortcut)  # fmt: skip

    last = chosen[-1] if chosen else -1
    copies = range(last + 1, last + 1 + len(chosen))
    with st.container(horizontal=True, gap="small", key="studio_tools", vertical_alignment="center"):
        _picked("Add a template", "row_template", TEMPLATES, _insert)
        button("Add row", "row_add", lambda draft: draft.add(new_row(draft, last), last + 1), last + 1, "Alt+A",
               enabled=True)  # fmt: skip
        button("Duplicate", "row_copy", lambda draft: draft.duplicate_all(chosen), copies, "Alt+D", enabled=rows > 0)
        button("Up", "row_up", lambda draft: draft.move_all(chosen, -1), [each - 1 for each in chosen], "Alt+ArrowUp",
               enabled=bool(chosen) and chosen[0] > 0)  # fmt: skip
        button("Down", "row_down", lambda draft: draft.move_all(chosen, 1), [each + 1 for each in chosen],
               "Alt+ArrowDown", enabled=bool(chosen) and last < rows - 1)  # fmt: skip
        button("Delete", "row_delete", lambda draft: draft.remove_all(chosen), _next(chosen, rows), "Alt+Delete",
               enabled=rows > 0)  # fmt: skip
        _history("Undo", "undo", (PAST, FUTURE), "Alt+Z", enabled=bool(state.get(PAST)))
        _history("Redo", "redo", (FUTURE, PAST), "Alt+Y", enabled=bool(state.get(FUTURE)))
        if rows:
            _picked("Select", "row_select", (ONE, SOME, ALL, BLOCK, STAGE, CELLS), _select)


def _keys(shortcut: str) -> str:
    return f"Keyboard: {shortcut.replace('Arrow', '')}"


def _next(chosen: Sequence[int], rows: int) -> int:
    """Return the row that is selected after the selected ones are deleted."""
    return max(0, min(chosen[0], rows - len(chosen) - 1)) if chosen else 0


def _history(label: str, key: str, way: tuple[str, str], shortcut: str, *, enabled: bool) -> None:
    st.button(label, key=key, on_click=travel, args=way, disabled=not enabled, help=_keys(shortcut), shortcut=shortcut)


def _picked(label: str, key: str, options: Sequence[str], act: Callable[[str], None]) -> None:
    """Show a drop-down whose options are actions."""

    def chosen() -> None:
        name = st.session_state[key]
        st.session_state[key] = None
        if name is not None and not runs.is_poll():
            act(name)

    st.selectbox(label, options, index=None, key=key, placeholder=label, on_change=chosen,
                 label_visibility="collapsed", width=176 if len(label) > 8 else 120)  # fmt: skip


def _insert(name: str) -> None:
    """Insert a template below the selected rows."""
    draft = current()
    above = (chosen_rows(draft) or (-1,))[-1]
    rows = template(name, draft, above)
    edit(lambda draft: draft.add_all(rows, above + 1), above + len(rows))


def _select(name: str) -> None:
    """Select one row, several, or all that have something in common with the one in the form."""
    draft = current()
    row, places = selected(draft), range(len(draft.rows))
    set_editing(name == CELLS)
    if name in (ONE, CELLS):
        select(row)
        return
    stage = draft.rows[row].name
    select_several({
        SOME: (row,), ALL: tuple(places), BLOCK: draft.alike(row),
        STAGE: tuple(place for place in places if draft.rows[place].name == stage),
    }[name])  # fmt: skip


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


def table(here: Bench, convention: Convention, found: Sequence[Breach]) -> None:
    """Show the rows; the selected ones are in the form, and those that exceed a limit are marked."""
    if not here.draft.rows:
        return
    if is_editing():
        cells(here, convention)
        return
    state, key = st.session_state, SEVERAL if here.several else TABLE
    if key not in state or list(state[key]["selection"]["rows"]) != list(here.rows):
        state[key] = {"selection": {"rows": list(here.rows), "columns": [], "cells": []}}

    def chosen() -> None:
        picked = sorted(st.session_state[key]["selection"]["rows"])
        if here.several:
            select_several(picked)
        elif picked:
            select(picked[0])

    mode = "multi-row" if here.several else "single-row-required"
    more = {"on_select": chosen, "selection_mode": mode}
    show_table(_table(here.draft, convention, marks(found)), key=key, height=_TALLEST, more=more)


def marks(found: Sequence[Breach]) -> tuple[tuple[int, str], ...]:
    """Return the rows that exceed limits, with words that say which.

    For the peak these are all rows that exceed it on their own; for other quantities the row with the largest share.
    """
    words: dict[int, list[str]] = {}
    for breach in found:
        quantity = breach.verdict.budget.quantity
        for place, each in enumerate(breach.rows):
            if quantity == "peak_activation":
                said = f"peak {format_share(each.value / breach.verdict.budget.limit)}"
            elif place:
                break
            else:
                said = f"{percent(each.share)} of {_SHORT.get(quantity, lower(QUANTITIES[quantity].title))}"
            words.setdefault(each.row, []).append(said)
    return tuple((row, f"\N{MULTIPLICATION X} {', '.join(said)}") for row, said in words.items())


_SHORT = {"memory_access": "memory access", "weight_size": "weights"}


@remembered
def _table(draft: Draft, convention: Convention, marked: tuple[tuple[int, str], ...]) -> Table:
    rows, over = draft_rows(draft, checked(draft)), dict(marked)
    # The status needs room only where a row is not built.
    faulty = any(row.status != "built" for row in rows)
    # Without the last three columns the table fits a phone; with them, half of a window beside the costs.
    columns = [
        Column("#", lambda row: row[0], _PLAIN, 28),
        *([Column("Over limit", lambda row: over.get(row[0] - 1), width=158)] if over else []),
        Column("Stage", lambda row: row[1].stage, width=60),
        Column("Block", lambda row: short_title(row[1].block), width=128),
        Column("c", lambda row: row[1].channels, _PLAIN, 40, "Output channels, as built."),
        Column("n", lambda row: row[1].blocks, _PLAIN, 26, "Number of blocks, as built."),
        Column("s", lambda row: row[1].stride, _PLAIN, 26, "Stride of the first block."),
        Column("Map", lambda row: row[1].map, width=70, help="Height × width of the output in pixels."),
        Column("Parameters", lambda row: row[1].params, width=78),
        Column(convention.compute_label, lambda row: row[1].macs and convention.compute(row[1].macs), width=92),
        *([Column("Status", lambda row: row[1].status)] if faulty else []),
    ]
    alt = f"{len(rows)} rows of {draft.frame.title or 'the draft'} with widths and costs{' and status' * faulty}"
    return Table(list(enumerate(rows, start=1)), columns, alt)
