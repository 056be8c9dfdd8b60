"""Formulas of the papers for the cost of a block, and the exact count of the engine.

A `ClosedForm` contains the formula, the formula with numbers substituted, its value, and the terms that the paper
omits: batch norm, biases, rounding, a stride. ``value + sum of the terms == exact``, where `effviz.count.cost` counts
`exact` on the layer tree, not by the formula.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import singledispatch
from typing import NamedTuple, TypeAlias

from effviz.count import cost
from effviz.model.blocks.basic import ConvBNAct
from effviz.model.blocks.ghost import GhostModule
from effviz.model.blocks.mobile import DepthwiseSeparable, FusedMBConv, InvertedResidual, MBConv, SqueezeExcite
from effviz.model.blocks.residual import BasicBlock, Bottleneck, DenseLayer
from effviz.model.blocks.shuffle import ShuffleUnitV1, ShuffleUnitV2
from effviz.model.fields import FieldBlock
from effviz.model.layers import Block, Branches, Layer, Sequential, Shape
from effviz.model.trace import trace_block

Amount: TypeAlias = int | Fraction

QUANTITIES = ("macs", "params", "ratio")


class Term(NamedTuple):
    """A term that the formula of the paper omits.

    Attributes:
        label: its name, with numbers.
        value: added to the value of the formula; negative where the paper counts more.
    """

    label: str
    value: Amount


@dataclass(frozen=True)
class ClosedForm:
    """One formula of a paper and the exact number.

    Attributes:
        what: the block or layer whose cost it is.
        quantity: one of `QUANTITIES`; a ratio is one of multiply-adds.
        symbols: the formula in the letters of the paper.
        where: the meaning of the letters.
        numbers: the formula with the numbers of the block.
        value: of the formula; a `Fraction` if it is not an integer.
        source: paper and place.
        terms: the difference between `value` and `exact`, in order, without terms of 0.
        exact: the exact count of the layer; for a ratio, of the first layer over the second.
        layers: the counted layers, one, or two for a ratio.
        shape: of their input.
    """

    what: str
    quantity: str
    symbols: str
    where: str
    numbers: str
    value: Amount
    source: str
    terms: tuple[Term, ...]
    exact: Amount
    layers: tuple[Layer, ...]
    shape: Shape


def closed_forms(block: FieldBlock, shape: Shape) -> list[ClosedForm]:
    """Return the formulas of the papers for a block; an empty list if no paper prints one.

    Args:
        block: with its final widths, as `Design.blocks` gives it.
        shape: of its input, ``(channels, height, width)``.

    Raises:
        DesignError: the block cannot take such an input.
    """
    return _forms(block, shape)


def shown(amount: Amount) -> str:
    """Format an amount: ``1,234``, ``8.413``, ``1,234.5``."""
    if amount == int(amount):
        return f"{int(amount):,}"
    value = float(amount)
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.1f}"


@singledispatch
def _forms(block: FieldBlock, shape: Shape) -> list[ClosedForm]:
    return []


# --- helpers ------------------------------------------------------------------------------------------------------


def _macs(layer: Layer, shape: Shape) -> int:
    return sum(cost.macs(step.layer, step.output.shape) for step in trace_block(layer, shape).steps)


def _params(layer: Layer, shape: Shape) -> int:
    return sum(cost.params(step.layer) for step in trace_block(layer, shape).steps)


def _made(
    what: str,
    quantity: str,
    formula: tuple[str, str, Amount],
    where: str,
    source: str,
    terms: list[Term],
    layers: tuple[Layer, ...],
    shape: Shape,
) -> ClosedForm:
    symbols, numbers, value = formula
    exact: Amount
    if quantity == "ratio":
        exact = Fraction(_macs(layers[0], shape), _macs(layers[1], shape))
    else:
        exact = (_macs if quantity == "macs" else _params)(layers[0], shape)
    kept = tuple(Term(term.label, _plain(term.value)) for term in terms if term.value)
    return ClosedForm(
        what, quantity, symbols, where, numbers, _plain(value), source, kept, _plain(exact), layers, shape
    )


def _plain(amount: Amount) -> Amount:
    return int(amount) if amount == int(amount) else amount


def _ratio(value: float) -> Fraction:
    """Return the intended fraction of a float: 1/10 for 0.1, 11/3 for 3.6666666666666665."""
    near = Fraction(value).limit_denominator(1000)
    return near if abs(near - Fraction(value)) < Fraction(1, 10**12) else Fraction(str(value))


def _n(amount: Amount) -> str:
    """Format a number inside a formula; a fraction without a short decimal form is in parentheses."""
    if amount == int(amount):
        return f"{int(amount):,}"
    decimal = f"{float(amount):.6f}".rstrip("0")
    return decimal if Fraction(decimal) == amount else f"({Fraction(amount).numerator}/{Fraction(amount).denominator})"


def _map(shape: Shape) -> str:
    return f"{_n(shape[1])} × {_n(shape[2])}"


def _pixels(shape: Shape) -> int:
    return shape[1] * shape[2]


def _out(block: FieldBlock, shape: Shape) -> Shape:
    return trace_block(block, shape).output.shape


def _batch_norm(*channels: int) -> Term:
    return Term(f"batch norm, 2 × {_sum(*channels)}", 2 * sum(channels))


def _biases(*channels: int) -> Term:
    return Term(f"biases, {' + '.join(map(_n, channels))}", sum(channels))


def _sum(*amounts: int) -> str:
    text = " + ".join(map(_n, amounts))
    return text if len(amounts) == 1 else f"({text})"


def _rounded(what: str, ideal: Amount, built: int, each: Amount) -> Term:
    return Term(f"{what} rounded from {shown(ideal)} to {shown(built)}", (built - ideal) * each)


# --- standard and separable convolutions ----------------------------------------------------------------------------

_MOBILENET = "arXiv 1704.04861, section 3.1"
_MOBILENET_WHERE = "D_K kernel size, M input channels, N output channels, D_F side of the output map"
_VGG = "arXiv 1409.1556, section 2.3"


@_forms.register
def _(block: ConvBNAct, shape: Shape) -> list[ClosedForm]:
    out = _out(block, shape)
    k, m, n, g = block.kernel_size, block.in_channels, block.out_channels, block.groups
    where = _MOBILENET_WHERE + ("" if g == 1 else ", g groups")
    over, over_numbers = ("", "") if g == 1 else (" / g", f" / {_n(g)}")
    symbols, numbers = "D_K² × M × N", f"{k}² × {_n(m)} × {_n(n)}"
    weights = k * k * m * n // g
    what = "standard convolution" if g == 1 else "grouped convolution"
    has_bias = (not block.norm) if block.bias is None else block.bias
    added = [_biases(n)] if has_bias else []
    added += [_batch_norm(n)] if block.norm else []
    macs = (f"{symbols} × D_F²{over}", f"{numbers} × {_map(out)}{over_numbers}", weights * _pixels(out))
    params = (symbols + over, numbers + over_numbers, weights)
    forms = [
        _made(what, "macs", macs, where, _MOBILENET, [], (block,), shape),
        _made(what, "params", params, where, _MOBILENET, added, (block,), shape),
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
        terms = [_narrow(m, c, size * size * (m - c) * c)]
        terms += [_biases(*[c] * layers)] if has_bias else []
        return terms + ([_batch_norm(*[c] * layers)] if block.norm else [])

    where = f"C channels of every layer; {n} layers of 3x3 have the receptive field of one layer of {k}x{k}"
    several = (f"{n} × 3² × C²", f"{n} × 3² × {_n(c)}²", n * 9 * c * c)
    single = (f"{k}² × C²", f"{k}² × {_n(c)}²", k * k * c * c)
    return [
        _made(f"{n} layers of 3x3", "params", several, where, _VGG, added(n, 3), (stack,), shape),
        _made(f"one layer of {k}x{k}", "params", single, where, _VGG, added(1, k), (large,), shape),
    ]


def _narrow(in_channels: int, assumed: int, value: Amount) -> Term:
    return Term(f"the first layer reads {_n(in_channels)} channels, not {_n(assumed)}", value)


@_forms.register
def _(block: DepthwiseSeparable, shape: Shape) -> list[ClosedForm]:
    out = _out(block, shape)
    k, m, n, p = block.kernel_size, block.in_channels, block.out_channels, _pixels(out)
    what = "depthwise separable convolution"
    full = ConvBNAct(m, n, block.stride, k, activation=block.activation)
    macs = (
        "D_K² × M × D_F² + M × N × D_F²",
        f"{k}² × {_n(m)} × {_map(out)} + {_n(m)} × {_n(n)} × {_map(out)}",
        p * (k * k * m + m * n),
    )
    params = ("D_K² × M + M × N", f"{k}² × {_n(m)} + {_n(m)} × {_n(n)}", k * k * m + m * n)
    share = ("1 / N + 1 / D_K²", f"1 / {_n(n)} + 1 / {k}²", Fraction(1, n) + Fraction(1, k * k))
    saving = ("D_K² × N / (D_K² + N)", f"{k}² × {_n(n)} / ({k}² + {_n(n)})", Fraction(k * k * n, k * k + n))
    standard = ("D_K² × M × N × D_F²", f"{k}² × {_n(m)} × {_n(n)} × {_map(out)}", k * k * m * n * p)
    where, source = _MOBILENET_WHERE, _MOBILENET
    return [
        _made(what, "macs", macs, where, source, [], (block,), shape),
        _made("standard convolution in its place", "macs", standard, where, source, [], (full,), shape),
        _made("separable over standard", "ratio", share, where, source, [], (block, full), shape),
        _made("standard over separable", "ratio", saving, where, source, [], (full, block), shape),
        _made(what, "params", params, where, source, [_batch_norm(m, n)], (block,), shape),
    ]


# --- residual blocks ------------------------------------------------------------------------------------------------


@_forms.register
def _(block: BasicBlock, shape: Shape) -> list[ClosedForm]:
    out = _out(block, shape)
    k, m, c, p = block.kernel_size, block.in_channels, block.out_channels, _pixels(out)
    where = "C channels, k kernel size, h and w of the output map"
    source = f"{_VGG}; arXiv 1512.03385, figure 5"
    macs = ("h × w × 2 × k² × C²", f"{_map(out)} × 2 × {k}² × {_n(c)}²", p * 2 * k * k * c * c)
    params = ("2 × k² × C²", f"2 × {k}² × {_n(c)}²", 2 * k * k * c * c)
    norm = _batch_norm(*[c] * (3 if _projects(block) else 2))

    def between(size: int) -> list[Term]:
        return [_narrow(m, c, size * k * k * (m - c) * c), *_projection(block, size)]

    what = "basic block"
    return [
        _made(what, "macs", macs, where, source, between(p), (block,), shape),
        _made(what, "params", params, where, source, [*between(1), norm], (block,), shape),
    ]


def _projects(block: BasicBlock | Bottleneck) -> bool:
    return block.stride > 1 or block.in_channels != block.out_channels


def _projection(block: BasicBlock | Bottleneck, pixels: int) -> list[Term]:
    value = pixels * block.in_channels * block.out_channels if _projects(block) else 0
    return [Term("1x1 projection on the shortcut", value)]


@_forms.register
def _(block: Bottleneck, shape: Shape) -> list[ClosedForm]:
    out = _out(block, shape)
    k, inputs, c, m, g = block.kernel_size, block.in_channels, block.out_channels, block.inner, block.groups
    p, before = _pixels(out), _pixels(shape) if block.stride_at == "3x3" else _pixels(out)
    grouped, grouped_numbers = ("", "") if g == 1 else (" / g", f" / {_n(g)}")
    kernel = "9m²" if k == 3 else "k²m²"
    symbols = f"2cm + {kernel}{grouped}"
    numbers = f"2 × {_n(c)} × {_n(m)} + {k}² × {_n(m)}²{grouped_numbers}"
    each = 2 * c * m + k * k * m * m // g
    where = (
        f"c outer and m inner channels{', k kernel size' if k != 3 else ''}{', g groups' if g > 1 else ''}, "
        "h and w of the output map"
    )
    what = "ResNet bottleneck" if g == 1 else "ResNeXt unit"
    macs = (f"h × w × ({symbols})", f"{_map(out)} × ({numbers})", p * each)
    ends = [c, c] if _projects(block) else [c]
    return [
        _made(
            what, "macs", macs, where, "arXiv 1707.01083, section 3.2",
            [
                _narrow(inputs, c, p * (inputs - c) * m),
                Term("the first 1x1 runs before the stride", (before - p) * inputs * m),
                *_projection(block, p),
            ],
            (block,), shape,
        ),
        _made(
            what, "params", (symbols, numbers, each), where, "arXiv 1611.05431, section 3.3",
            [_narrow(inputs, c, (inputs - c) * m), *_projection(block, 1), _batch_norm(m, m, *ends)],
            (block,), shape,
        ),
    ]  # fmt: skip


@_forms.register
def _(block: DenseLayer, shape: Shape) -> list[ClosedForm]:
    size, c, k, b = block.kernel_size, block.in_channels, block.growth, block.bottleneck
    symbols = f"c × {b}k + {size}² × {b}k × k"
    numbers = f"{_n(c)} × {b} × {_n(k)} + {size}² × {b} × {_n(k)} × {_n(k)}"
    each = c * b * k + size * size * b * k * k
    where = f"c input channels, k growth, {b}k channels between the layers, h and w of the map"
    source, what = "arXiv 1608.06993, section 3, written out", "dense layer"
    macs = (f"h × w × ({symbols})", f"{_map(shape)} × ({numbers})", _pixels(shape) * each)
    norm = _batch_norm(c, b * k)
    return [
        _made(what, "macs", macs, where, source, [], (block,), shape),
        _made(what, "params", (symbols, numbers, each), where, source, [norm], (block,), shape),
    ]


# --- shuffled units -------------------------------------------------------------------------------------------------


@_forms.register
def _(block: ShuffleUnitV1, shape: Shape) -> list[ClosedForm]:
    out = _out(block, shape)
    k, inputs, c, g = block.kernel_size, block.in_channels, block.out_channels, block.groups
    m, first = c // 4, block.groups if block.grouped_input else 1
    reduced = block.stride > 1
    kernel = "9m" if k == 3 else "k²m"
    symbols = f"2cm / g + {kernel}"
    numbers = f"2 × {_n(c)} × {_n(m)} / {_n(g)} + {k}² × {_n(m)}"
    each = Fraction(2 * c * m, g) + k * k * m
    where = f"c outer and m inner channels{', k kernel size' if k != 3 else ''}, g groups, h and w of the output map"
    source, what = "arXiv 1707.01083, section 3.2", "ShuffleNet V1 unit"

    def between(pixels: int, before: int) -> list[Term]:
        return [
            _narrow(inputs, c, Fraction(pixels * (inputs - c) * m, g)),
            Term("the first 1x1 is not grouped", pixels * inputs * m * (Fraction(1, first) - Fraction(1, g))),
            Term("the first 1x1 runs before the stride", Fraction((before - pixels) * inputs * m, first)),
            Term(
                f"{_n(inputs)} channels come from the pooled shortcut, not from the last 1x1",
                -Fraction(pixels * m * inputs, g) if reduced else 0,
            ),
        ]

    macs = (f"h × w × ({symbols})", f"{_map(out)} × ({numbers})", _pixels(out) * each)
    norm = _batch_norm(m, m, c - inputs if reduced else c)
    return [
        _made(what, "macs", macs, where, source, between(_pixels(out), _pixels(shape)), (block,), shape),
        _made(what, "params", (symbols, numbers, each), where, source, [*between(1, 1), norm], (block,), shape),
    ]


@_forms.register
def _(block: ShuffleUnitV2, shape: Shape) -> list[ClosedForm]:
    out = _out(block, shape)
    k, inputs, outputs = block.kernel_size, block.in_channels, block.out_channels
    b, p = outputs // 2, _pixels(out)
    kernel = "9" if k == 3 else "k²"
    size = ", k kernel size" if k != 3 else ""
    if block.stride == 1:
        symbols, numbers = f"2b² + {kernel}b", f"2 × {_n(b)}² + {k}² × {_n(b)}"
        each = 2 * b * b + k * k * b
        macs = (f"h × w × ({symbols})", f"{_map(out)} × ({numbers})", p * each)
        params = (symbols, numbers, each)
        where = f"b half of the channels{size}, h and w of the map"
        source, norm = "arXiv 1807.11164, figure 3 (c), written out", _batch_norm(b, b, b)
    else:
        rest = outputs - inputs
        late = inputs * inputs + k * k * inputs + k * k * b + b * rest
        symbols = f"c² + {kernel}c + {kernel}b + b(c' − c)"
        numbers = f"{_n(inputs)}² + {k}² × {_n(inputs)} + {k}² × {_n(b)} + {_n(b)} × {_n(rest)}"
        macs = (
            f"h' × w' × ({symbols}) + h × w × cb",
            f"{_map(out)} × ({numbers}) + {_map(shape)} × {_n(inputs)} × {_n(b)}",
            p * late + _pixels(shape) * inputs * b,
        )
        params = (f"{symbols} + cb", f"{numbers} + {_n(inputs)} × {_n(b)}", late + inputs * b)
        where = f"c input and c' output channels, b = c' / 2{size}, h and w of the input, h' and w' of the output map"
        source, norm = "arXiv 1807.11164, figure 3 (d), written out", _batch_norm(inputs, inputs, b, b, rest)
    what = "ShuffleNet V2 unit"
    return [
        _made(what, "macs", macs, where, source, [], (block,), shape),
        _made(what, "params", params, where, source, [norm], (block,), shape),
    ]


# --- inverted residuals and squeeze-and-excitation ------------------------------------------------------------------


def excitation(layer: Layer) -> SqueezeExcite | None:
    """Return the first squeeze-and-excitation inside a layer, or None."""
    if isinstance(layer, SqueezeExcite):
        return layer
    if isinstance(layer, Block):
        return excitation(layer.expand())
    children: tuple[tuple[str, Layer], ...] = ()
    if isinstance(layer, Sequential):
        children = layer.children
    elif isinstance(layer, Branches):
        children = layer.branches
    return next((found for _, child in children if (found := excitation(child))), None)


def _excite_macs(excite: SqueezeExcite | None) -> Term:
    if excite is None:
        return Term("", 0)
    c, s = excite.in_channels, excite.squeezed
    return Term(f"squeeze-and-excitation, 2 × {_n(c)} × {_n(s)}", 2 * c * s)


def _excite_params(excite: SqueezeExcite | None) -> list[Term]:
    if excite is None:
        return []
    c, s = excite.in_channels, excite.squeezed
    return [
        Term(f"squeeze-and-excitation, weights 2 × {_n(c)} × {_n(s)}", 2 * c * s),
        Term(f"squeeze-and-excitation, biases {_n(s)} + {_n(c)}", s + c),
    ]


def _excite_form(excite: SqueezeExcite, r: Fraction, shape: Shape) -> ClosedForm:
    """Return 2C²/r for squeeze-and-excitation with the reduction `r` of its block."""
    c, s = excite.in_channels, excite.squeezed
    formula = ("2 × C² / r", f"2 × {_n(c)}² / {_n(r)}", 2 * c * c / r)
    return _made(
        "squeeze-and-excitation", "params", formula, "C channels, r reduction ratio",
        "arXiv 1709.01507, section 4, equation 5",
        [_rounded("squeezed channels", c / r, s, 2 * c), _biases(s, c)],
        (excite,), (c, *shape[1:]),
    )  # fmt: skip


@_forms.register
def _(block: SqueezeExcite, shape: Shape) -> list[ClosedForm]:
    _out(block, shape)
    return [_excite_form(block, Fraction(block.in_channels, block.squeezed), shape)]


def _inverted(
    what: str, source: str, block: InvertedResidual | MBConv, excite: SqueezeExcite | None, shape: Shape
) -> list[ClosedForm]:
    out = _out(block, shape)
    k, c, n, t = block.kernel_size, block.in_channels, block.out_channels, _ratio(block.expand_ratio)
    e, p, before = block.expanded, _pixels(out), _pixels(shape)
    symbols, numbers = "d' × t × (d' + k² + d'')", f"{_n(c)} × {_n(t)} × ({_n(c)} + {k}² + {_n(n)})"
    each = c * t * (c + k * k + n)
    where = "d' input and d'' output channels, t expansion, k kernel size"

    def between(pixels: int) -> list[Term]:
        return [
            _rounded("expanded channels", c * t, e, pixels * (c + k * k + n)),
            Term("no expansion layer at expand ratio 1", -pixels * c * e if e == c else 0),
        ]

    moved = f"depthwise and projection run on {_map(out)}, not on {_map(shape)}"
    macs_terms = [*between(before), Term(moved, (p - before) * e * (k * k + n)), _excite_macs(excite)]
    norm = _batch_norm(*([] if e == c else [e]), e, n)
    macs = (f"h × w × {symbols}", f"{_map(shape)} × {numbers}", before * each)
    made = [
        _made(what, "macs", macs, f"{where}, h and w of the input map", source, macs_terms, (block,), shape),
        _made(
            what, "params", (symbols, numbers, each), where, source,
            [*between(1), norm, *_excite_params(excite)], (block,), shape,
        ),
    ]  # fmt: skip
    return made


@_forms.register
def _(block: InvertedResidual, shape: Shape) -> list[ClosedForm]:
    excite = excitation(block)
    forms = _inverted("inverted residual", "arXiv 1801.04381, section 3", block, excite, shape)
    if excite:
        forms.append(_excite_form(excite, 1 / _ratio(block.se_ratio), _out(block, shape)))
    return forms


@_forms.register
def _(block: MBConv, shape: Shape) -> list[ClosedForm]:
    excite = excitation(block)
    source = "arXiv 1801.04381, section 3, for the block of arXiv 1905.11946"
    return _inverted("MBConv", source, block, excite, shape) + _by_input(block, excite, shape)


def _by_input(block: MBConv | FusedMBConv, excite: SqueezeExcite | None, shape: Shape) -> list[ClosedForm]:
    """Squeeze-and-excitation with squeezed channels relative to the block input: r is C over those channels."""
    if excite is None:
        return []
    r = excite.in_channels / (block.in_channels * _ratio(block.se_ratio))
    return [_excite_form(excite, r, _out(block, shape))]


@_forms.register
def _(block: FusedMBConv, shape: Shape) -> list[ClosedForm]:
    out = _out(block, shape)
    k, c, n, t = block.kernel_size, block.in_channels, block.out_channels, _ratio(block.expand_ratio)
    e, excite = block.expanded, excitation(block)
    symbols, numbers = "d' × t × (k² × d' + d'')", f"{_n(c)} × {_n(t)} × ({k}² × {_n(c)} + {_n(n)})"
    each = c * t * (k * k * c + n)
    where = "d' input and d'' output channels, t expansion, k kernel size"

    def between(pixels: int) -> list[Term]:
        single = e == c
        return [
            _rounded("expanded channels", c * t, e, pixels * (k * k * c + n)),
            Term("no projection: one convolution replaces both", -pixels * e * n if single else 0),
            Term(
                f"that convolution has {_n(n)} channels, not {_n(e)}",
                pixels * k * k * c * (n - e) if single else 0,
            ),
        ]

    what, source = "Fused-MBConv", "arXiv 2104.00298, figure 2, written out"
    macs = (f"h × w × {symbols}", f"{_map(out)} × {numbers}", _pixels(out) * each)
    macs_terms = [*between(_pixels(out)), _excite_macs(excite)]
    norm = _batch_norm(*([] if e == c else [e]), n)
    return [
        _made(what, "macs", macs, f"{where}, h and w of the output map", source, macs_terms, (block,), shape),
        _made(
            what, "params", (symbols, numbers, each), where, source,
            [*between(1), norm, *_excite_params(excite)], (block,), shape,
        ),
        *_by_input(block, excite, shape),
    ]  # fmt: skip


# --- Ghost modules --------------------------------------------------------------------------------------------------


@_forms.register
def _(block: GhostModule, shape: Shape) -> list[ClosedForm]:
    out = _out(block, shape)
    k, d, c, n, s = (
        block.kernel_size,
        block.cheap_kernel_size,
        block.in_channels,
        block.out_channels,
        block.ratio,
    )
    real = -(-n // s)
    each = c * k * k + (s - 1) * d * d
    where = (
        "n output and c input channels, s ratio, k kernel size, d that of the cheap layers, h' and w' of the output map"
    )
    source = "arXiv 1911.11907, section 3.2, equation 4"
    ghosts = [real * (s - 1)] if s > 1 else []
    macs = (
        "n/s × h' × w' × c × k² + (s − 1) × n/s × h' × w' × d²",
        f"{_n(n)} / {s} × {_map(out)} × {_n(c)} × {k}² + {s - 1} × {_n(n)} / {s} × {_map(out)} × {d}²",
        Fraction(n, s) * _pixels(out) * each,
    )
    params = (
        "n/s × c × k² + (s − 1) × n/s × d²",
        f"{_n(n)} / {s} × {_n(c)} × {k}² + {s - 1} × {_n(n)} / {s} × {d}²",
        Fraction(n, s) * each,
    )
    full = ConvBNAct(c, n, block.stride, k, activation=block.activation)
    approximate = Fraction(s * c, s + c - 1)
    printed = Fraction(c * k * k * s, each)
    built = Fraction(n * c * k * k, real * each)
    between = [
        Term("for few input channels, s × c / (s + c − 1) instead of s", approximate - s),
        Term(f"cheap layers of {d}x{d} beside {k}x{k}, d² instead of k²", printed - approximate),
        Term(f"channels n/s rounded from {shown(Fraction(n, s))} to {shown(real)}", built - printed),
    ]
    what = "Ghost module"
    return [
        _made(
            what, "macs", macs, where, source,
            [_rounded("channels n/s", Fraction(n, s), real, _pixels(out) * each)], (block,), shape,
        ),
        _made(
            "standard over Ghost", "ratio", ("s", str(s), s),
            "s output channels per primary channel, the theoretical speed-up", source, between, (full, block), shape,
        ),
        _made(
            what, "params", params, where, source,
            [_rounded("channels n/s", Fraction(n, s), real, each), _batch_norm(real, *ghosts)], (block,), shape,
        ),
    ]  # fmt: skip


__all__ = ["QUANTITIES", "Amount", "ClosedForm", "Term", "closed_forms", "excitation", "shown"]
