"""Prediction of latency by a count: the networks of the comparison, correlations, and inversions.

`effviz.measure.latency` measures the latencies.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from operator import mul
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.count.report import Report, analyze
from effviz.zoo import ARCHITECTURES, architecture

if TYPE_CHECKING:
    from effviz.model.design import Design

PREDICTORS = {
    "macs": "multiply-adds",
    "params": "parameters",
    "memory_access": "memory access cost",
    "activations": "activations",
}


@dataclass(frozen=True)
class Entry:
    """One network of the comparison."""

    name: str  # in the zoo
    options: dict[str, Any] = field(default_factory=dict, hash=False)  # of `effviz.architecture`

    @cached_property
    def design(self) -> Design:
        """The network."""
        return architecture(self.name, **self.options)

    @property
    def title(self) -> str:
        """The network and its multiplier, for a label."""
        scale = self.options.get("width_mult")
        return f"{self.design.title} {scale:g}x" if scale else self.design.title


_WIDTHS = {
    "mobilenet_v1": (0.25, 0.5),
    "mobilenet_v2": (0.35, 0.5, 1.4),
    "mobilenet_v3_small": (0.75,),
    "mobilenet_v3_large": (0.75,),
    "shufflenet_v1": (0.5, 2.0),
    "shufflenet_v2": (0.5, 1.5, 2.0),
    "mnasnet_a1": (0.5,),
    "ghostnet": (0.5, 1.3),
}
# Sizes between those of their series that are measured, and the slowest ones: a run has to end within minutes.
_NOT_MEASURED = {
    *("densenet169", "resnext101_32x8d", "wide_resnet50_2", "efficientnet_v2_m"),
    *("efficientnet_lite1", "efficientnet_lite2", "efficientnet_lite3"),
    *(f"regnet{letter}_{size}" for letter in "xy" for size in ("400mf", "600mf", "1_6gf", "4_0gf")),
}
_UNSORTED = (
    *(Entry(name) for name in ARCHITECTURES if name not in _NOT_MEASURED),
    *(Entry(name, {"width_mult": width}) for name, widths in _WIDTHS.items() for width in widths),
    Entry("shufflenet_v1", {"groups": 8}),
)
# In ascending order of multiply-adds: the chart first shows most networks, and the slowest are the last.
ENTRIES = tuple(sorted(_UNSORTED, key=lambda entry: analyze(entry.design).macs))
"""Networks of the background measurement."""


@remembered
def report(entry: Entry, memory: str = "fused") -> Report:
    """Count one of `ENTRIES` under an assumption about memory access, as in `effviz.analyze`."""
    return analyze(entry.design, memory=memory)


Row = Mapping[str, Any]
"""A network: its title, family, counts, and ``latency_ms``."""


@remembered
def row(entry: Entry, memory: str = "fused") -> Row:
    """Return a table row: title, family, resolution in pixels, and all counts of `PREDICTORS`."""
    counted = report(entry, memory)
    names = {"title": entry.title, "family": entry.design.family, "resolution": counted.resolution}
    return MappingProxyType(names | {column: getattr(counted, column) for column in PREDICTORS})


class Predictor(NamedTuple):
    """The quality of one count as a predictor of latency."""

    column: str  # of the table
    label: str  # on screen
    rank_correlation: float  # Spearman's; 1 if the count orders the networks as latency does
    slowest: float  # smallest count per second among the networks
    fastest: float  # largest count per second
    spread: float  # their ratio; 1 if latency were proportional to the count


def predictors(rows: Sequence[Row]) -> list[Predictor]:
    """Rate every count of `PREDICTORS` in the rows as a predictor of ``latency_ms``.

    Args:
        rows: at least two, one per network; counts above 0, and latency_ms.
    """
    found = []
    for column, label in PREDICTORS.items():
        if column not in rows[0]:
            continue
        rates = [each[column] / (each["latency_ms"] / 1e3) for each in rows]
        slowest, fastest = min(rates), max(rates)
        correlation = ranks(rows, column).correlation
        found.append(Predictor(column, label, correlation, slowest, fastest, fastest / slowest))
    return found


class Ranks(NamedTuple):
    """Spearman's rank correlation and its sums."""

    together: float  # sum over the networks of (rank by count - mean) × (rank by latency - mean)
    by_count: float  # sum of the squares of (rank by count - mean)
    by_latency: float  # the same for the ranks by latency
    correlation: float  # together / sqrt(by_count × by_latency); nan if all ranks of one kind are equal


def ranks(rows: Sequence[Row], column: str) -> Ranks:
    """Correlate the order by `column` with the order by ``latency_ms``; ties share their mean rank."""
    one, two = (_centered_ranks(tuple(each[name] for each in rows)) for name in (column, "latency_ms"))
    together, first, second = (sum(map(mul, *pair)) for pair in ((one, two), (one, one), (two, two)))
    spread = math.sqrt(first * second)
    return Ranks(together, first, second, together / spread if spread else math.nan)


@remembered
def _centered_ranks(values: tuple[float, ...]) -> list[float]:
    """Return the rank of each value minus the mean rank."""
    order = sorted(values)
    return [(bisect_left(order, value) + bisect_right(order, value) - len(order)) / 2 for value in values]


class Inversion(NamedTuple):
    """Two networks in the wrong order by multiply-adds: `heavy` has more of them and is faster."""

    heavy: str
    light: str
    more_macs: float
    faster: float


def inversions(rows: Sequence[Row]) -> list[Inversion]:
    """Return the pairs where more multiply-adds take less time, the largest differences first."""
    found = []
    networks = [(each["title"], each["macs"], each["latency_ms"]) for each in rows]
    for one, two in combinations(networks, 2):
        (light, less, slow), (heavy, more, fast) = (one, two) if one[1] < two[1] else (two, one)
        if fast < slow and more > less:
            found.append(Inversion(heavy, light, more / less, slow / fast))
    return sorted(found, key=lambda pair: pair.more_macs * pair.faster, reverse=True)


class Contrast(NamedTuple):
    """The networks with the smallest and the largest number of multiply-adds per second."""

    light: str  # title
    heavy: str  # title; has at least as many multiply-adds
    more_macs: float  # multiply-adds of `heavy` relative to `light`
    longer: float  # latency of `heavy` relative to `light`


def contrast(rows: Sequence[Row]) -> Contrast:
    """Return the two networks whose speeds differ the most."""
    slowest, fastest = (rows[place] for place in speed_extremes(rows, "macs"))
    light, heavy = (slowest, fastest) if slowest["macs"] <= fastest["macs"] else (fastest, slowest)
    return Contrast(
        light["title"],
        heavy["title"],
        heavy["macs"] / light["macs"],
        heavy["latency_ms"] / light["latency_ms"],
    )


def speed_extremes(rows: Sequence[Row], column: str) -> tuple[int, int]:
    """Return the places of the networks with the smallest and the largest count per second."""
    rates = [each[column] / each["latency_ms"] for each in rows]
    return rates.index(min(rates)), rates.index(max(rates))


def highlights(rows: Sequence[Row], family: str = "") -> set[str]:
    """Return the titles to mark in a chart: those of a family, or else the most striking inversion."""
    if family:
        return {each["title"] for each in rows if each["family"] == family}
    pairs = inversions(rows)
    return {pairs[0].heavy, pairs[0].light} if pairs else set()


check_border(globals())
