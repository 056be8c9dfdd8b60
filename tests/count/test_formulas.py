"""The formula of a count gives the count, for every layer of the zoo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

import pytest
from cases import for_each
from formula_text import evaluate

import effviz
from effviz.count import cost
from effviz.count.formulas import _macs, _params, explain
from effviz.count.memory import ASSUMPTIONS, memory_access
from effviz.count.report import Report
from effviz.model import layers
from effviz.model.layers import Branches, Conv2d, Linear, Primitive, Shape, pair
from effviz.model.trace import TraceStep

every_architecture = for_each("name", effviz.list_architectures())
every_assumption = for_each("assumption", ASSUMPTIONS)


@cache
def _report(name: str) -> Report:
    return effviz.analyze(effviz.architecture(name))


@cache
def _different_steps(name: str) -> tuple[int, ...]:
    """Return the indices of the steps with distinct formulas."""
    report = _report(name)
    first: dict[Any, int] = {}
    for index, step in enumerate(report.steps):
        shapes = tuple(tensor.shape for tensor in step.inputs)
        alike = (step.layer, shapes, step.output.shape, report.fusion.absorbed[index], report.fusion.folded_bias[index])
        first.setdefault(alike, index)
    return tuple(first.values())


def _explained(name: str, assumption: str) -> Iterator[tuple[int, TraceStep, dict[str, Any]]]:
    report = _report(name)
    for index in _different_steps(name):
        found = explain(report.steps, report.fusion, index, assumption)
        yield index, report.steps[index], {formula.quantity: formula for formula in found}


@every_assumption
@every_architecture
def test_the_numbers_give_the_value(name: str, assumption: str) -> None:
    report = _report(name)
    access = memory_access(report.steps, report.fusion, assumption)
    for index, step, formulas in _explained(name, assumption):
        assert list(formulas) == ["params", "macs", "memory_access"], step.path
        expected = {
            "params": cost.params(step.layer),
            "macs": cost.macs(step.layer, step.output.shape),
            "memory_access": access[index],
        }
        for quantity, formula in formulas.items():
            assert formula.value == expected[quantity], (step.path, quantity)
            assert evaluate(formula.numbers) == formula.value, (step.path, formula.numbers)


def _names(step: TraceStep) -> dict[str, int]:
    """Return the values of the names in a formula for parameters or multiply-adds."""
    layer: Any = step.layer
    values = {
        name: getattr(layer, name)
        for name in ("out_channels", "in_channels", "groups", "in_features", "out_features", "num_features")
        if hasattr(layer, name)
    }
    if isinstance(layer, Conv2d):
        values["kernel_size²"] = prod(pair(layer.kernel_size))
        _, values["out_height"], values["out_width"] = step.output.shape
    return values


def _symbolic(symbols: str, names: dict[str, int]) -> int:
    total = 0
    for term in symbols.split(" (")[0].split(" + "):
        value, divide = 1, False
        for word in term.split():
            if word in ("×", "/"):
                divide = word == "/"
                continue
            number = int(word) if word.isdigit() else names[word]
            assert not divide or value % number == 0, symbols
            value = value // number if divide else value * number
        total += value
    return total


@every_architecture
def test_the_names_are_fields_of_the_layer(name: str) -> None:
    for _, step, formulas in _explained(name, "fused"):
        for quantity in ("params", "macs"):
            formula = formulas[quantity]
            if formula.symbols.startswith("0, "):
                assert formula.value == 0, step.path
                assert formula.numbers == "0", step.path
            else:
                assert _symbolic(formula.symbols, _names(step)) == formula.value, (step.path, formula.symbols)


def _size(shape: Shape) -> int:
    return prod(shape)


@every_assumption
@every_architecture
def test_the_terms_of_memory_access_are_named_in_order(name: str, assumption: str) -> None:
    fusion = _report(name).fusion
    for index, step, formulas in _explained(name, assumption):
        formula = formulas["memory_access"]
        if formula.symbols.startswith("0, "):
            assert formula.value == 0, step.path
            continue
        layer: Any = step.layer
        terms = {
            "input": [_size(tensor.shape) for tensor in step.inputs],
            "inputs": [_size(tensor.shape) for tensor in step.inputs],
            "selected channels": [_size(step.output.shape)],
            "indices": [step.output.shape[0]],
            "weights": [cost.weights(layer)],
            "bias": [cost.biases(layer) + (fusion.folded_bias[index] if assumption == "fused" else 0)],
            "running mean and variance": [2 * getattr(layer, "num_features", 0)],
            "output": [_size(step.output.shape)],
        }
        named = [value for word in formula.symbols.split(" + ") for value in terms[word]]
        shown = [evaluate(term) for term in formula.numbers.split(" + ")]
        assert shown == named, (step.path, formula.symbols, formula.numbers)


@every_assumption
def test_formulas_add_up_to_the_network(assumption: str) -> None:
    report = effviz.analyze(effviz.architecture("mobilenet_v3_small"), memory=assumption)
    sums = dict.fromkeys(("params", "macs", "memory_access"), 0)
    for index in range(len(report.steps)):
        for formula in explain(report.steps, report.fusion, index, assumption):
            sums[formula.quantity] += formula.value
    assert sums == {"params": report.params, "macs": report.macs, "memory_access": report.memory_access}


def test_paper_counts_convolution_and_linear_only() -> None:
    for name in effviz.list_architectures():
        for _, step, formulas in _explained(name, "paper"):
            counted = formulas["memory_access"].value > 0
            assert counted == isinstance(step.layer, (Conv2d, Linear)), (name, step.path)


# --- every layer has a formula ------------------------------------------------------------------------------------


def _primitives() -> list[type]:
    return [
        kind
        for kind in vars(layers).values()
        if isinstance(kind, type) and issubclass(kind, Primitive) and kind is not Primitive and kind.__name__[0] != "_"
    ]


def test_the_list_of_primitives_is_found() -> None:
    assert {Conv2d, Linear} <= set(_primitives())
    assert len(_primitives()) > 10


@for_each("kind", [*_primitives(), Branches], ids=lambda kind: kind.__name__)
@for_each("rules", [_params, _macs], ids=["params", "macs"])
def test_every_primitive_has_a_formula(kind: type, rules: Any) -> None:
    assert kind in rules.registry, f"{kind.__name__} has no formula"


def test_a_layer_without_a_formula_raises() -> None:
    @dataclass(frozen=True)
    class Unknown(Primitive):
        def out_shape(self, shape: Shape) -> Shape:
            return shape

    report = _report("mobilenet_v2")
    step = report.steps[0]._replace(layer=Unknown())
    with pytest.raises(effviz.UncountedLayerError, match="Unknown has no formula for params"):
        explain([step, *report.steps[1:]], report.fusion, 0, "fused")


@pytest.mark.parametrize(
    ("numbers", "value"),
    [("0", 0), ("3 × 4 / 2 + 5", 11), ("1,000 × 1,280 + 1,000", 1_281_000), ("96 × 96 / 96 × 3 × 3", 864)],
)
def test_evaluate(numbers: str, value: int) -> None:
    assert evaluate(numbers) == value
