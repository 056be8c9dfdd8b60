"""Studio: design a network as a stage table, check it against a budget and rules, and export its code."""

from functools import partial

from effviz.ui.page_parts.studio import (
    code,
    findings,
    fitting,
    headline,
    lesson,
    limits,
    microcontroller,
    rows,
    sidebar,
    snapshots,
    views,
)
from effviz.ui.page_parts.studio.composer import composer
from effviz.ui.page_parts.studio.draft import bench, current, hold
from effviz.ui.page_parts.studio.form import form, more
from effviz.ui.page_parts.studio.preparation import is_ready
from effviz.ui.widgets import counters, frame
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.comparison import compare_button, offer
from effviz.ui.widgets.lesson_panel import built
from effviz.ui.widgets.parts import Part, parts

convention = frame.header("studio")
with frame.sidebar():
    sidebar.start_from()
imported = sidebar.imports()
with frame.sidebar():
    chosen = limits.limits(convention)
    settings = sidebar.settings_place()
compare_button()
conditions = live.conditions()


def page() -> None:
    hold()
    with settings:
        sidebar.settings(current())
    sidebar.outcome(imported)
    with frame.section("The network"):
        if not is_ready(convention, chosen.counted):
            return
    here = bench(convention)
    offer(here.design if here.is_whole else None)
    built(here.report if here.is_whole else None)
    reading = findings.read(here, conditions)
    judged = limits.verdicts(here, chosen, reading)
    over = limits.broken(here.report, chosen.counted) if here.report and limits.is_over(judged) else ()
    with frame.instrument(), frame.section("The headline"):
        headline.headline(here, judged, convention, reading, conditions)
    with frame.section("The limits"):
        headline.verdict(here, judged, chosen, over, convention)
        fitting.result(here, chosen, convention)
    rows.toolbar(here)
    rows.problems(here)
    form(here)
    rows.table(here, convention, over)
    more(here)
    with frame.section("The costs"):
        lesson.costs(here, convention)
    parts(
        Part("How this is computed", partial(lesson.formulas, here, convention)),
        Part("Suggestions", partial(findings.findings, here, conditions, reading, convention, chosen)),
        Part("Budget", partial(headline.budget_table, judged, chosen, convention)),
        Part("Structure", partial(views.structure, here, convention), (views.DRAWN,)),
        Part("Activations", partial(views.activations, here, chosen, convention)),
        Part("Microcontroller", partial(microcontroller.memory, here, chosen), (microcontroller.KEY,)),
        Part("Snapshots", partial(snapshots.snapshots, here, convention)),
        Part("Compose a block", partial(composer, here), ("compose",)),
        Part("Other counters", partial(lesson.counted_elsewhere, here, convention), counters.CONTROLS),
        Part("Code", partial(code.code, here), ("code", "code_format")),
        Part("Try this", partial(lesson.exercises, here, convention)),
        Part("Downloads", partial(code.files, here, convention, chosen, reading)),
    )


frame.moving(page)
