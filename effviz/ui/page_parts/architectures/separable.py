"""The network on screen with its standard convolutions replaced by depthwise separable ones."""

from __future__ import annotations

from effviz.charts.sentences import times
from effviz.core.errors import DesignError
from effviz.core.units import change, lower
from effviz.count.report import Report
from effviz.studies.separable import Replaced, separated
from effviz.ui.convention import Convention
from effviz.ui.widgets.cards import cached_report
from effviz.ui.widgets.frame import heading, notice
from effviz.ui.widgets.glossary import caption_explained
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table
from effviz.ui.widgets.ways import studio_link


def made_separable(report: Report, convention: Convention) -> None:
    """Show the cost before and after the replacement, and a link that opens the new network in the studio."""
    try:
        found = separated(report.design)
    except DesignError as error:
        notice(f"{error}.")
        return
    after = cached_report(found.after, convention.memory)
    heading(_finding(found, report, after, convention))
    columns = [
        Column("Network", "design.title"),
        *count_columns(convention),
        Column(f"vs {report.design.title}", lambda row: "" if row is report else change(row.macs, report.macs)),
    ]
    show_table(Table([report, after], columns, "The network before and after the replacement with exact counts"))
    caption_explained(
        "Each [[standard convolution]] with a window becomes a [[depthwise convolution|depthwise]] and a "
        "[[1×1 convolution]] with batch norm, as in MobileNetV1. Held equal: resolution, stages, channels and strides. "
        f"{_left(found)}",
        "separable",
    )
    studio_link(found.after)


def _finding(found: Replaced, before: Report, after: Report, convention: Convention) -> str:
    replaced, name = found.convolutions - found.left, lower(convention.compute_label)
    which = f"{replaced} of {found.convolutions} standard convolutions"
    if not found.left:
        which = "its only standard convolution" if replaced == 1 else f"all {replaced} standard convolutions"
    claim = f"{times(before.macs / after.macs)} fewer" if after.macs < before.macs else "no fewer"
    return f"{found.before.title} with {which} replaced has {claim} {name}"


def _left(found: Replaced) -> str:
    return f"Convolutions inside other blocks or with unusual padding stay ({found.left})." if found.left else ""
