"""Kernels that slide over a volume: all kinds of convolution."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from effviz.charts.motion.maps import Map, activated, convolve, input_maps, shades, weights
from effviz.charts.motion.spec import Caption, Motion, Phase, Track, drawn_note, motion_of, products
from effviz.charts.sentences import plural, times
from effviz.charts.style import Spec
from effviz.core.caches import remembered
from effviz.core.units import exact
from effviz.count.kinds import conv_kind
from effviz.model.layers import Conv2d, pair
from effviz.studies.convolutions import KINDS, Setting, reduction, report

# Limits of a drawing that is legible on a phone and from the back of a room.
FEW, MANY = 4, 6
SIDE = 5
_KERNEL, _STRIDE = 5, 3


# --- The size of the drawing ------------------------------------------------------------------------------------------


class Widths(NamedTuple):
    """Channels and groups of a convolution."""

    in_channels: int
    out_channels: int
    groups: int


def drawn_widths(widths: Widths) -> Widths:
    """Return the real widths if they are small, otherwise the widest legible ones with the same structure.

    The wider end has at most 6 channels, the narrower at most 4. There are several groups, several channels per group,
    and more outputs than inputs if and only if this is true of the real widths.
    """
    real = (widths.groups, widths.in_channels // widths.groups, widths.out_channels // widths.groups)

    def alike(drawn: tuple[int, ...]) -> bool:
        groups, reads, writes = drawn
        few, many = sorted((groups * reads, groups * writes))
        if few > FEW or many > MANY or any(ours > theirs for ours, theirs in zip(drawn, real, strict=True)):
            return False
        several = all((ours > 1) == (theirs > 1) for ours, theirs in zip(drawn, real, strict=True))
        return several and _sign(writes - reads) == _sign(real[2] - real[1])

    found = [each for each in product(range(1, MANY + 1), repeat=3) if alike(each)]
    groups, reads, writes = max(found, key=lambda each: (each[0] * (each[1] + each[2]), each[0]))
    return Widths(groups * reads, groups * writes, groups)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def drawn_setting(setting: Setting) -> Setting:
    """Return the setting of the drawing: at most 6 channels, 7 pixels, a kernel of 5."""
    widths = drawn_widths(Widths(setting.in_channels, setting.out_channels, setting.groups))
    stride = min(setting.stride, _STRIDE)
    side = min(setting.resolution, SIDE + 2 * max(0, stride - 2))
    return Setting(drawn_kernel(setting.kernel_size), *widths, stride, side)


def drawn_kernel(size: int) -> int:
    """Return the side of a kernel in a drawing, of the same parity, which decides the padding."""
    return size if size <= _KERNEL else _KERNEL - 1 + size % 2


# --- Stacks and phases ------------------------------------------------------------------------------------------------


def stack(label: str, maps: list[Map], padding: int = 0) -> Spec:
    """Describe a volume: its maps, and the zeros around each."""
    return {"label": label, "channels": len(maps), "side": len(maps[0]), "pad": padding, "shades": shades(maps)}


def sliding(conv: Conv2d, side: int, start: int, end: int, first: int = 0) -> Phase:
    """Describe kernels that slide over a volume, one after another; each step computes one output value.

    Args:
        conv: square, without bias.
        side: of the output map.
        start: index of the stack that it reads.
        end: index of the stack that it fills.
        first: channel of the stack that the first kernel fills.
    """
    size, inner = pair(conv.kernel_size)[0], conv.in_channels // conv.groups
    drawn = {
        "from": start, "to": end, "first": first, "side": side, "kernel": size, "stride": pair(conv.stride)[0],
        "inner": inner, "group": conv.out_channels // conv.groups, "kernels": conv.out_channels,
        "weights": [shades(kernel, -1, 1) for kernel in weights(conv)],
    }  # fmt: skip
    return Phase(conv_kind(conv), conv.out_channels * side * side, size * size * inner, drawn=drawn)


def kernel_captions(conv: Conv2d, side: int, start: int) -> Iterator[Caption]:
    """Write a caption for every kernel."""
    size, inner = pair(conv.kernel_size)[0], conv.in_channels // conv.groups
    per_group = conv.out_channels // conv.groups
    product = f"{size}×{size}{f'×{inner}' if inner > 1 else ''} = {products(size * size * inner)}"
    for out in range(conv.out_channels):
        first = out // per_group * inner
        name = f"Kernel {out + 1} of {conv.out_channels}"
        if conv.groups == 1:
            read = f"reads all {inner} input channels" if inner > 1 else "reads the only input channel"
        elif inner == 1:
            read = f"reads channel {first + 1} only"
        else:
            group = f"group {out // per_group + 1} of {conv.groups}"
            read = f"reads channels {first + 1} to {first + inner}, {group}"
        yield start + out * side * side, f"{name} {read}: {product} per output value."


# --- Convolutions -----------------------------------------------------------------------------------------------------

_READ = {
    "standard": "Each output value of a standard convolution reads a {k}×{k} window of {all}",
    "grouped": "Each output value of a grouped convolution reads a {k}×{k} window of {inner} of {all_of}",
    "depthwise": "Each output value of a depthwise convolution reads a {k}×{k} window of one channel",
    "pointwise": "Each output value of a pointwise convolution reads one pixel of {all}",
    "separable": "A separable convolution filters each channel on its own, then mixes the channels pixel by pixel",
}


@remembered
def convolution(kind: str, setting: Setting) -> Motion:
    """Animate one kind of convolution: a key of `KINDS`."""
    small = drawn_setting(setting)
    drawn, real = report(kind, small), report(kind, setting)
    stacks, phases, captions = _layers([(each.layer, each.output.shape[1]) for each in drawn.steps], small)
    _add_yours(stacks, phases, [(each.layer, each.output.shape[1]) for each in real.steps], setting.resolution)
    whole = report("standard", small).macs
    tracks = [
        Track(KINDS[kind], drawn.macs, real=real.macs),
        Track(KINDS["standard"], whole, live=False, real=report("standard", setting).macs),
    ]
    title = _title(kind, setting)
    end = f"The output takes {products(drawn.macs)}"
    if kind == "standard":
        del tracks[1]
    else:
        end += f", {compared(whole / drawn.macs)} a standard convolution ({exact(whole)})"
    captions.append((sum(phase.steps for phase in phases), f"{end}."))
    note = _sizes(kind, small, setting)
    if kind != "standard":
        saved = compared(reduction(kind, setting).factor, "multiply-adds ")
        note += f" With your numbers, {saved} a standard convolution."
    yours = f"{note} Your layer: {exact(real.macs)} multiply-adds"
    last = phases[-1]
    twin = sum(phase.steps for phase in phases) - last.steps // 2
    return motion_of(
        kind, title, [end, yours], "volumes", phases, captions, twin=twin, tracks=tracks, note=note, stacks=stacks,
    )  # fmt: skip


def compared(factor: float, noun: str = "") -> str:
    """Return a saving as words, to be followed by what it is compared with; `noun` ends with a space."""
    if abs(factor - 1) < 5e-4:
        return f"as many {noun}as"
    return f"{times(factor)} fewer {noun}than" if factor > 1 else f"{times(1 / factor)} as many {noun}as"


def _title(kind: str, setting: Setting) -> str:
    wide = setting.in_channels
    every = f"all {wide} input channels" if wide > 1 else "the only input channel"
    return _READ[kind].format(
        k=setting.kernel_size, all=every, all_of=plural(wide, "input channel"), inner=wide // setting.groups
    )


def _sizes(kind: str, small: Setting, setting: Setting) -> str:
    """Compare the numbers of the drawing with those of the reader."""
    names = {"in_channels": "input channels", "out_channels": "output channels", "groups": "groups"}
    if kind == "depthwise":
        del names["out_channels"]
    if kind != "grouped":
        del names["groups"]
    amounts = [(getattr(small, key), getattr(setting, key), name) for key, name in names.items()]
    kernel = kind != "pointwise" and small.kernel_size != setting.kernel_size
    return drawn_note(
        amounts,
        (small.resolution, setting.resolution),
        f"a kernel of {small.kernel_size} instead of {setting.kernel_size}" if kernel else "",
        f"a stride of {small.stride} instead of {setting.stride}" if small.stride != setting.stride else "",
    )


def _layers(convs: list[tuple[Any, int]], small: Setting) -> tuple[list[Spec], list[Phase], list[Caption]]:
    """Describe convolutions in a row: the volumes, the phases and the captions."""
    maps = input_maps(small.in_channels, small.resolution)
    stacks: list[Spec] = []
    phases: list[Phase] = []
    captions: list[Caption] = []
    start = 0
    for index, (conv, side) in enumerate(convs):
        label = "Input" if index == 0 else "Between"
        stacks.append(stack(label, maps, pair(conv.padding)[0]))
        phases.append(sliding(conv, side, index, index + 1))
        captions += kernel_captions(conv, side, start)
        start += phases[-1].steps
        maps = activated(convolve(conv, maps, weights(conv)))
    return [*stacks, stack("Output", maps)], phases, captions


def _add_yours(stacks: list[Spec], phases: list[Phase], convs: list[tuple[Any, int]], side: int) -> None:
    """Add the numbers of the reader to those headings whose drawing is smaller."""
    sides = [side, *(each for _, each in convs)]
    channels = [*(conv.in_channels for conv, _ in convs), convs[-1][0].out_channels]
    for drawn, wide, high in zip(stacks, channels, sides, strict=True):
        if (drawn["channels"], drawn["side"]) != (wide, high):
            drawn["yours"] = f"{wide:,} × {high}×{high}"
    for phase, (conv, _) in zip(phases, convs, strict=True):
        size, inner, ours = pair(conv.kernel_size)[0], conv.in_channels // conv.groups, phase.drawn
        if (ours["kernels"], ours["kernel"], ours["inner"]) != (conv.out_channels, size, inner):
            ours["yours"] = f"{conv.out_channels:,} × {size}×{size}{f'×{inner:,}' if inner > 1 else ''}"
