"""The panel of a lesson above the content of a page: text, prediction, answer, goal, and links to the other steps."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effviz.core.text import html_text
from effviz.count.report import Report
from effviz.lessons.lesson import ORDER
from effviz.lessons.prediction import Prediction
from effviz.ui import carried, classroom, links, playing, runs
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.playing import Play
from effviz.ui.widgets import browser_storage, room_bar
from effviz.ui.widgets.glossary import show_explained
from effviz.ui.widgets.lesson_goal import show_end, show_goal
from effviz.ui.widgets.number_line import Spot, number_line

_GUESS = "lesson_guess"
_PROBLEM = "_lesson_problem"
_WAITED = "_lesson_waited"  # whether the page was not drawn in the last run
INSTRUMENT = "_instrument"
"""Key of the place of the main control and the headline numbers."""
_CHANGED = "_lesson_changed"  # lesson and step whose prediction is being changed


def show() -> bool:
    """Show the lesson of the address, if there is one; return whether the page's own content may be drawn.

    It may not before the prediction of the step is made.
    """
    _check("lesson", ORDER.__contains__, f"choices: {', '.join(ORDER)}")
    play = playing.now()
    _check("step", lambda text: play is not None and playing.is_step(play.lesson, text), "a step of a lesson")
    if links.current_page() == classroom.PAGE:
        return True
    if play is not None:
        synchronise()
        room_bar.enter(play)
    waits = play is not None and play.is_here and (not _is_answered(play) or room_bar.locks_page(play))
    if st.session_state.get(_WAITED, False) and not waits and runs.is_fragment():
        # A fragment can write to a place outside, such as the sidebar, only if it wrote there in the last full run.
        st.rerun()
    st.session_state[_WAITED] = waits
    if play is None:
        return True
    with st.container(key="lesson"):
        room_bar.show(play)
        if not play.is_here:
            _elsewhere(play)
            return True
        _head(play)
        is_open = _prediction(play)
        if is_open and play.step.goal is not None:
            st.html(f'<p class="goal"><strong>Goal:</strong> {html_text(play.step.goal.text)}</p>')
        _ways(play, is_open=is_open)
    if not is_open:
        st.html(f'<p class="lesson_waiting">The controls and charts appear {room_bar.when(play)}.</p>')
        links.wait()
    return is_open


def outline() -> None:
    """List the steps of the lesson, while the controls of the page wait for the prediction."""
    play = playing.now()
    if play is None:
        return
    rows = []
    for step in play.lesson.steps:
        now = ' aria-current="step"' if step is play.step else ""
        sign = "✓" if playing.is_answered(play.lesson, step) else ""
        rows.append(f"<li{now}>{html_text(step.title)} <b>{sign}</b></li>")
    st.html(f'<ol class="lesson_outline" aria-label="Steps of the lesson">{"".join(rows)}</ol>')


def place_controls() -> None:
    """Make the place of the controls that the step needs: on a phone, the sidebar would cover what they change."""
    play = playing.now()
    needed = play is not None and play.is_here and play.step.use
    st.session_state[playing.USED] = st.container(horizontal=True, key="lesson_use", gap="small") if needed else None


def _is_answered(play: Play) -> bool:
    """Whether the visitor has answered the step, or a classroom opens it."""
    return playing.is_done(play.lesson, play.step) or room_bar.is_open(play)


def _check(key: str, legal: Callable[[str], bool], choices: str) -> None:
    """Declare a text of the address, and remove it if it is illegal; the notice of the link lists it."""
    links.expect(key, legal, choices)
    text = carried.texts().get(key, "")
    if text and not legal(text):
        carried.put(**{key: ""})


def synchronise() -> None:
    """Exchange the answers with the storage of the browser."""
    known = browser_storage.is_known(playing.STORAGE)
    if known:
        browser_storage.store(playing.STORAGE, playing.every_answer())
    record = browser_storage.stored(playing.STORAGE)
    if record is not None and not known:
        playing.restore(record)


def built(report: Report | None) -> None:
    """Compare the network on the page with the goal of the step. A page calls this with its report."""
    play = playing.now()
    if report is None or play is None or not play.is_here or play.step.goal is None:
        return
    checked = play.step.goal.check(report)
    if all(each.is_met for each in checked):
        playing.answer(play.lesson, play.step, met=True)
        room_bar.met(play)
    with st.session_state[INSTRUMENT]:
        show_goal(play, checked)


def finish() -> None:
    """Show what the step or the lesson ends with, below the page's own content."""
    play = playing.now()
    if play is not None and play.is_here:
        show_end(play)


def _elsewhere(play: Play) -> None:
    """Show one line with a link back, on a page to which the step does not belong."""
    title = page(play.step.page).title
    st.html(f"<p class='lesson_line'>{_progress(play)} · on the page {html_text(title)}</p>")
    with st.container(horizontal=True, gap="small", key="lesson_ways", vertical_alignment="center"):
        st.page_link(
            page_path(page(play.step.page)), label="Back to the step", icon=":material/arrow_back:",
            query_params=playing.following(play, play.number),
        )  # fmt: skip
        _end()


def _progress(play: Play) -> str:
    name = f"Lesson {ORDER.index(play.lesson.name) + 1}"
    # A page may have the title of the lesson.
    if page(links.current_page()).title != play.lesson.title:
        name += f": {play.lesson.title}"
    return f"<strong>{html_text(name)}</strong> · Step {play.number} of {len(play.lesson.steps)}"


def _head(play: Play) -> None:
    step, count = play.step, len(play.lesson.steps)
    st.html(
        f'<p class="lesson_line">{_progress(play)} · {step.minutes} min</p>'
        f'<progress class="lesson_bar" max="{count}" value="{play.number}" aria-label="Steps"></progress>'
        f"<h2>{html_text(step.title)}</h2>"
    )
    if step.prediction is not None and _is_answered(play):
        # The answer and the chart that it explains are closer together.
        text = f'<details class="lesson_text"><summary>Text of the step</summary>\n\n{step.text}\n\n</details>'
        show_explained(text, "lesson")
    else:
        show_explained(step.text, "lesson")


# --- Prediction -------------------------------------------------------------------------------------------------------


def _prediction(play: Play) -> bool:
    """Show the question with a form, or with the answer; return whether it is answered."""
    prediction = play.step.prediction
    if prediction is None:
        _look(play)
        return True
    guess = playing.answers(play.lesson.name).get(play.step.name, {}).get("guess")
    if not _is_answered(play) or _is_changed(play):
        _ask(play, prediction, guess)
        return False
    st.markdown(f"**{prediction.asked()}**")
    if room_bar.hides_answer(play):
        if guess is not None:
            waits = "Your prediction. The teacher will reveal the answer."
            said = html_text(prediction.show(guess))
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.html(f'<p class="verdict"><strong>{said}</strong> <span>{waits}</span></p>', width="content")
                st.button("Change", key="lesson_change", on_click=_change, args=(play,))
        if room_bar.locks_page(play):
            return False
    else:
        st.html(_verdict(prediction, guess))
        room_bar.predictions(play)
        if play.step.explanation:
            show_explained(play.step.explanation, "answer")
    _look(play)
    return True


def _look(play: Play) -> None:
    if play.step.look:
        st.markdown(f"**Look at:** {play.step.look}")
    # On a phone the sidebar is closed, and its button has no name. The controls that a step needs are on the page.
    if not play.step.use:
        st.html('<p class="lesson_line lesson_controls">Further controls of this page: » at the top.</p>')


def _is_changed(play: Play) -> bool:
    """Whether the visitor changes a prediction, which is possible as long as the class waits for the answer."""
    return st.session_state.get(_CHANGED) == (play.lesson.name, play.step.name) and room_bar.hides_answer(play)


def _change(play: Play) -> None:
    st.session_state[_CHANGED] = play.lesson.name, play.step.name


def _ask(play: Play, prediction: Prediction, guess: float | None) -> None:
    """Show the question with a form, which has the prediction that is being changed."""
    key = f"{_GUESS}_{play.lesson.name}_{play.step.name}"
    with st.form(f"form_{key}", border=False):
        st.markdown(f"**{prediction.asked()}**")
        if prediction.choices:
            st.radio(
                "Your prediction", range(len(prediction.choices)), index=None if guess is None else int(guess), key=key,
                format_func=lambda place: prediction.choices[place].text, label_visibility="collapsed",
            )  # fmt: skip
        else:
            unit = f" ({prediction.form.unit})" if prediction.form.unit else ""
            with st.container(horizontal=True, key="lesson_field", vertical_alignment="bottom", gap="small"):
                st.number_input(f"Your prediction{unit}", value=guess, key=key, width=240)
                st.form_submit_button("Predict", on_click=_predict, args=(play, key), type="primary")
        if prediction.choices:
            st.form_submit_button("Predict", on_click=_predict, args=(play, key), type="primary")
    if st.session_state.pop(_PROBLEM, False):
        what = "Choose an option" if prediction.choices else "Enter a number"
        st.html(f'<p class="finding" role="alert">{what} first.</p>')


def _predict(play: Play, key: str) -> None:
    guess = st.session_state.get(key)
    if guess is None or not playing.is_guess(play.step, guess):
        st.session_state[_PROBLEM] = True
        return
    st.session_state.pop(_CHANGED, None)
    playing.answer(play.lesson, play.step, guess=guess)
    room_bar.answered(play, guess)


def _verdict(prediction: Prediction, guess: float | None) -> str:
    """Write whether a prediction is correct, first with a sign and a word, then the answer and the error."""
    answer, is_right = prediction.value(), guess is not None and prediction.is_right(guess)
    mark = "right" if is_right else "wrong"
    word = "Revealed" if guess is None else "✓ Correct" if is_right else "✗ Not correct"
    head = f'<p class="verdict {mark}">'
    if not prediction.choices:
        said, range_of_correct, drawn = "Revealed before your prediction.", "", ""
        if guess is not None:
            said = f"You predicted {prediction.show(guess)}"
            is_exact = prediction.show(guess) == prediction.show(answer)
            said += "." if is_exact else f", {prediction.distance(guess)}."
            said += f" {prediction.hint(guess)}"
            range_of_correct = "" if is_exact else f"{prediction.accepted()}."
            head += f"<strong>{word}.</strong> "
            if not is_exact:
                spots = Spot(answer, f"Answer {prediction.show(answer)}"), Spot(guess, f"You {prediction.show(guess)}")
                drawn = number_line(*spots, prediction.correct())
        return (
            f"{head}<b>The answer is {html_text(prediction.show(answer))}.</b> "
            f"<span>{html_text(said.strip())} <small>{html_text(range_of_correct)}</small></span></p>{drawn}"
        )
    rows = []
    for place, each in enumerate(prediction.choices):
        marks = " · ".join(
            text for text, holds in (("✓ Answer", place == int(answer)), ("Your choice", place == guess)) if holds
        )
        kind = "right" if place == int(answer) else "wrong" if place == guess else ""
        text, reason = html_text(each.text), html_text(each.reason)
        rows.append(f'<li class="{kind}"><strong>{text}</strong> <em>{marks}</em><br>{reason}</li>')
    return f'{head}<strong>{word}</strong></p><ul class="choices">{"".join(rows)}</ul>'


# --- Links ------------------------------------------------------------------------------------------------------------


def _ways(play: Play, *, is_open: bool) -> None:
    """Show the links to the steps before and after, and the end; the next step is prominent if this one `is_open`."""
    steps, number = play.lesson.steps, play.number
    if room_bar.is_led(play):
        return
    with st.container(horizontal=True, key="lesson_ways", gap="small", vertical_alignment="center"):
        if room_bar.is_teacher(play):
            st.html('<p class="lesson_line">Only this tab, not the class:</p>', width="content")
        if number > 1:
            _way(play, number - 1, "Previous")
        if number < len(steps):
            with st.container(key="lesson_next" if is_open else "lesson_later", width="content"):
                _way(play, number + 1, "Next")
        if number == len(steps):
            st.page_link(page_path(page("lessons")), label="All lessons", icon=":material/school:")
        _end()


def _way(play: Play, number: int, label: str) -> None:
    """Show a link to another step."""
    step, is_back = play.lesson.steps[number - 1], number < play.number
    st.page_link(
        page_path(page(step.page)), label=f"{label}: {step.title}", query_params=playing.following(play, number),
        icon=":material/arrow_back:" if is_back else ":material/arrow_forward:",
        icon_position="left" if is_back else "right",
    )  # fmt: skip


def _end() -> None:
    st.button("End lesson", key="lesson_end", on_click=_leave, type="tertiary")


def _leave() -> None:
    carried.put(lesson="", step="", room="")
