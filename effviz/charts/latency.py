"""Charts of the Latency page: latency against a count, and how well each count predicts it."""

import math
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.names import Mark, Segment, named
from effviz.charts.sentences import plural
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.charts.ticks import log_values
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text
from effviz.core.units import milliseconds, short, si
from effviz.studies.prediction import PREDICTORS, Inversion, Row, inversions, predictors

Span = tuple[float, float]
_AREA = 850.0, 380.0
"""Width and height in pixels of the plot of a chart of usual width."""


class MeasuredPoint(NamedTuple):
    """A measured network as it is drawn."""

    title: str
    family: str
    amount: int  # the count in the unit shown
    time: float  # in milliseconds
    noisy: bool

    @property
    def speed(self) -> float:
        """Count per second."""
        return self.amount / self.time * 1e3


def latency_scatter(
    rows: Sequence[Row], column: str, factor: int, label: str, where: str, look: Appearance,
    highlight: Collection[str] = (), span: Span | None = None,
) -> Chart:  # fmt: skip
    """Draw a log-log scatter of latency over one count, with lines of equal speed.

    Args:
        rows: title, family, latency_ms, noisy and the count of each network; at least one.
        column: one of `PREDICTORS`.
        factor: from the column's unit to the one shown.
        label: of that unit.
        where: the machine, for the title.
        highlight: titles to mark. If they are the most striking pair in the wrong order, the title compares them.
        span: smallest and largest count on the axis; None for those of the rows.
    """
    points = [
        MeasuredPoint(each["title"], each["family"], each[column] * factor, each["latency_ms"], each["noisy"])
        for each in rows
    ]
    counts, times = [each.amount for each in points], [each.time for each in points]
    low, high = (min(counts), max(counts)) if span is None else (span[0] * factor, span[1] * factor)
    x_range = (math.log10(low) - 0.1, math.log10(high) + 0.1)
    y_range = _steady(min(times), max(times))
    speeds = [each.speed for each in points]
    traces, notes = _isolines(x_range, y_range, (min(speeds), max(speeds)), look)
    traces.append(_points(points, label, highlight, look))
    pair = _marked_pair(rows, column, highlight)
    layout: Spec = {
        "meta": {"clear": True},
        "annotations": [*notes, *_names(points, highlight, (x_range, y_range), look, pair)],
        "margin": draw.margin(right=8 + 7 * max((len(each["text"]) for each in notes), default=0), top=20),
        "shapes": [_link([each for each in points if each.title in highlight], look)] if pair else [],
        "xaxis": draw.log_axis(x_range, _ticks(x_range), label, _tick_text(short), showgrid=True),
        "yaxis": draw.log_axis(y_range, _ticks(y_range), "Latency (ms)", _tick_text("{:g}".format), showgrid=True),
    }
    spoken = "; ".join(f"{each.title}: {si(each.amount)}, {milliseconds(each.time)}" for each in points)
    found = finding(rows, column, factor, where)
    title = inversion_text(pair, _name(column, factor)) if pair else found
    return chart(look, 440, traces, layout, title, found if pair else "", f"{label} and latency: {spoken}")


def _marked_pair(rows: Sequence[Row], column: str, highlight: Collection[str]) -> Inversion | None:
    """Return the most striking pair in the wrong order, if it is what the chart marks."""
    pairs = inversions(rows) if column == "macs" and len(highlight) == 2 and len(rows) > 2 else []
    return pairs[0] if pairs and set(highlight) == {pairs[0].heavy, pairs[0].light} else None


def _link(ends: Sequence[MeasuredPoint], look: Appearance) -> Spec:
    """Connect the points of a pair."""
    (_, _, x0, y0, _), (_, _, x1, y1, _) = ends
    return draw.segment(x0, y0, x1, y1, look.accent, 2, layer="below")


def _points(points: Sequence[MeasuredPoint], label: str, highlight: Collection[str], look: Appearance) -> Spec:
    colors = [look.accent if each.title in highlight else look.ink for each in points]
    sizes = [13 if each.title in highlight else 9 for each in points]
    symbols = ["circle-open" if each.noisy else "circle" for each in points]
    hover = draw.hover(
        f"%{{customdata[0]}} (%{{customdata[5]}})<br>{label}: %{{customdata[1]}}<br>"
        "%{customdata[2]}%{customdata[4]}, %{customdata[3]} per second",
        [[plotly_text(each.title), si(each.amount), milliseconds(each.time), si(each.speed),
          " (noisy)" if each.noisy else "", plotly_text(each.family)] for each in points],
    )  # fmt: skip
    _, _, amounts, times, _ = zip(*points, strict=True)
    return draw.dots(amounts, times, draw.outlined(colors, sizes, symbols, 1.5), showlegend=False, **hover)


def _names(
    points: Sequence[MeasuredPoint], highlight: Collection[str], ranges: tuple[Span, Span], look: Appearance,
    pair: Inversion | None,
) -> list[Spec]:  # fmt: skip
    """Name the networks at the corners of the cloud, where no name covers another one.

    The marked ones come first. The browser hides the earlier of two labels that overlap, so these are at the end.
    """
    corners = _corners(points)
    corners |= _corners([each for each in points if each.title not in corners])
    ordered = sorted(points, key=lambda each: (each.title not in highlight, each.title not in corners))
    marks = [
        Mark(*_place(each, ranges), 8 if own else 6, each.title if own or each.title in corners else "",
             14 if own else 12, needed=own)
        for each in ordered for own in (each.title in highlight,)
    ]  # fmt: skip
    link: list[Segment] = [(marks[0].x, marks[0].y, marks[1].x, marks[1].y)] if pair else []
    others: list[Spec] = []
    marked: list[Spec] = []
    for point, place in zip(ordered, named(marks, _AREA, lines=link), strict=True):
        if place is None:
            continue
        own = point.title in highlight
        x, y, text = math.log10(point.amount), math.log10(point.time), plotly_text(point.title)
        color, size = (look.accent, 14) if own else (look.muted, 12)
        (marked if own else others).append(draw.note(x, y, text, color, size, **place))
    return [*others, *marked]


def _corners(points: Sequence[MeasuredPoint]) -> set[str]:
    """Return the titles at the corners of the convex hull of the points, on logarithmic axes."""
    places = sorted((math.log10(each.amount), math.log10(each.time), each.title) for each in points)
    found = set[str]()
    for row in (places, places[::-1]):
        chain: list[tuple[float, float, str]] = []
        for x, y, title in row:
            while len(chain) > 1:
                (x0, y0, _), (x1, y1, _) = chain[-2:]
                if (x1 - x0) * (y - y0) > (y1 - y0) * (x - x0):
                    break
                chain.pop()
            chain.append((x, y, title))
        found.update(title for _, _, title in chain)
    return found


def _place(point: MeasuredPoint, ranges: tuple[Span, Span]) -> tuple[float, float]:
    """Return the place of a network on a chart of usual width in pixels, from the lower left corner."""
    across, up = math.log10(point.amount), math.log10(point.time)
    (left, right), (bottom, top) = ranges
    return _AREA[0] * (across - left) / (right - left), _AREA[1] * (up - bottom) / (top - bottom)


def _steady(low: float, high: float) -> Span:
    """Return an axis around `low` to `high` that ends on 1, 2 or 5 times a power of ten, so that it seldom changes."""
    steps = [math.log10(step) for step in draw.decades(-4, 7, (1, 2, 5))]
    first, last = math.log10(low * 0.9), math.log10(high * 1.1)
    return max(step for step in steps if step <= first), min(step for step in steps if step >= last)


def _ticks(span: Span) -> list[float]:
    """Return ticks at 1, 2 and 5 times the powers of ten, fewer on a long axis, more on a short one."""
    length = span[1] - span[0]
    return draw.decades(*span, range(1, 10) if length < 0.7 else (1, 2, 5) if length < 3.2 else (1,))


def _tick_text(written: Callable[[float], str]) -> Callable[[float], str]:
    return lambda value: written(round(value, 6))


def _isolines(x_range: Span, y_range: Span, speeds: Span, look: Appearance) -> tuple[list[Spec], list[Spec]]:
    """Draw lines of equal count per second around the `speeds` of the networks, at 1 and 3 times the powers of ten.

    The speed is beyond the upper end of the line, outside the plot, so that it covers no mark.
    """
    traces: list[Spec] = []
    notes: list[Spec] = []
    low, high = math.log10(speeds[0]) - 0.6, math.log10(speeds[1]) + 0.6
    for speed in draw.decades(low, high, (1, 3)):
        rate = math.log10(speed)
        # A line fulfils log x - log y + 3 = rate, with y in milliseconds.
        start, end = max(x_range[0], rate - 3 + y_range[0]), min(x_range[1], rate - 3 + y_range[1])
        if not low <= rate <= high or end - start < 0.35:
            continue
        ends = [10**start, 10**end], [10 ** (start + 3 - rate), 10 ** (end + 3 - rate)]
        traces.append(draw.line(*ends, look.muted, 1, dash="dot", showlegend=False))
        place = {"xanchor": "left", "xshift": 2} if end == x_range[1] else {"yanchor": "bottom"}
        notes.append(draw.note(end, end + 3 - rate, f"{short(speed)}/s", look.muted, 12, **place))
    return traces, notes


def finding(rows: Sequence[Row], column: str, factor: int, where: str) -> str:
    """Compare the ranking by a count with the ranking by latency, and give the range of speeds."""
    if len(rows) < 3:
        return f"{where}: {plural(len(rows), 'network')} measured, too few for a rank correlation"
    found = next(entry for entry in predictors(rows) if entry.column == column)
    name = _name(column, factor)
    order = found.rank_correlation
    joint = "and" if math.isnan(order) or (found.spread < 1.5) == (order >= 0.9) else "but"
    speeds = f"{si(found.slowest * factor)} to {si(found.fastest * factor)} per second"
    return f"{where}: {_order(order, name)}, {joint} speeds range from {speeds}, a factor of {found.spread:.1f}"


def _name(column: str, factor: int) -> str:
    return "FLOPs" if column == "macs" and factor == 2 else PREDICTORS[column]


def _order(correlation: float, name: str) -> str:
    """Return a rank correlation in words."""
    if math.isnan(correlation):
        return f"the networks have equal {name} or equal latency, so there is no ranking to compare"
    # The tolerance is small because one exchange among a thousand networks is only 1e-8 from 1.
    degree = (
        "exactly matches that by latency" if correlation > 1 - 1e-9
        else "almost matches that by latency" if correlation >= 0.9
        else "roughly matches that by latency" if correlation >= 0.6
        else "hardly matches that by latency" if correlation > -0.6
        else "is the reverse of that by latency"
    )  # fmt: skip
    return f"the ranking by {name} {degree} (rank correlation {correlation:.2f})"


def predictor_dots(rows: Sequence[Row], look: Appearance) -> Chart:
    """Draw the spread of speed, one dot per predictor: a perfect predictor has a spread of 1.

    Args:
        rows: at least three, with latency_ms and the counts of `PREDICTORS`.
    """
    found = predictors(rows)
    best = min(found, key=lambda entry: entry.spread)
    names = [f"{entry.label[:1].upper()}{entry.label[1:]}" for entry in found]
    spreads = [entry.spread for entry in found]
    orders = ["no order" if math.isnan(entry.rank_correlation) else f"{entry.rank_correlation:.2f}" for entry in found]
    colors = [look.accent if entry is best else look.ink for entry in found]
    # The text behind the last dot needs room.
    span = (0.0, max(0.3, math.log10(max(spreads))) * 1.3)
    dots = draw.dots(
        spreads, names, draw.outlined(colors, 12), mode="markers+text", text=[f"  {spread:.1f}×" for spread in spreads],
        textposition="middle right", textfont={"color": colors, "size": 14}, cliponaxis=False,
        **draw.hover("%{y}: highest over lowest rate %{x:.1f}"),
    )  # fmt: skip
    beside: Spec = {"xref": "paper", "xanchor": "center", "xshift": 44}
    heading = draw.note(1, 1, "Rank<br>correlation", look.muted, yref="paper", yanchor="bottom", yshift=2, **beside)
    layout = {
        "margin": draw.margin(right=88, top=42),
        "annotations": [
            heading, *(draw.note(1, name, order, color, 14, **beside)
                       for name, order, color in zip(names, orders, colors, strict=True)),
        ],
        "xaxis": draw.log_axis(
            span, [1, *log_values(*span)], "Highest over lowest rate: lower is better", _tick_text(short), showgrid=True
        ),
        "yaxis": draw.ROWS | {"showgrid": True},
    }  # fmt: skip
    gap = f"a factor of {best.spread:.1f} between the highest and the lowest rate"
    title = f"The best predictor of latency is {best.label}, with {gap}"
    spoken = "; ".join(
        f"{entry.label}: spread {entry.spread:.1f}, {'no ' * math.isnan(entry.rank_correlation)}rank correlation"
        f"{'' if math.isnan(entry.rank_correlation) else f' {entry.rank_correlation:.2f}'}"
        for entry in found
    )
    return chart(look, 260, [dots], layout, title, spoken)


def inversion_text(pair: Inversion, count: str) -> str:
    """Describe a pair of networks in which the one with more multiply-adds is faster, without a full stop."""
    return (
        f"{pair.heavy} has {pair.more_macs:.2f}× the {count} of {pair.light}, but takes {1 / pair.faster:.2f}× the time"
    )


check_border(globals())
