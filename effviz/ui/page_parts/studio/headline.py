"""Headline numbers of the Studio page against the limits, the parts that exceed them, and the table of verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from effviz.advice.breaches import Breach
from effviz.advice.budgets import BYTES, QUANTITIES, Verdict, format_share
from effviz.core.text import html_text
from effviz.core.units import lower, milliseconds
from effviz.ui import playing
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio import fitting
from effviz.ui.page_parts.studio.draft import Bench
from effviz.ui.page_parts.studio.limits import Limits, is_over
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.cards import COUNTED, Card, report_cards, show_cards
from effviz.ui.widgets.live_latency import Conditions, Reading
from effviz.ui.widgets.tables import Column, Table, show_table
from effviz.ui.widgets.ways import find_link

OVER, WITHIN = "\N{MULTIPLICATION X}", "\N{CHECK MARK}"


def _amount(verdict: Verdict, value: float, convention: Convention) -> str:
    """Format a value in the unit of its limit, or in the convention where that has another unit."""
    quantity = verdict.budget.quantity
    if _is_converted(quantity, convention):
        return convention.show(quantity, int(value))
    if quantity == "latency":
        return milliseconds(value)
    return verdict.budget.show(value)


def _is_converted(quantity: str, convention: Convention) -> bool:
    """Whether the convention shows a quantity in another unit than its limits have."""
    if quantity == "memory_access":
        return not convention.in_elements
    return quantity == "macs" and convention.factor(quantity) != 1


def _limit(verdict: Verdict, convention: Convention) -> str:
    budget = verdict.budget
    if _is_converted(budget.quantity, convention):
        return convention.show(budget.quantity, int(budget.limit))
    return f"{budget.text} {budget.dtype}".rstrip()


def _against(verdict: Verdict, convention: Convention, subject: str = "") -> str:
    """Write the line of a card."""
    limit = _limit(verdict, convention)
    if verdict.value is None:
        return f"limit {limit}"
    share = format_share(verdict.share)
    of = "the limit" if share.endswith("\N{MULTIPLICATION SIGN}") else f"of {limit}"
    return f"{WITHIN if verdict.passed else OVER} {subject}{share} {of}"


def headline(
    here: Bench, judged: dict[str, Verdict], convention: Convention, reading: Reading, conditions: Conditions
) -> None:
    """Show the costs of the network, each number with its limit."""
    if here.design is None or here.report is None:
        return
    # The latency with a fix is shown next to the fix.
    latency = live.card(reading)
    if "latency" in judged and not latency.stale:
        latency = replace(latency, below=_against(judged["latency"], convention))
    below: dict[str, str] = {}
    if "weight_size" in judged:
        below["params"] = _against(judged["weight_size"], convention, "weights ")
    below |= {name: _against(judged[name], convention) for name in COUNTED if name in judged}
    counted = [_in_unit(card, judged, convention) for card in report_cards(convention, here.report, below=below)]
    show_cards([_marked(card) for card in (*counted, latency)])
    live.bar(here.design, conditions, reading)


def _in_unit(card: Card, judged: dict[str, Verdict], convention: Convention) -> Card:
    """Show a size in the unit of its limit: a KiB has 1024 bytes, a kB has 1000."""
    judgement = judged.get("weight_size" if card.key == "params" else card.key)
    if judgement is None or judgement.value is None or not judgement.budget.is_size:
        return card
    written, dtype = judgement.budget.show(judgement.value), judgement.budget.dtype
    if card.key == "params":
        return replace(card, aside=written) if dtype == convention.weight_format else card
    return replace(card, text=written) if dtype == convention.unit else card


def _marked(card: Card) -> Card:
    return replace(card, over=card.below.startswith(OVER))


def verdict(
    here: Bench, judged: dict[str, Verdict], chosen: Limits, found: Sequence[Breach], convention: Convention
) -> None:
    """Show whether the limits are kept, what exceeds them, and the ways to a network that keeps them."""
    if not judged:
        return
    over = is_over(judged)
    with st.container(key="studio_over" if over else "studio_within", horizontal=True, vertical_alignment="center"):
        st.subheader(_summary(judged, whole=here.is_whole), anchor=False, width="content")
        if over:
            if not playing.conceals("fit"):
                fitting.button(here, chosen, convention)
            find_link([each.budget for each in judged.values()], chosen.dtype)
    if found:
        st.html(f'<ul class="breaches">{"".join(f"<li>{html_text(each.sentence)}</li>" for each in found)}</ul>')


def _summary(judged: dict[str, Verdict], *, whole: bool) -> str:
    over = [lower(QUANTITIES[name].title) for name, each in judged.items() if each.passed is False]
    so_far = "" if whole else " Only the rows above the error are checked."
    if over:
        return f"{OVER} Over budget: {', '.join(over)}.{so_far}"
    if any(each.passed is None for each in judged.values()):
        return f"All counted limits fit. Latency is not measured.{so_far}"
    return f"{WITHIN} Fits the budget.{so_far}"


def budget_table(judged: dict[str, Verdict], chosen: Limits, convention: Convention) -> None:
    """Show every limit with its margin and source."""
    if not judged:
        st.markdown("No budget. Choose a preset in the sidebar, or type limits there.")
        return

    def amount(each: Verdict) -> str:
        return "not measured" if each.value is None else _amount(each, each.value, convention)

    def title(name: str) -> str:
        return convention.compute_label if name == "macs" else QUANTITIES[name].title

    columns = [
        Column("Quantity", lambda each: title(each.budget.quantity)),
        Column("Here", amount),
        Column("Limit", partial(_limit, convention=convention)),
        Column("Margin (%)", lambda each: None if each.margin is None else 100 * each.margin, "%+.1f"),
        Column("Verdict", lambda each: {None: "not measured", True: "fits", False: f"{OVER} over"}[each.passed]),
    ]
    rows = list(judged.values())
    show_table(Table(rows, columns, f"{len(rows)} limits with the value here and the margin"), height=400)
    source = f" Source: {chosen.source}" if chosen.source else ""
    sizes = " Sizes in bytes have the number format of their limit." if _has_sizes(rows) else ""
    st.caption(f"Margin = 1 − value / limit.{sizes} Latency is the median measured here.{source}")


def _has_sizes(rows: Sequence[Verdict]) -> bool:
    return any(QUANTITIES[each.budget.quantity].kind == BYTES for each in rows)
