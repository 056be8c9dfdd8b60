"""The parts of the Architectures page below its charts."""

from __future__ import annotations

from functools import partial

from effviz.count.report import Report
from effviz.ui.convention import Convention
from effviz.ui.page_parts.architectures.controls import Choice
from effviz.ui.page_parts.architectures.published import published
from effviz.ui.page_parts.architectures.results import files, formulas, layers, questions
from effviz.ui.page_parts.architectures.separable import made_separable
from effviz.ui.page_parts.architectures.variants import variants
from effviz.ui.widgets import counters
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.diagram import structure
from effviz.ui.widgets.parts import Part, parts


def more_about(choice: Choice, report: Report, convention: Convention) -> None:
    """Show the tabs, and the chosen part."""
    parts(
        Part("How this is computed", partial(formulas, report, convention), ("layer",)),
        Part("Blocks", partial(structure, report), ("draw",)),
        Part("Layers", partial(layers, report, convention), ("find",)),
        Part("Made separable", partial(made_separable, report, convention)),
        Part("Published figures", partial(published, choice)),
        Part("Why does my code differ?", partial(variants, choice, convention)),
        Part("Other counters", partial(counters.other_counters, report, convention), counters.CONTROLS),
        Part("Measured here", partial(live.history, convention)),
        Part("Try this", partial(questions, choice, report)),
        Part("Downloads", partial(files, report, convention)),
    )
