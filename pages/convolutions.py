"""Convolutions: costs and channel connections of standard, grouped, depthwise and 1x1 convolutions."""

from functools import partial

import streamlit as st

import effviz
from effviz.studies.convolutions import report
from effviz.ui.page_parts.convolutions import results
from effviz.ui.page_parts.convolutions.controls import controls
from effviz.ui.page_parts.convolutions.sweep import settings
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.drag import follow
from effviz.ui.widgets.frame import header, instrument, look, moving, refuse, section, sidebar, titled
from effviz.ui.widgets.parts import Part, parts

convention = header("convolutions")
conditions = live.conditions()


def page() -> None:
    with sidebar():
        choice = controls()
    try:
        # Either all kinds can be built at a setting, or none.
        report("standard", choice.setting, convention.memory)
    except effviz.DesignError as error:
        refuse(f"This convolution cannot be built. {error}")

    titled(choice.title)
    with instrument(), section("The headline"):
        cards = results.cards(choice, convention)
        live.headline(cards, choice.design, [choice.standard] if choice.against else [], conditions, choice.against)
    with st.container(key="motion_and_costs"):
        with section("The animation"):
            results.in_motion(choice)
        with section("The costs"):
            results.costs(choice, convention)
    follow("convolutions", settings(choice, convention, look()))
    parts(
        Part("Savings", partial(results.savings, choice, convention)),
        Part("How this is computed", partial(results.formulas, choice, convention)),
        Part("Fully connected", partial(results.fully_connected, choice, convention)),
        Part("Connections", partial(results.connections, choice)),
        Part("Channel shuffle", partial(results.shuffle, choice), ("shuffled",)),
        Part("Effect of each setting", partial(results.sensitivities, choice, convention)),
        Part("Try this", partial(results.questions, choice, convention)),
        Part("Downloads", partial(results.files, choice, convention)),
    )


moving(page)
