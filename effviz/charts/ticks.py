"""Ticks at round numbers, written as everywhere on the pages: ``2.5 M``, ``768 KiB``.

Plotly's own formats have no space before the prefix, and it turns labels that do not fit on a phone.
"""

import math

from effviz.charts import draw
from effviz.charts.style import Spec
from effviz.core.arguments import check_border
from effviz.core.units import round_step, short, short_binary, snapped

_NARROW = 0.153
"""The least distance between two labels on a phone, as a share of the axis."""


def linear_ticks(low: float, high: float, most: int = 6, *, in_bytes: bool = False) -> Spec:
    """Build at most `most` ticks from `low` to `high`, at multiples of 1, 2 or 5 times a power of ten.

    Args:
        low, high: ends of the axis.
        most: 1 to 1,000.
        in_bytes: multiples of KiB or MiB.
    """
    unit = _unit(high, in_bytes=in_bytes)
    step = round_step((high - low) / unit / most) * unit
    while len(values := _multiples(low, high, step)) > most:
        step = round_step(step / unit * 1.01) * unit
    texts = [_text(value, in_bytes=in_bytes) for value in values]
    if len(set(texts)) < len(texts):
        texts = [f"{value:,.10g}" for value in values]
    return {"tickvals": values, "ticktext": texts}


def _unit(highest: float, *, in_bytes: bool) -> float:
    """Return the largest of KiB, MiB and so on that is at most `highest`; 1 without bytes."""
    return 1024.0 ** min(math.floor(math.log(max(highest, 1), 1024)), 6) if in_bytes else 1.0


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [step * place for place in range(first, last + 1)]


def _text(value: float, *, in_bytes: bool) -> str:
    if in_bytes:
        return short_binary(value)
    # Numbers below 0.1 have more than two decimals.
    return short(value) if abs(value) >= 0.1 else f"{value:.3g}"


def round_axis(highest: float, most: int = 6, *, in_bytes: bool = False) -> Spec:
    """Build the range and the ticks of an axis from 0 to a round number that is at least `highest`.

    It has the same end for many values, so that it does not move with every step of a slider.
    """
    unit = _unit(highest, in_bytes=in_bytes)
    end = snapped(highest / unit) * unit
    return {"range": [0, end]} | linear_ticks(0, end, most, in_bytes=in_bytes)


def panel_axis(highest: float, *, in_bytes: bool = False) -> Spec:
    """Build a `round_axis` of a low panel, without ticks at its upper end, where its heading is."""
    made = round_axis(highest, in_bytes=in_bytes)
    return made | linear_ticks(0, 0.9 * made["range"][1], 3, in_bytes=in_bytes)


def log_values(low: float, high: float, *, in_bytes: bool = False) -> list[float]:
    """Return values of a logarithmic axis, between two powers of ten, whose labels do not meet on a phone."""
    room = _NARROW * (high - low)
    if in_bytes:
        # Labels such as 256 KiB are wider.
        every = math.ceil(1.2 * room / math.log10(2))
        choices = [([2.0 ** (every * power) for power in range(60)], room)]
    else:
        decades = math.ceil(room)
        steps = ((range(1, 10), 0.0457), ((1, 2, 5), 0.301), ((1, 3), 0.477), ((1,), 1.0))
        choices = [(draw.decades(low, high, step), gap) for step, gap in steps]
        choices.append(([10.0 ** (decades * power) for power in range(-9, 20)], room))
    for values, gap in choices:
        found = [value for value in values if low < math.log10(value) < high]
        if gap >= room and len(found) > 1:
            return found
    return [value for value in linear_ticks(10**low, 10**high, 4, in_bytes=in_bytes)["tickvals"] if value > 0]


check_border(globals())
