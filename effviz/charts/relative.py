"""Costs as multiples of one of them: a row for each, a mark for each measure, on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from effviz.charts.style import Appearance, figure


class Measured(NamedTuple):
    """One measure: its name, its mark, and its multiple in every row; None where it is unknown."""

    label: str
    symbol: str
    multiples: Sequence[float | None]


def relative_dots(
    names: Sequence[str], measures: Sequence[Measured], marked: str, axis: str, look: Appearance
) -> go.Figure:
    """The figure; a chart adds what it says.

    Args:
        names: of the rows, from top to bottom.
        measures: each drawn with its own mark, named in the legend.
        marked: the row, or the measure, in the accent colour.
        axis: what 100 % is.
        look: light or dark.
    """
    between: list[float | None] = []
    rows: list[str | None] = []
    for place, name in enumerate(names):
        known = [value for each in measures if (value := each.multiples[place]) is not None]
        if known:
            between += [min(known), max(known), None]
            rows += [name, name, None]
    stretch = {"type": "scatter", "mode": "lines", "x": between, "y": rows, "hoverinfo": "skip", "showlegend": False}
    traces: list[dict[str, Any]] = [stretch | {"line": {"color": look.grid, "width": 4}}]
    for each in measures:
        colors = [look.accent if marked in (name, each.label) else look.ink for name in names]
        marker = {"symbol": each.symbol, "size": 12}
        points = {
            "type": "scatter",
            "mode": "markers",
            "name": each.label,
            "x": list(each.multiples),
            "y": list(names),
            "marker": marker | {"color": colors, "line": {"color": colors, "width": 2}},
            "showlegend": False,
            "customdata": [written(value) if value is not None else "" for value in each.multiples],
            "hovertemplate": f"%{{y}}<br>{each.label}: %{{customdata}}<extra></extra>",
        }
        color = look.accent if marked == each.label else look.ink
        key = marker | {"color": color, "line": {"color": color, "width": 2}}
        traces += [
            points,
            {"type": "scatter", "mode": "markers", "name": each.label, "x": [None], "y": [None], "marker": key},
        ]
    every = [value for each in measures for value in each.multiples if value is not None] or [1.0]
    low, high = min(0.0, math.log10(min(every))), max(0.0, math.log10(max(every)))
    steps = (1, 2, 5) if high - low < 1.5 else (1,)
    ticks = [step * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    room = 0.06 * (high - low) + 0.04
    legend = {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "itemclick": False, "font": {"size": 13}}
    layout = {
        "showlegend": True,
        "legend": legend,
        "xaxis": {
            "type": "log",
            "range": [low - room, high + room],
            "tickvals": ticks,
            "ticktext": [written(tick) for tick in ticks],
            "showgrid": True,
            "title": {"text": axis},
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticksuffix": " "},
    }
    return figure(look, 110 + 38 * len(names), traces, layout)


def written(multiple: float) -> str:
    """A multiple as text: ``12 %`` below 2, ``x3.5`` from there on."""
    if multiple >= 1.995:
        return f"x{multiple:.3g}"
    return f"{100 * multiple:.3g} %"
