"""Convolutions: what standard, grouped, depthwise and 1x1 convolutions cost, and what they connect."""

import streamlit as st

import effviz
from effviz.studies.convolutions import design
from effviz.ui import links
from effviz.ui.page_parts.convolutions import page as convolutions
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts

parts.header("convolutions")
convention = parts.convention()
with st.sidebar:
    choice = convolutions.controls()
    conditions = live.conditions()
chosen, standard = design(choice.kind, choice.setting), design(convolutions.BASELINE, choice.setting)
try:
    # The choice differs from the standard convolution in what it costs, never in whether it can be built.
    effviz.analyze(standard)
except effviz.DesignError as error:
    st.error(f"This convolution cannot be built. {error}")
    links.finish()
    st.stop()
reading = live.read(chosen, [] if chosen == standard else [standard], conditions)

convolutions.headline(choice, convention, live.card(reading, "" if chosen == standard else "standard"))
live.bar(chosen, conditions, reading)
convolutions.cost_chart(choice, convention)
convolutions.curves(choice, convention)
convolutions.connections(choice)
convolutions.shuffle(choice)
convolutions.sensitivity_table(choice, convention)
convolutions.formulas(choice, convention)
convolutions.exercises(choice, convention)
convolutions.downloads(choice, convention)
