"""Home: purpose of effviz, three ways in, and the totals of every network."""

import streamlit as st

from effviz.charts.home import zoo_dots
from effviz.ui.page_parts.home.zoo import reports, totals, ways, zoo_table
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import header, look

convention = header("")
found = reports(convention.memory)
st.markdown(
    "Change a kernel, a width, a depth or a resolution, and see parameters, multiply-adds, memory access cost and "
    "peak activation memory follow. Every number is counted exactly, with its formula and its convention."
)
ways()
show_chart(zoo_dots(totals(found), convention.compute(1), convention.compute_label, look()), "zoo")
zoo_table(found, convention)
