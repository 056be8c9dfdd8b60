"""The parts of the page about width and resolution: controls, cards, heat map, printed accuracy, the law."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

import effviz
from effviz.charts.multipliers import Cell, Curve, Finding, Here, Point, accuracy_scatter, heat_map
from effviz.lessons import multipliers as lesson
from effviz.lessons.closed_forms import shown
from effviz.lessons.multipliers import Between, Counts, Place
from effviz.published import QUANTITIES, Figure, cells, leading, printed_top1
from effviz.ui import links, network, parts
from effviz.ui.convention import MEMORIES, Convention
from effviz.ui.parts import Card
from effviz.units import binary, change, exact, lower, si

NETWORKS = {
    "mobilenet_v1": "MobileNetV1",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_large": "MobileNetV3-Large",
    "mobilenet_v3_small": "MobileNetV3-Small",
    "shufflenet_v1": "ShuffleNetV1",
    "shufflenet_v2": "ShuffleNetV2",
    "ghostnet": "GhostNet",
    "mnasnet_a1": "MnasNet-A1",
    "mnasnet_b1": "MnasNet-B1",
}
GROUPS = (1, 2, 3, 4, 8)
# What papers print most, so that every network has a map.
WIDTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
SIDES = (96, 128, 160, 192, 224, 256)
MEASURES = {"compute": "Compute", "params": "Parameters", "memory": "Memory access", "top1": "Printed top-1"}
_PRINTED_AS = {"compute": "mult_adds", "params": "params", "top1": "top1"}
SCOPES = {"all": "All small networks", "one": "This network"}
_TOLD = 5
_LINE = 74


@dataclass(frozen=True)
class Choice:
    """What the controls ask for.

    Attributes:
        name: of the network.
        groups: of ShuffleNetV1, None elsewhere.
        width, resolution: of the cell on screen.
        measure: of the heat map, a key of `MEASURES`.
        everybody: also accuracies that others than the authors print.
    """

    name: str
    groups: int | None
    width: float
    resolution: int
    measure: str
    everybody: bool

    @property
    def base(self) -> effviz.Design:
        """The named network, unscaled."""
        return base_of(self.name, self.groups)

    @property
    def title(self) -> str:
        """The network's name."""
        return self.base.title

    @property
    def design(self) -> effviz.Design:
        """The network of the cell."""
        return self.base.scaled(width_mult=self.width, resolution=self.resolution)

    @property
    def place(self) -> Place:
        """The cell."""
        return self.width, self.resolution

    @property
    def own(self) -> Place:
        """The unscaled network's cell."""
        return 1.0, self.base.resolution

    @property
    def scaled(self) -> bool:
        """Whether the cell is another than the unscaled network's."""
        return self.place != self.own

    def counts(self, place: Place) -> Counts:
        """What a cell costs."""
        return lesson.counts(self.base, *place)

    def macs(self, width: float, resolution: int) -> int:
        """Its multiply-adds."""
        return self.counts((width, resolution)).macs

    def access(self, place: Place, convention: Convention) -> int:
        """Its memory access in the bar's unit and assumption."""
        return convention.size(lesson.memory_access(self.base, *place, convention.memory))

    @property
    def printed(self) -> dict[Place, tuple[Figure, ...]]:
        """What is printed, by cell."""
        return cells(self.name, self.groups, self.everybody)


@lru_cache(maxsize=16)
def base_of(name: str, groups: int | None) -> effviz.Design:
    """A named network; one object, so that looking it up is quick."""
    return effviz.architecture(name, groups=groups) if groups else effviz.architecture(name)


def _reset() -> None:
    """Another network starts unscaled."""
    fresh = {"width": 1.0, "res": base_of(st.session_state["net"], None).resolution, "groups": "3", "scale": "1"}
    st.session_state.update({key: value for key, value in fresh.items() if key in st.session_state})


def controls() -> Choice:
    """The sidebar: network, width, resolution, what the map shows, whose accuracies."""
    name = links.choice(
        "Network", list(NETWORKS), "net", default="mobilenet_v2", format_func=NETWORKS.__getitem__, on_change=_reset
    )
    groups = None
    if name == "shufflenet_v1":
        groups = int(links.switch("Groups", [str(count) for count in GROUPS], "groups", default="3"))
    base = base_of(name, groups)
    rule = base.width_rule
    if rule.table and not rule.interpolates:
        scales = [f"{multiplier:g}" for multiplier, _ in rule.table]
        if st.session_state.get("scale") not in (None, *scales):
            st.session_state["scale"] = "1"
        width = float(links.switch("Width multiplier (published)", scales, "scale", default="1"))
    else:
        width = links.amount(
            "Width multiplier", "width", default=1.0, minimum=network.smallest_width(name), maximum=4.0, step=0.05,
            usual=(0.25, 2.0), help=f"Factor on the channels, rounded by the family's rule: {rule.source}.",
        )  # fmt: skip
    resolution = links.amount(
        "Resolution (px)", "res", default=base.resolution, minimum=network.smallest_resolution(name, groups),
        maximum=2048, step=32, usual=(32, 448), help="Side of the square input image.",
    )  # fmt: skip
    measure = links.choice("Heat map of", list(MEASURES), "heat", default="compute", format_func=MEASURES.__getitem__)
    everybody = links.flag(
        "Accuracies of others too", "others",
        help="Re-trainings by libraries and other papers, where the authors print none. Their recipes differ.",
    )  # fmt: skip
    return Choice(name, groups, round(width, 6), int(resolution), measure, everybody)


# --- top-1 of a cell --------------------------------------------------------------------------------------------------


class Top1(NamedTuple):
    """The accuracy of a cell: printed, a misprint, or interpolated between printed cells."""

    value: float
    figure: Figure | None = None
    between: Between | None = None

    @property
    def misprint(self) -> bool:
        """Whether the printed figure is wrong."""
        return self.figure is not None and "top1" in self.figure.wrong

    @property
    def text(self) -> str:
        """As read: ``71.8``, or ``≈ 66.9`` where nobody prints it."""
        return f"{'≈ ' if self.between else ''}{self.value:.1f}"


@lru_cache(maxsize=16)
def _known(name: str, groups: int | None) -> dict[Place, float]:
    """The printed cells between which one may interpolate."""
    base = base_of(name, groups)
    # ShuffleNetV1 has printed accuracies at widths that nobody prints.
    return {place: value for place, value in leading(name, groups).items() if lesson.countable(base, *place)}


def _macs(name: str, groups: int | None) -> Callable[[float, int], int]:
    base = base_of(name, groups)
    return lambda width, side: lesson.counts(base, width, side).macs


@lru_cache(maxsize=4096)
def _top1(name: str, groups: int | None, everybody: bool, place: Place) -> Top1 | None:
    """What is printed for a cell; else what lies between printed cells; else None."""
    figures = cells(name, groups, everybody).get(place, ())
    figure = printed_top1(figures) or next(
        (each for each in figures if "top1" in each.wrong and not each.quantised), None
    )
    if figure is not None and figure.top1 is not None:
        return Top1(figure.top1, figure)
    found = lesson.between(_known(name, groups), _macs(name, groups), place)
    return Top1(found.value, between=found) if found else None


def top1(choice: Choice, place: Place) -> Top1 | None:
    """The accuracy of a cell in the scope on screen."""
    return _top1(choice.name, choice.groups, choice.everybody, place)


# --- cards ------------------------------------------------------------------------------------------------------------


def headline(choice: Choice, convention: Convention, latency: Card) -> None:
    """Three counts, the printed accuracy and the latency, each beside the unscaled network's."""
    now, own = choice.counts(choice.place), choice.counts(choice.own)
    unit = ", elements" if convention.unit == "elements" else ""
    named = f"Unscaled: {choice.title}, {choice.own[1]} px."

    def card(label: str, text: str, value: int, before: int, told: str) -> Card:
        difference = change(value, before) if choice.scaled else "as published"
        against = "unscaled" if choice.scaled and value != before else ""
        return Card(label, text, f"{told} {named}", difference, against)

    access, before = choice.access(choice.place, convention), choice.access(choice.own, convention)
    parts.cards(
        [
            card(
                "Parameters", si(now.params), now.params, own.params,
                f"{exact(now.params)}, batch norm 2 per channel.",
            ),
            card(
                convention.compute_label, convention.show_compute(now.macs), now.macs, own.macs,
                f"{exact(convention.compute(now.macs))}, one image.",
            ),
            card(
                f"Memory access{unit}", si(access) if unit else binary(access), access, before,
                f"{exact(access)} {convention.memory_unit}. "
                f"Assumption: {MEMORIES[convention.memory].lower()}.",
            ),
            _top1_card(choice, named),
            latency,
        ]
    )  # fmt: skip


def _top1_card(choice: Choice, named: str) -> Card:
    label, found, own = "Printed top-1", top1(choice, choice.place), top1(choice, choice.own)
    if found is None:
        meaning = "ImageNet accuracy. Interpolated between printed cells, never beyond them."
        return Card(label, "\N{EN DASH}", meaning, "not printed")
    if found.between:
        (first, _), (second, _) = found.between.ends
        if first == second:
            ends = f"{found.between.ends[0][1]} to {found.between.ends[1][1]} px"
        else:
            ends = f"{first:g} to {second:g} x"
        help = f"{_off_by(choice)} Linear in the logarithm of the multiply-adds."
        return Card("Top-1, interpolated", f"{found.text} %", help, ends)
    assert found.figure is not None
    help = f"{found.figure.source}. {named}"
    if found.misprint:
        return Card(label, f"{found.text} %", f"{found.figure.wrong['top1']} {help}", "a misprint")
    if not choice.scaled or own is None:
        return Card(label, f"{found.text} %", help, "as printed")
    return Card(label, f"{found.text} %", help, _points(found.value - own.value), "unscaled")


def _points(difference: float) -> str:
    if abs(difference) < 0.05:
        return "equal"
    return f"{'+' if difference > 0 else chr(0x2212)}{abs(difference):.1f} pts"


@lru_cache(maxsize=64)
def _held_out(name: str, groups: int | None) -> dict[Place, float]:
    return lesson.held_out(_known(name, groups), _macs(name, groups))


def _off_by(choice: Choice) -> str:
    """What interpolation is worth for this network, a sentence."""
    errors = _held_out(choice.name, choice.groups)
    if not errors:
        return "No printed cell lies between others, so nothing tests the interpolation."
    worst = max(errors.values(), key=abs)
    side = "low" if worst < 0 else "high"
    count = "The 1 printed cell that lies" if len(errors) == 1 else f"Of {len(errors)} printed cells that lie"
    return f"{count} between others, interpolated as if not printed: at worst {abs(worst):.1f} points too {side}."


# --- heat map ---------------------------------------------------------------------------------------------------------


def axes(choice: Choice) -> tuple[list[float], list[int]]:
    """Rows and columns: what is printed, a regular grid, and the cell on screen."""
    rule = choice.base.width_rule
    printed = [place for place, figures in choice.printed.items() if figures]
    if rule.table and not rule.interpolates:
        widths = {multiplier for multiplier, _ in rule.table}
    else:
        smallest = network.smallest_width(choice.name)
        widths = {width for width in (*WIDTHS, *(width for width, _ in printed)) if width >= smallest}
    sides = {*SIDES, *(side for width, side in printed if width in widths), choice.resolution}
    return sorted({*widths, choice.width}), sorted(sides)


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
        legend.append(f"≈: nobody prints it, interpolated. {_off_by(choice)}")
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
    quantity = _PRINTED_AS.get(choice.measure)
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
    value: float | None = getattr(figure, _PRINTED_AS[measure]) if measure in _PRINTED_AS else None
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
        lines += _wrapped(f"Printed: {_told(each)}. {each.source}")
        lines += [part for sentence in dict.fromkeys(each.wrong.values()) for part in _wrapped(sentence)]
    if len(figures) > 2:
        lines.append(f"and {len(figures) - 2} more printed rows, see the table")
    return "<br>".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(html.escape(text, quote=False), _LINE)


def _told(figure: Figure) -> str:
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
        else f", {_points(found.value - own.value).replace('pts', 'points')} against unscaled"
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
    known = {each: value for each, value in _known(choice.name, choice.groups).items() if each != place}
    found = lesson.between(known, choice.macs, place)
    return found.value if found else None


# --- accuracy against compute -----------------------------------------------------------------------------------------


class _Printed(NamedTuple):
    """One printed accuracy: of which network, where, how much compute is counted, and all who print it."""

    name: str
    groups: int | None
    place: Place
    macs: int
    top1: float
    figures: tuple[Figure, ...]


@lru_cache(maxsize=2)
def accuracies(everybody: bool) -> tuple[tuple[_Printed, ...], frozenset[int]]:
    """Every printed accuracy that can be compared, and which of them are on the front."""
    found = []
    for name in NETWORKS:
        for groups in GROUPS if name == "shufflenet_v1" else (None,):
            base = base_of(name, groups)
            for place, figures in cells(name, groups, everybody).items():
                if not lesson.countable(base, *place):
                    continue
                by_value: dict[float, list[Figure]] = {}
                for each in figures:
                    if each.comparable and each.top1 is not None:
                        by_value.setdefault(each.top1, []).append(each)
                macs = lesson.counts(base, *place).macs
                found += [_Printed(name, groups, place, macs, value, tuple(whose)) for value, whose in by_value.items()]
    front = lesson.pareto([(each.macs, each.top1) for each in found])
    return tuple(found), frozenset(front)


def accuracy_chart(choice: Choice, convention: Convention) -> None:
    """Printed top-1 against counted compute, the front, and the cell on screen between printed cells."""
    st.subheader("What accuracy does the compute buy?", anchor=False)
    scope = links.switch("Points of", list(SCOPES), "points", default="all", format_func=SCOPES.__getitem__)
    printed, front = accuracies(choice.everybody)
    points = _points_of(choice.everybody, convention.count)
    macs, accuracy = choice.counts(choice.place).macs, top1(choice, choice.place)
    usable = accuracy if accuracy and not accuracy.misprint else None
    said = f"{usable.text} %{', interpolated' if usable.between else ''}" if usable else "no usable top-1"
    here = Here(
        convention.compute(macs), usable.value if usable else None, bool(usable and usable.between),
        f"{choice.title}, {choice.width:g} x at {choice.resolution} px, {convention.show_compute(macs)}, {said}",
    )  # fmt: skip
    chart = accuracy_scatter(
        points, list(NETWORKS.values()), NETWORKS[choice.name], here, _curves(choice, convention),
        convention.compute_label, parts.look(), alone=scope == "one",
    )  # fmt: skip
    parts.show_chart(chart, "front")
    st.caption(_fairness(choice))
    best = [each for place, each in enumerate(printed) if place in front]
    best.sort(key=lambda each: (each.macs, each.top1))
    with st.expander(f"The front: {len(best)} points"):
        st.dataframe(
            pd.DataFrame(
                {
                    "Network": [_label(each) for each in best],
                    convention.compute_label: [convention.compute(each.macs) for each in best],
                    "Printed top-1 (%)": [each.top1 for each in best],
                    "Source": ["; ".join(dict.fromkeys(figure.source for figure in each.figures)) for each in best],
                }
            ),
            hide_index=True,
            column_config={
                convention.compute_label: st.column_config.NumberColumn(format="localized"),
                "Printed top-1 (%)": st.column_config.NumberColumn(format="%.1f"),
                "Source": st.column_config.TextColumn(width="large"),
            },
            alt=f"The {len(best)} printed points that no cheaper one equals",
        )


@lru_cache(maxsize=4)
def _points_of(everybody: bool, count: str) -> tuple[Point, ...]:
    """What the chart draws of `accuracies`."""
    printed, front = accuracies(everybody)
    convention = Convention(count)
    return tuple(
        Point(
            NETWORKS[each.name], _label(each), convention.compute(each.macs), each.top1,
            _printed_hover(each, convention), place in front,
        )
        for place, each in enumerate(printed)
    )  # fmt: skip


def _label(printed: _Printed) -> str:
    groups = f" (g = {printed.groups})" if printed.groups else ""
    return f"{NETWORKS[printed.name]}{groups} {printed.place[0]:g} x, {printed.place[1]} px"


def _printed_hover(printed: _Printed, convention: Convention) -> str:
    lines = [f"Printed top-1 {printed.top1:g} %, {convention.show_compute(printed.macs)} counted"]
    for each in printed.figures[:2]:
        lines += _wrapped(f"{_told(each)}: {each.variant}, {each.source}")
        lines += [part for note in (each.notes, each.remark) if note for part in _wrapped(note)]
    if len(printed.figures) > 2:
        lines.append(f"and {len(printed.figures) - 2} more sources that print it")
    return "<br>".join(lines)


def _curves(choice: Choice, convention: Convention) -> list[Curve]:
    """Through the cell on screen, along each multiplier: straight between cells that are printed or bracketed."""
    known = _known(choice.name, choice.groups)
    widths, sides = sorted({width for width, _ in known}), sorted({side for _, side in known})
    lines = (
        (f"{choice.width:g} x, interpolated", [(choice.width, side) for side in {*sides, choice.resolution}]),
        (f"{choice.resolution} px, interpolated", [(width, choice.resolution) for width in {*widths, choice.width}]),
    )
    curves = []
    for label, places in lines:
        corners = sorted(
            (convention.compute(choice.macs(*place)), found.value)
            for place in places
            if (found := _on_curve(choice, place))
        )
        if len(corners) > 1:
            curves.append(Curve(label, corners))
    return curves


def _on_curve(choice: Choice, place: Place) -> Top1 | None:
    """Printed by the document that interpolation is of, or between its cells."""
    known = _known(choice.name, choice.groups)
    if place in known:
        return Top1(known[place])
    found = _top1(choice.name, choice.groups, False, place)
    return found if found and found.between else None


def _fairness(choice: Choice) -> str:
    """How far the points may be compared."""
    whose = "the authors' own and those that others print" if choice.everybody else "the authors' own"
    every = [
        figure.top1
        for figure in cells(choice.name, choice.groups, True).get(choice.own, ())
        if figure.comparable and figure.top1 is not None
    ]
    spread = ""
    if every and max(every) - min(every) > 0.25:
        spread = (
            f" {choice.title} unscaled is printed with {min(every):.1f} to {max(every):.1f} %: the training recipe "
            f"alone moves a point by {max(every) - min(every):.1f}."
        )
    return (
        f"Accuracies: {whose}. Papers train by different recipes, so only points of one network and one source compare "
        f"architectures fairly.{spread} Compute is counted by effviz for width and resolution, not as printed. Filled: "
        "on the front, the best printed for a budget. Dashed: interpolated between printed cells of one source, never "
        "beyond. Left out: 8-bit accuracies, weights trained on other data, networks whose widths are not printed."
    )


# --- the law ----------------------------------------------------------------------------------------------------------


def the_law(choice: Choice, convention: Convention) -> None:
    """width² x resolution², with the current numbers, and every reason why the built network differs."""
    st.subheader("How this is computed", anchor=False)
    own, half = choice.own[1], lesson.half_width(choice.base)
    # Of the unscaled network the law says nothing: half of both stands in for it.
    width, side = choice.place if choice.scaled else (half or 1.0, own // 2)
    found, factor = lesson.split(choice.base, width, side), convention.compute(1)
    left, right = st.columns([4, 5], gap="large")
    with left:
        lines = [
            f"**{convention.compute_label}** = width² × (resolution / {own})² × those of {choice.title} unscaled "
            "+ what the law leaves out",
            f"= {width:g}² × ({side} / {own})² × {exact(factor * found.baseline)}",
            f"= {_rounded(factor * found.promised)} promised",
        ]
        lines += [
            f"{'&#43;' if term.value >= 0 else chr(0x2212)} {_rounded(abs(factor * term.value))}: {term.reason}"
            for term in found.terms
        ]
        lines.append(f"= **{exact(factor * found.built)}**, counted")
        st.markdown("  \n".join(lines))
        instead = f"Of {width:g} x at {side} px, because the unscaled network is on screen. "
        st.caption(
            f"{'' if choice.scaled else instead}"
            "Exact in fractions, layer by layer; the law is that of MobileNets, arXiv 1704.04861, sections 3.3 and 3.4."
        )
    with right:
        moved = width if width != 1 else half
        short = side if side != own else own // 2
        laws = lesson.powers(choice.base, width, side)
        rows = {"Kind of layer": [each.kind for each in laws]}
        if moved:
            rows["p, width"] = [_power(each.width_power) for each in laws]
        rows |= {
            "p, resolution": [_power(each.resolution_power) for each in laws],
            "Unscaled": [si(factor * each.baseline) for each in laws],
            "Here": [si(factor * each.built) for each in laws],
        }
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            alt=f"{convention.compute_label} by kind of layer and their measured powers",
        )
        wide = f"the width alone goes from 1 to {moved:g}, " if moved else ""
        st.caption(
            f"{convention.compute_label} by kind of layer; here: {width:g} x at {side} px. A multiplier that "
            f"changes by a factor f changes them by f to the power p. Measured: {wide}the resolution alone from {own} "
            f"to {short} px. The law says 2 and 2."
        )


def _rounded(value: Fraction) -> str:
    return shown(value) if value == int(value) else f"{float(value):,.1f}"


def _power(value: float | None) -> str:
    return "" if value is None else f"{value + 0.0:.2f}".replace("-0.00", "0.00")


# --- exercises, table, downloads --------------------------------------------------------------------------------------


def exercises(choice: Choice, convention: Convention) -> None:
    """Two predictions about the network on screen."""
    st.subheader("Try this", anchor=False)
    name, own = lower(convention.compute_label), choice.own
    half, short = lesson.half_width(choice.base), own[1] // 2
    left, right = st.columns(2)
    base = choice.counts(own)
    with left:
        if half:
            parts.exercise(
                "narrow",
                f"{choice.title} at {half:g} times the width and {own[1]} px: what per cent of the {name} is left?",
                "%",
                100 * choice.macs(half, own[1]) / base.macs,
                f"The law says {100 * half**2:.3g} %. Stem, depthwise layers and classifier shrink with width, not "
                "width², or not at all.",
                show=lambda value: f"{value:.1f} %",
            )
        else:
            parts.exercise(
                "small",
                f"{choice.title} at {short} px: what per cent of the {name} is left?",
                "%",
                100 * choice.macs(1.0, short) / base.macs,
                "The law says 25 %. The classifier stays, and odd sides of maps are rounded up.",
                show=lambda value: f"{value:.1f} %",
            )
    with right:
        access = [choice.access(place, convention) for place in ((1.0, short), own)]
        parts.exercise(
            "access",
            f"{choice.title} at {short} instead of {own[1]} px: what per cent of the memory access is left?",
            "%",
            100 * access[0] / access[1],
            "Maps shrink to a quarter; the weights are read all the same.",
            show=lambda value: f"{value:.1f} %",
        )


def cell_table(choice: Choice, convention: Convention) -> pd.DataFrame:
    """Every cell of the map with its exact counts, a row for every printed row about it."""
    widths, sides = axes(choice)
    rows: list[dict[str, Any]] = []
    for place in ((width, side) for width in widths for side in sides):
        found, accuracy = choice.counts(place), top1(choice, place)
        cell = {
            "Width": place[0],
            "Resolution (px)": place[1],
            "Parameters": found.params,
            convention.compute_label: convention.compute(found.macs),
            f"Memory access ({convention.memory_unit})": choice.access(place, convention),
        }
        figures: Iterable[Figure | None] = choice.printed.get(place, ()) or (None,)
        for each in figures:
            printed: dict[str, Any] = dict.fromkeys(
                ("Printed parameters (M)", "Printed multiply-adds (M)", "Printed top-1 (%)")
            )
            told = {"Printed as": "", "What to know": "", "Source": ""}
            if each is not None:
                printed = dict(zip(printed, (each.params, each.mult_adds, each.top1), strict=True))
                note = " ".join(filter(None, (each.remark, each.notes)))
                told = {"Printed as": each.variant, "What to know": note, "Source": each.source}
            inside = accuracy.value if accuracy and accuracy.between else None
            rows.append(cell | printed | {"Interpolated top-1 (%)": inside} | told)
    return pd.DataFrame(rows)


def table(choice: Choice, convention: Convention) -> None:
    """The table behind the map."""
    box = links.section("All cells: counted, printed, and by whom", "cells")
    if box is None:
        return
    with box:
        found = cell_table(choice, convention)
        counted = ["Parameters", convention.compute_label, f"Memory access ({convention.memory_unit})"]
        st.dataframe(
            found,
            hide_index=True,
            height=360,
            column_config={name: st.column_config.NumberColumn(format="localized") for name in counted}
            | {"Interpolated top-1 (%)": st.column_config.NumberColumn(format="%.1f")}
            | {name: st.column_config.TextColumn(width="large") for name in ("What to know", "Source")},
            alt=f"{len(found)} rows: cells of {choice.title} with exact counts and printed figures",
        )
        st.caption("Printed figures as printed, in multiply-adds whatever their source calls them.")


def downloads(choice: Choice, convention: Convention) -> None:
    """CSV of the cells, JSON of the network on screen, and the link."""
    design = choice.design
    groups = f"g{choice.groups}" if choice.groups else ""
    stem = parts.file_name("effviz", choice.name, groups, f"w{choice.width:g}", str(choice.resolution))

    def csv() -> str:
        return f"# {choice.title}. {convention.text}\n{cell_table(choice, convention).to_csv(index=False)}"

    with st.container(horizontal=True, gap="small"):
        st.download_button("Cells as CSV", csv, f"{stem}.csv", "text/csv", on_click="ignore")
        st.download_button(
            "Design as JSON", design.to_json(indent=2), f"{stem}.json", "application/json", on_click="ignore"
        )
        parts.copy_link()
