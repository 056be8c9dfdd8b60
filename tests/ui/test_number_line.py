"""The number line of a prediction."""

from __future__ import annotations

import math
import re

import pytest

from effviz.ui.widgets.number_line import Spot, number_line


def places(answer: float, guess: float, low: float, high: float) -> tuple[list[float], str]:
    """Return the places of answer, guess and both ends of the band in per cent of the line, and its HTML."""
    drawn = number_line(Spot(answer, "Answer <b>"), Spot(guess, "You"), (low, high))
    (band, width), *_ = re.findall(r'"band" style="left:([\d.]+)%;width:([\d.]+)%', drawn)
    marks = [re.findall(rf'"{kind} \w+" style="left:([\d.]+)%', drawn)[0] for kind in ("answer", "guess")]
    return [*map(float, marks), float(band), float(band) + float(width)], drawn


@pytest.mark.parametrize(("answer", "guess", "low", "high"), [(4, 2, 3.6, 4.4), (0.3, 0.2, 0.25, 0.35), (0, 5, -1, 1)])
def test_a_line_of_similar_numbers_is_linear_and_has_its_zero(
    answer: float, guess: float, low: float, high: float
) -> None:
    found, drawn = places(answer, guess, low, high)
    assert (found[0] - found[1]) / (found[3] - found[2]) == pytest.approx((answer - guess) / (high - low), abs=0.02)
    assert all(0 <= place <= 100 for place in found)
    assert ('class="zero"' in drawn) == (low >= 0)
    assert "Answer &lt;b&gt;" in drawn


def test_a_line_of_far_numbers_is_logarithmic() -> None:
    found, drawn = places(100, 1, 90, 110)
    share = math.log(100) / math.log(110 / 90)
    assert (found[0] - found[1]) / (found[3] - found[2]) == pytest.approx(share, rel=0.05)
    assert 'class="zero"' not in drawn
