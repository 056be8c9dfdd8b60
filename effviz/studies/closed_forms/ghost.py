"""Closed forms of Ghost modules."""

from __future__ import annotations

from fractions import Fraction

from effviz.model.blocks.basic import ConvBNAct
from effviz.model.blocks.ghost import GhostModule
from effviz.model.layers import Shape
from effviz.studies.closed_forms.form import (
    ClosedForm,
    Term,
    batch_norm,
    closed_form,
    forms_of,
    map_text,
    num,
    output_shape,
    pixels,
    rounded,
    shown,
)


@forms_of.register
def _(block: GhostModule, shape: Shape) -> list[ClosedForm]:
    out = output_shape(block, shape)
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
        f"{num(n)} / {s} × {map_text(out)} × {num(c)} × {k}² + {s - 1} × {num(n)} / {s} × {map_text(out)} × {d}²",
        Fraction(n, s) * pixels(out) * each,
    )
    params = (
        "n/s × c × k² + (s − 1) × n/s × d²",
        f"{num(n)} / {s} × {num(c)} × {k}² + {s - 1} × {num(n)} / {s} × {d}²",
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
        closed_form(
            what, "macs", macs, where, source,
            [rounded("channels n/s", Fraction(n, s), real, pixels(out) * each)], (block,), shape,
        ),
        closed_form(
            "standard over Ghost", "ratio", ("s", str(s), s),
            "s output channels per primary channel, the theoretical speed-up", source, between, (full, block), shape,
        ),
        closed_form(
            what, "params", params, where, source,
            [rounded("channels n/s", Fraction(n, s), real, each), batch_norm(real, *ghosts)], (block,), shape,
        ),
    ]  # fmt: skip
