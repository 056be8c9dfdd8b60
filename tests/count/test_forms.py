"""Counts from one trace equal those of a trace at each resolution."""

from __future__ import annotations

import random

import pytest
from cases import for_each
from examples import designs
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

import effviz
from effviz import Design, Stage
from effviz.core.errors import DesignError, if_legal
from effviz.core.resolution import Resolution
from effviz.count.forms import FormTotals, count_at, network_form
from effviz.count.memory import ASSUMPTIONS
from effviz.zoo import GROUPS

RESOLUTIONS: tuple[Resolution, ...] = (1, 17, 32, 61, 96, 130, 224, 257, (96, 224), (33, 500))


def analyzed(design: Design, resolution: Resolution, memory: str) -> FormTotals | None:
    """The same counts by `effviz.analyze`; None if the network cannot be built."""
    report = if_legal(lambda: effviz.analyze(design, resolution, memory))
    if report is None:
        return None
    return FormTotals(report.params, report.macs, report.memory_access, report.peak_activation)


def scaled(base: Design, width: float, depth: float) -> Design:
    """The design at these multipliers; unchanged if its family does not have them."""
    return if_legal(lambda: base.scaled(width_mult=width, depth_mult=depth)) or base


@pytest.mark.slow
@for_each("name", effviz.list_architectures())
def test_every_network_of_the_zoo(name: str) -> None:
    draw = random.Random(name)
    for groups in GROUPS.get(name, (None,)):
        base = effviz.architecture(name, **({} if groups is None else {"groups": groups}))
        for _ in range(examples(3)):
            width, depth = draw.choice((0.25, 0.35, 0.5, 1.0, 1.3, 2.0)), draw.choice((0.6, 1.0, 1.0, 1.4))
            design = scaled(base, width, depth)
            memory = draw.choice(sorted(ASSUMPTIONS))
            assert network_form(design, memory) is not None
            chosen = tuple(draw.sample(RESOLUTIONS, 4))
            assert count_at(design, chosen, memory) == [analyzed(design, each, memory) for each in chosen]


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=examples(40))
@given(design=designs(), side=st.integers(1, 300), memory=st.sampled_from(sorted(ASSUMPTIONS)))
def test_random_designs(design: Design, side: int, memory: str) -> None:
    if if_legal(lambda: design.runs()) is None:
        return
    assert count_at(design, (side,), memory) == [analyzed(design, side, memory)]


def test_a_block_without_a_form_is_analyzed() -> None:
    flat = Design("flat", (Stage("conv", 8, stride=2, name="stem"), Stage("linear", 5, name="head")), resolution=16)
    assert network_form(flat) is None
    assert count_at(flat, (16, 17)) == [analyzed(flat, side, "fused") for side in (16, 17)]


def test_a_network_that_cannot_be_built_has_no_counts() -> None:
    alexnet = effviz.architecture("alexnet")
    assert count_at(alexnet, (16, 224))[0] is None
    with pytest.raises(DesignError, match="max_pool2"):
        count_at(alexnet.scaled(resolution=16), (224,))
