"""Memory access cost: the four guidelines of ShuffleNetV2, in theory and measured."""

import streamlit as st

from effviz.ui.page_parts.memory import page as guidelines
from effviz.ui.widgets import parts

parts.header("memory")
convention = parts.convention()
with st.sidebar:
    options = guidelines.controls()
theory = guidelines.theory(options)
experiment = guidelines.experiment(options)

guidelines.headline(theory, experiment, convention)
guidelines.theory_chart(theory, options, convention)
guidelines.theory_table(theory, options, convention)
guidelines.bar(experiment, options)
guidelines.experiment_chart(experiment)
guidelines.experiment_table(experiment, convention)
guidelines.intensity(options, convention)
guidelines.formulas(theory, options, convention)
guidelines.exercises(theory, experiment, options, convention)
guidelines.downloads(theory, experiment, options, convention)
