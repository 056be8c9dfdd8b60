"""Names beside marks, at places where they cover no mark, no other name and as few lines as possible."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from effviz.charts.style import Spec
from effviz.core.arguments import check_border

Segment = tuple[float, float, float, float]
"""A straight line: right and up of its first point, then of its second, in pixels from the lower left corner."""

_LETTER, _LINE = 0.45, 1.25
"""Width of a letter and height of a line, in sizes of the font."""
_SPACE = 3
_APART = 4
"""Least distance of a name from the mark of another one in pixels: nearer, it could belong to either."""
_BLOCKED, _CROSSED = 100.0, 1.0


class Mark(NamedTuple):
    """A mark with a name; lengths are in pixels, places are from the lower left corner of the plot."""

    x: float
    y: float
    radius: float
    text: str
    size: int = 12
    needed: bool = False  # has its name even where this covers something


class Rectangle(NamedTuple):
    """A rectangle: left, bottom, right and top."""

    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: "Rectangle") -> bool:
        """Return whether two rectangles overlap."""
        across = min(self.right, other.right) - max(self.left, other.left)
        return across > 0 and min(self.top, other.top) - max(self.bottom, other.bottom) > 0

    def covers(self, mark: Mark) -> bool:
        """Return whether the rectangle is so near to a round mark that it seems to belong to it."""
        x, y = min(max(mark.x, self.left), self.right), min(max(mark.y, self.bottom), self.top)
        return (mark.x - x) ** 2 + (mark.y - y) ** 2 < (mark.radius + _APART) ** 2

    def crossed(self, line: Segment) -> bool:
        """Return whether a line passes through the rectangle."""
        x0, y0, x1, y1 = line
        start, end = 0.0, 1.0
        for step, room in ((x0 - x1, x0 - self.left), (x1 - x0, self.right - x0),
                           (y0 - y1, y0 - self.bottom), (y1 - y0, self.top - y0)):  # fmt: skip
            if not step:
                if room < 0:
                    return False
            elif step < 0:
                start = max(start, room / step)
            else:
                end = min(end, room / step)
        return start < end


def _frame(mark: Mark, across: int, up: int) -> Rectangle:
    """Return the rectangle of a name on one side of its mark; 2 is a line further up than 1."""
    wide, high = _LETTER * mark.size * len(mark.text), _LINE * mark.size
    right, above = _shift(mark, across, up)
    up = min(max(up, -1), 1)
    left = mark.x + right + wide * (across - 1) / 2
    bottom = mark.y + above + high * (up - 1) / 2
    return Rectangle(left, bottom, left + wide, bottom + high)


def _shift(mark: Mark, across: int, up: int) -> tuple[float, float]:
    """Return the distance of a name from the middle of its mark, to the right and up."""
    away = 0.75 * mark.radius if across and up else mark.radius + (_SPACE if across else 0)
    if abs(up) > 1:
        return 0.0, math.copysign(away + _LINE * mark.size, up)
    return across * away, up * away


def named(
    marks: Sequence[Mark], area: tuple[float, float], *, lines: Sequence[Segment] = (), taken: Iterable[Rectangle] = ()
) -> list[Spec | None]:
    """Return how the name of each mark is anchored; None where it would cover something.

    Args:
        marks: the most important first; those without a text have no name, and are covered by none.
        area: width and height of the plot.
        lines: which names should not cross.
        taken: rectangles of other labels.
    """
    used, placed = list(taken), set[Mark]()
    made: list[Spec | None] = []
    row = _Row(marks)
    for mark in marks:
        # Two names at one place would not say which mark is which.
        near = row.between(mark.x - mark.radius, mark.x + mark.radius)
        if not mark.text or any(
            math.dist(mark[:2], other[:2]) < min(mark.radius, other.radius) for other in near if other in placed
        ):
            made.append(None)
            continue
        side = 1 if mark.x <= area[0] / 2 else -1
        sides = [(side, 0), (-side, 0), (0, 1), (0, -1), (-side, 1), (side, -1), (side, 1), (-side, -1)]
        if mark.needed:
            sides += [(side, 2), (-side, 2), (side, -2), (-side, -2)]
        costs = [
            _cost(_frame(mark, *each), mark, row, used, lines, area) + 0.1 * place for place, each in enumerate(sides)
        ]
        least = min(costs)
        if least >= _BLOCKED and not mark.needed:
            made.append(None)
            continue
        best = sides[costs.index(least)]
        used.append(_frame(mark, *best))
        placed.add(mark)
        made.append(_anchored(mark, *best))
    return made


class _Row:
    """Marks from left to right: a name is compared with those near it only."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = sorted(marks)
        self._places = [mark.x for mark in self._marks]
        self._widest = max((mark.radius for mark in marks), default=0.0)

    def between(self, left: float, right: float) -> list[Mark]:
        """Return the marks that reach into a vertical strip."""
        start = bisect_left(self._places, left - self._widest)
        return self._marks[start : bisect_right(self._places, right + self._widest)]


def _cost(
    frame: Rectangle, own: Mark, row: _Row, used: Sequence[Rectangle], lines: Sequence[Segment],
    area: tuple[float, float],
) -> float:  # fmt: skip
    outside = frame.left < 0 or frame.bottom < 0 or frame.right > area[0] or frame.top > area[1]
    if outside and not own.needed:
        return 2 * _BLOCKED
    covered = sum(
        frame.covers(mark) for mark in row.between(frame.left - _APART, frame.right + _APART) if mark is not own
    )
    covered += sum(map(frame.meets, used))
    return _BLOCKED * (covered + 2 * outside) + _CROSSED * sum(map(frame.crossed, lines))


def _anchored(mark: Mark, across: int, up: int) -> Spec:
    right, above = _shift(mark, across, up)
    anchors = {
        "xanchor": ("center", "left", "right")[across],
        "yanchor": "middle" if not up else "bottom" if up > 0 else "top",
    }
    return anchors | {"xshift": round(right, 1), "yshift": round(above, 1)}


check_border(globals())
