"""Charts on a page: under their finding, with alt text, and one legend of layer kinds for all of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import streamlit as st
from orjson import dumps

from effviz.charts.architectures import Measure
from effviz.charts.style import KIND_COLORS, Chart
from effviz.core.caches import remembered
from effviz.core.units import si
from effviz.ui import playing, runs
from effviz.ui.convention import QUANTITIES, Convention
from effviz.ui.widgets.component import component

_ELEMENTS = (
    '<figure><div class="kinds"></div><h3></h3><div class="chart"></div>'
    "<figcaption><span></span> <details hidden><summary>More</summary><p></p></details></figcaption></figure>"
)
_LARGE = 4_000
Heading = Literal["subheader", "bold", "none"]


class Click(NamedTuple):
    """The mark of a chart that a visitor clicked."""

    x: Any  # its position, as in the trace
    y: Any
    detail: Any  # its customdata


def show_chart(
    chart: Chart, key: str, *, heading: Heading = "subheader", note: str = "", legend: Sequence[Sequence[str]] = (),
    on_click: Callable[[Click], None] | None = None,
) -> None:  # fmt: skip
    """Show a chart with its title as a heading, a caption `note`, and above it a legend from `kind_legend`.

    The lines of `note` after the first one are shown on request.

    `on_click` is called before the page is drawn again. It selects what a control of the page selects too: a chart
    cannot be used from the keyboard.

    Example:
        >>> show_chart(stage_costs(report.table, stage_measures(convention), look()), "stages")
    """
    if playing.conceals(key):
        return
    draw = component("chart", _ELEMENTS, "plotly.min.js")
    texts = dumps(heading), dumps(note), dumps(legend), dumps(on_click is not None)
    data = _packed(b'{"heading":%b,"note":%b,"legend":%b,"clickable":%b,"figure":%b}' % (*texts, chart.json))
    if on_click is None:
        draw(key=key, data=data)
        return
    act = on_click

    def clicked() -> None:
        mark = st.session_state[key].get("click")
        if mark and not runs.is_poll():
            act(Click(mark.get("x"), mark.get("y"), mark.get("detail")))

    draw(key=key, data=data, on_click_change=clicked)


@remembered
def _packed(data: bytes) -> bytes:
    """Compress the data of a large chart, to about a fifth: it is sent again whenever a slider moves."""
    return data if len(data) < _LARGE else zlib.compress(data, 1)


def chart_row(
    charts: Mapping[str, Chart], *, heading: Heading = "subheader", gap: Literal["small", "medium", "large"] = "large",
    on_click: Callable[[Click], None] | None = None,
) -> None:  # fmt: skip
    """Show charts next to one another; the keys of the mapping are their keys on the page.

    Example:
        >>> chart_row({"kinds": kind_shares(...), "timeline": activation_timeline(...)})
    """
    # A grid of the style sheet: columns would send a message each.
    with st.container(key=f"charts_{'_'.join(charts)}", gap=gap):
        for key, chart in charts.items():
            show_chart(chart, key, heading=heading, on_click=on_click)


def kind_legend(kinds: Iterable[str], ghost: str = "") -> list[list[str]]:
    """Make the legend of the layer kinds on this page, for its first chart.

    Args:
        kinds: kinds that the charts show, with repetitions.
        ghost: name of the baseline that the charts mark; empty for none.
    """
    present = set(kinds)
    entries = [[kind, color] for kind, color in KIND_COLORS.items() if kind in present]
    return [*entries, [ghost, ""]] if ghost else entries


def stage_measures(convention: Convention) -> list[Measure]:
    """Make the panels of the cost charts."""
    return [_measure(convention, quantity) for quantity in ("params", "macs", "memory_access")]


def alive_measure(convention: Convention) -> Measure:
    """Make the axis of the activation timeline."""
    return _measure(convention, "alive", f"Activations alive ({convention.memory_unit})")


def _measure(convention: Convention, quantity: str, label: str = "") -> Measure:
    show = convention.show_amount if QUANTITIES[quantity].unit == "memory" else si
    name, factor = label or convention.label(quantity), convention.factor(quantity)
    return Measure(quantity, name, factor, show, convention.is_bytes(quantity))
