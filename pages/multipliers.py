"""Width and resolution: what the two multipliers do to cost, and to the accuracy that is printed."""

import streamlit as st

from effviz.ui.page_parts.multipliers import accuracy as multiplier_accuracy
from effviz.ui.page_parts.multipliers import cost_map as multiplier_map
from effviz.ui.page_parts.multipliers import page as multipliers
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts

parts.header("multipliers")
convention = parts.convention()
with st.sidebar:
    choice = multipliers.controls()
    conditions = live.conditions()
reading = live.read(choice.design, [choice.base] if choice.scaled else [], conditions)

multipliers.headline(choice, convention, live.card(reading, "unscaled" if choice.scaled else ""))
live.bar(choice.design, conditions, reading)
multiplier_map.map_chart(choice, convention)
multiplier_map.explain_misfits(choice)
multiplier_accuracy.accuracy_chart(choice, convention)
multipliers.table(choice, convention)
multipliers.the_law(choice, convention)
multipliers.exercises(choice, convention)
multipliers.downloads(choice, convention)
