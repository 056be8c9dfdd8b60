"""The studio's table: a draft in the link, its history, the rows and the form of one of them."""

from __future__ import annotations

import html
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

import effviz
from effviz.archs import ARCHITECTURES
from effviz.blocks import BLOCKS
from effviz.counts import counts
from effviz.design import DEPTHS, WIDTHS, Stage
from effviz.drafts import MAX_LINK, Checked, Draft, checked
from effviz.errors import MAX_BLOCKS, MAX_CHANNELS, MAX_MULTIPLIER, MAX_RESOLUTION, DesignError
from effviz.fields import Field, declared
from effviz.layers import shape_text
from effviz.report import Report
from effviz.ui import links, parts
from effviz.ui.convention import Convention
from effviz.units import exact, lower, si
from effviz.words import kind_title

KEY = "design"
START = "mobilenet_v2"
EMPTY = "Empty table"
AUTO = "auto"
TABLE = "studio_rows"
TOLD = "_studio_import"
_PAST, _FUTURE, _LONG, _PROBLEM, _ROW = (
    "_studio_past", "_studio_future", "_studio_long", "_studio_problem", "_studio_row",
)  # fmt: skip
_STEPS = 200
_MOST_LONG = 20
STRIDES = (1, 2, 3, 4)
_TALLEST = 510
_WIDTH_WORDS = {
    "scaled": "scales",
    "fixed": "stays",
    "at_least": "scales, upwards only",
    "classes": "number of classes",
}
_DEPTH_WORDS = {"scaled": "scales", "fixed": "stays"}


# --- the draft and its history -------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def started(name: str) -> Draft:
    """A network of the zoo as a draft, or the empty table."""
    return Draft.empty() if name == EMPTY else Draft.of(effviz.architecture(name))


def _legal(text: str) -> bool:
    return _found(text) is not None


def _found(text: str) -> Draft | None:
    """The draft that a link's text stands for; one too long for a link is known in the session that made it only."""
    try:
        return Draft.unpacked(st.session_state.get(_LONG, {}).get(text, text))
    except DesignError:
        return None


def current() -> Draft:
    """The draft on screen: the link's, or the one to start from."""
    text = links.remembered(KEY)
    return (_found(text) if text else None) or started(START)


def _show(text: str) -> None:
    """Put a packed draft on screen."""
    if text == started(START).packed():
        text = ""
    elif len(text) > MAX_LINK:
        name = f"session-{zlib.crc32(text.encode()):08x}"
        st.session_state[_LONG] = dict([*st.session_state.get(_LONG, {}).items(), (name, text)][-_MOST_LONG:])
        text = name
    links.hold(KEY, text)


def too_long(draft: Draft) -> bool:
    """Whether a draft is too long for a link."""
    return len(draft.packed()) > MAX_LINK


def edit(change: Callable[[Draft], Draft]) -> None:
    """Change the draft, or remember why it cannot be; the former one can be had back."""
    if links.is_poll():
        return
    state = st.session_state
    state.pop(_PROBLEM, None)
    state.pop(TOLD, None)
    draft = current()
    try:
        changed = change(draft)
    except DesignError as error:
        state[_PROBLEM] = str(error)
        return
    if changed != draft:
        state[_PAST] = [*state.get(_PAST, []), (draft.packed(), selected(draft))][-_STEPS:]
        state[_FUTURE] = []
        _show(changed.packed())


def _travel(back: str, forth: str) -> None:
    state = st.session_state
    state.pop(_PROBLEM, None)
    state.pop(TOLD, None)
    here = current()
    steps = list(state.get(back, []))
    # The browser's own way back may have been there already.
    while steps and steps[-1][0] == here.packed():
        steps.pop()
    if steps:
        text, row = steps.pop()
        state[forth] = [*state.get(forth, []), (here.packed(), selected(here))]
        _show(text)
        select(row)
    state[back] = steps


def selected(draft: Draft) -> int:
    """Index of the row that the form shows."""
    row: int = st.session_state.get(_ROW, 0)
    return min(row, max(0, len(draft.rows) - 1))


def select(row: int) -> None:
    """Have the form show a row."""
    if not links.is_poll():
        st.session_state[_ROW] = max(0, row)


# --- what the page shows of it -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bench:
    """The draft, what of it can be built, and the row in hand."""

    draft: Draft
    checked: Checked
    row: int

    @property
    def design(self) -> effviz.Design | None:
        """The rows above the first fault."""
        return self.checked.design


def bench() -> Bench:
    """What is on the table in this run."""
    links.held(KEY, _legal, "a design as the studio writes it; one too long for a link stays in its session")
    draft = current()
    return Bench(draft, checked(draft), selected(draft))


def settings(draft: Draft) -> None:
    """The sidebar: where to start, and what holds for the whole network."""
    names = [EMPTY, *ARCHITECTURES]
    st.selectbox(
        "Start from", names, index=None, key="start", placeholder="a network, or an empty table",
        format_func=lambda name: name if name == EMPTY else effviz.architecture(name).title, on_change=_start,
    )  # fmt: skip
    frame = draft.frame
    left, right = st.columns(2)
    with left:
        _multiplier("Width multiplier", "width_mult", frame.width_mult)
        _number("Resolution (px)", "resolution", frame.resolution, 1, MAX_RESOLUTION, 16)
    with right:
        _multiplier("Depth multiplier", "depth_mult", frame.depth_mult)
        _number("Input channels", "in_channels", frame.in_channels, 1, MAX_CHANNELS, 1)


def _start() -> None:
    name = st.session_state["start"]
    if name is not None:
        edit(lambda _: started(name))
        select(0)
    st.session_state["start"] = None


def _multiplier(label: str, name: str, value: float) -> None:
    # What a link or a file holds may lie below what one would type.
    _number(label, name, value, min(0.01, value), MAX_MULTIPLIER, 0.05)


def _number(label: str, name: str, value: float, low: float, high: float, step: float) -> None:
    key = f"set_{name}"
    value = type(low)(value)
    _follow(key, value)

    def changed() -> None:
        typed = st.session_state[key]
        edit(lambda draft: draft.settings(**{name: typed}))

    st.number_input(label, low, high, value, step, key=key, on_change=changed)


def _follow(key: str, value: Any) -> None:
    """A control shows what the draft has, also after undo, another row or a refused edit.

    Each has the same as its default too: a run that is overtaken by the next one may never tell the browser of the
    value, and what the browser then shows instead would come back as an edit.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


# --- rows ----------------------------------------------------------------------------------------------------------


def toolbar(here: Bench) -> None:
    """Edits of whole rows."""
    rows, row, state = len(here.draft.rows), here.row, st.session_state

    def do(change: Callable[[Draft], Draft], then: int) -> Callable[[], None]:
        def act() -> None:
            edit(change)
            if _PROBLEM not in state:
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
        st.button("Undo", key="undo", on_click=_travel, args=(_PAST, _FUTURE), disabled=not state.get(_PAST))
        st.button("Redo", key="redo", on_click=_travel, args=(_FUTURE, _PAST), disabled=not state.get(_FUTURE))


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
    if above and len(counts(above[-1].block, above[-1].shape).leaving) == 1:
        return Stage("linear", width)
    return Stage("conv", width)


def problem(here: Bench) -> None:
    """Why the last edit was refused, and what the link cannot hold."""
    if too_long(here.draft):
        st.html(
            '<p class="ignored" role="alert">Too long for a link: this design lives in this browser session only. '
            "Download it as JSON to keep it.</p>"
        )
    told = st.session_state.get(_PROBLEM)
    if told:
        st.html(f'<p class="ignored" role="alert">Not changed: {html.escape(told)}.</p>')


def rows_of(here: Bench, convention: Convention) -> pd.DataFrame:
    """The stage table with what each row costs, puts out, and whether it can be built."""
    sums: dict[int, list[int]] = {}
    shapes: dict[int, str] = {}
    widths: dict[int, int] = {}
    blocks: dict[int, int] = {}
    for run in here.design.runs() if here.design else ():
        each = counts(run.block, run.shape)
        known = sums.setdefault(run.row, [0, 0])
        known[0] += each.params * run.repeats
        known[1] += each.macs * run.repeats
        shapes[run.row], widths[run.row] = shape_text(each.leaving), each.leaving[0]
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


# --- the form of one row -------------------------------------------------------------------------------------------


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
    _follow(key, AUTO if value is None else value)
    st.selectbox(
        label, shown, shown.index(st.session_state[key]), key=key, help=help,
        format_func=lambda option: option if option == AUTO else said(option), on_change=_change(name, key),
    )  # fmt: skip


def _whole(label: str, name: str, value: Any, low: int, high: int, help: str | None = None) -> None:
    key = f"row_{name}"
    _follow(key, value)
    st.number_input(label, low, high, value, 1, key=key, on_change=_change(name, key), help=help)


def _real(label: str, entry: Field, value: Any) -> None:
    key = f"row_{entry.name}"
    _follow(key, float(value))
    st.number_input(
        label, float(entry.minimum), float(entry.maximum), float(value), 0.05, key=key, help=entry.help,
        on_change=_change(entry.name, key),
    )  # fmt: skip


def _text(label: str, name: str, value: str) -> None:
    key = f"row_{name}"
    _follow(key, value)
    st.text_input(label, value, key=key, on_change=_change(name, key), max_chars=60)


# --- formulas and exercises ----------------------------------------------------------------------------------------


def formulas(here: Bench, report: Report, convention: Convention) -> None:
    """How totals come about, and where the peak is."""
    st.subheader("How this is computed", anchor=False)
    table = report.table
    by_row: dict[int, list[int]] = {}
    for run in report.design.runs():
        each = counts(run.block, run.shape)
        known = by_row.setdefault(run.row, [0, 0])
        known[0] += run.repeats * each.params
        known[1] += run.repeats * each.macs
    names = [report.design.stages[row].name for row in by_row]
    factor = convention.compute(1)
    peak = table.loc[table["alive"].idxmax()]
    alive = exact(convention.size(int(peak["alive"])))
    st.html(
        "<p><strong>Parameters</strong> = sum over the rows = "
        f"{_sum(names, [params for params, _ in by_row.values()])} = <strong>{exact(report.params)}</strong></p>"
        f"<p><strong>{convention.compute_label}</strong> = sum over the rows = "
        f"{_sum(names, [macs * factor for _, macs in by_row.values()])} = "
        f"<strong>{exact(convention.compute(report.macs))}</strong></p>"
        f"<p><strong>Peak activations</strong> = most that is alive at once, at {html.escape(str(peak['path']))}: its "
        f"input and output, {html.escape(str(peak['input_shape']))} and {html.escape(str(peak['output_shape']))}, and "
        f"what a later layer still needs = <strong>{alive}</strong> {convention.memory_unit}</p>"
    )
    st.caption(convention.text)


def _sum(names: list[str], values: list[int]) -> str:
    terms = [f"{exact(value)} ({html.escape(name)})" for name, value in zip(names, values, strict=True) if value]
    return " + ".join(terms) or "0"


def exercises(here: Bench, report: Report, convention: Convention) -> None:
    """Two predictions about the network in hand."""
    if here.checked.fault is not None:
        return
    st.subheader("Try this", anchor=False)
    left, right = st.columns(2)
    label = lower(convention.compute_label)
    half = _counted(report.design, resolution=max(1, report.resolution // 2))
    if half is not None:
        with left:
            parts.exercise(
                f"half_{report.design.resolution}",
                f"{report.resolution // 2} px instead of {report.resolution}: what is left of the {label}?",
                "%", 100 * half.macs / report.macs,
                "Convolutions follow the area of their map; linear layers and the 1x1 layers of "
                "squeeze-and-excitation do not.",
                show=lambda value: f"{value:.1f} %",
            )  # fmt: skip
    wide = _counted(report.design.scaled(width_mult=2))
    if wide is not None:
        with right:
            parts.exercise(
                "twice", "Every scaled width doubled: by how much do the parameters grow?", "x",
                wide.params / report.params,
                "A convolution between two scaled widths has four times the weights, a depthwise one twice; widths "
                "that stay, such as the classes, keep their side.",
                show=lambda value: f"x{value:.2f}",
            )  # fmt: skip


def _counted(design: effviz.Design, resolution: int | None = None) -> Report | None:
    try:
        found = effviz.analyze(design, resolution)
    except DesignError:
        return None
    return found if found.macs and found.params else None
