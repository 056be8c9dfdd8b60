"""The tables of the course notes, each cell with its verdict."""

from __future__ import annotations

import streamlit as st

from effviz.core.caches import remembered
from effviz.core.text import html_text
from effviz.measure import recorded
from effviz.studies.literature.claims import QUANTITIES
from effviz.studies.literature.course import CourseClaim, course_claims, networks
from effviz.studies.literature.judge import VERDICTS, Judged, judged
from effviz.zoo import architecture

_KINDS = {"speedup": "Faster than ResNet-50", "phi": "Compound coefficient of EfficientNet"}


def course() -> None:
    """Show both tables of the notes."""
    st.html(course_html(recorded_claims()))
    st.caption(
        "Each cell shows the printed figure, its verdict and the count or the print behind it. Speed-ups are compared "
        "with latencies recorded on one CPU; those of a phone can differ."
    )


def recorded_claims() -> tuple[CourseClaim, ...]:
    """Judge the speed-ups by the recorded latencies."""
    known = {name: found for name in networks() if (found := recorded.find(architecture(name))) is not None}
    where = next((f"{each.where}, PyTorch, float32, 1 thread" for each in known.values()), "")
    return course_claims({name: each.median_ms for name, each in known.items()}, where)


@remembered
def course_html(others: tuple[CourseClaim, ...]) -> str:
    """Write the table of the networks, and one for each kind of the other claims."""
    claims = [each for each in judged() if each.course]
    by_network: dict[str, dict[str, Judged]] = {}
    for each in claims:
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
