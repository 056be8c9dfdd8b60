"""Charts of the Width and depth page: designs drawn to one scale, and their costs as multiples of one of them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.relative import Measured, multiples_of, relative_dots
from effviz.charts.sentences import details, listed, plural, times
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text
from effviz.core.units import lower, percent

_HEIGHT = 300
_ABOVE = 44
"""Pixels above the lanes."""
_SYMBOLS = ("square", "circle", "diamond", "triangle-down", "star")
_OUTLINED = 48
"""The most blocks that can have an outline; with more, the outlines would cover the bars."""
_EQUAL = 0.05
_THINNEST = 2
"""Height of the thinnest bar in pixels: a browser may leave out a thinner one."""


class DesignMeasure(NamedTuple):
    """One measure of all designs: its name, and one value and text per design; None where it is unknown."""

    label: str
    values: Sequence[float | None]
    texts: Sequence[str]


class DrawnDesign(NamedTuple):
    """A design as it is drawn."""

    name: str
    summary: str  # its blocks and widths
    channels: Sequence[int]  # output channels of every block, in order
    stages: Sequence[str]  # of the blocks


def finding(
    designs: Sequence[DrawnDesign], base: int, quantities: Sequence[DesignMeasure], compute: DesignMeasure, budget: str
) -> str:
    """Compare the deepest design with the baseline, or the widest one if the baseline is the deepest.

    Args:
        designs: from wide to deep.
        base: index of the baseline.
        quantities: measures to compare, the most important first.
        compute: multiply-adds or FLOPs.
        budget: as text, with its unit.
    """
    if len(designs) < 2:
        return f"One design is within {budget}: {designs[0].name}, {designs[0].summary}"
    known = [value for value in compute.values if value]
    apart = max(known) / min(known) - 1
    label, equal = lower(compute.label), f" (within {percent(apart)})" if apart else ""
    budgets = f"At equal {label}{equal}" if apart <= _EQUAL else f"With {label} up to {percent(apart)} apart"
    end = compared(designs, base)
    changes: dict[bool, list[str]] = {False: [], True: []}
    for entry in quantities:
        value, before = entry.values[end], entry.values[base]
        if value is not None and before:
            changes[value < before].append(f"{times(value / before)} the {lower(entry.label)}")
    deeper, name = len(designs[end].channels) / len(designs[base].channels), designs[base].name
    depth = f"is as deep as {name}" if deeper == 1 else f"is {times(deeper)} as deep as {name}"
    if deeper < 1:
        depth = f"has {times(deeper)} the depth of {name}"
    first = f"{budgets}, {designs[end].name} {depth}"
    said = ", but ".join(listed(each) for each in changes.values() if each)
    return f"{first}: {said}" if said else first


def is_equal(entry: DesignMeasure) -> bool:
    """Return whether a measure is about the same in all designs."""
    known = [value for value in entry.values if value]
    return len(known) > 1 and max(known) / min(known) - 1 <= _EQUAL


def compared(designs: Sequence[object], base: int) -> int:
    """Return the design that the title compares with the baseline: the deepest, or the widest with the deepest."""
    return len(designs) - 1 if base < len(designs) - 1 else 0


def multiples_chart(
    designs: Sequence[DrawnDesign], quantities: Sequence[DesignMeasure], base: int, marked: str, title: str,
    look: Appearance,
) -> Chart:  # fmt: skip
    """Draw every measure of every design as a multiple of one design's: a row per measure, a mark per design.

    Args:
        designs: from wide to deep.
        quantities: one row each.
        base: index of the design that is 1×.
        marked: name of the design in the accent colour.
        title: the finding.
    """
    rows = [multiples_of(entry.values, entry.values[base]) for entry in quantities]
    measures = [
        Measured(design.name, symbol, [row[place] for row in rows])
        for place, (design, symbol) in enumerate(zip(designs, _SYMBOLS, strict=False))
    ]
    names = [entry.label for entry in quantities]
    drawn = relative_dots(names, measures, marked, f"{designs[base].name} = 1×", look)
    spoken = details(
        (entry.label, [f"{design.name} {text}" for design, text in zip(designs, entry.texts, strict=True)])
        for entry in quantities
    )
    return chart(look, *drawn, title, spoken)


def shapes_chart(designs: Sequence[DrawnDesign], marked: str, look: Appearance, lane: float = 0) -> Chart:
    """Draw the designs from top to bottom at one scale: one bar per block, whose height is the number of channels.

    Args:
        designs: one lane each, with a line of text and the bars.
        marked: name of the design in the accent colour.
        look: colours.
        lane: height of a design in pixels; 0 for lanes of one height together, below a line that explains them.
    """
    above = 0 if lane else _ABOVE
    lane = lane or (_HEIGHT - above) / len(designs)
    scale = _steady(max(max(design.channels) for design in designs))
    pitch = scale * lane / (lane - 22)
    longest = max(len(design.channels) for design in designs)
    # One decimal of a channel is far below a pixel, and visitors load the numbers with every step of a control.
    least = round(_THINNEST * pitch / lane, 1)
    edge = {"color": look.paper, "width": 1 if longest <= _OUTLINED else 0}
    traces, notes = [], []
    for place, design in enumerate(designs):
        middle = -place * pitch - (pitch - scale) - scale / 2
        heights = [max(channels, least) for channels in design.channels]
        own = design.name == marked
        traces.append(
            {
                "type": "bar", "name": design.name, "width": 1, "x": [at + 0.5 for at in range(len(design.channels))],
                "base": [round(middle - height / 2, 1) for height in heights], "y": heights,
                "marker": {"color": look.accent if own else look.muted, "line": edge},
            }
            | draw.hover(
                f"{plotly_text(design.name)}, %{{customdata[0]}}: %{{customdata[1]:,}} channels",
                list(zip(design.stages, design.channels, strict=True)),
            )
        )  # fmt: skip
        text, color = f"<b>{plotly_text(design.name)}</b> {design.summary}", look.accent if own else look.ink
        notes.append(draw.note(0, -place * pitch, text, color, xanchor="left", xshift=-3, yanchor="top"))
    if above:
        heading = "Blocks, input to output<br>Height: channels"
        notes.append(draw.panel_label(heading, 0, 1, look.ink, align="left", xshift=-3))
    layout = {
        "barmode": "overlay",
        "bargap": 0,
        "margin": draw.margin(top=above, bottom=0),
        "annotations": notes,
        "xaxis": {"visible": False, "range": [0, longest]},
        "yaxis": {"range": [-len(designs) * pitch, 0], "visible": False, "showgrid": False},
    }
    title = f"{plural(len(designs), 'design')} at one scale: each bar is a block, as high as its number of channels"
    spoken = "; ".join(f"{design.name}: {design.summary}" for design in designs)
    return chart(look, round(lane * len(designs)) + above, traces, layout, title, spoken)


def _steady(most: float) -> float:
    """Return the extent of a lane or column in coarse steps, so that a larger value has a visibly larger bar."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 6, 8, 10) if step * power >= most)


check_border(globals())
