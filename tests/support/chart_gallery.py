"""Every generated chart over the zoo and over degenerate inputs, for tests that read titles and alt texts.

Run as a script to print all of them: ``python tests/support/chart_gallery.py [subject]``.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise, product
from typing import Any

import pytest

import effviz
from effviz import Design, Stage
from effviz.advice.scaling import ScalingRule, feasible, fit_phi, sweep
from effviz.charts.architectures import Measure, activation_timeline, kind_shares, stage_costs
from effviz.charts.blocks.cost import BlockMeasure, block_costs, side_by_side
from effviz.charts.blocks.excite import excite_chart
from effviz.charts.blocks.manifold import loss_chart, manifold_pictures
from effviz.charts.blocks.reuse import reuse_heatmap
from effviz.charts.classroom import choice_bars, number_histogram
from effviz.charts.compare.axes import Axis
from effviz.charts.compare.bubbles import Bubble, bubbles
from effviz.charts.compare.difference import ComparedPart, difference_chart
from effviz.charts.compare.profile import ProfileLine, profiles
from effviz.charts.convolutions import (
    FactorCurve,
    connection_picture,
    kind_costs,
    reach_picture,
    reduction_curve,
    window_picture,
)
from effviz.charts.counters import Addend, counted_chart
from effviz.charts.find import FoundNetworks, PublishedMark, found_chart
from effviz.charts.home import Totals, zoo_dots
from effviz.charts.latency import latency_scatter, predictor_dots
from effviz.charts.literature import verdict_bars, verdict_errors
from effviz.charts.memory.intensity import intensity_bars
from effviz.charts.memory.moved import moved_chart
from effviz.charts.memory.speed import Machine, speed_dots
from effviz.charts.memory.theory import Unit, elementwise_chart, fragments_chart, groups_chart, ratio_chart
from effviz.charts.microcontroller import arena_plan
from effviz.charts.multipliers import (
    Cell,
    Here,
    MapTitle,
    PublishedPoint,
    Size,
    SizeCurve,
    accuracy_scatter,
    heat_map,
    two_ways,
)
from effviz.charts.multipliers import Top1Curve as Interpolated
from effviz.charts.relative import Measured as Contended
from effviz.charts.scaling.grid import grid_chart
from effviz.charts.scaling.picture import picture_chart
from effviz.charts.scaling.promised import Count, fit_chart, stairs_charts
from effviz.charts.scaling.rules import duel_chart, growth_chart, printed_chart
from effviz.charts.search import ChoiceBar, Cut, Dot, choice_chart, front_chart, objective_chart, share_chart
from effviz.charts.style import DARK, LIGHT, Appearance, Chart
from effviz.charts.width_depth import DesignMeasure, DrawnDesign, finding, multiples_chart, shapes_chart
from effviz.core.units import binary, si
from effviz.count.kinds import conv_kind
from effviz.count.reconcile import reconcile
from effviz.model.blocks import MBConv, SqueezeExcite
from effviz.model.layers import Conv2d
from effviz.model.outline import by_stage, stage_of
from effviz.studies import blocks as block_study
from effviz.studies.compare import networks as compare_study
from effviz.studies.compare.difference import differences
from effviz.studies.compare.networks import (
    PRESETS,
    ComparedRow,
    Known,
    counted,
    front,
    phone_latency,
    preset,
    published_top1,
)
from effviz.studies.convolutions import (
    KINDS,
    Connection,
    Setting,
    connections,
    reach,
    reduction,
    relative_costs,
    report,
)
from effviz.studies.excite import excite
from effviz.studies.guidelines.access import (
    ARRANGEMENTS,
    DEVICES,
    FRAGMENT_COUNTS,
    GROUP_COUNTS,
    VARIANTS,
    least_access,
)
from effviz.studies.guidelines.experiments import column, printed_speed
from effviz.studies.guidelines.theory import (
    Intensity,
    elementwise_point,
    fragments_point,
    groups_point,
    intensities,
    ratio_curve,
    ratio_point,
)
from effviz.studies.literature import selection
from effviz.studies.literature.selection import GROUPINGS, Filter
from effviz.studies.manifold import embed, loss_curve
from effviz.studies.objective import TimedNetwork, constrained, hard, phones, ranked, soft
from effviz.studies.prediction import ENTRIES, row
from effviz.studies.printed_latency import devices
from effviz.studies.reuse import reuse
from effviz.studies.scaling import contenders, curves, frames, pins, printed, stairs
from effviz.ui.page_parts.search.ranking import share_text

Named = Iterator[tuple[str, Chart]]

MACS, FLOPS = Count("Multiply-adds", 1), Count("FLOPs", 2)
MEASURES = [
    Measure("params", "Parameters"),
    Measure("macs", "Multiply-adds"),
    Measure("memory_access", "Memory access"),
]
ALIVE = Measure("alive", "Live activations", 1, lambda value: si(value, "elements"))
ODD = {
    "one stage": (Stage("conv", 8, kernel_size=3),),
    "no arithmetic": (Stage("max_pool", stride=2, kernel_size=3, name="first"), Stage("global_avg_pool", name="pool")),
    "no parameters in the first stage": (Stage("max_pool", stride=2, kernel_size=3), Stage("conv", 8, kernel_size=1)),
    "equal stages": (Stage("conv", 3, kernel_size=1), Stage("conv", 3, kernel_size=1)),
    "only pooling": (Stage("global_avg_pool", name="pool"),),
    "linear alone": (Stage("global_avg_pool", name="pool"), Stage("linear", 10, name="head")),
}


@cache
def _report(name: str) -> effviz.Report:
    return effviz.analyze(effviz.architecture(name))


def _odd(name: str) -> effviz.Report:
    return effviz.analyze(Design(name, ODD[name], resolution=32))


def architectures(look: Appearance) -> Named:
    """Charts of every network of the zoo, of odd designs, and of a scaled network with its baseline."""
    reports = {name: _report(name) for name in effviz.list_architectures()} | {name: _odd(name) for name in ODD}
    reports["half width"] = effviz.analyze(effviz.architecture("mobilenet_v2").scaled(width_mult=0.5))
    for name, found in reports.items():
        baseline = _report("mobilenet_v2").sums if name == "half width" else None
        yield f"stages of {name}", stage_costs(found.sums, MEASURES, look, baseline)
        yield f"kinds of {name}", kind_shares(found.sums, MEASURES, look)
        yield f"timeline of {name}", activation_timeline(found.running, ALIVE, look)


def microcontrollers(look: Appearance) -> Named:
    """Memory plans of networks of every size and of odd designs, with limits below and above their arena."""
    designs = [
        effviz.architecture(name) for name in ("mobilenet_v1", "densenet121", "efficientnet_b7", "shufflenet_v2")
    ]
    for design in (*designs, *(Design(name, ODD[name], resolution=32) for name in ODD)):
        found = effviz.microcontroller(design)
        for limit in (None, found.arena / 2, 2.0 * found.arena):
            yield f"arena of {design.name}, {limit}", arena_plan(found, look, limit and (limit, binary(limit)))


def counters(look: Appearance) -> Named:
    """Sums of other counters, for every network of the zoo and odd designs, in both conventions."""
    reports = {name: _report(name) for name in effviz.list_architectures()} | {name: _odd(name) for name in ODD}
    for (name, found), per_product in product(reports.items(), (1, 2)):
        for each in reconcile(found, per_product):
            terms = [Addend(term.label, term.value, term.formula) for term in each.terms]
            counter = f"{each.counter.name} {each.printed.name}"
            yield (
                f"{counter} of {name}",
                counted_chart(("effviz", each.ours), terms, each.counter.name, "Operations", look),
            )


def home(look: Appearance) -> Named:
    """The map of the zoo, whole and with one or two equal networks."""
    rows = [
        Totals(found.design.title, found.params, found.macs, found.resolution)
        for found in map(_report, effviz.list_architectures())
    ]
    yield "all", zoo_dots(rows, 1, "Multiply-adds", look)
    yield "all, FLOPs", zoo_dots(rows, 2, "FLOPs", look)
    yield "one", zoo_dots(rows[:1], 1, "Multiply-adds", look)
    yield "two equal", zoo_dots([rows[0], rows[0]._replace(title="Twin")], 1, "Multiply-adds", look)


SETTINGS = {
    "default": Setting(),
    "kernel 1": Setting(kernel_size=1),
    "one group": Setting(groups=1),
    "with bias": Setting(bias=True),
    "one output channel": Setting(out_channels=1, groups=1),
    "one channel": Setting(in_channels=1, out_channels=1, groups=1, resolution=1),
}


def classroom(look: Appearance) -> Named:
    answers = {
        "none": [], "one": [5.0], "right": [8.4], "equal": [9.0] * 30, "low": [1, 2, 3], "low but one": [1, 2, 8.4],
        "spread": [3, 5, 6, 7, 7.5, 8.2, 8.4, 8.5, 9, 9, 11, 14], "outliers": [7, 8, 9, 1e15, -1e15], "tiny": [1e-300],
    }  # fmt: skip
    for name, values in answers.items():
        for truth in (8.41, 0.0, -3.0, 1e-6, 3e8):
            near = partial(math.isclose, truth, rel_tol=0.1)
            yield f"{name}, {truth}", number_histogram(values, truth, near, "times", look, lambda x: f"{x:.3g}×")
    choices = ["Width", "Depth, which adds layers of the same width to every stage", "<b>Both</b>"]
    for name, places in {"none": [], "one": [0], "wrong": [0, 2, 2], "all": [1] * 4, "some": [0, 1, 1, 2]}.items():
        yield f"choices, {name}", choice_bars(places, choices, 1, look)


def convolutions(look: Appearance) -> Named:
    """Every kind at usual and at degenerate settings."""
    for (name, setting), chosen in product(SETTINGS.items(), KINDS):
        shares = relative_costs(setting)
        yield f"cost of {chosen}, {name}", kind_costs(shares, chosen, KINDS, "Multiply-adds", look)
        layers = [step.layer for step in report(chosen, setting).steps if isinstance(step.layer, Conv2d)]
        for layer, drawn in zip(layers, connections(chosen, setting), strict=True):
            yield f"connections of {chosen}, {name}", connection_picture(drawn, conv_kind(layer), look)
        yield from _reductions(chosen, name, setting, look)
    for setting, size in product((Setting(), Setting(stride=2), Setting(resolution=1)), (1, 3, 7)):
        yield f"window {size}, {setting.resolution} px", window_picture(setting, size, look)
    many = [Connection(place, place + 1, place, place + 1) for place in range(300)]
    yield "300 connections", connection_picture(many, "depthwise", look)
    for groups, shuffle in product((1, 4, 16), (False, True)):
        title = f"{'With' if shuffle else 'Without'} shuffle"
        yield f"reach, {groups}", reach_picture(reach(16, groups, shuffle=shuffle), groups, title, look)


def _reductions(kind: str, name: str, setting: Setting, look: Appearance) -> Named:
    for control, key, amounts in (
        ("Kernel size", "kernel_size", (1, 3, 5)),
        ("Output channels", "out_channels", (8, 32, 128)),
    ):
        if key == "out_channels" and any(amount % setting.groups for amount in amounts):
            continue
        now = getattr(setting, key)
        amounts = tuple(sorted({*amounts, now}))
        settings = [replace(setting, **{key: amount}) for amount in amounts]
        lines = [
            FactorCurve("Multiply-adds", [reduction(kind, each).factor for each in settings], "solid"),
            FactorCurve("Memory access", [report("standard", each).memory_access / report(kind, each).memory_access
                                    for each in settings], "dash"),
        ]  # fmt: skip
        limit = (9.0, "k² = 9") if key == "out_channels" and kind == "separable" else None
        yield (
            f"{control} of {kind}, {name}",
            reduction_curve(
                amounts, lines, now, control, KINDS[kind], look, logarithmic=key == "out_channels", limit=limit
            ),
        )


def blocks(look: Appearance) -> Named:
    """Every block of the page, comparisons with unknown and equal values, and the lessons."""
    place = block_study.Place()
    for name in block_study.PRESETS:
        found = effviz.analyze(block_study.design(name, place, block_study.settle(name, place, {})))
        yield f"cost of {name}", block_costs(block_study.sublayer_sums(found), name, MEASURES, look)
    for name in ODD:
        yield f"cost of {name}", block_costs(_odd(name).sums, name, MEASURES, look)
    known = BlockMeasure("Parameters", [100, 50, 100], ["100", "50", "100"])
    unknown = BlockMeasure("Latency here", [None] * 3, ["not measured"] * 3)
    zero = BlockMeasure("Multiply-adds", [0, 0, 7], ["0", "0", "7"])
    equal = BlockMeasure("Memory access", [9, 9, 9], ["9", "9", "9"])
    partly = BlockMeasure("Latency here", [2.0, None, 1.0], ["2 ms", "not measured", "1 ms"])
    for label, sides in {
        "usual": [known, equal, partly], "nothing known": [unknown], "zero": [zero, known], "equal": [equal],
    }.items():  # fmt: skip
        yield f"side by side, {label}", side_by_side(["MBConv", "Ghost", "Fire"], sides, look)
    usual = [BlockMeasure("Parameters", [100, 50, 60], ["100", "50", "60"])]
    for label, outputs in {"one differs": "aab", "all differ": "abc", "equal": "aaa"}.items():
        made = side_by_side(["MBConv", "Ghost", "Fire"], usual, look, outputs=[*outputs], inside=[576, 24, None])
        yield f"side by side, outputs: {label}", made
    yield (
        "side by side, twins",
        side_by_side(["MBConv", "MBConv (2)"], [BlockMeasure("Parameters", [9, 9], ["9", "9"])], look),
    )
    yield from _lessons(look)


def _lessons(look: Appearance) -> Named:
    for block, shape in ((MBConv(24, 24), (24, 14, 14)), (SqueezeExcite(64, 4), (64, 14, 14)),
                         (MBConv(24, 24, se_ratio=0.0), (24, 14, 14))):  # fmt: skip
        name = f"{type(block).__name__} {shape[0]}"
        yield f"excite {name}", excite_chart(excite(block, shape), look)
        yield f"excite {name}, once", excite_chart(excite(block, shape, (16,)), look)
    for activation, sizes in product(("relu", "none", "relu6"), ((2,), (2, 3, 30), (15, 30))):
        yield f"spiral {activation} {sizes}", manifold_pictures([embed(size, 1, activation) for size in sizes], look)
        curve = loss_curve(sizes, 5, activation)
        yield f"loss {activation} {sizes}", loss_chart(curve, look, sizes[-1], activation)
    yield "loss, usual", loss_chart(loss_curve(), look, 15)
    for name in ("shufflenet_v2", "densenet121", "resnet18", "mobilenet_v2", "ghostnet", "vgg16"):
        design = effviz.architecture(name)
        groups = by_stage(design.blocks())
        for group in [groups[0], *(group for group in groups[1:] if len(group) > 1)]:
            stage = stage_of(group[0].path)
            yield f"reuse {name} {stage}", reuse_heatmap(reuse(design, stage), look)
    yield "reuse, direct", reuse_heatmap(reuse(effviz.architecture("resnet18"), "stage3"), look, "direct")


def memory(look: Appearance) -> Named:
    """The four guidelines in theory and measured, and arithmetic intensity."""
    for assumption, channels in product(("paper", "fused", "eager"), (64, 16)):
        unit = Unit(assumption, 1, "elements", lambda size: si(size, "elements"))
        yield from ((f"{name}, {assumption}, {channels}", chart) for name, chart in _theory(channels, unit, look))
    yield from _speeds(look)
    for name in effviz.list_architectures():
        yield (
            f"intensity of {name}",
            intensity_bars(_report(name).design.title, intensities(name), 0.5, "FLOPs", "byte", look),
        )
    one, none = Intensity("linear", 64, 128, 1.0), Intensity("pooling", 0, 128, 1.0)
    huge = Intensity("depthwise", 10**7, 10, 1.0)
    for name, entries in {"one": [one], "no arithmetic": [none], "mixed": [one, none], "huge": [one, huge]}.items():
        yield f"intensity, {name}", intensity_bars("Net", entries, 1, "Multiply-adds", "element", look)


def _theory(channels: int, unit: Unit, look: Appearance) -> Named:
    pixels = 56**2
    least = least_access(pixels, pixels * channels**2)
    for ratio in (1, 2, 16):
        yield (
            f"ratio {ratio}",
            ratio_chart(ratio_curve(channels), ratio_point(channels, ratio), least, pixels, unit, look),
        )
    fixed = tuple(groups_point(channels, count) for count in GROUP_COUNTS)
    widened = tuple(groups_point(channels, count, widened=True) for count in GROUP_COUNTS)
    for point in fixed:
        curve = groups_chart(fixed, widened, point, pixels, unit, look)
        yield f"groups {point.x:g}", curve
        yield f"moved, groups {point.x:g}", moved_chart([fixed[0], point], pixels, unit, curve.title, look)
    series, parallel = (
        tuple(fragments_point(channels, count, each) for count in FRAGMENT_COUNTS) for each in ARRANGEMENTS
    )
    for point in (*series, *parallel):
        yield f"fragments {point.name}", fragments_chart(series, parallel, point, pixels, unit, look)
    variants = tuple(elementwise_point(channels, each) for each in VARIANTS)
    for point in variants:
        yield f"element-wise {point.name}", elementwise_chart(variants, point, unit, look)


def _speeds(look: Appearance) -> Named:
    for guideline in ("G1", "G2", "G3", "G4"):
        found = column(guideline, "ARM", "x1")
        labels = [case.label for case in found]
        paper = [
            Machine(f"{device} (paper)", "images/s", {case.label: printed_speed(case, device)[0] for case in found})
            for device in DEVICES
        ]
        falling = {label: 100.0 / (place + 1) for place, label in enumerate(labels)}
        for name, speeds, noisy in (
            ("nothing measured", {}, frozenset[str]()), ("one case", {labels[0]: 5.0}, frozenset[str]()),
            ("falling", falling, frozenset(labels[:1])), ("equal", dict.fromkeys(labels, 5.0), frozenset(labels)),
            ("rising", {label: 100 - speed for label, speed in falling.items()} | {labels[0]: 1.0}, frozenset[str]()),
            ("mixed", falling | {labels[-1]: 100.0, labels[1]: 200.0}, frozenset[str]()),
        ):  # fmt: skip
            yield (
                f"speed {guideline}, {name}",
                speed_dots(guideline, labels, [Machine("Here", "images/s", speeds, noisy), *paper], look),
            )


def multipliers(look: Appearance) -> Named:
    """The map of width and resolution, and published accuracy."""
    cells = [
        Cell(width, side, width * side, f"{width * side:g}", "hover", side == 224, (width, side) == (0.5, 224))
        for width, side in product((0.5, 1.0, 2.0), (96, 224))
    ]
    said = MapTitle("Found", "Compute in millions")
    yield "map", heat_map(cells, (1.0, 96), (1.0, 224), said, look)
    yield (
        "map of equal values",
        heat_map([cell._replace(value=3.0) for cell in cells], (1.0, 96), (1.0, 224), said, look),
    )
    yield "map of nothing", heat_map([cell._replace(value=None) for cell in cells], (1.0, 96), (1.0, 224), said, look)
    yield "map of one cell", heat_map(cells[:1], (0.5, 96), (0.5, 96), said, look)
    sizes = [Size((width, 224), int(100 * width), 50 + width, "hover", width != 2) for width in (0.5, 1.0, 2.0)]
    wide, none = (
        SizeCurve("Width changes, 224 px stays", sizes, ["0.5×", "1×", "2×"]),
        SizeCurve("No other resolution", [], []),
    )
    for name, one, other, middle in (("two ways", wide, wide, sizes[1]), ("one way", wide, none, None),
                                     ("no way", none, none, sizes[0])):  # fmt: skip
        known = sizes if one.sizes else sizes[:1]
        yield name, two_ways(one, other, known, middle, 50 if other.sizes else None, "FLOPs", "Found", look)
    points = [
        PublishedPoint("A", "A 1", 100, 60.0, "hover", True), PublishedPoint("A", "A 2", 300, 59.0, "hover", False),
        PublishedPoint("B", "B 1", 400, 70.0, "hover", True),
    ]  # fmt: skip
    lines = [Interpolated("1×, interpolated", [(100, 60.0), (300, 59.0)])]
    for (name, shown), chosen in product({"all": points, "two": points[1:], "one": points[2:]}.items(), "ABC"):
        for here in (Here(200, 59.5, True, "A at 200"), Here(10**9, None, False, "A at 1 G, no top-1")):
            chart = accuracy_scatter(
                shown, ["A", "B", "C"], chosen, here, lines, "FLOPs", look, alone=here.interpolated
            )
            yield f"accuracy, {name}, {chosen}", chart
    front = [each._replace(front=each.network == "B") for each in points]
    here = Here(200, 59.5, False, "A at 200")
    yield "accuracy, none on the front", accuracy_scatter(front, ["A", "B"], "A", here, [], "FLOPs", look, alone=False)
    front = [each._replace(front=True) for each in points]
    yield "accuracy, all on the front", accuracy_scatter(front, ["A", "B"], "A", here, [], "FLOPs", look, alone=False)


def find(look: Appearance) -> Named:
    """Published top-1 of the networks within limits."""
    low, high, far = (
        PublishedMark(f"A {value}×", value, 50.0 + place, "text") for place, value in enumerate((10, 300, 900))
    )
    for name, found in {
        "usual": FoundNetworks([low], [high], [far], [5, 20, 400], high.label, 5, 500, "500 M"),
        "no limit": FoundNetworks([low], [high, far], [], [], far.label, 3, None, ""),
        "one": FoundNetworks([], [high], [], [], high.label, 1, 500, "500 M"),
        "one without top-1": FoundNetworks([], [], [], [7], "", 1, 500, "500 M"),
        "none with top-1": FoundNetworks([], [], [far], [7, 7, 7], "", 3, 500, "500 M"),
        "equal": FoundNetworks([low, low], [low], [], [10, 10], low.label, 5, 10, "10 M"),
        "none": FoundNetworks([], [], [far], [], "", 0, 5, "5 M"),
        "nothing": FoundNetworks([], [], [], [], "", 0, None, ""),
    }.items():
        yield name, found_chart(found, "FLOPs", high.label, look)


def scaling(look: Appearance) -> Named:
    """Compound scaling of several networks with the paper's and with degenerate bases."""
    degenerate = (ScalingRule(1, 1, 1), ScalingRule(2, 1, 1), ScalingRule(0.9, 1, 1))
    for name, rule in (
        ("resnet50", ScalingRule()),
        *(("efficientnet_b0", rule) for rule in (ScalingRule(), *degenerate)),
    ):
        base = effviz.architecture(name)
        told = f"{name} {tuple(rule)}"
        found = stairs(base, rule, -2, 2)
        for phi in (-1.0, 0.0, 0.5, 1.0):
            now = sweep(base, rule, [phi])[0]
            left, right = stairs_charts(found, now, pins(base, rule), FLOPS, look)
            yield f"stairs of {told} at {phi:g}, left", left
            yield f"stairs of {told} at {phi:g}, right", right
            unnamed, _ = stairs_charts(found, now, (), FLOPS, look, named=False)
            yield f"stairs of {told} at {phi:g}, before φ is introduced", unnamed
        yield f"growth of {told}", growth_chart(curves(base, rule, 0, 2), _report(name).macs, MACS, look)
        if drawn := frames(base, rule):
            yield f"picture of {told}", picture_chart(drawn, 0, FLOPS, look)
            alone = tuple(each for each in drawn[0].drawn if each.rule == "compound")
            picture = picture_chart([replace(drawn[-1], drawn=alone)], 2, MACS, look)
            yield f"picture of {told}, compound alone", picture
        for phi in (0.0, 1.0):
            rivals, _ = contenders(base, rule, phi, ("baseline", "compound", "width", "depth", "resolution", "fast"))
            measures = [
                Contended("Activations", "diamond", [each.report.activations for each in rivals]),
                Contended("Latency here", "cross", [None] * len(rivals)),
            ]
            yield f"duel of {told} at {phi:g}", duel_chart(rivals, measures, look)
            alone = [each for each in rivals if each.rule == "compound"]
            yield (
                f"duel of {told} alone",
                duel_chart(alone, [Contended("Activations", "diamond", [alone[0].report.activations])], look),
            )
    yield from _inverse(look)


def _inverse(look: Appearance) -> Named:
    base = effviz.architecture("efficientnet_b0")
    macs = _report("efficientnet_b0").macs
    found = feasible(base)
    for rule in (ScalingRule(), ScalingRule(1, 1, 1)):
        yield f"grid, {tuple(rule)}", grid_chart(found, macs, 2.0, rule, MACS, look)
    yield "grid of one", grid_chart(found[:1], macs, 2.0, ScalingRule(), FLOPS, look)
    yield "grid of two equal", grid_chart([found[0], found[0]], macs, 2.0, ScalingRule(), FLOPS, look)
    fit = fit_phi(base, 1e9, "macs", ScalingRule(), "fused")
    points = [(0.0, 4e8), (fit.phi, float(fit.value)), (2.0, 2e9)]
    yield "fit", fit_chart(points, (fit.phi, float(fit.value)), 1e9, "Multiply-adds", "", look)
    yield "fit exactly", fit_chart([(0.0, 8.0)], (0.0, 8.0), 8.0, "Memory access", "B", look)
    for name in ("efficientnet_b0", "mobilenet_v1", "mobilenet_v2", "resnet50"):
        yield f"printed for {name}", printed_chart(printed(effviz.architecture(name)), look)


def width_depth(look: Appearance) -> Named:
    """Designs of equal cost, from wide to deep."""
    wide = DrawnDesign("Wide", "1 block a stage: 8 · 16", [8, 16], ["stage1", "stage2"])
    even = DrawnDesign("Balanced", "2 blocks a stage: 6 · 11", [6, 6, 11, 11], ["stage1"] * 2 + ["stage2"] * 2)
    deep = DrawnDesign("Deep", "4 blocks a stage: 4 · 8", [4] * 4 + [8] * 4, ["stage1"] * 4 + ["stage2"] * 4)
    activations = DesignMeasure("Activations", [60, 100, 150], ["60", "100", "150"])
    compute = DesignMeasure("Multiply-adds", [100, 99, 101], ["100", "99", "101"])
    latency = DesignMeasure("Latency here", [None] * 3, ["not measured"] * 3)
    same = DesignMeasure("Parameters", [7, 7, 7], ["7", "7", "7"])
    unequal = DesignMeasure("FLOPs", [200, 150, 100], ["200", "150", "100"])
    for name, designs, base, shown, count in (
        ("usual", [wide, even, deep], 0, [activations, latency], compute),
        ("against the deepest", [wide, even, deep], 2, [activations, latency], compute),
        ("equal", [wide, even, deep], 0, [same], same),
        ("apart", [wide, even, deep], 0, [activations, same], unequal),
        ("nothing known", [wide, even, deep], 0, [latency], compute),
        ("one", [wide], 0, [activations], compute),
        ("equally deep", [wide, wide._replace(name="Deep")], 0, [activations], compute),
    ):
        title = finding(designs, base, shown, count, "100 multiply-adds")
        cut = [DesignMeasure(q.label, q.values[: len(designs)], q.texts[: len(designs)]) for q in (*shown, count)]
        yield f"multiples, {name}", multiples_chart(designs, cut, base, designs[base].name, title, look)
        yield f"shapes, {name}", shapes_chart(designs, designs[base].name, look)


def latency(look: Appearance) -> Named:
    """Published latencies, and tables with one, two, equal and noisy networks."""
    for where, published in sorted(devices().items()):
        machine = f"Published for {published[0]['device']}"
        yield f"published for {where}", latency_scatter(published, "macs", 1, "Multiply-adds", machine, look)
    times = [3.0, 8.0, 5.0, 20.0, 31.0, 9.0, 7.0, 2.0]
    counted = [
        row(entry) | {"latency_ms": time, "noisy": place == 0}
        for place, (entry, time) in enumerate(zip(ENTRIES[:8], times, strict=True))
    ]
    for name, rows in {
        "measured": counted, "one": counted[:1], "two": counted[:2],
        "equal times": [each | {"latency_ms": 5.0} for each in counted],
        "proportional": [each | {"latency_ms": each["macs"] / 1e6} for each in counted],
        "equal counts": [each | {"macs": 100} for each in counted],
    }.items():  # fmt: skip
        marked = [each["title"] for each in rows[:2]]
        yield name, latency_scatter(rows, "macs", 2, "FLOPs", "Here", look, highlight=marked)
        if len(rows) > 2:
            yield f"{name}, predictors", predictor_dots(rows, look)


def compare(look: Appearance) -> Named:
    """The presets over several axes, differences of all pairs of one preset, and lists with one or no known value."""
    found = {
        key: Axis(label, label.capitalize(), si, better, key != "top1", si)
        for (key, better), label in zip(compare_study.MEASURES.items(), (
            "parameters", "multiply-adds", "memory access", "peak activations", "phone latency", "latency here",
            "receptive field", "published top-1", "top-1 per multiply-add",
        ), strict=True)
    }  # fmt: skip
    for name in PRESETS:
        networks = preset(name)
        rows = [
            ComparedRow(each, each.label, counted(each.design, "fused"), published_top1(each), phone_latency(each, ""),
                        Known(place + 1.0, "measured"))
            for place, each in enumerate(networks)
        ]  # fmt: skip
        for x, y in (("macs", "top1"), ("latency", "params"), ("params", "receptive_field"), ("phone", "top1")):
            for count in (len(rows), 2, 1):
                points = [
                    Bubble(row.label, row.label, row.known(x).value or 0, row.known(y).value or 0, row.counted.params)
                    for row in rows[:count]
                    if row.known(x).value and row.known(y).value
                ]
                best = front([(each.x, each.y) for each in points], (found[x].better, found[y].better))
                chart = bubbles(
                    points, (found[x], found[y]), found["params"], best, rows[-1].label, rows[0].label, look
                )
                yield f"{name}, {count} networks, {y} over {x}", chart
        for count in (len(rows), 2, 1):
            lines = [ProfileLine(row.label, row.label, [row.known(key).value for key in found]) for row in rows[:count]]
            chart = profiles(lines, list(found.values()), lines[-1].label, lines[0].label, look)
            yield f"{name}, profiles of {count} networks", chart
        for one, other in pairwise(networks):
            terms = differences(one.design, other.design, "fused").terms
            for (quantity, by), each in terms.items():
                parts = [ComparedPart(term.label, term.before, term.after) for term in each]
                label = quantity.replace("macs", "multiply-adds").replace("params", "parameters").replace("_", " ")
                pair = one.label, other.label
                yield f"{pair}, {quantity} by {by}", difference_chart(parts, pair, label, by, si, look)
    unknown = [ProfileLine("a", "A", [None, 1.0]), ProfileLine("b", "B", [2.0, None])]
    yield "nothing in common", profiles(unknown, list(found.values())[:2], "a", "b", look)
    equal = [ComparedPart("stem", 3, 3), ComparedPart("head", 4, 4)]
    yield "equal networks", difference_chart(equal, ("A", "B"), "multiply-adds", "stage", si, look)
    yield (
        "equal sums",
        difference_chart(
            [ComparedPart("a", 1, 3), ComparedPart("b", 3, 1)], ("A", "B"), "parameters", "stage", si, look
        ),
    )
    yield "one stage", difference_chart([ComparedPart("a", 1, 3)], ("A", "B"), "memory access", "stage", si, look)
    yield (
        "from nothing",
        difference_chart(
            [ComparedPart("a", 0, 3), ComparedPart("b", 0, 2)], ("A", "B"), "parameters", "stage", si, look
        ),
    )


def literature(look: Appearance) -> Named:
    filters = {
        "all": Filter(), "none": Filter("no such network"), "one source": Filter(source="GhostNet paper"),
        "wrong": Filter(verdict="wrong"), "right": Filter(verdict="right"), "unbuilt": Filter(verdict="unbuilt"),
        "no wrong": Filter("0.35x", "GhostNet paper"),
        "one wrong": Filter("ghostnet 1.3x", "GhostNet paper", "mult_adds"),
        "one": Filter("0.5x", "GhostNet paper", "params"),
    }  # fmt: skip
    for name, by in filters.items():
        found = selection.summary(selection.chosen(by))
        yield f"errors, {name}", verdict_errors(selection.errors(by), found, look)
        for grouping in GROUPINGS:
            yield f"{name} by {grouping}", verdict_bars(selection.grouped(by, grouping), grouping, found, look)


def search(look: Appearance) -> Named:
    """The objective on every phone, the space at its limits, and searches that found nothing, one or many networks."""
    twins = [TimedNetwork(name, "A", 70.0, 10.0, "s", noisy=name == "B") for name in "AB"]
    forms = [soft(-0.07, 20), soft(0, 20), hard(-1, 20), constrained(20), constrained(0.01), soft(-10, 1e7)]
    for (place, networks), by in product(({"one": twins[:1], "twins": twins} | phones()).items(), forms):
        order = ranked(networks, by)
        yield f"{by} on {place[:20]}", objective_chart(order, by, place, look)
    points = [(0, 0.0), (500_000_000, 0.6), (1_000_000_000, 1.0)]
    for amount, share in ((0, 0.0), (1, 1e-9), (300_000_000, 0.24), (1_000_000_000, 1.0), (10**12, 1.0)):
        for low, high in ((share, share), (max(0.0, share - 0.1), share)):
            cut = Cut(amount, share, share_text(low, high))
            yield f"share of {amount}, {low} to {high}", share_chart(points, cut, "Multiply-adds", look)
    pair = [ChoiceBar("Kernel size", "3", 1e8), ChoiceBar("Kernel size", "5", 3e8)]
    equal = [each._replace(amount=2e8) for each in pair]
    for name, bars in {"full": [*pair, ChoiceBar("SE ratio", "0", 2e8)], "one": pair[:1], "equal": equal}.items():
        for label in ("Multiply-adds", "FLOPs"):
            yield f"choices, {name}, {label}", choice_chart(bars, 2e8, label, look)
    dots = [Dot(place, 1e8 * place, 1000.0 * place) for place in range(1, 13)]
    for best, others in (([], dots), ([], dots[:1]), (dots[:1], []), (dots[:2], dots[2:]), (dots, [])):
        for budget in (10, 300_000_000):
            name = f"{len(best)} of {len(best) + len(others)} within {budget}"
            yield name, front_chart(best, others, 1, budget, "FLOPs", look)


SUBJECTS = (
    architectures, microcontrollers, counters, home, classroom, compare, convolutions, blocks, memory, multipliers,
    find, scaling, width_depth, latency, literature, search,
)  # fmt: skip


def spec_of(chart: Chart) -> dict[str, Any]:
    """The specification sent to the browser. JSON cannot express NaN and infinity."""
    made: dict[str, Any] = json.loads(chart.figure.to_json(), parse_constant=lambda word: pytest.fail(word))
    return made


def gallery(look: Appearance = LIGHT, subjects: Sequence[str] = ()) -> Named:
    """Every chart with its name, ``"page: case"``."""
    for subject in SUBJECTS:
        if not subjects or subject.__name__ in subjects:
            yield from ((f"{subject.__name__}: {name}", chart) for name, chart in subject(look))


if __name__ == "__main__":
    for case, made in gallery(DARK, sys.argv[1:]):
        print(f"{case}\n    {made.title}\n    {made.alt}")
