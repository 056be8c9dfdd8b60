"""The parts of the Studio page below its charts."""

from __future__ import annotations

from functools import partial

from effviz.advice.budgets import Verdict
from effviz.ui.convention import Convention
from effviz.ui.page_parts.studio import code, findings, headline, lesson, microcontroller, snapshots, views
from effviz.ui.page_parts.studio.composer import composer
from effviz.ui.page_parts.studio.draft import Bench
from effviz.ui.page_parts.studio.limits import Limits
from effviz.ui.widgets import counters
from effviz.ui.widgets.live_latency import Conditions, Reading
from effviz.ui.widgets.parts import Part, parts


def more_about(
    here: Bench, chosen: Limits, judged: dict[str, Verdict], convention: Convention, conditions: Conditions,
    reading: Reading,
) -> None:  # fmt: skip
    """Show the tabs, and the chosen part."""
    parts(
        Part("How this is computed", partial(lesson.formulas, here, convention)),
        Part("Suggestions", partial(findings.findings, here, conditions, reading, convention, chosen)),
        Part("Code", partial(code.code, here), ("code", "code_format")),
        Part("Budget", partial(headline.budget_table, judged, chosen, convention)),
        Part("Structure", partial(views.structure, here, convention), (views.DRAWN,)),
        Part("Activations", partial(views.activations, here, chosen, convention)),
        Part("Microcontroller", partial(microcontroller.memory, here, chosen), (microcontroller.KEY,)),
        Part("Snapshots", partial(snapshots.snapshots, here, convention)),
        Part("Compose a block", partial(composer, here), ("compose",)),
        Part("Other counters", partial(lesson.counted_elsewhere, here, convention), counters.CONTROLS),
        Part("Try this", partial(lesson.exercises, here, convention)),
        Part("Downloads", partial(code.files, here, convention, chosen, reading)),
    )
