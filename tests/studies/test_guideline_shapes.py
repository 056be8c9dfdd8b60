"""Shapes of ShuffleNetV2's guidelines: baselines, curves, and formulas whose numbers are the counts."""

from __future__ import annotations

import pytest
from cases import for_each
from latex import evaluated

from effviz.studies.guideline_shapes import Shape, ShapePair, compare, differing, formulas
from effviz.studies.guidelines.access import ARRANGEMENTS, FRAGMENT_COUNTS, GROUP_COUNTS, GUIDELINES, VARIANTS
from effviz.studies.guidelines.theory import elementwise_point, fragments_point, groups_point, ratio_curve, ratio_point

SHAPES = [
    *(Shape(ratio=ratio, channels=channels, resolution=side) for ratio, channels, side in
      [(1, 64, 56), (6, 64, 56), (12, 128, 28), (64, 16, 1)]),
    *(Shape("G2", groups=groups) for groups in GROUP_COUNTS),
    *(Shape("G3", fragments=count, arrangement=each, channels=48) for count in FRAGMENT_COUNTS
      for each in ARRANGEMENTS),
    *(Shape("G4", variant=variant, resolution=7) for variant in VARIANTS),
]  # fmt: skip


def told(found: ShapePair, memory: str) -> dict[str, int]:
    """The results in elements, by quantity."""
    return {
        each.quantity: int(each.value.replace(",", "")) for each in formulas(found, memory) if each.unit == "elements"
    }


@for_each("shape", SHAPES, ids=str)
@for_each("memory", ["paper", "fused", "eager"])
def test_formulas_give_the_counts(shape: Shape, memory: str) -> None:
    found = compare(shape)
    for each in formulas(found, memory):
        if not each.value.endswith("%"):
            assert round(evaluated(each.numbers)) == int(each.value.replace(",", ""))
    results = told(found, memory)
    if shape.guideline == "G4":
        assert results["Convolutions"] == found.now.memory_access["paper"]
        assert sum(results.values()) == found.now.memory_access["eager"]
    else:
        assert results["Memory access"] == found.now.memory_access[memory]
    if shape.guideline == "G1":
        assert results["Lower bound"] == round(found.least)
        assert found.over_least(found.now, "fused") >= 1 - 1e-9


def test_baselines_and_curves() -> None:
    found = compare(Shape(ratio=12, channels=128, resolution=28))
    assert (found.now, found.base) == (ratio_point(128, 12, 28), ratio_point(128, 1, 28))
    assert found.curves == {"convolution": ratio_curve(128, 28)}
    assert max(point.x for point in compare(Shape(ratio=60)).curves["convolution"]) > 16
    found = compare(Shape("G2", groups=8))
    assert (found.now, found.base) == (groups_point(64, 8), groups_point(64, 1))
    assert found.curves["both widened"][-1] == groups_point(64, 16, widened=True)
    found = compare(Shape("G3", fragments=8, arrangement="series"))
    assert (found.now, found.base) == (fragments_point(64, 8, "series"), fragments_point(64, 1, "series"))
    assert list(found.curves) == ["in series", "in parallel"]
    found = compare(Shape("G4", variant="relu"))
    assert (found.now, found.base) == (elementwise_point(64, "relu"), elementwise_point(64, "neither"))
    assert found.factor("eager") == found.now.memory_access["eager"] / found.base.memory_access["eager"]


@pytest.mark.parametrize("guideline", GUIDELINES)
def test_a_baseline_is_replaced_by_the_default_shape(guideline: str) -> None:
    same = Shape(guideline, 28, 96, ratio=1, groups=1, fragments=1, variant="neither")
    assert differing(compare(same)) == compare(Shape(guideline, 28, 96))
    other = compare(Shape(guideline, 28, 96, ratio=3, groups=8, fragments=2, variant="relu"))
    assert differing(other) is other
