"""Lessons on the pages: every step played, the lock before the prediction, directed controls, kept answers, goals."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qs

import pytest
from page_reader import control, failures, go_to, keys, line, metrics, open_page, run, words_on_show
from streamlit.testing.v1 import AppTest

from effviz.lessons.lesson import ORDER, Lesson, Step, lesson
from effviz.lessons.prediction import Form
from effviz.ui import playing
from effviz.ui.visits import EVERYWHERE
from effviz.ui.widgets import browser_storage
from effviz.ui.widgets.glossary import explained

WAITING = "after your prediction"


def texts(at: AppTest) -> str:
    """All text of the page's main part."""
    return html.unescape("\n".join([*(each.value for each in at.markdown), *(each.proto.body for each in at.html)]))


def step_page(chosen: Lesson, number: int, **query: str) -> AppTest:
    step = chosen.steps[number - 1]
    return open_page(step.page, **(playing.address(chosen, number) | query))


def step_number(chosen: Lesson, name: str) -> int:
    return next(place for place, each in enumerate(chosen.steps, 1) if each.name == name)


def predict(at: AppTest, chosen: Lesson, step: Step, guess: float) -> AppTest:
    key = f"lesson_guess_{chosen.name}_{step.name}"
    if step.prediction is not None and step.prediction.choices:
        at.radio(key=key).set_value(guess)
    else:
        at.number_input(key=key).set_value(guess)
    next(button for button in at.button if button.label == "Predict").click()
    return run(at)


def usable(at: AppTest) -> set[str | None]:
    """Keys of the controls that are enabled."""
    controls = (*at.number_input, *at.text_input, *at.selectbox, *at.button_group, *at.toggle)
    return {entry.key for entry in controls if not entry.disabled}


def values(at: AppTest) -> dict[str | None, object]:
    """By key: the values of the controls."""
    controls = (*at.number_input, *at.text_input, *at.selectbox, *at.button_group, *at.toggle)
    return {entry.key: entry.value for entry in controls}


@pytest.mark.parametrize("name", ORDER)
def test_every_step_is_locked_until_the_prediction_and_then_drawn(name: str) -> None:
    chosen = lesson(name)
    for number, step in enumerate(chosen.steps, 1):
        at = step_page(chosen, number)
        assert f"Step {number} of {len(chosen.steps)}" in texts(at)
        assert line(at) == "", step.name
        if step.prediction is not None:
            assert WAITING in texts(at)
            assert metrics(at) == []
            answer = step.prediction.value()
            is_right = number % 2 == 0
            wrong = (answer + 1) % len(step.prediction.choices) if step.prediction.choices else 3 * answer + 1
            predict(at, chosen, step, answer if is_right else wrong)
            assert step.prediction.show(answer) in texts(at)
            assert step.prediction.is_right(wrong) is False
            words = ("✓ Correct",) if is_right else ("✗ Not correct",)
            assert any(word in texts(at) for word in words), step.name
            assert explained(step.explanation, "answer") in [each.value for each in at.markdown]
        assert WAITING not in texts(at)
        assert metrics(at) or at.get("bidi_component"), "the page is drawn"
        assert not usable(at) & (step.lock | step.hide), step.name
        assert step.use <= usable(at), step.name
        assert step.targets, step.name
        assert set(step.targets) <= keys(at), step.name
        named = re.findall(r'\["([^"]+)"\]\(#part\)', step.look)
        assert step.targets.count("part") == len(named), step.name
        assert set(named) <= {part for each in at.button_group if each.key == "part" for part in each.options}, (
            step.name
        )
        assert failures(at) == []
        assert line(at) == "", step.name
        if step.goal is not None:
            assert step.goal.text in texts(at)
        offered = [entry.proto.label for entry in at.get("page_link")]
        assert [label for label in offered if label.startswith("Next: ")] == [
            f"Next: {each.title}" for each in chosen.steps[number : number + 1]
        ]


COINCIDENCES = {("equal", "g1"), ("intensity", "g1_speed")}
"""Steps with an equal number that is another quantity."""


def spoilers(step: Step) -> list[str]:
    """How a page may write the answer of a step. Answers are searched as words.

    A number has its unit or its prefix. A chart may write a whole percentage as a factor.
    """
    asked = step.prediction
    if asked is None or asked.choices:
        return []
    number, _, unit = asked.show(asked.value()).partition(" ")
    factors = [f"{asked.value() / 100:.2f}"] if asked.form == Form("%", 0) else []
    return [*factors, number if number.endswith("×") else f"{number} {unit.split()[0]}", f"{number} built"]


@pytest.mark.parametrize("name", ORDER)
def test_no_step_shows_the_answer_of_a_later_step(name: str) -> None:
    """The texts of a step, its headline cards, and the titles and alternative texts of its charts."""
    chosen, found = lesson(name), []
    for number, step in enumerate(chosen.steps, 1):
        at = step_page(chosen, number)
        if step.prediction is not None:
            predict(at, chosen, step, 0)
        shown = " ".join("\n".join(words_on_show(at)).split())
        found += [
            (step.name, later.name, text)
            for later in chosen.steps[number:]
            for text in spoilers(later)
            if (step.name, later.name) not in COINCIDENCES
            and re.search(rf"(?<![\d.,]){re.escape(text)}(?![\d])", shown)
        ]
    assert found == []


def test_a_step_sets_locks_and_hides_controls() -> None:
    chosen = lesson("compound_scaling")
    number = step_number(chosen, "width")
    at = step_page(chosen, number, phi="3.0", beta="1.5")
    predict(at, chosen, chosen.steps[number - 1], 2.0)
    assert [(control(at, key).value, control(at, key).disabled) for key in ("phi", "alpha", "beta", "gamma")] == [
        (1.0, True), (1.0, True), (2.0, True), (1.0, True),
    ]  # fmt: skip
    assert at.selectbox(key="hold").disabled
    assert "Correct" not in texts(at)


def test_a_free_control_keeps_its_value_in_the_address() -> None:
    chosen = lesson("compound_scaling")
    number = step_number(chosen, "promise")
    at = step_page(chosen, number, phi="2.5")
    predict(at, chosen, chosen.steps[number - 1], 7.0)
    assert not control(at, "phi").disabled
    assert control(at, "phi").value == 2.5
    control(at, "phi").set_value(4.0)
    assert control(run(at), "phi").value == 4.0


def test_a_prediction_needs_a_value() -> None:
    chosen = lesson("compound_scaling")
    at = step_page(chosen, 2)
    next(button for button in at.button if button.label == "Predict").click()
    assert "Enter a number first." in texts(run(at))
    assert WAITING in texts(at)


def test_answers_stay_through_navigation_and_controls() -> None:
    chosen = lesson("compound_scaling")
    at = step_page(chosen, 2)
    predict(at, chosen, chosen.steps[1], 3.0)
    go_to(at, "architectures.py")
    assert "on the page Compound scaling" in texts(at)
    assert dict(at.query_params)["lesson"] in ("compound_scaling", ["compound_scaling"])
    at.button_group(key="count").set_value("flops")
    run(at)
    go_to(at, "scaling.py")
    assert "You predicted 3.00×" in texts(at)
    at.query_params["step"] = "3"
    run(at)
    assert WAITING in texts(at)
    at.query_params["step"] = "2"
    assert "You predicted 3.00×" in texts(run(at))


def test_the_end_of_a_lesson_frees_the_page() -> None:
    chosen = lesson("compound_scaling")
    at = step_page(chosen, 2)
    at.button(key="lesson_end").click()
    run(at)
    assert "lesson" not in at.query_params
    assert "Step 2 of" not in texts(at)
    assert not control(at, "phi").disabled
    assert metrics(run(at))


@pytest.mark.parametrize(
    ("query", "ignored"),
    [
        ({"lesson": "nothing"}, "lesson = nothing"),
        ({"lesson": "compound_scaling", "step": "99"}, "step = 99"),
        ({"lesson": "compound_scaling", "step": "<b>"}, "step = <b>"),
    ],
)
def test_an_illegal_lesson_or_step_is_ignored(query: dict[str, str], ignored: str) -> None:
    at = open_page("scaling", **query)
    assert failures(at) == []
    if query["lesson"] == "nothing":
        assert ignored in line(at)
        assert metrics(at)
    else:
        assert "<strong>Lesson 1</strong> · Step 1 of" in texts(at)


def test_a_goal_is_checked_on_the_network_of_the_page() -> None:
    chosen = lesson("compound_scaling")
    number = step_number(chosen, "budget")
    at = step_page(chosen, number)
    predict(at, chosen, chosen.steps[number - 1], 2)
    assert "✗ Resolution (px): 195 (at least 224)" in texts(at)
    control(at, "gamma").set_value(1.0)
    control(at, "phi").set_value(-2.0)
    run(at)
    assert "✓ Goal met<" in texts(at)
    control(at, "phi").set_value(1.0)
    assert "✗ Goal met before, not now" in texts(run(at))


def test_the_goal_of_the_studio() -> None:
    chosen = lesson("design")
    at = step_page(chosen, step_number(chosen, "budget"))
    assert "Goal:" in texts(at)
    at.number_input(key="set_width_mult").set_value(0.25)
    run(at)
    at.text_input(key="set_resolution").set_value("128")
    assert "✓ Goal met<" in texts(run(at))


def test_a_step_keeps_the_design_of_the_step_before() -> None:
    chosen = lesson("design")
    number = step_number(chosen, "use")
    at = step_page(chosen, number - 1)
    before = at.query_params["design"]
    at.number_input(key="set_width_mult").set_value(0.25)
    run(at)
    assert at.query_params["design"] != before
    following = next(entry.proto for entry in at.get("page_link") if entry.proto.label.startswith("Next"))
    assert parse_qs(following.query_string)["design"] == [at.query_params["design"]]
    # A link from outside has the design of the lesson.
    alone = step_page(chosen, number)
    predict(alone, chosen, chosen.steps[number - 1], 0)
    assert alone.number_input(key="set_width_mult").value == 0.25
    assert alone.text_input(key="set_resolution").value == "128"


RECORD: dict[str, Any] = {
    "compound_scaling": {
        "depth": {"guess": 3.0, "met": True}, "width": {"guess": float("1e300")}, "one_axis": {"guess": 1.5},
        "nothing": {"guess": 1}, "promise": {"guess": "7"}, "budget": {"met": True}, "staircase": [], "family": {},
        "returns": {"guess": True},
    },
    "nothing": {"depth": {"guess": 1}}, "mobilenet": [],
}  # fmt: skip


def test_a_record_of_the_browser_is_checked() -> None:
    def script() -> None:
        import json

        import streamlit as st
        from test_lessons_record import RECORD

        from effviz.ui import playing

        playing.restore(RECORD)
        st.code(json.dumps(playing.every_answer()))

    import sys
    import types

    sys.modules["test_lessons_record"] = types.ModuleType("test_lessons_record")
    sys.modules["test_lessons_record"].RECORD = RECORD  # type: ignore[attr-defined]
    at = AppTest.from_function(script).run()
    assert not at.exception
    assert at.code[0].value == '{"compound_scaling": {"depth": {"guess": 3.0}, "budget": {"met": true}}}'


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ('{"a": 1}', {"a": 1}), ("", {}), ("[1]", {}), ("{", {}), ('{"a": NaN}', {}), ("[" * 1000, {}),
        ('{"a": "' + "x" * 70_000 + '"}', {}), ('{"a": 1e999}', {"a": float("inf")}),
    ],
)  # fmt: skip
def test_text_of_the_browser_is_checked(text: str, record: dict[str, Any]) -> None:
    assert browser_storage._checked(text) == record


def test_the_list_shows_progress_and_the_material() -> None:
    at = open_page("lessons")
    starts = [f"Start lesson {number}" for number in range(1, 5)]
    assert [entry.proto.label for entry in at.get("page_link")] == [*starts, "Open a classroom"]
    chosen = lesson("compound_scaling")
    at = step_page(chosen, 2)
    predict(at, chosen, chosen.steps[1], 3.0)
    go_to(at, "lessons.py")
    assert "1 of 11 questions answered" in texts(at)
    assert at.get("page_link")[1].proto.label == "Continue lesson 1"
    at.button(key="forget_compound_scaling").click()
    run(at)
    assert "questions answered" not in texts(at)


def test_worksheets_are_offered_for_a_number() -> None:
    at = open_page("lessons", part="Worksheets", seed="7", of="Design under a budget")
    assert line(at) == ""
    assert [entry.proto.label for entry in at.get("download_button")] == [
        "Worksheet as HTML", "Worksheet as Markdown", "Key as HTML", "Key as Markdown",
    ]  # fmt: skip


def next_step(at: AppTest, chosen: Lesson, number: int) -> AppTest:
    """The step after `number` by its link, with the parameters that the browser keeps."""
    step = chosen.steps[number]
    link = next(entry.proto for entry in at.get("page_link") if entry.proto.label == f"Next: {step.title}")
    for key in set(at.query_params) - EVERYWHERE:
        del at.query_params[key]
    for key, (value,) in parse_qs(link.query_string).items():
        at.query_params[key] = value
    return run(at) if step.page == chosen.steps[number - 1].page else go_to(at, f"{step.page}.py")


@pytest.mark.parametrize("name", ORDER)
def test_a_step_is_the_same_after_the_step_before_and_from_a_link(name: str) -> None:
    chosen = lesson(name)
    at = step_page(chosen, 1)
    for number, step in enumerate(chosen.steps, 1):
        alone = step_page(chosen, number)
        for page in (at, alone):
            if step.prediction is not None and WAITING in texts(page):
                predict(page, chosen, step, 0)
        if not step.keeps:
            assert sorted(words_on_show(at)) == sorted(words_on_show(alone)), step.name
            assert values(at) == values(alone), step.name
        if number < len(chosen.steps):
            next_step(at, chosen, number)
