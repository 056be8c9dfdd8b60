"""The heat map of width and resolution, and the printed figures in it that do not fit."""

from __future__ import annotations

import html
import textwrap
from typing import NamedTuple

import streamlit as st

from effviz.charts.multipliers import Cell, Finding, heat_map
from effviz.core.units import change, exact, lower
from effviz.studies import multipliers as lesson
from effviz.studies.multipliers import Place
from effviz.ui.convention import Convention
from effviz.ui.page_parts.multipliers.page import PRINTED_AS, Choice, Top1, axes, known_top1, off_by, points, top1
from effviz.ui.widgets import parts
from effviz.zoo.published.cells import QUANTITIES, Figure

_TOLD = 5
_LINE = 74


def map_chart(choice: Choice, convention: Convention) -> None:
    """The page's chart, and what its marks mean."""
    widths, sides = axes(choice)
    drawn = [_cell(choice, (width, side), convention) for width in widths for side in sides]
    parts.show_chart(heat_map(drawn, choice.place, choice.own, _finding(choice, convention), parts.look()), "cells_map")
    legend = ["Outlined: on screen; thin: unscaled."]
    if any(cell.printed for cell in drawn):
        legend.append("Bold: the authors print it.")
    if choice.measure == "top1" and choice.everybody:
        legend.append("Plain: others print it.")
    if any(cell.misfit for cell in drawn):
        legend.append("Corner: a printed figure does not fit, see below.")
    if choice.measure == "top1" and any("≈" in cell.text for cell in drawn):
        legend.append(f"≈: nobody prints it, interpolated. {off_by(choice)}")
    st.caption(f"{_unit(choice.measure, convention)}. {' '.join(legend)} {convention.text}")


def _cell(choice: Choice, place: Place, convention: Convention) -> Cell:
    figures, accuracy = choice.printed.get(place, ()), top1(choice, place)
    value: float | None
    if choice.measure == "top1":
        value, text = (accuracy.value, accuracy.text.replace(" ", "")) if accuracy else (None, "\N{EN DASH}")
        bold = bool(accuracy and accuracy.figure and accuracy.figure.document)
    else:
        amount = _amount(choice, place, convention)
        value, text = amount, _three(amount / _prefix(choice.measure, convention))
        bold = any(each.document and _figure(each, choice.measure) is not None for each in figures)
    quantity = PRINTED_AS.get(choice.measure)
    return Cell(
        place[0], place[1], value, text, _hover(choice, place, figures, accuracy, convention), bold,
        any(quantity in each.wrong for each in figures),
    )  # fmt: skip


def _amount(choice: Choice, place: Place, convention: Convention) -> int:
    if choice.measure == "memory":
        return choice.access(place, convention)
    found = choice.counts(place)
    return found.params if choice.measure == "params" else convention.compute(found.macs)


def _prefix(measure: str, convention: Convention) -> float:
    return 1024.0**2 if measure == "memory" and convention.unit != "elements" else 1e6


def _unit(measure: str, convention: Convention) -> str:
    return {
        "compute": f"{convention.compute_label} in millions",
        "params": "Parameters in millions",
        "memory": f"Memory access in {'millions of elements' if convention.unit == 'elements' else 'MiB'}",
        "top1": "Top-1 on ImageNet in per cent",
    }[measure]


def _three(value: float) -> str:
    """Three significant digits: ``325``, ``41.0``, ``2.59``."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def _figure(figure: Figure, measure: str) -> float | None:
    value: float | None = getattr(figure, PRINTED_AS[measure]) if measure in PRINTED_AS else None
    return value


def _hover(
    choice: Choice, place: Place, figures: tuple[Figure, ...], accuracy: Top1 | None, convention: Convention
) -> str:
    found = choice.counts(place)
    lines = [
        f"<b>{choice.title}, width {place[0]:g}, {place[1]} px</b>",
        f"{convention.compute_label}: {exact(convention.compute(found.macs))}",
        f"Parameters: {exact(found.params)}",
    ]
    if choice.measure == "memory":
        lines.append(f"Memory access: {exact(choice.access(place, convention))} {convention.memory_unit}")
    if accuracy and accuracy.between:
        lines.append(f"Top-1: {accuracy.text} %, interpolated, not printed")
    for each in figures[:2]:
        lines += wrapped(f"Printed: {told(each)}. {each.source}")
        lines += [part for sentence in dict.fromkeys(each.wrong.values()) for part in wrapped(sentence)]
    if len(figures) > 2:
        lines.append(f"and {len(figures) - 2} more printed rows, see the table")
    return "<br>".join(lines)


def wrapped(text: str) -> list[str]:
    """Lines for a hover, escaped."""
    return textwrap.wrap(html.escape(text, quote=False), _LINE)


def told(figure: Figure) -> str:
    """What a source prints for a cell, in words."""
    words = [] if figure.top1 is None else [f"top-1 {figure.top1:g} %{' in 8 bits' if figure.quantised else ''}"]
    if figure.mult_adds is not None:
        words.append(f"{figure.mult_adds:g} M multiply-adds")
    if figure.params is not None:
        words.append(f"{figure.params:g} M parameters")
    return ", ".join(words) or "nothing but a latency"


def _finding(choice: Choice, convention: Convention) -> Finding:
    """The sentence over the map: what this cell keeps; of the unscaled network, what two halves keep."""
    unit = _unit(choice.measure, convention)
    if choice.measure == "top1":
        return Finding(_top1_title(choice), unit)
    what = {"compute": lower(convention.compute_label), "params": "parameters", "memory": "memory access"}
    here = f"{choice.width:g} x {choice.title} at {choice.resolution} px"
    noun, own = what[choice.measure], _amount(choice, choice.own, convention)

    def share(place: Place) -> float:
        return _amount(choice, place, convention) / own

    if choice.scaled:
        wide, tall = choice.width**2, (choice.resolution / choice.own[1]) ** 2
        macs = choice.counts(choice.place).macs / choice.counts(choice.own).macs
        law = {
            "compute": f"width² x resolution² promises {_multiple(wide * tall)}",
            "params": f"width² promises {_multiple(wide)}",
            "memory": f"{_multiple(macs)} of the {what['compute']}",
        }[choice.measure]
        return Finding(f"{here}: {_multiple(share(choice.place))} of the {noun}; {law}", unit)
    half, short = lesson.half_width(choice.base), choice.own[1] // 2
    side = "any resolution leaves" if choice.measure == "params" else "half the resolution leaves"
    left = "all" if choice.measure == "params" else _multiple(share((1.0, short)))
    said = f"{side} {left} of the {noun} of {choice.title}"
    if half:
        name = "half" if half == 0.5 else f"{half:g} times"
        said = f"{name} the width leaves {_multiple(share((half, choice.own[1])))}, {said}"
    return Finding(said[0].upper() + said[1:], unit)


def _multiple(share: float) -> str:
    if share < 1.995:
        return f"{100 * share:.3g} %"
    return f"{share:.3g} times" if share < 999.5 else f"{share:,.0f} times"


def _top1_title(choice: Choice) -> str:
    found, own = top1(choice, choice.place), top1(choice, choice.own)
    here = f"{choice.width:g} x {choice.title} at {choice.resolution} px"
    if not choice.scaled:
        values = {
            place: each.value
            for place in choice.printed
            if (each := top1(choice, place)) and not each.misprint and lesson.countable(choice.base, *place)
        }
        if len(values) > 1:
            low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
            return (
                f"Printed top-1 of {choice.title} goes from {values[low]:g} % ({low[0]:g} x, {low[1]} px) to "
                f"{values[high]:g} % ({high[0]:g} x, {high[1]} px)"
            )
    if found is None:
        return f"{here}: no top-1 is printed, and printed cells do not lie on both sides"
    if found.misprint:
        return f"{here}: the printed top-1 of {found.value:g} % is a misprint"
    if found.between:
        return f"{here}: no top-1 is printed; between printed cells about {found.value:.1f} %"
    against = (
        ""
        if own is None or not choice.scaled
        else f", {points(found.value - own.value).replace('pts', 'points')} against unscaled"
    )
    return f"{here}: printed top-1 {found.value:g} %{against}"


class Misfit(NamedTuple):
    """A printed figure that does not fit: where, what, printed and counted (in millions), why, and who prints it."""

    place: Place
    quantity: str
    printed: float
    counted: float | None
    why: str
    sources: tuple[str, ...]

    @property
    def off(self) -> float:
        """Printed over counted, minus one."""
        return self.printed / self.counted - 1 if self.counted else 0.0


def misfits(choice: Choice) -> list[Misfit]:
    """Misprints first, then the furthest off."""
    found: dict[tuple[Place, str, float, str], list[str]] = {}
    for place, figures in choice.printed.items():
        if not lesson.countable(choice.base, *place):
            continue
        for figure in figures:
            for quantity, why in figure.wrong.items():
                sources = found.setdefault((place, quantity, getattr(figure, quantity) or 0.0, why), [])
                if figure.source not in sources:
                    sources.append(figure.source)
    every = []
    for (place, quantity, value, why), sources in found.items():
        counted = choice.counts(place)
        exactly = {"mult_adds": counted.macs / 1e6, "params": counted.params / 1e6}.get(quantity)
        every.append(Misfit(place, quantity, value, exactly, why, tuple(sources)))
    return sorted(every, key=lambda each: (not each.why.startswith("Misprint"), -abs(each.off)))


def explain_misfits(choice: Choice) -> None:
    """Every mark of the map in words: printed, counted, why, source."""
    found = misfits(choice)
    if not found:
        st.caption(f"No figure that is printed for these cells of {choice.title} is known to be wrong.")
        return
    together: dict[tuple[Place, str], list[Misfit]] = {}
    for each in found:
        together.setdefault((each.place, each.why), []).append(each)
    lines = []
    for (place, why), several in list(together.items())[:_TOLD]:
        said = "; ".join(_said(choice, each) for each in several)
        sources = "; ".join(dict.fromkeys(source for each in several for source in each.sources))
        lines.append(f"- **{place[0]:g} x at {place[1]} px**: {said}. {why} *{sources}*")
    count = "1 printed figure does" if len(found) == 1 else f"{len(found)} printed figures do"
    more = " The furthest off; the rest is in the table of all cells." if len(together) > _TOLD else ""
    if any("Counts something else" in each.remark for figures in choice.printed.values() for each in figures):
        more += " Not marked is what counts something else, such as parameters without batch norm: the table says what."
    with st.container(key="misfits"):
        st.markdown(f"**{count} not fit.**{more}\n\n" + "\n".join(lines))


def _said(choice: Choice, misfit: Misfit) -> str:
    if misfit.counted is None:
        inside = _without(choice, misfit.place)
        near = f", {inside:.1f} % interpolated between its neighbours" if inside else ""
        return f"top-1 {misfit.printed:g} % printed{near}"
    off = change(misfit.printed, misfit.counted)
    return f"{misfit.printed:g} M {QUANTITIES[misfit.quantity]} printed, {misfit.counted:.4g} M counted ({off})"


def _without(choice: Choice, place: Place) -> float | None:
    known = {each: value for each, value in known_top1(choice.name, choice.groups).items() if each != place}
    found = lesson.between(known, choice.macs, place)
    return found.value if found else None
