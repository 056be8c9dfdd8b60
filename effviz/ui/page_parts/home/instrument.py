"""The live instrument of the home page: one slider, a network drawn to scale, and its numbers."""

from __future__ import annotations

from effviz.charts.silhouette import Box, Whole, silhouette
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import lower, percent, tenths
from effviz.count.totals import block_totals
from effviz.model.design import Design
from effviz.model.shapes import out_shape
from effviz.studies.printed_cells import PrintedCells
from effviz.ui import inputs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.multipliers.controls import Choice
from effviz.ui.page_parts.multipliers.headline import headline_cards
from effviz.ui.widgets.cards import Card
from effviz.ui.widgets.frame import instrument

NETWORK = "mobilenet_v2"
DRAWING = "network"
"""Key of the drawing on the page."""
_USUAL, _MOST = (0.25, 1.5), 2.0
_LARGE = 28  # px; the middle of the five sizes of maps


def control() -> float:
    """Show the width multiplier."""
    title = PrintedCells(NETWORK).base.title
    # No key of another page: Streamlit drops the parameters of a page that the visitor leaves by the Back button.
    with instrument():
        return inputs.amount(
            f"Width of {title}", "w", default=1.0, minimum=_USUAL[0], maximum=_MOST, step=0.05,
            usual=_USUAL, help="Factor on the channels of every layer.",
        )  # fmt: skip


@remembered
def boxes(design: Design) -> tuple[Box, ...]:
    """Return the blocks that have a map larger than one pixel."""
    found = []
    for entry in design.blocks():
        shape = out_shape(entry.block, entry.shape)
        if len(shape) == 3 and shape[1] > 1:
            totals = block_totals(entry.block, entry.shape)
            found.append(Box(entry.path, shape[1], shape[0], totals.macs, totals.params))
    return tuple(found)


def choose(width: float) -> Choice:
    """Scale the network."""
    printed = PrintedCells(NETWORK)
    return Choice(printed, round(width, 6), printed.own[1])


def cards(choice: Choice, convention: Convention) -> list[Card]:
    """Make the headline numbers, the accuracy last."""
    compute, accuracy, *others = headline_cards(choice, convention)
    return [compute, *others, accuracy]


@remembered
def drawing(choice: Choice, convention: Convention, look: Appearance) -> Chart:
    """Draw the network at a width."""
    base = choice.base
    widest = base.scaled(width_mult=max(choice.width, _USUAL[1]))
    now = choice.counts(choice.place)
    whole = Whole(convention.compute_label, convention.compute(1), now.macs, now.params)
    return silhouette(boxes(choice.design), boxes(base), boxes(widest), whole, _finding(choice, convention), look)


def note(choice: Choice) -> str:
    """Return the note of the drawing."""
    outline = " Outline: unscaled." if choice.scaled else ""
    return (
        f"One box per block. Height and depth: map. Length: channels. Shade: multiply-adds.{outline}\n"
        "Strips: shares by the side of the map."
    )


def _finding(choice: Choice, convention: Convention) -> str:
    now, own = choice.counts(choice.place), choice.counts(choice.own)
    label = lower(convention.compute_label)
    if choice.scaled:
        return (
            f"At {choice.width:g} times the width, {choice.title} has {percent(now.macs / own.macs)} of the {label} "
            f"and {percent(now.params / own.params)} of the parameters"
        )
    large = [box for box in boxes(choice.design) if box.side >= _LARGE]
    macs, params = sum(box.macs for box in large), sum(box.params for box in large)
    return (
        f"The blocks with maps of {_LARGE} px and more take {tenths(macs / now.macs)} of the {label}, but hold "
        f"{tenths(params / now.params)} of the parameters"
    )
