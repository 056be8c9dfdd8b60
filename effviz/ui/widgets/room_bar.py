"""A student's line about the classroom above the step, and the watch that follows the teacher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from effviz.core.text import html_text
from effviz.lessons.rooms import Room
from effviz.ui import classroom, links
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.playing import Play
from effviz.ui.redraw import redraw

STUDENT_S = 2.0
TEACHER_S = 1.0
"""Seconds between two looks at the room."""


def watch(seconds: float, state: Callable[[], Any]) -> None:
    """Draw the page again when the state of the room changes. In between, nothing is drawn.

    Args:
        seconds: between two looks.
        state: returns the part of the room that the page shows.
    """
    drawn = state()

    def run() -> None:
        links.settle()
        if state() != drawn:
            redraw(links.PAGE_FRAGMENT)

    st.fragment(run, run_every=seconds)()


def show(play: Play) -> None:
    """Show the classroom of the address above a step, and take the visitor to the teacher's step.

    The answers of the browser and of the room are exchanged.
    """
    if not classroom.code():
        return
    is_known = classroom.read_passes()
    room = classroom.current()
    if room is None or room.lesson != play.lesson.name:
        _ended()
        return
    if classroom.teacher_key(room):
        _line("The students see this step, too." if room.scene.step == play.number - 1 else "Only you see this step.")
        return
    visitor = classroom.member(room)
    if visitor is None:
        if is_known:
            _line("You have not joined.", "Join the class")
        return
    classroom.exchange(room, visitor)
    place = play.number - 1
    if room.scene.follows and room.scene.step != place:
        classroom.go(room, room.scene.step)
    visitor.step = place
    how = "The teacher chooses the step." if room.scene.follows else "Work at your own pace."
    _line(f"{visitor.name}. {how}", "")
    watch(STUDENT_S, lambda: _state(room, place))


def _state(room: Room, place: int) -> tuple[bool, bool, bool]:
    """Return whether the room has ended, whether the student has to move, and whether the step is revealed."""
    scene = room.scene
    is_open = classroom.ROOMS.find(room.code) is room
    return is_open, scene.follows and scene.step != place, scene.follows, place in scene.revealed


def is_waiting(play: Play) -> bool:
    """Whether the answer of a step is hidden until the teacher reveals it."""
    room = joined()
    return room is not None and room.scene.follows and play.number - 1 not in room.scene.revealed


def is_revealed(play: Play) -> bool:
    """Whether the teacher has revealed the answer of a step."""
    room = joined()
    return room is not None and play.number - 1 in room.scene.revealed


def is_led() -> bool:
    """Whether the teacher chooses the step."""
    room = joined()
    return room is not None and room.scene.follows


def joined() -> Room | None:
    """Return the room of the address if the visitor is a member of it."""
    room = classroom.current()
    return room if room is not None and classroom.member(room) is not None else None


def _line(text: str, link: str = "Class screen") -> None:
    with st.container(horizontal=True, key="room_bar", gap="small", vertical_alignment="center"):
        st.html(f'<p class="lesson_line"><strong>Class {html_text(classroom.code())}</strong> {html_text(text)}</p>')
        if link:
            query = {"room": classroom.code()}
            st.page_link(page_path(page(classroom.PAGE)), label=link, query_params=query)


def _ended() -> None:
    """Show that the room is not open, and let the visitor go on alone."""
    with st.container(horizontal=True, key="room_bar", gap="small", vertical_alignment="center"):
        st.html('<p class="lesson_line" role="alert">The class has ended. You can go on alone with your answers.</p>')
        st.button("Leave the class", on_click=classroom.leave, type="tertiary")
