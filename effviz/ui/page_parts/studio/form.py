"""The studio's form: the row in hand, with the fields that its block declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from effviz.core.errors import MAX_BLOCKS, MAX_CHANNELS, DesignError
from effviz.count.words import kind_title
from effviz.model.blocks import BLOCKS
from effviz.model.draft import checked
from effviz.model.fields import Field, declared
from effviz.model.stage import DEPTHS, WIDTHS
from effviz.ui.page_parts.studio.draft import Bench, edit, follow, selected

AUTO = "auto"
STRIDES = (1, 2, 3, 4)
_WIDTH_WORDS = {
    "scaled": "scales",
    "fixed": "stays",
    "at_least": "scales, upwards only",
    "classes": "number of classes",
}
_DEPTH_WORDS = {"scaled": "scales", "fixed": "stays"}


def form(here: Bench) -> None:
    """The row in hand: its block, and the fields that the block declares."""
    if not here.draft.rows:
        return
    row, kind = here.draft.rows[here.row], BLOCKS[here.draft.rows[here.row].block]
    st.markdown(f"**Row {here.row + 1}**")
    _choice("Block", "block", row.block, list(BLOCKS), lambda name: kind_title(BLOCKS[name]))
    cells: list[Callable[[], None]] = []
    if row.out_channels is not None:
        help = "Output channels at width multiplier 1; the table shows those that are built."
        cells.append(lambda: _whole("Channels", "out_channels", row.out_channels, 1, MAX_CHANNELS, help))
    cells.append(lambda: _whole("Blocks", "repeats", row.repeats, 1, MAX_BLOCKS))
    if kind.has_stride:
        strides = sorted({*STRIDES, row.stride})
        cells.append(lambda: _choice("Stride", "stride", row.stride, _buildable(here, "stride", row.stride, strides)))
    held = dict(row.fields)
    for entry in declared(kind):
        cells.append(_field_cell(here, entry, held.get(entry.name, entry.default)))
    for place in range(0, len(cells), 2):
        for column, cell in zip(st.columns(2), cells[place : place + 2], strict=False):
            with column:
                cell()
    with st.expander("Name and scaling", key="row_more"):
        _text("Stage", "name", row.name)
        if row.out_channels is not None:
            _choice("Width", "width", row.width, list(WIDTHS), _WIDTH_WORDS.__getitem__)
        _choice("Depth", "depth", row.depth, list(DEPTHS), _DEPTH_WORDS.__getitem__)


def _field_cell(here: Bench, entry: Field, value: Any) -> Callable[[], None]:
    """The control of a declared field."""
    label, name = field_label(entry), entry.name
    if entry.kind == "recipe":
        recipes = {recipe.name: recipe for recipe in (entry.default, *here.draft.recipes)}
        return lambda: _choice(label, name, value, list(recipes.values()), lambda recipe: recipe.name, entry.help)
    if entry.kind == "bool":
        options = [None, True, False] if entry.optional else [True, False]
        return lambda: _choice(label, name, value, options, _said, entry.help)
    if entry.kind == "choice":
        return lambda: _choice(label, name, value, list(entry.choices), _said, entry.help)
    if entry.choices or entry.optional:
        usual = entry.choices or tuple(range(int(entry.minimum), 8))
        options = [*([None] if entry.optional else []), *sorted({*usual, *(() if value is None else (value,))})]
        legal = _buildable(here, name, value, options)
        return lambda: _choice(label, name, value, legal, _said, entry.help)
    if entry.kind == "int":
        return lambda: _whole(label, name, value, int(entry.minimum), int(entry.maximum), entry.help)
    return lambda: _real(label, entry, value)


def _buildable(here: Bench, name: str, value: Any, options: list[Any]) -> list[Any]:
    """Those of the options with which the row can be built where it stands, and the value that it has."""

    def builds(option: Any) -> bool:
        try:
            fault = checked(here.draft.change(here.row, **{name: option})).fault
        except DesignError:
            return False
        return fault is None or fault.row > here.row

    fault = here.checked.fault
    if fault is not None and fault.row < here.row:
        return options
    return [option for option in options if option == value or builds(option)]


def field_label(entry: Field) -> str:
    """What a declared field is called on screen."""
    words = {"se_ratio": "SE ratio", "drop_prob": "Drop probability", "p": "Probability"}
    return words.get(entry.name, entry.name.replace("_", " ").capitalize())


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _change(name: str, key: str) -> Callable[[], None]:
    def changed() -> None:
        value = st.session_state[key]
        if value == "":
            # A name that is cleared comes back, as a number does.
            return
        edit(lambda draft: draft.change(selected(draft), **{name: None if value == AUTO else value}))

    return changed


def _choice(
    label: str, name: str, value: Any, options: list[Any], said: Callable[[Any], str] = str, help: str | None = None
) -> None:
    # A drop-down takes None for "nothing chosen".
    key = f"row_{name}"
    shown = [AUTO if option is None else option for option in options]
    follow(key, AUTO if value is None else value)
    st.selectbox(
        label, shown, shown.index(st.session_state[key]), key=key, help=help,
        format_func=lambda option: option if option == AUTO else said(option), on_change=_change(name, key),
    )  # fmt: skip


def _whole(label: str, name: str, value: Any, low: int, high: int, help: str | None = None) -> None:
    key = f"row_{name}"
    follow(key, value)
    st.number_input(label, low, high, value, 1, key=key, on_change=_change(name, key), help=help)


def _real(label: str, entry: Field, value: Any) -> None:
    key = f"row_{entry.name}"
    follow(key, float(value))
    st.number_input(
        label, float(entry.minimum), float(entry.maximum), float(value), 0.05, key=key, help=entry.help,
        on_change=_change(entry.name, key),
    )  # fmt: skip


def _text(label: str, name: str, value: str) -> None:
    key = f"row_{name}"
    follow(key, value)
    st.text_input(label, value, key=key, on_change=_change(name, key), max_chars=60)
