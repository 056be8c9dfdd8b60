"""The parts of the page about width and resolution: controls, cards, the law, the table of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

import effviz
from effviz.core.units import binary, change, exact, lower, si
from effviz.studies import multipliers as lesson
from effviz.studies.closed_forms import shown
from effviz.studies.multipliers import Between, Counts, Place
from effviz.ui import links
from effviz.ui.convention import MEMORIES, Convention
from effviz.ui.page_parts.architectures import network
from effviz.ui.widgets import parts
from effviz.ui.widgets.parts import Card
from effviz.zoo.published.cells import Figure, cells, leading, printed_top1

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
PRINTED_AS = {"compute": "mult_adds", "params": "params", "top1": "top1"}
SCOPES = {"all": "All small networks", "one": "This network"}


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
def known_top1(name: str, groups: int | None) -> dict[Place, float]:
    """The printed cells between which one may interpolate."""
    base = base_of(name, groups)
    # ShuffleNetV1 has printed accuracies at widths that nobody prints.
    return {place: value for place, value in leading(name, groups).items() if lesson.countable(base, *place)}


def _macs(name: str, groups: int | None) -> Callable[[float, int], int]:
    base = base_of(name, groups)
    return lambda width, side: lesson.counts(base, width, side).macs


@lru_cache(maxsize=4096)
def top1_of(name: str, groups: int | None, everybody: bool, place: Place) -> Top1 | None:
    """What is printed for a cell; else what lies between printed cells; else None."""
    figures = cells(name, groups, everybody).get(place, ())
    figure = printed_top1(figures) or next(
        (each for each in figures if "top1" in each.wrong and not each.quantised), None
    )
    if figure is not None and figure.top1 is not None:
        return Top1(figure.top1, figure)
    found = lesson.between(known_top1(name, groups), _macs(name, groups), place)
    return Top1(found.value, between=found) if found else None


def top1(choice: Choice, place: Place) -> Top1 | None:
    """The accuracy of a cell in the scope on screen."""
    return top1_of(choice.name, choice.groups, choice.everybody, place)


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
        help = f"{off_by(choice)} Linear in the logarithm of the multiply-adds."
        return Card("Top-1, interpolated", f"{found.text} %", help, ends)
    assert found.figure is not None
    help = f"{found.figure.source}. {named}"
    if found.misprint:
        return Card(label, f"{found.text} %", f"{found.figure.wrong['top1']} {help}", "a misprint")
    if not choice.scaled or own is None:
        return Card(label, f"{found.text} %", help, "as printed")
    return Card(label, f"{found.text} %", help, points(found.value - own.value), "unscaled")


def points(difference: float) -> str:
    """A difference of two accuracies as text."""
    if abs(difference) < 0.05:
        return "equal"
    return f"{'+' if difference > 0 else chr(0x2212)}{abs(difference):.1f} pts"


@lru_cache(maxsize=64)
def _held_out(name: str, groups: int | None) -> dict[Place, float]:
    return lesson.held_out(known_top1(name, groups), _macs(name, groups))


def off_by(choice: Choice) -> str:
    """What interpolation is worth for this network, a sentence."""
    errors = _held_out(choice.name, choice.groups)
    if not errors:
        return "No printed cell lies between others, so nothing tests the interpolation."
    worst = max(errors.values(), key=abs)
    side = "low" if worst < 0 else "high"
    count = "The 1 printed cell that lies" if len(errors) == 1 else f"Of {len(errors)} printed cells that lie"
    return f"{count} between others, interpolated as if not printed: at worst {abs(worst):.1f} points too {side}."


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
        parts.download("Cells as CSV", csv, f"{stem}.csv")
        parts.download("Design as JSON", lambda: design.to_json(indent=2), f"{stem}.json")
        parts.copy_link()
