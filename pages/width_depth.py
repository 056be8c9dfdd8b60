"""Width against depth: designs of one kind of block at equal multiply-adds."""

import streamlit as st

from effviz.ui import links
from effviz.ui.page_parts.width_depth import page as width_depth
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts

parts.header("width_depth")
convention = parts.convention()
with st.sidebar:
    options = width_depth.controls()
    conditions = live.conditions()
found = width_depth.solve(options, convention)
if not found.entries:
    width_depth.nothing(found, convention)
    links.finish()
    st.stop()

chosen = width_depth.choose(found)
cards = st.container()
reading, found = width_depth.read(found, chosen, conditions)
chosen = found.named(chosen.name)
with cards:
    width_depth.headline(found, chosen, reading, convention)
live.bar(chosen.fit.design, conditions, reading)
width_depth.charts(found, chosen, convention)
width_depth.table(found, convention)
width_depth.formulas(found, chosen, convention)
width_depth.exercises(found)
width_depth.downloads(found, chosen, convention)
