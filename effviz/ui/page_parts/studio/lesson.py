"""How the studio's totals come about, and two predictions about the network in hand."""

from __future__ import annotations

import html

import streamlit as st

import effviz
from effviz.core.errors import DesignError
from effviz.core.units import exact, lower
from effviz.count.report import Report
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, row_costs
from effviz.ui.widgets import parts


def formulas(here: Bench, report: Report, convention: Convention) -> None:
    """How totals come about, and where the peak is."""
    st.subheader("How this is computed", anchor=False)
    table = report.table
    by_row = row_costs(report.design)
    names = [report.design.stages[row].name for row in by_row]
    factor = convention.compute(1)
    peak = table.loc[table["alive"].idxmax()]
    alive = exact(convention.size(int(peak["alive"])))
    st.html(
        "<p><strong>Parameters</strong> = sum over the rows = "
        f"{_sum(names, [params for params, _ in by_row.values()])} = <strong>{exact(report.params)}</strong></p>"
        f"<p><strong>{convention.compute_label}</strong> = sum over the rows = "
        f"{_sum(names, [macs * factor for _, macs in by_row.values()])} = "
        f"<strong>{exact(convention.compute(report.macs))}</strong></p>"
        f"<p><strong>Peak activations</strong> = most that is alive at once, at {html.escape(str(peak['path']))}: its "
        f"input and output, {html.escape(str(peak['input_shape']))} and {html.escape(str(peak['output_shape']))}, and "
        f"what a later layer still needs = <strong>{alive}</strong> {convention.memory_unit}</p>"
    )
    st.caption(convention.text)


def _sum(names: list[str], values: list[int]) -> str:
    terms = [f"{exact(value)} ({html.escape(name)})" for name, value in zip(names, values, strict=True) if value]
    return " + ".join(terms) or "0"


def exercises(here: Bench, report: Report, convention: Convention) -> None:
    """Two predictions about the network in hand."""
    if here.checked.fault is not None:
        return
    st.subheader("Try this", anchor=False)
    left, right = st.columns(2)
    label = lower(convention.compute_label)
    half = _counted(report.design, resolution=max(1, report.resolution // 2))
    if half is not None:
        with left:
            parts.exercise(
                f"half_{report.design.resolution}",
                f"{report.resolution // 2} px instead of {report.resolution}: what is left of the {label}?",
                "%", 100 * half.macs / report.macs,
                "Convolutions follow the area of their map; linear layers and the 1x1 layers of "
                "squeeze-and-excitation do not.",
                show=lambda value: f"{value:.1f} %",
            )  # fmt: skip
    wide = _counted(report.design.scaled(width_mult=2))
    if wide is not None:
        with right:
            parts.exercise(
                "twice", "Every scaled width doubled: by how much do the parameters grow?", "x",
                wide.params / report.params,
                "A convolution between two scaled widths has four times the weights, a depthwise one twice; widths "
                "that stay, such as the classes, keep their side.",
                show=lambda value: f"x{value:.2f}",
            )  # fmt: skip


def _counted(design: effviz.Design, resolution: int | None = None) -> Report | None:
    try:
        found = effviz.analyze(design, resolution)
    except DesignError:
        return None
    return found if found.macs and found.params else None
