"""Printed figures by verdict: how far they are from their references, and their numbers by source or quantity."""

import math
from collections.abc import Sequence

from effviz.charts import draw
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.units import exact, percent
from effviz.count.palette import text_on
from effviz.studies.literature.judge import UNEXPLAINED, VERDICTS, WRONG
from effviz.studies.literature.selection import COMPARED, ErrorBin, Group, Summary, scaled

_TICKS = (0.05, 0.5)

GREYS = {"light": ("#DADAE2", "#A0A0AE", "#666674"), "dark": ("#37445A", "#6E7B8E", "#A9B5C6")}
"""Colors of the verdicts about correct figures, by appearance."""


def verdict_colors(look: Appearance) -> dict[str, str]:
    """Return the color of each verdict of `COMPARED`: greys, and the accent for figures that no rule gives."""
    pale = draw.mixed(look.paper, look.accent, 0.45)
    return dict(zip(COMPARED, (*GREYS[look.name], pale, look.accent), strict=True))


def verdict_errors(bins: Sequence[ErrorBin], found: Summary, look: Appearance) -> Chart:
    """Draw the printed figures by their difference from the reference, one row per verdict.

    Args:
        bins: may be empty.
        found: counts of the whole selection.
        look: colors.
    """
    traces = []
    for verdict in COMPARED:
        own = [each for each in bins if each.verdict == verdict]
        sizes = [round(6 + 2.6 * math.log2(each.figures), 1) for each in own]
        color = look.accent if verdict in (UNEXPLAINED, WRONG) else look.muted
        hover = draw.hover(
            f"{VERDICTS[verdict]}: %{{customdata[1]}} with %{{customdata[2]}}",
            [[verdict, exact(each.figures), _range(each)] for each in own],
        )
        marker = {"color": color, "size": sizes, "opacity": 0.85, "line": {"color": look.paper, "width": 1}}
        places = [scaled((each.low + each.high) / 2) for each in own]
        traces.append(draw.dots(places, [VERDICTS[verdict]] * len(own), marker, name=VERDICTS[verdict], **hover))
    end = max((abs(scaled(off)) for each in bins for off in (each.low, each.high)), default=0)
    end = max(end, scaled(_TICKS[-1])) + 0.15
    sides = (("printed too low", 0, "left"), ("exact", 0.5, "center"), ("printed too high", 1, "right"))
    counts = [
        draw.note(1, VERDICTS[verdict], exact(found.counts[verdict]), look.accent if bad else look.ink, 14,
                  xref="paper", xanchor="left", xshift=8)
        for verdict in COMPARED for bad in (verdict in (UNEXPLAINED, WRONG),)
    ]  # fmt: skip
    layout = {
        "margin": draw.margin(right=52, top=24),
        "xaxis": draw.axis(
            "Printed figure relative to the exact one (%)", range=[-end, end], showgrid=True,
            **draw.ticks([scaled(off) for off in (*(-tick for tick in _TICKS), 0, *_TICKS)], _signed),
        ),
        "yaxis": draw.ROWS | {
            "type": "category", "categoryarray": [VERDICTS[verdict] for verdict in COMPARED], "showgrid": True,
            "range": [len(COMPARED) - 0.5, -0.5], "autorange": False,
        },
        "shapes": [draw.rule(look.muted, 1.5, x=0, layer="below")],
        "annotations": [
            *(draw.panel_label(text, x, 1, look.muted, 13, xanchor=anchor) for text, x, anchor in sides), *counts
        ],
    }  # fmt: skip
    spoken = ", ".join(f"{VERDICTS[verdict].lower()} {exact(found.counts[verdict])}" for verdict in COMPARED)
    worst = max(bins, key=lambda each: max(-each.low, each.high), default=None)
    widest = "" if worst is None else f"The largest difference is {_range(worst)}"
    return chart(look, 330, traces, layout, _finding(found), f"By verdict: {spoken}", widest)


def _signed(place: float) -> str:
    """Write the relative difference at a place of the axis."""
    off = next((math.copysign(off, place) for off in _TICKS if math.isclose(scaled(off), abs(place))), 0)
    return _percent(off).removesuffix(" %")


def _percent(off: float) -> str:
    percent = 100 * off
    written = f"{percent:+.0f}" if abs(percent) >= 9.95 else f"{percent:+.2g}" if abs(percent) >= 1e-4 else "0"
    return f"{written} %".replace("-", "\N{MINUS SIGN}") if off else "0"


def _range(each: ErrorBin) -> str:
    low, high = _percent(each.low), _percent(each.high)
    return low if low == high else f"{low} to {high}"


def verdict_bars(groups: Sequence[Group], grouping: str, found: Summary, look: Appearance) -> Chart:
    """Draw one row per group: its figures, stacked by verdict.

    Args:
        groups: may be empty.
        grouping: what they have in common: ``"Source"`` or ``"Quantity"``.
        found: counts of the whole selection.
        look: colors.
    """
    names, colors = [each.name for each in groups], verdict_colors(look)
    most = max((each.total for each in groups), default=1)
    traces = []
    for place, verdict in enumerate(COMPARED):
        values = [each.counts[place] for each in groups]
        hover = draw.hover(
            f"%{{y}}<br>{VERDICTS[verdict]}: %{{customdata[1]}} of %{{customdata[2]}}",
            [[verdict, exact(value), exact(each.total)] for each, value in zip(groups, values, strict=True)],
        )
        color = colors[verdict]
        traces.append({
            "type": "bar", "orientation": "h", "name": VERDICTS[verdict], "y": names, "x": values,
            "marker": {"color": color, "line": {"color": look.muted, "width": 1}},
            "text": [exact(value) if value > most / 15 else "" for value in values], "textposition": "inside",
            "insidetextanchor": "middle", "textangle": 0, "constraintext": "none",
            "textfont": {"color": text_on(color), "size": 13},
        } | hover)  # fmt: skip
    layout = {
        "barmode": "stack", "bargap": 0.3, "margin": draw.margin(right=12),
        "xaxis": draw.axis("Printed figures with a reference", showgrid=True, range=[0, most * 1.08]),
        "yaxis": draw.ROWS | {"type": "category"},
        "annotations": [
            draw.note(each.total, each.name, f"<b>{bad}</b>", look.accent, 13, xanchor="left", xshift=3)
            for each in groups for bad in (sum(each.counts[-2:]),) if bad
        ],
    }  # fmt: skip
    spoken = [VERDICTS[verdict].lower() for verdict in COMPARED]
    rows = "; ".join(
        f"{each.name}: {', '.join(f'{count} {name}' for name, count in zip(spoken, each.counts, strict=True) if count)}"
        for each in groups
    )
    return chart(look, 26 * max(len(groups), 3) + 64, traces, layout, _finding(found), f"By {grouping.lower()}", rows)


def _finding(found: Summary) -> str:
    if not found.compared:
        return "No figure of this selection can be compared"
    named = {"unexplained": found.counts[UNEXPLAINED], "wrong": found.counts[WRONG]}
    count, compared = sum(named.values()), found.compared
    what = " or ".join(name for name, part in named.items() if part)
    if not count:
        several = f"None of {exact(compared)} printed figures is unexplained or wrong"
        return several if compared > 1 else "The printed figure is explained"
    share = percent(count / compared)
    off = found.median_off
    if compared == 1:
        return f"The printed figure is {what}" + ("" if off is None else f"; it differs by {percent(off)}")
    median = "" if off is None else f"; their median difference is {percent(off)}"
    if count == compared:
        return f"All {exact(compared)} printed figures are {what}{median}"
    are = "is" if count == 1 else "are"
    return f"{exact(count)} of {exact(compared)} printed figures ({share}) {are} {what}{median}"


check_border(globals())
