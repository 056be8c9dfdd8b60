"""The guideline in theory: headline cards, the curve and its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from effviz.charts.memory import theory as charts
from effviz.charts.memory.moved import moved_chart
from effviz.charts.memory.theory import Unit
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import change, exact, lower, percent
from effviz.studies.guideline_shapes import Shape, ShapePair, compare
from effviz.studies.guidelines.access import least_access
from effviz.studies.guidelines.theory import Point
from effviz.ui.convention import BYTES, Convention
from effviz.ui.widgets.cards import Card, count_card
from effviz.ui.widgets.charts import kind_legend, show_chart
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.tables import Column, Table, show_table

_NOTES = {
    "G1": "Dots: whole widths, counted layer by layer. Line: the closed form.\nRounded widths change the multiply-adds "
    "by up to 0.5 %.",
    "G2": "Dots: counted. Lines: closed forms.\n“Input fixed” is the paper's equation, c → g c. “Both widened” is "
    "its experiment, √g c → √g c, rounded to a multiple of the groups.",
    "G3": "Dots: counted. Lines: closed forms.\nEach of n fragments has c/√n channels, rounded. Parallel "
    "fragments are added. These additions access memory under the fused and the eager assumption.",
}
_AREA = "Area: memory access, the data read and written. Maps: positions × channels."
_SHORT = {"1 fragment": "one", "Neither": "neither"}


def intensity_unit(convention: Convention) -> tuple[float, str]:
    """Return the factor from multiply-adds per element to the convention's arithmetic intensity, and its unit."""
    size = BYTES[convention.unit]
    return convention.compute(1) / (size or 1), "byte" if size else "element"


def cards(found: ShapePair, convention: Convention) -> list[Card]:
    """Make the cards of the shape's costs relative to the recommended one."""
    now, base, memory = found.now, found.base, convention.memory
    against = _SHORT.get(base.name, base.name)
    factor, per = intensity_unit(convention)
    intensity, usual = (point.macs / point.memory_access[memory] * factor for point in (now, base))
    counted = [
        _compared(count_card(convention, "macs", now.macs, base.macs, against=against, note=f"{now.widths}.")),
        _compared(
            count_card(
                convention, "memory_access", now.memory_access[memory], base.memory_access[memory], against=against
            )
        ),
        _card(
            "Intensity", f"{intensity:.1f}",
            f"Arithmetic intensity: {lower(convention.compute_label)} per {per} read or written.", intensity, usual,
            against, unit=f"per {per}", key="intensity",
        ),
    ]  # fmt: skip
    return [*counted, _own_card(found, convention, against)]


def _card(
    label: str, text: str, help: str, value: float, base: float, against: str, unit: str = "", key: str = ""
) -> Card:
    return _compared(Card(label, text, help, change(value, base), against if value != base else "", unit=unit, key=key))


def _compared(card: Card) -> Card:
    """Say "equal" instead of "unchanged": the two shapes are alternatives."""
    if card.below != "unchanged":
        return card
    return replace(card, below="equal", against="")


def _own_card(found: ShapePair, convention: Convention, against: str) -> Card:
    """Make the card that only one guideline has."""
    now, base, guideline = found.now, found.base, found.shape.guideline
    if guideline == "G1":
        return Card(
            "Lower bound", convention.show_size(round(found.least)),
            "2 √(h w B) + B / (h w) with B multiply-adds: no 1×1 convolution accesses less memory.",
            f"{found.over_least(now, convention.memory):.3g}× the bound", key="lower_bound",
        )  # fmt: skip
    if guideline == "G2":
        card = count_card(convention, "params", now.params, base.params, against=against)
        return _card("Weights", card.text, f"{exact(now.params)} weights.", now.params, base.params, against)
    if guideline == "G3":
        help = "Operations that start one after another. Adding n maps takes n − 1 additions."
        return _card("Kernels", str(now.kernels), help, now.kernels, base.kernels, against)
    return Card(
        "Element-wise share", percent(now.share(convention.memory)),
        f"Share of ReLU and addition in memory access, assumption: {convention.memory}.",
        f"{percent(now.share('eager'))} in eager mode",
    )  # fmt: skip


def show_curves(found: ShapePair, convention: Convention) -> None:
    """Show the data that is moved, and the guideline as a curve with the current point."""
    guideline = found.shape.guideline
    curve = _curves(found.shape, convention, look())
    if guideline == "G4":
        legend = kind_legend(kind for point in found.curves["bottleneck"] for kind in point.by_kind["eager"])
        show_chart(curve, "theory", legend=legend)
        return
    with st.container(key="charts_moved_theory", gap="medium"):
        show_chart(_moved(found.shape, convention, look(), curve.title), "moved", note=_AREA)
        show_chart(curve, "theory", heading="none", note=_rounded(found, convention) + _NOTES[guideline])


def _rounded(found: ShapePair, convention: Convention) -> str:
    """Compare the multiply-adds of the two shapes, if rounded widths make them differ."""
    now, base = found.now, found.base
    if found.shape.guideline != "G1" or now.macs == base.macs:
        return ""
    relation = "fewer" if base.macs < now.macs else "more"
    amount = f"{percent(abs(base.macs / now.macs - 1))} {relation} {lower(convention.compute_label)}"
    return f"{base.name} has {amount} than {now.name}. "


@remembered
def _moved(shape: Shape, convention: Convention, look: Appearance, title: str) -> Chart:
    found = compare(shape)
    points = [found.base, found.now] if found.now.x != found.base.x else [found.now]
    return moved_chart(points, shape.pixels, unit(convention), title, look)


@remembered
def _curves(shape: Shape, convention: Convention, look: Appearance) -> Chart:
    return curve_chart(compare(shape), convention, look)


def unit(convention: Convention) -> Unit:
    """Return the unit of memory access."""
    return Unit(convention.memory, convention.size(1), convention.memory_unit, convention.show_amount)


def curve_chart(found: ShapePair, convention: Convention, look: Appearance) -> Chart:
    """Draw the curve of the guideline."""
    counted = unit(convention)
    curves, now, pixels = found.curves, found.now, found.shape.pixels
    if found.shape.guideline == "G1":
        return charts.ratio_chart(curves["convolution"], now, found.least, pixels, counted, look)
    if found.shape.guideline == "G2":
        return charts.groups_chart(curves["input fixed"], curves["both widened"], now, pixels, counted, look)
    if found.shape.guideline == "G3":
        return charts.fragments_chart(curves["in series"], curves["in parallel"], now, pixels, counted, look)
    return charts.elementwise_chart(curves["bottleneck"], now, counted, look)


class _Row(NamedTuple):
    curve: str
    point: Point


def theory_table(found: ShapePair, convention: Convention) -> Table:
    """Make the table of every point of the curves."""
    memory, (factor, per) = convention.memory, intensity_unit(convention)

    def access(row: _Row) -> int:
        return row.point.memory_access[memory]

    columns = [
        Column("Curve", "curve"),
        Column("Case", "point.name"),
        Column("Channels", "point.widths"),
        Column(convention.heading("macs"), lambda row: convention.compute(row.point.macs)),
        Column(convention.heading("memory_access"), lambda row: convention.size(access(row))),
        Column(f"{convention.compute_label} per {per}", lambda row: row.point.macs / access(row) * factor),
        Column("Kernels", "point.kernels"),
        Column("Weights", "point.params"),
    ]
    if found.shape.guideline == "G1":
        pixels = found.shape.pixels
        columns += [
            Column("Lower bound", lambda row: least_access(pixels, row.point.macs) * convention.size(1), "localized"),
            Column("Relative to bound", lambda row: found.over_least(row.point, memory), "%.4f"),
        ]
    if found.shape.guideline == "G4":
        columns += [Column(f"Element-wise, {each} (%)", _share(each)) for each in ("eager", "fused")]
    rows = [_Row(curve, point) for curve, points in found.curves.items() for point in points]
    return Table(rows, columns, f"{len(rows)} shapes with their multiply-adds and memory access")


def _share(memory: str) -> Callable[[_Row], float]:
    return lambda row: 100 * row.point.share(memory)


def show_shapes(found: ShapePair, convention: Convention) -> None:
    """Show the points of the curves as a table."""
    table = theory_table(found, convention)
    show_table(table, height=320)
    st.caption(f"{len(table.rows)} shapes at equal multiply-adds. {convention.text}")
