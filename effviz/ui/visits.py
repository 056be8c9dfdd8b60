"""The way from page to page: settings of a page are kept, and the chosen network follows the visitor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import get_session_state

from effviz.ui import carried, runs

EVERYWHERE = {"count", "unit", "memory", "threads", "batch", "dtype", "auto", "present", *carried.KEYS}
"""Settings that mean the same on every page that has them, and keep their value from page to page."""
CARRIED = "net"
"""The chosen network, which follows the visitor to every page that offers it."""
_OF_MANY = {"compare"}
"""Pages whose other settings do not belong to the chosen network."""
# Keys of the session state.
_KEPT = "_visit_kept"  # settings of pages that were left, by page
_OWN = "_visit_own"  # networks of the pages that were left, by page
_CHOSEN = "_visit_chosen"  # the network to carry; None until one is chosen
_ARRIVING = "_visit_arriving"  # the network that this page takes over; None if its link has settings


def leave(
    left: str, page: str, local: Mapping[str, str], names: Iterable[str], address: set[str], *, complete: bool
) -> None:
    """Store the settings of the page that was left, and restore those of the new one.

    Pages use the same short keys for different settings, such as the resolution. Parameters in a link to the page take
    precedence over stored settings.

    Args:
        left, page: addresses of the pages.
        local: settings of the page that was left, with the parameter of each, empty for a default.
        names: of these settings in the session state.
        address: names of the parameters in the address of the page that was left.
        complete: whether that page was drawn; if not, its stored settings stay as they are.
    """
    state = st.session_state
    kept = state.setdefault(_KEPT, {})
    restored = set(kept.get(left, {}))
    if complete:
        kept[left] = {key: (state[key], text) for key, text in local.items() if text and key in state}
    own = state.setdefault(_OWN, {})
    if complete and CARRIED in local and CARRIED in state:
        # A list of networks names them with their multipliers: ``mobilenet_v2-w0.5``.
        own[left] = str(state[CARRIED]).partition("-")[0]
        if CARRIED in kept[left] or state.get(_CHOSEN) is not None:
            state[_CHOSEN] = own[left]
    if state.get(_CHOSEN) not in (None, own.get(page)) and page in own:
        # These settings belong to another network.
        if page in _OF_MANY:
            kept.get(page, {}).pop(CARRIED, None)
        else:
            kept.pop(page, None)
    for name in {*names, *restored}:
        state.pop(name, None)
    _take_link({*local, *restored}, address)
    state[_ARRIVING] = None
    if not set(st.query_params) - EVERYWHERE:
        state[_ARRIVING] = state.get(_CHOSEN)
        for key, (value, text) in kept.get(page, {}).items():
            state[key] = value
            # The browser writes changes of a widget to the address, not its initial value.
            st.query_params[key] = text


def _take_link(former: set[str], address: set[str]) -> None:
    """Restore parameters of a link between two pages that both have the setting.

    The browser requests the new page with the parameters of the former page, followed by those of the link. Streamlit
    drops all that a widget of the former page is bound to.
    """
    context = get_script_run_ctx()
    if context is None or runs.is_navigation():
        return
    stale = former & address
    added = []
    for key, text in parse_qsl(context.query_string, keep_blank_values=True):
        if key in stale:
            stale.remove(key)
        elif key not in EVERYWHERE:
            added.append((key, text))
    runs.release(former)
    for key, text in added:
        st.query_params[key] = text
    if added:
        with get_session_state().query_params() as params:
            params.set_initial_query_params_from_current()


def carry(key: str, options: Iterable[Any], text: Callable[[Any], str]) -> None:
    """Choose the network of the page before, if this page offers it and its link has no settings."""
    state = st.session_state
    chosen = state.get(_ARRIVING)
    if key == CARRIED and chosen in options and key not in state and key not in st.query_params:
        state[key] = chosen
        st.query_params[key] = text(chosen)
