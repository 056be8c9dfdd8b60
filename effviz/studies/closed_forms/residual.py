"""Closed forms of residual blocks, dense layers, CondenseNet layers and ShuffleNet units."""

from fractions import Fraction

from effviz.model.blocks.condense import CondenseLayer
from effviz.model.blocks.residual import BasicBlock, Bottleneck, DenseLayer
from effviz.model.blocks.shuffle import ShuffleUnitV1, ShuffleUnitV2, left_channels
from effviz.model.layers import Shape
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
)


def _projects(block: BasicBlock | Bottleneck) -> bool:
    return block.shortcut == "B" and not block.keeps_shape


def _projection(block: BasicBlock | Bottleneck, pixels: int) -> FormTerm:
    value = pixels * block.in_channels * block.out_channels if _projects(block) else 0
    return FormTerm("1×1 projection on the shortcut", value)


@closed_forms.register
def _(block: BasicBlock, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, m, c, p = block.kernel_size, block.in_channels, block.out_channels, pixels(out)
    symbols, numbers, each = "2 × k² × C²", f"2 × {k}² × {num(c)}²", 2 * k * k * c * c
    where, source = "C channels, k kernel size, h and w of the output map", f"{VGG}; arXiv 1512.03385, figure 5"
    norm = batch_norm(*[c] * (3 if _projects(block) else 2))

    def between(size: int) -> list[FormTerm]:
        return [narrow(m, c, size * k * k * c), _projection(block, size)]

    made = Formulas("basic block", where, source, (block,), shape)
    return [
        made.form("macs", f"h × w × {symbols}", f"{map_text(out)} × {numbers}", p * each, *between(p)),
        made.form("params", symbols, numbers, each, *between(1), norm),
    ]


@closed_forms.register
def _(block: Bottleneck, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, inputs, c, m, g = block.kernel_size, block.in_channels, block.out_channels, block.inner, block.groups
    p, before = pixels(out), pixels(shape) if block.stride_at == "3x3" else pixels(out)
    grouped, grouped_numbers = ("", "") if g == 1 else (" / g", f" / {num(g)}")
    symbols = f"2cm + {'9m²' if k == 3 else 'k²m²'}{grouped}"
    numbers = f"2 × {num(c)} × {num(m)} + {k}² × {num(m)}²{grouped_numbers}"
    each = 2 * c * m + k * k * m * m // g
    where = (
        f"c outer and m inner channels{', k kernel size' if k != 3 else ''}{', g groups' if g > 1 else ''}, "
        "h and w of the output map"
    )
    outputs = [m, m, *([c, c] if _projects(block) else [c])]
    extra = [batch_norm(*outputs), *([biases(*outputs)] if block.conv_bias else [])]
    made = Formulas("ResNet bottleneck" if g == 1 else "ResNeXt unit", where, "", (block,), shape)
    return [
        made._replace(source="arXiv 1707.01083, section 3.2").form(
            "macs", f"h × w × ({symbols})", f"{map_text(out)} × ({numbers})", p * each,
            narrow(inputs, c, p * m), FormTerm("the first 1×1 runs before the stride", (before - p) * inputs * m),
            _projection(block, p),
        ),
        made._replace(source="arXiv 1611.05431, section 3.3").form(
            "params", symbols, numbers, each, narrow(inputs, c, m), _projection(block, 1), *extra
        ),
    ]  # fmt: skip


@closed_forms.register
def _(block: DenseLayer, shape: Shape) -> list[ClosedForm]:
    size, c, k, b = block.kernel_size, block.in_channels, block.growth, block.bottleneck
    symbols = f"c × {b}k + {size}² × {b}k × k"
    numbers = f"{num(c)} × {b} × {num(k)} + {size}² × {b} × {num(k)} × {num(k)}"
    each = c * b * k + size * size * b * k * k
    where = f"c input channels, k growth, {b}k channels between the layers, h and w of the map"
    made = Formulas("dense layer", where, "arXiv 1608.06993, section 3, written out", (block,), shape)
    return [
        made.form("macs", f"h × w × ({symbols})", f"{map_text(shape)} × ({numbers})", pixels(shape) * each),
        made.form("params", symbols, numbers, each, batch_norm(c, b * k)),
    ]


@closed_forms.register
def _(block: CondenseLayer, shape: Shape) -> list[ClosedForm]:
    size, c, k, b = block.kernel_size, block.in_channels, block.growth, block.bottleneck
    kept, groups = c // block.condense_factor, block.groups
    symbols = f"c / C × {b}k + {size}² × {b}k × k / G"
    numbers = (
        f"{num(c)} / {block.condense_factor} × {b} × {num(k)} + {size}² × {b} × {num(k)} × {num(k)} / {num(groups)}"
    )
    each = kept * b * k + size * size * b * k * k // groups
    where = (
        f"c input channels, C condensation factor, k growth, {b}k channels between the layers, G groups, "
        "h and w of the map"
    )
    made = Formulas("CondenseNet layer", where, "arXiv 1711.09224, section 3, written out", (block,), shape)
    return [
        made.form("macs", f"h × w × ({symbols})", f"{map_text(shape)} × ({numbers})", pixels(shape) * each),
        made.form("params", symbols, numbers, each, batch_norm(groups * kept, b * k)),
    ]


@closed_forms.register
def _(block: ShuffleUnitV1, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, inputs, c, g = block.kernel_size, block.in_channels, block.out_channels, block.groups
    m, first = c // 4, block.groups if block.grouped_input else 1
    reduced = block.stride > 1
    symbols = f"2cm / g + {'9m' if k == 3 else 'k²m'}"
    numbers = f"2 × {num(c)} × {num(m)} / {num(g)} + {k}² × {num(m)}"
    each = Fraction(2 * c * m, g) + k * k * m
    where = f"c outer and m inner channels{', k kernel size' if k != 3 else ''}, g groups, h and w of the output map"

    def between(pixels: int, before: int) -> list[FormTerm]:
        return [
            narrow(inputs, c, Fraction(pixels * m, g)),
            FormTerm("the first 1×1 is not grouped", pixels * inputs * m * (Fraction(1, first) - Fraction(1, g))),
            FormTerm("the first 1×1 runs before the stride", Fraction((before - pixels) * inputs * m, first)),
            FormTerm(
                f"{num(inputs)} channels come from the pooled shortcut, not from the last 1×1",
                -Fraction(pixels * m * inputs, g) if reduced else 0,
            ),
        ]

    made = Formulas("ShuffleNet V1 unit", where, "arXiv 1707.01083, section 3.2", (block,), shape)
    return [
        made.form(
            "macs", f"h × w × ({symbols})", f"{map_text(out)} × ({numbers})", pixels(out) * each,
            *between(pixels(out), pixels(shape)),
        ),
        made.form("params", symbols, numbers, each, *between(1, 1), batch_norm(m, m, c - inputs if reduced else c)),
    ]  # fmt: skip


@closed_forms.register
def _(block: ShuffleUnitV2, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, inputs, outputs = block.kernel_size, block.in_channels, block.out_channels
    b, p = outputs // 2, pixels(out)
    kernel, size = ("9", "") if k == 3 else ("k²", ", k kernel size")
    what = "ShuffleNet V2 unit"
    if block.stride == 1:
        symbols, numbers, each = f"2b² + {kernel}b", f"2 × {num(b)}² + {k}² × {num(b)}", 2 * b * b + k * k * b
        where = f"b half of the channels{size}, h and w of the map"
        made = Formulas(what, where, "arXiv 1807.11164, figure 3 (c), written out", (block,), shape)
        return [
            made.form("macs", f"h × w × ({symbols})", f"{map_text(out)} × ({numbers})", p * each),
            made.form("params", symbols, numbers, each, batch_norm(b, b, b)),
        ]
    rest = outputs - inputs
    late = inputs * inputs + k * k * inputs + k * k * b + b * rest
    symbols = f"c² + {kernel}c + {kernel}b + b(c' − c)"
    numbers = f"{num(inputs)}² + {k}² × {num(inputs)} + {k}² × {num(b)} + {num(b)} × {num(rest)}"
    where = f"c input and c' output channels, b = c' / 2{size}, h and w of the input, h' and w' of the output map"
    made = Formulas(what, where, "arXiv 1807.11164, figure 3 (d), written out", (block,), shape)
    kept = left_channels(block)
    moved = (kept - inputs) * (inputs - b)

    def between(size: int) -> list[FormTerm]:
        return [FormTerm(f"the left branch has {num(kept)} channels, not {num(inputs)}", size * moved)] if moved else []

    return [
        made.form(
            "macs", f"h' × w' × ({symbols}) + h × w × cb",
            f"{map_text(out)} × ({numbers}) + {map_text(shape)} × {num(inputs)} × {num(b)}",
            p * late + pixels(shape) * inputs * b, *between(p),
        ),
        made.form(
            "params", f"{symbols} + cb", f"{numbers} + {num(inputs)} × {num(b)}", late + inputs * b,
            *between(1), batch_norm(inputs, kept, b, b, outputs - kept),
        ),
    ]  # fmt: skip
