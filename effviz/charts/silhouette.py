"""A network drawn to scale: one box for each block, as high as its map and as wide as its channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.style import CLEAR, Appearance, Chart, Spec, chart
from effviz.core.units import exact, percent, si

_GAP = 0.012
_HEIGHT = 230
_APART = 0.15


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
    """Draw a network inside the outlines of the unscaled one.

    Args:
        network: the network on screen. Darker boxes have a larger part of its multiply-adds.
        own: the unscaled network, block by block.
        widest: the widest network of the slider, so that no box moves while it is dragged.
        title: the finding.
        look: colours.
        factor: of the compute number per multiply-add, 1 or 2.
    """
    room = sum(box.channels for box in widest)
    middles, left = [], 0.0
    for box in widest:
        middles.append(left + box.channels / 2)
        left += box.channels + _GAP * room
    most = max(box.macs for box in network) or 1
    fills = [draw.mixed(look.grid, look.accent, box.macs / most) for box in network]
    total = sum(box.macs for box in network) or 1
    texts = [
        [box.name, f"{box.side} x {box.side}", exact(box.channels), si(box.macs * factor), percent(box.macs / total)]
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
    high = max(box.side for box in own) * 0.62
    layout = {
        "annotations": _sizes(middles, widest, look),
        "barmode": "overlay",
        "margin": draw.margin(4, 4, 4, 4),
        "xaxis": hidden | {"range": [-_GAP * room, left]},
        "yaxis": hidden | {"range": [-high, high]},
    }
    spoken = "; ".join(f"{box.name}: {box.side} px, {box.channels} channels" for box in network)
    return chart(look, _HEIGHT, traces, layout, title, spoken)


def _sizes(middles: Sequence[float], boxes: Sequence[Box], look: Appearance) -> list[Spec]:
    """Write the side of the maps below each group of boxes of one size."""
    groups: dict[int, list[float]] = {}
    for middle, box in zip(middles, boxes, strict=True):
        groups.setdefault(box.side, []).append(middle)
    notes: list[Spec] = []
    room = middles[-1] - middles[0]
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
