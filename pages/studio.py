"""Studio: design a network as a stage table, check it against a budget and rules, and export its code."""

from effviz.ui.page_parts.studio import findings, fitting, headline, lesson, limits, rows, sidebar
from effviz.ui.page_parts.studio.below import more_about
from effviz.ui.page_parts.studio.draft import bench, current, hold
from effviz.ui.page_parts.studio.form import form, more
from effviz.ui.page_parts.studio.preparation import is_ready
from effviz.ui.widgets import frame
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.comparison import compare_button, offer
from effviz.ui.widgets.lesson_panel import built

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
    if here.design is not None:
        frame.titled(frame.network_title(here.design))
    reading = findings.read(here, conditions)
    judged = limits.verdicts(here, chosen, reading)
    over = limits.broken(here.report, chosen.counted) if here.report and limits.is_over(judged) else ()
    with frame.instrument(), frame.section("The headline"):
        headline.headline(here, judged, convention, reading, conditions)
    with frame.section("The limits"):
        headline.verdict(here, judged, chosen, over, convention)
        fitting.result(here, chosen, convention)
    rows.problems(here)
    form(here)
    rows.toolbar(here)
    rows.table(here, convention, over)
    with frame.section("The costs"):
        lesson.costs(here, convention)
    more(here)
    more_about(here, chosen, judged, convention, conditions, reading)


frame.moving(page)
