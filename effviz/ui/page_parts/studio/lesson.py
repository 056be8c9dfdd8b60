"""Formulas and exercises of the Studio page."""

from __future__ import annotations

import html

import streamlit as st

from effviz.core.units import exact, lower
from effviz.count.report import Report
from effviz.studies.studio import row_totals, scaled_report
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench
from effviz.ui.widgets import exercise
from effviz.ui.widgets.exercise import Exercise
from effviz.ui.widgets.formula import formula_heading


def formulas(report: Report, convention: Convention) -> None:
    """Show the sums behind the totals, and the layer with the peak."""
    formula_heading()
    rows = [(report.design.stages[row].name, each) for row, each in row_totals(report.design).items()]
    factor = convention.factor("macs")
    peak = report.table.loc[report.table["alive"].idxmax()]
    path, shapes = str(peak["path"]), f"{peak['input_shape']} and {peak['output_shape']}"
    st.html(
        "<p><strong>Parameters</strong> = sum over the rows = "
        f"{_sum([(name, each.params) for name, each in rows])} = <strong>{exact(report.params)}</strong></p>"
        f"<p><strong>{convention.compute_label}</strong> = sum over the rows = "
        f"{_sum([(name, each.macs * factor) for name, each in rows])} = "
        f"<strong>{exact(report.macs * factor)}</strong></p>"
        f"<p><strong>Peak activations</strong> = largest set of live tensors, at {html.escape(path)}: its input and "
        f"output, {html.escape(shapes)}, and the tensors that later layers need = "
        f"<strong>{exact(convention.size(int(peak['alive'])))}</strong> {convention.memory_unit}</p>"
    )
    st.caption(convention.text)


def _sum(terms: list[tuple[str, int]]) -> str:
    return " + ".join(f"{exact(value)} ({html.escape(name)})" for name, value in terms if value) or "0"


def exercises(here: Bench, report: Report, convention: Convention) -> None:
    """Show two predictions about the network."""
    if here.checked.fault is not None:
        return
    label, side, half = lower(convention.compute_label), report.resolution, max(1, report.resolution // 2)
    small, wide = scaled_report(report.design, resolution=half), scaled_report(report.design, width_mult=2)
    entries: list[Exercise | None] = [None, None]
    if small is not None:
        entries[0] = Exercise(
            f"half_{side}",
            f"The resolution is reduced from {side} to {half} px. What percentage of the {label} remains?",
            "%",
            100 * small.macs / report.macs,
            "The cost of a convolution is proportional to the area of its map. Linear layers and the 1×1 layers of "
            "squeeze-and-excitation do not depend on it.",
        )
    if wide is not None:
        entries[1] = Exercise(
            "twice",
            "All scaled widths are doubled. By what factor do the parameters grow?",
            "×",
            wide.params / report.params,
            "A convolution between two scaled widths has four times the weights, a depthwise one twice as many. Fixed "
            "widths, such as the number of classes, do not change.",
        )
    exercise.exercises(*entries)
