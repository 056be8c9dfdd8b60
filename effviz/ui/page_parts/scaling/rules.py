"""Networks of several scaling rules within one budget: drawn to scale, compared by cost, and as published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from effviz.advice.scaling import ScalingRule, built_body
from effviz.charts.relative import Measured
from effviz.charts.scaling.picture import picture_chart
from effviz.charts.scaling.promised import Count
from effviz.charts.scaling.rules import duel_chart, growth_chart, printed_chart
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import NotKnownError, known, remembered
from effviz.core.units import si
from effviz.count.report import Report
from effviz.measure.latency import Latency
from effviz.measure.recorded import compared
from effviz.model.design import Design
from effviz.studies.printed_figures import deviation
from effviz.studies.scaling import NAMES, Contender, contenders, curves, frames, nearest, printed
from effviz.ui.convention import Convention
from effviz.ui.page_parts.scaling.controls import VIEWS, Choice, count
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.cards import cached_report
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.glossary import caption_explained
from effviz.ui.widgets.live_latency import HERE, RECORDED, Conditions
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table

TITLE = VIEWS[1]
AMONG = ("baseline", "compound", "width", "depth", "resolution", "fast")
_SYMBOLS = {
    "params": "circle", "activations": "diamond", "memory_access": "square", "peak_activation": "triangle-up",
}  # fmt: skip


# --- drawn to scale ------------------------------------------------------------------------------------------------


@remembered
def _picture(base: Design, rule: ScalingRule, phi: float, count: Count, look: Appearance) -> Chart:
    """Draw the picture at the drawn φ next to the one on screen; cached, because it has all frames of the animation."""
    return picture_chart(frames(base, rule), phi, count, look)


def picture(choice: Choice, convention: Convention) -> None:
    """Show the counterpart of figure 2 of the paper."""
    drawn = calculated("Pictures", frames, choice.base, choice.rule)
    if drawn is None:
        return
    if not drawn:
        st.markdown("Nothing can be drawn with these bases.")
        return
    show_chart(
        _picture(choice.base, choice.rule, nearest(choice.phi), count(convention), look()), "picture",
        note="Drawn for φ from 0 to 2 in steps of 1/4. "
        "Each box is a stage: its length is the number of blocks, its height the channels, its depth the side of "
        "its map. One scale applies to all rows and to every φ. Stem, head and classifier are not drawn. Each rule "
        "builds the largest network within the multiply-adds of the compound one. The multipliers are d for depth, w "
        "for width and r for resolution. After figure 2 of arXiv 1905.11946.",
    )  # fmt: skip


# --- at equal multiply-adds ----------------------------------------------------------------------------------------


class _Rival(NamedTuple):
    """One rule's network with its costs."""

    contender: Contender
    report: Report
    latency: Latency | None


def others(choice: Choice) -> list[Design]:
    """Return the networks that are measured after the one on screen, once they are known."""
    try:
        found, _ = known(contenders, choice.base, choice.rule, choice.phi, AMONG)
    except NotKnownError:
        return [choice.base]
    return [each.design for each in found if each.rule != "compound"]


def equal_budget(choice: Choice, conditions: Conditions, convention: Convention) -> None:
    """Compare five ways to spend one budget of multiply-adds."""
    _printed_accuracies(choice.base)
    networks = calculated("Networks at one budget", contenders, choice.base, choice.rule, choice.phi, AMONG)
    if networks is None:
        return
    found, missing = networks
    # The compound network is the first one: it is on screen.
    order = sorted(found, key=lambda each: each.rule != "compound")
    measured = dict(zip(order, compared([each.design for each in order], **conditions.options), strict=True))
    rivals = [_Rival(each, cached_report(each.design, convention.memory), measured[each]) for each in found]
    label = RECORDED if any(each and each.is_recorded for each in measured.values()) else HERE
    measures = [
        Measured(convention.label(quantity), symbol, [getattr(each.report, quantity) for each in rivals])
        for quantity, symbol in _SYMBOLS.items()
    ]
    latencies = [each.latency.median_ms if each.latency else None for each in rivals]
    show_chart(duel_chart(found, [*measures, Measured(label, "cross", latencies)], look()), "duel")
    caption_explained(
        "Each rule builds its largest network within the multiply-adds of the compound one at this φ. Fast "
        r"scaling is d1_w8_g8_r1 of arXiv 2103.06877: a factor $s$ in multiply-adds becomes $s^{0.1}$ in depth, "
        r"$s^{0.4}$ in width and $s^{0.05}$ in resolution. [[activation|Activations]] are the outputs of "
        "convolutions. “Measure latency” measures all networks.",
        "rules",
    )
    if missing:
        st.markdown(missing)
    table = _rival_table(rivals, label, convention)
    show_table(table, fold=f"Table: {len(rivals)} networks within one budget", key="duel_table")
    budget = cached_report(choice.design, convention.memory).macs
    grown = calculated("Growth of all rules", curves, choice.base, choice.rule, 0, 6)
    if grown is None:
        return
    show_chart(
        growth_chart(grown, budget, count(convention), look()), "growth",
        note="On accelerators, latency follows activations more closely than multiply-adds (arXiv 2103.06877, section "
        "3). Therefore fast scaling mostly increases the width. Dashed line: the budget above.",
    )  # fmt: skip


def _rival_table(rivals: Sequence[_Rival], label: str, convention: Convention) -> Table:
    budget = next(each.report.macs for each in rivals if each.contender.rule == "compound")
    columns = [
        Column("Rule", lambda each: NAMES[each.contender.rule]),
        Column("Depth multiplier", lambda each: each.contender.multipliers[0], "%.3f"),
        Column("Width multiplier", lambda each: each.contender.multipliers[1], "%.3f"),
        Column("Resolution multiplier", lambda each: each.contender.multipliers[2], "%.3f"),
        Column("Blocks", lambda each: built_body(each.contender.design)[0]),
        Column("Resolution (px)", "contender.design.resolution"),
        *count_columns(convention, ("macs",), row="report"),
        Column("Of the budget (%)", lambda each: 100 * each.report.macs / budget, "%.1f"),
        Column("Parameters", "report.params"),
        Column("Activations", "report.activations"),
        *count_columns(convention, ("memory_access", "peak_activation"), row="report"),
        Column(f"{label} (ms)", lambda each: each.latency.median_ms if each.latency else None, "%.1f"),
    ]
    return Table(rivals, columns, f"{len(rivals)} networks at equal multiply-adds with their costs")


# --- as published --------------------------------------------------------------------------------------------------


def _printed_accuracies(base: Design) -> None:
    """Show the paper's own comparison, where it has one for this network."""
    rows = printed(base)
    if not rows:
        known = "EfficientNet-B0, MobileNetV1, MobileNetV2 and ResNet-50"
        st.caption(f"The paper publishes accuracies of such a comparison for {known}, not for {base.title}.")
        return
    show_chart(printed_chart(rows, look()), "printed")
    columns = [
        Column("Published as", "variant"),
        Column("Top-1 (%)", "top1", "%.1f"),
        Column("Depth multiplier", "depth", ""),
        Column("Width multiplier", "width", ""),
        Column("Resolution (px)", "resolution"),
        Column("Multiply-adds published", lambda row: si(row.macs)),
        Column("Multiply-adds counted", lambda row: "" if row.counted is None else si(row.counted)),
        Column(
            "Published vs counted", lambda row: "" if row.counted is None else deviation(row.macs / 1e6, row.counted)
        ),
        Column("Notes", "note", width="large"),
        Column("Source", "source"),
    ]  # fmt: skip
    show_table(Table(rows, columns, f"{len(rows)} published accuracies of scaled {base.title}"))
    st.caption(
        "Hollow markers: as published. Filled markers: counted for the stated multipliers, which are rounded in the "
        "paper. The distance between the two is this rounding, and that of blocks and channels. Published figures are "
        "in multiply-adds."
    )
