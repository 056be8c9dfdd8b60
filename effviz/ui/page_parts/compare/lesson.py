"""Definitions with the current numbers, exercises, and downloads."""

from __future__ import annotations

from functools import partial

import streamlit as st

from effviz.core.latex import number
from effviz.core.units import lower
from effviz.studies.compare.difference import factors, is_scaling
from effviz.studies.multipliers import pareto
from effviz.ui.convention import Convention
from effviz.ui.page_parts.compare.difference import terms_table
from effviz.ui.page_parts.compare.overview import networks_table
from effviz.ui.page_parts.compare.rows import View
from effviz.ui.widgets.downloads import csv_file, downloads, file_name
from effviz.ui.widgets.exercise import Exercise, exercises
from effviz.ui.widgets.formula import formula_text


def formulas(view: View, convention: Convention) -> None:
    """Show the definitions of the ratio, the front and the efficiency, with the numbers on screen."""
    own, base = view.chosen, view.base
    texts = [
        "**Pareto front** of a cost and a value: a network is on it if no other network has at most its cost and more "
        "value, or less cost and at least its value.",
        r"**Difference**: $\Delta = \sum_i \left(c_i^{\text{network}} - c_i^{\text{baseline}}\right)$ over aligned "
        "stages, or over layer kinds. A stage without a partner has the cost 0 in the other network. Stages are "
        "aligned in order, at the least cost of other names, map sizes and blocks (Needleman and Wunsch, 1970).",
    ]
    if base.counted.macs and own.counted.macs:
        ratio = own.counted.macs / base.counted.macs
        macs = [number(f"{convention.compute(row.counted.macs):,}") for row in (own, base)]
        texts.append(
            formula_text(f"Ratio of the {lower(convention.compute_label)}", r"\dfrac{c}{c_{\text{baseline}}}",
                         rf"\dfrac{{{macs[0]}}}{{{macs[1]}}}", f"{ratio:.3g}", "×")
        )  # fmt: skip
    efficiency = own.known("efficiency").value
    if efficiency is not None and own.top1.value is not None:
        millions = convention.compute(own.counted.macs) / 1e6
        texts.append(
            formula_text(f"Top-1 (%) per M {lower(convention.compute_label)}", r"\dfrac{\text{top-1}}{c / 10^6}",
                         rf"\dfrac{{{own.top1.value:g}}}{{{millions:.4g}}}",
                         f"{efficiency / convention.compute(1):.3g}")
        )  # fmt: skip
    texts.append(
        r"**Two scalings of one network**: multiply-adds grow with $d \cdot w^2 \cdot r^2$. One axis changes "
        "at a time: depth, width, resolution. The ratio of each step is split into the multiplier, the layers that "
        "do not grow with it, and rounding. The product of all factors is the ratio, exactly."
    )
    with st.container(key="formulas"):
        st.markdown("\n\n".join(texts))


def questions(view: View, convention: Convention) -> None:
    """Show exercises about the size of the front and the ratio of two networks."""
    rows = [row for row in view.rows if row.top1.value is not None and row.counted.macs]
    compute = lower(convention.compute_label)
    entries = []
    if len(rows) > 1:
        best = pareto([(row.counted.macs, row.top1.value or 0) for row in rows])
        names = ", ".join(rows[place].label for place in best)
        entries.append(Exercise(
            "front", f"{len(rows)} networks have a published top-1. How many of them are on the Pareto front of "
            f"{compute} and top-1?", "networks", len(best), f"The front: {names}.",
        ))  # fmt: skip
    own, base = view.chosen, view.base
    if view.choice.differ and base.counted.macs and own.counted.macs:
        factor = own.counted.macs / base.counted.macs
        why = f"{convention.show_compute(own.counted.macs)} against {convention.show_compute(base.counted.macs)}."
        if is_scaling(view.choice.base, view.choice.design):
            parts = [
                f"{each.axis} {float(each.built):.3g}×"
                for each in factors(view.choice.base, view.choice.design).factors
            ]
            why += f" Factors: {', '.join(parts)}."
        entries.append(Exercise(
            "ratio", f"How many times the {compute} of {base.label} does {own.label} have?", "×", factor, why,
            "{:.3g}×",
        ))  # fmt: skip
    exercises(*entries)
    if not entries:
        st.caption("Choose two networks first.")


def files(view: View, convention: Convention) -> None:
    """Show the downloads: the table, and the terms of the difference."""
    stem = file_name("effviz", "compare", f"{len(view.rows)}-networks")
    found = [csv_file("Networks", partial(networks_table, view, convention), stem, convention.text)]
    if view.choice.differ:
        two = file_name("effviz", "difference", *view.choice.names)
        found.append(csv_file("Difference", partial(terms_table, view, convention), two, convention.text))
    downloads(*found)
