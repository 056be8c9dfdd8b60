"""Width against depth: designs drawn to one scale, and their costs as multiples of one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from effviz.charts.relative import Measured, relative_dots, written
from effviz.charts.style import Appearance, Chart, figure
from effviz.core.units import change, lower, percent

# Tall and narrow to flat and long, as the designs are.
SYMBOLS = {
    "Widest": "triangle-up", "Wide": "diamond-tall", "Balanced": "circle", "Deep": "diamond-wide",
    "Deepest": "triangle-right",
}  # fmt: skip
_HEIGHT = 338
_OUTLINED = 48  # blocks side by side, beyond which an outline would hide them
_EQUAL = 0.05
# 1, 2 and 5 and one between, so that the axis changes seldom: it runs from one of them to another.
_STEPS = [round(step * 10.0**power, 12) for power in range(-9, 10) for step in (1, 1.5, 2, 3, 5, 7)]


class Quantity(NamedTuple):
    """One measure of all designs: its name, and one value and text per design; None where it is not known."""

    label: str
    values: Sequence[float | None]
    texts: Sequence[str]


class Built(NamedTuple):
    """A design as it is drawn.

    Attributes:
        name: a key of `SYMBOLS`.
        told: its blocks and widths.
        channels: that every block puts out, in order.
        stages: of the blocks.
    """

    name: str
    told: str
    channels: Sequence[int]
    stages: Sequence[str]


def finding(designs: Sequence[Built], quantities: Sequence[Quantity], compute: Quantity, budget: str) -> str:
    """The shallowest against the deepest, in a sentence.

    Args:
        designs: from wide to deep.
        quantities: what is said about them, the most telling first.
        compute: multiply-adds or FLOPs.
        budget: as text, with its unit.
    """
    if len(designs) < 2:
        return f"One design is within {budget}: {designs[0].name}, {designs[0].told}"
    known = [value for value in compute.values if value]
    apart = max(known) / min(known) - 1
    equal = f"equal within {percent(apart)}" if apart <= _EQUAL else f"up to {percent(apart)} apart"
    claims = []
    for entry in quantities:
        first, last = entry.values[0], entry.values[-1]
        if first is not None and last is not None:
            claims.append(f"{lower(entry.label)} {change(last, first)}")
    deeper = len(designs[-1].channels) / len(designs[0].channels)
    return f"{deeper:.3g} times as deep, {lower(compute.label)} {equal}: {', '.join(claims)}"


def multiples_chart(
    designs: Sequence[Built], quantities: Sequence[Quantity], base: int, marked: str, title: str, look: Appearance
) -> Chart:
    """Every measure of every design as a multiple of one design's.

    Args:
        designs: from wide to deep.
        quantities: a row for each.
        base: index of the design that is 100 %.
        marked: name of the design in the accent colour.
        title: the finding.
        look: light or dark.
    """
    marks = [
        Measured(
            design.name,
            SYMBOLS[design.name],
            [_multiple(entry.values[place], entry.values[base]) for entry in quantities],
        )
        for place, design in enumerate(designs)
    ]
    names = [entry.label for entry in quantities]
    drawn = relative_dots(names, marks, marked, f"Compared with {designs[base].name}", look)
    known = [value for mark in marks for value in mark.multiples if value]
    low = max(step for step in _STEPS if step <= min(known) * 1.02)
    high = min(step for step in _STEPS if step >= max(known) / 1.02)
    if low == high:
        low, high = 0.7, 1.5
    ticks = [step for step in _STEPS if low <= step <= high]
    if len(ticks) > 6:
        ticks = [step for step in ticks if f"{step:.1e}"[:3] in ("1.0", "2.0", "5.0")]
    unknown = [entry.label for entry in quantities if all(value is None for value in entry.values)]
    note = {"x": 0, "text": "not measured", "showarrow": False, "font": {"size": 13, "color": look.muted}}
    drawn.update_layout(
        height=_HEIGHT,
        margin={"r": 16},
        xaxis={
            "range": [math.log10(low) - 0.03, math.log10(high) + 0.03],
            "tickvals": ticks,
            "ticktext": [written(step) for step in ticks],
        },
        annotations=[note | {"y": label} for label in unknown],
    )
    order = [design.name for design in designs]
    spoken = "; ".join(
        f"{entry.label}: {', '.join(f'{name} {text}' for name, text in zip(order, entry.texts, strict=True))}"
        for entry in quantities
    )
    return Chart(drawn, title, f"{title}. {spoken}.")


def _multiple(value: float | None, base: float | None) -> float | None:
    return value / base if value and base else None


def shapes_chart(designs: Sequence[Built], marked: str, look: Appearance) -> Chart:
    """The designs to one scale: a bar for each block, as high as it has channels.

    Args:
        designs: from wide to deep, drawn from top to bottom.
        marked: name of the design in the accent colour.
        look: light or dark.
    """
    tallest = max(max(design.channels) for design in designs)
    scale = _steady(tallest)
    # A lane holds a line of text and the bars.
    lane = (_HEIGHT - 40) / len(designs)
    pitch = scale * lane / (lane - 22)
    traces: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    longest = max(len(design.channels) for design in designs)
    for place, design in enumerate(designs):
        middle = -place * pitch - (pitch - scale) - scale / 2
        color = look.accent if design.name == marked else look.muted
        outlined = longest <= _OUTLINED
        traces.append(
            {
                "type": "bar",
                "name": design.name,
                "x": [index + 0.5 for index in range(len(design.channels))],
                "width": 1,
                "base": [middle - channels / 2 for channels in design.channels],
                "y": list(design.channels),
                "marker": {"color": color, "line": {"color": look.paper, "width": 1 if outlined else 0}},
                "customdata": list(design.stages),
                "hovertemplate": f"{design.name}, %{{customdata}}: %{{y:,}} channels<extra></extra>",
            }
        )
        notes.append(
            {
                "x": 0,
                "y": -place * pitch,
                "text": f"<b>{design.name}</b> {design.told}",
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "top",
                "xshift": -3,
                "font": {"size": 13, "color": look.accent if design.name == marked else look.ink},
            }
        )
    layout = {
        "barmode": "overlay",
        "bargap": 0,
        "annotations": notes,
        "xaxis": {"range": [0, longest], "title": {"text": "Blocks, input to output"}, "nticks": 6},
        "yaxis": {"range": [-len(designs) * pitch, 0], "visible": False, "showgrid": False},
    }
    title = f"{len(designs)} designs to one scale: a bar is a block, its height the channels"
    spoken = "; ".join(f"{design.name}: {design.told}" for design in designs)
    return Chart(figure(look, _HEIGHT, traces, layout), title, f"{title}. {spoken}.")


def _steady(channels: int) -> float:
    """The channels that a lane has room for, in few steps, so that wider is seen as wider."""
    power = 10.0 ** math.floor(math.log10(channels))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 6, 8, 10) if step * power >= channels)
