"""Long calculations of a page: in another process, with their progress and a button that cancels them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, TypeVar

import streamlit as st

from effviz.core.caches import NotKnownError, Store, known, plant
from effviz.core.errors import DesignError
from effviz.core.text import html_text
from effviz.ui import runs
from effviz.ui.turns import TURNS
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.jobs import DESK, polled, progress_text, visitor, visitor_address
from effviz.worker.calculations import Pool, pool, value_of
from effviz.worker.manager import Ticket

PATIENCE_S = 0.4
"""A run waits so long for the result, so that a short calculation needs no second drawing."""

_T = TypeVar("_T")
_SERVER = "server"
_TAKEN = "_calculations"
_refused = Store[DesignError]()


def calculated(name: str, function: Callable[..., _T], *arguments: object, long: bool = False) -> _T | None:
    """Return the result of a remembered function, or show its progress and return None.

    The function runs in another process. When it has ended, the page is drawn again and finds the result. It is
    cancelled when its visitor leaves the page or closes the tab, unless other visitors wait for it too.

    Args:
        name: of the result, in the progress line; unique on the page.
        function: remembered, of a module; its arguments and result can be pickled.
        arguments: hashable.
        long: whether it takes many seconds, see `effviz.worker.calculations.Pool.submit`.

    Raises:
        DesignError: from the function.

    Example:
        >>> if calculated("Built sizes", stairs, base, rule, -2, 8) is not None:
        ...     show_chart(...)
    """
    try:
        return known(function, *arguments)
    except NotKnownError:
        key = _key(function, arguments)
    if (error := _refused.get(key)) is not None:
        raise error
    stopped = f"_stopped_{name}"
    if st.session_state.get(stopped) == key:
        notice(f"{name}: cancelled.")
        st.button("Calculate", key=f"calculate_{name}", on_click=_resume, args=(stopped,))
        return None
    me, address = visitor(), visitor_address()
    st.session_state.setdefault(_TAKEN, set()).add(name)
    ticket = DESK.take(me, name, key, lambda: pool().submit(me, function, *arguments, address=address, long=long))
    TURNS.end()
    ticket.wait(max(0.0, ticket.submitted_at + PATIENCE_S - time.monotonic()))
    if ticket.state == "done":
        DESK.leave(me, name)
        _remember(ticket, function, *arguments)
        if (error := _refused.get(key)) is not None:
            raise error
        return known(function, *arguments)
    if ticket.ended:
        notice(f"{name}: not calculated. {ticket.error or ticket.message}", "failed", alert=True)
        st.button("Try again", key=f"calculate_{name}", on_click=DESK.leave, args=(me, name))
        return None
    _progress(name, ticket, lambda: _stop(name, stopped, key))
    return None


def prepare(processes: Pool, function: Callable[..., object], *arguments: object) -> None:
    """Calculate and remember a result before a visitor needs it. A visitor who needs it earlier waits for the same one.

    Args:
        processes: of the server.
        function: as of `calculated`.
        arguments: as of `calculated`.

    Raises:
        RuntimeError: the processes are closed.
    """
    with suppress(NotKnownError):
        known(function, *arguments)
        return
    # The process for long calculations: the other one stays free for visitors.
    ticket = DESK.take(
        _SERVER, _SERVER, _key(function, arguments),
        lambda: processes.submit(_SERVER, function, *arguments, address="", long=True),
    )  # fmt: skip
    ticket.wait()
    if ticket.state == "done":
        _remember(ticket, function, *arguments)
    DESK.leave(_SERVER, _SERVER)


def reserve(name: str, kind: Literal["cards", "chart"], what: str = "") -> None:
    """Sketch what the page will show when a calculation has ended, so that nothing below it moves.

    Args:
        name: of the calculation.
        kind: of the contents.
        what: is being calculated, a sentence.
    """
    if DESK.held(visitor(), name) is not None:
        said = f"><p>{html_text(what)}</p>" if what else ' aria-hidden="true">'
        st.html(f'<div class="reserved {kind}_room"{said}</div>')


def leave() -> None:
    """Cancel the calculations of the page that the visitor has left."""
    for name in st.session_state.pop(_TAKEN, ()):
        DESK.leave(visitor(), name)


def _remember(ticket: Ticket, function: Callable[..., object], *arguments: object) -> None:
    """Keep the result of a calculation, or the error that its function raises."""
    found = value_of(ticket)
    if isinstance(found, DesignError):
        _refused.put(_key(function, arguments), found)
    else:
        plant(found, function, *arguments)


def _key(function: Callable[..., object], arguments: tuple[object, ...]) -> tuple[object, ...]:
    return function.__module__, function.__qualname__, *arguments


def _progress(name: str, ticket: Ticket, stop: Callable[[], None]) -> None:
    """Show the progress of a calculation until it ends, and the button that cancels it."""

    def draw() -> bool:
        waiting = ticket.state == "queued"
        seconds = time.monotonic() - ticket.submitted_at
        state = progress_text(ticket) if waiting else f"{ticket.message or 'Calculating'}, {seconds:.0f} s"
        # A function that reports its progress has a percentage.
        share = ticket.progress
        value, percentage = (f' value="{share:.3f}"', f", {100 * share:.0f} %") if share > 0 else ("", "")
        bar = f'<progress aria-label="{html_text(name)}"{value}></progress>'
        st.html(f'<p class="latency">{bar} {html_text(f"{name}: {state}{percentage}")}</p>')
        return not ticket.ended

    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Cancel", key=f"cancel_{name}", on_click=stop)
        polled(True, draw, runs.PAGE_FRAGMENT)


def _stop(name: str, stopped: str, key: object) -> None:
    DESK.leave(visitor(), name)
    st.session_state[stopped] = key


def _resume(stopped: str) -> None:
    del st.session_state[stopped]
