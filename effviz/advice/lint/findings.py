"""What a rule says: a finding, and a change of the design that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from effviz.core.errors import DesignError, fail
from effviz.count.report import Report, analyze
from effviz.model.design import Design

if TYPE_CHECKING:
    from effviz.advice.lint.network import Network


@dataclass(frozen=True)
class Fix:
    """A change that mends a finding.

    Attributes:
        label: what is changed, in the imperative, with numbers; in brackets what it raises.
        design: the changed design: it builds, and only the rows concerned differ.
    """

    label: str
    design: Design


@dataclass(frozen=True)
class Finding:
    """One place in a design where a rule does not hold.

    Attributes:
        rule: a key of `effviz.advice.lint.RULES`.
        row: index in ``design.stages``; None if the finding is about the whole network.
        path: of the first layer concerned.
        where: the place in words: "stage 3, blocks 1 to 4".
        why: the numbers and what follows from them, for a student.
        degree: how far the rule is broken, the number that it compares with its threshold; more is worse.
        fix: a change that mends the finding or lessens it, None where the rows cannot express one.
    """

    rule: str
    row: int | None
    path: str
    where: str
    why: str
    degree: float
    fix: Fix | None = None


class Candidate(NamedTuple):
    """A change that may mend a finding, not yet tried: None where the rows cannot express it."""

    label: str
    design: Design | None


@dataclass(frozen=True)
class Rule:
    """One rule of thumb about efficient networks.

    Attributes:
        name: key in `effviz.advice.lint.RULES`.
        title: heading of its findings.
        guideline: what to do, in one sentence.
        source: where it is from.
        otherwise: what helps where the rows cannot express a fix.
        check: its findings in a network, without fixes.
        mend: changes that may mend the finding at a row (0 if it is about the whole network), the best first.
        is_whole: it says one thing of the whole network, at whichever row weighs most.
        is_fault: it does not depend on shares. The fix of another rule must not bring such a finding; one about the
            whole network it may bring if nothing else helps.
    """

    name: str
    title: str
    guideline: str
    source: str
    otherwise: str
    check: Callable[[Network], Iterable[Finding]]
    mend: Callable[[Network, int], Iterable[Candidate]]
    is_whole: bool = False
    is_fault: bool = False


class Gain(NamedTuple):
    """What a fix changes, fixed minus now: negative numbers are saved.

    Attributes:
        params, macs, memory_access, peak_activation: as in `effviz.Report`.
    """

    params: int
    macs: int
    memory_access: int
    peak_activation: int


def difference(now: Report, then: Report) -> Gain:
    """`then` minus `now`."""
    return Gain(*(getattr(then, name) - getattr(now, name) for name in Gain._fields))


def gain(finding: Finding, report: Report) -> Gain:
    """What the fix of `finding` changes, exactly.

    Args:
        finding: with a fix.
        report: of the design as it is; its resolution and its assumption about memory hold for both sides.

    Raises:
        DesignError: the finding has no fix, or the fixed design cannot be built at the report's resolution.
    """
    if not isinstance(finding, Finding):
        fail("finding", finding, "must be a Finding of effviz.advice.lint")
    if not isinstance(report, Report):
        fail("report", report, "must be a Report; effviz.analyze(design) gives one")
    if finding.fix is None:
        raise DesignError(f"the finding {finding.rule} at {finding.where} has no fix")
    return difference(report, analyze(finding.fix.design, report.resolution, report.memory))
