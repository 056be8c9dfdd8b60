"""Which judged claims are shown, and their counts by verdict, difference, source and quantity."""

import math
from collections import Counter
from collections.abc import Callable, Iterable
from statistics import median
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import look_up
from effviz.studies.literature.claims import QUANTITIES, document, rows
from effviz.studies.literature.judge import (
    OPEN,
    OTHER,
    RIGHT,
    SHORT,
    UNBUILT,
    UNEXPLAINED,
    VERDICTS,
    WRONG,
    Judged,
    judged,
)

COMPARED = (RIGHT, SHORT, OTHER, UNEXPLAINED, WRONG)
"""Verdicts on claims with a reference."""

_SMALL, BIN = 0.001, 0.1
"""Differences below the first are on a linear scale, larger ones on a logarithmic one; bins have this width on it."""
_ROWS = 13


class Filter(NamedTuple):
    """A selection of claims; empty values select all."""

    words: str = ""  # in the name of the network, its family or the source, in any order
    source: str = ""  # a document
    quantity: str = ""  # a key of `QUANTITIES`
    verdict: str = ""  # a key of `VERDICTS`


@remembered
def chosen(by: Filter) -> tuple[Judged, ...]:
    """Return the claims of a filter: wrong ones first, then by the size of the difference, largest first."""
    words = by.words.lower().split()
    found = [
        each for each in judged()
        if (not by.source or document(each.source) == by.source)
        and by.quantity in ("", each.quantity) and by.verdict in ("", each.verdict)
        and all(word in f"{each.network} {each.design} {each.source}".lower() for word in words)
    ]  # fmt: skip
    order = (WRONG, UNEXPLAINED, OTHER, SHORT, RIGHT, OPEN, UNBUILT)
    return tuple(sorted(found, key=lambda each: (order.index(each.verdict), -abs(each.off or 0.0))))


@remembered
def documents() -> tuple[str, ...]:
    """Return the documents with claims, the one with most rows first."""
    return tuple(name for name, _ in Counter(document(row.source) for row in rows()).most_common())


class Group(NamedTuple):
    """Claims with something in common, counted by verdict."""

    name: str
    counts: tuple[int, ...]  # in the order of `COMPARED`

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts)


class ErrorBin(NamedTuple):
    """Claims of one verdict with about the same relative difference from the reference, negative below it."""

    verdict: str  # one of `COMPARED`
    low: float
    high: float
    figures: int
    place: float  # the middle of the bin on the scale of `scaled`


def scaled(off: float) -> float:
    """Return the place of a relative difference on a scale that shows 0.1 % and 50 %, of both signs."""
    return math.copysign(math.log10(1 + abs(off) / _SMALL), off)


@remembered
def errors(by: Filter) -> tuple[ErrorBin, ...]:
    """Bin the compared claims of a filter by verdict and by relative difference."""
    bins: dict[tuple[str, int], list[float]] = {}
    for claim in chosen(by):
        if claim.verdict in COMPARED:
            off = claim.off or 0.0
            bins.setdefault((claim.verdict, round(scaled(off) / BIN)), []).append(off)
    return tuple(
        ErrorBin(verdict, min(offs), max(offs), len(offs), step * BIN) for (verdict, step), offs in bins.items()
    )


GROUPINGS: dict[str, Callable[[Judged], str]] = {
    "Source": lambda claim: document(claim.source),
    "Quantity": lambda claim: QUANTITIES[claim.quantity],
}
"""Groupings of claims: the name of the group of a claim."""


@remembered
def grouped(by: Filter, grouping: str) -> tuple[Group, ...]:
    """Count the compared claims of a filter, by document or quantity.

    The quantities are in their order. The documents with most compared claims are first, and the last row
    has the sum of the others.
    """
    class_of = look_up("grouping", grouping, GROUPINGS)
    counts: dict[str, Counter[str]] = {}
    for claim in chosen(by):
        if claim.verdict in COMPARED:
            counts.setdefault(class_of(claim), Counter())[claim.verdict] += 1
    groups = [Group(name, tuple(found[verdict] for verdict in COMPARED)) for name, found in counts.items()]
    if grouping == "Source":
        groups.sort(key=lambda each: (-each.total, each.name))
        rest = groups[_ROWS:]
        sums = tuple(map(sum, zip(*(each.counts for each in rest), strict=True)))
        return (*groups[:_ROWS], *([Group(f"{len(rest)} other sources", sums)] if len(rest) > 1 else rest))
    order = list(QUANTITIES.values())
    return tuple(sorted(groups, key=lambda each: order.index(each.name)))


class Summary(NamedTuple):
    """Headline numbers of a selection."""

    claims: int
    counts: dict[str, int]  # by verdict, in the order of `VERDICTS`
    compared: int  # claims with a reference
    median_off: float | None  # relative difference of those without a rule and the wrong ones; None without any


def summary(claims: Iterable[Judged]) -> Summary:
    """Count claims by verdict."""
    listed = list(claims)
    counts = Counter(each.verdict for each in listed)
    offs = [abs(each.off) for each in listed if each.verdict in (UNEXPLAINED, WRONG) and each.off is not None]
    return Summary(
        len(listed), {verdict: counts[verdict] for verdict in VERDICTS}, sum(counts[each] for each in COMPARED),
        median(offs) if offs else None,
    )  # fmt: skip


check_border(globals())
