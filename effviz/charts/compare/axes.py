"""An axis of a comparison: its name, its unit and its direction."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.style import Spec


class Axis(NamedTuple):
    """One quantity as an axis.

    Attributes:
        label: name, for sentences in lower case except for abbreviations.
        title: name and unit.
        written: returns a value with its unit.
        better: -1 if less is better, 1 if more is, 0 if neither.
        log: whether the axis is logarithmic; its values are positive then.
        tick: returns a value without its unit.
    """

    label: str
    title: str
    written: Callable[[float], str]
    better: int
    log: bool
    tick: Callable[[float], str]

    def place(self, value: float) -> float:
        """Return the place of a value on the axis, in plotly's unit for annotations."""
        return math.log10(value) if self.log else value

    def spec(self, span: tuple[float, float]) -> Spec:
        """Build the axis over a span of values, or of their logarithms."""
        if not self.log:
            return draw.axis(self.title, range=list(span), nticks=7, showgrid=True)
        length = span[1] - span[0]
        steps: Sequence[int] = range(1, 10) if length < 0.7 else (1, 2, 5) if length < 3.2 else (1,)
        ticks = [value for value in draw.decades(*span, steps) if 10 ** span[0] < value < 10 ** span[1]]
        return draw.log_axis(span, ticks, self.title, self.tick, showgrid=True)
