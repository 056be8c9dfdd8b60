"""Drawings of the course of a class in a room, with captions."""

from __future__ import annotations

from effviz.core.caches import remembered
from effviz.ui.ideas.shapes import drawing, label, path, rect

_CELL = 4  # pixels of a drawn code of 15 x 15 cells
_CORNERS = ((0, 0), (8, 0), (0, 8))  # cells of the three squares, each of 7 x 7
_CELLS = (
    (8, 8),
    (10, 9),
    (12, 8),
    (14, 10),
    (9, 11),
    (11, 12),
    (13, 13),
    (8, 14),
    (10, 14),
    (14, 14),
)  # other dark cells
_ANSWERS = (14, 34, 52, 24, 10)  # heights of drawn bars; the third one has the answer


@remembered
def course_of_room() -> str:
    """Return the drawings as HTML."""
    steps = (
        ("Open a room", "The screen shows a code and a QR code. Students join with any browser.", _screen()),
        (
            "Students predict",
            "Each step has a question. The numbers of the page stay hidden until the answer is revealed.",
            _phones(),
        ),
        ("Reveal the answer", "The screen shows all predictions. Then the controls of the page appear.", _result()),
    )
    rows = "".join(
        f'<li><div class="subject_head">{figure}</div><strong>{place}. {title}</strong><p>{text}</p></li>'
        for place, (title, text, figure) in enumerate(steps, 1)
    )
    return f'<ol class="room_course" aria-label="In a room">{rows}</ol>'


def _screen() -> str:
    squares = [
        (x + inset, y + inset, 7 - 2 * inset, kind)
        for x, y in _CORNERS for inset, kind in enumerate(("accent", "paper", "accent"))
    ] + [(x, y, 1, "accent") for x, y in _CELLS]  # fmt: skip
    code = "".join(
        rect(46 + _CELL * x, 19 + _CELL * y, _CELL * size, _CELL * size, kind) for x, y, size, kind in squares
    )
    return drawing(
        "A screen with a QR code and the code of a room.", rect(30, 8, 200, 82), code,
        label(165, 60, "K A B C D"), path("M130 90V104M95 104H165"),
    )  # fmt: skip


def _phones() -> str:
    phones = "".join(
        rect(left, 12, 48, 88) + label(left + 24, 48, "?") + rect(left + 8, 76, 32, 12, "accent")
        for left in (36, 106, 176)
    )
    return drawing("Three phones, each with a question and a field for the prediction.", phones)


def _result() -> str:
    bars = "".join(
        rect(58 + 30 * place, 84 - high, 24, high, "accent" if place == 2 else "ghost")
        for place, high in enumerate(_ANSWERS)
    )
    return drawing(
        "A screen with the predictions of a class as bars, the one with the answer in color.", rect(30, 8, 200, 82),
        bars, label(130, 26, "answer"), path("M130 90V104M95 104H165"),
    )  # fmt: skip
