"""The tables of the course notes, each cell with its verdict."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from effviz.core.caches import remembered
from effviz.core.text import html_text
from effviz.measure import recorded
from effviz.studies.literature.claims import QUANTITIES
from effviz.studies.literature.course import CourseClaim, course_claims, networks
from effviz.studies.literature.judge import UNEXPLAINED, VERDICTS, WRONG, Judged, judged
from effviz.zoo import architecture

_KINDS = {"speedup": "Faster than ResNet-50", "phi": "Compound coefficient of EfficientNet"}


def course() -> None:
    """Show the tables of the notes."""
    others = recorded_claims()
    verdicts = [each.verdict for each in _claims()] + [each.verdict for each in others]
    st.subheader(finding(verdicts), anchor=False)
    st.html(course_html(others))
    st.caption(
        "Each cell shows the printed figure, its verdict and the count or the print behind it. Speed-ups are compared "
        "with latencies recorded on one CPU; those of a phone can differ."
    )


def recorded_claims() -> tuple[CourseClaim, ...]:
    """Judge the speed-ups by the recorded latencies."""
    known = {name: found for name in networks() if (found := recorded.find(architecture(name))) is not None}
    where = next((f"{each.where}, PyTorch, float32, 1 thread" for each in known.values()), "")
    return course_claims({name: each.median_ms for name, each in known.items()}, where)


def finding(verdicts: Sequence[str]) -> str:
    """Count the figures of the notes that no rule gives, or that a source refutes."""
    wrong, unexplained = verdicts.count(WRONG), verdicts.count(UNEXPLAINED)
    return (
        f"{wrong} of the {len(verdicts)} figures that course notes print for these networks {_is(wrong)} wrong, and "
        f"{unexplained} {_is(unexplained)} unexplained"
    )


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _claims() -> list[Judged]:
    return [each for each in judged() if each.course]


@remembered
def course_html(others: tuple[CourseClaim, ...]) -> str:
    """Write the table of the networks, and one for each kind of the other claims."""
    by_network: dict[str, dict[str, Judged]] = {}
    for each in _claims():
        by_network.setdefault(each.network, {})[each.quantity] = each
    heads = {**QUANTITIES, "latency_ms": "Latency, Pixel 3"}
    head = "".join(f'<th scope="col">{html_text(name)}</th>' for name in ("Network", *heads.values()))
    body = "".join(
        f'<tr><th scope="row">{html_text(name)}</th>{"".join(cell(cells[key], heads[key]) for key in heads)}</tr>'
        for name, cells in by_network.items()
    )
    table = f'<table class="judged"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="judged_tables">{table}{"".join(_list(kind, others) for kind in _KINDS)}</div>'


def cell(each: Judged | CourseClaim, label: str) -> str:
    """Write a printed figure with its verdict and reason as a cell of a table; `label` is its heading on a phone."""
    return (
        f'<td class="verdict_{each.verdict}" data-label="{html_text(label)}"><span class="printed">'
        f"{html_text(each.printed)}</span> {mark(each.verdict)}<span>{html_text(each.reason)}</span></td>"
    )


def mark(verdict: str) -> str:
    """Write a verdict as a mark, which does not depend on color."""
    return f'<strong class="mark">{html_text(VERDICTS[verdict])}</strong>'


def _list(kind: str, others: tuple[CourseClaim, ...]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html_text(each.title)}</th>{cell(each, _KINDS[kind])}</tr>'
        for each in others
        if each.kind == kind
    )
    head = f'<th scope="col">Network</th><th scope="col">{html_text(_KINDS[kind])}</th>'
    return f'<table class="judged"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
