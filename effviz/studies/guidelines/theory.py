"""The layer or block of each guideline at equal multiply-adds, counted."""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from effviz.core.errors import one_of
from effviz.count import cost
from effviz.count.kinds import KINDS, MERGE, NORM, VIEW, kind_of
from effviz.count.memory import ASSUMPTIONS, memory_access
from effviz.count.report import Report, analyze
from effviz.model.blocks.guideline import PlainBottleneck
from effviz.model.design import Design
from effviz.model.layers import Branches
from effviz.model.stage import Stage
from effviz.studies.guidelines.access import (
    ARRANGEMENTS,
    RESOLUTION,
    VARIANTS,
)


class Point(NamedTuple):
    """One shape of the layer or block of a guideline.

    Attributes:
        x: the varied quantity: the ratio c2 / c1, groups, fragments; for guideline 4 the index in `VARIANTS`.
        name: for a label.
        widths: channels, as text.
        macs: multiply-adds of one image.
        memory_access: elements under every assumption.
        by_kind: the same by kind of layer, `effviz.count.kinds`.
        kernels: operations that torch starts; an addition of three maps takes two.
        params: weights.
    """

    x: float
    name: str
    widths: str
    macs: int
    memory_access: Mapping[str, int]
    by_kind: Mapping[str, Mapping[str, int]]
    kernels: int
    params: int

    def share(self, memory: str) -> float:
        """Share of element-wise operations (ReLU, addition) in memory access."""
        elementwise = sum(self.by_kind[memory].get(kind, 0) for kind in (NORM, MERGE))
        return elementwise / self.memory_access[memory]


def _kernels(report: Report) -> int:
    steps = (step for step in report.steps if not step.is_view)
    return sum(len(step.inputs) - 1 if isinstance(step.layer, Branches) else 1 for step in steps)


def _point(x: float, name: str, widths: str, design: Design) -> Point:
    reports = {memory: analyze(design, memory=memory) for memory in ASSUMPTIONS}
    fused = reports["fused"]
    by_kind = {memory: dict(kind_accesses(report)) for memory, report in reports.items()}
    return Point(x, name, widths, fused.macs, fused.memory_accesses, by_kind, _kernels(fused), fused.params)


def kind_accesses(report: Report) -> dict[str, int]:
    """Memory access of every kind of layer in the network, in the order of `KINDS`."""
    return {kind: access for kind, (_, access) in _sums(report).items()}


def _sums(report: Report) -> dict[str, tuple[int, int]]:
    """Return multiply-adds and memory access by kind, without views."""
    found: dict[str, tuple[int, int]] = {}
    accesses = memory_access(report.steps, report.fusion, report.memory)
    for step, access in zip(report.steps, accesses, strict=True):
        macs, before = found.get(kind_of(step), (0, 0))
        found[kind_of(step)] = macs + cost.macs(step.layer, step.output.shape), before + access
    return {kind: found[kind] for kind in KINDS if kind in found and kind != VIEW}


def conv_design(in_channels: int, out_channels: int, groups: int = 1, resolution: int = RESOLUTION) -> Design:
    """Return one 1x1 convolution as a design."""
    row = Stage("conv", out_channels, groups=groups, **PLAIN)
    return Design("convolution", (row,), in_channels=in_channels, resolution=resolution)


PLAIN: dict[str, Any] = {"kernel_size": 1, "norm": False, "bias": False, "activation": "none"}


def ratio_widths(channels: int, ratio: float) -> tuple[int, int]:
    """Return integer widths c1 and c2 near ``1:ratio`` with a product near ``channels ** 2``."""
    narrow = max(1, round(channels / math.sqrt(ratio)))
    return narrow, max(1, round(channels**2 / narrow))


@lru_cache(maxsize=4_096)
def ratio_point(channels: int, ratio: float, resolution: int = RESOLUTION) -> Point:
    """Return guideline 1: a 1x1 convolution with c1:c2 near ``1:ratio`` and the cost of channels -> channels."""
    narrow, wide = ratio_widths(channels, ratio)
    return _point(wide / narrow, f"1:{ratio:g}", f"{narrow} → {wide}", conv_design(narrow, wide, 1, resolution))


@lru_cache(maxsize=256)
def ratio_curve(channels: int, resolution: int = RESOLUTION, most: float = 16) -> tuple[Point, ...]:
    """Guideline 1, from ``most:1`` to ``1:most``: all whole widths that keep the multiply-adds within 0.5 per cent."""
    found = {}
    for narrow in range(max(1, math.ceil(channels / math.sqrt(most))), math.floor(channels * math.sqrt(most)) + 1):
        wide = max(1, round(channels**2 / narrow))
        if abs(narrow * wide / channels**2 - 1) > 0.005:
            continue
        found[wide / narrow] = narrow, wide
    # Forty points are enough for a curve.
    step = max(1, len(found) // 40)
    chosen = sorted(found)[::step]
    chosen = sorted({*chosen, *(ratio for ratio in found if ratio == 1)})
    return tuple(
        _point(ratio, f"{_ratio(*found[ratio])}", "{} → {}".format(*found[ratio]),
               conv_design(*found[ratio], 1, resolution))
        for ratio in chosen
    )  # fmt: skip


def _ratio(narrow: int, wide: int) -> str:
    return f"1:{wide / narrow:.3g}" if wide >= narrow else f"{narrow / wide:.3g}:1"


@lru_cache(maxsize=4_096)
def groups_point(channels: int, groups: int, resolution: int = RESOLUTION, *, widened: bool = False) -> Point:
    """Guideline 2: a 1x1 group convolution with the multiply-adds of channels -> channels without groups.

    The input keeps its channels and the output has `groups` times as many, as in the paper's equation; with `widened`
    both grow by sqrt(groups), rounded to what the groups divide, as in its experiment.
    """
    inputs, outputs = channels, channels * groups
    if widened:
        inputs = outputs = groups * max(1, round(channels / math.sqrt(groups)))
    name = "1 group" if groups == 1 else f"{groups} groups"
    return _point(groups, name, f"{inputs} → {outputs}", conv_design(inputs, outputs, groups, resolution))


def fragment_width(channels: int, fragments: int) -> int:
    """Return the channels of each of several 1x1 convolutions of the same cost: channels / sqrt(fragments)."""
    return max(1, round(channels / math.sqrt(fragments)))


def fragments_design(
    channels: int, fragments: int, arrangement: str, repeats: int, resolution: int, name: str
) -> Design:
    """Return repeated 1x1 convolutions in series or in parallel as a design."""
    row = Stage("fragments", repeats=repeats, fragments=fragments, arrangement=arrangement)
    width = fragment_width(channels, fragments)
    return Design(name, (row,), in_channels=width, resolution=resolution, title=name)


@lru_cache(maxsize=4_096)
def fragments_point(channels: int, fragments: int, arrangement: str, resolution: int = RESOLUTION) -> Point:
    """Guideline 3: 1x1 convolutions in series or in parallel with the multiply-adds of one."""
    one_of("arrangement", arrangement, ARRANGEMENTS)
    design = fragments_design(channels, fragments, arrangement, 1, resolution, "fragments")
    name = "1 fragment" if fragments == 1 else f"{fragments} in {arrangement}"
    width = fragment_width(channels, fragments)
    return _point(fragments, name, f"{width} → {width}", design)


def bottleneck_design(channels: int, variant: str, repeats: int, resolution: int, name: str) -> Design:
    """Return repeated bottlenecks of one variant as a design."""
    relu, shortcut = VARIANTS[variant]
    row = Stage("plain_bottleneck", repeats=repeats, activation="relu" if relu else "none", shortcut=shortcut)
    return Design(name, (row,), in_channels=channels, resolution=resolution, title=name)


@lru_cache(maxsize=4_096)
def elementwise_point(channels: int, variant: str, resolution: int = RESOLUTION) -> Point:
    """Guideline 4: a bottleneck with or without ReLU and shortcut; the multiply-adds are the same."""
    one_of("variant", variant, VARIANTS)
    design = bottleneck_design(channels, variant, 1, resolution, "bottleneck")
    inner = PlainBottleneck(channels).inner
    widths = f"{channels} → {inner} → {inner} → {channels}"
    return _point(list(VARIANTS).index(variant), variant_text(variant), widths, design)


def variant_text(variant: str) -> str:
    """Return the name of a variant on screen."""
    return {"relu+shortcut": "ReLU and shortcut", "relu": "ReLU", "shortcut": "Shortcut", "neither": "Neither"}[variant]
