"""Texts of the address that no widget shows, such as a whole design."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import streamlit as st

from effviz.model.draft import MAX_LINK
from effviz.ui import links

_LONG = "_held_long"
_MOST_LONG = 20


def held(key: str, legal: Callable[[str], bool], choices: str) -> str:
    """Return a text of the link that no widget shows, such as a whole design; empty if there is none.

    A run starts with the address that the browser had when it requested the run, which may be older than the last one
    written by `hold`. So the address is read only when the visitor arrives or navigates back or forth. In between the
    session remembers the text.
    """
    state = st.session_state
    now, arrived = f"{key}_held", links.visit()
    if links.take_navigation() or state.get(f"{key}_visit") != arrived:
        state[f"{key}_visit"] = arrived
    elif st.query_params.get(key, "") != state.get(now, ""):
        hold(key, state.get(now, ""))
    links.expect(key, legal, choices)
    text = str(st.query_params.get(key, ""))
    state[now] = text
    if text:
        # Stored and restored with the page's settings, as the value of a widget is.
        state[key] = text
        links.taken(key, text, "", str)
    return text


def remembered(key: str) -> str:
    """Return the last text of `held` or `hold`; for callbacks, which run before the page."""
    return str(st.session_state.get(f"{key}_held", ""))


def hold(key: str, text: str) -> None:
    """Write a text to the link; an empty one removes it."""
    st.session_state[f"{key}_held"] = text
    if text:
        st.query_params[key] = text
    elif key in st.query_params:
        del st.query_params[key]


def shortened(text: str) -> str:
    """Return a text for the link: one of more than `MAX_LINK` characters as a name that only this session knows."""
    if len(text) <= MAX_LINK:
        return text
    name = f"session-{zlib.crc32(text.encode()):08x}"
    known = st.session_state.get(_LONG, {})
    st.session_state[_LONG] = dict([*known.items(), (name, text)][-_MOST_LONG:])
    return name


def whole(text: str) -> str:
    """Return the text behind a text of the link; the same text if it is not shortened, or in another session."""
    return str(st.session_state.get(_LONG, {}).get(text, text))
