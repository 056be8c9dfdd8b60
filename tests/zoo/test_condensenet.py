"""CondenseNet against independent torch modules with the structure of ShichenLiu/CondenseNet."""

from __future__ import annotations

from typing import Any

import oracle
import pytest
import torch
from torch import Tensor, nn

import effviz
from effviz.model.blocks import CondenseLayer
from effviz.model.layers import ChannelSelect
from effviz.model.trace import trace


class Gather(nn.Module):
    """An index buffer of a given length, in order."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.register_buffer("order", torch.arange(length))

    def forward(self, x: Tensor) -> Tensor:
        return torch.index_select(x, 1, self.order)  # type: ignore[arg-type]


class Dense(nn.Module):
    """One layer after the conversion: its 1x1 reads as many channels as before, each group its own."""

    def __init__(self, width: int, growth: int, groups: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            Gather(width),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 4 * growth, 1, groups=groups, bias=False),
            nn.ChannelShuffle(groups),
            nn.BatchNorm2d(4 * growth),
            nn.ReLU(),
            nn.Conv2d(4 * growth, growth, 3, padding=1, groups=groups, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.path(x)], 1)


def by_hand(groups: int) -> nn.Module:
    """The ImageNet model with stages 4-6-8-10-8 and growth 8-16-32-64-128."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 2, 1, bias=False)]
    width = 16
    for count, growth in ((4, 8), (6, 16), (8, 32), (10, 64), (8, 128)):
        if width > 16:
            layers.append(nn.AvgPool2d(2))
        for _ in range(count):
            layers.append(Dense(width, growth, groups))
            width += growth
    assert width == 2064
    layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.AvgPool2d(7), nn.Flatten(), Gather(1032), nn.Linear(1032, 1000)]
    return nn.Sequential(*layers).eval()


@pytest.mark.slow
@pytest.mark.parametrize("groups", [4, 8])
def test_counts_of_the_converted_network(groups: int) -> None:
    module, image = by_hand(groups), (3, 224, 224)
    report = effviz.analyze(effviz.architecture("condensenet", groups=groups))
    assert report.params == oracle.count_params(module)
    assert report.macs == oracle.count_macs(module, image)
    for memory, count in (("fused", oracle.fused_memory_access), ("eager", oracle.eager_memory_access)):
        assert effviz.analyze(effviz.architecture("condensenet", groups=groups), memory=memory).memory_access == count(
            module, image
        )
    assert report.peak_activation == oracle.peak_activation(module, image)[0]


def test_the_authors_multiply_adds_include_relu_and_pooling() -> None:
    """529 M and 274 M in their README: products, biases of the classifier, ReLU inputs and pooled elements."""
    for groups, printed in ((4, 529), (8, 274)):
        found: list[int] = []

        def add(layer: nn.Module, inputs: Any, _output: Tensor, found: list[int] = found) -> None:
            found.append(inputs[0].numel())

        module = by_hand(groups)
        for layer in module.modules():
            if isinstance(layer, (nn.ReLU, nn.AvgPool2d)):
                layer.register_forward_hook(add)
        with torch.no_grad():
            module(torch.zeros(1, 3, 224, 224))
        macs = effviz.analyze(effviz.architecture("condensenet", groups=groups)).macs
        assert round((macs + 1000 + sum(found)) / 1e6) == printed


def test_the_output_is_that_of_the_modules_by_hand() -> None:
    """The same weights give the same classes."""
    torch.manual_seed(0)
    module = by_hand(4)
    built = effviz.build(effviz.architecture("condensenet"))
    ours = [value for name, value in built.state_dict().items() if not name.endswith("index")]
    names = [name for name in module.state_dict() if not name.endswith("order")]
    module.load_state_dict(dict(zip(names, ours, strict=True)), strict=False)
    indices = [value for name, value in built.state_dict().items() if name.endswith("index")]
    gathers = [each for each in module.modules() if isinstance(each, Gather)]
    for gather, index in zip(gathers, indices, strict=True):
        assert gather.order.shape == index.shape
        order = torch.randperm(len(index))
        gather.order, index[:] = order, order
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(built(image), module(image))


def test_groups_without_a_published_model() -> None:
    with pytest.raises(effviz.DesignError, match="groups = 2 must be one of 4, 8"):
        effviz.architecture("condensenet", groups=2)


def test_a_group_keeps_a_share_of_the_channels() -> None:
    layer = CondenseLayer(96, 32, groups=2, condense_factor=8)
    select = next(step.layer for step in trace(layer, (96, 7, 7)) if isinstance(step.layer, ChannelSelect))
    assert (select.in_channels, select.out_channels) == (96, 2 * 96 // 8)
    with pytest.raises(effviz.DesignError, match="condense_factor = 5 must divide in_channels = 96"):
        CondenseLayer(96, condense_factor=5)
    with pytest.raises(effviz.DesignError, match=r"in_channels = 6 must equal the 4 channels of the input"):
        ChannelSelect(6, 3).out_shape((4, 2, 2))
