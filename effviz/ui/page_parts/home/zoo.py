"""Parts of the home page: three ways in, and the totals of every network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

import effviz
from effviz.advice.budgets import PRESETS
from effviz.charts.home import Totals, zoo_dots
from effviz.charts.style import Appearance, Chart
from effviz.core.caches import remembered
from effviz.core.units import exact
from effviz.count.report import Report
from effviz.ui.convention import Convention
from effviz.ui.navigation import page
from effviz.ui.paths import page_path
from effviz.ui.widgets.charts import Click, show_chart
from effviz.ui.widgets.frame import look
from effviz.ui.widgets.tables import Column, Table, count_columns, show_table, size_cell
from effviz.zoo import ARCHITECTURES

_OPENED = "_zoo_opened"  # network of the dot that was clicked


@dataclass(frozen=True)
class Way:
    """A card with a link into a page.

    Attributes:
        title: of the card.
        text: what the page is for.
        page: its address.
        link: label of the link.
        query: settings of the link.
    """

    title: str
    text: str
    page: str
    link: str
    query: dict[str, str]


WAYS = (
    Way(
        "Browse",
        "What does a network cost, and where? Move one control and see the numbers change.",
        "architectures",
        "MobileNetV2 at half width",
        {"net": "MobileNetV2", "width": "0.5"},
    ),
    Way(
        "Teach",
        "Four lessons with a prediction before each answer, alone or in a class where each student has a device.",
        "lessons",
        "Lessons and classroom",
        {},
    ),
    Way(
        "Sanity-check",
        "Does a design fit its budget? What is wrong with it? Edit a stage table, and export the code.",
        "studio",
        "MobileNetV2 within 300 M",
        {"budget": PRESETS["mobile_300m"].title},
    ),
)


@remembered
def reports(memory: str) -> tuple[Report, ...]:
    """Analyze every network at its own resolution."""
    return tuple(effviz.analyze(effviz.architecture(name), memory=memory) for name in ARCHITECTURES)


@remembered
def totals_chart(convention: Convention, look: Appearance) -> Chart:
    """Draw the parameters and the compute of every network."""
    found = [Totals(each.design.title, each.params, each.macs, each.resolution) for each in reports(convention.memory)]
    return zoo_dots(found, convention.compute(1), convention.compute_label, look)


def totals(convention: Convention) -> None:
    """Show the parameters and the compute of every network; a click on a dot opens the network."""

    def choose(mark: Click) -> None:
        st.session_state[_OPENED] = str(mark.y)

    note = "A click on a dot opens the network."
    show_chart(totals_chart(convention, look()), "zoo", note=note, on_click=choose)
    if title := st.session_state.pop(_OPENED, ""):
        st.switch_page(page_path(page("architectures")), query_params={"net": title})


def ways() -> None:
    """Show three cards, each with a link into a page that is set up for it."""
    # A grid of the style sheet: columns would send a message each.
    with st.container(key="ways"):
        for number, way in enumerate(WAYS):
            with st.container(border=True, key=f"way_{number}"):
                st.markdown(f"**{way.title}**  \n{way.text}")
                st.page_link(
                    page_path(page(way.page)), label=way.link, query_params=way.query, icon=":material/arrow_forward:"
                )


def zoo_table(found: Sequence[Report], convention: Convention) -> None:
    """Show the totals of every network."""
    columns = [
        Column("Network", "design.title"),
        Column("Resolution (px)", lambda each: size_cell(each.resolution)),
        *count_columns(convention),
        Column("Source", "design.source"),
    ]
    show_table(Table(found, columns, f"{len(found)} networks with their exact totals"), height=320)
    st.caption(f"{exact(len(found))} networks at their own resolution. {convention.text}")
