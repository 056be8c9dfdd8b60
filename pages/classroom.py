"""Classroom: open a room for a class, join one, and the teacher's screen."""

from effviz.ui import classroom
from effviz.ui.page_parts.classroom import entrance, teacher
from effviz.ui.widgets.frame import header, moving

header("classroom", controls=False)


def page() -> None:
    code = classroom.code()
    classroom.read_teacher_link()
    is_known = classroom.read_passes()
    room = classroom.current()
    if room is None:
        if code:
            entrance.unknown(code)
        entrance.entrance()
    elif key := classroom.teacher_key(room):
        teacher.screen(room, key)
    elif visitor := classroom.member(room):
        classroom.go(room, classroom.place_of(room, visitor))
    elif is_known:
        entrance.nickname(room)


moving(page)
