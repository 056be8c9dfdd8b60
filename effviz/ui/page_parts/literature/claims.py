"""The table of judged figures, the rules, and the downloads."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from effviz.core.caches import remembered
from effviz.core.text import html_text
from effviz.core.units import change, exact
from effviz.studies.literature.claims import QUANTITIES, brief
from effviz.studies.literature.conventions import RULES, Way
from effviz.studies.literature.judge import VERDICTS, Judged
from effviz.studies.literature.selection import Filter, chosen
from effviz.ui import inputs, links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.literature.course import cell
from effviz.ui.terms import linked
from effviz.ui.widgets.downloads import csv_file, downloads
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.tables import Column, Table
from effviz.zoo import architecture

JUDGED = "Judged figures"
"""Name of the calculation without which the page shows no verdicts."""
JUDGED_WORDS = (
    "Every network with a printed figure is being counted, to judge the figures. This takes some seconds, once per "
    "server."
)
PAGE = "page"
"""Key of the page of the table."""
ALL_FIGURES = "All figures"
"""Title of the part with the table."""
_SHOWN = 10
_FIGURE = "Printed figure and verdict"
_PLAIN = ("px", "Quantity", "Difference", "Source")
_HEADS = ("Network", "px", "Quantity", _FIGURE, "Difference", "Source")


def reference_text(each: Judged) -> str:
    """Write what a claim is compared with; empty for nothing."""
    if each.reference is None:
        return ""
    if each.quantity in RULES:
        return exact(int(each.reference))
    return f"{each.reference:g} {'%' if each.quantity == 'top1' else 'ms'}"


def difference(each: Judged) -> str:
    """Write the difference of a claim from its reference: in percentage points for top-1."""
    if each.reference is None or each.value == each.reference:
        return ""
    if each.quantity == "top1":
        return f"{each.value - each.reference:+.1f} points".replace("-", "\N{MINUS SIGN}")
    return change(each.value, each.reference)


def network_link(design: str, width: float, depth: float, groups: int | None, resolution: str) -> str:
    """Return the address of a network on the page Architectures."""
    query = {"net": architecture(design).title}
    query |= {"groups": str(groups)} if groups is not None else {}
    query |= {name: f"{value:g}" for name, value in (("width", width), ("depth", depth)) if value != 1}
    return linked("architectures", query | ({"res": resolution} if resolution else {}))


def _link(each: Judged) -> str | None:
    return network_link(each.design, each.width, each.depth, each.groups, each.resolution) if each.design else None


COLUMNS = (
    Column("Network", "network"),
    Column("px", "resolution"),
    Column("Quantity", lambda each: QUANTITIES[each.quantity]),
    Column("Printed", "printed"),
    Column("Verdict", lambda each: VERDICTS[each.verdict]),
    Column("Difference", difference),
    Column("Reason", "reason"),
    Column("Reference", reference_text),
    Column("Source", lambda each: brief(each.source)),
    Column("Full source", "source"),
    Column("Notes", "notes"),
)


def when(ready: bool, draw: Callable[[], None]) -> None:
    """Show a part if the figures are judged; until then, the progress is above."""
    if ready:
        draw()


def claims(by: Filter) -> None:
    """Show the claims of a filter, wrong ones first, in pages."""
    total = len(chosen(by))
    pages = max(1, math.ceil(total / _SHOWN))
    # A filter may leave fewer pages than the one that is shown.
    if st.session_state.get(PAGE, 1) > pages:
        st.session_state[PAGE] = 1
    number = 1
    if pages > 1:
        with st.container(horizontal=True, key="claims_page", vertical_alignment="bottom"):
            number = inputs.integer("Page", PAGE, default=1, minimum=1, maximum=pages, width=140)
            first = (number - 1) * _SHOWN + 1
            last = min(total, first + _SHOWN - 1)
            st.caption(f"Figures {exact(first)} to {exact(last)} of {exact(total)}, wrong ones first.")
    else:
        links.idle(PAGE)
    if total:
        st.html(_table_html(by, number))
    else:
        notice("No figure has these properties.")


@remembered
def _table_html(by: Filter, number: int) -> str:
    """Write the claims of one page, as the table of the course notes is written."""
    head = "".join(f'<th scope="col">{name}</th>' for name in _HEADS)
    rows = "".join(map(_row, chosen(by)[(number - 1) * _SHOWN : number * _SHOWN]))
    table = f'<table class="judged claims"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="judged_tables">{table}</div>'


def _row(each: Judged) -> str:
    name, address = html_text(each.network), _link(each)
    first = f'<a href="{html_text(address)}">{name}</a>' if address else name
    texts = (each.resolution, QUANTITIES[each.quantity], difference(each), brief(each.source))
    px, quantity, off, source = (
        f'<td data-label="{label}">{html_text(text)}</td>' for label, text in zip(_PLAIN, texts, strict=True)
    )
    return f'<tr><th scope="row">{first}</th>{px}{quantity}{cell(each, _FIGURE)}{off}{source}</tr>'


def rules() -> None:
    """Show how figures are judged, and all conventions."""
    st.markdown(
        "A count is right if the exact one, rounded, has the printed digits. Otherwise the conventions below are tried."
        " A source counts all figures of a network by one convention: the one that gives most of its digits. If "
        "neither this convention nor cutting off gives a figure, no rule is found: the source may have counted by "
        "another one. A count is wrong only if it is a known misprint. Top-1 is compared with the authors' figures, "
        "and latency with other prints for the same device."
    )
    st.html(_rules_html())


@remembered
def _rules_html() -> str:
    lists = (
        f"<div><h4>{QUANTITIES[quantity]}</h4><dl>"
        + "".join(f"<dt>{html_text(rule.name)}</dt><dd>{html_text(_rule_text(rule))}</dd>" for rule in several)
        + "</dl></div>"
        for quantity, several in RULES.items()
    )
    return f'<div class="conventions">{"".join(lists)}</div>'


def _rule_text(rule: Way) -> str:
    return f"{rule.text} ({rule.source})" if rule.source else rule.text


def files(by: Filter, convention: Convention) -> None:
    """Show the downloads."""

    def table() -> Table:
        return Table(chosen(by), COLUMNS, "Judged figures")

    downloads(csv_file("Judged figures", table, "effviz-published-figures", convention.text))
