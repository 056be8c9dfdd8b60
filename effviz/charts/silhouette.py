"""A network drawn to scale: one box for each block, as high as its map and as wide as its channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.style import CLEAR, Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.units import exact, percent, si

_GAP = 0.012  # between two boxes, in shares of the drawing
_SKEW, _RISE = 0.0003, 0.3  # of the far side of a map: to the right in shares of the drawing, and up in its own sides
_HEIGHT = 250
_APART = 0.05


class Box(NamedTuple):
    """A block of a network: name, side of its output map in pixels, output channels, multiply-adds, parameters."""

    name: str
    side: int
    channels: int
    macs: int
    params: int


def silhouette(
    network: Sequence[Box], own: Sequence[Box], widest: Sequence[Box], title: str, look: Appearance, factor: int = 1
) -> Chart:
    """Draw a network as a row of volumes, with the outlines of the unscaled one.

    Args:
        network: the network on screen. Darker boxes have a larger part of its multiply-adds.
        own: the unscaled network, block by block.
        widest: the widest network of the slider, which fills the drawing.
        title: the finding.
        look: colours.
        factor: of the compute number per multiply-add, 1 or 2.
    """
    room = sum(box.channels for box in widest) / (1 - sum(_GAP + _SKEW * box.side for box in widest))
    middles = _middles([max(pair) for pair in zip(_widths(network), _widths(own), strict=True)], network, room)
    most = max(box.macs for box in network) or 1
    fills = [draw.mixed(look.grid, look.accent, box.macs / most) for box in network]
    total = sum(box.macs for box in network) or 1
    texts = [
        [box.name, f"{box.side} × {box.side}", exact(box.channels), si(box.macs * factor), percent(box.macs / total)]
        for box in network
    ]
    hover = draw.hover(
        "%{customdata[0]}: %{customdata[1]} px, %{customdata[2]} channels<br>"
        "%{customdata[3]}, %{customdata[4]} of the network", texts,
    )  # fmt: skip
    outline = {"color": CLEAR, "line": {"color": look.muted, "width": 1}}
    filled = {"color": fills, "line": {"color": look.ink, "width": 0.6}}
    traces = [_boxes(middles, network, filled) | hover, _boxes(middles, own, outline) | {"hoverinfo": "skip"}]
    hidden = {"visible": False, "showgrid": False}
    high = max(box.side for box in own)
    layout = {
        "annotations": _sizes(middles, network, room, look),
        "barmode": "overlay",
        "margin": draw.margin(4, 4, 4, 4),
        "shapes": [
            face for middle, box, fill in zip(middles, network, fills, strict=True)
            for face in _faces(middle, box, fill, room, look)
        ],
        "xaxis": hidden | {"range": [0, room]},
        "yaxis": hidden | {"range": [-0.66 * high, (0.52 + _RISE) * high]},
    }  # fmt: skip
    spoken = "; ".join(f"{box.name}: {box.side} px, {box.channels} channels" for box in network)
    return chart(look, _HEIGHT, traces, layout, title, spoken)


def _widths(network: Sequence[Box]) -> list[int]:
    return [box.channels for box in network]


def _middles(widths: Sequence[int], network: Sequence[Box], room: float) -> list[float]:
    """Return the middles of the front faces of boxes in a row, which is in the middle of the drawing."""
    found, left = [], 0.0
    for width, box in zip(widths, network, strict=True):
        found.append(left + width / 2)
        left += width + (_SKEW * box.side + _GAP) * room
    return [place + (room - left + _GAP * room) / 2 for place in found]


def _faces(middle: float, box: Box, fill: str, room: float, look: Appearance) -> list[Spec]:
    """Draw the upper and the right face of a box, whose depth is the side of the map too."""
    left, right, high = middle - box.channels / 2, middle + box.channels / 2, box.side / 2
    over, up = _SKEW * box.side * room, _RISE * box.side
    upper = [(left, high), (left + over, high + up), (right + over, high + up), (right, high)]
    beside = [(right, high), (right + over, high + up), (right + over, up - high), (right, -high)]
    return [
        {
            "type": "path", "path": "M" + "L".join(f"{x:.4g},{y:.4g}" for x, y in corners) + "Z", "layer": "below",
            "fillcolor": draw.mixed(fill, toward, share), "line": {"color": look.ink, "width": 0.6},
        }
        for corners, toward, share in ((upper, look.paper, 0.45), (beside, look.ink, 0.2))
    ]  # fmt: skip


def _sizes(middles: Sequence[float], boxes: Sequence[Box], room: float, look: Appearance) -> list[Spec]:
    """Write the side of the maps below each group of boxes of one size."""
    groups: dict[int, list[float]] = {}
    for middle, box in zip(middles, boxes, strict=True):
        groups.setdefault(box.side, []).append(middle)
    notes: list[Spec] = []
    for side, places in groups.items():
        place = (places[0] + places[-1]) / 2
        # On a phone, closer labels overlap.
        if not notes or place - notes[-1]["x"] > _APART * room:
            notes.append(draw.note(place, 0, f"{side} px", look.muted, yref="paper", yanchor="bottom"))
    return notes


def _boxes(middles: Sequence[float], boxes: Sequence[Box], marker: Spec) -> Spec:
    return {
        "type": "bar", "x": list(middles), "width": [box.channels for box in boxes],
        "y": [box.side for box in boxes], "base": [-box.side / 2 for box in boxes], "marker": marker,
    }  # fmt: skip


check_border(globals())
