"""Printed figures by verdict: how far they are from their references, and their numbers by source or quantity."""

import math
from collections.abc import Sequence

from effviz.charts import draw
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.units import exact, percent
from effviz.count.palette import text_on
from effviz.studies.literature.judge import UNEXPLAINED, VERDICTS, WRONG
from effviz.studies.literature.selection import BIN, COMPARED, ErrorBin, Group, Summary, scaled

_TICKS = (0.005, 0.05, 0.5)
_HIGHEST = 0.62  # of a bar, as a share of its row: the name of the row is above it

GREYS = {"light": ("#DADAE2", "#A0A0AE", "#666674"), "dark": ("#37445A", "#6E7B8E", "#A9B5C6")}
"""Colors of the verdicts about correct figures, by appearance."""


def verdict_colors(look: Appearance) -> dict[str, str]:
    """Return the color of each verdict of `COMPARED`: greys, and the accent for figures that no rule gives."""
    pale = draw.mixed(look.paper, look.accent, 0.45)
    return dict(zip(COMPARED, (*GREYS[look.name], pale, look.accent), strict=True))


def verdict_errors(bins: Sequence[ErrorBin], found: Summary, look: Appearance) -> Chart:
    """Draw how many printed figures have each difference from the reference, one row of bars per verdict.

    Args:
        bins: may be empty.
        found: counts of the whole selection.
        look: colors.
    """
    traces, rows = [], []
    most = math.log1p(max((each.figures for each in bins), default=1))
    for row, verdict in enumerate(COMPARED):
        own = [each for each in bins if each.verdict == verdict]
        color, ink = (look.accent, look.accent) if verdict in (UNEXPLAINED, WRONG) else (look.muted, look.ink)
        hover = draw.hover(
            f"{VERDICTS[verdict]}: %{{customdata[1]}} with %{{customdata[2]}}",
            [[verdict, exact(each.figures), _range(each)] for each in own],
        )
        traces.append({
            "type": "bar", "name": VERDICTS[verdict], "x": [each.place for each in own], "base": -row, "width": BIN,
            "y": [_HIGHEST * math.log1p(each.figures) / most for each in own],
            "marker": {"color": color, "line": {"color": look.paper, "width": 0.5}},
        } | hover)  # fmt: skip
        text = f"<b>{VERDICTS[verdict]}</b> {exact(found.counts[verdict])}"
        place = {"xref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": -2}
        rows.append(draw.note(0, _HIGHEST - row, text, ink, 14, **place))
    end = max((abs(each.place) for each in bins), default=0)
    end = max(end, scaled(_TICKS[-1])) + 0.15
    sides = (("printed too low", 0, "left"), ("exact", 0.5, "center"), ("printed too high", 1, "right"))
    layout = {
        "margin": draw.margin(right=12, top=24), "barmode": "overlay", "bargap": 0,
        "xaxis": draw.axis(
            "Printed figure relative to the exact one (%)", range=[-end, end], showgrid=True,
            **draw.ticks([scaled(off) for off in (*(-tick for tick in _TICKS), 0, *_TICKS)], _signed),
        ),
        "yaxis": {"range": [0.96 - len(COMPARED), 1], "showgrid": False, "showticklabels": False},
        "shapes": [
            draw.rule(look.muted, 1.5, x=0, layer="below"),
            *(draw.rule(look.muted, 1, y=-row, layer="below") for row in range(len(COMPARED))),
        ],
        "annotations": [
            *(draw.panel_label(text, x, 1, look.muted, 13, xanchor=anchor) for text, x, anchor in sides), *rows
        ],
    }  # fmt: skip
    spoken = ", ".join(f"{VERDICTS[verdict].lower()} {exact(found.counts[verdict])}" for verdict in COMPARED)
    worst = max(bins, key=lambda each: max(-each.low, each.high), default=None)
    widest = "" if worst is None else f"The largest difference is {_range(worst)}"
    return chart(look, 400, traces, layout, _finding(found), f"By verdict: {spoken}", widest)


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
