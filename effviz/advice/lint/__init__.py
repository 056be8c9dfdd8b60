"""Lint: rules of thumb about efficient networks, each with its source, and fixes for their findings.

A finding names a number and its source. It is not an error: published networks have findings too.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache

from effviz.advice.lint import faults, memory_access, reach, shares
from effviz.advice.lint.edits import moved
from effviz.advice.lint.findings import Finding, Fix, Gain, Rule, difference, gain
from effviz.advice.lint.network import BuiltNetwork
from effviz.core.errors import fail
from effviz.core.units import change
from effviz.count.report import Report
from effviz.model.design import Design

RULES: dict[str, Rule] = {rule.name: rule for module in (faults, reach, shares, memory_access) for rule in module.RULES}
"""Every rule by name, in the order in which findings are shown: faults, then shares, then memory access."""

NOTICEABLE = 0.95
"""A change that leaves more than this share of a finding's degree is no fix."""

_WORDS = {
    "params": "parameters",
    "macs": "multiply-adds",
    "memory_access": "memory access",
    "peak_activation": "peak activation memory",
}

__all__ = ["RULES", "Finding", "Fix", "Gain", "Rule", "gain", "lint"]


def lint(design: Design) -> tuple[Finding, ...]:
    """Return the findings of all rules in a design at its own resolution, in the order of `RULES`.

    Raises:
        DesignError: the network cannot be built; the message starts with the layer's path.
    """
    if not isinstance(design, Design):
        fail("design", design, "must be a Design; effviz.architecture(name) gives one")
    return _lint(design)


@lru_cache(maxsize=64)
def _lint(design: Design) -> tuple[Finding, ...]:
    return apply_rules(design, RULES.values())


def apply_rules(design: Design, rules: Collection[Rule]) -> tuple[Finding, ...]:
    """Return the findings of `rules`, each with the first fix that removes it, or else with one that reduces it."""
    network = BuiltNetwork(design)
    found = [(rule, list(rule.check(network))) for rule in rules]
    faults = [(rule, findings) for rule, findings in found if rule.is_fault]
    return tuple(_with_fix(network, rule, finding, faults) for rule, findings in found for finding in findings)


def _with_fix(network: BuiltNetwork, rule: Rule, finding: Finding, faults: list[tuple[Rule, list[Finding]]]) -> Finding:
    """Return the finding with the best change. Removing the finding ranks first, introducing no fault second."""
    best: tuple[bool, bool] = (True, True)
    fix = None
    for label, changed in rule.propose(network.row(finding.row or 0)):
        if changed is None or changed == network.design:
            continue
        then = BuiltNetwork(changed)
        left = _left(rule, finding, network, then)
        if left > NOTICEABLE * finding.degree or (fix and (left > 0, False) >= best):
            continue
        introduced = [other for other in _introduced(network, then, faults) if other.name != rule.name]
        rank = (left > 0, bool(introduced))
        if all(other.is_whole for other in introduced) and (fix is None or rank < best):
            best, fix = rank, Fix(label + _increases(network.report, then.report), changed)
        if best == (False, False):
            break
    return replace(finding, fix=fix) if fix else replace(finding, why=f"{finding.why} {rule.remedy}")


def _left(rule: Rule, finding: Finding, before: BuiltNetwork, after: BuiltNetwork) -> float:
    """Return the degree of the finding after a change; 0 if it is gone."""
    place = moved(finding.row, before.design, after.design)
    return max((each.degree for each in rule.check(after) if rule.is_whole or each.row == place), default=0.0)


def _introduced(before: BuiltNetwork, after: BuiltNetwork, faults: list[tuple[Rule, list[Finding]]]) -> Iterator[Rule]:
    """Yield the fault rules that a change breaks in a row without such a finding before."""
    for rule, findings in faults:
        known = {moved(finding.row, before.design, after.design) for finding in findings}
        if any(finding.row not in known for finding in rule.check(after)):
            yield rule


def _increases(before: Report, after: Report) -> str:
    """Return what a change increases, in parentheses."""
    increased = [
        f"{_WORDS[name]} {change(getattr(after, name), getattr(before, name))}"
        for name, more in difference(before, after)._asdict().items()
        if more > 0
    ]
    return f" ({', '.join(increased)})" if increased else ""
