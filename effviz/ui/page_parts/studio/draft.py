"""The studio's draft: in the link, remembered by the session, with its history."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st

import effviz
from effviz.core.errors import MAX_CHANNELS, MAX_MULTIPLIER, MAX_RESOLUTION, DesignError
from effviz.count.totals import block_totals
from effviz.model.draft import MAX_LINK, Checked, Draft, checked
from effviz.ui import links
from effviz.zoo import ARCHITECTURES

KEY = "design"
START = "mobilenet_v2"
EMPTY = "Empty table"
TOLD = "_studio_import"
PAST, FUTURE, _LONG, PROBLEM, _ROW = (
    "_studio_past", "_studio_future", "_studio_long", "_studio_problem", "_studio_row",
)  # fmt: skip
_STEPS = 200
_MOST_LONG = 20


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
    state.pop(PROBLEM, None)
    state.pop(TOLD, None)
    draft = current()
    try:
        changed = change(draft)
    except DesignError as error:
        state[PROBLEM] = str(error)
        return
    if changed != draft:
        state[PAST] = [*state.get(PAST, []), (draft.packed(), selected(draft))][-_STEPS:]
        state[FUTURE] = []
        _show(changed.packed())


def travel(back: str, forth: str) -> None:
    """One step from the history `back`, which `forth` takes back."""
    state = st.session_state
    state.pop(PROBLEM, None)
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
    follow(key, value)

    def changed() -> None:
        typed = st.session_state[key]
        edit(lambda draft: draft.settings(**{name: typed}))

    st.number_input(label, low, high, value, step, key=key, on_change=changed)


def follow(key: str, value: Any) -> None:
    """A control shows what the draft has, also after undo, another row or a refused edit.

    Each has the same as its default too: a run that is overtaken by the next one may never tell the browser of the
    value, and what the browser then shows instead would come back as an edit.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def row_costs(design: effviz.Design) -> dict[int, tuple[int, int]]:
    """Parameters and multiply-adds of every row that is built, by its index."""
    found: dict[int, tuple[int, int]] = {}
    for run in design.runs():
        each, (params, macs) = block_totals(run.block, run.shape), found.get(run.row, (0, 0))
        found[run.row] = params + each.params * run.repeats, macs + each.macs * run.repeats
    return found
