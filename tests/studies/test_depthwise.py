"""Depthwise layers of two networks beside their latency."""

from __future__ import annotations

from effviz.charts.depthwise import pair_chart
from effviz.charts.style import LIGHT
from effviz.studies.depthwise import side


def test_mobilenet_v2_has_more_depthwise_layers_and_accesses_than_v1() -> None:
    first, second = side("mobilenet_v1"), side("mobilenet_v2")
    assert (first.layers, second.layers) == (13, 17)
    # Input map + output map + weights and folded biases of each layer.
    maps = [(32, 112, 1), (64, 112, 2), (128, 56, 1), (128, 56, 2), (256, 28, 1), (256, 28, 2), *[(512, 14, 1)] * 5,
            (512, 14, 2), (1024, 7, 1)]  # fmt: skip
    assert first.access == sum(c * s * s + c * (s // stride) ** 2 + 10 * c for c, s, stride in maps)
    assert (round(first.access / 1e6, 1), round(second.access / 1e6, 1)) == (5.0, 6.1)


def test_titles() -> None:
    first, second = side("mobilenet_v1"), side("mobilenet_v2")
    assert pair_chart(first, second, (40.0, 50.0), "Latency here", LIGHT).title == (
        "MobileNetV2 has 0.529× the multiply-adds of MobileNetV1 and takes 1.25× as long (latency here): it has 17 "
        "depthwise layers with 6.11 M memory accesses, against 13 with 5.04 M"
    )
    assert "takes" not in pair_chart(first, second, (None, 50.0), "Latency here", LIGHT).title
    assert pair_chart(first, first, (1.0, 1.0), "Latency here", LIGHT).title == "Both networks are MobileNetV1"
    assert "0 depthwise layers" in pair_chart(first, side("vgg16"), (1.0, 1.0), "Latency here", LIGHT).title
