"""The law of the multipliers with the current numbers, and exercises."""

from __future__ import annotations

from fractions import Fraction

import streamlit as st

from effviz.core.latex import number, sentence
from effviz.core.resolution import area, halved, in_pixels
from effviz.core.units import exact, lower, si
from effviz.studies import multipliers
from effviz.studies.closed_forms import shown
from effviz.studies.multipliers import Place
from effviz.ui.convention import Convention
from effviz.ui.page_parts.multipliers.controls import Choice
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import formula_text
from effviz.ui.widgets.tables import Column, Table, show_table


def the_law(choice: Choice, convention: Convention) -> None:
    """Show width² × resolution² with the current numbers, and every reason for the difference to the built network."""
    place = law_place(choice)
    left, right = st.columns([4, 5], gap="large")
    with left:
        if not choice.scaled:
            st.caption(f"Example: {place[0]:g}× at {in_pixels(place[1])}, because the network on screen is unscaled.")
        st.markdown(law_text(choice, convention))
        st.caption(
            "Exact fractions, layer by layer.",
            help="The law is that of MobileNets, arXiv 1704.04861, sections 3.3 and 3.4.",
        )
    with right:
        _powers(choice, place, convention)


def law_place(choice: Choice) -> Place:
    """Return the cell on screen, or half of both multipliers for the unscaled network, where the law is trivial."""
    return choice.place if choice.scaled else (multipliers.half_width(choice.base) or 1.0, halved(choice.own[1]))


def law_text(choice: Choice, convention: Convention) -> str:
    """Write the promise of the law, every term outside it, and their sum."""
    (width, side), own, factor = law_place(choice), choice.own[1], convention.compute(1)
    found = multipliers.split(choice.base, width, side)
    if isinstance(side, tuple):
        area, numbers = r"\dfrac{h \cdot w}{r_0^2}", rf"\dfrac{{{side[0]} \times {side[1]}}}{{{own}^2}}"
    else:
        area, numbers = r"\left(\dfrac{r}{r_0}\right)^2", rf"\left(\dfrac{{{side}}}{{{own}}}\right)^2"
    promised = _rounded(factor * found.promised)
    text = formula_text(
        convention.compute_label, rf"\alpha^2 \cdot {area} \cdot M_0 + \text{{terms outside the law}}",
        rf"{width:g}^2 \times {numbers} \times {number(exact(factor * found.baseline))} + \dots",
        exact(factor * found.built), "counted", before=promised,
        terms=[(f"{'+' if term.value >= 0 else '-'}{_rounded(abs(factor * term.value))}", sentence(term.reason))
               for term in found.terms],
    )  # fmt: skip
    where = rf"$\alpha$ width multiplier, $r$ resolution, $r_0 = {own}$, $M_0$ {{}} of the unscaled {choice.title}."
    return f"{text}\n\n:small[{where.format(lower(convention.compute_label))}]"


def _powers(choice: Choice, place: Place, convention: Convention) -> None:
    (width, side), own = place, choice.own[1]
    moved = width if width != 1 else multipliers.half_width(choice.base)
    factor = convention.compute(1)
    laws = multipliers.powers(choice.base, width, side)
    columns = [
        Column("Kind of layer", "kind"),
        *([Column("Exponent p of width", lambda each: _power(each.width_power))] if moved else []),
        Column("Exponent p of resolution", lambda each: _power(each.resolution_power)),
        Column("Unscaled", lambda each: si(factor * each.baseline)),
        Column("Here", lambda each: si(factor * each.built)),
    ]
    show_table(Table(laws, columns, f"{convention.compute_label} by kind of layer and their measured powers"))
    short = side if area(side) != area(own) else halved(own)
    wide = f"the width alone from 1 to {moved:g}, " if moved else ""
    st.caption(
        f"{convention.compute_label} by kind of layer, for {width:g}× at {in_pixels(side)}. The law promises p = 2.",
        help=f"A factor f on a multiplier changes them by f to the power p. The powers are measured by changing {wide}"
        f"the resolution alone from {own} to {in_pixels(short)}."
        + (
            " The factor on the resolution of a rectangle is the square root of that on the area."
            * isinstance(short, tuple)
        ),
    )


def _rounded(value: Fraction) -> str:
    return shown(value) if value == int(value) else f"{float(value):,.1f}"


def _power(value: float | None) -> str:
    return "" if value is None else f"{value + 0.0:.2f}".replace("-0.00", "0.00")


def show_exercises(choice: Choice, convention: Convention) -> None:
    """Show two predictions about the network on screen."""
    half, (_, side) = multipliers.half_width(choice.base), choice.own
    short, name = (1.0, halved(side)), lower(convention.compute_label)

    def macs(place: Place) -> float:
        return 100 * choice.counts(place).macs / choice.counts(choice.own).macs

    if half:
        first = Exercise(
            "narrow", f"The width multiplier of {choice.title} is {half:g}, at {side} px. What percentage of the "
            f"{name} remains?", "%", macs((half, side)), f"The law promises {100 * half**2:.3g} %. Stem, depthwise "
            "layers and classifier shrink with width, not width², or not at all.",
        )  # fmt: skip
    else:
        first = Exercise(
            "small", f"The resolution of {choice.title} is {short[1]} instead of {side} px. What percentage of the "
            f"{name} remains?", "%", macs(short), "The law promises 25 %. The classifier does not shrink, and odd map "
            "sides are rounded up.",
        )  # fmt: skip
    second = Exercise(
        "access", f"The resolution of {choice.title} is {short[1]} instead of {side} px. What percentage of the memory "
        "access remains?", "%", 100 * choice.memory(short, convention) / choice.memory(choice.own, convention),
        "Maps shrink to a quarter. All weights are still read.",
    )  # fmt: skip
    exercises(first, second)
