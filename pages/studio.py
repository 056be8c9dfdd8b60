"""Studio: design a network as a stage table, check it against a budget and rules, and export its code."""

from functools import partial

from effviz.ui.page_parts.studio import code, findings, lesson, limits, rows, sidebar
from effviz.ui.page_parts.studio.composer import composer
from effviz.ui.page_parts.studio.draft import bench, current, hold
from effviz.ui.page_parts.studio.form import form
from effviz.ui.page_parts.studio.preparation import is_ready
from effviz.ui.widgets import counters, frame
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.comparison import compare_button, offer
from effviz.ui.widgets.lesson_panel import built
from effviz.ui.widgets.parts import Part, parts

convention = frame.header("studio")
with frame.sidebar():
    settings = sidebar.start_from()
    chosen = limits.limits(convention)
compare_button()
imported = sidebar.imports()
conditions = live.conditions()


def page() -> None:
    hold()
    with settings:
        sidebar.settings(current())
    sidebar.outcome(imported)
    with frame.section("The network"):
        if not is_ready(convention):
            return
    here = bench(convention)
    offer(here.design if here.is_whole else None)
    built(here.report if here.is_whole else None)
    reading = findings.read(here, conditions)
    judged = limits.verdicts(here, chosen, reading)
    with frame.instrument(), frame.section("The headline"):
        limits.headline(here, judged, chosen, convention, reading, conditions)
    rows.toolbar(here)
    rows.problems(here)
    with rows.place():
        rows.table(here, convention)
        form(here)
    with frame.section("The costs"):
        lesson.costs(here, convention)
    parts(
        Part("How this is computed", partial(lesson.formulas, here, convention)),
        Part("Suggestions", partial(findings.findings, here, conditions, reading, convention)),
        Part("Budget", partial(limits.budget_table, judged, chosen, convention)),
        Part("Compose a block", partial(composer, here), ("compose",)),
        Part("Other counters", partial(lesson.counted_elsewhere, here, convention), counters.CONTROLS),
        Part("Code", partial(code.code, here), ("code",)),
        Part("Try this", partial(lesson.exercises, here, convention)),
        Part("Downloads", partial(code.files, here, convention, chosen, reading)),
    )


frame.moving(page)
