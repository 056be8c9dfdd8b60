"""From the cost of one network to that of another, part by part."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from effviz.charts import draw
from effviz.charts.sentences import plural
from effviz.charts.style import Appearance, Chart, chart
from effviz.charts.ticks import linear_ticks
from effviz.charts.waterfall import Bar, sign, waterfall
from effviz.core.arguments import check_border

_CROPPED = 0.7  # of the largest sum


class ComparedPart(NamedTuple):
    """One part of the two networks: a stage or a layer kind, its cost in the first and in the second."""

    label: str
    before: int
    after: int

    @property
    def value(self) -> int:
        """The contribution to the difference."""
        return self.after - self.before


def difference_chart(
    parts: Sequence[ComparedPart], names: tuple[str, str], quantity: str, noun: str, written: Callable[[int], str],
    look: Appearance, factor: int = 1, *, in_bytes: bool = False,
) -> Chart:  # fmt: skip
    """Draw the steps from the total of one network to that of another.

    Args:
        parts: all parts; those without a difference are not drawn.
        names: of the two networks.
        quantity: name of the cost, in lower case except for abbreviations.
        noun: what a part is: ``"stage"`` or ``"layer kind"``.
        written: returns an amount with its unit.
        factor: from an amount to the number on the axis.
        in_bytes: whether that number is in bytes.
    """
    before, after = sum(each.before for each in parts), sum(each.after for each in parts)
    moved = [each for each in parts if each.value]
    sums = [before]
    for each in moved:
        sums.append(sums[-1] + each.value)
    moves = [
        Bar(each.label, each.value, signed(each.value, written),
            (f"{written(each.before)} → {written(each.after)}", signed(each.value, written)))
        for each in moved
    ]  # fmt: skip
    ends = (Bar(name, total, written(total)) for name, total in zip(names, (before, after), strict=True))
    trace, axis, texts = waterfall(next(ends), moves, next(ends), look, factor)
    low, high = min(*sums, after), max(*sums, after)
    start = low - 0.35 * (high - low) if high and low > _CROPPED * high and low < high else 0
    room = 0.22 * (high - start or 1)
    span = factor * start, factor * (high + room)
    label = quantity[:1].upper() + quantity[1:]
    layout = {
        "margin": draw.margin(right=12),
        "xaxis": draw.axis(
            f"{label}, axis from {written(round(start))}" if start else label,
            range=list(span), showgrid=True, **linear_ticks(*span, 5, in_bytes=in_bytes),
        ),
        "yaxis": axis,
        "annotations": texts,
    }  # fmt: skip
    spoken = "; ".join(f"{each.label}: {signed(each.value, written)}" for each in moved)
    return chart(
        look, 70 + 30 * (len(moves) + 2), [trace], layout, _title(parts, names, quantity, noun, written), spoken
    )


def signed(value: int, written: Callable[[int], str]) -> str:
    """Write a difference with its sign: ``+12.3 M``."""
    return f"{sign(value)}{written(abs(value))}"


def _title(
    parts: Sequence[ComparedPart], names: tuple[str, str], quantity: str, noun: str, written: Callable[[int], str]
) -> str:  # fmt: skip
    total = sum(each.value for each in parts)
    moved = [each for each in parts if each.value]
    if not moved:
        return f"{names[0]} and {names[1]} have equal {quantity} in every {noun}"
    if not total:
        return f"{names[0]} and {names[1]} have equal {quantity}; {plural(len(moved), noun)} differ and cancel out"
    largest = max(moved, key=lambda each: abs(each.value))
    less = "fewer" if quantity.endswith("s") and not quantity.endswith("ss") else "less"
    claim = f"{names[1]} has {written(abs(total))} {'more' if total > 0 else less} {quantity} than {names[0]}"
    if len(moved) == 1:
        return f"{claim}, all of it in {largest.label}"
    return f"{claim}; the largest term is {largest.label} with {signed(largest.value, written)}"


check_border(globals())
