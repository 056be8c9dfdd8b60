"""Compound scaling: what the rule promises, what rounding builds, what it costs here."""

import streamlit as st

import effviz
from effviz.ui import links
from effviz.ui.page_parts.architectures import network
from effviz.ui.page_parts.scaling import page as scaling
from effviz.ui.page_parts.scaling import parts as scaling_parts
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts

parts.header("scaling")
convention = parts.convention()
with st.sidebar:
    choice = scaling.controls()
    conditions = live.conditions()
try:
    report = effviz.analyze(choice.design, memory=convention.memory)
except effviz.DesignError as error:
    st.error(f"{choice.base.title} cannot be scaled so far. {error}")
    links.idle("show", *scaling_parts.CONTROLS)
    links.finish()
    st.stop()
reference = network.reference(choice.base, convention.memory)

top = st.container()
part = scaling_parts.shown()
links.idle(*scaling_parts.CONTROLS)
others = scaling_parts.others(choice) if part == "Equal multiply-adds" else [choice.base]
reading = live.read(choice.design, others, conditions)
with top:
    scaling.headline(choice, report, reference, convention, live.card(reading, "baseline"))
    live.bar(choice.design, conditions, reading)
    scaling.promised_and_built(choice, convention)
    scaling.stages(choice)
if part == "Drawn to scale":
    scaling_parts.picture(choice, convention)
elif part == "Equal multiply-adds":
    scaling_parts.duel(choice, reading, convention)
elif part == "Fit a budget":
    scaling_parts.inverse(choice, convention)
else:
    scaling_parts.grid(choice, convention)
scaling.formulas(choice, report, reference, convention)
scaling.exercises(choice, report)
scaling.downloads(choice, convention)
