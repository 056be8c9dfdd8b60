"""The networks of the zoo against the four guidelines: how far each departs from a guideline, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import NamedTuple

from effviz.advice.lint.memory_access import (
    MANY_BRANCHES,
    MANY_OPERATIONS,
    branches_in,
    grouping,
    operations_in,
    unequal,
)
from effviz.advice.lint.network import BuiltLayer, BuiltNetwork
from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.units import percent
from effviz.count.kinds import DEPTHWISE, MERGE, NORM, SQUEEZE_EXCITE
from effviz.model.layers import Conv2d
from effviz.zoo import architecture

LOST = 0.05
"""Share of the memory access from which unequal widths or groups depart from guideline 1 or 2."""

ELEMENT_WISE = 0.3
"""Share of the memory access of element-wise operations and depthwise layers from which a network departs from G4."""


class Evidence(NamedTuple):
    """One network and one guideline."""

    degree: float  # a share of the memory access; for G3, the multiple of a block that is too fragmented
    departs: bool  # whether the network departs from the guideline
    text: str  # the evidence in a few words
    path: str  # the layer or block that departs the most; empty if there is none


@remembered
def evidence(name: str) -> dict[str, Evidence]:
    """Return the evidence by guideline for a network of the zoo, at its own resolution, fused."""
    network = BuiltNetwork(architecture(name))
    return {"G1": _widths(network), "G2": _groups(network), "G3": _fragments(network), "G4": _element_wise(network)}


def _lost(
    network: BuiltNetwork, measure: Callable[[BuiltLayer], float], words: Callable[[BuiltLayer], str]
) -> Evidence:
    """Sum what layers move beyond the recommended ones with equal multiply-adds."""
    worst = max(network.layers, key=measure)
    degree = sum(map(measure, network.layers)) / network.memory_access
    if not measure(worst):
        return Evidence(0.0, False, "", "")
    return Evidence(degree, degree >= LOST, f"{percent(degree)} more memory access; {words(worst)}", worst.path)


def _widths(network: BuiltNetwork) -> Evidence:
    def ratio(layer: BuiltLayer) -> str:
        return f"{layer.input_shape[0]} → {layer.output_shape[0]} channels"

    return _lost(network, unequal, ratio)


def _groups(network: BuiltNetwork) -> Evidence:
    def count(layer: BuiltLayer) -> str:
        return f"{layer.step.layer.groups} groups" if isinstance(layer.step.layer, Conv2d) else ""

    return _lost(network, grouping, count)


def _fragments(network: BuiltNetwork) -> Evidence:
    blocks = [list(layers) for _, layers in groupby(network.layers, lambda layer: layer.block)]

    def degree(layers: Iterable[BuiltLayer]) -> float:
        inside = list(layers)
        return max(operations_in(inside) / MANY_OPERATIONS, branches_in(inside) / MANY_BRANCHES)

    worst = max(blocks, key=degree)
    text = f"{operations_in(worst)} operations in a block"
    path = network.blocks[worst[0].block].path
    return Evidence(degree(worst), degree(worst) >= 1, text, path)


def _element_wise(network: BuiltNetwork) -> Evidence:
    kinds = (MERGE, NORM, DEPTHWISE, SQUEEZE_EXCITE)
    concerned = [layer for layer in network.layers if layer.kind in kinds and layer.access]
    if not concerned:
        return Evidence(0.0, False, "", "")
    worst = max(concerned, key=lambda layer: layer.access)
    degree = sum(layer.access for layer in concerned) / network.memory_access
    return Evidence(degree, degree >= ELEMENT_WISE, f"{percent(degree)} of the memory access; {worst.kind}", worst.path)


check_border(globals())
