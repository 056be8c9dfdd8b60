"""Costs as multiples of one of them: one row per subject, one mark per measure, on a logarithmic axis."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.sentences import times
from effviz.charts.style import Appearance, Spec
from effviz.charts.ticks import log_values
from effviz.core.text import plotly_text

_LONG = 18
_IN_LINE = 50
"""Characters of the legend in a line, with six for a symbol and the space around it."""
# Of plotly's symbols.
_GLYPHS = {
    "circle": "●",
    "circle-open": "○",
    "diamond": "◆",
    "square-open": "□",
    "star": "★",
    "square": "■",
    "cross": "✚",
    "x": "✕",
    "triangle-down": "▼",
    "triangle-up": "▲",
    "diamond-open": "◇",
}


class Measured(NamedTuple):
    """One measure: its name, its symbol, and its value in every row; None where it is unknown."""

    label: str
    symbol: str
    values: Sequence[float | None]
    amounts: Sequence[str] = ()  # absolute, for the hover; empty for the values
    hollow: Sequence[int] = ()  # indices of the rows whose mark is not filled


def multiples_of(values: Sequence[float | None], base: float | None) -> list[float | None]:
    """Divide values by `base`; None where either is unknown or 0."""
    return [value / base if value and base else None for value in values]


def relative_dots(
    names: Sequence[str], measures: Sequence[Measured], marked: str, axis: str, look: Appearance
) -> tuple[int, list[Spec], Spec]:
    """Return the height, the traces and the layout of the chart.

    The lowest and the highest mark of each row have their value beside them.

    Args:
        names: of the rows, from top to bottom.
        measures: multiples, each drawn with its own symbol, named in the legend.
        marked: the row or the measure in the accent colour.
        axis: its title, which says what 1× is.
    """
    known = [[value for each in measures if (value := each.values[place]) is not None] for place in range(len(names))]
    traces = [draw.stretches(((name, min(row), max(row)) for name, row in zip(names, known, strict=True) if row), look)]
    for each in measures:
        colors = [look.accent if marked in (name, each.label) else look.ink for name in names]
        texts = ["" if value is None else written(value) for value in each.values]
        if each.amounts:
            texts = [f"{text} ({amount})" for text, amount in zip(texts, each.amounts, strict=True)]
        symbols = [f"{each.symbol}-open" if place in each.hollow else each.symbol for place in range(len(names))]
        hover = draw.hover(f"%{{y}}<br>{plotly_text(each.label)}: %{{customdata}}", texts)
        drawn = draw.outlined(colors, 12, symbols if each.hollow else each.symbol)
        traces.append(draw.dots(each.values, names, drawn, name=each.label, showlegend=False, **hover))
    traces += _ends(names, known, look)
    every = [value for row in known for value in row] or [1.0]
    low, high = min(0.0, math.log10(min(every))), max(0.0, math.log10(max(every)))
    # For the values beside the marks, on a phone too, where a character takes a twentieth of the stretches.
    shown = high - low + 0.1
    low -= shown * (0.055 * len(written(10**low)) if low < 0 else 0.1)
    high += shown * (0.045 * len(written(10**high)) if high > 0 else 0.1)
    values = log_values(low, high)
    lines = _legend(measures, marked, look)
    layout = {
        "annotations": [
            draw.panel_label("<br>".join(lines), 1, 1, look.ink, 13, xanchor="right", align="right", yshift=6)
        ],
        "margin": draw.margin(top=14 + 20 * len(lines)),
        "xaxis": draw.log_axis((low, high), values, axis, written, showgrid=True),
        "shapes": [draw.rule(look.muted, 1, x=1, layer="below")],
        # A row without a mark has its place too.
        "yaxis": draw.ROWS | draw.ticks(names, _in_lines) | {"categoryorder": "array", "categoryarray": list(names)},
    }
    return 110 + 38 * len(names), traces, layout


def _ends(names: Sequence[str], rows: Sequence[Sequence[float]], look: Appearance) -> list[Spec]:
    """Write the lowest value of each row left of its mark, and the highest one right of it; the axis has the 1."""
    ends: dict[str, list[tuple[float, str]]] = {"left": [], "right": []}
    for name, row in zip(names, rows, strict=True):
        low, high = min(row, default=1.0), max(row, default=1.0)
        if low != 1 and (low < high or low < 1):
            ends["left"].append((low, name))
        if high != 1 and (low < high or high > 1):
            ends["right"].append((high, name))
    # Invisible marks as large as the visible ones keep the texts away from these.
    marker = {"size": 18, "opacity": 0}
    rest = {"mode": "markers+text", "marker": marker, "cliponaxis": False, "hoverinfo": "skip", "showlegend": False}
    return [
        draw.labels(
            [value for value, _ in shown], [name for _, name in shown], [written(value) for value, _ in shown],
            13, look.ink, textposition=f"middle {side}", **rest,
        )
        for side, shown in ends.items()
    ]  # fmt: skip


def _legend(measures: Sequence[Measured], marked: str, look: Appearance) -> list[str]:
    """Write the symbols and the names of the measures in lines that fit a phone, which a legend of plotly does not."""
    lines: list[list[str]] = []
    room = 0
    for each in measures:
        name = plotly_text(each.label).replace(" ", "\u00a0")
        entry = f'<span style="font-size:17px">{_GLYPHS[each.symbol]}</span>\u00a0{name}'
        if (taken := len(each.label) + 6) > room:
            lines.append([])
            room = _IN_LINE
        room -= taken
        lines[-1].append(f'<span style="color:{look.accent}">{entry}</span>' if marked == each.label else entry)
    return ["    ".join(line) for line in lines]


def _in_lines(name: str) -> str:
    """Break a long name before its parenthesis or after its comma: on a phone it would take half of the chart."""
    return name if len(name) <= _LONG else name.replace(" (", "<br>(", 1).replace(", ", ",<br>", 1)


def written(multiple: float) -> str:
    """Return a multiple as text: ``0.12×``, ``3.5×``."""
    return times(multiple)
