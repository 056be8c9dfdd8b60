"""Records that the visitor's browser keeps: they survive a reload and a new session, and leave with the browser's data.

No cookie is set, and the server keeps nothing. A browser may send anything, so callers check the entries.
"""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from effviz.ui.widgets.component import component

MOST_CHARACTERS = 65_536
_STORED = "_storage_{}"
_MOST_DEPTH = 6


def stored(key: str) -> dict[str, Any] | None:
    """Return a record of the browser; None until the browser has sent it. Call this once per run and key.

    The component that reads and writes the record is drawn here. Its answer causes one more run.

    Args:
        key: name of the record.
    """
    state, name = st.session_state, _STORED.format(key)
    script = component("storage", "<span hidden></span>")
    known = state.get(name)
    sent = script(
        key=f"storage_{key}", data={"key": key, "text": None if known is None else _text(known)}, width="content",
        on_text_change=_nothing,
    )  # fmt: skip
    if known is None and isinstance(sent.text, str):
        known = state[name] = _checked(sent.text)
    return known


def is_known(key: str) -> bool:
    """Return whether the browser has sent a record, or one was stored."""
    return _STORED.format(key) in st.session_state


def store(key: str, record: dict[str, Any]) -> None:
    """Replace a record, in a callback or before `stored` is called.

    Raises:
        ValueError: the record is longer than `MOST_CHARACTERS` as JSON.
    """
    if len(_text(record)) > MOST_CHARACTERS:
        raise ValueError(f"the record {key} is longer than {MOST_CHARACTERS} characters")
    st.session_state[_STORED.format(key)] = record


def _nothing() -> None:
    """Let the component have the state `text`."""


def _text(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"), sort_keys=True)


def _checked(text: str) -> dict[str, Any]:
    """Read what a browser has sent; a record that is not legal counts as empty."""
    if len(text) > MOST_CHARACTERS or _depth(text) > _MOST_DEPTH:
        return {}
    try:
        record = json.loads(text or "{}", parse_constant=_no_number)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _depth(text: str) -> int:
    """Return the nesting of brackets, at most: those in texts are counted, too."""
    depth = deepest = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    return deepest
