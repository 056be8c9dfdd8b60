"""Prediction of latency by a count: the networks of the comparison, correlations, and inversions.

`effviz.measure.latency` measures the latencies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from effviz.count.report import Report, analyze
from effviz.zoo import ARCHITECTURES, architecture

if TYPE_CHECKING:
    import pandas as pd

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
_UNSORTED = (
    *(Entry(name) for name in ARCHITECTURES),
    *(Entry(name, {"width_mult": width}) for name, widths in _WIDTHS.items() for width in widths),
    Entry("shufflenet_v1", {"groups": 8}),
)
# In ascending order of multiply-adds: the chart first shows most networks, and the slowest are the last.
ENTRIES = tuple(sorted(_UNSORTED, key=lambda entry: analyze(entry.design).macs))
"""Networks of the background measurement."""


@lru_cache(maxsize=4 * len(ENTRIES))
def report(entry: Entry, memory: str = "fused") -> Report:
    """Count one of `ENTRIES` under an assumption about memory access, as in `effviz.analyze`."""
    return analyze(entry.design, memory=memory)


def row(entry: Entry, memory: str = "fused") -> dict[str, Any]:
    """Return a table row: title, family, resolution in pixels, and all counts of `PREDICTORS`."""
    counted = report(entry, memory)
    names = {"title": entry.title, "family": entry.design.family, "resolution": counted.resolution}
    return names | {column: getattr(counted, column) for column in PREDICTORS}


class Predictor(NamedTuple):
    """The quality of one count as a predictor of latency."""

    column: str  # of the table
    label: str  # on screen
    rank_correlation: float  # Spearman's; 1 if the count orders the networks as latency does
    slowest: float  # smallest count per second among the networks
    fastest: float  # largest count per second
    spread: float  # their ratio; 1 if latency were proportional to the count


def predictors(table: pd.DataFrame) -> list[Predictor]:
    """Rate every count of `PREDICTORS` in the table as a predictor of the column ``latency_ms``.

    The table has one row per network, at least two, and counts above 0.
    """
    found = []
    for column, label in PREDICTORS.items():
        if column not in table:
            continue
        rate = table[column] / (table["latency_ms"] / 1e3)
        slowest, fastest = float(rate.min()), float(rate.max())
        correlation = ranks(table, column).correlation
        found.append(Predictor(column, label, correlation, slowest, fastest, fastest / slowest))
    return found


class Ranks(NamedTuple):
    """Spearman's rank correlation and its sums."""

    together: float  # sum over the networks of (rank by count - mean) × (rank by latency - mean)
    by_count: float  # sum of the squares of (rank by count - mean)
    by_latency: float  # the same for the ranks by latency
    correlation: float  # together / sqrt(by_count × by_latency); nan if all ranks of one kind are equal


def ranks(table: pd.DataFrame, column: str) -> Ranks:
    """Correlate the order by `column` with the order by ``latency_ms``; ties share their mean rank."""
    by_count = table[column].rank()
    by_latency = table["latency_ms"].rank()
    one, two = by_count - by_count.mean(), by_latency - by_latency.mean()
    together, first, second = float((one * two).sum()), float((one**2).sum()), float((two**2).sum())
    spread = math.sqrt(first * second)
    return Ranks(together, first, second, together / spread if spread else math.nan)


class Inversion(NamedTuple):
    """Two networks in the wrong order by multiply-adds: `heavy` has more of them and is faster."""

    heavy: str
    light: str
    more_macs: float
    faster: float


def inversions(table: pd.DataFrame) -> list[Inversion]:
    """Return the pairs where more multiply-adds take less time, the largest differences first."""
    rows: Sequence[Any] = list(table[["title", "macs", "latency_ms"]].itertuples(index=False))
    found = []
    for one, two in combinations(rows, 2):
        light, heavy = (one, two) if one.macs < two.macs else (two, one)
        if heavy.latency_ms < light.latency_ms and heavy.macs > light.macs:
            more_macs, faster = heavy.macs / light.macs, light.latency_ms / heavy.latency_ms
            found.append(Inversion(heavy.title, light.title, more_macs, faster))
    return sorted(found, key=lambda pair: pair.more_macs * pair.faster, reverse=True)


class Contrast(NamedTuple):
    """The networks with the smallest and the largest number of multiply-adds per second."""

    light: str  # title
    heavy: str  # title; has at least as many multiply-adds
    more_macs: float  # multiply-adds of `heavy` relative to `light`
    longer: float  # latency of `heavy` relative to `light`


def contrast(table: pd.DataFrame) -> Contrast:
    """Return the two networks whose speeds differ the most."""
    slowest, fastest = table.loc[list(speed_extremes(table, "macs"))].to_dict("records")
    light, heavy = (slowest, fastest) if slowest["macs"] <= fastest["macs"] else (fastest, slowest)
    longer = float(heavy["latency_ms"] / light["latency_ms"])
    return Contrast(light["title"], heavy["title"], heavy["macs"] / light["macs"], longer)


def speed_extremes(table: pd.DataFrame, column: str) -> tuple[Any, Any]:
    """Return the index labels of the networks with the smallest and the largest count per second."""
    rates = table[column] / table["latency_ms"]
    return rates.idxmin(), rates.idxmax()


def highlights(table: pd.DataFrame, family: str = "") -> set[str]:
    """Return the titles to mark in a chart: those of a family, or else the most striking inversion."""
    if family:
        return set(table.loc[table["family"] == family, "title"])
    pairs = inversions(table)
    return {pairs[0].heavy, pairs[0].light} if pairs else set()
