"""What ReLU does to a spiral: pictures of the way back from the embedding, and the share that is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import percent
from effviz.studies.manifold import Embedding, Loss

# From the inner end of the spiral to the outer: blue to orange, which colour-blind eyes tell apart, and at least 3:1 on
# white and on the dark paper, which leaves room for little difference in lightness.
SPIRAL_COLORS = ("#2B7BBA", "#7A7A8C", "#C66A00")

_COLUMNS = 3
_PANEL = 220


def manifold_pictures(embeddings: Sequence[Embedding], look: Appearance) -> Chart:
    """The spiral, and what comes back from each embedding, as small multiples with equal axes.

    Args:
        embeddings: of one spiral with one activation; at least one.
        look: light or dark.
    """
    original = embeddings[0].original
    panels = [("Input", original), *((f"n = {each.dimensions}", each.projected) for each in embeddings)]
    shares = [""] + [f"{percent(each.lost)} lost" for each in embeddings]
    rows = -(-len(panels) // _COLUMNS)
    # One scale for all: what collapses must be seen to collapse.
    reach = 0.53 * max(float((points.max(axis=0) - points.min(axis=0)).max()) for _, points in panels)
    traces, notes, layout = [], [], dict[str, Any]()
    for place, ((name, points), share) in enumerate(zip(panels, shares, strict=True)):
        row, column = divmod(place, _COLUMNS)
        axis = "" if place == 0 else str(place + 1)
        left, right = (column + 0.02) / _COLUMNS, (column + 0.98) / _COLUMNS
        # Above every panel two lines of text.
        bottom, top = 1 - (row + 1) / rows, 1 - (row + 0.19) / rows
        traces.append(_spiral(name, points, axis))
        across, up = ((points.max(axis=0) + points.min(axis=0)) / 2).tolist()
        layout[f"xaxis{axis}"] = _hidden(across, reach) | {"domain": [left, right], "anchor": f"y{axis}"}
        upright = {"domain": [bottom, top], "anchor": f"x{axis}", "scaleanchor": f"x{axis}"}
        layout[f"yaxis{axis}"] = _hidden(up, reach) | upright
        notes.append(
            {
                "text": f"<b>{name}</b><br>{share}",
                "x": (left + right) / 2,
                "y": top,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "center",
                "yanchor": "bottom",
                "align": "center",
                "showarrow": False,
                "font": {"size": 12, "color": look.ink},
            }
        )
    layout |= {"annotations": notes}
    title = _finding(embeddings)
    spoken = "; ".join(f"n = {each.dimensions}: {percent(each.lost)} lost" for each in embeddings)
    alt = f"{title}. A spiral in the plane, and what comes back from n channels. {spoken}."
    return Chart(figure(look, _PANEL * rows, traces, layout), title, alt)


def _hidden(middle: float, reach: float) -> dict[str, Any]:
    return {"visible": False, "range": [middle - reach, middle + reach]}


def _spiral(name: str, points: Any, axis: str) -> dict[str, Any]:
    count = len(points)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": points[:, 0].tolist(),
        "y": points[:, 1].tolist(),
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "marker": {
            "size": 4,
            "line": {"width": 0},
            "color": list(range(count)),
            "cmin": 0,
            "cmax": count - 1,
            "colorscale": [[index / (len(SPIRAL_COLORS) - 1), color] for index, color in enumerate(SPIRAL_COLORS)],
            "showscale": False,
        },
        "hoverinfo": "skip",
    }


_NAMES = {"relu": "ReLU", "relu6": "ReLU6", "none": "No activation"}


def _finding(embeddings: Sequence[Embedding]) -> str:
    ordered = sorted(embeddings, key=lambda each: each.dimensions)
    few, many = ordered[0], ordered[-1]
    name = _NAMES[few.activation]
    if few.activation == "none":
        return f"{name}: {few.dimensions} channels bring the spiral back whole"
    first = f"{name} in {few.dimensions} channels loses {percent(few.lost)} of the spiral"
    return first if few is many else f"{first}, {percent(many.lost)} in {many.dimensions}"


def loss_chart(curve: Sequence[Loss], look: Appearance, chosen: int | None = None, activation: str = "relu") -> Chart:
    """The share lost against the channels of the embedding: median over the seeds, quartiles as a band.

    Args:
        curve: from `effviz.studies.manifold.loss_curve`; at least one.
        look: light or dark.
        chosen: the number of channels to mark, if it is in the curve.
        activation: of the curve, for the title.
    """
    curve = sorted(curve)
    sizes = [each.dimensions for each in curve]
    # Rounding errors of a linear embedding are nothing lost.
    low, median, high = ([_nothing(getattr(each, name)) for each in curve] for name in ("lower", "median", "upper"))
    band = {
        "type": "scatter",
        "mode": "lines",
        "name": "quartiles",
        "x": [*sizes, *reversed(sizes)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": look.grid,
        "line": {"width": 0},
        "hoverinfo": "skip",
    }
    marked = [size == chosen for size in sizes]
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "median",
        "x": sizes,
        "y": median,
        "line": {"color": look.ink, "width": 2},
        "marker": {
            "color": [look.accent if mark else look.ink for mark in marked],
            "size": [14 if mark else 7 for mark in marked],
            "opacity": 1,
        },
        "customdata": [
            [percent(each), percent(one), percent(other)] for each, one, other in zip(median, low, high, strict=True)
        ],
        "hovertemplate": "n = %{x}: %{customdata[0]} lost<br>"
        "half of the seeds between %{customdata[1]} and %{customdata[2]}<extra></extra>",
    }
    layout = {
        "xaxis": {
            "type": "log",
            "tickvals": sizes,
            "ticktext": [str(size) for size in sizes],
            "title": {"text": "Channels of the embedding, n"},
        },
        "yaxis": {
            "range": [0, max(0.1, 1.1 * max(high))],
            "tickformat": ".0%",
            "nticks": 6,
            "title": {"text": "Share of the spiral lost"},
        },
        "annotations": [
            {
                "x": math.log10(size),
                "y": value,
                "text": f"n = {size}: {percent(value)}",
                "showarrow": False,
                "xanchor": "right" if size == sizes[-1] and len(sizes) > 1 else "left",
                "yanchor": "bottom",
                "xshift": 0 if size == sizes[-1] else 6,
                "yshift": 8,
                "font": {"color": look.accent, "size": 14},
            }
            for size, value, mark in zip(sizes, median, marked, strict=True)
            if mark
        ],
    }
    title = _curve_finding(sizes, median, activation)
    spoken = "; ".join(
        f"n = {size}: median {percent(each)}, quartiles {percent(one)} and {percent(other)}"
        for size, each, one, other in zip(sizes, median, low, high, strict=True)
    )
    return Chart(figure(look, 320, [band, line], layout), title, f"{title}. Share lost: {spoken}.")


def _nothing(share: float) -> float:
    return share if share > 1e-12 else 0.0


def _curve_finding(sizes: list[int], median: list[float], activation: str) -> str:
    name = _NAMES[activation]
    if not any(median):
        return f"{name}: nothing is lost, however few the channels"
    kept = next((size for size, share in zip(sizes, median, strict=True) if share < 0.01), None)
    first = f"{name} in {sizes[0]} channels loses {percent(median[0])} of the spiral in the median"
    return first if kept in (None, sizes[0]) else f"{first}; from {kept} channels on it is under 1 %"
