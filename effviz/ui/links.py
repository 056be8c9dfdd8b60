"""The state of a page in its address, and a notice that lists ignored parameters.

Every control (`effviz.ui.inputs`) binds its value to the URL parameter of its key, so that the address always restores
the page. Streamlit drops illegal values without a message. Here the parameters are read before the widgets are made,
checked against the widgets' legal values, and the ignored ones are listed.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

import streamlit as st
from streamlit.runtime.state import get_session_state

from effviz.ui import carried, runs, visits
from effviz.ui.visits import EVERYWHERE

# Keys of the session state. A "setting" is a control's value with its key.
_QUERY = "_link_query"  # parameters of the first address, by key, without the illegal ones
_ORDER = "_link_order"  # names of all parameters of the first address
_KNOWN = "_link_known"  # settings of the page, in this run
_CHECKED = "_link_checked"  # settings whose parameter was checked, when their control was made first
_DROPPED = "_link_dropped"  # illegal parameters that the notice does not list yet, with the reason
_IGNORED = "_link_ignored"  # entries of the notice by name in the link; None until the first run ends
_PAGE = "_link_page"
_ADDRESS = "_link_address"  # names of the parameters in the address after the last run
_TEXTS = "_link_texts"  # parameters of the settings that differ from their default
_SETTLED = "_link_settled"  # values in the last run of the whole page
_VISIT = "_link_visit"
_NAVIGATED = "_link_navigated"
_NOTICE = "_link_line"
_RUN = "_link_run"  # number of runs of the page
_BEFORE = "_link_before"  # parameters of the run before
_TEXTS_OF_RUN = "_link_texts_of_run"
_FRAME = "_link_frame"  # known settings and parameters of the frame, outside the page
_ALSO = "_link_also"  # names in the link that were read as other settings, by key
ASPECT = "{}_aspect"  # key of the resolution that was last typed
_LISTED = 8

FLAGS = ("true", "false")
FLAG_CHOICES = "true or false"

T = TypeVar("T")


# --- One run of a page ------------------------------------------------------------------------------------------------


def start(page: str) -> bool:
    """Read the parameters of the address, and return whether the visitor comes from another page.

    The frame calls this before any widget is made.
    """
    state = st.session_state
    arrived = carried.start(page, back=runs.is_navigation())
    left = bool(state.get(_PAGE, page) != page)
    if state.get(_PAGE) != page:
        # Only the address that opens the session is checked; later addresses are written by the widgets.
        first = _PAGE not in state
        if not first:
            local = state[_KNOWN] - EVERYWHERE
            visits.leave(state[_PAGE], page, {key: state[_TEXTS].get(key, "") for key in local}, _names(local),
                         state.get(_ADDRESS, set()))  # fmt: skip
        state[_PAGE] = page
        state[_VISIT] = state.get(_VISIT, 0) + 1
        state[_QUERY] = {key: st.query_params.get_all(key) for key in st.query_params} if first else {}
        state[_ORDER] = list(state[_QUERY])
        state[_IGNORED] = None
        state[_CHECKED], state[_DROPPED], state[_ALSO] = set(), {}, {}
    elif arrived:
        # Another step of a lesson on the same page: `held` reads the new address.
        state[_VISIT] += 1
        state[_TEXTS_OF_RUN] = {}
    state[_KNOWN] = set()
    state[_TEXTS] = {}
    state.setdefault(_RUN, 0)
    state.pop(_FRAME, None)
    if runs.is_navigation():
        # Noted at once: the next run may interrupt this one before it reads the address.
        state[_NAVIGATED] = True
    return left


def begin() -> None:
    """Begin a run of the page, with the settings of the frame as known ones."""
    state = st.session_state
    state[_RUN] += 1
    state[_BEFORE] = state.get(_TEXTS_OF_RUN, {})
    known, texts = state.setdefault(_FRAME, (state[_KNOWN], state[_TEXTS]))
    state[_KNOWN], state[_TEXTS] = set(known), dict(texts)
    state[_SETTLED] = {}


def finish() -> None:
    """Check the link, once all widgets of the page are made, and show a notice if parameters are ignored."""
    state = st.session_state
    state[_SETTLED] = {name: state[name] for name in _names(state[_KNOWN]) if name in state}
    state[_TEXTS_OF_RUN] = state[_TEXTS]
    state[_ADDRESS] = {*st.query_params, *state[_TEXTS]}
    if state[_IGNORED] is None:
        state[_IGNORED] = _unknown()
    if state[_DROPPED]:
        state[_IGNORED] |= {state[_ALSO].get(key, key): entry for key, entry in state[_DROPPED].items()}
        state[_DROPPED] = {}
        # The widgets are bound from the next run on, so that the browser writes the next change to the address.
        st.rerun()
    if state[_IGNORED]:
        entries = [state[_IGNORED][name] for name in state[_ORDER] if name in state[_IGNORED]]
        listed = "; ".join(entries[:_LISTED])
        more = len(state[_IGNORED]) - _LISTED
        tail = f"; and {more} more" if more > 0 else ""
        with state[_NOTICE]:
            st.html(f'<p class="ignored">{html.escape(f"Ignored in the link: {listed}{tail}.")}</p>')


def _unknown() -> dict[str, str]:
    """Return the parameters that are no setting of this page, and remove them from the address."""
    state = st.session_state
    unknown = [key for key in state[_QUERY] if key not in state[_KNOWN]]
    for key in unknown:
        if key in st.query_params:
            del st.query_params[key]
    return {key: f"{shortened(key)} (no such setting here)" for key in unknown}


def line() -> None:
    """Reserve the place of the notice, under the title."""
    st.session_state[_NOTICE] = st.container()


def idle(*keys: str) -> None:
    """Declare settings whose controls are hidden at the moment: a link may contain them, and they keep their value."""
    state = st.session_state
    state[_KNOWN].update(keys)
    for name in _names(keys):
        if name in state:
            # Streamlit forgets the value of a widget that is not shown, but not a value that was set.
            state[name] = state[name]
    for key in keys:
        if key in state and key in state[_BEFORE]:
            state[_TEXTS][key] = state[_BEFORE][key]
            _write(key, state[_TEXTS][key])


def _write(key: str, text: str) -> None:
    """Write a parameter to the address whose control was shown in the run before and is hidden in this one.

    Streamlit removes the parameter of such a widget at the end of the run, unless the two are separated before.
    """
    runs.release([key])
    if st.query_params.get(key) != text:
        st.query_params[key] = text


def reset(values: Mapping[str, Any]) -> None:
    """Set settings to their defaults from a callback; one whose control is not shown leaves the address."""
    state = st.session_state
    for key, value in values.items():
        if key in state:
            # Values are set, not dropped: the browser would send a dropped one again.
            state[key] = value
            # Otherwise `idle` writes the former value of a hidden control to the address.
            state.get(_TEXTS_OF_RUN, {}).pop(key, None)
        else:
            state[_QUERY].pop(key, None)
            st.query_params.pop(key, None)


def assign(key: str, value: str, *, opens: bool = False) -> None:
    """Set a text setting from a callback, whether its control is shown or not.

    With `opens`, the control is hidden and this run shows it: the browser writes changes to the address, but not the
    initial value of a control.
    """
    state = st.session_state
    if opens:
        _write(key, value)
    state[key] = value
    # If the control is hidden, `idle` writes this to the address.
    state.setdefault(_TEXTS_OF_RUN, {})[key] = value


def put_text(key: str, value: str, text: str) -> None:
    """Write an option to the address, before its control is made: the default of the control has changed."""
    _write(key, text)
    st.session_state[key] = value


def put_number(key: str, value: float) -> None:
    """Set the input of a number from a callback; its slider follows."""
    st.session_state[key] = value


def is_linked(keys: Iterable[str]) -> bool:
    """Return whether the link that opened this page contains one of these settings."""
    state = st.session_state
    return any(key in state[_QUERY] for key in keys)


def wait() -> None:
    """Keep the parameters of the page in the address while its controls are not drawn."""
    for key in set(st.query_params) - EVERYWHERE:
        st.session_state[_KNOWN].add(key)
        _write(key, str(st.query_params[key]))


def preset(key: str, text: str) -> None:
    """Set a text setting that the link leaves open, before its control is made for the first time."""
    state = st.session_state
    if key not in state and key not in state[_QUERY]:
        state[key] = text
        # The browser writes changes of a widget to the address, not its initial value.
        st.query_params[key] = text


def renamed(old: str, key: str, texts: Iterable[str]) -> None:
    """Read a text setting also under its former key, if the link that opened this page has one of these texts."""
    values = st.session_state[_QUERY].get(old, [])
    if len(values) == 1 and values[0] in texts:
        idle(old)
        preset(key, values[0])
        if old in st.query_params:
            del st.query_params[old]


def also(key: str, *names: str, read: Callable[[str], str] = str) -> None:
    """Read a setting also under other names, if the link that opened this page has no parameter of its key.

    Call this before the control is made. `read` converts the text of the other setting.
    """
    state, query = st.session_state, st.session_state[_QUERY]
    name = next((name for name in names if name in query), None)
    if state[_IGNORED] is not None or key in query or name is None:
        return
    state[_ALSO][key] = name
    # In its place: the notice has the order of the link.
    state[_QUERY] = {key if each == name else each: texts for each, texts in query.items()}
    _put(key, [read(text) for text in query[name]])
    if name in st.query_params:
        del st.query_params[name]


def rewrite(key: str, read: Callable[[str], str]) -> None:
    """Replace the parameter of a setting before its control reads it, if `read` returns another text."""
    state = st.session_state
    texts = state[_QUERY].get(key, [])
    if state[_IGNORED] is None and len(texts) == 1 and (text := read(texts[0])) != texts[0]:
        _put(key, [text])


def spell_out(key: str, further: Mapping[str, tuple[str, float]], factor: str) -> None:
    """Replace a further name in the link that opened this page by the option and the multiplier that it stands for.

    A multiplier in the link has priority. Call this before the controls `key` and `factor` are made.
    """
    state = st.session_state
    texts = state[_QUERY].get(key, [])
    if state[_IGNORED] is None and len(texts) == 1 and texts[0] in further:
        name, multiplier = further[texts[0]]
        _put(key, [name])
        if factor not in state[_QUERY]:
            _put(factor, [f"{multiplier:g}"])


def _put(key: str, texts: list[str]) -> None:
    """Replace a parameter of the link that opened this page, before its widget reads it."""
    st.session_state[_QUERY][key] = texts
    st.query_params[key] = texts
    with get_session_state().query_params() as params:
        params.set_initial_query_params_from_current()


def upcoming(key: str, names: Mapping[str, str], default: str) -> str:
    """Return the name of the option that a switch will have, before it is made.

    Args:
        key: of the switch.
        names: of the options; the address contains a name.
        default: an option.
    """
    state = st.session_state
    if key in state and not runs.is_navigation():
        return names[state[key]]
    text = st.query_params.get(key, "")
    return text if text in names.values() else names[default]


def run_number() -> int:
    """Return the number of this run of the page in the session."""
    return int(st.session_state[_RUN])


def current_page() -> str:
    """Return the address of the page that is being drawn."""
    return str(st.session_state.get(_PAGE, ""))


def visit() -> int:
    """Return the number of this visit to a page; it changes when the visitor comes from another page."""
    return int(st.session_state[_VISIT])


def take_navigation() -> bool:
    """Return whether the browser's back or forward button caused a run since the last call."""
    return bool(st.session_state.pop(_NAVIGATED, False))


def settle() -> None:
    """Reset every setting to its value in the last run of the whole page, in a polling fragment.

    A fragment's run reports the values of all widgets as the browser has them, and the browser may not have drawn the
    last run yet: the input beside a moved slider would change back. A visitor's change always causes a run of the
    whole page, so that changes in a fragment's run are never new.
    """
    state = st.session_state
    for name, value in state[_SETTLED].items():
        if state.get(name) != value:
            state[name] = value


# --- Parameters -------------------------------------------------------------------------------------------------------


def expect(key: str, legal: Callable[[str], bool], choices: str) -> None:
    """Declare a setting of this page, and drop its parameter if that is illegal.

    Streamlit itself would take the last of several values, round a fraction, or fail. The widget is bound from the next
    run on. The parameter is checked once, when the control is made first: a control of a hidden part is made later.
    """
    state = st.session_state
    state[_KNOWN].add(key)
    if key in state[_CHECKED]:
        return
    state[_CHECKED].add(key)
    values = state[_QUERY].get(key)
    if values and (len(values) != 1 or not legal(values[0])):
        del state[_QUERY][key]
        name = state[_ALSO].get(key, key)
        state[_DROPPED][key] = f"{shortened(name)} = {shortened(', '.join(values))} ({choices})"
        if key in st.query_params:
            del st.query_params[key]


def bound(key: str) -> dict[str, Any]:
    """Return key and binding of a widget; it is unbound while its illegal parameter is dropped."""
    bind: Literal["query-params"] | None = None if key in st.session_state[_DROPPED] else "query-params"
    return {"key": key, "bind": bind}


def taken(key: str, value: T | None, default: T, text: Callable[[T], str]) -> T:
    """Return the value of a widget, an empty one being the default, and note its parameter.

    The address omits defaults.
    """
    found = default if value is None else value
    if found != default:
        st.session_state[_TEXTS][key] = text(found)
    return found


def _names(keys: Iterable[str]) -> list[str]:
    """Return all names of the settings in the session state."""
    parts = ("{}", "{}_slider", "{}_followed", "{}_former", ASPECT)
    return [part.format(key) for key in keys for part in parts]


def shortened(text: str) -> str:
    """Cut a text for the notice, and join its lines."""
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:37]}..."
