"""The zoo's latency on one machine, and how well a count predicts it.

Measuring is done elsewhere (`effviz.latency`); here is what to measure, and what follows from the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from effviz.archs import ARCHITECTURES, architecture
from effviz.report import analyze

if TYPE_CHECKING:
    import pandas as pd

    from effviz.design import Design

PREDICTORS = {
    "macs": "multiply-adds",
    "params": "parameters",
    "memory_access": "memory access cost",
    "activations": "activations",
}


@dataclass(frozen=True)
class Entry:
    """One network of the comparison.

    Attributes:
        name: in the zoo.
        options: of `effviz.architecture`.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def design(self) -> Design:
        """The network."""
        return architecture(self.name, **self.options)

    @property
    def title(self) -> str:
        """The network and its multiplier, for a label."""
        scale = self.options.get("width_mult")
        return f"{self.design.title} {scale:g}x" if scale else self.design.title


def _scaled(name: str, *widths: float) -> list[Entry]:
    return [Entry(name, {"width_mult": width}) for width in widths]


# Cheapest first, so that the picture fills where most networks are and the slowest come last.
ENTRIES = tuple(
    sorted(
        [
            *(Entry(name) for name in ARCHITECTURES),
            *_scaled("mobilenet_v1", 0.25, 0.5),
            *_scaled("mobilenet_v2", 0.35, 0.5, 1.4),
            *_scaled("mobilenet_v3_small", 0.75),
            *_scaled("mobilenet_v3_large", 0.75),
            *_scaled("shufflenet_v1", 0.5, 2.0),
            Entry("shufflenet_v1", {"groups": 8}),
            *_scaled("shufflenet_v2", 0.5, 1.5, 2.0),
            *_scaled("mnasnet_a1", 0.5),
            *_scaled("ghostnet", 0.5, 1.3),
        ],
        key=lambda entry: analyze(entry.design).macs,
    )
)
"""What the background measurement runs through."""


def counts(entry: Entry) -> dict[str, Any]:
    """Everything about one network that a latency is compared with.

    Keys: title, name, family, resolution, macs, params, memory_access (elements, fused), activations (elements written
    by convolution and linear layers, as pycls and RegNet count them).
    """
    report = analyze(entry.design)
    table = report.table
    written = table[table["layer"].isin(["Conv2d", "Linear"])]["output_shape"]
    activations = sum(_elements(shape) for shape in written)
    return {
        "title": entry.title,
        "name": entry.name,
        "family": report.design.family,
        "resolution": report.resolution,
        "macs": report.macs,
        "params": report.params,
        "memory_access": report.memory_access,
        "activations": activations,
    }


def _elements(shape: str) -> int:
    product = 1
    for side in shape.split(" x "):
        product *= int(side)
    return product


class Predictor(NamedTuple):
    """How well one count predicts latency.

    Attributes:
        column: of the table.
        label: in words.
        rank_correlation: Spearman's; 1 if the count orders the networks as latency does.
        slowest, fastest: smallest and largest count per second among the networks.
        spread: their ratio; 1 if latency were proportional to the count.
    """

    column: str
    label: str
    rank_correlation: float
    slowest: float
    fastest: float
    spread: float


def predictors(table: pd.DataFrame) -> list[Predictor]:
    """Every count of `PREDICTORS` as a predictor of the column ``latency_ms``.

    Args:
        table: one row per network; columns of `counts` and latency_ms.
    """
    found = []
    for column, label in PREDICTORS.items():
        rate = table[column] / (table["latency_ms"] / 1e3)
        ranks = table[[column, "latency_ms"]].rank()
        correlation = float(ranks.corr().iloc[0, 1]) if len(table) > 2 else float("nan")
        slowest, fastest = float(rate.min()), float(rate.max())
        found.append(Predictor(column, label, correlation, slowest, fastest, fastest / slowest))
    return found


class Inversion(NamedTuple):
    """Two networks that multiply-adds order wrongly: `heavy` has more of them and is faster."""

    heavy: str
    light: str
    more_macs: float
    faster: float


def inversions(table: pd.DataFrame) -> list[Inversion]:
    """Pairs where more multiply-adds take less time, the most striking first."""
    rows: Sequence[Any] = list(table[["title", "macs", "latency_ms"]].itertuples(index=False))
    found = []
    for one, two in combinations(rows, 2):
        light, heavy = (one, two) if one.macs < two.macs else (two, one)
        if heavy.latency_ms < light.latency_ms and heavy.macs > light.macs:
            found.append(
                Inversion(heavy.title, light.title, heavy.macs / light.macs, light.latency_ms / heavy.latency_ms)
            )
    return sorted(found, key=lambda pair: pair.more_macs * pair.faster, reverse=True)
