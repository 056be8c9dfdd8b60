"""Charts of the Multipliers page: cost by width and resolution as a heat map, and accuracy against compute."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.scaling.promised import log_ticks
from effviz.charts.sentences import plural
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.resolution import Resolution, area, compact_size, in_pixels
from effviz.core.units import lower, si
from effviz.count.palette import text_on

_PALEST = 0.06  # share of the accent colour in the paper; the highest value has the accent colour
# Each symbol has an open twin, for points that are not on the Pareto front.
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "bowtie", "x", "star", "cross")

Place = tuple[float, Resolution]


class Cell(NamedTuple):
    """One cell of the heat map."""

    width: float  # multiplier, a row
    resolution: Resolution  # in pixels, a column
    value: float | None  # sets the colour; None leaves the cell empty
    text: str  # the value as read
    hover: str  # all that is known about the cell
    printed: bool = False  # published by the authors, drawn bold
    misfit: bool = False  # contradicts a published figure, drawn with a corner


class MapTitle(NamedTuple):
    """The title of the heat map, and the unit of its numbers: ``Multiply-adds (M)``."""

    title: str
    unit: str


def heat_map(
    cells: Sequence[Cell], now: Place, own: Place, said: MapTitle, look: Appearance, cited: Sequence[Place] = ()
) -> Chart:
    """Draw widths as rows, narrow at the bottom, resolutions as columns; every cell shows its value.

    Args:
        cells: one for every pair of a width and a resolution.
        now: the pair on screen, in a frame; its width and resolution are bold on the axes.
        own: the pair of the unscaled network, with a thin outline.
        said: title and unit.
        cited: pairs of the title, with a dashed outline.
    """
    widths = sorted({cell.width for cell in cells})
    sides = sorted({cell.resolution for cell in cells}, key=area)
    at = {(cell.width, cell.resolution): cell for cell in cells}
    rows = [[at[width, side] for side in sides] for width in widths]
    share = _shares([cell.value for cell in cells if cell.value is not None])
    shares = [[None if cell.value is None else share(cell.value) for cell in row] for row in rows]
    ends = draw.mixed(look.paper, look.accent, _PALEST), look.accent
    cells_at = [(x, y, cell) for y, row in enumerate(rows) for x, cell in enumerate(row)]
    colors = [
        look.muted if (part := shares[y][x]) is None else text_on(draw.mixed(*ends, part)) for x, y, _ in cells_at
    ]
    columns, lines = range(len(sides)), range(len(widths))
    traces = [
        draw.heatmap(
            columns, lines, shares, ends, hoverongaps=True,
            **draw.hover("%{customdata[0]}", [[[cell.hover] for cell in row] for row in rows]),
        ),
        draw.labels(
            [x for x, _, _ in cells_at], [y for _, y, _ in cells_at],
            [f"<b>{cell.text}</b>" if cell.printed else cell.text for _, _, cell in cells_at],
            13 if len(sides) <= 8 else 12, colors,
        ),
    ]  # fmt: skip
    shapes = [_corner(x, y, look) for x, y, cell in cells_at if cell.misfit]

    def outline(place: Place, color: str, stroke: float) -> Spec:
        x, y = sides.index(place[1]), widths.index(place[0])
        return draw.box(x - 0.5, y - 0.5, x + 0.5, y + 0.5, color, stroke)

    dashed = [outline(place, look.ink, 2) for place in cited]
    shapes += [shape | {"line": shape["line"] | {"dash": "dash"}} for shape in dashed]
    # An edge in the colour of the paper makes the frame visible on pale and on dark cells.
    shapes += [outline(own, look.ink, 1), outline(now, look.paper, 9), outline(now, look.ink, 5)]
    across = draw.ticks(columns, lambda x: _bold(compact_size(sides[x]), sides[x] == now[1], look))
    up = draw.ticks(lines, lambda y: f"{_bold(f'{widths[y]:g}', widths[y] == now[0], look)} ")
    layout = {
        "shapes": shapes,
        "hoverlabel": {"align": "left"},
        "margin": draw.margin(right=4, top=4),
        "xaxis": draw.axis("Resolution (px)", range=[-0.53, len(sides) - 0.47], **across),
        "yaxis": draw.axis("Width multiplier", range=[-0.55, len(widths) - 0.45], showgrid=False, **up),
    }
    spoken = "; ".join(_said(cell) for _, _, cell in cells_at if cell.value is not None)
    numbers = f"{said.unit}: {spoken}" if spoken else f"No value is published for {plural(len(cells), 'cell')}"
    return chart(look, min(500, 66 + 26 * max(2, len(widths))), traces, layout, said.title, numbers)


def _bold(text: str, current: bool, look: Appearance) -> str:
    return f'<b><span style="color:{look.ink}">{text}</span></b>' if current else text


def _corner(x: int, y: int, look: Appearance) -> Spec:
    """Return the triangle in a corner of a cell whose published figure does not fit."""
    return {
        "type": "path", "xsizemode": "pixel", "ysizemode": "pixel", "xanchor": x + 0.5, "yanchor": y + 0.5,
        "path": "M -11,-2 L -2,-2 L -2,-11 Z", "fillcolor": look.ink, "line": {"color": look.paper, "width": 1.5},
    }  # fmt: skip


def _said(cell: Cell) -> str:
    """Describe a cell for a screen reader."""
    wrong = ", contradicts a published figure" if cell.misfit else ""
    return f"width {cell.width:g} at {in_pixels(cell.resolution)}: {cell.text}{wrong}"


def _shares(known: Sequence[float]) -> Callable[[float], float]:
    """Return the place of a value on the colour scale, which is logarithmic for a wide range."""
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if high <= low:
        return lambda value: 0.5
    if low > 0 and high / low > 4:
        return lambda value: math.log(value / low) / math.log(high / low)
    return lambda value: (value - low) / (high - low)


# --- two ways --------------------------------------------------------------------------------------------------------


class Size(NamedTuple):
    """A network at one width and resolution with its accuracy."""

    place: Place
    compute: int  # in the convention
    top1: float  # in per cent
    hover: str
    printed: bool = True  # filled; an interpolated accuracy is hollow


class SizeCurve(NamedTuple):
    """Sizes along one multiplier, in rising order of compute: what changes and what stays, and the labels."""

    name: str
    sizes: Sequence[Size]
    labels: Sequence[str]


def two_ways(
    narrower: SizeCurve, smaller: SizeCurve, others: Sequence[Size], here: Size | None, equal: int | None, label: str,
    title: str, look: Appearance,
) -> Chart:  # fmt: skip
    """Draw top-1 against compute as the width changes and as the resolution changes, through the place on screen.

    Args:
        narrower, smaller: may be empty; their names say so.
        others: sizes with a published accuracy, by width; at least one. A line connects those of a width. Those far
            from both ways are left out: they would press the ways into a corner.
        here: the place on screen; None without an accuracy.
        equal: the compute at which the title compares the ways; None if it does not.
        label: of the compute.
        title: the finding.
    """
    known = [*narrower.sizes, *smaller.sizes, *([here] if here else [])] or others
    low, high = (math.log10(end(each.compute for each in known)) for end in (min, max))
    room = 0.08 * (high - low) + 0.03
    span = low - room, high + room
    bottom = 5 * math.floor((min(each.top1 for each in known) - 0.5) / 5)
    top = 5 * math.ceil((max(each.top1 for each in known) + 2) / 5)
    others = [each for each in others if span[0] <= math.log10(each.compute) <= span[1] and bottom <= each.top1 <= top]
    pairs = [(one, other) for one, other in pairwise(others) if one.place[0] == other.place[0]]
    traces = [
        draw.line(
            [x for one, other in pairs for x in (one.compute, other.compute, None)],
            [y for one, other in pairs for y in (one.top1, other.top1, None)], look.muted, 1, opacity=0.6,
        ),
        _sizes(others, look.muted, 5),
    ]  # fmt: skip
    for way, color, side in ((smaller, look.ink, "bottom right"), (narrower, look.accent, "top left")):
        apart = 0.1 * (span[1] - span[0])
        texts = {"text": _spaced(way, here, apart), "textposition": side, "textfont": {"size": 13, "color": color}}
        traces += [
            draw.line([each.compute for each in way.sizes], [each.top1 for each in way.sizes], color, 2.5),
            _sizes(way.sizes, color, 9, look.paper) | texts | {"mode": "markers+text"},
        ]
    if here:
        traces.append(_sizes([here], look.accent, 15, look.paper))
    layout = {
        "hoverlabel": {"align": "left"},
        "margin": draw.margin(right=14, top=12),
        # The line ends below the name of a way.
        "shapes": [draw.rule(look.muted, 1, "dot", x=equal, layer="below") | {"y1": 0.9}] if equal else [],
        "annotations": [
            draw.panel_label(f"<b>{narrower.name}</b>", 0, 1, look.accent, yanchor="top", xshift=8),
            _name_beside(smaller, span, (bottom, top), look.ink),
        ],
        "xaxis": draw.log_axis(span, log_ticks(*span, most=7), label),
        "yaxis": draw.axis("Published top-1 (%)", range=[bottom, top], dtick=5),
    }
    spoken = [
        f"{way.name}: " + "; ".join(f"{text} {si(each.compute)}, {each.top1:.1f} %" for text, each in named)
        for way in (narrower, smaller) if (named := list(zip(way.labels, way.sizes, strict=True)))
    ]  # fmt: skip
    return chart(look, 300, traces, layout, title, *spoken)


def _name_beside(way: SizeCurve, span: tuple[float, float], heights: tuple[float, float], color: str) -> Spec:
    """Name a way below its cheapest size; in the corner if it has no size, or none with room below or behind it."""
    text = f"<b>{way.name}</b>"
    if way.sizes:
        x, y = math.log10(way.sizes[0].compute), way.sizes[0].top1
        if y - heights[0] > 0.2 * (heights[1] - heights[0]):
            level: Spec = {"yref": "y", "yanchor": "top", "yshift": -20}
            behind = x - span[0] < 0.42 * (span[1] - span[0])
            place: Spec = {"xref": "x", "xshift": 6} if behind else {"xanchor": "right"}
            return draw.panel_label(text, x if behind else 1, y, color, **place, **level)
    return draw.panel_label(text, 1, 0, color, xanchor="right", yshift=4)


def _sizes(sizes: Sequence[Size], color: str, size: int, hollow: str = "") -> Spec:
    """Build the markers of sizes; a click finds their place in the third and fourth value."""
    marker: Spec = {
        "size": size, "color": [color if each.printed else hollow for each in sizes], "opacity": 1,
        "line": {"color": color, "width": 2},
    }  # fmt: skip
    data = [[each.hover, each.place[0], compact_size(each.place[1])] for each in sizes]
    return draw.dots(
        [each.compute for each in sizes], [each.top1 for each in sizes], marker, cliponaxis=False,
        **draw.hover("%{customdata[0]}", data),
    )  # fmt: skip


def _spaced(way: SizeCurve, here: Size | None, apart: float) -> list[str]:
    """Return the labels of a way without those too close to another one; the one on screen is bold."""
    at = [math.log10(each.compute) for each in way.sizes]
    center = math.log10(here.compute) if here else at[-1] if at else 0.0
    kept: list[int] = []
    for place in sorted(range(len(at)), key=lambda place: abs(at[place] - center)):
        if all(abs(at[place] - at[other]) >= apart for other in kept):
            kept.append(place)
    texts = [text if place in kept else "" for place, text in enumerate(way.labels)]
    return [f"<b>{text}</b>" if here and way.sizes[place].place == here.place else text
            for place, text in enumerate(texts)]  # fmt: skip


# --- accuracy --------------------------------------------------------------------------------------------------------


class PublishedPoint(NamedTuple):
    """A published accuracy."""

    network: str  # its name in the legend
    label: str  # network, width and resolution
    compute: int  # in the convention
    top1: float  # in per cent
    hover: str  # the published figure and its source
    front: bool  # no other published point is as cheap and as accurate


class Top1Curve(NamedTuple):
    """Interpolated top-1 along one multiplier: its name and its corners, compute and per cent."""

    label: str
    corners: Sequence[tuple[int, float]]


class Here(NamedTuple):
    """The pair on screen: its compute, its top-1 if known, whether that is interpolated, and a description."""

    compute: int
    top1: float | None
    interpolated: bool
    text: str


def accuracy_scatter(
    points: Sequence[PublishedPoint], networks: Sequence[str], chosen: str, here: Here, curves: Sequence[Top1Curve],
    label: str, look: Appearance, *, alone: bool,
) -> Chart:  # fmt: skip
    """Draw published top-1 against counted compute, with the Pareto front.

    Args:
        points: of all networks; at least one.
        networks: in the order of their symbols.
        chosen: the network on screen, in ink; the others are muted.
        here: the pair on screen, in the accent colour.
        curves: interpolated top-1 through `here`, dashed.
        label: of the compute.
        alone: leave out the other networks' points; the front stays.
    """
    front = sorted((each for each in points if each.front), key=lambda each: (each.compute, each.top1))
    left, right = min(each.compute for each in points), max(each.compute for each in points)
    # A distant pair would squeeze all other points into a corner, so it is left out.
    inside = left / 4 <= here.compute <= right * 4
    low, high = (min(left, here.compute), max(right, here.compute)) if inside else (left, right)
    span = (math.log10(low) - 0.08, math.log10(high) + 0.08)
    edge = [*(each.compute for each in front), 10 ** span[1]], [*(each.top1 for each in front), front[-1].top1]
    traces = [draw.line(*edge, look.muted, 1.5, shape="hv", showlegend=False)]
    for position, name in enumerate(networks):
        mine = [each for each in points if each.network == name]
        if mine and (name == chosen or not alone):
            traces.append(_published(name, mine, _SYMBOLS[position % len(_SYMBOLS)], name == chosen, look))
    for curve, dash in zip(curves, ("dash", "dot"), strict=False):
        x, y = zip(*curve.corners, strict=True)
        traces.append(draw.line(x, y, look.accent, dash=dash, name=curve.label, **draw.hover(curve.label)))
    if inside and here.top1 is not None:
        marker = draw.outlined(look.accent, 17, "circle-open-dot" if here.interpolated else "circle-open", 3)
        traces.append(draw.dots([here.compute], [here.top1], marker, showlegend=False))
    traces.append(draw.line([None], [None], look.muted, 1.5, name="Pareto front"))
    # A tick in the corner would overlap the first label of the other axis.
    values = [
        value for value in draw.decades(*span, (1, 2, 5) if span[1] - span[0] < 3 else (1,))
        if span[0] + 0.05 <= math.log10(value) <= span[1]
    ]  # fmt: skip
    bottom = 5 * math.floor((min(each.top1 for each in points) - 1) / 5)
    top = 5 * math.ceil((max(each.top1 for each in points) + 0.5) / 5)
    layout = draw.legend() | {
        "shapes": [draw.rule(look.accent, 1, "dot", x=here.compute, layer="below")] if inside else [],
        "hoverlabel": {"align": "left"},
        "xaxis": draw.log_axis(span, values, f"{label}, counted by effviz", showgrid=True),
        "yaxis": draw.axis("Published top-1 (%)", range=[bottom, top], dtick=5),
    }
    spoken = "; ".join(f"{each.label}: {si(each.compute)} {lower(label)}, {each.top1:g} %" for each in front)
    title = _front_title(points, chosen)
    return chart(look, 460, traces, layout, title, f"On the front: {spoken}", f"On screen: {here.text}")


def _published(name: str, points: Sequence[PublishedPoint], symbol: str, chosen: bool, look: Appearance) -> Spec:
    # The legend shows a network by its first point, which should be filled if any is.
    ordered = sorted(points, key=lambda each: not each.front)
    symbols = [symbol if each.front else f"{symbol}-open" for each in ordered]
    return draw.dots(
        [each.compute for each in ordered], [each.top1 for each in ordered],
        draw.outlined(look.ink if chosen else look.muted, 10 if chosen else 8, symbols, 1.5),
        name=f"<b>{name}</b>" if chosen else name, zorder=int(chosen),
        **draw.hover("<b>%{customdata[0]}</b><br>%{customdata[1]}", [[each.label, each.hover] for each in ordered]),
    )  # fmt: skip


def _front_title(points: Sequence[PublishedPoint], chosen: str) -> str:
    mine = [each for each in points if each.network == chosen]
    on, every = sum(each.front for each in mine), len(mine)
    front = f"on the Pareto front of {plural(len({each.network for each in points}), 'network')}"
    if not mine:
        return f"No result of {chosen} is published; the chart shows {plural(len(points), 'result')} of other networks"
    if every == 1:
        return f"The only published result of {chosen} is {'' if on else 'not '}{front}"
    some = f"{on} of the {every}"
    which = {0: f"None of the {every}", every: "Both" if every == 2 else f"All {every}"}.get(on, some)
    return f"{which} published results of {chosen} {'are' if on > 1 else 'is'} {front}"


check_border(globals())
