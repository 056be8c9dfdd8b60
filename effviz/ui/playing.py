"""The lesson that the address names: its step, the visitor's answers, and the controls that the step sets or locks."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import streamlit as st
from streamlit.runtime.state import get_session_state

from effviz.lessons.lesson import ORDER, Lesson, Step, lesson
from effviz.lessons.rooms import read_code
from effviz.ui import carried, links, visits

P = ParamSpec("P")
T = TypeVar("T")

STORAGE = "lessons"
"""Name under which the browser stores the answers."""
USED = "_lesson_used"
"""Key of the place of the controls that the step needs; None without one in this run."""
_ANSWERS = "_lesson_answers"
_ARRIVALS = "_lesson_arrivals"  # number of the arrival for which a control was set, by key
_MOST_DIGITS = 1e15


@dataclass(frozen=True)
class Play:
    """A step of a lesson.

    Attributes:
        lesson: that is played.
        number: of the step, from 1.
    """

    lesson: Lesson
    number: int

    @property
    def step(self) -> Step:
        """The step."""
        return self.lesson.steps[self.number - 1]

    @property
    def is_here(self) -> bool:
        """Whether the step is played on the page that is being drawn."""
        return self.step.page == links.current_page()


def now() -> Play | None:
    """Return the step of the address; None without a lesson."""
    texts = carried.texts()
    name, step = texts.get("lesson", ""), texts.get("step", "1")
    if name not in ORDER:
        return None
    chosen = lesson(name)
    return Play(chosen, int(step) if is_step(chosen, step) else 1)


def is_step(chosen: Lesson, text: str) -> bool:
    """Whether a text of the address is the number of a step."""
    return text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= len(chosen.steps)


def address(chosen: Lesson, number: int) -> dict[str, str]:
    """Return the parameters of a link to a step, without those of a room.

    The browser adds the settings of all pages to a link, such as the convention, so that the link must not have them.
    """
    state = {key: text for key, text in (chosen.steps[number - 1].state or {}).items() if key not in visits.EVERYWHERE}
    return {"lesson": chosen.name, "step": str(number)} | state


def following(play: Play, number: int) -> dict[str, str]:
    """Return the parameters of a link from a step to another one of the lesson, which may keep what was built."""
    room = carried.texts().get("room", "")
    return address(play.lesson, number) | kept(play.lesson.steps[number - 1]) | ({"room": room} if room else {})


def kept(target: Step) -> dict[str, str]:
    """Return the settings of this page that a step keeps."""
    if not target.keeps or target.page != links.current_page():
        return {}
    return {key: str(st.query_params[key]) for key in st.query_params if key not in visits.EVERYWHERE}


# --- Answers ----------------------------------------------------------------------------------------------------------


def answers(name: str) -> dict[str, dict[str, Any]]:
    """Return the visitor's answers to a lesson by the name of the step: its `guess`, and `met` for a goal."""
    found: dict[str, dict[str, Any]] = st.session_state.setdefault(_ANSWERS, {}).setdefault(name, {})
    return found


def answer(chosen: Lesson, step: Step, **entries: Any) -> None:
    """Note an answer, with the classroom of the address in which it was given."""
    room = carried.texts().get("room", "")
    answers(chosen.name).setdefault(step.name, {}).update(entries | ({"room": room} if room else {}))


def keep_of(name: str, room: str) -> None:
    """Delete the answers to a lesson that were not given in a classroom, such as those of an earlier visitor."""
    own = answers(name)
    for key in [key for key, entry in own.items() if entry.get("room") != room]:
        del own[key]


def forget(name: str) -> None:
    """Delete the answers to a lesson."""
    answers(name).clear()


def is_answered(chosen: Lesson, step: Step) -> bool:
    """Whether the visitor has answered the question of a step."""
    return "guess" in answers(chosen.name).get(step.name, {})


def is_done(chosen: Lesson, step: Step) -> bool:
    """Whether the visitor has answered the question of a step; one without a question is always done."""
    return step.prediction is None or is_answered(chosen, step)


def every_answer() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the answers to all lessons, for the browser's storage."""
    return {name: entry for name, entry in st.session_state.get(_ANSWERS, {}).items() if entry}


def restore(stored: Mapping[str, Any]) -> None:
    """Take answers of the browser's storage that this session does not have. Illegal ones are dropped."""
    for name in ORDER:
        entries = stored.get(name)
        if not isinstance(entries, dict):
            continue
        own, steps = answers(name), {step.name: step for step in lesson(name).steps}
        for key, entry in entries.items():
            if key in steps and key not in own and isinstance(entry, dict) and (legal := _legal(steps[key], entry)):
                own[key] = legal


def _legal(step: Step, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the legal parts of a stored answer."""
    legal: dict[str, Any] = {"met": True} if entry.get("met") is True and step.goal else {}
    guess = entry.get("guess")
    if (
        step.prediction is not None
        and isinstance(guess, (int, float))
        and not isinstance(guess, bool)
        and is_guess(step, guess)
    ):
        legal["guess"] = guess
    room = entry.get("room")
    if legal and isinstance(room, str) and read_code(room) == room != "":
        legal["room"] = room
    return legal


def is_guess(step: Step, guess: float) -> bool:
    """Whether a number can be an answer: the index of a choice, or a finite number."""
    if step.prediction is None or not math.isfinite(guess) or abs(guess) > _MOST_DIGITS:
        return False
    choices = step.prediction.choices
    return not choices or guess in range(len(choices))


# --- Controls ---------------------------------------------------------------------------------------------------------


def held(key: str) -> tuple[bool, bool]:
    """Return whether the step disables a control, and whether it hides it."""
    play = now()
    if play is None or not play.is_here:
        return False, False
    hidden = key in play.step.hide
    return hidden or key in play.step.lock, hidden


def conceals(key: str) -> bool:
    """Whether the step does not show a chart, which has the answer of a later step."""
    play = now()
    return play is not None and play.is_here and key in play.step.conceal


def beside(key: str) -> AbstractContextManager[Any]:
    """Return the place above the numbers of the page, if the step needs the control there; otherwise do nothing."""
    play = now()
    place = st.session_state.get(USED)
    return place if place is not None and play is not None and play.is_here and key in play.step.use else nullcontext()


def placed(show: Callable[P, T]) -> Callable[P, T]:
    """Show a control above the numbers of the page where the step of a lesson needs it, instead of in the sidebar."""
    place = list(inspect.signature(show).parameters).index("key")

    @wraps(show)
    def placed(*args: P.args, **kwargs: P.kwargs) -> T:
        with beside(str(args[place] if len(args) > place else kwargs["key"])):
            return show(*args, **kwargs)

    return placed


def planned(key: str) -> str:
    """Return the text to which the step will set a control in this run, before it is made; empty if it does not."""
    play = now()
    if play is None or not play.is_here or not play.step.state:
        return ""
    arrived = st.session_state.get(_ARRIVALS, {}).get(key) != carried.arrival()
    return play.step.state.get(key, "") if arrived or held(key)[0] else ""


def resets(key: str) -> bool:
    """Return whether the step sets a control to its default in this run, before it is made."""
    play = now()
    if play is None or not play.is_here or play.step.state is None:
        return False
    arrived = st.session_state.get(_ARRIVALS, {}).get(key) != carried.arrival()
    return arrived and key not in play.step.state and key not in st.query_params


def direct(key: str, read: Callable[[str], Any], default: Any) -> tuple[bool, bool]:
    """Set a control to the state of the step, before its widget is made; return the same as `held`.

    On arrival at the step, the address takes precedence over the state of the step: a visitor who reloads the page
    keeps what was set. A disabled or hidden control always has the value of the step. A step without a state keeps what
    the address has.
    """
    play = now()
    if play is None or not play.is_here:
        return False, False
    locked, hidden = held(key)
    state = play.step.state
    arrivals = st.session_state.setdefault(_ARRIVALS, {})
    arrived = arrivals.get(key) != carried.arrival()
    arrivals[key] = carried.arrival()
    planned = None if state is None else state.get(key)
    is_fixed = (locked and state is not None) or (key in visits.EVERYWHERE and planned is not None)
    text = planned if is_fixed else st.query_params.get(key, planned)
    if (locked or arrived) and (text is not None or (state is not None and key not in visits.EVERYWHERE)):
        _set(key, default if text is None else _read(read, text, default), text)
    return locked, hidden


def _read(read: Callable[[str], Any], text: str, default: Any) -> Any:
    try:
        return read(text)
    except (ValueError, KeyError, OverflowError):
        # The notice of the link lists an illegal text.
        return default


def _set(key: str, value: Any, text: str | None) -> None:
    state = st.session_state
    if key not in state or state[key] != value:
        state[key] = value
        _show_text(key, text)


def _show_text(key: str, text: str | None) -> None:
    """Write the parameter of a control that was set before it is made: the browser writes changes of a widget only."""
    with get_session_state().query_params() as params:
        if text is None or params.is_bound(key) or st.query_params.get(key) == text:
            return
        st.query_params[key] = text
        # Otherwise the widget would take the value with which the page was opened.
        params.set_initial_query_params_from_current()
