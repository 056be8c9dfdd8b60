"""Closed forms of standard, grouped and depthwise separable convolutions, and of Ghost modules."""

from dataclasses import replace
from fractions import Fraction

from effviz.model.blocks.basic import ConvBNAct
from effviz.model.blocks.ghost import GhostModule
from effviz.model.blocks.mobile import DepthwiseSeparable
from effviz.model.layers import Sequential, Shape
from effviz.studies.closed_forms.form import (
    VGG,
    ClosedForm,
    FormTerm,
    Formulas,
    batch_norm,
    biases,
    closed_forms,
    map_text,
    narrow,
    num,
    output_shape,
    pixels,
    rounded,
    shown,
)

_MOBILENET = "arXiv 1704.04861, section 3.1"
_MOBILENET_WHERE = "D_K kernel size, M input channels, N output channels, D_F side of the output map"


def _trained(block: ConvBNAct, *channels: int) -> list[FormTerm]:
    """Return the terms of biases and batch norm for layers like `block` with these output channels."""
    has_bias = (not block.norm) if block.bias is None else block.bias
    return ([biases(*channels)] if has_bias else []) + ([batch_norm(*channels)] if block.norm else [])


@closed_forms.register
def _(block: ConvBNAct, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, m, n, g = block.kernel_size, block.in_channels, block.out_channels, block.groups
    where = _MOBILENET_WHERE + ("" if g == 1 else ", g groups")
    over, over_numbers = ("", "") if g == 1 else (" / g", f" / {num(g)}")
    symbols, numbers = "D_K² × M × N", f"{k}² × {num(m)} × {num(n)}"
    weights = k * k * m * n // g
    what = "standard convolution" if g == 1 else "grouped convolution"
    made = Formulas(what, where, _MOBILENET, (block,), shape)
    forms = [
        made.form(
            "macs", f"{symbols} × D_F²{over}", f"{numbers} × {map_text(out)}{over_numbers}", weights * pixels(out)
        ),
        made.form("params", symbols + over, numbers + over_numbers, weights, *_trained(block, n)),
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
    where = f"C channels of every layer; {n} layers of 3×3 have the receptive field of one layer of {k}×{k}"
    return [
        Formulas(f"{n} layers of 3×3", where, VGG, (stack,), shape).form(
            "params", f"{n} × 3² × C²", f"{n} × 3² × {num(c)}²", n * 9 * c * c,
            narrow(m, c, 9 * c), *_trained(block, *[c] * n),
        ),
        Formulas(f"one layer of {k}×{k}", where, VGG, (large,), shape).form(
            "params", f"{k}² × C²", f"{k}² × {num(c)}²", k * k * c * c, narrow(m, c, k * k * c), *_trained(block, c)
        ),
    ]  # fmt: skip


@closed_forms.register
def _(block: DepthwiseSeparable, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, m, n, p = block.kernel_size, block.in_channels, block.out_channels, pixels(out)
    full = ConvBNAct(m, n, block.stride, k, activation=block.activation)
    made = Formulas("depthwise separable convolution", _MOBILENET_WHERE, _MOBILENET, (block,), shape)
    standard = made._replace(what="standard convolution in its place", layers=(full,))
    share = made._replace(what="separable over standard", layers=(block, full))
    saving = made._replace(what="standard over separable", layers=(full, block))
    return [
        made.form(
            "macs", "D_K² × M × D_F² + M × N × D_F²",
            f"{k}² × {num(m)} × {map_text(out)} + {num(m)} × {num(n)} × {map_text(out)}", p * (k * k * m + m * n),
        ),
        standard.form(
            "macs", "D_K² × M × N × D_F²", f"{k}² × {num(m)} × {num(n)} × {map_text(out)}", k * k * m * n * p
        ),
        share.form("ratio", "1 / N + 1 / D_K²", f"1 / {num(n)} + 1 / {k}²", Fraction(1, n) + Fraction(1, k * k)),
        saving.form(
            "ratio", "D_K² × N / (D_K² + N)", f"{k}² × {num(n)} / ({k}² + {num(n)})", Fraction(k * k * n, k * k + n)
        ),
        made.form(
            "params", "D_K² × M + M × N", f"{k}² × {num(m)} + {num(m)} × {num(n)}", k * k * m + m * n, batch_norm(m, n)
        ),
    ]  # fmt: skip


@closed_forms.register
def _(block: GhostModule, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, d, c, n, s = block.kernel_size, block.cheap_kernel_size, block.in_channels, block.out_channels, block.ratio
    real, ideal = -(-n // s), Fraction(n, s)
    each = c * k * k + (s - 1) * d * d
    where = (
        "n output and c input channels, s ratio, k kernel size, d that of the cheap layers, h' and w' of the output map"
    )
    full = ConvBNAct(c, n, block.stride, k, activation=block.activation)
    approximate = Fraction(s * c, s + c - 1)
    printed = Fraction(c * k * k * s, each)
    built = Fraction(n * c * k * k, real * each)
    made = Formulas("Ghost module", where, "arXiv 1911.11907, section 3.2, equation 4", (block,), shape)
    ratio = made._replace(
        what="standard over Ghost", layers=(full, block),
        where="s output channels per primary channel, the theoretical speed-up",
    )  # fmt: skip
    return [
        made.form(
            "macs", "n/s × h' × w' × c × k² + (s − 1) × n/s × h' × w' × d²",
            f"{num(n)} / {s} × {map_text(out)} × {num(c)} × {k}² + {s - 1} × {num(n)} / {s} × {map_text(out)} × {d}²",
            ideal * pixels(out) * each, rounded("channels n/s", ideal, real, pixels(out) * each),
        ),
        ratio.form(
            "ratio", "s", str(s), s,
            FormTerm("for few input channels, s × c / (s + c − 1) instead of s", approximate - s),
            FormTerm(f"cheap layers of {d}×{d} beside {k}×{k}, d² instead of k²", printed - approximate),
            FormTerm(f"channels n/s rounded from {shown(ideal)} to {shown(real)}", built - printed),
        ),
        made.form(
            "params", "n/s × c × k² + (s − 1) × n/s × d²",
            f"{num(n)} / {s} × {num(c)} × {k}² + {s - 1} × {num(n)} / {s} × {d}²", ideal * each,
            rounded("channels n/s", ideal, real, each), batch_norm(real, *([real * (s - 1)] if s > 1 else [])),
        ),
    ]  # fmt: skip
