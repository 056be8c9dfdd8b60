"""Formulas of a layer's counts, symbolic and with numbers substituted."""

from dataclasses import dataclass
from functools import singledispatch

from effviz.core.errors import UncountedLayerError
from effviz.count import cost
from effviz.count.memory import ASSUMPTIONS, Assumption, Fusion, accesses, not_counted, step_access
from effviz.model.layers import BatchNorm2d, Branches, Conv2d, Layer, Linear, Primitive, pair
from effviz.model.trace import Step


@dataclass(frozen=True)
class Formula:
    """The formula of one quantity of one layer."""

    quantity: str  # "params", "macs" or "memory_access"
    symbols: str  # the formula in torch's names
    numbers: str  # the formula with the layer's values
    value: int


def _n(value: int) -> str:
    return f"{value:,}"


def _product(*factors: int | str) -> str:
    return " × ".join(factor if isinstance(factor, str) else _n(factor) for factor in factors)


@singledispatch
def _params(layer: Layer) -> tuple[str, str]:
    raise UncountedLayerError(f"{type(layer).__name__} has no formula for params")


@singledispatch
def _macs(layer: Layer, step: Step) -> tuple[str, str]:
    raise UncountedLayerError(f"{type(layer).__name__} has no formula for macs")


def _kernel(layer: Conv2d) -> str:
    high, wide = pair(layer.kernel_size)
    return f"{high} × {wide}"


@_params.register
def _(layer: Conv2d) -> tuple[str, str]:
    symbols = "out_channels × in_channels / groups × kernel_size²"
    numbers = f"{_n(layer.out_channels)} × {_n(layer.in_channels)} / {_n(layer.groups)} × {_kernel(layer)}"
    if layer.bias:
        return f"{symbols} + out_channels", f"{numbers} + {_n(layer.out_channels)}"
    return symbols, numbers


@_params.register
def _(layer: Linear) -> tuple[str, str]:
    numbers = _product(layer.in_features, layer.out_features)
    if layer.bias:
        return "in_features × out_features + out_features", f"{numbers} + {_n(layer.out_features)}"
    return "in_features × out_features", numbers


@_params.register
def _(layer: BatchNorm2d) -> tuple[str, str]:
    if not layer.affine:
        return "0, without scale and shift", "0"
    return "2 × num_features (scale and shift)", _product(2, layer.num_features)


@_macs.register
def _(layer: Conv2d, step: Step) -> tuple[str, str]:
    _, high, wide = step.output.shape
    return (
        "out_height × out_width × out_channels × in_channels / groups × kernel_size²",
        f"{_n(high)} × {_n(wide)} × {_n(layer.out_channels)} × {_n(layer.in_channels)} / {_n(layer.groups)} × "
        f"{_kernel(layer)}",
    )


@_macs.register
def _(layer: Linear, step: Step) -> tuple[str, str]:
    return "in_features × out_features", _product(layer.in_features, layer.out_features)


def _no_params(layer: Layer) -> tuple[str, str]:
    return "0, no trainable numbers", "0"


def _no_macs(layer: Layer, step: Step) -> tuple[str, str]:
    return "0, not counted as multiply-adds", "0"


for _kind in cost.WITHOUT_PARAMS:
    _params.register(_kind, _no_params)
for _free in cost.WITHOUT_MACS:
    _macs.register(_free, _no_macs)


def _memory(step: Step, fusion: Fusion, index: int, assumption: Assumption) -> Formula:
    if reason := not_counted(step, fusion, index, assumption):
        return Formula("memory_access", f"0, {reason}", "0", 0)
    found = accesses(step, fusion, index, assumption)
    return Formula(
        "memory_access",
        " + ".join(access.name for access in found),
        " + ".join(_product(*size) for access in found for size in access.sizes),
        step_access(step, fusion, index, assumption),
    )


def explain(steps: list[Step], fusion: Fusion, index: int, assumption: str) -> list[Formula]:
    """Return the formulas of step `index`: parameters, multiply-adds, memory access under `assumption`.

    Args:
        steps: ``report.steps``.
        fusion: ``report.fusion``.
        index: of the step.
        assumption: one of `effviz.count.memory.ASSUMPTIONS`.
    """
    step = steps[index]
    layer: Primitive | Branches = step.layer
    return [
        Formula("params", *_params(layer), cost.params(layer)),
        Formula("macs", *_macs(layer, step), cost.macs(layer, step.output.shape)),
        _memory(step, fusion, index, ASSUMPTIONS[assumption]),
    ]


def evaluate(numbers: str) -> int:
    """Compute the value of `Formula.numbers`, to check the text."""
    total = 0
    for term in numbers.replace(",", "").split(" + "):
        value, divide = 1, False
        for word in term.split():
            if word in ("×", "/"):
                divide = word == "/"
            else:
                value = value // int(word) if divide else value * int(word)
        total += value
    return total


__all__ = ["Formula", "evaluate", "explain"]
