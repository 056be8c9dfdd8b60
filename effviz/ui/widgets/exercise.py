"""Exercises: the reader predicts a number, then reveals it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from effviz.core.errors import DesignError
from effviz.core.units import percent

_FORMS = {"×": "{:.2f}×", "%": "{:.1f} %"}


@dataclass(frozen=True)
class Exercise:
    """One question about the settings on screen.

    Attributes:
        key: unique on the page.
        question: a sentence or two, in Markdown.
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

    Example:
        >>> exercises(
        ...     Exercise("half", "The resolution is halved. What percentage of the multiply-adds remains?", "%",
        ...              100 * half.macs / report.macs, "Every map has a quarter of the pixels."),
        ... )
    """
    # A grid of the style sheet: columns would send a message each.
    with st.container(key="exercises"):
        for entry in filter(None, entries):
            exercise(entry)


def exercise(entry: Exercise) -> None:
    """Show one question with an input for the guess and a button that reveals the answer."""
    # The question takes a whole line of the container, input and button share the next one.
    with st.container(border=True, horizontal=True, vertical_alignment="bottom", key=f"exercise_{entry.key}"):
        st.markdown(entry.question)
        guess = st.number_input(
            f"Your guess ({entry.unit})", value=None, key=f"{entry.key}_guess", width=220, min_value=0.0
        )
        # Never disabled: the click that leaves the input is the one that reveals.
        if st.button("Reveal", key=f"{entry.key}_reveal"):
            st.markdown("Enter a guess first." if guess is None else _verdict(entry, guess))


def _verdict(entry: Exercise, guess: float) -> str:
    try:
        answer = entry.answer() if callable(entry.answer) else entry.answer
    except DesignError as error:
        return f"No such network can be built. {error}"
    off = abs(guess - answer) / answer if answer else abs(guess)
    verdict = "Correct." if off < 0.02 else f"Off by {percent(off)} of the answer."
    return f"**{entry.show(answer)}** (your guess: {entry.show(guess)}). {verdict} {entry.why}"
