"""Controls that live in the link, and one line about what a link asked for in vain.

Every control of a page is made by a function of this module. Each binds its value to the query parameter of its key,
so that the address always restores the page. Streamlit drops an illegal value without a word; here the link's values
are read before the widgets are made, compared with what the widgets took, and named to the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

_ASKED = "_link_asked"
_TAKEN = "_link_taken"
_IGNORED = "_link_ignored"
_PAGE = "_link_page"

T = TypeVar("T")


def start(page: str) -> None:
    """Remember what the link asks for; called by the frame ahead of every widget."""
    state = st.session_state
    if state.get(_PAGE) != page:
        # A new session or another page: its link is judged once, and the judgement stays until the page is left.
        first = _PAGE not in state
        state[_PAGE] = page
        state[_ASKED] = {key: st.query_params.get_all(key) for key in st.query_params} if first else {}
        state[_IGNORED] = None
    state[_TAKEN] = {}


def took(key: str, value: Any, legal: str) -> None:
    """Note that the page has a setting `key` and holds `value` now; `legal` says what it may be."""
    st.session_state[_TAKEN][key] = (value, legal)


def _same(asked: str, value: Any) -> bool:
    if isinstance(value, bool):
        return asked.lower() == str(value).lower()
    if isinstance(value, (int, float)):
        try:
            return abs(float(asked) - value) <= 1e-9 * max(1.0, abs(value))
        except ValueError:
            return False
    return asked == str(value)


def finish() -> None:
    """Judge the link, once all widgets of the page are made, and show one line if something was ignored."""
    state = st.session_state
    if state.get(_IGNORED) is None:
        ignored = []
        for key, values in state.get(_ASKED, {}).items():
            if key not in state[_TAKEN]:
                ignored.append(f"{_short(key)} (no such setting here)")
                continue
            value, legal = state[_TAKEN][key]
            if len(values) != 1 or not _same(values[0], value):
                ignored.append(f"{_short(key)} = {_short(', '.join(values))} ({legal})")
        state[_IGNORED] = ignored
    if state[_IGNORED]:
        with st.session_state["_link_line"]:
            st.info(_escape(f"Ignored in the link: {'; '.join(state[_IGNORED][:8])}."))


def line() -> None:
    """Reserve the place for the line about the link, under the title."""
    st.session_state["_link_line"] = st.container()


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _escape(text: str) -> str:
    """Text from a link as text, not as Markdown."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>()#+-!|~$:&" else char for char in text.replace("\n", " "))


def choice(
    label: str, options: Sequence[T], key: str, *, default: T, format_func: Callable[[Any], str] = str, **kwargs: Any
) -> T:
    """A drop-down of `options` in the link."""
    value = st.selectbox(
        label,
        options,
        index=list(options).index(default),
        format_func=format_func,
        key=key,
        bind="query-params",
        **kwargs,
    )
    value = default if value is None else value
    took(key, format_func(value), f"choices: {_short(', '.join(map(format_func, options)))}")
    return value


def switch(
    label: str,
    options: Sequence[str],
    key: str,
    *,
    default: str,
    format_func: Callable[[Any], str] = str,
    **kwargs: Any,
) -> str:
    """A segmented control of a few `options` in the link; one is always chosen."""
    value = st.segmented_control(
        label,
        options,
        default=default,
        required=True,
        format_func=format_func,
        key=key,
        bind="query-params",
        **kwargs,
    )
    value = default if value is None else value
    took(key, format_func(value), f"choices: {', '.join(map(format_func, options))}")
    return str(value)


def amount(
    label: str,
    key: str,
    *,
    default: float,
    minimum: float,
    maximum: float,
    step: float,
    usual: tuple[float, float],
    help: str | None = None,
) -> float:
    """A number in the link: a slider over the usual range, and an input for the rest.

    The input holds the value and is what the link binds; the slider follows it and writes to it.
    """
    whole = isinstance(default, int)
    slider_key = f"{key}_slider"
    with st.container(key=f"amount_{key}"):
        slide, field = st.columns([5, 2], vertical_alignment="bottom", gap="small", wrap=False)
    with field:
        value = st.number_input(
            label,
            minimum,
            maximum,
            value=default,
            step=step,
            format="%d" if whole else "%.2f",
            key=key,
            bind="query-params",
            label_visibility="collapsed",
        )
    value = default if value is None else value
    low, high = usual
    st.session_state[slider_key] = min(max(value, low), high)

    def move() -> None:
        st.session_state[key] = st.session_state[slider_key]

    with slide:
        st.slider(label, low, high, step=step, key=slider_key, on_change=move, help=help)
    took(key, value, f"{minimum:g} to {maximum:g}")
    return value
