"""Numbers of other counters for a network, explained from the count of effviz term by term, without running them.

The rules of a counter are data, see `effviz.count.reconcile.counters`. They describe the module that `effviz.build`
returns. Code that pools or merges with functions instead of modules can get other numbers from the same counter.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import UncountedLayerError
from effviz.core.units import exact
from effviz.count.reconcile.counters import COUNTERS, PRODUCTS
from effviz.count.reconcile.rules import Counter, CounterRule, PrintedCount, Tallies, Tally, add, operation, tally
from effviz.count.report import Report
from effviz.model.layers import Layer, Shape, primitive_kinds
from effviz.model.trace import TraceStep, trace_block

__all__ = ["COUNTERS", "QUANTITIES", "Explanation", "Term", "explain", "operation", "reconcile"]

QUANTITIES = {"params": "parameters", "macs": "multiply-adds"}
"""The counts of effviz that the numbers of counters are compared with."""


@dataclass(frozen=True)
class CounterTerm:
    """One difference between a counter and effviz."""

    label: str  # its name
    formula: str  # in words, a colon, and the formula with this network's numbers
    value: int  # the amount added to effviz's number; negative if the counter counts less


@dataclass(frozen=True)
class Explanation:
    """One number of one counter: the count of effviz plus the terms."""

    counter: Counter
    printed: PrintedCount
    ours: int  # parameters, or operations of multiply-adds
    terms: tuple[CounterTerm, ...]  # none is 0
    uncounted: tuple[str, ...]  # operations of the network that count 0, without views

    @property
    def total(self) -> int:
        """The number that the counter prints."""
        return self.ours + sum(term.value for term in self.terms)

    @property
    def text(self) -> str:
        """The number as the counter prints it."""
        return self.printed.text(self.total)


@remembered
def _block_tally(block: Layer, shape: Shape) -> dict[str, Tally]:
    return tally(trace_block(block, shape).steps)


def _network_tally(report: Report) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for run in report.design.runs(report.resolution):
        for name, each in _block_tally(run.block, run.shape).items():
            add(found, name, each, run.repeats)
    return found


def _term(rule: CounterRule, tallies: Tallies) -> CounterTerm:
    names = [name for name in rule.on if name in tallies]
    count = sum(tallies[name].layers for name in names)
    which = f" ({', '.join(names)})" if len(rule.on) > 1 else ""
    amounts = " + ".join(map(exact, rule.amounts(tallies)))
    numbers = amounts if rule.factor == 1 else f"{str(rule.factor).replace('-', chr(0x2212))} × {amounts}"
    reason = rule.reason.format(layers=f"{exact(count)} layer{'s' * (count != 1)}{which}")
    return CounterTerm(rule.label, f"{reason}: {numbers}", rule.value(tallies))


def _per_product(extra: int, macs: int) -> CounterTerm:
    if extra < 0:
        reason = "a multiplication with its addition is one operation, 1 operation less per multiply-add"
        return CounterTerm("1 per multiply-add", f"{reason}: −{exact(-extra * macs)}", extra * macs)
    reason = f"multiplications and additions are counted separately, {extra} more operation per multiply-add"
    return CounterTerm("2 per multiply-add", f"{reason}: {exact(extra * macs)}", extra * macs)


def explain(
    printed: PrintedCount,
    counts: dict[str, int],
    tallies: Tallies,
    steps: Callable[[], Iterable[TraceStep]],
    per_product: int = 1,
) -> tuple[int, tuple[CounterTerm, ...]]:
    """Explain one number.

    Args:
        printed: the number.
        counts: "params" and "macs" of effviz.
        tallies: sums over the layers.
        steps: returns the layers; called only by counters that round layer by layer.
        per_product: operations per multiply-add in the number of effviz.

    Returns:
        The number of effviz, and the terms.

    Raises:
        UncountedLayerError: the counter has no rule for an operation.
    """
    ours = counts[printed.quantity]
    terms = []
    if printed.quantity == "macs":
        terms.append(_per_product(printed.per_product - per_product, ours))
        ours *= per_product
    ruled = {name for rule in printed.rules for name in rule.on}.union(printed.free, PRODUCTS)
    for name in tallies:
        if name not in ruled:
            raise UncountedLayerError(f"{name} has no rule for {printed.name} of {printed.call}")
    terms += [_term(rule, tallies) for rule in printed.rules]
    if printed.rounding is not None:
        whole = ours + sum(term.value for term in terms)
        rounded = printed.rounding.rounded(printed, whole, tallies, steps)
        formula = f"{printed.rounding.reason}: {exact(rounded)} − {exact(whole)}"
        terms.append(CounterTerm("rounding", formula, rounded - whole))
    return ours, tuple(term for term in terms if term.value)


_UNLISTED = {kind.__name__ for kind in primitive_kinds() if kind.is_view}


@remembered
def reconcile(report: Report, per_product: int = 1) -> tuple[Explanation, ...]:
    """Explain what every counter prints for a network.

    Args:
        report: of the network.
        per_product: operations per multiply-add in the numbers of effviz: 1 for multiply-adds, 2 for FLOPs.
    """
    counts = {"params": report.params, "macs": report.macs}
    tallies = _network_tally(report)
    found = []
    for counter in COUNTERS.values():
        for printed in counter.numbers:
            ours, terms = explain(printed, counts, tallies, lambda: report.steps, per_product)
            ruled = {name for rule in printed.rules for name in rule.on}.union(PRODUCTS, _UNLISTED)
            uncounted = tuple(name for name in tallies if name not in ruled) if printed.quantity == "macs" else ()
            found.append(Explanation(counter, printed, ours, terms, uncounted))
    return tuple(found)


check_border(globals())
