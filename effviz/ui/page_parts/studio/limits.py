"""Budget of the Studio page: limits in the sidebar, headline numbers against them, and the table of verdicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from effviz.advice.budgets import PRESETS, QUANTITIES, Budget, Verdict, check, format_share, parse_amount
from effviz.core.errors import DesignError
from effviz.core.units import binary, milliseconds, si
from effviz.ui import inputs, links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.cards import COUNTED, report_cards, show_cards
from effviz.ui.widgets.frame import notice
from effviz.ui.widgets.live_latency import Conditions, Reading
from effviz.ui.widgets.tables import Column, Table, show_table
from effviz.ui.widgets.ways import LIMIT_KEYS, find_link

NONE, CUSTOM = "none", "own limits"
_EXAMPLES = {
    "params": "4M", "macs": "300M", "memory_access": "20M", "peak_activation": "320KiB", "weight_size": "1MB",
    "latency": "33ms",
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """The chosen budget.

    Attributes:
        budgets: the limits.
        dtype: number format of sizes in bytes.
        source: of a preset; empty for custom limits.
    """

    budgets: tuple[Budget, ...] = ()
    dtype: str = "float32"
    source: str = ""


def _budget(quantity: str, text: str) -> Budget | str:
    """Return the limit in a text, or the error."""
    try:
        return Budget(quantity, parse_amount(text, quantity))
    except DesignError as error:
        return f"{error}."


def limits(convention: Convention) -> Limits:
    """Show the budget in the sidebar: a preset with its source, or custom limits."""
    names = {NONE: NONE} | {name: preset.title for name, preset in PRESETS.items()} | {CUSTOM: CUSTOM}
    chosen = inputs.choice("Budget", list(names), "budget", default=NONE, format_func=names.__getitem__)
    dtype = "float32" if convention.in_elements else convention.unit
    if chosen != CUSTOM:
        links.idle(*LIMIT_KEYS.values())
        preset = PRESETS.get(chosen)
        return Limits(preset.budgets, preset.dtype, preset.source) if preset else Limits(dtype=dtype)
    found = []
    place = st.container(key="studio_limits")
    for name, key in LIMIT_KEYS.items():
        choices = f"an amount such as {_EXAMPLES[name]}"
        with place:
            text = inputs.words(QUANTITIES[name].title, key, legal=partial(_legal, name), choices=choices,
                               placeholder=_EXAMPLES[name])  # fmt: skip
        budget = _budget(name, text) if text.strip() else None
        if isinstance(budget, Budget):
            found.append(budget)
        elif budget:
            notice(budget, alert=True)
    return Limits(tuple(found), dtype)


def _legal(quantity: str, text: str) -> bool:
    return isinstance(_budget(quantity, text), Budget)


def verdicts(here: Bench, chosen: Limits, reading: Reading) -> dict[str, Verdict]:
    """Compare the network with its limits, by quantity."""
    if here.report is None:
        return {}
    known = None if reading.latency is None else reading.latency.median_ms
    found = check(here.report, chosen.budgets, dtype=chosen.dtype, latency_ms=known)
    return {each.budget.quantity: each for each in found}


def _amount(quantity: str, value: float, convention: Convention) -> str:
    if quantity == "latency":
        return milliseconds(value)
    if quantity in ("macs", "memory_access"):
        return convention.show(quantity, int(value))
    return binary(value) if QUANTITIES[quantity].unit == "bytes" else si(value)


def _against(verdict: Verdict, convention: Convention, subject: str = "") -> str:
    """Write the line of a card."""
    if verdict.value is None:
        return f"limit {_amount(verdict.budget.quantity, verdict.budget.limit, convention)}"
    mark = "\N{CHECK MARK}" if verdict.passed else "\N{MULTIPLICATION X}"
    share = format_share(verdict.value / verdict.budget.limit)
    return f"{mark} {subject} {share}" if subject else f"{mark} {share} of limit"


def headline(
    here: Bench, judged: dict[str, Verdict], chosen: Limits, convention: Convention, reading: Reading,
    conditions: Conditions,
) -> None:  # fmt: skip
    """Show the costs of the network, each number with its limit, and whether all limits are kept."""
    if here.design is None or here.report is None:
        return
    below = dict.fromkeys(COUNTED, "no limit")
    if "weight_size" in judged:
        below["params"] = _against(judged["weight_size"], convention, "weights")
    below |= {name: _against(judged[name], convention) for name in COUNTED if name in judged}
    # The latency with a fix is shown next to the fix.
    latency = live.card(replace(reading, others=()))
    if "latency" in judged and not latency.stale:
        latency = replace(latency, below=_against(judged["latency"], convention))
    show_cards([*report_cards(convention, here.report, below=below), latency])
    live.bar(here.design, conditions, reading)
    if judged:
        st.subheader(_summary(judged, whole=here.is_whole), anchor=False)
    if any(each.passed is False for each in judged.values()):
        find_link([each.budget for each in judged.values()], chosen.dtype)


def budget_table(judged: dict[str, Verdict], chosen: Limits, convention: Convention) -> None:
    """Show every limit with its margin and source."""
    if not judged:
        st.markdown("No budget. Choose a budget in the sidebar: a preset with its source, or own limits.")
        return

    def amount(value: float | None, name: str) -> str:
        return "not measured" if value is None else _amount(name, value, convention)

    def title(name: str) -> str:
        return convention.compute_label if name == "macs" else QUANTITIES[name].title

    columns = [
        Column("Quantity", lambda each: title(each.budget.quantity)),
        Column("Here", lambda each: amount(each.value, each.budget.quantity)),
        Column("Limit", lambda each: amount(each.budget.limit, each.budget.quantity)),
        Column("Margin (%)", lambda each: None if each.margin is None else 100 * each.margin, "%+.1f"),
        Column("Verdict", lambda each: {None: "not measured", True: "fits", False: "over"}[each.passed]),
    ]
    rows = list(judged.values())
    show_table(Table(rows, columns, f"{len(rows)} limits with the value here and the margin"), height=400)
    source = f" Source: {chosen.source}" if chosen.source else ""
    st.caption(
        f"Margin = 1 − value / limit. Sizes in bytes are {chosen.dtype}. Latency is the median measured here.{source}"
    )


def _summary(judged: dict[str, Verdict], *, whole: bool) -> str:
    over = [QUANTITIES[name].title.lower() for name, each in judged.items() if each.passed is False]
    so_far = "" if whole else " Only the rows above the error are checked."
    if over:
        return f"Over budget: {', '.join(over)}.{so_far}"
    if any(each.passed is None for each in judged.values()):
        return f"All counted limits fit. Latency is not measured.{so_far}"
    return f"Fits the budget.{so_far}"
