"""Latency: how well a count predicts the speed of a network, on this machine and on published devices."""

import streamlit as st

from effviz.ui.page_parts.latency import lesson, results
from effviz.ui.page_parts.latency.controls import controls
from effviz.ui.widgets.frame import header

convention = header("latency")
with st.sidebar:
    options = controls()
table = results.measurements(options, convention)

results.headline(table, options, convention)
results.bar(options)
results.chart(table, options, convention)
results.predictor_chart(table)
results.show_measured(table, convention)
rows = lesson.published(options, convention)
lesson.formulas(table, options, convention)
lesson.exercises(table, rows, convention)
results.files(table, convention)
