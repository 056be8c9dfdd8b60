"""Scaling rules side by side: at one budget, over multiply-adds, and as the paper prints their accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from effviz.advice.scaling import Swept
from effviz.charts.relative import Measured, relative_dots, written
from effviz.charts.scaling.promised import Count, log_ticks
from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import lower, short, si, snapped
from effviz.studies.scaling import NAMES, Contender, Printed, growth


class Measure(NamedTuple):
    """One measure of the contenders: its name, its mark, its values in order; None where it is not known."""

    label: str
    symbol: str
    values: Sequence[float | None]


def duel_chart(contenders: Sequence[Contender], measures: Sequence[Measure], look: Appearance) -> Chart:
    """What every rule's network costs, as multiples of the compound one.

    Args:
        contenders: the compound one among them.
        measures: a value for each of the contenders.
        look: light or dark.
    """
    names = [NAMES[each.rule] for each in contenders]
    own = next(place for place, each in enumerate(contenders) if each.rule == "compound")
    relative = [
        Measured(each.label, each.symbol, [_over(value, each.values[own]) for value in each.values])
        for each in measures
    ]
    made = relative_dots(names, relative, NAMES["compound"], "Compound scaling = 100 %", look)
    title = duel_finding(names, relative)
    spoken = "; ".join(
        f"{name}: "
        + ", ".join(
            f"{each.label} {written(value)}" for each in relative if (value := each.multiples[place]) is not None
        )
        for place, name in enumerate(names)
    )
    return Chart(made, title, f"{title}. {spoken}.")


def _over(value: float | None, base: float | None) -> float | None:
    return None if value is None or not base else value / base


def duel_finding(names: Sequence[str], measures: Sequence[Measured]) -> str:
    """The rules with the fewest and the most activations, beside compound scaling."""
    activations = next(each for each in measures if each.label == "Activations").multiples
    aside = (NAMES["compound"], NAMES["baseline"])
    known = {name: value for name, value in zip(names, activations, strict=True) if value and name not in aside}
    if not known:
        return "No other rule builds a network within these multiply-adds"
    ends = sorted({min(known, key=known.__getitem__), max(known, key=known.__getitem__)}, key=known.__getitem__)
    told = " and ".join(f"{lower(name)} {written(known[name])}" for name in ends)
    return f"At equal multiply-adds, of the activations of compound scaling {told}"


def growth_chart(curves: Mapping[str, Sequence[Swept]], at: int, count: Count, look: Appearance) -> Chart:
    """Activations over multiply-adds, a line for every rule, on logarithmic axes.

    Args:
        curves: by rule, in rising order.
        at: multiply-adds to mark.
        count: of multiply-adds.
        look: light or dark.
    """
    dashes = {"compound": "solid", "fast": "solid", "width": "dash", "depth": "dot", "resolution": "dashdot"}
    # With all bases 1 nothing grows, and there is no power to tell.
    shown = {name: points for name, points in curves.items() if points and points[-1].macs > points[0].macs}
    if not shown:
        title = "With all bases at 1 nothing grows"
        return Chart(figure(look, 120, []), title, f"{title}.")
    traces: list[dict[str, Any]] = []
    notes = []
    every = [point for points in shown.values() for point in points]
    low, high = (math.log10(pick(point.activations for point in every)) for pick in (min, max))
    left, right = (math.log10(pick(point.macs for point in every) * count.factor) for pick in (min, max))
    for name, points in shown.items():
        color = look.accent if name == "compound" else look.ink
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [point.macs * count.factor for point in points],
                "y": [point.activations for point in points],
                "line": {"color": color, "width": 2.5 if name in ("compound", "fast") else 1.5, "dash": dashes[name]},
                "customdata": [
                    [NAMES[name], f"{point.phi:g}", si(point.macs * count.factor), si(point.activations)]
                    for point in points
                ],
                "hovertemplate": f"%{{customdata[0]}}, phi = %{{customdata[1]}}<br>{count.label}: %{{customdata[2]}}"
                "<br>Activations: %{customdata[3]}<extra></extra>",
            }
        )
        end = points[-1]
        notes.append((math.log10(end.macs * count.factor), math.log10(end.activations), NAMES[name], color))
    ticks = {axis: log_ticks(*ends, most=7) for axis, ends in (("x", (left, right)), ("y", (low, high)))}
    layout = {
        "margin": {"l": 8, "r": 116, "t": 8, "b": 8},
        "annotations": _end_labels(notes, low, high),
        "shapes": [
            {
                "type": "line", "x0": at * count.factor, "x1": at * count.factor, "y0": 0, "y1": 1, "yref": "paper",
                "layer": "below", "line": {"color": look.accent, "width": 1, "dash": "dash"},
            }
        ],
        "xaxis": {
            "type": "log", "range": [left - 0.02, right + 0.02], "tickvals": ticks["x"],
            "ticktext": [short(tick) for tick in ticks["x"]], "title": {"text": f"{count.label}, one image"},
        },
        "yaxis": {
            "type": "log", "range": [low - 0.1, high + 0.1], "tickvals": ticks["y"],
            "ticktext": [short(tick) for tick in ticks["y"]], "title": {"text": "Activations"},
        },
    }  # fmt: skip
    powers = {name: growth(points) for name, points in shown.items()}
    title = ", ".join(
        f"{NAMES[name]} {power:.2f}" for name, power in sorted(powers.items(), key=lambda entry: entry[1])
    )
    title = f"Activations grow with this power of the {lower(count.label)}: {title}"
    return Chart(figure(look, 380, traces, layout), title, f"{title}.")


def _end_labels(notes: list[tuple[float, float, str, str]], low: float, high: float) -> list[dict[str, Any]]:
    """Names at the ends of lines, moved apart where they would overlap."""
    gap = 0.055 * (high - low + 0.2)
    made: list[dict[str, Any]] = []
    last = -math.inf
    for x, y, text, color in sorted(notes, key=lambda note: note[1]):
        last = max(y, last + gap)
        made.append(
            {
                "x": x, "y": last, "text": text, "showarrow": False, "xanchor": "left", "xshift": 6,
                "font": {"size": 13, "color": color},
            }
        )  # fmt: skip
    return made


def printed_chart(rows: Sequence[Printed], look: Appearance) -> Chart:
    """Printed accuracy of every way to scale: multiply-adds as printed, and what the stated multipliers build.

    Args:
        rows: of one network, the baseline first.
        look: light or dark.
    """
    names = [f"{_way(row.variant)}, {row.top1:.1f} %" for row in rows]
    between: list[float | None] = []
    heights: list[str | None] = []
    for name, row in zip(names, rows, strict=True):
        if row.counted is not None:
            between += [row.macs, row.counted, None]
            heights += [name, name, None]
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "x": between, "y": heights, "hoverinfo": "skip", "showlegend": False,
            "line": {"color": look.grid, "width": 4},
        }
    ]  # fmt: skip
    for label, symbol, values in (
        ("printed", "circle-open", [row.macs for row in rows]),
        ("counted from the stated multipliers", "circle", [row.counted for row in rows]),
    ):
        traces.append(
            {
                "type": "scatter", "mode": "markers", "name": label, "x": values, "y": names,
                "marker": {"size": 11, "symbol": symbol, "color": look.ink, "line": {"color": look.ink, "width": 2}},
                "customdata": [["" if value is None else si(value), row.source]
                               for row, value in zip(rows, values, strict=True)],
                "hovertemplate": f"%{{y}}<br>%{{customdata[0]}} multiply-adds {label}<br>%{{customdata[1]}}"
                "<extra></extra>",
            }
        )  # fmt: skip
    most = max(value for row in rows for value in (row.macs, row.counted or 0))
    layout = {
        "showlegend": True,
        "legend": {
            "orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "itemclick": False, "itemdoubleclick": False,
            "font": {"size": 13},
        },
        "xaxis": {
            "range": [0, max(snapped(most), 1.05 * most)], "tickformat": "~s", "nticks": 7, "showgrid": True,
            "title": {"text": "Multiply-adds"},
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticksuffix": " "},
    }  # fmt: skip
    title = printed_finding(rows)
    spoken = "; ".join(
        f"{row.variant}: top-1 {row.top1:g} %, {si(row.macs)} printed"
        + (f", {si(row.counted)} counted" if row.counted is not None else "")
        for row in rows
    )
    return Chart(figure(look, 110 + 38 * len(rows), traces, layout), title, f"{title}. {spoken}.")


def printed_finding(rows: Sequence[Printed]) -> str:
    """The best and the second best way, and whose stated multipliers build something else."""
    best, second = sorted(rows, key=lambda row: -row.top1)[:2]
    off = [row for row in rows if row.counted and abs(row.counted / row.macs - 1) > 0.05]
    told = (
        f"Printed: {lower(_way(best.variant))} scaling reaches {best.top1:.1f} % top-1, {lower(_way(second.variant))} "
        f"{second.top1:.1f} %"
    )
    return f"{told}; {len(off)} of the stated multipliers build something else" if off else told


def _way(variant: str) -> str:
    for word in ("compound", "depth", "width", "resolution"):
        if word in variant.lower():
            return word.capitalize()
    return "Baseline"
