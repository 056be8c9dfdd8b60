"""Width and resolution: the effect of the two multipliers on cost and on published accuracy."""

import streamlit as st

from effviz.ui.page_parts.multipliers import accuracy, cost_map, law
from effviz.ui.page_parts.multipliers.controls import controls
from effviz.ui.page_parts.multipliers.headline import headline
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.downloads import csv_file, downloads, file_name, json_file
from effviz.ui.widgets.frame import header

convention = header("multipliers")
with st.sidebar:
    choice = controls()
    conditions = live.conditions()
reading = live.read(choice.design, [choice.base] if choice.scaled else [], conditions)

headline(choice, convention, live.card(reading, "unscaled" if choice.scaled else ""))
live.bar(choice.design, conditions, reading)
cost_map.map_chart(choice, convention)
cost_map.explain_misfits(choice)
accuracy.accuracy_chart(choice, convention)
cost_map.show_cell_table(choice, convention)
law.the_law(choice, convention)
law.show_exercises(choice, convention)

groups = f"g{choice.printed.groups}" if choice.printed.groups else ""
stem = file_name("effviz", choice.printed.name, groups, f"w{choice.width:g}", str(choice.resolution))
downloads(
    csv_file("Cells", lambda: cost_map.cell_table(choice, convention), stem, f"{choice.title}. {convention.text}"),
    json_file(choice.design, stem),
)
