"""Tests of lint: findings, fixes and gains.

Their numbers are compared with torch: zero gradients, pixels that reach an output, parameters of modules.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from cases import for_each
from examples import designs, scalings
from hypothesis import HealthCheck, assume, example, given, reject, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from profiles import examples
from torch import nn

from effviz import (
    BLOCKS,
    Design,
    DesignError,
    Stage,
    WidthRule,
    analyze,
    architecture,
    build,
    list_architectures,
)
from effviz.advice.lint import RULES, Finding, apply_rules, gain, lint
from effviz.advice.lint import network as network_module
from effviz.advice.lint.edits import bases, moved, rewidened
from effviz.advice.lint.findings import Proposal, Rule
from effviz.advice.lint.network import BuiltNetwork, BuiltRow, spoken
from effviz.advice.lint.reach import averaged_map, reads, receptive_field
from effviz.advice.lint.shares import classifier
from effviz.backend.build import LayerNorm2d, Merge
from effviz.core.caches import forget
from effviz.core.errors import if_legal
from effviz.core.units import change
from effviz.count.report import Report
from effviz.model.blocks import Recipe, RecipeStep
from effviz.model.layers import Conv2d, primitive_kinds

DRAWN = settings(suppress_health_check=list(HealthCheck))
POOL = Stage("global_avg_pool", depth="fixed", name="pool")
CLASSES = Stage("linear", 1000, width="classes", depth="fixed", name="classifier")


def net(*rows: Stage, **options: Any) -> Design:
    return Design("net", rows, **options)


def found(design: Design, rule: str) -> list[Finding]:
    return [finding for finding in lint(design) if finding.rule == rule]


def only(design: Design, rule: str) -> Finding:
    (finding,) = found(design, rule)
    return finding


def fixed(finding: Finding) -> Design:
    assert finding.fix is not None
    return finding.fix.design


def module_of(design: Design) -> nn.Module:
    torch.manual_seed(0)
    return build(design).double()


# --- rules as data ---------------------------------------------------------------------------------------------------


def test_rules_are_complete_data() -> None:
    assert len(RULES) == 16
    for name, rule in RULES.items():
        assert rule.name == name
        for text in (rule.title, rule.guideline, rule.source, rule.remedy):
            assert len(text) > 10, name
        assert rule.guideline.endswith(".")
        assert rule.remedy.endswith(".")
        assert any(word in rule.source for word in ("arXiv", "distill.pub", "NVIDIA", "counted")), name
    assert len({rule.title for rule in RULES.values()}) == len(RULES)
    cited = {guideline: rule.source for rule in RULES.values() for guideline in ("G1", "G2", "G3", "G4")
             if rule.guideline.startswith(guideline)}  # fmt: skip
    assert set(cited) == {"G1", "G2", "G3", "G4"}
    assert all("1807.11164" in source and f"guideline {key[1]}" in source for key, source in cited.items())


def test_findings_come_in_the_order_of_the_rules() -> None:
    order = list(RULES)
    for name in list_architectures():
        places = [(order.index(each.rule), -1 if each.row is None else each.row) for each in lint(architecture(name))]
        assert [rule for rule, _ in places] == sorted(rule for rule, _ in places)
        # The studio's buttons are identified by rule and row.
        assert len(set(places)) == len(places)


# --- published networks ----------------------------------------------------------------------------------------------

PUBLISHED = {
    "alexnet": ["first_layer_share", "classifier_share"],
    "condensenet": [
        "classifier_share", "many_groups", "many_groups", "element_wise", "element_wise", "element_wise",
        "element_wise",
    ],
    "convnext_tiny": [],
    "densenet121": ["element_wise", "element_wise", "element_wise"],
    "densenet169": ["element_wise", "element_wise", "element_wise"],
    "efficientnet_b0": [
        "classifier_share", "depthwise_on_large_maps", "excitation_on_large_maps", "excitation_on_large_maps",
    ],
    "efficientnet_b1": ["excitation_on_large_maps", "excitation_on_large_maps"],
    "efficientnet_b2": ["excitation_on_large_maps", "excitation_on_large_maps"],
    "efficientnet_b3": ["excitation_on_large_maps", "excitation_on_large_maps"],
    "efficientnet_b4": ["excitation_on_large_maps", "excitation_on_large_maps"],
    "efficientnet_b5": ["excitation_on_large_maps", "excitation_on_large_maps"],
    "efficientnet_b6": ["excitation_on_large_maps", "excitation_on_large_maps"],
    "efficientnet_b7": ["excitation_on_large_maps"],
    "efficientnet_lite0": ["classifier_share", "unequal_widths", "depthwise_on_large_maps"],
    "efficientnet_lite1": ["classifier_share", "unequal_widths", "depthwise_on_large_maps"],
    "efficientnet_lite2": ["classifier_share", "unequal_widths", "depthwise_on_large_maps"],
    "efficientnet_lite3": ["unequal_widths", "depthwise_on_large_maps"],
    "efficientnet_lite4": ["unequal_widths", "depthwise_on_large_maps"],
    "efficientnet_v2_m": [],
    "efficientnet_v2_s": [],
    "fasternet_t0": ["classifier_share", "odd_widths", "element_wise"],
    "ghostnet": [
        "classifier_share", "odd_widths", "fragments", "fragments", "fragments", "depthwise_on_large_maps",
    ],
    "ghostnet_v2": ["classifier_share", *14 * ["fragments"]],
    "mnasnet_a1": ["classifier_share", "unequal_widths", "depthwise_on_large_maps"],
    "mnasnet_b1": ["classifier_share"],
    "mobilenet_v1": ["classifier_share", "depthwise_on_large_maps", "depthwise_on_large_maps"],
    "mobilenet_v2": ["classifier_share", "unequal_widths", "depthwise_on_large_maps"],
    "mobilenet_v3_large": ["classifier_share", "depthwise_on_large_maps"],
    "mobilenet_v3_small": ["first_layer_share", "classifier_share"],
    "mobilenet_v4_conv_medium": ["classifier_share"],
    "mobilenet_v4_conv_small": ["classifier_share"],
    "mobileone_s0": ["classifier_share", "depthwise_on_large_maps"],
    "proxylessnas_mobile": ["classifier_share", "depthwise_on_large_maps"],
    "regnetx_1_6gf": ["many_groups", "many_groups"],
    "regnetx_200mf": ["many_groups", "many_groups"],
    "regnetx_3_2gf": ["many_groups"],
    "regnetx_400mf": ["many_groups", "many_groups"],
    "regnetx_4_0gf": ["many_groups", "many_groups"],
    "regnetx_600mf": [],
    "regnetx_800mf": ["many_groups", "many_groups"],
    "regnety_1_6gf": ["many_groups"],
    "regnety_200mf": ["many_groups"],
    "regnety_3_2gf": ["many_groups"],
    "regnety_400mf": ["many_groups", "many_groups", "many_groups"],
    "regnety_4_0gf": ["many_groups"],
    "regnety_600mf": ["many_groups"],
    "regnety_800mf": ["many_groups"],
    "resnet101": ["element_wise"],
    "resnet18": [],
    "resnet34": [],
    "resnet50": ["element_wise"],
    "resnext101_32x8d": ["many_groups"],
    "resnext50_32x4d": ["many_groups", "many_groups", "element_wise"],
    "shufflenet_v1": ["classifier_share", "many_groups", "many_groups", "element_wise", "element_wise"],
    "shufflenet_v2": ["classifier_share", "odd_widths", "element_wise", "element_wise"],
    "squeezenet1_0": ["receptive_field", "first_layer_share"],
    "squeezenet1_1": ["receptive_field", "element_wise"],
    "vgg16": ["late_reduction", "classifier_share"],
    "wide_resnet50_2": [],
}  # fmt: skip


def test_findings_in_published_networks() -> None:
    assert {name: [each.rule for each in lint(architecture(name))] for name in list_architectures()} == PUBLISHED
    # GhostNetV2 has one row for each block.
    assert max(len(rules) for name, rules in PUBLISHED.items() if name != "ghostnet_v2") <= 7


def test_findings_in_vgg16_as_text() -> None:
    design = architecture("vgg16")
    late, classifier_share = lint(design)
    assert (late.row, late.path, late.where) == (4, "stage3.0.conv", "stage 3, blocks 1 to 3")
    assert late.why == (
        "Maps with at least a quarter of the input's side (56 of 224 pixels or more) take 60 % of the multiply-adds. "
        "This row takes 30 % on 56 × 56 pixels. Earlier strides save the most, at the cost of spatial detail."
    )
    assert classifier_share.where == "fc1, fc2 and classifier"
    assert classifier_share.why == (
        "The layers after the last map hold 89 % of the parameters: 123.6 M of 138.4 M, including 102.8 M in fc1 "
        "(25088 × 4096 weights). They take 0.8 % of the multiply-adds."
    )
    assert classifier_share.fix is not None
    assert classifier_share.fix.label == "Pool to 3 × 3 instead of 7 × 7 in pool"
    # 512 channels and 4096 outputs, with 9 instead of 49 pixels.
    assert gain(classifier_share, analyze(design)).params == -512 * 4096 * (49 - 9)


@pytest.mark.slow
@for_each("name", list_architectures())
def test_repeated_fixes_terminate(name: str) -> None:
    """Applying one fix after another does not lead in circles."""
    design, seen = architecture(name), set()
    while design not in seen:
        seen.add(design)
        design = next((each.fix.design for each in lint(design) if each.fix), design)
    # GhostNetV2 has 16 rows of blocks with many operations each.
    assert len(seen) < 25
    assert not [each for each in lint(design) if each.fix]


# --- fixes -----------------------------------------------------------------------------------------------------------


def changed_rows(before: Design, after: Design) -> list[str]:
    """Return the stages of the rows that differ; an added or removed row counts as one."""
    old, new = list(before.stages), list(after.stages)
    if len(old) == len(new):
        return [one.name for one, other in zip(old, new, strict=True) if one != other]
    while old and new and old[-1] == new[-1]:
        old.pop(), new.pop()
    while old and new and old[0] == new[0]:
        old.pop(0), new.pop(0)
    return [row.name for row in (*old, *new)]


def check_fix(design: Design, finding: Finding, report: Report) -> None:
    assert finding.fix is not None
    label, fixed_design = finding.fix.label, finding.fix.design
    after = analyze(fixed_design)
    # Only the rows that the label names have changed.
    assert dataclasses.replace(fixed_design, stages=design.stages) == design
    rows = changed_rows(design, fixed_design)
    assert rows
    if len(fixed_design.stages) == len(design.stages):
        assert all(spoken(name) in label for name in rows), label
    else:
        assert len(rows) == 1
    # The finding is gone or weaker.
    place = moved(finding.row, design, fixed_design)
    left = [each.degree for each in lint(fixed_design) if each.rule == finding.rule and each.row == place]
    assert not left or max(left) < finding.degree, finding
    # The gain is the difference, and the label lists all increases.
    difference = gain(finding, report)
    words = dict(
        zip(difference._fields, ("parameters", "multiply-adds", "memory access", "peak activation memory"), strict=True)
    )
    for name, word in words.items():
        assert getattr(difference, name) == getattr(after, name) - getattr(report, name)
        now, then = getattr(report, name), getattr(after, name)
        assert (then > now) == (f"{word} {change(then, now)}" in label.rpartition(" (")[2]), label


def check_findings(design: Design) -> None:
    report = analyze(design)
    blocks = {entry.path: entry.row for entry in report.blocks}
    for finding in lint(design):
        assert finding.degree > 0
        assert finding.where
        assert finding.why.endswith(".")
        assert "None" not in finding.why
        assert "nan" not in finding.why
        assert any(step.path == finding.path for step in report.steps), finding.path
        if finding.row is not None:
            owner = max((path for path in blocks if f"{finding.path}.".startswith(f"{path}.")), key=len)
            assert blocks[owner] == finding.row
        if finding.fix is None:
            assert finding.why.endswith(RULES[finding.rule].remedy)
        else:
            check_fix(design, finding, report)


@pytest.mark.slow
@for_each("name", list_architectures())
def test_fixes_of_published_networks(name: str) -> None:
    check_findings(architecture(name))


@pytest.mark.slow
@settings(DRAWN, max_examples=examples(30))
@given(design=designs())
def test_findings_and_fixes_of_random_designs(design: Design) -> None:
    check_findings(design)


@settings(DRAWN, max_examples=examples(8))
@given(design=scalings())
def test_findings_and_fixes_of_scaled_networks(design: Design) -> None:
    check_findings(design)


def test_gains_use_the_resolution_and_assumption_of_the_report() -> None:
    design = architecture("efficientnet_b0")
    finding = found(design, "excitation_on_large_maps")[0]
    for memory in ("paper", "fused", "eager"):
        now, then = analyze(design, 160, memory), analyze(fixed(finding), 160, memory)
        assert gain(finding, now) == (
            then.params - now.params,
            then.macs - now.macs,
            then.memory_access - now.memory_access,
            then.peak_activation - now.peak_activation,
        )


def test_a_fix_that_introduces_another_fault_is_not_proposed() -> None:
    """3x3 kernels would fix AlexNet's first layer, but skip pixels at stride 4."""
    finding = only(architecture("alexnet"), "first_layer_share")
    assert finding.fix is not None
    assert finding.fix.label.startswith("Use 5×5 kernels instead of 11×11 in stem")
    assert not found(fixed(finding), "skipped_pixels")


def test_useless_proposals_are_rejected() -> None:
    design = architecture("mobilenet_v2")

    def propose(row: BuiltRow) -> Iterable[Proposal]:
        yield Proposal("Nothing at all", design)
        yield Proposal("Impossible", None)
        yield Proposal("Something else", dataclasses.replace(design, stages=(*design.stages[:-3], *design.stages[-2:])))

    rule = dataclasses.replace(RULES["unequal_widths"], propose=propose)
    (finding,) = apply_rules(design, [rule])
    assert finding.fix is None


def test_a_change_that_replaces_one_fault_by_another_is_no_fix() -> None:
    design = net(
        Stage("conv", 8, 1, 2, kernel_size=7, name="stem"), Stage("conv", 8, name="body"), CLASSES, resolution=16
    )
    worse = net(design.stages[0].with_changes(kernel_size=1), *design.stages[1:], resolution=16)

    def check(network: BuiltNetwork) -> Iterable[Finding]:
        if network.design == design:
            yield Finding("large", 0, network.layers[0].path, "stem", "It is large.", 1.0)

    rule = Rule("large", "Large", "", "", "", check, lambda row: [Proposal("Use 1×1 kernels in stem", worse)])
    assert apply_rules(design, [rule])[0].fix is not None
    assert apply_rules(design, [rule, RULES["skipped_pixels"]])[0].fix is None
    # A small receptive field is accepted if no other fix exists.
    deep = net(Stage("conv", 32, 1, 2, name="stem"), Stage("conv", 64, 3, 2, name="body"), CLASSES, resolution=64)
    finding = only(deep, "classifier_share")
    assert found(fixed(finding), "receptive_field")


def test_moved_rows() -> None:
    design = architecture("mobilenet_v1")
    rows = design.stages
    other = dataclasses.replace(design, stages=(*rows[:2], rows[2].with_changes(stride=1), *rows[3:]))
    more = dataclasses.replace(design, stages=(*rows[:3], Stage("dropout", name="more"), *rows[3:]))
    fewer = dataclasses.replace(design, stages=(*rows[:3], *rows[4:]))
    last = dataclasses.replace(design, stages=rows[:-1])
    assert [moved(row, design, other) for row in range(8)] == list(range(8))
    assert [moved(row, design, more) for row in range(8)] == [0, 1, 2, 4, 5, 6, 7, 8]
    assert [moved(row, design, fewer) for row in range(8)] == [0, 1, 2, None, 3, 4, 5, 6]
    assert [moved(row, design, last) for row in range(8)] == [0, 1, 2, 3, 4, 5, 6, None]
    assert moved(None, design, fewer) is None


# --- the network under the rules -------------------------------------------------------------------------------------


@settings(DRAWN, max_examples=examples(25))
@given(design=designs() | scalings())
# A norm in a separate row adds a bias to the convolution of the row before.
@example(design=net(Stage("conv", 8, norm=False, bias=False, activation="none"), Stage("norm_act"), resolution=8))
def test_layers_add_up_to_the_report(design: Design) -> None:
    network, report = BuiltNetwork(design), analyze(design)
    assert sum(layer.params for layer in network.layers) == report.params
    assert sum(layer.macs for layer in network.layers) == report.macs
    assert network.memory_access == report.memory_access
    assert sorted(layer.row for layer in network.layers) == [layer.row for layer in network.layers]
    assert [layer.step.layer for layer in network.layers] == [step.layer for step in network.steps]
    assert [layer.path for layer in network.layers] == [step.path for step in network.steps]
    assert [layer.output_shape for layer in network.layers] == [step.output.shape for step in network.steps]


def test_places_as_text() -> None:
    network = BuiltNetwork(
        net(
            Stage("conv", 8, 1, 2, name="stem", depth="fixed"),
            Stage("conv", 8, 5, name="stage1"),
            Stage("conv", 8, 2, name="my part"),
            Stage("conv", 16, 2, name="my part"),
        )
    )
    layers = network.layers
    assert network.where(layers[:1]) == "stem"
    assert network.where(network.rows[1]) == "stage 1, blocks 1 to 5"
    assert network.where(network.rows[2]) == "my part, blocks 1 and 2"
    assert network.where(network.rows[3]) == "my part, blocks 3 and 4"
    blocks = {index: [layer for layer in network.rows[1] if layer.block == index] for index in range(1, 6)}
    assert network.where(blocks[2]) == "stage 1, block 2"
    assert network.where(blocks[1] + blocks[5]) == "stage 1, blocks 1 and 5"
    assert network.where(blocks[1] + blocks[3] + blocks[4] + blocks[5]) == "stage 1, blocks 1 and 3 to 5"
    assert network.where(blocks[1] + blocks[3] + blocks[5]) == "stage 1, blocks 1, 3 and 5"
    assert [spoken(name) for name in ("stage12", "max_pool1", "stage", "mystage1", "fc1", "max_pool")] == [
        "stage 12", "max pool 1", "stage", "mystage1", "fc1", "max pool",
    ]  # fmt: skip


@settings(DRAWN, max_examples=examples(25))
@given(
    channels=st.integers(1, 100), mult=st.floats(0.25, 4), rule=st.sampled_from(("nearest", "down")),
    divisor=st.sampled_from((1, 4, 8, 12)), width=st.sampled_from(("scaled", "fixed", "at_least")),
)  # fmt: skip
def test_rewidened_rows_have_the_requested_width(
    channels: int, mult: float, rule: str, divisor: int, width: str
) -> None:
    """Some widths cannot be built from any base width; then the result is None."""
    rows = (Stage("conv", 40, width=width, name="stem"), Stage("conv", 8))
    design = Design("net", rows, width_mult=mult, resolution=8, width_rule=WidthRule(divisor, rounding=rule))
    changed = rewidened(design, 0, channels)
    if changed is None:
        built = {
            Design("net", (Stage("conv", base, width=width, name="stem"),), width_mult=mult, resolution=8,
                   width_rule=design.width_rule).blocks()[0].block.out_channels  # type: ignore[attr-defined]
            for base in range(1, 500)
        }  # fmt: skip
        assert channels not in built
    else:
        assert vars(changed.blocks()[0].block)["out_channels"] == channels
        assert changed.stages[1:] == design.stages[1:]


def test_rows_joined_by_shortcuts_are_widened_together() -> None:
    finding = found(architecture("ghostnet"), "odd_widths")[0]
    assert [row.out_channels for row in fixed(finding).stages if row.name == "stage2"] == [32, 32]
    assert list(bases(architecture("mobilenet_v2"), 2)) == [2, 3, 1, 4, 5]


def test_published_width_tables_are_not_changed() -> None:
    finding = only(architecture("shufflenet_v2"), "odd_widths")
    assert finding.fix is None
    assert "Channel counts 58 and 92 are not multiples of 8." in finding.why
    assert finding.why.endswith(RULES["odd_widths"].remedy)


# --- the receptive field ---------------------------------------------------------------------------------------------


def test_every_primitive_has_a_rule_for_the_receptive_field() -> None:
    unknown = reads.dispatch(object)
    assert [kind for kind in primitive_kinds() if reads.dispatch(kind) is unknown] == []
    with pytest.raises(DesignError, match=r"^object has no rule for the receptive field$"):
        reads(object(), (0, 0), 0, (1, 1, 1))


class _First(nn.Module):
    """Replacement of a gate: returns the input without its weights."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def _positive(module: nn.Module) -> nn.Module:
    """Make a module linear with positive weights, so that no gradient cancels or is cut off."""
    for name, child in list(module._modules.items()):
        assert child is not None
        if isinstance(child, nn.MaxPool2d):
            # A mean depends on all pixels that a maximum chooses from.
            module._modules[name] = nn.AvgPool2d(
                child.kernel_size,
                child.stride,
                child.padding,
                child.ceil_mode,  # type: ignore[arg-type]
            )
        elif isinstance(child, LayerNorm2d):
            # The derivative of a norm is 0 where all channels are equal.
            module._modules[name] = nn.Identity()
        elif isinstance(child, Merge) and child.merge == "mul":
            module._modules[name] = _First()
        elif type(child).__module__ == "torch.nn.modules.activation" or isinstance(child, nn.BatchNorm2d):
            module._modules[name] = nn.Identity()
        else:
            _positive(child)
    for parameter in module.parameters(recurse=False):
        parameter.data.fill_(1 / max(1, parameter[0].numel()))
    return module


def depends_on(design: Design, resolution: int) -> tuple[int, int, int]:
    """Return first, last and number of pixel rows that the middle of the map before ``pool`` depends on in torch."""
    module = _positive(module_of(design))
    maps: list[torch.Tensor] = []
    module.get_submodule("pool").register_forward_pre_hook(lambda _, inputs: maps.append(inputs[0]))
    image = torch.ones(1, design.in_channels, resolution, resolution, requires_grad=True)
    module.float()(image)
    (last,) = maps
    last[0, :, last.shape[2] // 2, last.shape[3] // 2].sum().backward()
    assert image.grad is not None
    rows = image.grad.abs().sum(dim=(0, 1, 3)).nonzero()
    return int(rows.min()), int(rows.max()), resolution


@st.composite
def sliding(draw: DrawFn) -> Design:
    """Designs of every block with kernels small enough to observe the whole receptive field."""
    rows = [Stage("conv", 8, 1, draw(st.integers(1, 2)), kernel_size=draw(st.sampled_from((1, 3, 4))), name="stem")]
    kinds = [name for name, kind in BLOCKS.items()
             if name not in ("flatten", "linear", "adaptive_avg_pool", "global_avg_pool", "dropout")
             and not kind.flattens]  # fmt: skip
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(("conv", "fire", "squeeze_excite")) | st.sampled_from(kinds))
        kind = BLOCKS[name]
        fields: dict[str, Any] = {"kernel_size": draw(st.sampled_from((2, 3, 5)))} if name != "fire" else {}
        if name == "conv":
            fields["dilation"] = draw(st.integers(1, 2))
        if name.startswith("shuffle_unit_v1"):
            fields["groups"] = 2
        if name == "composed":
            parts = (
                RecipeStep("depthwise", kernel_size=3),
                RecipeStep("squeeze_excite"),
                RecipeStep("conv", kernel_size=1),
            )
            fields = {"recipe": Recipe("own", parts, shortcut=draw(st.booleans()))}
        known = {field for field in fields if field in {each.name for each in dataclasses.fields(kind)}}
        options: dict[str, Any] = {field: fields[field] for field in known}
        if kind.has_out_channels:
            options["out_channels"] = draw(st.sampled_from((8, 16, 24)))
        if kind.has_stride:
            options["stride"] = draw(st.integers(1, 2))
        row = Stage(name, repeats=draw(st.integers(1, 2)), **options)
        try:
            net(*rows, row, resolution=96).blocks()
        except DesignError:
            continue
        rows.append(row)
    return net(*rows, POOL, resolution=96)


@settings(DRAWN, max_examples=examples(15))
@given(design=sliding())
def test_the_receptive_field_is_the_reach_of_gradients(design: Design) -> None:
    network = BuiltNetwork(design)
    target = averaged_map(network.steps)
    assert target is not None
    high, wide = receptive_field(network.steps, target)
    assert high == wide
    assume(high <= 80)
    # Twice the size, so that the border cuts nothing off. Units with two branches need even sides.
    least = 2 * high + 64
    side = next((side for side in range(least, least + 64) if if_legal(partial(design.runs, side))), None)
    if side is None:
        reject()
    first, last, size = depends_on(design, side)
    assert (first > 0 and last < size - 1) or high == size
    assert last - first + 1 == high


# arXiv 1603.07285 and the tables of Araujo et al. 2019 print
# 491 for MobileNetV2's last map, 315 for MobileNetV1's and 435 for ResNet-18's.
KNOWN_FIELDS = {"resnet18": 435, "mobilenet_v1": 315, "mobilenet_v2": 491, "squeezenet1_1": 207}


@pytest.mark.parametrize("name", KNOWN_FIELDS)
def test_published_receptive_fields(name: str) -> None:
    network = BuiltNetwork(architecture(name))
    target = averaged_map(network.steps)
    assert target is not None
    assert receptive_field(network.steps, target) == (KNOWN_FIELDS[name], KNOWN_FIELDS[name])


def test_the_receptive_field_of_vgg_is_no_finding() -> None:
    """It covers 212 of 224 pixels, but the linear layer sees all positions at once."""
    network = BuiltNetwork(architecture("vgg16"))
    assert averaged_map(network.steps) is None
    pooled = next(step for step in network.steps if step.path == "pool")
    assert receptive_field(network.steps, pooled.inputs[0]) == (212, 212)
    assert not found(architecture("vgg16"), "receptive_field")


def test_excitation_does_not_widen_the_receptive_field() -> None:
    rows = (Stage("conv", 8, kernel_size=3, name="stem"), Stage("squeeze_excite", name="excite"), POOL)
    network = BuiltNetwork(net(*rows, resolution=20))
    target = averaged_map(network.steps)
    assert target is not None
    assert receptive_field(network.steps, target) == (3, 3)
    assert only(net(*rows, resolution=20), "receptive_field").why.startswith(
        "A pixel of the last map (20 × 20) depends on 3 × 3 of the 20 × 20 input pixels."
    )


def test_a_larger_kernel_widens_the_receptive_field() -> None:
    body = Stage("depthwise_separable", 16, 3, 2, name="body")
    design = net(Stage("conv", 16, 1, 2, name="stem"), body, POOL, CLASSES, resolution=32)
    finding = only(design, "receptive_field")
    # 3, then 4 more, then 8 more twice: the strides before are 1, 2, 4 and 4.
    assert finding.degree == 1 - (3 + 4 + 8 + 8) / 32
    assert (finding.row, finding.where) == (None, "the whole network")
    assert not found(fixed(finding), "receptive_field")
    assert not found(design.scaled(resolution=23), "receptive_field")


# --- too much stride -------------------------------------------------------------------------------------------------


def idle_in_torch(design: Design) -> int:
    """Count the weights of spatial convolutions with zero gradient: they meet only padding."""
    module = module_of(design)
    for name, parameter in module.named_parameters():
        # Biases differ from 0, so that outputs computed from padding only cannot be mistaken for padding.
        parameter.data.uniform_(*((1, 2) if name.endswith("bias") else (0.1, 0.2)))
    written: list[torch.Tensor] = []
    for child in module.modules():
        if isinstance(child, nn.Conv2d):
            child.register_forward_hook(lambda _, inputs, output: written.append(output.sum()))
    module(torch.rand(1, design.in_channels, design.resolution, design.resolution, dtype=torch.float64) + 0.1)
    # The outputs of all layers, because a layer without effect must not hide the layers before it.
    torch.stack(written).sum().backward()
    convs = [child for child in module.modules() if isinstance(child, nn.Conv2d) and child.kernel_size != (1, 1)]
    return sum(int((conv.weight.grad == 0).sum()) for conv in convs if conv.weight.grad is not None)


@settings(DRAWN, max_examples=examples(25))
@given(
    resolution=st.integers(1, 12), kernels=st.lists(st.sampled_from((2, 3, 5, 7)), min_size=1, max_size=3),
    strides=st.lists(st.integers(1, 3), min_size=3, max_size=3), dilation=st.integers(1, 3),
)  # fmt: skip
def test_idle_weights_have_no_gradient(resolution: int, kernels: list[int], strides: list[int], dilation: int) -> None:
    rows = [
        Stage("conv", 4, 1, stride, kernel_size=kernel, dilation=dilation, norm=False, activation="none")
        for kernel, stride in zip(kernels, strides, strict=False)
    ]
    try:
        design = net(*rows, POOL, resolution=resolution)
        design.blocks()
    except DesignError:
        assume(False)
    assert sum(each.degree for each in found(design, "too_much_stride")) == idle_in_torch(design)


def test_too_much_stride_for_small_images() -> None:
    assert not found(architecture("mobilenet_v2", resolution=64), "too_much_stride")
    design = architecture("mobilenet_v2", resolution=32)
    findings = found(design, "too_much_stride")
    assert [each.where for each in findings] == ["stage 6, blocks 1 to 3", "stage 7"]
    finding = findings[-1]
    assert finding.where == "stage 7"
    # 960 channels of 3 x 3, of which only the center meets the one pixel.
    assert finding.degree == 960 * 8
    assert finding.why == (
        "3 × 3 kernels are applied to a map of 1 × 1 pixels. 7.68 k of 8.64 k parameters meet only padding at an input "
        "of 32 pixels."
    )
    assert finding.fix is not None
    assert finding.fix.label.startswith("Use stride 1 instead of 2 in stage 6 (multiply-adds +")
    assert not [each for each in found(fixed(finding), "too_much_stride") if each.row == finding.row]


def test_smaller_kernels_are_proposed_without_strides() -> None:
    design = net(Stage("conv", 8, kernel_size=5, name="stem"), POOL, resolution=1)
    finding = only(design, "too_much_stride")
    assert finding.fix is not None
    assert finding.fix.label == "Use 1×1 kernels instead of 5×5 in stem"
    before, after = module_of(design), module_of(fixed(finding))
    state = before.state_dict()
    state["stem.0.conv.weight"] = state["stem.0.conv.weight"][:, :, 2:3, 2:3].clone()
    after.load_state_dict(state)
    image = torch.rand(1, 3, 1, 1, dtype=torch.float64)
    torch.testing.assert_close(before(image), after(image))


# --- skipped pixels --------------------------------------------------------------------------------------------------


def unread_in_torch(design: Design) -> int:
    """Count the input pixels without a gradient, in a linear network with positive weights."""
    module = _positive(module_of(design))
    image = torch.ones(1, design.in_channels, design.resolution, design.resolution, dtype=torch.float64)
    image.requires_grad_()
    module(image).sum().backward()
    assert image.grad is not None
    return int((image.grad[0].abs().sum(dim=0) == 0).sum())


@settings(DRAWN, max_examples=examples(25))
@given(
    block=st.sampled_from(("conv", "max_pool", "avg_pool", "depthwise", "bottleneck", "basic_block", "mbconv")),
    kernel=st.integers(1, 3), stride=st.integers(1, 4), resolution=st.integers(2, 17),
    options=st.fixed_dictionaries({"stride_at": st.sampled_from(("1x1", "3x3")), "dilation": st.integers(1, 2)}),
)  # fmt: skip
def test_skipped_pixels_have_no_gradient(
    block: str, kernel: int, stride: int, resolution: int, options: dict[str, Any]
) -> None:
    kind = BLOCKS[block]
    known = {each.name for each in dataclasses.fields(kind)}
    fields = {key: value for key, value in ({"kernel_size": kernel} | options).items() if key in known}
    if not kind.keeps_channels:
        fields["out_channels"] = 8
    try:
        design = net(Stage(block, stride=stride, name="body", **fields), resolution=resolution)
        design.blocks()
    except DesignError:
        assume(False)
    unread = unread_in_torch(design)
    findings = found(design, "skipped_pixels")
    places = {(tap * fields.get("dilation", 1)) % stride for tap in range(kernel)}
    if findings:
        # In the other blocks a layer in the middle may skip pixels.
        assert block in ("bottleneck", "mbconv") or findings[0].degree == pytest.approx(unread / resolution**2)
    elif unread:
        # A window without gaps may still leave a rest at the right and lower border.
        assert len(places) == stride or resolution < kernel + stride or block == "mbconv"


def test_the_original_bottleneck_skips_three_quarters() -> None:
    """arXiv 1812.01187, section 4: the first 1x1 convolution at stride 2 ignores three quarters of its input."""
    stem = Stage("conv", 16, name="stem")
    design = net(stem, Stage("bottleneck", 64, 2, 2, stride_at="1x1", name="stage1"), POOL, CLASSES, resolution=32)
    finding = only(design, "skipped_pixels")
    assert finding.degree == 0.75
    assert (finding.where, finding.path) == ("stage 1, block 1", "stage1.0.residual.reduce.conv")
    assert finding.fix is not None
    assert finding.fix.label.startswith("Move the stride of stage 1 to the 3×3 convolution (multiply-adds +")
    assert dict(fixed(finding).stages[1].fields)["stride_at"] == "3x3"
    assert not found(fixed(finding), "skipped_pixels")


@pytest.mark.parametrize(("stride", "larger"), [(2, 3), (3, 3), (4, 5)])
def test_strided_pointwise_layers(stride: int, larger: int) -> None:
    rows = (Stage("conv", 8, name="stem"), Stage("conv", 8, 1, stride, kernel_size=1, name="down"))
    finding = only(net(*rows, resolution=24), "skipped_pixels")
    assert finding.degree == pytest.approx(1 - 1 / stride**2)
    assert dict(fixed(finding).stages[1].fields)["kernel_size"] == larger


# --- even kernel sizes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "faulty"),
    [
        (Stage("conv", 8, kernel_size=4), True),
        (Stage("conv", 8, kernel_size=4, padding=0), True),
        (Stage("conv", 8, 1, 2, kernel_size=4), False),
        (Stage("conv", 8, 1, 4, kernel_size=4), True),
        (Stage("conv", 8, 1, 4, kernel_size=4, padding=0), False),
        (Stage("conv", 8, 1, 2, kernel_size=2), False),
        (Stage("conv", 8, kernel_size=5), False),
        (Stage("conv", 8, kernel_size=16, padding=0), False),
        (Stage("max_pool", stride=2, kernel_size=2), False),
        (Stage("max_pool", stride=1, kernel_size=2), True),
        (Stage("transition"), False),
        (Stage("depthwise_separable", 8, kernel_size=6), True),
    ],
)
def test_even_kernel_sizes(row: Stage, faulty: bool) -> None:
    design = net(Stage("conv", 8, name="stem"), row, POOL, CLASSES, resolution=16)
    findings = found(design, "even_windows")
    assert len(findings) == faulty
    for finding in findings:
        assert not found(fixed(finding), "even_windows")
        # The map has the size that an odd kernel gives it.
        sides = [entry.shape[1] for entry in fixed(finding).blocks()[1:3]]
        assert sides[0] // row.stride == sides[1]


PRE_ACTIVATION = Recipe("pre", (RecipeStep("norm_act"), RecipeStep("conv")), shortcut=True)


# --- biases and activations ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "biases"),
    [
        ([Stage("conv", 8, 2, bias=True)], 16),
        ([Stage("conv", 8)], 0),
        ([Stage("conv", 8, norm=False, activation="none"), Stage("norm_act")], 8),
        ([Stage("conv", 8, norm=False), Stage("norm_act")], 0),
        ([Stage("conv", 8, norm=False, activation="none"), Stage("dropout"), Stage("norm_act")], 0),
        ([Stage("conv", 8, norm=False), Stage("conv", 8)], 0),
        ([Stage("squeeze_excite"), Stage("norm_act")], 0),
        # The shortcut carries the bias around the norm.
        ([Stage("conv", 8, norm=False, activation="none"), Stage("composed", 8, recipe=PRE_ACTIVATION)], 0),
    ],
)
def test_biases_before_a_norm(rows: list[Stage], biases: int) -> None:
    design = net(*rows, POOL, resolution=8)
    assert sum(each.degree for each in found(design, "bias_before_norm")) == biases
    module = module_of(design).train()
    image = torch.rand(4, 3, 8, 8, dtype=torch.float64)
    module(image).square().sum().backward()
    gradients = [
        child.bias.grad for child in module.modules() if isinstance(child, nn.Conv2d) and child.bias is not None
    ]
    # Training never changes these biases: their gradient is zero except for rounding.
    idle = sum(int((gradient.abs() < 1e-12).sum()) for gradient in gradients if gradient is not None)
    assert idle >= biases
    for finding in found(design, "bias_before_norm"):
        assert gain(finding, analyze(design))[:2] == (-biases, 0)


@pytest.mark.parametrize(
    ("rows", "concerned"),
    [
        ([Stage("depthwise_separable", 16)], 1),
        ([Stage("depthwise_separable", 16, activation="hardswish")], 0),
        ([Stage("depthwise_separable", 17)], 0),
        ([Stage("inverted_residual", 16, expand_ratio=1)], 0),
        ([Stage("inverted_residual", 16)], 0),
        ([Stage("depthwise"), Stage("conv", 8, kernel_size=1)], 1),
        ([Stage("depthwise"), Stage("squeeze_excite"), Stage("conv", 8, kernel_size=1, activation="relu6")], 1),
        ([Stage("depthwise"), Stage("conv", 8, kernel_size=1, activation="none")], 0),
        ([Stage("depthwise"), Stage("conv", 8, kernel_size=3)], 0),
        ([Stage("conv", 32), Stage("conv", 8, kernel_size=1)], 0),
        ([Stage("fire", squeeze=4)], 0),
        ([Stage("bottleneck", 32)], 0),
    ],
)
def test_rectifiers_after_a_bottleneck(rows: list[Stage], concerned: int) -> None:
    design = net(Stage("conv", 32, name="stem"), *rows, POOL, CLASSES, resolution=16)
    findings = found(design, "narrow_activation")
    assert len(findings) == concerned
    for finding in findings:
        assert gain(finding, analyze(design)) == (0, 0, 0, 0)
        assert not found(fixed(finding), "narrow_activation")


# --- shares ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@for_each("name", list_architectures())
def test_the_classifier_has_the_parameters_after_the_pool_in_torch(name: str) -> None:
    design = architecture(name)
    module = build(design, device="meta")
    after = {"vgg16": "pool", "alexnet": "pool", "squeezenet1_1": "pool"}.get(name, "pool")
    names = [child for child, _ in module.named_children()]
    behind = names[names.index(after) :]
    expected = sum(parameter.numel() for child in behind for parameter in module.get_submodule(child).parameters())
    assert sum(layer.params for layer in classifier(BuiltNetwork(design))) == expected


def test_a_flattened_map_is_pooled_first() -> None:
    design = net(Stage("conv", 32, 1, 2, name="stem"), Stage("conv", 64, 6, 2, name="body"), CLASSES, resolution=64)
    finding = only(design, "classifier_share")
    assert finding.row == 2
    deep = net(Stage("conv", 32, 1, 2, name="stem"), Stage("conv", 64, 9, 2, name="body"), CLASSES, resolution=64)
    finding = only(deep, "classifier_share")
    assert finding.fix is not None
    assert finding.fix.label == "Add global average pooling of the 16 × 16 map before classifier"
    assert [row.block for row in fixed(finding).stages] == ["conv", "conv", "global_avg_pool", "linear"]
    assert gain(finding, analyze(deep)).params == -1000 * 64 * 255


def test_narrow_mobilenets_have_an_expensive_classifier_and_first_layer() -> None:
    rules = {each.rule: each for each in lint(architecture("mobilenet_v2", width_mult=0.35))}
    assert {"classifier_share", "first_layer_share"} <= set(rules)
    assert rules["classifier_share"].degree == pytest.approx(
        1_281_000 / analyze(architecture("mobilenet_v2", width_mult=0.35)).params
    )
    assert only(architecture("mobilenet_v1", width_mult=0.25), "classifier_share").degree == pytest.approx(
        257_000 / analyze(architecture("mobilenet_v1", width_mult=0.25)).params
    )


def test_a_sketch_of_a_few_layers_has_no_findings_about_shares() -> None:
    assert not found(net(Stage("conv", 32, name="stem"), Stage("conv", 32, 2), POOL, CLASSES), "first_layer_share")
    assert not found(net(Stage("conv", 32, name="stem"), Stage("conv", 32, 2), POOL, CLASSES), "late_reduction")


def test_late_downsampling_does_not_apply_to_small_images() -> None:
    """A ResNet for CIFAR-10 works on 32, 16 and 8 pixels: a quarter of the side, but still small."""
    stages = [Stage("basic_block", 16 * 2**index, 3, min(2, index + 1)) for index in range(3)]
    design = net(Stage("conv", 16, name="stem"), *stages, POOL, CLASSES.with_changes(out_channels=10), resolution=32)
    assert not found(design, "late_reduction")
    assert found(design.scaled(resolution=128), "late_reduction")


def test_idle_lanes_are_counted_by_padding() -> None:
    design = net(Stage("conv", 20, name="stem"), Stage("conv", 20, 3, name="body"), POOL, CLASSES, resolution=32)
    padded = net(Stage("conv", 24, name="stem"), Stage("conv", 24, 3, name="body"), POOL, CLASSES, resolution=32)
    body = only(design, "odd_widths")
    assert body.row == 1
    now, then = (sum(layer.macs for layer in BuiltNetwork(each).rows[1]) for each in (design, padded))
    assert body.degree == pytest.approx(then / now - 1) == pytest.approx(0.44)
    assert body.why == (
        f"Channel count 20 is not a multiple of 8. Hardware that processes 8 channels at a time rounds up to 24, which "
        f"adds 44 % to the multiply-adds of this row ({(then - now) / 1e6:.2f} M)."
    )


@pytest.mark.parametrize("mult", [1.0, 0.7, 1.2])
def test_odd_widths_are_fixed_in_the_built_network(mult: float) -> None:
    rule = WidthRule(1)
    rows = (Stage("conv", 16, 1, 2, width="fixed", name="stem"), Stage("depthwise_separable", 42, 3, name="body"))
    design = Design("net", (*rows, POOL, CLASSES), width_mult=mult, width_rule=rule, resolution=64)
    built = {run.block.out_channels for run in design.runs() if run.row == 1}  # type: ignore[attr-defined]
    assert built == {round(42 * mult)}
    after = {run.block.out_channels for run in fixed(only(design, "odd_widths")).runs() if run.row == 1}  # type: ignore[attr-defined]
    assert all(width % 8 == 0 for width in after)


# --- memory access ---------------------------------------------------------------------------------------------------


def pointwise_access(pixels: int, ins: float, outs: float, groups: float = 1) -> float:
    return pixels * (ins + outs) + ins * outs / groups


@pytest.mark.parametrize(("ins", "outs"), [(16, 256), (256, 16), (24, 144)])
def test_the_cost_of_unequal_widths_is_the_papers(ins: int, outs: int) -> None:
    """Compare with the least access over all pairs of widths with equal multiply-adds, found by search."""
    design = net(Stage("conv", ins, 1, 2, name="stem"), Stage("conv", outs, kernel_size=1, name="wide"), POOL, CLASSES)
    pixels = 112 * 112
    widths = np.geomspace(1, 4096, 200_001)
    least = float(np.min(pointwise_access(pixels, widths, ins * outs / widths)))  # type: ignore[arg-type]
    excess = pointwise_access(pixels, ins, outs) - least
    finding = only(design, "unequal_widths")
    assert finding.degree == pytest.approx(excess / analyze(design).memory_access, rel=1e-6)
    assert f"between {min(ins, outs)} and {max(ins, outs)} channels" in finding.why


def test_equal_widths_have_no_finding() -> None:
    assert not found(net(Stage("conv", 64, name="stem"), Stage("conv", 64, 5, kernel_size=1), POOL), "unequal_widths")


def test_the_groups_of_a_regnet_follow_from_one_width() -> None:
    """The finding does not suggest groups that contradict the group width of the network."""
    findings = found(architecture("regnetx_200mf"), "many_groups")
    assert findings
    for finding in findings:
        assert "the width over the group width of 8. A RegNet has one group width" in finding.why
        assert finding.fix is None


def test_the_cost_of_groups_is_the_papers() -> None:
    design = net(
        Stage("conv", 64, 1, 2, name="stem"),
        Stage("conv", 64, 4, kernel_size=1, groups=4, name="grouped"),
        POOL,
        CLASSES,
    )
    finding = only(design, "many_groups")
    pixels, narrow = 112 * 112, 64 / math.sqrt(4)
    assert pixels * narrow**2 == pixels * 64 * 64 / 4
    excess = 4 * (pointwise_access(pixels, 64, 64, 4) - pointwise_access(pixels, narrow, narrow))
    assert finding.degree == pytest.approx(excess / analyze(design).memory_access)
    assert finding.fix is not None
    # With 1 group and 32 channels, the first of the four layers would need more multiply-adds than now.
    assert finding.fix.label == "Use 2 groups and 40 channels instead of 4 and 64 in grouped"
    saved = gain(finding, analyze(design))
    assert saved.memory_access < 0
    assert only(fixed(finding), "many_groups").degree < finding.degree


def test_resnext_without_groups_is_resnet() -> None:
    design = architecture("resnext50_32x4d")
    stages = list(architecture("resnet50").stages)
    for finding in found(design, "many_groups"):
        assert finding.row is not None
        row = fixed(finding).stages[finding.row]
        assert dict(row.fields) == {"groups": 1, "bottleneck_ratio": 0.25}
        same = stages[finding.row].with_changes(groups=1, bottleneck_ratio=0.25)
        assert row == same


@pytest.mark.parametrize(
    ("row", "operations"),
    [
        (Stage("fragments", fragments=4), 4),
        (Stage("fragments", fragments=3), 0),
        (Stage("fragments", fragments=8, arrangement="series"), 8),
        (Stage("mbconv", 16), 0),
        (Stage("ghost_bottleneck", 24, 1, 2, se_ratio=0.25), 10),
        (Stage("composed", 16, recipe=Recipe("many", tuple(RecipeStep("conv", kernel_size=1) for _ in range(9)))), 9),
    ],
)
def test_fragments(row: Stage, operations: int) -> None:
    design = net(Stage("conv", 16, name="stem"), row.with_changes(name="body"), POOL, CLASSES, resolution=32)
    findings = found(design, "fragments")
    assert len(findings) == (operations > 0)
    for finding in findings:
        assert finding.why.startswith(f"One block has {operations} convolutions and poolings")
        layers = [step.layer for step in analyze(design).steps if step.path.startswith("body.")]
        assert sum(isinstance(layer, Conv2d) for layer in layers) + ("ghost" in row.block) == operations


def test_additions_are_counted_by_the_report() -> None:
    design = architecture("resnet50")
    finding = only(design, "element_wise")
    table = analyze(design).table
    moved = table[(table.stage == "stage1") & (table.layer == "add")].memory_access.sum()
    assert finding.degree == pytest.approx(moved / analyze(design).memory_access)


def test_fused_blocks_replace_depthwise_layers_on_large_maps() -> None:
    design = architecture("mobilenet_v2")
    finding = only(design, "depthwise_on_large_maps")
    assert (finding.where, finding.path) == ("stage 2, block 1", "stage2.0.depthwise.conv")
    row = fixed(finding).stages[2]
    assert (row.block, row.out_channels, row.repeats, row.stride) == ("fused_mbconv", 24, 2, 2)
    assert dict(row.fields) == {"expand_ratio": 4.0, "se_ratio": 0.0, "activation": "relu6"}
    difference = gain(finding, analyze(design))
    assert difference.memory_access < 0 < difference.macs


def test_excitation_on_large_maps() -> None:
    design = architecture("efficientnet_b0", resolution=600)
    first = found(design, "excitation_on_large_maps")[0]
    table = analyze(design).table
    concerned = table[(table.stage == "stage1") & (table.kind == "squeeze-and-excitation") & (table.alive > 1e5)]
    assert first.degree == pytest.approx(concerned.memory_access.sum() / analyze(design).memory_access, rel=1e-4)
    assert "maps of up to 300 × 300 pixels" in first.why
    assert dict(fixed(first).stages[1].fields)["se_ratio"] == 0
    alone = net(Stage("conv", 16, name="stem"), Stage("squeeze_excite", name="excite"), POOL, CLASSES, resolution=64)
    finding = only(alone, "excitation_on_large_maps")
    assert finding.fix is not None
    assert finding.fix.label == "Remove excite"
    assert [row.name for row in fixed(finding).stages] == ["stem", "pool", "classifier"]


# --- wrong and extreme arguments -------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 1, "mobilenet_v2", [], {}, object, float("nan")], ids=repr)
def test_other_types_are_rejected(value: Any) -> None:
    with pytest.raises(DesignError, match=r"^design = .* must be a Design; effviz\.architecture\(name\) gives one$"):
        lint(value)


def test_a_design_that_cannot_be_built_is_rejected_with_its_path() -> None:
    with pytest.raises(DesignError) as caught:
        lint(net(Stage("conv", 8, kernel_size=9, padding=0, name="stem"), resolution=4))
    assert str(caught.value) == "stem.0.conv: kernel_size = 9 spans 9 pixels, more than the padded input of 4"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda finding, report: gain(None, report), "finding = None must be a Finding of effviz.advice.lint"),
        (
            lambda finding, report: gain(finding, None),
            "report = None must be a Report; effviz.analyze(design) gives one",
        ),
        (gain, "the finding element_wise at stage 1, blocks 1 to 3 has no fix"),
    ],
)
def test_gain_rejects_wrong_arguments(call: Callable[..., Any], message: str) -> None:
    design = architecture("resnet50")
    with pytest.raises(DesignError) as caught:
        call(only(design, "element_wise"), analyze(design))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "design",
    [
        net(Stage("flatten")),
        net(Stage("dropout"), resolution=1),
        net(POOL),
        net(Stage("linear", 1), resolution=1),
        net(Stage("norm_act")),
        net(Stage("channel_shuffle", groups=3)),
        net(Stage("conv", 1, 1000, kernel_size=1), resolution=1),
    ],
    ids=["flatten", "dropout", "pool", "linear", "norm", "shuffle", "1000 blocks"],
)
def test_tiny_and_extreme_designs(design: Design) -> None:
    check_findings(design)


def test_a_new_rule_needs_no_other_change() -> None:

    def check(network: BuiltNetwork) -> Iterable[Finding]:
        yield Finding("loud", 0, network.layers[0].path, "everywhere", "It is loud.", 1.0)

    rule = Rule("loud", "Loud", "Be quiet.", "nowhere", "Think of it.", check, lambda row: ())
    (finding,) = apply_rules(architecture("resnet18"), [rule])
    assert finding == Finding("loud", 0, "stem.conv", "everywhere", "It is loud. Think of it.", 1.0, None)


# --- large networks --------------------------------------------------------------------------------------------------


def _long(draw: random.Random, rows: int = 40) -> Design:
    """Return a long network with many findings."""
    found: list[Stage] = []
    while len(found) < rows:
        name = draw.choice(
            ["conv", "depthwise", "mbconv", "inverted_residual", "fragments", "norm_act", "ghost_module"]
        )
        fields: dict[str, Any] = (
            {"kernel_size": draw.choice([1, 3, 3, 4])} if "g" not in name and name != "norm_act" else {}
        )
        if name == "conv":
            fields |= {"bias": draw.random() < 0.3, "activation": draw.choice(["relu", "none"])}
        if name in ("fragments", "norm_act"):
            fields = {}
        width = {"out_channels": draw.choice([8, 16, 16, 20, 64])} if BLOCKS[name].has_out_channels else {}
        row = Stage(name, stride=2 if len(found) in (3, 20) and BLOCKS[name].has_stride else 1, name=f"r{len(found)}",
                    **width, **fields)  # fmt: skip
        try:
            net(*found, row, resolution=128).runs()
        except DesignError:
            continue
        found.append(row)
    return net(*found, POOL, CLASSES, resolution=128)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(examples(2)))
def test_fixes_judged_from_a_window_are_those_judged_from_the_network(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = _long(random.Random(seed))
    near = [dataclasses.astuple(finding) for finding in lint(design)]
    monkeypatch.setattr(network_module, "_WINDOW_ROWS", 10**6)
    forget()
    assert [dataclasses.astuple(finding) for finding in lint(design)] == near
    assert sum(finding[-1] is not None for finding in near) > 3


def test_a_fix_is_searched_for_when_it_is_read() -> None:
    tried: list[int] = []

    def propose(row: BuiltRow) -> Iterable[Proposal]:
        tried.append(row.index)
        yield from RULES["even_windows"].propose(row)

    rule = dataclasses.replace(RULES["even_windows"], propose=propose)
    design = net(*(Stage("conv", 16, kernel_size=4, name=f"r{i}") for i in range(9)), resolution=64)
    findings = apply_rules(design, [rule])
    assert len(findings) == 9
    assert tried == []
    assert findings[4].fix is not None
    assert findings[4].why
    assert tried == [4]
    assert pickle.loads(pickle.dumps(findings[3])) == findings[3] == copy.deepcopy(findings[3])
    assert tried == [4, 3]
    assert not hasattr(findings[3], "other")
