"""Results of a class as CSV."""

from __future__ import annotations

import csv
import io

from effviz.lessons.lesson import ORDER, lesson
from effviz.lessons.results import COLUMNS, results_csv


def test_a_row_per_prediction() -> None:
    chosen = lesson(ORDER[0])
    places = {bool(step.prediction.choices): place for place, step in enumerate(chosen.steps) if step.prediction}
    number, choice = chosen.steps[places[False]], chosen.steps[places[True]]
    assert number.prediction is not None
    assert choice.prediction is not None
    truth, right = number.prediction.value(), int(choice.prediction.value())
    answers = [("=Ada,\"'", places[False], truth), ("Bob\n", places[False], 2 * truth), ("Eve", places[True], right)]
    header, *rows = csv.reader(io.StringIO(results_csv(chosen, answers)))
    assert tuple(header) == COLUMNS
    unit = number.prediction.form.unit
    assert rows == [
        ["'=Ada,\"'", str(places[False] + 1), number.title, f"{truth:.10g}", f"{truth:.10g}", unit, "0.0", "yes"],
        ["Bob\n", str(places[False] + 1), number.title, f"{2 * truth:.10g}", f"{truth:.10g}", unit, "100.0", "no"],
        ["Eve", str(places[True] + 1), choice.title, *[choice.prediction.choices[right].text] * 2, "", "", "yes"],
    ]
