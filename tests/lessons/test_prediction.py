"""Judgement of predictions: naive answers are wrong and explained, whatever the tolerance."""

from __future__ import annotations

import pytest

from effviz.lessons import printing
from effviz.lessons.lesson import ORDER, lesson

every_lesson = pytest.mark.parametrize("name", ORDER)


@every_lesson
def test_every_naive_answer_is_wrong_and_explained(name: str) -> None:
    for step in lesson(name).steps:
        asked = step.prediction
        if asked is None or asked.choices:
            continue
        assert asked.naive, f"{step.name} has a number, but no answer that is documented as wrong"
        for value, naive in zip(asked.naive_values(), asked.naive, strict=True):
            # Also as a student would round it.
            for guess in (value, float(f"{value:.2g}"), float(f"{value:.3g}")):
                assert not asked.is_right(guess), (step.name, guess)
            assert asked.mistake(value) is naive
            shown, hint = asked.show(value), asked.hint(value)
            assert hint in (f"{shown} is wrong: {naive.reason}", naive.reason.replace("That is", f"{shown} is", 1))
            assert "is wrong: That" not in hint
        assert asked.is_right(asked.value())
        assert asked.mistake(asked.value()) is None


@every_lesson
def test_a_common_mistake_names_a_step_that_judges_it(name: str) -> None:
    made = lesson(name)
    assert any(each.step for each in made.mistakes)
    for each in made.mistakes:
        asked = made.steps[each.step - 1].prediction if each.step else None
        assert each.step == 0 or (asked is not None and (asked.naive or asked.choices)), each.mistake


def test_a_promise_is_no_built_network() -> None:
    (step,) = (step for step in lesson("compound_scaling").steps if step.name == "promise")
    asked = step.prediction
    assert asked is not None
    built = asked.value()
    promised, doubled = 0.385814752 * (1.2 * 1.1**2 * 1.15**2) ** 3, 0.385814752 * 2**3
    for guess in (2.7, 2.73, promised):
        assert not asked.is_right(guess)
        naive = asked.mistake(guess)
        assert naive is not None
        assert "the promise" in naive.reason
    # Within the tolerance, but closer to the exact doubling.
    assert asked.error(doubled) < asked.tolerance
    assert not asked.is_right(doubled)
    assert asked.is_right(0.95 * built + 0.05 * doubled)


def test_an_error_has_a_sign_and_a_unit() -> None:
    returns = next(step.prediction for step in lesson("compound_scaling").steps if step.name == "returns")
    depth = next(step.prediction for step in lesson("compound_scaling").steps if step.name == "depth")
    assert returns is not None
    assert depth is not None
    assert returns.signed_error(1.0) == (pytest.approx(0.7), "points")
    assert returns.distance(1.0) == "0.7 points too high"
    error, unit = depth.signed_error(depth.value() / 2)
    assert (error, unit) == (pytest.approx(-50), "%")


@every_lesson
def test_the_notes_have_every_answer_as_the_class_plays_it(name: str) -> None:
    made = lesson(name)
    notes = printing.notes(made)
    for step in made.steps:
        asked = step.prediction
        if asked is not None:
            assert asked.asked() in notes
            assert f"Answer: **{asked.show(asked.value())}**" in notes
        if step.goal is not None:
            assert f"Goal: {step.goal.text}" in notes


@every_lesson
def test_the_timetable_has_time_to_join_and_optional_steps(name: str) -> None:
    made = lesson(name)
    table = printing.timetable(made)
    assert table.splitlines()[2].startswith("| 0 | Join |")
    optional = sum(step.minutes for step in made.steps if step.optional)
    assert optional > 0
    assert made.minutes + printing.JOINING - optional <= 45
    assert table.count("(optional)") == sum(step.optional for step in made.steps)
