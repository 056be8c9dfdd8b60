"""Building blocks: the cost of one block of the papers, part by part, and next to other blocks."""

import streamlit as st

import effviz
from effviz.ui.page_parts.blocks import lessons, results
from effviz.ui.page_parts.blocks.controls import companions, controls
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.diagram import LAYERS, diagram
from effviz.ui.widgets.frame import header, refuse

convention = header("blocks")
with st.sidebar:
    choice = controls()
    conditions = live.conditions()
if choice.problem:
    refuse(f"{choice.title} cannot be built here. {choice.problem}")
report = effviz.analyze(choice.design, memory=convention.memory)

top = st.container()
st.subheader("Side by side", anchor=False)
others = companions(choice)
reading = live.read(choice.design, [each.design for each in others], conditions)
with top:
    results.headline(report, convention, live.card(reading, "the first other" if others else ""))
    live.bar(choice.design, conditions, reading)
    results.costs(choice, report, convention)
    with st.container(key="structure", horizontal=True, gap="large"):
        left, right = st.container(width=440), st.container(key="formulas")
    with left:
        st.subheader("Diagram", anchor=False)
        diagram(report, LAYERS)
    with right:
        results.formulas(report, convention)
results.comparison(choice, others, reading, convention)
lessons.why_linear()
lessons.feature_reuse()
lessons.excitation_cost(report)
results.questions(choice, report, convention)
results.files(choice, report, convention)
