"""MnasNet's objective on published networks."""

from __future__ import annotations

import math

import pytest

from effviz import DesignError
from effviz.studies.objective import (
    PAPER_HARD_W,
    PAPER_SOFT_W,
    Objective,
    TimedNetwork,
    constrained,
    hard,
    objective,
    own_networks,
    phones,
    ranked,
    soft,
)

FAST, GOOD, BEST = (
    TimedNetwork("fast", "A", 70.0, 10.0, "s"),
    TimedNetwork("good", "B", 74.0, 20.0, "s"),
    TimedNetwork("best", "C", 76.0, 60.0, "s"),
)
ALL = (GOOD, BEST, FAST)
PADDLE = "Snapdragon 855 bs=1 (Paddle-Lite). PaddlePaddle/PaddleClas docs/en/models/Mobile_en.md @18840f1"


def titles(by: Objective) -> list[str]:
    return [each.network.title for each in ranked(ALL, by)]


def test_the_value_is_that_of_the_paper() -> None:
    """Section 3.1: at w = -0.07, doubling the latency is worth 5 % of accuracy."""
    by = soft(PAPER_SOFT_W, 75)
    assert by.value(75.2, 75) == 75.2
    assert by.value(1.05, 2 * 40) / by.value(1.0, 40) == pytest.approx(1.05 * 2**-0.07)
    assert by.value(1.05, 2 * 40) == pytest.approx(by.value(1.0, 40), rel=0.001)
    by = hard(PAPER_HARD_W, 75)
    assert by.value(70, 30) == by.value(70, 75) == 70
    assert by.value(70, 150) == pytest.approx(35)


def test_w_of_0_ranks_by_accuracy() -> None:
    assert titles(soft(0, 20)) == titles(hard(0, 20)) == ["best", "good", "fast"]


def test_a_low_w_ranks_by_latency() -> None:
    assert titles(soft(-5, 20)) == ["fast", "good", "best"]


def test_the_forms_differ() -> None:
    assert titles(soft(PAPER_SOFT_W, 20)) == ["good", "fast", "best"]
    assert titles(hard(PAPER_HARD_W, 20)) == ["good", "fast", "best"]
    assert titles(constrained(20)) == ["good", "fast", "best"]
    assert titles(constrained(60)) == ["best", "good", "fast"]
    assert [each.value for each in ranked(ALL, constrained(20))] == [74.0, 70.0, 0.0]
    assert objective("constrained", -0.5, 20) == constrained(20)
    assert objective("hard", -1.0, 20) == Objective(20, 0, -1) == hard(-1.0, 20)


def test_equal_values_share_a_rank() -> None:
    twin = FAST._replace(title="twin")
    assert [(each.rank, each.network.title) for each in ranked([twin, FAST, GOOD], soft(0, 20))] == [
        (1, "good"), (2, "fast"), (2, "twin"),
    ]  # fmt: skip


def test_an_iso_line_has_one_value() -> None:
    for by in (soft(-0.07, 20), hard(-1, 20)):
        for latency in (5.0, 20.0, 50.0):
            assert by.value(by.top1_for(70, latency), latency) == pytest.approx(70)
    assert constrained(20).top1_for(70, 30) == math.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0, 0, 0), "target_ms = 0 must be greater than 0"), ((1, 0.5, 0), "alpha = 0.5 must be at most 0"),
     ((1, 0, -11), "beta = -11 must be at least -10"), ((math.nan, 0, 0), "target_ms = nan must be finite")],
)  # fmt: skip
def test_illegal_objectives_are_refused(arguments: tuple[float, float, float], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        Objective(*arguments)


def test_phones_are_comparable_networks_as_published() -> None:
    known = phones()
    assert len(known) >= 20
    assert all(len(each) >= 5 for each in known.values())
    assert not [place for place in known if "4090" in place or "Xeon" in place]
    networks = {each.title: each for each in known[PADDLE]}
    assert len(networks) == 29
    assert networks["MobileNetV3-Large"][2:4] == (75.3, 19.308)
    # The paper's own comparison: within 20 ms, an efficient network beats a larger, older one.
    assert ranked(known[PADDLE], hard(-1, 20))[0].network.title == "GhostNet 1.3×"
    assert ranked(known[PADDLE], soft(0, 20))[0].network.title == "MobileNetV3-Large 1.25×"


def test_own_latencies_are_joined_with_published_accuracies() -> None:
    found = own_networks({"MobileNetV2": (12.5, True), "ResNet-18": (20.0, False), "MobileNetV2 0.5x": (6.0, False)})
    assert {each.title: (each.top1, each.latency_ms, each.noisy) for each in found} == {
        "MobileNetV2": (71.8, 12.5, True), "ResNet-18": (69.758, 20.0, False), "MobileNetV2 0.5x": (65.4, 6.0, False),
    }  # fmt: skip
    assert own_networks({}) == ()
