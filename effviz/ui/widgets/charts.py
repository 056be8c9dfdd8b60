"""Charts on a page: under their finding, with alt text, and one legend of layer kinds for all of them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Literal

import streamlit as st

from effviz.charts.architectures import Measure
from effviz.charts.style import KIND_COLORS, Chart
from effviz.core.units import si
from effviz.ui.convention import QUANTITIES, Convention

_CONFIG = {"displayModeBar": False, "displaylogo": False}
Heading = Literal["subheader", "bold", "none"]


def show_chart(chart: Chart, key: str, *, heading: Heading = "subheader", note: str = "") -> None:
    """Show a chart with its title as a heading and a caption `note`.

    Example:
        >>> show_chart(stage_costs(report.table, stage_measures(convention), look()), "stages")
    """
    if heading == "subheader":
        st.subheader(chart.title, anchor=False)
    elif heading == "bold":
        st.markdown(f"**{chart.title}**")
    st.plotly_chart(chart.figure, key=key, theme=None, alt=chart.alt, config=_CONFIG)
    if note:
        st.caption(note)


def chart_row(
    charts: Mapping[str, Chart], *, heading: Heading = "subheader", gap: Literal["small", "medium", "large"] = "large"
) -> None:
    """Show charts next to one another; the keys of the mapping are their keys on the page.

    Example:
        >>> chart_row({"kinds": kind_shares(...), "timeline": activation_timeline(...)})
    """
    for column, (key, chart) in zip(st.columns(len(charts), gap=gap), charts.items(), strict=True):
        with column:
            show_chart(chart, key, heading=heading)


def kind_legend(kinds: Iterable[str], ghost: str = "") -> None:
    """Show the colors of the layer kinds on this page, once, in the order of the charts.

    Args:
        kinds: kinds that the charts show, with repetitions.
        ghost: name of the baseline that the charts mark; empty for none.
    """
    present = set(kinds)
    entries = [
        f'<span class="kind"><i style="background:{color}"></i>{kind}</span>'
        for kind, color in KIND_COLORS.items()
        if kind in present
    ]
    if ghost:
        entries.append(f'<span class="kind"><b></b>{html.escape(ghost)}</span>')
    st.html(f'<div class="kinds">{"".join(entries)}</div>')


def stage_measures(convention: Convention) -> list[Measure]:
    """Make the panels of the cost charts."""
    return [_measure(convention, quantity) for quantity in ("params", "macs", "memory_access")]


def alive_measure(convention: Convention) -> Measure:
    """Make the axis of the activation timeline."""
    return _measure(convention, "alive", f"Activations alive ({convention.memory_unit})")


def _measure(convention: Convention, quantity: str, label: str = "") -> Measure:
    show = convention.show_amount if QUANTITIES[quantity].unit == "memory" else si
    return Measure(quantity, label or convention.label(quantity), convention.factor(quantity), show)
