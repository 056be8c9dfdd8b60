"""The chart of the page: published accuracy as the width changes, and as the resolution changes, at equal compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from effviz.charts.multipliers import Size, SizeCurve, two_ways
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.resolution import area, compact_size, in_pixels, parse_resolution
from effviz.core.text import plotly_text
from effviz.core.units import lower
from effviz.studies.multipliers import Place
from effviz.studies.printed_cells import CellCurve, PrintedCells
from effviz.ui.convention import Convention
from effviz.ui.page_parts.multipliers.controls import Choice
from effviz.ui.page_parts.multipliers.cost_map import select, top1_finding
from effviz.ui.widgets.charts import Click

NOTE = "Gray: other published sizes. Hollow: interpolated. A click selects a point."


@remembered
def ways_chart(choice: Choice, convention: Convention, look: Appearance) -> Chart:
    """Draw both ways through the network on screen."""
    by_width, by_side = _curves(choice)
    side, width = in_pixels(choice.resolution), f"{choice.width:g}×"
    found = choice.top1(choice.place)
    usable = found if found and not found.misprint else None
    here = _size(choice, choice.place, usable.value, convention) if usable else None
    widths = f"Width changes, {side} stays", f"No other width is published at {side}"
    sides = f"Resolution changes, {width} stays", f"No other resolution is published at {width}"
    ways = (
        _way(choice, by_width, widths, lambda place: f"{place[0]:g}×", convention),
        _way(choice, by_side, sides, lambda place: compact_size(place[1]), convention),
    )
    others = _others(choice.printed, convention.count)
    equal = _equal(choice)
    at = convention.compute(choice.counts(equal.place).macs) if equal else None
    return two_ways(*ways, others, here, at, convention.compute_label, finding(choice, convention), look)


def _curves(choice: Choice) -> tuple[CellCurve | None, CellCurve | None]:
    """Return the curve along the width and the curve along the resolution; None without published accuracies."""
    by_width, by_side = None, None
    for curve in choice.printed.curves(choice.place):
        if len({width for (width, _), _ in curve.corners}) > 1:
            by_width = curve
        else:
            by_side = curve
    return by_width, by_side


def _way(
    choice: Choice,
    curve: CellCurve | None,
    names: tuple[str, str],
    label: Callable[[Place], str],
    convention: Convention,
) -> SizeCurve:
    """Make one way; the second of `names` is the one without a curve."""
    corners = curve.corners if curve else ()
    sizes = [_size(choice, place, value, convention) for place, value in corners]
    return SizeCurve(names[0 if corners else 1], sizes, [label(place) for place, _ in corners])


def _size(choice: Choice, place: Place, top1: float, convention: Convention) -> Size:
    macs = choice.counts(place).macs
    accuracy = choice.top1(place)
    printed = not (accuracy and accuracy.between)
    how = "Published top-1" if printed else "Interpolated top-1"
    hover = (
        f"<b>{plotly_text(choice.title)}, width {place[0]:g}, {in_pixels(place[1])}</b><br>"
        f"{how}: {top1:.1f} %<br>{convention.compute_label}: {convention.show_compute(macs)}"
    )
    return Size(place, convention.compute(macs), top1, hover, printed)


def selecting(choice: Choice) -> Callable[[Click], None]:
    """Return the function that sets width and resolution to those of a clicked point."""
    return lambda mark: select(choice, (float(mark.detail[1]), parse_resolution(mark.detail[2])))


@remembered
def _others(printed: PrintedCells, count: str) -> tuple[Size, ...]:
    """Return every published size; cached, because no multiplier changes them."""
    choice, convention = Choice(printed, *printed.own), Convention(count)
    places = sorted(printed.known, key=lambda place: (place[0], area(place[1])))
    return tuple(_size(choice, place, printed.known[place], convention) for place in places)


class _Equal(NamedTuple):
    """A published network on one way, and the accuracy of the other way at equal compute."""

    place: Place
    top1: float
    other: float
    by_width: bool  # whether `place` is on the way by width


def _equal(choice: Choice) -> _Equal | None:
    """Return the cheapest published network that the ways can be compared at, of the way by width if it has one."""
    by_width, by_side = _curves(choice)
    if by_width and by_side:
        for mine, other in ((by_width, by_side), (by_side, by_width)):
            for place, value in mine.corners:
                found = choice.printed.along(other, choice.counts(place).macs)
                if found is not None and place != choice.place and place in choice.printed.known:
                    return _Equal(place, value, found, mine is by_width)
    return None


def finding(choice: Choice, convention: Convention) -> str:
    """Compare the two ways at equal compute, where both have published accuracies; else describe the one on screen."""
    equal = _equal(choice)
    if equal is None:
        return top1_finding(choice)
    (width, side), cheaper = equal.place, choice.counts(equal.place).macs < choice.counts(choice.place).macs
    if equal.by_width:
        mine, other = f"{width:g}× width", "a smaller image" if cheaper else "a larger image"
    else:
        mine, other = f"a {in_pixels(side)} image", "a narrower network" if cheaper else "a wider network"
    compute = f"{convention.show_compute(choice.counts(equal.place).macs)} {lower(convention.compute_label)}"
    ways = [(f"{equal.top1:.1f}", f"with {mine} ({equal.top1:.1f} %)"),
            (f"{equal.other:.1f}", f"with {other} (about {equal.other:.1f} %)")]  # fmt: skip
    (less, worse), (more, better) = sorted(ways, key=lambda way: float(way[0]))
    at = f"At {compute} (dotted line), {choice.title}"
    if less == more:
        return f"{at} has the same top-1 {worse} as {better}"
    return f"{at} {'keeps' if cheaper else 'gains'} more top-1 {better} than {worse}"
