"""Compound scaling: promised against built sizes, and their cost."""

from functools import partial

import effviz
from effviz.core.resolution import in_pixels
from effviz.ui import links
from effviz.ui.page_parts.scaling import inverse, lesson, promised, released, rules
from effviz.ui.page_parts.scaling.controls import VIEWS, controls
from effviz.ui.page_parts.scaling.sweep import settings
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.cards import cached_report, show_cards
from effviz.ui.widgets.drag import follow
from effviz.ui.widgets.frame import header, instrument, look, moving, refuse, section, sidebar, titled
from effviz.ui.widgets.lesson_panel import built
from effviz.ui.widgets.parts import KEY, Part, is_open, parts

convention = header("scaling")
conditions = live.conditions()


def page() -> None:
    with sidebar():
        choice = controls()
    # The views had a separate switch with this key.
    links.renamed("show", KEY, VIEWS)
    try:
        report = cached_report(choice.design, convention.memory)
    except effviz.DesignError as error:
        links.idle(KEY, *inverse.FIT_CONTROLS, *inverse.GRID_CONTROLS)
        refuse(f"{choice.base.title} cannot be built with these settings. {error}")
    built(report)
    phi = f"φ = {choice.phi:g}, " if choice.named else ""
    titled(f"{choice.base.title}, {phi}{in_pixels(choice.design.resolution)}")
    reference = cached_report(choice.base, convention.memory)
    others = rules.others(choice) if is_open(rules.TITLE) else [choice.base]
    reading = live.read(choice.design, others, conditions)
    with instrument(), section("The headline"):
        *counts, constraint = promised.cards(choice, report, reference, convention)
        show_cards([*counts, live.card(reading, "baseline", in_times=True), constraint])
        live.bar(choice.design, conditions, reading)
    with section("The sizes"):
        promised.promised_and_built(choice, report, convention)
    if choice.named:
        follow("scaling", settings(choice, convention, look()))
    parts(
        Part("How this is computed", partial(lesson.formulas, choice, report, reference, convention)),
        Part("B0 to B7", partial(released.released, choice, convention)),
        Part("Stages", partial(promised.stages, choice)),
        Part(VIEWS[0], partial(rules.picture, choice, convention)),
        Part(VIEWS[1], partial(rules.equal_budget, choice, conditions, convention)),
        Part(VIEWS[2], partial(inverse.fit_budget, choice, convention), inverse.FIT_CONTROLS),
        Part(VIEWS[3], partial(inverse.grid, choice, convention), inverse.GRID_CONTROLS),
        Part("Try this", partial(lesson.show_exercises, choice, report)),
        Part("Downloads", partial(promised.files, choice, convention)),
    )


moving(page)
