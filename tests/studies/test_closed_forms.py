"""The papers' formulas: what they give, what they leave out, and that both together are torch's count to the unit."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import pytest
import torch
from examples import REPRESENTATIVES
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from profiles import examples
from torch import nn

import effviz
from effviz import DesignError
from effviz.backend.build import to_module
from effviz.model.blocks import (
    BLOCKS,
    BasicBlock,
    Bottleneck,
    CondenseLayer,
    ConvBNAct,
    DenseLayer,
    DepthwiseSeparable,
    FusedMBConv,
    GhostModule,
    InvertedResidual,
    MaxPool,
    MBConv,
    ShuffleUnitV1,
    ShuffleUnitV2,
    SqueezeExcite,
    Transition,
)
from effviz.model.fields import FieldBlock
from effviz.model.layers import Layer, Shape
from effviz.studies.closed_forms import QUANTITIES, ClosedForm, FormTerm, closed_forms, excitation, shown

COVERED = (
    BasicBlock, Bottleneck, CondenseLayer, ConvBNAct, DenseLayer, DepthwiseSeparable, FusedMBConv, GhostModule,
    InvertedResidual, MBConv, ShuffleUnitV1, ShuffleUnitV2, SqueezeExcite,
)  # fmt: skip

side = st.integers(1, 40)
few = st.integers(1, 8)
channels = st.integers(1, 96)
stride = st.integers(1, 3)
size = st.sampled_from((1, 2, 3, 3, 4, 5, 7))
odd = st.sampled_from((1, 3, 3, 5, 7))
expand = st.sampled_from((0.5, 1.0, 1.0, 2.3, 88 / 24, 4.0, 6.0)) | st.floats(0.05, 8)
squeeze = st.sampled_from((0.0, 0.25, 0.25, 1 / 12, 1.0)) | st.floats(0.01, 1)


@st.composite
def cases(draw: st.DrawFn, kind: type[FieldBlock]) -> tuple[FieldBlock, Shape]:
    """A block of a class and a shape for it; fields that depend on each other are drawn together."""
    shape = (draw(channels), draw(side), draw(side))
    values: dict[str, Any] = {}
    if kind is ConvBNAct:
        groups = draw(st.sampled_from((1, 1, 2, 3)))
        shape = (draw(few) * groups, *shape[1:])
        values = {
            "out_channels": draw(few) * groups, "stride": draw(stride), "kernel_size": draw(size), "groups": groups,
            "norm": draw(st.booleans()), "bias": draw(st.none() | st.booleans()),
            "padding": draw(st.none() | st.integers(0, 4)), "dilation": draw(st.sampled_from((1, 1, 2))),
        }  # fmt: skip
    elif kind is DepthwiseSeparable:
        values = {"out_channels": draw(channels), "stride": draw(stride), "kernel_size": draw(size)}
    elif kind is BasicBlock:
        step = draw(stride)
        values = {
            "out_channels": draw(channels | st.just(shape[0])),
            "stride": step,
            "kernel_size": draw(size if step > 1 else odd),
        }
    elif kind is Bottleneck:
        groups, inner = draw(st.sampled_from((1, 1, 2, 4))), draw(few)
        out = groups * inner * 4
        shape = (draw(channels | st.just(out)), *shape[1:])
        values = {
            "out_channels": out, "stride": draw(stride), "kernel_size": draw(odd), "groups": groups,
            "bottleneck_ratio": draw(st.sampled_from((0.25, 0.5, 1.0))),
            "stride_at": draw(st.sampled_from(("3x3", "1x1"))), "conv_bias": draw(st.booleans()),
        }  # fmt: skip
    elif kind is DenseLayer:
        values = {"growth": draw(few), "bottleneck": draw(few), "kernel_size": draw(odd)}
    elif kind is CondenseLayer:
        groups, condense_factor = draw(st.sampled_from((1, 2, 4))), draw(st.sampled_from((1, 2, 4, 8)))
        shape = (draw(few) * condense_factor, *shape[1:])
        values = {
            "growth": draw(few) * groups, "groups": groups, "condense_factor": condense_factor,
            "bottleneck": draw(few), "kernel_size": draw(odd),
        }  # fmt: skip
    elif kind is ShuffleUnitV1:
        groups, step = draw(st.sampled_from((1, 2, 3))), draw(stride)
        out = 4 * groups * draw(few)
        reduced = groups * draw(st.integers(1, max(1, out // groups - 1)))
        shape = (out if step == 1 else reduced, *shape[1:])
        values = {
            "out_channels": out, "stride": step, "groups": groups, "kernel_size": draw(odd if step == 1 else size),
            "grouped_input": draw(st.booleans()),
        }  # fmt: skip
    elif kind is ShuffleUnitV2:
        step, out = draw(stride), 2 * draw(st.integers(2, 40))
        shape = (out if step == 1 else draw(st.integers(1, out - 1)), *shape[1:])
        values = {
            "out_channels": out, "stride": step, "kernel_size": draw(odd if step == 1 else size),
            "equal_branches": draw(st.booleans()),
        }  # fmt: skip
    elif kind is SqueezeExcite:
        values = {"squeezed": draw(channels)}
    elif kind is GhostModule:
        values = {
            "out_channels": draw(channels), "stride": draw(stride), "kernel_size": draw(size),
            "ratio": draw(st.integers(1, 5)), "cheap_kernel_size": draw(odd),
        }  # fmt: skip
    else:
        values = {
            "out_channels": draw(channels | st.just(shape[0])), "stride": draw(stride), "kernel_size": draw(size),
            "expand_ratio": draw(expand), "se_ratio": draw(squeeze),
        }  # fmt: skip
        if kind is InvertedResidual:
            values |= {
                "expand_divisor": draw(st.sampled_from((1, 4, 8))), "se_divisor": draw(st.sampled_from((1, 4, 8))),
                "expanded_channels": draw(st.none() | channels), "always_expand": draw(st.booleans()),
            }  # fmt: skip
    return kind(in_channels=shape[0], **values), shape


def torch_macs(layer: Layer, shape: Shape) -> int:
    """Multiply-adds of the convolutions and linear layers that torch runs, each counted from its weights."""
    with torch.device("meta"):
        module = to_module(layer).eval()
    found: list[int] = []

    def seen(each: nn.Module, _: Any, output: torch.Tensor) -> None:
        positions = math.prod(output.shape[2:])
        found.append(each.weight.numel() * positions)  # type: ignore[operator,union-attr]

    for each in module.modules():
        if isinstance(each, (nn.Conv2d, nn.Linear)):
            each.register_forward_hook(seen)
    module(torch.empty(1, *shape, device="meta"))
    return sum(found)


def torch_params(layer: Layer) -> int:
    with torch.device("meta"):
        return sum(each.numel() for each in to_module(layer).parameters())


def evaluate(numbers: str) -> Fraction:
    """The value of a formula's text, read as a student reads it."""
    text = numbers.replace(",", "").replace("×", "*").replace("−", "-").replace("²", "**2")
    assert re.fullmatch(r"[\d.()+*/ -]+", text), numbers
    value = eval(re.sub(r"(?<!\*\*)\b(\d+(?:\.\d+)?)", r"Fraction('\1')", text), {"Fraction": Fraction})
    assert isinstance(value, Fraction)
    return value


def check(form: ClosedForm) -> None:
    assert form.quantity in QUANTITIES
    assert form.value + sum(term.value for term in form.terms) == form.exact
    assert evaluate(form.numbers) == form.value, form.numbers
    assert all(term.label and term.value for term in form.terms)
    if form.quantity == "params":
        assert form.exact == torch_params(form.layers[0])
    elif form.quantity == "macs":
        assert form.exact == torch_macs(form.layers[0], form.shape)
    else:
        over, under = (torch_macs(layer, form.shape) for layer in form.layers)
        assert form.exact == Fraction(over, under)
    if form.quantity != "ratio":
        assert isinstance(form.exact, int)


@pytest.mark.slow
@pytest.mark.parametrize("kind", COVERED)
@given(data=st.data())
@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_formula_plus_terms_is_the_count_of_torch(kind: type[FieldBlock], data: st.DataObject) -> None:
    block, shape = data.draw(cases(kind))
    try:
        forms = closed_forms(block, shape)
    except DesignError:
        assume(False)
    assert forms
    for form in forms:
        check(form)
    assert any(form.layers == (block,) for form in forms)


@pytest.mark.slow
def test_every_block_of_the_zoo() -> None:
    designs = [effviz.architecture(name) for name in REPRESENTATIVES]
    # Widths change the numbers of a form and not its terms, so one example of each kind of block and shape is enough.
    for entry in {(entry.block, entry.shape) for design in designs for entry in design.blocks()}:
        forms = closed_forms(*entry)
        assert bool(forms) == isinstance(entry[0], COVERED)
        for form in forms:
            check(form)


# --- numbers that the papers print, and such as one works out by hand ------------------------------------------------


def _form(block: FieldBlock, shape: Shape, what: str, quantity: str) -> ClosedForm:
    (found,) = (form for form in closed_forms(block, shape) if (form.what, form.quantity) == (what, quantity))
    return found


def _values(form: ClosedForm) -> list[Any]:
    return [term.value for term in form.terms]


def test_mobilenet_v1_table_3() -> None:
    """A convolution of 14x14x512: 462 M multiply-adds and 2.36 M parameters; separable 52.3 M and 0.27 M."""
    full, separable = ConvBNAct(512, 512), DepthwiseSeparable(512, 512)
    shape = (512, 14, 14)
    assert _form(full, shape, "standard convolution", "macs").value == 462_422_016
    assert _form(full, shape, "standard convolution", "params").value == 2_359_296
    assert _form(separable, shape, "depthwise separable convolution", "macs").value == 52_283_392
    assert _form(separable, shape, "depthwise separable convolution", "params").value == 266_752
    share = _form(separable, shape, "separable over standard", "ratio")
    assert share.value == share.exact == Fraction(521, 4608)
    saving = _form(separable, shape, "standard over separable", "ratio")
    assert saving.value == saving.exact == Fraction(4608, 521)
    assert shown(saving.value) == "8.845"
    assert share.numbers == "1 / 512 + 1 / 3²"


def test_bottlenecks() -> None:
    """ResNeXt, section 3.3: 256 x 64 + 3 x 3 x 64 x 64 + 64 x 256, about 70 k; 32 groups of 4 channels likewise."""
    resnet = _form(Bottleneck(256, 256), (256, 56, 56), "ResNet bottleneck", "params")
    assert resnet.value == 69_632
    assert resnet.terms == (FormTerm("batch norm, 2 × (64 + 64 + 256)", 768),)
    grouped = Bottleneck(256, 256, groups=32, bottleneck_ratio=0.5)
    assert _form(grouped, (256, 56, 56), "ResNeXt unit", "params").value == 70_144
    macs = _form(grouped, (256, 56, 56), "ResNeXt unit", "macs")
    assert (macs.symbols, macs.value) == ("h × w × (2cm + 9m² / g)", 219_971_584)
    assert macs.terms == ()


def test_a_bottleneck_that_reduces() -> None:
    form = _form(Bottleneck(256, 512, 2), (256, 56, 56), "ResNet bottleneck", "macs")
    assert form.value == 784 * (2 * 512 * 128 + 9 * 128**2)
    assert dict(form.terms) == {
        "the first layer reads 256 channels, not 512": -784 * 256 * 128,
        "the first 1×1 runs before the stride": (3136 - 784) * 256 * 128,
        "1×1 projection on the shortcut": 784 * 256 * 512,
    }


def test_shuffle_units() -> None:
    first = _form(ShuffleUnitV1(240, 240, groups=3), (240, 28, 28), "ShuffleNet V1 unit", "macs")
    assert (first.symbols, first.value, first.exact) == ("h × w × (2cm / g + 9m)", 7_949_760, 7_949_760)
    second = _form(ShuffleUnitV2(116, 116), (116, 28, 28), "ShuffleNet V2 unit", "macs")
    assert (second.numbers, second.value) == ("28 × 28 × (2 × 58² + 3² × 58)", 5_684_000)


def test_squeeze_and_excitation_of_resnet_50() -> None:
    """Section 4: SE-ResNet-50 has about 2.5 M parameters more, r = 16."""
    added = [
        _form(SqueezeExcite(c, c // 16), (c, 7, 7), "squeeze-and-excitation", "params")
        for c, n in ((256, 3), (512, 4), (1024, 6), (2048, 3))
        for _ in range(n)
    ]
    assert sum(form.value for form in added) == 2_514_944
    assert added[0].numbers == "2 × 256² / 16"
    assert dict(added[0].terms) == {"biases, 16 + 256": 272}


def test_mobilenet_v2_bottleneck() -> None:
    form = _form(InvertedResidual(24, 24), (24, 56, 56), "inverted residual", "macs")
    assert (form.numbers, form.value, form.exact) == ("56 × 56 × 24 × 6 × (24 + 3² + 24)", 25_740_288, 25_740_288)
    params = _form(InvertedResidual(24, 24), (24, 56, 56), "inverted residual", "params")
    assert (params.value, params.exact, _values(params)) == (8_208, 8_832, [624])
    reduced = _form(InvertedResidual(24, 32, 2), (24, 56, 56), "inverted residual", "macs")
    assert reduced.value == 3136 * 144 * 65
    assert _values(reduced) == [(784 - 3136) * 144 * 41]
    first = _form(InvertedResidual(32, 16, expand_ratio=1), (32, 112, 112), "inverted residual", "macs")
    assert _values(first) == [-12544 * 32 * 32]


def test_mobilenet_v3_rounds() -> None:
    block = InvertedResidual(40, 40, expand_ratio=2.3, se_ratio=0.25, expand_divisor=8)
    form = _form(block, (40, 14, 14), "inverted residual", "params")
    assert form.value == 92 * 89
    assert form.terms[0] == FormTerm("expanded channels rounded from 92 to 96", 4 * 89)
    excite = _form(block, (40, 14, 14), "squeeze-and-excitation", "params")
    assert (excite.value, excite.numbers) == (4_608, "2 × 96² / 4")
    assert excite.terms == (FormTerm("biases, 24 + 96", 120),)


def test_mbconv_squeezes_by_its_input() -> None:
    """EfficientNet-B0, stage 2: 144 expanded channels and 6 squeezed, which is r = 24."""
    (block,) = {e.block for e in effviz.architecture("efficientnet_b0").blocks() if e.path == "stage2.1"}
    form = _form(block, (24, 56, 56), "squeeze-and-excitation", "params")
    assert (form.numbers, form.value, _values(form)) == ("2 × 144² / 24", 1_728, [150])


def test_ghost_modules() -> None:
    block = GhostModule(256, 256, kernel_size=3)
    ratio = _form(block, (256, 14, 14), "standard over Ghost", "ratio")
    assert (ratio.value, ratio.exact) == (2, Fraction(512, 257))
    small = _form(GhostModule(16, 25), (16, 14, 14), "standard over Ghost", "ratio")
    assert small.exact == Fraction(25 * 16, 13 * (16 + 9))
    assert [term.value for term in small.terms] == [
        Fraction(32, 17) - 2, Fraction(32, 25) - Fraction(32, 17), small.exact - Fraction(32, 25),
    ]  # fmt: skip
    macs = _form(GhostModule(16, 25), (16, 14, 14), "Ghost module", "macs")
    assert (macs.value, _values(macs)) == (61_250, [2_450])


def test_dense_layer() -> None:
    form = _form(DenseLayer(64), (64, 56, 56), "dense layer", "macs")
    assert (form.symbols, form.value) == ("h × w × (c × 4k + 3² × 4k × k)", 141_295_616)


def test_condensenet_layer() -> None:
    form = _form(CondenseLayer(64), (64, 56, 56), "CondenseNet layer", "macs")
    assert form.symbols == "h × w × (c / C × 4k + 3² × 4k × k / G)"
    assert (form.value, form.terms) == (56 * 56 * (16 * 128 + 9 * 128 * 8), ())


def test_vgg_kernels() -> None:
    """Section 2.3: three layers of 3x3 have 27 C², one of 7x7 has 49 C², 81 % more."""
    pair = closed_forms(ConvBNAct(64, 64), (64, 8, 8))[2:]
    assert [(form.what, form.value) for form in pair] == [
        ("2 layers of 3×3", 18 * 4096), ("one layer of 5×5", 25 * 4096),
    ]  # fmt: skip
    three = closed_forms(ConvBNAct(64, 64, kernel_size=7, norm=False), (64, 8, 8))[2:]
    assert [form.numbers for form in three] == ["3 × 3² × 64²", "7² × 64²"]
    assert [form.value for form in three] == [27 * 4096, 49 * 4096]
    assert [form.exact - form.value for form in three] == [192, 64]
    basic = _form(BasicBlock(64, 64), (64, 56, 56), "basic block", "params")
    assert basic.value == 18 * 4096


def test_fused_mbconv() -> None:
    form = _form(FusedMBConv(24, 24, expand_ratio=4), (24, 56, 56), "Fused-MBConv", "macs")
    assert (form.value, form.exact, form.terms) == (3136 * 96 * 240, 3136 * 96 * 240, ())
    single = _form(FusedMBConv(24, 32, expand_ratio=1), (24, 8, 8), "Fused-MBConv", "macs")
    assert single.exact == 64 * 9 * 24 * 32


def test_a_block_without_a_formula() -> None:
    assert closed_forms(MaxPool(2), (8, 8, 8)) == []
    assert closed_forms(Transition(8), (8, 8, 8)) == []
    assert {BLOCKS[name] for name in ("conv", "mbconv", "squeeze_excite")} <= set(COVERED)


def test_a_shape_that_does_not_fit() -> None:
    with pytest.raises(DesignError, match=r"^conv: in_channels = 8 must equal the 9 channels of the input$"):
        closed_forms(ConvBNAct(8, 8), (9, 8, 8))


def test_the_excitation_of_a_block() -> None:
    assert excitation(MBConv(16, 16)) == SqueezeExcite(96, 4, "silu")
    assert excitation(MBConv(16, 16, se_ratio=0.0)) is None
    assert excitation(SqueezeExcite(8, 2)) == SqueezeExcite(8, 2)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(1234, "1,234"), (Fraction(12, 3), "4"), (Fraction(4608, 521), "8.845"), (Fraction(24681, 2), "12,340.5")],
)
def test_amounts_as_text(amount: int | Fraction, text: str) -> None:
    assert shown(amount) == text
