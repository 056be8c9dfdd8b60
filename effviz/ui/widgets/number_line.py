"""A number line with a prediction, the answer, and the numbers that count as correct."""

from __future__ import annotations

import math
from typing import NamedTuple

from effviz.core.text import html_text

_FAR = 8.0
"""From this ratio of two numbers on, the line is logarithmic: otherwise the smaller one would be at its end."""
_ROOM = 0.06  # of the line, at an end that is not 0


class Spot(NamedTuple):
    """A number on the line, and what it is: ``1.97``, ``"Answer 1.97×"``."""

    value: float
    text: str


def number_line(answer: Spot, guess: Spot, correct: tuple[float, float]) -> str:
    """Draw the line as HTML, hidden from screen readers: the text beside it has the same numbers.

    Args:
        answer: above the line.
        guess: below it.
        correct: the lowest and the highest number that count as correct.
    """
    low, high = correct
    values = [answer.value, guess.value, low, high]
    is_linear = min(values) <= 0 or max(values) <= _FAR * min(values)
    if not is_linear:
        at = [math.log(value) for value in values]
        start, end = min(at), max(at)
    else:
        at, start, end = values, min(0.0, *values), max(0.0, *values)
    room = _ROOM * (end - start or 1.0)
    has_zero = is_linear and start == 0
    start, end = start - room * (not has_zero), end + room * (not is_linear or end != 0)
    true, said, first, last = (100 * (value - start) / (end - start) for value in at)
    zero = '<i class="zero">0</i>' if has_zero else ""
    return (
        '<div class="number_line" aria-hidden="true">'
        f'<i class="band" style="left:{first:.1f}%;width:{last - first:.1f}%"></i>{zero}'
        f"{_spot('answer', answer, true)}{_spot('guess', guess, said)}</div>"
    )


def _spot(kind: str, spot: Spot, at: float) -> str:
    # The text of a mark near an end reaches towards the middle.
    side = "right" if at > 75 else "left" if at < 25 else "middle"
    return f'<i class="{kind} {side}" style="left:{at:.1f}%"><b>{html_text(spot.text)}</b></i>'
