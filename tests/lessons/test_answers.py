"""Answers of lessons: computed, and equal to numbers that were not computed by effviz."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

import effviz
from effviz import DesignError
from effviz.advice.lint import lint
from effviz.lessons.answers import FUNCTIONS, compute
from effviz.lessons.lesson import ORDER, lesson
from effviz.ui.widgets.glossary import explained

B0 = {"architecture": "efficientnet_b0"}


def answers(name: str) -> dict[str, float]:
    return {step.name: step.prediction.value() for step in lesson(name).steps if step.prediction is not None}


def golden(name: str, column: str) -> int:
    with (Path(__file__).parents[1] / "zoo" / "goldens.csv").open(encoding="utf-8") as file:
        (row,) = (
            row
            for row in csv.DictReader(line for line in file if not line.startswith("#"))
            if row["architecture"] == name
            and row["width_mult"] in ("", "1.0", "1")
            and row["resolution"] in ("", "224")
        )
    return int(row[column])


def test_answers_about_compound_scaling() -> None:
    found = answers("compound_scaling")
    raised = [1.3 * 1.1**2 * 1.15**2, 1.2 * 1.2**2 * 1.15**2, 1.2 * 1.1**2 * 1.25**2]
    assert found["constraint"] == raised.index(max(raised))
    # The network of φ = 3 has 31 blocks instead of 27.6, 341 px, and more multiply-adds than promised.
    promised = (1.2 * 1.1**2 * 1.15**2) ** 3
    assert promised < found["promise"] / 0.386 < promised * 31 / 27.6 * 1.08
    assert found["staircase"] == sum(math.ceil(blocks * 1.2**0.25) for blocks in (1, 2, 2, 3, 3, 4, 1))
    # torchvision's count of B4 is below the promise of φ = 4, and no stage of B0 loses a block at φ = −1.
    assert 4.39 / 0.386 < (1.2 * 1.1**2 * 1.15**2) ** 3.95
    assert found["family"] == 0
    assert sum(math.ceil(blocks / 1.2) for blocks in (1, 2, 2, 3, 3, 4, 1)) == 16
    assert found["budget"] == 2
    # Tables 2 and 7 of the paper.
    assert found["returns"] == pytest.approx(84.3 - 84.0)
    assert found["one_axis"] == [79.0, 78.9, 79.1, 81.1].index(81.1)
    # torchvision's counts of B0 and ResNet-50, in G multiply-adds.
    assert found["baseline"] == pytest.approx(100 * 0.386 / 4.089, abs=0.02)
    # Notes on table 7: 1.58, 1.45 and 1.54 G with torchvision's code at d = 4, w = 2 and 448 px.
    assert found["width"] == pytest.approx(1.45 / 0.386, rel=0.005)
    assert found["resolution"] == pytest.approx(1.54 / 0.386, rel=0.005)
    deep = compute({"function": "ratio", "quantity": "macs", "of": B0 | {"depth": 4}, "to": B0})
    assert deep == pytest.approx(1.58 / 0.386, rel=0.005)
    assert 1.9 < found["depth"] < 2.1


def test_answers_about_mobilenet() -> None:
    found = answers("mobilenet")
    assert found["standard"] == 9 * 128 * 128 * 28 * 28 / 1e6
    assert found["depthwise"] == 128
    assert found["separable"] == pytest.approx(1 / (1 / 128 + 1 / 9))
    assert found["pointwise"] == pytest.approx(100 * 128 / (128 + 9))
    # Published: 15.47 G for VGG-16 with its linear layers, 569 M for MobileNetV1 and 149 M at width 0.5.
    assert found["v1"] == pytest.approx(15470 / 569, rel=0.001)
    assert found["multipliers"] == pytest.approx(100 * 149.5 / 568.7, abs=0.1)
    assert found["inverted"] == pytest.approx(100 * (12 * 24**2 + 54 * 24) / (18 * 24**2))
    squeezed = 576 // 4
    block = 2 * 96 * 576 + 9 * 576 + 2 * (576 + 576 + 96)
    assert found["excite"] == pytest.approx(100 * (2 * 576 * squeezed + 576 + squeezed) / block)
    assert found["linear"] == 2


def test_answers_about_latency() -> None:
    found = answers("latency")
    # Table 8 of ShuffleNetV2: images and batches per second.
    assert found["equal"] == [16.5, 14.9, 21.8, 24.4].index(24.4)
    assert found["devices"] == pytest.approx(247 / 180, abs=0.001)
    # Tables 1 and 3, on the GPU.
    assert found["g1_speed"] == pytest.approx(100 * 748 / 1480)
    assert found["g3"] == 3
    assert 691 / 2446 < 0.4
    pixels, fixed, narrow, wide = 56**2, 128 * 128, 37, 443
    theory = (pixels * (narrow + wide) + narrow * wide) / (pixels * 256 + fixed)
    assert found["g1"] == pytest.approx(theory, rel=0.01)
    assert found["g2"] == pytest.approx((pixels * 128 * 5 + fixed) / (pixels * 256 + fixed))


def test_answers_about_design() -> None:
    found = answers("design")
    # The set at the first depthwise convolution with stride 2, by hand.
    assert found["peak"] == (96 * 112**2 + 96 * 56**2) / 1024
    assert found["weights"] == pytest.approx((3_504_872 - 998 * 1281) / 2**20)
    assert found["levers"] == 1
    assert found["use"] == 2
    assert found["resolution"] == 132
    buffers = effviz.build(effviz.architecture("mobilenet_v2", width_mult=0.25)).buffers()
    assert found["export"] == sum(each.numel() for each in buffers if each.ndim)


@pytest.mark.parametrize("name", ORDER)
def test_no_text_has_an_open_place(name: str) -> None:
    for step in lesson(name).steps:
        # A text links terms of the glossary, which raises an error for unknown ones.
        texts = [explained(step.text), step.look, explained(step.explanation), step.teacher]
        if step.prediction is not None:
            texts += [step.prediction.asked(), step.prediction.show(step.prediction.value())]
        assert not [text for text in texts if "[[" in text or "$ $" in text]


@pytest.mark.parametrize(
    ("formula", "problem"),
    [
        ({"function": "nothing"}, "function = 'nothing' is unknown"),
        ({"function": "count", "quantity": "macs"}, "count: missing a required argument: 'of'"),
        ({"function": "count", "quantity": "weight", "of": B0}, "quantity = 'weight'"),
        ({"function": "count", "quantity": "macs", "of": {}}, "must have one of architecture, block, convolution"),
        ({"function": "count", "quantity": "macs", "of": B0 | {"wide": 1}}, "wide"),
        ({"function": "published", "column": "top1", "variant": "B9", "source": "EfficientNet"}, "0 values of top1"),
        ({"function": "highest_resolution", "of": B0, "limit": 10}, "is exceeded at 32 pixels"),
    ],
)
def test_a_wrong_formula_is_described(formula: dict[str, object], problem: str) -> None:
    with pytest.raises(DesignError) as caught:
        compute(formula)
    assert problem in str(caught.value)


def test_a_reference_to_nothing_is_described() -> None:
    with pytest.raises(DesignError, match="given value = 'phi' is unknown"):
        compute({"function": "promised", "phi": "$phi"})


def test_every_function_is_described_and_used_or_tried() -> None:
    assert len(FUNCTIONS) > 15
    assert all(function.__doc__ for function in FUNCTIONS.values())


def test_the_goal_of_the_suggestions_is_reached_by_fixes_alone() -> None:
    """One order of the fixes keeps the limit, the other one exceeds it."""
    (step,) = (each for each in lesson("design").steps if each.name == "fix")
    assert step.goal is not None
    start = effviz.architecture("mobilenet_v2", num_classes=10)
    goals = {}
    for first in lint(start):
        assert first.fix is not None
        design = first.fix.design
        while (fixes := [each.fix for each in lint(design) if each.fix]) and len(fixes) > 1:
            design = fixes[0].design
        goals[first.rule] = step.goal.is_met(effviz.analyze(design))
    assert goals == {"unequal_widths": True, "depthwise_on_large_maps": False}
