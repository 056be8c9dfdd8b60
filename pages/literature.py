"""Published figures: what papers, libraries and course notes print, judged by exact counts."""

from functools import partial

from effviz.studies.literature.judge import judged
from effviz.ui import inputs
from effviz.ui.page_parts.literature.checker import KEY, checker
from effviz.ui.page_parts.literature.claims import claims, files, rules
from effviz.ui.page_parts.literature.controls import cards, chart, controls, legend, select
from effviz.ui.page_parts.literature.course import course
from effviz.ui.widgets.calculation import calculated
from effviz.ui.widgets.cards import show_cards
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import header, instrument, look, moving, section, sidebar
from effviz.ui.widgets.parts import Part, parts

convention = header("literature")


def page() -> None:
    with sidebar():
        chosen = controls()
    if calculated("Judged figures", judged) is None:
        return
    with instrument(), section("The headline"):
        show_cards(cards(chosen))
    with section("The verdicts"):
        grouping = inputs.switch("Group by", ["Difference", "Source", "Quantity"], "by", default="Difference")
        show_chart(chart(chosen, grouping, look()), "verdicts", legend=legend(look()), on_click=select)
    parts(
        Part("Course notes", course),
        Part("Number checker", checker, (KEY,)),
        Part("All figures", partial(claims, chosen)),
        Part("How figures are judged", rules),
        Part("Downloads", partial(files, chosen, convention)),
    )


moving(page)
