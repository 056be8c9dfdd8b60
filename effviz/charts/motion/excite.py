"""Squeeze-and-excitation: means, two small matrices, gates, scaled maps."""

from __future__ import annotations

from math import cos, exp

from effviz.charts.motion.maps import input_maps, shades
from effviz.charts.motion.spec import Caption, Motion, Phase, Track, drawn_note, motion_of, products
from effviz.charts.sentences import plural
from effviz.core.caches import remembered
from effviz.core.units import exact
from effviz.count.kinds import POOLING, SQUEEZE_EXCITE
from effviz.count.totals import block_totals
from effviz.model.blocks import SqueezeExcite

_MOST, _SIDE = 6, 5


@remembered
def excitation(block: SqueezeExcite, resolution: int) -> Motion:
    """Animate squeeze-and-excitation (arXiv 1709.01507) on maps of `resolution` pixels."""
    small, side = drawn_block(block), min(resolution, _SIDE)
    channels, squeezed = small.in_channels, small.squeezed
    drawn = block_totals(small, (channels, side, side)).macs
    real = block_totals(block, (block.in_channels, resolution, resolution)).macs
    phases = [
        Phase(POOLING, channels, drawn={"act": "squeeze"}),
        Phase(SQUEEZE_EXCITE, squeezed, channels, drawn={"act": "reduce"}),
        Phase(SQUEEZE_EXCITE, channels, squeezed, drawn={"act": "expand"}),
        Phase(SQUEEZE_EXCITE, channels, drawn={"act": "gate"}),
        Phase(SQUEEZE_EXCITE, channels, drawn={"act": "scale"}),
    ]
    numbers = _numbers(small, side)
    captions = _captions(small, phases, numbers)
    title = f"Squeeze-and-excitation weights {plural(block.in_channels, 'channel')} with two small matrices"
    gates = ", ".join(f"{gate:.2f}" for gate in numbers["gates"])
    amounts = [(channels, block.in_channels, "channels"), (squeezed, block.squeezed, "squeezed channels")]
    note = drawn_note(amounts, (side, resolution))
    details = [f"Gates of the drawing: {gates}", note.removesuffix("."), f"Your block: {exact(real)} multiply-adds"]
    return motion_of(
        "excite", title, details, "excite", phases, captions,
        twin=sum(phase.steps for phase in phases), tracks=[Track("Two matrices", drawn, real=real)], note=note,
        channels=channels, squeezed=squeezed, side=side, gate=block.gate, shades=shades(input_maps(channels, side)),
        **numbers,
    )  # fmt: skip


def drawn_block(block: SqueezeExcite) -> SqueezeExcite:
    """Return the block of the drawing: at most 6 channels, with the reduction of the real block."""
    channels = min(block.in_channels, _MOST)
    squeezed = min(max(min(2, block.squeezed), round(channels * block.squeezed / block.in_channels)), _MOST)
    return SqueezeExcite(channels, squeezed, block.activation, block.gate)


def _numbers(block: SqueezeExcite, side: int) -> dict[str, list[float]]:
    """Compute the numbers of the drawing with fixed weights: means, hidden values, sums and gates."""
    wide, narrow = range(block.in_channels), range(block.squeezed)
    means = [sum(map(sum, each)) / side**2 for each in input_maps(block.in_channels, side)]
    hidden = [max(0.0, sum((0.6 + cos(2 * to + 3 * of)) * means[of] for of in wide)) for to in narrow]
    sums = [sum(4 * cos(1.3 * to + 2.1 * of + 0.4) * hidden[of] for of in narrow) / block.squeezed for to in wide]
    gates = [_gate(block.gate, each) for each in sums]
    found = {"means": means, "hidden": hidden, "sums": sums, "gates": gates}
    return {name: [round(value, 3) for value in values] for name, values in found.items()}


def _gate(name: str, value: float) -> float:
    if name == "hardsigmoid":
        return min(1.0, max(0.0, value / 6 + 0.5))
    return 1 / (1 + exp(-value))


def _captions(block: SqueezeExcite, phases: list[Phase], numbers: dict[str, list[float]]) -> list[Caption]:
    channels, squeezed, gates = block.in_channels, block.squeezed, numbers["gates"]
    starts = [sum(phase.steps for phase in phases[:index]) for index in range(len(phases) + 1)]
    function = "hard sigmoid" if block.gate == "hardsigmoid" else "sigmoid"
    texts = (
        "Squeeze: the mean of each map becomes one number.",
        f"Reduce: a {squeezed}×{channels} matrix, {products(channels)} per row. Every channel has a say.",
        f"Expand: a {channels}×{squeezed} matrix returns to one number per channel.",
        f"Gate: the {function} turns each number into a gate from 0 to 1.",
        "Scale: each map is multiplied by its gate.",
        f"Gates from {min(gates):.2f} to {max(gates):.2f}: strong channels pass, weak ones fade.",
    )
    return list(zip(starts, texts, strict=True))
