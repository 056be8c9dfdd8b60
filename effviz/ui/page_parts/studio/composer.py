"""Composer of custom blocks on the Studio page."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import effviz
from effviz.core.errors import DesignError
from effviz.core.units import exact
from effviz.count.report import analyze
from effviz.model.blocks.composed import ENDS, EXAMPLE, Composed
from effviz.model.fields import PARTS
from effviz.model.layers import ACTIVATIONS
from effviz.studies.studio import FIELD_COLUMNS, OF, OTHERS, STEP, STEP_COLUMNS, TIMES, recipe_of, steps_of
from effviz.ui import links
from effviz.ui.page_parts.studio.draft import Bench, edit, selected
from effviz.ui.widgets.frame import notice


def composer(here: Bench) -> None:
    """Show the steps of a custom block, its costs, and a button that uses it in the selected row."""
    # Older links contain the state of an expander around the composer.
    links.idle("compose")
    st.markdown(
        "Steps run one after another. Channels are multiples of the block's input or output. A step without "
        "a multiple keeps its channels. The stride acts in the first step with a kernel larger than one pixel."
    )
    known = {recipe.name: recipe for recipe in (EXAMPLE, *here.draft.recipes)}
    left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
    with left:
        base = st.selectbox("Start from", list(known), key="compose_base")
    with middle:
        name = st.text_input("Name", known[base].name, key=f"compose_name_{base}", max_chars=60)
    with right:
        shortcut = st.toggle(
            "Shortcut", known[base].shortcut, key=f"compose_shortcut_{base}",
            help="Adds the input to the output if stride and channels allow it.",
        )  # fmt: skip
    edited = st.data_editor(
        pd.DataFrame(steps_of(known[base]), columns=STEP_COLUMNS), key=f"compose_steps_{base}",
        num_rows="dynamic", hide_index=True, column_config=_columns(), placeholder="",
        alt=f"Steps of the block {base}",
    )  # fmt: skip
    _use(here, name, edited.to_dict("records"), shortcut)


def _columns() -> dict[str, Any]:
    column = st.column_config
    config: dict[str, Any] = {
        STEP: column.SelectboxColumn(options=list(PARTS), required=True, width=130),
        TIMES: column.NumberColumn(min_value=0.01, max_value=64.0, width=100),
        OF: column.SelectboxColumn(options=list(ENDS), width=60),
        "Activation": column.SelectboxColumn(options=["none", *ACTIVATIONS], width=110),
        OTHERS: column.TextColumn(help='Fields without a column, as JSON: a conv takes {"dilation": 2}.', width=110),
    }
    for label, kind in FIELD_COLUMNS.values():
        if kind != "choice":
            config[label] = column.NumberColumn(min_value=0, step=1 if kind == "int" else None, width=86)
    return config


def _use(here: Bench, name: str, rows: list[dict[str, Any]], shortcut: bool) -> None:
    """Show the costs of the block at the width of the selected row, and the button that uses it there."""
    row = here.draft.rows[here.row] if here.draft.rows else None
    width = (row.out_channels if row is not None else None) or 64
    try:
        recipe = recipe_of(name, rows, shortcut)
        block = Composed(width, width, 1, recipe)
        stage = effviz.Stage("composed", width, recipe=recipe)
        alone = analyze(effviz.Design("block", (stage,), in_channels=width, resolution=14))
    except DesignError as error:
        notice(f"Incomplete block: {error}.", alert=True)
        return
    notice(
        f"{block.called}, {width} to {width} channels at 14 px: {exact(alone.params)} parameters, "
        f"{exact(alone.macs)} multiply-adds.",
        "finding",
    )

    def use() -> None:
        edit(lambda draft: draft.define(recipe, selected(draft)))

    label = f"Use in row {here.row + 1}" if here.draft.rows else "Add a row first"
    st.button(label, key="compose_use", on_click=use, disabled=not here.draft.rows)
