"""Find a network: published networks at any width and resolution within joint limits, best accuracy first."""

from functools import partial

from effviz.ui.page_parts.find import lesson, results
from effviz.ui.page_parts.find.controls import controls
from effviz.ui.widgets.calculation import reserve
from effviz.ui.widgets.frame import header, instrument, moving, section, sidebar, titled
from effviz.ui.widgets.parts import Part, parts

convention = header("find")


def page() -> None:
    with sidebar():
        choice = controls()
    with section("The search"):
        found = results.search(choice, convention)
    if found is None:
        results.wait()
        with instrument():
            reserve(results.POOL, "cards")
        reserve(results.POOL, "chart", results.POOL_WORDS)
        return
    with sidebar():
        chosen = results.chosen_network(found)
    titled(chosen.label if chosen else "no network fits")
    with instrument(), section("The headline"):
        results.headline(choice, found, chosen, convention)
    with section("The chart"):
        results.chart(choice, found, chosen, convention)
    results.binding(choice, found, convention)
    results.open_in(chosen)
    parts(
        Part("Networks that fit", partial(results.table, choice, found, convention)),
        Part("How this is computed", partial(lesson.formulas, choice, found, chosen, convention)),
        Part("Checked again", partial(results.check, choice, found, convention)),
        Part("Try this", partial(lesson.questions, choice, found, convention)),
        Part("Downloads", partial(results.files, choice, found, convention)),
    )


moving(page)
