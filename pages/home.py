"""Home: what effviz is, for whom, three ways in."""

import streamlit as st

from effviz.charts.home import zoo_dots
from effviz.ui.page_parts.home import page as zoo
from effviz.ui.widgets import parts

parts.header("")
convention = parts.convention()
table = zoo.totals(convention.memory)
st.markdown(
    "Change a kernel, a width, a depth or a resolution, and see parameters, multiply-adds, memory access cost and "
    "peak activation memory follow. Every number is counted exactly, with its formula and its convention."
)
zoo.three_ways()
parts.show_chart(zoo_dots(table, convention.compute(1), convention.compute_label, parts.look()), "zoo")
zoo.show_table(table, convention)
