"""Views of the draft on the Studio page: the diagram and the layers of the selected row, and activations over time."""

from __future__ import annotations

import streamlit as st

from effviz.advice.budgets import DTYPES, Budget
from effviz.charts.architectures import activation_timeline
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.count.report import Report
from effviz.studies.studio import layers_of, row_of
from effviz.ui import inputs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio.draft import Bench, missing, select
from effviz.ui.page_parts.studio.limits import Limits
from effviz.ui.widgets.charts import Click, alive_measure, show_chart
from effviz.ui.widgets.diagram import diagram
from effviz.ui.widgets.frame import look, notice
from effviz.ui.widgets.layers import layer_table
from effviz.ui.widgets.tables import show_table

DRAWN = "drawn"
_ROW, _WHOLE, _BLOCKS = "Selected row", "Whole draft, by stage", "Whole draft, by block"
_DEPTHS = {_WHOLE: "stages", _BLOCKS: "blocks"}


def structure(here: Bench, convention: Convention) -> None:
    """Show the layers of the selected row, and a diagram of its first block or of the whole draft."""
    report = here.report
    chosen = inputs.switch("Diagram of", [_ROW, *_DEPTHS], DRAWN, default=_ROW)
    if report is None:
        missing(here)
        return
    path = next((entry.path for entry in report.blocks if entry.row == here.row), None)
    if chosen == _ROW and path is None:
        notice(f"Row {here.row + 1} is not built.")
        return
    diagram(report, _DEPTHS.get(chosen) or str(path), place="_studio")
    if path is not None:
        layers = layers_of(report, here.row)
        st.markdown(f"**Layers of row {here.row + 1}**")
        show_table(
            layer_table(layers, convention, f"{len(layers)} layers of row {here.row + 1} with shapes and costs"),
            height=400,
        )


def activations(here: Bench, chosen: Limits, convention: Convention) -> None:
    """Show the live activations while each layer runs, with the limit; a click selects the row of the layer."""
    report = here.report
    if report is None:
        missing(here)
        return
    limit = next((each for each in chosen.budgets if each.quantity == "peak_activation"), None)

    def select_row(mark: Click) -> None:
        place = int(mark.x) - 1
        row = row_of(report, report.running[place].path) if 0 <= place < len(report.running) else None
        if row is not None:
            select(row)

    note = f"Bars: row {here.row + 1}. A click selects the row of a layer. Fused network, batch 1."
    chart = _timeline(report, here.row, limit, convention, look())
    show_chart(chart, "timeline", note=note, on_click=select_row)


@remembered
def _timeline(report: Report, row: int, limit: Budget | None, convention: Convention, look: Appearance) -> Chart:
    measure, paths = alive_measure(convention), {layer.path for layer in layers_of(report, row)}
    selected = [place for place, layer in enumerate(report.running) if layer.path in paths]
    most = None
    if limit is not None:
        most = limit.limit / DTYPES[limit.dtype] * convention.factor("alive"), f"{limit.text} {limit.dtype}"
    return activation_timeline(report.running, measure, look, most, selected)
