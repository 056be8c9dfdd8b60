"""How well the solver meets random feasible limits, how long it takes, and what Optuna finds in the same space.

Limits are the exact counts of a hidden variant of the table, so that they are feasible. Run
``python tests/benchmarks/fit.py``; ``--variants 10 --trials 300`` are the defaults. Times are of this machine and
belong in no test. ``--measure`` prints how the measure of capacity orders published accuracies instead.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from effviz import Design, DesignError, analyze, architecture, fit
from effviz.advice.budgets import Budget
from effviz.advice.capacity import capacity
from effviz.advice.solver import FOUND
from effviz.advice.solver import search as searching
from effviz.advice.solver.table import KnobState, KnobTable, limits_in_elements
from effviz.core.caches import forget
from effviz.zoo import ARCHITECTURES, GROUPS
from effviz.zoo.published.cells import top1_figures

NETWORKS = (
    "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "efficientnet_b0", "ghostnet", "resnet50",
    "shufflenet_v2", "mobilenet_v4_conv_small", "regnety_400mf", "densenet121",
)  # fmt: skip
_CHANGED = 0.3
_FEWEST_FIGURES = 4


def hidden(design: Design, chance: random.Random) -> tuple[Design, tuple[Budget, ...]]:
    """Return a random variant of a design, and limits that are its counts."""
    found = searching.TableSearch(KnobTable(design, {}, "fused"))
    while True:
        levels = tuple(
            chance.randint(1, len(knob.levels)) if chance.random() < _CHANGED else 0 for knob in found.table.knobs
        )
        state = KnobState(
            chance.choice(found.widths[:9]), chance.choice(found.depths[:3]), chance.choice(found.resolutions[:4]),
            levels,
        )  # fmt: skip
        if found.table.cost(state) is not None:
            break
    variant = found.table.built(state)
    report = analyze(variant)
    values = {"params": report.params, "macs": report.macs, "memory_access": report.memory_access,
              "peak_activation": report.peak_activation}  # fmt: skip
    chosen = sorted(chance.sample(list(values), chance.randint(1, 4)))
    return variant, tuple(
        Budget(name, values[name], "int8" if name == "peak_activation" else "") for name in chosen
    )  # fmt: skip


def with_optuna(design: Design, budgets: tuple[Budget, ...], trials: int) -> float:
    """Return the capacity of the best variant that TPE finds in the space of the solver; 0 if none fits."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    found = searching.TableSearch(KnobTable(design, limits_in_elements(budgets), "fused"))

    def objective(trial: optuna.Trial) -> float:
        state = KnobState(
            found.widths[trial.suggest_int("width", 0, len(found.widths) - 1)],
            found.depths[trial.suggest_int("depth", 0, len(found.depths) - 1)],
            found.resolutions[trial.suggest_int("resolution", 0, len(found.resolutions) - 1)],
            tuple(trial.suggest_int(str(place), 0, len(knob.levels)) for place, knob in enumerate(found.table.knobs)),
        )
        cost = found.table.cost(state)
        if cost is None:
            return -1e6
        return -cost.gap * 1_000 if cost.gap else cost.capacity

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1, multivariate=True))
    study.optimize(objective, n_trials=trials)
    return max(study.best_value, 0.0)


def compare(variants: int, trials: int) -> None:
    """Print a row for each network."""
    print("network                    met  kept/hidden: median, least  seconds: median, most"
          "   Optuna met  kept/hidden  seconds")  # fmt: skip
    for name in NETWORKS:
        design, chance = architecture(name), random.Random(name)
        met, ratios, seconds, others, waited = 0, [], [], [], []
        for _ in range(variants):
            variant, budgets = hidden(design, chance)
            whole = capacity(variant)
            forget()
            start = time.process_time()
            found = fit(design, budgets)
            seconds.append(time.process_time() - start)
            met += found.status == FOUND or found.status == "fits"
            ratios.append(0.0 if found.design is None else capacity(found.design) / whole)
            if trials:
                forget()
                start = time.process_time()
                others.append(with_optuna(design, budgets, trials) / whole)
                waited.append(time.process_time() - start)
        row = (
            f"{name:25}  {met:2}/{variants:<2}  {statistics.median(ratios):11.3f}  {min(ratios):11.3f}"
            f"  {statistics.median(seconds):13.2f}  {max(seconds):5.2f}"
        )
        if trials:
            fitting = [each for each in others if each]
            kept = f"{statistics.median(fitting):11.3f}" if fitting else f"{'none':>11}"
            row += f"  {len(fitting):9}/{variants:<2}  {kept}  {statistics.median(waited):7.2f}"
        print(row, flush=True)
    print("Seconds are processor time with nothing remembered. Goal: all limits met, under 2 s.")


def measure() -> None:
    """Print the correlation of the capacity with published top-1 within each network."""
    print("network               figures  correlation of capacity with top-1")
    for name in ARCHITECTURES:
        pairs = []
        for groups in GROUPS.get(name, (None,)):
            base = architecture(name, groups=groups) if groups else architecture(name)
            for (width, side), figure in top1_figures(name, groups, False).items():
                try:
                    pairs.append((capacity(base.scaled(width_mult=width, resolution=side)), figure.top1))
                except DesignError:
                    continue
        if len(pairs) >= _FEWEST_FIGURES:
            print(f"{name:20}  {len(pairs):7}  {statistics.correlation(*zip(*pairs, strict=True)):.3f}")


def main() -> None:
    """Run the benchmark that the options choose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=10)
    parser.add_argument("--trials", type=int, default=300, help="of Optuna; 0 leaves it out")
    parser.add_argument("--measure", action="store_true")
    chosen = parser.parse_args()
    if chosen.measure:
        measure()
    else:
        compare(chosen.variants, chosen.trials)


if __name__ == "__main__":
    main()
