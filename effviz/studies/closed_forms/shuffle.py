"""Closed forms of ShuffleNet units."""

from __future__ import annotations

from fractions import Fraction

from effviz.model.blocks.shuffle import ShuffleUnitV1, ShuffleUnitV2
from effviz.model.layers import Shape
from effviz.studies.closed_forms.form import (
    ClosedForm,
    Term,
    batch_norm,
    closed_form,
    forms_of,
    map_text,
    narrow,
    num,
    output_shape,
    pixels,
)


@forms_of.register
def _(block: ShuffleUnitV1, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, inputs, c, g = block.kernel_size, block.in_channels, block.out_channels, block.groups
    m, first = c // 4, block.groups if block.grouped_input else 1
    reduced = block.stride > 1
    kernel = "9m" if k == 3 else "k²m"
    symbols = f"2cm / g + {kernel}"
    numbers = f"2 × {num(c)} × {num(m)} / {num(g)} + {k}² × {num(m)}"
    each = Fraction(2 * c * m, g) + k * k * m
    where = f"c outer and m inner channels{', k kernel size' if k != 3 else ''}, g groups, h and w of the output map"
    source, what = "arXiv 1707.01083, section 3.2", "ShuffleNet V1 unit"

    def between(pixels: int, before: int) -> list[Term]:
        return [
            narrow(inputs, c, Fraction(pixels * (inputs - c) * m, g)),
            Term("the first 1x1 is not grouped", pixels * inputs * m * (Fraction(1, first) - Fraction(1, g))),
            Term("the first 1x1 runs before the stride", Fraction((before - pixels) * inputs * m, first)),
            Term(
                f"{num(inputs)} channels come from the pooled shortcut, not from the last 1x1",
                -Fraction(pixels * m * inputs, g) if reduced else 0,
            ),
        ]

    macs = (f"h × w × ({symbols})", f"{map_text(out)} × ({numbers})", pixels(out) * each)
    norm = batch_norm(m, m, c - inputs if reduced else c)
    return [
        closed_form(what, "macs", macs, where, source, between(pixels(out), pixels(shape)), (block,), shape),
        closed_form(what, "params", (symbols, numbers, each), where, source, [*between(1, 1), norm], (block,), shape),
    ]


@forms_of.register
def _(block: ShuffleUnitV2, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, inputs, outputs = block.kernel_size, block.in_channels, block.out_channels
    b, p = outputs // 2, pixels(out)
    kernel = "9" if k == 3 else "k²"
    size = ", k kernel size" if k != 3 else ""
    if block.stride == 1:
        symbols, numbers = f"2b² + {kernel}b", f"2 × {num(b)}² + {k}² × {num(b)}"
        each = 2 * b * b + k * k * b
        macs = (f"h × w × ({symbols})", f"{map_text(out)} × ({numbers})", p * each)
        params = (symbols, numbers, each)
        where = f"b half of the channels{size}, h and w of the map"
        source, norm = "arXiv 1807.11164, figure 3 (c), written out", batch_norm(b, b, b)
    else:
        rest = outputs - inputs
        late = inputs * inputs + k * k * inputs + k * k * b + b * rest
        symbols = f"c² + {kernel}c + {kernel}b + b(c' − c)"
        numbers = f"{num(inputs)}² + {k}² × {num(inputs)} + {k}² × {num(b)} + {num(b)} × {num(rest)}"
        macs = (
            f"h' × w' × ({symbols}) + h × w × cb",
            f"{map_text(out)} × ({numbers}) + {map_text(shape)} × {num(inputs)} × {num(b)}",
            p * late + pixels(shape) * inputs * b,
        )
        params = (f"{symbols} + cb", f"{numbers} + {num(inputs)} × {num(b)}", late + inputs * b)
        where = f"c input and c' output channels, b = c' / 2{size}, h and w of the input, h' and w' of the output map"
        source, norm = "arXiv 1807.11164, figure 3 (d), written out", batch_norm(inputs, inputs, b, b, rest)
    what = "ShuffleNet V2 unit"
    return [
        closed_form(what, "macs", macs, where, source, [], (block,), shape),
        closed_form(what, "params", params, where, source, [norm], (block,), shape),
    ]
