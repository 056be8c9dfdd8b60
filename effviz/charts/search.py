"""Charts of the page about architecture search: the objective, the space, and what a search has found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.names import Mark, Rectangle, named
from effviz.charts.sentences import plural
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.charts.ticks import linear_ticks
from effviz.core.arguments import check_border
from effviz.core.text import plotly_text
from effviz.core.units import lower, milliseconds, percent, si
from effviz.studies.objective import MAX_LATENCY_MS, Objective, Ranked

_LINES = (1.0, 0.97, 0.94, 0.91)
_HEIGHT, _TALL = 400, 440
_AREA = 850.0, 340.0
"""Width and height in pixels of the plot of a chart of usual width."""


# --- the objective ---------------------------------------------------------------------------------------------------


def objective_chart(networks: Sequence[Ranked], by: Objective, where: str, look: Appearance) -> Chart:
    """Draw published top-1 against latency, with lines of equal value of the objective.

    Args:
        networks: at least one, in the order of the objective.
        by: the objective.
        where: device of the latencies.
        look: colors.
    """
    best = networks[0]
    times = [each.network.latency_ms for each in networks]
    span = (math.log10(min(*times, by.target_ms)) - 0.12, math.log10(max(*times, by.target_ms)) + 0.12)
    span = (span[0], min(span[1], math.log10(MAX_LATENCY_MS)))
    tops = [each.network.top1 for each in networks]
    bottom, top = 5 * math.floor((min(tops) - 1) / 5), 5 * math.ceil((max(tops) + 1) / 5)
    traces = [_line(best.value * share, by, span, look, first=share == 1) for share in _LINES]
    front = [each for each in networks[1:] if _is_front(each, networks)]
    others = [each for each in networks[1:] if each not in front]
    values = _values(traces, best.value, (bottom, top), look)
    traces += [_networks(others, look.muted, 7), _networks(front, look.ink, 9), _networks([best], look.accent, 15)]
    ticks = draw.decades(*span, (1, 2, 5) if span[1] - span[0] < 2.5 else (1,))
    layout = {
        "shapes": [draw.rule(look.muted, 1, "dot", x=by.target_ms, layer="below")],
        "meta": {"clear": True},
        "annotations": [*values, *_labels(networks, by, (bottom, top), span, values, look)],
        "xaxis": draw.log_axis(
            span, [each for each in ticks if span[0] <= math.log10(each) <= span[1]], "Latency (ms)", showgrid=True
        ),
        "yaxis": draw.axis("Published top-1 (%)", range=[bottom, top], dtick=5),
    }
    spoken = "; ".join(
        f"{each.rank}. {each.network.title}, {each.network.top1:g} %, {_ms(each)}, value {each.value:.4g}"
        for each in networks[:10]
    )
    place = f"{where}, target {milliseconds(by.target_ms)}"
    return chart(look, _HEIGHT, traces, layout, _title(networks, by), place, spoken)


def _title(networks: Sequence[Ranked], by: Objective) -> str:
    """Compare the best network with the most accurate one, unless none is within the target or several are equal."""
    best, ties = networks[0], sum(each.rank == 1 for each in networks)
    if not best.value:
        return f"No network is within the target of {milliseconds(by.target_ms)}"
    first = f"{best.network.top1:g} % in {_ms(best)}"
    if ties > 1:
        return f"{ties} networks share the highest value, among them {best.network.title} with {first}"
    title = f"{best.network.title} has the highest value: {first}"
    accurate = max(networks, key=lambda each: each.network.top1)
    if accurate.network.top1 > best.network.top1:
        less = accurate.network.top1 - best.network.top1
        title += f", {less:.1f} points less than {accurate.network.title} in {_ms(accurate)}"
    return title


def _ms(each: Ranked) -> str:
    return milliseconds(each.network.latency_ms)


def _line(value: float, by: Objective, span: tuple[float, float], look: Appearance, *, first: bool) -> Spec:
    """Draw the accuracies that have one value; the constrained form has none beyond the target."""
    count = 60
    inside = [10 ** (span[0] + (span[1] - span[0]) * place / count) for place in range(count + 1)]
    # The power of the end of the axis can round to more than the largest latency.
    times = sorted([*(min(time, MAX_LATENCY_MS) for time in inside), by.target_ms])
    points = [(time, by.top1_for(value, time)) for time in times]
    points = [point for point in points if math.isfinite(point[1])]
    x, y = zip(*points, strict=True)
    text = f"Value {value:.1f}"
    return draw.line(
        x, y, look.accent if first else look.muted, 2 if first else 1, dash="" if first else "dot", showlegend=False,
        **draw.hover(text),
    )  # fmt: skip


def _values(lines: Sequence[Spec], value: float, ends: tuple[float, float], look: Appearance) -> list[Spec]:
    """Write on each line how much its value is below that of the best network, which the first line has."""
    notes: list[Spec] = []
    for line, share in zip(lines, _LINES, strict=True):
        inside = [place for place in zip(line["x"], line["y"], strict=True) if ends[0] < place[1] < ends[1]]
        if inside and value:
            x, y = inside[len(inside) // (9 if notes else 5)]
            text = f"\N{MINUS SIGN}{100 * (1 - share):.0f} %" if notes else f"value {value:.3g}"
            color = "" if notes else look.accent
            notes.append(draw.on_line(math.log10(x), y, text, look, color))
    return notes


def _networks(networks: Sequence[Ranked], color: str, size: int) -> Spec:
    symbols = ["circle-open" if each.network.noisy else "circle" for each in networks]
    data = [
        [plotly_text(each.network.title), f"{each.network.top1:g}", _ms(each), f"{each.value:.2f}", each.rank]
        for each in networks
    ]  # fmt: skip
    return draw.dots(
        [each.network.latency_ms for each in networks], [each.network.top1 for each in networks],
        draw.outlined(color, size, symbols, 1.5), showlegend=False,
        **draw.hover(
            "<b>%{customdata[0]}</b><br>top-1 %{customdata[1]} %, %{customdata[2]}<br>"
            "value %{customdata[3]}, rank %{customdata[4]}", data
        ),
    )  # fmt: skip


def _is_front(each: Ranked, networks: Sequence[Ranked]) -> bool:
    """Return whether no other network is at least as fast and more accurate, or as accurate and faster."""
    time, top1 = each.network.latency_ms, each.network.top1
    return not any(
        other.network.latency_ms <= time and other.network.top1 >= top1
        and (other.network.latency_ms, other.network.top1) != (time, top1)
        for other in networks
    )  # fmt: skip


def _labels(
    networks: Sequence[Ranked], by: Objective, ends: tuple[float, float], span: tuple[float, float],
    values: Sequence[Spec], look: Appearance,
) -> list[Spec]:  # fmt: skip
    """Name the target, the best network and, as far as there is room, the others that no network surpasses.

    Args:
        values: the labels of the lines of equal value, which no name covers.
    """

    def pixels(across: float, up: float) -> tuple[float, float]:
        return _AREA[0] * (across - span[0]) / (span[1] - span[0]), _AREA[1] * (up - ends[0]) / (ends[1] - ends[0])

    taken = [
        Rectangle(x - 4 * len(each["text"]), y - 9, x + 4 * len(each["text"]), y + 9)
        for each in values for x, y in (pixels(each["x"], each["y"]),)
    ]  # fmt: skip
    marks = [
        Mark(
            *pixels(math.log10(each.network.latency_ms), each.network.top1),
            9 if first else 6, each.network.title if first or _is_front(each, networks) else "", 14 if first else 12,
            needed=first,
        )
        for each in networks for first in (each is networks[0],)
    ]  # fmt: skip
    notes = [draw.note(math.log10(by.target_ms), ends[0], f"T = {milliseconds(by.target_ms)}", look.muted, 12,
                       xanchor="left", yanchor="bottom", xshift=4)]  # fmt: skip
    for place, anchors in enumerate(named(marks, _AREA, taken=taken)):
        if anchors is not None:
            found = networks[place].network
            color, size = (look.muted, 12) if place else (look.accent, 14)
            text = plotly_text(found.title)
            notes.append(draw.note(math.log10(found.latency_ms), found.top1, text, color, size, **anchors))
    # The browser hides the earlier of two labels that overlap.
    return notes[::-1]


# --- the space -------------------------------------------------------------------------------------------------------


class Cut(NamedTuple):
    """The budget on screen: an amount in the convention, and the share of the space within it as text."""

    amount: int
    share: float
    text: str


def share_chart(points: Sequence[tuple[int, float]], cut: Cut, label: str, look: Appearance) -> Chart:
    """Draw the share of the space within every budget.

    Args:
        points: budget in the convention, and share.
        cut: the budget on screen.
        label: of the budget.
        look: colors.
    """
    x, y = zip(*points, strict=True)
    traces = [
        draw.line(
            x, [100 * value for value in y], look.ink, 2,
            **draw.hover("%{customdata}: %{y:.1f} % of the space", [si(each) for each in x]),
        ),
        draw.dots([cut.amount], [100 * cut.share], draw.current(look, 14), **draw.hover(cut.text)),
    ]  # fmt: skip
    right = cut.amount > x[-1] * 0.55
    layout = {
        "xaxis": draw.axis(f"Budget, {lower(label)}", range=[0, x[-1] * 1.03], **linear_ticks(0, x[-1] * 1.03)),
        "yaxis": draw.axis("Share of the space (%)", range=[0, 100], dtick=20),
        "shapes": [draw.rule(look.accent, 1, "dot", x=cut.amount, layer="below")],
        "annotations": [
            draw.note(cut.amount, 100 * cut.share, cut.text, look.accent, 14, xanchor="right" if right else "left",
                      xshift=-14 if right else 14, yanchor="top" if cut.share > 0.5 else "bottom")
        ],
    }  # fmt: skip
    title = f"{cut.text} of the networks are within a budget of {si(cut.amount)}"
    spoken = "; ".join(f"{si(budget)}: {percent(share)}" for budget, share in points[:: max(1, len(points) // 10)])
    return chart(look, _TALL, traces, layout, title, f"{label}: {spoken}")


class ChoiceBar(NamedTuple):
    """The mean cost of the networks with one choice in every stage, in the convention."""

    choice: str
    value: str
    amount: float


def choice_chart(bars: Sequence[ChoiceBar], mean: float, label: str, look: Appearance) -> Chart:
    """Draw the mean cost of every choice beside that of the space.

    Args:
        bars: in the order from top to bottom.
        mean: of the whole space.
        label: of the cost.
        look: colors.
    """
    rows = [ChoiceBar("All networks", "", mean), *bars]
    names = [f"{each.choice} {each.value}".rstrip() for each in rows]
    spread: dict[str, list[float]] = {}
    for each in bars:
        spread.setdefault(each.choice, []).append(each.amount)
    strongest = max(spread, key=lambda choice: max(spread[choice]) - min(spread[choice]))
    colors = [look.ink, *(look.accent if each.choice == strongest else look.muted for each in bars)]
    traces = [
        draw.row_bars(
            names, [each.amount for each in rows], {"color": colors}, [si(each.amount) for each in rows],
            **draw.hover("%{y}<br>mean %{text}"),
        )
    ]  # fmt: skip
    end = max(each.amount for each in bars) * 1.18
    layout = {
        "xaxis": draw.axis(f"Mean {lower(label)}", range=[0, end], showticklabels=False),
        "yaxis": draw.ROWS,
        "bargap": 0.35,
    }
    low, high = min(spread[strongest]), max(spread[strongest])
    name = f"{strongest[:1].lower()}{strongest[1:]}"
    title = f"The {name} matters most: the mean network has {si(low)} to {si(high)} {lower(label)}"
    if low == high:
        title = f"No choice changes the mean {lower(label)}"
    spoken = "; ".join(f"{name}: {si(each.amount)}" for name, each in zip(names, rows, strict=True))
    return chart(look, _TALL, traces, layout, title, f"Mean {lower(label)} with one choice in every stage", spoken)


# --- the search ------------------------------------------------------------------------------------------------------


class Dot(NamedTuple):
    """A network of a search: number in the study, cost in the convention, and entropy."""

    number: int
    amount: float
    entropy: float


def front_chart(
    front: Sequence[Dot], others: Sequence[Dot], chosen: int | None, budget: int, label: str, look: Appearance
) -> Chart:
    """Draw entropy against cost of the networks that a search has evaluated, with the Pareto front.

    Args:
        front: in ascending order of cost; may be empty.
        others: all other networks.
        chosen: number of the network on screen.
        budget: the limit, in the convention.
        label: of the cost.
        look: colors.
    """
    hover = f"Network %{{customdata}}<br>{lower(label)} %{{x:.4s}}, entropy %{{y:.0f}}"
    traces = [
        draw.dots(
            [each.amount for each in others], [each.entropy for each in others],
            {"color": look.muted, "size": 5, "opacity": 0.45}, showlegend=False,
            **draw.hover(hover, [each.number for each in others]),
        ),
        draw.line([each.amount for each in front], [each.entropy for each in front], look.muted, 1.5, shape="hv",
                  showlegend=False),
        draw.dots(
            [each.amount for each in front], [each.entropy for each in front],
            draw.outlined(
                [look.accent if each.number == chosen else look.ink for each in front],
                [15 if each.number == chosen else 9 for each in front], "circle", 1.5,
            ) | {"opacity": 1},
            showlegend=False, **draw.hover(hover, [each.number for each in front]),
        ),
    ]  # fmt: skip
    amounts = [each.amount for each in (*front, *others)]
    end = max([*amounts, budget]) * 1.05
    layout = {
        "xaxis": draw.axis(label, range=[0, end], **linear_ticks(0, end)),
        "yaxis": draw.axis("Entropy, not accuracy"),
        "shapes": [draw.rule(look.accent, 1, "dot", x=budget, layer="below")],
        "annotations": [
            draw.note(budget, 1, "Budget", look.accent, 13, yref="paper", yanchor="top", xanchor="left", xshift=4)
        ],
    }
    if not front:
        return chart(
            look,
            _HEIGHT,
            traces,
            layout,
            f"No network is within the budget: {plural(len(others), 'network')} evaluated",
        )
    some = f"{plural(len(front), 'network')} of {len(front) + len(others)}"
    spoken = "; ".join(f"network {each.number}: {si(each.amount)}, entropy {each.entropy:.0f}" for each in front)
    return chart(look, _HEIGHT, traces, layout, f"On the front within {si(budget)} {lower(label)}: {some}", spoken)


check_border(globals())
