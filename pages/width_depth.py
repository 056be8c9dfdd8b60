"""Width against depth: designs of one kind of block at equal multiply-adds."""

from dataclasses import replace
from functools import partial

import streamlit as st

from effviz.ui import links
from effviz.ui.page_parts.width_depth import comparison, lesson
from effviz.ui.page_parts.width_depth.controls import CARD, choose, controls
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.frame import header, instrument, moving, network_title, section, sidebar, titled
from effviz.ui.widgets.parts import KEY, Part, parts

convention = header("width_depth")
conditions = live.conditions()


def page() -> None:
    with sidebar():
        options = controls()
    designs = comparison.fitted(options, convention.memory)
    if not designs.variants:
        links.idle(KEY, CARD)
        comparison.none_fits(designs, convention)
        links.finish()
        st.stop()

    view = comparison.read(options, designs, choose(designs), conditions)
    # The multiplier that fits the budget is no control here.
    design = replace(view.chosen.design, width_mult=1.0, depth_mult=1.0)
    titled(f"{view.chosen.name}: {network_title(design)}")
    with instrument(), section("The headline"):
        comparison.headline(view, convention)
        live.bar(view.chosen.design, conditions, view.reading)
    with section("The comparison"):
        comparison.comparison(view, convention)
    parts(
        Part("How this is computed", partial(lesson.formulas, view, convention)),
        Part("Designs", partial(comparison.designs, view, convention)),
        Part("Rest of the budget", partial(lesson.closeness, view, convention)),
        Part("Try this", partial(lesson.show_exercises, view)),
        Part("Downloads", partial(lesson.files, view, convention)),
    )


moving(page)
