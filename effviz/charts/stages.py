"""Cost per stage: where parameters, multiply-adds and memory access are spent along the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from effviz.charts.style import KIND_COLORS, Appearance, Chart, figure, mark
from effviz.core.units import lower, percent, si, snapped


@dataclass(frozen=True)
class Measure:
    """One row of panels.

    Attributes:
        column: of the report's table.
        label: on the axis.
        factor: from the table's unit to the one shown.
        show: a value in that unit as text.
    """

    column: str
    label: str
    factor: int = 1
    show: Callable[[float], str] = si


def stage_costs(
    table: pd.DataFrame, measures: list[Measure], look: Appearance, baseline: pd.DataFrame | None = None
) -> Chart:
    """Stacked bars, one panel per measure, one bar per stage, coloured by layer kind.

    Args:
        table: ``report.table``.
        measures: the panels from top to bottom; the first two name the finding.
        look: light or dark.
        baseline: the table of the unscaled network, drawn as a ghost mark.
    """
    stages = list(dict.fromkeys(table["stage"]))
    columns = [measure.column for measure in measures]
    sums = table.groupby(["stage", "kind"], sort=False)[columns].sum().to_dict()
    before = {} if baseline is None else baseline.groupby("stage")[columns].sum().to_dict()
    traces: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    layout: dict[str, Any] = {}
    gap = 0.1
    span = (1 - gap * (len(measures) - 1)) / len(measures)
    for row, measure in enumerate(measures):
        top = 1 - row * (span + gap)
        number = "" if row == 0 else str(row + 1)
        amounts = {key: value * measure.factor for key, value in sums[measure.column].items()}
        ghosts = {stage: value * measure.factor for stage, value in before.get(measure.column, {}).items()}
        wholes = {stage: sum(amounts.get((stage, kind), 0) for kind in KIND_COLORS) for stage in stages}
        traces += _bars(stages, amounts, wholes, ghosts, measure, look, f"y{number}")
        shapes += _ghosts(stages, ghosts, f"y{number}", look)
        labels.append(_panel_label(f"<b>{measure.label}</b>  {measure.show(sum(wholes.values()))}", top))
        highest = max([*wholes.values(), *(ghosts[stage] for stage in stages if stage in ghosts)])
        layout[f"yaxis{number}"] = {
            "domain": [max(0.0, top - span), top],
            "anchor": "x",
            "range": [0, snapped(highest)],
            "nticks": 3,
            "tickformat": ".3~s",
        }
    layout |= {
        "barmode": "stack",
        "bargap": 0.3,
        "margin": {"l": 8, "r": 8, "t": 26, "b": 8},
        "xaxis": {"anchor": f"y{len(measures)}" if len(measures) > 1 else "y"},
        "shapes": shapes,
        "annotations": labels,
    }
    title = _finding(table, measures, stages)
    alt = f"{title}. {_spoken(table, measures, stages)}"
    return Chart(figure(look, 120 * len(measures) + 44, traces, layout), title, alt)


def _bars(
    stages: list[str],
    amounts: dict[tuple[str, str], float],
    wholes: dict[str, float],
    ghosts: dict[str, float],
    measure: Measure,
    look: Appearance,
    axis: str,
) -> list[dict[str, Any]]:
    total = sum(wholes.values()) or 1
    notes = {
        stage: f"stage: {measure.show(wholes[stage])}"
        + (f", unscaled: {measure.show(ghosts[stage])}" if stage in ghosts else "")
        for stage in stages
    }
    traces = []
    for kind in KIND_COLORS:
        values = [amounts.get((stage, kind), 0) for stage in stages]
        if any(values):
            traces.append(
                {
                    "type": "bar",
                    "x": stages,
                    "y": values,
                    "name": kind,
                    "marker": mark(kind, look),
                    "yaxis": axis,
                    "customdata": [
                        [measure.show(value), percent(value / total), notes[stage]]
                        for stage, value in zip(stages, values, strict=True)
                    ],
                    "hovertemplate": f"%{{x}}, {kind}<br>{measure.label}: %{{customdata[0]}}, %{{customdata[1]}} of "
                    "the network<br>%{customdata[2]}<extra></extra>",
                }
            )
    return traces


def _ghosts(stages: list[str], ghosts: dict[str, float], axis: str, look: Appearance) -> list[dict[str, Any]]:
    """A line across each bar where the unscaled network's ends; a shape, so that it has the bar's width."""
    return [
        {
            "type": "line",
            "xref": "x",
            "yref": axis,
            "x0": position - 0.42,
            "x1": position + 0.42,
            "y0": ghosts[stage],
            "y1": ghosts[stage],
            "line": {"color": look.ink, "width": 2},
        }
        for position, stage in enumerate(stages)
        if stage in ghosts
    ]


def _panel_label(text: str, top: float) -> dict[str, Any]:
    place = {"x": 0, "y": top, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return place | {"text": text, "showarrow": False}


def _finding(table: pd.DataFrame, measures: list[Measure], stages: list[str]) -> str:
    """Where along the network the first two measures differ most."""
    first, second = measures[0], measures[1]
    shares = table.groupby("stage", sort=False)[[first.column, second.column]].sum()
    shares = (shares / shares.sum().replace(0, 1)).cumsum()
    gaps = (shares[second.column] - shares[first.column]).iloc[:-1]
    if gaps.empty:
        return f"One stage takes all {lower(first.label)}"
    split = gaps.abs().idxmax()
    start, end = shares.loc[split, first.column], shares.loc[split, second.column]
    after = stages[stages.index(split) + 1]
    return (
        f"Up to {split}: {percent(end)} of the {lower(second.label)}, {percent(start)} of the "
        f"{lower(first.label)}; from {after} on the rest"
    )


def _spoken(table: pd.DataFrame, measures: list[Measure], stages: list[str]) -> str:
    sums = table.groupby("stage", sort=False)[[measure.column for measure in measures]].sum()
    parts = []
    for stage in stages:
        numbers = ", ".join(
            f"{lower(measure.label)} {measure.show(sums.loc[stage, measure.column] * measure.factor)}"
            for measure in measures
        )
        parts.append(f"{stage}: {numbers}")
    return "; ".join(parts) + "."
