"""Architectures: the cost of a published network by stage and layer kind, and the effect of its multipliers."""

import effviz
from effviz.ui import runs
from effviz.ui.page_parts.architectures.below import more_about
from effviz.ui.page_parts.architectures.controls import controls
from effviz.ui.page_parts.architectures.results import CHARTS, counts, figures, show_stage
from effviz.ui.page_parts.architectures.sweep import settings
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.charts import chart_row, kind_legend, show_chart
from effviz.ui.widgets.comparison import compare_button, offer
from effviz.ui.widgets.drag import follow
from effviz.ui.widgets.frame import header, instrument, look, moving, network_title, refuse, section, sidebar, titled
from effviz.ui.widgets.lesson_panel import built
from effviz.ui.widgets.parts import is_open

convention = header("architectures")
compare_button()
conditions = live.conditions()


def page() -> None:
    with sidebar():
        choice = controls()
    try:
        report, unscaled, cards = counts(choice, convention)
    except effviz.DesignError as error:
        refuse(f"This network cannot be built. {error}")
    built(report)
    offer(choice.design)
    titled(network_title(choice.design))
    with instrument(), section("The headline"):
        live.headline(
            cards, choice.design, [choice.baseline] if choice.scaled else [], conditions, choice.against,
            redraw=runs.PAGE_FRAGMENT if is_open("Measured here") else live.PART,
        )  # fmt: skip
    with section("The costs"):
        stages, *others = figures(report, unscaled, convention, look())
        # The name of the unscaled network is in the help of the cards: here it would begin a second line.
        legend = kind_legend((kind for _, kind in report.sums), choice.against)
        show_chart(stages, CHARTS[0], legend=legend, on_click=show_stage(report))
        chart_row(dict(zip(CHARTS[1:], others, strict=True)))
    follow("architectures", settings(choice, convention, look()))
    more_about(choice, report, convention)


moving(page)
