"""Controls that live in the link, and one line about what a link asked for in vain.

Every control of a page is made by a function of this module. Each binds its value to the query parameter of its key,
so that the address always restores the page. Streamlit drops an illegal value without a word; here the link's values
are read before the widgets are made, compared with what the widgets took, and named to the reader.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

_ASKED = "_link_asked"
_KNOWN = "_link_known"
_BAD = "_link_bad"
_IGNORED = "_link_ignored"
_PAGE = "_link_page"
_KEPT = "_link_kept"
_TEXTS = "_link_texts"
_SETTLED = "_link_settled"
_VISIT = "_link_visit"
_NAVIGATED = "_link_navigated"
EVERYWHERE = {"count", "unit", "memory", "threads", "batch", "dtype", "auto"}
"""Settings that mean the same on every page that has them, and go along from page to page."""
_NAMED = 8
_LONGEST = 200

T = TypeVar("T")
N = TypeVar("N", int, float)


def start(page: str) -> None:
    """Remember what the link asks for; called by the frame ahead of every widget."""
    state = st.session_state
    if state.get(_PAGE) != page:
        # The link is judged once, in the first run of a session; on another page there is nothing left to judge.
        first = _PAGE not in state
        if not first:
            _turn(state[_PAGE], page)
        state[_PAGE] = page
        state[_VISIT] = state.get(_VISIT, 0) + 1
        state[_ASKED] = {key: st.query_params.get_all(key) for key in st.query_params} if first else {}
        state[_IGNORED] = None if state[_ASKED] else []
        state[_BAD] = {}
    state[_KNOWN] = set()
    state[_TEXTS] = {}
    state[_SETTLED] = {}
    if is_navigation():
        # Noted at once: this run may be overtaken before it comes to what the address holds.
        state[_NAVIGATED] = True


def _turn(left: str, page: str) -> None:
    """Put the settings of the page that was left aside, and take those of the new one up again.

    Pages use the same short names for different things: without this one page's resolution would be the other's, and
    the address would say so. A link into the page wins over what was set there before.
    """
    state = st.session_state
    kept = state.setdefault(_KEPT, {})
    own = state[_KNOWN] - EVERYWHERE
    kept[left] = {key: (state[key], text) for key, text in state[_TEXTS].items() if key in own and key in state}
    for name in _of(own):
        state.pop(name, None)
    if not set(st.query_params) - EVERYWHERE:
        for key, (value, text) in kept.get(page, {}).items():
            state[key] = value
            # The browser writes what is changed in a widget, not what a widget starts with.
            st.query_params[key] = text


def current_page() -> str:
    """The address of the page that is being drawn."""
    return str(st.session_state[_PAGE])


def _expect(key: str, legal: Callable[[str], bool], choices: str) -> None:
    """Know `key` as a setting of this page, and drop what the link asks of it if that is not legal.

    Dropped ahead of the widget, which then is bound from the next run on: Streamlit would take the last of several
    values, round a fraction, or fail.
    """
    state = st.session_state
    state[_KNOWN].add(key)
    values = state[_ASKED].get(key)
    if state[_IGNORED] is None and values and (len(values) != 1 or not legal(values[0])):
        state[_BAD][key] = choices
        if key in st.query_params:
            del st.query_params[key]


def _bind(key: str) -> Literal["query-params"] | None:
    """How the widget of `key` is bound in this run: not at all while the link's value for it is being dropped."""
    state = st.session_state
    return None if state[_IGNORED] is None and key in state[_BAD] else "query-params"


def _of(keys: Iterable[str]) -> list[str]:
    """All names under which the session holds the settings `keys`."""
    return [name for key in keys for name in (key, f"{key}_slider", f"{key}_followed")]


def finish() -> None:
    """Judge the link, once all widgets of the page are made, and show one line if something was ignored."""
    state = st.session_state
    state[_SETTLED] = {name: state[name] for name in _of(state[_KNOWN]) if name in state}
    if state[_IGNORED] is None:
        ignored = []
        for key, values in state[_ASKED].items():
            if key not in state[_KNOWN]:
                ignored.append(f"{_short(key)} (no such setting here)")
                if key in st.query_params:
                    del st.query_params[key]
            elif key in state[_BAD]:
                ignored.append(f"{_short(key)} = {_short(', '.join(values))} ({state[_BAD][key]})")
        state[_IGNORED] = ignored
        if state[_BAD]:
            # Bound from here on, so that the browser writes the next change into the address.
            st.rerun()
    if state[_IGNORED]:
        named = "; ".join(state[_IGNORED][:_NAMED])
        more = len(state[_IGNORED]) - _NAMED
        tail = f"; and {more} more" if more > 0 else ""
        with st.session_state["_link_line"]:
            st.html(f'<p class="ignored">{html.escape(f"Ignored in the link: {named}{tail}.")}</p>')


def is_poll() -> bool:
    """Whether a fragment that repeats itself is what caused this run; for callbacks, which then must not act.

    What a widget of the page reports in such a run is what the browser has not drawn yet, no change by a reader.
    """
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def is_navigation() -> bool:
    """Whether this run follows the browser's own way back or forth."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def visit() -> int:
    """The number of this visit to a page; it changes when the reader comes from another one."""
    return int(st.session_state[_VISIT])


def settle() -> None:
    """Put every setting back to its value in the last whole run; for a fragment that repeats itself.

    A fragment's run brings along the values of all widgets as the browser has them, and the browser may not yet have
    drawn what the last run changed: the input beside a slider that was moved would take its old value for a new one.
    What a reader changes always comes with a run of the whole page, so in a fragment's own run every change is old.
    """
    state = st.session_state
    for name, value in state[_SETTLED].items():
        if state.get(name) != value:
            state[name] = value


def _taken(key: str, value: Any, default: Any, text: str) -> None:
    """Note how the address writes a setting, unless it has its default, which the address leaves out."""
    if value != default:
        st.session_state[_TEXTS][key] = text


def line() -> None:
    """Reserve the place for the line about the link, under the title."""
    st.session_state["_link_line"] = st.container()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def _number(text: str) -> float:
    """A number of a link; nan for what is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def choice(
    label: str, options: Sequence[T], key: str, *, default: T, format_func: Callable[[Any], str] = str, **kwargs: Any
) -> T:
    """A drop-down of `options` in the link."""
    names = [format_func(option) for option in options]
    _expect(key, names.__contains__, f"choices: {_short(', '.join(names))}")
    value = st.selectbox(
        label,
        options,
        index=list(options).index(default),
        format_func=format_func,
        key=key,
        bind=_bind(key),
        **kwargs,
    )
    value = default if value is None else value
    _taken(key, value, default, format_func(value))
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
    names = [format_func(option) for option in options]
    _expect(key, names.__contains__, f"choices: {', '.join(names)}")
    value = st.segmented_control(
        label,
        options,
        default=default,
        required=True,
        format_func=format_func,
        key=key,
        bind=_bind(key),
        **kwargs,
    )
    value = default if value is None else str(value)
    _taken(key, value, default, format_func(value))
    return value


_FLAGS = ("true", "false")


def flag(label: str, key: str, *, default: bool = False, **kwargs: Any) -> bool:
    """A toggle in the link."""
    _expect(key, _FLAGS.__contains__, "true or false")
    value = bool(st.toggle(label, default, key=key, bind=_bind(key), **kwargs))
    _taken(key, value, default, str(value).lower())
    return value


def section(label: str, key: str, controls: Iterable[str] = (), **kwargs: Any) -> DeltaGenerator | None:
    """A part of the page that is closed by default and kept in the link: where to write, None while it is closed.

    `controls` are the keys of those inside, which a link may hold while the part is closed.
    """
    _expect(key, _FLAGS.__contains__, "true or false")
    box = st.expander(label, key=key, on_change="rerun", bind=_bind(key), **kwargs)
    if box.open:
        _taken(key, True, False, "true")
        return box
    idle(*controls)
    return None


def words(label: str, key: str, *, legal: Callable[[str], bool] | None = None, choices: str = "", **kwargs: Any) -> str:
    """A line of text in the link; what is not `legal` there is dropped, what is typed in is the page's to judge."""
    if legal is None:
        _expect(key, lambda text: len(text) <= _LONGEST, f"at most {_LONGEST} characters")
    else:
        _expect(key, legal, choices)
    value = st.text_input(label, key=key, bind=_bind(key), max_chars=_LONGEST, **kwargs) or ""
    _taken(key, value, "", value)
    return value


def integer(label: str, key: str, *, default: int, minimum: int, maximum: int, **kwargs: Any) -> int:
    """A whole number in the link, typed in."""
    _expect_number(key, minimum, maximum, whole=True)
    value = st.number_input(label, minimum, maximum, default, key=key, bind=_bind(key), **kwargs)
    value = default if value is None else int(value)
    _taken(key, value, default, str(value))
    return value


def decimal(label: str, key: str, *, default: float, minimum: float, maximum: float, **kwargs: Any) -> float:
    """A number in the link, typed in."""
    _expect_number(key, minimum, maximum, whole=False)
    value = st.number_input(label, minimum, maximum, default, key=key, bind=_bind(key), **kwargs)
    value = default if value is None else float(value)
    _taken(key, value, default, str(value))
    return value


def held(key: str, legal: Callable[[str], bool], choices: str) -> str:
    """A text in the link that no widget shows, such as a whole design; empty if there is none.

    Every run begins with the address as the browser had it when it asked for the run, which may be an older one than
    the last that it was given: the link is where such a text comes from when the reader arrives, or goes back or
    forth, and `hold` writes it; in between it is the page that remembers it.
    """
    state = st.session_state
    now, arrived = f"{key}_held", visit()
    if state.pop(_NAVIGATED, False) or state.get(f"{key}_visit") != arrived:
        state[f"{key}_visit"] = arrived
    elif st.query_params.get(key, "") != state.get(now, ""):
        hold(key, state.get(now, ""))
    _expect(key, legal, choices)
    text = str(st.query_params.get(key, ""))
    state[now] = text
    if text:
        # Put aside with the page's settings and taken up again, as a widget's value is.
        state[key] = text
        _taken(key, text, "", text)
    return text


def remembered(key: str) -> str:
    """The text that `held` gave last, or `hold` wrote since; for callbacks, which run ahead of the page."""
    return str(st.session_state.get(f"{key}_held", ""))


def hold(key: str, text: str) -> None:
    """Put a text into the link; empty takes it out."""
    st.session_state[f"{key}_held"] = text
    if text:
        st.query_params[key] = text
    elif key in st.query_params:
        del st.query_params[key]


def idle(*keys: str) -> None:
    """Know settings of this page whose controls are not shown at the moment, so that a link may hold them."""
    st.session_state[_KNOWN].update(keys)


def _expect_number(key: str, minimum: float, maximum: float, *, whole: bool) -> None:
    def legal(text: str) -> bool:
        value = _number(text)
        return minimum <= value <= maximum and (not whole or value.is_integer())

    _expect(key, legal, f"{minimum:g} to {maximum:g}")


def amount(
    label: str,
    key: str,
    *,
    default: N,
    minimum: N,
    maximum: N,
    step: N,
    usual: tuple[N, N],
    help: str | None = None,
) -> N:
    """A number in the link: a slider over the usual range, and an input for the rest.

    The input holds the value and is what the link binds; the slider follows it and writes to it.
    """
    whole = isinstance(default, int)
    slider_key = f"{key}_slider"
    _expect_number(key, minimum, maximum, whole=whole)
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
            bind=_bind(key),
            label_visibility="collapsed",
        )
    value = default if value is None else type(default)(value)
    _taken(key, value, default, str(value))
    low, high = usual
    shown, followed = min(max(value, low), high), f"{key}_followed"
    state = st.session_state
    if slider_key in state and state.get(followed) != shown:
        # Only where it has to follow: a slider that is set is drawn anew, and a reader's next move would be lost.
        state[slider_key] = shown
    state[followed] = shown

    def move() -> None:
        if is_poll():
            return
        state[key] = state[followed] = state[slider_key]

    with slide:
        st.slider(label, low, high, shown, step, key=slider_key, on_change=move, help=help)
    return value
