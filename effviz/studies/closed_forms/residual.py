"""Closed forms of residual blocks and dense layers."""

from __future__ import annotations

from effviz.model.blocks.residual import BasicBlock, Bottleneck, DenseLayer
from effviz.model.layers import Shape
from effviz.studies.closed_forms.form import (
    VGG,
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
def _(block: BasicBlock, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, m, c, p = block.kernel_size, block.in_channels, block.out_channels, pixels(out)
    where = "C channels, k kernel size, h and w of the output map"
    source = f"{VGG}; arXiv 1512.03385, figure 5"
    macs = ("h × w × 2 × k² × C²", f"{map_text(out)} × 2 × {k}² × {num(c)}²", p * 2 * k * k * c * c)
    params = ("2 × k² × C²", f"2 × {k}² × {num(c)}²", 2 * k * k * c * c)
    norm = batch_norm(*[c] * (3 if _projects(block) else 2))

    def between(size: int) -> list[Term]:
        return [narrow(m, c, size * k * k * (m - c) * c), *_projection(block, size)]

    what = "basic block"
    return [
        closed_form(what, "macs", macs, where, source, between(p), (block,), shape),
        closed_form(what, "params", params, where, source, [*between(1), norm], (block,), shape),
    ]


def _projects(block: BasicBlock | Bottleneck) -> bool:
    return block.stride > 1 or block.in_channels != block.out_channels


def _projection(block: BasicBlock | Bottleneck, pixels: int) -> list[Term]:
    value = pixels * block.in_channels * block.out_channels if _projects(block) else 0
    return [Term("1x1 projection on the shortcut", value)]


@forms_of.register
def _(block: Bottleneck, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
    k, inputs, c, m, g = block.kernel_size, block.in_channels, block.out_channels, block.inner, block.groups
    p, before = pixels(out), pixels(shape) if block.stride_at == "3x3" else pixels(out)
    grouped, grouped_numbers = ("", "") if g == 1 else (" / g", f" / {num(g)}")
    kernel = "9m²" if k == 3 else "k²m²"
    symbols = f"2cm + {kernel}{grouped}"
    numbers = f"2 × {num(c)} × {num(m)} + {k}² × {num(m)}²{grouped_numbers}"
    each = 2 * c * m + k * k * m * m // g
    where = (
        f"c outer and m inner channels{', k kernel size' if k != 3 else ''}{', g groups' if g > 1 else ''}, "
        "h and w of the output map"
    )
    what = "ResNet bottleneck" if g == 1 else "ResNeXt unit"
    macs = (f"h × w × ({symbols})", f"{map_text(out)} × ({numbers})", p * each)
    ends = [c, c] if _projects(block) else [c]
    return [
        closed_form(
            what, "macs", macs, where, "arXiv 1707.01083, section 3.2",
            [
                narrow(inputs, c, p * (inputs - c) * m),
                Term("the first 1x1 runs before the stride", (before - p) * inputs * m),
                *_projection(block, p),
            ],
            (block,), shape,
        ),
        closed_form(
            what, "params", (symbols, numbers, each), where, "arXiv 1611.05431, section 3.3",
            [narrow(inputs, c, (inputs - c) * m), *_projection(block, 1), batch_norm(m, m, *ends)],
            (block,), shape,
        ),
    ]  # fmt: skip


@forms_of.register
def _(block: DenseLayer, shape: Shape) -> list[ClosedForm]:
    size, c, k, b = block.kernel_size, block.in_channels, block.growth, block.bottleneck
    symbols = f"c × {b}k + {size}² × {b}k × k"
    numbers = f"{num(c)} × {b} × {num(k)} + {size}² × {b} × {num(k)} × {num(k)}"
    each = c * b * k + size * size * b * k * k
    where = f"c input channels, k growth, {b}k channels between the layers, h and w of the map"
    source, what = "arXiv 1608.06993, section 3, written out", "dense layer"
    macs = (f"h × w × ({symbols})", f"{map_text(shape)} × ({numbers})", pixels(shape) * each)
    norm = batch_norm(c, b * k)
    return [
        closed_form(what, "macs", macs, where, source, [], (block,), shape),
        closed_form(what, "params", (symbols, numbers, each), where, source, [norm], (block,), shape),
    ]
