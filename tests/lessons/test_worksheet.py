"""Worksheets: the same seed gives the same sheet, different seeds differ in every numeric answer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from effviz import DesignError
from effviz.lessons import printing
from effviz.lessons.lesson import ORDER, lesson
from effviz.lessons.schema import LessonError
from effviz.lessons.worksheet import SEEDS, check_variants, worksheet

every_lesson = pytest.mark.parametrize("name", ORDER)


@every_lesson
def test_all_seeds_differ_in_every_numeric_answer(name: str) -> None:
    check_variants(lesson(name))


@every_lesson
def test_the_same_seed_gives_the_same_worksheet(name: str) -> None:
    made = [printing.page(worksheet.__wrapped__(lesson(name), 7), key=True) for _ in range(2)]
    assert made[0] == made[1]
    one, two = worksheet(lesson(name), 7), worksheet(lesson(name), 8)
    numeric = [(a, b) for a, b in zip(one.questions, two.questions, strict=True) if a.value is not None]
    assert [each.title for each in one.questions] == [
        step.title for step in lesson(name).steps if step.prediction is not None
    ], "every step with a prediction has a question"
    assert len(numeric) >= 4
    assert all(a.answer != b.answer and a.text != b.text for a, b in numeric)


@every_lesson
def test_the_key_has_the_answers_and_the_worksheet_has_not(name: str) -> None:
    sheet = worksheet(lesson(name), 3)
    for write in (printing.page, printing.markdown):
        key, blank = write(sheet, key=True), write(sheet)
        for question in sheet.questions:
            if question.value is not None:
                assert question.answer in key
                assert question.answer not in blank
    for text in (printing.page(sheet), printing.page(sheet, key=True)):
        assert "@media print" in text
        assert not re.search(r"\\[a-z]|\$|\[\[", text.partition("<body>")[2]), "LaTeX and places are replaced"


@every_lesson
def test_notes_have_times_and_questions(name: str) -> None:
    made = lesson(name)
    text = printing.notes(made)
    assert printing.timing(made)[0][0] == 0
    assert all(step.title in text and step.teacher in text for step in made.steps)
    assert all(question in text for question, _ in made.questions)


@pytest.mark.parametrize("seed", [0, SEEDS + 1, 1.5])
def test_a_seed_is_between_1_and_the_number_of_worksheets(seed: float) -> None:
    with pytest.raises(DesignError, match="seed = "):
        worksheet(lesson("design"), seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (slice(50), "prediction.draw: seeds 1 and 51 have the same"),
        (slice(0), "prediction: the number is the same for"),
    ],
)
def test_equal_answers_are_found(values: slice, problem: str) -> None:
    made = lesson("compound_scaling")
    (step,) = (step for step in made.steps if step.name == "promise")
    assert step.sheet is not None
    few = {name: drawn[values] for name, drawn in step.sheet.draw.items() if drawn[values]}
    broken = replace(made, steps=(replace(step, sheet=replace(step.sheet, draw=few)),))
    with pytest.raises(LessonError, match=re.escape(f'step "promise", field {problem}')):
        check_variants(broken)


def test_formulas_in_print() -> None:
    assert printing.rich(r"$(1 + r) / (2 \sqrt{r})$ or $\sqrt{a + b}$") == "(1 + r) / (2 √r) or √(a + b)"
    assert printing.rich("Run `f(a < b)`.") == "Run <code>f(a &lt; b)</code>."
    assert printing.rich(r"$\alpha \cdot \beta^2$ < 2") == "α · β<sup>2</sup> &lt; 2"
    assert printing.rich(r"$\frac{1}{C_{out}} + \frac{1}{K^2}$") == "1 / C<sub>out</sub> + 1 / K<sup>2</sup>"
