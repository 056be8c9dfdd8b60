"""The networks of the zoo against the guidelines, as the paper judges them."""

from __future__ import annotations

import pytest

import effviz
from effviz.charts.memory.networks import guideline_map
from effviz.charts.style import LIGHT
from effviz.studies.guidelines.networks import evidence


@pytest.mark.parametrize(
    ("name", "departs"),
    [
        # ShuffleNetV2 paper, section 2, discussion: ShuffleNetV1 has many groups, MobileNetV2 an inverted bottleneck
        # and depthwise layers on thick maps.
        ("shufflenet_v1", {"G2", "G4"}),
        ("mobilenet_v2", {"G1", "G4"}),
        ("vgg16", set()),
        ("resnext50_32x4d", {"G2"}),
    ],
)
def test_verdicts(name: str, departs: set[str]) -> None:
    assert {guideline for guideline, found in evidence(name).items() if found.departs} == departs


def test_the_evidence_of_mobilenet_v2() -> None:
    found, report = evidence("mobilenet_v2"), effviz.analyze(effviz.architecture("mobilenet_v2"))
    paths = {row.path for row in report.rows}
    assert found["G1"].path in paths
    assert found["G1"].text == "10 % more memory access; 16 → 96 channels"
    moved = sum(row.memory_access for row in report.rows if row.kind in ("depthwise", "merge and shuffle"))
    assert found["G4"].degree == pytest.approx(moved / report.memory_access)
    assert found["G2"].path == ""


def test_the_map_marks_the_chosen_network() -> None:
    rows = {name: evidence(name) for name in ("vgg16", "mobilenet_v2")}
    chart = guideline_map(rows, "mobilenet_v2", LIGHT)
    assert (
        chart.title
        == "Networks that depart from a guideline, of 2 networks: 1 from G1, 0 from G2, 0 from G3 and 1 from G4"
    )
    (heat,) = chart.figure.data
    assert [list(row) for row in heat.z] == [[0, 0, 0, 0], [1, 0, 0, 1]]
    assert heat.customdata[1][0] == "mobilenet_v2"
    assert chart.spec["layout"]["shapes"][0]["y0"] == 0.5
