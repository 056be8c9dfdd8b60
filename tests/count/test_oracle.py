"""The oracle against networks counted by hand."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import oracle
import pytest
import torch
import torch.nn.functional as F
from cases import for_each
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples
from torch import Tensor, nn


class Graph(nn.Module):
    """A module whose forward pass is `function(self, x)`."""

    def __init__(self, function: Callable[[Any, Tensor], Any], **modules: nn.Module) -> None:
        super().__init__()
        self.function = function
        self._modules.update(modules)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def conv(inputs: int, outputs: int, kernel_size: int, **options: Any) -> nn.Conv2d:
    """Return a convolution that keeps the resolution at stride 1, without bias by default."""
    return nn.Conv2d(inputs, outputs, kernel_size, padding=kernel_size // 2, **{"bias": False, **options})


def conv_bn(inputs: int, outputs: int, kernel_size: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [conv(inputs, outputs, kernel_size, stride=stride, groups=groups), nn.BatchNorm2d(outputs)]


def shuffle_unit(m: Any, x: Tensor) -> Any:
    left, right = x.chunk(2, 1)
    return m.shuffle(torch.cat([left, m.body(right)], 1))


class Expected(NamedTuple):
    """Counts by hand for an input of this shape."""

    shape: tuple[int, int, int]
    params: int
    macs: int
    eager: int
    paper: int
    fused: int
    peak: int


CASES: dict[str, tuple[nn.Module, Expected]] = {
    # conv 32 + 54 + 48 = 134, BN 48 + 12 + 48 = 108, ReLU 96; fused: conv 134 and a bias of 3
    "conv-bn-relu": (
        nn.Sequential(conv(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU()),
        Expected((2, 4, 4), 60, 54 * 16, eager=338, paper=134, fused=137, peak=32 + 48),
    ),
    # map 32 + weight 6 + bias 3 + map 48 = 89
    "conv with bias": (conv(2, 3, 1, bias=True), Expected((2, 4, 4), 9, 6 * 16, eager=89, paper=86, fused=89, peak=80)),
    # the bias takes in the batch norm (108) and grows by nothing
    "conv with bias, bn": (
        nn.Sequential(conv(2, 3, 1, bias=True), nn.BatchNorm2d(3)),
        Expected((2, 4, 4), 15, 6 * 16, eager=197, paper=86, fused=89, peak=80),
    ),
    # conv 32 + 36 + 32 = 100, BN 32 + 8 + 32 = 72, add 3 * 32 = 96, ReLU 64; fused: 102 + 96; peak at the add
    "residual": (
        Graph(lambda m, x: F.relu(x + m.body(x)), body=nn.Sequential(conv(2, 2, 3), nn.BatchNorm2d(2))),
        Expected((2, 4, 4), 40, 36 * 16, eager=332, paper=100, fused=198, peak=96),
    ),
    # pool 16 + 4, conv 4 + 8 + 2 + 2, ReLU 4, conv 2 + 8 + 4 + 4, sigmoid 8, product 16 + 4 + 16 even if expanded
    "squeeze-excite": (
        Graph(
            lambda m, x: x * m.gate(x).expand_as(x),
            gate=nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 1), nn.Sigmoid()
            ),
        ),
        Expected((4, 2, 2), 22, 16, eager=20 + 16 + 4 + 18 + 8 + 36, paper=28, fused=20 + 16 + 18 + 36, peak=36),
    ),
    # 32 + 6 + 3 + 48 = 89, 32 + 18 + 1 + 16 = 67, concat 64 + 64, ReLU 128; peak at the concat: 48 + 16 + 64
    "concat": (
        Graph(lambda m, x: F.relu(torch.cat([m.a(x), m.b(x)], 1)), a=nn.Conv2d(2, 3, 1), b=conv(2, 1, 3, bias=True)),
        Expected((2, 4, 4), 28, 24 * 16, eager=412, paper=86 + 66, fused=89 + 67 + 128, peak=128),
    ),
    # 64 + 36 + 16, at stride 2: 4 positions
    "depthwise": (
        conv(4, 4, 3, stride=2, groups=4),
        Expected((4, 4, 4), 36, 144, eager=116, paper=116, fused=116, peak=80),
    ),
    # 1x1 68, BN 72, ReLU 64, 3x3 82, BN 72, 1x1 68, BN 72, ReLU 64, concat 128, shuffle 128; fused 70 + 84 + 70 + 256;
    # peak at the concat: the whole input 64, of which the left half is read, the right branch 32, and the output 64
    "shufflenet v2 unit": (
        Graph(
            shuffle_unit,
            body=nn.Sequential(*conv_bn(2, 2, 1), nn.ReLU(), *conv_bn(2, 2, 3, 1, 2), *conv_bn(2, 2, 1), nn.ReLU()),
            shuffle=nn.ChannelShuffle(2),
        ),
        Expected((4, 4, 4), 38, 26 * 16, eager=818, paper=68 + 82 + 68, fused=480, peak=160),
    ),
    # conv 12 + 27 + 12, concat 24 + 24; the ReLU sees a part of it and stays: 20 + 20; 1x1 20 + 25 + 20;
    # peak at the concat 12 + 12 + 24, and at the ReLU the whole concat is alive: 24 + 20
    "slice after concat": (
        Graph(lambda m, x: m.b(F.relu(torch.cat([x, m.a(x)], 1)[:, :5])), a=conv(3, 3, 3, groups=3), b=conv(5, 5, 1)),
        Expected((3, 2, 2), 52, 52 * 4, eager=204, paper=51 + 65, fused=204, peak=48),
    ),
    # conv 100, concat 128, BN 64 + 16 + 64 = 144, ReLU 128 (into the BN), 1x1 64 + 8 + 32 = 104
    "pre-activation after concat": (
        Graph(
            lambda m, x: m.next(torch.cat([x, m.new(x)], 1)),
            new=conv(2, 2, 3),
            next=nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), conv(4, 2, 1)),
        ),
        Expected((2, 4, 4), 52, 44 * 16, eager=604, paper=204, fused=476, peak=128),
    ),
    # conv 8 + 4 + 8, sigmoid 16, product 24: the sigmoid is not the only reader
    "activation of a shared map": (
        Graph(lambda m, x: (y := m.conv(x)) * y.sigmoid(), conv=conv(2, 2, 1)),
        Expected((2, 2, 2), 4, 16, eager=60, paper=20, fused=60, peak=24),
    ),
    # conv 20, BN 8 + 8 + 8, add 24
    "bn of a shared map": (
        Graph(lambda m, x: (y := m.conv(x)) + m.bn(y), conv=conv(2, 2, 1), bn=nn.BatchNorm2d(2)),
        Expected((2, 2, 2), 8, 16, eager=68, paper=20, fused=68, peak=24),
    ),
    # conv 20, ReLU 16, BN 24: only a batch norm right after the convolution is folded
    "bn after activation": (
        nn.Sequential(conv(2, 2, 1), nn.ReLU(), nn.BatchNorm2d(2)),
        Expected((2, 2, 2), 8, 16, eager=60, paper=20, fused=20 + 24, peak=16),
    ),
    # conv 20 + 2, BN 24: the first batch norm is folded, the second no longer follows a convolution
    "bn after bn": (
        nn.Sequential(conv(2, 2, 1), nn.BatchNorm2d(2), nn.BatchNorm2d(2)),
        Expected((2, 2, 2), 12, 16, eager=68, paper=20, fused=22 + 24, peak=16),
    ),
    # pool 32 + 8, ReLU 16 (into the pool); the indices of the maxima are not counted
    "max pool": (
        nn.Sequential(nn.MaxPool2d(2), nn.ReLU()),
        Expected((2, 4, 4), 0, 0, eager=56, paper=0, fused=40, peak=40),
    ),
    # 8 + 24 + 3 + 3 = 38, ReLU 6
    "flatten, linear": (
        nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(8, 3), nn.ReLU()),
        Expected((2, 2, 2), 27, 24, eager=44, paper=35, fused=38, peak=11),
    ),
    # ReLU 64: nothing before it to be fused into; conv 32 + 6 + 48
    "activation first": (
        nn.Sequential(nn.ReLU(), conv(2, 3, 1)),
        Expected((2, 4, 4), 6, 6 * 16, eager=150, paper=86, fused=150, peak=80),
    ),
    # conv 8 + 4 + 8, PReLU 8 + 1 + 8; fused, its slope is still read
    "prelu": (
        nn.Sequential(conv(2, 2, 1), nn.PReLU()),
        Expected((2, 2, 2), 5, 16, eager=37, paper=20, fused=21, peak=16),
    ),
    # shuffles that change nothing are still shuffles: 3 * (16 + 16)
    "trivial shuffles": (
        nn.Sequential(nn.ChannelShuffle(1), nn.ChannelShuffle(4), nn.ChannelShuffle(2)),
        Expected((4, 2, 2), 0, 0, eager=96, paper=0, fused=96, peak=32),
    ),
    # 1x1 8 + 12 + 24, 24 + 36 + 24, 24 + 12 + 8, add 24; peak at the second: the shortcut 8 is kept beside 24 + 24
    "shortcut stays alive": (
        Graph(lambda m, x: x + m.body(x), body=nn.Sequential(conv(2, 6, 1), conv(6, 6, 1), conv(6, 2, 1))),
        Expected((2, 2, 2), 60, 240, eager=44 + 84 + 44 + 24, paper=172, fused=196, peak=56),
    ),
}


def inplace(module: nn.Module) -> Any:
    """Return a copy whose activations overwrite their input."""
    copied: Any = copy.deepcopy(module)
    for submodule in copied.modules():
        if hasattr(submodule, "inplace"):
            submodule.inplace = True
    return copied


@for_each("rewrite", [lambda module: module, inplace], ids=["as is", "in place"])
@for_each("name", CASES)
def test_hand_counted(name: str, rewrite: Callable[[nn.Module], nn.Module]) -> None:
    module, expected = rewrite(CASES[name][0]), CASES[name][1]
    shape = expected.shape
    assert expected == Expected(
        shape,
        oracle.count_params(module),
        oracle.count_macs(module, shape),
        oracle.eager_memory_access(module, shape),
        oracle.paper_memory_access(module, shape),
        oracle.fused_memory_access(module, shape),
        oracle.peak_activation(module, shape)[0],
    )
    assert oracle.record(module, shape, "cpu") == oracle.record(module, shape), "CPU and meta device differ"


LAYERS: list[Callable[[], nn.Module]] = [
    *(lambda: conv(4, 4, 3), lambda: conv(4, 4, 1, bias=True), lambda: conv(4, 4, 3, groups=4, stride=2)),
    *(lambda: conv(4, 4, 3, groups=2), lambda: nn.BatchNorm2d(4), nn.ReLU, nn.Hardswish, nn.SiLU, nn.Sigmoid),
    *(lambda: nn.ChannelShuffle(2), lambda: nn.MaxPool2d(3, 2, 1), lambda: nn.AvgPool2d(2, ceil_mode=True)),
    *(lambda: nn.AdaptiveAvgPool2d(2), lambda: nn.AdaptiveAvgPool2d(1)),
    lambda: Graph(lambda m, x: x + m.body(x), body=conv(4, 4, 3)),
    lambda: Graph(lambda m, x: torch.cat([m.body(half := x.chunk(2, 1)[1]), half], 1), body=conv(2, 2, 1)),
    lambda: Graph(lambda m, x: x * m.gate(x), gate=nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(4, 4, 1), nn.Sigmoid())),
]


@settings(max_examples=examples(6))
@given(layers=st.lists(st.sampled_from(LAYERS), max_size=6), size=st.integers(1, 9))
def test_any_chain(layers: list[Callable[[], nn.Module]], size: int) -> None:
    module, shape = nn.Sequential(*(layer() for layer in layers), nn.Flatten()), (4, size, size)
    assert oracle.record(module, shape, "cpu") == oracle.record(module, shape)
    paper, eager = oracle.paper_memory_access(module, shape), oracle.eager_memory_access(module, shape)
    assert paper <= oracle.fused_memory_access(module, shape) <= eager
    for step in oracle.fused_steps(module, shape):
        assert oracle.peak_activation(module, shape)[0] >= step.reads[0].elements + step.write.elements


def test_inplace_write_to_a_part_raises() -> None:
    message = r"^in-place write to \(1, 1, 4, 4\), a part of a tensor \(1, 2, 4, 4\)$"
    with pytest.raises(NotImplementedError, match=message):
        oracle.eager_memory_access(Graph(lambda m, x: x[:, :1].relu_()), (2, 4, 4))


def test_returned_maps_stay_alive_and_unfused() -> None:
    """A detector's backbone returns several maps: the ReLU (16) may not overwrite the first."""
    module = Graph(lambda m, x: (y := m.conv(x), F.relu(y), x.mean()), conv=conv(2, 2, 1))
    assert oracle.fused_memory_access(module, (2, 2, 2)) == 20 + 16 + 9
    assert oracle.peak_activation(module, (2, 2, 2))[0] == 8 + 8 + 8 + 1


def test_norms_that_are_not_folded() -> None:
    """Instance norm (8 + 8) has no statistics in advance; a batch norm of a part (4 + 4 + 4) spares the rest."""
    instance = nn.Sequential(conv(2, 2, 1), nn.InstanceNorm2d(2))
    assert oracle.fused_memory_access(instance, (2, 2, 2)) == 20 + 16
    part = Graph(lambda m, x: m.bn(m.conv(x)[:, :1]), conv=conv(2, 2, 1), bn=nn.BatchNorm2d(1))
    assert oracle.fused_memory_access(part, (2, 2, 2)) == 20 + 12


def test_output_shapes() -> None:
    module = nn.Sequential(nn.Sequential(conv(3, 8, 3, stride=2), nn.ReLU()), nn.Flatten(), nn.Linear(32, 5))
    expected = {"0.0": (8, 2, 2), "0.1": (8, 2, 2), "0": (8, 2, 2), "1": (32,), "2": (5,), "": (5,)}
    assert oracle.output_shapes(module, (3, 4, 4)) == expected


def test_fused_steps_name_their_modules() -> None:
    steps = oracle.fused_steps(nn.Sequential(conv(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2)), (2, 4, 4))
    assert [str(step) for step in steps] == [
        "0: convolution+native_batch_norm+relu 2x4x4 -> 3x4x4",
        "3: max_pool2d_with_indices 3x4x4 -> 3x2x2",
    ]


def test_the_module_is_unchanged() -> None:
    module = nn.Sequential(conv(2, 2, 1), nn.BatchNorm2d(2).eval(), nn.Dropout())
    before = copy.deepcopy(module.state_dict())
    oracle.eager_memory_access(module, (2, 4, 4))
    assert [submodule.training for submodule in module.modules()] == [True, True, False, True]
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert not any(submodule._forward_hooks or submodule._forward_pre_hooks for submodule in module.modules())


class Bottleneck(nn.Module):
    """MobileNetV2, table 1."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = expansion * inputs
        self.has_shortcut = stride == 1 and inputs == outputs
        self.body = nn.Sequential(
            *([*conv_bn(inputs, hidden, 1), nn.ReLU6()] if expansion > 1 else []),
            *(*conv_bn(hidden, hidden, 3, stride, hidden), nn.ReLU6()),
            *conv_bn(hidden, outputs, 1),
        )

    def forward(self, x: Tensor) -> Any:
        return x + self.body(x) if self.has_shortcut else self.body(x)


def mobilenet_v2() -> nn.Module:
    """MobileNetV2, table 2: t, c, n, s."""
    layers, width = [*conv_bn(3, 32, 3, stride=2), nn.ReLU6()], 32
    for t, c, n, s in [
        *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    ]:
        layers += [Bottleneck(c if index else width, c, 1 if index else s, t) for index in range(n)]
        width = c
    layers += [*conv_bn(320, 1280, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    return nn.Sequential(*layers)


def test_mobilenet_v2() -> None:
    module, shape = mobilenet_v2(), (3, 224, 224)
    assert oracle.count_params(module) == 3_504_872
    assert oracle.count_macs(module, shape) == 300_774_272
    elements, where = oracle.peak_activation(module, shape)
    assert elements == 96 * 112 * 112 + 96 * 56 * 56 == 1_505_280
    assert where.endswith("4.body.3: convolution+native_batch_norm+hardtanh 96x112x112 -> 96x56x56")
