"""The classroom of the address, and who the visitor is in it."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from effviz.lessons.lesson import Lesson, lesson
from effviz.lessons.rooms import Member, Room, RoomError, RoomQuestion, Rooms, read_code
from effviz.ui import carried, held, links, playing, runs
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.widgets import browser_storage

ROOMS = Rooms()
"""The rooms of this server."""
STORAGE = "rooms"
"""Name under which the browser stores the visitor's tokens and keys, by code."""
PAGE = "classroom"
_PASSES = "_room_passes"
_MOST_PASSES = 8
_LONGEST_SECRET = 64


def code() -> str:
    """Return the code of the room in the address; empty for none."""
    links.expect("room", lambda text: bool(read_code(text)), "the code of a classroom")
    text = carried.texts().get("room", "")
    if text and not read_code(text):
        carried.put(room="")
    return read_code(text)


def current() -> Room | None:
    """Return the open room of the address."""
    return ROOMS.find(code()) if code() else None


def lesson_of(room: Room) -> Lesson:
    """Return the lesson of a room."""
    return lesson(room.lesson)


def open_room(name: str, address: str) -> Room:
    """Open a room for a lesson, with the visitor as its teacher.

    Raises:
        RoomError: too many rooms are open.
    """
    asked = [step.prediction for step in lesson(name).steps]
    room = ROOMS.open(name, [RoomQuestion(len(each.choices)) if each else None for each in asked], address)
    keep(room, key=room.key)
    carried.put(room=room.code)
    return room


# --- The visitor ------------------------------------------------------------------------------------------------------


def read_passes() -> bool:
    """Exchange the visitor's tokens and keys with the browser, once per run; return whether they are known."""
    passes, was_known = _passes(), browser_storage.is_known(STORAGE)
    if was_known:
        browser_storage.store(STORAGE, dict(passes))
    found = browser_storage.stored(STORAGE)
    if found is None:
        return False
    if not was_known:
        for name, entry in list(found.items())[:_MOST_PASSES]:
            if isinstance(entry, dict) and all(map(_is_secret, entry.values())):
                passes.setdefault(name, entry)
    return True


def _is_secret(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_SECRET


def read_teacher_link() -> None:
    """Take the key of the teacher's private link, and remove it from the address, which may be on a projector."""
    text = held.held("teacher", _is_secret, "the key of a teacher")
    if not text:
        return
    held.hold("teacher", "")
    room = current()
    if room is not None and room.is_teacher(text):
        keep(room, key=text, private="yes")


def _passes() -> dict[str, dict[str, str]]:
    """Return the tokens and keys of this session by code."""
    found: dict[str, dict[str, str]] = st.session_state.setdefault(_PASSES, {})
    return found


def keep(room: Room, **secret: str) -> None:
    """Store the visitor's ``token`` as a member, or ``key`` as the teacher, beside those of a few open rooms."""
    passes = _passes()
    for name in [each for each in passes if each == room.code or ROOMS.find(each) is None]:
        del passes[name]
    for name in list(passes)[: len(passes) - _MOST_PASSES + 1]:
        del passes[name]
    passes[room.code] = secret


def taught() -> list[str]:
    """Return the codes of the open rooms whose teacher is the visitor."""
    rooms = [ROOMS.find(each) for each in _passes()]
    return [room.code for room in rooms if room is not None and teacher_key(room)]


def leave() -> None:
    """Forget the room of the address."""
    _passes().pop(code(), None)
    carried.put(room="")


def _pass(room: Room, name: str) -> str:
    return str(_passes().get(room.code, {}).get(name, ""))


def member(room: Room) -> Member | None:
    """Return the visitor as a member of a room."""
    return room.member(_pass(room, "token"))


def teacher_key(room: Room) -> str:
    """Return the key of a room if the visitor is its teacher; empty otherwise."""
    key = _pass(room, "key")
    return key if key and room.is_teacher(key) else ""


def is_private(room: Room) -> bool:
    """Whether the visitor has come by the teacher's link: the class does not see this screen."""
    return bool(_pass(room, "private"))


def join(room: Room, nickname: str) -> Member:
    """Make the visitor a member of a room. `exchange` deletes earlier answers to its lesson.

    Raises:
        RoomError: the room is full.
    """
    made = room.join(nickname)
    keep(room, token=made.token)
    return made


# --- The step ---------------------------------------------------------------------------------------------------------


def place_of(room: Room, visitor: Member) -> int:
    """Return the place of the step that a member should see, from 0."""
    scene = room.scene
    return scene.step if scene.follows else visitor.step


def go(room: Room, place: int) -> None:
    """Show a step of the room's lesson."""
    chosen = lesson_of(room)
    query = playing.address(chosen, place + 1) | playing.kept(chosen.steps[place]) | {"room": room.code}
    runs.release(query)
    st.switch_page(page_path(page(chosen.steps[place].page)), query_params=query)


def exchange(room: Room, visitor: Member) -> None:
    """Give the room the answers that were given in it, and take those that this browser has lost.

    The browser's storage may arrive after joining. Its other answers are deleted, because they are not of this class.
    """
    chosen = lesson_of(room)
    playing.keep_of(room.lesson, room.code)
    for place, step in enumerate(chosen.steps):
        guess = playing.answers(room.lesson).get(step.name, {}).get("guess")
        if place in visitor.answers:
            if guess != visitor.answers[place]:
                playing.answer(chosen, step, guess=visitor.answers[place])
        elif guess is not None and step.prediction is not None:
            with suppress(RoomError):  # revealed
                room.answer(visitor.token, place, guess)
