"""Closed forms of inverted residuals and squeeze-and-excitation."""

from fractions import Fraction

from effviz.model.blocks.mobile import FusedMBConv, InvertedResidual, MBConv, SqueezeExcite
from effviz.model.layers import Block, Branches, Layer, Sequential, Shape
from effviz.studies.closed_forms.form import (
    ClosedForm,
    FormTerm,
    Formulas,
    batch_norm,
    biases,
    closed_forms,
    exact_ratio,
    map_text,
    num,
    output_shape,
    pixels,
    rounded,
)

_WHERE = "d' input and d'' output channels, t expansion, k kernel size"


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


def _excite_macs(excite: SqueezeExcite | None) -> list[FormTerm]:
    if excite is None:
        return []
    c, s = excite.in_channels, excite.squeezed
    return [FormTerm(f"squeeze-and-excitation, 2 × {num(c)} × {num(s)}", 2 * c * s)]


def _excite_params(excite: SqueezeExcite | None) -> list[FormTerm]:
    if excite is None:
        return []
    c, s = excite.in_channels, excite.squeezed
    return [
        FormTerm(f"squeeze-and-excitation, weights 2 × {num(c)} × {num(s)}", 2 * c * s),
        *([FormTerm(f"squeeze-and-excitation, biases {num(s)} + {num(c)}", s + c)] if excite.bias else []),
    ]


def _excite_form(excite: SqueezeExcite, r: Fraction, shape: Shape) -> ClosedForm:
    """Return 2C²/r for squeeze-and-excitation with the reduction `r` of its block."""
    c, s = excite.in_channels, excite.squeezed
    where, source = "C channels, r reduction ratio", "arXiv 1709.01507, section 4, equation 5"
    return Formulas("squeeze-and-excitation", where, source, (excite,), (c, *shape[1:])).form(
        "params", "2 × C² / r", f"2 × {num(c)}² / {num(r)}", 2 * c * c / r,
        rounded("squeezed channels", c / r, s, 2 * c), *([biases(s, c)] if excite.bias else []),
    )  # fmt: skip


@closed_forms.register
def _(block: SqueezeExcite, shape: Shape) -> list[ClosedForm]:
    output_shape(block, shape)
    return [_excite_form(block, Fraction(block.in_channels, block.squeezed), shape)]


def _inverted(
    what: str, source: str, block: InvertedResidual | MBConv, excite: SqueezeExcite | None, shape: Shape
) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, c, n, t = block.kernel_size, block.in_channels, block.out_channels, exact_ratio(block.expand_ratio)
    e, p, before = block.expanded, pixels(out), pixels(shape)
    symbols, numbers = "d' × t × (d' + k² + d'')", f"{num(c)} × {num(t)} × ({num(c)} + {k}² + {num(n)})"
    each = c * t * (c + k * k + n)

    def between(pixels: int) -> list[FormTerm]:
        return [
            rounded("expanded channels", c * t, e, pixels * (c + k * k + n)),
            FormTerm("no expansion layer at expand ratio 1", 0 if block.expands else -pixels * c * e),
        ]

    moved = f"depthwise and projection run on {map_text(out)}, not on {map_text(shape)}"
    made = Formulas(what, _WHERE, source, (block,), shape)
    return [
        made._replace(where=f"{_WHERE}, h and w of the input map").form(
            "macs", f"h × w × {symbols}", f"{map_text(shape)} × {numbers}", before * each,
            *between(before), FormTerm(moved, (p - before) * e * (k * k + n)), *_excite_macs(excite),
        ),
        made.form(
            "params", symbols, numbers, each,
            *between(1), batch_norm(*([e] if block.expands else []), e, n), *_excite_params(excite),
        ),
    ]  # fmt: skip


@closed_forms.register
def _(block: InvertedResidual, shape: Shape) -> list[ClosedForm]:
    excite = excitation(block)
    forms = _inverted("inverted residual", "arXiv 1801.04381, section 3", block, excite, shape)
    if excite:
        forms.append(_excite_form(excite, 1 / exact_ratio(block.se_ratio), output_shape(block, shape)))
    return forms


@closed_forms.register
def _(block: MBConv, shape: Shape) -> list[ClosedForm]:
    excite = excitation(block)
    source = "arXiv 1801.04381, section 3, for the block of arXiv 1905.11946"
    return _inverted("MBConv", source, block, excite, shape) + _by_input(block, excite, shape)


def _by_input(block: MBConv | FusedMBConv, excite: SqueezeExcite | None, shape: Shape) -> list[ClosedForm]:
    """Squeeze-and-excitation with squeezed channels relative to the block input: r is C over those channels."""
    if excite is None:
        return []
    r = excite.in_channels / (block.in_channels * exact_ratio(block.se_ratio))
    return [_excite_form(excite, r, output_shape(block, shape))]


@closed_forms.register
def _(block: FusedMBConv, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, c, n, t = block.kernel_size, block.in_channels, block.out_channels, exact_ratio(block.expand_ratio)
    e, excite = block.expanded, excitation(block)
    symbols, numbers = "d' × t × (k² × d' + d'')", f"{num(c)} × {num(t)} × ({k}² × {num(c)} + {num(n)})"
    each = c * t * (k * k * c + n)

    def between(pixels: int) -> list[FormTerm]:
        terms = [rounded("expanded channels", c * t, e, pixels * (k * k * c + n))]
        if e == c:
            terms += [
                FormTerm("no projection: one convolution replaces both", -pixels * e * n),
                FormTerm(f"that convolution has {num(n)} channels, not {num(e)}", pixels * k * k * c * (n - e)),
            ]
        return terms

    made = Formulas("Fused-MBConv", _WHERE, "arXiv 2104.00298, figure 2, written out", (block,), shape)
    return [
        made._replace(where=f"{_WHERE}, h and w of the output map").form(
            "macs", f"h × w × {symbols}", f"{map_text(out)} × {numbers}", pixels(out) * each,
            *between(pixels(out)), *_excite_macs(excite),
        ),
        made.form(
            "params", symbols, numbers, each,
            *between(1), batch_norm(*([] if e == c else [e]), n), *_excite_params(excite),
        ),
        *_by_input(block, excite, shape),
    ]  # fmt: skip
