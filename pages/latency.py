"""Latency: how well a count predicts the speed of a network, on this machine and on published devices."""

from functools import partial

from effviz.ui.page_parts.latency import lesson, results
from effviz.ui.page_parts.latency.controls import controls
from effviz.ui.widgets.frame import header, instrument, moving, section, sidebar, titled
from effviz.ui.widgets.parts import Part, parts

convention = header("latency")


def page() -> None:
    with sidebar():
        options = controls()
    rows = results.measurements(options, convention)
    titled(options.title)
    with instrument(), section("The headline"):
        results.headline(rows, options, convention)
    with section("The measurements"):
        results.chart(rows, options, convention)
    results.bar(options)
    with section("The comparison of the counts"):
        results.predictor_chart(rows)
    parts(
        Part("Published latencies", partial(lesson.published, options, convention)),
        Part("Depthwise layers", partial(lesson.depthwise, rows, convention), ("one", "two")),
        Part("How this is computed", partial(lesson.formulas, rows, options, convention)),
        Part("Measured networks", partial(results.show_measured, rows, convention)),
        Part("Try this", partial(lesson.exercises, rows, options, convention)),
        Part("Downloads", partial(results.files, rows, convention)),
    )


moving(page)
