"""Jobs of pages in the torch process: requested by a visitor, polled by a fragment, shared by equal requests."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from effviz.core.caches import Store
from effviz.measure.background import release
from effviz.ui import links, runs
from effviz.ui.redraw import redraw
from effviz.ui.visitors import network_address
from effviz.ui.widgets.frame import section
from effviz.worker.desk import Desk
from effviz.worker.manager import Ticket, default_manager

POLL_S = 0.4

DESK = Desk()
_answers = Store[dict[str, Any]]()


# Visitors by the identifier of their session.
_sessions: dict[str, str] = {}


def _forget(name: str) -> None:
    for session in [each for each, who in list(_sessions.items()) if who == name]:
        del _sessions[session]
    DESK.forget(name)
    release(name)


@st.cache_resource(scope="session", on_release=_forget, show_spinner=False)
def visitor() -> str:
    """Return a name for the visitor of this session, whose jobs are released when the session ends."""
    name = secrets.token_hex(8)
    if context := get_script_run_ctx():
        _sessions[context.session_id] = name
    return name


def forget_absent() -> None:
    """Cancel the jobs of visitors whose connection has ended, unless others wait for them.

    Streamlit keeps such a session for two minutes, in which a broken connection may return; it then starts them again.
    """
    for session, name in list(_sessions.items()):
        if not runtime.get_instance().is_active_session(session):
            DESK.forget(name)


def visitor_address() -> str:
    """Return the network address of the visitor of this session."""
    found = st.context.ip_address
    # None for the loopback address.
    return network_address(found) if isinstance(found, str) else "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """State of a request.

    Attributes:
        value: result of the job; None until it is done.
        error: why the job failed, a sentence; empty otherwise.
        ticket: of the job while it is queued or running.
    """

    value: dict[str, Any] | None = None
    error: str = ""
    ticket: Ticket | None = None

    @property
    def pending(self) -> bool:
        """Whether the result is still to come, also from a job that is not requested yet."""
        return self.value is None and not self.error

    @property
    def progress(self) -> str:
        """The progress of a pending job in a few words."""
        return progress_text(self.ticket) if self.ticket is not None else "Starting"


def ask(
    kind: str, payload: dict[str, Any], timeout_s: float = 60.0, *, settled: bool = False, place: str = ""
) -> Answer:
    """Return the result of a job that depends on its payload alone: a cached one, or one requested now.

    Args:
        kind: a name in `effviz.worker.jobs.JOBS`; a visitor has at most one pending job of a kind and place.
        payload: JSON-able.
        timeout_s: limit on the running time; waiting in the queue does not count.
        settled: request the job at the second call with the same payload. A slider that moves on then starts none.
        place: on the page, where several results of a kind are shown.
    """
    key = hashlib.sha256(json.dumps([kind, payload], sort_keys=True).encode()).hexdigest()
    purpose = f"{kind}{place}"
    name, before = visitor(), st.session_state.get(wanted := f"_wanted_{purpose}")
    st.session_state[wanted] = key
    known = _answers.get(key)
    if known is not None:
        DESK.leave(name, purpose)
        return Answer(known)
    if settled and before != key:
        DESK.leave(name, purpose)
        return Answer()

    def start() -> Ticket:
        # keep_all: the visitor's older job of this kind may have others who wait for it.
        return default_manager().submit(name, kind, payload, timeout_s, keep_all=True, address=visitor_address())

    ticket = DESK.take(name, purpose, key, start)
    if ticket.result is not None and ticket.state == "done":
        _answers.put(key, ticket.result)
        DESK.leave(name, purpose)
        return Answer(ticket.result)
    return Answer(error=ticket.error) if ticket.error else Answer(ticket=ticket)


def again(kind: str) -> None:
    """Release a failed job, so that `ask` starts another."""
    DESK.leave(visitor(), kind)


def live_part(key: str, draw: Callable[[], None]) -> None:
    """Show a part of the page that is drawn again by itself when a job of it ends, and by its own buttons.

    Args:
        key: unique on the page; `polled` is given it.
        draw: draws the part. It may contain buttons, but no control that has a value.
    """

    def run() -> None:
        if runs.is_poll():
            links.settle()
        with section("This part"):
            draw()

    st.fragment(run, key=key)()


def polled(waiting: bool, draw: Callable[[], bool], part: str) -> None:
    """Draw the progress of a job, repeatedly while it is pending; then the part that shows its result, once.

    Args:
        waiting: whether a job is pending.
        draw: draws the progress and returns whether the job is still pending.
        part: key of the `live_part`, or `runs.PAGE_FRAGMENT` for the page.
    """

    def run() -> None:
        links.settle()
        if not draw():
            redraw(part)

    if waiting:
        st.fragment(run, run_every=POLL_S)()
    else:
        draw()


def progress_text(ticket: Ticket) -> str:
    """Describe the progress of a job in a few words."""
    if ticket.state == "queued":
        place = ticket.position
        return f"Waiting, place {place} in the queue" if place > 1 else "Waiting for a free process"
    return ticket.message or "Starting"
