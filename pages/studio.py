"""Studio: sketch a network as a stage table; does it fit, what is wrong with it, what is the code?"""

import streamlit as st

import effviz
from effviz.charts.architectures import stage_costs
from effviz.ui import links
from effviz.ui.page_parts.architectures import network
from effviz.ui.page_parts.studio import checks as studio_checks
from effviz.ui.page_parts.studio import code as studio_code
from effviz.ui.page_parts.studio import draft as studio
from effviz.ui.page_parts.studio import form as studio_form
from effviz.ui.page_parts.studio import lesson as studio_lesson
from effviz.ui.page_parts.studio import rows as studio_rows
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts

parts.header("studio")
convention = parts.convention()
here = studio.bench()
with st.sidebar:
    studio.settings(here.draft)
    studio_code.take_in()
    limits = studio_checks.limits(convention)
    conditions = live.conditions()

top = st.container()
studio_rows.toolbar(here)
studio_rows.problem(here)
table, form = st.columns([3, 1], gap="medium")
with form:
    studio_form.form(here)
with table:
    studio_rows.table(here, convention)
studio_code.composer(here)
if here.design is not None:
    whole = here.checked.fault is None
    report = effviz.analyze(here.design, memory=convention.memory)
    reading = live.read(here.design, studio_checks.compared(here.design), conditions)
    judged = studio_checks.verdicts(report, limits, reading)
    with top:
        studio_checks.headline(report, judged, convention, reading)
        live.bar(here.design, conditions, reading)
    studio_checks.budget_table(judged, limits, whole, convention)
    parts.kind_legend(report.table["kind"])
    parts.show_chart(stage_costs(report.table, network.measures(convention), parts.look()), "stages")
    studio_checks.finding_list(report, whole, conditions, reading, convention)
if here.design is not None:
    studio_lesson.formulas(here, report, convention)
    studio_lesson.exercises(here, report, convention)
    if whole:
        studio_code.code(here.design)
    else:
        links.idle("code")
studio_code.downloads(here.design if here.design and whole else None, here.draft)
