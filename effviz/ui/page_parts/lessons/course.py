"""The lessons with the visitor's progress, and links to start or continue them."""

from __future__ import annotations

import streamlit as st

from effviz.core.text import html_text
from effviz.lessons.lesson import ORDER, Lesson, lesson
from effviz.lessons.printing import rich
from effviz.ui import playing
from effviz.ui.ideas import figure
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.widgets.lesson_panel import synchronise


def course() -> None:
    """Show the lessons."""
    if playing.now() is None:
        # Otherwise the panel above the page has done this.
        synchronise()
    with st.container(key="course"):
        for number, name in enumerate(ORDER, 1):
            _entry(number, lesson(name))


def _entry(number: int, chosen: Lesson) -> None:
    done = sum(playing.is_answered(chosen, step) for step in chosen.steps)
    count = sum(step.prediction is not None for step in chosen.steps)
    following = next(
        (place for place, step in enumerate(chosen.steps, 1) if not playing.is_done(chosen, step)), len(chosen.steps)
    )
    with st.container(border=True, key=f"course_{chosen.name}"):
        learn = "".join(f"<li>{rich(each)}</li>" for each in chosen.learn)
        state = f"{done} of {count} questions answered" if done else f"{count} questions"
        bar = f'<progress class="lesson_bar" max="{count}" value="{done}" aria-label="Answered questions"></progress>'
        # The figure of the lesson's first page; `st.html` removes SVG.
        st.markdown(f'<div class="subject_head">{figure(chosen.steps[0].page)}</div>', unsafe_allow_html=True)
        st.html(
            f'<p class="lesson_line"><strong>Lesson {number}</strong><span>{chosen.minutes} min</span>'
            f"<span>{len(chosen.steps)} steps</span><span>{state}</span></p>{bar}<h2>{html_text(chosen.title)}</h2>"
            f'<p>{html_text(chosen.summary)}</p><p class="aims">Afterwards you can</p><ul>{learn}</ul>'
        )
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            word = "Start" if not done else "Review" if done == count else "Continue"
            first = 1 if done in (0, count) else following
            st.page_link(
                page_path(page(chosen.steps[first - 1].page)), label=f"{word} lesson {number}",
                query_params=playing.address(chosen, first), icon=":material/arrow_forward:", icon_position="right",
            )  # fmt: skip
            if done:
                st.button(
                    "Delete answers", key=f"forget_{chosen.name}", on_click=playing.forget, args=(chosen.name,),
                    type="tertiary",
                )  # fmt: skip
