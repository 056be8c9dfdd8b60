"""Networks as widespread PyTorch code writes them: an oracle for the teaching variants, independent of effviz.

Every function returns a plain module for a width multiplier. Widths are rounded as the ports do it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn


def conv_bn(inp: int, oup: int, k: int = 1, s: int = 1, groups: int = 1, *, act: bool = True) -> nn.Sequential:
    layers = [nn.Conv2d(inp, oup, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(oup)]
    return nn.Sequential(*layers, *([nn.ReLU()] if act else []))


def make_divisible(v: float, divisor: int = 8) -> int:
    new_v = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return new_v + divisor if new_v < 0.9 * v else new_v


class Classifier(nn.Sequential):
    def __init__(self, features: Iterable[nn.Module], channels: int) -> None:
        super().__init__(*features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


class SqueezeExcite(nn.Module):
    def __init__(self, channel: int, squeeze: int, *, bias: bool = True) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(channel, squeeze, bias), nn.Linear(squeeze, channel, bias)

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc2(self.fc1(x.mean((2, 3))).relu()).sigmoid()
        return x * y[:, :, None, None]


def se_layer(channel: int) -> SqueezeExcite:
    """Squeeze-and-excitation of senet.pytorch, which many ports copy."""
    return SqueezeExcite(channel, max(1, channel // 16), bias=False)


# --- MobileNet ------------------------------------------------------------------------------------------------------


def mobilenet_v1(alpha: float, *, last_stride: int = 1) -> nn.Module:
    cfg = [64, (128, 2), 128, (256, 2), 256, (512, 2), 512, 512, 512, 512, 512, (1024, 2), (1024, last_stride)]
    inp = int(32 * alpha)
    layers: list[nn.Module] = [conv_bn(3, inp, 3, 2)]
    for entry in cfg:
        c, s = entry if isinstance(entry, tuple) else (entry, 1)
        oup = int(c * alpha)
        layers += [conv_bn(inp, inp, 3, s, inp), conv_bn(inp, oup)]
        inp = oup
    return Classifier(layers, inp)


def mobilenet_v1_stride(alpha: float) -> nn.Module:
    return mobilenet_v1(alpha, last_stride=2)


class InvertedResidual(nn.Module):
    def __init__(
        self, inp: int, hidden: int, oup: int, k: int, s: int, *, expand: bool, se: nn.Module | None = None,
        skip: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.skip = skip and s == 1 and inp == oup
        self.conv = nn.Sequential(
            *([conv_bn(inp, hidden)] if expand else []),
            conv_bn(hidden, hidden, k, s, hidden),
            *([] if se is None else [se]),
            conv_bn(hidden, oup, act=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.skip else self.conv(x)


V2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def _mobilenet_v2(inp: int, last: int, width: Callable[[int, int], int], *, always_expand: bool = False) -> nn.Module:
    layers: list[nn.Module] = [conv_bn(3, inp, 3, 2)]
    for t, c, n, s in V2:
        oup = width(t, c)
        for i in range(n):
            expand = always_expand or t != 1
            layers.append(InvertedResidual(inp, inp * t, oup, 3, s if i == 0 else 1, expand=expand))
            inp = oup
    return Classifier([*layers, conv_bn(inp, last)], last)


def mobilenet_v2(w: float) -> nn.Module:
    def width(c: int) -> int:
        return max(8, int(c * w))

    return _mobilenet_v2(width(32), width(1280), lambda _, c: width(c))


def mobilenet_v2_int(w: float) -> nn.Module:
    last = int(1280 * w) if w > 1.0 else 1280
    return _mobilenet_v2(int(32 * w), last, lambda _, c: int(c * w), always_expand=True)


def mobilenet_v2_ceil(w: float) -> nn.Module:
    def ceil8(x: float) -> int:
        return int(math.ceil(x * 1.0 / 8) * 8)

    return _mobilenet_v2(32, ceil8(1280 * w) if w > 1.0 else 1280, lambda t, c: ceil8(c * w) if t > 1 else c)


# k, ratio, c, squeeze-and-excitation, s
V3_SMALL = [
    (3, 1, 16, 1, 2), (3, 4.5, 24, 0, 2), (3, 3.67, 24, 0, 1), (5, 4, 40, 1, 2), (5, 6, 40, 1, 1), (5, 6, 40, 1, 1),
    (5, 3, 48, 1, 1), (5, 3, 48, 1, 1), (5, 6, 96, 1, 2), (5, 6, 96, 1, 1), (5, 6, 96, 1, 1),
]  # fmt: skip
V3_LARGE = [
    (3, 1, 16, 0, 1), (3, 4, 24, 0, 2), (3, 3, 24, 0, 1), (5, 3, 40, 1, 2), (5, 3, 40, 1, 1), (5, 3, 40, 1, 1),
    (3, 6, 80, 0, 2), (3, 2.5, 80, 0, 1), (3, 2.3, 80, 0, 1), (3, 2.3, 80, 0, 1), (3, 6, 112, 1, 1), (3, 6, 112, 1, 1),
    (5, 6, 160, 1, 2), (5, 6, 160, 1, 1), (5, 6, 160, 1, 1),
]  # fmt: skip


def _mobilenet_v3(
    w: float, cfg: list[tuple[int, float, int, int, int]], last: int, head: int,
    hidden_of: Callable[[float], int], se: Callable[[int], nn.Module],
) -> nn.Module:  # fmt: skip
    inp = make_divisible(16 * w)
    layers: list[nn.Module] = [conv_bn(3, inp, 3, 2)]
    for k, t, c, has_se, s in cfg:
        oup, hidden = make_divisible(c * w), hidden_of(inp * t)
        excite = se(hidden) if has_se else None
        layers.append(InvertedResidual(inp, hidden, oup, k, s, expand=hidden != inp, se=excite))
        inp = oup
    last = make_divisible(last * w)
    layers += [conv_bn(inp, last), nn.AdaptiveAvgPool2d(1), nn.Conv2d(last, head, 1), nn.Hardswish()]
    return Classifier(layers, head)


def _quarter(c: int) -> nn.Module:
    return SqueezeExcite(c, c // 4)


def mobilenet_v3_small(w: float) -> nn.Module:
    return _mobilenet_v3(w, V3_SMALL, 576, 1024, round, _quarter)


def mobilenet_v3_large(w: float) -> nn.Module:
    return _mobilenet_v3(w, V3_LARGE, 960, 1280, round, _quarter)


def mobilenet_v3_small_se(w: float) -> nn.Module:
    return _mobilenet_v3(w, V3_SMALL, 576, 1024, make_divisible, se_layer)


def mobilenet_v3_large_se(w: float) -> nn.Module:
    return _mobilenet_v3(w, V3_LARGE, 960, 1280, make_divisible, se_layer)


# --- MnasNet and EfficientNet ---------------------------------------------------------------------------------------

# t, c, n, s, k, squeeze-and-excitation
B0 = [
    (1, 16, 1, 1, 3, 1), (6, 24, 2, 2, 3, 1), (6, 40, 2, 2, 5, 1), (6, 80, 3, 2, 3, 1), (6, 112, 3, 1, 5, 1),
    (6, 192, 4, 2, 5, 1), (6, 320, 1, 1, 3, 1),
]  # fmt: skip
A1 = [
    (1, 16, 1, 1, 3, 0), (6, 24, 2, 2, 3, 0), (3, 40, 3, 2, 5, 1), (6, 80, 4, 2, 3, 0), (6, 112, 2, 1, 3, 1),
    (6, 160, 3, 2, 5, 1), (6, 320, 1, 1, 3, 0),
]  # fmt: skip
B1 = [
    (1, 16, 1, 1, 3, 0), (3, 24, 3, 2, 3, 0), (3, 40, 3, 2, 5, 0), (6, 80, 3, 2, 5, 0), (6, 96, 2, 1, 3, 0),
    (6, 192, 4, 2, 5, 0), (6, 320, 1, 1, 3, 0),
]  # fmt: skip


def _mbconvs(
    cfg: list[tuple[int, int, int, int, int, int]], width: Callable[[float], int], last: int,
    se: Callable[[int, int], nn.Module],
) -> nn.Module:  # fmt: skip
    inp = width(32)
    layers: list[nn.Module] = [conv_bn(3, inp, 3, 2)]
    for t, c, n, s, k, has_se in cfg:
        for i in range(n):
            excite = se(inp, inp * t) if has_se else None
            block = InvertedResidual(inp, inp * t, width(c), k, s if i == 0 else 1, expand=t != 1, se=excite)
            layers.append(block)
            inp = width(c)
    return Classifier([*layers, conv_bn(inp, last)], last)


def efficientnet(w: float) -> nn.Module:
    return _mbconvs(B0, lambda c: make_divisible(c * w), make_divisible(1280 * w), lambda _, c: se_layer(c))


def efficientnet_ceil(w: float) -> nn.Module:
    def width(c: float) -> int:
        return int(math.ceil(c * w / 8) * 8)

    return _mbconvs(B0, width, width(1280), lambda inp, c: SqueezeExcite(c, max(1, int(inp * 0.25))))


def mnasnet_a1(w: float) -> nn.Module:
    return _mbconvs(A1, lambda c: make_divisible(c * w), 1280, lambda _, c: se_layer(c))


def mnasnet_b1(w: float) -> nn.Module:
    return _mbconvs(B1, lambda c: max(8, int(c * w)), max(8, int(1280 * w)), lambda _, c: se_layer(c))


# --- ShuffleNet -----------------------------------------------------------------------------------------------------


def shuffle(x: Tensor, groups: int) -> Tensor:
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class UnitV1(nn.Module):
    def __init__(self, inp: int, oup: int, s: int, g: int, first: int) -> None:
        super().__init__()
        self.s, self.g, mid = s, g, oup // 4
        self.reduce = conv_bn(inp, mid, groups=first)
        self.dw = conv_bn(mid, mid, 3, s, mid, act=False)
        self.expand = conv_bn(mid, oup - inp if s == 2 else oup, groups=g, act=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(self.dw(shuffle(self.reduce(x), self.g)))
        if self.s == 2:
            return torch.cat([nn.functional.avg_pool2d(x, 3, 2, 1), y], 1).relu()
        return (x + y).relu()


def shufflenet_v1(scale: float, g: int = 3) -> nn.Module:
    inp = int(24 * scale)
    layers: list[nn.Module] = [conv_bn(3, inp, 3, 2), nn.MaxPool2d(3, 2, 1)]
    first_width = {1: 144, 3: 240, 8: 384}[g]
    for times, n in ((1, 4), (2, 8), (4, 4)):
        oup = int(times * first_width * scale)
        for i in range(n):
            first = 1 if len(layers) == 2 else g
            layers.append(UnitV1(inp, oup, 2 if i == 0 else 1, g, first))
            inp = oup
    return Classifier(layers, inp)


class UnitV2(nn.Module):
    def __init__(self, inp: int, oup: int, s: int) -> None:
        super().__init__()
        self.s, half = s, oup // 2
        if s == 2:
            self.left = nn.Sequential(conv_bn(inp, inp, 3, 2, inp, act=False), conv_bn(inp, half))
        self.right = nn.Sequential(
            conv_bn(inp if s == 2 else half, half), conv_bn(half, half, 3, s, half, act=False), conv_bn(half, half)
        )

    def forward(self, x: Tensor) -> Tensor:
        left, right = (self.left(x), x) if self.s == 2 else x.chunk(2, 1)
        return shuffle(torch.cat([left, self.right(right)], 1), 2)


def shufflenet_v2(scale: float) -> nn.Module:
    cfg = {
        0.5: (48, 96, 192, 1024), 1.0: (116, 232, 464, 1024), 1.5: (176, 352, 704, 1024), 2.0: (224, 488, 976, 2048),
    }  # fmt: skip
    *stages, last = cfg[scale]
    inp = 24
    layers: list[nn.Module] = [conv_bn(3, inp, 3, 2), nn.MaxPool2d(3, 2, 1)]
    for oup, n in zip(stages, (4, 8, 4), strict=True):
        for i in range(n):
            layers.append(UnitV2(inp, oup, 2 if i == 0 else 1))
            inp = oup
    return Classifier([*layers, conv_bn(inp, last)], last)


# --- GhostNet -------------------------------------------------------------------------------------------------------


class Ghost(nn.Module):
    """A module of ``c // 2`` primary and as many cheap channels."""

    def __init__(self, inp: int, oup: int, *, act: bool = True) -> None:
        super().__init__()
        init = oup // 2
        self.out = 2 * init
        self.primary, self.cheap = conv_bn(inp, init, act=act), conv_bn(init, init, 3, 1, init, act=act)

    def forward(self, x: Tensor) -> Tensor:
        y = self.primary(x)
        return torch.cat([y, self.cheap(y)], 1)


class GhostBottleneck(nn.Module):
    def __init__(self, inp: int, hidden: int, oup: int, k: int, s: int, se: int) -> None:
        super().__init__()
        first = Ghost(inp, hidden)
        hidden = first.out
        second = Ghost(hidden, oup, act=False)
        self.out = second.out
        self.body = nn.Sequential(
            first,
            *([conv_bn(hidden, hidden, k, s, hidden, act=False)] if s == 2 else []),
            *([SqueezeExcite(hidden, make_divisible(hidden * 0.25, 4))] if se else []),
            second,
        )
        self.shortcut: nn.Module = nn.Identity()
        if s == 2 or inp != self.out:
            self.shortcut = nn.Sequential(conv_bn(inp, inp, k, s, inp, act=False), conv_bn(inp, self.out, act=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


# k, exp, c, squeeze-and-excitation, s
GHOST = [
    (3, 16, 16, 0, 1), (3, 48, 24, 0, 2), (3, 72, 24, 0, 1), (5, 72, 40, 1, 2), (5, 120, 40, 1, 1), (3, 240, 80, 0, 2),
    (3, 200, 80, 0, 1), (3, 184, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 1, 1), (3, 672, 112, 1, 1),
    (5, 672, 160, 1, 2), (5, 960, 160, 0, 1), (5, 960, 160, 1, 1), (5, 960, 160, 0, 1), (5, 960, 160, 1, 1),
]  # fmt: skip


def ghostnet(w: float) -> nn.Module:
    inp = int(16 * w)
    layers: list[nn.Module] = [conv_bn(3, inp, 3, 2)]
    for k, exp, c, se, s in GHOST:
        block = GhostBottleneck(inp, int(exp * w), int(c * w), k, s, se)
        layers.append(block)
        inp = block.out
    last = int(960 * w)
    layers += [conv_bn(inp, last), nn.AdaptiveAvgPool2d(1), nn.Conv2d(last, 1280, 1), nn.ReLU()]
    return Classifier(layers, 1280)


# --- AlexNet --------------------------------------------------------------------------------------------------------


def alexnet(w: float, groups: int = 1) -> nn.Module:
    a, b, c, d = (make_divisible(channels * w) for channels in (96, 256, 384, 256))
    return nn.Sequential(
        nn.Conv2d(3, a, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(a, b, 5, padding=2, groups=groups), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(b, c, 3, padding=1), nn.ReLU(),
        nn.Conv2d(c, c, 3, padding=1, groups=groups), nn.ReLU(),
        nn.Conv2d(c, d, 3, padding=1, groups=groups), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Flatten(),
        *(nn.Linear(6 * 6 * d, make_divisible(4096 * w)), nn.ReLU()),
        *(nn.Linear(make_divisible(4096 * w), make_divisible(4096 * w)), nn.ReLU()),
        nn.Linear(make_divisible(4096 * w), 1000),
    )  # fmt: skip


WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.4)
TEACHING: dict[tuple[str, str], tuple[Callable[[float], nn.Module], tuple[float, ...]]] = {
    ("mobilenet_v1", "teaching"): (mobilenet_v1, (0.1, 0.2, 0.55, 0.75, 1.0)),
    ("mobilenet_v1", "teaching_stride"): (mobilenet_v1_stride, (0.25, 0.55, 0.75, 1.0, 1.4)),
    ("mobilenet_v2", "teaching"): (mobilenet_v2, (0.2, *WIDTHS)),
    ("mobilenet_v2", "teaching_int"): (mobilenet_v2_int, (0.1, *WIDTHS)),
    ("mobilenet_v2", "teaching_ceil"): (mobilenet_v2_ceil, WIDTHS),
    ("mobilenet_v3_small", "teaching"): (mobilenet_v3_small, WIDTHS),
    ("mobilenet_v3_small", "teaching_se"): (mobilenet_v3_small_se, WIDTHS),
    ("mobilenet_v3_large", "teaching"): (mobilenet_v3_large, WIDTHS),
    ("mobilenet_v3_large", "teaching_se"): (mobilenet_v3_large_se, WIDTHS),
    ("mnasnet_a1", "teaching"): (mnasnet_a1, WIDTHS),
    ("mnasnet_b1", "teaching"): (mnasnet_b1, (0.2, *WIDTHS)),
    ("efficientnet_b0", "teaching"): (efficientnet, WIDTHS),
    ("efficientnet_b0", "teaching_ceil"): (efficientnet_ceil, WIDTHS),
    ("shufflenet_v1", "teaching"): (shufflenet_v1, (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)),
    # There are four published scales.
    ("shufflenet_v2", "teaching"): (shufflenet_v2, (0.5, 1.0, 1.5, 2.0)),
    ("ghostnet", "teaching"): (ghostnet, WIDTHS),
    ("alexnet", "teaching"): (alexnet, WIDTHS),
    ("alexnet", "authors"): (lambda w: alexnet(w, groups=2), WIDTHS),
}
"""Transcriptions and the widths at which they are compared, by architecture and variant."""
