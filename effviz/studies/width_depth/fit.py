"""The width with the most multiply-adds within a budget."""

import math
from collections.abc import Iterable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from effviz.core.arguments import check_public
from effviz.core.caches import remembered
from effviz.core.errors import MAX_MULTIPLIER, DesignError, whole
from effviz.core.resolution import Resolution
from effviz.core.rounding import same
from effviz.count.report import analyze
from effviz.model.design import Design

MOST_MACS = 10**18
_LEAST, _MOST = 1e-6, MAX_MULTIPLIER  # a row has at most 2**20 channels, so every width is at its minimum here
_NOISE = 1e-9  # multipliers that differ by less are equal, see effviz.core.rounding
_APART = 3 * _NOISE  # multipliers that differ by this much are distinct
_LOOKED = 64  # multipliers to try, over a factor of 2, beyond one that cannot be built
_WALKED = 3_000  # steps of the linear search


@dataclass(frozen=True)
class DepthFit:
    """The largest network within a budget of multiply-adds, at one depth."""

    budget: int  # multiply-adds of one image
    design: Design  # with its width multiplier
    macs: int  # its multiply-adds
    above: Design | None  # the next larger network; None if none can be built
    macs_above: int | None  # its multiply-adds; None without one

    @property
    def gap(self) -> float:
        """Unused share of the budget."""
        return 1 - self.macs / self.budget

    @property
    def excess(self) -> float | None:
        """Share of the budget by which the next larger network exceeds it."""
        return None if self.macs_above is None else self.macs_above / self.budget - 1


class OverBudgetError(DesignError):
    """The narrowest network of a depth exceeds the budget.

    Attributes:
        least: its multiply-adds.
    """

    def __init__(self, budget: int, least: int) -> None:
        super().__init__(f"macs = {budget} must be at least {least}, which the narrowest network of this depth has")
        self.budget, self.least = budget, least

    def __reduce__(self) -> tuple[Any, ...]:
        return OverBudgetError, (self.budget, self.least)


def fit_width(design: Design, macs: int, *, depth_mult: float = 1.0, resolution: Resolution | None = None) -> DepthFit:
    """Find the width multiplier with the most multiply-adds, after rounding, that do not exceed `macs`.

    Multiply-adds over the multiplier are a staircase. Bisection ends at two neighboring steps, one within the budget
    and one above it; multipliers that cannot be built are skipped. Multipliers with widths that no rounding gives (1,
    and those of a published table) are tried one by one. Multipliers that differ by less than a billionth count as
    equal.

    Args:
        design: any; the search starts at its width multiplier, which does not change the result.
        macs: the budget, multiply-adds of one image.
        depth_mult: factor on the blocks of the design.
        resolution: of the input in pixels; None for that of the design.

    Raises:
        OverBudgetError: no network is within the budget.
        DesignError: no network can be built at this depth and resolution.
    """
    macs = whole("macs", macs, 1, MOST_MACS)
    return _fit_width(design.scaled(depth_mult=depth_mult, resolution=resolution), macs)


@remembered
def _fit_width(design: Design, budget: int) -> DepthFit:
    stairs = _Stairs(design, budget)
    stairs.search()
    built = dict(stairs.lasting())
    if not built:
        design.blocks()  # raises with the reason
    beyond = min((macs for macs in built if macs > budget), default=None)
    best = max((macs for macs in built if macs <= budget), default=None)
    if best is None:
        raise OverBudgetError(budget, beyond or 0)
    above = None if beyond is None else stairs.shown(built[beyond])
    return DepthFit(budget, stairs.shown(built[best]), best, above, beyond)


class _Step(NamedTuple):
    """An interval of multipliers with one network: a multiplier, its widths, its multiply-adds (None: illegal)."""

    mult: float
    widths: tuple[object, ...]
    macs: int | None


class _Stairs:
    """The networks of one design over its width multiplier, built on demand."""

    def __init__(self, design: Design, budget: int) -> None:
        self.design, self.budget = design, budget
        self._known: dict[tuple[object, ...], _Step] = {}

    def lasting(self) -> Iterable[tuple[int, _Step]]:
        """The networks built so far, with their multiply-adds, without artifacts of float rounding.

        Where two widths round up at the same multiplier, floats may separate the two for a few billionths.
        """
        own = (1.0, *(mult for mult, _ in self.design.width_rule.table))
        for step in self._known.values():
            around = (step.mult * (1 - _APART), min(step.mult * (1 + _APART), _MOST))
            alone = any(same(step.mult, mult) for mult in own)
            if step.macs is not None and (alone or any(self._widths(mult) == step.widths for mult in around)):
                yield step.macs, step

    def at(self, mult: float) -> _Step:
        """Return the step at a multiplier."""
        design = self._wide(mult)
        widths = design.built_widths()
        step = self._known.get(widths)
        if step is None:
            macs = None
            with suppress(DesignError):
                macs = analyze(design).macs
            step = _Step(mult, widths, macs)
        # The last multiplier is the nearest to the end of the step.
        self._known[widths] = step = step._replace(mult=mult)
        return step

    def fits(self, step: _Step) -> bool:
        return step.macs is not None and step.macs <= self.budget

    def search(self) -> None:
        """Build the steps on both sides of the budget, and the multipliers with tabulated widths."""
        rule = self.design.width_rule
        published = [mult for mult, _ in rule.table]
        only_published = bool(rule.multipliers)
        for mult in published if only_published else [1.0, *published]:
            self.at(mult)
        step = None if only_published else self._start()
        if step is None:
            return
        low, high = self._bracket(step)
        if low is not None and high is not None:
            low, high = self._narrowed(low, high)
            self.at(low.mult * (1 - _APART))
            self.at(min(high.mult * (1 + _APART), _MOST))
            if self._holes(low, high):
                self._walk()

    def _holes(self, low: _Step, high: _Step) -> bool:
        """Return whether a multiplier between two networks cannot be built, for example because of its groups."""
        if low.macs is not None and high.macs is not None:
            return False
        side, power = (high, 1) if high.macs is None else (low, -1)
        looked = (side.mult * 2.0 ** (power * turn / _LOOKED) for turn in range(1, _LOOKED + 1))
        return any(self.at(min(mult, _MOST)).macs is not None for mult in looked)

    def _walk(self) -> None:
        """Build one step after another, from the narrowest, until the budget is exceeded."""
        step = self.at(_LEAST)
        for _ in range(_WALKED):
            if step.mult >= _MOST or (step.macs is not None and not self.fits(step)):
                self.at(min(step.mult * (1 + _APART), _MOST))
                return
            step = self.at(self._end(step))

    def _start(self) -> _Step | None:
        """Return a multiplier that can be built, near that of the design, if there is one."""
        # Next to it: at a multiplier of 1, widths are not rounded.
        near = min(self.design.width_mult * (1 + 1e-6), _MOST)
        tried = (self.at(min(near * 2.0**power, _MOST)) for power in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5))
        return next((step for step in tried if step.macs is not None), None)

    def _bracket(self, step: _Step) -> tuple[_Step | None, _Step | None]:
        """Return the steps on both sides of the budget; illegal ones count as above it, or as below the least."""
        rising, reach = self.fits(step), 0.01
        while True:
            before = step
            # Multiply-adds grow with the square of the width, or a little slower.
            guess = math.sqrt(self.budget / max(step.macs or 1, 1))
            factor = max(guess, 1) * (1 + reach) if rising else min(guess, 1) / (1 + reach)
            step = self.at(min(max(step.mult * factor, _LEAST), _MOST))
            if step.macs is None or self.fits(step) != rising:
                return (before, step) if rising else (step, before)
            if step.mult in (_LEAST, _MOST):
                return None, None
            reach *= 2

    def _narrowed(self, low: _Step, high: _Step) -> tuple[_Step, _Step]:
        """Bisect until no network is between; the secant of the logarithms saves most steps."""
        building, turn = True, 0
        while high.mult - low.mult > _NOISE * low.mult:
            turn, share = turn + 1, 0.5
            if building and turn % 3 and low.macs and high.macs and high.macs > low.macs:
                share = math.log(self.budget / low.macs) / math.log(high.macs / low.macs)
            middle = self.at(low.mult * (high.mult / low.mult) ** min(max(share, 0.1), 0.9))
            building = middle.widths not in (low.widths, high.widths)
            # Below the least network nothing can be built.
            down = self.fits(middle) or (middle.macs is None and not self.fits(low))
            low, high = (middle, high) if down else (low, middle)
        return low, high

    def _end(self, step: _Step) -> float:
        """Return the multiplier at which the next step starts."""
        low, reach = step.mult, 1e-4
        while (high := min(low * (1 + reach), _MOST)) < _MOST and self._widths(high) == step.widths:
            low, reach = high, 2 * reach
        while high - low > _NOISE * low:
            middle = (low + high) / 2
            low, high = (middle, high) if self._widths(middle) == step.widths else (low, middle)
        return high

    def _widths(self, mult: float) -> tuple[object, ...]:
        return self._wide(mult).built_widths()

    def _wide(self, mult: float) -> Design:
        """Return the design at a legal multiplier without checking it again, which would take half of the search."""
        design = copy(self.design)
        vars(design)["width_mult"] = mult
        return design

    def shown(self, step: _Step) -> Design:
        """Return the design of a step, at the multiplier with the fewest digits."""
        for digits in range(12):
            for rounded in (math.floor, math.ceil):
                mult = rounded(step.mult * 10**digits) / 10**digits
                if 0 < mult <= _MOST and self._widths(mult) == step.widths:
                    return replace(self.design, width_mult=mult)
        return replace(self.design, width_mult=step.mult)


check_public(globals())
