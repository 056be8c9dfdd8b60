"""The data that a layer moves: maps and weights as rectangles whose area is their memory access."""

import math
from collections.abc import Sequence

from effviz.charts import draw
from effviz.charts.memory.theory import Unit
from effviz.charts.sentences import details
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.studies.guidelines.theory import Point

_HEIGHT, _TOP = 360, 26  # pixels of the chart, and of the names of the columns
_NAME, _NUMBER = 22, 30  # pixels above and below the rectangles of a shape
_COLUMNS = ((0.0, "Maps read"), (1.25, "Weights read"), (2.3, "Maps written"))
"""Left edges, in widths of a map, and names."""
_WIDTH = 3.4  # of the chart, in widths of a map
_USUAL = 115  # pixels of the width of a map: weights are about square
_WIDEST = 0.8  # of weights, in widths of a map


def _widths(sizes: Sequence[float], pixels: int, scale: float) -> list[float]:
    """Return widths in widths of a map. All areas have one scale; only rectangles of weights have a free shape."""
    square = math.sqrt(sizes[1] / pixels * scale / _USUAL)
    return [1.0, min(_WIDEST, square) or 1.0, 1.0]


def _heights(sizes: Sequence[float], pixels: int, scale: float) -> list[float]:
    widths = _widths(sizes, pixels, scale)
    return [size / pixels * scale / width for size, width in zip(sizes, widths, strict=True)]


def moved_chart(points: Sequence[Point], pixels: int, unit: Unit, title: str, look: Appearance) -> Chart:
    """Draw what each shape reads and writes, at one scale; the last shape has the accent colour.

    Args:
        points: one shape, or its baseline and the shape.
        pixels: positions of the map. A map is as wide as its positions and as high as its channels.
        unit: of memory access.
        title: the finding.
    """
    parts = [point.moved[unit.memory] for point in points]
    room = _HEIGHT - _TOP - len(points) * (_NAME + _NUMBER)
    scale = room / sum(max(sizes) for sizes in parts) * pixels  # pixels of a channel
    while sum(max(_heights(sizes, pixels, scale)) for sizes in parts) > room:
        scale *= 0.97
    traces: list[Spec] = []
    notes = [draw.panel_label(name, left, 1, look.muted, 13, xref="x", xshift=-3) for left, name in _COLUMNS]
    top = 0.0
    for point, sizes in zip(points, parts, strict=True):
        own = point is points[-1]
        widths, heights = _widths(sizes, pixels, scale), _heights(sizes, pixels, scale)
        texts = [unit.show(size * unit.factor) for size in sizes]
        names = [f"{name}: {text}" for (_, name), text in zip(_COLUMNS, texts, strict=True)]
        fill = look.accent if own else look.muted
        upper = top + _NAME
        traces.append(
            {
                "type": "bar", "x": [left + width / 2 for (left, _), width in zip(_COLUMNS, widths, strict=True)],
                "width": widths, "y": heights, "base": [-upper - height for height in heights],
                "marker": {"color": [fill, look.ink, fill], "line": {"color": look.outline, "width": 0.7}},
            }
            | draw.hover(f"{point.name}, {point.widths}<br>%{{customdata}}", names)
        )  # fmt: skip
        color = look.accent if own else look.ink
        named = f"<b>{point.name}</b>, {point.widths} channels: {unit.text(point)}"
        notes.append(draw.note(0, -top, named, color, xanchor="left", yanchor="top", xshift=-3))
        notes += [
            draw.note(left, -upper - height, text.removesuffix(" elements"), color, xanchor="left", yanchor="top",
                      xshift=-3)
            for (left, _), height, text in zip(_COLUMNS, heights, texts, strict=True)
        ]  # fmt: skip
        top = upper + max(heights) + _NUMBER
    hidden = {"visible": False, "showgrid": False}
    layout = {
        "annotations": notes,
        "barmode": "overlay",
        "margin": draw.margin(bottom=0, top=_TOP),
        "xaxis": hidden | {"range": [0, _WIDTH]},
        "yaxis": hidden | {"range": [_TOP - _HEIGHT, 0]},
    }
    spoken = details(
        (
            f"{point.name}, {point.widths}",
            [
                f"{name.lower()} {unit.show(size * unit.factor)}"
                for (_, name), size in zip(_COLUMNS, sizes, strict=True)
            ],
        )
        for point, sizes in zip(points, parts, strict=True)
    )
    return chart(look, _HEIGHT, traces, layout, title, spoken)


check_border(globals())
