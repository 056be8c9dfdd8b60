"""Home: purpose of effviz, three ways in, and the totals of every network."""

import streamlit as st

from effviz.ui.page_parts.home.zoo import reports, totals_chart, ways, zoo_table
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import header, look, moving, section
from effviz.ui.widgets.principles import principles

convention = header("")


def page() -> None:
    st.markdown(
        "Change a kernel, a width, a depth or a resolution, and see parameters, multiply-adds, memory access cost and "
        "peak activation memory follow. Every number is counted exactly, with its formula and its convention."
    )
    ways()
    with section("The overview"):
        show_chart(totals_chart(convention, look()), "zoo")
    with section("The table"):
        zoo_table(reports(convention.memory), convention)
    with section("The principles"):
        principles()


moving(page)
