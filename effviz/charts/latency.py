"""Latency against a count: how far a count is from telling the speed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

import pandas as pd

from effviz.charts.style import Appearance, Chart, figure
from effviz.units import milliseconds, si
from effviz.zoo_latency import PREDICTORS, Inversion, predictors

# Per family a symbol; ink for all, so that colours stay those of layer kinds.
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon", "hexagon", "bowtie")
_HEIGHT = 520
_TIME = "Latency (ms)"


def latency_scatter(
    table: pd.DataFrame,
    column: str,
    factor: int,
    label: str,
    where: str,
    look: Appearance,
    highlight: Collection[str] = (),
    span: tuple[float, float] | None = None,
) -> Chart:
    """Log-log scatter of latency over one count, with lines of equal speed.

    Args:
        table: title, family, latency_ms, noisy and the count; at least one row.
        column: one of `PREDICTORS`.
        factor: from the column's unit to the one shown.
        label: of that unit.
        where: on which machine, for the title.
        look: light or dark.
        highlight: titles to mark and name.
        span: smallest and largest count that the axis has room for; None for the table's.
    """
    counts, times = table[column] * factor, table["latency_ms"]
    low, high = (counts.min(), counts.max()) if span is None else (span[0] * factor, span[1] * factor)
    x_range = (math.log10(low) - 0.1, math.log10(high) + 0.1)
    y_range = _steady(times.min(), times.max())
    lines, notes = _isolines(x_range, y_range, look)
    points = []
    for position, (family, rows) in enumerate(table.groupby("family", sort=True)):
        amounts = rows[column] * factor
        symbol = _SYMBOLS[position % len(_SYMBOLS)]
        colors = [look.accent if title in highlight else look.ink for title in rows["title"]]
        points.append(
            {
                "type": "scatter",
                "mode": "markers",
                "showlegend": False,
                "x": list(amounts),
                "y": list(rows["latency_ms"]),
                "marker": {
                    # What is noisy is drawn open.
                    "symbol": [f"{symbol}-open" if noisy else symbol for noisy in rows["noisy"]],
                    "size": [13 if title in highlight else 9 for title in rows["title"]],
                    "color": colors,
                    "line": {"color": colors, "width": 1.5},
                },
                "customdata": [
                    [title, si(amount), milliseconds(time), si(amount / time * 1e3), " (noisy)" if noisy else ""]
                    for title, amount, time, noisy in zip(
                        rows["title"], amounts, rows["latency_ms"], rows["noisy"], strict=True
                    )
                ],
                "hovertemplate": f"%{{customdata[0]}} ({family})<br>{label}: %{{customdata[1]}}<br>"
                "%{customdata[2]}%{customdata[4]}, %{customdata[3]} a second<extra></extra>",
            }
        )
        # In the legend a family has its symbol in ink, whatever of it is marked.
        key = {"symbol": symbol, "size": 9, "color": look.ink, "line": {"color": look.ink, "width": 1.5}}
        points.append(
            {"type": "scatter", "mode": "markers", "name": str(family), "x": [None], "y": [None], "marker": key}
        )
    for row in table[table["title"].isin(list(highlight))].itertuples():
        x = math.log10(getattr(row, column) * factor)
        left = x > sum(x_range) / 2
        notes.append(
            {
                "x": x,
                "y": math.log10(row.latency_ms),
                "text": row.title,
                "showarrow": False,
                "xanchor": "right" if left else "left",
                "xshift": -12 if left else 12,
                "bgcolor": look.paper,
                "font": {"color": look.accent, "size": 13},
            }
        )
    axis = {"type": "log", "showgrid": True}
    layout = {
        "annotations": notes,
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.02,
            "x": 0,
            "itemclick": False,
            "font": {"size": 13},
        },
        "xaxis": axis | _ticks(x_range, si) | {"range": x_range, "title": {"text": label}},
        "yaxis": axis | _ticks(y_range, lambda value: f"{value:g}") | {"range": y_range, "title": {"text": _TIME}},
    }
    title = finding(table, column, factor, where)
    spoken = "; ".join(
        f"{row.title}: {si(getattr(row, column) * factor)}, {milliseconds(row.latency_ms)}"
        for row in table.itertuples()
    )
    return Chart(figure(look, _HEIGHT, [*lines, *points], layout), title, f"{title}. {label} and latency: {spoken}.")


def _steady(low: float, high: float) -> tuple[float, float]:
    """An axis around `low` to `high` that ends on 1, 2 or 5 times a power of ten, so that it seldom changes."""
    steps = [power + math.log10(step) for power in range(-4, 8) for step in (1, 2, 5)]
    first, last = math.log10(low * 0.9), math.log10(high * 1.1)
    return max(step for step in steps if step <= first), min(step for step in steps if step >= last)


def _ticks(span: tuple[float, float], written: Callable[[float], str]) -> dict[str, Any]:
    """Ticks at 1, 2 and 5 times the powers of ten, fewer on a long axis."""
    steps = (1, 2, 5) if span[1] - span[0] < 3.2 else (1,)
    values = [step * 10.0**power for power in range(math.floor(span[0]), math.ceil(span[1]) + 1) for step in steps]
    return {"tickvals": values, "ticktext": [written(round(value, 6)) for value in values]}


def _isolines(
    x_range: tuple[float, float], y_range: tuple[float, float], look: Appearance
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines of equal count per second, one per decade and its third."""
    traces, notes = [], []
    low, high = x_range[0] - y_range[1] + 3, x_range[1] - y_range[0] + 3
    for power in range(math.floor(low), math.ceil(high) + 1):
        for step in (1, 3):
            rate = power + math.log10(step)
            # On the line log x - log y + 3 = rate, with y in ms.
            start = max(x_range[0], rate - 3 + y_range[0])
            end = min(x_range[1], rate - 3 + y_range[1])
            if end - start < 0.35:
                continue
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": [10**start, 10**end],
                    "y": [10 ** (start + 3 - rate), 10 ** (end + 3 - rate)],
                    "line": {"color": look.muted, "width": 1, "dash": "dot"},
                    "hoverinfo": "skip",
                    "showlegend": False,
                }
            )
            notes.append(
                {
                    "x": end,
                    "y": end + 3 - rate,
                    "text": f"{si(step * 10**power)}/s",
                    "showarrow": False,
                    "xanchor": "right",
                    "yanchor": "bottom",
                    "bgcolor": look.paper,
                    "font": {"size": 12, "color": look.muted},
                }
            )
    return traces, notes


def finding(table: pd.DataFrame, column: str, factor: int, where: str) -> str:
    """What the machine shows, whatever that is: the order, and how far speeds lie apart."""
    if len(table) < 3:
        return f"{where}: {len(table)} of the networks measured, too few for a rank correlation"
    found = next(entry for entry in predictors(table) if entry.column == column)
    name = PREDICTORS[column] if factor == 1 or column != "macs" else "FLOPs"
    name = f"{name[:1].upper()}{name[1:]}"
    order = found.rank_correlation
    claim = (
        "order the networks exactly as latency does"
        if order > 0.9995
        else "order the networks almost as latency does"
        if order >= 0.9
        else "order the networks roughly as latency does"
        if order >= 0.6
        else "hardly tell the order of the networks"
    )
    joint = "and" if (found.spread < 1.5) == (order >= 0.9) else "but"
    return (
        f"{where}: {name} {claim} (rank correlation {order:.2f}), {joint} run at {si(found.slowest * factor)} to "
        f"{si(found.fastest * factor)} per second, a factor of {found.spread:.1f}"
    )


def predictor_bars(table: pd.DataFrame, look: Appearance) -> Chart:
    """The spread of speed, one bar per predictor: 1 would be a perfect predictor.

    Args:
        table: at least three rows with latency_ms and the columns of `PREDICTORS`.
        look: light or dark.
    """
    found = predictors(table)
    best = min(found, key=lambda entry: entry.spread)
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [f"{entry.label[:1].upper()}{entry.label[1:]}" for entry in found],
            "x": [entry.spread for entry in found],
            "marker": {"color": [look.accent if entry is best else look.muted for entry in found]},
            "text": [f"{entry.spread:.1f}x, rank correlation {entry.rank_correlation:.2f}" for entry in found],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{y}: fastest over slowest %{x:.1f}<extra></extra>",
        }
    ]
    layout = {
        "xaxis": {
            "type": "log",
            "showgrid": True,
            "range": [0, math.log10(max(entry.spread for entry in found)) * 1.6],
            "dtick": "D2",
            "title": {"text": "Fastest over slowest network, count per second"},
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticksuffix": " "},
        "bargap": 0.45,
    }
    name = f"{best.label[:1].upper()}{best.label[1:]}"
    title = (
        f"{name} come closest to latency: per second, the fastest network has {best.spread:.1f} times as many as the "
        "slowest"
    )
    spoken = "; ".join(
        f"{entry.label}: spread {entry.spread:.1f}, rank correlation {entry.rank_correlation:.2f}" for entry in found
    )
    return Chart(figure(look, 240, traces, layout), title, f"{title}. {spoken}.")


def told(pair: Inversion, count: str) -> str:
    """One inversion as a sentence."""
    return (
        f"{pair.heavy} has {pair.more_macs:.2f} times the {count} of {pair.light}, and {pair.light} takes "
        f"{pair.faster:.2f} times as long."
    )
