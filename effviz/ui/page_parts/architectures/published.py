"""Published figures of the network on screen, with their sources and differences."""

from __future__ import annotations

import streamlit as st

from effviz.core.resolution import in_pixels
from effviz.core.units import exact
from effviz.studies.printed_figures import printed_figures
from effviz.ui.page_parts.architectures.controls import Choice
from effviz.ui.widgets.tables import Column, Table, show_table

COLUMNS = (
    Column("Printed as", "variant"),
    Column("Parameters", lambda each: _millions(each.params)),
    Column("Parameters vs exact", "params_deviation", width=100),
    Column("Multiply-adds", lambda each: _millions(each.macs)),
    Column("Multiply-adds vs exact", "macs_deviation", width=100),
    Column("Top-1 (%)", lambda each: "" if each.top1 is None else f"{each.top1:g}"),
    Column("Notes", "notes", width="large"),
    Column("Source", "source", width="large"),
)


def _millions(value: float | None) -> str:
    return "" if value is None else f"{round(value, 6):,g} M"


def published(choice: Choice) -> None:
    """Show the figures that papers and libraries print for this network at these multipliers."""
    found = printed_figures(choice.design, choice.baseline, choice.width, choice.depth, choice.groups)
    title, design = choice.baseline.title, choice.design
    if found.here:
        alt = f"{len(found.here)} printed figures for {title} with their sources"
        show_table(Table(found.here, COLUMNS, alt), key="published", height=320)
    else:
        elsewhere = f"There are some at {', '.join(found.resolutions)} px." if found.resolutions else ""
        st.markdown(
            f"No printed figures for {title} at width {choice.width:g}, depth {choice.depth:g} and "
            f"{in_pixels(design.resolution)}. {elsewhere}"
        )
    channels = f" and {choice.baseline.in_channels} input channels" if design.in_channels != 3 else ""
    st.caption(
        f"Table: {design.source}. Exact, with {exact(found.classes)} classes{channels}: {exact(found.exact.params)} "
        f"parameters, {exact(found.exact.macs)} multiply-adds. Figures are shown as printed; many sources print "
        "multiply-adds under the name FLOPs."
    )
    if design.notes:
        st.markdown("\n".join(f"- {note}" for note in design.notes))
