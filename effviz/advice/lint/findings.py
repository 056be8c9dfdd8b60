"""The data of lint: rules, findings, proposed changes, fixes and their gains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from effviz.core.errors import DesignError, fail
from effviz.count.report import Report, analyze
from effviz.model.design import Design

if TYPE_CHECKING:
    from effviz.advice.lint.network import BuiltNetwork, BuiltRow


class Late:
    """Base of dataclasses whose instances may compute some attributes when one of them is read first."""

    @classmethod
    def later(cls, compute: Callable[[Self], Mapping[str, Any]], **known: Any) -> Self:
        """Return an instance with some attributes; `compute` returns the others."""
        instance = object.__new__(cls)
        vars(instance).update(known, _compute=compute)
        return instance

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, each.name) for each in fields(self))  # type: ignore[arg-type]

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Compute the attributes that are still missing."""
            compute = vars(self).get("_compute")
            if compute is None or name.startswith("_"):
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            vars(self).update(compute(self))
            vars(self).pop("_compute", None)
            return object.__getattribute__(self, name)


@dataclass(frozen=True)
class Fix(Late):
    """A change that fixes a finding.

    Attributes:
        label: the change in the imperative, with numbers; what it increases is in parentheses.
        design: the changed design. It builds, and only the rows concerned differ.
    """

    label: str
    design: Design


@dataclass(frozen=True)
class Finding(Late):
    """One place in a design where a rule is broken.

    `lint` searches for a fix when `fix` or `why` is read.

    Attributes:
        rule: a key of `effviz.advice.lint.RULES`.
        row: index in ``design.stages``; None if the finding is about the whole network.
        path: of the first layer concerned.
        where: the place in words: "stage 3, blocks 1 to 4".
        why: the numbers and their consequence, written for a student.
        degree: the number that the rule compares with its threshold; more is worse.
        fix: a change that removes or reduces the finding; None if no row can express one.
    """

    rule: str
    row: int | None
    path: str
    where: str
    why: str
    degree: float
    fix: Fix | None = field(default_factory=lambda: None)


class Proposal(NamedTuple):
    """An untested change that may fix a finding; the design is None if no row can express it."""

    label: str
    design: Design | None


@dataclass(frozen=True)
class Rule:
    """One rule of thumb about efficient networks.

    Attributes:
        name: key in `effviz.advice.lint.RULES`.
        title: heading of its findings.
        guideline: the recommendation.
        source: paper, section or table.
        remedy: advice for findings that no row can fix.
        check: returns the findings in a network, without fixes.
        propose: returns changes that may fix the finding at a row, the best first. A finding about the whole network
            passes the first row.
        is_whole: the rule makes one statement about the whole network, at the row with the largest share.
        is_far: fixes change rows far from the finding, for example an earlier stride.
        is_fault: the rule does not depend on shares. Fixes of other rules must not introduce its findings, except those
            about the whole network if no other fix exists.
        may_break: for a fault rule about the whole network: whether it may be broken by a change of some rows that
            keeps their output. It is given these rows before and after the change.
    """

    name: str
    title: str
    guideline: str
    source: str
    remedy: str
    check: Callable[[BuiltNetwork], Iterable[Finding]]
    propose: Callable[[BuiltRow], Iterable[Proposal]]
    is_whole: bool = False
    is_far: bool = False
    is_fault: bool = False
    may_break: Callable[[BuiltNetwork, BuiltNetwork], bool] = lambda before, after: True


class Gain(NamedTuple):
    """Changes by a fix, fixed minus current: negative numbers are saved.

    Attributes:
        params, macs, memory_access, peak_activation: as in `effviz.Report`.
    """

    params: int
    macs: int
    memory_access: int
    peak_activation: int


def difference(before: Report | BuiltNetwork, after: Report | BuiltNetwork) -> Gain:
    """Return `after` minus `before`."""
    return Gain(*(getattr(after, name) - getattr(before, name) for name in Gain._fields))


def gain(finding: Finding, report: Report) -> Gain:
    """Return the exact changes by the fix of `finding`.

    Args:
        finding: with a fix.
        report: of the current design; its resolution and memory assumption apply to both sides.

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
