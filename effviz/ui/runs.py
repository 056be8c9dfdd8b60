"""Facts about the current run of the script, and about the widgets that are bound to the address."""

from __future__ import annotations

from collections.abc import Iterable

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state import get_session_state

PAGE_FRAGMENT = "page"
"""Key of the fragment that contains the whole page: a change of one of its controls repeats it, not the frame."""


def is_navigation() -> bool:
    """Return whether the browser's back or forward button caused this run."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def is_fragment() -> bool:
    """Return whether this run repeats a part of the page only."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def is_poll() -> bool:
    """Return whether this run repeats a part of the page, to poll a job; callbacks of controls must ignore it.

    In such a run the browser may report values of widgets that it has not redrawn yet. They are not changes.
    """
    context = get_script_run_ctx()
    if context is None or not context.fragment_ids_this_run:
        return False
    page = context.fragment_storage.resolve_target(PAGE_FRAGMENT)
    return not set(page) & set(context.fragment_ids_this_run)


def release(keys: Iterable[str]) -> None:
    """Separate parameters from their widgets, so that `st.switch_page` can set them."""
    with get_session_state().query_params() as params:
        for key in keys:
            if binding := params.get_binding_for_param(key):
                params.unbind_widget(binding.widget_id)
