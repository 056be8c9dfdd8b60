"""Exercises: the reader predicts a number, then reveals it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from effviz.core.errors import DesignError
from effviz.ui import links
from effviz.ui.widgets.component import component

_FORMS = {"×": "{:.2f}×", "%": "{:.1f} %"}


@dataclass(frozen=True)
class Exercise:
    """One question about the settings on screen.

    Attributes:
        key: unique on the page.
        question: a sentence or two of plain text.
        unit: of the guess: ``"×"``, ``"%"`` or a noun.
        answer: the number, or a function that computes it once it is needed.
        why: the explanation shown with the answer.
        form: how a number is written, such as ``"{:.0f} %"``; empty for the unit's usual form.
    """

    key: str
    question: str
    unit: str
    answer: float | Callable[[], float]
    why: str
    form: str = ""

    def show(self, value: float) -> str:
        """Format a guess or the answer."""
        return (self.form or _FORMS.get(self.unit, f"{{:.0f}} {self.unit}")).format(value)


def exercises(*entries: Exercise | None) -> None:
    """Show the "Try this" section; None is left out.

    One component shows all questions, and the browser reveals the answers. A question keeps its numbers while it is
    answered, whatever the controls do.

    Example:
        >>> exercises(
        ...     Exercise("half", "The resolution is halved. What percentage of the multiply-adds remains?", "%",
        ...              100 * half.macs / report.macs, "Every map has a quarter of the pixels."),
        ... )
    """
    script = component("exercise", '<div class="exercises"></div>')
    found = [_data(entry) for entry in entries if entry is not None]
    script(key="exercises", data=orjson.dumps({"page": links.current_page(), "entries": found}))


def exercise(entry: Exercise) -> None:
    """Show one question."""
    exercises(entry)


def _data(entry: Exercise) -> dict[str, Any]:
    """Return the question and its answer for the browser."""
    shown: dict[str, Any] = {"key": entry.key, "question": entry.question, "unit": entry.unit, "why": entry.why}
    try:
        answer = entry.answer() if callable(entry.answer) else entry.answer
    except DesignError as error:
        return shown | {"problem": str(error), "answer": 0, "shown": ""}
    return shown | {"answer": answer, "shown": entry.show(answer), "problem": ""}
