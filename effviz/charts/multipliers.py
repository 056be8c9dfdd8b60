"""Width and resolution: a heat map of what each pair costs, and printed accuracy against counted multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from effviz.charts.style import Appearance, Chart, figure, text_on
from effviz.core.units import lower, short, si

_ROW = 34
_TALLEST = 520
_SCATTER = 460
# Of the way from grid to muted: text on every cell stays easy to read.
_DARKEST = 0.6
# Per network a symbol; what is filled lies on the front, so each has an open twin.
_SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "triangle-down", "bowtie", "x", "star", "cross",
)  # fmt: skip

Place = tuple[float, int]


class Cell(NamedTuple):
    """One cell of the heat map.

    Attributes:
        width: multiplier, a row.
        resolution: in pixels, a column.
        value: what colours it; None leaves it empty.
        text: the value as read.
        hover: everything that is known about it.
        printed: by the authors, drawn bold.
        misfit: a figure that is printed for it does not fit, drawn with a corner.
    """

    width: float
    resolution: int
    value: float | None
    text: str
    hover: str
    printed: bool = False
    misfit: bool = False


class Finding(NamedTuple):
    """The sentence over a chart, and what the numbers are: ``Multiply-adds (M)``."""

    title: str
    unit: str


def heat_map(cells: Sequence[Cell], now: Place, own: Place, said: Finding, look: Appearance) -> Chart:
    """Widths as rows, narrow at the bottom, resolutions as columns; every cell shows its value.

    Args:
        cells: of every pair of a width and a resolution.
        now: the pair on screen, outlined in the accent.
        own: the pair of the unscaled network, outlined thinly.
        said: title and unit.
        look: light or dark.
    """
    widths = sorted({cell.width for cell in cells})
    sides = sorted({cell.resolution for cell in cells})
    at = {(cell.width, cell.resolution): cell for cell in cells}
    known = [cell.value for cell in cells if cell.value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    logarithmic = low > 0 and high / low > 4

    def share(value: float) -> float:
        if high <= low:
            return 0.5
        return math.log(value / low) / math.log(high / low) if logarithmic else (value - low) / (high - low)

    dark = _mixed(look.grid, look.muted, _DARKEST)
    rows = [[at[width, side] for side in sides] for width in widths]
    shares = [[None if cell.value is None else share(cell.value) for cell in row] for row in rows]
    heat = {
        "type": "heatmap",
        "x": list(range(len(sides))),
        "y": list(range(len(widths))),
        "z": shares,
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, look.grid], [1, dark]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": True,
        "customdata": [[[cell.hover] for cell in row] for row in rows],
        "hovertemplate": "%{customdata[0]}<extra></extra>",
    }
    places = [(column, row) for row in range(len(widths)) for column in range(len(sides))]
    drawn = [rows[row][column] for column, row in places]
    colors = [
        look.muted if (tone := shares[row][column]) is None else text_on(_mixed(look.grid, dark, tone))
        for column, row in places
    ]
    texts = {
        "type": "scatter",
        "mode": "text",
        "x": [column for column, _ in places],
        "y": [row for _, row in places],
        "text": [f"<b>{cell.text}</b>" if cell.printed else cell.text for cell in drawn],
        "textfont": {"size": 13 if len(sides) <= 8 else 12, "color": colors},
        "hoverinfo": "skip",
    }
    shapes = [
        {
            "type": "path", "xsizemode": "pixel", "ysizemode": "pixel", "xanchor": column + 0.5, "yanchor": row + 0.5,
            "path": "M -11,-2 L -2,-2 L -2,-11 Z", "fillcolor": look.ink, "line": {"width": 0},
        }
        for (column, row), cell in zip(places, drawn, strict=True)
        if cell.misfit
    ]  # fmt: skip
    for place, color, width in ((own, look.ink, 1), (now, look.accent, 4)):
        column, row = sides.index(place[1]), widths.index(place[0])
        shapes.append(
            {
                "type": "rect", "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5,
                "line": {"color": color, "width": width}, "fillcolor": "rgba(0,0,0,0)",
            }
        )  # fmt: skip
    layout = {
        "shapes": shapes,
        "hoverlabel": {"align": "left"},
        "margin": {"l": 8, "r": 4, "t": 4, "b": 8},
        "xaxis": {
            "range": [-0.53, len(sides) - 0.47],
            "tickvals": list(range(len(sides))),
            "ticktext": [str(side) for side in sides],
            "title": {"text": "Resolution (px)"},
        },
        "yaxis": {
            "range": [-0.55, len(widths) - 0.45],
            "tickvals": list(range(len(widths))),
            "ticktext": [f"{width:g} " for width in widths],
            "showgrid": False,
            "title": {"text": "Width multiplier"},
        },
    }
    spoken = "; ".join(
        f"{cell.width:g} at {cell.resolution} px: {cell.text}{', does not fit what is printed' if cell.misfit else ''}"
        for cell in drawn
        if cell.value is not None
    )
    height = min(_TALLEST, 64 + _ROW * max(2, len(widths)))
    alt = f"{said.title}. {said.unit}: {spoken}." if spoken else f"{said.title}. No cell of {len(drawn)} is printed."
    return Chart(figure(look, height, [heat, texts], layout), said.title, alt)


def _mixed(low: str, high: str, share: float) -> str:
    """The colour of a cell: between `low` and `high`, as plotly mixes them."""
    ends = [[int(color[start : start + 2], 16) for start in (1, 3, 5)] for color in (low, high)]
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(*ends, strict=True))


# --- accuracy ---------------------------------------------------------------------------------------------------------


class Point(NamedTuple):
    """A printed accuracy.

    Attributes:
        network: whose, as the legend names it.
        label: network, width and resolution.
        compute: in the convention.
        top1: in per cent.
        hover: what is printed, and where.
        front: no other printed point is as cheap and as accurate.
    """

    network: str
    label: str
    compute: int
    top1: float
    hover: str
    front: bool


class Curve(NamedTuple):
    """Interpolated top-1 along one multiplier: its name and its corners, compute and per cent."""

    label: str
    corners: Sequence[tuple[int, float]]


class Here(NamedTuple):
    """The pair on screen: its compute, its top-1 if there is one, whether that is interpolated, and in words."""

    compute: int
    top1: float | None
    interpolated: bool
    text: str


def accuracy_scatter(
    points: Sequence[Point],
    networks: Sequence[str],
    chosen: str,
    here: Here,
    curves: Sequence[Curve],
    label: str,
    look: Appearance,
    *,
    alone: bool,
) -> Chart:
    """Printed top-1 against counted compute, with the Pareto front as the best for a budget.

    Args:
        points: of all networks; at least one.
        networks: in the order of their symbols.
        chosen: the network on screen, in ink; the others stand back.
        here: the pair on screen, in the accent.
        curves: interpolated top-1 through `here`, dashed.
        label: of the compute.
        look: light or dark.
        alone: leave out the other networks' points; the front stays.
    """
    front = sorted((each for each in points if each.front), key=lambda each: (each.compute, each.top1))
    left, right = min(each.compute for each in points), max(each.compute for each in points)
    inside = left / 4 <= here.compute <= right * 4
    low, high = (min(left, here.compute), max(right, here.compute)) if inside else (left, right)
    x_range = [math.log10(low) - 0.08, math.log10(high) + 0.08]
    bottom = 5 * math.floor((min(each.top1 for each in points) - 1) / 5)
    top = 5 * math.ceil((max(each.top1 for each in points) + 0.5) / 5)
    edge = 10 ** x_range[1]
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter", "mode": "lines", "x": [each.compute for each in front] + [edge],
            "y": [each.top1 for each in front] + [front[-1].top1], "showlegend": False, "hoverinfo": "skip",
            "line": {"color": look.muted, "width": 1.5, "shape": "hv"},
        }
    ]  # fmt: skip
    for position, name in enumerate(networks):
        # Those on the front come first: the legend shows a network by its first point.
        mine = sorted((each for each in points if each.network == name), key=lambda each: not each.front)
        symbol = _SYMBOLS[position % len(_SYMBOLS)]
        color, size = (look.ink, 10) if name == chosen else (look.muted, 8)
        if mine and not (alone and name != chosen):
            traces.append(
                {
                    "type": "scatter", "mode": "markers", "name": f"<b>{name}</b>" if name == chosen else name,
                    "x": [each.compute for each in mine], "y": [each.top1 for each in mine],
                    "marker": {
                        "symbol": [symbol if each.front else f"{symbol}-open" for each in mine],
                        "size": size, "color": color, "line": {"color": color, "width": 1.5},
                    },
                    "customdata": [[each.label, each.hover] for each in mine],
                    "hovertemplate": "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
                    "zorder": int(name == chosen),
                }
            )  # fmt: skip
    for curve, dash in zip(curves, ("dash", "dot"), strict=False):
        xs, ys = [corner[0] for corner in curve.corners], [corner[1] for corner in curve.corners]
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": xs, "y": ys, "name": curve.label,
                "line": {"color": look.accent, "width": 2, "dash": dash},
                "hovertemplate": f"{curve.label}<extra></extra>",
            }
        )  # fmt: skip
    shapes: list[dict[str, Any]] = []
    if inside:
        shapes.append(
            {
                "type": "line", "x0": here.compute, "x1": here.compute, "y0": 0, "y1": 1, "yref": "paper",
                "line": {"color": look.accent, "width": 1, "dash": "dot"}, "layer": "below",
            }
        )  # fmt: skip
        if here.top1 is not None:
            symbol = "circle-open-dot" if here.interpolated else "circle-open"
            traces.append(
                {
                    "type": "scatter", "mode": "markers", "showlegend": False, "x": [here.compute], "y": [here.top1],
                    "marker": {"symbol": symbol, "size": 17, "color": look.accent,
                               "line": {"color": look.accent, "width": 3}},
                    "hoverinfo": "skip",
                }
            )  # fmt: skip
    traces.append(
        {"type": "scatter", "mode": "lines", "name": "Pareto front", "x": [None], "y": [None],
         "line": {"color": look.muted, "width": 1.5}}
    )  # fmt: skip
    steps = (1, 2, 5) if x_range[1] - x_range[0] < 3 else (1,)
    powers = range(math.floor(x_range[0]), math.ceil(x_range[1]))
    ticks = [step * 10**power for power in powers for step in steps]
    # Not into the corner, where the other axis has its first label.
    ticks = [tick for tick in ticks if x_range[0] + 0.05 <= math.log10(tick) <= x_range[1]]
    layout = {
        "shapes": shapes,
        "hoverlabel": {"align": "left"},
        "showlegend": True,
        "legend": {
            "orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "itemclick": False, "itemdoubleclick": False,
            "font": {"size": 13},
        },
        "xaxis": {
            "type": "log", "range": x_range, "showgrid": True, "tickvals": ticks,
            "ticktext": [short(tick) for tick in ticks], "title": {"text": f"{label}, counted by effviz"},
        },
        "yaxis": {"range": [bottom, top], "dtick": 5, "title": {"text": "Printed top-1 (%)"}},
    }  # fmt: skip
    title = _front_title(points, networks, chosen)
    spoken = "; ".join(f"{each.label}: {si(each.compute)} {lower(label)}, {each.top1:g} %" for each in front)
    alt = f"{title}. On the front: {spoken}. On screen: {here.text}."
    return Chart(figure(look, _SCATTER, traces, layout), title, alt)


def _front_title(points: Sequence[Point], networks: Sequence[str], chosen: str) -> str:
    mine = [each for each in points if each.network == chosen]
    on = sum(each.front for each in mine)
    others = f"the Pareto front of {len({each.network for each in points})} networks"
    if not mine:
        return f"No accuracy of {chosen} is printed here; {len(points)} of other networks are"
    if len(mine) == 1:
        return f"The one printed point of {chosen} is {'' if on else 'not '}on {others}"
    if not on:
        return f"None of the {len(mine)} printed points of {chosen} is on {others}"
    return f"{on} of the {len(mine)} printed points of {chosen} {'are' if on > 1 else 'is'} on {others}"
