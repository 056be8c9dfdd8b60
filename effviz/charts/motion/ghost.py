"""The Ghost module: intrinsic maps from a convolution, cheap copies, concatenation."""

from __future__ import annotations

from dataclasses import replace

from effviz.charts.motion.maps import activated, convolve, input_maps, weights
from effviz.charts.motion.spec import Motion, Phase, Track, drawn_note, motion_of, products
from effviz.charts.motion.volumes import FEW, MANY, SIDE, compared, drawn_kernel, kernel_captions, sliding, stack
from effviz.charts.sentences import plural
from effviz.core.caches import remembered
from effviz.core.units import exact
from effviz.count.kinds import conv_kind
from effviz.count.totals import block_totals
from effviz.model.blocks import ConvBNAct, GhostModule
from effviz.model.layers import Conv2d, pair
from effviz.model.trace import trace_block


@remembered
def ghost(module: GhostModule, resolution: int) -> Motion:
    """Animate a Ghost module (arXiv 1911.11907) on an input of `resolution` pixels."""
    small, side = drawn_module(module), min(resolution, SIDE)
    real, ordinary = _totals(module, resolution)
    steps = trace_block(small, (small.in_channels, side, side)).steps
    convs = [(step.layer, step.output.shape[1]) for step in steps if isinstance(step.layer, Conv2d)]
    (primary, out), cheap = convs[0], convs[1:]
    inputs = input_maps(small.in_channels, side)
    intrinsic = activated(convolve(primary, inputs, weights(primary)))
    copies = [map for conv, _ in cheap for map in activated(convolve(conv, intrinsic, weights(conv)))]
    count, padding = len(intrinsic), max((pair(conv.padding)[0] for conv, _ in cheap), default=0)
    stacks = [
        stack("Input", inputs, pair(primary.padding)[0]),
        stack("Intrinsic maps", intrinsic, padding),
        stack("Output", [*intrinsic, *copies]),
    ]
    # The maps that are only moved keep the color of the layer that computed them.
    moved = Phase(conv_kind(primary), count, drawn={"copy": True, "from": 1, "to": 2, "first": 0})
    phases = [sliding(primary, out, 0, 1), moved, *(sliding(conv, end, 1, 2, count) for conv, end in cheap)]
    filled = phases[0].steps
    text = f"The concatenation takes the {plural(count, 'intrinsic map')} unchanged, without a multiplication."
    captions = [*kernel_captions(primary, out, 0), (filled, text)]
    for conv, end in cheap:
        captions += kernel_captions(conv, end, filled + count)
    drawn, whole = _totals(small, side)[0], sum(phase.steps for phase in phases)
    total = f"The output takes {products(drawn)}. The more input channels, the more a cheap kernel saves"
    captions.append((whole, f"{total}."))
    amounts = [(getattr(small, f"{end}_channels"), getattr(module, f"{end}_channels")) for end in ("in", "out")]
    named = [(*each, f"{noun} channels") for each, noun in zip(amounts, ("input", "output"), strict=True)]
    saved = (
        f"With your numbers, {compared(ordinary / real, 'multiply-adds ')} an ordinary convolution ({exact(ordinary)})"
    )
    note = f"{drawn_note(named, (side, resolution))} {saved}"
    made = -(-module.out_channels // module.ratio)
    title = f"A Ghost module convolves {made:,} of {module.out_channels:,} maps and derives the others cheaply"
    if module.ratio == 1:
        title = f"A Ghost module of ratio 1 convolves all {plural(made, 'map')}"
    return motion_of(
        "ghost", title, [total, note, f"Your module: {exact(real)} multiply-adds"], "volumes", phases, captions,
        twin=whole - phases[-1].steps // 2, tracks=[Track("Ghost module", drawn, real=real)], note=f"{note}.",
        stacks=stacks,
    )  # fmt: skip


def drawn_module(module: GhostModule) -> GhostModule:
    """Return the module of the drawing: at most 4 inputs, 6 outputs and a kernel of 5."""
    ratio = min(module.ratio, 3, module.out_channels)
    count = min(-(-module.out_channels // module.ratio), MANY // ratio)
    return replace(
        module, in_channels=min(module.in_channels, FEW), out_channels=count * ratio, stride=min(module.stride, 2),
        ratio=ratio, kernel_size=drawn_kernel(module.kernel_size),
        cheap_kernel_size=drawn_kernel(module.cheap_kernel_size),
    )  # fmt: skip


def _totals(module: GhostModule, side: int) -> tuple[int, int]:
    """Count a module, and the convolution that it replaces."""
    ordinary = ConvBNAct(module.in_channels, module.out_channels, module.stride, module.kernel_size)
    shape = (module.in_channels, side, side)
    return block_totals(module, shape).macs, block_totals(ordinary, shape).macs
