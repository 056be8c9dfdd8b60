"""Findings of lint on the Studio page, with buttons that apply a fix or measure its gain."""

from __future__ import annotations

import streamlit as st

from effviz.advice import lint
from effviz.advice.lint import RULES, Finding, Gain
from effviz.advice.lint.edits import moved
from effviz.core.caches import remembered
from effviz.core.text import html_text
from effviz.core.units import lower, milliseconds, percent
from effviz.count.report import Report
from effviz.model.design import Design
from effviz.model.draft import Draft
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, edit, missing
from effviz.ui.page_parts.studio.limits import Limits
from effviz.ui.page_parts.studio.remedies import remedies
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.latency_words import difference
from effviz.ui.widgets.live_latency import Conditions, Reading

_COMPARED = "_studio_compared"
_SHOWN = "_studio_findings"
_AT_A_TIME = 20


def read(here: Bench, conditions: Conditions) -> Reading:
    """Return the known latencies of the network, and of a fixed one whose gain is being measured."""
    if here.design is None:
        return Reading(None, (), None)
    # Every change of the design ends the measurement of a gain.
    design, fixed = st.session_state.get(_COMPARED, (None, None))
    return live.read(here.design, [fixed] if design == here.design else [], conditions)


def findings(here: Bench, conditions: Conditions, reading: Reading, convention: Convention, chosen: Limits) -> None:
    """Show the fixes for exceeded limits, and each finding with its place, its reason and its fix."""
    report = here.report
    if report is None:
        missing(here)
        return
    if chosen.counted:
        remedies(here, chosen, convention)
    shown = count_shown(report.design)
    count, found = suggestions(report, shown)
    st.subheader(_heading(count, whole=here.is_whole), anchor=False)
    for place, (each, gain) in enumerate(found):
        with st.container(border=True, horizontal=True, gap="small"):
            # Names of stages are user input, so nothing here is Markdown. One message: a move sends all findings.
            text = _line(f", {each.where}. {each.why}", RULES[each.rule].title)
            if each.fix is not None:
                text += _line(f"{each.fix.label}. {_savings(gain, report, convention)}")
            st.html(text)
            if each.fix is not None:
                _buttons(each, place, here, report, conditions, reading)
    if shown < count:
        more = (report.design, shown + _AT_A_TIME)
        st.button(f"Show {min(_AT_A_TIME, count - shown)} more", key="more_findings", on_click=_show, args=more)
    rules = "".join(map(_rule, RULES.values()))
    accuracy = _line("Accuracy is not predicted: train a changed network before you rely on it.") if found else ""
    st.html(f'{accuracy}<details class="finding"><summary>Rules and sources</summary>{rules}</details>')


def count_shown(design: Design | None) -> int:
    """Return how many findings are shown: a fix is searched for when it is read, so at first not all."""
    chosen, shown = st.session_state.get(_SHOWN, (None, 0))
    return max(_AT_A_TIME, shown if chosen == design else 0)


@remembered
def suggestions(report: Report, most: int) -> tuple[int, tuple[tuple[Finding, Gain | None], ...]]:
    """Return the number of findings, and the first ones with the gains of their fixes."""
    found = lint.lint(report.design)
    return len(found), tuple((each, lint.gain(each, report) if each.fix else None) for each in found[:most])


def _show(design: Design, count: int) -> None:
    st.session_state[_SHOWN] = (design, count)


def _heading(count: int, *, whole: bool) -> str:
    text = {0: "No findings", 1: "1 suggestion"}.get(count, f"{count} suggestions")
    return f"{text} ({len(RULES)} rules checked{'' if whole else ', only the rows above the error'})"


def _rule(rule: lint.Rule) -> str:
    return _line(f" {rule.guideline} Source: {rule.source}.", f"{rule.title}.")


def _line(text: str, strong: str = "") -> str:
    lead = f"<strong>{html_text(strong)}</strong>" if strong else ""
    return f'<p class="finding">{lead}{html_text(text)}</p>'


def _savings(gain: Gain | None, report: Report, convention: Convention) -> str:
    """List the savings of a fix; its label lists the increases."""
    if gain is None:
        return ""
    rows = (
        ("parameters", gain.params, report.params),
        (lower(convention.compute_label), gain.macs, report.macs),
        ("memory access", gain.memory_access, report.memory_access),
        ("peak activation memory", gain.peak_activation, report.peak_activation),
    )
    saved = [f"{percent(-by / before)} of the {name}" for name, by, before in rows if by < 0]
    return f"Saves {', '.join(saved)}." if saved else "The counted costs do not decrease."


def _buttons(each: Finding, place: int, here: Bench, report: Report, conditions: Conditions, reading: Reading) -> None:
    assert each.fix is not None
    design, fixed = report.design, each.fix.design

    def apply() -> None:
        edit(lambda _: Draft.of(fixed), moved(each.row, design, fixed))

    def measure() -> None:
        st.session_state[_COMPARED] = (design, fixed)
        live.ask(design, conditions)

    help = None if here.is_whole else "Fix the highlighted row first."
    st.button("Apply", key=f"apply_{place}", on_click=apply, disabled=not here.is_whole, help=help)
    st.button("Measure gain", key=f"gain_{place}", on_click=measure)
    now, then = reading.latency, reading.reference
    if now is not None and then is not None and st.session_state.get(_COMPARED) == (design, fixed):
        times = f"{milliseconds(now.median_ms)} now, {milliseconds(then.median_ms)} with the fix"
        notice(f"Latency: {times} ({difference(then, now)}).", "finding")
