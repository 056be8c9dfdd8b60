"""Home: a network that follows one slider, three ways in, and every network of the zoo."""

from functools import partial

from effviz.ui.page_parts.home.gallery import gallery
from effviz.ui.page_parts.home.instrument import DRAWING, cards, choose, control, drawing, note
from effviz.ui.page_parts.home.sweep import settings
from effviz.ui.page_parts.home.zoo import reports, totals, ways, zoo_table
from effviz.ui.widgets.cards import show_cards
from effviz.ui.widgets.charts import show_chart
from effviz.ui.widgets.drag import follow
from effviz.ui.widgets.frame import header, instrument, look, moving, section
from effviz.ui.widgets.parts import Part, parts
from effviz.ui.widgets.principles import principles

convention = header("", controls=False)


def page() -> None:
    choice = choose(control())
    with instrument(), section("The headline"):
        show_cards(cards(choice, convention))
    with section("The network"):
        show_chart(drawing(choice, convention, look()), DRAWING, note=note(choice))
    follow("home", settings(convention, look()))
    ways()
    parts(
        Part("Networks", partial(gallery, convention)),
        Part("Parameters and compute", partial(totals, convention)),
        Part("All counts", lambda: zoo_table(reports(convention.memory), convention)),
        Part("Design principles", principles),
    )


moving(page)
