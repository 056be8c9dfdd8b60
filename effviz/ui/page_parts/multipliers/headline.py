"""Headline cards: three counts and the published accuracy, relative to the unscaled network."""

from __future__ import annotations

from effviz.core.resolution import in_pixels
from effviz.studies.printed_cells import PrintedCells
from effviz.ui.convention import Convention
from effviz.ui.page_parts.multipliers.controls import Choice
from effviz.ui.widgets.cards import Card, count_card
from effviz.zoo.published.cells import origin

_LABEL = "Published top-1"


def headline_cards(choice: Choice, convention: Convention) -> list[Card]:
    """Make the cards, without the latency."""
    now, own = choice.counts(choice.place), choice.counts(choice.own)
    values = {
        "macs": (now.macs, own.macs),
        "params": (now.params, own.params),
        "memory_access": (choice.memory(choice.place, convention), choice.memory(choice.own, convention)),
    }
    note = f"Unscaled: {choice.title}, {in_pixels(choice.own[1])}."
    cards = [
        count_card(
            convention, quantity, value, base if choice.scaled else None, against="unscaled",
            below="as published" if quantity == "macs" else "", note=note,
        )
        for quantity, (value, base) in values.items()
    ]  # fmt: skip
    compute, *others = cards
    # The two numbers that the chart compares are the large ones.
    return [compute, _top1_card(choice, note), *others]


def _top1_card(choice: Choice, note: str) -> Card:
    found, own = choice.top1(choice.place), choice.top1(choice.own)
    if found is None:
        meaning = "ImageNet accuracy. It is interpolated between published cells, never beyond them. "
        meaning += "All published cells are squares." if isinstance(choice.resolution, tuple) else ""
        meaning = meaning.strip()
        return Card(_LABEL, "\N{EN DASH}", meaning, "not published")
    if found.between:
        (first, low), (second, high) = found.between.ends
        ends = f"{low} to {high} px" if first == second else f"{first:g} to {second:g}×"
        help = f"{interpolation_error(choice.printed)} Linear in the logarithm of the multiply-adds."
        return Card("Top-1, interpolated", f"{found.text} %", help, ends)
    assert found.figure is not None
    help = f"{found.figure.source}. {note}"
    if found.misprint:
        return Card(_LABEL, f"{found.text} %", f"{found.figure.wrong['top1']} {help}", "a misprint")
    if not choice.scaled or own is None:
        return Card(_LABEL, f"{found.text} %", help, origin(found.figure.source))
    return Card(_LABEL, f"{found.text} %", help, points(found.value - own.value), "unscaled")


def points(difference: float) -> str:
    """Format a difference of two accuracies: ``+3.2 pts``."""
    if abs(difference) < 0.05:
        return "equal"
    return f"{'+' if difference > 0 else chr(0x2212)}{abs(difference):.1f} pts"


def interpolation_error(printed: PrintedCells) -> str:
    """Report the largest error of the interpolation on published cells, in a sentence."""
    errors = printed.interpolation_errors()
    if not errors:
        return "No published cell is between others, so the interpolation is untested."
    worst = max(errors, key=abs)
    cells = "on the 1 published cell" if len(errors) == 1 else f"on {len(errors)} published cells"
    return (
        f"Tested {cells} between others, the interpolation is at most {abs(worst):.1f} points too "
        f"{'low' if worst < 0 else 'high'}."
    )
