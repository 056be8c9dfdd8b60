"""The goal of a lesson's step beside the controls, and the end of a lesson below the page: neither moves a control."""

from __future__ import annotations

import streamlit as st

from effviz.charts.sentences import plural
from effviz.core.text import html_text
from effviz.lessons.goals import CheckedLimit
from effviz.ui import playing
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.playing import Play
from effviz.ui.widgets import room_bar

_END = "lesson_end"  # id of what the goal links to


def show_goal(play: Play, checked: tuple[CheckedLimit, ...]) -> None:
    """Show whether the network on the page keeps the limits, in lines that are there from the start."""
    goal = play.step.goal
    reached, before = all(each.is_met for each in checked), _was_met(play)
    word = "✓ Goal met" if reached else "✗ Goal met before, not now" if before else "✗ Goal not met yet"
    rows = "".join(
        f'<li class="{"right" if each.is_met else "wrong"}">{"✓" if each.is_met else "✗"} {html_text(each.text)}</li>'
        for each in checked
    )
    has_end = play.number == len(play.lesson.steps) or (goal is not None and goal.after)
    name = "End of the lesson" if play.number == len(play.lesson.steps) else "What it shows"
    link = f'<a href="#{_END}">{name} ↓</a>' if has_end and (reached or before) else ""
    kind = "goal right" if reached else "goal"
    st.html(f'<div class="{kind}" role="status"><strong>{word}</strong> {link}<ul>{rows}</ul></div>')


def show_end(play: Play) -> None:
    """Show what a goal teaches once it is met, and after the last step the score, what to repeat, and the aims."""
    goal = play.step.goal
    if goal is not None and not _was_met(play):
        return
    texts = [goal.after] if goal is not None and goal.after else []
    if play.number < len(play.lesson.steps):
        if texts:
            st.markdown(f'<div id="{_END}"></div>\n\n**What it shows.** {texts[0]}', unsafe_allow_html=True)
        return
    score, missed = _score(play)
    aims = "\n".join(f"- {each}" for each in play.lesson.learn)
    texts += [f"**End of the lesson.** {score}", f"**Aims of the lesson**\n\n{aims}"]
    with st.container(key="lesson_summary"):
        st.markdown(f'<div id="{_END}"></div>\n\n' + "\n\n".join(texts), unsafe_allow_html=True)
        if not missed:
            return
        st.markdown("**Steps to repeat**")
        for each in missed:
            st.page_link(
                page_path(page(each.step.page)), label=f"Step {each.number}: {each.step.title}",
                icon=":material/arrow_back:", query_params=playing.following(play, each.number),
            )  # fmt: skip


def _was_met(play: Play) -> bool:
    return bool(playing.answers(play.lesson.name).get(play.step.name, {}).get("met", False))


def _score(play: Play) -> tuple[str, list[Play]]:
    """Count the correct predictions, those not made, and the goals; return the steps without a correct one, too."""
    steps = [Play(play.lesson, number) for number in range(1, len(play.lesson.steps) + 1)]
    found = playing.answers(play.lesson.name)
    asked = [each for each in steps if each.step.prediction is not None and not room_bar.hides_answer(each)]
    made = [each for each in asked if playing.is_answered(each.lesson, each.step)]
    right = [each for each in made if (asks := each.step.prediction) and asks.is_right(found[each.step.name]["guess"])]
    open_ones = sum(each.step.prediction is not None for each in steps) - len(made)
    texts = [f"{len(right)} of {plural(len(made), 'prediction')} {'is' if len(made) == 1 else 'are'} correct."]
    if open_ones:
        texts.append(f"{plural(open_ones, 'question')} {'has' if open_ones == 1 else 'have'} no prediction.")
    goals = [bool(found.get(each.step.name, {}).get("met")) for each in steps if each.step.goal is not None]
    if len(goals) == 1:
        texts.append(f"The goal was {'' if goals[0] else 'not '}met.")
    elif goals:
        texts.append(f"{sum(goals)} of {len(goals)} goals {'was' if sum(goals) == 1 else 'were'} met.")
    return " ".join(texts), [each for each in asked if each not in right]
