"""Compare: up to 30 networks side by side, and the difference between two of them."""

from functools import partial

from effviz.ui import links
from effviz.ui.page_parts.compare import difference, lesson, overview
from effviz.ui.page_parts.compare.controls import controls
from effviz.ui.page_parts.compare.rows import read
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.frame import header, instrument, moving, section, sidebar, titled
from effviz.ui.widgets.parts import KEY, Part, parts

convention = header("compare")
conditions = live.conditions()


def page() -> None:
    with sidebar():
        choice = controls()
    view = None
    with section("The comparison"):
        view = read(choice, convention, conditions)
    if view is None:
        links.idle(KEY, *difference.CONTROLS)
        return
    names = view.choice.names
    titled(f"{names[1]} vs {names[0]}" if view.choice.differ else names[0])
    with instrument(), section("The headline"):
        overview.headline(view, convention, conditions)
    with section("The chart"):
        overview.chart(view, convention)
        difference.summary(view, convention)
    parts(
        Part("Table", partial(overview.table, view, convention)),
        Part("Difference", partial(difference.difference, view, convention), difference.CONTROLS),
        Part("All quantities", partial(overview.profile, view, convention)),
        Part("Diagrams", partial(difference.diagrams, view, convention)),
        Part("How this is computed", partial(lesson.formulas, view, convention)),
        Part("Try this", partial(lesson.questions, view, convention)),
        Part("Downloads", partial(lesson.files, view, convention)),
    )


moving(page)
