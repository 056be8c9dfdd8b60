"""Data tables: columns declared as data, shown on the page and written as CSV."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Literal

import pyarrow as pa
import streamlit as st

from effviz.core.resolution import Resolution, compact_size
from effviz.core.tabular import as_csv, as_latex, as_markdown
from effviz.core.text import html_text
from effviz.ui import links
from effviz.ui.convention import Convention
from effviz.ui.widgets import takeaway

_ROW = 35  # pixels
_LARGEST = 2**63 - 1
_UNPINNED = 2  # columns that fit side by side on a phone
_AMOUNT = re.compile(
    "[+\N{MINUS SIGN}\N{DIVISION SIGN}-]?<?[0-9][0-9.,]*[ \N{NO-BREAK SPACE}]?"
    "(\N{MULTIPLICATION SIGN}|%|[kMGTPE]|([KMGT]i)?B|m?s|px|points|pts)?"
)
_NO_AMOUNT = {"", "\N{EN DASH}", "unchanged", "equal", "new"}


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        label: heading, with the unit.
        value: a function of the row, or the name of its attribute (``"built.blocks"``). None is an empty cell.
        format: of numbers, such as ``"%.3f"``; None for grouped integers and two decimals, ``""`` for all decimals.
        width: ``"small"``, ``"medium"``, ``"large"`` or pixels; None for automatic.
        help: shown at the heading.
        link: text of links, if the values are addresses; empty for other columns.
    """

    label: str
    value: Callable[[Any], Any] | str
    format: str | None = None
    width: Literal["small", "medium", "large"] | int | None = None
    help: str | None = None
    link: str = ""


@dataclass(frozen=True)
class Table:
    """Rows, columns, and a sentence for screen readers.

    Example:
        >>> table = Table(fits, [Column("Design", "name"), *count_columns(convention, row="report")], "3 designs")
        >>> show_table(table, fold="Table: 3 designs", key="designs_table")
        >>> downloads(csv_file("Designs", table, "effviz-designs", convention.text))
    """

    rows: Sequence[Any]
    columns: Sequence[Column]
    alt: str

    @cached_property
    def cells(self) -> dict[str, list[Any]]:
        """Values by heading."""
        readers = {
            column.label: attrgetter(column.value) if isinstance(column.value, str) else column.value
            for column in self.columns
        }
        return {label: [read(row) for row in self.rows] for label, read in readers.items()}

    def csv(self, note: str = "") -> str:
        """Write the table as CSV, under a comment line `note`."""
        return as_csv(self.cells, zip(*self.cells.values(), strict=True), note)

    def text(self, kind: str, note: str = "") -> str:
        """Write the table as ``"csv"``, ``"md"`` or ``"tex"``, with `note` about its numbers.

        Markdown and LaTeX are for reading: numbers have the digits of the page.
        """
        if kind == "csv":
            return self.csv(note)
        columns = list(zip(self.columns, self.cells.values(), strict=True))
        shown = [[_shown(column, value) for value in values] for column, values in columns]
        right = [
            any(isinstance(value, (int, float)) for value in values) or _are_amounts(values) for _, values in columns
        ]
        write = {"md": as_markdown, "tex": as_latex}[kind]
        return write(list(self.cells), list(zip(*shown, strict=True)), right, note)


def _shown(column: Column, value: Any) -> str:
    """Return the text of a cell, with the digits of the page."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if column.format is None:
        return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    return column.format % value if column.format.startswith("%") else str(value)


def count_columns(
    convention: Convention,
    quantities: Sequence[str] = ("params", "macs", "memory_access", "peak_activation"),
    *,
    row: str | Callable[[Any], Any] = "",
) -> list[Column]:
    """Make columns of exact counts in the page's convention.

    Args:
        convention: of the page; it converts the numbers and names their units.
        quantities: keys of `QUANTITIES`, which are attributes of the row.
        row: where the row has them: the name of an attribute, such as ``"report"``, or a function; empty for the row
            itself.
    """
    of = row if callable(row) else attrgetter(row) if row else None

    def value(quantity: str) -> Callable[[Any], Any]:
        factor = convention.factor(quantity)
        return lambda each: getattr(each if of is None else of(each), quantity) * factor

    return [
        Column(convention.heading(quantity), value(quantity), help=convention.help(quantity)) for quantity in quantities
    ]


@dataclass(frozen=True)
class Pick:
    """A control that follows the selected row of a table.

    Attributes:
        control: key of a drop-down; its `on_change` is `unpick(control)`.
        values: value of the control for each row.
        state: everything that the rows depend on. A selection ends when it changes.
    """

    control: str
    values: Sequence[str]
    state: Hashable = None


def show_table(
    table: Table,
    *,
    key: str | None = None,
    height: int | None = None,
    fold: str = "",
    pick: Pick | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Show a table.

    Args:
        table: what to show.
        key: unique on the page; needed with `fold` and `pick`.
        height: largest height in pixels; None for ten rows.
        fold: label of an expander around the table; empty for none.
        pick: makes rows selectable.
        more: options of `st.dataframe`, for example for selectable rows on a page that stores the selected row itself.

    Example:
        >>> show_table(layers, key="layers", pick=Pick("layer", paths, state=(design.name, search)))
    """
    if not table.rows:
        # Streamlit draws the word "empty" over the headings.
        st.html(f'<p class="status">No rows: {html_text(table.alt)}.</p>')
        return
    # Streamlit writes "None" into cells without a value.
    options: dict[str, Any] = {"placeholder": "", **(more or {})}
    options |= {} if height is None else {"height": min(height, _ROW * (len(table.rows) + 1) + 3)}
    if pick is not None:
        options |= _selection(str(key), pick)
    elif key is not None and not fold:
        options["key"] = key
    data = pa.table({label: arrow_array(values) for label, values in table.cells.items()})
    with st.expander(fold, key=key) if fold else nullcontext():
        st.dataframe(data, hide_index=True, column_config=_config(table, data), alt=table.alt, **options)
        takeaway.answer(table)


def size_cell(resolution: Resolution) -> int | str:
    """Return the cell of a resolution: a number for a square, ``512x2048`` for a rectangle."""
    return resolution if isinstance(resolution, int) else compact_size(resolution)


def arrow_array(values: list[Any]) -> pa.Array:
    """Return the cells of a column: text if a cell is text, or an integer of more than 64 bits."""
    if any(isinstance(value, str) for value in values):
        # A column has one type, and sides of squares are next to ``512x2048``.
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    whole = [value for value in values if isinstance(value, int)]
    if whole and max(map(abs, whole)) > _LARGEST:
        # Arrow's integers have 64 bits.
        return pa.array([None if value is None else f"{value:,}" for value in values], pa.string())
    return pa.array(values)


def _config(table: Table, data: pa.Table) -> dict[str, Any]:
    config: dict[str, Any] = {}
    # The first column names the row, and stays in view where the others scroll.
    pin = True if len(table.columns) > _UNPINNED else None
    for column in table.columns:
        pinned = pin if column is table.columns[0] else None
        kind = data.schema.field(column.label).type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            usual = "localized" if pa.types.is_integer(kind) else "%.2f"
            shown = usual if column.format is None else column.format or None
            config[column.label] = st.column_config.NumberColumn(
                width=column.width, help=column.help, format=shown, pinned=pinned
            )
        elif column.link:
            config[column.label] = st.column_config.LinkColumn(
                width=column.width, help=column.help, display_text=column.link, pinned=pinned
            )
        elif (amounts := _are_amounts(table.cells[column.label])) or column.width or column.help or pinned:
            config[column.label] = st.column_config.TextColumn(
                width=column.width, help=column.help, alignment="right" if amounts else None, pinned=pinned
            )
    return config


def _are_amounts(values: list[Any]) -> bool:
    """Return whether the texts of a column are numbers with their units, which are aligned as numbers are."""
    texts = {str(value) for value in values if value is not None} - _NO_AMOUNT
    return bool(texts) and all(map(_AMOUNT.fullmatch, texts))


def _turn(control: str) -> str:
    return f"_{control}_turn"


def _selection(name: str, pick: Pick) -> dict[str, Any]:
    """Options of `st.dataframe` for selectable rows."""
    # Under another key the table starts without a selection.
    state = (name, pick.state, st.session_state.get(_turn(pick.control), 0))
    key = f"{name}_{zlib.crc32(repr(state).encode())}"

    def chosen() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows and rows[0] < len(pick.values):
            links.assign(pick.control, pick.values[rows[0]])

    return {"key": key, "on_select": chosen, "selection_mode": "single-row"}


def unpick(control: str) -> Callable[[], None]:
    """Make an `on_change` callback of a drop-down that ends the selection in its table."""

    def changed() -> None:
        st.session_state[_turn(control)] = st.session_state.get(_turn(control), 0) + 1

    return changed
