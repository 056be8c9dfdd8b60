"""Tests of breaches and remedies: the parts of a network that break limits, and the changes that help."""

from __future__ import annotations

from itertools import repeat

import oracle
import pytest

from effviz import Design, Stage, analyze, architecture, build
from effviz.advice.amounts import checked_amount
from effviz.advice.breaches import breaches
from effviz.advice.budgets import Budget, check, read_limits
from effviz.advice.edits import row_edit, setting_edit
from effviz.advice.remedies import diagnose
from effviz.core.errors import DesignError

LARGE = architecture("mobilenet_v3_large")
TIGHT = {"params": "4M", "macs": "300M", "peak_activation": "512kB"}


def test_the_peak_names_its_step_its_tensors_and_all_rows_beyond_the_limit() -> None:
    report = analyze(LARGE)
    (breach,) = breaches(report, check(report, read_limits({"peak_activation": "512kB"}, "int8")))
    assert breach.sentence == (
        "Peak activation memory is 1,004 kB (int8), 196 % of the limit of 512 kB. The peak is at stage2.0.expand.conv "
        "in row 3, with 2 tensors in memory: 16 × 112 × 112 of stage1.0 and 64 × 112 × 112 of stage2.0.expand.conv."
    )
    assert [(each.row, each.value) for each in breach.rows] == [(2, 1_003_520), (1, 602_112), (3, 526_848)]
    peak, path = oracle.peak_activation(build(LARGE, device="meta"), LARGE.input_shape())
    assert sum(each.size for each in breach.tensors) == peak
    assert f" {breach.step}:" in path


@pytest.mark.parametrize(
    ("name", "dtype"), [("mobilenet_v2", "float32"), ("densenet121", "int8"), ("shufflenet_v2", "int8")]
)
def test_parts_add_up(name: str, dtype: str) -> None:
    report = analyze(architecture(name))
    limits = read_limits(dict.fromkeys(("params", "macs", "memory_access", "peak_activation", "weight_size"), 1),
                         dtype)  # fmt: skip
    found = {each.verdict.budget.quantity: each for each in breaches(report, check(report, limits))}
    peak = found.pop("peak_activation")
    assert sum(each.size for each in peak.tensors) == peak.verdict.value
    assert max(each.value for each in peak.rows) == peak.verdict.value
    for breach in found.values():
        assert breach.verdict.value is not None
        assert sum(each.value for each in breach.rows) <= breach.verdict.value
        assert [each.value for each in breach.rows] == sorted((each.value for each in breach.rows), reverse=True)
        assert all(each.share == pytest.approx(each.value / breach.verdict.value) for each in breach.rows)


def test_the_input_alone_can_exceed_the_limit() -> None:
    report = analyze(Design("pool", (Stage("flatten"),), resolution=32))
    (breach,) = breaches(report, check(report, [Budget("peak_activation", 100, "int8")]))
    assert [(each.path, each.row) for each in breach.tensors] == [("input", None)]


def test_every_limit_is_previewed_exactly() -> None:
    found = diagnose(LARGE, TIGHT, dtype="int8")
    assert [each.verdict.budget.quantity for each in found.breaches] == ["params", "peak_activation"]
    assert found.remedies
    for each in found.remedies:
        budgets = [one.budget for one in found.verdicts]
        assert each.after == check(analyze(each.design), budgets)
        assert each.before == found.verdicts
        now = LARGE
        for edit in each.edits:
            now = edit.apply(now)
        assert not each.edits or now == each.design
        assert each.sentence.endswith("costs accuracy (not predicted).") == (each.capacity < 1)
    closed = [round(each.closed, 6) for each in found.remedies]
    assert closed == sorted(closed, reverse=True)
    assert closed[0] == 1
    words = " ".join(each.label for each in found.remedies)
    assert all(part in words for part in ("Use stride 2", "expand ratio", "px instead", "width by", "channels instead"))


def test_a_fix_that_breaks_another_limit_says_so() -> None:
    found = diagnose(architecture("mobilenet_v2"), {"macs": "310M", "peak_activation": "1 MB"}, dtype="int8")
    (broken,) = [each for each in found.remedies if each.breaks]
    assert (broken.closes, broken.breaks) == (("peak_activation",), ("macs",))
    assert broken.sentence == (
        "Closes peak activation memory (151 % to 80.3 %); raises multiply-adds to 113 %: breaks its limit; costs "
        "accuracy (not predicted)."
    )
    assert (broken.rule, broken.edits) == ("depthwise_on_large_maps", ())
    assert found.remedies[0].closed == 1
    assert not found.remedies[0].breaks


def test_limits_that_are_met_need_no_remedy() -> None:
    found = diagnose(LARGE, {"macs": "1G", "latency": "1ms"})
    assert ([each.passed for each in found.verdicts], found.breaches, found.remedies) == ([True, None], (), ())


def test_a_table_of_a_thousand_rows() -> None:
    design = Design(
        "long", tuple(Stage("conv", 16 + row % 7 * 8, name=f"s{row}") for row in range(1000)), resolution=32
    )
    found = diagnose(design, {"params": 10**6, "peak_activation": 10**4}, dtype="int8")
    assert len(found.breaches) == 2
    assert found.remedies


@pytest.mark.parametrize("name", ["", "title", "stages", "__class__"])
def test_only_a_setting_can_be_set(name: str) -> None:
    with pytest.raises(DesignError, match="must be one of width_mult, depth_mult, resolution"):
        setting_edit(LARGE, name, 2.0)


def test_a_multiplier_is_a_number() -> None:
    with pytest.raises(DesignError, match=r"^value = \(1, 2\) must be a number"):
        setting_edit(LARGE, "width_mult", (1, 2))


@pytest.mark.parametrize("rows", [(), (-1,), (0, 99)])
def test_an_edit_names_rows_of_the_table(rows: tuple[int, ...]) -> None:
    with pytest.raises(DesignError, match=r"^rows? = "):
        row_edit(LARGE.stages, rows, (("kernel_size", 5),))


def test_limits_without_an_end_are_refused_at_once() -> None:
    with pytest.raises(DesignError, match="must have one limit for each quantity"):
        read_limits(repeat(Budget("macs", 1)))
    with pytest.raises(DesignError, match="quantity = 'x' must be one of"):
        checked_amount("limit", 1, "x")
