"""For the teacher of a lesson: timing, notes, worksheets with their keys, further questions."""

from __future__ import annotations

from functools import partial

import streamlit as st

from effviz.lessons import printing
from effviz.lessons.lesson import ORDER, Lesson, lesson
from effviz.lessons.worksheet import SEEDS, worksheet
from effviz.ui import inputs, links
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.widgets.component import component
from effviz.ui.widgets.downloads import File, downloads, file_name
from effviz.ui.widgets.parts import Part, parts


def teacher() -> None:
    """Show the material of one lesson."""
    if links.notes().setdefault("_material", "of" in st.query_params):
        # A link to the material of a lesson, for example from the classroom: it is below the list of lessons.
        component("reveal", "<span hidden></span>")(key="reveal")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.header("For the teacher", anchor=False)
        st.page_link(page_path(page("classroom")), label="Open a classroom", icon=":material/groups:")
    name = inputs.choice("Lesson", list(ORDER), "of", default=ORDER[0], format_func=_title)
    chosen = lesson(name)
    parts(
        # The first part is open at first, also for students: it has no answers.
        Part("Worksheets", partial(_worksheets, chosen), ("seed",)),
        Part("Timing", partial(_timing, chosen)),
        Part("Answers", partial(_answers, chosen)),
        Part("Notes", partial(_notes, chosen)),
        Part("Further questions", partial(_questions, chosen)),
    )


def _title(name: str) -> str:
    return lesson(name).title


def _timing(chosen: Lesson) -> None:
    # A Markdown table wraps its notes. On a phone, the style sheet writes its rows below one another.
    with st.container(key="timetable"):
        st.markdown(printing.timetable(chosen))


def _answers(chosen: Lesson) -> None:
    st.markdown("\n\n".join(printing.answers(chosen)))


def _notes(chosen: Lesson) -> None:
    st.markdown("\n\n".join([*chosen.notes, "**Common mistakes**", "\n".join(printing.mistakes(chosen))]))
    downloads(
        File("Notes as Markdown", file_name("effviz", chosen.name, "notes") + ".md", partial(printing.notes, chosen))
    )


def _worksheets(chosen: Lesson) -> None:
    st.markdown(
        f"Every number from 1 to {SEEDS} is a different worksheet: all its numeric answers differ from those of the "
        "others. The same number always gives the same worksheet. Open the HTML file in a browser to print it."
    )
    seed = inputs.integer("Worksheet number", "seed", default=1, minimum=1, maximum=SEEDS, width=200)
    sheet = worksheet(chosen, seed)
    stem = file_name("effviz", chosen.name, str(seed))
    site = (st.context.url or "").partition("?")[0].rpartition("/")[0]
    downloads(
        File("Worksheet as HTML", f"{stem}-worksheet.html", partial(printing.page, sheet, site=site)),
        File("Worksheet as Markdown", f"{stem}-worksheet.md", partial(printing.markdown, sheet, site=site)),
        File("Key as HTML", f"{stem}-key.html", partial(printing.page, sheet, key=True, site=site)),
        File("Key as Markdown", f"{stem}-key.md", partial(printing.markdown, sheet, key=True, site=site)),
    )


def _questions(chosen: Lesson) -> None:
    for number, (question, answer) in enumerate(chosen.questions, 1):
        st.markdown(f"**{number}.** {question}")
        with st.expander("Answer"):
            st.markdown(answer)
