"""Chart of the page that finds networks: published top-1 against the limiting quantity."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.names import Mark, Segment, named
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.charts.ticks import log_values
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text
from effviz.core.units import short, short_binary

_RUG = 90  # at most so many marks
_AREA = 850.0, 305.0
"""Width and height in pixels of the plot of a chart of usual width."""
_FLOOR, _BELOW = 0.06, 0.08  # of the height, for the rug and for the text below it


class PublishedMark(NamedTuple):
    """A network with a published top-1."""

    label: str  # network, width and resolution
    value: int  # of the limiting quantity
    top1: float  # in per cent
    text: str  # its value and source
    name: str = ""  # beside the mark, on the front


class FoundNetworks(NamedTuple):
    """Results of a search, for the chart.

    Attributes:
        fits: published networks within the limits, not on the front.
        front: those on the Pareto front.
        near: those that only the limit of the axis excludes.
        rest: values of the networks that fit and have no published top-1.
        best: name of the network with the highest published top-1; empty without one.
        total: number of networks that fit.
        limit: of the axis; None without one.
        limit_text: its text.
    """

    fits: Sequence[PublishedMark]
    front: Sequence[PublishedMark]
    near: Sequence[PublishedMark]
    rest: Sequence[int]
    best: str
    total: int
    limit: float | None
    limit_text: str


def found_chart(found: FoundNetworks, label: str, chosen: str, look: Appearance, *, in_bytes: bool = False) -> Chart:
    """Draw published top-1 against a quantity, with the Pareto front, the limit and what it alone excludes.

    Networks without a published top-1 are marks below the axis of accuracies: no value is guessed.

    Args:
        found: the networks.
        label: of the quantity, with its unit.
        chosen: label of the selected network, in the accent colour.
        in_bytes: whether the quantity is in bytes.
    """
    marks = [*found.fits, *found.front, *found.near]
    values = [*(each.value for each in marks), *found.rest, *([found.limit] if found.limit else [])]
    span = math.log10(min(values, default=1)) - 0.08, math.log10(max(values, default=10)) + 0.08
    low = 5 * math.floor((min((each.top1 for each in marks), default=50) - 1) / 5)
    high = 5 * math.ceil((max((each.top1 for each in marks), default=80) + 0.5) / 5)
    floor = low - (high - low) * _FLOOR
    bottom = floor - (high - low) * _BELOW
    traces: list[Spec] = []
    pale = draw.mixed(look.grid, look.muted, 0.45)
    front = sorted(found.front, key=lambda each: (each.value, each.top1))
    if front:
        edge = [*(each.value for each in front), min(10 ** span[1], found.limit or math.inf)]
        traces.append(
            draw.line(
                edge, [*(each.top1 for each in front), front[-1].top1], look.muted, 1.5, shape="hv", showlegend=False
            )
        )
    traces += [
        _marks("Over this limit only", found.near, draw.outlined(pale, 8, "circle-open", 1.5)),
        _marks("Fits", found.fits, draw.outlined(look.muted, 8, "circle-open", 1.5)),
        _marks("Pareto front", front, draw.outlined(look.ink, 9, "circle", 1.5)),
        _marks("Selected", [each for each in marks if each.label == chosen], draw.outlined(
            look.accent, 16, "circle-open", 3)),
        _rug(found.rest, (low + floor) / 2, look),
    ]  # fmt: skip
    traces = [trace for trace in traces if trace["x"]]
    ends = bottom, float(high)
    notes = _names(front, [each for each in marks if each not in front], chosen, span, ends, look)
    if found.rest:
        text = f"{_networks(len(found.rest))} without a published top-1"
        notes.append(draw.note(0.01, floor, text, look.muted, 13, xref="paper", xanchor="left", yanchor="top"))
    shapes = []
    if found.limit:
        # It ends above the text below the rug.
        line = draw.rule(look.accent, 1.5, "dot", x=found.limit, layer="below")
        shapes.append(line | {"y0": (floor - bottom) / (high - bottom)})
        notes.append(_limit_name(math.log10(found.limit), found.limit_text, span, look))
    written, ticks = short_binary if in_bytes else short, log_values(*span, in_bytes=in_bytes)
    layout = draw.legend(y=1.08) | {
        "meta": {"clear": True},
        "annotations": notes,
        "shapes": shapes,
        "hoverlabel": {"align": "left"},
        "xaxis": draw.log_axis(span, ticks, label, written, showgrid=True),
        "yaxis": draw.axis("Published top-1 (%)", range=[bottom, high], tickvals=list(
            range(low, high + 1, 5))),
    }  # fmt: skip
    spoken = "; ".join(f"{each.label}: {each.top1:g} %, {each.text.partition('<br>')[0]}" for each in front[-8:])
    return chart(look, 420, traces, layout, _title(found), spoken and f"On the front: {spoken}")


def _marks(name: str, marks: Sequence[PublishedMark], marker: Spec) -> Spec:
    rows = [[each.label, each.top1, each.text] for each in marks]
    return draw.dots(
        [each.value for each in marks], [each.top1 for each in marks], marker, name=name,
        **draw.hover("<b>%{customdata[0]}</b><br>Published top-1 %{customdata[1]} %<br>%{customdata[2]}", rows),
    )  # fmt: skip


def _limit_name(at: float, text: str, span: tuple[float, float], look: Appearance) -> Spec:
    """Name the limit at its upper end, on the side with more room."""
    side = "right" if at > sum(span) / 2 else "left"
    return draw.note(at, 1, f"limit {text}", look.accent, 13, yref="paper", yanchor="bottom", xanchor=side)


def _names(
    front: Sequence[PublishedMark], others: Sequence[PublishedMark], chosen: str, span: tuple[float, float],
    ends: tuple[float, float], look: Appearance,
) -> list[Spec]:  # fmt: skip
    """Name the selected network, and as far as there is room those on the front, the most accurate first."""
    offered = [*front, *(each for each in others if each.label == chosen)]
    ordered = sorted(offered, key=lambda each: (each.label != chosen, -each.top1))

    def mark(each: PublishedMark, name: str, *, own: bool = False) -> Mark:
        x = _AREA[0] * (math.log10(each.value) - span[0]) / (span[1] - span[0])
        y = _AREA[1] * (each.top1 - ends[0]) / (ends[1] - ends[0])
        return Mark(x, y, 10 if own else 6, name, 14 if own else 12, needed=own)

    marks = [mark(each, each.name, own=each.label == chosen) for each in ordered]
    steps = sorted(mark(each, "") for each in front)
    lines: list[Segment] = []
    for one, two in itertools.pairwise(steps):
        lines += [(one.x, one.y, two.x, one.y), (two.x, one.y, two.x, two.y)]
    places = named([*marks, *(mark(each, "") for each in others if each not in offered)], _AREA, lines=lines)
    notes = [
        draw.note(math.log10(each.value), each.top1, plotly_text(each.name), look.accent if own else look.muted,
                  14 if own else 12, **place)
        for each, place in zip(ordered, places, strict=False) if place for own in (each.label == chosen,)
    ]  # fmt: skip
    # The browser hides the earlier of two labels that overlap.
    return notes[::-1]


def _rug(values: Sequence[int], height: float, look: Appearance) -> Spec:
    """Build a mark for each value, or for each narrow range of them if there are many."""
    low, high = (math.log10(min(values)), math.log10(max(values))) if values else (0.0, 0.0)
    step = (high - low) / _RUG or 1.0
    counts: dict[int, list[int]] = {}
    for value in values:
        counts.setdefault(round((math.log10(value) - low) / step), []).append(value)
    middle = [math.sqrt(min(each) * max(each)) for each in counts.values()]
    marker = {"symbol": "line-ns", "size": 12, "line": {"color": look.muted, "width": 1.5}}
    text = "%{customdata[0]} without a published top-1"
    rows = [[_networks(len(each))] for each in counts.values()]
    return draw.dots(middle, [height] * len(middle), marker, showlegend=False, **draw.hover(text, rows))


def _networks(count: int) -> str:
    return f"{count:,} network{'' if count == 1 else 's'}"


def _title(found: FoundNetworks) -> str:
    if not found.total:
        return "No network fits these limits"
    if not found.best:
        if found.total == 1:
            return "The only network that fits has no published top-1"
        return f"None of the {_networks(found.total)} that fit has a published top-1"
    if found.total == 1:
        return f"{found.best} is the only network that fits"
    known = found.total - len(found.rest)
    if known == found.total:
        return f"{found.best} has the highest published top-1 of the {found.total:,} networks that fit"
    if known == 1:
        return f"{found.best} is the only one of the {found.total:,} networks that fit with a published top-1"
    return f"{found.best} has the highest published top-1 of the {known:,} fitting networks that have one"


check_border(globals())
