"""Smallest resolution and width of a design: the limit builds, one step below it does not."""

from __future__ import annotations

import pytest
from cases import for_each

import effviz
from effviz import ARCHITECTURES, DesignError
from effviz.advice.smallest import smallest_resolution, smallest_width


@for_each("name", list(ARCHITECTURES))
def test_the_limit_builds_and_one_step_below_does_not(name: str) -> None:
    design = effviz.architecture(name)
    side = smallest_resolution(design)
    design.blocks(side)
    if side > 1:
        with pytest.raises(DesignError):
            design.blocks(side - 1)
    width = smallest_width(design)
    design.scaled(width_mult=width).blocks()
    if width > 0.1:
        with pytest.raises(DesignError):
            design.scaled(width_mult=width - 0.05).blocks()


def test_known_limits() -> None:
    assert smallest_resolution(effviz.architecture("alexnet")) == 63
    assert smallest_width(effviz.architecture("mobilenet_v2")) == 0.1
    assert smallest_width(effviz.architecture("shufflenet_v1")) == 0.5
