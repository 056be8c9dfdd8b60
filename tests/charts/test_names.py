"""Names beside marks: they cover no mark and no other name, and avoid lines."""

from __future__ import annotations

import itertools
import math

from chart_gallery import spec_of
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from effviz.charts.compare.axes import Axis
from effviz.charts.compare.bubbles import Bubble, bubbles
from effviz.charts.names import Mark, Rectangle, _frame, named
from effviz.charts.style import LIGHT

AREA = 850.0, 380.0
_places = st.tuples(st.floats(0, AREA[0]), st.floats(0, AREA[1]), st.floats(3, 20), st.text("abc", min_size=1))
_SIDES = {"center": 0, "left": 1, "right": -1, "middle": 0, "bottom": 1, "top": -1}


def _drawn(mark: Mark, place: dict[str, object]) -> Rectangle:
    return _frame(mark, _SIDES[str(place["xanchor"])], _SIDES[str(place["yanchor"])])


@given(st.lists(_places, max_size=20))
@settings(derandomize=True, max_examples=examples(60), deadline=None)
def test_no_name_covers_a_mark_or_another_name(places: list[tuple[float, float, float, str]]) -> None:
    marks = [Mark(*place) for place in places]
    frames = [
        (mark, _drawn(mark, place)) for mark, place in zip(marks, named(marks, AREA), strict=True) if place is not None
    ]
    for own, frame in frames:
        assert not any(frame.covers(mark) for mark in marks if mark is not own)
        assert 0 <= frame.left < frame.right <= AREA[0]
        assert 0 <= frame.bottom < frame.top <= AREA[1]
    assert not any(one.meets(other) for (_, one), (_, other) in itertools.combinations(frames, 2))


def test_a_name_avoids_a_line_and_is_needed_or_left_out() -> None:
    mark = Mark(200, 100, 5, "network")
    (place,) = named([mark], AREA, lines=[(200, 100, 400, 100)])
    assert place is not None
    assert not _drawn(mark, place).crossed((200, 100, 400, 100))
    walls = [Rectangle(0, 0, *AREA)]
    assert named([mark], AREA, taken=walls) == [None]
    assert named([mark._replace(needed=True)], AREA, taken=walls) != [None]


def test_no_label_has_a_box_and_none_is_on_the_front() -> None:
    axis = Axis("x", "x", str, -1, False, str)
    points = [Bubble(str(place), f"Network {place}", 10.0 * place, 10.0 * place, None) for place in range(1, 6)]
    layout = spec_of(bubbles(points, (axis, axis._replace(better=1)), None, range(5), "1", "3", LIGHT))["layout"]
    notes = layout["annotations"]
    assert {note["text"].strip("</b>") for note in notes} == {point.label for point in points}
    assert not any("bgcolor" in note for note in notes)
    # The front leads to the right and up from each point.
    assert all(note["xanchor"] != "left" or note["yanchor"] != "middle" for note in notes if note["x"] < 50)
    assert all(math.isfinite(note["xshift"]) for note in notes)
