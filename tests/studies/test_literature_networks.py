"""Networks and counters of PaddleClas and pytorchcv, transcribed in torch, against the rules for their figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import effviz
from effviz.core.rounding import make_divisible
from effviz.studies.literature import networks
from effviz.studies.literature.conventions import MACS, CountingRule

Counter = Callable[[nn.Module, torch.Tensor, torch.Tensor], float]


def rule(name: str) -> CountingRule:
    return next(each for each in MACS if each.name == name)


def counted(module: nn.Module, count: Counter) -> int:
    """Add what a counter prints for the layers of a module."""
    found = [0.0]

    def add(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        found[0] += count(layer, inputs[0], output)

    for layer in module.modules():
        if not list(layer.children()):
            layer.register_forward_hook(add)
    with torch.inference_mode():
        module.eval()(torch.zeros(1, 3, 224, 224))
    return round(found[0])


def paddle(layer: Any, read: torch.Tensor, output: torch.Tensor, times: int = 2) -> float:
    """Count as PaddlePaddle's fluid/contrib/model_stat.py, which divides by the groups `times` times."""
    match layer:
        case nn.Conv2d():
            window = layer.kernel_size[0] * layer.kernel_size[1] * layer.in_channels / layer.groups**times
            return 2 * output.numel() * window
        case nn.BatchNorm2d():
            return 2 * read.numel()
        case nn.Linear():
            return layer.in_features * layer.out_features
        case nn.ReLU() | nn.AdaptiveAvgPool2d():
            return output.numel()
    return 0


def pytorchcv(layer: Any, read: torch.Tensor, output: torch.Tensor) -> float:
    """Count as pytorchcv's model_stats.py."""
    match layer:
        case nn.Conv2d():
            window = layer.kernel_size[0] * layer.kernel_size[1]
            area = output.shape[2] * output.shape[3]
            return (2 * window * area - 1) * (layer.in_channels * layer.out_channels // layer.groups)
        case nn.BatchNorm2d():
            return 4 * read.numel()
        case nn.Linear():
            return 2 * layer.in_features * layer.out_features
        case nn.MaxPool2d() | nn.AvgPool2d():
            return output.numel() * int(layer.kernel_size) ** 2
        case nn.ReLU() | nn.ChannelShuffle():
            return read.numel()
    return 0


def conv(channels: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1, act: Any = None) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out),
        *([act()] if act else []),
    )  # fmt: skip


def head(channels: int, *layers: nn.Module) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), *layers, nn.Flatten(), nn.Linear(channels, 1000)]


# --- PaddleClas ------------------------------------------------------------------------------------------------------

V2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def mobilenet_v2(scale: float) -> nn.Module:
    """Build mobilenet_v2.py."""
    width = int(32 * scale)
    layers = [conv(3, width, 3, 2, act=nn.ReLU6)]
    for ratio, channels, repeats, stride in V2:
        for index in range(repeats):
            inner, out = width * ratio, int(channels * scale)
            step = stride if index == 0 else 1
            layers += [conv(width, inner, act=nn.ReLU6), conv(inner, inner, 3, step, inner, nn.ReLU6), conv(inner, out)]
            width = out
    last = int(1280 * scale) if scale > 1 else 1280
    return nn.Sequential(*layers, conv(width, last, act=nn.ReLU6), *head(last))


@pytest.mark.parametrize(
    ("scale", "printed"), [(0.25, 0.05), (0.5, 0.17), (0.75, 0.35), (1.0, 0.6), (1.5, 1.32), (2.0, 2.32)]
)
def test_mobilenet_v2_of_paddleclas(scale: float, printed: float) -> None:
    expected = counted(mobilenet_v2(scale), paddle)
    assert round(expected / 1e9, 2) == printed, "docs/en/models/Mobile_en.md"
    found = rule("PaddleClas MobileNetV2").of(effviz.architecture("mobilenet_v2", width_mult=scale))
    # effviz rounds the fractions of a depthwise layer down.
    assert found == pytest.approx(expected, rel=1e-3)


# Kernel, expanded, output, squeeze-and-excitation, activation, stride.
R, H = nn.ReLU, nn.Hardswish
LARGE = [
    (3, 16, 16, 0, R, 1), (3, 64, 24, 0, R, 2), (3, 72, 24, 0, R, 1), (5, 72, 40, 1, R, 2), (5, 120, 40, 1, R, 1),
    (5, 120, 40, 1, R, 1), (3, 240, 80, 0, H, 2), (3, 200, 80, 0, H, 1), (3, 184, 80, 0, H, 1), (3, 184, 80, 0, H, 1),
    (3, 480, 112, 1, H, 1), (3, 672, 112, 1, H, 1), (5, 672, 160, 1, H, 2), (5, 960, 160, 1, H, 1),
    (5, 960, 160, 1, H, 1),
]  # fmt: skip
SMALL = [
    (3, 16, 16, 1, R, 2), (3, 72, 24, 0, R, 2), (3, 88, 24, 0, R, 1), (5, 96, 40, 1, H, 2), (5, 240, 40, 1, H, 1),
    (5, 240, 40, 1, H, 1), (5, 120, 48, 1, H, 1), (5, 144, 48, 1, H, 1), (5, 288, 96, 1, H, 2), (5, 576, 96, 1, H, 1),
    (5, 576, 96, 1, H, 1),
]  # fmt: skip


class Gate(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 4
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, inner, 1), nn.ReLU(), nn.Conv2d(inner, channels, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(x)


def mobilenet_v3(table: list[Any], scale: float) -> nn.Module:
    """Build mobilenet_v3.py."""
    width = make_divisible(16 * scale, 8)
    layers = [conv(3, width, 3, 2, act=H)]
    for kernel, expanded, channels, gated, act, stride in table:
        inner, out = make_divisible(expanded * scale, 8), make_divisible(channels * scale, 8)
        layers += [conv(width, inner, act=act), conv(inner, inner, kernel, stride, inner, act)]
        layers += [*([Gate(inner)] if gated else []), conv(inner, out)]
        width = out
    last = make_divisible((960 if table is LARGE else 576) * scale, 8)
    top = [nn.Conv2d(last, 1280, 1, bias=False), H()]
    return nn.Sequential(*layers, conv(width, last, act=H), *head(1280, *top))


@pytest.mark.parametrize(
    ("size", "scale", "printed"),
    [
        ("large", 1.25, 714), ("large", 1.0, 450), ("large", 0.75, 296), ("large", 0.5, 138),
        ("small", 1.25, 195), ("small", 1.0, 123), ("small", 0.75, 88),
    ],
)  # fmt: skip
def test_mobilenet_v3_of_paddleclas(size: str, scale: float, printed: int) -> None:
    module = mobilenet_v3(LARGE if size == "large" else SMALL, scale)
    expected = counted(module, lambda *layer: paddle(*layer, times=1))
    assert round(expected / 1e6) == printed, "docs/en/models/Mobile_en.md"
    design = effviz.architecture(f"mobilenet_v3_{size}", width_mult=scale)
    assert rule("PaddleClas MobileNetV3").of(design) == expected


# --- pytorchcv -------------------------------------------------------------------------------------------------------


class Unit(nn.Module):
    """The unit of shufflenet.py."""

    def __init__(self, channels: int, out: int, groups: int, reduces: bool, first: bool) -> None:
        super().__init__()
        inner, self.reduces = out // 4, reduces
        added = out - channels if reduces else out
        self.body = nn.Sequential(
            conv(channels, inner, groups=1 if first else groups, act=nn.ReLU), nn.ChannelShuffle(groups),
            conv(inner, inner, 3, 2 if reduces else 1, inner), conv(inner, added, groups=groups),
        )  # fmt: skip
        self.pool = nn.AvgPool2d(3, 2, 1) if reduces else nn.Identity()
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found, kept = self.body(x), self.pool(x)
        return self.act(torch.cat((found, kept), 1) if self.reduces else found + kept)


def shufflenet(groups: int, widths: tuple[int, ...], width: int = 24) -> nn.Module:
    layers: list[nn.Module] = [conv(3, width, 3, 2, act=nn.ReLU), nn.MaxPool2d(3, 2, 1)]
    for stage, (out, repeats) in enumerate(zip(widths, (4, 8, 4), strict=True)):
        for index in range(repeats):
            layers.append(Unit(width, out, groups, index == 0, stage == index == 0))
            width = out
    return nn.Sequential(*layers, nn.AvgPool2d(7, 1), nn.Flatten(), nn.Linear(width, 1000))


@pytest.mark.parametrize(
    ("groups", "widths", "printed"),
    [
        (1, (144, 288, 576), 148.13), (2, (200, 400, 800), 147.60), (3, (240, 480, 960), 145.46),
        (4, (272, 544, 1088), 143.33), (8, (384, 768, 1536), 150.76),
    ],
)  # fmt: skip
def test_shufflenet_of_pytorchcv(groups: int, widths: tuple[int, ...], printed: float) -> None:
    expected = counted(shufflenet(groups, widths), pytorchcv)
    assert round(expected / 2e6, 2) == printed, "README.md"
    found = rule("pytorchcv ShuffleNet").of(effviz.architecture("shufflenet_v1", groups=groups))
    # effviz does not shuffle one group, so it has no count of it.
    assert found == (None if groups == 1 else expected // 2)


# --- others ----------------------------------------------------------------------------------------------------------


def test_alexnet_in_two_groups() -> None:
    found = networks.grouped_alexnet(effviz.architecture("alexnet"))
    assert found is not None
    report = effviz.analyze(found)
    # Caffe's bvlc_alexnet, as Netscope counts it.
    assert (report.params, report.macs) == (60_965_224, 724_406_816)


@pytest.mark.parametrize(("resolution", "printed"), [(224, 317), (192, 233), (160, 162), (128, 104)])
def test_the_column_of_width_075_leaves_out_the_first_convolution(resolution: int, printed: int) -> None:
    design = effviz.architecture("mobilenet_v1", width_mult=0.75, resolution=resolution)
    found = rule("without first convolution").of(design)
    assert found is not None
    assert round(found / 1e6) == printed, "TF-slim, mobilenet_v1.md"
    assert found == effviz.analyze(design).macs - 27 * 24 * (resolution // 2) ** 2
