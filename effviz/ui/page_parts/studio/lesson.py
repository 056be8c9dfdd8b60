"""Chart, formulas and exercises of the Studio page."""

from __future__ import annotations

import re

import streamlit as st

from effviz.charts.architectures import stage_costs
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.latex import number, words
from effviz.core.resolution import halved, in_pixels, size_text
from effviz.core.text import plotly_text
from effviz.core.units import exact, lower
from effviz.count.report import Report
from effviz.model.layers import elements
from effviz.studies.studio import largest_layer, row_totals, scaled_report
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, missing, select
from effviz.ui.widgets import exercise
from effviz.ui.widgets.charts import Click, kind_legend, show_chart, stage_measures
from effviz.ui.widgets.counters import other_counters
from effviz.ui.widgets.exercise import Exercise
from effviz.ui.widgets.formula import formula_text
from effviz.ui.widgets.frame import look, notice

_PLAIN = re.compile(r"[\w .-]{1,20}", re.ASCII)
_TERMS = 24


def costs(here: Bench, convention: Convention) -> None:
    """Show the costs by stage."""
    if here.report is not None:
        legend = kind_legend(kind for _, kind in here.report.sums)
        draft = here.draft

        def chosen(mark: Click) -> None:
            row = next((place for place, row in enumerate(draft.rows) if plotly_text(row.name) == mark.x), None)
            if row is not None:
                select(row)

        show_chart(_stages(here.report, convention, look()), "stages", legend=legend, on_click=chosen)


def counted_elsewhere(here: Bench, convention: Convention) -> None:
    """Show what other counters print for the network."""
    if here.report is None:
        missing(here)
    else:
        other_counters(here.report, convention)


@remembered
def _stages(report: Report, convention: Convention, look: Appearance) -> Chart:
    return stage_costs(report.sums, stage_measures(convention), look)


def formulas(here: Bench, convention: Convention) -> None:
    """Show the sums behind the totals, and the layer with the peak."""
    report = here.report
    if report is None:
        missing(here)
        return
    rows = [(report.design.stages[row].name, each) for row, each in row_totals(report.design).items()]
    factor = convention.factor("macs")
    peak = largest_layer(report)
    step = report.steps[report.rows.index(peak)]
    shapes = {tensor.storage: tensor.shape for tensor in (*step.inputs, step.output)}
    tensors = [convention.size(elements(shape)) for shape in shapes.values()]
    rest = convention.size(peak.alive) - sum(tensors)
    texts = [
        formula_text(
            "Parameters", r"\sum_{\text{rows}} \text{parameters}",
            _sum([(name, each.params) for name, each in rows]), report.params,
        ),
        formula_text(
            convention.compute_label, rf"\sum_{{\text{{rows}}}} {words(lower(convention.compute_label))}",
            _sum([(name, each.macs * factor) for name, each in rows]), report.macs * factor,
        ),
        formula_text(
            "Peak activations", r"\max_{\text{layers}} (\text{input} + \text{output} + \text{needed later})",
            " + ".join(number(exact(each)) for each in (*tensors, rest)), convention.size(peak.alive),
            convention.memory_unit,
        ),
    ]  # fmt: skip
    st.markdown("\n\n".join(texts))
    notice(f"The peak is at {peak.path}, with the input {peak.input_shape} and the output {peak.output_shape}.")


def _sum(terms: list[tuple[str, int]]) -> str:
    """Write a sum with the name of the row under each number; rows of a long table are left out in the middle.

    A name that may be markup, or is long, is replaced by the number of the row.
    """
    named = [
        rf"\underset{{{words(name if _PLAIN.fullmatch(name) else f'row {row}')}}}{{{number(exact(value))}}}"
        for row, (name, value) in enumerate(terms, 1)
        if value
    ]
    if len(named) > _TERMS:
        named[_TERMS // 2 : -_TERMS // 2] = [r"\dots"]
    return " + ".join(named) or "0"


def exercises(here: Bench, convention: Convention) -> None:
    """Show two predictions about the network."""
    report = here.report
    if report is None or not here.is_whole:
        missing(here)
        return
    label, half = lower(convention.compute_label), halved(report.resolution)
    small, wide = scaled_report(report.design, resolution=half), scaled_report(report.design, width_mult=2)
    entries: list[Exercise | None] = [None, None]
    if small is not None:
        entries[0] = Exercise(
            "half",
            f"The resolution is reduced from {size_text(report.resolution)} to {in_pixels(half)}. What percentage of "
            f"the {label} remains?",
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
