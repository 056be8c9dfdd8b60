"""Lint: rules of thumb about efficient networks, each with its source, and fixes for their findings.

A finding names a number and its source. It is not an error: published networks have findings too. A fix is searched
for when it is read. It is judged from the rows around the finding, unless its effects reach further.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

from effviz.advice.lint import faults, memory_access, reach, shares
from effviz.advice.lint.edits import moved
from effviz.advice.lint.findings import Finding, Fix, Gain, Rule, difference, gain
from effviz.advice.lint.network import BuiltNetwork, Outside
from effviz.core import caches
from effviz.core.arguments import check_public
from effviz.core.caches import remembered
from effviz.core.units import change
from effviz.model.design import Design

RULES: dict[str, Rule] = {rule.name: rule for module in (faults, reach, shares, memory_access) for rule in module.RULES}
"""Every rule by name, in the order in which findings are shown: faults, then shares, then memory access."""

NOTICEABLE = 0.95
"""A change that leaves more than this share of a finding's degree is no fix."""

_TRIED_LAYERS, _FEWEST_TRIED = 30_000, 1
"""Limit on the layers of all networks that are tried for one finding, and the number that is tried in any case."""

_FAR_LAYERS = 20_000
"""Changes with effects on the whole network are tried for so many layers of findings by each rule."""

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
    return _lint(design)


@remembered
def _lint(design: Design) -> tuple[Finding, ...]:
    return apply_rules(design, RULES.values())


@remembered
def _built(design: Design) -> BuiltNetwork:
    return BuiltNetwork(design)


def apply_rules(design: Design, rules: Collection[Rule]) -> tuple[Finding, ...]:
    """Return the findings of `rules`, each with the first fix that removes it, or else with one that reduces it."""
    search, network = _Search(design, rules), _built(design)
    most = max(1, _FAR_LAYERS // (len(network.layers) or 1))
    return tuple(
        search.finding(rule, each, tries_far=place < most)
        for rule in rules
        for place, each in enumerate(rule.check(network))
    )


class _Search:
    """The search for fixes of the findings in a design. It starts when a fix is read."""

    def __init__(self, design: Design, rules: Collection[Rule]) -> None:
        # Not the built network, which would remain in memory with the findings.
        self._design = design
        self._faults = [rule for rule in rules if rule.is_fault]
        self._known: dict[str, list[int | None]] = {}  # rows with findings in the whole network, by rule

    def finding(self, rule: Rule, found: Finding, *, tries_far: bool) -> Finding:
        """Return `found` with the fix that is still to be found, if necessary among changes with far effects."""

        def complete(_: Finding) -> dict[str, Any]:
            fix = self._fix(rule, found, tries_far=tries_far)
            return {"fix": fix, "why": found.why if fix else f"{found.why} {rule.remedy}"}

        known = {name: value for name, value in vars(found).items() if name not in ("fix", "why")}
        return Finding.later(complete, **known)

    def _fix(self, rule: Rule, finding: Finding, *, tries_far: bool) -> Fix | None:
        """Return the best fix, judged from the rows around the finding if its effects remain there."""
        whole = _built(self._design)
        if not (rule.is_whole or rule.is_far or finding.row is None):
            part = whole.window(finding.row)
            if part is not None:
                with suppress(_FarEffectError):
                    return self._best(rule, finding, part, whole)
        return self._best(rule, finding, whole, whole) if tries_far else None

    def _best(self, rule: Rule, finding: Finding, near: BuiltNetwork, whole: BuiltNetwork) -> Fix | None:
        """Return the best change of `near`. Removing the finding ranks first, introducing no fault second."""
        best: tuple[bool, bool] = (True, True)
        fix = None
        row = (finding.row or 0) - near.outside.first
        proposals = rule.propose(near.row(row))
        for label, changed in islice(proposals, max(_FEWEST_TRIED, _TRIED_LAYERS // (len(near.layers) or 1))):
            caches.pause()
            if changed is None or changed == near.design:
                continue
            then = near.with_design(changed)
            if near is not whole and then.output != near.output:
                raise _FarEffectError
            left = self._left(rule, None if finding.row is None else row, near, then)
            if left > NOTICEABLE * finding.degree or (fix and (left > 0, False) >= best):
                continue
            introduced = [other for other in self._introduced(near, then, whole) if other.name != rule.name]
            rank = (left > 0, bool(introduced))
            if all(other.is_whole for other in introduced) and (fix is None or rank < best):
                best, fix = rank, self._found(label + _increases(near, then), near, changed)
            if best == (False, False):
                break
        return fix

    def _found(self, label: str, near: BuiltNetwork, changed: Design) -> Fix:
        """Return the fix that replaces the rows of `near`; the whole design is made when it is read."""
        outside, rows = near.outside, len(near.design.stages)
        return Fix.later(lambda _: {"design": _inserted(self._design, outside, rows, changed)}, label=label)

    def _left(self, rule: Rule, row: int | None, before: BuiltNetwork, after: BuiltNetwork) -> float:
        """Return the degree of the finding after a change; 0 if it is gone."""
        place = moved(row, before.design, after.design)
        return max((each.degree for each in rule.check(after) if rule.is_whole or each.row == place), default=0.0)

    def _introduced(self, near: BuiltNetwork, then: BuiltNetwork, whole: BuiltNetwork) -> Iterator[Rule]:
        """Yield the fault rules that a change breaks in a row without such a finding before."""
        for rule in self._faults:
            before, after = near, then
            if rule.is_whole and near is not whole:
                if not rule.may_break(near, then):
                    continue
                rows = len(near.design.stages)
                before, after = whole, BuiltNetwork(_inserted(whole.design, near.outside, rows, then.design))
            known = {moved(row, before.design, after.design) for row in self._rows(rule, before, whole)}
            if any(finding.row not in known for finding in rule.check(after)):
                yield rule

    def _rows(self, rule: Rule, network: BuiltNetwork, whole: BuiltNetwork) -> list[int | None]:
        """Return the rows with findings of a rule."""
        if network is not whole:
            return [finding.row for finding in rule.check(network)]
        if rule.name not in self._known:
            self._known[rule.name] = [finding.row for finding in rule.check(whole)]
        return self._known[rule.name]


class _FarEffectError(Exception):
    """A change of some rows changes their output, and so the rows after them."""


def _inserted(design: Design, outside: Outside, rows: int, changed: Design) -> Design:
    """Return `design` with the rows of `changed` in the place of as many `rows` from the window's first one on."""
    if rows == len(design.stages):
        return changed
    first = outside.first
    return replace(design, stages=design.stages[:first] + changed.stages + design.stages[first + rows :])


def _increases(before: BuiltNetwork, after: BuiltNetwork) -> str:
    """Return what a change increases, in parentheses."""
    increased = [
        f"{_WORDS[name]} {change(getattr(after, name), getattr(before, name))}"
        for name, more in difference(before, after)._asdict().items()
        if more > 0
    ]
    return f" ({', '.join(increased)})" if increased else ""


check_public(globals())
