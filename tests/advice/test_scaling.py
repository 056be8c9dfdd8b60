"""Tests of scaling rules, built networks, sweeps, the grid, and the phi that fits a budget."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from examples import scalings
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from effviz import DesignError, analyze, architecture, compound_scale
from effviz.advice.scaling import (
    EXPONENTS,
    FIT_QUANTITIES,
    ScalingRule,
    built_body,
    built_stages,
    depth_plateau,
    feasible,
    fit_phi,
    implied_phi,
    scaling_rules,
    sweep,
    width_plateau,
)
from effviz.studies.scaling import NAMES, contenders, curves, frames, growth, pins, printed, stage_rows, stairs

B0 = architecture("efficientnet_b0")
# Without networks whose width rule allows only the published multipliers.
SCALABLE = ("efficientnet_b0", "mobilenet_v1", "mobilenet_v3_small", "shufflenet_v2", "ghostnet", "resnet50",
            "densenet121", "mnasnet_a1", "vgg16")  # fmt: skip
bases = st.floats(1.0, 1.6).map(lambda value: round(value, 3))
any_rule = st.builds(ScalingRule, bases, bases, bases).filter(lambda rule: rule.factor > 1.05)


# --- an EfficientNet without effviz ---------------------------------------------------------------------------------


def efficientnet(depth: Fraction, width: Fraction, side: int) -> tuple[int, int, int]:
    """Return parameters, multiply-adds and blocks of B0's table, computed independently with exact fractions."""

    def rounded(channels: int) -> int:
        wide = channels * width
        nearest = max(8, int(wide + 4) // 8 * 8)
        return nearest + 8 if nearest < Fraction(9, 10) * wide else nearest

    params = macs = blocks = 0

    def conv(into: int, out: int, kernel: int, groups: int, pixels: int, norm: bool = True) -> None:
        nonlocal params, macs
        weights = kernel * kernel * into * out // groups
        params += weights + 2 * out if norm else weights + out
        macs += weights * pixels

    side = -(-side // 2)
    into = rounded(32)
    conv(3, into, 3, 1, side * side)
    for repeats, kernel, stride, expand, channels in (
        (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    ):  # fmt: skip
        out = rounded(channels)
        for index in range(math.ceil(depth * repeats)):
            middle = into * expand
            if expand > 1:
                conv(into, middle, 1, 1, side * side)
            if index == 0 and stride == 2:
                side = -(-side // 2)
            conv(middle, middle, kernel, middle, side * side)
            squeezed = max(1, into // 4)
            conv(middle, squeezed, 1, 1, 1, norm=False)
            conv(squeezed, middle, 1, 1, 1, norm=False)
            conv(middle, out, 1, 1, side * side)
            into, blocks = out, blocks + 1
    conv(into, rounded(1280), 1, 1, side * side)
    return params + 1001 * rounded(1280) - rounded(1280) + 1000, macs + 1000 * rounded(1280), blocks


RELEASED = {
    "b0": ("1.0", "1.0", 224), "b1": ("1.1", "1.0", 240), "b2": ("1.2", "1.1", 260), "b3": ("1.4", "1.2", 300),
    "b4": ("1.8", "1.4", 380), "b5": ("2.2", "1.6", 456), "b6": ("2.6", "1.8", 528), "b7": ("3.1", "2.0", 600),
}  # fmt: skip


@pytest.mark.parametrize("variant", RELEASED)
def test_released_networks_from_their_multipliers(variant: str) -> None:
    depth, width, side = RELEASED[variant]
    expected = efficientnet(Fraction(depth), Fraction(width), side)
    for design in (
        architecture(f"efficientnet_{variant}"),
        B0.scaled(depth_mult=float(depth), width_mult=float(width), resolution=side),
    ):
        report = analyze(design)
        assert (report.params, report.macs, built_body(design)[0]) == expected


@settings(max_examples=examples(60))
@given(phi=st.floats(-3, 6).map(lambda phi: round(phi, 2)), rule=any_rule)
def test_random_phi_against_the_independent_efficientnet(phi: float, rule: ScalingRule) -> None:
    depth, width, resolution = rule.multipliers(phi)
    if depth > 12 or width > 8:
        return
    side = round(224 * resolution)
    design = compound_scale(B0, phi, *rule)
    assert design == rule.scaled(B0, phi)
    assert design.resolution == side
    report = analyze(design)
    # The exact number behind the float: 4/9 is neither 0.4444444444444444 nor 0.444444444.
    depth_ratio, width_ratio = (Fraction(value).limit_denominator(10**6) for value in (depth, width))
    exact = efficientnet(depth_ratio, width_ratio, side)
    assert (report.params, report.macs, built_body(design)[0]) == exact


# --- rules ---------------------------------------------------------------------------------------------------------


def test_all_rules_have_the_same_factor() -> None:
    for rule in (ScalingRule(), ScalingRule(1.0, 1.2, 1.3), ScalingRule(2, 1, 1)):
        known = scaling_rules(rule)
        assert set(known) == {"compound", *EXPONENTS}
        for name, other in known.items():
            assert other.factor == pytest.approx(rule.factor, rel=1e-12), name
    assert ScalingRule().factor == pytest.approx(1.2 * 1.1**2 * 1.15**2) == pytest.approx(1.920, abs=5e-4)


def test_fast_scaling_is_the_papers() -> None:
    """For a factor s, depth is s^0.1, width s^0.4 and resolution s^0.05: arXiv 2103.06877."""
    fast = scaling_rules(ScalingRule())["fast"]
    factor = fast.factor
    assert tuple(fast) == pytest.approx((factor**0.1, factor**0.4, factor**0.05))


def test_fast_scaling_keeps_groups_and_depthwise() -> None:
    base = architecture("resnext50_32x4d")
    scaled = scaling_rules(ScalingRule())["fast"].scaled(base, 3)
    groups = {row.groups for row in analyze(scaled).table.itertuples() if row.kind == "grouped convolution"}
    assert groups == {32}
    depthwise = analyze(scaling_rules(ScalingRule())["fast"].scaled(B0, 3)).table
    depthwise = depthwise[depthwise["kind"] == "depthwise"]
    assert len(depthwise) > 0
    assert (depthwise["groups"] == depthwise["in_channels"]).all()


# --- built networks ------------------------------------------------------------------------------------------------


def test_depth_multipliers_above_1_up_to_1_25_build_23_blocks() -> None:
    low, high = depth_plateau(B0.scaled(depth_mult=1.1))
    assert (low, high) == (1.0, 1.25)
    for depth in (1.0000001, 1.1, 1.2, 1.25):
        assert built_body(B0.scaled(depth_mult=depth))[0] == 23
    assert built_body(B0)[0] == 16
    assert built_body(B0.scaled(depth_mult=1.2500001))[0] == 24


@settings(max_examples=examples(20))
@given(design=scalings(st.sampled_from(SCALABLE)))
def test_the_network_changes_at_the_ends_of_a_plateau(design: Any) -> None:
    blocks = [stage.blocks for stage in built_stages(design)]
    low, high = depth_plateau(design)
    for depth, same in ((low, False), (low * (1 + 1e-6) + 1e-8, True), (high, True), (high * (1 + 1e-6), False)):
        if 0 < depth < 40:
            other = design.scaled(depth_mult=depth / design.depth_mult)
            assert ([stage.blocks for stage in built_stages(other)] == blocks) is same, (depth, low, high)
    narrow, wide = width_plateau(design)
    built = [run.block for run in design.runs()]
    assert narrow <= design.width_mult * (1 + 1e-12)
    assert wide >= design.width_mult * (1 - 1e-12)
    for width, same in ((narrow, True), (wide, True), (narrow - 1e-7, False), (wide + 1e-7, False)):
        try:
            other = design.scaled(width_mult=width / design.width_mult)
            found = [run.block for run in other.runs()] == built
        except DesignError:
            found = False
        assert found is same or narrow < 2e-3 or wide > 500, (width, narrow, wide)


def test_a_row_that_is_not_built_does_not_end_a_plateau() -> None:
    """GhostNet at a quarter of its depth leaves out rows whose widths would change first."""
    shallow = architecture("ghostnet").scaled(width_mult=0.25, depth_mult=0.25)
    narrow, _ = width_plateau(shallow)
    assert narrow < 0.2499
    built = [run.block for run in shallow.runs()]
    assert [run.block for run in replace(shallow, width_mult=narrow).runs()] == built
    assert [run.block for run in replace(shallow, width_mult=narrow - 1e-7).runs()] != built


def test_stages_of_the_released_networks() -> None:
    """Compare widths and repeats with the table of the reference implementation."""
    stages = {
        "b1": ("16,24,40,80,112,192,320", "2,3,3,4,4,5,2"),
        "b4": ("24,32,56,112,160,272,448", "2,4,4,6,6,8,2"),
        "b7": ("32,48,80,160,224,384,640", "4,7,7,10,10,13,4"),
    }
    for variant, (widths, repeats) in stages.items():
        body = [stage for stage in built_stages(architecture(f"efficientnet_{variant}")) if stage.scales]
        assert ",".join(str(stage.channels) for stage in body) == widths
        assert ",".join(str(stage.blocks) for stage in body) == repeats


def test_b1_is_not_phi_1() -> None:
    found = {f"b{i}": implied_phi(architecture(f"efficientnet_b{i}"), B0, ScalingRule()) for i in range(1, 8)}
    assert found["b1"].depth == pytest.approx(math.log(1.1, 1.2))
    assert found["b1"].width == 0
    assert found["b1"].resolution == pytest.approx(math.log(240 / 224, 1.15))
    assert found["b2"].depth == pytest.approx(1)
    assert found["b7"].macs == pytest.approx(math.log(37_745_884_192 / 385_814_752, 1.2 * 1.1**2 * 1.15**2))
    assert implied_phi(architecture("efficientnet_b1"), B0, ScalingRule(1, 1.1, 1.15)).depth is None


def test_nominal_rows() -> None:
    rows = stage_rows(B0, compound_scale(B0, 1))
    by_name = {row.built.name: row for row in rows}
    assert by_name["stage6"].promised_blocks == pytest.approx(4.8)
    assert by_name["stage6"].built.blocks == 5
    assert by_name["stage7"].promised_channels == pytest.approx(352)
    assert by_name["stage7"].built.channels == 352
    assert by_name["classifier"].promised_channels == by_name["classifier"].built.channels == 1000


def test_stairs_are_the_built_networks() -> None:
    found = stairs(B0, ScalingRule(), -2, 3)
    assert [each.phi for each in found.built] == pytest.approx([-2 + step / 40 for step in range(201)])
    for each in found.built[::17]:
        design = compound_scale(B0, each.phi)
        blocks, channels = built_body(design)
        report = analyze(design)
        assert each == (each.phi, report.macs, report.params, report.activations, blocks, channels, design.resolution)
    assert found.promised(2) == pytest.approx(
        (16 * 1.44, 784 * 1.21, 224 * 1.3225, 385_814_752 * ScalingRule().factor ** 2)
    )


def test_pins_exist_for_b0_only() -> None:
    assert [pin.label for pin in pins(B0, ScalingRule())] == [f"B{i}" for i in range(1, 8)]
    assert pins(architecture("mobilenet_v2"), ScalingRule()) == ()
    assert pins(B0.scaled(width_mult=1.1), ScalingRule()) == ()


# --- sweeps and the grid -------------------------------------------------------------------------------------------


def test_a_sweep_leaves_out_networks_that_cannot_be_built() -> None:
    deep = scaling_rules(ScalingRule())["depth"]
    found = sweep(B0, deep, [0, 3, 9])
    assert [each.phi for each in found] == [0, 3]
    assert found[0].macs == 385_814_752


def test_feasible_triples_by_brute_force() -> None:
    found = {tuple(each.rule) for each in feasible(B0, target=2, tolerance=0.05, step=0.05)}
    twentieth = Fraction(1, 20)
    expected = set()
    for i in range(25):
        for j in range(12):
            for k in range(12):
                alpha, beta, gamma = (1 + step * twentieth for step in (i, j, k))
                if abs(alpha * beta**2 * gamma**2 - 2) <= Fraction(1, 10):
                    expected.add((float(alpha), float(beta), float(gamma)))
    assert found == expected
    assert (1.2, 1.1, 1.15) in found
    for each in feasible(B0, tolerance=0.01, step=0.1):
        assert each.macs == analyze(compound_scale(B0, 1, *each.rule)).macs


def test_a_grid_that_is_too_fine_is_rejected() -> None:
    with pytest.raises(DesignError, match=r"^step = 0.001 makes a grid of .* points, at most 20,000$"):
        feasible(B0, step=0.001)


# --- the inverse ----------------------------------------------------------------------------------------------------


def amount(design: Any, quantity: str) -> int:
    return int(getattr(analyze(design), quantity))


@settings(max_examples=examples(25))
@given(
    name=st.sampled_from(SCALABLE),
    rule=any_rule,
    quantity=st.sampled_from(FIT_QUANTITIES),
    share=st.floats(0.5, 6.0),
    data=st.data(),
)
def test_the_next_larger_network_exceeds_the_budget(
    name: str, rule: ScalingRule, quantity: str, share: float, data: st.DataObject
) -> None:
    base = architecture(name)
    budget = share * amount(base, quantity)
    try:
        found = fit_phi(base, budget, quantity, rule)
    except DesignError:
        # The budget is below the baseline too, and the error contains the minimum.
        with pytest.raises(DesignError, match=r"budget = .* must be at least [0-9,]+: "):
            fit_phi(base, budget, quantity, rule)
        assert amount(base, quantity) > budget
        return
    assert found.design == rule.scaled(base, found.phi)
    assert found.value == amount(found.design, quantity) <= budget
    assert 0 <= found.next_phi - found.phi <= 1e-9 or found.next_phi == found.phi
    if found.beyond is not None:
        assert found.beyond == rule.scaled(base, found.next_phi)
        assert found.excess == amount(found.beyond, quantity) > budget
        # No network between the two or further up fits, because a larger phi never builds less.
        further = found.next_phi + data.draw(st.floats(0, 2))
        with suppress(DesignError):
            assert amount(rule.scaled(base, further), quantity) > budget


def test_a_budget_is_met_to_the_unit() -> None:
    largest = fit_phi(B0, 1e9)
    assert largest == fit_phi(B0, largest.value)
    below = fit_phi(B0, largest.value - 1)
    assert below.excess == largest.value > below.value


def test_errors_of_the_inverse() -> None:
    with pytest.raises(DesignError, match=r"^beta = 0.9 must be at least 1: "):
        fit_phi(B0, 1e9, rule=ScalingRule(1.2, 0.9, 1.15))
    with pytest.raises(DesignError, match=r"must be greater than 1: otherwise phi changes nothing$"):
        fit_phi(B0, 1e9, rule=ScalingRule(1, 1, 1))
    with pytest.raises(DesignError, match=r"^budget = 1.0 must be at least [\d,]+: the smallest network has phi = -"):
        fit_phi(B0, 1)
    with pytest.raises(DesignError, match=r"^quantity = 'flops' must be one of macs, "):
        fit_phi(B0, 1e9, "flops")
    with pytest.raises(DesignError, match=r"^budget = 0 must be greater than 0$"):
        fit_phi(B0, 0)


def test_a_budget_beyond_the_largest_network() -> None:
    found = fit_phi(B0, 1e17, rule=scaling_rules(ScalingRule())["depth"])
    assert found.beyond is None
    assert found.excess is None
    assert sum(run.repeats for run in found.design.runs()) <= 1000


# --- at one budget --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phi", [-1.5, 0.0, 1.0, 2.35])
def test_contenders_fit_the_budget_of_the_compound_network(phi: float) -> None:
    found, missing = contenders(B0, ScalingRule(), phi, tuple(NAMES))
    assert missing == ""
    budget = analyze(compound_scale(B0, phi)).macs
    assert [each.rule for each in found] == list(NAMES)
    for each in found:
        if each.rule == "baseline":
            assert each.design == B0
        else:
            assert analyze(each.design).macs <= budget
            assert analyze(each.design).macs > 0.75 * budget
    by_rule = {each.rule: each for each in found}
    base = B0
    assert by_rule["width"].design.depth_mult == 1
    assert by_rule["width"].design.resolution == base.resolution
    assert by_rule["depth"].design.width_mult == 1
    assert by_rule["depth"].design.resolution == base.resolution
    assert by_rule["resolution"].design.width_mult == 1 == by_rule["resolution"].design.depth_mult


def test_contenders_without_growth() -> None:
    found, missing = contenders(B0, ScalingRule(1, 1, 1), 1.0, ("compound", "width"))
    assert [each.rule for each in found] == ["compound"]
    assert missing.startswith("Width only: alpha * beta**2 * gamma**2 = 1.0 must be greater than 1")


def test_frames_have_equal_multiply_adds() -> None:
    drawn = frames(B0, ScalingRule())
    assert [frame.phi for frame in drawn] == [step / 4 for step in range(9)]
    for frame in drawn:
        budget = analyze(compound_scale(B0, frame.phi)).macs
        for each in frame.drawn:
            assert each.rule == "baseline" or 0.75 * budget < analyze(each.design).macs <= budget


def test_growth_of_activations() -> None:
    """Activations grow with the root of the multiply-adds for width, in proportion for depth and resolution."""
    powers = {name: growth(points) for name, points in curves(B0, ScalingRule(), 0, 6).items()}
    assert powers["width"] == pytest.approx(0.5, abs=0.05)
    assert powers["resolution"] == pytest.approx(1.0, abs=0.02)
    assert powers["depth"] == pytest.approx(1.0, abs=0.08)
    assert powers["width"] < powers["fast"] < powers["compound"] < powers["depth"]


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        ("efficientnet_b0", [0.386, 1.575, 1.450, 1.538, 1.800]),
        ("mobilenet_v1", [0.569, 2.216, 2.272, 2.44]),
        ("mobilenet_v2", [0.301, 1.220, 1.137, 1.199, None]),
        ("resnet50", [4.089, 14.57, 16.12, 16.35, None]),
    ],
)
def test_networks_from_the_printed_multipliers(name: str, counted: list[float | None]) -> None:
    rows = printed(architecture(name))
    assert len(rows) == len(counted)
    for row, expected in zip(rows, counted, strict=True):
        assert (row.counted is None) is (expected is None)
        if row.counted is not None and expected is not None:
            assert row.counted / 1e9 == pytest.approx(expected, abs=0.006)
        assert 70 < row.top1 < 82
    assert printed(architecture("ghostnet")) == ()
