"""Designs at several depths within one budget: each is the one that the solver finds alone."""

from __future__ import annotations

import pytest

import effviz
from effviz.studies.equal_budget import NAMES, at_depths, ratios, tradable, tried_width, widened
from effviz.studies.width_depth.designs import stage_widths, template
from effviz.studies.width_depth.fit import OverBudgetError, fit_width

BASE = template("inverted_residual")
BUDGET = 300_000_000


def test_each_design_is_that_of_the_solver() -> None:
    found = at_depths(BASE, BUDGET, 3, 2.0, "eager")
    assert found.names == ["Wide", "Balanced", "Deep"]
    assert found.left_out == ()
    for each, depth in zip(found.variants, (0.5, 1, 2), strict=True):
        assert each.fit == fit_width(BASE, BUDGET, depth_mult=depth)
        assert each.report.memory_access == effviz.analyze(each.design, memory="eager").memory_access
        assert each.widths == stage_widths(each.design)
    assert at_depths(BASE, BUDGET, 5, 1.5).names == list(NAMES.values())
    assert at_depths(BASE, BUDGET, 2, 3.0).names == ["Balanced", "Deep"]


def test_the_baseline_and_what_it_is_compared_with() -> None:
    found = at_depths(BASE, BUDGET, 3, 2.0)
    wide, balanced, deep = found.variants
    assert found.base is balanced
    assert (found.reference(wide), found.reference(balanced), found.reference(deep)) == (balanced, wide, balanced)
    assert found.named("Deep") is deep
    compared = ratios(deep, balanced)
    assert compared.blocks == 2
    assert compared.widths == sum(deep.widths.values()) / sum(balanced.widths.values())
    assert compared.activations == deep.report.activations / balanced.report.activations
    assert compared.params == deep.report.params / balanced.report.params


def test_depths_without_a_design_are_named() -> None:
    found = at_depths(BASE, 20_000_000, 3, 2.0)
    assert found.names == ["Wide"]
    assert found.reference(found.base) is None
    for left, depth in zip(found.left_out, (1, 2), strict=True):
        with pytest.raises(OverBudgetError) as raised:
            fit_width(BASE, 20_000_000, depth_mult=depth)
        assert left.least == raised.value.least
    shallow = at_depths(template("inverted_residual", 1), BUDGET, 5, 2.0)
    assert shallow.names == ["Balanced", "Deep", "Deepest"]
    assert [f"{left.name}: {left.why}" for left in shallow.left_out] == [
        "Widest: no shallower than Wide, because every stage keeps a block",
        "Wide: no shallower than Balanced, because every stage keeps a block",
    ]


def test_the_next_network_up_is_wider() -> None:
    for depth in (0.5, 1, 2):
        fit = fit_width(template("inverted_residual", divisor=1), BUDGET, depth_mult=depth)
        assert fit.above is not None
        now, then = (stage_widths(design) for design in (fit.design, fit.above))
        assert {stage: width for stage, width in widened(fit).items() if stage in now} == {
            stage: width for stage, width in then.items() if now[stage] != width
        }
    widest = fit_width(template("shuffle_v1", resolution=32), 10**12, depth_mult=0.25)
    assert widest.above is None
    assert widened(widest) == {}


def test_another_depth_or_resolution_changes_the_width() -> None:
    found = at_depths(BASE, BUDGET, 3, 2.0)
    now = sum(found.base.widths.values())
    deep = sum(stage_widths(fit_width(BASE, BUDGET, depth_mult=3).design).values())
    assert tried_width(found, depth_mult=3) == deep / now
    half = sum(stage_widths(fit_width(BASE, BUDGET, resolution=112).design).values())
    assert tried_width(found, resolution=112) == half / now


def test_networks_whose_stages_have_one_free_width() -> None:
    names = {name for name in effviz.ARCHITECTURES if tradable(name)}
    assert {"mobilenet_v2", "resnet50", "efficientnet_b7", "shufflenet_v2"} < names
    assert not {"densenet121", "squeezenet1_1", "shufflenet_v1"} & names
