"""A student's line about the classroom above the step, and the watch that follows the teacher."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st

from effviz.charts.classroom import LARGE, choice_bars, number_histogram
from effviz.charts.style import Chart, appearance
from effviz.core.text import html_text
from effviz.lessons.prediction import Prediction
from effviz.lessons.rooms import Room, RoomError
from effviz.ui import classroom, links, runs
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.playing import Play
from effviz.ui.redraw import redraw
from effviz.ui.widgets.charts import show_chart

STUDENT_S = 2.0
TEACHER_S = 0.5
"""Seconds between two looks at the room."""
_SMALL = 14
"""Size of the texts of a chart on a student's device."""


def watch(seconds: float, state: Callable[[], Any], draw: Callable[[], None] = lambda: None) -> None:
    """Draw the page again when the state of the room changes.

    Args:
        seconds: between two looks.
        state: returns the part of the room that the page shows.
        draw: shows the part that is drawn at every look.
    """
    drawn = state()

    def run() -> None:
        links.settle()
        draw()
        if state() != drawn:
            redraw(runs.PAGE_FRAGMENT)

    st.fragment(run, run_every=seconds)()


def enter(play: Play) -> None:
    """Exchange the answers of a student with the room of the address, and go to the teacher's step."""
    if not classroom.code():
        return
    classroom.read_passes()
    room = joined(play)
    if room is None:
        return
    visitor = classroom.member(room)
    assert visitor is not None
    classroom.exchange(room, visitor)
    if room.scene.follows and room.scene.step != play.number - 1:
        classroom.go(room, room.scene.step)
    visitor.step = play.number - 1


def show(play: Play) -> None:
    """Show a line about the room of the address, and follow the room from now on."""
    if not classroom.code():
        return
    room = classroom.current()
    if room is None or room.lesson != play.lesson.name:
        _ended()
    elif classroom.teacher_key(room):
        shown = room.scene.step == play.number - 1
        _line("The class is at this step." if shown else "The class is at another step.", "Back to the class screen")
        watch(STUDENT_S, lambda: (room.ended, room.scene.step, play.number - 1 in room.scene.revealed))
    elif (visitor := classroom.member(room)) is None:
        _line("You have not joined.", "Join the class")
    else:
        _line(f"{visitor.name}. {'The teacher chooses the step.' if room.scene.follows else 'Work at your own pace.'}")
        watch(STUDENT_S, lambda: _state(room, play.number - 1))


def _state(room: Room, place: int) -> tuple[bool, ...]:
    """Return whether the room is open, the student follows, is at the teacher's step, and the step is revealed."""
    scene = room.scene
    here = not scene.follows or scene.step == place
    return classroom.ROOMS.find(room.code) is room, scene.follows, here, place in scene.revealed


def is_open(play: Play) -> bool:
    """Whether a step needs no prediction: the visitor is the teacher, or follows a class that sees the answer.

    A student who works at the own pace predicts also after the reveal.
    """
    room = _room(play)
    if room is None:
        return False
    return bool(classroom.teacher_key(room)) or (room.scene.follows and play.number - 1 in room.scene.revealed)


def hides_answer(play: Play) -> bool:
    """Whether the class waits for the teacher, who reveals the answer of a step."""
    room = _room(play)
    if room is None or play.number - 1 in room.scene.revealed:
        return False
    return room.scene.follows or bool(classroom.teacher_key(room))


def locks_page(play: Play) -> bool:
    """Whether the page, which contains the answer, waits for the reveal, also on the teacher's projector."""
    return play.step.prediction is not None and hides_answer(play)


def when(play: Play) -> str:
    """Describe when the page of a step appears."""
    room = _room(play)
    if room is not None and classroom.teacher_key(room):
        return "when you reveal the answer on the class screen"
    return "when the teacher reveals the answer" if is_led(play) else "after your prediction"


def is_led(play: Play) -> bool:
    """Whether the teacher chooses the step."""
    room = joined(play)
    return room is not None and room.scene.follows


def is_teacher(play: Play) -> bool:
    """Whether the visitor is the teacher of the room of the address."""
    room = _room(play)
    return room is not None and bool(classroom.teacher_key(room))


def answered(play: Play, guess: float) -> None:
    """Send the prediction of a student to the class. It replaces an earlier one until the answer is revealed."""
    room = joined(play)
    visitor = classroom.member(room) if room is not None else None
    if room is not None and visitor is not None:
        with suppress(RoomError):  # revealed at this moment
            room.answer(visitor.token, play.number - 1, guess)


def predictions(play: Play) -> None:
    """Show the predictions of the class to a student, once they are revealed."""
    room, place = joined(play), play.number - 1
    if room is None or play.step.prediction is None or place not in room.scene.revealed:
        return
    visitor = classroom.member(room)
    if visitor is not None and place in visitor.late and place not in visitor.answers:
        st.html('<p class="lesson_line">Your prediction is late: the chart of the class does not have it.</p>')
    if answers := room.answers(place):
        show_chart(predictions_chart(play.step.prediction, answers, small=True), "room_answers", heading="bold")


def predictions_chart(asked: Prediction, answers: list[float], *, small: bool = False) -> Chart:
    """Draw the predictions of a class against the truth; `small` for a student's device."""
    size, look = _SMALL if small else LARGE, appearance(st.context.theme.type)
    if asked.choices:
        return choice_bars(answers, [each.text for each in asked.choices], int(asked.value()), look, size)
    return number_histogram(answers, asked.value(), asked.is_right, asked.form.unit, look, asked.form.show, size)


def met(play: Play) -> None:
    """Report to the class that the visitor has met the goal of the step."""
    room = joined(play)
    visitor = classroom.member(room) if room is not None else None
    if room is not None and visitor is not None:
        room.meet(visitor.token, play.number - 1)


def joined(play: Play) -> Room | None:
    """Return the room of the address if the visitor is a member of it and its lesson is played."""
    room = _room(play)
    return room if room is not None and classroom.member(room) is not None else None


def _room(play: Play) -> Room | None:
    """Return the room of the address if the visitor is in it, as a student or as the teacher."""
    room = classroom.current()
    if room is None or room.lesson != play.lesson.name:
        return None
    return room if classroom.teacher_key(room) or classroom.member(room) is not None else None


def _line(text: str, link: str = "") -> None:
    with st.container(horizontal=True, key="room_bar", gap="small", vertical_alignment="center"):
        st.html(f'<p class="lesson_line"><strong>Class {html_text(classroom.code())}</strong> {html_text(text)}</p>')
        if link:
            query = {"room": classroom.code()}
            st.page_link(page_path(page(classroom.PAGE)), label=link, query_params=query)


def _ended() -> None:
    """Show that the room is not open, and let the visitor go on alone."""
    with st.container(horizontal=True, key="room_bar", gap="small", vertical_alignment="center"):
        st.html('<p class="lesson_line" role="alert">The class has ended. You can go on alone with your answers.</p>')
        st.button("Close this message", on_click=classroom.leave, type="tertiary")
