"""Architecture search: the objective, the space, and a search in it."""

from functools import partial

from effviz.ui.page_parts.search import lesson, ranking
from effviz.ui.page_parts.search.controls import controls
from effviz.ui.page_parts.search.front import MEMBER, files, search_part
from effviz.ui.page_parts.search.space import space_part
from effviz.ui.widgets.cards import show_cards
from effviz.ui.widgets.frame import header, instrument, moving, section, sidebar, titled
from effviz.ui.widgets.parts import Part, parts

convention = header("search")


def page() -> None:
    with sidebar():
        choice = controls()
    parts(
        Part("The objective", partial(ranking.objective_part, choice)),
        Part("The space", partial(space_part, choice, convention)),
        Part("The search", partial(search_part, choice, convention), (MEMBER,)),
        Part("How this is computed", partial(lesson.formulas, choice)),
        Part("Try this", partial(lesson.questions, choice)),
        Part("Downloads", partial(files, choice, convention)),
    )
    titled(choice.where)
    # After the parts, which calculate what the numbers show.
    with instrument(), section("The headline"):
        show_cards(ranking.cards(choice, convention))


moving(page)
