"""Tests of the solver: its results meet the limits, its steps are applicable on their own, its proofs are right."""

from __future__ import annotations

import random
from itertools import product
from typing import Any

import oracle
import pytest
from examples import designs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from effviz import Design, DesignError, Stage, analyze, architecture, build, fit
from effviz.advice.budgets import DTYPES, Budget, check
from effviz.advice.capacity import capacity
from effviz.advice.edits import Edit
from effviz.advice.solver import FITS, FOUND, INFEASIBLE, NOT_FOUND, Fit
from effviz.advice.solver.bound import lower_bounds
from effviz.advice.solver.search import TableSearch
from effviz.advice.solver.table import COUNTS, KnobState, KnobTable
from effviz.core import caches
from effviz.core.errors import if_legal
from effviz.model.draft import Draft

MIXED = {"macs": "300M", "params": "4M", "peak_activation": "512 kB int8"}
DRAWN = settings(suppress_health_check=list(HealthCheck), max_examples=15)


def recounted(design: Design) -> dict[str, int]:
    """The counts in elements, from torch alone."""
    module, shape = build(design, device="meta"), design.input_shape()
    return {
        "params": oracle.count_params(module),
        "macs": oracle.count_macs(module, shape),
        "memory_access": oracle.fused_memory_access(module, shape),
        "peak_activation": oracle.peak_activation(module, shape)[0],
    }


def assert_meets(found: Fit, first: Design, limits: dict[str, int]) -> None:
    """Check a result by torch, and its path step by step; limits are in elements."""
    assert found.status == FOUND
    assert found.design is not None
    counts = recounted(found.design)
    assert {name: counts[name] <= limit for name, limit in limits.items()} == dict.fromkeys(limits, True)
    now = first
    for step in found.path:
        alone = step.edit.apply(first)
        analyze(alone)
        assert step.edit.on(Draft.of(now)).design == step.design
        now = step.edit.apply(now)
        assert step.verdicts == check(analyze(now), [each.budget for each in found.verdicts])
        assert step.capacity == pytest.approx(capacity(now) / capacity(first))
    assert now == found.design
    assert all(each.passed for each in found.verdicts)
    assert found.capacity == pytest.approx(capacity(now) / capacity(first))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet_v3_large", "resnet18"])
def test_a_result_meets_all_limits_by_a_count_of_torch(name: str) -> None:
    first = architecture(name)
    found = fit(first, MIXED)
    assert_meets(found, first, {"macs": 300_000_000, "params": 4_000_000, "peak_activation": 512_000})
    assert [each.budget.text for each in found.verdicts] == ["4 M", "300 M", "512 kB"]
    caches.forget()
    assert fit(first, MIXED) == found, "deterministic"


def test_rows_keep_more_capacity_than_multipliers() -> None:
    search = TableSearch(
        KnobTable(architecture("mobilenet_v3_large"), {"params": 4_000_000, "peak_activation": 512_000}, "")
    )
    scaled, best = search.multipliers(), search.best()
    assert scaled is not None
    assert best is not None
    assert not any(scaled.state.levels)
    assert best.cost.capacity > scaled.cost.capacity


SMALL = Design(
    "small",
    (
        Stage("conv", 16, stride=2, name="stem", depth="fixed"),
        Stage("mbconv", 16, 2, name="body", expand_ratio=2.0),
        Stage("global_avg_pool", name="pool", depth="fixed"),
        Stage("linear", 5, name="head", width="classes", depth="fixed"),
    ),
    resolution=32,
)
TABLES = {
    "shortcut": SMALL,
    "two rows in a stage": Design(
        "rows", (*SMALL.stages[:1], Stage("conv", 24, name="a"), Stage("conv", 16, name="a"), *SMALL.stages[2:]),
        resolution=32,
    ),
    "projection": Design(
        "projection", (*SMALL.stages[:1], Stage("basic_block", 24, 2, 2, name="a"), *SMALL.stages[2:]), resolution=32
    ),
    "flattened": Design(
        "flattened", (*SMALL.stages[:1], Stage("max_pool", name="p", depth="fixed"),
                      Stage("linear", 24, name="fc", depth="fixed"), SMALL.stages[3]), resolution=32
    ),
}  # fmt: skip


def every_state(search: TableSearch) -> list[KnobState]:
    levels = product(*(range(len(knob.levels) + 1) for knob in search.table.knobs))
    return [
        KnobState(*multipliers, each)
        for multipliers, each in product(product(search.widths, search.depths, search.resolutions), levels)
    ]


@pytest.mark.parametrize("name", TABLES)
def test_the_bound_is_below_every_variant(name: str) -> None:
    """By brute force: all variants, or 3,000 random ones, counted by `analyze` on the design that is built."""
    search = TableSearch(KnobTable(TABLES[name], dict.fromkeys(COUNTS, 1), "fused"))
    bounds = lower_bounds(search)
    assert bounds is not None
    states = every_state(search)
    chosen = states if len(states) < 3_000 else random.Random(1).sample(states, 3_000)
    counts = [cost for cost in map(search.table.cost, chosen) if cost is not None]
    assert len(counts) > 30
    least = {name: min(getattr(each, name) for each in counts) for name in COUNTS}
    assert all(bounds[name] <= least[name] for name in COUNTS)
    assert (bounds["params"], bounds["macs"]) == (least["params"], least["macs"]), "and they are reached"


@pytest.mark.parametrize("name", TABLES)
def test_variants_are_counted_like_designs(name: str) -> None:
    search = TableSearch(KnobTable(TABLES[name], dict.fromkeys(COUNTS, 1), "fused"))
    for state in random.Random(2).sample(every_state(search), 60):
        cost = search.table.cost(state, search.table.start)
        report = if_legal(lambda state=state: analyze(search.table.built(state)))  # type: ignore[misc]
        assert (cost is None) == (report is None)
        if cost is not None and report is not None:
            assert cost[:4] == tuple(getattr(report, name) for name in COUNTS)
            assert cost.capacity == pytest.approx(capacity(report.design))


@pytest.mark.parametrize("quantity", ["params", "macs", "peak_activation"])
def test_a_limit_at_the_bound_is_met_and_one_below_is_proven_infeasible(quantity: str) -> None:
    search = TableSearch(KnobTable(SMALL, dict.fromkeys(COUNTS, 1), "fused"))
    bounds = lower_bounds(search)
    assert bounds is not None
    dtype = "int8" if quantity == "peak_activation" else ""
    reached = fit(SMALL, [Budget(quantity, bounds[quantity], dtype)])
    assert_meets(reached, SMALL, {quantity: bounds[quantity]})
    below = fit(SMALL, [Budget(quantity, bounds[quantity] - 1, dtype)])
    assert (below.status, below.binding, below.bound) == (INFEASIBLE, quantity, bounds[quantity])
    assert (below.design, below.path, below.smallest) == (None, (), bounds[quantity])


def test_sentences() -> None:
    first = architecture("mobilenet_v2")
    assert fit(first, {"macs": "1M"}).sentence == (
        "The limit of 1 M on multiply-adds cannot be met: no variant of this table is below 1.159 M. "
        "The smallest variant has 1.159 M."
    )
    as_it_is = fit(first, {"macs": "1G"})
    assert (as_it_is.status, as_it_is.design, as_it_is.capacity) == (FITS, first, 1.0)
    assert as_it_is.sentence == "The table meets all limits as it is."
    grown = Design("grown", (*SMALL.stages[:1], Stage("dense_layer", growth=8), *SMALL.stages[2:]), resolution=32)
    unknown = fit(grown, {"params": 10})
    assert (unknown.status, unknown.bound) == (NOT_FOUND, None)
    assert unknown.sentence == (
        "No variant was found, which is no proof that there is none. The limit of 10 on parameters is the hardest to "
        f"meet. The smallest variant has {unknown.smallest:,}."
    )


@pytest.mark.slow
@given(designs(), st.randoms(use_true_random=False), st.sampled_from(COUNTS))
@DRAWN
def test_random_designs_and_feasible_limits(design: Design, chance: random.Random, quantity: str) -> None:
    """The limit is the count of a hidden variant, so that it is feasible."""
    assume(len(design.stages) < 8 and if_legal(lambda: analyze(design)) is not None)
    search = TableSearch(KnobTable(design, {}, "fused"))
    levels = tuple(chance.randint(0, len(knob.levels)) for knob in search.table.knobs)
    state = KnobState(
        chance.choice(search.widths), chance.choice(search.depths), chance.choice(search.resolutions), levels
    )
    hidden = if_legal(lambda: analyze(search.table.built(state)))
    assume(hidden is not None and 0 < getattr(hidden, quantity) < getattr(analyze(design), quantity))
    limit = getattr(hidden, quantity)
    found = fit(design, [Budget(quantity, limit * DTYPES["int8"], "int8" if quantity == "peak_activation" else "")])
    assert found.status != INFEASIBLE
    if found.status == FOUND:
        assert_meets(found, design, {quantity: limit})


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((SMALL, {"latency": 3}), "limits = 'latency' is measured; fit accepts limits on counts only"),
        ((SMALL, {"weight_size": 3}), "weight_size = '3 B' needs a number format: dtype must be one of float32, "
                                      "float16, int8"),
        (("mobilenet_v2", {"macs": 3}), "design = 'mobilenet_v2' must be a Design; effviz.architecture(name) gives "
                                        "one"),
        ((SMALL, 3), "limits = 3 must map keys to values"),
    ],
)  # fmt: skip
def test_wrong_arguments(arguments: Any, expected: str) -> None:
    with pytest.raises(DesignError) as caught:
        fit(*arguments)
    assert str(caught.value) == expected


def test_wrong_memory() -> None:
    with pytest.raises(DesignError, match=r"^memory = 'none' must be one of paper, fused, eager$"):
        fit(SMALL, {"macs": 3}, memory="none")


def test_edits_of_a_table() -> None:
    first = architecture("mobilenet_v3_large")
    removed = Edit((9,), (("repeats", 0),), "Remove row 10 (stage4)")
    assert len(removed.apply(first).stages) == len(first.stages) - 1
    with pytest.raises(DesignError, match=r"^row = 99 must be at most 19$"):
        Edit((99,), (("repeats", 2),), "wrong").apply(first)
