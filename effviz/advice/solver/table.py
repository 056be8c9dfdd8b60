"""The cost of a stage table for a solver: every row is counted once for each of its settings and inputs.

The counts come from the rules of `effviz.count`, block by block, so they are those of `effviz.analyze`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import log
from typing import Any, NamedTuple

from effviz.advice.budgets import Budget
from effviz.advice.capacity import block_capacity
from effviz.advice.solver import knobs
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.resolution import Resolution
from effviz.count.memory import NETWORK_INPUT, Producer
from effviz.count.rows import block_access, block_fusion, block_peak
from effviz.count.totals import block_totals
from effviz.model.design import Design
from effviz.model.fields import FieldBlock
from effviz.model.layers import Shape, elements
from effviz.model.layout import lay_out, placed
from effviz.model.shapes import out_shape
from effviz.model.stage import Stage

COUNTS = ("params", "macs", "memory_access", "peak_activation")


class KnobState(NamedTuple):
    """A variant of the table: its multipliers, its resolution, and the level of each knob, 0 for the current value."""

    width_mult: float
    depth_mult: float
    resolution: Resolution
    levels: tuple[int, ...]


class RowCost(NamedTuple):
    """The counts of the blocks of one row, and its output."""

    params: int
    macs: int
    memory_access: int
    peak: int
    capacity: float
    out_shape: Shape
    producer: Producer


class Cost(NamedTuple):
    """The counts of a variant in elements, its capacity, and how far it is from the limits.

    Attributes:
        gap: sum of the logarithms of value / limit over the limits that are exceeded; for the peak over the rows that
            exceed it, so that each row that is fixed closes a part.
    """

    params: int
    macs: int
    memory_access: int
    peak_activation: int
    capacity: float
    gap: float


@remembered
def block_cost(block: FieldBlock, shape: Shape, producer: Producer, memory: str) -> RowCost:
    """Count one block; `memory` is empty if its memory access is not needed."""
    totals = block_totals.__wrapped__(block, shape)
    access = block_access(block, shape, producer, memory) if memory else 0
    peak, after = block_peak(block, shape, producer), block_fusion(block, shape, producer).producer
    return RowCost(
        totals.params, totals.macs, access, peak, block_capacity(block, shape), out_shape(block, shape), after
    )


def limits_in_elements(budgets: Iterable[Budget]) -> dict[str, int]:
    """Return limits on counts in elements, by the names in `COUNTS`; the stricter one if two limit the same count."""
    found: dict[str, int] = {}
    for each in budgets:
        limit = int(each.limit) // each.in_unit(1)
        found[each.counted] = min(limit, found.get(each.counted, limit))
    return found


@dataclass
class KnobTable:
    """A design with its knobs; it counts variants and remembers the costs of their rows.

    Attributes:
        design: the table as it is.
        limits: in elements, by the names in `COUNTS`.
        memory: assumption about memory access.
        knobs: the changes of rows.
        work: blocks that were counted, a measure of time that is the same on every machine.
    """

    design: Design
    limits: Mapping[str, int]
    memory: str

    def __post_init__(self) -> None:
        self.knobs = knobs.row_knobs(self.design)
        self._of_row: list[list[int]] = [[] for _ in self.design.stages]
        for place, knob in enumerate(self.knobs):
            for row in knob.rows:
                self._of_row[row].append(place)
        self._access = self.memory if "memory_access" in self.limits else ""
        self._stages: dict[tuple[int, ...], Stage] = {}
        self._costs: dict[tuple[object, ...], RowCost | None] = {}
        self._pieces: dict[tuple[object, ...], tuple[tuple[int, int], ...]] = {}
        self.work = 0
        self._depends = any(row.width == "proportional" for row in self.design.stages)
        self._last: tuple[KnobState, list[RowCost] | None] | None = None
        self._known: dict[KnobState, Cost | None] = {}

    @property
    def tried(self) -> int:
        """The number of variants that were counted."""
        return len(self._known)

    @property
    def start(self) -> KnobState:
        """The table as it is."""
        design = self.design
        return KnobState(design.width_mult, design.depth_mult, design.resolution, (0,) * len(self.knobs))

    # --- rows -------------------------------------------------------------------------------------------------------

    def stage(self, row: int, levels: tuple[int, ...]) -> Stage:
        """Return a row with its knobs at their levels; a row that is removed keeps its repeats."""
        places = self._of_row[row]
        key = (row, *(levels[place] for place in places))
        if key not in self._stages:
            values: dict[str, Any] = {}
            for place in places:
                if levels[place]:
                    values |= dict(self.knobs[place].levels[levels[place] - 1])
            if values.get("repeats") == 0:
                del values["repeats"]
            self._stages[key] = self.design.stages[row].with_changes(**values) if values else self.design.stages[row]
        return self._stages[key]

    def removed(self, row: int, levels: tuple[int, ...]) -> bool:
        """Whether a row is removed."""
        return any(
            levels[place] and ("repeats", 0) in self.knobs[place].levels[levels[place] - 1]
            for place in self._of_row[row]
        )

    def built(self, state: KnobState) -> Design:
        """Return the design of a variant."""
        rows = range(len(self.design.stages))
        stages = [self.stage(row, state.levels) for row in rows if not self.removed(row, state.levels)]
        return replace(
            self.design, stages=tuple(stages), width_mult=state.width_mult, depth_mult=state.depth_mult,
            resolution=state.resolution,
        )  # fmt: skip

    def _blocks(self, state: KnobState) -> tuple[tuple[int, int], ...]:
        """Return each row that is built and the number of its blocks."""
        key = (
            state.depth_mult,
            *(state.levels[place] for place, knob in enumerate(self.knobs) if knob.kind == knobs.REPEATS),
        )
        if key not in self._pieces:
            kept = [row for row in range(len(self.design.stages)) if not self.removed(row, state.levels)]
            counts: dict[int, int] = {}
            for piece in placed(tuple(self.stage(row, state.levels) for row in kept), state.depth_mult):
                counts[kept[piece.row]] = counts.get(kept[piece.row], 0) + piece.repeats
            self._pieces[key] = tuple(counts.items())
        return self._pieces[key]

    def _row(
        self, row: int, above: int | None, count: int, state: KnobState, shape: Shape, producer: Producer
    ) -> RowCost | None:
        stage = self.stage(row, state.levels)
        before = self.stage(above, state.levels) if above is not None and stage.width == "proportional" else None
        levels = tuple(state.levels[place] for place in self._of_row[row])
        key = (row, levels, before, count, state.width_mult, shape, producer)
        if key not in self._costs:
            try:
                self._costs[key] = self.counted(stage, before, count, state.width_mult, shape, producer)
            except DesignError:
                self._costs[key] = None
        return self._costs[key]

    def counted(
        self, stage: Stage, above: Stage | None, count: int, width_mult: float, shape: Shape, producer: Producer
    ) -> RowCost:
        """Count a row that is built as `count` blocks; `above` is needed for a proportional width."""
        frame = replace(
            self.design, stages=(stage,) if above is None else (above, stage), width_mult=width_mult, depth_mult=1.0
        )
        single = stage if stage.repeats == count else stage.with_changes(repeats=count)
        if above is not None:
            single = single.with_changes(out_channels=frame.width_of(stage), width="fixed")
        sums = [0, 0, 0, 0]
        kept = 0.0
        for run in lay_out(replace(frame, stages=(single,)), shape):
            self.work += 1
            left = run.repeats
            while left:
                each = block_cost(run.block, run.shape, producer, self._access)
                # After the first of equal blocks, the producers are usually equal too.
                times = left if each.producer == producer else 1
                sums = [sums[0] + times * each.params, sums[1] + times * each.macs,
                        sums[2] + times * each.memory_access, max(sums[3], each.peak)]  # fmt: skip
                kept += times * each.capacity
                producer, after, left = each.producer, each.out_shape, left - times
        return RowCost(sums[0], sums[1], sums[2], sums[3], kept, after, producer)

    # --- variants ---------------------------------------------------------------------------------------------------

    def cost(self, state: KnobState, near: KnobState | None = None) -> Cost | None:
        """Count a variant; None if it cannot be built. `near` is a state with few other rows, whose rows are reused."""
        if state not in self._known:
            costs = self._rows(state, near)
            self._known[state] = None if costs is None else self._cost(state, costs)
        return self._known[state]

    def _rows(self, state: KnobState, near: KnobState | None) -> list[RowCost] | None:
        """Return the costs of the rows that are built."""
        blocks = self._blocks(state)
        known = self._walk(near) if near is not None and near[:3] == state[:3] else None
        if known is None or near is None or self._blocks(near) != blocks:
            return self._continued(state, blocks, [], None)
        changed = {
            row for place, knob in enumerate(self.knobs) if state.levels[place] != near.levels[place]
            for row in knob.rows
        }  # fmt: skip
        first = next((place for place, (row, _) in enumerate(blocks) if row in changed), len(blocks))
        return self._continued(state, blocks, known[:first], (known, changed))

    def _walk(self, state: KnobState) -> list[RowCost] | None:
        """Return the costs of the rows of the last state for which this was called, or of another one."""
        if self._last is None or self._last[0] != state:
            self._last = (state, self._continued(state, self._blocks(state), [], None))
        return self._last[1]

    def _continued(
        self, state: KnobState, blocks: tuple[tuple[int, int], ...], costs: list[RowCost],
        known: tuple[list[RowCost], set[int]] | None,
    ) -> list[RowCost] | None:  # fmt: skip
        """Add the costs of the other rows to those of the first rows, as far as they differ from known ones."""
        shape, producer = self.design.input_shape(state.resolution), NETWORK_INPUT
        if costs:
            shape, producer = costs[-1].out_shape, costs[-1].producer
        pending = None if known is None else {row for row, _ in blocks[len(costs) :]} & known[1]
        for place in range(len(costs), len(blocks)):
            row, count = blocks[place]
            above = next(
                (each for each, _ in reversed(blocks[:place]) if self.design.stages[each].out_channels is not None),
                None,
            ) if self.design.stages[row].width == "proportional" else None  # fmt: skip
            if known is not None and not pending and above is None and place:
                before = known[0][place - 1]
                if (before.out_shape, before.producer) == (shape, producer) and not self._proportional(blocks[place:]):
                    return costs + known[0][place:]
            found = self._row(row, above, count, state, shape, producer)
            if found is None:
                return None
            costs.append(found)
            shape, producer = found.out_shape, found.producer
            if pending is not None:
                pending.discard(row)
        return costs

    def _proportional(self, blocks: Iterable[tuple[int, int]]) -> bool:
        """Whether the width of a row depends on that of a row above."""
        return self._depends and any(self.design.stages[row].width == "proportional" for row, _ in blocks)

    def _cost(self, state: KnobState, costs: list[RowCost]) -> Cost:
        params, macs, access, peaks, kept = (tuple(each) for each in [*zip(*costs, strict=True)][:5])
        totals = sum(params), sum(macs), sum(access)
        peaks = (elements(self.design.input_shape(state.resolution)), *peaks)
        gap = 0.0
        for name, value in zip(COUNTS, totals, strict=False):
            most = self.limits.get(name)
            if most is not None and value > most:
                gap += log(value / max(most, 1))
        most = self.limits.get("peak_activation")
        if most is not None:
            gap += sum(log(peak / max(most, 1)) for peak in peaks if peak > most)
        return Cost(*totals, max(peaks), sum(kept), gap)
