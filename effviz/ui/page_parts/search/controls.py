"""Controls of the page: the objective, the latencies, the budget, and the search."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

import streamlit as st

from effviz.advice.budgets import Budget
from effviz.measure.background import default_run
from effviz.studies.objective import (
    FIRST_PHONE,
    FORMS,
    PAPER_HARD_W,
    PAPER_SOFT_W,
    Objective,
    Ranked,
    TimedNetwork,
    objective,
    own_networks,
    phones,
    ranked,
)
from effviz.studies.search.run import SAMPLERS, Task
from effviz.studies.search.space import Space
from effviz.ui import inputs, links
from effviz.ui.widgets.frame import instrument

HERE = "here"
SPACE = Space()
USUAL_BUDGET, USUAL_TRIALS = 300_000_000, 300
_TRIALS = (200, 1_000)
_TITLES = {HERE: "This machine, measured or recorded"}
PRESETS = {"Soft, as published": ("soft", PAPER_SOFT_W), "Hard, as published": ("hard", PAPER_HARD_W)}


@dataclass(frozen=True)
class Choice:
    """Settings of the page.

    Attributes:
        source: `HERE`, or device and document of published latencies.
        by: the objective.
        form: a key of `FORMS`.
        w: exponent of the objective; without effect in the constrained form.
        budget: limit of the space and of the search, in multiply-adds.
        task: the search.
    """

    source: str
    by: Objective
    form: str
    w: float
    budget: int
    task: Task

    @property
    def networks(self) -> tuple[TimedNetwork, ...]:
        """The networks that the objective ranks; empty until something is measured here."""
        return _networks(self.source)

    @property
    def ranking(self) -> list[Ranked]:
        """The networks in the order of the objective."""
        return ranked(self.networks, self.by)

    @property
    def where(self) -> str:
        """Device of the latencies."""
        return "Latencies of this machine" if self.source == HERE else self.source.partition(". ")[0]


def _networks(source: str) -> tuple[TimedNetwork, ...]:
    if source != HERE:
        return phones()[source]
    known = default_run().shown(1, enough=3)
    return own_networks({title: (each.median_ms, each.noisy) for title, each in known.items()})


def _middle(source: str) -> float:
    """Return a target in the middle of the latencies, with one or two digits."""
    times = [each.latency_ms for each in _networks(source)]
    value = median(times) if times else 20.0
    step = 10.0 ** math.floor(math.log10(value)) / 2
    return round(max(step, step * round(value / step)), 6)


def _follow() -> None:
    """Set the target for the latencies of another device."""
    links.put_number("target", _middle(st.session_state["latencies"]))


def controls() -> Choice:
    """Show w above the headline numbers, and the rest in the sidebar."""
    st.subheader("Objective", anchor=False)
    source = inputs.choice(
        "Latencies", [FIRST_PHONE, *(each for each in phones() if each != FIRST_PHONE), HERE], "latencies",
        default=FIRST_PHONE, format_func=lambda name: _TITLES.get(name, name), on_change=_follow,
        help="Device and source. Published accuracies with latencies of one device.",
    )  # fmt: skip
    form = inputs.switch(
        "Constraint", list(FORMS), "form", default="soft", format_func=FORMS.__getitem__,
        help="Soft: one exponent w. Hard: w acts beyond the target only. Constrained: nothing beyond the target.",
    )  # fmt: skip
    target = inputs.amount(
        "Target T (ms)", "target", default=_middle(FIRST_PHONE), minimum=0.01, maximum=100_000.0, step=0.5,
        usual=(1.0, 100.0),
    )  # fmt: skip
    with instrument():
        w = inputs.amount(
            "Exponent w", "w", default=PAPER_SOFT_W, minimum=-5.0, maximum=0.0, step=0.01, usual=(-1.0, 0.0),
            help="At 0, accuracy alone counts. At -0.07, the value of MnasNet, twice the latency is worth about 5 % "
            "of the accuracy.",
        )  # fmt: skip
    st.subheader("Search", anchor=False)
    budget = inputs.amount(
        "Budget (M multiply-adds)",
        "budget",
        default=USUAL_BUDGET // 1_000_000,
        minimum=20,
        maximum=1_000,
        step=10,
        usual=(50, 1_000),
    )
    limit = budget * 1_000_000
    return Choice(source, objective(form, w, target), form, w, limit, _task(limit))


def _task(budget: int) -> Task:
    trials = inputs.amount(
        "Networks to evaluate", "trials", default=USUAL_TRIALS, minimum=20, maximum=_TRIALS[1], step=100, usual=_TRIALS,
        help="A search with a larger number continues the smaller one.",
    )  # fmt: skip
    sampler = inputs.switch(
        "Algorithm", list(SAMPLERS), "sampler", default="nsga2", format_func=SAMPLERS.__getitem__,
        help="NSGA-II: a genetic algorithm. TPE: a model of good and bad choices, several times slower.",
    )  # fmt: skip
    study = inputs.words(
        "Study", "study", legal=_is_name, choices="1 to 40 letters, digits, - and _", placeholder="class",
        help="Name of the search. The same name with the same settings continues it, also after a restart.",
    )  # fmt: skip
    name = study if _is_name(study) else "class"
    return Task(name, trials, budgets=(Budget("macs", budget),), sampler=sampler, space=SPACE)


def _is_name(text: str) -> bool:
    return 0 < len(text) <= 40 and text.isascii() and all(each.isalnum() or each in "-_" for each in text)


def use_preset(name: str) -> None:
    """Set the objective to one of the paper's settings, from a callback."""
    form, w = PRESETS[name]
    st.session_state["form"] = form
    links.put_number("w", w)
