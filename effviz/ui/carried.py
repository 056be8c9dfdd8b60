"""Texts of the address without a widget, which stay there from page to page until they are removed.

Streamlit drops such parameters when the visitor chooses another page.
"""

from __future__ import annotations

import streamlit as st

KEYS = ("lesson", "step", "room")
_TEXTS = "_carried_texts"  # by key
_REMOVED = "_carried_removed"  # texts that were removed; an old address may still contain them
_ARRIVAL = "_carried_arrival"  # number of the arrival, and the page with its texts


def start(page: str, *, back: bool) -> bool:
    """Read the address and complete it. The start of a run of the whole page calls this.

    Args:
        page: that is being drawn.
        back: whether the browser's back or forward button caused the run; its address is complete.

    Returns:
        Whether the page or one of the texts has changed.
    """
    state, params = st.session_state, st.query_params
    now = {key: params[key] for key in KEYS if key in params}
    removed = {} if back else state.get(_REMOVED, {})
    kept = {} if back else state.get(_TEXTS, {})
    # The address of a request may be older than the removal.
    state[_TEXTS] = kept | {key: text for key, text in now.items() if removed.get(key) != text}
    state[_REMOVED] = {key: text for key, text in removed.items() if now.get(key) == text}
    number, before = state.get(_ARRIVAL, (0, None))
    here = (page, tuple(sorted(state[_TEXTS].items())))
    for key in KEYS:
        # A link to the page itself does not change the address in the browser; this does.
        _write(key, state[_TEXTS].get(key, ""), anew=before not in (None, here))
    state[_ARRIVAL] = (number + (here != before), here)
    return bool(here != before)


def _write(key: str, text: str, *, anew: bool = False) -> None:
    if text and (anew or st.query_params.get(key) != text):
        st.query_params[key] = text
    elif not text and key in st.query_params:
        del st.query_params[key]


def put(**texts: str) -> None:
    """Set texts; an empty one removes its parameter."""
    state = st.session_state
    for key, text in texts.items():
        former = state[_TEXTS].pop(key, "")
        if text:
            state[_TEXTS][key] = text
        elif former:
            state[_REMOVED] = state.get(_REMOVED, {}) | {key: former}
        _write(key, text)


def texts() -> dict[str, str]:
    """Return all texts by key."""
    return dict(st.session_state.get(_TEXTS, {}))


def arrival() -> int:
    """Return the number of the arrival at this page with these texts; it changes with each of them."""
    return int(st.session_state[_ARRIVAL][0])
