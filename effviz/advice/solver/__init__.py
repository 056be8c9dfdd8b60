"""A solver: the variant of a stage table that meets all limits at once and keeps the most capacity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from effviz.advice.budgets import QUANTITIES, Budget, Limits, Verdict, check, read_limits
from effviz.advice.capacity import capacity
from effviz.advice.edits import SETTINGS, Edit, row_edit, setting_edit
from effviz.advice.solver.bound import lower_bounds
from effviz.advice.solver.search import CountedState, TableSearch
from effviz.advice.solver.table import KnobState, KnobTable, limits_in_elements
from effviz.core.arguments import check_public
from effviz.core.caches import remembered
from effviz.core.errors import fail, one_of
from effviz.core.units import lower, percent
from effviz.count.memory import ASSUMPTIONS
from effviz.count.report import analyze
from effviz.model.design import Design

FITS, FOUND, INFEASIBLE, NOT_FOUND = "fits", "found", "infeasible", "not found"
"""The table meets the limits as it is; a variant does; no variant can; none was found, without a proof."""

__all__ = ["FITS", "FOUND", "INFEASIBLE", "NOT_FOUND", "Fit", "Step", "fit"]


class SolverStep(NamedTuple):
    """One change on the path to a result.

    Attributes:
        edit: the change. It can be applied to the first table on its own, or in turn after the steps before it.
        design: the table after this step and all before it.
        verdicts: of that table.
        capacity: of that table, as a share of that of the first one.
    """

    edit: Edit
    design: Design
    verdicts: tuple[Verdict, ...]
    capacity: float


@dataclass(frozen=True)
class Fit:
    """The result of `fit`.

    Attributes:
        status: `FITS`, `FOUND`, `INFEASIBLE` or `NOT_FOUND`.
        sentence: the result in words.
        design: the table that meets all limits; None if there is none.
        path: the changes that lead to it, multipliers first.
        verdicts: of `design` by `check`; of the table as it is if there is no result.
        capacity: of `design`, as a share of that of the table as it is; 0 if there is no result.
        binding: the quantity whose limit cannot be met; empty if there is a result.
        smallest: that quantity of the variant with all settings at their smallest, in the unit of the limit; None if it
            cannot be built.
        bound: a number that no variant is below, in the unit of the limit; None if none is known.
        tried: variants that were counted.
    """

    status: str
    sentence: str
    design: Design | None = None
    path: tuple[SolverStep, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    capacity: float = 0.0
    binding: str = ""
    smallest: int | None = None
    bound: int | None = None
    tried: int = 0


def fit(design: Design, limits: Limits, *, dtype: str | None = None, memory: str = "fused") -> Fit:
    """Change a stage table so that it meets all limits at once, and keep as much capacity as possible.

    The measure of capacity is `effviz.advice.capacity.capacity`, a sum over the layers. It does not predict accuracy.
    No change makes the table larger. First the multipliers of width (in steps of 0.05, as far as a quarter) and depth
    (one step for each number of blocks) and the resolution (in steps of the network's total stride) are searched
    exactly. From the best of them and from the table as it is, the search lowers in each row the width, the width
    inside the blocks, the expand ratio, the kernel, squeeze-and-excitation or the repeats: always the change that
    closes the most of the gap for its capacity. Then it raises what the limits still permit, and exchanges one change
    for others as long as that gains capacity.

    The search is deterministic: it has no random numbers, and counted blocks bound its work instead of a clock. On
    random feasible limits it keeps more capacity in less time than Optuna does in the same space, see
    `tests/benchmarks/fit.py`. Every result is checked by `effviz.budgets.check`. `effviz.core.progress` reports the
    progress, and `effviz.core.caches.pause` is called before every variant.

    Args:
        design: the table as it is; it must be buildable.
        limits: amounts by quantity, such as ``{"macs": "300M", "peak_activation": "512 kB int8"}``, or a sequence of
            `Budget`. Latency is measured and cannot be limited here.
        dtype: number format of the sizes that name none, a key of `effviz.budgets.DTYPES`.
        memory: assumption about memory access, one of `effviz.count.memory.ASSUMPTIONS`.

    Raises:
        DesignError: the design cannot be built, a limit is illegal, or a size has no number format.
    """
    one_of("memory", memory, ASSUMPTIONS)
    budgets = read_limits(limits, dtype)
    for each in budgets:
        if each.quantity == "latency":
            fail("limits", "latency", "is measured; fit accepts limits on counts only")
    return _fit(design, budgets, memory)


@remembered
def _fit(design: Design, budgets: tuple[Budget, ...], memory: str) -> Fit:
    before = check(analyze(design, memory=memory), budgets)
    if all(each.passed for each in before):
        return Fit(FITS, "The table meets all limits as it is.", design, (), before, 1.0, tried=1)
    search = TableSearch(KnobTable(design, limits_in_elements(budgets), memory))
    over = _beyond(search, budgets)
    bounds = lower_bounds(search) if over else None
    if bounds is not None:
        proven = _exceeded(over, bounds)
        if proven:
            worst = max(proven, key=lambda each: proven[each] / each.limit)
            return _failed(INFEASIBLE, worst, over[worst], proven[worst], before, search)
    best = search.best()
    if best is None:
        worst = max(over or {each.budget: int(each.value or 0) for each in before if not each.passed},
                    key=lambda each: over.get(each, 0) / each.limit)  # fmt: skip
        known = None if bounds is None else worst.in_unit(bounds[worst.counted])
        return _failed(NOT_FOUND, worst, over.get(worst), known, before, search)
    return _found(search, best, budgets, memory, before)


def _beyond(search: TableSearch, budgets: tuple[Budget, ...]) -> dict[Budget, int]:
    """Return the limits that the smallest variant exceeds, with its values."""
    smallest = search.variant(search.floor())
    if smallest is None:
        return {}
    return _exceeded(budgets, smallest.cost._asdict())


def _exceeded(budgets: Iterable[Budget], counts: Mapping[str, int]) -> dict[Budget, int]:
    """Return the limits that counts exceed, with the values in the unit of the limit."""
    values = {each: each.in_unit(counts[each.counted]) for each in budgets}
    return {each: value for each, value in values.items() if value > each.limit}


def _failed(
    status: str,
    budget: Budget,
    smallest: int | None,
    bound: int | None,
    before: tuple[Verdict, ...],
    search: TableSearch,
) -> Fit:
    title = lower(QUANTITIES[budget.quantity].title)
    limit = f"The limit of {budget.text} on {title}"
    if status == INFEASIBLE and bound is not None:
        sentence = f"{limit} cannot be met: no variant of this table is below {budget.show(bound)}."
    else:
        sentence = f"No variant was found, which is no proof that there is none. {limit} is the hardest to meet."
    if smallest is not None:
        sentence += f" The smallest variant has {budget.show(smallest)}."
    return Fit(
        status, sentence, verdicts=before, binding=budget.quantity, smallest=smallest, bound=bound,
        tried=search.table.tried,
    )  # fmt: skip


def _found(
    search: TableSearch, best: CountedState, budgets: tuple[Budget, ...], memory: str, before: tuple[Verdict, ...]
) -> Fit:
    steps: list[SolverStep] = []
    now, whole = search.table.design, capacity(search.table.design)
    for edit in _edits(search.table, best.state):
        now = edit.apply(now)
        steps.append(SolverStep(edit, now, check(analyze(now, memory=memory), budgets), capacity(now) / whole))
    verdicts = check(analyze(now, memory=memory), budgets)
    if now != search.table.built(best.state) or not all(each.passed for each in verdicts):
        raise AssertionError(f"the search and effviz.analyze differ: {best.cost}, {verdicts}")
    kept = capacity(now) / whole
    over = sum(each.passed is False for each in before)
    changes = f"{len(steps)} change{'' if len(steps) == 1 else 's'}"
    sentence = (
        f"{changes} meet{'s' if len(steps) == 1 else ''} all limits, of which {over} {'was' if over == 1 else 'were'} "
        f"exceeded, and keep{'s' if len(steps) == 1 else ''} {percent(kept)} of the capacity. "
        "The cost in accuracy is not predicted."
    )
    return Fit(FOUND, sentence, now, tuple(steps), verdicts, kept, tried=search.table.tried)


def _edits(table: KnobTable, state: KnobState) -> list[Edit]:
    """Return the changes of a state: multipliers, then rows from above, then removed rows from below."""
    design = table.design
    found: list[Edit] = []
    removed: list[Edit] = []
    for name, new in zip(SETTINGS, state[:3], strict=True):
        if new != getattr(design, name):
            found.append(setting_edit(design, name, new))
    for knob, level in zip(table.knobs, state.levels, strict=True):
        if level:
            edit = row_edit(design.stages, knob.rows, knob.levels[level - 1])
            (removed if edit.removes else found).append(edit)
    return found + removed[::-1]


check_public(globals())
