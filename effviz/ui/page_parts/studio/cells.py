"""Cells of the stage table of the Studio page that are edited in place."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import streamlit as st

from effviz.count.words import kind_title
from effviz.model.blocks import BLOCKS
from effviz.model.draft import Draft
from effviz.model.fields import declared
from effviz.model.stage import Stage
from effviz.studies.studio import draft_rows
from effviz.ui import runs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, edit
from effviz.ui.widgets.tables import arrow_array

KEY = "studio_cells"
_EDITING, _TURN = "_studio_editing", "_studio_cells_turn"
_COLUMNS = {
    "Stage": "name", "Block": "block", "Channels": "out_channels", "Blocks": "repeats", "Stride": "stride",
    "Kernel": "kernel_size", "Expand": "expand_ratio", "SE ratio": "se_ratio", "Groups": "groups",
}  # fmt: skip
"""Attributes and fields by heading."""
_TALLEST = 510
_DECIMAL = ("Expand", "SE ratio")


def is_editing() -> bool:
    """Return whether the table is shown with cells that can be edited."""
    return bool(st.session_state.get(_EDITING))


def set_editing(value: bool) -> None:
    """Show the table with cells that can be edited, or with rows that can be selected."""
    st.session_state[_EDITING] = value


def cells(here: Bench, convention: Convention) -> None:
    """Show the rows at multiplier 1 with cells that can be edited; a block without a field has an empty cell."""
    key = f"{KEY}_{st.session_state.get(_TURN, 0)}"

    def changed() -> None:
        if runs.is_poll():
            return
        edited = {int(row): dict(values) for row, values in st.session_state[key]["edited_rows"].items()}
        edit(lambda draft: with_cells(draft, edited), min(edited, default=None))
        # Under another key the editor has no edits that are applied already.
        st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1

    column = st.column_config
    config: dict[str, Any] = {
        "Block": column.SelectboxColumn(
            options=[kind_title(each) for each in BLOCKS.values()], required=True, width=222
        )
    }
    config |= {name: column.NumberColumn(step=0.05 if name in _DECIMAL else 1, width=70) for name in list(_COLUMNS)[2:]}
    fixed = ["#", "Parameters", convention.compute_label]
    config |= {"#": column.NumberColumn(width=34)}
    table = _table(here, convention)
    st.data_editor(
        table, key=key, hide_index=True, disabled=fixed, column_config=config, on_change=changed, placeholder="",
        height=min(_TALLEST, 35 * (table.num_rows + 1) + 3), alt=f"{table.num_rows} rows with cells that can be edited",
    )  # fmt: skip


def _table(here: Bench, convention: Convention) -> pa.Table:
    rows, counted = here.draft.rows, draft_rows(here.draft, here.checked)
    columns: dict[str, list[Any]] = {"#": list(range(1, len(rows) + 1))}
    columns |= {label: [_value(row, name) for row in rows] for label, name in _COLUMNS.items()}
    columns["Parameters"] = [each.params for each in counted]
    columns[convention.compute_label] = [each.macs and convention.compute(each.macs) for each in counted]
    kinds = {"Stage": pa.string(), "Block": pa.string(), **dict.fromkeys(_DECIMAL, pa.float64())}
    kinds = dict.fromkeys(_COLUMNS, pa.int64()) | kinds
    return pa.table({
        label: pa.array(values, kinds[label]) if label in kinds else arrow_array(values)
        for label, values in columns.items()
    })  # fmt: skip


def _value(row: Stage, name: str) -> Any:
    if name == "block":
        return kind_title(BLOCKS[row.block])
    if name == "stride" and not BLOCKS[row.block].has_stride:
        return None
    known = {field.name: field.default for field in declared(BLOCKS[row.block])} | row.to_dict()
    return known.get(name)


def with_cells(draft: Draft, edited: dict[int, dict[str, Any]]) -> Draft:
    """Return a draft with edited cells, by row and heading. Empty cells are ignored.

    Raises:
        DesignError: a value is illegal, or the block of the row does not have the field.
    """
    blocks = {kind_title(kind): name for name, kind in BLOCKS.items()}
    for row, values in edited.items():
        for label, value in values.items():
            if value is not None and value != "":
                new = blocks.get(value, value) if label == "Block" else value
                draft = draft.change_all((row,), **{_COLUMNS[label]: new})
    return draft
