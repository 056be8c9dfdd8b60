"""Charts of the Architectures page: cost per stage, share by layer kind, activation memory over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from effviz.charts.style import KIND_COLORS, Appearance, Chart, figure, mark, text_on
from effviz.core.units import exact, lower, percent, si, snapped


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


_PLURAL = {
    "standard convolution": "Standard convolutions take",
    "grouped convolution": "Grouped convolutions take",
    "pointwise 1x1": "Pointwise 1x1 convolutions take",
    "depthwise": "Depthwise convolutions take",
    "linear": "Linear layers take",
    "squeeze-and-excitation": "Squeeze-and-excitation takes",
    "merge and shuffle": "Merges and shuffles take",
    "norm and activation": "Norms and activations take",
    "pooling": "Pooling takes",
}


def kind_shares(table: pd.DataFrame, measures: list[Measure], look: Appearance) -> Chart:
    """One bar of 100 % per measure, divided by layer kind; shares from 10 % on are labelled in place.

    Args:
        table: ``report.table``.
        measures: the bars from top to bottom; the second is multiply-adds or FLOPs, the first parameters.
        look: light or dark.
    """
    sums = table.groupby("kind")[[measure.column for measure in measures]].sum()
    shares = sums / sums.sum().replace(0, 1)
    labels = [measure.label for measure in measures]
    traces = []
    for kind in KIND_COLORS:
        if kind not in shares.index or not shares.loc[kind].any():
            continue
        row = [float(shares.loc[kind, measure.column]) for measure in measures]
        amounts = [measure.show(float(sums.loc[kind, measure.column]) * measure.factor) for measure in measures]
        traces.append(
            {
                "type": "bar",
                "y": labels,
                "x": row,
                "name": kind,
                "orientation": "h",
                "marker": mark(kind, look),
                "text": [percent(share) if share >= 0.1 else "" for share in row],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "constraintext": "none",
                "textfont": {"color": text_on(KIND_COLORS[kind]), "size": 14},
                "customdata": list(zip(amounts, [percent(share) for share in row], strict=True)),
                "hovertemplate": f"{kind}<br>%{{y}}: %{{customdata[0]}}, %{{customdata[1]}}<extra></extra>",
            }
        )
    layout = {
        "barmode": "stack",
        "bargap": 0.35,
        "xaxis": {
            "range": [0, 1],
            "tickformat": ".0%",
            "showgrid": True,
            "nticks": 6,
            "title": {"text": "Share of the total"},
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, "ticksuffix": " "},
    }
    made = figure(look, 64 * len(measures) + 68, traces, layout)
    title = _shares_finding(shares, measures)
    spoken = "; ".join(
        f"{kind}: " + ", ".join(f"{percent(shares.loc[kind, m.column])} of {lower(m.label)}" for m in measures)
        for kind in KIND_COLORS
        if kind in shares.index
    )
    return Chart(made, title, f"{title}. {spoken}.")


def _shares_finding(shares: pd.DataFrame, measures: list[Measure]) -> str:
    params, compute = measures[0], measures[1]
    if not shares[compute.column].any():
        return f"No layer takes {lower(compute.label)}"
    heaviest = str(shares[compute.column].idxmax())
    return (
        f"{_PLURAL[heaviest]} {percent(shares.loc[heaviest, compute.column])} of the {lower(compute.label)} and "
        f"{percent(shares.loc[heaviest, params.column])} of the parameters"
    )


def activation_timeline(table: pd.DataFrame, measure: Measure, look: Appearance) -> Chart:
    """A step line: activation elements alive while each layer runs.

    Args:
        table: ``report.table``; layers that run inside the one before them are left out.
        measure: column ``alive`` with its label, unit factor and text.
        look: light or dark.
    """
    running = table[table["alive"] > 0].reset_index(drop=True)
    if running.empty:
        # Views alone: nothing runs, and there is no peak to mark but the first row.
        running = table.reset_index(drop=True)
    values = running["alive"] * measure.factor
    at = int(values.idxmax())
    peak = running.loc[at]
    highest = measure.show(float(values[at]))
    traces = [
        {
            "type": "scatter",
            "x": list(range(1, len(running) + 1)),
            "y": list(values),
            "mode": "lines",
            "line": {"shape": "hvh", "color": look.ink, "width": 1.5},
            "fill": "tozeroy",
            "fillcolor": look.grid,
            "customdata": list(
                zip(running["path"], running["output_shape"], [measure.show(value) for value in values], strict=True)
            ),
            "hovertemplate": "%{customdata[0]}<br>output %{customdata[1]}<br>alive: %{customdata[2]}<extra></extra>",
        },
        {
            "type": "scatter",
            "x": [at + 1],
            "y": [float(values[at])],
            "mode": "markers",
            "marker": {"color": look.accent, "size": 11, "line": {"color": look.paper, "width": 2}},
            "hoverinfo": "skip",
        },
    ]
    in_front = at < len(running) / 2
    label = {
        "x": at + 1,
        "y": float(values[at]),
        "text": f"<b>{highest}</b>  {peak['path']}",
        "showarrow": False,
        "xanchor": "left" if in_front else "right",
        "xshift": 10 if in_front else -10,
        "yshift": 10,
        "font": {"color": look.accent},
    }
    shown = _stage_ticks(running["stage"])
    layout = {
        "hovermode": "x",
        "annotations": [label],
        "xaxis": {
            "range": [0.5, len(running) + 0.5],
            "tickvals": [start for start, _ in shown],
            "ticktext": [stage for _, stage in shown],
            "title": {"text": f"Layers in execution order ({len(running)} that run)"},
        },
        "yaxis": {
            "range": [0, snapped(float(values.max()) * 1.12)],
            "tickformat": ".3~s",
            "nticks": 5,
            "title": {"text": measure.label},
        },
    }
    made = figure(look, 320, traces, layout)
    title = f"Peak of {highest} while {peak['path']} runs"
    alt = (
        f"{title}: {exact(int(peak['alive']))} activation elements are alive, input {peak['input_shape']} and output "
        f"{peak['output_shape']}. The line has {len(running)} layers; the last one holds "
        f"{measure.show(float(values.iloc[-1]))}."
    )
    return Chart(made, title, alt)


def _stage_ticks(stages: pd.Series) -> list[tuple[int, str]]:
    """Where stages begin, counted from 1; a stage too close to the one before is left out."""
    shown: list[tuple[int, str]] = []
    for position, stage in stages.drop_duplicates().items():
        if not shown or position + 1 - shown[-1][0] >= len(stages) / 12:
            shown.append((int(position) + 1, str(stage)))
    return shown
