"""Facts about a space, and the result of a search, for a page that computes them in another process."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.studies.search.run import StudyResult, Task, search
from effviz.studies.search.share import ChoiceCost, Distribution, choice_costs, distribution, mean
from effviz.studies.search.space import Space

LARGEST_BUDGET = 1_000_000_000
"""The limit of the distribution, in multiply-adds: 99 % of the networks have fewer."""


class SpaceFacts(NamedTuple):
    """The size of a space, its shares and its averages."""

    distribution: Distribution  # of multiply-adds
    mean: tuple[Fraction, Fraction]  # parameters and multiply-adds
    costs: tuple[ChoiceCost, ...]


@remembered
def space_facts(space: Space) -> SpaceFacts:
    """Return the facts of a space."""
    return SpaceFacts(distribution(space, "macs", LARGEST_BUDGET), mean(space), choice_costs(space))


@remembered
def searched(task: Task, storage: str) -> StudyResult:
    """Return the result of a search with one worker, see `effviz.studies.search.run.search`."""
    return search(task, storage)


check_border(globals())
