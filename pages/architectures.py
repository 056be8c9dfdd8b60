"""Architectures: what a published network costs, where, and what its multipliers do to it."""

import streamlit as st

import effviz
from effviz.charts.architectures import activation_timeline, kind_shares, stage_costs
from effviz.ui import links
from effviz.ui.page_parts.architectures import network
from effviz.ui.page_parts.architectures.crosscheck import counters
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets import parts
from effviz.ui.widgets.diagram import structure

parts.header("architectures")
convention = parts.convention()
with st.sidebar:
    choice = network.controls()
    conditions = live.conditions()
design, baseline = choice.design, choice.baseline
try:
    report = effviz.analyze(design, memory=convention.memory)
except effviz.DesignError as error:
    st.error(f"This network cannot be built. {error}")
    links.finish()
    st.stop()
reference = network.reference(baseline, convention.memory)
look = parts.look()
reading = live.read(design, [baseline] if choice.scaled else [], conditions)

network.headline(report, reference, convention, choice, live.card(reading, "unscaled" if choice.scaled else ""))
live.bar(design, conditions, reading)
measures = network.measures(convention)
parts.kind_legend(report.table["kind"], f"unscaled: {choice.baseline_name}" if choice.scaled else "")
parts.show_chart(stage_costs(report.table, measures, look, reference.table if choice.scaled else None), "stages")

shares, memory = st.columns(2, gap="large")
with shares:
    parts.show_chart(kind_shares(report.table, measures, look), "kinds")
with memory:
    parts.show_chart(activation_timeline(report.table, network.alive_measure(convention), look), "timeline")

structure(report)
index = network.layer_table(report, convention)
network.formulas(report, index, convention)
live.history(convention)
counters(report)
network.published_figures(choice, report)
network.exercises(design, report)
network.downloads(report, convention)
