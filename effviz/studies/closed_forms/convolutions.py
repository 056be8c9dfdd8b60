"""Closed forms of standard, grouped and depthwise separable convolutions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from effviz.model.blocks.basic import ConvBNAct
from effviz.model.blocks.mobile import DepthwiseSeparable
from effviz.model.layers import Sequential, Shape
from effviz.studies.closed_forms.form import (
    VGG,
    ClosedForm,
    Term,
    batch_norm,
    biases,
    closed_form,
    forms_of,
    map_text,
    narrow,
    num,
    output_shape,
    pixels,
)

_MOBILENET = "arXiv 1704.04861, section 3.1"
_MOBILENET_WHERE = "D_K kernel size, M input channels, N output channels, D_F side of the output map"


@forms_of.register
def _(block: ConvBNAct, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, m, n, g = block.kernel_size, block.in_channels, block.out_channels, block.groups
    where = _MOBILENET_WHERE + ("" if g == 1 else ", g groups")
    over, over_numbers = ("", "") if g == 1 else (" / g", f" / {num(g)}")
    symbols, numbers = "D_K² × M × N", f"{k}² × {num(m)} × {num(n)}"
    weights = k * k * m * n // g
    what = "standard convolution" if g == 1 else "grouped convolution"
    has_bias = (not block.norm) if block.bias is None else block.bias
    added = [biases(n)] if has_bias else []
    added += [batch_norm(n)] if block.norm else []
    macs = (f"{symbols} × D_F²{over}", f"{numbers} × {map_text(out)}{over_numbers}", weights * pixels(out))
    params = (symbols + over, numbers + over_numbers, weights)
    forms = [
        closed_form(what, "macs", macs, where, _MOBILENET, [], (block,), shape),
        closed_form(what, "params", params, where, _MOBILENET, added, (block,), shape),
    ]
    if g == 1 and block.dilation == 1 and (k >= 3 and k % 2):
        forms += _kernel_stack(block, shape)
    return forms


def _kernel_stack(block: ConvBNAct, shape: Shape) -> list[ClosedForm]:
    """Compare 3x3 layers with one layer of their receptive field: 5x5 for a 3x3 block, else the kernel of the block."""
    m, c = block.in_channels, block.out_channels
    k = max(5, block.kernel_size)
    n = (k - 1) // 2
    small = replace(block, kernel_size=3, stride=1, padding=None)
    stack = Sequential.numbered([small, *[replace(small, in_channels=c)] * (n - 1)])
    large = replace(block, kernel_size=k, stride=1, padding=None)
    has_bias = (not block.norm) if block.bias is None else block.bias

    def added(layers: int, size: int) -> list[Term]:
        terms = [narrow(m, c, size * size * (m - c) * c)]
        terms += [biases(*[c] * layers)] if has_bias else []
        return terms + ([batch_norm(*[c] * layers)] if block.norm else [])

    where = f"C channels of every layer; {n} layers of 3x3 have the receptive field of one layer of {k}x{k}"
    several = (f"{n} × 3² × C²", f"{n} × 3² × {num(c)}²", n * 9 * c * c)
    single = (f"{k}² × C²", f"{k}² × {num(c)}²", k * k * c * c)
    return [
        closed_form(f"{n} layers of 3x3", "params", several, where, VGG, added(n, 3), (stack,), shape),
        closed_form(f"one layer of {k}x{k}", "params", single, where, VGG, added(1, k), (large,), shape),
    ]


@forms_of.register
def _(block: DepthwiseSeparable, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, m, n, p = block.kernel_size, block.in_channels, block.out_channels, pixels(out)
    what = "depthwise separable convolution"
    full = ConvBNAct(m, n, block.stride, k, activation=block.activation)
    macs = (
        "D_K² × M × D_F² + M × N × D_F²",
        f"{k}² × {num(m)} × {map_text(out)} + {num(m)} × {num(n)} × {map_text(out)}",
        p * (k * k * m + m * n),
    )
    params = ("D_K² × M + M × N", f"{k}² × {num(m)} + {num(m)} × {num(n)}", k * k * m + m * n)
    share = ("1 / N + 1 / D_K²", f"1 / {num(n)} + 1 / {k}²", Fraction(1, n) + Fraction(1, k * k))
    saving = ("D_K² × N / (D_K² + N)", f"{k}² × {num(n)} / ({k}² + {num(n)})", Fraction(k * k * n, k * k + n))
    standard = ("D_K² × M × N × D_F²", f"{k}² × {num(m)} × {num(n)} × {map_text(out)}", k * k * m * n * p)
    where, source = _MOBILENET_WHERE, _MOBILENET
    return [
        closed_form(what, "macs", macs, where, source, [], (block,), shape),
        closed_form("standard convolution in its place", "macs", standard, where, source, [], (full,), shape),
        closed_form("separable over standard", "ratio", share, where, source, [], (block, full), shape),
        closed_form("standard over separable", "ratio", saving, where, source, [], (full, block), shape),
        closed_form(what, "params", params, where, source, [batch_norm(m, n)], (block,), shape),
    ]
