"""Results of the page: the search, the cards, the chart, the table, and the links of the selected network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from effviz.advice.budgets import QUANTITIES, format_amount, format_share
from effviz.charts.find import FoundNetworks, PublishedMark, found_chart
from effviz.charts.style import Appearance, Chart
from effviz.core import settings
from effviz.core.caches import remembered
from effviz.core.text import html_text
from effviz.core.units import lower, short, short_binary
from effviz.measure.recorded import recorded_ms
from effviz.studies import finder, finder_words
from effviz.studies.finder import Candidate, Found, Known
from effviz.ui import inputs, links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.find.controls import Choice
from effviz.ui.widgets import parts
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.cards import Card, count_card, show_cards
from effviz.ui.widgets.charts import Click, show_chart
from effviz.ui.widgets.downloads import csv_file, downloads
from effviz.ui.widgets.frame import look, notice
from effviz.ui.widgets.tables import Column, Pick, Table, count_columns, show_table, unpick
from effviz.ui.widgets.ways import architectures_link, studio_link

POOL = "All networks"
"""Name of the calculation without which the page shows nothing."""
POOL_WORDS = (
    "Every network of the zoo is being counted at all widths and resolutions. This takes some seconds, once per server."
)
ROWS = 50
"""Networks in the table and in the drop-down of the selected one."""
_CHECKED = 10
KEY = "network"
_MOST_NEAR = 60


def search(choice: Choice, convention: Convention) -> Found | None:
    """Return the networks that fit; None while they are being counted, once for each assumption in a process."""
    pool = calculated(POOL, finder.candidates, convention.memory, None, None, None, choice.retrained)
    if pool is None:
        return None
    known: Known = {}
    if "latency" in choice.limits:
        known = latencies(convention.memory, choice.retrained, settings.RECORDED.value)
    return _found(choice, convention.memory, frozenset(known.items()))


@remembered
def latencies(memory: str, retrained: bool, file: str | None) -> Known:
    """Return the recorded latencies of all networks in ms, from the file of this setting."""
    pool = finder.candidates(memory, None, None, None, retrained)
    known = ((each, recorded_ms(each)) for each in pool)
    return {each: milliseconds for each, milliseconds in known if milliseconds is not None}


@remembered
def _found(choice: Choice, memory: str, known: frozenset[tuple[Candidate, float]]) -> Found:
    pool = finder.candidates(memory, None, None, None, choice.retrained)
    return finder.search(pool, choice.budgets, choice.dtype, dict(known))


def wait() -> None:
    """Keep the settings of the results while the networks are being counted."""
    links.idle(parts.KEY, KEY)


def chosen_network(found: Found) -> Candidate | None:
    """Show the drop-down of the selected network, and return it: at first the best one."""
    rows = {each.label: each for each in found.fits[:ROWS]}
    if not rows:
        links.idle(KEY)
        return None
    label = inputs.following(
        "Selected network", list(rows), KEY, default=next(iter(rows)), on_change=unpick(KEY),
        help=f"The best {ROWS} of those that fit. A row of the table, or a mark of the chart, selects it too.",
    )  # fmt: skip
    return rows[label]


# --- headline --------------------------------------------------------------------------------------------------------


def headline(choice: Choice, found: Found, each: Candidate | None, convention: Convention) -> None:
    """Show how many networks fit, and the selected one with its costs as shares of the limits."""
    known = sum(each.top1 is not None for each in found.fits)
    ranked = f"{found.tried:,} networks were counted. {finder.RANKING}"
    cards = [Card("Networks that fit", f"{len(found.fits):,}", ranked, f"{known:,} with a published top-1")]
    if each is not None:
        top1 = "none" if each.top1 is None else f"{each.top1:.1f}"
        cards.append(Card(
            "Published top-1", top1, each.source or "No accuracy is published for this width and resolution.",
            each.short, unit="" if each.top1 is None else "%",
        ))  # fmt: skip
        below = {
            quantity: f"{format_share(each.value(quantity, choice.dtype) / limit)} of the limit"
            for quantity, limit in choice.limits.items() if quantity != "latency"
        }  # fmt: skip
        if "params" not in below and "weight_size" in below:
            below["params"] = f"weights {below['weight_size']}"
        # A limit in bytes is compared with bytes.
        shown = replace(convention, unit=choice.dtype) if "peak_activation" in choice.limits else convention
        cards += [
            replace(count_card(shown, quantity, getattr(each, quantity), below=below.get(quantity, "")), aside="")
            for quantity in ("macs", "params", "peak_activation")
        ]
    show_cards(cards)


def binding(choice: Choice, found: Found, convention: Convention) -> None:
    """Explain the binding limit in one line."""
    if found.fits or not found.strictest:
        text = finder_words.explained(found, choice.budgets, choice.dtype, _written(convention))
    else:
        text = finder_words.most_excluding(found, choice.budgets, _written(convention))
    notice(text.replace(QUANTITIES["macs"].title.lower(), lower(convention.compute_label)), "status")


def _written(convention: Convention) -> Callable[[float, str], str]:
    def written(value: float, quantity: str) -> str:
        return format_amount(convention.compute(int(value)) if quantity == "macs" else value, quantity)

    return written


# --- chart -----------------------------------------------------------------------------------------------------------


def chart(choice: Choice, found: Found, each: Candidate | None, convention: Convention) -> None:
    """Show published top-1 against the limiting quantity."""
    drawn = _chart(choice, found, "" if each is None else each.label, convention, look())
    note = (
        "Top-1 as published for exactly this width and resolution; papers use different training recipes. "
        "Filled: on the Pareto front. Pale: only the dotted limit excludes it.\n" + finder.RANKING
    )

    def select(mark: Click) -> None:
        label = (mark.detail or [""])[0]
        if label in {row.label for row in found.fits[:ROWS]}:
            links.assign(KEY, label)

    show_chart(drawn, "found", note=note, on_click=select)


@remembered
def _chart(choice: Choice, found: Found, selected: str, convention: Convention, look: Appearance) -> Chart:
    axis, dtype = found.axis, choice.dtype
    factor = convention.factor(axis) if axis == "macs" else 1
    published = [each for each in found.fits if each.top1 is not None]
    near = [each for each in found.near.get(axis, ()) if each.top1 is not None]
    limit = choice.limits.get(axis)
    beyond = 8 * limit if limit else 0

    def marks(rows: list[Candidate]) -> list[PublishedMark]:
        return [
            PublishedMark(
                each.label, value, each.top1 or 0, f"{_shown(axis, value)}<br>{html_text(each.source[:60])}", each.short
            )
            for each in rows
            for value in (factor * each.value(axis, dtype),)
        ]

    return found_chart(
        FoundNetworks(
            marks([each for each in published if each not in found.front]),
            marks([each for each in published if each in found.front]),
            marks([each for each in near if each.value(axis, dtype) <= beyond][:_MOST_NEAR]),
            [factor * each.value(axis, dtype) for each in found.fits if each.top1 is None],
            published[0].label if published else "",
            len(found.fits),
            factor * limit if limit else None,
            _shown(axis, factor * limit) if limit else "",
        ),
        _axis_label(axis, dtype, convention), selected, look, in_bytes=QUANTITIES[axis].unit == "bytes",
    )  # fmt: skip


def _axis_label(axis: str, dtype: str, convention: Convention) -> str:
    if axis == "macs":
        return convention.compute_label
    unit = f"{dtype} bytes" if QUANTITIES[axis].unit == "bytes" else QUANTITIES[axis].unit
    return f"{QUANTITIES[axis].title}{f' ({unit})' if unit else ''}"


def _shown(axis: str, value: float) -> str:
    return short_binary(value) if QUANTITIES[axis].unit == "bytes" else short(value)


# --- the selected network, and the table -----------------------------------------------------------------------------


def open_in(each: Candidate | None) -> None:
    """Show links that open the selected network in Architectures and in the studio."""
    if each is None:
        return
    with st.container(horizontal=True, gap="small", key="ways", vertical_alignment="center"):
        architectures_link(each.name, each.groups, each.width, each.depth, each.resolution)
        studio_link(each.design)


def _table(rows: tuple[Candidate, ...], found: Found, choice: Choice, convention: Convention) -> Table:
    columns: list[Column] = [
        Column("Network", "label", width=230),
        Column("Published top-1 (%)", "top1", "%.1f"),
        *count_columns(convention, ("macs", "params", "memory_access")),
        Column(f"Peak ({choice.dtype} bytes)", lambda each: each.value("peak_activation", choice.dtype)),
        Column(f"Weights ({choice.dtype} bytes)", lambda each: each.value("weight_size", choice.dtype)),
        Column("On the front", lambda each: "yes" if each in found.front else ""),
        Column("Source of top-1", "source", width="large"),
    ]
    return Table(rows, columns, f"The best {len(rows)} of {len(found.fits):,} networks that fit, with their costs")


def table(choice: Choice, found: Found, convention: Convention) -> None:
    """Show the best networks that fit; a selected row selects the network."""
    rows = found.fits[:ROWS]
    pick = Pick(KEY, tuple(each.label for each in rows), (choice, convention.memory))
    show_table(_table(rows, found, choice, convention), key="networks", height=380, pick=pick)
    more = f" The first {ROWS} of {len(found.fits):,}; the download has all." if len(found.fits) > ROWS else ""
    st.caption(f"{finder.RANKING}{more}")


def files(choice: Choice, found: Found, convention: Convention) -> None:
    """Show the download of all networks that fit."""
    limits = ", ".join(f"{QUANTITIES[name].title} {format_amount(each, name)}" for name, each in choice.limits.items())
    note = f"Limits: {limits or 'none'}; sizes in bytes are {choice.dtype}. {convention.text}"
    downloads(csv_file("Networks", lambda: _table(found.fits, found, choice, convention), "effviz-find", note))


def _title(quantity: str, convention: Convention) -> str:
    return convention.compute_label if quantity == "macs" else QUANTITIES[quantity].title


def check(choice: Choice, found: Found, convention: Convention) -> None:
    """Check the first networks again in another way, and show the verdicts."""
    rows = found.fits[:_CHECKED]
    counted = tuple(each for each in choice.budgets if each.quantity != "latency")
    if not rows or not counted:
        st.markdown("Nothing to check: no limit is set on a count, or no network fits.")
        return
    verdicts = finder.rechecked(rows, counted, choice.dtype, convention.memory)
    written = _written(convention)

    def cell(place: int) -> Callable[[Any], Any]:
        return lambda row: f"{written(row[1][place].value, counted[place].quantity)}"

    columns = [
        Column("Network", lambda row: row[0].label, width=230),
        *(
            Column(
                convention.compute_label if each.quantity == "macs" else QUANTITIES[each.quantity].title, cell(place)
            )
            for place, each in enumerate(counted)
        ),
        Column("Verdict", lambda row: "fits" if all(each.passed for each in row[1]) else "over"),
    ]
    listed = list(zip(rows, verdicts, strict=True))
    show_table(
        Table(listed, columns, f"{len(listed)} networks, built again and checked against the limits"), height=380
    )
    st.caption(
        "The search counts each network at all resolutions from one trace. Here each is built again, traced at its own "
        "resolution and checked by effviz.budgets.check."
    )
