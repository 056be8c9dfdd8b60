"""A line of points of which one is marked with its value."""

import math
from collections.abc import Sequence

from effviz.charts import draw
from effviz.charts.style import Appearance, Spec


def marked_line(
    x: Sequence[float], y: Sequence[float], marks: Sequence[str], look: Appearance, **rest: object
) -> tuple[Spec, list[Spec]]:
    """Return the trace and the annotations, for a logarithmic axis.

    Args:
        x, y: the points.
        marks: text of each marked point; empty for the others.
        rest: of the trace.
    """
    last = len(x) - 1
    trace = {
        "type": "scatter", "mode": "lines+markers", "x": list(x), "y": list(y),
        "line": {"color": look.ink, "width": 2},
        "marker": {"color": [look.accent if text else look.ink for text in marks],
                   "size": [14 if text else 7 for text in marks], "opacity": 1},
    }  # fmt: skip
    notes = [
        draw.note(
            math.log10(x[place]), y[place], text, look.accent, 14, yanchor="bottom", yshift=8,
            xanchor="right" if place == last and place else "left", xshift=0 if place == last else 6,
        )
        for place, text in enumerate(marks) if text
    ]  # fmt: skip
    return trace | rest, notes
