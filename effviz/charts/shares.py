"""Share by layer kind: which sort of layer takes the cost."""

from __future__ import annotations

import pandas as pd

from effviz.charts.stages import Measure
from effviz.charts.style import KIND_COLORS, Appearance, Chart, figure, mark, text_on
from effviz.core.units import lower, percent
from effviz.count.kinds import KINDS

_SUBJECTS = {name: kind.subject for name, kind in KINDS.items() if kind is not None}


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
    title = _finding(shares, measures)
    spoken = "; ".join(
        f"{kind}: " + ", ".join(f"{percent(shares.loc[kind, m.column])} of {lower(m.label)}" for m in measures)
        for kind in KIND_COLORS
        if kind in shares.index
    )
    return Chart(made, title, f"{title}. {spoken}.")


def _finding(shares: pd.DataFrame, measures: list[Measure]) -> str:
    params, compute = measures[0], measures[1]
    if not shares[compute.column].any():
        return f"No layer takes {lower(compute.label)}"
    heaviest = str(shares[compute.column].idxmax())
    return (
        f"{_SUBJECTS[heaviest]} {percent(shares.loc[heaviest, compute.column])} of the {lower(compute.label)} and "
        f"{percent(shares.loc[heaviest, params.column])} of the parameters"
    )
