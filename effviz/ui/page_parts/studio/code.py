"""The studio's way in and out: PyTorch code, JSON, and blocks of one's own."""

from __future__ import annotations

import html
import json
import math
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

import effviz
from effviz.core.errors import DesignError, show
from effviz.core.units import exact
from effviz.count.report import analyze
from effviz.export import export_torch, library_calls
from effviz.model.blocks.composed import ENDS, EXAMPLE, Composed, Part, Recipe
from effviz.model.draft import Draft
from effviz.model.fields import PARTS
from effviz.model.layers import ACTIVATIONS
from effviz.ui import links
from effviz.ui.page_parts.studio import draft as studio
from effviz.ui.page_parts.studio.draft import Bench
from effviz.ui.widgets import parts

_MOST_BYTES = 2**20
_TURN = "_studio_import_turn"


@lru_cache(maxsize=16)
def source_of(design: effviz.Design) -> str:
    """The code of a design."""
    return export_torch(design)


@lru_cache(maxsize=16)
def _calls(design: effviz.Design) -> tuple[str, ...]:
    return library_calls(design)


def code(design: effviz.Design) -> None:
    """The network as a file that imports nothing but torch, and what builds it elsewhere."""
    st.subheader("Code", anchor=False)
    text = source_of(design)
    lines = text.count("\n")
    st.markdown(f"{lines} lines that import torch alone. Run as a script, the file asserts its own parameter count.")
    calls = _calls(design)
    if calls:
        st.markdown("The same network elsewhere, with equal parameters and multiply-adds:")
        st.code("\n".join(calls), language="python")
    box = links.section("Show the code", "code")
    if box is not None:
        with box:
            st.code(text, language="python", line_numbers=True, height=420)


def downloads(design: effviz.Design | None, draft: Draft) -> None:
    """Code, JSON and the link."""
    stem = parts.file_name(draft.frame.name or "network")
    with st.container(horizontal=True, gap="small"):
        if design is not None:
            parts.download("PyTorch code", lambda: source_of(design), f"{stem}.py")
        parts.download("Design as JSON", lambda: draft.to_json(indent=2), f"{stem}.json")
        if studio.too_long(draft):
            st.html('<p class="status">Too long for a link: hand the JSON on instead.</p>')
        else:
            parts.copy_link()


def take_in() -> None:
    """A design from a file or from the clipboard."""
    state = st.session_state
    with st.expander("Import a design", key="import"):
        # Under another key the widget lets go of the file, and takes the same one again.
        key = f"import_file_{state.get(_TURN, 0)}"
        st.file_uploader(
            "JSON file", type="json", key=key, on_change=_from_file, args=(key,), max_upload_size=1,
            help="As downloaded here, or written by Design.to_json.",
        )  # fmt: skip
        st.text_area("or JSON text", key="import_text", max_chars=_MOST_BYTES, height=100)
        st.button("Import the text", key="import_now", on_click=_from_text)
        told = state.get(studio.TOLD)
        if told:
            st.html(f'<p class="status" role="alert">{html.escape(told)}</p>')


def _take(text: str | bytes) -> None:
    state = st.session_state
    try:
        draft = Draft.from_json(text)
    except DesignError as error:
        state[studio.TOLD] = f"Not imported: {error}."
        return
    studio.edit(lambda _: draft)
    studio.select(0)
    state[studio.TOLD] = f"Imported: {draft.frame.title or draft.frame.name}, {len(draft.rows)} rows."


def _from_file(key: str) -> None:
    file = st.session_state[key]
    if file is not None:
        _take(file.getvalue())
        st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def _from_text() -> None:
    text = st.session_state["import_text"]
    if text.strip():
        _take(text)


# --- a block of one's own ------------------------------------------------------------------------------------------

_COLUMNS = {
    "kernel_size": ("Kernel", "int"),
    "groups": ("Groups", "int"),
    "activation": ("Activation", "choice"),
    "squeezed": ("SE channels", "int"),
    "expand_ratio": ("Expand", "float"),
    "se_ratio": ("SE ratio", "float"),
}
"""Fields of steps that have a column of their own; any other field of a step is in JSON."""


def steps_of(recipe: Recipe) -> pd.DataFrame:
    """A recipe as the table that is edited."""
    rows: list[dict[str, Any]] = []
    for part in recipe.parts:
        held = dict(part.fields)
        rows.append(
            {"Step": part.block, "Channels x": part.times, "of": part.of}
            | {label: held.pop(name, None) for name, (label, _) in _COLUMNS.items()}
            | {"Other fields": json.dumps(held) if held else None}
        )
    return pd.DataFrame(rows, columns=["Step", "Channels x", "of", *(label for label, _ in _COLUMNS.values()),
                                       "Other fields"])  # fmt: skip


def recipe_of(name: str, table: pd.DataFrame, shortcut: bool) -> Recipe:
    """The recipe that an edited table describes.

    Raises:
        DesignError: a step has a field that its block does not declare, or an illegal value.
    """
    steps = []
    for index, row in enumerate(table.to_dict("records"), 1):
        if _blank(row["Step"]):
            raise DesignError(f"step {index} has no block")
        fields = {
            field: _typed(row[label], kind) for field, (label, kind) in _COLUMNS.items() if not _blank(row[label])
        }
        try:
            fields |= _others(row["Other fields"])
            times = None if _blank(row["Channels x"]) else float(row["Channels x"])
            end = "out" if _blank(row["of"]) else row["of"]
            steps.append(Part(row["Step"], times, end, **fields))
        except DesignError as error:
            raise DesignError(f"step {index}: {error}") from None
    return Recipe(name, tuple(steps), shortcut)


def _others(text: Any) -> dict[str, Any]:
    if _blank(text):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or {"block", "times", "of"} & set(found):
        raise DesignError(f'other fields = {show(text)} must be a JSON object such as {{"dilation": 2}}')
    return found


def _blank(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _typed(value: Any, kind: str) -> Any:
    return int(value) if kind == "int" and float(value).is_integer() else value


def composer(here: Bench) -> None:
    """A block of one's own: steps, shortcut, and the row that uses it."""
    box = links.section("Compose a block of your own", "compose")
    if box is None:
        return
    with box:
        st.markdown(
            "Steps run one after another. Channels are multiples of the block's input or output; a step without them "
            "keeps what it is given. The stride acts in the first step with a window of more than one pixel."
        )
        known = {recipe.name: recipe for recipe in (EXAMPLE, *here.draft.recipes)}
        left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
        with left:
            base = st.selectbox("Start from", list(known), key="compose_base")
        with middle:
            name = st.text_input("Name", known[base].name, key=f"compose_name_{base}", max_chars=60)
        with right:
            shortcut = st.toggle("Shortcut", known[base].shortcut, key=f"compose_shortcut_{base}",
                                 help="Add the input where stride and channels allow it.")  # fmt: skip
        edited = st.data_editor(
            steps_of(known[base]), key=f"compose_steps_{base}", num_rows="dynamic", hide_index=True,
            column_config=_columns(), placeholder="", alt=f"Steps of the block {base}",
        )  # fmt: skip
        _offer(here, name, edited, shortcut)


def _columns() -> dict[str, Any]:
    column = st.column_config
    config: dict[str, Any] = {
        "Step": column.SelectboxColumn(options=list(PARTS), required=True, width=130),
        "Channels x": column.NumberColumn(min_value=0.01, max_value=64.0, width=100),
        "of": column.SelectboxColumn(options=list(ENDS), width=60),
        "Activation": column.SelectboxColumn(options=["none", *ACTIVATIONS], width=110),
        "Other fields": column.TextColumn(
            help='Fields without a column, as JSON: a conv takes {"dilation": 2}', width=110
        ),
    }
    for label, kind in _COLUMNS.values():
        if kind != "choice":
            config[label] = column.NumberColumn(min_value=0, step=1 if kind == "int" else None, width=86)
    return config


def _offer(here: Bench, name: str, table: pd.DataFrame, shortcut: bool) -> None:
    """Say what the block costs where the row stands, and offer to use it there."""
    try:
        recipe = recipe_of(name, table, shortcut)
        row = here.draft.rows[here.row] if here.draft.rows else None
        width = (row.out_channels if row is not None else None) or 64
        block = Composed(width, width, 1, recipe)
        alone = analyze(effviz.Design("block", (effviz.Stage("composed", width, recipe=recipe),), in_channels=width,
                                      resolution=14))  # fmt: skip
    except DesignError as error:
        st.html(f'<p class="status" role="alert">Not a block yet: {html.escape(str(error))}.</p>')
        return
    st.html(
        f'<p class="finding">{html.escape(block.called)}, {width} to {width} channels at 14 px: '
        f"{exact(alone.params)} parameters, {exact(alone.macs)} multiply-adds.</p>"
    )

    def use() -> None:
        studio.edit(lambda draft: draft.define(recipe, studio.selected(draft)))

    label = f"Use it in row {here.row + 1}" if here.draft.rows else "Add a row first"
    st.button(label, key="compose_use", on_click=use, disabled=not here.draft.rows)
