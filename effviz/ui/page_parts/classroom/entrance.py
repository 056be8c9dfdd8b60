"""Classroom page before a class: open a room, join one by its code, choose a nickname."""

from __future__ import annotations

import streamlit as st

from effviz.core import settings
from effviz.core.text import html_text
from effviz.lessons.lesson import ORDER, lesson
from effviz.lessons.rooms import HOURS, LONGEST_NICKNAME, Room, RoomError, read_code, replica_of
from effviz.ui import carried, classroom, inputs
from effviz.ui.navigation import page
from effviz.ui.page_parts.classroom.course_of_room import course_of_room
from effviz.ui.paths import page_path
from effviz.ui.widgets.component import component
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.jobs import visitor_address

_PROBLEM, _CODE_PROBLEM = "_room_problem", "_room_code_problem"
_ELSEWHERE = "_room_elsewhere"
_CODE, _NICKNAME = "room_code", "room_nickname"


def entrance() -> None:
    """Show the ways into a room: for teachers and for students."""
    _go_elsewhere()
    with st.container(key="room_ways"):
        with st.container(border=True, key="room_join"):
            st.subheader("Join a class", anchor=False)
            with st.form("join_code", border=False):
                st.text_input(
                    "Code", key=_CODE, max_chars=20, placeholder="5 letters", help="The teacher's screen shows it."
                )
                st.form_submit_button("Continue", on_click=_enter, type="primary")
            _problem(_CODE_PROBLEM)
        with st.container(border=True, key="room_open"):
            st.subheader("Teach a class", anchor=False)
            name = inputs.choice(
                "Lesson", ORDER, "teach", default=ORDER[0], format_func=lambda name: lesson(name).title
            )
            chosen = lesson(name)
            st.caption(f"{chosen.summary} {len(chosen.steps)} steps, {chosen.minutes} minutes.")
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.button("Open a room", on_click=_open, args=(name,), type="primary")
                st.page_link(
                    page_path(page("lessons")), label="Notes and worksheets", query_params={"of": name, "part": "Notes"}
                )
            _problem(_PROBLEM)
            for code in classroom.taught():
                st.button(f"Back to class {code}", on_click=_return, args=(code,), type="tertiary")
    st.markdown(course_of_room(), unsafe_allow_html=True)
    st.caption(
        "There are no accounts. The server keeps nicknames, predictions and goals in memory until the teacher ends "
        f"the room, for at most {HOURS} hours."
    )


def unknown(code: str) -> None:
    """Show that a link leads to no open room."""
    notice(f"The room {code} is not open. It has ended, or the code is wrong.", "ignored", alert=True)


def nickname(room: Room) -> None:
    """Show the form with which a student joins a room."""
    with st.container(border=True, key="room_join"):
        st.html(f'<p class="lesson_line">Class <strong>{html_text(room.code)}</strong></p>')
        st.subheader(classroom.lesson_of(room).title, anchor=False)
        with st.form("join_room", border=False):
            st.text_input(
                "Nickname (optional)", key=_NICKNAME, max_chars=LONGEST_NICKNAME,
                help="Only your teacher sees it, beside your predictions.",
            )  # fmt: skip
            st.form_submit_button("Join", on_click=_join, args=(room,), type="primary")
        _problem(_PROBLEM)
        st.caption("Earlier answers to this lesson in this browser are deleted.")


def _return(code: str) -> None:
    carried.put(room=code)


def _problem(name: str) -> None:
    if problem := st.session_state.pop(name, ""):
        notice(problem, "finding", alert=True)


def _open(name: str) -> None:
    try:
        classroom.open_room(name, visitor_address())
    except RoomError as error:
        st.session_state[_PROBLEM] = str(error)


def _join(room: Room) -> None:
    try:
        classroom.join(room, str(st.session_state.get(_NICKNAME) or ""))
    except RoomError as error:
        st.session_state[_PROBLEM] = str(error)


def _enter() -> None:
    text = str(st.session_state.get(_CODE) or "")
    code, own = read_code(text), settings.REPLICA.value
    if code and classroom.ROOMS.find(code):
        carried.put(room=code)
    elif code and own and replica_of(code) != own:
        st.session_state[_ELSEWHERE] = code
    else:
        st.session_state[_CODE_PROBLEM] = (
            f"No class with the code {text[:20]} is open." if text.strip() else "Enter the code."
        )


def _go_elsewhere() -> None:
    """Load the page again at the server of the room, if that is another one."""
    if code := st.session_state.pop(_ELSEWHERE, ""):
        go = component("go", "<span hidden></span>")
        go(key="go", data={"address": f"?room={code}"}, width="content")
