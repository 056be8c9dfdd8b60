"""The main control of every page, and values to move it through."""

from __future__ import annotations

from typing import Any, NamedTuple


class Move(NamedTuple):
    """The control's key in the link, its label, and values that no page starts with."""

    key: str
    label: str
    values: list[Any]


def spread(low: float, step: float, count: int) -> list[float]:
    return [round(low + step * place, 4) for place in range(count)]


FAMILIES = ["MobileNet", "ResNet", "EfficientNet", "VGG", "ShuffleNet", "DenseNet"]
BASELINES = [
    "MobileNetV2", "GhostNet", "VGG-16", "MobileNetV3-Small", "EfficientNet-B4", "ShuffleNetV2", "MobileNetV3-Large",
]  # fmt: skip
VERDICTS = ["Right", "Rounded", "Other convention", "Wrong", "Not comparable", "Not built here"]
MOVES: dict[str, Move] = {
    "": Move("w", "Width of MobileNetV2", spread(0.25, 0.05, 36)),
    "architectures": Move("width", "Width multiplier", spread(0.25, 0.05, 36)),
    "convolutions": Move("cin", "Input channels", spread(16, 8, 60)),
    "blocks": Move("cin", "Input channels", spread(16, 8, 60)),
    "memory": Move("ratio", "Width ratio", spread(2, 1, 14)),
    "multipliers": Move("width", "Width multiplier", spread(0.25, 0.05, 30)),
    "width_depth": Move("budget", "Budget (M multiply-adds)", spread(100, 10, 60)),
    "scaling": Move("phi", "Coefficient φ", spread(-1.0, 0.05, 100)),
    "find": Move("max_macs", "Multiply-adds (input)", [f"{amount} M" for amount in range(310, 400, 10)]),
    "compare": Move("base", "Baseline", BASELINES),
    "studio": Move("set_width_mult", "Width multiplier", spread(0.5, 0.02, 60)),
    "literature": Move("verdict", "Verdict", VERDICTS * 2),
    "search": Move("w", "Exponent w", spread(-0.95, 0.02, 40)),
    "latency": Move("family", "Marked family", FAMILIES),
}
