"""Lessons: the list with the visitor's progress, and the material for the teacher."""

from effviz.ui.page_parts.lessons.course import course
from effviz.ui.page_parts.lessons.teacher import teacher
from effviz.ui.widgets.frame import header, moving, section

header("lessons", controls=False)


def page() -> None:
    with section("The list of lessons"):
        course()
    with section("The material for the teacher"):
        teacher()


moving(page)
