"""FLOPs are not latency: how well a count predicts the speed of a network, here and on other people's devices."""

import streamlit as st

from effviz.ui.page_parts.latency import page as speed
from effviz.ui.widgets import parts

parts.header("latency")
convention = parts.convention()
with st.sidebar:
    options = speed.controls()
table = speed.measured(options, convention)

speed.headline(table, options, convention)
speed.bar(options, table)
speed.chart(table, options, convention)
speed.predictor_chart(table)
speed.show_table(table, convention)
rows = speed.printed(options, convention)
speed.formulas(table, options, convention)
speed.exercises(table, rows, convention)
speed.downloads(table, convention)
