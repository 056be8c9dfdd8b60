"""A sum as a waterfall: a count, the terms that are added to it, and the result."""

from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.sentences import listed
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.text import plotly_text
from effviz.core.units import change, exact, percent, short, si, snapped

_NAMED = 2
_MINUS = "\N{MINUS SIGN}"


class Addend(NamedTuple):
    """One term: its name, its value, and its formula."""

    label: str
    value: int
    formula: str


def signed(value: int) -> str:
    """Format a difference: ``+26,712,448``, ``−188,480``."""
    return f"{'+' if value >= 0 else _MINUS}{exact(abs(value))}"


def finding(ours: int, terms: Sequence[Addend], name: str) -> str:
    """Compare the sum with its first number: ``thop prints 8.9 % more: 8.9 % for batch norm``."""
    total = ours + sum(term.value for term in terms)
    if not terms:
        return f"{name} prints the same number as effviz"
    if not ours:
        return f"{name} prints {si(total)} where effviz counts 0"
    largest = sorted(terms, key=lambda term: -abs(term.value))
    reasons = [f"{_MINUS * (each.value < 0)}{percent(abs(each.value) / ours)} for {each.label}" for each in largest]
    large = sum(abs(each.value) >= ours / 1000 for each in largest)
    by = change(total, ours)
    more = f"{by[1:]} {'more' if total > ours else 'less'}" if by[0] in f"+{_MINUS}" else f"{by} as much"
    return f"{name} prints {more}: {listed(reasons[: min(max(1, large), _NAMED)])}"


def waterfall(ours: tuple[str, int], terms: Sequence[Addend], name: str, unit: str, look: Appearance) -> Chart:
    """Draw the first number, the terms from where the one before ends, and the sum.

    Args:
        ours: name and value of the first number.
        terms: in the order of the rules; negative ones go back.
        name: of the sum.
        unit: of the axis.
    """
    base, ends = [0], [ours[1]]
    for term in terms:
        base.append(ends[-1])
        ends.append(ends[-1] + term.value)
    total = ends[-1]
    names = [ours[0], *(term.label for term in terms), name]
    widths = [ours[1], *(term.value for term in terms), total]
    texts = [si(ours[1]), *(f"{'+' if term.value >= 0 else _MINUS}{si(abs(term.value))}" for term in terms), si(total)]
    notes = [exact(ours[1]), *(f"{signed(term.value)}<br>{plotly_text(term.formula)}" for term in terms), exact(total)]
    marker = {"color": [look.muted, *([look.accent] * len(terms)), look.ink]}
    places = [str(place) for place in range(len(names))]
    bars = draw.row_bars(
        places, widths, marker, [""] * len(names), base=[*base, 0], width=0.6, **draw.hover("%{customdata}", notes)
    )
    end = snapped(max(max(ends), 1))
    ends.append(total)
    labels = [
        draw.note(max(start, stop), place, text, look.ink, xanchor="left", xshift=6)
        for place, (start, stop, text) in enumerate(zip([*base, 0], ends, texts, strict=True))
    ]
    layout = {
        "margin": draw.margin(right=90),
        "annotations": labels,
        "xaxis": draw.axis(unit, range=[0, end], showgrid=True) | draw.ticks([0, end / 2, end], short),
        "yaxis": draw.ROWS
        | {"type": "category"}
        | {"tickvals": list(range(len(names))), "ticktext": [_in_lines(plotly_text(each)) for each in names]},
    }
    spoken = [f"{each} {text}" for each, text in zip(names, texts, strict=True)]
    height = 70 + 40 * len(names)
    return chart(look, height, [bars], layout, finding(ours[1], terms, name), ", ".join(spoken))


def _in_lines(name: str, most: int = 22) -> str:
    """Break a long name at the space next to its middle: on a phone it would take half of the chart."""
    if len(name) <= most:
        return name
    spaces = [place for place, letter in enumerate(name) if letter == " "]
    middle = min(spaces, key=lambda place: abs(place - len(name) / 2), default=0)
    return f"{name[:middle]}<br>{name[middle + 1 :]}" if middle else name
