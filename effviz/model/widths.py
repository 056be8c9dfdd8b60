"""Rounding of scaled channel counts: a rule, or a table of published widths."""

from dataclasses import dataclass
from typing import Any

from effviz.core import errors
from effviz.core.arguments import check_methods, checked_late
from effviz.core.errors import fail, one_of, whole
from effviz.core.rounding import ceil, floor_at_least, half_up, make_divisible, same

ROUNDINGS = ("nearest", "down", "floor", "ceil", "half_up")


@dataclass(frozen=True)
class WidthRule:
    """The rounding of scaled channel counts in a family.

    Attributes:
        divisor: widths are multiples of it.
        minimum: the smallest width; None for the divisor.
        rounding: ``"nearest"``, at most 10 % below the exact width (`make_divisible`); ``"down"``, truncation to an
            integer; ``"floor"`` or ``"ceil"``, to the next multiple of the divisor below or above; ``"half_up"``, to
            the nearest multiple, the upper one of two.
        table: published widths, ``(multiplier, ((stage name, out_channels), ...))`` in rising order; empty for none.
        interpolates: interpolate between the multipliers of the table; otherwise other multipliers are errors.
        source: of the rule.
    """

    divisor: int = 8
    minimum: int | None = None
    rounding: str = "nearest"
    table: tuple[tuple[float, tuple[tuple[str, int], ...]], ...] = ()
    interpolates: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        whole("divisor", self.divisor)
        if self.minimum is not None:
            whole("minimum", self.minimum)
        one_of("rounding", self.rounding, ROUNDINGS)
        errors.flag("interpolates", self.interpolates)
        errors.text("source", self.source)
        if not isinstance(self.table, tuple):
            fail("table", self.table, "must be a tuple of (multiplier, ((stage, out_channels), ...))")
        multipliers = [_check_row(row) for row in self.table]
        if multipliers != sorted(set(multipliers)):
            fail("table", multipliers, "must have rising multipliers")

    @property
    def multipliers(self) -> tuple[float, ...]:
        """The only legal multipliers, in rising order; empty if others are legal too."""
        return () if self.interpolates else tuple(multiplier for multiplier, _ in self.table)

    @checked_late
    def round(self, value: float, divisor: int | None = None) -> int:
        """Round `value` to a legal width."""
        divisor = divisor or self.divisor
        if self.rounding == "down":
            return floor_at_least(value, self.minimum or divisor)
        if self.rounding in ("floor", "ceil"):
            multiples = ceil(value / divisor) if self.rounding == "ceil" else floor_at_least(value / divisor, 0)
            return max(self.minimum or divisor, multiples * divisor)
        if self.rounding == "half_up":
            return half_up(value, divisor, self.minimum if divisor == self.divisor else None)
        return make_divisible(value, divisor, self.minimum if divisor == self.divisor else None)

    @checked_late
    def check_multiplier(self, width_mult: float) -> None:
        """Raise `DesignError` if only other multipliers were published; the message lists them."""
        if self.multipliers and not any(same(width_mult, each) for each in self.multipliers):
            listed = ", ".join(f"{each:g}" for each in self.multipliers)
            fail("width_mult", width_mult, f"must be one of {listed}: no other widths were published")

    @checked_late
    def looked_up(self, stage: str, width_mult: float, *, extrapolates: bool) -> int | None:
        """Return the width of `stage` from the table; None if the table does not contain it."""
        points = [(multiplier, dict(widths)[stage]) for multiplier, widths in self.table if stage in dict(widths)]
        if not points:
            return None
        for multiplier, channels in points:
            if same(width_mult, multiplier):
                return channels
        first, last = points[0], points[-1]
        if width_mult < first[0] or width_mult > last[0]:
            multiplier, channels = first if width_mult < first[0] else last
            return self.round(channels * width_mult / multiplier) if extrapolates else channels
        above = next(index for index, point in enumerate(points) if point[0] > width_mult)
        (low, fewer), (high, more) = points[above - 1], points[above]
        return self.round(fewer + (more - fewer) * (width_mult - low) / (high - low))


def _check_row(row: Any) -> float:
    """Check a row of the table and return its multiplier."""
    if not isinstance(row, tuple) or len(row) != 2 or not isinstance(row[1], tuple):
        fail("row of the table", row, "must be (multiplier, ((stage, out_channels), ...))")
    for entry in row[1]:
        if not isinstance(entry, tuple) or len(entry) != 2:
            fail("width in the table", entry, "must be (stage, out_channels)")
        errors.text("stage in the table", entry[0])
        whole("out_channels in the table", entry[1])
    return errors.multiplier("width_mult in the table", row[0])


check_methods(WidthRule)
