"""ShuffleNetV2's guidelines: closed forms against the engine, the experiments against the tables, verdicts by hand."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import oracle
import pytest
from cases import for_each
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

import effviz
from effviz import analyze
from effviz.charts.memory.intensity import intensity_bars
from effviz.charts.memory.moved import moved_chart
from effviz.charts.memory.speed import Machine, contradiction, finding, speed_dots
from effviz.charts.memory.theory import Unit, elementwise_chart, fragments_chart, groups_chart, ratio_chart
from effviz.charts.style import DARK, LIGHT, Appearance, Chart
from effviz.core.text import with_letter
from effviz.core.units import si
from effviz.count.memory import ASSUMPTIONS
from effviz.studies.guidelines.access import (
    ARRANGEMENTS,
    DEVICES,
    FRAGMENT_COUNTS,
    GROUP_COUNTS,
    GUIDELINES,
    SCALES,
    VARIANTS,
    bottleneck_access,
    conv_access,
    fragments_access,
    groups_access,
    least_access,
    ratio_access,
    widened_access,
)
from effviz.studies.guidelines.experiments import (
    Case,
    cases,
    column,
    distinct,
    printed,
    printed_speed,
    unexplained,
    verdict,
)
from effviz.studies.guidelines.theory import (
    Point,
    conv_design,
    elementwise_point,
    fragment_width,
    fragments_point,
    groups_point,
    intensities,
    ratio_curve,
    ratio_point,
    ratio_widths,
)

repeatable = settings(max_examples=examples(30))
sides = st.integers(1, 130)
channels = st.integers(1, 600)
every_memory = pytest.mark.parametrize("memory", ASSUMPTIONS)
every_column = for_each(("guideline", "device", "scale"), list(product(GUIDELINES, DEVICES, SCALES)))
CSV = Path(effviz.__file__).parent / "zoo" / "published" / "shufflenet_v2_guidelines.csv"


# --- closed forms -----------------------------------------------------------------------------------------------------


@given(side=sides, narrow=channels, wide=channels)
@repeatable
def test_no_convolution_moves_less_than_the_bound(side: int, narrow: int, wide: int) -> None:
    report = analyze(conv_design(narrow, wide, 1, side))
    access = conv_access(side**2, narrow, wide)
    assert report.macs == side**2 * narrow * wide
    # Neither norm nor activation nor bias: the three assumptions agree.
    assert set(report.memory_accesses.values()) == {access}
    least = least_access(side**2, report.macs)
    assert access >= least * (1 - 1e-12)
    assert math.isclose(access, least, rel_tol=1e-12) == (narrow == wide)
    assert ratio_access(side**2, report.macs, wide / narrow) == pytest.approx(access)


@given(side=sides, width=channels)
@repeatable
def test_the_bound_is_reached_at_equal_widths(side: int, width: int) -> None:
    point = ratio_point(width, 1, side)
    assert point.widths == f"{width} → {width}"
    assert point.memory_access["paper"] == pytest.approx(least_access(side**2, point.macs), rel=1e-12)


@given(width=st.integers(8, 600), ratio=st.floats(1, 64))
@repeatable
def test_ratios_keep_the_multiply_adds_but_for_rounding(width: int, ratio: float) -> None:
    narrow, wide = ratio_widths(width, ratio)
    # The wide one is rounded by at most a half.
    assert abs(narrow * wide - width**2) <= narrow / 2
    assert abs(narrow - width / math.sqrt(ratio)) <= max(0.5, 1 - width / math.sqrt(ratio))


@pytest.mark.parametrize("width", [16, 48, 64, 512])
@pytest.mark.parametrize("most", [16, 64])
def test_the_curve_of_ratios(width: int, most: int) -> None:
    curve = ratio_curve(width, 56, most)
    ratios = [point.x for point in curve]
    assert ratios == sorted(set(ratios))
    assert 1 in ratios
    assert 1 / most <= ratios[0] < 0.2
    assert 5 < ratios[-1] <= most
    for point in curve:
        assert point.macs == pytest.approx(56**2 * width**2, rel=0.005)
        assert point.memory_access["fused"] == pytest.approx(ratio_access(56**2, point.macs, point.x))
    least = min(curve, key=lambda point: point.memory_access["fused"] / least_access(56**2, point.macs))
    assert least.x == 1


@given(side=sides, unit=st.integers(1, 40), groups=st.sampled_from(GROUP_COUNTS))
@repeatable
def test_groups_at_fixed_input(side: int, unit: int, groups: int) -> None:
    width = 16 * unit
    point = groups_point(width, groups, side)
    assert point.macs == side**2 * width**2
    assert point.params == width**2
    for access in point.memory_access.values():
        assert access == pytest.approx(groups_access(side**2, width, point.macs, groups))
    if groups > 1:
        assert point.memory_access["fused"] > groups_point(width, groups // 2, side).memory_access["fused"]


@given(side=sides, unit=st.integers(1, 40), groups=st.sampled_from(GROUP_COUNTS))
@repeatable
def test_groups_with_both_widths_grown(side: int, unit: int, groups: int) -> None:
    width = 16 * unit
    point = groups_point(width, groups, side, widened=True)
    built = int(point.widths.split(" → ")[0])
    assert built % groups == 0
    assert abs(built - width * math.sqrt(groups)) <= groups / 2
    assert point.memory_access["fused"] == conv_access(side**2, built, built, groups)
    assert widened_access(side**2, built / math.sqrt(groups), groups) == pytest.approx(point.memory_access["fused"])


@given(side=sides, width=st.integers(1, 300), fragments=st.integers(1, 12), arrangement=st.sampled_from(ARRANGEMENTS))
@repeatable
def test_fragments(side: int, width: int, fragments: int, arrangement: str) -> None:
    point = fragments_point(width, fragments, arrangement, side)
    inner = fragment_width(width, fragments)
    assert point.macs == side**2 * fragments * inner**2
    for memory in ASSUMPTIONS:
        expected = fragments_access(side**2, width, fragments, arrangement, memory, inner)
        assert point.memory_access[memory] == expected
    assert point.kernels == fragments + (fragments - 1 if arrangement == "parallel" else 0)
    assert (point.share("fused") > 0) == (arrangement == "parallel" and fragments > 1)
    assert point.share("paper") == 0


@given(side=sides, width=st.integers(1, 300), variant=st.sampled_from(list(VARIANTS)))
@repeatable
def test_bottlenecks(side: int, width: int, variant: str) -> None:
    point = elementwise_point(width, variant, side)
    relu, shortcut = VARIANTS[variant]
    inner = int(point.widths.split(" → ")[1])
    assert point.macs == elementwise_point(width, "neither", side).macs == side**2 * (2 * width * inner + 9 * inner**2)
    plain = bottleneck_access(side**2, width, inner, relu=False, shortcut=False, memory="paper")
    for memory in ASSUMPTIONS:
        expected = bottleneck_access(side**2, width, inner, relu=relu, shortcut=shortcut, memory=memory)
        assert point.memory_access[memory] == expected
        assert sum(point.by_kind[memory].values()) == expected
        assert point.share(memory) == pytest.approx(1 - plain / expected)
    assert point.kernels == 3 + 3 * relu + shortcut


@pytest.mark.parametrize(
    "point",
    [
        ratio_point(64, 6),
        groups_point(64, 4),
        fragments_point(64, 4, "parallel"),
        fragments_point(64, 3, "series"),
        elementwise_point(64, "relu+shortcut"),
    ],
    ids=lambda point: point.name,
)
def test_numbers_by_hand(point: Point) -> None:
    expected = {
        "1:6": (56**2 * (26 + 158) + 26 * 158, 1),
        "4 groups": (56**2 * (64 + 256) + 64 * 256 // 4, 1),
        "4 in parallel": (4 * (56**2 * 64 + 32**2) + 9 * 56**2 * 32, 7),
        "3 in series": (3 * (56**2 * 74 + 37**2), 3),
        "ReLU and shortcut": (1_208_576, 7),
    }
    assert (point.memory_access["fused"], point.kernels) == expected[point.name]


@pytest.mark.parametrize(
    "call",
    [
        lambda: fragments_point(8, 2, "round"),
        lambda: elementwise_point(8, "gelu"),
        lambda: column("G5", "ARM", "x1"),
        lambda: column("G1", "TPU", "x1"),
        lambda: column("G1", "ARM", "x3"),
        lambda: verdict("G0", {"a": 1, "b": 2}),
        lambda: ratio_point(8, 1, 0),
    ],
    ids=["arrangement", "variant", "guideline", "device", "scale", "verdict", "side"],
)
def test_what_there_is_not_is_an_error(call: Callable[[], Any]) -> None:
    with pytest.raises(effviz.DesignError):
        call()


# --- the experiments --------------------------------------------------------------------------------------------------


def test_every_printed_row_is_a_case() -> None:
    with CSV.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(printed()) == len(cases()) == 102
    assert Counter(row["guideline"] for row in rows) == Counter(case.guideline for case in cases())
    for row, case in zip(rows, cases(), strict=True):
        assert (row["guideline"], row["case"], row["device"]) == (case.guideline, case.case, case.device)
        assert printed_speed(case, row["device"]) == (float(row["speed"]), row["unit"])
        if row["scale"]:
            assert row["scale"] == case.scale
        else:
            # Tables 3 and 4 print the channels of the column instead of a scale.
            assert case.design.title.startswith(f"{case.guideline}, {case.label}, ")
            first = column(case.guideline, case.device, case.scale)[0]
            assert first.design.in_channels == int(row["channels"].removeprefix("c="))


@every_column
def test_a_column_has_equal_multiply_adds_and_both_devices(guideline: str, device: str, scale: str) -> None:
    compared = column(guideline, device, scale)
    assert len(compared) == {"G1": 4, "G2": 4, "G3": 5, "G4": 4}[guideline]
    assert len({case.label for case in compared}) == len(compared)
    macs = [analyze(case.design).macs for case in compared]
    deviations = [abs(each / macs[0] - 1) for each in macs]
    # The printed widths are rounded: 22 x 44 for 32 x 32 is the worst, 1 - 968 / 1024.
    allowed = {"G1": 0.0547, "G2": 0.0333, "G3": 0.0113, "G4": 0}[guideline]
    assert max(deviations) <= allowed
    for case in compared:
        assert case.design.resolution == 56
        assert len(case.design.blocks()) == (20 if guideline == "G1" else 10)
        for other in DEVICES:
            assert printed_speed(case, other)[0] > 0
    times = SCALES[scale] ** 2
    assert macs[0] == times * analyze(column(guideline, device, "x1")[0].design).macs


def test_the_worst_deviation_is_what_the_tolerance_says() -> None:
    worst = 0.0
    for key in product(GUIDELINES, DEVICES, SCALES):
        macs = [analyze(case.design).macs for case in column(*key)]
        worst = max(worst, *(abs(each / macs[0] - 1) for each in macs))
    assert worst == pytest.approx(1 - 968 / 1024)
    assert round(100 * worst, 1) == 5.5


def _case(guideline: str, label: str, device: str = "ARM", scale: str = "x1") -> Case:
    (found,) = (case for case in column(guideline, device, scale) if case.label == label)
    return found


@pytest.mark.parametrize(
    ("case", "widths"),
    [
        (_case("G1", "1:12"), "9 → 108 → 9"),
        (_case("G1", "1:6", "GPU", "x2"), "104 → 624 → 104"),
        (_case("G2", "2 groups"), "90 → 90"),
        # 8 groups do not divide the published 180 channels, but their double.
        (_case("G2", "8 groups"), "184 → 184"),
        (_case("G2", "8 groups", "ARM", "x2"), "360 → 360"),
        (_case("G3", "2 in series"), "45 → 45"),
        (_case("G3", "4 in parallel", "GPU", "x4"), "256 → 256"),
        (_case("G4", "Neither", "ARM", "x4"), "128 → 32 → 32 → 128"),
    ],
    ids=lambda value: value.title if isinstance(value, Case) else "",
)
def test_widths(case: Case, widths: str) -> None:
    assert case.widths == widths
    assert case.printed_widths == ("180" if widths.startswith("184") else "")
    module = effviz.build(case.design, device="meta")
    shape = case.design.input_shape()
    report = analyze(case.design)
    assert (oracle.count_macs(module, shape), oracle.eager_memory_access(module, shape)) == (
        report.macs, report.memory_accesses["eager"],
    )  # fmt: skip
    assert "BatchNorm2d" not in repr(module)


def test_networks_that_stand_for_several_rows_are_measured_once() -> None:
    found = distinct(cases())
    assert len(found) == 69
    designs = {case.title: case.design for case in found}
    assert len(designs) == len(found)
    for case in cases():
        assert analyze(designs[case.title]).macs == analyze(case.design).macs
        assert [row.to_dict() for row in designs[case.title].stages] == [row.to_dict() for row in case.design.stages]


# --- verdicts ---------------------------------------------------------------------------------------------------------

LABELS = ["1:1", "1:2", "1:6"]


@pytest.mark.parametrize(
    ("guideline", "speeds", "said"),
    [
        ("G1", (10, 9, 5), "1:2 and 1:6 are slower than 1:1. The slowest, 1:6, runs at 0.50× the speed "),
        ("G1", (10, 9.8, 5),
         "1:6 is slower than 1:1, and 1:2 is equal. The slowest, 1:6, runs at 0.50× the speed "),
        ("G2", (10, 11, 5),
         "1:6 is slower than 1:1, and 1:2 is faster. The slowest, 1:6, runs at 0.50× the speed "),
        ("G3", (10, 10, 9.7), "1:2 and 1:6 are as fast as 1:1. The slowest, 1:6, runs at 0.97× the speed "),
        ("G3", (10, 20, 30), "1:2 and 1:6 are faster than 1:1. The slowest, 1:2, runs at 2.00× the speed "),
        ("G3", (10, 20, 10), "1:6 is as fast as 1:1, and 1:2 is faster. The slowest, 1:6, runs at 1.00× the speed "),
        ("G4", (10, 12, 15), "1:2 and 1:6 are faster than 1:1. The fastest, 1:6, runs at 1.50× the speed "),
        ("G4", (10, 8, 10.1), "1:6 is as fast as 1:1, and 1:2 is slower. The fastest, 1:6, runs at 1.01× the speed "),
    ],
)  # fmt: skip
def test_what_a_measurement_says(guideline: str, speeds: tuple[float, ...], said: str) -> None:
    here = Machine("Here", "images/s", dict(zip(LABELS, speeds, strict=True)))
    paper = Machine("ARM (paper)", "images/s", dict(zip(LABELS, (40, 30, 20), strict=True)))
    told = finding(guideline, LABELS, [here, paper])
    assert told.startswith(f"On this machine, {said}")
    furthest = "1:2" if "slowest, 1:2" in said else "1:6"
    assert told.endswith(f"(paper: {paper.speeds[furthest] / 40:.2f}× on ARM)")
    noisy = Machine("Here", "images/s", here.speeds, frozenset(["1:2"]))
    assert finding(guideline, LABELS, [noisy, paper]) == told
    assert "Noisy measurements: 1 of 3" in speed_dots(guideline, LABELS, [noisy, paper], LIGHT).alt


@pytest.mark.parametrize(
    ("speeds", "found"),
    [
        ((10, 9, 5), None),  # slower with more memory access
        ((10, 5, 9), ("1:2", "1:6")),
        ((5, 9, 10), ("1:1", "1:6")),  # the largest of three contradictions
        ((10, 5, 5.1), None),  # within the tolerance
        ((10,), None),
    ],
)
def test_speeds_that_memory_access_does_not_explain(speeds: tuple[float, ...], found: tuple[str, str] | None) -> None:
    access = dict(zip(LABELS, (100, 120, 150), strict=True))
    assert unexplained(dict(zip(LABELS, speeds, strict=False)), access) == found


def test_a_contradiction_has_both_ratios_and_no_noisy_measurement() -> None:
    access = dict(zip(LABELS, (100, 120, 150), strict=True))
    speeds = dict(zip(LABELS, (10.0, 5.0, 9.0), strict=True))
    assert contradiction(Machine("Here", "images/s", speeds), access) == (
        "Memory access does not explain the speed of 1:6, which is 1.80× that of 1:2 for 1.25× the access."
    )
    for label in ("1:2", "1:6"):
        assert contradiction(Machine("Here", "images/s", speeds, frozenset([label])), access) == ""


def test_what_is_not_measured_is_not_judged() -> None:
    here = Machine("Here", "images/s", {"1:2": 3.0})
    paper = Machine("ARM (paper)", "images/s", dict(zip(LABELS, (40, 30, 20), strict=True)))
    assert finding("G1", LABELS, [here, paper]) == (
        "1 of 3 cases measured so far. In the paper, the largest difference from 1:1 is 1:6 at 0.50× on ARM"
    )
    other = Machine("GPU (paper)", "batches/s", dict(zip(LABELS, (40, 10, 30), strict=True)))
    assert finding("G1", LABELS, [here, paper, paper, other]).endswith(
        "the largest difference from 1:1 is 1:6 at 0.50× on ARM and 0.50× on ARM and 1:2 at 0.25× on GPU"
    )
    assert here.relative("1:1") == {}


@given(speeds=st.lists(st.floats(0.1, 1e4), min_size=2, max_size=6), guideline=st.sampled_from(list(GUIDELINES)))
@repeatable
def test_every_case_is_judged_once(speeds: list[float], guideline: str) -> None:
    named = {str(index): speed for index, speed in enumerate(speeds)}
    said = verdict(guideline, named)
    assert sorted(said.follow + said.equal + said.against) == list(named)[1:]
    best = max if guideline == "G4" else min
    assert said.speed == best(speeds[1:]) / speeds[0]


# --- arithmetic intensity ---------------------------------------------------------------------------------------------


@every_memory
@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet_v1", "efficientnet_b0", "vgg16", "densenet121"])
def test_intensities_add_up(name: str, memory: str) -> None:
    found = intensities(name, memory)
    report = analyze(effviz.architecture(name), memory=memory)
    assert sum(entry.macs for entry in found) == report.macs
    assert sum(entry.memory_access for entry in found) == report.memory_access
    assert sum(entry.share for entry in found) == pytest.approx(1)
    table = report.table.groupby("kind")[["macs", "memory_access"]].sum()
    for entry in found:
        assert (entry.macs, entry.memory_access) == tuple(table.loc[with_letter(entry.kind)])
        assert entry.per_element == entry.macs / entry.memory_access


# --- charts -----------------------------------------------------------------------------------------------------------


def _charts(look: Appearance, unit: Unit) -> list[Chart]:
    series, parallel = (tuple(fragments_point(64, count, each) for count in FRAGMENT_COUNTS) for each in ARRANGEMENTS)
    fixed = tuple(groups_point(64, count) for count in GROUP_COUNTS)
    widened = tuple(groups_point(64, count, widened=True) for count in GROUP_COUNTS)
    variants = tuple(elementwise_point(64, each) for each in VARIANTS)
    pixels = 56**2
    made = [ratio_chart(ratio_curve(64), ratio_point(64, r), least_access(pixels, pixels * 64**2), pixels, unit, look)
            for r in (1, 2, 16)]  # fmt: skip
    made += [groups_chart(fixed, widened, point, pixels, unit, look) for point in fixed]
    made += [fragments_chart(series, parallel, point, pixels, unit, look) for point in (*series, *parallel)]
    made += [elementwise_chart(variants, point, unit, look) for point in variants]
    for name in ("mobilenet_v2", "resnet50", "alexnet"):
        made.append(intensity_bars(name, intensities(name), 0.5, "FLOPs", "byte", look))
    here = Machine("Here", "images/s", {"1:1": 2.0, "1:6": 1.0}, frozenset(["1:6"]))
    made.append(speed_dots("G1", LABELS, [here, Machine("ARM (paper)", "", dict.fromkeys(LABELS, 1.0))], look))
    return made


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
@every_memory
def test_charts_are_drawn_as_counted(look: Appearance, memory: str) -> None:
    drawn = _charts(look, Unit(memory, 4, "bytes", lambda size: si(size, "B")))
    for chart in drawn:
        assert chart.alt.startswith(chart.title)
        assert len(chart.alt) > len(chart.title)
        assert "nan" not in chart.figure.to_json().lower()
    first = drawn[0].figure
    dots = next(trace for trace in first.data if trace.mode == "markers")
    assert list(dots.y) == [4 * point.memory_access[memory] for point in ratio_curve(64)]
    marked = first.data[-1]
    assert (list(marked.x), list(marked.y)) == ([1.0], [4 * ratio_point(64, 1).memory_access[memory]])
    assert marked.marker.color == look.accent


def test_titles_say_the_numbers() -> None:
    titles = [chart.title for chart in _charts(LIGHT, Unit("fused", 1, "elements", lambda size: si(size, "elements")))]
    assert titles[:3] == [
        "Equal widths, 64 → 64, move the least data for these multiply-adds: 405.5 k elements",
        "45 → 91 channels move 1.06× as much data as 64 → 64, for equal multiply-adds",
        "16 → 256 channels move 2.11× as much data as 64 → 64, for equal multiply-adds",
    ]
    assert titles[3:6] == [
        "1 group moves 405.5 k elements, the least data on this curve",
        "2 groups move 1.49× as much data as 1 group, for equal multiply-adds",
        "4 groups move 2.48× as much data as 1 group, for equal multiply-adds",
    ]
    assert "4 in parallel move 4.22× as much data as 1 fragment, with 7 kernels instead of 1" in titles
    assert (
        "ReLU and shortcut take 67 % of a bottleneck's memory access in eager mode, 50 % when fused, and no "
        "multiply-adds"
    ) in titles
    assert "mobilenet_v2 has 14.9 FLOPs per byte in pointwise 1×1 layers and 0.499 in linear layers" in titles


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
@every_memory
def test_areas_are_the_memory_access(look: Appearance, memory: str) -> None:
    unit = Unit(memory, 4, "bytes", lambda size: si(size, "B"))
    for base, now in (
        (ratio_point(64, 1), ratio_point(64, 6)), (groups_point(512, 1, 7), groups_point(512, 16, 7)),
        (fragments_point(64, 1, "parallel"), fragments_point(64, 4, "parallel")),
    ):  # fmt: skip
        side = 7 if base.name == "1 group" else 56
        points, drawn = [base, now], moved_chart([base, now], side**2, unit, "A title", look).figure
        areas = [width * height for bars in drawn.data for width, height in zip(bars.width, bars.y, strict=True)]
        sizes = [size for point in points for size in point.moved[memory]]
        assert [sum(point.moved[memory]) for point in points] == [point.memory_access[memory] for point in points]
        assert areas == pytest.approx([size * areas[0] / sizes[0] for size in sizes])
        lowest = min(base for bars in drawn.data for base in bars.base)
        assert drawn.layout.yaxis.range[0] <= lowest - 29, "everything is within the chart"


@pytest.mark.parametrize("most", [1e308, 0.5])
def test_a_curve_of_ratios_is_bounded(most: float) -> None:
    with pytest.raises(effviz.DesignError, match="most = "):
        ratio_curve(64, 56, most)
    assert [point.x for point in ratio_curve(2**16, 56, 16) if point.x == 1] == [1]
