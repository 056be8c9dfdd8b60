"""Printed accuracy over counted compute: the points, the front, the curves between printed cells."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import pandas as pd
import streamlit as st

from effviz.charts.multipliers import Curve, Here, Point, accuracy_scatter
from effviz.studies import multipliers as lesson
from effviz.studies.multipliers import Place
from effviz.ui import links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.multipliers.cost_map import told, wrapped
from effviz.ui.page_parts.multipliers.page import (
    GROUPS,
    NETWORKS,
    SCOPES,
    Choice,
    Top1,
    base_of,
    known_top1,
    top1,
    top1_of,
)
from effviz.ui.widgets import parts
from effviz.zoo.published.cells import Figure, cells


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
        lines += wrapped(f"{told(each)}: {each.variant}, {each.source}")
        lines += [part for note in (each.notes, each.remark) if note for part in wrapped(note)]
    if len(printed.figures) > 2:
        lines.append(f"and {len(printed.figures) - 2} more sources that print it")
    return "<br>".join(lines)


def _curves(choice: Choice, convention: Convention) -> list[Curve]:
    """Through the cell on screen, along each multiplier: straight between cells that are printed or bracketed."""
    known = known_top1(choice.name, choice.groups)
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
    known = known_top1(choice.name, choice.groups)
    if place in known:
        return Top1(known[place])
    found = top1_of(choice.name, choice.groups, False, place)
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
