"""Controls and headline numbers of the page Published figures."""

from __future__ import annotations

from collections.abc import Callable

from effviz.charts.literature import verdict_bars, verdict_colors
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import exact, percent
from effviz.studies.literature.claims import QUANTITIES
from effviz.studies.literature.judge import OPEN, OTHER, RIGHT, SHORT, UNBUILT, VERDICTS, WRONG
from effviz.studies.literature.selection import COMPARED, Filter, Summary, chosen, documents, grouped, summary
from effviz.ui import inputs, links
from effviz.ui.widgets.cards import Card
from effviz.ui.widgets.charts import Click

_ALL = "All"
_MEANINGS = {
    RIGHT: "The exact count, rounded, has the printed digits; top-1 is as the authors print it; a latency is as "
    "another source prints it for the device.",
    SHORT: "The exact count is cut off instead of rounded, or rounded to fewer digits than printed.",
    OTHER: "Another convention gives the printed digits, such as parameters without batch norm; top-1 of other "
    "weights; latency under other conditions.",
    WRONG: "No convention gives the printed digits.",
    UNBUILT: "The network, or this form of it, is not in the zoo.",
    OPEN: "Neither the authors nor another source print this figure.",
}


def controls() -> Filter:
    """Show the filters in the sidebar."""
    words = inputs.words("Search", "network", placeholder="for example v3 small")
    source = inputs.choice("Source", [_ALL, *documents()], "source", default=_ALL)
    quantity = inputs.choice("Quantity", ["", *QUANTITIES], "quantity", default="", format_func=_named(QUANTITIES))
    verdict = inputs.choice("Verdict", ["", *VERDICTS], "verdict", default="", format_func=_named(VERDICTS))
    return Filter(words, "" if source == _ALL else source, quantity, verdict)


def _named(names: dict[str, str]) -> Callable[[str], str]:
    return lambda key: names.get(key, _ALL)


@remembered
def found(by: Filter) -> Summary:
    """Count the claims of a filter."""
    return summary(chosen(by))


@remembered
def cards(by: Filter) -> list[Card]:
    """Make the headline cards: one for each verdict on compared claims, and the rest."""
    counted = found(by)
    rest = counted.counts[UNBUILT] + counted.counts[OPEN]
    made = [
        Card(
            VERDICTS[verdict], exact(counted.counts[verdict]), _MEANINGS[verdict],
            f"{percent(counted.counts[verdict] / counted.compared)} of those compared" if counted.compared else "",
        )
        for verdict in COMPARED
    ]  # fmt: skip
    help = "\n\n".join(
        f"{VERDICTS[verdict]}: {exact(counted.counts[verdict])}. {_MEANINGS[verdict]}" for verdict in (UNBUILT, OPEN)
    )
    return [*made, Card("Not compared", exact(rest), help, f"{exact(counted.counts[UNBUILT])} not built here")]


@remembered
def chart(by: Filter, grouping: str, look: Appearance) -> Chart:
    """Draw the claims of a filter by verdict."""
    return verdict_bars(grouped(by, grouping), grouping, found(by), look)


def legend(look: Appearance) -> list[list[str]]:
    """Return the legend of the chart."""
    return [[VERDICTS[verdict], color] for verdict, color in verdict_colors(look).items()]


def select(mark: Click) -> None:
    """Filter by the verdict of a bar."""
    if mark.detail:
        links.assign("verdict", VERDICTS[mark.detail[0]])
