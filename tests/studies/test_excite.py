"""Squeeze-and-excitation against its reduction: the engine's differences, the paper's formula and torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import effviz
from effviz.backend.build import to_module
from effviz.model.blocks import (
    ConvBNAct,
    FusedMBConv,
    GhostBottleneck,
    InvertedResidual,
    MBConv,
    SqueezeExcite,
)
from effviz.model.fields import FieldBlock
from effviz.model.layers import Shape
from effviz.studies.excite import REDUCTIONS, can_excite, excite

BLOCKS = [
    InvertedResidual(24, 40, 2, 5, 3.0, 0.25, "relu", 8),
    InvertedResidual(40, 40, kernel_size=5, expand_ratio=3.0),
    MBConv(24, 24),
    MBConv(32, 16, expand_ratio=1.0),
    MBConv(80, 112, 1, 5, 6.0, 0.0),
    FusedMBConv(24, 48, 2, 3, 4.0, 0.25),
    FusedMBConv(24, 48, expand_ratio=1.0),
    GhostBottleneck(24, 40, 2, 5, 72, 0.25),
    SqueezeExcite(64, 4),
    SqueezeExcite(100, 7, gate="hardsigmoid"),
]
each_block = pytest.mark.parametrize(
    "block", BLOCKS, ids=[f"{i}-{type(each).__name__}" for i, each in enumerate(BLOCKS)]
)


def _shape(block: FieldBlock) -> Shape:
    return (vars(block)["in_channels"], 14, 14)


def _torch(block: FieldBlock) -> tuple[int, int]:
    with torch.device("meta"):
        module = to_module(block).eval()
    with FlopCounterMode(display=False) as counter:
        module(torch.empty(1, *_shape(block), device="meta"))
    return sum(each.numel() for each in module.parameters()), counter.get_total_flops() // 2


def _changed(block: FieldBlock, **values: Any) -> FieldBlock:
    return type(block)(**(vars(block) | values))


def _excitations(block: FieldBlock) -> list[tuple[int, int]]:
    """Channels and squeezed channels of the gates in torch: the only convolutions with a bias."""
    with torch.device("meta"):
        module = to_module(block)
    gates = [each for each in module.modules() if isinstance(each, nn.Conv2d) and each.bias is not None]
    return [(each.in_channels, each.out_channels) for each in gates[::2]]


@pytest.mark.slow
@each_block
def test_what_is_added_is_torchs_difference(block: FieldBlock) -> None:
    found = excite(block, _shape(block))
    for each in found:
        if isinstance(block, SqueezeExcite):
            made, without = _changed(block, squeezed=each.squeezed), (0, 0)
        else:
            made, without = _changed(block, se_ratio=1 / each.reduction), _torch(_changed(block, se_ratio=0.0))
        params, macs = _torch(made)
        assert each.params_added == params - without[0]
        assert each.macs_added == macs - without[1]
        assert each.share == each.params_added / params
        assert [(each.channels, each.squeezed)] == _excitations(made)


@each_block
def test_what_is_added_is_the_papers_formula(block: FieldBlock) -> None:
    """2C²/r (arXiv 1709.01507, equation 5) with the r that is built, and the biases, which it leaves out."""
    for each in excite(block, _shape(block)):
        r = each.channels / each.squeezed
        weights = 2 * each.channels**2 / r
        assert each.macs_added == pytest.approx(weights)
        assert each.params_added - each.channels - each.squeezed == pytest.approx(weights)


@each_block
def test_more_reduction_adds_no_more(block: FieldBlock) -> None:
    found = excite(block, _shape(block))
    reductions = [each.reduction for each in found]
    assert reductions == sorted(set(reductions))
    assert set(map(float, REDUCTIONS)) <= set(reductions)
    added = [each.params_added for each in found]
    assert added == sorted(added, reverse=True)
    assert [each.share for each in found] == sorted((each.share for each in found), reverse=True)


@each_block
def test_the_blocks_own_reduction_is_marked(block: FieldBlock) -> None:
    marked = [each for each in excite(block, _shape(block)) if each.current]
    values = vars(block)
    if isinstance(block, SqueezeExcite):
        assert [each.squeezed for each in marked] == [block.squeezed]
    elif values["se_ratio"] == 0:
        assert marked == []
    else:
        assert [each.reduction for each in marked] == [1 / values["se_ratio"]]
        assert [(marked[0].channels, marked[0].squeezed)] == _excitations(block)


def test_a_reduction_between_is_put_in_its_place() -> None:
    found = excite(MBConv(24, 24, se_ratio=1 / 24), (24, 14, 14), (4, 24, 64))
    assert [each.reduction for each in found] == [4, 24, 64]
    assert [each.current for each in found] == [False, True, False]
    found = excite(SqueezeExcite(64, 5), (64, 14, 14), (8, 16))
    assert [(each.reduction, each.squeezed, each.current) for each in found] == [
        (8, 8, False), (12.8, 5, True), (16, 4, False),
    ]  # fmt: skip


def test_efficientnet_b0_by_hand() -> None:
    """Stage 2: 24 channels, 144 expanded, 6 squeezed: 2 x 144 x 6 + 6 + 144 parameters of 10,710."""
    (current,) = (each for each in excite(MBConv(24, 24), (24, 56, 56)) if each.current)
    assert current[:4] == (4, 144, 6, 1_878)
    assert current.share == 1_878 / 10_710
    assert current.macs_added == 1_728


def test_the_resolution_does_not_matter() -> None:
    assert excite(MBConv(24, 24), (24, 7, 7)) == excite(MBConv(24, 24), (24, 112, 112))


def test_who_can() -> None:
    assert [name for name, kind in effviz.BLOCKS.items() if can_excite(_any(kind))] == [
        "inverted_residual", "mbconv", "fused_mbconv", "squeeze_excite", "ghost_bottleneck", "regnet_block",
    ]  # fmt: skip


def _any(kind: type[FieldBlock]) -> FieldBlock:
    wanted = {name: 8 for name in ("in_channels", "out_channels") if name in kind.__dataclass_fields__}
    extra = {"groups": 2} if kind.__name__ == "ShuffleUnitV1" else {}
    return kind(**wanted, **extra)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ConvBNAct(8, 8), (8, 4, 4)), "block = 'ConvBNAct' must have a field se_ratio or be SqueezeExcite"),
        ((MBConv(8, 8), (8, 4, 5)), "shape = (8, 4, 5) must be (channels, side, side)"),
        ((MBConv(8, 8), (8,)), "shape = (8,) must be (channels, side, side)"),
        ((MBConv(8, 8), (8, 4, 4), (0.5,)), "reduction = 0.5 must be at least 1"),
        ((MBConv(8, 8), (8, 4, 4), (2048,)), "reduction = 2048 must be at most 1024"),
    ],
)
def test_errors_name_argument_and_value(arguments: Any, message: str) -> None:
    with pytest.raises(effviz.DesignError) as caught:
        excite(*arguments)
    assert str(caught.value) == message
