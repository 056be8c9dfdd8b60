"""The count of effviz, the terms that another counter adds to it, and the number that it prints."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.sentences import listed, times
from effviz.charts.style import Appearance, Chart, chart
from effviz.charts.ticks import round_axis
from effviz.charts.waterfall import MINUS, Bar, sign, waterfall
from effviz.core.arguments import check_border
from effviz.core.units import change, exact, percent, si

_NAMED = 2


class Addend(NamedTuple):
    """One term: its name, its value, and its formula."""

    label: str
    value: int
    formula: str


def signed(value: int) -> str:
    """Format a difference: ``+26,712,448``, ``−188,480``."""
    return f"{'+' if value >= 0 else MINUS}{exact(abs(value))}"


def finding(ours: int, terms: Sequence[Addend], name: str) -> str:
    """Compare the sum with its first number: ``thop prints 8.9 % more: 8.9 % for batch norm``."""
    total = ours + sum(term.value for term in terms)
    if not terms:
        return f"{name} prints the same number as effviz"
    if not ours:
        return f"{name} prints {si(total)} where effviz counts 0"
    largest = sorted(terms, key=lambda term: -abs(term.value))
    reasons = [f"{MINUS * (each.value < 0)}{percent(abs(each.value) / ours)} for {each.label}" for each in largest]
    large = sum(abs(each.value) >= ours / 1000 for each in largest)
    by = times(total / ours) if total >= 1.995 * ours else change(total, ours)
    more = f"{by[1:]} {'more' if total > ours else 'less'}" if by[0] in f"+{MINUS}" else f"{by} as much"
    return f"{name} prints {more}: {listed(reasons[: min(max(1, large), _NAMED)])}"


def counted_chart(ours: tuple[str, int], terms: Sequence[Addend], name: str, unit: str, look: Appearance) -> Chart:
    """Draw the number of effviz, the terms, and the number of the counter as a waterfall.

    Args:
        ours: name and value of the first number.
        terms: in the order of the rules.
        name: of the counter's number.
        unit: of the axis.
        look: the colors.
    """
    sums = list(accumulate((term.value for term in terms), initial=ours[1]))
    first, last = (Bar(label, value, si(value), (exact(value),)) for label, value in (ours, (name, sums[-1])))
    moves = [
        Bar(each.label, each.value, f"{sign(each.value)}{si(abs(each.value))}", (signed(each.value), each.formula))
        for each in terms
    ]
    trace, rows, texts = waterfall(first, moves, last, look)
    layout = {
        "margin": draw.margin(right=90),
        "xaxis": draw.axis(unit, showgrid=True) | round_axis(max(*sums, 1), 3),
        "yaxis": rows,
        "annotations": texts,
    }
    spoken = ", ".join(f"{each.label} {each.text}" for each in (first, *moves, last))
    return chart(look, 110 + 40 * len(moves) + 40, [trace], layout, finding(ours[1], terms, name), spoken)


check_border(globals())
