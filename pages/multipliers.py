"""Width and resolution: the effect of the two multipliers on cost and on published accuracy."""

from functools import partial

import streamlit as st

from effviz.ui.page_parts.multipliers import accuracy, cost_map, law, two_ways
from effviz.ui.page_parts.multipliers.controls import controls
from effviz.ui.page_parts.multipliers.headline import headline_cards
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import header, instrument, look, moving, network_title, section, sidebar, titled
from effviz.ui.widgets.parts import Part, parts

convention = header("multipliers")
conditions = live.conditions()


def page() -> None:
    with sidebar():
        choice = controls()
    titled(network_title(choice.design))
    with instrument(), section("The headline"):
        cards, against = headline_cards(choice, convention), "unscaled" if choice.scaled else ""
        live.headline(cards, choice.design, [choice.base] if choice.scaled else [], conditions, against)
    with section("The charts"), st.container(key="charts_two_ways_cells_map", gap="medium"):
        chart = two_ways.ways_chart(choice, convention, look())
        show_chart(chart, "two_ways", note=two_ways.NOTE, on_click=two_ways.selecting(choice))
        chart, note = cost_map.map_chart(choice, convention, look())
        show_chart(chart, "cells_map", note=note, on_click=cost_map.selecting(choice))
    parts(
        Part("How this is computed", partial(law.the_law, choice, convention)),
        Part("Accuracy", partial(accuracy.accuracy_part, choice, convention), ("points",)),
        Part("Wrong figures", partial(cost_map.explain_misfits, choice)),
        Part("All cells", partial(cost_map.show_cell_table, choice, convention), ("cells",)),
        Part("Try this", partial(law.show_exercises, choice, convention)),
        Part("Downloads", partial(cost_map.files, choice, convention)),
    )


moving(page)
