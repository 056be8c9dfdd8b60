"""Memory access cost: the four guidelines of ShuffleNetV2, in theory and measured."""

import streamlit as st

from effviz.measure.latency import environment
from effviz.studies.guideline_shapes import compare
from effviz.studies.guidelines.access import GUIDELINES, SOURCE
from effviz.ui.page_parts.memory import experiment as experiments
from effviz.ui.page_parts.memory import intensity, lesson, theory
from effviz.ui.page_parts.memory.controls import controls, title
from effviz.ui.widgets.downloads import csv_file, downloads, file_name
from effviz.ui.widgets.frame import header

convention = header("memory")
with st.sidebar:
    options = controls()
shape, guideline = options.shape, options.shape.guideline
found = compare(shape)
run = experiments.experiment(options)
shapes = theory.theory_table(found, convention)
cases = experiments.experiment_table(run, convention)
kinds = intensity.intensity_table(options.network, convention)

theory.headline(found, run, convention)
theory.theory_chart(found, convention)
theory.show_theory_table(shapes)
experiments.measurement_bar(run, options.threads)
experiments.experiment_chart(run)
experiments.show_experiment_table(run, cases, convention)
intensity.intensity(options.network, kinds, convention)
lesson.show_formulas(found, convention)
lesson.show_exercises(found, run, convention)

conditions = ", ".join(f"{name}: {value}" for name, value in environment(options.threads).items())
side = f"{shape.resolution} x {shape.resolution}"
notes = {
    "Theory": (shapes, f"{GUIDELINES[guideline]}. Map {side}."),
    "Experiment": (
        cases,
        f"Speeds here: batch 1, {conditions}. Published speeds: {SOURCE}, table {guideline[1]}.",
    ),
    "Intensity": (kinds, f"Arithmetic intensity of {title(options.network)}."),
}
downloads(
    *(
        csv_file(name, table, file_name("effviz", guideline, name.lower()), f"{note} {convention.text}")
        for name, (table, note) in notes.items()
    )
)
