"""B0 to B7 beside the networks at φ = 1 to 7."""

from __future__ import annotations

import streamlit as st

from effviz.charts.scaling.released import released_chart
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.studies.released import Pair, ReleasedNetwork, pairs
from effviz.ui import links
from effviz.ui.convention import Convention
from effviz.ui.page_parts.scaling.controls import Choice
from effviz.ui.widgets.cards import cached_report
from effviz.ui.widgets.charts import Click, show_chart
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.tables import Column, Table, show_table
from effviz.zoo import architecture

_NOTE = (
    "Held equal: the baseline B0, and α, β, γ of the controls for every φ. The released networks have rounded "
    "multipliers and resolutions: the circles in the chart of promised and built sizes."
)


def released(choice: Choice, convention: Convention) -> None:
    """Show both families side by side; a click on a row moves φ there."""

    def select(mark: Click) -> None:
        links.put_number("phi", float(str(mark.y).removeprefix("B")))

    found = pairs(choice.rule)
    chosen = next((each.label for each in found if each.phi == choice.phi), "")
    show_chart(_chart(found, chosen, convention, look()), "released", note=_NOTE, on_click=select)
    columns = [
        Column("Network", "label"),
        Column("φ", "phi"),
        *_pair("depth", "Depth", "%.2f"),
        *_pair("width", "Width", "%.2f"),
        *_pair("resolution", "Resolution (px)"),
        *_pair("blocks", "Blocks"),
        *_pair("channels", "Channels"),
        *_pair("params", "Parameters"),
        *_pair("macs", convention.compute_label, factor=convention.compute(1)),
    ]
    show_table(Table(found, columns, f"{len(found)} released networks beside those at the φ of their number"))
    if choice.base.name != "efficientnet_b0":
        st.caption(f"This part is about EfficientNet-B0, not about {choice.base.title}.")


def _pair(name: str, label: str, form: str | None = None, factor: int = 1) -> list[Column]:
    """Make the columns of one number, released and built."""

    def value(each: ReleasedNetwork | None) -> float | None:
        if each is None:
            return None
        found: float = getattr(each, name) if name in ReleasedNetwork._fields else getattr(each.report, name)
        return found * factor

    return [
        Column(f"{label}, released", lambda row: value(row.released), form),
        Column(f"{label}, at φ", lambda row: value(row.built), form),
    ]


@remembered
def _chart(found: tuple[Pair, ...], chosen: str, convention: Convention, look: Appearance) -> Chart:
    base = cached_report(architecture("efficientnet_b0"), convention.memory).macs
    return released_chart(found, base, chosen, convention.compute_label, convention.compute(1), look)
