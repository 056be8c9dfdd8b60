"""Printed figures by width and resolution: the front, interpolation, and figures that do not fit."""

from __future__ import annotations

import pytest

import effviz
from effviz.studies.multipliers import held_out, pareto
from effviz.studies.printed_cells import GROUPS, NETWORKS, PrintedCells, printed_points


@pytest.mark.parametrize("retrained", [False, True])
def test_the_front_is_of_all_printed_points(retrained: bool) -> None:
    points = printed_points(retrained)
    costs = [(each.macs, each.top1) for each in points]
    assert [index for index, each in enumerate(points) if each.front] == sorted(pareto(costs))
    for each in points:
        beaten = any(
            cost <= each.macs and value >= each.top1 and (cost, value) != (each.macs, each.top1)
            for cost, value in costs
        )
        assert beaten != each.front
        options = {"groups": each.groups} if each.groups else {}
        width, side = each.place
        design = effviz.architecture(each.name, width_mult=width, resolution=side, **options)
        assert each.macs == effviz.analyze(design).macs
        assert all(figure.top1 == each.top1 and figure.comparable and figure.source for figure in each.figures)
    assert {each.name for each in points} == set(NETWORKS)
    if not retrained:
        assert not any(figure.source.startswith("timm") for each in points for figure in each.figures)


def test_top1_is_printed_or_interpolated_or_missing() -> None:
    cells = PrintedCells("mobilenet_v2")
    printed = cells.top1((1.4, 224))
    assert printed is not None
    assert printed.text == "75.0"
    between = cells.top1((0.5, 176))
    assert between is not None
    assert between.between is not None
    assert between.between.ends == ((0.5, 160), (0.5, 192))
    assert between.text == f"≈ {between.value:.1f}"
    assert cells.top1((4.0, 2048)) is None
    misprint = PrintedCells("mnasnet_a1").top1((0.35, 160))
    assert misprint is not None
    assert misprint.misprint
    assert PrintedCells("mnasnet_b1").top1((0.5, 224)) is None
    retrained = PrintedCells("mnasnet_b1", retrained=True).top1((0.5, 224))
    assert retrained is not None
    assert retrained.text == "67.7"


def test_interpolation_is_tested_on_printed_cells() -> None:
    cells = PrintedCells("mobilenet_v2")
    errors = cells.interpolation_errors()
    assert len(errors) == 18
    assert max(errors, key=abs) == pytest.approx(-1.5, abs=0.05)
    assert tuple(held_out(cells.known, cells.macs).values()) == errors
    value = PrintedCells("mnasnet_a1").top1_between_neighbors((0.35, 160))
    assert value is not None
    assert round(value) == 59


def test_axes_hold_the_printed_cells_and_the_chosen_one() -> None:
    widths, sides = PrintedCells("mobilenet_v2").axes(0.1, (0.6, 170))
    assert {0.35, 0.6, 1.0, 1.4} < set(widths)
    assert {96, 170, 224} < set(sides)
    for groups in GROUPS:
        cells = PrintedCells("shufflenet_v1", groups)
        assert tuple(cells.axes(0.1, (1.0, 224))[0]) == tuple(sorted(cells.widths))
        assert 1.0 in cells.widths
    assert PrintedCells("shufflenet_v2").widths == (), "the table of ShuffleNetV2 is interpolated"
    assert not any(width < 0.5 for width in PrintedCells("mobilenet_v1").axes(0.5, (1.0, 224))[0])


def test_misfits_are_misprints_first() -> None:
    misfits = PrintedCells("mobilenet_v1").misfits()
    first = misfits[0]
    assert (first.place, first.quantity, first.printed) == ((0.25, 192), "mult_adds", 34)
    assert first.counted == pytest.approx(30.21, abs=0.01)
    assert first.off == pytest.approx(0.125, abs=0.001)
    kinds = [each.why.startswith("Misprint") for each in misfits]
    assert kinds == sorted(kinds, reverse=True)
    assert all(len(set(each.sources)) == len(each.sources) > 0 for each in misfits)
    assert PrintedCells("shufflenet_v1", 1).misfits() == []


def test_curves_run_through_the_cell() -> None:
    cells = PrintedCells("mobilenet_v2")
    here = cells.top1((0.6, 170))
    assert here is not None
    curves = cells.curves((0.6, 170))
    assert [curve.label for curve in curves] == ["0.6×", "170 px"]
    for curve in curves:
        assert dict(curve.corners)[0.6, 170] == here.value
        costs = [cells.macs(*place) for place, _ in curve.corners]
        assert costs == sorted(costs)
    misprinted = PrintedCells("mnasnet_a1").curves((0.35, 160))
    assert 52.3 not in [value for curve in misprinted for _, value in curve.corners]


def test_ranges_of_printed_accuracy() -> None:
    cells = PrintedCells("mobilenet_v2")
    assert cells.top1_range() == ((0.35, 96), (1.4, 224))
    low, high = cells.recipe_range() or (0, 0)
    assert low <= 71.8 <= high
    assert PrintedCells("mnasnet_b1").top1_range() is None
