"""Compound scaling: promised against built sizes, and their cost."""

import streamlit as st

import effviz
from effviz.ui import links
from effviz.ui.page_parts.scaling import inverse, lesson, promised, rules
from effviz.ui.page_parts.scaling.controls import PARTS, controls
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.cards import baseline_report
from effviz.ui.widgets.downloads import csv_file, downloads, file_name, json_file
from effviz.ui.widgets.frame import header, refuse
from effviz.ui.widgets.tables import show_table

convention = header("scaling")
with st.sidebar:
    choice = controls()
    conditions = live.conditions()
links.idle("show", *inverse.CONTROLS)
try:
    report = effviz.analyze(choice.design, memory=convention.memory)
except effviz.DesignError as error:
    refuse(f"{choice.base.title} cannot be built with these settings. {error}")
reference = baseline_report(choice.base, convention.memory)

top = st.container()
part = links.switch("Show", PARTS, "show", default=PARTS[0])
others = rules.others(choice) if part == "Equal multiply-adds" else [choice.base]
reading = live.read(choice.design, others, conditions)
with top:
    promised.headline(choice, report, reference, convention, live.card(reading, "baseline"))
    live.bar(choice.design, conditions, reading)
    promised.promised_and_built(choice, convention)
    stages = promised.stage_table(choice)
    show_table(stages, fold=f"Table: {len(stages.rows)} stages, promised and built", key="stage_table", height=460)
if part == "Drawn to scale":
    rules.picture(choice, convention)
elif part == "Equal multiply-adds":
    rules.equal_budget(choice, reading, convention)
elif part == "Fit a budget":
    inverse.fit_budget(choice, convention)
else:
    inverse.grid(choice, convention)
lesson.formulas(choice, report, reference, convention)
lesson.show_exercises(choice, report)

rule = choice.rule
stem = file_name("effviz", choice.base.name, f"phi{choice.phi:g}")
note = f"{choice.name}, alpha {rule.alpha:g}, beta {rule.beta:g}, gamma {rule.gamma:g}. {convention.text}"
downloads(
    csv_file("Stairs", lambda: promised.stairs_table(choice, convention), stem, note),
    json_file(choice.design, stem, "Network"),
)
