"""Headline cards: one number each, with one difference to a named baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import orjson
import streamlit as st

import effviz
from effviz.core.caches import remembered
from effviz.core.units import binary, change
from effviz.count.report import Report
from effviz.model.design import Design
from effviz.ui import playing
from effviz.ui.convention import QUANTITIES, Convention
from effviz.ui.widgets.component import component

TITLED = "_titled"
"""Key of the name of the network or block on screen, see `frame.titled`."""
COUNTED = ("params", "macs", "memory_access", "peak_activation")
"""The four counted numbers of most pages; the fifth card is the latency."""


@dataclass(frozen=True)
class Card:
    """One headline number.

    Attributes:
        label: name of the number.
        text: the number, rounded for reading.
        unit: after the number, in small type.
        help: all digits of the number, and its definition, plain text.
        below: one short line: the difference to the baseline, or a note.
        against: the baseline of the difference; empty if `below` is a note.
        stale: whether the number belongs to an earlier setting and is shown dimmed.
        over: whether the number exceeds a limit; `below` says so too.
        aside: the same amount in another unit, small beside the number; empty for none.
        badge: a word about the origin of the number, in a frame beside the label; empty for none.
        named: whether `below` is needed to read the number, so that a phone shows it in every row.
        key: name of the card for a lesson, which can conceal it: ``"macs"``; empty for none.
    """

    label: str
    text: str
    help: str
    below: str
    against: str = ""
    stale: bool = False
    aside: str = ""
    unit: str = ""
    over: bool = False
    badge: str = ""
    named: bool = False
    key: str = ""


def show_cards(cards: Iterable[Card], key: str = "cards") -> None:
    """Show the headline numbers in one row; a second row on a page needs another `key`.

    Example:
        >>> show_cards([*report_cards(convention, report, baseline, against="unscaled"), live.card(reading)])
    """
    shown = [asdict(card) for card in cards if not playing.conceals(f"card_{card.key}")]
    if not shown:
        # A lesson's step conceals all of them.
        return
    row = component("cards", '<div class="cards"></div>')
    # The name beside the title comes with the numbers: a separate message would be sent with every move.
    titled = st.session_state.get(TITLED, "")
    row(key=key, data=orjson.dumps({"cards": shown, "titled": titled}))


def count_card(
    convention: Convention,
    quantity: str,
    value: int,
    baseline: int | None = None,
    *,
    against: str = "",
    below: str = "",
    note: str = "",
) -> Card:
    """Make the card of one counted number.

    Args:
        convention: of the page.
        quantity: a key of `QUANTITIES`.
        value: in the engine's unit.
        baseline: the same number of the baseline; None for a card without a difference.
        against: name of the baseline.
        below: the line where there is no difference.
        note: a sentence at the end of the help.
    """
    # A value in bytes carries its unit.
    unit = "elements" if QUANTITIES[quantity].unit == "memory" and convention.in_elements else ""
    help = f"{convention.exact(quantity, value)}\n\n{convention.help(quantity)} {note}".rstrip()
    if baseline is not None:
        below, against = change(value, baseline), against if value != baseline else ""
    else:
        against = ""
    aside = binary(convention.weight_bytes * value) if quantity == "params" else ""
    label, text = convention.label(quantity), convention.show(quantity, value)
    return Card(label, text, help, below, against, unit=unit, aside=aside, key=quantity)


def report_cards(
    convention: Convention,
    report: Report,
    baseline: Report | None = None,
    *,
    against: str = "",
    below: str | Mapping[str, str] = "",
    note: str = "",
    quantities: Iterable[str] = COUNTED,
) -> list[Card]:
    """Make the cards of a report's totals.

    Args:
        convention: of the page.
        report: of the network on screen.
        baseline: report of the named baseline; None for cards without a difference.
        against: name of the baseline.
        below: the line of cards without a difference, one for all or by quantity.
        note: a sentence at the end of every help, such as the full name of the baseline.
        quantities: keys of `QUANTITIES`, in order.

    Example:
        >>> report_cards(convention, report, reference if scaled else None, against="unscaled", below="as published")
    """
    return [
        count_card(
            convention,
            quantity,
            getattr(report, quantity),
            None if baseline is None else getattr(baseline, quantity),
            against=against,
            below=below if isinstance(below, str) else below.get(quantity, ""),
            note=note,
        )
        for quantity in quantities
    ]


@remembered
def cached_report(design: Design, memory: str) -> Report:
    """Analyze a network, or return the report of an earlier visitor, whose charts are cached with it.

    Raises:
        DesignError: the network cannot be built.
    """
    return effviz.analyze(design, memory=memory)
