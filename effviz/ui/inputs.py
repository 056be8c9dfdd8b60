"""Controls of the pages. Each is a widget of Streamlit, bound to the URL parameter of its key."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effviz.core.errors import if_legal
from effviz.core.text import with_letter
from effviz.ui import links, playing, runs, visits

_LONGEST = 200
# A browser draws a run in this time; a visitor needs longer to open a drop-down and to choose.
_DRAWING_S = 1.0

T = TypeVar("T")
N = TypeVar("N", int, float)


@contextmanager
def _control(key: str, read: Callable[[str], Any], default: Any) -> Iterator[dict[str, Any]]:
    """Yield the arguments of a control's widget: its key, its binding, and whether a lesson locks it.

    A lesson sets the control on arrival at a step, and as long as it is locked or hidden. The style sheet does not show
    the container of a hidden one.

    Args:
        key: of the control.
        read: returns the value of the control for a text of the address.
        default: value of the control.
    """
    locked, hidden = playing.direct(key, read, default)
    arguments = links.bound(key) | ({"disabled": True} if locked else {})
    if not hidden:
        yield arguments
        return
    with st.container(key=f"hidden_{key}"):
        yield arguments


def _with_letter(text: str) -> str:
    """Write factors in one way: links of earlier versions have ``x2`` for ``2×``, and ``1x1`` for ``1×1``."""
    return re.sub(r"^x ?([\d.]+)$", r"\1x", re.sub(r"(?<=\d) x", "x", with_letter(text)))


def _reader(options: Sequence[Any], names: Sequence[str]) -> Callable[[str], str]:
    """Return a function from a text of a link to the name of its option; a text that means none stays as it is."""

    def read(text: str) -> str:
        if text in names:
            return text
        written = [*zip(map(str, options), names, strict=True), *zip(names, names, strict=True)]
        known = {_with_letter(each): name for each, name in written} | dict(written)
        return known.get(text, known.get(_with_letter(text), text))

    return read


@playing.placed
def choice(
    label: str, options: Sequence[T], key: str, *, default: T, format_func: Callable[[Any], str] = str, **kwargs: Any
) -> T:
    """Show a drop-down. A link may contain the text of an option, or the option itself."""
    visits.carry(key, options, format_func)
    names = [format_func(option) for option in options]
    read = _reader(options, names)
    links.rewrite(key, read)
    links.expect(key, names.__contains__, f"choices: {links.shortened(', '.join(names))}")
    index = list(options).index(default)
    named = dict(zip(names, options, strict=True))
    with _control(key, lambda text: named[read(text)], default) as arguments:
        value: T | None = st.selectbox(label, options, index, format_func=format_func, **arguments, **kwargs)
    return links.taken(key, value, default, format_func)


@playing.placed
def switch(
    label: str,
    options: Sequence[str],
    key: str,
    *,
    default: str,
    format_func: Callable[[Any], str] = str,
    **kwargs: Any,
) -> str:
    """Show a segmented control of a few options, one of which is always selected."""
    names = [format_func(option) for option in options]
    read = _reader(options, names)
    links.rewrite(key, read)
    links.expect(key, names.__contains__, f"choices: {', '.join(names)}")
    named = dict(zip(names, options, strict=True))
    with _control(key, lambda text: named[read(text)], default) as arguments:
        value = st.segmented_control(
            label, options, default=default, required=True, format_func=format_func, **arguments, **kwargs
        )
    return links.taken(key, None if value is None else str(value), default, format_func)


def following(label: str, options: Sequence[str], key: str, *, default: str, **kwargs: Any) -> str:
    """Show a drop-down whose options and default follow other controls.

    It has the default until the visitor chooses another option, and again when the options lose that one: otherwise it
    would show a former default, which the link does not contain.
    """
    name, state, now = f"_default_{key}", st.session_state, (links.run_number(), time.monotonic())
    former, replaced, (run, at) = state.get(name, (None, None, (0, 0.0)))
    chosen = state.get(key)
    # The browser reports the option again that the last run has replaced, if a move is faster than its drawing.
    late = chosen == replaced and now[0] == run + 1 and now[1] - at < _DRAWING_S
    if chosen not in (None, default) and (chosen not in options or chosen == former or late):
        state[key], replaced, (run, at) = default, chosen, now
    state[name] = default, replaced, (run, at)
    return choice(label, options, key, default=default, **kwargs)


@playing.placed
def flag(label: str, key: str, *, default: bool = False, **kwargs: Any) -> bool:
    """Show a toggle."""
    links.expect(key, links.FLAGS.__contains__, links.FLAG_CHOICES)
    with _control(key, _flag_value, default) as arguments:
        value = bool(st.toggle(label, default, **arguments, **kwargs))
    return links.taken(key, value, default, _flag_text)


def _flag_text(value: bool) -> str:
    return str(value).lower()


def _flag_value(text: str) -> bool:
    return text == _flag_text(True)


def section(label: str, key: str, controls: Iterable[str] = (), **kwargs: Any) -> DeltaGenerator | None:
    """Show a part of the page that is closed by default, and return its container; None while it is closed.

    A link may contain the settings of `controls`, the keys inside, while the part is closed.
    """
    links.expect(key, links.FLAGS.__contains__, links.FLAG_CHOICES)
    playing.direct(key, _flag_value, False)
    box = st.expander(label, on_change="rerun", **links.bound(key), **kwargs)
    if box.open:
        links.taken(key, True, False, _flag_text)
        return box
    links.idle(*controls)
    return None


@playing.placed
def words(label: str, key: str, *, legal: Callable[[str], bool] | None = None, choices: str = "", **kwargs: Any) -> str:
    """Show a text input. A link's text that is not `legal` is dropped; the page checks the visitor's input."""
    if legal is None:
        links.expect(key, lambda text: len(text) <= _LONGEST, f"at most {_LONGEST} characters")
    else:
        links.expect(key, legal, choices)
    with _control(key, str, "") as arguments:
        value: str | None = st.text_input(label, max_chars=_LONGEST, **arguments, **kwargs)
    return links.taken(key, value or "", "", str)


@playing.placed
def integer(label: str, key: str, *, default: int, minimum: int, maximum: int, **kwargs: Any) -> int:
    """Show a number input for integers."""
    return _number_input(label, key, default, minimum, maximum, **kwargs)


@playing.placed
def decimal(label: str, key: str, *, default: float, minimum: float, maximum: float, **kwargs: Any) -> float:
    """Show a number input."""
    return _number_input(label, key, default, minimum, maximum, **kwargs)


def _number_input(label: str, key: str, default: N, minimum: N, maximum: N, **kwargs: Any) -> N:
    def legal(text: str) -> bool:
        try:
            value = float(text)
        except ValueError:
            return False
        return minimum <= value <= maximum and (isinstance(default, float) or value.is_integer())

    links.expect(key, legal, f"{minimum:g} to {maximum:g}")
    with _control(key, lambda text: type(default)(float(text)), default) as arguments:
        value = st.number_input(label, minimum, maximum, default, **arguments, **kwargs)
    return links.taken(key, None if value is None else type(default)(value), default, str)


@playing.placed
def amount(
    label: str, key: str, *, default: N, minimum: N, maximum: N, step: N, usual: tuple[N, N], help: str | None = None
) -> N:
    """Show a slider over the usual range, and a number input for the rest.

    The input has the value and is bound to the link; the slider follows it and writes to it.
    """
    with st.container(key=f"amount_{key}", horizontal=True, vertical_alignment="bottom", gap="small"):
        # The value of the input is known first; the style sheet shows the slider in front of it.
        form = "%d" if isinstance(default, int) else "%.2f"
        value = _number_input(
            label, key, default, minimum, maximum, step=step, format=form, label_visibility="collapsed", width=76
        )
        slider_beside(label, key, value, usual, step, help, lambda moved: moved)
    return value


def slider_beside(
    label: str,
    key: str,
    value: N,
    usual: tuple[N, N],
    step: N,
    help: str | None,
    written: Callable[[N], object],
) -> None:
    """Show a slider that follows the input of a setting, and writes to it.

    Args:
        label, step, help: of the slider.
        key: of the input.
        value: of the input.
        usual: ends of the slider.
        written: returns the value of the input for a value of the slider.
    """
    low, high = usual
    shown = min(max(value, low), high)

    def draw(**arguments: Any) -> None:
        st.slider(label, low, high, shown, step, help=help, **arguments)

    _follower(key, shown, draw, written)


@dataclass
class SliderNote:
    """Notes of a slider that follows an input.

    Attributes:
        followed: value of the slider for that of the input.
        former: value of the slider before it followed, and the run in which it did.
        aspect: the resolution that was last typed, for the slider of a rectangle.
    """

    followed: Any = None
    former: tuple[Any, int] | None = None
    aspect: str = ""


def _follower(key: str, shown: T, draw: Callable[..., None], written: Callable[[T], object]) -> None:
    """Show a slider of any kind that follows the input of a setting, and writes to it.

    Args:
        key: of the input.
        shown: value of the slider for that of the input.
        draw: shows the slider, with the arguments for its widget.
        written: returns the value of the input for a value of the slider.
    """
    slider, state = f"{key}_slider", st.session_state
    note = links.notes().setdefault(key, SliderNote())
    if slider in state and note.followed != shown:
        # Only where it has to follow: a slider that is set is redrawn, and the next move of the visitor would be lost.
        note.former = state[slider], links.run_number()
        state[slider] = shown
    elif note.former is not None and note.former[1] < links.run_number():
        note.former = None
    note.followed = shown

    def move() -> None:
        if runs.is_poll() or runs.is_navigation():
            return
        if note.former is not None and note.former[0] == state[slider]:
            # No move: the browser has not drawn the run in which the slider followed.
            state[slider], note.former = note.followed, (state[slider], links.run_number() + 1)
        else:
            note.followed = state[slider]
            state[key] = written(state[slider])

    locked, hidden = playing.held(key)
    with st.container(key=f"hidden_{slider}") if hidden else nullcontext():
        draw(key=slider, on_change=move, disabled=locked)


@playing.placed
def text_amount(
    label: str, key: str, *, default: str, options: Sequence[str], canonical: Callable[[str], str],
    nearest: Callable[[str], str], choices: str, help: str | None = None,
) -> str:  # fmt: skip
    """Show a slider over usual amounts, which are texts, and a text input, which accepts any other.

    Args:
        label, help: of the slider.
        key: of the input.
        default: value at first, one of `options`.
        options: of the slider.
        canonical: returns the text of an amount in its usual form; raises `DesignError` for an illegal one.
        nearest: returns the option that the slider shows for an amount.
        choices: the legal amounts, in messages.
    """

    def legal(text: str) -> bool:
        return if_legal(lambda: canonical(text)) is not None

    state, refused = st.session_state, f"{key}_refused"
    links.rewrite(key, lambda text: canonical(text) if legal(text) else text)
    links.expect(key, legal, choices)
    latest = str(state.get(key, st.query_params.get(key, default)))

    def typed() -> None:
        if runs.is_poll():
            return
        text = state[key] or default
        state[refused] = "" if legal(text) else text
        state[key] = canonical(text) if legal(text) else latest

    with st.container(key=f"amount_{key}", horizontal=True, vertical_alignment="bottom", gap="small"):
        with _control(key, str, default) as arguments:
            text = st.text_input(
                label, default, on_change=typed, label_visibility="collapsed", width=86, **arguments
            )  # fmt: skip
        value = links.taken(key, canonical(text) if text and legal(text) else default, default, str)

        def draw(**arguments: Any) -> None:
            st.select_slider(label, options, nearest(value), help=help, **arguments)

        _follower(key, nearest(value), draw, str)
    if problem := state.pop(refused, ""):
        st.caption(f"{links.shortened(problem)} is not legal here: {choices}.")
    return value
