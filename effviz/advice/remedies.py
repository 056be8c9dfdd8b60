"""Fixes for limits that are exceeded, ranked by the gap that they close, each with every limit before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import sqrt

from effviz.advice.breaches import Breach, breaches
from effviz.advice.budgets import QUANTITIES, Budget, Limits, Verdict, check, format_share, read_limits, verdict
from effviz.advice.capacity import capacity
from effviz.advice.edits import Edit, row_edit, setting_edit
from effviz.advice.lint import lint
from effviz.advice.solver import knobs
from effviz.advice.solver.table import Cost, KnobState, KnobTable, limits_in_elements
from effviz.core import caches
from effviz.core.arguments import check_public
from effviz.core.caches import remembered
from effviz.core.errors import if_legal, one_of
from effviz.core.resolution import Resolution, sides
from effviz.core.units import lower
from effviz.count.memory import ASSUMPTIONS
from effviz.count.report import Report, analyze
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.shapes import outline

TRIED_ROWS = 4
"""Rows that fixes change, for each limit: those with the largest shares."""

MOST_LAYERS, MOST_FINDINGS = 500, 12
"""Limits on the layers of a network whose lint findings are tried, and on these findings: their fixes take longer."""

_WHOLE_LAYERS = 4_000
"""Changes of the whole table are tried until so many layers are counted, but at least one."""

LEAST_CLOSED = 0.005
"""A change that closes less of the gap is left out."""

_EARLIER = 3
_RANK_DIGITS = 6


@dataclass(frozen=True)
class Remedy:
    """A change that closes a part of the gap to the limits.

    Attributes:
        label: the change in the imperative.
        design: the changed table.
        edits: the change as data; empty for a fix of a lint rule.
        rows: indices in ``design.stages`` of the rows that change; empty for the whole table.
        rule: of the lint finding that it fixes; empty for other changes.
        before, after: verdicts on all limits without and with the change.
        closed: share of the gap that is closed: 1 if all limits are met. The gap is the sum of the shares beyond the
            limits.
        closes: quantities whose limits are met only with the change.
        breaks: quantities whose limits are met only without it.
        capacity: with the change, as a share of that without it, by `effviz.advice.capacity`.
        sentence: the effect on every limit, and whether it costs capacity.
    """

    label: str
    design: Design
    edits: tuple[Edit, ...]
    rows: tuple[int, ...]
    rule: str
    before: tuple[Verdict, ...]
    after: tuple[Verdict, ...]
    closed: float
    closes: tuple[str, ...]
    breaks: tuple[str, ...]
    capacity: float
    sentence: str


@dataclass(frozen=True)
class Diagnosis:
    """The limits that a design exceeds, and what reduces the excess.

    Attributes:
        verdicts: on all limits.
        breaches: the parts of the network that exceed limits.
        remedies: changes that close a part of the gap, the largest part first.
    """

    verdicts: tuple[Verdict, ...]
    breaches: tuple[Breach, ...]
    remedies: tuple[Remedy, ...]


def diagnose(design: Design, limits: Limits, *, dtype: str | None = None, memory: str = "fused") -> Diagnosis:
    """Name the rows and tensors that break limits, and rank the changes that help.

    Changes of the rows with the largest shares are tried: a smaller width, expand ratio, kernel, squeeze-and-excitation
    or number of repeats, and for the peak a stride that comes earlier. Each is the smallest step that meets the limit,
    or else the largest one. Smaller multipliers, a smaller resolution and the fixes of lint are tried too. A change
    that closes no part of the gap is left out. Changes that close equal parts are ranked by the limits that they break,
    and then by the capacity that they keep.

    Args:
        design: the table.
        limits: as for `effviz.fit`; a limit on latency is ignored.
        dtype: number format of the sizes that name none.
        memory: assumption about memory access.

    Raises:
        DesignError: the design cannot be built, a limit is illegal, or a size has no number format.
    """
    one_of("memory", memory, ASSUMPTIONS)
    return _diagnose(design, read_limits(limits, dtype), memory)


@remembered
def _diagnose(design: Design, budgets: tuple[Budget, ...], memory: str) -> Diagnosis:
    report = analyze(design, memory=memory)
    before = check(report, budgets)
    broken = breaches(report, before)
    if not broken:
        return Diagnosis(before, (), ())
    trial = _Trial(KnobTable(design, limits_in_elements(budgets), memory), report, before)
    found: dict[Design, Remedy] = {}
    for each in broken:
        for remedy in trial.of(each):
            if remedy.closed >= LEAST_CLOSED:
                found.setdefault(remedy.design, remedy)
    for remedy in trial.findings():
        if remedy.closed >= LEAST_CLOSED:
            found.setdefault(remedy.design, remedy)
    ranked = sorted(
        found.values(), key=lambda each: (-round(each.closed, _RANK_DIGITS), len(each.breaks), -each.capacity)
    )
    return Diagnosis(before, broken, tuple(ranked))


class _Trial:
    """The changes that may help, with their effects on all limits."""

    def __init__(self, table: KnobTable, report: Report, before: tuple[Verdict, ...]) -> None:
        self.table, self.report, self.before = table, report, before
        self.design, self.start = table.design, table.start
        self.whole = capacity(table.design)
        self.gap = _gap(before)
        self.layers = sum(run.repeats * outline(run.block, run.shape)[1] for run in self.design.runs())
        self.counted = 0

    def of(self, breach: Breach) -> Iterator[Remedy]:
        """Yield the changes for one limit."""
        rows = [each.row for each in breach.rows[:TRIED_ROWS]]
        for place, knob in enumerate(self.table.knobs):
            if set(rows) & set(knob.rows):
                yield from self._lowered(place, knob, breach)
        yield from self._multiplied(breach)
        if breach.tensors:
            for row in rows[:1]:
                yield from self._earlier_strides(row)

    def _lowered(self, place: int, knob: knobs.Knob, breach: Breach) -> Iterator[Remedy]:
        """Yield the first level of a knob that meets the limit, or else the last one that can be built."""
        last: tuple[KnobState, Cost] | None = None
        for level in range(1, len(knob.levels) + 1):
            caches.pause()
            levels = (*self.start.levels[:place], level, *self.start.levels[place + 1 :])
            state = self.start._replace(levels=levels)
            cost = self.table.cost(state, self.start)
            if cost is None:
                break
            last = state, cost
            limit = breach.verdict.budget
            if limit.in_unit(getattr(cost, limit.counted)) <= limit.limit:
                break
        if last is not None:
            state, cost = last
            edit = row_edit(self.design.stages, knob.rows, knob.levels[max(state.levels) - 1])
            yield self._remedy(edit.label, edit.apply(self.design), (edit,), self._values(cost), cost.capacity)

    def _multiplied(self, breach: Breach) -> Iterator[Remedy]:
        """Yield a smaller resolution, width and depth, estimated from the excess and counted."""
        limit, value = breach.verdict.budget.limit, breach.verdict.value or 1
        is_peak, is_size = (
            breach.verdict.budget.quantity in names for names in (("peak_activation",), ("params", "weight_size"))
        )
        side = sides(self.design.resolution)[0] * sqrt(limit / value)
        options: list[tuple[str, float | Resolution | None]] = [
            (
                "resolution",
                None
                if is_size
                else next((each for each in knobs.smaller(self.design) if sides(each)[0] <= side), None),
            ),
            (
                "width_mult",
                _at_most(knobs.WIDTH_STEPS, (limit / value) ** (1 if is_peak else 0.5), self.design.width_mult),
            ),
            ("depth_mult", None if is_peak else _at_most(knobs.depths(self.design), limit / value)),
        ]
        for name, new in options:
            if new is None or new == getattr(self.design, name):
                continue
            if self.counted and self.counted + self.layers > _WHOLE_LAYERS:
                return
            self.counted += self.layers
            edit = setting_edit(self.design, name, new)
            yield from self._edited(edit.label, (edit,))

    def _earlier_strides(self, row: int) -> Iterator[Remedy]:
        """Yield changes that reduce the resolution before a row instead of at it or after it."""
        stages = self.design.stages
        later = next((each for each in range(row, len(stages)) if stages[each].stride > 1), None)
        earlier = (
            each for each in range(row, -1, -1)
            if stages[each].stride == 1 and BLOCKS[stages[each].block].has_stride and each != later
        )  # fmt: skip
        for each in islice(earlier, _EARLIER):
            if later is None:
                return
            edits = tuple(
                row_edit(stages, (place,), (("stride", stride),))
                for place, stride in ((each, stages[later].stride), (later, 1))
            )
            yield from self._edited(f"{edits[0].label}, and {lower(edits[1].label)}", edits)

    def findings(self) -> Iterator[Remedy]:
        """Yield the fixes of lint."""
        if self.layers > MOST_LAYERS:
            return
        for finding in lint(self.design)[:MOST_FINDINGS]:
            if finding.fix is not None:
                design = finding.fix.design
                stages = (self.design.stages, design.stages)
                rows = tuple(
                    place for place, (one, other) in enumerate(zip(*stages, strict=False)) if one != other
                ) if len(stages[0]) == len(stages[1]) else (() if finding.row is None else (finding.row,))  # fmt: skip
                yield from self._built(finding.fix.label, design, (), rows, finding.rule)

    # --- effects ----------------------------------------------------------------------------------------------------

    def _edited(self, label: str, edits: tuple[Edit, ...]) -> Iterator[Remedy]:
        design = self.design
        for edit in edits:
            changed = if_legal(lambda edit=edit, design=design: edit.apply(design))  # type: ignore[misc]
            if changed is None:
                return
            design = changed
        yield from self._built(label, design, edits, tuple(sorted({row for edit in edits for row in edit.rows})))

    def _built(
        self, label: str, design: Design, edits: tuple[Edit, ...], rows: tuple[int, ...], rule: str = ""
    ) -> Iterator[Remedy]:
        caches.pause()
        report = if_legal(lambda: analyze(design, memory=self.table.memory))
        if report is not None:
            budgets = [each.budget for each in self.before]
            after = check(report, budgets)
            yield self._judged(label, design, edits, rows, rule, after, capacity(design))

    def _remedy(
        self, label: str, design: Design, edits: tuple[Edit, ...], after: tuple[Verdict, ...], kept: float
    ) -> Remedy:
        rows = tuple(sorted({row for edit in edits for row in edit.rows}))
        return self._judged(label, design, edits, rows, "", after, kept)

    def _judged(
        self, label: str, design: Design, edits: tuple[Edit, ...], rows: tuple[int, ...], rule: str,
        after: tuple[Verdict, ...], kept: float,
    ) -> Remedy:  # fmt: skip
        pairs = list(zip(self.before, after, strict=True))
        closes = tuple(new.budget.quantity for old, new in pairs if old.passed is False and new.passed)
        breaks = tuple(new.budget.quantity for old, new in pairs if old.passed and new.passed is False)
        share = kept / self.whole if self.whole else 1.0
        closed = (self.gap - _gap(after)) / self.gap
        return Remedy(
            label, design, edits, rows, rule, self.before, after, closed, closes, breaks, share, _sentence(pairs, share)
        )

    def _values(self, cost: Cost) -> tuple[Verdict, ...]:
        limits = [each.budget for each in self.before]
        return tuple(
            verdict(each, each.in_unit(getattr(cost, each.counted)) if each.counted else None) for each in limits
        )


def _at_most(values: tuple[float, ...], factor: float, unit: float = 1.0) -> float | None:
    """Return the largest value of at most a factor times the first one, times a unit."""
    return next((each * unit for each in values if each <= factor * values[0]), None)


def _gap(verdicts: tuple[Verdict, ...]) -> float:
    return sum(max(0.0, -(each.margin or 0.0)) for each in verdicts)


def _sentence(pairs: list[tuple[Verdict, Verdict]], kept: float) -> str:
    """Describe the effect on the limits that change: those that are exceeded first."""
    parts = []
    for old, new in sorted(pairs, key=lambda pair: pair[0].passed is not False):
        title = lower(QUANTITIES[new.budget.quantity].title)
        was, now = format_share(old.share), format_share(new.share)
        if now == was:
            continue
        if old.passed is False and new.passed:
            parts.append(f"closes {title} ({was} to {now})")
        elif old.passed is False:
            parts.append(f"{'lowers' if new.share < old.share else 'raises'} {title} from {was} to {now}")
        elif new.passed is False:
            parts.append(f"raises {title} to {now}: breaks its limit")
        elif new.share > old.share:
            parts.append(f"raises {title} to {now}")
    if kept < 1:
        parts.append("costs accuracy (not predicted)")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


check_public(globals())
