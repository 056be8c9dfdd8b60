"""Apply rules to a design, and keep of the changes that they propose what holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from effviz.advice.lint.edits import moved
from effviz.advice.lint.findings import Finding, Fix, Rule, difference
from effviz.advice.lint.network import Network
from effviz.core.units import change
from effviz.count.report import Report
from effviz.model.design import Design

NOTICEABLE = 0.95
"""Of the degree of a finding: what leaves more is no fix."""

_WORDS = {
    "params": "parameters",
    "macs": "multiply-adds",
    "memory_access": "memory access",
    "peak_activation": "peak activation memory",
}


def linted(design: Design, rules: Collection[Rule]) -> tuple[Finding, ...]:
    """The findings of `rules` in a design, each with the first fix that mends it, or else that lessens it."""
    network = Network(design)
    found = [(rule, list(rule.check(network))) for rule in rules]
    faults = [(rule, findings) for rule, findings in found if rule.is_fault]
    return tuple(_with_fix(network, rule, finding, faults) for rule, findings in found for finding in findings)


def _with_fix(network: Network, rule: Rule, finding: Finding, faults: list[tuple[Rule, list[Finding]]]) -> Finding:
    """The finding with the first of the best changes: nothing left of the finding, then no fault in its place."""
    best: tuple[bool, bool] = (True, True)
    fix = None
    for label, changed in rule.mend(network, finding.row or 0):
        if changed is None or changed == network.design:
            continue
        then = Network(changed)
        left = _left(rule, finding, network, then)
        if left > NOTICEABLE * finding.degree or (fix and (left > 0, False) >= best):
            continue
        brought = [other for other in _brought(network, then, faults) if other.name != rule.name]
        rank = (left > 0, bool(brought))
        if all(other.is_whole for other in brought) and (fix is None or rank < best):
            best, fix = rank, Fix(label + _raised(network.report, then.report), changed)
        if best == (False, False):
            break
    return replace(finding, fix=fix) if fix else replace(finding, why=f"{finding.why} {rule.otherwise}")


def _left(rule: Rule, finding: Finding, network: Network, then: Network) -> float:
    """The degree of what is left of a finding after a change; 0 for nothing."""
    if rule.is_whole:
        return max((each.degree for each in rule.check(then)), default=0.0)
    place = moved(finding.row, network.design, then.design)
    return max((each.degree for each in rule.check(then) if each.row == place), default=0.0)


def _brought(network: Network, then: Network, faults: list[tuple[Rule, list[Finding]]]) -> Iterator[Rule]:
    """The rules about faults that a change brings to a row that had none."""
    for rule, findings in faults:
        before = {moved(finding.row, network.design, then.design) for finding in findings}
        if any(finding.row not in before for finding in rule.check(then)):
            yield rule


def _raised(now: Report, then: Report) -> str:
    """What a change raises, in brackets."""
    gains = difference(now, then)._asdict()
    raised = [
        f"{_WORDS[name]} {change(getattr(then, name), getattr(now, name))}" for name, more in gains.items() if more > 0
    ]
    return f" ({', '.join(raised)})" if raised else ""
