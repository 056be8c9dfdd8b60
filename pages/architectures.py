"""Architectures: the cost of a published network by stage and layer kind, and the effect of its multipliers."""

import streamlit as st

import effviz
from effviz.charts.architectures import activation_timeline, kind_shares, stage_costs
from effviz.ui.page_parts.architectures.controls import controls
from effviz.ui.page_parts.architectures.crosscheck import crosscheck
from effviz.ui.page_parts.architectures.published import published
from effviz.ui.page_parts.architectures.results import files, layers, questions
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.cards import baseline_report, report_cards, show_cards
from effviz.ui.widgets.charts import alive_measure, chart_row, kind_legend, show_chart, stage_measures
from effviz.ui.widgets.diagram import structure
from effviz.ui.widgets.frame import header, look, refuse

convention = header("architectures")
with st.sidebar:
    choice = controls()
    conditions = live.conditions()
try:
    report = effviz.analyze(choice.design, memory=convention.memory)
except effviz.DesignError as error:
    refuse(f"This network cannot be built. {error}")
unscaled = baseline_report(choice.baseline, convention.memory) if choice.scaled else None
reading = live.read(choice.design, [choice.baseline] if choice.scaled else [], conditions)

note = f"Unscaled: {choice.baseline_name}."
cards = report_cards(convention, report, unscaled, against="unscaled", below="as published", note=note)
show_cards([*cards, live.card(reading, choice.against)])
live.bar(choice.design, conditions, reading)

measures, colors = stage_measures(convention), look()
kind_legend(report.table["kind"], f"unscaled: {choice.baseline_name}" if choice.scaled else "")
show_chart(stage_costs(report.table, measures, colors, unscaled.table if unscaled else None), "stages")
chart_row(
    {
        "kinds": kind_shares(report.table, measures, colors),
        "timeline": activation_timeline(report.table, alive_measure(convention), colors),
    }
)
structure(report)
layers(report, convention)
live.history(convention)
crosscheck(report)
published(choice)
questions(choice, report)
files(report, convention)
