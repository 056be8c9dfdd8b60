"""Ticks: round, inside the axis, few, and written as in the cards."""

from __future__ import annotations

import itertools
import math
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from effviz.charts.ticks import linear_ticks, log_values, panel_axis, round_axis
from effviz.core.units import short, short_binary

repeatable = settings(derandomize=True, max_examples=examples(60), deadline=None)


@given(st.floats(1e-3, 1e15), st.booleans())
@repeatable
def test_an_axis_from_0(highest: float, in_bytes: bool) -> None:
    for axis in (round_axis(highest, in_bytes=in_bytes), panel_axis(highest, in_bytes=in_bytes)):
        low, high = axis["range"]
        assert low == 0
        assert highest <= high * (1 + 1e-9) <= 1.4 * highest
        assert axis["tickvals"][0] == 0
        assert 2 <= len(axis["tickvals"]) <= 6
        assert axis["tickvals"][-1] <= high * (1 + 1e-9)
        assert len(set(axis["ticktext"])) == len(axis["tickvals"])
    assert axis["tickvals"][-1] <= 0.9 * high, "the heading of the panel is there"


def test_texts_have_a_space_before_the_prefix() -> None:
    assert linear_ticks(0, 2_000_000, 3)["ticktext"] == ["0", "1 M", "2 M"]
    assert linear_ticks(0, 100_000, 3)["ticktext"] == ["0", "50 k", "100 k"]
    assert linear_ticks(0, 3 * 2**20, 4, in_bytes=True)["ticktext"] == ["0 B", "1 MiB", "2 MiB", "3 MiB"]
    assert linear_ticks(0, 0.05, 6)["ticktext"] == ["0", "0.01", "0.02", "0.03", "0.04", "0.05"]
    assert short_binary(1.25 * 2**20) == "1.25 MiB"
    assert short_binary(768 * 1024) == "768 KiB"


@given(st.floats(-3, 11), st.floats(0.05, 8), st.booleans())
@repeatable
def test_logarithmic_ticks_do_not_meet_on_a_phone(low: float, length: float, in_bytes: bool) -> None:
    if in_bytes:
        low = max(low, 3)
    values = log_values(low, low + length, in_bytes=in_bytes)
    places = [(math.log10(value) - low) / length for value in values]
    assert 1 <= len(values) <= 8
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)
    assert all(later - place > 0.12 or length < 0.35 for place, later in itertools.pairwise(places))
    written = [(short_binary if in_bytes else short)(value) for value in values if value >= 1]
    assert all(re.fullmatch(r"[\d.]+( ([kMGTPE]|[KMGTPE]?i?B))?", text) for text in written)
