"""The space: its size, the share within the budget, and the mean cost of each choice."""

from __future__ import annotations

from effviz.charts.search import ChoiceBar, Cut, choice_chart, share_chart
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import exact
from effviz.studies.search.space import BASE, CHOICES
from effviz.studies.search.summary import LARGEST_BUDGET, SpaceFacts, space_facts
from effviz.ui.convention import Convention
from effviz.ui.page_parts.search.controls import SPACE, Choice
from effviz.ui.page_parts.search.ranking import bounds_text, share_text
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.charts import chart_row
from effviz.ui.widgets.frame import look, notice
from effviz.ui.widgets.tables import Column, Table, show_table

_POINTS = 100


def space_part(choice: Choice, convention: Convention) -> None:
    """Show the share within the budget, and the mean cost of each choice."""
    facts = calculated("The space", space_facts, SPACE)
    if facts is None:
        return
    notice(_what(facts, choice, convention))
    chart_row({
        "share": _share(choice.budget, convention.count, look()),
        "choices": _choices(convention.count, look()),
    })  # fmt: skip
    table = _table(facts, convention)
    show_table(table, fold=f"Mean cost of {len(table.rows)} choices", key="choice_table")


def _what(facts: SpaceFacts, choice: Choice, convention: Convention) -> str:
    values = "; ".join(
        f"{CHOICES[name].lower().replace('se ratio', 'SE ratio')} {', '.join(f'{each:g}' for each in allowed)}"
        for name, allowed in SPACE.values.items()
    )
    low, high = facts.distribution.share(choice.budget).bounds
    return (
        f"Each of {len(BASE)} stages of MBConv blocks chooses on its own: {values}. That makes {exact(SPACE.size)} "
        f"networks, all counted at {SPACE.resolution} px. Budget: {bounds_text(low, high)}"
    )


@remembered
def _share(budget: int, count: str, look: Appearance) -> Chart:
    convention, spread = Convention(count), space_facts(SPACE).distribution
    amounts = [LARGEST_BUDGET * place // _POINTS for place in range(1, _POINTS + 1)]
    points = [(0, 0.0)] + [(convention.compute(each), sum(spread.share(each).bounds) / 2) for each in amounts]
    low, high = spread.share(budget).bounds
    cut = Cut(convention.compute(budget), (low + high) / 2, share_text(low, high))
    return share_chart(points, cut, convention.compute_label, look)


@remembered
def _choices(count: str, look: Appearance) -> Chart:
    convention, facts = Convention(count), space_facts(SPACE)
    bars = [
        ChoiceBar(CHOICES[each.choice], f"{each.value:g}", float(each.macs) * convention.compute(1))
        for each in facts.costs
    ]
    return choice_chart(bars, float(facts.mean[1]) * convention.compute(1), convention.compute_label, look)


def _table(facts: SpaceFacts, convention: Convention) -> Table:
    factor = convention.compute(1)
    columns = [
        Column("Choice", lambda each: CHOICES[each.choice]),
        Column("Value in every stage", lambda each: f"{each.value:g}"),
        Column(f"Mean {convention.compute_label.lower() if factor == 1 else 'FLOPs'}",
               lambda each: round(each.macs * factor)),
        Column("Mean parameters", lambda each: round(each.params)),
        Column("Of the space's mean (%)", lambda each: 100 * float(each.macs / facts.mean[1]), "%.1f"),
    ]  # fmt: skip
    return Table(facts.costs, columns, f"Exact mean cost of the networks with each of {len(facts.costs)} choices")
