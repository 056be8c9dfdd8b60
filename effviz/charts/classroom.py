"""The predictions of a class against the truth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from textwrap import wrap

from effviz.charts import draw
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text

_HEIGHT = 170
_MOST_BINS = 12
_LEAST_SPAN = 1e-9
_MOST_LABELS = 6
_WIDE = 24  # characters in a line of a choice
LARGE = 16
"""Size of the texts in pixels, which a class reads from the back of the room."""


def choice_bars(
    answers: Sequence[float], choices: Sequence[str], truth: int, look: Appearance, size: int = LARGE
) -> Chart:
    """Draw one bar per choice, with the right one in the accent colour.

    Args:
        answers: of the members, each the place of a choice.
        choices: at least one, in the order of the question.
        truth: place of the right choice.
        size: of the texts.
    """
    counted = Counter(int(each) for each in answers)
    numbers = [counted[place] for place in range(len(choices))]
    names = [plotly_text(_wrapped(each)).replace("\n", "<br>") for each in choices]
    marker = {
        "color": [look.accent if place == truth else _plain(look) for place in range(len(choices))],
    }
    texts = [f"{count} ✓" if place == truth else str(count) for place, count in enumerate(numbers)]
    places = list(range(len(choices)))
    bars = draw.row_bars([], numbers, marker, texts, textfont={"size": size, "color": look.ink}, hoverinfo="skip")
    layout = {
        "margin": draw.margin(right=48),
        "bargap": 0.35,
        "xaxis": {"visible": False, "range": [0, max([*numbers, 1]) * 1.1]},
        "yaxis": draw.ROWS | {"tickfont": {"size": size, "color": look.ink}, "tickvals": places, "ticktext": names},
    }
    spoken = "; ".join(f"{each}: {count}" for each, count in zip(choices, numbers, strict=True))
    rows = [name.count("<br>") + 1 for name in names]
    height = round(20 + (0.8 * max(rows) + 0.8) * size * len(choices))
    return chart(look, height, [bars | {"y": places}], layout, _choice_finding(answers, choices[truth], truth), spoken)


def _choice_finding(answers: Sequence[float], name: str, truth: int) -> str:
    if not answers:
        return "There are no predictions yet"
    return f'{_share(sum(each == truth for each in answers), len(answers))} right: the answer is "{name}"'


def _wrapped(text: str) -> str:
    """Break a choice into at most three lines; plotly has no wrapping for the labels of an axis."""
    return "\n".join(wrap(text, _WIDE, max_lines=3, placeholder="…"))


def number_histogram(
    answers: Sequence[float],
    truth: float,
    is_right: Callable[[float], bool],
    unit: str,
    look: Appearance,
    written: Callable[[float], str],
    size: int = LARGE,
) -> Chart:
    """Draw a histogram of numbers, with a line at the truth.

    Args:
        answers: of the members, finite.
        truth: the computed answer.
        is_right: whether an answer is close enough to the truth.
        unit: of the axis; empty for none.
        written: formats the truth and the median, with the unit.
        size: of the texts.
    """
    edges = _edges(answers, truth)
    low, high, width = edges[0], edges[-1], edges[1] - edges[0]
    places = [min(max(math.floor((each - low) / width), 0), len(edges) - 2) for each in answers]
    numbers = [places.count(place) for place in range(len(edges) - 1)]
    # A bar has the colour of its answers' grade: the title counts the same ones.
    right = {place for place, each in zip(places, answers, strict=True) if is_right(each)}
    colors = [look.accent if place in right else _plain(look) for place in range(len(numbers))]
    bars: Spec = {
        "type": "bar", "x": [edge + width / 2 for edge in edges[:-1]], "y": numbers,
        "width": [0.94 * width] * len(numbers), "marker": {"color": colors}, "hoverinfo": "skip",
        "text": [str(count or "") for count in numbers], "textposition": "outside",
        "textfont": {"size": size, "color": look.ink}, "cliponaxis": False,
    }  # fmt: skip
    sign = f"\u00a0{unit}" if unit == "%" else unit if unit == "×" else ""
    ticks = [f"{edge:.6g}{sign}" for edge in edges]
    # The outer bars contain the answers beyond them.
    ticks[0] = "less" if any(each < low for each in answers) else ticks[0]
    ticks[-1] = "more" if any(each > high for each in answers) else ticks[-1]
    shown = _labelled(len(edges))
    mark = draw.note(
        truth, 1, f"truth {plotly_text(written(truth))}", look.ink, size, yref="paper", yanchor="bottom",
        xanchor="left" if truth < (low + high) / 2 else "right", yshift=4,
    )  # fmt: skip
    layout = {
        # The labels of the ends are not cut.
        "margin": draw.margin(top=40, left=round(1.5 * size), right=round(1.5 * size)),
        "xaxis": {
            "title": {"text": "" if sign else unit, "font": {"size": size}}, "tickfont": {"size": size},
            "range": [low, high], "tickangle": 0,
            "tickvals": [edges[place] for place in shown], "ticktext": [ticks[place] for place in shown],
        },
        "yaxis": {"visible": False, "range": [0, max([*numbers, 1]) * 1.15]},
        # In ink and in front of the bars: a bar of right answers has the accent colour.
        "shapes": [draw.rule(look.ink, 3, x=truth, layer="above")],
        "annotations": [mark],
    }  # fmt: skip
    spoken = "; ".join(
        f"{left:.6g} to {left + width:.6g}: {count}" for left, count in zip(edges, numbers, strict=False) if count
    )
    finding = _number_finding(answers, truth, is_right, written)
    return chart(look, _HEIGHT, [bars], layout, finding, f"Truth: {written(truth)}", spoken)


def _edges(answers: Sequence[float], truth: float) -> list[float]:
    """Return the edges of at most 12 equal bins, which contain the truth and all answers but outliers."""
    low, high = _without_outliers([*answers, truth], truth)
    # Equal answers have bins of a sensible width, too.
    span = max(high - low, abs(truth) / 2, _LEAST_SPAN) if high > low or truth else 1.0
    step = _step(span / (_MOST_BINS - 3))
    first, last = math.floor(low / step), math.floor(high / step) + 1
    if last - first < 3:
        first, last = first - 1, last + 1
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def _labelled(count: int) -> list[int]:
    """Return the places of at most `_MOST_LABELS` edges with a label, which fit on a phone: both ends and others."""
    every = math.ceil((count - 1) / (_MOST_LABELS - 1))
    return [*range(0, count - every, every), count - 1]


def _without_outliers(values: Sequence[float], truth: float) -> tuple[float, float]:
    """Return the limits of the values without those that are far away: one typing error must not hide the rest."""
    ordered = sorted(values)
    low, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.25, 0.75))
    reach = 3 * max(high - low, abs(truth) / 2) or 3.0
    kept = [each for each in ordered if min(low, truth) - reach <= each <= max(high, truth) + reach]
    return min(kept), max(kept)


def _step(at_least: float) -> float:
    """Return the next of the steps 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(at_least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= at_least)


def _number_finding(
    answers: Sequence[float], truth: float, is_right: Callable[[float], bool], written: Callable[[float], str]
) -> str:
    if not answers:
        return "There are no predictions yet"
    wrong = [each for each in answers if not is_right(each)]
    finding = f"{_share(len(answers) - len(wrong), len(answers))} right: the truth is {written(truth)}"
    if 2 * len(wrong) < len(answers) or len(answers) == 1:
        return finding
    low = sum(each < truth for each in wrong)
    if low in (0, len(wrong)):
        whose = "all" if len(wrong) == len(answers) else "the others"
        return f"{finding}, and {whose} are too {'low' if low else 'high'}"
    ordered = sorted(answers)
    median = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return f"{finding}, and the median is {written(median)}"


def _share(part: int, whole: int) -> str:
    """Return ``"7 of 30 predictions are"``."""
    if whole == 1:
        return f"The only prediction is{'' if part else ' not'}"
    if part in (0, whole):
        return f"{'All' if part else 'None of the'} {whole} predictions are"
    return f"{part} of {whole} predictions {'is' if part == 1 else 'are'}"


def _plain(look: Appearance) -> str:
    """Return the colour of bars that are not right."""
    return draw.mixed(look.paper, look.muted, 0.4)


check_border(globals())
