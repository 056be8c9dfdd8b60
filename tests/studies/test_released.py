"""Released EfficientNets beside those that the rule builds."""

from __future__ import annotations

import effviz
from effviz.advice.scaling import ScalingRule
from effviz.charts.scaling.released import released_chart
from effviz.charts.style import LIGHT
from effviz.studies.released import pairs


def test_pairs() -> None:
    found, base = pairs(ScalingRule()), effviz.architecture("efficientnet_b0")
    assert [each.label for each in found] == [f"B{number}" for number in range(1, 8)]
    for each in found:
        assert each.released.report.macs == effviz.analyze(effviz.architecture(f"efficientnet_b{each.phi}")).macs
        assert each.built is not None
        assert each.built.report.macs == effviz.analyze(effviz.compound_scale(base, each.phi, 1.2, 1.1, 1.15)).macs
    # The paper's multipliers of B7, and 1.15^7 of the resolution.
    assert (found[-1].released.depth, found[-1].released.width, found[-1].released.resolution) == (3.1, 2.0, 600)
    assert found[-1].built is not None
    assert found[-1].built.resolution == round(224 * 1.15**7)
    chart = released_chart(found, effviz.analyze(base).macs, "B2", "FLOPs", 2, LIGHT)
    ratios = [each.released.report.macs / each.built.report.macs for each in found if each.built]
    ends = f"{min(ratios):.3g}× (B2, φ = 2) to {max(ratios):.3g}× (B7, φ = 7)"
    assert chart.title == f"The released networks have {ends} of the FLOPs that the rule builds"
