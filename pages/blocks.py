"""Building blocks: the cost of one block of the papers, part by part, and next to other blocks."""

from functools import partial

from effviz.charts.motion import motions_of
from effviz.studies.blocks import PRESETS
from effviz.studies.excite import can_excite
from effviz.ui.page_parts.blocks import lessons, results
from effviz.ui.page_parts.blocks.controls import companions, controls
from effviz.ui.page_parts.blocks.sweep import settings
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.cards import cached_report, show_cards
from effviz.ui.widgets.diagram import LAYERS, diagram
from effviz.ui.widgets.drag import follow
from effviz.ui.widgets.frame import header, instrument, look, moving, refuse, section, sidebar, titled
from effviz.ui.widgets.parts import Part, parts

convention = header("blocks")
conditions = live.conditions()


def page() -> None:
    with sidebar():
        choice = controls()
    if choice.problem:
        refuse(f"{choice.title} cannot be built here. {choice.problem}")
    report = cached_report(choice.design, convention.memory)
    titled(choice.title)
    with section("The animation"):
        lessons.in_motion(motions_of(report.blocks[0].block, report.blocks[0].shape))
    with section("The costs"):
        results.costs(choice, report, convention)
    # The cards compare the latency with that of the first other block, which is chosen here.
    others = companions(choice)
    against = PRESETS[others[0].name].short if others else ""
    reading = live.read(choice.design, [each.design for each in others], conditions)
    with instrument(), section("The headline"):
        show_cards([*results.cards(report, convention), live.card(reading, against)])
        live.bar(choice.design, conditions, reading)
    follow("blocks", settings(choice, convention, look()))
    rows = results.compared(choice, others, reading, convention)
    with section("The comparison"):
        results.comparison(rows, convention)
    excitation = Part("Squeeze-and-excitation", partial(lessons.excitation_cost, report), ("se",))
    parts(
        Part("How this is computed", partial(results.formulas, report, convention)),
        Part("Diagram", partial(diagram, report, LAYERS)),
        Part("Comparison", partial(results.comparison_table, rows, convention)),
        Part("Why linear?", lessons.why_linear, ("linear", "n", "seed", "relu")),
        Part("Feature reuse", lessons.feature_reuse, ("reuse", "reuse_net", "reuse_stage")),
        *([excitation] if can_excite(report.blocks[0].block) else []),
        Part("Try this", partial(results.questions, choice, report, convention)),
        Part("Downloads", partial(results.files, choice, report, convention)),
    )


moving(page)
