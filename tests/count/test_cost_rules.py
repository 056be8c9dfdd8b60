"""Counting rules against loops over all products and against layers in papers."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from effviz import Design, Stage, analyze
from effviz.count import cost
from effviz.model.blocks import ConvBNAct, DepthwiseSeparable
from effviz.model.layers import (
    Activation,
    BatchNorm2d,
    Branches,
    ChannelShuffle,
    Conv2d,
    Dropout,
    GlobalAvgPool,
    Identity,
    Layer,
    LayerNorm2d,
    LayerScale,
    Linear,
    MaxPool2d,
    Primitive,
    Shape,
    primitive_kinds,
)
from effviz.model.trace import trace


def _total(layer: Layer, shape: Shape) -> tuple[int, int]:
    steps = trace(layer, shape)
    macs = sum(cost.macs(step.layer, step.output.shape) for step in steps)
    return sum(cost.params(step.layer) for step in steps), macs


@given(
    per_group=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    groups=st.integers(1, 4),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.integers(1, 3),
    side=st.integers(3, 6),
    bias=st.booleans(),
)
@settings(max_examples=examples(10))
def test_convolution_counts_every_product(
    per_group: tuple[int, int], groups: int, kernel: tuple[int, int], stride: int, side: int, bias: bool
) -> None:
    inputs, outputs = (groups * each for each in per_group)
    layer = Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=bias)
    rows, columns = (range(0, side - each + 1, stride) for each in kernel)
    weights = {
        (out, channel, *offset)
        for out in range(outputs)
        for channel in range(inputs)
        for offset in product(*map(range, kernel))
        if channel // per_group[0] == out // per_group[1]
    }
    products = sum(1 for _ in product(rows, columns, weights))
    assert _total(layer, (inputs, side, side)) == (len(weights) + (outputs if bias else 0), products)
    assert cost.weights(layer) == len(weights)
    assert cost.biases(layer) == (outputs if bias else 0)


@pytest.mark.parametrize(
    ("layer", "shape", "params", "macs"),
    [
        (Linear(1280, 1000), (1280,), 1_281_000, 1_280_000),
        (Linear(1280, 1000, bias=False), (1280,), 1_280_000, 1_280_000),
        (BatchNorm2d(32), (32, 112, 112), 64, 0),
        (BatchNorm2d(32, affine=False), (32, 112, 112), 0, 0),
        (Activation("hardswish"), (32, 112, 112), 0, 0),
        (MaxPool2d(3, 2, 1), (32, 112, 112), 0, 0),
        (GlobalAvgPool(), (32, 112, 112), 0, 0),
        (ChannelShuffle(4), (32, 112, 112), 0, 0),
        (Branches((("a", Identity()), ("b", Identity()))), (32, 112, 112), 0, 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Layer) else None,
)
def test_convention(layer: Layer, shape: Shape, params: int, macs: int) -> None:
    assert _total(layer, shape) == (params, macs)


def test_zero_is_registered_by_class() -> None:
    """A new primitive without a rule raises an error; it does not count as zero."""
    computing = {Conv2d, Linear}
    for kind in primitive_kinds():
        assert (kind in cost.WITHOUT_MACS) == (kind not in computing), kind.__name__
        assert (kind in cost.WITHOUT_PARAMS) == (kind not in {*computing, BatchNorm2d, LayerNorm2d, LayerScale}), (
            kind.__name__
        )
    assert cost.macs.dispatch(Primitive) is cost.macs.dispatch(object)


@pytest.mark.parametrize(
    ("layer", "shape", "macs", "weights"),
    [
        (Conv2d(512, 512, 3, 1, 1, bias=False), (512, 14, 14), 462e6, 2.36e6),
        (DepthwiseSeparable(512, 512), (512, 14, 14), 52.3e6, 0.27e6),
        (DepthwiseSeparable(384, 384), (384, 14, 14), 29.6e6, 0.15e6),
        (DepthwiseSeparable(384, 384), (384, 10, 10), 15.1e6, 0.15e6),
    ],
    ids=["full convolution", "separable", "width 0.75", "and resolution 0.714"],
)
def test_layer_of_mobilenet_v1(layer: Layer, shape: Shape, macs: float, weights: float) -> None:
    """Paper, table 3, without batch norm."""
    steps = trace(layer, shape)
    assert _total(layer, shape)[1] == pytest.approx(macs, rel=0.002)
    counted = sum(cost.weights(step.layer) for step in steps if isinstance(step.layer, Conv2d))
    assert counted == pytest.approx(weights, rel=0.02)


def test_separable_cost_as_in_the_paper() -> None:
    """1/N + 1/D_K**2 of a full convolution (MobileNetV1, section 3.1)."""
    full, separable = Conv2d(512, 512, 3, 1, 1, bias=False), DepthwiseSeparable(512, 512)
    fraction = _total(separable, (512, 14, 14))[1] / _total(full, (512, 14, 14))[1]
    assert fraction == pytest.approx(1 / 512 + 1 / 9)


def test_options_that_cost_nothing() -> None:
    """Dilation, activation, stochastic depth and dropout change no count; a bias adds parameters only."""
    plain = _total(ConvBNAct(8, 8), (8, 9, 9))
    assert _total(ConvBNAct(8, 8, dilation=2), (8, 9, 9)) == plain
    assert _total(ConvBNAct(8, 8, activation="none"), (8, 9, 9)) == plain
    assert _total(ConvBNAct(8, 8, bias=True), (8, 9, 9)) == (plain[0] + 8, plain[1])
    assert _total(Dropout(0.9), (8, 9, 9)) == (0, 0)


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_guideline_of_groups(groups: int) -> None:
    """ShuffleNetV2, equation 3: h*w*(c1 + c2) + c1*c2 / g for a grouped 1x1."""
    row = Stage("conv", 128, kernel_size=1, groups=groups)
    report = analyze(Design("g2", (row,), in_channels=64, resolution=28), memory="paper")
    assert report.memory_access == 28 * 28 * (64 + 128) + 64 * 128 // groups
    assert report.macs == 28 * 28 * 64 * 128 // groups
