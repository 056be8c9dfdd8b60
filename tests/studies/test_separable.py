"""Standard convolutions replaced by depthwise separable ones."""

from __future__ import annotations

import pytest
import torch
from cases import for_each

import effviz
from effviz import Design, DesignError
from effviz.model.stage import Stage
from effviz.studies.separable import separated, standard_convolutions


def test_vgg16_needs_an_eighth() -> None:
    found = separated(effviz.architecture("vgg16"))
    assert (found.convolutions, found.left) == (13, 0)
    before, after = effviz.analyze(found.before), effviz.analyze(found.after)
    assert f"{before.macs / after.macs:.1f}" == "8.1"
    # By hand: K² C_in + C_in C_out per position instead of K² C_in C_out.
    saved = sum(
        row.macs - row.macs // (9 * row.in_channels * row.out_channels) * row.in_channels * (9 + row.out_channels)
        for row in before.rows
        if row.kernel_size.startswith("3")
    )
    assert before.macs - after.macs == saved


@for_each("name", list(effviz.ARCHITECTURES))
def test_shapes_and_everything_else_stay(name: str) -> None:
    design = effviz.architecture(name)
    try:
        found = separated(design)
    except DesignError:
        assert all(row.block not in ("conv", "fused_mbconv") or dict(row.fields).get("kernel_size", 3) == 1
                   or "padding" in dict(row.fields) for row in design.stages)  # fmt: skip
        return
    assert [entry.shape for entry in found.after.blocks()] == [entry.shape for entry in design.blocks()]
    assert [entry.path for entry in found.after.blocks()] == [entry.path for entry in design.blocks()]
    assert found.left < found.convolutions == standard_convolutions(design)
    # A second replacement has nothing to do.
    with pytest.raises(DesignError, match="has no row with a standard convolution larger than 1×1"):
        separated(found.after)


def test_options_of_a_row() -> None:
    rows = (
        Stage("conv", 8, 2, 2, kernel_size=5, padding=2, activation="none", norm=False, name="a"),
        Stage("conv", 8, kernel_size=3, padding=0, name="b"),
        Stage("conv", 8, kernel_size=3, dilation=2, name="c"),
        Stage("conv", 8, groups=2, name="d"),
        Stage("fused_mbconv", 8, name="e"),
    )
    after = separated(Design("mine", rows, resolution=32)).after
    assert after.stages == (
        Stage("depthwise_separable", 8, 2, 2, kernel_size=5, activation="none", name="a"),
        *rows[1:4],
        Stage("mbconv", 8, expand_ratio=4.0, se_ratio=0.0, name="e"),
    )
    module = effviz.build(after)
    assert effviz.analyze(after).params == sum(each.numel() for each in module.parameters())
    assert module(torch.zeros(1, 3, 32, 32)).shape[1] == 8
