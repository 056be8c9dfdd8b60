"""Newer networks against independent torch modules, and the further names of networks."""

from __future__ import annotations

from typing import Any

import oracle
import pytest
import torch
from torch import Tensor, nn

import effviz
from effviz.core.resolution import Resolution
from effviz.model.blocks import RegNetBlock, UniversalInvertedBottleneck
from effviz.studies.finder import candidates
from effviz.studies.network_text import parse_network


def conv(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1, act: type[nn.Module] | None = None,
         ) -> list[nn.Module]:  # fmt: skip
    layers = [nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return [*layers, *([act()] if act else [])]


class Sum(nn.Module):
    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + x
        return out


def added(inputs: int, outputs: int, stride: int, layers: list[nn.Module]) -> nn.Module:
    return Sum(*layers) if stride == 1 and inputs == outputs else nn.Sequential(*layers)


def proxylessnas_mobile() -> nn.Module:
    """Blocks as kernel, expansion and width, in the order of the authors' JSON file; the width changes are strided."""
    blocks = [
        (3, 1, 16), (5, 3, 32), (3, 3, 32), (7, 3, 40), (3, 3, 40), (5, 3, 40), (5, 3, 40), (7, 6, 80), (5, 3, 80),
        (5, 3, 80), (5, 3, 80), (5, 6, 96), (5, 3, 96), (5, 3, 96), (5, 3, 96), (7, 6, 192), (7, 6, 192), (7, 3, 192),
        (7, 3, 192), (7, 6, 320),
    ]  # fmt: skip
    layers: list[nn.Module] = conv(3, 32, 3, 2, act=nn.ReLU6)
    inputs = 32
    for size, expansion, outputs in blocks:
        stride = 2 if outputs != inputs and outputs in (32, 40, 80, 192) else 1
        wide = inputs * expansion
        body = conv(inputs, wide, 1, act=nn.ReLU6) if expansion > 1 else []
        body += [*conv(wide, wide, size, stride, wide, nn.ReLU6), *conv(wide, outputs, 1)]
        layers.append(added(inputs, outputs, stride, body))
        inputs = outputs
    layers += conv(320, 1280, 1, act=nn.ReLU6)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))


def mobilenet_v4_conv_medium() -> nn.Module:
    """Blocks as inputs, outputs, first kernel, inner kernel, stride and expansion: the specification of the authors."""
    blocks = [
        (48, 80, 3, 5, 2, 4), (80, 80, 3, 3, 1, 2),
        (80, 160, 3, 5, 2, 6), (160, 160, 3, 3, 1, 4), (160, 160, 3, 3, 1, 4), (160, 160, 3, 5, 1, 4),
        (160, 160, 3, 3, 1, 4), (160, 160, 3, 0, 1, 4), (160, 160, 0, 0, 1, 2), (160, 160, 3, 0, 1, 4),
        (160, 256, 5, 5, 2, 6), (256, 256, 5, 5, 1, 4), (256, 256, 3, 5, 1, 4), (256, 256, 3, 5, 1, 4),
        (256, 256, 0, 0, 1, 4), (256, 256, 3, 0, 1, 4), (256, 256, 3, 5, 1, 2), (256, 256, 5, 5, 1, 4),
        (256, 256, 0, 0, 1, 4), (256, 256, 0, 0, 1, 4), (256, 256, 5, 0, 1, 2),
    ]  # fmt: skip
    layers: list[nn.Module] = [
        *conv(3, 32, 3, 2, act=nn.ReLU), *conv(32, 128, 3, 2, act=nn.ReLU), *conv(128, 48, 1),
    ]  # fmt: skip
    for inputs, outputs, first, inner, stride, expansion in blocks:
        wide = inputs * expansion
        body = conv(inputs, inputs, first, 1 if inner else stride, inputs) if first else []
        body += conv(inputs, wide, 1, act=nn.ReLU)
        body += conv(wide, wide, inner, stride, wide, nn.ReLU) if inner else []
        layers.append(added(inputs, outputs, stride, [*body, *conv(wide, outputs, 1)]))
    layers += [*conv(256, 960, 1, act=nn.ReLU), nn.AdaptiveAvgPool2d(1), *conv(960, 1280, 1, act=nn.ReLU)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1280, 1000))


class ChannelsLast(nn.Module):
    """Layers that run on ``(N, H, W, C)``."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x.permute(0, 2, 3, 1))
        return out.permute(0, 3, 1, 2)


class Scale(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.gamma * x


def convnext_tiny() -> nn.Module:
    """With linear layers on maps whose channels come last, as the authors write it."""
    layers: list[nn.Module] = [nn.Conv2d(3, 96, 4, 4), ChannelsLast(nn.LayerNorm(96, eps=1e-6))]
    for width, depth in ((96, 3), (192, 3), (384, 9), (768, 3)):
        if width > 96:
            norm = ChannelsLast(nn.LayerNorm(width // 2, eps=1e-6))
            layers += [norm, nn.Conv2d(width // 2, width, 2, 2)]
        for _ in range(depth):
            inner = (nn.LayerNorm(width, eps=1e-6), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
            layers.append(Sum(nn.Conv2d(width, width, 7, 1, 3, groups=width), ChannelsLast(*inner), Scale(width)))
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(768, eps=1e-6), nn.Linear(768, 1000))
    return nn.Sequential(*layers, *head)


class Partial(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels // 4, channels // 4, 3, 1, 1, bias=False)
        self.sizes = [channels // 4, channels - channels // 4]

    def forward(self, x: Tensor) -> Tensor:
        convolved, others = torch.split(x, self.sizes, dim=1)
        return torch.cat((self.conv(convolved), others), 1)


def fasternet_t0() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 40, 4, 4, bias=False), nn.BatchNorm2d(40)]
    for width, depth in ((40, 1), (80, 2), (160, 8), (320, 2)):
        if width > 40:
            layers += [nn.Conv2d(width // 2, width, 2, 2, bias=False), nn.BatchNorm2d(width)]
        for _ in range(depth):
            inner = (*conv(width, 2 * width, 1, act=nn.GELU), nn.Conv2d(2 * width, width, 1, bias=False))
            layers.append(Sum(Partial(width), *inner))
    head = (nn.AdaptiveAvgPool2d(1), nn.Conv2d(320, 1280, 1, bias=False), nn.GELU(), nn.Flatten())
    return nn.Sequential(*layers, *head, nn.Linear(1280, 1000))


class Ghost(nn.Module):
    """A Ghost module of an even width; `attention` is the one of GhostNetV2."""

    def __init__(self, inputs: int, outputs: int, act: type[nn.Module] | None, *, attention: bool = False) -> None:
        super().__init__()
        half = outputs // 2
        self.primary = nn.Sequential(*conv(inputs, half, 1, act=act))
        self.cheap = nn.Sequential(*conv(half, half, 3, groups=half, act=act))
        lines = [
            (nn.Conv2d(outputs, outputs, size, padding=padding, groups=outputs, bias=False), nn.BatchNorm2d(outputs))
            for size, padding in (((1, 5), (0, 2)), ((5, 1), (2, 0)))
        ]
        gate = (nn.AvgPool2d(2, 2), *conv(inputs, outputs, 1), *lines[0], *lines[1], nn.Sigmoid())
        self.gate = nn.Sequential(*gate) if attention else None

    def forward(self, x: Tensor) -> Tensor:
        first = self.primary(x)
        out = torch.cat((first, self.cheap(first)), 1)
        return out if self.gate is None else out * nn.functional.interpolate(self.gate(x), size=out.shape[2:])


class Excite(nn.Module):
    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.reduce, self.expand = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = nn.functional.adaptive_avg_pool2d(x, 1)
        return x * nn.functional.hardsigmoid(self.expand(self.reduce(pooled).relu()))


class Residual(nn.Module):
    def __init__(self, body: list[nn.Module], shortcut: list[nn.Module]) -> None:
        super().__init__()
        self.body, self.shortcut = nn.Sequential(*body), nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + self.shortcut(x)
        return out


def ghostnet_v2() -> nn.Module:
    """Blocks as kernel, inner width, width, squeezed width and stride, in the order of the authors' code."""
    blocks = [
        (3, 16, 16, 0, 1), (3, 48, 24, 0, 2), (3, 72, 24, 0, 1), (5, 72, 40, 20, 2), (5, 120, 40, 32, 1),
        (3, 240, 80, 0, 2), (3, 200, 80, 0, 1), (3, 184, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 120, 1),
        (3, 672, 112, 168, 1), (5, 672, 160, 168, 2), (5, 960, 160, 0, 1), (5, 960, 160, 240, 1), (5, 960, 160, 0, 1),
        (5, 960, 160, 240, 1),
    ]  # fmt: skip
    layers: list[nn.Module] = conv(3, 16, 3, 2, act=nn.ReLU)
    inputs = 16
    for place, (size, wide, outputs, squeezed, stride) in enumerate(blocks):
        body: list[nn.Module] = [Ghost(inputs, wide, nn.ReLU, attention=place > 1)]
        body += conv(wide, wide, size, stride, wide) if stride > 1 else []
        body += [Excite(wide, squeezed)] if squeezed else []
        body += [Ghost(wide, outputs, None)]
        keeps = stride == 1 and inputs == outputs
        shortcut = [] if keeps else [*conv(inputs, inputs, size, stride, inputs), *conv(inputs, outputs, 1)]
        layers.append(Residual(body, shortcut))
        inputs = outputs
    layers += [*conv(160, 960, 1, act=nn.ReLU), nn.AdaptiveAvgPool2d(1), nn.Conv2d(960, 1280, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1280, 1000))


BY_HAND = {
    each.__name__: each
    for each in (proxylessnas_mobile, mobilenet_v4_conv_medium, convnext_tiny, fasternet_t0, ghostnet_v2)
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_HAND)
def test_the_output_is_that_of_the_modules_by_hand(name: str) -> None:
    """The same weights give the same classes."""
    torch.manual_seed(0)
    module, built = BY_HAND[name]().eval(), effviz.build(effviz.architecture(name))
    ours = built.state_dict()
    for entry in ours.values():
        if entry.is_floating_point():
            entry.copy_(torch.rand_like(entry) + 0.5 if entry.dim() < 2 else torch.randn_like(entry) * 0.05)
    theirs = module.state_dict()
    assert [value.numel() for value in theirs.values()] == [value.numel() for value in ours.values()]
    values = (own.reshape(other.shape) for own, other in zip(ours.values(), theirs.values(), strict=True))
    module.load_state_dict(dict(zip(theirs, values, strict=True)))
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(built(image), module(image), rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("resolution", [None, 192, 256])
@pytest.mark.parametrize("name", BY_HAND)
def test_counts_are_those_of_the_modules_by_hand(name: str, resolution: int | None) -> None:
    design = effviz.architecture(name, resolution=resolution)
    with torch.device("meta"):
        module = BY_HAND[name]()
    report = effviz.analyze(design)
    assert report.params == oracle.count_params(module)
    assert report.macs == oracle.count_macs(module, design.input_shape())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "resolution"),
    # Half of 231 is rounded down, so the map is enlarged to more than twice its size.
    [("proxylessnas_mobile", None), ("mobilenet_v4_conv_medium", None), ("fasternet_t0", None), ("ghostnet_v2", None),
     ("ghostnet_v2", 231), ("ghostnet_v2", (193, 257))],
)  # fmt: skip
def test_memory_is_that_of_the_modules_by_hand(name: str, resolution: Resolution | None) -> None:
    design = effviz.architecture(name, resolution=resolution)
    with torch.device("meta"):
        module = BY_HAND[name]()
    report = effviz.analyze(design)
    assert report.memory_access == oracle.fused_memory_access(module, design.input_shape())
    assert report.peak_activation == oracle.peak_activation(module, design.input_shape())[0]
    assert report.memory_accesses["eager"] == oracle.eager_memory_access(module, design.input_shape())
    assert report.macs == oracle.count_macs(module, design.input_shape())


def test_a_branch_of_the_training_form_is_folded_into_one_convolution() -> None:
    """MobileOne adds several convolutions with batch norm, a 1x1 and the input; one convolution gives the same map."""
    torch.manual_seed(0)
    wide: Any = nn.Sequential(*conv(8, 8, 3, groups=8)).eval()
    narrow: Any = nn.Sequential(nn.Conv2d(8, 8, 1, groups=8, bias=False), nn.BatchNorm2d(8)).eval()
    skip = nn.BatchNorm2d(8).eval()
    for norm in (wide[1], narrow[1], skip):
        norm.load_state_dict({key: torch.rand_like(value.float()) for key, value in norm.state_dict().items()})
    block = effviz.build(effviz.Design("one", (effviz.Stage("mobileone_block", 8, activation="none"),), in_channels=8))
    folded: Any = next(each for each in block.modules() if isinstance(each, nn.Conv2d))

    def folds(norm: Any, kernel: Tensor) -> tuple[Tensor, Tensor]:
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return kernel * factor.view(-1, 1, 1, 1), norm.bias - norm.running_mean * factor

    centre = nn.functional.pad(torch.ones(8, 1, 1, 1), (1, 1, 1, 1))
    parts = [
        folds(wide[1], wide[0].weight), folds(narrow[1], nn.functional.pad(narrow[0].weight, (1, 1, 1, 1))),
        folds(skip, centre),
    ]  # fmt: skip
    with torch.no_grad():
        folded.weight.copy_(sum(kernel for kernel, _ in parts))
        folded.bias.copy_(sum(bias for _, bias in parts))
        image = torch.randn(1, 8, 9, 9)
        torch.testing.assert_close(folded(image), wide(image) + narrow(image) + skip(image))


def test_further_names_of_networks() -> None:
    for alias, (network, width) in effviz.ALIASES.items():
        assert alias not in effviz.ARCHITECTURES
        assert effviz.architecture(alias) == effviz.architecture(network, width_mult=width)
        # The text of the Compare page and the finder read the same names.
        assert parse_network(alias).design == effviz.architecture(alias)
    assert {"condensenet_74", "mnasnet0_5", "mnasnet1_4", "shufflenet_v2_x0_5", "shufflenet_v2_x2_0"} <= {
        *effviz.ALIASES
    }
    assert parse_network("mnasnet0_5-w2-r192").text == "mnasnet_b1-r192"
    found = candidates(networks=("mnasnet0_5", "condensenet_74"), resolutions=(224,))
    assert {(each.name, each.width) for each in found} == {("mnasnet_b1", 0.5), ("condensenet", 1.0)}
    # Options are relative to the named network.
    assert effviz.architecture("shufflenet_v2_x0_5", width_mult=3).width_mult == 1.5
    assert effviz.architecture("condensenet_74", groups=8).title == "CondenseNet-74 (G = C = 8)"


def test_wrong_fields_name_the_relation() -> None:
    with pytest.raises(effviz.DesignError, match="group_width = 8 must divide out_channels = 12"):
        RegNetBlock(12, 12)
    with pytest.raises(effviz.DesignError, match="stride = 2 must be 1 without a depthwise layer"):
        UniversalInvertedBottleneck(8, 8, 2, 0, 0)


def test_groups_follow_the_width_of_regnet() -> None:
    """pycls: widths are multiples of the group width, which a narrower network keeps."""
    design = effviz.architecture("regnety_800mf", width_mult=0.5)
    widths = {entry.block.out_channels for entry in design.blocks() if isinstance(entry.block, RegNetBlock)}
    assert widths == {32, 64, 160, 384}
    assert all(width % 16 == 0 for width in widths)


@pytest.mark.parametrize(("width", "rounded"), [(100, 104), (0.5 * 24, 16), (11.9, 8), (1, 8), (108, 112)])
def test_widths_of_efficientnet_v2_have_no_rule_of_90_per_cent(width: float, rounded: int) -> None:
    """google/automl effnetv2_model.py: int(filters + 4) // 8 * 8, at least 8."""
    assert effviz.architecture("efficientnet_v2_s").width_rule.round(width) == rounded
