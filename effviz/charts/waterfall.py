"""Waterfalls: a first number, what is added to it, and the result, one bar below the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.style import Appearance, Spec
from effviz.core.text import plotly_text

MINUS = "\N{MINUS SIGN}"


class Bar(NamedTuple):
    """One bar: its name, its value, the text behind it, and lines for the pointer."""

    label: str
    value: int
    text: str
    notes: tuple[str, ...] = ()


def sign(value: int) -> str:
    """Return the sign of a difference; none for 0."""
    return "+" if value > 0 else MINUS if value < 0 else ""


def waterfall(
    first: Bar, moves: Sequence[Bar], last: Bar, look: Appearance, factor: int = 1
) -> tuple[Spec, Spec, list[Spec]]:
    """Build the trace, the axis of the names, and the values, which are to the right of the bars, away from the names.

    Args:
        first: the number at the start.
        moves: differences, each from where the one before ends.
        last: the result.
        look: the colors.
        factor: from a value to the number on the axis.
    """
    bars = [first, *moves, last]
    labels = [f"<b>{_in_lines(first.label)}</b>", *(_in_lines(each.label) for each in moves),
              f"<b>{_in_lines(last.label)}</b>"]  # fmt: skip
    trace: Spec = {
        "type": "waterfall", "orientation": "h", "y": list(range(len(bars))),
        "x": [factor * each.value for each in bars],
        "measure": ["absolute", *["relative"] * len(moves), "total"],
        "text": [each.text for each in bars], "textposition": "none",
        "increasing": {"marker": {"color": look.ink}},
        "decreasing": {"marker": {"color": look.accent}},
        "totals": {"marker": {"color": draw.mixed(look.paper, look.ink, 0.3)}},
        "connector": {"line": {"color": look.grid, "width": 1}},
    }  # fmt: skip
    trace |= draw.hover("%{customdata}", ["<br>".join(map(plotly_text, each.notes or (each.text,))) for each in bars])
    sums = list(accumulate((each.value for each in (first, *moves)), initial=0))
    ends = [*map(max, sums, sums[1:]), max(last.value, 0)]
    texts = [
        draw.note(factor * end, place, plotly_text(each.text), look.ink, 12, xanchor="left", xshift=2)
        for place, (end, each) in enumerate(zip(ends, bars, strict=True))
    ]
    return trace, draw.ROWS | draw.ticks(range(len(labels)), labels.__getitem__), texts


def _in_lines(name: str, most: int = 22) -> str:
    """Break a long name at the space next to its middle: on a phone it would take half of the chart."""
    spaces = [place for place, letter in enumerate(name) if letter == " "]
    if len(name) <= most or not spaces:
        return plotly_text(name)
    middle = min(spaces, key=lambda place: abs(place - len(name) / 2))
    return f"{plotly_text(name[:middle])}<br>{plotly_text(name[middle + 1 :])}"
