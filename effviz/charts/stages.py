"""Cost per stage: where parameters, multiply-adds and memory access are spent along the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from effviz.charts.style import KIND_COLORS, Appearance, Chart, figure, mark
from effviz.units import percent, si, snapped


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
    sums = table.groupby(["stage", "kind"], sort=False)[[measure.column for measure in measures]].sum()
    made = figure(
        look,
        124 * len(measures) + 44,
        barmode="stack",
        bargap=0.3,
        hovermode="closest",
        showlegend=False,
        margin={"l": 8, "r": 8, "t": 26, "b": 8},
    )
    gap = 0.1
    span = (1 - gap * (len(measures) - 1)) / len(measures)
    for row, measure in enumerate(measures):
        top = 1 - row * (span + gap)
        axis = "" if row == 0 else str(row + 1)
        ghosts = None
        if baseline is not None:
            ghosts = baseline.groupby("stage", sort=False)[measure.column].sum().reindex(stages) * measure.factor
        per_stage = table.groupby("stage", sort=False)[measure.column].sum() * measure.factor
        highest = max(per_stage.max(), ghosts.max() if ghosts is not None else 0)
        total = float(per_stage.sum()) or 1.0
        wholes = [f"stage: {measure.show(value)}" for value in per_stage]
        if ghosts is not None:
            wholes = [
                f"{whole}, unscaled: {measure.show(before)}" if before == before else whole
                for whole, before in zip(wholes, ghosts, strict=True)
            ]
        for kind in KIND_COLORS:
            values = [float(sums[measure.column].get((stage, kind), 0)) * measure.factor for stage in stages]
            if not any(values):
                continue
            made.add_bar(
                x=stages,
                y=values,
                name=kind,
                marker=mark(kind, look),
                xaxis="x",
                yaxis=f"y{axis}",
                customdata=[
                    [measure.show(value), percent(value / total), whole]
                    for value, whole in zip(values, wholes, strict=True)
                ],
                hovertemplate=f"%{{x}}, {kind}<br>{measure.label}: %{{customdata[0]}}, %{{customdata[1]}}"
                " of the network<br>%{customdata[2]}<extra></extra>",
            )
        if ghosts is not None:
            _add_ghosts(made, ghosts, f"y{axis}", look)
        made.update_layout(
            {
                f"yaxis{axis}": {
                    "domain": [max(0.0, top - span), top],
                    "anchor": "x",
                    "range": [0, snapped(float(highest))],
                    "nticks": 3,
                    "tickformat": ".3~s",
                    "gridcolor": look.grid,
                    "showgrid": True,
                    "zeroline": False,
                    "color": look.muted,
                    "fixedrange": True,
                    "automargin": True,
                }
            }
        )
        made.add_annotation(
            x=0,
            y=top,
            xref="paper",
            yref="paper",
            text=f"<b>{measure.label}</b>  {measure.show(total)}",
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"size": 14, "color": look.ink},
        )
    made.update_layout(xaxis={"anchor": f"y{len(measures)}" if len(measures) > 1 else "y", "categoryarray": stages})
    title = _finding(table, measures, stages)
    return Chart(made, title, f"{title}. {_spoken(table, measures, stages)}")


def _add_ghosts(made: go.Figure, ghosts: pd.Series, axis: str, look: Appearance) -> None:
    """A line across each bar where the unscaled network's bar ends; as shapes, so that it keeps the bar's width."""
    for position, value in enumerate(ghosts):
        if value == value:
            made.add_shape(
                type="line",
                xref="x",
                yref=axis,
                x0=position - 0.42,
                x1=position + 0.42,
                y0=value,
                y1=value,
                line={"color": look.ink, "width": 2},
            )


def _finding(table: pd.DataFrame, measures: list[Measure], stages: list[str]) -> str:
    """Where along the network the first two measures differ most."""
    first, second = measures[0], measures[1]
    shares = table.groupby("stage", sort=False)[[first.column, second.column]].sum()
    shares = (shares / shares.sum()).cumsum()
    gaps = (shares[second.column] - shares[first.column]).iloc[:-1]
    if gaps.empty:
        return f"One stage takes all {first.label.lower()}"
    split = gaps.abs().idxmax()
    start, end = shares.loc[split, first.column], shares.loc[split, second.column]
    after = stages[stages.index(split) + 1]
    return (
        f"Up to {split}: {percent(end)} of the {second.label.lower()}, {percent(start)} of the "
        f"{first.label.lower()}; from {after} on the rest"
    )


def _spoken(table: pd.DataFrame, measures: list[Measure], stages: list[str]) -> str:
    sums = table.groupby("stage", sort=False)[[measure.column for measure in measures]].sum()
    parts = []
    for stage in stages:
        numbers = ", ".join(
            f"{measure.label.lower()} {measure.show(sums.loc[stage, measure.column] * measure.factor)}"
            for measure in measures
        )
        parts.append(f"{stage}: {numbers}")
    return "; ".join(parts) + "."
