"""The network on screen against the baseline: the difference part by part, aligned stages, factors, diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from effviz.charts.compare import difference as drawing
from effviz.charts.compare.difference import ComparedPart, signed
from effviz.charts.sentences import plural, times
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.text import html_text
from effviz.core.units import lower
from effviz.model.design import Design
from effviz.studies.compare.difference import (
    DEPTH,
    RESOLUTION,
    WIDTH,
    Difference,
    DifferenceTerm,
    Factors,
    differences,
    factors,
    is_scaling,
)
from effviz.studies.compare.stages import ADDED, EDITED, REMOVED, SAME, StagePair
from effviz.ui import inputs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.compare.controls import AXES, former_name
from effviz.ui.page_parts.compare.rows import View, computed, is_costly
from effviz.ui.widgets.cards import cached_report
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.diagram import diagram
from effviz.ui.widgets.frame import heading, look, notice, section
from effviz.ui.widgets.tables import Column, Table

CONTROLS = ("of", "by")
_QUANTITIES = {key: AXES[key] for key in ("macs", "params", "memory_access")}
_PARTS = {"stage": "Stage", "kind": "Layer kind"}
_NOUNS = {"stage": "stage", "kind": "layer kind"}
_MARKS = {SAME: "=", EDITED: "≠", ADDED: "+", REMOVED: "\N{MINUS SIGN}"}
_LEGEND = (
    "Stages as torchview draws them. Marks in the baseline: − removed, not in the network on screen; ≠ "
    "edited, built from other blocks. In the network on screen: + added, not in the baseline; ≠ edited. Stages without "
    "a mark are built from equal blocks."
)
_MOST_STAGES, _MOST_CHANGES, _MOST_BARS = 60, 6, 9


def summary(view: View, convention: Convention) -> None:
    """Show beside the networks how many multiply-adds each stage saves or adds."""
    choice = view.choice
    if choice.differ and not is_costly((choice.base, choice.design)):
        found = differences(choice.base, choice.design, convention.memory)
        if written := _bars_html(found.terms["macs", "stage"], choice.names, convention):
            st.html(written)


@remembered
def _bars_html(terms: tuple[DifferenceTerm, ...], names: tuple[str, str], convention: Convention) -> str:
    """Write the largest terms as a table with bars, and the sum of the others."""
    written = partial(convention.show, "macs")
    moved = [each for each in terms if each.value]
    if not moved:
        return ""
    large = moved if len(moved) <= _MOST_BARS + 1 else sorted(moved, key=lambda each: -abs(each.value))[:_MOST_BARS]
    rows = [(each.label, each.value) for each in moved if each in large]
    rest = len(moved) - len(large)
    rows += [(plural(rest, "other stage"), sum(each.value for each in moved if each not in large))] if rest else []
    low, high = min([0, *(value for _, value in rows)]), max([0, *(value for _, value in rows)])
    span = high - low or 1
    body = "".join(
        f"<tr><th scope='row'>{html_text(label)}</th><td><i class='{'less' if value < 0 else 'more'}' style='left:"
        f"{100 * (min(value, 0) - low) / span:.1f}%;width:{100 * abs(value) / span:.1f}%'></i></td>"
        f"<td>{signed(value, written)}</td></tr>"
        for label, value in rows
    )
    total, label = sum(each.value for each in terms), lower(convention.compute_label)
    head = f"{signed(total, written)} {label}, by stage" if total else f"Equal {label} in sum, by stage"
    caption = f"{html_text(names[1])} against {html_text(names[0])}"
    key = "<div><i class='less'></i> fewer <i class='more'></i> more</div>"
    table = f"<table><tbody>{body}</tbody></table>"
    return f"<section class='delta'><h3>{head}</h3><p>{caption}</p>{key}{table}</section>"


def difference(view: View, convention: Convention) -> None:
    """Show where the difference comes from, the stages side by side, and the factors of two scalings."""
    choice = view.choice
    with st.container(horizontal=True, key="difference_controls", gap="medium"):
        former_name("of")
        quantity = inputs.switch("Difference in", list(_QUANTITIES), "of", default="macs",
                                 format_func=_QUANTITIES.__getitem__)  # fmt: skip
        by = inputs.switch("By", list(_PARTS), "by", default="stage", format_func=_PARTS.__getitem__)
    if not choice.differ:
        notice("The network on screen is the baseline. Choose another network to see what differs.")
        return
    designs = choice.base, choice.design
    found = computed("Difference of two networks", differences, designs, *designs, convention.memory)
    if found is None:
        return
    show_chart(
        difference_chart(found.terms[quantity, by], choice.names, quantity, by, convention, look()), "waterfall",
        note=_note(found.terms[quantity, by], by),
    )  # fmt: skip
    if is_scaling(*designs):
        with section("The factors"):
            _show_factors(designs, choice.names, convention)
    heading(_stages_title(found.pairs))
    st.html(_stages_html(found, choice.names, quantity, convention))


@remembered
def difference_chart(
    terms: tuple[DifferenceTerm, ...],
    names: tuple[str, str],
    quantity: str,
    by: str,
    convention: Convention,
    look: Appearance,
) -> Chart:
    """Draw the steps from the cost of the baseline to that of the network on screen."""
    parts = [ComparedPart(each.label, each.before, each.after) for each in terms]
    return drawing.difference_chart(
        parts, names, lower(convention.label(quantity)), _NOUNS[by], partial(convention.show, quantity), look,
        convention.factor(quantity), in_bytes=convention.is_bytes(quantity),
    )  # fmt: skip


def _note(terms: Sequence[DifferenceTerm], by: str) -> str:
    equal = sum(not each.value for each in terms)
    left = f" {plural(equal, _NOUNS[by])} without a difference: not drawn." if equal else ""
    return f"Violet: cheaper than in the baseline, else more expensive. The terms sum to the difference exactly.{left}"


# --- stages side by side ----------------------------------------------------------------------------------------------


def _stages_title(pairs: Sequence[StagePair]) -> str:
    counts = {status: sum(pair.status == status for pair in pairs) for status in (EDITED, ADDED, REMOVED)}
    found = [f"{count} {status}" for status, count in counts.items() if count]
    if not found:
        return f"All {plural(len(pairs), 'stage')} are built from equal blocks"
    return f"Stages: {', '.join(found)}, {len(pairs) - sum(counts.values())} unchanged"


def _stages_html(found: Difference, names: tuple[str, str], quantity: str, convention: Convention) -> str:
    """Write the aligned stages as a table, with marks where they differ."""
    terms = found.terms[quantity, "stage"]
    written = partial(convention.show, quantity)
    rows = [
        _stage_html(pair, term, names, signed(term.value, written) if term.value else "equal")
        for pair, term in zip(found.pairs[:_MOST_STAGES], terms, strict=False)
    ]
    more = len(found.pairs) - len(rows)
    heads = "".join(f"<th scope='col'>{html_text(each)}</th>" for each in
                    (names[0], "", names[1], "Changes", convention.label(quantity)))  # fmt: skip
    tail = f'<p class="status">and {plural(more, "further stage")}.</p>' if more else ""
    return f'<table class="aligned"><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>{tail}'


def _stage_html(pair: StagePair, term: DifferenceTerm, names: tuple[str, str], value: str) -> str:
    status = pair.status
    cells = [
        f"<td data-of='{html_text(name)}'><b>{html_text(stage.name)}</b><br>{html_text(stage.text)}</td>"
        if stage else f"<td class='gap' data-of='{html_text(name)}'></td>"
        for name, stage in zip(names, pair, strict=True)
    ]  # fmt: skip
    shown = pair.changes[:_MOST_CHANGES]
    more = len(pair.changes) - len(shown)
    changes = "; ".join([*shown, *([f"and {more} more"] if more else [])]) or (
        "only in one network" if status in (ADDED, REMOVED) else "no change of the blocks"
    )
    mark = f"<td class='mark' title='{status}'><span role='img' aria-label='{status}'>{_MARKS[status]}</span></td>"
    return (
        f"<tr class='{status}'>{cells[0]}{mark}{cells[1]}<td class='changes'>{html_text(changes)}</td>"
        f"<td class='value'>{value}</td></tr>"
    )


# --- two scalings of one network --------------------------------------------------------------------------------------

_AXES = {DEPTH: ("Depth", ""), WIDTH: ("Width", "²"), RESOLUTION: ("Resolution", "²")}


def _show_factors(designs: tuple[Design, Design], names: tuple[str, str], convention: Convention) -> None:
    found = factors(*designs)
    heading(factors_title(found, names, convention))
    parts = [float(found.product(part)) for part in ("nominal", "fixed", "rounding")]
    st.caption(
        f"{times(float(found.ratio))} = {parts[0]:.4g} by the multipliers, times {parts[1]:.4g} for layers that do "
        f"not grow with a multiplier, times {parts[2]:.4g} for rounding to whole blocks, channels and pixels. "
        "Depth changes first, then width, then resolution."
    )
    rows = "".join(
        f"<tr><th scope='row'>{_AXES[each.axis][0]}</th><td>{each.multiplier:.4g}{_AXES[each.axis][1]} = "
        f"{float(each.nominal):.4g}</td><td>{float(each.fixed):.4g}</td><td>{float(each.rounding):.4g}</td>"
        f"<td><b>{float(each.built):.4g}</b></td></tr>"
        for each in found.factors
    )
    names_of = ("Axis", "Multiplier", "Do not grow", "Rounding", "Built")
    heads = "".join(f"<th scope='col'>{head}</th>" for head in names_of)
    total = "".join(f"<td>{part:.4g}</td>" for part in parts)
    st.html(
        f'<table class="factors"><thead><tr>{heads}</tr></thead><tbody>{rows}<tr class="total"><th scope="row">Product'
        f"</th>{total}<td><b>{float(found.ratio):.4g}</b></td></tr></tbody></table>"
    )


def factors_title(found: Factors, names: tuple[str, str], convention: Convention) -> str:
    """Say which axis multiplies the compute most."""
    claim = f"{names[1]} has {times(float(found.ratio))} the {lower(convention.compute_label)} of {names[0]}"
    most = max(found.factors, key=lambda each: max(each.built, 1 / each.built))
    if most.built == 1:
        return f"{claim}: no axis changes them"
    return f"{claim}: the largest factor is {most.axis} with {times(float(most.built))}"


# --- diagrams ---------------------------------------------------------------------------------------------------------


def diagrams(view: View, convention: Convention) -> None:
    """Show the diagrams of both networks by stage."""
    choice = view.choice
    designs = [("baseline", choice.base), ("network", choice.design)] if choice.differ else [("network", choice.design)]
    marks: dict[str, dict[str, str]] = {}
    if choice.differ:
        pair = choice.base, choice.design
        found = computed("Difference of two networks", differences, pair, *pair, convention.memory)
        if found is None:
            return
        marks = stage_marks(found.pairs)
        st.caption(_LEGEND)
    else:
        st.caption("Stages as torchview draws them.")
    with st.container(key="diagram_pair", horizontal=True, gap="large"):
        for place, design in designs:
            with st.container(key=f"diagram_{place}"):
                heading(f"{place.capitalize()}: {choice.names[place == 'network']}")
                try:
                    report = cached_report(design, convention.memory)
                except DesignError as error:
                    notice(f"{error}.")
                    continue
                diagram(report, "stages", place=place, marks=marks.get(place))


def stage_marks(pairs: Sequence[StagePair]) -> dict[str, dict[str, str]]:
    """Return the marks of the stages in both diagrams, by name."""
    differ = [pair for pair in pairs if pair.status != SAME]
    return {
        "baseline": {pair.before.name: pair.status for pair in differ if pair.before},
        "network": {pair.after.name: pair.status for pair in differ if pair.after},
    }


# --- files ------------------------------------------------------------------------------------------------------------


def terms_table(view: View, convention: Convention) -> Table:
    """Make the table of all terms of the difference."""
    choice = view.choice
    found = differences(choice.base, choice.design, convention.memory)
    rows = [(quantity, by, term) for (quantity, by), terms in found.terms.items() for term in terms]
    columns = [
        Column("Quantity", lambda row: convention.heading(row[0])),
        Column("By", lambda row: _PARTS[row[1]]),
        Column("Part", lambda row: row[2].label),
        Column("Status", lambda row: row[2].status if row[1] == "stage" else ""),
        Column(choice.names[0], lambda row: convention.value(row[0], row[2].before)),
        Column(choice.names[1], lambda row: convention.value(row[0], row[2].after)),
        Column("Difference", lambda row: convention.value(row[0], row[2].value)),
    ]
    return Table(rows, columns, f"{len(rows)} terms of the difference between two networks")
