"""Activation memory over the run of the network, with its peak."""

from __future__ import annotations

import pandas as pd

from effviz.charts.stages import Measure
from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import exact, snapped


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
