"""Print how long the parts of an architecture search take: counting a network, the whole space, and one trial."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import effviz
from effviz.advice.budgets import Budget
from effviz.core import caches
from effviz.studies.search.entropy import entropy
from effviz.studies.search.run import SAMPLERS, Task, search
from effviz.studies.search.share import choice_costs, distribution
from effviz.studies.search.space import BASE, Space

NETWORKS, TRIALS = 1_000, 200


def timed(name: str, run: Callable[[], object], count: int = 1) -> None:
    start = time.perf_counter()
    run()
    print(f"{name:50} {1_000 * (time.perf_counter() - start) / count:10.2f} ms")


def main() -> None:
    space, draw = Space(), random.Random(0)
    options = list(space.options)

    def count() -> None:
        for _ in range(NETWORKS):
            design = space.design(draw.choices(options, k=len(BASE)))
            assert effviz.analyze(design).macs
            assert entropy(design)

    timed("design, counts and entropy, blocks not known yet", count, NETWORKS)
    timed("design, counts and entropy, blocks known", count, NETWORKS)
    caches.forget()
    timed("share of the space up to 1 G multiply-adds", lambda: distribution(space, "macs", 10**9))
    timed("mean cost of every choice", lambda: choice_costs(space))
    with tempfile.TemporaryDirectory() as folder:
        for sampler in SAMPLERS:
            task = Task("", TRIALS, budgets=(Budget("macs", 300_000_000),), sampler=sampler)
            place = str(Path(folder) / sampler)
            timed(
                f"one trial of {TRIALS}, {sampler}, in a file",
                lambda task=task, place=place: search(task, place),
                TRIALS,
            )


if __name__ == "__main__":
    main()
