"""Worksheets of a lesson with an answer key: the questions of its steps, with other numbers for every student."""

from __future__ import annotations

import itertools
import math
import random
import zlib
from dataclasses import dataclass
from typing import Any

from effviz.core.caches import remembered
from effviz.core.errors import whole
from effviz.lessons.lesson import Lesson, Step
from effviz.lessons.prediction import Prediction
from effviz.lessons.schema import broken

SEEDS = 99
"""Worksheets that differ in every numeric answer: seeds from 1 to this number."""

_LETTERS = "ABCDE"
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Question:
    """One question of a worksheet.

    Attributes:
        title: of the step.
        text: the question with its numbers.
        options: of a choice, in the order of this worksheet; empty for a number.
        unit: of a number.
        answer: with unit, or with the letter of the option.
        value: the number; None for a choice.
        solution: how to find the answer.
        page: address of the page on which the step is played.
        tolerance: of a number, in per cent of the answer.
    """

    title: str
    text: str
    options: tuple[str, ...]
    unit: str
    answer: str
    value: float | None
    solution: str
    page: str
    tolerance: float = 0.0


@dataclass(frozen=True)
class Worksheet:
    """The questions for one student.

    Attributes:
        lesson: title of the lesson.
        name: of its file.
        seed: number of the student.
        questions: in the order of the lesson.
    """

    lesson: str
    name: str
    seed: int
    questions: tuple[Question, ...]


def variants(prediction: Prediction) -> int:
    """Return the number of different values that a question can have."""
    return math.prod(len(values) for values in prediction.draw.values())


def drawn(step: Step, seed: int) -> dict[str, Any]:
    """Return the values of the question of a step for a seed. Seeds up to `SEEDS` have different values."""
    prediction = step.sheet
    if prediction is None or not prediction.draw:
        return {}
    count = variants(prediction)
    # Steps of about the golden ratio: successive seeds get very different values.
    stride = next(each for each in itertools.count(max(1, round(count * _GOLDEN))) if math.gcd(each, count) == 1)
    place = (zlib.crc32(step.name.encode()) + seed * stride) % count
    chosen = {}
    for name, values in prediction.draw.items():
        place, own = divmod(place, len(values))
        chosen[name] = values[own]
    return chosen


@remembered
def worksheet(chosen: Lesson, seed: int) -> Worksheet:
    """Return the worksheet of a lesson for a seed from 1 to `SEEDS`; the same seed gives the same worksheet."""
    seed = whole("seed", seed, 1, SEEDS)
    found = tuple(_question(step, step.sheet, seed) for step in chosen.steps if step.sheet is not None)
    return Worksheet(chosen.title, chosen.name, seed, found)


def _question(step: Step, prediction: Prediction, seed: int) -> Question:
    if prediction.choices:
        return _choice(step, prediction, seed)
    given = {**prediction.given, **drawn(step, seed)}
    value = prediction.value(given)
    return Question(
        step.title, prediction.asked(given), (), prediction.form.unit, prediction.form.precise.show(value), value,
        prediction.solution, step.page, prediction.tolerance,
    )  # fmt: skip


def _choice(step: Step, prediction: Prediction, seed: int) -> Question:
    order = list(range(len(prediction.choices)))
    random.Random(f"{step.name} {seed}").shuffle(order)
    right = int(prediction.value())
    letter = _LETTERS[order.index(right)]
    chosen = prediction.choices[right]
    return Question(
        step.title, prediction.asked(), tuple(prediction.choices[place].text for place in order), "",
        f"{letter}: {chosen.text}", None, chosen.reason, step.page,
    )  # fmt: skip


def letter(place: int) -> str:
    """Return the letter of an option."""
    return _LETTERS[place]


def check_variants(chosen: Lesson) -> None:
    """Check that every question with a number is in the worksheets, and that all seeds have different answers to it.

    Raises:
        LessonError: a question without values to draw, or two seeds have the same answer to a question.
    """
    for step in chosen.steps:
        asked = step.sheet
        if asked is None or asked.choices:
            continue
        if not asked.draw:
            problem = (
                "the number is the same for all students; add values to `draw`, or a `worksheet` with another question"
            )
            raise broken(f"{chosen.name}.yaml", step.name, "prediction", problem)
        seen: dict[str, int] = {}
        for seed in range(1, SEEDS + 1):
            given = {**asked.given, **drawn(step, seed)}
            answer = asked.form.precise.show(asked.value(given))
            if answer in seen:
                problem = f"seeds {seen[answer]} and {seed} have the same answer, {answer}"
                raise broken(f"{chosen.name}.yaml", step.name, "prediction.draw", problem)
            seen[answer] = seed
