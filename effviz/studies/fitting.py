"""The solver and the ranked fixes as calculations of a page, and the state of a path of changes in an edited table."""

from __future__ import annotations

from collections.abc import Iterable

from effviz.advice.budgets import Budget
from effviz.advice.remedies import Diagnosis, diagnose
from effviz.advice.solver import Fit, SolverStep, fit
from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError, if_legal
from effviz.model.design import Design
from effviz.model.draft import Draft


@remembered
def fitted(design: Design, budgets: tuple[Budget, ...], memory: str) -> Fit:
    """Change a design so that it meets limits, see `effviz.fit`."""
    return fit(design, budgets, memory=memory)


@remembered
def diagnosed(design: Design, budgets: tuple[Budget, ...], memory: str) -> Diagnosis:
    """Rank the changes that reduce the excess over limits, see `effviz.advice.remedies.diagnose`."""
    return diagnose(design, budgets, memory=memory)


def applied(steps: Iterable[SolverStep], draft: Draft) -> Draft:
    """Return a draft with all steps.

    Raises:
        DesignError: the draft does not have a row of a step.
    """
    for step in steps:
        draft = step.edit.on(draft)
    return draft


def remaining(found: Fit, draft: Draft) -> tuple[SolverStep, ...] | None:
    """Return the steps of a result that a draft does not have yet.

    None if the draft is not on the path: the steps that remain do not lead to the result.
    """
    if found.design is None:
        return None
    rest = tuple(step for step in found.path if if_legal(lambda step=step: step.edit.on(draft)) != draft)  # type: ignore[misc]
    try:
        return rest if applied(rest, draft) == Draft.of(found.design) else None
    except DesignError:
        return None


check_border(globals())
