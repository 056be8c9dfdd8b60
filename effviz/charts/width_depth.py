"""Charts of the Width and depth page: designs drawn to one scale, and their costs as multiples of one of them."""

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from effviz.charts import draw
from effviz.charts.relative import multiples_of, written
from effviz.charts.sentences import details, plural, times
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text
from effviz.core.units import lower, percent

_HEIGHT = 338
_ABOVE, _BELOW = 44, 26
"""Pixels above and below the lanes, in both charts: the lanes of a design are beside each other."""
_OUTLINED = 48
"""The most blocks that can have an outline; with more, the outlines would cover the bars."""
_EQUAL = 0.05


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
    changes = [
        f"{lower(entry.label)} {times(value / before)}"
        for entry in quantities
        if (value := entry.values[end]) is not None and (before := entry.values[base])
    ]
    deeper, name = len(designs[end].channels) / len(designs[base].channels), designs[base].name
    depth = f"is as deep as {name}" if deeper == 1 else f"is {times(deeper)} as deep as {name}"
    if deeper < 1:
        depth = f"has {times(deeper)} the depth of {name}"
    first = f"{budgets}, {designs[end].name} {depth}"
    return f"{first}: {', '.join(changes)}" if changes else first


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
    """Draw every measure of every design as a multiple of one design's: a lane per design, a column per measure.

    Args:
        designs: from wide to deep.
        quantities: one column each.
        base: index of the design that is 1×.
        marked: name of the design in the accent colour.
        title: the finding.
    """
    multiples = [multiples_of(entry.values, entry.values[base]) for entry in quantities]
    scale = _steady(max((value for row in multiples for value in row if value), default=1))
    starts = [place * 1.2 * scale for place in range(len(quantities))]
    lane = (_HEIGHT - _ABOVE - _BELOW) / len(designs)
    thick = max(4, min(22, lane - 46)) / lane
    traces, notes = [], []
    for place, design in enumerate(designs):
        color = look.accent if design.name == marked else look.muted
        values = [row[place] for row in multiples]
        texts = [f"{entry.label}: {entry.texts[place]}" for entry in quantities]
        traces.append(
            {
                "type": "bar", "orientation": "h", "name": design.name, "base": starts, "x": values, "width": thick,
                "y": [-place - 42 / lane - thick / 2] * len(values), "marker": {"color": color},
            }
            | draw.hover(f"{plotly_text(design.name)}, %{{customdata}}", texts)
        )  # fmt: skip
        own = look.accent if design.name == marked else look.ink
        notes.append(_at_left(0, -place, f"<b>{plotly_text(design.name)}</b>", own, yanchor="top"))
        notes += [
            _at_left(start, -place, "\N{EN DASH}" if value is None else written(value), own, yanchor="top", yshift=-19)
            for start, value in zip(starts, values, strict=True)
        ]
    ones = [start + 1 for start, row in zip(starts, multiples, strict=True) if any(row)]
    ends = [(-place - 38 / lane, -place - 46 / lane - thick, None) for place in range(len(designs))]
    across, down = [one for one in ones for _ in range(3 * len(ends))], [*itertools.chain(*ends)] * len(ones)
    traces.append(draw.line(across, down, look.ink, 1.5, hoverinfo="skip"))
    # A phone has 69 pixels for each of five names, and 58 for each of six.
    size = {5: 13, 6: 11}.get(len(quantities), 14)
    notes += [
        draw.panel_label(_broken(entry.label), start, 1, look.ink, size, xref="x", align="left", xshift=-3)
        for entry, start in zip(quantities, starts, strict=True)
    ]
    notes.append(_at_left(0, 0, f"Line: {designs[base].name}, 1×", look.muted, yref="paper", yanchor="top", yshift=-6))
    layout = {
        "barmode": "overlay",
        "annotations": notes,
        "margin": draw.margin(top=_ABOVE, bottom=_BELOW),
        "xaxis": {"visible": False, "range": [0, starts[-1] + 1.1 * scale]},
        "yaxis": {"visible": False, "showgrid": False, "range": [-len(designs), 0]},
    }
    spoken = details(
        (entry.label, [f"{design.name} {text}" for design, text in zip(designs, entry.texts, strict=True)])
        for entry in quantities
    )
    return chart(look, _HEIGHT, traces, layout, title, spoken)


def _broken(label: str) -> str:
    """Break a name after its first word or hyphen."""
    return label.replace(" ", "<br>", 1) if " " in label else label.replace("-", "-<br>", 1)


def _at_left(x: float, y: float, text: str, color: str, **place: Any) -> Spec:
    return draw.note(x, y, text, color, xanchor="left", xshift=-3, **place)


def shapes_chart(designs: Sequence[DrawnDesign], marked: str, look: Appearance, lane: float = 0) -> Chart:
    """Draw the designs from top to bottom at one scale: one bar per block, whose height is the number of channels.

    Args:
        designs: one lane each, with a line of text and the bars.
        marked: name of the design in the accent colour.
        look: colours.
        lane: height of a design in pixels; 0 for that of `multiples_chart`, with its room above and below.
    """
    above, below = (0, 0) if lane else (_ABOVE, _BELOW)
    lane = lane or (_HEIGHT - above - below) / len(designs)
    scale = _steady(max(max(design.channels) for design in designs))
    pitch = scale * lane / (lane - 22)
    longest = max(len(design.channels) for design in designs)
    edge = {"color": look.paper, "width": 1 if longest <= _OUTLINED else 0}
    traces, notes = [], []
    for place, design in enumerate(designs):
        middle = -place * pitch - (pitch - scale) - scale / 2
        own = design.name == marked
        traces.append(
            {
                "type": "bar", "name": design.name, "width": 1, "x": [at + 0.5 for at in range(len(design.channels))],
                "base": [middle - channels / 2 for channels in design.channels], "y": list(design.channels),
                "marker": {"color": look.accent if own else look.muted, "line": edge},
            }
            | draw.hover(f"{plotly_text(design.name)}, %{{customdata}}: %{{y:,}} channels", design.stages)
        )  # fmt: skip
        text, color = f"<b>{plotly_text(design.name)}</b> {design.summary}", look.accent if own else look.ink
        notes.append(_at_left(0, -place * pitch, text, color, yanchor="top"))
    if above:
        heading = "Blocks, input to output<br>Height: channels"
        notes.append(draw.panel_label(heading, 0, 1, look.ink, align="left", xshift=-3))
    layout = {
        "barmode": "overlay",
        "bargap": 0,
        "margin": draw.margin(top=above, bottom=below),
        "annotations": notes,
        "xaxis": {"visible": False, "range": [0, longest]},
        "yaxis": {"range": [-len(designs) * pitch, 0], "visible": False, "showgrid": False},
    }
    title = f"{plural(len(designs), 'design')} at one scale: each bar is a block, as high as its number of channels"
    spoken = "; ".join(f"{design.name}: {design.summary}" for design in designs)
    return chart(look, round(lane * len(designs)) + above + below, traces, layout, title, spoken)


def _steady(most: float) -> float:
    """Return the extent of a lane or column in coarse steps, so that a larger value has a visibly larger bar."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 6, 8, 10) if step * power >= most)


check_border(globals())
