"""Controls and headline numbers of the page Published figures."""

from __future__ import annotations

import streamlit as st

from effviz.charts.literature import verdict_bars, verdict_colors, verdict_errors
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import exact, percent
from effviz.studies.literature.claims import QUANTITIES
from effviz.studies.literature.judge import OPEN, OTHER, RIGHT, SHORT, UNBUILT, UNEXPLAINED, VERDICTS, WRONG
from effviz.studies.literature.selection import GROUPINGS, Filter, Summary, chosen, documents, errors, grouped, summary
from effviz.ui import inputs, links
from effviz.ui.page_parts.literature.claims import ALL_FIGURES
from effviz.ui.widgets.cards import Card
from effviz.ui.widgets.charts import Click
from effviz.ui.widgets.parts import KEY

_ALL = "All"
_MEANINGS = {
    RIGHT: "The exact count, rounded, has the printed digits; top-1 is as the authors print it; a latency is as "
    "another source prints it for the device.",
    SHORT: "The exact count is cut off instead of rounded, or rounded to fewer digits than printed.",
    OTHER: "Another convention gives the printed digits, such as parameters without batch norm; top-1 of other "
    "weights; latency under other conditions.",
    UNEXPLAINED: "No rule of this page gives the printed digits. The source may count in a way that is not known.",
    WRONG: "A known misprint, or a figure that its own source or its origin contradicts.",
    UNBUILT: "The network, or this form of it, is not in the zoo.",
    OPEN: "Neither the authors nor another source print this figure.",
}


def controls() -> tuple[Filter, str]:
    """Show the filters and the grouping of the chart in one row; return both."""
    with st.container(horizontal=True, key="filters", gap="small"):
        words = inputs.words("Search", "network", placeholder="for example v3 small", width=240)
        source = inputs.choice("Source", [_ALL, *documents()], "source", default=_ALL, width=240)
        quantity, verdict = _key("Quantity", QUANTITIES), _key("Verdict", VERDICTS)
        grouping = inputs.switch("Group by", ["Difference", *GROUPINGS], "by", default="Difference")
    return Filter(words, "" if source == _ALL else source, quantity, verdict), grouping


def _key(label: str, names: dict[str, str]) -> str:
    """Show a drop-down of names, and return the key of the chosen one; empty for all."""
    chosen = inputs.choice(label, [_ALL, *names.values()], label.lower(), default=_ALL, width=180)
    return next((key for key, name in names.items() if name == chosen), "")


@remembered
def found(by: Filter) -> Summary:
    """Count the claims of a filter."""
    return summary(chosen(by))


@remembered
def cards(by: Filter) -> list[Card]:
    """Make the headline cards: verdicts on compared claims, and the rest."""
    counted = found(by)
    right, other, short = (
        Card(
            VERDICTS[verdict], exact(counted.counts[verdict]), _MEANINGS[verdict],
            f"{percent(counted.counts[verdict] / counted.compared)} of those compared" if counted.compared else "",
        )
        for verdict in (RIGHT, OTHER, SHORT)
    )  # fmt: skip
    wrong = _both("Unexplained or wrong", counted, WRONG, UNEXPLAINED, "wrong")
    return [right, wrong, other, short, _both("Not compared", counted, UNBUILT, OPEN, "not built here")]


def _both(title: str, counted: Summary, first: str, second: str, words: str) -> Card:
    """Make the card of two verdicts; the number of the first one is shown too."""
    counts = counted.counts
    help = "\n\n".join(f"{VERDICTS[each]}: {exact(counts[each])}. {_MEANINGS[each]}" for each in (first, second))
    return Card(title, exact(counts[first] + counts[second]), help, f"{exact(counts[first])} {words}")


@remembered
def chart(by: Filter, grouping: str, look: Appearance) -> Chart:
    """Draw the claims of a filter by verdict."""
    if grouping not in GROUPINGS:
        return verdict_errors(errors(by), found(by), look)
    return verdict_bars(grouped(by, grouping), grouping, found(by), look)


def show_bar(grouping: str, mark: Click) -> None:
    """List the figures of the mark that was clicked: choose its verdict, and its source or quantity."""
    verdict = next(iter(mark.detail or ()), None)
    if verdict not in VERDICTS:
        return
    links.assign("verdict", VERDICTS[verdict])
    if grouping == "Source" and mark.y in documents():
        links.assign("source", mark.y)
    elif grouping == "Quantity":
        links.assign("quantity", mark.y)
    links.assign(KEY, ALL_FIGURES)


def caption(grouping: str) -> str:
    """Return the note of the chart."""
    what = (
        "Bold: unexplained or wrong." if grouping in GROUPINGS else "Taller bars: more figures, on a logarithmic scale."
    )
    return f"{what} A click lists the figures."


def legend(grouping: str, look: Appearance) -> list[list[str]]:
    """Return the legend of the chart."""
    if grouping not in GROUPINGS:
        return []
    return [[VERDICTS[verdict], color] for verdict, color in verdict_colors(look).items()]
