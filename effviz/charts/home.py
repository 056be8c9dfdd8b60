"""All networks of the zoo: parameters against multiply-adds, and how often a parameter is used."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import si


def zoo_dots(table: pd.DataFrame, factor: int, compute_label: str, look: Appearance) -> Chart:
    """One row per network: its parameters, its compute, and the stretch between them on a logarithmic axis.

    Args:
        table: columns title, params, macs, resolution.
        factor: from multiply-adds to what is shown, 1 or 2.
        compute_label: name of the compute number.
        look: light or dark.
    """
    rows = table.sort_values("macs", ascending=False).reset_index(drop=True)
    compute = rows["macs"] * factor
    between: list[float | None] = []
    names: list[str | None] = []
    for name, low, high in zip(rows["title"], rows["params"], compute, strict=True):
        between += [low, high, None]
        names += [name, name, None]
    stretch: dict[str, Any] = {"type": "scatter", "x": between, "y": names, "mode": "lines", "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [stretch | {"line": {"color": look.grid, "width": 4}}]
    labels: list[dict[str, Any]] = []
    uses = [f"{macs / params:.0f}" for macs, params in zip(rows["macs"], rows["params"], strict=True)]
    for label, values, symbol in (("Parameters", rows["params"], "circle-open"), (compute_label, compute, "circle")):
        traces.append(
            {
                "type": "scatter",
                "x": list(values),
                "y": list(rows["title"]),
                "mode": "markers",
                "marker": {"size": 10, "color": look.ink, "symbol": symbol, "line": {"color": look.ink, "width": 2}},
                "customdata": [
                    [si(value), side, times]
                    for value, side, times in zip(values, rows["resolution"], uses, strict=True)
                ],
                "hovertemplate": f"%{{y}}, %{{customdata[1]}} px<br>{label}: %{{customdata[0]}}<br>"
                "each parameter used %{customdata[2]} times an image<extra></extra>",
            }
        )
        # Said once, above the first row, instead of in a legend.
        place = {"x": math.log10(values.iloc[-1]), "y": rows["title"].iloc[-1], "yshift": 18}
        labels.append(place | {"text": label, "showarrow": False, "font": {"size": 13, "color": look.muted}})
    layout = {
        "margin": {"l": 8, "r": 12, "t": 30, "b": 8},
        "annotations": labels,
        "xaxis": {
            "type": "log",
            "dtick": 1,
            "tickformat": "~s",
            "showgrid": True,
            "title": {"text": "Count (logarithmic)"},
            "range": [math.log10(rows["params"].min()) - 0.3, math.log10(compute.max()) + 0.2],
        },
        "yaxis": {
            "showgrid": False,
            "ticksuffix": " ",
            "categoryorder": "array",
            "categoryarray": list(rows["title"]),
        },
    }
    made = figure(look, 22 * len(rows) + 80, traces, layout)
    title = _finding(rows)
    spoken = "; ".join(
        f"{row.title}: {si(row.macs * factor)} {compute_label}, {si(row.params)} parameters"
        for row in rows.itertuples()
    )
    return Chart(made, title, f"{title}. {spoken}.")


def _finding(rows: pd.DataFrame) -> str:
    uses = rows["macs"] / rows["params"]
    least, most = rows.loc[uses.idxmin()], rows.loc[uses.idxmax()]
    return (
        f"{least['title']} uses a parameter {uses.min():.0f} times an image, {most['title']} {uses.max():.0f} times: "
        "parameters do not tell the compute"
    )
