"""Goals of lessons: limits on the network that the student has built on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from effviz.advice.lint import lint
from effviz.advice.scaling import built_body
from effviz.core.errors import look_up
from effviz.core.resolution import sides
from effviz.core.units import si
from effviz.count.report import Report
from effviz.lessons.answers import compute
from effviz.lessons.functions import QUANTITIES

_LABELS = {
    "macs": "multiply-adds", "flops": "FLOPs", "params": "parameters", "memory_access": "memory access",
    "peak_activation": "peak activations", "activations": "activations", "resolution": "resolution (px)",
    "blocks": "blocks", "findings": "suggestions",
}  # fmt: skip


class CheckedLimit(NamedTuple):
    """One limit of a goal on a network."""

    text: str  # the quantity, its value, and the limit
    is_met: bool


@dataclass(frozen=True)
class Limit:
    """A limit on one quantity of the network.

    Attributes:
        quantity: a count of a report, ``"resolution"``, ``"blocks"`` or ``"findings"``.
        at_most, at_least: the limits; None without one.
    """

    quantity: str
    at_most: float | None = None
    at_least: float | None = None

    def check(self, report: Report) -> CheckedLimit:
        """Compare a network with the limit."""
        value = _value(report, self.quantity)
        parts = [
            f"at {word} {si(limit)}"
            for word, limit in (("most", self.at_most), ("least", self.at_least))
            if limit is not None
        ]
        too_much = self.at_most is not None and value > self.at_most
        too_little = self.at_least is not None and value < self.at_least
        return CheckedLimit(
            f"{_LABELS[self.quantity].capitalize().replace('flops', 'FLOPs')}: {si(value)} ({' and '.join(parts)})",
            not (too_much or too_little),
        )


@dataclass(frozen=True)
class Goal:
    """A network to build: its description, its limits, and a text for those who have built it."""

    text: str
    limits: tuple[Limit, ...] = field(default=())
    after: str = ""

    def check(self, report: Report) -> tuple[CheckedLimit, ...]:
        """Compare a network with every limit."""
        return tuple(limit.check(report) for limit in self.limits)

    def is_met(self, report: Report) -> bool:
        """Whether a network keeps all limits."""
        return all(each.is_met for each in self.check(report))


def goal_of(entry: Mapping[str, Any]) -> Goal:
    """Read a goal of a lesson's file; limits may be formulas.

    Raises:
        DesignError: an unknown quantity, or a formula that cannot be computed.
    """
    limits = []
    for each in entry["limits"]:
        look_up("quantity", each["quantity"], _LABELS)
        limits.append(Limit(each["quantity"], _limit(each.get("at_most")), _limit(each.get("at_least"))))
    return Goal(entry["text"], tuple(limits), entry.get("after", ""))


def _limit(entry: Any) -> float | None:
    return compute(entry) if isinstance(entry, Mapping) else entry


def _value(report: Report, quantity: str) -> float:
    if quantity in QUANTITIES:
        return float(getattr(report, quantity))
    if quantity == "resolution":
        return sides(report.resolution)[0]
    return built_body(report.design)[0] if quantity == "blocks" else len(lint(report.design))
