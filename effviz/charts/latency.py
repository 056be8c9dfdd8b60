"""Latency against a count: how far a count is from telling the speed."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from effviz.charts.style import Appearance, Chart, figure
from effviz.units import si
from effviz.zoo_latency import PREDICTORS, Inversion, predictors

# Per family a symbol as well as a place in the hover text; ink for all, so that colours stay those of layer kinds.
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon", "hexagon", "bowtie")


def latency_scatter(
    table: pd.DataFrame, column: str, factor: int, label: str, where: str, look: Appearance, named: Inversion | None
) -> Chart:
    """Log-log scatter of latency over one count, with lines of equal speed.

    Args:
        table: title, family, latency_ms and the columns of `PREDICTORS`.
        column: one of `PREDICTORS`.
        factor: from the column's unit to the one shown.
        label: of that unit.
        where: on which machine, for the title.
        look: light or dark.
        named: the two networks to label; None labels the fastest and the slowest per count.
    """
    counts, times = table[column] * factor, table["latency_ms"]
    x_range = (math.log10(counts.min()) - 0.15, math.log10(counts.max()) + 0.15)
    y_range = (math.log10(times.min()) - 0.2, math.log10(times.max()) + 0.2)
    lines, notes = _isolines(x_range, y_range, column, label, look)
    rates = counts / (times / 1e3)
    marked = {named.heavy, named.light} if named else set()
    marked |= {table.loc[rates.idxmin(), "title"], table.loc[rates.idxmax(), "title"]}
    points = []
    for position, (family, rows) in enumerate(table.groupby("family", sort=False)):
        amounts = rows[column] * factor
        points.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": str(family),
                "x": list(amounts),
                "y": list(rows["latency_ms"]),
                "marker": {
                    "symbol": _SYMBOLS[position % len(_SYMBOLS)],
                    "size": 10,
                    "color": [look.accent if title in marked else look.ink for title in rows["title"]],
                    "line": {"color": look.paper, "width": 1},
                },
                "customdata": [
                    [title, si(amount), f"{time:.3g}", si(amount / time * 1e3)]
                    for title, amount, time in zip(rows["title"], amounts, rows["latency_ms"], strict=True)
                ],
                "hovertemplate": f"%{{customdata[0]}} ({family})<br>{label}: %{{customdata[1]}}<br>"
                "%{customdata[2]} ms, %{customdata[3]} a second<extra></extra>",
            }
        )
    for title in sorted(marked):
        row = table[table["title"] == title].iloc[0]
        x = math.log10(row[column] * factor)
        left = x > sum(x_range) / 2
        notes.append(
            {
                "x": x,
                "y": math.log10(row["latency_ms"]),
                "text": title,
                "showarrow": False,
                "xanchor": "right" if left else "left",
                "xshift": -9 if left else 9,
                "font": {"color": look.accent, "size": 13},
            }
        )
    axis = {"type": "log", "dtick": 1, "showgrid": True}
    layout = {
        "annotations": notes,
        "xaxis": axis | {"range": x_range, "tickformat": "~s", "title": {"text": label}},
        "yaxis": axis | {"range": y_range, "title": {"text": "Latency (ms, median)"}},
    }
    title = _finding(table, column, where)
    spoken = "; ".join(
        f"{row.title}: {si(getattr(row, column) * factor)}, {row.latency_ms:.3g} ms" for row in table.itertuples()
    )
    return Chart(figure(look, 460, [*lines, *points], layout), title, f"{title}. {label}: {spoken}.")


def _isolines(
    x_range: tuple[float, float], y_range: tuple[float, float], column: str, label: str, look: Appearance
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines of equal count per second, one per decade and its half."""
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
                }
            )
            notes.append(
                {
                    "x": end,
                    "y": end + 3 - rate,
                    "text": f"{si(10**rate)}/s",
                    "showarrow": False,
                    "xanchor": "right",
                    "yanchor": "bottom",
                    "font": {"size": 12, "color": look.muted},
                }
            )
    return traces, notes


def _finding(table: pd.DataFrame, column: str, where: str) -> str:
    found = next(entry for entry in predictors(table) if entry.column == column)
    name = PREDICTORS[column]
    if len(table) < 3:
        return f"{where}: too few networks for a rank correlation"
    return (
        f"{where}: {name} order the networks with rank correlation {found.rank_correlation:.2f}, but run at "
        f"{si(found.slowest)} to {si(found.fastest)} a second"
    )


def predictor_bars(table: pd.DataFrame, look: Appearance) -> Chart:
    """The spread of latency per count, one bar per predictor: 1 would be a perfect predictor."""
    found = predictors(table)
    best = min(found, key=lambda entry: entry.spread)
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [entry.label for entry in found],
            "x": [entry.spread for entry in found],
            "marker": {"color": [look.accent if entry is best else look.muted for entry in found]},
            "text": [f"{entry.spread:.1f}x, rank correlation {entry.rank_correlation:.2f}" for entry in found],
            "textposition": "auto",
            "constraintext": "none",
            "hovertemplate": "%{y}: fastest over slowest %{x:.1f}<extra></extra>",
        }
    ]
    layout = {
        "xaxis": {"showgrid": True, "rangemode": "tozero", "title": {"text": "Fastest over slowest, count per second"}},
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticksuffix": " "},
        "bargap": 0.35,
    }
    title = (
        f"{best.label.capitalize()} come closest: per unit, the fastest network is {best.spread:.1f} times the slowest"
    )
    spoken = "; ".join(
        f"{entry.label}: spread {entry.spread:.1f}, rank correlation {entry.rank_correlation:.2f}" for entry in found
    )
    return Chart(figure(look, 260, traces, layout), title, f"{title}. {spoken}.")
