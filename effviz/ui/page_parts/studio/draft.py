"""The draft of the Studio page: in the link, in the session, and with undo and redo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

import effviz
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.count.report import Report
from effviz.model.draft import MAX_LINK, Checked, Draft, checked
from effviz.ui import held, runs
from effviz.ui.convention import Convention
from effviz.ui.widgets.cards import cached_report

KEY = "design"
START = "mobilenet_v2"
EMPTY = "Empty table"
IMPORTED = "_studio_import"
PROBLEM = "_studio_problem"
PAST, FUTURE = "_studio_past", "_studio_future"
_ROW, _ROWS = "_studio_row", "_studio_rows"
_MOST_STEPS = 200


@dataclass(frozen=True)
class Bench:
    """The draft of a run.

    Attributes:
        draft: the rows and settings.
        checked: its part that can be built.
        row: index of the selected row, which the form shows.
        rows: indices of all selected rows.
        several: whether the table selects several rows.
        report: of `design`; None without one.
    """

    draft: Draft
    checked: Checked
    row: int
    rows: tuple[int, ...]
    several: bool
    report: Report | None

    @property
    def design(self) -> effviz.Design | None:
        """The rows above the first row that cannot be built."""
        return self.checked.design

    @property
    def is_whole(self) -> bool:
        """Whether every row can be built."""
        return self.checked.fault is None


def hold() -> None:
    """Keep the draft in the link."""
    held.held(KEY, lambda text: _read(text) is not None, "a design from the studio; long ones exist in one session")


def bench(convention: Convention) -> Bench:
    """Return the draft of this run."""
    draft = current()
    known = checked(draft)
    report = None if known.design is None else cached_report(known.design, convention.memory)
    return Bench(draft, known, selected(draft), chosen_rows(draft), _ROWS in st.session_state, report)


@remembered
def started(name: str) -> Draft:
    """Return a named network as a draft, or the empty table."""
    return Draft.empty() if name == EMPTY else Draft.of(effviz.architecture(name))


def current() -> Draft:
    """Return the draft of the link, or the network to start from."""
    text = held.remembered(KEY)
    return (_read(text) if text else None) or started(START)


def _read(text: str) -> Draft | None:
    """Return the draft of a link's text. The text of a long draft is a name that only its session knows."""
    try:
        return Draft.unpacked(held.whole(text))
    except DesignError:
        return None


def _show(text: str) -> None:
    """Put a packed draft into the link."""
    held.hold(KEY, "" if text == packed(started(START)) else held.shortened(text))


@remembered
def packed(draft: Draft) -> str:
    """Encode a draft as a URL parameter, as `Draft.packed`."""
    return draft.packed()


def too_long(draft: Draft) -> bool:
    """Whether a draft is too long for a link."""
    return len(packed(draft)) > MAX_LINK


def edit(change: Callable[[Draft], Draft], then: int | Sequence[int] | None = None) -> None:
    """Change the draft and select row `then`, or several. If the change is illegal, keep the draft and the reason."""
    if runs.is_poll():
        return
    state, draft = _cleared(), current()
    try:
        changed = change(draft)
    except DesignError as error:
        state[PROBLEM] = str(error)
        return
    if changed != draft:
        state[PAST] = [*state.get(PAST, []), (packed(draft), selected(draft))][-_MOST_STEPS:]
        state[FUTURE] = []
        _show(packed(changed))
    if isinstance(then, int):
        select(then)
    elif then is not None:
        select_several(then)


def travel(back: str, forth: str) -> None:
    """Return to the last draft of the history `back`, and add the current one to `forth`."""
    state, here = _cleared(), current()
    steps = list(state.get(back, []))
    # The back button of the browser may have shown this draft already.
    while steps and steps[-1][0] == packed(here):
        steps.pop()
    if steps:
        text, row = steps.pop()
        state[forth] = [*state.get(forth, []), (packed(here), selected(here))]
        _show(text)
        select(row)
    state[back] = steps


def _cleared() -> Any:
    """Return the session state without the messages about the last edit."""
    st.session_state.pop(PROBLEM, None)
    st.session_state.pop(IMPORTED, None)
    return st.session_state


def selected(draft: Draft) -> int:
    """Return the index of the row in the form."""
    row: int = st.session_state.get(_ROW, 0)
    return min(row, max(0, len(draft.rows) - 1))


def chosen_rows(draft: Draft) -> tuple[int, ...]:
    """Return the indices of the selected rows; edits of the form change all of them."""
    rows = tuple(row for row in st.session_state.get(_ROWS, ()) if row < len(draft.rows))
    return rows or ((selected(draft),) if draft.rows else ())


def select(row: int) -> None:
    """Show a row in the form, and select no other one."""
    if not runs.is_poll():
        st.session_state[_ROW] = max(0, row)
        st.session_state.pop(_ROWS, None)


def select_several(rows: Sequence[int]) -> None:
    """Select rows; the form shows the first one, or the one that it shows already."""
    if not runs.is_poll():
        st.session_state[_ROWS] = tuple(rows)
        if rows and st.session_state.get(_ROW) not in rows:
            st.session_state[_ROW] = rows[0]


def missing(here: Bench) -> None:
    """Show why a part of the page, which needs a network of all rows, is empty."""
    st.markdown("Fix the highlighted row first." if here.draft.rows else "Add a row first.")


def follow(key: str, value: Any) -> None:
    """Set a control to the draft's value, also after undo, a new selection or a rejected edit.

    Every control gets the same value as its default. A run that the next one overtakes may not send the value to the
    browser, and the browser would then report its old value as an edit.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
