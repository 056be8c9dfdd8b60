"""One valid call of every public function and method, for tests that replace its arguments.

Public are the functions of `effviz`, `effviz.scaling`, `effviz.lint` and `effviz.budgets`, and those of the modules in
`MODULES`, which callers of the engine use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from command_line import MEASURED

import effviz
from effviz import Design, Stage, export
from effviz.advice import amounts, breaches, budgets, capacity, edits, lint, remedies, scaling, smallest, solver
from effviz.backend.build import build
from effviz.count import reconcile
from effviz.measure import digest, latency
from effviz.measure.latency import Latency
from effviz.model import design, draft, stage
from effviz.model.blocks import Recipe, RecipeStep
from effviz.model.draft import Draft
from effviz.studies import equal_budget, finder, network_text, number_checker, objective, variants
from effviz.studies.compare import difference, networks
from effviz.studies.literature import judge, selection
from effviz.studies.search import run, summary
from effviz.studies.width_depth import fit
from effviz.worker import limits

MODULES = (
    "effviz", "effviz.advice.amounts", "effviz.advice.breaches", "effviz.advice.budgets", "effviz.advice.capacity",
    "effviz.advice.edits", "effviz.advice.lint", "effviz.advice.remedies", "effviz.advice.scaling",
    "effviz.advice.smallest", "effviz.advice.solver", "effviz.count.report", "effviz.measure.digest",
    "effviz.measure.latency", "effviz.model.design", "effviz.model.draft", "effviz.model.stage",
    "effviz.studies.equal_budget", "effviz.studies.width_depth.fit", "effviz.worker.limits", "effviz.zoo",
    "effviz.count.reconcile", "effviz.export", "effviz.studies.compare.difference", "effviz.studies.compare.networks",
    "effviz.studies.finder", "effviz.studies.literature.judge", "effviz.studies.literature.selection",
    "effviz.studies.network_text", "effviz.studies.number_checker", "effviz.studies.objective",
    "effviz.studies.search.run", "effviz.studies.search.summary", "effviz.studies.variants",
)  # fmt: skip
# These start the torch process; tests/measure has their hostile arguments.
ELSEWHERE = {"effviz.measure.latency.request", "effviz.measure.latency.measure_latency", "effviz.measure_latency"}
# Their arguments are made by effviz only: built blocks, rules of a counter, terms of a variant, a study of Optuna.
INNER = {
    "effviz.advice.capacity.block_capacity", "effviz.count.reconcile.explain", "effviz.studies.search.run.open_study",
    "effviz.studies.search.run.result", "effviz.studies.variants.for_reading",
}  # fmt: skip

SMALL = Design(
    "small",
    (
        Stage("conv", 8, stride=2, name="stem", depth="fixed"),
        Stage("mbconv", 8, 2, name="body"),
        Stage("global_avg_pool", name="pool", depth="fixed"),
        Stage("linear", 5, name="head", width="classes", depth="fixed"),
    ),
    resolution=32,
)


class Call(NamedTuple):
    """A public function and the arguments of one valid call."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Call:
    return Call(function, args, kwargs)


def _chosen() -> Iterator[Call]:
    """Yield calls of the functions that compare, find, search, judge and identify networks."""
    report, other = effviz.analyze(SMALL), effviz.analyze(SMALL.scaled(width_mult=2.0))
    yield call(reconcile.reconcile, report, 1)
    limits = (budgets.Budget("macs", 10**8),)
    pool = finder.candidates("fused", ("mobilenet_v1",), (0.5,), (96, (64, 96)), False)
    found = finder.search(pool, limits, "int8")
    yield call(finder.candidates, "fused", ("mobilenet_v1",), (0.5,), (96, (64, 96)), retrained=False)
    yield call(finder.search, pool, limits, "int8", {pool[0]: 2.0})
    yield call(finder.front, pool, "macs", "int8")
    yield call(finder.verified, pool[0], limits, "int8", "fused", 2.0)
    yield call(finder.rechecked, pool, limits, "int8", "fused")
    yield call(finder.find, limits, dtype="int8", memory="fused", networks=["mobilenet_v1"], widths=[0.5],
               resolutions=[96], retrained=False, latency=lambda design: 2.0)  # fmt: skip
    yield call(finder.read_limits, {"max_macs": "3M"})
    yield call(finder.as_table, found, limits, "int8", "fused", {})
    for function in (difference.by_stage, difference.by_kind):
        yield call(function, report, other, "macs")
    yield call(difference.differences, SMALL, other.design, "fused")
    yield call(difference.is_scaling, SMALL, other.design)
    yield call(difference.factors, SMALL, other.design)
    network = network_text.parse_network("mobilenet_v2-w0.75-r192")
    yield call(network_text.parse_network, "mobilenet_v2-w0.75-r192")
    yield call(network_text.network_of, SMALL)
    yield call(network_text.parse_networks, "alexnet, mobilenet_v2-w0.75")
    yield call(network_text.networks_text, [network])
    yield call(network_text.distinct_labels, [network])
    yield call(networks.counted, SMALL, "fused")
    yield call(networks.published_top1, network)
    yield call(networks.phone_latencies, network)
    yield call(networks.phone_latency, network, "Pixel 1")
    yield call(networks.phones, [network])
    yield call(networks.preset, next(iter(networks.PRESETS)))
    yield call(networks.front, [(1.0, 2.0)], (1, -1))
    yield call(number_checker.read_claims, "300 M")
    yield call(number_checker.identify, "3.5 M params, 300 M")
    by = selection.Filter("mobilenet")
    claims = selection.chosen(by)
    yield call(selection.chosen, by)
    yield call(selection.errors, by)
    yield call(selection.scaled, -0.02)
    yield call(selection.grouped, by, "Source")
    yield call(selection.summary, claims)
    soft = objective.soft(-0.07, 75.0)
    measured = objective.TimedNetwork("a", "b", 70.0, 20.0, "c", False)
    ranking = objective.ranked([measured], soft)
    yield call(objective.soft, -0.07, 75.0)
    yield call(objective.hard, -1.0, 75.0)
    yield call(objective.constrained, 75.0)
    yield call(objective.objective, "soft", -0.07, 75.0)
    yield call(objective.ranked, [measured], soft)
    yield call(objective.own_networks, {"mobilenet_v1": (2.0, False)})
    yield call(objective.names, ranking, 3)
    task = run.Task("", 2)
    yield call(run.rows, summary.searched(task, ""))
    yield call(run.stages_text, summary.searched(task, "").front[0].options)
    yield call(judge.count_text, judge.Digits(3_500_000, 100_000, 100_000))
    yield call(run.title, "macs")
    yield call(run.search, task, "", None, worker=0)
    yield call(summary.searched, task, "")
    yield call(summary.space_facts, task.space)
    yield call(variants.variant_title, "mobilenet_v2", "teaching", None)
    yield call(variants.itemized, effviz.architecture("mobilenet_v2"), "mobilenet_v2", "teaching", None)
    yield call(variants.compared, effviz.architecture("mobilenet_v2"), "mobilenet_v2", None)
    yield from (call(export.export_torch, SMALL), call(export.export_keras, SMALL), call(export.export_onnx, SMALL, 3))


@cache
def calls() -> dict[str, Call]:
    """Return a valid call of every public function, by its full name."""
    report, rule = effviz.analyze(SMALL), scaling.ScalingRule()
    found = equal_budget.at_depths(SMALL, report.macs, 2, 2.0)
    row, rows = SMALL.stages[1], Draft.of(SMALL)
    measured = Latency.from_dict(MEASURED)
    listed = [
        call(effviz.analyze, SMALL, 32, "fused"), call(effviz.architecture, "alexnet", resolution=128),
        call(build, SMALL, 32), call(effviz.export_torch, SMALL), call(effviz.export_keras, SMALL),
        call(effviz.export_onnx, SMALL, 3),
        call(effviz.compound_scale, SMALL, 1.0, 1.2, 1.1, 1.15),
        call(effviz.build, SMALL, 32), call(scaling.scaling_rules, rule), call(scaling.built_stages, SMALL),
        call(effviz.profile, build(SMALL), (3, 32, 32)), call(scaling.built_body, SMALL),
        call(scaling.depth_plateau, SMALL), call(scaling.width_plateau, SMALL),
        call(scaling.implied_phi, SMALL, SMALL, rule), call(scaling.sweep, SMALL, rule, [0.0]),
        call(scaling.swept, 0.0, report), call(scaling.feasible, SMALL, target=2.0, tolerance=0.05, step=0.5),
        call(scaling.fit_phi, SMALL, 1e7, "macs", rule, "fused"), call(scaling.ScalingRule.scaled, rule, SMALL, 1.0),
        call(scaling.ScalingRule.multipliers, rule, 1.0),
        call(budgets.check, report, [budgets.Budget("macs", 10)], dtype="float32", latency_ms=1.0),
        call(budgets.parse_amount, "3M", "macs"), call(budgets.format_amount, 3, "macs"),
        call(amounts.checked_amount, "limit", 3, "macs"), call(amounts.tidy_amount, "3kB", "weight_size"),
        call(amounts.format_like, 3.5, "3 kB", "weight_size"), call(budgets.read_limits, {"macs": "3M"}, "int8"),
        call(budgets.verdict, budgets.Budget("macs", 10), 11), call(capacity.capacity, SMALL, 32),
        call(breaches.breaches, report, budgets.check(report, [budgets.Budget("macs", 10)])),
        call(edits.row_edit, SMALL.stages, (1,), (("repeats", 1),)), call(edits.setting_edit, SMALL, "width_mult", 0.5),
        call(edits.Edit.on, edits.Edit((1,), (("repeats", 1),), "one"), rows),
        call(edits.Edit.apply, edits.Edit((1,), (("repeats", 1),), "one"), SMALL),
        call(remedies.diagnose, SMALL, {"params": 500}, dtype="int8", memory="fused"),
        call(solver.fit, SMALL, {"params": 500}, dtype="int8", memory="fused"),
        call(effviz.fit, SMALL, {"params": 500}, dtype="int8", memory="fused"),
        call(effviz.microcontroller, SMALL, 32, kernels="cmsis_nn_dsp", code_size=1_000),
        call(budgets.format_share, 0.5), call(budgets.read_limit, "max_macs", "3M", "macs"),
        call(
            effviz.find, "90M", 3e6, "2MB", "int8", max_memory_access=5e6, max_weights="3MB", max_latency="2s",
            memory="fused", networks=["mobilenet_v1"], widths=[0.5], resolutions=[96, (64, 96)], retrained=False,
        ), call(lint.lint, SMALL),
        call(lint.apply_rules, SMALL, list(lint.RULES.values())),
        call(smallest.smallest_resolution, SMALL), call(smallest.smallest_width, SMALL),
        call(latency.environment, 1, "float32"), call(latency.cached, SMALL, 32, 1, 1, "float32"),
        call(latency.fingerprint, SMALL, 32, 1, 1, "float32"), call(digest.network_digest, SMALL, 32),
        call(latency.stored, "key"),
        call(latency.remember, SMALL, measured),
        call(Latency.to_dict, measured), call(Latency.from_dict, MEASURED),
        call(Design.scaled, SMALL, width_mult=2.0, depth_mult=1.0, resolution=64),
        call(Design.with_num_classes, SMALL, 3), call(Design.width_of, SMALL, row), call(Design.fields_of, SMALL, row),
        call(Design.runs, SMALL, 32), call(Design.blocks, SMALL, 32), call(Design.training_blocks, SMALL, 32),
        call(Design.layer, SMALL, 32), call(Design.input_shape, SMALL, 32), call(Design.built_widths, SMALL),
        call(Design.to_json, SMALL, indent=1), call(Design.from_json, SMALL.to_json()), call(design.as_design, SMALL),
        call(draft.checked, rows), call(Draft.of, SMALL), call(Draft.add, rows, row, 0), call(Draft.remove, rows, 1),
        call(Draft.duplicate, rows, 0), call(Draft.move, rows, 0, 1), call(Draft.change, rows, 0, repeats=2),
        call(Draft.add_all, rows, [row], 0), call(Draft.remove_all, rows, [1]), call(Draft.duplicate_all, rows, [0]),
        call(Draft.move_all, rows, [0], 1), call(Draft.change_all, rows, [0], repeats=2), call(Draft.alike, rows, 1),
        call(Draft.define, rows, Recipe("mine", (RecipeStep("conv", kernel_size=3),)), 0),
        call(Draft.settings, rows, resolution=16), call(Draft.to_json, rows), call(Draft.from_json, rows.to_json()),
        call(Draft.packed, rows), call(Draft.unpacked, rows.packed()), call(Stage.with_changes, row, repeats=2),
        call(Stage.to_dict, row), call(stage.fixed, row), call(stage.table, row, [row]),
        call(equal_budget.tradable, "mobilenet_v2"), call(equal_budget.at_depths, SMALL, report.macs, 2, 2.0, "fused"),
        call(equal_budget.ratios, found.variants[0], found.variants[0]),
        call(equal_budget.widened, fit.fit_width(SMALL, 10**6)),
        call(equal_budget.tried_width, found, depth_mult=1.0, resolution=32),
        call(fit.fit_width, SMALL, 10**6, depth_mult=1.0, resolution=32),
        call(limits.estimate_bytes, report, 2, "float32"), call(limits.estimate_seconds, report, 2),
        call(limits.eager_peak, SMALL, 32),
        call(effviz.zoo.default_groups, "shufflenet_v1"),
        call(effviz.zoo.list_variants, "mobilenet_v2"),
        call(effviz.zoo.variant, "mobilenet_v2", "teaching"),
        *_chosen(),
    ]  # fmt: skip
    return {f"{each.function.__module__}.{each.function.__qualname__}": each for each in listed}
