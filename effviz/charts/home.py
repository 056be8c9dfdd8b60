"""The networks of the zoo: parameters against multiply-adds, and the uses of a parameter per image."""

import math

import pandas as pd

from effviz.charts import draw
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.units import lower, si


def zoo_dots(table: pd.DataFrame, factor: int, compute_label: str, look: Appearance) -> Chart:
    """Draw one row per network: its parameters and its compute, connected, on a logarithmic axis.

    Args:
        table: columns title, params, macs, resolution.
        factor: of the compute number per multiply-add, 1 or 2.
        compute_label: name of the compute number.
    """
    rows = table.sort_values("macs", ascending=False).reset_index(drop=True)
    titles, compute = list(rows["title"]), rows["macs"] * factor
    uses = [f"{macs / params:.0f}" for macs, params in zip(rows["macs"], rows["params"], strict=True)]
    traces = [draw.stretches(zip(titles, rows["params"], compute, strict=True), look)]
    notes = []
    for label, values, symbol in (("Parameters", rows["params"], "circle-open"), (compute_label, compute, "circle")):
        hover = draw.hover(
            f"%{{y}}, %{{customdata[1]}} px<br>{label}: %{{customdata[0]}}<br>"
            "each parameter used %{customdata[2]} times per image",
            [list(row) for row in zip(map(si, values), rows["resolution"], uses, strict=True)],
        )
        traces.append(draw.dots(values, titles, draw.outlined(look.ink, 10, symbol), **hover))
        # A label above the first row replaces a legend.
        notes.append(draw.note(math.log10(values.iloc[-1]), titles[-1], label, look.muted, yshift=18))
    span = [math.log10(rows["params"].min()) - 0.3, math.log10(compute.max()) + 0.2]
    layout = {
        "margin": draw.margin(right=12, top=30),
        "annotations": notes,
        "xaxis": draw.axis("Count (logarithmic)", type="log", dtick=1, tickformat="~s", showgrid=True, range=span),
        "yaxis": {"showgrid": False, "ticksuffix": " ", "categoryorder": "array", "categoryarray": titles},
    }
    spoken = "; ".join(
        f"{row.title}: {si(row.macs * factor)} {lower(compute_label)}, {si(row.params)} parameters"
        for row in rows.itertuples()
    )
    return chart(look, 22 * len(rows) + 80, traces, layout, _finding(rows), spoken)


def _finding(rows: pd.DataFrame) -> str:
    uses = rows["macs"] / rows["params"]
    (least, few), (most, many) = ((rows.loc[at, "title"], f"{uses[at]:.0f}") for at in (uses.idxmin(), uses.idxmax()))
    if few == many:
        return f"{least if len(rows) == 1 else 'Every network'} uses each parameter {few} times per image"
    return f"Parameters do not predict compute: {least} uses each parameter {few} times per image, {most} {many} times"
