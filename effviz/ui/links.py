"""The state of a page in its address, and a notice that lists ignored parameters.

Every control (`effviz.ui.inputs`) binds its value to the URL parameter of its key, so that the address always restores
the page. Streamlit drops illegal values without a message. Here the parameters are read before the widgets are made,
checked against the widgets' legal values, and the ignored ones are listed.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar
from weakref import WeakKeyDictionary

import streamlit as st
from streamlit.runtime.state import SafeSessionState, get_session_state

from effviz.ui import carried, runs, visits
from effviz.ui.visits import EVERYWHERE

_STATE = "_link"
"""Key of one dictionary in the session state, where a look-up by Streamlit takes longer."""
# Keys of this dictionary. A "setting" is a control's value with its key.
_QUERY = "query"  # parameters of the first address, by key, without the illegal ones
_ORDER = "order"  # names of all parameters of the first address
_KNOWN = "known"  # settings of the page, in this run
_CHECKED = "checked"  # settings whose parameter was checked, when their control was made first
_DROPPED = "dropped"  # illegal parameters that the notice does not list yet, with the reason
_IGNORED = "ignored"  # entries of the notice by name in the link; None until the first run ends
_PAGE = "page"
_ADDRESS = "address"  # names of the parameters in the address after the last run
_TEXTS = "texts"  # parameters of the settings that differ from their default
_SETTLED = "settled"  # values in the last run of the whole page
_VISIT = "visit"
_NAVIGATED = "navigated"
_NOTICE = "line"
_RUN = "run"  # number of runs of the page
_BEFORE = "before"  # parameters of the run before
_TEXTS_OF_RUN = "texts_of_run"  # of the last run that was complete
_KNOWN_OF_RUN = "known_of_run"
_FRAME = "frame"  # known settings and parameters of the frame, outside the page
_ALSO = "also"  # names in the link that were read as other settings, by key
_NOTES = "notes"  # see `notes`
_LISTED = 8
_sessions: WeakKeyDictionary[SafeSessionState, dict[str, Any]] = WeakKeyDictionary()

FLAGS = ("true", "false")
FLAG_CHOICES = "true or false"

T = TypeVar("T")


def _own() -> dict[str, Any]:
    """Return the state of the link in this session."""
    session = get_session_state()
    found = _sessions.get(session)
    if found is None:
        found = _sessions[session] = st.session_state.setdefault(_STATE, {})
    return found


# --- One run of a page ------------------------------------------------------------------------------------------------


def start(page: str) -> bool:
    """Read the parameters of the address, and return whether the visitor comes from another page.

    The frame calls this before any widget is made.
    """
    own = _own()
    arrived = carried.start(page, back=runs.is_navigation())
    left = bool(own.get(_PAGE, page) != page)
    if own.get(_PAGE) != page:
        # Only the address that opens the session is checked; later addresses are written by the widgets.
        first = _PAGE not in own
        if not first:
            # Of the last run that was complete: a later one may have been stopped by the way to this page.
            local = own[_KNOWN_OF_RUN] - EVERYWHERE
            visits.leave(own[_PAGE], page, {key: own[_TEXTS_OF_RUN].get(key, "") for key in local},
                         _names(local | own[_KNOWN] - EVERYWHERE), own.get(_ADDRESS, set()),
                         complete=own[_IGNORED] is not None)  # fmt: skip
        own[_PAGE] = page
        own[_NOTES] = {}
        own[_KNOWN_OF_RUN] = set()
        own[_VISIT] = own.get(_VISIT, 0) + 1
        own[_QUERY] = {key: st.query_params.get_all(key) for key in st.query_params} if first else {}
        own[_ORDER] = list(own[_QUERY])
        own[_IGNORED] = None
        own[_CHECKED], own[_DROPPED], own[_ALSO] = set(), {}, {}
    elif arrived:
        # Another step of a lesson on the same page: `held` reads the new address.
        own[_VISIT] += 1
        own[_TEXTS_OF_RUN] = {}
    own[_KNOWN] = set()
    own[_TEXTS] = {}
    own.setdefault(_RUN, 0)
    own.pop(_FRAME, None)
    if runs.is_navigation():
        # Noted at once: the next run may interrupt this one before it reads the address.
        own[_NAVIGATED] = True
    return left


def begin() -> None:
    """Begin a run of the page, with the settings of the frame as known ones."""
    own = _own()
    own[_RUN] += 1
    own[_BEFORE] = own.get(_TEXTS_OF_RUN, {})
    known, texts = own.setdefault(_FRAME, (own[_KNOWN], own[_TEXTS]))
    own[_KNOWN], own[_TEXTS] = set(known), dict(texts)
    own[_SETTLED] = {}


def finish() -> None:
    """Check the link, once all widgets of the page are made, and show a notice if parameters are ignored."""
    state, own = st.session_state, _own()
    own[_SETTLED] = {name: state[name] for name in _names(own[_KNOWN]) if name in state}
    own[_KNOWN_OF_RUN], own[_TEXTS_OF_RUN] = own[_KNOWN], own[_TEXTS]
    own[_ADDRESS] = {*st.query_params, *own[_TEXTS]}
    if own[_IGNORED] is None:
        own[_IGNORED] = _unknown()
    if own[_DROPPED]:
        own[_IGNORED] |= {own[_ALSO].get(key, key): entry for key, entry in own[_DROPPED].items()}
        own[_DROPPED] = {}
        # The widgets are bound from the next run on, so that the browser writes the next change to the address.
        st.rerun()
    if own[_IGNORED]:
        entries = [own[_IGNORED][name] for name in own[_ORDER] if name in own[_IGNORED]]
        listed = "; ".join(entries[:_LISTED])
        more = len(own[_IGNORED]) - _LISTED
        tail = f"; and {more} more" if more > 0 else ""
        with own[_NOTICE]:
            st.html(f'<p class="ignored">{html.escape(f"Ignored in the link: {listed}{tail}.")}</p>')


def _unknown() -> dict[str, str]:
    """Return the parameters that are no setting of this page, and remove them from the address."""
    own = _own()
    unknown = [key for key in own[_QUERY] if key not in own[_KNOWN]]
    for key in unknown:
        if key in st.query_params:
            del st.query_params[key]
    return {key: f"{shortened(key)} (no such setting here)" for key in unknown}


def line() -> None:
    """Reserve the place of the notice, under the title."""
    _own()[_NOTICE] = st.container()


def idle(*keys: str) -> None:
    """Declare settings whose controls are hidden at the moment: a link may contain them, and they keep their value."""
    state, own = st.session_state, _own()
    own[_KNOWN].update(keys)
    for name in _names(keys):
        if name in state:
            # Streamlit forgets the value of a widget that is not shown, but not a value that was set.
            state[name] = state[name]
    for key in keys:
        if key in state and key in own[_BEFORE]:
            own[_TEXTS][key] = own[_BEFORE][key]
            _write(key, own[_TEXTS][key])


def _write(key: str, text: str) -> None:
    """Write a parameter to the address whose control was shown in the run before and is hidden in this one.

    Streamlit removes the parameter of such a widget at the end of the run, unless the two are separated before.
    """
    runs.release([key])
    if st.query_params.get(key) != text:
        st.query_params[key] = text


def reset(values: Mapping[str, Any]) -> None:
    """Set settings to their defaults from a callback; one whose control is not shown leaves the address."""
    state, own = st.session_state, _own()
    for key, value in values.items():
        if key in state:
            # Values are set, not dropped: the browser would send a dropped one again.
            state[key] = value
            # Otherwise `idle` writes the former value of a hidden control to the address.
            own.get(_TEXTS_OF_RUN, {}).pop(key, None)
        else:
            own[_QUERY].pop(key, None)
            st.query_params.pop(key, None)


def assign(key: str, value: str, *, opens: bool = False) -> None:
    """Set a text setting from a callback, whether its control is shown or not.

    With `opens`, the control is hidden and this run shows it: the browser writes changes to the address, but not the
    initial value of a control.
    """
    state, own = st.session_state, _own()
    if opens:
        _write(key, value)
    state[key] = value
    # If the control is hidden, `idle` writes this to the address.
    own.setdefault(_TEXTS_OF_RUN, {})[key] = value


def put_text(key: str, value: str, text: str) -> None:
    """Write an option to the address, before its control is made: the default of the control has changed."""
    _write(key, text)
    st.session_state[key] = value


def put_number(key: str, value: float) -> None:
    """Set the input of a number from a callback; its slider follows."""
    st.session_state[key] = value


def is_linked(keys: Iterable[str]) -> bool:
    """Return whether the link that opened this page contains one of these settings."""
    own = _own()
    return any(key in own[_QUERY] for key in keys)


def wait() -> None:
    """Keep the parameters of the page in the address while its controls are not drawn."""
    for key in set(st.query_params) - EVERYWHERE:
        _own()[_KNOWN].add(key)
        _write(key, str(st.query_params[key]))


def preset(key: str, text: str) -> None:
    """Set a text setting that the link leaves open, before its control is made for the first time."""
    state, own = st.session_state, _own()
    if key not in state and key not in own[_QUERY]:
        state[key] = text
        # The browser writes changes of a widget to the address, not its initial value.
        st.query_params[key] = text


def renamed(old: str, key: str, texts: Iterable[str]) -> None:
    """Read a text setting also under its former key, if the link that opened this page has one of these texts."""
    values = _own()[_QUERY].get(old, [])
    if len(values) == 1 and values[0] in texts:
        idle(old)
        preset(key, values[0])
        if old in st.query_params:
            del st.query_params[old]


def also(key: str, *names: str, read: Callable[[str], str] = str) -> None:
    """Read a setting also under other names, if the link that opened this page has no parameter of its key.

    Call this before the control is made. `read` converts the text of the other setting.
    """
    own = _own()
    query = own[_QUERY]
    name = next((name for name in names if name in query), None)
    if own[_IGNORED] is not None or key in query or name is None:
        return
    own[_ALSO][key] = name
    # In its place: the notice has the order of the link.
    own[_QUERY] = {key if each == name else each: texts for each, texts in query.items()}
    _put(key, [read(text) for text in query[name]])
    if name in st.query_params:
        del st.query_params[name]


def rewrite(key: str, read: Callable[[str], str]) -> None:
    """Replace the parameter of a setting before its control reads it, if `read` returns another text."""
    own = _own()
    texts = own[_QUERY].get(key, [])
    if own[_IGNORED] is None and len(texts) == 1 and (text := read(texts[0])) != texts[0]:
        _put(key, [text])


def spell_out(key: str, further: Mapping[str, tuple[str, float]], factor: str) -> None:
    """Replace a further name in the link that opened this page by the option and the multiplier that it stands for.

    A multiplier in the link has priority. Call this before the controls `key` and `factor` are made.
    """
    own = _own()
    texts = own[_QUERY].get(key, [])
    if own[_IGNORED] is None and len(texts) == 1 and texts[0] in further:
        name, multiplier = further[texts[0]]
        _put(key, [name])
        if factor not in own[_QUERY]:
            _put(factor, [f"{multiplier:g}"])


def _put(key: str, texts: list[str]) -> None:
    """Replace a parameter of the link that opened this page, before its widget reads it."""
    _own()[_QUERY][key] = texts
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


def notes() -> dict[str, Any]:
    """Return what controls remember about themselves, by their key, until the visitor leaves the page."""
    found: dict[str, Any] = _own().setdefault(_NOTES, {})
    return found


def run_number() -> int:
    """Return the number of this run of the page in the session."""
    return int(_own()[_RUN])


def current_page() -> str:
    """Return the address of the page that is being drawn."""
    return str(_own().get(_PAGE, ""))


def visit() -> int:
    """Return the number of this visit to a page; it changes when the visitor comes from another page."""
    return int(_own()[_VISIT])


def take_navigation() -> bool:
    """Return whether the browser's back or forward button caused a run since the last call."""
    return bool(_own().pop(_NAVIGATED, False))


def settle() -> None:
    """Reset every setting to its value in the last run of the whole page, in a polling fragment.

    A fragment's run reports the values of all widgets as the browser has them, and the browser may not have drawn the
    last run yet: the input beside a moved slider would change back. A visitor's change always causes a run of the
    whole page, so that changes in a fragment's run are never new.
    """
    state, own = st.session_state, _own()
    for name, value in own[_SETTLED].items():
        if state.get(name) != value:
            state[name] = value


# --- Parameters -------------------------------------------------------------------------------------------------------


def expect(key: str, legal: Callable[[str], bool], choices: str) -> None:
    """Declare a setting of this page, and drop its parameter if that is illegal.

    Streamlit itself would take the last of several values, round a fraction, or fail. The widget is bound from the next
    run on. The parameter is checked once, when the control is made first: a control of a hidden part is made later.
    """
    own = _own()
    own[_KNOWN].add(key)
    if key in own[_CHECKED]:
        return
    own[_CHECKED].add(key)
    values = own[_QUERY].get(key)
    if values and (len(values) != 1 or not legal(values[0])):
        del own[_QUERY][key]
        name = own[_ALSO].get(key, key)
        own[_DROPPED][key] = f"{shortened(name)} = {shortened(', '.join(values))} ({choices})"
        if key in st.query_params:
            del st.query_params[key]


def bound(key: str) -> dict[str, Any]:
    """Return key and binding of a widget; it is unbound while its illegal parameter is dropped."""
    bind: Literal["query-params"] | None = None if key in _own()[_DROPPED] else "query-params"
    return {"key": key, "bind": bind}


def taken(key: str, value: T | None, default: T, text: Callable[[T], str]) -> T:
    """Return the value of a widget, an empty one being the default, and note its parameter.

    The address omits defaults.
    """
    found = default if value is None else value
    if found != default:
        _own()[_TEXTS][key] = text(found)
    return found


def _names(keys: Iterable[str]) -> list[str]:
    """Return all names of the settings in the session state: those of their inputs and sliders."""
    sliders = notes()
    return [name for key in keys for name in ((key, f"{key}_slider") if key in sliders else (key,))]


def shortened(text: str) -> str:
    """Cut a text for the notice, and join its lines."""
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:37]}..."
