"""Rules of counters: what they count of which operations, and how they round."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from effviz.count import cost
from effviz.model.layers import (
    RESIZE,
    Activation,
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Branches,
    Conv2d,
    GlobalAvgPool,
    Layer,
    LayerNorm2d,
    LayerScale,
    Linear,
    Shape,
    elements,
)
from effviz.model.trace import TraceStep

_ADAPTIVE = (AdaptiveAvgPool2d.__name__, GlobalAvgPool.__name__)


def operation(layer: Layer) -> str:
    """Name what a layer does, as finely as counters distinguish: ``Conv2d with bias``, ``relu``, ``concat``."""
    if isinstance(layer, Activation):
        return layer.function
    if isinstance(layer, Branches):
        return layer.merge
    name = type(layer).__name__
    if isinstance(layer, (Conv2d, Linear)):
        return f"{name} with bias" if layer.bias else name
    if isinstance(layer, BatchNorm2d):
        return name if layer.affine else f"{name} without scale and shift"
    return name


class Tally(NamedTuple):
    """Sums over the layers of one operation."""

    layers: int = 0
    inputs: int = 0  # elements of the first input
    outputs: int = 0  # elements of the output
    channels: int = 0  # of the first input
    pooled: int = 0  # adaptive pooling in the floating point of thop
    pixels: int = 0  # of the output, height x width


def add(sums: dict[str, Tally], name: str, each: Tally, times: int = 1) -> None:
    """Add a tally to that of the same operation."""
    found = sums.get(name, Tally())
    sums[name] = Tally(*[before + times * more for before, more in zip(found, each, strict=True)])


Tallies = Mapping[str, Tally]
"""By `operation`, in the order in which they occur first."""


def tally(steps: Iterable[TraceStep]) -> dict[str, Tally]:
    """Sum over the layers of each operation."""
    found: dict[str, Tally] = {}
    for step in steps:
        read, written = step.inputs[0].shape, step.output.shape
        pooled = _pooled(read, written) if isinstance(step.layer, (AdaptiveAvgPool2d, GlobalAvgPool)) else 0
        add(
            found,
            operation(step.layer),
            Tally(1, elements(read), elements(written), read[0], pooled, elements(written[1:])),
        )
    return found


def _pooled(read: Shape, written: Shape) -> int:
    # thop's window has in / out pixels per side, which may be a fraction; the product is truncated.
    window = math.prod(side / out for side, out in zip(read[1:], written[1:], strict=True))
    return int((window + 1.0) * elements(written))


@dataclass(frozen=True)
class CounterRule:
    """A number that a counter adds for some operations."""

    label: str  # of the term
    on: tuple[str, ...]  # operations
    reason: str  # in words; "{layers}" becomes the number of layers
    of: tuple[str, ...] = ("inputs",)  # fields of `Tally` that are added
    factor: int = 1

    def amounts(self, tallies: Tallies) -> list[int]:
        """Sum each field over the layers."""
        return [sum(getattr(tallies[name], field) for name in self.on if name in tallies) for field in self.of]

    def value(self, tallies: Tallies) -> int:
        """Compute what the rule adds."""
        return self.factor * sum(self.amounts(tallies))


@dataclass(frozen=True)
class PrintedCount:
    """One number that a counter prints."""

    name: str  # in the words of the counter
    quantity: str  # "params" or "macs": the count of effviz that it is compared with
    call: str  # the Python expression that returns it for a `module` and an `image`
    text: Callable[[int], str]  # the number as printed
    rules: tuple[CounterRule, ...] = ()
    free: tuple[str, ...] = ()  # operations that count 0, apart from those with parameters or multiply-adds
    per_product: int = 1  # operations per multiply-add
    rounding: Rounding | None = None


@dataclass(frozen=True)
class Counter:
    """A public counter and the version whose rules are described."""

    name: str
    version: str
    rule: str  # its convention, in sentences
    source: str  # the files of the package that contain the rules
    link: str
    numbers: tuple[PrintedCount, ...]


def operations(printed: PrintedCount, macs: int, tallies: Tallies, steps: Callable[[], Iterable[TraceStep]]) -> int:
    """Compute the operations that a counter prints for layers with these multiply-adds and sums."""
    whole = printed.per_product * macs + sum(rule.value(tallies) for rule in printed.rules)
    return whole if printed.rounding is None else printed.rounding.rounded(printed, whole, tallies, steps)


class Rounding(NamedTuple):
    """How a counter rounds."""

    reason: str
    rounded: Callable[[PrintedCount, int, Tallies, Callable[[], Iterable[TraceStep]]], int]
    """Returns the printed number for the exact one, the sums and the layers of the network."""


def _giga(printed: PrintedCount, exact: int, tallies: Tallies, steps: Callable[[], Iterable[TraceStep]]) -> int:
    return round(1000 * round(exact / 1e9, 3)) * 10**6


GIGA = Rounding("the metadata is in units of 10⁹ with 3 decimals", _giga)


def _float_and_integer(
    printed: PrintedCount, exact: int, tallies: Tallies, steps: Callable[[], Iterable[TraceStep]]
) -> int:
    # Hooks of modules are summed as one float, patched functions as integers.
    patched = ("relu", "elu", "gelu", "silu", "MaxPool2d", "AvgPool2d", *_ADAPTIVE)
    functions = sum(tallies[name].inputs for name in patched if name in tallies)
    functions += tallies[RESIZE].outputs if RESIZE in tallies else 0
    return int(float(exact - functions) + functions)


FLOAT = Rounding("ptflops divides by the batch size in 64-bit floating point", _float_and_integer)


def _layer_by_layer(
    printed: PrintedCount, exact: int, tallies: Tallies, steps: Callable[[], Iterable[TraceStep]]
) -> int:
    if exact < 2**53:
        # Sums of integers are exact in floating point.
        pools = [tallies[name] for name in (_ADAPTIVE if printed.quantity == "macs" else ()) if name in tallies]
        return exact + sum(each.pooled - each.inputs - each.outputs for each in pools)
    return int(_summed([(step.path, _by_thop(printed, step)) for step in steps()]))


THOP = Rounding("thop calculates in 64-bit floating point and truncates", _layer_by_layer)


def _by_thop(printed: PrintedCount, step: TraceStep) -> float:
    layer = step.layer
    if printed.quantity == "params":
        if isinstance(layer, (LayerNorm2d, LayerScale)):
            return 0.0
        return float(cost.weights(layer)) + float(cost.biases(layer))
    found = tally([step])
    if pooled := sum(each.pooled for each in found.values()):
        return float(pooled)
    return float(cost.macs(layer, step.output.shape) + sum(rule.value(found) for rule in printed.rules))


def _summed(counted: list[tuple[str, float]]) -> float:
    """Add floats as thop does, module by module, children first; beyond 2**53 the order matters."""
    total = 0.0
    children: dict[str, list[tuple[str, float]]] = {}
    for path, value in counted:
        if path:
            name, _, rest = path.partition(".")
            children.setdefault(name, []).append((rest, value))
        else:
            total += value
    for below in children.values():
        total += _summed(below)
    return total
