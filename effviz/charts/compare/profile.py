"""Parallel coordinates: one row per quantity, one line per network."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.compare.axes import Axis
from effviz.charts.sentences import details, plural
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text

_ROW = 58  # pixels


class ProfileLine(NamedTuple):
    """One network: what a click on it selects, its name, and its values in the order of the axes; None if unknown."""

    key: str
    label: str
    values: Sequence[float | None]


def profiles(
    networks: Sequence[ProfileLine], axes: Sequence[Axis], chosen: str, baseline: str, look: Appearance
) -> Chart:  # fmt: skip
    """Draw one line per network through its values, each row from its worst to its best value.

    Args:
        networks: at least one.
        axes: the rows, from top to bottom. Rows without a known value are left out.
        chosen, baseline: keys of the network on screen and of the baseline.
    """
    rows = [place for place in range(len(axes)) if any(each.values[place] is not None for each in networks)]
    ends = {place: _ends([each.values[place] for each in networks], axes[place]) for place in rows}
    traces: list[Spec] = []
    # The marked lines are drawn last, above the others.
    for each in sorted(networks, key=lambda network: (network.key == chosen, network.key == baseline)):
        known = [(row, place, value) for row, place in enumerate(rows) if (value := each.values[place]) is not None]
        mark = each.key == chosen, each.key == baseline
        color = look.accent if mark[0] else look.ink if mark[1] else look.muted
        x = [_share(value, ends[place], axes[place]) for _, place, value in known]
        data = [
            [each.key, plotly_text(each.label), axes[place].title, axes[place].written(value)]
            for _, place, value in known
        ]
        hover = draw.hover("<b>%{customdata[1]}</b><br>%{customdata[2]}: %{customdata[3]}", data)
        traces.append(
            draw.line(
                x, [row for row, _, _ in known], color, 3 if any(mark) else 1, dash="dash" if mark[1] else "",
                mode="lines+markers", marker={"size": 9 if any(mark) else 6, "color": color},
                opacity=1 if any(mark) else 0.55, name=plotly_text(each.label), showlegend=any(mark), **hover,
            )
        )  # fmt: skip
    notes = [note for row, place in enumerate(rows) for note in _limits(row, ends[place], axes[place], look)]
    layout = draw.legend(traceorder="reversed") | {
        "annotations": notes,
        "margin": draw.margin(top=34),
        "xaxis": {"range": [-0.04, 1.04], "visible": False},
        "yaxis": draw.ROWS
        | draw.ticks(range(len(rows)), lambda row: _in_lines(axes[rows[row]].title))
        | {"autorange": False, "range": [len(rows) - 0.5, -0.5], "showgrid": True},
    }
    spoken = details(
        (each.label, [f"{axes[place].label} {axes[place].written(value)}" for place in rows
                      if (value := each.values[place]) is not None])
        for each in networks
    )  # fmt: skip
    return chart(look, _ROW * len(rows) + 60, traces, layout, _title(networks, axes, rows, chosen, baseline), spoken)


def _ends(values: Sequence[float | None], axis: Axis) -> tuple[float, float]:
    """Return the worst and the best value; the smallest and the largest one without a direction."""
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    return (high, low) if axis.better < 0 else (low, high)


def _share(value: float, ends: tuple[float, float], axis: Axis) -> float:
    """Return the place of a value between the ends of its row, 0 to 1."""
    worst, best, here = (math.log(each) if axis.log else each for each in (*ends, value))
    return 0.5 if worst == best else (here - worst) / (best - worst)


def _limits(row: int, ends: tuple[float, float], axis: Axis, look: Appearance) -> list[Spec]:
    if ends[0] == ends[1]:
        return [draw.note(0.5, row, axis.written(ends[0]), look.muted, 11, yshift=17)]
    return [
        draw.note(x, row, axis.written(value), look.muted, 11, xanchor=anchor, yshift=17)
        for x, value, anchor in ((0, ends[0], "left"), (1, ends[1], "right"))
    ]


def _in_lines(title: str) -> str:
    """Break a title before its unit, or between two words: on a phone it would take half of the chart."""
    return title.replace(" (", "<br>(", 1) if " (" in title else title.replace(" ", "<br>", 1)


def _title(
    networks: Sequence[ProfileLine], axes: Sequence[Axis], rows: Sequence[int], chosen: str, baseline: str
) -> str:  # fmt: skip
    by_key = {each.key: each for each in networks}
    one, other = by_key.get(chosen), by_key.get(baseline)
    if one is None or other is None or one.key == other.key:
        return (
            f"{plural(len(networks), 'network')} in {plural(len(rows), 'quantity').replace('quantitys', 'quantities')}"
        )
    better = compared = 0
    for place in rows:
        first, second = one.values[place], other.values[place]
        if axes[place].better and first is not None and second is not None:
            compared += 1
            better += axes[place].better * (first - second) > 0
    if not compared:
        return f"{one.label} and {other.label} have no quantity in common"
    return f"{one.label} is better than {other.label} in {better} of {compared} known quantities"


check_border(globals())
