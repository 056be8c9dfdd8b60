"""Compound scaling: helpers behind its page."""

from __future__ import annotations

import pytest

import effviz
from effviz.advice.scaling import ScalingRule, compound_scale, fit_phi
from effviz.studies.scaling import LETTERS, around, examples, growth_text, held_base, scalable, stage_rows

B0 = effviz.architecture("efficientnet_b0")


def test_networks_with_any_width_can_be_scaled() -> None:
    assert set(effviz.ARCHITECTURES) - set(scalable()) == {"shufflenet_v1"}


@pytest.mark.parametrize("held", LETTERS)
@pytest.mark.parametrize("target", [2.0, 3.0])
def test_a_held_base_keeps_the_constraint(held: str, target: float) -> None:
    others = {"alpha": 1.2, "beta": 1.1, "gamma": 1.15}
    del others[held]
    assert ScalingRule(**{held: held_base(held, others, target), **others}).factor == pytest.approx(target)
    assert held_base("gamma", {"alpha": 3, "beta": 1.5}) < 1


def test_examples_are_the_stages_that_rounding_changes_most() -> None:
    rows = stage_rows(B0, compound_scale(B0, 1))
    deep, wide = examples(rows)
    scaled = [row for row in rows if row.base.scales]
    assert deep.built.blocks - deep.promised_blocks == max(row.built.blocks - row.promised_blocks for row in scaled)
    assert abs(wide.built.channels / wide.promised_channels - 1) == max(
        abs(row.built.channels / row.promised_channels - 1) for row in scaled
    )


def test_costs_around_a_phi_that_fits() -> None:
    fit = fit_phi(B0, 1.8e9)
    found = around(B0, ScalingRule(), fit.phi, "macs", "fused")
    assert len(found) == 49
    assert found[24] == (fit.phi, fit.value)
    for phi, macs in found[::12]:
        assert macs == effviz.analyze(compound_scale(B0, phi)).macs
    assert all(macs <= 1.8e9 for phi, macs in found if phi <= fit.phi)
    assert len(around(B0, ScalingRule(3.0, 1.0, 1.0), 8.0, "params", "fused")) < 49, "too deep to build"


def test_growth_in_words() -> None:
    assert growth_text(B0, compound_scale(B0, 1)) == "16 → 23 blocks, 784 → 856 channels over all stages, 224 → 258 px"
    assert growth_text(B0, B0.scaled(resolution=225)) == "224 → 225 px"
    assert growth_text(B0, B0) == "a wider stem or head"
