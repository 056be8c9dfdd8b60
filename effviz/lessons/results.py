"""Results of a class as a table."""

from __future__ import annotations

from collections.abc import Iterable

from effviz.core.tabular import as_csv
from effviz.lessons.lesson import Lesson
from effviz.lessons.prediction import Prediction
from effviz.lessons.rooms import MemberResult

COLUMNS = (
    "student", "step", "title", "prediction", "answer", "unit", "error", "unit of the error", "correct", "late",
    "goal met",
)  # fmt: skip


def results_csv(lesson: Lesson, results: Iterable[MemberResult]) -> str:
    """Write the predictions and goals of a class as CSV.

    There is one row per student and step, for steps with a goal and for those that the student has answered. An error
    has a sign, and the unit in which the student has seen it. A late prediction was made after the reveal.

    Args:
        lesson: of the room.
        results: of its members; an answer is a number, or the place of a choice.
    """
    rows: list[tuple[object, ...]] = []
    for result in results:
        for place, step in enumerate(lesson.steps):
            guess = result.answers.get(place)
            if guess is None and step.goal is None:
                continue
            goal = "" if step.goal is None else _yes(place in result.met)
            late = "" if guess is None else _yes(place in result.late)
            rows.append((result.name, place + 1, step.title, *_prediction(step.prediction, guess), late, goal))
    return as_csv(COLUMNS, rows)


def _prediction(asked: Prediction | None, guess: float | None) -> list[object]:
    """Return the cells from the prediction to its correctness, empty ones without an answer."""
    if asked is None or guess is None:
        return [""] * 6
    truth, right = asked.value(), _yes(asked.is_right(guess))
    if asked.choices:
        return [asked.show(guess), asked.show(truth), "", "", "", right]
    error, unit = asked.signed_error(guess)
    return [f"{guess:.10g}", f"{truth:.10g}", asked.form.unit, round(error, 1), unit, right]


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
