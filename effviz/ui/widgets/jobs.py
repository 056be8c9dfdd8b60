"""What pages ask of the torch process: asked by a visitor, polled by a fragment, shared by all who ask for the same."""

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
    """A name for the visitor of this session; what he waits for is let go when the session ends."""
    return secrets.token_hex(8)


@dataclass(frozen=True)
class Answer:
    """What has become of a question.

    Attributes:
        value: the job's result, None until there is one.
        error: why there is none, a sentence; empty otherwise.
        ticket: of the job while it is queued or runs.
    """

    value: dict[str, Any] | None = None
    error: str = ""
    ticket: Ticket | None = None


def ask(kind: str, payload: dict[str, Any], timeout_s: float = 60.0) -> Answer:
    """The answer of a job that depends on nothing but its payload: remembered, or asked for now.

    Args:
        kind: a name in `effviz.worker.jobs.JOBS`; a visitor waits for one job of a kind.
        payload: JSON-able.
        timeout_s: for the running, not for the waiting.
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
    """Let go of a job that failed, so that `ask` starts another."""
    DESK.leave(visitor(), kind)


def polled(waiting: bool, draw: Callable[[], bool]) -> None:
    """Draw a part of the page; while it waits, draw it again and again, and then the whole page once.

    Args:
        waiting: whether it waits at the moment.
        draw: draws the part, without a control that has a value, and says whether it still waits.
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
    """Where a job stands, in a few words."""
    if ticket.state == "queued":
        place = ticket.position
        return f"Waiting, place {place} in the queue" if place > 1 else "Waiting for the torch process"
    return ticket.message or "Starting"
