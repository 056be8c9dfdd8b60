"""Studio: design a network as a stage table, check it against a budget and rules, and export its code."""

import streamlit as st

import effviz
from effviz.charts.architectures import stage_costs
from effviz.ui import links
from effviz.ui.page_parts.studio import code, findings, lesson, limits, rows, sidebar
from effviz.ui.page_parts.studio.composer import composer
from effviz.ui.page_parts.studio.draft import bench
from effviz.ui.page_parts.studio.form import form
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.charts import kind_legend, show_chart, stage_measures
from effviz.ui.widgets.frame import header, look

convention = header("studio")
here = bench()
with st.sidebar:
    sidebar.settings(here.draft)
    sidebar.imports()
    chosen = limits.limits(convention)
    conditions = live.conditions()

top = st.container()
rows.toolbar(here)
rows.problems(here)
left, right = st.columns([3, 1], gap="medium")
with right:
    form(here)
with left:
    rows.table(here, convention)
composer(here)
if here.design is not None:
    report = effviz.analyze(here.design, memory=convention.memory)
    reading = live.read(here.design, findings.compared(here.design), conditions)
    judged = limits.verdicts(report, chosen, reading)
    with top:
        limits.headline(report, judged, convention, reading)
        live.bar(here.design, conditions, reading)
    limits.budget_table(judged, chosen, here, convention)
    kind_legend(report.table["kind"])
    show_chart(stage_costs(report.table, stage_measures(convention), look()), "stages")
    findings.findings(here, report, conditions, reading, convention)
    lesson.formulas(report, convention)
    lesson.exercises(here, report, convention)
    if here.checked.fault is None:
        code.code(here.design)
    else:
        links.idle("code")
code.files(here)
