"""Headline cards, the two charts and the table of the designs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from effviz.charts.style import Chart
from effviz.charts.width_depth import (
    DesignMeasure,
    DrawnDesign,
    compared,
    finding,
    is_equal,
    multiples_chart,
    shapes_chart,
)
from effviz.core.caches import remembered
from effviz.core.units import lower, milliseconds, percent
from effviz.measure.latency import Latency
from effviz.studies.equal_budget import BudgetDesign, Designs, at_depths
from effviz.studies.width_depth.designs import KINDS
from effviz.ui.convention import Convention
from effviz.ui.page_parts.width_depth.controls import Options
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.cards import count_card, report_cards, show_cards
from effviz.ui.widgets.charts import chart_row
from effviz.ui.widgets.frame import heading, look
from effviz.ui.widgets.live_latency import Conditions, Reading
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table

_COARSE = 0.05  # of the budget


@dataclass(frozen=True)
class View:
    """The designs on screen.

    Attributes:
        options: settings of the sidebar.
        designs: from wide to deep.
        chosen: the design on the cards.
        reading: latency of the chosen design.
        latencies: measured here, by the name of the design; None where not measured.
    """

    options: Options
    designs: Designs
    chosen: BudgetDesign
    reading: Reading
    latencies: Mapping[str, Latency | None]

    @property
    def formula_design(self) -> BudgetDesign | None:
        """The design that the formulas compare with the baseline: as on the cards, or as in the title."""
        base, variants = self.designs.base, self.designs.variants
        found = variants[compared(variants, variants.index(base))] if self.chosen is base else self.chosen
        return None if found is base else found


@remembered
def fitted(options: Options, memory: str) -> Designs:
    """Fit the designs to the budget, or return those of an earlier visitor."""
    return at_depths(options.design, options.macs, options.count, options.factor, memory)


def read(options: Options, designs: Designs, chosen: BudgetDesign, asked: Conditions) -> View:
    """Look up the latency of every design, and measure those that are requested."""
    others = [each for each in designs.variants if each is not chosen]
    others.sort(key=lambda each: each is not designs.reference(chosen))
    reading = live.read(chosen.design, [each.design for each in others], asked)
    known = dict(zip((each.name for each in (chosen, *others)), reading.shown, strict=True))
    return View(options, designs, chosen, reading, known)


def budget_text(macs: int, convention: Convention) -> str:
    """Format the budget with its unit."""
    return f"{convention.show_compute(macs)} {lower(convention.compute_label)}"


def none_fits(designs: Designs, convention: Convention) -> None:
    """Explain why there is no design at all."""
    st.subheader(f"No design is within {budget_text(designs.budget, convention)}", anchor=False)
    st.markdown("\n".join(f"- {why}" for why in left_out(designs, convention)))


def left_out(designs: Designs, convention: Convention) -> list[str]:
    """Explain each missing depth in a sentence."""
    return [
        f"{each.name}: {each.why}."
        if each.least is None
        else f"{each.name}: its narrowest network has {convention.show_compute(each.least)}."
        for each in designs.left_out
    ]


def headline(view: View, convention: Convention) -> None:
    """Show the cards of the chosen design, relative to the same one as in the charts."""
    chosen, base, reading = view.chosen, view.designs.base, view.reading
    is_base = chosen is base
    against, depth = ("", _depth(chosen)) if is_base else (base.name, "")
    if is_base:
        reading = replace(reading, others=(), shown=reading.shown[:1])
    cards = report_cards(
        convention, chosen.report, None if is_base else base.report, against=against, below={"params": depth},
        quantities=("params", "macs", "activations", "memory_access"),
    )  # fmt: skip
    fit = chosen.fit
    cards[1] = count_card(
        convention, "macs", fit.macs, below=f"{percent(fit.gap)} under {convention.show_compute(fit.budget)}",
        note=f"Budget: {convention.exact('macs', fit.budget)}.",
    )  # fmt: skip
    show_cards([*cards, live.card(reading, against)])


# --- charts --------------------------------------------------------------------------------------------------------


def comparison(view: View, convention: Convention) -> None:
    """Show the designs to one scale, and their costs relative to one another."""
    designs, chosen = view.designs, view.chosen
    drawn = [_built(each) for each in designs.variants]
    quantities = _quantities(view, convention)
    title = _title(view, drawn, quantities, convention)
    heading(title)
    # The title says that the multiply-adds are equal.
    rows = [each for name, each in quantities.items() if name != "macs" or not is_equal(each)]
    charts: dict[str, Chart] = {
        "shapes": shapes_chart(drawn, chosen.name, look()),
        "multiples": multiples_chart(drawn, rows, _base(view), chosen.name, title, look()),
    }
    chart_row(charts, heading="none", gap="medium")
    if notes := _notes(view, convention):
        st.caption(" ".join(notes))


def _base(view: View) -> int:
    return view.designs.variants.index(view.designs.base)


def _quantities(view: View, convention: Convention) -> dict[str, DesignMeasure]:
    variants = view.designs.variants
    found: dict[str, DesignMeasure] = {}
    for name in ("activations", "memory_access", "peak_activation", "params", "macs"):
        values = [getattr(each.report, name) for each in variants]
        found[name] = DesignMeasure(
            convention.label(name), [convention.value(name, value) for value in values],
            [convention.show(name, value) for value in values],
        )  # fmt: skip
    times = [view.latencies[each.name] for each in variants]
    found["latency"] = DesignMeasure(
        view.reading.label, [each.median_ms if each else None for each in times],
        [milliseconds(each.median_ms) if each else "not measured" for each in times],
    )  # fmt: skip
    return found


def _title(
    view: View, drawn: list[DrawnDesign], quantities: Mapping[str, DesignMeasure], convention: Convention
) -> str:
    variants, base = view.designs.variants, _base(view)
    ends = [view.latencies[variants[place].name] for place in (base, compared(drawn, base))]
    listed = [quantities[name] for name in ("activations", "latency" if all(ends) else "params", "peak_activation")]
    if all(ends) and any(each and each.noisy for each in ends):
        listed[1] = listed[1]._replace(label=f"{listed[1].label} (noisy)")
    return finding(drawn, base, listed, quantities["macs"], budget_text(view.designs.budget, convention))


def _built(variant: BudgetDesign) -> DrawnDesign:
    return DrawnDesign(
        variant.name, f"{_depth(variant)}: {_listed(list(variant.widths.values()))}",
        [entry.channels for entry in variant.blocks], [entry.stage for entry in variant.blocks],
    )  # fmt: skip


def _depth(variant: BudgetDesign) -> str:
    stages = len(variant.widths)
    each = len(variant.blocks) / stages
    if stages != 4 or not each.is_integer():
        return f"{len(variant.blocks)} blocks"
    return f"{each:g} blocks per stage" if each > 1 else "1 block per stage"


def _listed(widths: list[int]) -> str:
    if len(widths) <= 5:
        return " · ".join(map(str, widths))
    return f"{widths[0]} … {widths[len(widths) // 2]} … {widths[-1]}"


def _notes(view: View, convention: Convention) -> list[str]:
    notes = []
    worst = max(view.designs.variants, key=lambda each: each.fit.gap)
    if worst.fit.gap > _COARSE:
        why = "its next wider network exceeds it." if worst.fit.above else "no wider network can be built."
        notes.append(f"{worst.name} leaves {percent(worst.fit.gap)} of the budget: {why}")
        divisor = view.options.divisor
        if worst.fit.above and view.options.source in KINDS and divisor > 1:
            notes.append(f"Widths are coarse here, because they are multiples of {divisor}. Choose a smaller divisor.")
    return [*notes, *(f"Left out: {why}" for why in left_out(view.designs, convention))]


# --- table ---------------------------------------------------------------------------------------------------------


def widths_text(variant: BudgetDesign) -> str:
    """List the widths of the stages: ``16 · 24 · 40``."""
    return " · ".join(map(str, variant.widths.values()))


def designs(view: View, convention: Convention) -> None:
    """Show the widths and costs of the designs."""
    show_table(design_table(view, convention), key="designs_table")


def design_table(view: View, convention: Convention) -> Table:
    """Make the table of the designs with their widths and costs."""

    def latency(variant: BudgetDesign) -> float | None:
        known = view.latencies[variant.name]
        return known.median_ms if known else None

    columns = [
        Column("Design", "name"),
        Column("Blocks", lambda each: len(each.blocks)),
        Column("Width multiplier", "design.width_mult", ""),
        Column("Stage widths", widths_text),
        *count_columns(
            convention, ("params", "macs", "activations", "memory_access", "peak_activation"), row="report"
        ),
        Column("Latency (ms)", latency),
    ]  # fmt: skip
    variants = view.designs.variants
    return Table(variants, columns, f"{len(variants)} designs with their widths and costs")
