"""The table of judged figures, the rules, and the downloads."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from effviz.core.caches import remembered
from effviz.core.text import html_text
from effviz.core.units import change, exact
from effviz.studies.literature.claims import QUANTITIES, brief
from effviz.studies.literature.conventions import RULES, Rule
from effviz.studies.literature.judge import VERDICTS, Judged
from effviz.studies.literature.selection import Filter, chosen
from effviz.ui.convention import Convention
from effviz.ui.terms import linked
from effviz.ui.widgets.downloads import csv_file, downloads
from effviz.ui.widgets.tables import Column, Table, show_table
from effviz.zoo import architecture

_SHOWN = 60
_ROW_HEIGHT = 108


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
    Column("Open", _link, link="Open", width=54, help="The network on the page Architectures."),
    Column("Network", "network", width=150),
    Column("px", "resolution", width=46),
    Column("Quantity", lambda each: QUANTITIES[each.quantity], width=108),
    Column("Printed", "printed", width=72),
    Column("Verdict", lambda each: VERDICTS[each.verdict], width=92),
    Column("Difference", difference, width=82),
    Column("Reason", "reason", width=300),
    Column("Reference", reference_text, width=110, help="The exact count, or the figure that it is compared with."),
    Column("Source", lambda each: brief(each.source), width=220),
)


def when(ready: bool, draw: Callable[[], None]) -> None:
    """Show a part if the figures are judged; until then, the progress is above."""
    if ready:
        draw()


def claims(by: Filter) -> None:
    """Show the claims of a filter, wrong ones first."""
    table = _table(by)
    show_table(table, key="claims", height=640, more={"row_height": _ROW_HEIGHT})
    total = len(chosen(by))
    if total > _SHOWN:
        st.caption(f"The first {_SHOWN} of {exact(total)} figures, wrong ones first. Downloads has all of them.")


@remembered
def _table(by: Filter) -> Table:
    shown = chosen(by)[:_SHOWN]
    return Table(shown, COLUMNS, f"{len(shown)} printed figures with their verdicts")


def rules() -> None:
    """Show how figures are judged, and all conventions."""
    st.markdown(
        "A count is right if the exact one, rounded, has the printed digits. Otherwise the conventions below are tried."
        " A source counts all figures of a network by one convention: the one that gives most of its digits. A figure "
        "that neither this convention nor cutting off gives is wrong: no listed convention explains its digits, though "
        "the source may have counted by another one. Top-1 is compared with the authors' figures, and latency with "
        "other prints for the same device."
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


def _rule_text(rule: Rule) -> str:
    return f"{rule.text} ({rule.source})" if rule.source else rule.text


def files(by: Filter, convention: Convention) -> None:
    """Show the downloads."""

    def table() -> Table:
        columns = (*COLUMNS[1:], Column("Full source", "source"), Column("Notes", "notes"))
        return Table(chosen(by), columns, "Judged figures")

    downloads(csv_file("Judged figures", table, "effviz-published-figures", convention.text))
