"""Convolutions: costs and channel connections of standard, grouped, depthwise and 1x1 convolutions."""

import streamlit as st

import effviz
from effviz.ui.page_parts.convolutions import results
from effviz.ui.page_parts.convolutions.controls import controls
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.frame import header, refuse

convention = header("convolutions")
with st.sidebar:
    choice = controls()
    conditions = live.conditions()
try:
    # Either all kinds can be built at a setting, or none.
    effviz.analyze(choice.standard)
except effviz.DesignError as error:
    refuse(f"This convolution cannot be built. {error}")
reading = live.read(choice.design, [choice.standard] if choice.against else [], conditions)

results.headline(choice, convention, live.card(reading, choice.against))
live.bar(choice.design, conditions, reading)
results.costs(choice, convention)
results.curves(choice, convention)
results.connections(choice)
results.shuffle(choice)
results.sensitivities(choice, convention)
results.formulas(choice, convention)
results.questions(choice, convention)
results.files(choice, convention)
