"""Jobs of pages in the torch process: requested by a visitor, polled by a fragment, shared by equal requests."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from effviz.ui import links
from effviz.worker.desk import Desk
from effviz.worker.manager import Ticket, default_manager

POLL_S = 0.4
MAX_ANSWERS = 512

DESK = Desk()
_answers: OrderedDict[str, dict[str, Any]] = OrderedDict()
_answering = threading.Lock()


@st.cache_resource(scope="session", on_release=DESK.forget, show_spinner=False)
def visitor() -> str:
    """Return a name for the visitor of this session, whose jobs are released when the session ends."""
    return secrets.token_hex(8)


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


def ask(kind: str, payload: dict[str, Any], timeout_s: float = 60.0) -> Answer:
    """Return the result of a job that depends on its payload alone: a cached one, or one requested now.

    Args:
        kind: a name in `effviz.worker.jobs.JOBS`; a visitor has at most one pending job of a kind.
        payload: JSON-able.
        timeout_s: limit on the running time; waiting in the queue does not count.
    """
    key = hashlib.sha256(json.dumps([kind, payload], sort_keys=True).encode()).hexdigest()
    name = visitor()
    with _answering:
        known = _answers.get(key)
        if known is not None:
            _answers.move_to_end(key)
    if known is not None:
        DESK.leave(name, kind)
        return Answer(known)

    def start() -> Ticket:
        return default_manager().submit(key, kind, payload, timeout_s)

    ticket = DESK.take(name, kind, key, start)
    if ticket.result is not None and ticket.state == "done":
        with _answering:
            _answers[key] = ticket.result
            while len(_answers) > MAX_ANSWERS:
                _answers.popitem(last=False)
        DESK.leave(name, kind)
        return Answer(ticket.result)
    return Answer(error=ticket.error) if ticket.error else Answer(ticket=ticket)


def again(kind: str) -> None:
    """Release a failed job, so that `ask` starts another."""
    DESK.leave(visitor(), kind)


def polled(waiting: bool, draw: Callable[[], bool]) -> None:
    """Draw a part of the page, repeatedly while a job is pending, then rerun the whole page once.

    Args:
        waiting: whether a job is pending.
        draw: draws the part, without controls that have a value, and returns whether the job is still pending.
    """

    def part() -> None:
        links.settle()
        if not draw():
            st.rerun()

    if waiting:
        st.fragment(part, run_every=POLL_S)()
    else:
        draw()


def progress_text(ticket: Ticket) -> str:
    """Describe the progress of a job in a few words."""
    if ticket.state == "queued":
        place = ticket.position
        return f"Waiting, place {place} in the queue" if place > 1 else "Waiting for the torch process"
    return ticket.message or "Starting"
