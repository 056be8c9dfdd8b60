"""Form of the selected row on the Studio page, with the fields that its block declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import streamlit as st

from effviz.core.errors import MAX_BLOCKS, MAX_CHANNELS
from effviz.count.words import kind_title, short_title
from effviz.model.blocks import BLOCKS
from effviz.model.draft import Draft
from effviz.model.fields import Field, declared
from effviz.model.stage import DEPTHS, WIDTHS, Stage
from effviz.studies.studio import buildable
from effviz.ui.page_parts.studio.draft import Bench, chosen_rows, edit, follow

AUTO = "auto"
STRIDES = (1, 2, 3, 4)
MORE = "row_more"
"""Key of the expander with the settings that are changed less often."""
_MAIN_FIELDS = 3
_WIDTHS = {
    "scaled": "scales",
    "fixed": "fixed",
    "at_least": "scales, upwards only",
    "proportional": "proportional to the row above",
    "classes": "number of classes",
}
_DEPTHS = {"scaled": "scales", "fixed": "fixed"}
_LABELS = {"se_ratio": "SE ratio", "drop_prob": "Drop probability", "p": "Probability"}


def form(here: Bench) -> None:
    """Show the block of the selected row, and the first fields that it declares."""
    if not here.draft.rows:
        return
    row = here.draft.rows[here.row]
    # The letters are the headings of the table, whose columns are narrow.
    cells: list[Callable[[], None]] = []
    if row.out_channels is not None:
        help = "Output channels at width multiplier 1; the table shows the built ones."
        cells.append(lambda: _number("Channels c", "out_channels", row.out_channels, 1, MAX_CHANNELS, help=help))
    cells.append(lambda: _number("Blocks n", "repeats", row.repeats, 1, MAX_BLOCKS))
    if BLOCKS[row.block].has_stride:
        cells.append(lambda: _buildable(here, "Stride s", "stride", row.stride, _strides(row)))
    with st.container(key="row_form"):
        label = f"Block of {_title(here)}"
        _choice(label, "block", row.block, list(BLOCKS), lambda name: short_title(kind_title(BLOCKS[name])))
        for cell in (*cells, *_cells(here)[:_MAIN_FIELDS]):
            cell()


def more(here: Bench) -> None:
    """Show the settings of the selected row that are changed less often."""
    if not here.draft.rows:
        return
    row = here.draft.rows[here.row]
    box = st.expander(f"More settings of {_title(here)}", key=MORE, on_change="rerun")
    if box.open:
        with box, st.container(key="row_more_form"):
            for cell in _cells(here)[_MAIN_FIELDS:]:
                cell()
            _text("Stage", "name", row.name)
            if row.out_channels is not None:
                _choice("Width", "width", row.width, list(WIDTHS), _WIDTHS.__getitem__)
            _choice("Depth", "depth", row.depth, list(DEPTHS), _DEPTHS.__getitem__)


def _cells(here: Bench) -> list[Callable[[], None]]:
    """Return functions that show the controls of the declared fields."""
    row = here.draft.rows[here.row]
    values = dict(row.fields)
    return [_field_cell(here, entry, values.get(entry.name, entry.default)) for entry in declared(BLOCKS[row.block])]


def _title(here: Bench) -> str:
    """Name the rows that the form changes."""
    if len(here.rows) < 2:
        return f"row {here.row + 1}"
    return f"{len(here.rows)} rows"


def _field_cell(here: Bench, entry: Field, value: Any) -> Callable[[], None]:
    """Return a function that shows the control of a declared field."""
    label, name, help = _LABELS.get(entry.name, entry.name.replace("_", " ").capitalize()), entry.name, entry.help
    none = [None] if entry.optional else []
    if entry.kind == "recipe":
        recipes = {recipe.name: recipe for recipe in (entry.default, *here.draft.recipes)}
        return lambda: _choice(label, name, value, list(recipes.values()), lambda recipe: recipe.name, help)
    if entry.kind == "bool":
        return lambda: _choice(label, name, value, [*none, True, False], _said, help)
    if entry.kind == "choice":
        return lambda: _choice(label, name, value, list(entry.choices), _said, help)
    if _is_judged(entry):
        return lambda: _buildable(here, label, name, value, _options(entry, value), help)
    if entry.kind == "int":
        return lambda: _number(label, name, value, int(entry.minimum), int(entry.maximum), help=help)
    return lambda: _number(label, name, float(value), float(entry.minimum), float(entry.maximum), 0.05, help)


def _strides(row: Stage) -> tuple[int, ...]:
    return tuple(sorted({*STRIDES, row.stride}))


def _is_judged(entry: Field) -> bool:
    """Whether only those values of a field are shown with which the row can be built."""
    return entry.kind not in ("recipe", "bool", "choice") and bool(entry.choices or entry.optional)


def _options(entry: Field, value: Any) -> tuple[Any, ...]:
    usual = entry.choices or tuple(range(int(entry.minimum), 8))
    none = (None,) if entry.optional else ()
    return (*none, *sorted({*usual, *(() if value is None else (value,))}))


def judged(draft: Draft, index: int) -> Iterator[tuple[Any, ...]]:
    """Yield the arguments of `buildable` for the controls of a row."""
    row = draft.rows[index]
    kind, values = BLOCKS[row.block], dict(row.fields)
    if kind.has_stride:
        yield draft, index, "stride", _strides(row), row.stride
    for entry in filter(_is_judged, declared(kind)):
        value = values.get(entry.name, entry.default)
        yield draft, index, entry.name, _options(entry, value), value


def _buildable(
    here: Bench, label: str, name: str, value: Any, options: tuple[Any, ...], help: str | None = None
) -> None:
    """Show the options with which the row can be built."""
    _choice(label, name, value, buildable(here.draft, here.row, name, options, value), _said, help)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _change(name: str, key: str) -> Callable[[], None]:
    def changed() -> None:
        value = st.session_state[key]
        # A cleared name returns, like a cleared number.
        if value != "":
            changes = {name: None if value == AUTO else value}
            edit(lambda draft: draft.change_all(chosen_rows(draft), **changes))

    return changed


def _choice(
    label: str, name: str, value: Any, options: list[Any], said: Callable[[Any], str] = str, help: str | None = None
) -> None:
    # In a drop-down, None means that nothing is selected.
    key = f"row_{name}"
    shown = [AUTO if option is None else option for option in options]
    follow(key, AUTO if value is None else value)
    st.selectbox(
        label, shown, shown.index(st.session_state[key]), key=key, help=help,
        format_func=lambda option: option if option == AUTO else said(option), on_change=_change(name, key),
    )  # fmt: skip


def _number(
    label: str, name: str, value: Any, low: float, high: float, step: float = 1, help: str | None = None
) -> None:
    key = f"row_{name}"
    follow(key, value)
    st.number_input(label, low, high, value, step, key=key, on_change=_change(name, key), help=help)


def _text(label: str, name: str, value: str) -> None:
    key = f"row_{name}"
    follow(key, value)
    st.text_input(label, value, key=key, on_change=_change(name, key), max_chars=60)
