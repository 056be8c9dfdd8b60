"""Fully connected layers beside convolutions, counted by torch."""

from __future__ import annotations

import pytest
from torch import nn

from effviz.studies.convolutions import Setting
from effviz.studies.fully_connected import alternatives


@pytest.mark.parametrize("bias", [False, True])
def test_parameters_equal_torch_and_their_formula(bias: bool) -> None:
    setting = Setting(5, 6, 10, 2, 2, 9, bias)
    modules = [
        nn.Conv2d(6, 10, 5, bias=bias),
        nn.Linear(6 * 9 * 9, 10, bias=bias),
        nn.Linear(6, 10, bias=bias),
    ]
    found = alternatives(setting)
    for row, module in zip(found, modules, strict=True):
        assert row.report.params == sum(each.numel() for each in module.parameters())
        assert eval(row.numbers.replace(r"\cdot", "*").replace("^", "**").replace("{,}", "")) == row.report.params
    # The window of the convolution has 5 x 5 positions at stride 2; a fully connected layer has one.
    assert [row.uses for row in found] == [25, 1, 1]


def test_a_layer_with_too_many_weights_is_left_out() -> None:
    names = [row.name for row in alternatives(Setting(3, 4096, 16, 1, 1, 1024))]
    assert names == ["Standard convolution", "Fully connected after global pooling"]
