"""The studio's table of rows, and the edits of whole rows."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from effviz.core.units import si
from effviz.count.totals import block_totals
from effviz.count.words import kind_title
from effviz.model.blocks import BLOCKS
from effviz.model.draft import Draft, checked
from effviz.model.layers import shape_text
from effviz.model.stage import Stage
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import FUTURE, PAST, PROBLEM, Bench, edit, row_costs, select, too_long, travel

TABLE = "studio_rows"
_TALLEST = 510


def toolbar(here: Bench) -> None:
    """Edits of whole rows."""
    rows, row, state = len(here.draft.rows), here.row, st.session_state

    def do(change: Callable[[Draft], Draft], then: int) -> Callable[[], None]:
        def act() -> None:
            edit(change)
            if PROBLEM not in state:
                select(then)

        return act

    with st.container(horizontal=True, gap="small", key="studio_tools"):
        st.button("Add row", key="row_add", on_click=do(lambda draft: draft.add(fresh(draft, row), _below(draft, row)),
                  row + 1 if rows else 0))  # fmt: skip
        st.button("Duplicate", key="row_copy", on_click=do(lambda draft: draft.duplicate(row), row + 1),
                  disabled=not rows)  # fmt: skip
        st.button("Up", key="row_up", on_click=do(lambda draft: draft.move(row, -1), row - 1), disabled=row == 0)
        st.button("Down", key="row_down", on_click=do(lambda draft: draft.move(row, 1), row + 1),
                  disabled=row >= rows - 1)  # fmt: skip
        st.button("Delete", key="row_delete", on_click=do(lambda draft: draft.remove(row), min(row, rows - 2)),
                  disabled=not rows)  # fmt: skip
        st.button("Undo", key="undo", on_click=travel, args=(PAST, FUTURE), disabled=not state.get(PAST))
        st.button("Redo", key="redo", on_click=travel, args=(FUTURE, PAST), disabled=not state.get(FUTURE))


def _below(draft: Draft, row: int) -> int:
    return min(row + 1, len(draft.rows))


def fresh(draft: Draft, row: int) -> Stage:
    """What a new row starts as: a stem, below a vector a linear layer, else a 3x3 convolution as wide as above."""
    if not draft.rows:
        return Stage("conv", 32, 1, 2, name="stem", depth="fixed")
    widths = [each.out_channels for each in draft.rows[: row + 1] if each.out_channels is not None]
    width = widths[-1] if widths else 32
    built = checked(draft).design
    above = [run for run in built.runs() if run.row <= row] if built is not None else []
    if above and len(block_totals(above[-1].block, above[-1].shape).out_shape) == 1:
        return Stage("linear", width)
    return Stage("conv", width)


def problem(here: Bench) -> None:
    """Why the last edit was refused, and what the link cannot hold."""
    if too_long(here.draft):
        st.html(
            '<p class="ignored" role="alert">Too long for a link: this design lives in this browser session only. '
            "Download it as JSON to keep it.</p>"
        )
    told = st.session_state.get(PROBLEM)
    if told:
        st.html(f'<p class="ignored" role="alert">Not changed: {html.escape(told)}.</p>')


def rows_of(here: Bench, convention: Convention) -> pd.DataFrame:
    """The stage table with what each row costs, puts out, and whether it can be built."""
    sums = row_costs(here.design) if here.design else {}
    shapes: dict[int, str] = {}
    widths: dict[int, int] = {}
    blocks: dict[int, int] = {}
    for run in here.design.runs() if here.design else ():
        each = block_totals(run.block, run.shape)
        shapes[run.row], widths[run.row] = shape_text(each.out_shape), each.out_shape[0]
        blocks[run.row] = blocks.get(run.row, 0) + run.repeats
    fault = here.checked.fault
    reached = len(here.draft.rows) if fault is None else fault.row

    def status(index: int) -> str:
        if fault is not None and index == fault.row:
            return f"\N{MULTIPLICATION X} {fault.problem}"
        if index > reached:
            return "not reached"
        return "built" if index in blocks else "left out at this depth"

    rows = here.draft.rows
    return pd.DataFrame(
        {
            "#": range(1, len(rows) + 1),
            "Stage": [row.name for row in rows],
            "Block": [_block_name(row) for row in rows],
            "c": [widths.get(index, row.out_channels) for index, row in enumerate(rows)],
            "n": [blocks.get(index, 0) if index < reached else None for index in range(len(rows))],
            "s": [row.stride for row in rows],
            "Output": [shapes.get(index, "") for index in range(len(rows))],
            "Parameters": [sums[index][0] if index in sums else None for index in range(len(rows))],
            convention.compute_label: [
                convention.compute(sums[index][1]) if index in sums else None for index in range(len(rows))
            ],
            "Status": [status(index) for index in range(len(rows))],
        }
    )


def _block_name(row: Stage) -> str:
    recipe = dict(row.fields).get("recipe")
    return recipe.name if recipe is not None else kind_title(BLOCKS[row.block])


def _columns(convention: Convention) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "#": number(width=34),
        "Stage": text(width=64),
        "Block": text(width=108),
        "c": number(width=44, help="Output channels, as built"),
        "n": number(width=30, help="Blocks, as built"),
        "s": number(width=30, help="Stride of the first block"),
        "Output": text(width=92, help="Channels x height x width"),
        "Parameters": number(width=76),
        convention.compute_label: number(width=88),
        "Status": text(width=50),
    }


def table(here: Bench, convention: Convention) -> None:
    """The rows; the one that is selected has its form beside it."""
    if not here.draft.rows:
        st.markdown("The table is empty. Add a row, or start from a network in the sidebar.")
        return
    fault = here.checked.fault
    if fault is not None:
        name = here.draft.rows[fault.row].name
        above = "what stands above it" if fault.row else "nothing"
        st.html(
            f'<p class="ignored" role="alert">Row {fault.row + 1}, {html.escape(name)}, cannot be built: '
            f"{html.escape(fault.problem)} (at {html.escape(fault.path)}). Counted: {above}.</p>"
        )
    rows = rows_of(here, convention)
    wanted = {"selection": {"rows": [here.row], "columns": [], "cells": []}}
    state = st.session_state
    if TABLE not in state or list(state[TABLE]["selection"]["rows"]) != [here.row]:
        state[TABLE] = wanted

    def chosen() -> None:
        picked = st.session_state[TABLE]["selection"]["rows"]
        if picked:
            select(picked[0])

    numbers = [name for name in ("Parameters", convention.compute_label) if rows[name].notna().any()]
    st.dataframe(
        rows.style.format(precision=0).format(si, subset=numbers, na_rep=""),
        key=TABLE,
        height=min(35 * (len(rows) + 1) + 3, _TALLEST),
        on_select=chosen,
        selection_mode="single-row-required",
        hide_index=True,
        column_config=_columns(convention),
        placeholder="",
        alt=f"{len(rows)} rows of {here.draft.frame.title or 'the draft'} with widths, costs and status",
    )  # fmt: skip
