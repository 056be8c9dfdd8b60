"""Widths of residual blocks: narrow - wide - narrow against wide - narrow - wide."""

from __future__ import annotations

from collections.abc import Sequence

from effviz.charts.motion.spec import Caption, Motion, Phase, Track, motion_of
from effviz.charts.style import KIND_COLORS, Spec
from effviz.core.caches import remembered
from effviz.core.errors import if_legal
from effviz.core.units import exact
from effviz.count.cost import macs
from effviz.count.kinds import DEPTHWISE, GROUPED, MERGE, POINTWISE, SQUEEZE_EXCITE, STANDARD, conv_kind
from effviz.model.blocks import Bottleneck, FusedMBConv, InvertedResidual, MBConv
from effviz.model.layers import Branches, Conv2d, pair
from effviz.model.trace import TraceStep, trace_block

Residual = InvertedResidual | MBConv | FusedMBConv | Bottleneck
"""Blocks whose widths change inside."""


_NAMES = {
    InvertedResidual: "the inverted residual",
    MBConv: "MBConv",
    FusedMBConv: "Fused-MBConv",
    Bottleneck: "the ResNet bottleneck",
}
_KEYS = {InvertedResidual: "inverted_residual", MBConv: "mbconv", FusedMBConv: "fused_mbconv", Bottleneck: "bottleneck"}
_WORDS = {STANDARD: "standard", GROUPED: "grouped", DEPTHWISE: "depthwise", POINTWISE: "pointwise"}


@remembered
def widths(block: Residual, resolution: int) -> Motion:
    """Animate the widths of a block, and those of its counterpart: the same two widths in the opposite order."""
    other = if_legal(lambda: _counterpart(block))
    blocks = [block] if other is None else [block, other]
    rows: list[Spec] = []
    phases: list[Phase] = []
    tracks: list[Track] = []
    captions: list[Caption] = []
    for index, each in enumerate(blocks):
        row, made, texts = _row(each, resolution, index)
        captions += [(len(phases) + at, text) for at, text in enumerate(texts)]
        rows.append(row)
        phases += made
        tracks.append(Track(row["name"], sum(phase.macs for phase in made)))
    ends = [f"{track.label}: {exact(track.total)} multiply-adds" for track in tracks]
    captions.append((len(phases), f"{'. '.join(ends)}."))
    profiles = [_profile(_NAMES[type(each)], row["nodes"]) for each, row in zip(blocks, rows, strict=True)]
    shapes = [f"{row['name']}: {' to '.join(str(node) for node in row['nodes'])} channels" for row in rows]
    note = (
        "Height: channels. Colour: kind of convolution. "
        f"Real channels and multiply-adds of your block, on a {resolution}×{resolution} input"
    )
    if other is not None:
        note += f". {_sentence(_NAMES[type(other)])} has the same narrow and wide widths in the opposite order"
    title = _sentence("; ".join(profiles))
    return motion_of(
        _KEYS[type(block)], title, [*shapes, *ends], "widths", phases, captions, twin=len(phases), tracks=tracks,
        note=f"{note}.", rows=rows,
    )  # fmt: skip


def _counterpart(block: Residual) -> Residual:
    """Return the bottleneck or inverted residual whose ends are as wide as the inside of `block`."""
    if isinstance(block, Bottleneck):
        ratio = block.out_channels / block.inner
        return InvertedResidual(block.inner, block.inner, block.stride, block.kernel_size, ratio)
    ratio = block.in_channels / block.expanded
    return Bottleneck(block.expanded, block.expanded, block.stride, block.kernel_size, bottleneck_ratio=ratio)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _profile(name: str, nodes: Sequence[int]) -> str:
    """Describe the widths: "MBConv widens from 24 to 144 channels and ends with 40"."""
    start, end = nodes[0], nodes[-1]
    inner = max(nodes[1:-1], default=start, key=lambda width: abs(width - start))
    if inner == start:
        return f"{name} keeps {start:,} channels inside" + (f" and ends with {end:,}" if end != start else "")
    back = "and back" if end == start else f"and ends with {end:,}"
    return f"{name} {'widens' if inner > start else 'narrows'} from {start:,} to {inner:,} channels {back}"


def _row(block: Residual, resolution: int, track: int) -> tuple[Spec, list[Phase], list[str]]:
    """Describe one block: its widths, a phase of one step for every layer, and their captions."""
    steps = trace_block(block, (block.in_channels, resolution, resolution)).steps
    layers: list[Spec] = []
    phases: list[Phase] = []
    texts: list[str] = []
    nodes, shortcut, name = [block.in_channels], "", _sentence(_NAMES[type(block)].removeprefix("the "))

    def add(kind: str, label: str, cost: int, text: str, place: int) -> None:
        layers.append({"label": label, "color": KIND_COLORS[kind], "macs": cost, "place": place})
        phases.append(Phase(kind, 1, cost, track, {"row": track, "layer": len(layers) - 1}))
        texts.append(text)

    for step, cost in _merged(steps):
        if "SqueezeExcite" in step.blocks:
            add(SQUEEZE_EXCITE, "SE", cost, f"{name}: gates on {nodes[-1]} channels.", len(nodes) - 1)
        elif isinstance(step.layer, Conv2d):
            size, end = pair(step.layer.kernel_size)[0], step.layer.out_channels
            kind = conv_kind(step.layer)
            label = f"{size}×{size}"
            named = label if kind == POINTWISE else f"{label} {_WORDS[kind]}"
            if "shortcut" in step.path.split("."):
                shortcut = label
                add(kind, label, cost, f"{name}: a {label} convolution brings the input to the output's shape.", -1)
                continue
            change = f"{nodes[-1]} to {end} channels, {exact(cost)} multiply-adds"
            text = f"{name}: {label} {_WORDS[kind]} convolution, {change}."
            nodes.append(end)
            add(kind, named, cost, text, len(nodes) - 2)
        elif isinstance(step.layer, Branches):
            shortcut = shortcut or "identity"
            add(MERGE, "+", 0, f"{name}: the shortcut adds the input to the output, {nodes[-1]} channels.", -2)
    row = {"name": name, "nodes": nodes, "layers": layers, "shortcut": shortcut}
    return row, phases, texts


def _merged(steps: Sequence[TraceStep]) -> list[tuple[TraceStep, int]]:
    """Return the steps with their multiply-adds; the layers inside a squeeze-and-excitation are one step."""
    found: list[tuple[TraceStep, int]] = []
    for step in steps:
        cost = macs(step.layer, step.output.shape)
        inside = "SqueezeExcite" in step.blocks
        if inside and found and "SqueezeExcite" in found[-1][0].blocks:
            found[-1] = (found[-1][0], found[-1][1] + cost)
        elif inside or isinstance(step.layer, (Conv2d, Branches)):
            found.append((step, cost))
    return found
