"""Scaling rules compared at one budget, over multiply-adds, and by published accuracy."""

import math
from collections.abc import Mapping, Sequence

from effviz.advice.scaling import Swept
from effviz.charts import draw
from effviz.charts.relative import Measured, multiples_of, relative_dots, written
from effviz.charts.scaling.promised import Count, log_ticks
from effviz.charts.sentences import details, listed, plural
from effviz.charts.style import Appearance, Chart, Spec, chart
from effviz.charts.ticks import round_axis
from effviz.core.arguments import check_border
from effviz.core.units import lower, si
from effviz.studies.scaling import NAMES, Contender, PrintedRow, growth


def duel_chart(contenders: Sequence[Contender], measures: Sequence[Measured], look: Appearance) -> Chart:
    """Draw the costs of every rule's network as multiples of the compound one, which is among the contenders."""
    names = [NAMES[each.rule] for each in contenders]
    own = next(place for place, each in enumerate(contenders) if each.rule == "compound")
    relative = [each._replace(values=multiples_of(each.values, each.values[own])) for each in measures]
    drawn = relative_dots(names, relative, NAMES["compound"], "Compound scaling = 1×", look)
    spoken = details(
        (name, [f"{lower(each.label)} {written(value)}" for each in relative if (value := each.values[place])])
        for place, name in enumerate(names)
    )
    return chart(look, *drawn, duel_finding(names, relative), spoken)


def duel_finding(names: Sequence[str], measures: Sequence[Measured]) -> str:
    """Name the rules with the fewest and the most activations, relative to compound scaling."""
    activations = next(each for each in measures if each.label == "Activations").values
    aside = (NAMES["compound"], NAMES["baseline"])
    known = {name: value for name, value in zip(names, activations, strict=True) if value and name not in aside}
    if not known:
        return "No other rule builds a network within these multiply-adds"
    low, high = (pick(known, key=known.__getitem__) for pick in (min, max))
    if len(known) > 1 and written(known[low]) == written(known[high]):
        equal = "At equal multiply-adds, every other rule has"
        return f"{equal} {written(known[low])} the activations of compound scaling"
    first = f"At equal multiply-adds, {lower(low)} has {written(known[low])} the activations of compound scaling"
    return first if low == high else f"{first} and {lower(high)} has {written(known[high])}"


_DASHES = {"compound": "solid", "fast": "solid", "width": "dash", "depth": "dot", "resolution": "dashdot"}


def growth_chart(curves: Mapping[str, Sequence[Swept]], at: int, count: Count, look: Appearance) -> Chart:
    """Draw activations over multiply-adds on logarithmic axes: one line per rule, and `at` multiply-adds as a mark."""
    # A rule that does not grow has no exponent.
    shown = {name: points for name, points in curves.items() if points and points[-1].macs > points[0].macs}
    if not shown:
        return chart(look, 120, [], {}, "No rule grows with these bases")
    macs = {name: [point.macs * count.factor for point in points] for name, points in shown.items()}
    activations = {name: [point.activations for point in points] for name, points in shown.items()}
    (left, right), (low, high) = (
        (math.log10(min(map(min, each.values()))), math.log10(max(map(max, each.values()))))
        for each in (macs, activations)
    )
    traces, ends = [], []
    for name, points in shown.items():
        color = look.accent if name == "compound" else look.ink
        hover = draw.hover(
            f"{NAMES[name]}, φ = %{{customdata[0]}}<br>{count.label}: %{{customdata[1]}}<br>"
            "Activations: %{customdata[2]}",
            [[f"{each.phi:g}", si(each.macs * count.factor), si(each.activations)] for each in points],
        )
        width = 2.5 if name in ("compound", "fast") else 1.5
        traces.append(draw.line(macs[name], activations[name], color, width, dash=_DASHES[name], **hover))
        ends.append((math.log10(macs[name][-1]), math.log10(activations[name][-1]), NAMES[name], color))
    layout = {
        "margin": draw.margin(right=116),
        "annotations": _end_labels(ends, low, high),
        "shapes": [draw.rule(look.accent, 1, "dash", x=at * count.factor, layer="below")],
        "xaxis": draw.log_axis((left - 0.02, right + 0.02), log_ticks(left, right, 7), f"{count.label}, one image"),
        "yaxis": draw.log_axis((low - 0.1, high + 0.1), log_ticks(low, high, 7), "Activations"),
    }
    powers = sorted((growth(points), lower(NAMES[name])) for name, points in shown.items())
    exponents = listed([f"{power:.2f} for {name}" for power, name in powers])
    return chart(
        look, 380, traces, layout, f"Activations grow as a power of the {lower(count.label)}: {exponents}",
        f"The {lower(count.label)} range from {si(10**left)} to {si(10**right)}",
    )  # fmt: skip


def _end_labels(ends: Sequence[tuple[float, float, str, str]], low: float, high: float) -> list[Spec]:
    """Label the ends of lines, with at least a line height between two labels."""
    gap = 0.055 * (high - low + 0.2)
    made: list[Spec] = []
    last = -math.inf
    for x, y, text, color in sorted(ends, key=lambda end: end[1]):
        last = max(y, last + gap)
        made.append(draw.note(x, last, text, color, xanchor="left", xshift=6))
    return made


def printed_chart(rows: Sequence[PrintedRow], look: Appearance) -> Chart:
    """Draw the published accuracy of every way to scale one network, with published and counted multiply-adds."""
    names = [f"{_way(row.variant)}, {row.top1:.1f} %" for row in rows]
    pairs = ((name, row.macs, row.counted) for name, row in zip(names, rows, strict=True) if row.counted is not None)
    traces = [draw.stretches(pairs, look)]
    for label, symbol, values in (
        ("published", "circle-open", [row.macs for row in rows]),
        ("counted from the stated multipliers", "circle", [row.counted for row in rows]),
    ):
        texts = ["" if value is None else si(value) for value in values]
        hover = draw.hover(
            f"%{{y}}<br>%{{customdata[0]}} multiply-adds {label}<br>%{{customdata[1]}}",
            [[text, row.source] for text, row in zip(texts, rows, strict=True)],
        )
        traces.append(draw.dots(values, names, draw.outlined(look.ink, 11, symbol), name=label, **hover))
    most = max(value for row in rows for value in (row.macs, row.counted or 0))
    scale = draw.axis("Multiply-adds", showgrid=True, **round_axis(1.05 * most))
    layout = draw.legend() | {"xaxis": scale, "yaxis": draw.ROWS}
    spoken = "; ".join(
        f"{row.variant}: top-1 {row.top1:g} %, {si(row.macs)} published"
        + (f", {si(row.counted)} counted" if row.counted is not None else "")
        for row in rows
    )
    return chart(look, 110 + 38 * len(rows), traces, layout, printed_finding(rows), spoken)


def printed_finding(rows: Sequence[PrintedRow]) -> str:
    """Name the two best ways to scale, and count those whose multipliers give other multiply-adds than published."""
    best, second = sorted(rows, key=lambda row: -row.top1)[:2]
    off = sum(bool(row.counted and abs(row.counted / row.macs - 1) > 0.05) for row in rows)
    found = (
        f"In the paper, {lower(_way(best.variant))} scaling reaches {best.top1:.1f} % top-1 and "
        f"{lower(_way(second.variant))} scaling {second.top1:.1f} %"
    )
    return f"{found}; for {plural(off, 'network')}, the stated multipliers give other multiply-adds" if off else found


def _way(variant: str) -> str:
    words = ("compound", "depth", "width", "resolution")
    return next((word.capitalize() for word in words if word in variant.lower()), "Baseline")


check_border(globals())
