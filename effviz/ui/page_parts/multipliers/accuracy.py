"""Published accuracy over counted compute: the points, the front, and interpolated curves."""

from __future__ import annotations

from effviz.charts.multipliers import Here, PublishedPoint, Top1Curve, accuracy_scatter
from effviz.charts.sentences import plural
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.resolution import in_pixels
from effviz.studies.printed_cells import PrintedPoint, printed_points
from effviz.ui import inputs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.multipliers.controls import TITLES, Choice
from effviz.ui.page_parts.multipliers.cost_map import figures_text, wrapped
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.tables import Column, Table, show_table

_SCOPES = {"all": "All small networks", "one": "This network"}
_SAME = 0.25  # percentage points between training recipes that are not worth a sentence


def accuracy_part(choice: Choice, convention: Convention) -> None:
    """Show published top-1 over counted compute, the front, and the cell on screen between published cells."""
    scope = inputs.switch("Points of", list(_SCOPES), "points", default="all", format_func=_SCOPES.__getitem__)
    show_chart(accuracy_chart(choice, convention, look(), alone=scope == "one"), "front", note=_comparability(choice))
    table = _front_table(choice.printed.retrained, convention)
    show_table(table, fold=f"The front: {len(table.rows)} points", key="front_table")


@remembered
def accuracy_chart(choice: Choice, convention: Convention, look: Appearance, *, alone: bool) -> Chart:
    """Draw the published points; `alone` leaves out those of other networks."""
    return accuracy_scatter(
        _points(choice.printed.retrained, convention.count), list(TITLES.values()), TITLES[choice.printed.name],
        _here(choice, convention), _curves(choice, convention), convention.compute_label, look, alone=alone,
    )  # fmt: skip


def _here(choice: Choice, convention: Convention) -> Here:
    macs, found = choice.counts(choice.place).macs, choice.top1(choice.place)
    usable = found if found and not found.misprint else None
    between = bool(usable and usable.between)
    text = f"{usable.text} %{', interpolated' if between else ''}" if usable else "no usable top-1"
    where = f"{choice.title}, {choice.width:g}× at {in_pixels(choice.resolution)}, {convention.show_compute(macs)}"
    return Here(convention.compute(macs), usable.value if usable else None, between, f"{where}, {text}")


def _front_table(retrained: bool, convention: Convention) -> Table:
    best = sorted((each for each in printed_points(retrained) if each.front), key=lambda each: (each.macs, each.top1))
    columns = [
        Column("Network", _label),
        Column(convention.heading("macs"), lambda each: convention.compute(each.macs)),
        Column("Published top-1 (%)", "top1", "%.1f"),
        Column(
            "Source", lambda each: "; ".join(dict.fromkeys(figure.source for figure in each.figures)), width="large"
        ),
    ]
    return Table(best, columns, f"The {len(best)} published points that no point of equal or lower cost reaches")


@remembered
def _points(retrained: bool, count: str) -> tuple[PublishedPoint, ...]:
    """Return the points of the chart; cached, because they depend on no control but these."""
    convention = Convention(count)
    return tuple(
        PublishedPoint(
            TITLES[each.name], _label(each), convention.compute(each.macs), each.top1, _hover(each, convention),
            each.front,
        )
        for each in printed_points(retrained)
    )  # fmt: skip


def _label(point: PrintedPoint) -> str:
    groups = f" (g = {point.groups})" if point.groups else ""
    return f"{TITLES[point.name]}{groups} {point.place[0]:g}×, {in_pixels(point.place[1])}"


def _hover(point: PrintedPoint, convention: Convention) -> str:
    lines = [f"Published top-1 {point.top1:g} %, {convention.show_compute(point.macs)} counted"]
    for each in point.figures[:2]:
        lines += wrapped(f"{figures_text(each)}: {each.variant}, {each.source}")
        lines += [part for note in (each.notes, each.note) if note for part in wrapped(note)]
    if len(point.figures) > 2:
        lines.append(f"and {plural(len(point.figures) - 2, 'more source')} with the same accuracy")
    return "<br>".join(lines)


def _curves(choice: Choice, convention: Convention) -> list[Top1Curve]:
    return [
        Top1Curve(
            f"{curve.label}, interpolated",
            [(convention.compute(choice.printed.macs(*place)), value) for place, value in curve.corners],
        )
        for curve in choice.printed.curves(choice.place)
    ]


def _comparability(choice: Choice) -> str:
    """Say how far the points can be compared."""
    whose = "published by the authors" + (" and by others" if choice.printed.retrained else "")
    spread = ""
    low, high = choice.printed.recipe_range() or (0.0, 0.0)
    if high - low > _SAME:
        spread = (
            f" Published figures for the unscaled {choice.title} range from {low:.1f} to {high:.1f} %. The training "
            f"recipe alone moves a point by {high - low:.1f}."
        )
    return (
        "Filled: on the front, the best published accuracy for a budget. Dashed and dotted: interpolated.\n"
        f"Accuracies: {whose}. Papers use different training recipes. Only points of one network and one source "
        f"compare architectures fairly.{spread} Compute is counted by effviz for the width and resolution. Lines are "
        "interpolated between published cells of one source, never beyond. Not included: 8-bit accuracies, weights "
        "trained on other data, networks with unpublished widths."
    )
