"""Networks as bubbles over two quantities, with their Pareto front."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.compare.axes import Axis
from effviz.charts.names import Mark, Segment, named
from effviz.charts.sentences import details, listed, plural
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text

_HEIGHT = 350
_LARGEST, _SMALLEST = 44, 9  # diameters in pixels
_RING = 5  # pixels from a bubble to the ring around the chosen one
_NAMED = 4
_AREA = 850.0, 290.0
"""Width and height in pixels of the plot of a chart of usual width."""


class Bubble(NamedTuple):
    """One network: what a click on it selects, its name, its two values, and the value behind its area."""

    key: str
    label: str
    x: float
    y: float
    size: float | None  # None for a bubble of the smallest size


def bubbles(
    points: Sequence[Bubble], axes: tuple[Axis, Axis], size: Axis | None, front: Sequence[int], chosen: str,
    baseline: str, look: Appearance,
) -> Chart:  # fmt: skip
    """Draw networks over two quantities; lines through the baseline show what is better.

    Args:
        points: the networks with both values; may be empty.
        axes: horizontal and vertical.
        size: the quantity of the areas; None for equal bubbles.
        front: indices of the points on the Pareto front, from the best value of the horizontal axis on.
        chosen, baseline: keys of the network on screen and of the baseline.
    """
    x_axis, y_axis = axes
    if not points:
        title = f"No network of this list has both {x_axis.label} and {y_axis.label}"
        return chart(look, _HEIGHT, [], {"xaxis": draw.axis(x_axis.title), "yaxis": draw.axis(y_axis.title)}, title)
    spans = _span([each.x for each in points], x_axis), _span([each.y for each in points], y_axis)
    diameters = _diameters(points)
    traces = []
    if len(front) > 1:
        corner = [points[place] for place in front]
        x, y = [each.x for each in corner], [each.y for each in corner]
        traces.append(draw.line(x, y, look.muted, 1.5, shape="hv", name="Pareto front", showlegend=False))
    # Large bubbles first, so that small ones stay visible.
    order = sorted(range(len(points)), key=lambda place: (points[place].key == chosen, -diameters[place]))
    traces.append(_marks([points[place] for place in order], [diameters[place] for place in order],
                         {points[place].key for place in front}, axes, size, baseline, look))  # fmt: skip
    traces += [
        draw.dots([each.x], [each.y], draw.outlined(look.accent, wide + 2 * _RING, "circle-open", 3), showlegend=False)
        for each, wide in zip(points, diameters, strict=True) if each.key == chosen
    ]  # fmt: skip
    layout: Spec = {
        "meta": {"clear": "points"},
        "annotations": _names(points, diameters, axes, spans, front, chosen, baseline, look),
        "shapes": _cross(points, baseline, look),
        "hoverlabel": {"align": "left"},
        "xaxis": x_axis.spec(spans[0]), "yaxis": y_axis.spec(spans[1]),
    }  # fmt: skip
    spoken = details((each.label, [x_axis.written(each.x), y_axis.written(each.y)]) for each in points)
    return chart(look, _HEIGHT, traces, layout, _title(points, axes, front), spoken)


def _span(values: Sequence[float], axis: Axis) -> tuple[float, float]:
    """Return the ends of an axis, with room for the bubbles at its ends."""
    if axis.log:
        low, high = math.log10(min(values)), math.log10(max(values))
        room = max(0.12 * (high - low), 0.08)
    else:
        low, high = min(values), max(values)
        room = max(0.12 * (high - low), 0.01 * abs(high), 0.5)
    return low - room, high + room


def _diameters(points: Sequence[Bubble]) -> list[float]:
    largest = max((point.size or 0 for point in points), default=0)
    return [
        max(_SMALLEST, _LARGEST * math.sqrt(point.size / largest)) if point.size and largest else _SMALLEST + 3.0
        for point in points
    ]


def _marks(
    points: Sequence[Bubble], diameters: Sequence[float], front: set[str], axes: tuple[Axis, Axis], size: Axis | None,
    baseline: str, look: Appearance,
) -> Spec:  # fmt: skip
    fills = [draw.mixed(look.paper, look.ink, 0.6 if each.key in front else 0.0) for each in points]
    widths = [3 if each.key == baseline else 1.5 for each in points]
    marker = {
        "size": list(diameters), "color": fills, "opacity": 0.9, "line": {"color": look.ink, "width": widths},
    }  # fmt: skip
    rows = [
        [each.key, plotly_text(each.label), axes[0].written(each.x), axes[1].written(each.y),
         f"<br>{size.title}: {size.written(each.size)}" if size and each.size is not None else ""]
        for each in points
    ]  # fmt: skip
    text = f"<b>%{{customdata[1]}}</b><br>{axes[0].title}: %{{customdata[2]}}<br>{axes[1].title}: %{{customdata[3]}}"
    hover = draw.hover(f"{text}%{{customdata[4]}}", rows)
    return draw.dots([each.x for each in points], [each.y for each in points], marker, showlegend=False, **hover)


def _names(
    points: Sequence[Bubble], diameters: Sequence[float], axes: tuple[Axis, Axis],
    spans: Sequence[tuple[float, float]], front: Sequence[int], chosen: str, baseline: str, look: Appearance,
) -> list[Spec]:  # fmt: skip
    """Name the bubbles beside the Pareto front and the lines through the baseline, as far as there is room.

    The browser hides the earlier of two labels that overlap, so the marked ones are at the end.
    """
    x_axis, y_axis = axes
    places = [(x_axis.place(point.x), y_axis.place(point.y)) for point in points]
    marks = [
        Mark(_share(x, spans[0]) * _AREA[0], _share(y, spans[1]) * _AREA[1], diameter / 2 + (_RING + 2 if own else 1),
             point.label, 14 if own else 12, needed=True)
        for point, diameter, (x, y) in zip(points, diameters, places, strict=True) for own in (point.key == chosen,)
    ]  # fmt: skip
    bases = [mark for mark, point in zip(marks, points, strict=True) if point.key == baseline]
    lines = _lines([marks[place] for place in front], bases)
    order = sorted(range(len(points)), key=lambda place: (points[place].key != chosen, points[place].key != baseline))
    notes = []
    for place, anchors in zip(order, named([marks[each] for each in order], _AREA, lines=lines), strict=True):
        point, own = points[place], points[place].key == chosen
        text, color = plotly_text(point.label), look.accent if own else look.muted
        text, (x, y) = f"<b>{text}</b>" if point.key == baseline else text, places[place]
        if anchors is not None:
            notes.append(draw.note(x, y, text, color, 14 if own else 12, **anchors))
    return notes[::-1]


def _share(at: float, span: tuple[float, float]) -> float:
    return (at - span[0]) / (span[1] - span[0])


def _lines(front: Sequence[Mark], bases: Sequence[Mark]) -> list[Segment]:
    """Return the steps of the Pareto front and the lines through the baseline."""
    lines: list[Segment] = []
    for one, two in itertools.pairwise(front):
        lines += [(one.x, one.y, two.x, one.y), (two.x, one.y, two.x, two.y)]
    for base in bases:
        lines += [(base.x, 0, base.x, _AREA[1]), (0, base.y, _AREA[0], base.y)]
    return lines


def _cross(points: Sequence[Bubble], baseline: str, look: Appearance) -> list[Spec]:
    own = next((point for point in points if point.key == baseline), None)
    if own is None:
        return []
    return [draw.rule(look.muted, 1, "dot", layer="below", **place) for place in ({"x": own.x}, {"y": own.y})]


def _title(points: Sequence[Bubble], axes: tuple[Axis, Axis], front: Sequence[int]) -> str:
    x_axis, y_axis = axes
    if len(points) == 1:
        return f"Only {points[0].label} has both {x_axis.label} and {y_axis.label}"
    if not front:
        low, high = min(points, key=lambda each: each.y), max(points, key=lambda each: each.y)
        name = y_axis.label[:1].upper() + y_axis.label[1:]
        if low.y == high.y:
            return f"{name}: {y_axis.written(low.y)} in all {plural(len(points), 'network')}"
        return f"{name}: from {y_axis.written(low.y)} ({low.label}) to {y_axis.written(high.y)} ({high.label})"
    names = [points[place].label for place in front]
    shown = names if len(names) <= _NAMED + 1 else [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    if len(names) == len(points):
        which = "Both" if len(names) == 2 else f"All {len(names)}"
        return f"{which} networks are on the Pareto front: {listed(shown)}"
    verb = "is" if len(names) == 1 else "are"
    return f"{len(names)} of {plural(len(points), 'network')} {verb} on the Pareto front: {listed(shown)}"


check_border(globals())
