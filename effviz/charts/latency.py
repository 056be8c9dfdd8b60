"""Latency against a count: how far a count is from telling the speed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pandas as pd

from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import milliseconds, short, si
from effviz.studies.prediction import PREDICTORS, Inversion, predictors

# Per family a symbol; ink for all, so that colours stay those of layer kinds.
_SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon", "hexagon", "bowtie",
    "triangle-down", "hourglass", "star-diamond", "star-square", "triangle-left", "triangle-right", "hexagram",
    "octagon", "diamond-tall", "diamond-wide", "star-triangle-up", "star-triangle-down", "triangle-ne", "triangle-sw",
)  # fmt: skip
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
    rates = counts / times * 1e3
    lines, notes = _isolines(x_range, y_range, (float(rates.min()), float(rates.max())), look)
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
    notes += _names(table[table["title"].isin(list(highlight))], column, factor, (x_range, y_range), look)
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
        "xaxis": axis | _ticks(x_range, short) | {"range": x_range, "title": {"text": label}},
        "yaxis": axis | _ticks(y_range, lambda value: f"{value:g}") | {"range": y_range, "title": {"text": _TIME}},
    }
    title = finding(table, column, factor, where)
    spoken = "; ".join(
        f"{row.title}: {si(getattr(row, column) * factor)}, {milliseconds(row.latency_ms)}"
        for row in table.itertuples()
    )
    return Chart(figure(look, _HEIGHT, [*lines, *points], layout), title, f"{title}. {label} and latency: {spoken}.")


def _names(
    marked: pd.DataFrame,
    column: str,
    factor: int,
    ranges: tuple[tuple[float, float], tuple[float, float]],
    look: Appearance,
) -> list[dict[str, Any]]:
    """Labels of the marked networks; one that would cover another is left to the hover text."""
    (left, right), (bottom, top) = ranges
    boxes: list[tuple[float, float, float]] = []
    notes = []
    for row in marked.itertuples():
        x, y = math.log10(getattr(row, column) * factor), math.log10(row.latency_ms)
        flipped = x > (left + right) / 2
        # In shares of the axes, for a chart of usual width: 0.008 a letter, 0.045 a line.
        near, height = (x - left) / (right - left), (y - bottom) / (top - bottom)
        width = 0.008 * len(row.title) + 0.02
        start = near - width if flipped else near
        if any(start < end and begin < start + width and abs(height - other) < 0.045 for begin, end, other in boxes):
            continue
        boxes.append((start, start + width, height))
        notes.append(
            {
                "x": x,
                "y": y,
                "text": row.title,
                "showarrow": False,
                "xanchor": "right" if flipped else "left",
                "xshift": -12 if flipped else 12,
                "bgcolor": look.paper,
                "font": {"color": look.accent, "size": 13},
            }
        )
    return notes


def _steady(low: float, high: float) -> tuple[float, float]:
    """An axis around `low` to `high` that ends on 1, 2 or 5 times a power of ten, so that it seldom changes."""
    steps = [power + math.log10(step) for power in range(-4, 8) for step in (1, 2, 5)]
    first, last = math.log10(low * 0.9), math.log10(high * 1.1)
    return max(step for step in steps if step <= first), min(step for step in steps if step >= last)


def _ticks(span: tuple[float, float], written: Callable[[float], str]) -> dict[str, Any]:
    """Ticks at 1, 2 and 5 times the powers of ten, fewer on a long axis, more on a short one."""
    length = span[1] - span[0]
    steps: Sequence[int] = range(1, 10) if length < 0.7 else (1, 2, 5) if length < 3.2 else (1,)
    values = [step * 10.0**power for power in range(math.floor(span[0]), math.ceil(span[1]) + 1) for step in steps]
    return {"tickvals": values, "ticktext": [written(round(value, 6)) for value in values]}


def _isolines(
    x_range: tuple[float, float], y_range: tuple[float, float], speeds: tuple[float, float], look: Appearance
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines of equal count per second around the `speeds` of the networks, one per decade and its third."""
    traces, notes = [], []
    low, high = math.log10(speeds[0]) - 0.6, math.log10(speeds[1]) + 0.6
    for power in range(math.floor(low), math.ceil(high) + 1):
        for step in (1, 3):
            rate = power + math.log10(step)
            if not low <= rate <= high:
                continue
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
                    "text": f"{short(step * 10**power)}/s",
                    "showarrow": False,
                    "xanchor": "right",
                    # Within the axes, where the line leaves them at the top too.
                    "yanchor": "top" if end < x_range[1] else "bottom",
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
    name = "FLOPs" if column == "macs" and factor == 2 else PREDICTORS[column]
    order = found.rank_correlation
    joint = "and" if (found.spread < 1.5) == (order >= 0.9) else "but"
    return (
        f"{where}: {_order(order, name)}, {joint} they run at {si(found.slowest * factor)} to "
        f"{si(found.fastest * factor)} per second, a factor of {found.spread:.1f}"
    )


def _order(correlation: float, name: str) -> str:
    """What a rank correlation says."""
    if math.isnan(correlation):
        return f"all networks are equal by {name} or by latency, which leaves no order to compare"
    # One exchange among a thousand networks is 1e-8 from 1.
    degree = (
        "exactly ordered by latency" if correlation > 1 - 1e-9
        else "almost ordered by latency" if correlation >= 0.9
        else "roughly ordered by latency" if correlation >= 0.6
        else "hardly ordered by latency" if correlation > -0.6
        else "in the reverse order of latency"
    )  # fmt: skip
    return f"ordered by {name}, the networks are {degree} (rank correlation {correlation:.2f})"


def predictor_bars(table: pd.DataFrame, look: Appearance) -> Chart:
    """The spread of speed, one bar per predictor: 1 would be a perfect predictor.

    Args:
        table: at least three rows with latency_ms and the columns of `PREDICTORS`.
        look: light or dark.
    """
    found = predictors(table)
    best = min(found, key=lambda entry: entry.spread)
    # Room for the text behind the longest bar.
    span = (0.0, max(1.0, math.log10(max(entry.spread for entry in found)) * 1.6))
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "y": [f"{entry.label[:1].upper()}{entry.label[1:]}" for entry in found],
            "x": [entry.spread for entry in found],
            "marker": {"color": [look.accent if entry is best else look.muted for entry in found]},
            "text": [f"{entry.spread:.1f}x ({_correlation(entry.rank_correlation)})" for entry in found],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{y}: fastest over slowest %{x:.1f}<extra></extra>",
        }
    ]
    layout = {
        "xaxis": _ticks(span, short)
        | {
            "type": "log",
            "showgrid": True,
            "range": span,
            "title": {"text": "Fastest over slowest, count per second (rank correlation)"},
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticksuffix": " "},
        "bargap": 0.45,
    }
    title = (
        f"Closest to latency: {best.label}, with a factor of {best.spread:.1f} between the fastest network and the "
        "slowest"
    )
    spoken = "; ".join(
        f"{entry.label}: spread {entry.spread:.1f}, rank correlation {entry.rank_correlation:.2f}" for entry in found
    )
    return Chart(figure(look, 240, traces, layout), title, f"{title}. {spoken}.")


def _correlation(value: float) -> str:
    return "no order" if math.isnan(value) else f"{value:.2f}"


def told(pair: Inversion, count: str) -> str:
    """One inversion as a sentence."""
    return (
        f"{pair.heavy} has {pair.more_macs:.2f} times the {count} of {pair.light}, and {pair.light} takes "
        f"{pair.faster:.2f} times as long."
    )
