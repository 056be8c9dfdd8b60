"""Results of a class as CSV."""

from __future__ import annotations

import csv
import io

from effviz.lessons.lesson import ORDER, lesson
from effviz.lessons.results import COLUMNS, results_csv
from effviz.lessons.rooms import MemberResult


def test_a_row_per_prediction_and_goal() -> None:
    chosen = lesson(ORDER[0])
    (goal,) = (place for place, step in enumerate(chosen.steps) if step.goal)
    asked = [(place, step.prediction) for place, step in enumerate(chosen.steps) if step.prediction]
    places = {bool(prediction.choices): place for place, prediction in reversed(asked)}
    number, choice = chosen.steps[places[False]], chosen.steps[places[True]]
    assert number.prediction is not None
    assert choice.prediction is not None
    truth, right = number.prediction.value(), int(choice.prediction.value())
    results = [
        MemberResult("=Ada,\"'", {places[False]: truth}, frozenset({goal})),
        MemberResult("Bob\n", {places[False]: 2 * truth, places[True]: right}, frozenset(), frozenset({places[False]})),
    ]
    header, *rows = csv.reader(io.StringIO(results_csv(chosen, results)))
    assert tuple(header) == COLUMNS
    first, last = [str(places[False] + 1), number.title], [str(goal + 1), chosen.steps[goal].title]
    points = "percentage points"
    unit, option = number.prediction.form.unit, choice.prediction.choices[right].text
    said = ["", "", "", "", "", "", ""]
    assert rows == [
        ["'=Ada,\"'", *first, f"{truth:.10g}", f"{truth:.10g}", unit, "0.0", points, "yes", "no", ""],
        ["'=Ada,\"'", *last, *said, "yes"],
        ["Bob\n", *first, f"{2 * truth:.10g}", f"{truth:.10g}", unit, f"{truth:.1f}", points, "no", "yes", ""],
        ["Bob\n", str(places[True] + 1), choice.title, option, option, "", "", "", "yes", "no", ""],
        ["Bob\n", *last, *said, "no"],
    ]
