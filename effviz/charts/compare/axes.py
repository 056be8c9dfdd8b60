"""An axis of a comparison: its name, its unit and its direction."""

import math
from collections.abc import Callable
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.style import Spec
from effviz.charts.ticks import linear_ticks, log_values


class Axis(NamedTuple):
    """One quantity as an axis.

    Attributes:
        label: name, for sentences in lower case except for abbreviations.
        title: name and unit.
        written: returns a value with its unit.
        better: -1 if less is better, 1 if more is, 0 if neither.
        log: whether the axis is logarithmic; its values are positive then.
        tick: returns a value without its unit.
        in_bytes: whether ticks are powers of two.
    """

    label: str
    title: str
    written: Callable[[float], str]
    better: int
    log: bool
    tick: Callable[[float], str]
    in_bytes: bool = False

    def place(self, value: float) -> float:
        """Return the place of a value on the axis, in plotly's unit for annotations."""
        return math.log10(value) if self.log else value

    def spec(self, span: tuple[float, float]) -> Spec:
        """Build the axis over a span of values, or of their logarithms."""
        if not self.log:
            return draw.axis(self.title, range=list(span), showgrid=True, **linear_ticks(*span))
        return draw.log_axis(span, log_values(*span, in_bytes=self.in_bytes), self.title, self.tick, showgrid=True)
