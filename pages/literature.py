"""Published figures: what papers, libraries and course notes print, judged by exact counts."""

from functools import partial

from effviz.studies.literature.judge import judged
from effviz.ui.page_parts.literature.checker import KEY, checker
from effviz.ui.page_parts.literature.claims import ALL_FIGURES, JUDGED, JUDGED_WORDS, PAGE, claims, files, rules, when
from effviz.ui.page_parts.literature.controls import caption, cards, chart, controls, legend, show_bar
from effviz.ui.page_parts.literature.course import course
from effviz.ui.widgets.calculation import calculated, reserve
from effviz.ui.widgets.cards import show_cards
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.frame import header, instrument, look, moving, section
from effviz.ui.widgets.parts import Part, parts

convention = header("literature", controls=False)


def page() -> None:
    chosen, grouping = controls()
    ready = calculated(JUDGED, judged) is not None
    if ready:
        with instrument(), section("The headline"):
            show_cards(cards(chosen))
        with section("The verdicts"):
            show_chart(
                chart(chosen, grouping, look()), "verdicts", legend=legend(grouping, look()), note=caption(grouping),
                on_click=partial(show_bar, grouping),
            )  # fmt: skip
    else:
        with instrument():
            reserve(JUDGED, "cards")
        reserve(JUDGED, "chart", JUDGED_WORDS)
    parts(
        Part("Course notes", partial(when, ready, course)),
        Part("Number checker", checker, (KEY,)),
        Part(ALL_FIGURES, partial(when, ready, partial(claims, chosen)), (PAGE,)),
        Part("How figures are judged", rules),
        Part("Downloads", partial(when, ready, partial(files, chosen, convention))),
    )


moving(page)
