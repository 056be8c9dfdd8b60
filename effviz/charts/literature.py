"""Printed figures by verdict."""

from collections.abc import Sequence

from effviz.charts import draw
from effviz.charts.style import Appearance, Chart, chart
from effviz.core.arguments import check_border
from effviz.core.units import exact, percent
from effviz.count.palette import text_on
from effviz.studies.literature.judge import UNEXPLAINED, VERDICTS, WRONG
from effviz.studies.literature.selection import COMPARED, Group, Summary

_TITLES = {
    "Difference": "Difference from the reference", "Source": "Source", "Quantity": "Quantity",
}  # fmt: skip


GREYS = {"light": ("#E3E3EA", "#B4B4C0", "#7A7A88"), "dark": ("#2F3B4C", "#5A6778", "#97A3B4")}
"""Colors of the verdicts about correct figures, by appearance."""


def verdict_colors(look: Appearance) -> dict[str, str]:
    """Return the color of each verdict of `COMPARED`: greys, and the accent for figures that no rule gives."""
    pale = draw.mixed(look.paper, look.accent, 0.45)
    return dict(zip(COMPARED, (*GREYS[look.name], pale, look.accent), strict=True))


def verdict_bars(groups: Sequence[Group], grouping: str, found: Summary, look: Appearance) -> Chart:
    """Draw one row per group: its figures, stacked by verdict.

    Args:
        groups: may be empty.
        grouping: what they have in common: ``"Difference"``, ``"Source"`` or ``"Quantity"``.
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
        "xaxis": draw.axis("Printed figures with a reference", showgrid=True, range=[0, most * 1.03]),
        "yaxis": draw.ROWS | {"type": "category"},
    }  # fmt: skip
    spoken = [VERDICTS[verdict].lower() for verdict in COMPARED]
    rows = "; ".join(
        f"{each.name}: {', '.join(f'{count} {name}' for name, count in zip(spoken, each.counts, strict=True) if count)}"
        for each in groups
    )
    return chart(
        look, 26 * max(len(groups), 3) + 64, traces, layout, _finding(found), f"By {_TITLES[grouping].lower()}", rows
    )


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
    off = f", by {percent(found.median_off)} in the median" if found.median_off is not None else ""
    if compared == 1:
        return f"The printed figure is {what}{off.replace(' in the median', '')}"
    if count == compared:
        return f"All {exact(compared)} printed figures are {what}{off}"
    are = "is" if count == 1 else "are"
    return f"{exact(count)} of {exact(compared)} printed figures ({share}) {are} {what}{off}"


check_border(globals())
