"""Every public function returns, or raises an error of the project, whatever it is given.

A new public function needs a call in `tests/support/tour.py`.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hostile import VALUES, nested, plain, problem
from profiles import PROFILE
from tour import ELSEWHERE, INNER, MODULES, SMALL, calls

import effviz
from effviz import DesignError, Stage, UncountedLayerError, UnknownNameError, analyze, budgets, lint, scaling
from effviz.advice.scaling import ScalingRule
from effviz.charts.style import json_of
from effviz.charts.ticks import round_axis
from effviz.core.caches import forget, known, plant
from effviz.core.units import change
from effviz.count.reconcile import reconcile
from effviz.measure.latency import LatencyError
from effviz.model.draft import Draft
from effviz.studies.guidelines import theory
from effviz.studies.manifold import lost
from effviz.studies.studio import row_totals
from effviz.studies.width_depth.fit import OverBudgetError
from effviz.worker.limits import estimate_bytes


def public() -> Iterator[str]:
    """The full name of every public function, and of every public method of the classes in the same modules."""
    for entry in MODULES:
        for name, value in vars(importlib.import_module(entry)).items():
            if name.startswith("_") or getattr(value, "__module__", "") != entry:
                continue
            if inspect.isfunction(value):
                yield f"{entry}.{name}"


def test_every_public_function_has_a_valid_call() -> None:
    without = {name for name in public() if name not in calls() and inspect.signature(_named(name)).parameters}
    assert without - ELSEWHERE - INNER == set()
    for function, args, kwargs in calls().values():
        function(*args, **kwargs)


def _named(name: str) -> Any:
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(module), function)


def _trials(name: str) -> Iterator[tuple[str, Any, Callable[[], object]]]:
    """Yield an argument, a hostile value and the call in which it replaces the valid one."""
    function, args, kwargs = calls()[name]
    signature, choice = inspect.signature(function), random.Random(name)
    for argument in signature.parameters.values():
        if argument.name == "self" or argument.kind is argument.VAR_KEYWORD:
            continue
        for make in choice.sample(VALUES, len(VALUES) if PROFILE == "full" else 4):
            bound, value = signature.bind(*args, **kwargs), make()
            bound.arguments[argument.name] = (value,) if argument.kind is argument.VAR_POSITIONAL else value
            yield argument.name, value, lambda bound=bound: function(*bound.args, **bound.kwargs)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", calls())
def test_hostile_arguments(name: str) -> None:
    """One argument at a time is replaced; a few values by default, all in the full profile."""
    # The first call of a function may import torch, which takes longer than a refusal may.
    function, args, kwargs = calls()[name]
    function(*args, **kwargs)
    faults = [
        f"{argument} = {type(value).__name__}: {found}"
        for argument, value, call in _trials(name)
        if (found := problem(call, argument))
    ]
    assert not faults, "\n".join(faults)


KNOWN: dict[str, Callable[[], object]] = {
    "fit_phi([])": lambda: scaling.fit_phi([], 1e9),  # type: ignore[arg-type]
    "feasible(step=1e-9)": lambda: scaling.feasible(SMALL, step=1e-9),
    "feasible(step=1e-300)": lambda: scaling.feasible(SMALL, step=1e-300),
    "Draft.change(block='')": lambda: Draft.of(SMALL).change(0, block=""),
    "sweep(rule=None)": lambda: scaling.sweep(SMALL, None, [1.0]),  # type: ignore[arg-type]
    "sweep(rule=('x',))": lambda: scaling.sweep(SMALL, ScalingRule("x"), [1.0]),  # type: ignore[arg-type]
    "fit_phi(rule=nan)": lambda: scaling.fit_phi(SMALL, 1e9, rule=ScalingRule(float("nan"))),
    "to_json(indent=2**31)": lambda: SMALL.to_json(indent=2**31),
    "Draft.to_json(indent=2**31)": lambda: Draft.of(SMALL).to_json(indent=2**31),
    "lint(None)": lambda: lint.lint(None),  # type: ignore[arg-type]
    "check(report=1)": lambda: budgets.check(1, []),  # type: ignore[arg-type]
    "scaled(width_mult=nan)": lambda: SMALL.scaled(width_mult=float("nan")),
    "analyze(resolution=10**400)": lambda: analyze(SMALL, 10**400),
    "too large for torch": lambda: effviz.build(
        effviz.Design("wide", (Stage("conv", 2**20, kernel_size=63),), in_channels=2**20, resolution=1)
    ),
}


# Functions of pages, which `tests.benchmarks.fuzz` tries with all values.
BORDER: dict[str, tuple[Callable[[], object], str]] = {
    "type": (lambda: row_totals("x"), "design = 'x' must be a Design; effviz.architecture(name) gives one"),  # type: ignore[arg-type]
    "limit": (lambda: theory.ratio_curve(2**63), "channels = 9223372036854775808 must be at most 1048576"),
    "value": (
        lambda: theory.bottleneck_built(8, "x", 32),
        "bottleneck_built has no result for channels = 8, variant = 'x', resolution = 32: KeyError('x')",
    ),
    "end": (lambda: round_axis(1, 2**63), "most = 9223372036854775808 must be at most 1000"),
    "memory": (
        lambda: lost(range(2), range(2**60)),  # type: ignore[arg-type]
        "lost has no result for original = range(0, 2), features = range(0, 1152921504606846976): MemoryError()",
    ),
    "depth": (
        lambda: json_of(nested(5_000)),
        "json_of has no result for value = [[[[[[[...]]]]]]]: RecursionError('maximum recursion depth exceeded')",
    ),
}


@pytest.mark.parametrize("name", BORDER)
def test_functions_of_pages_check_calls_from_outside(name: str) -> None:
    call, message = BORDER[name]
    with pytest.raises(DesignError) as caught:
        call()
    assert str(caught.value) == message


def test_a_public_function_that_is_remembered_finds_planted_results() -> None:
    report = analyze(SMALL)
    plant((), reconcile, report, 7)
    assert known(reconcile, report, 7) == reconcile(report, 7) == ()
    forget()


@pytest.mark.parametrize("name", KNOWN)
def test_known_examples(name: str) -> None:
    with pytest.raises(DesignError):
        KNOWN[name]()


def test_a_change_to_zero() -> None:
    assert change(0, 5) == "\N{MINUS SIGN}100.0 %"
    assert change(5, 0) == "new"


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint64])
def test_numpy_integers_become_integers_of_python(kind: Any) -> None:
    assert estimate_bytes(analyze(SMALL), kind(100)) == estimate_bytes(analyze(SMALL), 100)
    row = Stage("conv", kind(100), repeats=kind(2), stride=kind(2))
    assert {type(row.out_channels), type(row.repeats), type(row.stride)} == {int}
    assert plain(row.to_dict())
    assert plain(effviz.Design("a", (row,), resolution=kind(64)).to_json())


@pytest.mark.parametrize("half", [np.float16(0.5), np.float32(0.5), np.float64(0.5), Fraction(1, 2)])
def test_other_numbers_become_floats(half: Any) -> None:
    design = SMALL.scaled(width_mult=half, depth_mult=half)
    assert design == SMALL.scaled(width_mult=0.5, depth_mult=0.5)
    assert {type(design.width_mult), type(design.depth_mult)} == {float}
    assert scaling.fit_phi(SMALL, 1e7, rule=ScalingRule(1 + half)) == scaling.fit_phi(SMALL, 1e7, rule=ScalingRule(1.5))


@pytest.mark.parametrize(
    "error",
    [
        DesignError("a problem", path="stage1.0"), UnknownNameError("a name"), UncountedLayerError("a layer"),
        OverBudgetError(5, 7), LatencyError("too large", "memory"),
    ],
)  # fmt: skip
def test_errors_are_copied_and_pickled(error: Exception) -> None:
    for made in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(made) is type(error)
        assert str(made) == str(error)
        assert vars(made) == vars(error)


def test_wrong_numbers_of_arguments_are_type_errors() -> None:
    with pytest.raises(TypeError):
        analyze()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        analyze(SMALL, no_such_argument=1)  # type: ignore[call-arg]
