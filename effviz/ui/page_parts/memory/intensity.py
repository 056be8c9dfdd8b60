"""Arithmetic intensity of a network of the zoo by kind of layer."""

from __future__ import annotations

import streamlit as st

from effviz.charts.memory.intensity import intensity_bars
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.studies.guidelines.theory import intensities
from effviz.ui import inputs
from effviz.ui.convention import Convention
from effviz.ui.page_parts.memory.theory import intensity_unit
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.downloads import csv_file, downloads, file_name
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table
from effviz.zoo import ARCHITECTURES, architecture


def _title(network: str) -> str:
    return architecture(network).title


def intensity_table(network: str, convention: Convention) -> Table:
    """Make the table of multiply-adds per element or byte, by kind of layer."""
    factor, per = intensity_unit(convention)
    rows = intensities(network, convention.memory)
    columns = [
        Column("Kind", "kind"),
        Column(f"{convention.compute_label} per {per}", lambda row: row.per_element * factor),
        *count_columns(convention, ("macs", "memory_access")),
        Column("Share of memory access (%)", lambda row: 100 * row.share),
    ]
    return Table(rows, columns, f"{len(rows)} kinds of layer with multiply-adds and memory access")


@remembered
def _chart(network: str, convention: Convention, look: Appearance) -> Chart:
    factor, per = intensity_unit(convention)
    entries = intensities(network, convention.memory)
    return intensity_bars(_title(network), entries, factor, convention.compute_label, per, look)


def intensity(convention: Convention) -> None:
    """Show the arithmetic intensity of the chosen network as bars, and the table with its download."""
    network = inputs.choice(
        "Network", list(ARCHITECTURES), "net", default="mobilenet_v2", format_func=_title, width=280
    )
    show_chart(_chart(network, convention, look()), "intensity")
    table = intensity_table(network, convention)
    show_table(table, fold=f"Table: {len(table.rows)} kinds of layer", key="intensity_table")
    st.caption("In brackets: share of the network's memory access.")
    note = f"Arithmetic intensity of {_title(network)}. {convention.text}"
    downloads(csv_file("Intensity", table, file_name("effviz", network, "intensity"), note))
