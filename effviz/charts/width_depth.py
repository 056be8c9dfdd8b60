"""Charts of the Width and depth page: designs drawn to one scale, and their costs as multiples of one of them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.relative import Measured, multiples_of, relative_dots, written
from effviz.charts.sentences import details, plural, times
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.core.arguments import check_border
from effviz.core.units import change, lower, percent

# Each has a character of the same shape for the legend.
SYMBOLS = {
    "Widest": "triangle-up", "Wide": "diamond-tall", "Balanced": "circle", "Deep": "square",
    "Deepest": "triangle-right",
}  # fmt: skip
_HEIGHT = 338
_OUTLINED = 48
"""The most blocks that can have an outline; with more, the outlines would cover the bars."""
_EQUAL = 0.05
# The axis starts and ends on one of these, so that it seldom changes.
_STEPS = [round(step, 12) for step in draw.decades(-9, 9, (1, 1.5, 2, 3, 5, 7))]


class DesignMeasure(NamedTuple):
    """One measure of all designs: its name, and one value and text per design; None where it is unknown."""

    label: str
    values: Sequence[float | None]
    texts: Sequence[str]


class DrawnDesign(NamedTuple):
    """A design as it is drawn."""

    name: str  # a key of `SYMBOLS`
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
    spread = f"equal within {percent(apart)}" if is_equal(compute) else f"up to {percent(apart)} apart"
    end = compared(designs, base)
    changes = [
        f"{lower(entry.label)} {_change(value, before)}"
        for entry in quantities
        if (value := entry.values[end]) is not None and (before := entry.values[base]) is not None
    ]
    deeper, name = len(designs[end].channels) / len(designs[base].channels), designs[base].name
    depth = f"is as deep as {name}" if deeper == 1 else f"is {times(deeper)} as deep as {name}"
    if deeper < 1:
        depth = f"has {times(deeper)} the depth of {name}"
    first = f"{designs[end].name} {depth}, with {lower(compute.label)} {spread if apart else 'equal'}"
    return f"{first}: {', '.join(changes)}" if changes else first


def is_equal(entry: DesignMeasure) -> bool:
    """Return whether a measure is about the same in all designs."""
    known = [value for value in entry.values if value]
    return len(known) > 1 and max(known) / min(known) - 1 <= _EQUAL


def compared(designs: Sequence[DrawnDesign], base: int) -> int:
    """Return the design that the title compares with the baseline: the deepest, or the widest with the deepest."""
    return len(designs) - 1 if base < len(designs) - 1 else 0


def _change(value: float, base: float) -> str:
    return times(value / base) if value >= 1.995 * base > 0 else change(value, base)


def multiples_chart(
    designs: Sequence[DrawnDesign],
    quantities: Sequence[DesignMeasure],
    base: int,
    marked: str,
    title: str,
    look: Appearance,
) -> Chart:
    """Draw every measure of every design as a multiple of one design's.

    Args:
        designs: from wide to deep.
        quantities: one row each.
        base: index of the design that is 1×.
        marked: name of the design in the accent colour.
        title: the finding.
    """
    multiples = [multiples_of(entry.values, entry.values[base]) for entry in quantities]
    # Marks of equal values would cover each other.
    equal = [all(value and abs(value - 1) <= _EQUAL for value in row) and len(designs) > 1 for row in multiples]
    marks = [
        Measured(
            design.name,
            SYMBOLS[design.name],
            [None if same else row[place] for row, same in zip(multiples, equal, strict=True)],
        )
        for place, design in enumerate(designs)
    ]
    names = [entry.label for entry in quantities]
    _, traces, layout = relative_dots(names, marks, marked, f"Compared with {designs[base].name}", look)
    layout["xaxis"] |= _multiples_axis([value for row in multiples for value in row if value])
    told = {entry.label: "not measured" for entry in quantities if all(value is None for value in entry.values)}
    for entry, row, same in zip(quantities, multiples, equal, strict=True):
        if same:
            apart = max(abs((value or 1) - 1) for value in row)
            told[entry.label] = f"equal within {percent(apart)}" if apart else "equal"
    end = compared(designs, base)
    column = [
        draw.note(1, entry.label, written(value), look.ink, 14, xref="paper", xanchor="left", xshift=8)
        for entry, row in zip(quantities, multiples, strict=True)
        if (value := row[end]) and end != base and entry.label not in told
    ]
    if column:
        heading = f"<b>{designs[end].name}</b>"
        column.append(draw.panel_label(heading, 1, 1, look.ink, 14, xshift=8, yshift=-4))
    layout |= {
        "margin": layout["margin"] | {"r": 68 if column else 16},
        "annotations": [
            *layout["annotations"], *(draw.note(0, label, text, look.muted) for label, text in told.items()), *column,
        ],
    }  # fmt: skip
    spoken = details(
        (entry.label, [f"{design.name} {text}" for design, text in zip(designs, entry.texts, strict=True)])
        for entry in quantities
    )
    return chart(look, _HEIGHT, traces, layout, title, spoken)


def _multiples_axis(known: Sequence[float]) -> Spec:
    """Return range and ticks of a logarithmic axis around the multiples."""
    low = max(step for step in _STEPS if step <= min(known) * 1.02)
    high = min(step for step in _STEPS if step >= max(known) / 1.02)
    if low == high:
        low, high = 0.7, 1.5
    values = [step for step in _STEPS if low <= step <= high]
    if len(values) > 6:
        values = [step for step in values if f"{step:.1e}"[:3] in ("1.0", "2.0", "5.0")]
    return {"range": [math.log10(low) - 0.03, math.log10(high) + 0.03]} | draw.ticks(values, written)


def shapes_chart(designs: Sequence[DrawnDesign], marked: str, look: Appearance) -> Chart:
    """Draw the designs from top to bottom at one scale: one bar per block, whose height is the number of channels.

    The design called `marked` has the accent colour.
    """
    scale = _steady(max(max(design.channels) for design in designs))
    # A lane has room for a line of text and for the bars.
    lane = (_HEIGHT - 40) / len(designs)
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
            | draw.hover(f"{design.name}, %{{customdata}}: %{{y:,}} channels", design.stages)
        )  # fmt: skip
        text, color = f"<b>{design.name}</b> {design.summary}", look.accent if own else look.ink
        notes.append(draw.note(0, -place * pitch, text, color, xanchor="left", yanchor="top", xshift=-3))
    layout = {
        "barmode": "overlay",
        "bargap": 0,
        "annotations": notes,
        "xaxis": draw.axis("Blocks, input to output", range=[0, longest], nticks=6),
        "yaxis": {"range": [-len(designs) * pitch, 0], "visible": False, "showgrid": False},
    }
    title = f"{plural(len(designs), 'design')} at one scale: each bar is a block, as high as its number of channels"
    spoken = "; ".join(f"{design.name}: {design.summary}" for design in designs)
    return chart(look, _HEIGHT, traces, layout, title, spoken)


def _steady(channels: int) -> float:
    """Return the height of a lane in channels, in coarse steps, so that a wider design has visibly higher bars."""
    power = 10.0 ** math.floor(math.log10(channels))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 6, 8, 10) if step * power >= channels)


check_border(globals())
