"""A network drawn to scale: one box for each block, and below the shares of its compute and parameters by map size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.style import CLEAR, Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.units import exact, percent, si, tenths
from effviz.count.palette import text_on

_GAP = 0.012  # between two boxes, in shares of the drawing
_SKEW, _RISE = 0.0003, 0.3  # of the far side of a map: to the right in shares of the drawing, and up in its own sides
_HEIGHT = 316
_STRIPS = 0.33  # of the height, for the shares below the drawing
_APART = 0.05


class Whole(NamedTuple):
    """The compute number of the convention, and both totals of a network: multiply-adds and parameters."""

    label: str
    factor: int  # per multiply-add
    macs: int
    params: int


class Box(NamedTuple):
    """A block of a network: name, side of its output map in pixels, output channels, multiply-adds, parameters."""

    name: str
    side: int
    channels: int
    macs: int
    params: int


def silhouette(
    network: Sequence[Box], own: Sequence[Box], widest: Sequence[Box], whole: Whole, title: str, look: Appearance
) -> Chart:
    """Draw a network as a row of volumes, with the outlines of the unscaled one, and its shares by map size.

    Args:
        network: the network on screen. Darker boxes have a larger part of its multiply-adds.
        own: the unscaled network, block by block.
        widest: the widest network of the slider, which fills the drawing.
        whole: totals of the network.
        title: the finding.
        look: colours.
    """
    room = sum(box.channels for box in widest) / (1 - sum(_GAP + _SKEW * box.side for box in widest))
    middles = _middles([max(pair) for pair in zip(_widths(network), _widths(own), strict=True)], network, room)
    most = max(box.macs for box in network) or 1
    fills = [draw.mixed(look.grid, look.accent, box.macs / most) for box in network]
    texts = [
        [box.name, f"{box.side} × {box.side}", exact(box.channels), si(box.macs * whole.factor),
         percent(box.macs / (whole.macs or 1))]
        for box in network
    ]  # fmt: skip
    hover = draw.hover(
        "%{customdata[0]}: %{customdata[1]} px, %{customdata[2]} channels<br>"
        "%{customdata[3]}, %{customdata[4]} of the network", texts,
    )  # fmt: skip
    outline = {"color": CLEAR, "line": {"color": look.muted, "width": 1}}
    filled = {"color": fills, "line": {"color": look.ink, "width": 0.6}}
    traces = [_boxes(middles, network, filled) | hover, _boxes(middles, own, outline) | {"hoverinfo": "skip"}]
    strips, names, shares = _strips(network, whole, look)
    traces += strips
    hidden = {"visible": False, "showgrid": False}
    high = max(box.side for box in own)
    layout = {
        "annotations": [*_sizes(middles, network, room, look), *names],
        "barmode": "overlay",
        "margin": draw.margin(4, 4, 4, 4),
        "shapes": [
            face for middle, box, fill in zip(middles, network, fills, strict=True)
            for face in _faces(middle, box, fill, room, look)
        ],
        "xaxis": hidden | {"range": [0, room]},
        "yaxis": hidden | {"range": [-0.66 * high, (0.52 + _RISE) * high], "domain": [_STRIPS, 1]},
        "xaxis2": hidden | {"range": [0, 1], "anchor": "y2"},
        "yaxis2": hidden | {"range": [0, 4.5], "domain": [0, _STRIPS - 0.02], "anchor": "x2"},
        "uniformtext": {"minsize": 12, "mode": "hide"},
    }  # fmt: skip
    spoken = "; ".join(f"{box.name}: {box.side} px, {box.channels} channels" for box in network)
    return chart(look, _HEIGHT, traces, layout, title, spoken, shares)


def _strips(network: Sequence[Box], whole: Whole, look: Appearance) -> tuple[list[Spec], list[Spec], str]:
    """Draw the shares of compute and parameters by map size, with their names and as text."""
    groups: dict[int, list[int]] = {}
    for box in network:
        sums = groups.setdefault(box.side, [0, 0])
        sums[0], sums[1] = sums[0] + box.macs, sums[1] + box.params
    totals = whole.macs or 1, whole.params or 1
    # The classifier has no map.
    rest = [total - sum(sums[place] for sums in groups.values()) for place, total in enumerate(totals)]
    rows = [
        (label, [sums[place] / totals[place] for place in (0, 1)])
        for label, sums in (*((f"{side} px", sums) for side, sums in groups.items()), ("classifier", rest))
    ]
    most = max(shares[0] for _, shares in rows)
    traces, left, places = [], [0.0, 0.0], (2.95, 0.65)
    for label, shares in rows:
        fill = draw.mixed(look.grid, look.accent, shares[0] / most)
        written = [f"{label}: {tenths(share)}" for share in shares]
        traces.append(
            {
                "type": "bar", "orientation": "h", "xaxis": "x2", "yaxis": "y2", "base": left, "x": shares,
                "y": list(places), "width": 1.3, "text": written, "textposition": "inside", "textangle": 0,
                "insidetextanchor": "middle", "textfont": {"size": 13, "color": text_on(fill)},
                "marker": {"color": fill, "line": {"color": look.ink, "width": 0.6}},
            }
            | draw.hover("%{customdata}", written)
        )  # fmt: skip
        left = [start + share for start, share in zip(left, shares, strict=True)]
    heads = [
        draw.note(0, place + 0.65, name, look.ink, xref="x2", yref="y2", xanchor="left", yanchor="bottom", xshift=-3)
        for name, place in zip((whole.label, "Parameters"), places, strict=True)
    ]
    return traces, heads, "; ".join(f"{label}: {tenths(a)} and {tenths(b)}" for label, (a, b) in rows)


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
    last = list(groups)[-1:]
    for side, places in groups.items():
        place = (places[0] + places[-1]) / 2
        # On a phone, closer labels overlap.
        if not notes or place - notes[-1]["x"] > _APART * room:
            text = f"{side} px" if [side] == last else str(side)
            notes.append(draw.note(place, _STRIPS, text, look.muted, yref="paper", yanchor="bottom"))
    return notes


def _boxes(middles: Sequence[float], boxes: Sequence[Box], marker: Spec) -> Spec:
    return {
        "type": "bar", "x": list(middles), "width": [box.channels for box in boxes],
        "y": [box.side for box in boxes], "base": [-box.side / 2 for box in boxes], "marker": marker,
    }  # fmt: skip


check_border(globals())
