"""Arithmetic intensity of a network of the zoo by kind of layer."""

from __future__ import annotations

import streamlit as st

from effviz.charts.memory.intensity import intensity_bars
from effviz.studies.guidelines.theory import intensities
from effviz.ui.convention import Convention
from effviz.ui.page_parts.memory.controls import title
from effviz.ui.page_parts.memory.theory import intensity_unit
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table


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


def intensity(network: str, table: Table, convention: Convention) -> None:
    """Show the arithmetic intensity as bars, and the table."""
    factor, per = intensity_unit(convention)
    entries = intensities(network, convention.memory)
    show_chart(intensity_bars(title(network), entries, factor, convention.compute_label, per, look()), "intensity")
    show_table(table, fold=f"Table: {len(entries)} kinds of layer", key="intensity_table")
    st.caption(f"In brackets: share of the network's memory access. {convention.text}")
