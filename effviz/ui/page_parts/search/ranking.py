"""The objective: headline numbers, the chart, presets, and the ranked networks."""

from __future__ import annotations

import streamlit as st

from effviz.charts.search import objective_chart
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import NotKnownError, known, remembered
from effviz.core.units import exact, milliseconds
from effviz.studies.objective import Objective, Ranked, TimedNetwork, ranked
from effviz.studies.search.space import BASE
from effviz.studies.search.summary import space_facts
from effviz.ui.convention import Convention
from effviz.ui.page_parts.search.controls import PRESETS, SPACE, Choice, use_preset
from effviz.ui.page_parts.search.place import example, finished
from effviz.ui.widgets.cards import Card
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import look, notice
from effviz.ui.widgets.tables import Column, Table, show_table

_DASH = "\N{EN DASH}"
_TOP1, _LATENCY, _SPACE = "Top-1 of the best", "Its latency", "Networks in the space"
_EVALUATED = "Networks to evaluate"


def cards(choice: Choice, convention: Convention) -> list[Card]:
    """Make the headline numbers of the three views."""
    return [*_best(choice), _space(choice, convention), _front(choice)]


def _best(choice: Choice) -> list[Card]:
    order = choice.ranking
    if not order:
        return [Card(label, _DASH, "No latency is known.", "not measured") for label in (_TOP1, _LATENCY)]
    best = order[0].network
    accurate = max((each.network for each in order), key=lambda each: each.top1)
    help = f"{best.source}. The most accurate network has {accurate.top1:g} % in {milliseconds(accurate.latency_ms)}."
    return [
        Card(_TOP1, f"{best.top1:.1f} %", help, best.title),
        Card(_LATENCY, milliseconds(best.latency_ms), f"{best.title}, {choice.where}.",
             f"{best.latency_ms / choice.by.target_ms:.2f}× the target"),
    ]  # fmt: skip


def _space(choice: Choice, convention: Convention) -> Card:
    mantissa, _, power = f"{SPACE.size:.2e}".partition("e+")
    text, help = f"{mantissa} × 10{_raised(int(power))}", f"{exact(SPACE.size)} networks."
    try:
        low, high = known(space_facts, SPACE).distribution.share(choice.budget).bounds
    except NotKnownError:
        return Card(_SPACE, text, help, f"{len(BASE)} stages, {len(list(SPACE.options))} choices each")
    budget = convention.show_compute(choice.budget)
    return Card(_SPACE, text, f"{help} {bounds_text(low, high)}", f"{share_text(low, high)} within {budget}")


def _raised(value: int) -> str:
    return str(value).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def share_text(low: float, high: float) -> str:
    """Format the middle of two bounds of a share."""
    middle = 50 * (low + high)
    return f"{middle:.1f} %" if middle >= 1 else f"{middle:.2g} %"


def bounds_text(low: float, high: float) -> str:
    """Give the bounds of a share in a sentence."""
    return f"At least {100 * low:.4g} % and at most {100 * high:.4g} % of the networks, by exact counts."


def _front(choice: Choice) -> Card:
    own = finished(choice.task)
    found = own or example()
    if found is None:
        return Card(_EVALUATED, str(choice.task.trials), "The search starts in its part.", "not searched yet")
    return Card(
        "On the front", str(len(found.front)),
        f"{found.finished} networks evaluated, {found.within} within the budget.",
        f"of {found.finished} networks" if own else f"of {found.finished}, example search",
    )  # fmt: skip


@remembered
def chart(networks: tuple[TimedNetwork, ...], by: Objective, where: str, look: Appearance) -> Chart:
    """Draw the objective."""
    return objective_chart(ranked(networks, by), by, where, look)


def objective_part(choice: Choice) -> None:
    """Show the chart and the presets."""
    if not choice.networks:
        notice("No latency is measured on this machine yet. The page FLOPs are not latency measures the zoo.")
        return
    best, over = choice.ranking[0], choice.ranking[0].network.latency_ms / choice.by.target_ms
    allowed = (
        f"The best takes {over:.2f}× the target, which the soft constraint allows. " if over > 1 and best.value else ""
    )
    note = (
        f"{allowed}A network on the purple line would be as good as the best one. Dashed lines: values 3, 6 and 9 % "
        "lower. Gray: another network is at least as fast and as accurate.\nAccuracies are published ones. They come "
        "from different training recipes. Hollow markers: measured on a busy machine."
    )
    show_chart(chart(choice.networks, choice.by, choice.where, look()), "objective", note=note)
    with st.container(horizontal=True, gap="small", key="presets"):
        for name in PRESETS:
            st.button(name, key=f"preset_{name}", on_click=use_preset, args=(name,))
    table = ranking_table(choice.ranking)
    show_table(table, fold=f"Ranking: {len(table.rows)} networks", key="ranking")


def ranking_table(order: list[Ranked]) -> Table:
    """Return the networks in the order of the objective."""
    columns = [
        Column("Rank", "rank"),
        Column("Network", "network.title"),
        Column("Value (%)", "value", "%.2f"),
        Column("Published top-1 (%)", "network.top1", "%.1f"),
        Column("Latency (ms)", "network.latency_ms"),
        Column("Source", "network.source", width="large"),
    ]
    return Table(order, columns, f"{len(order)} networks in the order of the objective")
