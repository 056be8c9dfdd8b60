"""Results of a class as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from effviz.core.text import csv_text
from effviz.lessons.lesson import Lesson

COLUMNS = ("student", "step", "title", "prediction", "answer", "unit", "error in %", "correct")


def results_csv(lesson: Lesson, answers: Iterable[tuple[str, int, float]]) -> str:
    """Write the predictions of a class as CSV, one row per student and step.

    Args:
        lesson: of the room.
        answers: name of the student, place of the step, and prediction: a number, or the place of a choice.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, place, guess in answers:
        step = lesson.steps[place]
        asked = step.prediction
        if asked is None:
            continue
        truth = asked.value()
        found: list[object] = (
            [asked.show(guess), asked.show(truth), "", ""]
            if asked.choices
            else [f"{guess:.10g}", f"{truth:.10g}", asked.form.unit, f"{asked.error(guess):.1f}"]
        )
        correct = "yes" if asked.is_right(guess) else "no"
        writer.writerow([csv_text(cell) for cell in (name, place + 1, step.title, *found, correct)])
    return text.getvalue()
