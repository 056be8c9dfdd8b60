"""The layer or block of each guideline at equal multiply-adds, counted, and the arithmetic intensity of layer kinds."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from effviz.core.arguments import Within, check_border
from effviz.core.caches import remembered
from effviz.core.errors import MAX_CHANNELS, one_of
from effviz.count import cost
from effviz.count.kinds import KINDS, MERGE, NORM, VIEW, kind_of
from effviz.count.memory import ASSUMPTIONS, accesses, memory_access, not_counted
from effviz.count.report import Report, analyze
from effviz.model.blocks.guideline import PlainBottleneck
from effviz.model.design import Design
from effviz.model.layers import Branches
from effviz.model.stage import Stage
from effviz.studies.guidelines.access import ARRANGEMENTS, RESOLUTION, VARIANTS
from effviz.zoo import architecture

PLAIN: dict[str, Any] = {"kernel_size": 1, "norm": False, "bias": False, "activation": "none"}


class Point(NamedTuple):
    """One shape of the layer or block of a guideline."""

    x: float  # the varied quantity: the ratio c2 / c1, groups, fragments; for guideline 4 the index in `VARIANTS`
    name: str  # for a label
    widths: str  # channels, as text
    macs: int  # multiply-adds of one image
    memory_access: Mapping[str, int]  # elements under every assumption
    by_kind: Mapping[str, Mapping[str, int]]  # the same by kind of layer, `effviz.count.kinds`
    kernels: int  # operations that torch starts; an addition of three maps takes two
    params: int  # weights
    moved: Mapping[str, tuple[int, int, int]]  # memory access: elements of maps read, weights read, maps written

    def share(self, memory: str) -> float:
        """Share of element-wise operations (ReLU, addition) in memory access."""
        elementwise = sum(self.by_kind[memory].get(kind, 0) for kind in (NORM, MERGE))
        return elementwise / self.memory_access[memory]


def _kernels(report: Report) -> int:
    steps = (step for step in report.steps if not step.is_view)
    return sum(max(1, len(step.inputs) - 1) if isinstance(step.layer, Branches) else 1 for step in steps)


def _point(x: float, name: str, widths: str, design: Design) -> Point:
    report = analyze(design)
    by_kind = {memory: {kind: access for kind, (_, access) in _sums(report, memory).items()} for memory in ASSUMPTIONS}
    accesses = {memory: sum(kinds.values()) for memory, kinds in by_kind.items()}
    return Point(x, name, widths, report.macs, accesses, by_kind, _kernels(report), report.params, {
        memory: _moved(report, memory) for memory in ASSUMPTIONS
    })  # fmt: skip


def _moved(report: Report, memory: str) -> tuple[int, int, int]:
    """Return the elements of maps that are read, of weights, and of maps that are written."""
    rule, maps, weights, written = ASSUMPTIONS[memory], 0, 0, 0
    for index, step in enumerate(report.steps):
        if not_counted(step, report.fusion, index, rule):
            continue
        for access in accesses(step, report.fusion, index, rule):
            size = sum(map(math.prod, access.sizes))
            if access.name == "output":
                written += size
            elif access.name.startswith("input"):
                maps += size
            elif access.name.startswith("intermediate"):
                maps, written = maps + size // 2, written + size // 2
            else:
                weights += size
    return maps, weights, written


def _sums(report: Report, memory: str) -> dict[str, tuple[int, int]]:
    """Return multiply-adds and memory access by kind, without views."""
    found: dict[str, tuple[int, int]] = {}
    accesses = memory_access(report.steps, report.fusion, memory)
    for step, access in zip(report.steps, accesses, strict=True):
        macs, before = found.get(kind_of(step), (0, 0))
        found[kind_of(step)] = macs + cost.macs(step.layer, step.output.shape), before + access
    return {kind: found[kind] for kind in KINDS if kind in found and kind != VIEW}


def conv_design(in_channels: int, out_channels: int, groups: int = 1, resolution: int = RESOLUTION) -> Design:
    """Return one 1x1 convolution as a design."""
    row = Stage("conv", out_channels, groups=groups, **PLAIN)
    return Design("convolution", (row,), in_channels=in_channels, resolution=resolution)


def ratio_widths(channels: int, ratio: float) -> tuple[int, int]:
    """Return integer widths c1 and c2 near ``1:ratio`` with a product near ``channels ** 2``."""
    narrow = max(1, round(channels / math.sqrt(ratio)))
    return narrow, max(1, round(channels**2 / narrow))


@remembered
def ratio_point(channels: int, ratio: float, resolution: int = RESOLUTION) -> Point:
    """Return guideline 1: a 1x1 convolution with c1:c2 near ``1:ratio`` and the cost of channels -> channels."""
    narrow, wide = ratio_widths(channels, ratio)
    return _point(wide / narrow, f"1:{ratio:g}", f"{narrow} → {wide}", conv_design(narrow, wide, 1, resolution))


_MOST_RATIO = 1_024
_MOST_WIDTHS = 50_000


@remembered
def ratio_curve(
    channels: Annotated[int, Within(1, MAX_CHANNELS)],
    resolution: int = RESOLUTION,
    most: Annotated[float, Within(1, _MOST_RATIO)] = 16,
) -> tuple[Point, ...]:
    """Guideline 1, from ``most:1`` to ``1:most``: all whole widths that keep the multiply-adds within 0.5 per cent."""
    low, high = max(1, math.ceil(channels / math.sqrt(most))), math.floor(channels * math.sqrt(most))
    found = {}
    # Of very many widths, some are enough for a curve.
    for narrow in {*range(low, high + 1, max(1, (high - low) // _MOST_WIDTHS)), channels}:
        wide = max(1, round(channels**2 / narrow))
        if abs(narrow * wide / channels**2 - 1) <= 0.005:
            found[wide / narrow] = narrow, wide
    # Forty points are enough for a curve.
    step = max(1, len(found) // 40)
    return tuple(
        _point(ratio, _ratio(narrow, wide), f"{narrow} → {wide}", conv_design(narrow, wide, 1, resolution))
        for index, (ratio, (narrow, wide)) in enumerate(sorted(found.items()))
        if index % step == 0 or ratio == 1
    )


def _ratio(narrow: int, wide: int) -> str:
    return f"1:{wide / narrow:.3g}" if wide >= narrow else f"{narrow / wide:.3g}:1"


@remembered
def groups_point(channels: int, groups: int, resolution: int = RESOLUTION, *, widened: bool = False) -> Point:
    """Guideline 2: a 1x1 group convolution with the multiply-adds of channels -> channels without groups.

    The input keeps its channels and the output has `groups` times as many, as in the paper's equation; with `widened`
    both grow by sqrt(groups), rounded to what the groups divide, as in its experiment.
    """
    inputs, outputs = channels, channels * groups
    if widened:
        inputs = outputs = groups * max(1, round(channels / math.sqrt(groups)))
    return _point(
        groups, groups_text(groups), f"{inputs} → {outputs}", conv_design(inputs, outputs, groups, resolution)
    )


def groups_text(groups: int) -> str:
    """Return the label of a number of groups."""
    return "1 group" if groups == 1 else f"{groups} groups"


def fragment_width(channels: int, fragments: int) -> int:
    """Return the channels of each of several 1x1 convolutions of the same cost: channels / sqrt(fragments)."""
    return max(1, round(channels / math.sqrt(fragments)))


class RepeatedBlocks(NamedTuple):
    """Repeated blocks of a guideline: name for a label, channels as text, and the network."""

    name: str
    widths: str
    design: Design


def fragments_built(
    channels: int, fragments: int, arrangement: str, resolution: int, repeats: int = 1
) -> RepeatedBlocks:
    """Build 1x1 convolutions in series or in parallel with the multiply-adds of one."""
    row = Stage("fragments", repeats=repeats, fragments=fragments, arrangement=arrangement)
    width = fragment_width(channels, fragments)
    design = Design("fragments", (row,), in_channels=width, resolution=resolution, title="fragments")
    return RepeatedBlocks(
        "1 fragment" if fragments == 1 else f"{fragments} in {arrangement}", f"{width} → {width}", design
    )


@remembered
def fragments_point(channels: int, fragments: int, arrangement: str, resolution: int = RESOLUTION) -> Point:
    """Guideline 3: 1x1 convolutions in series or in parallel with the multiply-adds of one."""
    one_of("arrangement", arrangement, ARRANGEMENTS)
    return _point(fragments, *fragments_built(channels, fragments, arrangement, resolution))


def bottleneck_built(channels: int, variant: str, resolution: int, repeats: int = 1) -> RepeatedBlocks:
    """Build bottlenecks of one variant."""
    relu, shortcut = VARIANTS[variant]
    row = Stage("plain_bottleneck", repeats=repeats, activation="relu" if relu else "none", shortcut=shortcut)
    inner = PlainBottleneck(channels).inner
    design = Design("bottleneck", (row,), in_channels=channels, resolution=resolution, title="bottleneck")
    return RepeatedBlocks(variant_text(variant), f"{channels} → {inner} → {inner} → {channels}", design)


@remembered
def elementwise_point(channels: int, variant: str, resolution: int = RESOLUTION) -> Point:
    """Guideline 4: a bottleneck with or without ReLU and shortcut; the multiply-adds are the same."""
    one_of("variant", variant, VARIANTS)
    return _point(list(VARIANTS).index(variant), *bottleneck_built(channels, variant, resolution))


def variant_text(variant: str) -> str:
    """Return the name of a variant on screen."""
    return {"relu+shortcut": "ReLU and shortcut", "relu": "ReLU", "shortcut": "Shortcut", "neither": "Neither"}[variant]


# --- arithmetic intensity --------------------------------------------------------------------------------------------


class Intensity(NamedTuple):
    """Multiply-adds against memory access of all layers of one kind."""

    kind: str  # one of `effviz.count.kinds.KINDS`
    macs: int  # multiply-adds
    memory_access: int  # elements
    share: float  # of the network's memory access

    @property
    def per_element(self) -> float:
        """Multiply-adds per element read or written; 0 without memory access."""
        return self.macs / self.memory_access if self.memory_access else 0.0


@remembered
def intensities(name: str, memory: str = "fused") -> tuple[Intensity, ...]:
    """Return the arithmetic intensity of every kind of layer with memory access in a network of the zoo."""
    sums = _sums(analyze(architecture(name)), memory)
    total = sum(access for _, access in sums.values())
    return tuple(Intensity(kind, macs, access, access / total) for kind, (macs, access) in sums.items() if access)


check_border(globals())
