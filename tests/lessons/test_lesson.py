"""Files of lessons: errors that name file, step and field; predictions; goals."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import effviz
from effviz.lessons.goals import goal_of
from effviz.lessons.lesson import ORDER, lesson, read
from effviz.lessons.prediction import Form, fill
from effviz.lessons.schema import LessonError
from effviz.ui.navigation import PAGES

QUESTION = {
    "question": "How many at φ = [[phi]]?",
    "unit": "×",
    "given": {"phi": 1},
    "answer": {"function": "promised", "phi": "$phi"},
}


def content(**changes: Any) -> dict[str, Any]:
    step = {"name": "one", "title": "One", "minutes": 20, "text": "Text.", "page": "scaling", "prediction": QUESTION}
    whole = {
        "title": "Title", "summary": "Summary.", "learn": ["a"], "notes": ["b"],
        "questions": [{"question": "q", "answer": "a"}] * 3, "steps": [step | changes, step | {"name": "two"}],
    }  # fmt: skip
    return whole


def written(folder: Path, made: Any) -> Path:
    path = folder / "broken.yaml"
    path.write_text(made if isinstance(made, str) else yaml.safe_dump(made, allow_unicode=True), encoding="utf-8")
    return path


def test_a_correct_file_is_read(tmp_path: Path) -> None:
    made = read(written(tmp_path, content()))
    assert [step.name for step in made.steps] == ["one", "two"]
    assert made.steps[0].prediction is not None
    assert made.steps[0].prediction.asked() == "How many at φ = 1?"


CHOICES = [{"text": "a", "reason": "r", "above": 0, "below": 1}, {"text": "b", "reason": "r", "above": 2.5}]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"minutes": "long"}, "step \"one\", field minutes: 'long' is not of type 'integer'"),
        ({"titel": "One"}, "'titel' was unexpected"),
        ({"state": {"phi": 1}}, 'step "one", field state.phi: 1 is not valid'),
        ({"page": "scalng"}, "step \"one\", field page: 'scalng' is unknown. Choices: architectures, "),
        ({"name": "two"}, 'step "two", field name: another step has the same name'),
        ({"text": "[[nothing]]"}, "step \"one\", field text: place = 'nothing' is unknown"),
        ({"numbers": {"a": {"function": "nothing"}}}, 'step "one", field numbers.a: function'),
        ({"prediction": QUESTION | {"tolerance": -1}}, 'step "one", field prediction.tolerance: -1'),
        ({"prediction": QUESTION | {"given": {}}}, 'step "one", field prediction.question: place'),
        ({"prediction": {"question": "?"}}, 'step "one", field prediction: needs an answer or choices'),
        ({"prediction": QUESTION | {"choices": CHOICES}}, 'step "one", field prediction.right: is missing'),
        ({"prediction": QUESTION | {"choices": CHOICES, "right": "within"}}, "not exactly one contains"),
        ({"prediction": QUESTION | {"choices": CHOICES, "right": "largest"}}, "every choice needs a value"),
        ({"goal": {"text": "g", "limits": [{"quantity": "weight"}]}}, 'step "one", field goal: quantity'),
        ({"state": {"design": {"architecture": "nothing"}}}, 'step "one", field state.design: '),
        (
            {"prediction": QUESTION | {"naive": [{"value": {"function": "promised"}, "reason": "r"}]}},
            'step "one", field prediction.naive: 1.92× is the answer',
        ),
        (
            {"prediction": QUESTION | {"naive": [{"value": {"function": "nothing"}, "reason": "r"}]}},
            'step "one", field prediction.naive: function',
        ),
        (
            {"goal": {"text": "g", "limits": [{"quantity": "macs"}], "after": "[[no]]"}},
            'step "one", field goal.after: place',
        ),
    ],
)
def test_an_error_names_file_step_and_field(changes: dict[str, Any], where: str, tmp_path: Path) -> None:
    with pytest.raises(LessonError) as caught:
        read(written(tmp_path, content(**changes)))
    assert str(caught.value).startswith("broken.yaml, ")
    assert where in str(caught.value)


@pytest.mark.parametrize("step", ["two", "nothing"])
def test_a_common_mistake_needs_a_step_that_judges_it(step: str, tmp_path: Path) -> None:
    made = content() | {"mistakes": [{"mistake": "m", "answer": "a", "step": step}]}
    with pytest.raises(LessonError, match=f"field mistakes: the step '{step}' has neither"):
        read(written(tmp_path, made))


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "!!python/object/apply:os.system ['true']", "{[a]: 1, {b: 1}: 2}"])
def test_a_file_that_is_no_lesson(text: str, tmp_path: Path) -> None:
    with pytest.raises(LessonError, match=r"^broken\.yaml: "):
        read(written(tmp_path, text))


def test_a_repeated_field_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LessonError, match=r"^broken\.yaml: the field 'a' is repeated in .* line 3"):
        read(written(tmp_path, "numbers:\n  a: 1\n  a: 2\n"))


@pytest.mark.parametrize("name", ORDER)
def test_steps_are_played_on_pages_and_take_their_time(name: str) -> None:
    made = lesson(name)
    assert 35 <= made.minutes <= 45
    assert 8 <= len(made.steps) <= 12
    assert {step.page for step in made.steps} <= {page.url_path for page in PAGES}
    assert all(step.teacher and step.look for step in made.steps)
    assert sum(step.prediction is not None for step in made.steps) >= 7
    assert any(step.goal is not None for step in made.steps)


def test_a_number_within_the_tolerance_is_right() -> None:
    (step,) = (step for step in lesson("compound_scaling").steps if step.name == "depth")
    prediction = step.prediction
    assert prediction is not None
    answer = prediction.value()
    assert prediction.is_right(answer * 1.079)
    assert not prediction.is_right(answer * 1.081)
    assert prediction.error(2 * answer) == pytest.approx(100)
    assert [prediction.distance(factor * answer) for factor in (0.5, 1.214, 31)] == [
        "50 % too low", "21 % too high", "3,000 % too high",
    ]  # fmt: skip


def read_number(text: str, *, is_si: bool) -> float:
    """Read a number, and its prefix if that is not part of the unit: ``3.17 G multiply-adds``."""
    found = re.match(r"([-0-9.,]+) ?([kMG]?)\b", text.replace("\N{MINUS SIGN}", "-"))
    assert found is not None, text
    return float(found[1].replace(",", "")) * ({"k": 1e3, "M": 1e6, "G": 1e9}.get(found[2], 1) if is_si else 1)


@pytest.mark.parametrize("name", ORDER)
def test_the_numbers_that_count_as_correct_are_those_that_are_right(name: str) -> None:
    numeric = [step.prediction for step in lesson(name).steps if step.prediction and not step.prediction.choices]
    for prediction in numeric:
        shown = prediction.accepted().removesuffix(" count as correct")
        ends = [read_number(end, is_si=prediction.form.digits == "si") for end in shown.split(" to ")]
        assert all(map(prediction.is_right, ends)), (prediction.question, shown)


def test_the_error_of_a_percentage_is_in_points() -> None:
    prediction = lesson("mobilenet").steps[3].prediction
    assert prediction is not None
    assert prediction.distance(prediction.value() - 40.25) == "40.2 percentage points too low"


def test_a_number_and_its_unit_stay_in_one_line() -> None:
    assert (
        fill("At [[a]] of 3 M, 16 blocks and 5 or 6", {"a": "9.4 %"})
        == "At 9.4\xa0% of 3\xa0M, 16\xa0blocks and 5 or 6"
    )


def test_numbers_are_written_with_their_unit() -> None:
    assert [Form("×").show(2.0279), Form("%").show(9.435), Form("blocks").show(23), Form("", "si").show(385814752)] == [
        "2.03×", "9.4 %", "23 blocks", "385.8 M",
    ]  # fmt: skip
    assert [Form("×").precise.show(2.0279), Form("px").precise.show(23)] == ["2.0279×", "23 px"]


def test_a_goal_compares_every_limit() -> None:
    highest = {"function": "highest_resolution", "of": {"architecture": "mobilenet_v2"}, "limit": 300e6}
    goal = goal_of({"text": "g", "limits": [
        {"quantity": "macs", "at_most": 300e6}, {"quantity": "resolution", "at_least": highest},
        {"quantity": "findings", "at_most": 3}, {"quantity": "blocks", "at_least": 17},
    ]})  # fmt: skip
    reports = [effviz.analyze(effviz.architecture("mobilenet_v2", resolution=side)) for side in (218, 220, 222)]
    assert [goal.is_met(report) for report in reports] == [False, True, False]
    assert [each.is_met for each in goal.check(reports[0])] == [True, False, True, True]
    assert goal.check(reports[1])[1].text == "Resolution (px): 220 (at least 220)"
