"""The search for the variant of a table with the most capacity within limits. It is deterministic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from effviz.advice.solver import knobs
from effviz.advice.solver.table import Cost, KnobState, KnobTable
from effviz.core import caches, progress
from effviz.core.resolution import Resolution, area

STARTS = 4
"""Multipliers from which rows are changed, besides those of the table itself."""

MOST_WORK = 1_500
"""Blocks that a search counts before it ends with the best variant so far, which bounds its time."""

_EPSILON = 1e-9
_LEAST_LOSS = 1e-3
"""A change without loss of capacity must not hide how much of the gap it closes."""


@dataclass(frozen=True)
class CountedState:
    """A state of the table with its cost."""

    state: KnobState
    cost: Cost

    @property
    def rank(self) -> tuple[float, float, tuple[int, ...]]:
        """The capacity; then fewer changed knobs, and then the order of the knobs decide."""
        levels = self.state.levels
        return self.cost.capacity, -float(sum(map(bool, levels))), tuple(-level for level in levels)


class TableSearch:
    """A search in one table."""

    def __init__(self, table: KnobTable) -> None:
        self.table = table
        self.widths, self.depths = knobs.widths(table.design), knobs.depths(table.design)
        self.resolutions = knobs.resolutions(table.design)
        self._seen: dict[KnobState, CountedState] = {}

    # --- multipliers ------------------------------------------------------------------------------------------------

    def multipliers(self) -> CountedState | None:
        """Return the variant with the most capacity among the multipliers that meet all limits; None if none does.

        The width is bisected at every depth and resolution, because a wider network of equal depth and resolution does
        not cost less. Those whose widest network has no more capacity than the best one so far are left out.
        """
        best: CountedState | None = None
        for depth in self.depths:
            for place, resolution in enumerate(self.resolutions):
                top = self._multiplied(self.widths[0], depth, resolution)
                if best is not None and top is not None and top.cost.capacity <= best.cost.capacity:
                    if place == 0:
                        return best
                    break
                found = self._widest(depth, resolution)
                if found is not None and (best is None or found.cost.capacity > best.cost.capacity):
                    best = found
        return best

    def _widest(self, depth: float, resolution: Resolution) -> CountedState | None:
        low, high, found = 0, len(self.widths), None
        while low < high:
            middle = (low + high) // 2 if low else 0
            each = self._multiplied(self.widths[middle], depth, resolution)
            if each is not None and not each.cost.gap:
                found, high = each, middle
            else:
                low = middle + 1
        return found

    def _multiplied(self, width: float, depth: float, resolution: Resolution) -> CountedState | None:
        return self.variant(KnobState(width, depth, resolution, self.table.start.levels))

    def variant(self, state: KnobState, near: KnobState | None = None) -> CountedState | None:
        """Return a state with its cost, see `KnobTable.cost`; None if it cannot be built."""
        cost = self.table.cost(state, near)
        if cost is None:
            return None
        if not any(state.levels):
            self._seen[state] = CountedState(state, cost)
        return CountedState(state, cost)

    # --- rows -------------------------------------------------------------------------------------------------------

    def best(self) -> CountedState | None:
        """Return the best variant that meets all limits; None if none is found."""
        start = self.variant(self.table.start)
        if start is None:
            return None
        found = [self.multipliers()]
        first = self.descended(start)
        found.append(self.refilled(first))
        for order, each in enumerate(self._starts(start, first)):
            progress.report((1 + order) / (1 + STARTS), f"{self.table.tried:,} variants counted")
            if self.table.work < MOST_WORK or not any(found):
                found.append(self.refilled(self.descended(each)))
        if not any(found):
            smallest = self.variant(self.floor())
            found.append(self.refilled(smallest) if smallest and not smallest.cost.gap else None)
        best = max((each for each in found if each is not None), key=lambda each: each.rank, default=None)
        return self.refilled(self.exchanged(best)) if best else None

    def _starts(self, start: CountedState, first: CountedState | None) -> list[CountedState]:
        """Return the multipliers from which row changes promise the most capacity.

        The capacity that the row changes of `first` took for each part of the gap is the price of the gap of others.
        """
        if first is None or not start.cost.gap:
            price = 0.0
        else:
            price = (start.cost.capacity - first.cost.capacity) / start.cost.gap
        for found in list(self._seen.values()):
            for state in self._wider(found.state):
                self.variant(state)
        others = [each for each in self._seen.values() if each.state != start.state]
        others.sort(key=lambda each: (price * each.cost.gap - each.cost.capacity, *map(float, each.state[:2])))
        return others[:STARTS]

    def _wider(self, state: KnobState) -> Iterator[KnobState]:
        """Yield the states with the next larger multiplier or resolution."""
        for place, values in enumerate((self.widths, self.depths, self.resolutions)):
            index = values.index(state[place])
            if index:
                changed = list(state)
                changed[place] = values[index - 1]
                yield KnobState(*changed)  # type: ignore[arg-type]

    def _moved(self, state: KnobState, by: int, frozen: int | None = None) -> Iterator[CountedState]:
        """Yield the variants in which one knob is moved by one level."""
        for place, level in enumerate(state.levels):
            if place == frozen or not 0 <= level + by <= len(self.table.knobs[place].levels):
                continue
            caches.pause()
            levels = (*state.levels[:place], level + by, *state.levels[place + 1 :])
            found = self.variant(state._replace(levels=levels), state)
            if found is not None:
                yield found

    def descended(self, variant: CountedState | None, frozen: int | None = None) -> CountedState | None:
        """Lower the knob that closes the most of the gap for its capacity, until all limits are met."""
        while variant is not None and variant.cost.gap:
            now = variant.cost
            variant = max(
                (each for each in self._moved(variant.state, 1, frozen) if now.gap - each.cost.gap > _EPSILON),
                key=lambda each: (
                    (now.gap - each.cost.gap) / max(now.capacity - each.cost.capacity, _LEAST_LOSS), each.rank,
                ),
                default=None,
            )  # fmt: skip
        return variant

    def refilled(self, variant: CountedState | None) -> CountedState | None:
        """Raise the knob that gains the most capacity within the limits, until none does."""
        while variant is not None:
            now = variant
            steps = [*self._moved(now.state, -1)]
            steps += [each for each in map(self.variant, self._wider(now.state)) if each is not None]
            fitting = [
                each for each in steps if not each.cost.gap and each.cost.capacity > now.cost.capacity + _EPSILON
            ]
            better = max(fitting, key=lambda each: each.rank, default=None)
            if better is None:
                return now
            variant = better
        return None

    def exchanged(self, variant: CountedState) -> CountedState:
        """Raise a knob beyond the limits and lower others instead, as long as that gains capacity."""
        improved = True
        while improved:
            improved = False
            raised = sorted(self._moved(variant.state, -1), key=lambda each: each.rank, reverse=True)
            wider = [each for each in map(self.variant, self._wider(variant.state)) if each is not None]
            for each in [*wider, *raised]:
                if self.table.work >= MOST_WORK:
                    return variant
                pairs = enumerate(zip(each.state.levels, variant.state.levels, strict=True))
                frozen = next((place for place, (one, other) in pairs if one != other), None)
                found = self.refilled(self.descended(each, frozen))
                if found is not None and found.cost.capacity > variant.cost.capacity + _EPSILON:
                    variant, improved = found, True
                    break
        return variant

    # --- the smallest variant ---------------------------------------------------------------------------------------

    def floor(self) -> KnobState:
        """Return the state with every knob, multiplier and the resolution at its smallest value."""
        levels = tuple(len(knob.levels) for knob in self.table.knobs)
        return KnobState(self.widths[-1], self.depths[-1], min(self.resolutions, key=area), levels)
