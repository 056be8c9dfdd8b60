"""The law of width and depth with the current numbers, the closeness to the budget, exercises, and downloads."""

from __future__ import annotations

import math
from dataclasses import replace

import streamlit as st

from effviz.core.resolution import halved, in_pixels
from effviz.core.units import lower, percent
from effviz.studies.equal_budget import BudgetDesign, ratios, tried_width, widened
from effviz.studies.width_depth.designs import shares
from effviz.ui.convention import Convention
from effviz.ui.page_parts.width_depth.comparison import View, budget_text, design_table, widths_text
from effviz.ui.widgets.downloads import csv_file, downloads, file_name, json_file
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import formula_text
from effviz.ui.widgets.tables import Column, Table, show_table


def formulas(view: View, convention: Convention) -> None:
    """Show the law, the law with the current numbers, and where it fails."""
    size, pixels = (
        (r"h \times h", "h^2") if isinstance(view.options.resolution, int) else (r"h_1 \times h_2", "h_1 h_2")
    )
    texts = [
        f"**Law** of a stage with $d$ blocks of width $w$ on an ${size}$ map, for convolutions of all channels.  \n"
        rf"$\text{{multiply-adds}} \propto d \cdot w^2 \cdot {pixels}$  " "\n"
        r"$\text{parameters} \propto d \cdot w^2$  " "\n"
        rf"$\text{{activations}} \propto d \cdot w \cdot {pixels}$",
        r"At equal multiply-adds, $w \propto 1 / \sqrt{d}$. By this law, the parameters do not change, and "
        r"$\text{activations} \propto \sqrt{d}$.",
    ]  # fmt: skip
    if view.formula_design is not None:
        texts += _compared(view.formula_design, view.designs.base)
    texts.append(f"**Where the law fails**, {view.chosen.name}:\n{_failures(view.chosen, convention)}")
    with st.container(key="formulas"):
        st.markdown("\n\n".join(texts))


def closeness(view: View, convention: Convention) -> None:
    """Show how closely the designs meet the budget."""
    st.markdown(f"**How closely the budget of {budget_text(view.designs.budget, convention)} is met**")
    show_table(closeness_table(view, convention))
    st.caption(
        f"Widths are rounded ({_rounding(view.chosen)}), so the multiply-adds are a staircase over the width "
        "multiplier. The staircase is bisected by building networks. The design is the highest step within the budget, "
        "and the next step exceeds it. Of all multipliers that build the same network, the table shows one with the "
        f"fewest digits."
    )


def _compared(chosen: BudgetDesign, other: BudgetDesign) -> list[str]:
    found = ratios(chosen, other)
    symbols, numbers = r"\dfrac{d}{d_0}", rf"\dfrac{{{len(chosen.blocks)}}}{{{len(other.blocks)}}}"
    law = math.sqrt(found.blocks)
    return [
        formula_text(f"{chosen.name} relative to {other.name}: widths",
                     rf"\sqrt{{1 / {symbols}}}", rf"\sqrt{{1 / {numbers}}}", f"{1 / law:.3f}",
                     f"by the law, **{found.widths:.3f}** built"),
        formula_text("Activations", rf"\sqrt{{{symbols}}}", rf"\sqrt{{{numbers}}}", f"{law:.3f}",
                     f"by the law, **{found.activations:.3f}** built"),
        formula_text("Parameters", "", "", "1", f"by the law, **{found.params:.3f}** built"),
    ]  # fmt: skip


def _failures(chosen: BudgetDesign, convention: Convention) -> str:
    macs, params = shares(chosen.design, "macs"), shares(chosen.design, "params")
    label = lower(convention.compute_label)
    lines = [
        f"- Stem, head and classifier exist once at any depth: {percent(macs.outside)} of the {label}, "
        f"{percent(params.outside)} of the parameters.",
        f"- So does the first block of each stage, which halves the map or widens: {percent(macs.first)} of the "
        f"{label}.",
    ]
    if macs.depthwise:
        lines.append(f"- Depthwise convolutions grow with $w$, not $w^2$: {percent(macs.depthwise)} of the {label}.")
    lines.append(f"- Rounding leaves {percent(chosen.fit.gap)} of the budget.")
    return "\n".join(lines)


def _rounding(chosen: BudgetDesign) -> str:
    rule = chosen.design.width_rule
    if rule.source:
        return f"the family's rule, {rule.source}"
    return f"to multiples of {rule.divisor}, at most 10 % down"


def closeness_table(view: View, convention: Convention) -> Table:
    """Make the table of what remains of the budget, and of the cost of the next wider network."""
    columns = [
        Column("Design", "name"),
        Column("Multiplier", "design.width_mult", ""),
        Column("Stage widths", widths_text),
        Column(convention.heading("macs"), lambda each: convention.compute(each.fit.macs)),
        *closeness_columns(convention),
    ]
    variants = view.designs.variants
    alt = f"{len(variants)} designs with their width multiplier, the rest of the budget, and the next step"
    return Table(variants, columns, alt)


def closeness_columns(convention: Convention) -> list[Column]:
    """Make the columns that the table of the designs does not have."""

    def above(variant: BudgetDesign) -> int | None:
        macs = variant.fit.macs_above
        return None if macs is None else convention.compute(macs)

    def excess(variant: BudgetDesign) -> float | None:
        return None if variant.fit.excess is None else 100 * variant.fit.excess

    return [
        Column("Left (%)", lambda each: 100 * each.fit.gap),
        Column("Next step", _next_step),
        Column(f"Next step, {lower(convention.compute_label)}", above),
        Column("Over (%)", excess),
    ]


def _next_step(variant: BudgetDesign) -> str:
    if variant.fit.above is None:
        return "none can be built"
    stages = widened(variant.fit)
    return ", ".join(f"{stage} {channels}" for stage, channels in stages.items()) or "inside the blocks"


def show_exercises(view: View) -> None:
    """Show two predictions about designs that are not on screen."""
    designs, half = view.designs, halved(view.options.resolution)
    base = designs.base.name
    exercises(
        Exercise(
            "three", f"{base} gets three times the blocks, within the same budget. By what factor do its stages become "
            "narrower?", "×", lambda: 1 / tried_width(designs, depth_mult=3.0),
            "The law promises √3 = 1.73. Layers that do not grow with d·w² and rounding change the factor.",
        ),
        Exercise(
            "half", f"{base} gets half the resolution, {in_pixels(half)}, with the same blocks and budget. By what "
            "factor do its stages become wider?", "×", lambda: tried_width(designs, resolution=half),
            "The maps have a quarter of the pixels, which allows four times w², or twice the width. Layers that "
            "grow with w alone leave more room, a classifier leaves less.",
        ),
    )  # fmt: skip


def files(view: View, convention: Convention) -> None:
    """Show the downloads."""
    options, chosen = view.options, view.chosen
    stem = file_name("effviz", "width-depth", options.source, f"{options.macs // 1_000_000}M")
    budget = budget_text(options.macs, convention)
    note = f"{chosen.design.title}, {in_pixels(options.resolution)}, budget {budget}. {convention.text}"
    table = design_table(view, convention)
    everything = replace(table, columns=[*table.columns, *closeness_columns(convention)])
    downloads(
        csv_file("Designs", everything, stem, note),
        json_file(chosen.design, file_name(stem, chosen.name), chosen.name, key="design_json"),
    )
