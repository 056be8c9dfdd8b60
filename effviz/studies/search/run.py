"""A search for networks with low cost and high entropy, by one or more workers that share a storage.

Every worker evaluates networks until the study has enough finished ones. A worker may join, stop or be killed at any
time: finished networks are in the storage, and the next worker continues. Optuna is imported by the functions here,
so that a page can name a search without it.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from effviz.advice.budgets import DTYPES, QUANTITIES, Budget, check
from effviz.core import caches, progress
from effviz.core.arguments import check_border
from effviz.core.errors import DesignError, fail, one_of, text, whole
from effviz.count.report import Report, analyze
from effviz.model.design import Design
from effviz.studies.search.entropy import entropy
from effviz.studies.search.space import CHOICES, Option, Space

if TYPE_CHECKING:
    import optuna

FORMAT = 1
MAX_TRIALS = 100_000
SAMPLERS = {"nsga2": "NSGA-II", "tpe": "TPE"}
COUNTS = ("macs", "params", "memory_access", "peak_activation")
"""Exact counts that a search can minimize."""

POPULATION = 40
_SETTINGS = "effviz"


@dataclass(frozen=True)
class Task:
    """A search. Workers of one study need equal settings, except for sampler, seed and number of networks.

    Attributes:
        study: name in the storage; empty for one that the settings determine.
        trials: number of finished networks at which workers stop. Several workers may finish one more each.
        minimize: one or more of `COUNTS`, and perhaps ``"latency"``. Entropy is always maximized.
        budgets: limits; a network beyond one is never on the front.
        dtype: number format of limits in bytes.
        sampler: a key of `SAMPLERS`.
        seed: of the random numbers. One worker with a seed finds the same networks each time; None for a random seed.
        space: the networks.
    """

    study: str
    trials: int = 300
    minimize: tuple[str, ...] = ("macs",)
    budgets: tuple[Budget, ...] = ()
    dtype: str = "float32"
    sampler: str = "nsga2"
    seed: int | None = 0
    space: Space = field(default_factory=Space)

    def __post_init__(self) -> None:
        text("study", self.study, 200)
        whole("trials", self.trials, 1, MAX_TRIALS)
        object.__setattr__(self, "minimize", tuple(self.minimize))
        for name in self.minimize:
            one_of("minimize", name, (*COUNTS, "latency"))
        if len(set(self.minimize)) != len(self.minimize) or not self.minimize:
            fail("minimize", self.minimize, "must be one or more different quantities")
        if self._limits_latency and not self.measures:
            fail("minimize", self.minimize, "must contain latency if latency is limited")
        one_of("dtype", self.dtype, DTYPES)
        one_of("sampler", self.sampler, SAMPLERS)
        if self.seed is not None:
            whole("seed", self.seed, 0, 2**32 - 1)
        if not self.study:
            digest = hashlib.sha256(self.settings.encode()).hexdigest()
            object.__setattr__(self, "study", f"search-{digest[:8]}")

    @property
    def _limits_latency(self) -> bool:
        return any(each.quantity == "latency" for each in self.budgets)

    @property
    def measures(self) -> bool:
        """Whether every network is measured."""
        return "latency" in self.minimize

    @property
    def settings(self) -> str:
        """The settings that all workers of a study share, as JSON."""
        limits = sorted(
            (each.quantity, each.limit, *([each.dtype or self.dtype] if each.is_size else [])) for each in self.budgets
        )
        space = self.space.values | {"resolution": self.space.resolution}
        shared = {"format": FORMAT, "minimize": self.minimize, "limits": limits, "dtype": self.dtype, "space": space}
        return json.dumps(shared)


@dataclass(frozen=True)
class StudyNetwork:
    """A network of a study, counted again.

    Attributes:
        number: in the study.
        options: choices of its stages.
        report: its counts.
        entropy: see `effviz.studies.search.entropy.entropy`.
        latency_ms: as measured in the search; None if it was not.
        space: of the search.
    """

    number: int
    options: tuple[Option, ...]
    report: Report = field(repr=False, compare=False)
    entropy: float
    latency_ms: float | None
    space: Space = field(repr=False)

    @cached_property
    def design(self) -> Design:
        """The network, with its number as title."""
        return self.report.design

    def amount(self, quantity: str) -> float:
        """Return a count or the latency."""
        if quantity == "latency":
            return self.latency_ms or 0.0
        return int(getattr(self.report, quantity))


class Evaluated(NamedTuple):
    """A finished network of a study."""

    number: int
    values: tuple[float, ...]  # the minimized quantities, and the entropy
    within: bool  # the limits


class StudyResult(NamedTuple):
    """The state of a study."""

    front: tuple[StudyNetwork, ...]  # in ascending order of the first minimized quantity
    evaluated: tuple[Evaluated, ...]  # all finished networks

    @property
    def finished(self) -> int:
        """Number of evaluated networks."""
        return len(self.evaluated)

    @property
    def within(self) -> int:
        """Number of evaluated networks within the limits."""
        return sum(each.within for each in self.evaluated)


def search(
    task: Task, storage: str, measure: Callable[[Design], float] | None = None, *, worker: int = 0, **options: Any
) -> StudyResult:
    """Evaluate networks until the study has enough, and return its front.

    Args:
        task: the search; a study that exists is continued.
        storage: a file, the URL of a database, or empty for the memory of this process.
        measure: returns the latency of a network in milliseconds; needed if the task minimizes latency.
        worker: number of this worker, which distinguishes the random numbers of workers with one seed.
        options: see `effviz.studies.search.storage.opened`.

    Raises:
        DesignError: the storage fails, or the study has other settings.
    """
    from optuna.trial import TrialState

    from effviz.studies.search.storage import fail_stale

    if task.measures and measure is None:
        fail("measure", measure, "must be a function if latency is minimized")
    with open_study(task, storage, worker, **options) as study:

        def finished() -> int:
            return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))

        def after(_: optuna.Study, __: optuna.trial.FrozenTrial) -> None:
            done = finished()
            progress.report(done / task.trials, f"{done:,} of {task.trials:,} networks")
            if done >= task.trials:
                study.stop()

        def objective(trial: optuna.Trial) -> tuple[float, ...]:
            caches.pause()
            genes = {name: trial.suggest_int(name, 0, len(values) - 1) for name, values in task.space.genes.items()}
            return _evaluated(task, trial, task.space.design(task.space.read(genes)), measure)

        # In a complete study, too, networks of ended workers do not stay unfinished.
        fail_stale(study)
        if finished() < task.trials:
            study.optimize(objective, callbacks=[after])
        return result(task, study)


def _evaluated(
    task: Task, trial: optuna.Trial, design: Design, measure: Callable[[Design], float] | None
) -> tuple[float, ...]:
    """Return the objectives of a network, and store how far it is beyond each limit."""
    report = analyze(design)
    latency_ms = measure(design) if measure and task.measures else None
    for verdict in check(report, task.budgets, dtype=task.dtype, latency_ms=latency_ms):
        trial.set_constraint(verdict.budget.quantity, -(verdict.margin or 0.0))
    costs = ((latency_ms or 0.0) if name == "latency" else int(getattr(report, name)) for name in task.minimize)
    return (*map(float, costs), entropy(design))


@contextmanager
def open_study(task: Task, storage: str, worker: int = 0, **options: Any) -> Iterator[optuna.Study]:
    """Open a study, which is created if it does not exist, and close its storage at the end; raises as `search`."""
    import optuna
    from optuna.study import StudyDirection

    from effviz.studies.search.storage import opened, quiet, reason

    quiet()
    with opened(storage, **options) as place:
        try:
            study = optuna.create_study(
                storage=place,
                study_name=task.study,
                directions=[StudyDirection.MINIMIZE] * len(task.minimize) + [StudyDirection.MAXIMIZE],
                load_if_exists=True,
            )
            known, done = study.user_attrs.get(_SETTINGS), len(study.get_trials(deepcopy=False))
            if known is None and not done:
                study.set_user_attr(_SETTINGS, task.settings)
            elif known != task.settings:
                difference = _difference(known, task)
                raise DesignError(f"study {task.study} has other settings: {difference}; use another name")
            study.sampler = _sampler(task, worker, done)
            yield study
        except (optuna.exceptions.OptunaError, UnboundLocalError) as error:
            # Optuna also raises an UnboundLocalError if the connection ends while it stores a result.
            if isinstance(error, UnboundLocalError) and not isinstance(
                error.__context__, optuna.exceptions.OptunaError
            ):
                raise
            raise DesignError(f"the storage of study {task.study} failed: {reason(error)}") from None


def _difference(known: Any, task: Task) -> str:
    """Describe the first setting of a study that is not that of a task."""
    try:
        theirs = json.loads(known)
    except (TypeError, ValueError):
        return "they are not those of effviz"
    for name, value in json.loads(task.settings).items():
        if theirs.get(name) != value:
            return f"its {name} is {json.dumps(theirs.get(name))}, not {json.dumps(value)}"
    return "they are those of a later version"


def _sampler(task: Task, worker: int, done: int) -> optuna.samplers.BaseSampler:
    from optuna.samplers import NSGAIISampler, TPESampler

    # A study that continues must not draw its first networks again.
    draw = random.Random(f"{task.seed}/{worker}/{done}") if task.seed is not None else random.SystemRandom()
    seed = draw.randrange(2**32)
    if task.sampler == "tpe":
        # Other workers' networks count as bad ones until they are finished.
        return TPESampler(seed=seed, constant_liar=True)
    return NSGAIISampler(seed=seed, population_size=POPULATION)


def result(task: Task, study: optuna.Study) -> StudyResult:
    """Return the front of a study, each network counted again.

    Raises:
        DesignError: a stored value differs from the count of this version, or is beyond a limit.
    """
    from optuna.trial import TrialState

    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    evaluated = (
        Evaluated(each.number, tuple(each.values), max(each.constraints.values(), default=0.0) <= 0)
        for each in finished
    )  # fmt: skip
    members: dict[tuple[Option, ...], StudyNetwork] = {}
    for trial in study.best_trials:
        found = _found(task, trial)
        members.setdefault(found.options, found)
    front = sorted(members.values(), key=lambda each: (*map(each.amount, task.minimize), each.number))
    return StudyResult(tuple(front), tuple(evaluated))


def _found(task: Task, trial: optuna.trial.FrozenTrial) -> StudyNetwork:
    options = tuple(task.space.read(trial.params))
    design = task.space.design(options, f"Network {trial.number}")
    report, values = analyze(design), trial.values
    latency_ms = values[task.minimize.index("latency")] if task.measures else None
    found = StudyNetwork(trial.number, options, report, entropy(design), latency_ms, task.space)
    counted = (*map(found.amount, task.minimize), found.entropy)
    if tuple(map(float, counted)) != tuple(values):
        raise DesignError(f"network {trial.number} of study {task.study} has {values}; this version counts {counted}")
    verdicts = check(report, task.budgets, dtype=task.dtype, latency_ms=latency_ms)
    if not all(each.passed for each in verdicts):
        raise DesignError(f"network {trial.number} of study {task.study} is beyond a limit")
    return found


def rows(result: StudyResult) -> list[dict[str, Any]]:
    """Return the front as plain rows: counts, entropy, and the choices of every stage in words."""
    return [
        {"network": each.number, **{name: each.amount(name) for name in COUNTS}}
        | ({} if each.latency_ms is None else {"latency_ms": each.latency_ms})
        | {"entropy": round(each.entropy, 3), "stages": stages_text(each.options)}
        for each in result.front
    ]


def stages_text(options: tuple[Option, ...]) -> str:
    """Describe the stages shortly: ``k3 e6 se0.25 n2 w1, ...``."""
    marks = dict(zip(CHOICES, ("k", "e", "se", "n", "w"), strict=True))
    return ", ".join(" ".join(f"{marks[name]}{value:g}" for name, value in each._asdict().items()) for each in options)


def title(quantity: str) -> str:
    """Return the name of a minimized quantity."""
    return QUANTITIES[quantity].title


check_border(globals())
