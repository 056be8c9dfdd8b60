"""Formulas of a layer's counts, symbolic and with numbers substituted."""

from dataclasses import dataclass
from functools import singledispatch

from effviz.core.errors import UncountedLayerError
from effviz.count import cost
from effviz.count.memory import ASSUMPTIONS, Assumption, Fusion, accesses, not_counted, step_access
from effviz.model.layers import BatchNorm2d, Branches, Conv2d, Layer, LayerNorm2d, LayerScale, Linear, Primitive, pair
from effviz.model.trace import TraceStep


@dataclass(frozen=True)
class Formula:
    """The formula of one quantity of one layer."""

    quantity: str  # "params", "macs" or "memory_access"
    symbols: str  # the formula in torch's names
    numbers: str  # the formula with the layer's values
    value: int


_CONV_WEIGHTS, _LINEAR_WEIGHTS = "out_channels × in_channels / groups × kernel_size²", "in_features × out_features"


def _product(*factors: int) -> str:
    return " × ".join(f"{factor:,}" for factor in factors)


def _conv_weights(layer: Conv2d) -> str:
    return f"{_product(layer.out_channels, layer.in_channels)} / {_product(layer.groups, *pair(layer.kernel_size))}"


def _with_bias(layer: Conv2d | Linear, symbols: str, numbers: str, outputs: str) -> tuple[str, str]:
    return (f"{symbols} + {outputs}", f"{numbers} + {getattr(layer, outputs):,}") if layer.bias else (symbols, numbers)


@singledispatch
def _params(layer: Layer) -> tuple[str, str]:
    raise UncountedLayerError(f"{type(layer).__name__} has no formula for params")


@singledispatch
def _macs(layer: Layer, step: TraceStep) -> tuple[str, str]:
    raise UncountedLayerError(f"{type(layer).__name__} has no formula for macs")


@_params.register
def _(layer: Conv2d) -> tuple[str, str]:
    return _with_bias(layer, _CONV_WEIGHTS, _conv_weights(layer), "out_channels")


@_params.register
def _(layer: Linear) -> tuple[str, str]:
    return _with_bias(layer, _LINEAR_WEIGHTS, _product(layer.in_features, layer.out_features), "out_features")


@_params.register
def _(layer: BatchNorm2d) -> tuple[str, str]:
    if not layer.affine:
        return "0, without scale and shift", "0"
    return "2 × num_features (scale and shift)", _product(2, layer.num_features)


@_params.register
def _(layer: LayerNorm2d) -> tuple[str, str]:
    return "2 × num_features (scale and shift)", _product(2, layer.num_features)


@_params.register
def _(layer: LayerScale) -> tuple[str, str]:
    return "num_features (scale)", _product(layer.num_features)


@_macs.register
def _(layer: Conv2d, step: TraceStep) -> tuple[str, str]:
    pixels = _product(*step.output.shape[1:])
    return f"out_height × out_width × {_CONV_WEIGHTS}", f"{pixels} × {_conv_weights(layer)}"


@_macs.register
def _(layer: Linear, step: TraceStep) -> tuple[str, str]:
    return _LINEAR_WEIGHTS, _product(layer.in_features, layer.out_features)


for _kind in cost.WITHOUT_PARAMS:
    _params.register(_kind, lambda layer: ("0, no trainable numbers", "0"))
for _free in cost.WITHOUT_MACS:
    _macs.register(_free, lambda layer, step: ("0, not counted as multiply-adds", "0"))


def _memory(step: TraceStep, fusion: Fusion, index: int, assumption: Assumption) -> Formula:
    if reason := not_counted(step, fusion, index, assumption):
        return Formula("memory_access", f"0, {reason}", "0", 0)
    found = accesses(step, fusion, index, assumption)
    return Formula(
        "memory_access",
        " + ".join(access.name for access in found),
        " + ".join(_product(*size) for access in found for size in access.sizes),
        step_access(step, fusion, index, assumption),
    )


def explain(steps: list[TraceStep], fusion: Fusion, index: int, assumption: str) -> list[Formula]:
    """Return the formulas of step `index` of a report: parameters, multiply-adds, memory access under `assumption`."""
    step = steps[index]
    layer: Primitive | Branches = step.layer
    return [
        Formula("params", *_params(layer), cost.params(layer)),
        Formula("macs", *_macs(layer, step), cost.macs(layer, step.output.shape)),
        _memory(step, fusion, index, ASSUMPTIONS[assumption]),
    ]
