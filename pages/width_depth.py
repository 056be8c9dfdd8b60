"""Width against depth: designs of one kind of block at equal multiply-adds."""

from dataclasses import replace

import streamlit as st

from effviz.studies.equal_budget import at_depths
from effviz.ui import links
from effviz.ui.page_parts.width_depth import comparison, lesson
from effviz.ui.page_parts.width_depth.controls import choose, controls
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.downloads import csv_file, downloads, file_name, json_file
from effviz.ui.widgets.frame import header
from effviz.ui.widgets.tables import show_table

convention = header("width_depth")
with st.sidebar:
    options = controls()
    conditions = live.conditions()
designs = at_depths(options.design, options.macs, options.count, options.factor, convention.memory)
if not designs.variants:
    comparison.none_fits(designs, convention)
    links.finish()
    st.stop()

chosen = choose(designs)
view = comparison.read(options, designs, chosen, conditions)
table, closeness = comparison.design_table(view, convention), lesson.closeness_table(view, convention)

comparison.headline(view, convention)
live.bar(chosen.design, conditions, view.reading)
comparison.comparison(view, convention)
show_table(table, fold=f"Table: {len(designs.variants)} designs", key="designs_table")
lesson.formulas(view, closeness, convention)
lesson.show_exercises(view)

stem = file_name("effviz", "width-depth", options.source, f"{options.macs // 1_000_000}M")
budget = comparison.budget_text(options.macs, convention)
note = f"{chosen.design.title}, {options.resolution} px, budget {budget}. {convention.text}"
everything = replace(table, columns=[*table.columns, *lesson.closeness_columns(convention)])
downloads(
    csv_file("Designs", everything, stem, note),
    json_file(chosen.design, file_name(stem, chosen.name), chosen.name, key="design_json"),
)
