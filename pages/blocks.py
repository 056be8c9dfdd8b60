"""Building blocks: what one block of the papers costs, where, and beside others."""

import streamlit as st

import effviz
from effviz.studies.blocks import problem
from effviz.ui import links
from effviz.ui.page_parts.blocks import lessons
from effviz.ui.page_parts.blocks import page as blocks
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts
from effviz.ui.widgets.diagram import LAYERS, diagram

parts.header("blocks")
convention = parts.convention()
with st.sidebar:
    choice = blocks.controls()
    conditions = live.conditions()
wrong = problem(choice.name, choice.place, choice.values)
if wrong:
    st.error(f"{choice.title} cannot stand here. {wrong}")
    links.finish()
    st.stop()
report = effviz.analyze(choice.design, memory=convention.memory)

top = st.container()
st.subheader("Side by side", anchor=False)
others = blocks.companions(choice)
reading = live.read(choice.design, [each.design for each in others], conditions)
with top:
    blocks.headline(choice, report, convention, live.card(reading, "the first other" if others else ""))
    live.bar(choice.design, conditions, reading)
    blocks.cost_chart(choice, report, convention)
    with st.container(key="structure", horizontal=True, gap="large"):
        left, right = st.container(width=440), st.container(key="formulas")
    with left:
        st.subheader("Diagram", anchor=False)
        diagram(report, LAYERS)
    with right:
        blocks.formulas(choice, report, convention)
blocks.comparison(choice, others, reading, convention)
lessons.why_linear()
lessons.feature_reuse()
lessons.what_se_does(report)
blocks.exercises(choice, report, convention)
blocks.downloads(choice, report, convention)
