"""The four guidelines of ShuffleNetV2 (arXiv 1807.11164, section 2): exact counts, and the experiments as designs.

The theory is about memory access at fixed multiply-adds, of one convolution (guidelines 1 and 2) or one block (3 and 4)
on a square map. `effviz.analyze` counts everything, and a closed form confirms every count.

The experiments are tables 1 to 4 of the paper. Every network is a block repeated ten times on a 56 x 56 map:

- 1: two 1x1 convolutions, c1 -> c2 and c2 -> c1. 2: a 1x1 group convolution c -> c. 3: one to four 1x1 convolutions
  c' -> c' in series, or in parallel and added, with c' = c / sqrt(fragments), rounded; the paper prints c and adjusts
  the widths to equal multiply-adds. 4: a bottleneck (1x1, 3x3, 1x1) with and without ReLU and shortcut;
  the paper prints only c, used here as the width of the block, with c / 4 inside as in ResNet. No norm, no bias.
- The scales 1×, 2× and 4× multiply the channels, and so the multiply-adds by 1, 4 and 16. The numbers of the paper show
  it: table 2 (one group, c = 64 on ARM) prints 40.0, 10.2 and 2.3 images/s for the three scales. Table 3 (one fragment,
  the same network) prints 40.2, 10.1 and 2.3 for c = 64, 128 and 256. The GPU figures agree, from c = 128 on.
- Table 2 prints 180 channels in 8 groups for ARM. 8 does not divide 180, so 184 channels are built.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
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
from effviz.zoo import architecture

SOURCE = "ShuffleNetV2 paper, arXiv 1807.11164"
GUIDELINES = {
    "G1": "Equal channel width minimises memory access cost",
    "G2": "Excessive group convolution increases memory access cost",
    "G3": "Network fragmentation reduces the degree of parallelism",
    "G4": "Element-wise operations are not negligible",
}
"""In the words of the paper."""

REPEATS = 10
RESOLUTION = 56
DEVICES = {"ARM": "Snapdragon 810", "GPU": "GTX 1080 Ti"}
SCALES = {"x1": 1, "x2": 2, "x4": 4}
ARRANGEMENTS = ("series", "parallel")
# Names and order of the paper: ReLU, shortcut.
VARIANTS = {
    "relu+shortcut": (True, True),
    "relu": (True, False),
    "shortcut": (False, True),
    "neither": (False, False),
}
GROUP_COUNTS = (1, 2, 4, 8, 16)
FRAGMENT_COUNTS = (1, 2, 3, 4, 8)


# --- closed forms: memory access in elements, batch 1 --------------------------------------------------------------


def conv_access(pixels: float, in_channels: float, out_channels: float, groups: float = 1) -> float:
    """Return the memory access of a 1x1 convolution: input + output + weights (eq. 1)."""
    return pixels * (in_channels + out_channels) + in_channels * out_channels / groups


def least_access(pixels: float, macs: float) -> float:
    """Return the lower bound on the memory access of a 1x1 convolution with `macs` multiply-adds (eq. 2)."""
    return 2 * math.sqrt(pixels * macs) + macs / pixels


def ratio_access(pixels: float, macs: float, ratio: float) -> float:
    """Return the memory access of a 1x1 convolution with ``out_channels = ratio * in_channels``, widths not rounded."""
    channels = math.sqrt(macs / pixels)
    return conv_access(pixels, channels / math.sqrt(ratio), channels * math.sqrt(ratio))


def groups_access(pixels: float, in_channels: float, macs: float, groups: float) -> float:
    """Return the memory access of a 1x1 group convolution with fixed input and multiply-adds (eq. 3)."""
    return pixels * in_channels + macs * groups / in_channels + macs / pixels


def widened_access(pixels: float, channels: float, groups: float) -> float:
    """Return the memory access of a 1x1 group convolution c -> c, as wide as equal multiply-adds allow, not rounded."""
    return conv_access(pixels, channels * math.sqrt(groups), channels * math.sqrt(groups), groups)


def fragments_access(
    pixels: float, channels: float, fragments: int, arrangement: str, memory: str = "fused", inner: float | None = None
) -> float:
    """Return the memory access of `fragments` 1x1 convolutions.

    Args:
        pixels: of the map.
        channels: of one convolution with the same multiply-adds.
        fragments: how many convolutions.
        arrangement: ``"series"`` or ``"parallel"``; parallel ones are added, two at a time.
        memory: ``"paper"`` omits the additions.
        inner: channels of each; None for channels / sqrt(fragments), not rounded.
    """
    inner = channels / math.sqrt(fragments) if inner is None else inner
    added = arrangement == "parallel" and memory != "paper"
    additions = 3 * pixels * inner * (fragments - 1) if added else 0
    return fragments * conv_access(pixels, inner, inner) + additions


def bottleneck_access(pixels: int, channels: int, inner: int, *, relu: bool, shortcut: bool, memory: str) -> int:
    """Return the memory access of a bottleneck without batch norm.

    Args:
        pixels: of the map.
        channels: of the block.
        inner: of its 3x3 convolution.
        relu: read and written three times; fused, part of the layer before.
        shortcut: two maps read, one written.
        memory: ``"paper"`` counts the convolutions only.
    """
    total = 2 * (pixels * (channels + inner) + channels * inner) + 2 * pixels * inner + 9 * inner**2
    if shortcut and memory != "paper":
        total += 3 * pixels * channels
    if relu and memory == "eager":
        total += 2 * pixels * (2 * inner + channels)
    return total


# --- theory, exact -------------------------------------------------------------------------------------------------


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
    row = Stage("conv", out_channels, groups=groups, **_PLAIN)
    return Design("convolution", (row,), in_channels=in_channels, resolution=resolution)


_PLAIN: dict[str, Any] = {"kernel_size": 1, "norm": False, "bias": False, "activation": "none"}


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


def _fragments(channels: int, fragments: int, arrangement: str, repeats: int, resolution: int, name: str) -> Design:
    row = Stage("fragments", repeats=repeats, fragments=fragments, arrangement=arrangement)
    width = fragment_width(channels, fragments)
    return Design(name, (row,), in_channels=width, resolution=resolution, title=name)


@lru_cache(maxsize=4_096)
def fragments_point(channels: int, fragments: int, arrangement: str, resolution: int = RESOLUTION) -> Point:
    """Guideline 3: 1x1 convolutions in series or in parallel with the multiply-adds of one."""
    one_of("arrangement", arrangement, ARRANGEMENTS)
    design = _fragments(channels, fragments, arrangement, 1, resolution, "fragments")
    name = "1 fragment" if fragments == 1 else f"{fragments} in {arrangement}"
    width = fragment_width(channels, fragments)
    return _point(fragments, name, f"{width} → {width}", design)


def _bottleneck(channels: int, variant: str, repeats: int, resolution: int, name: str) -> Design:
    relu, shortcut = VARIANTS[variant]
    row = Stage("plain_bottleneck", repeats=repeats, activation="relu" if relu else "none", shortcut=shortcut)
    return Design(name, (row,), in_channels=channels, resolution=resolution, title=name)


@lru_cache(maxsize=4_096)
def elementwise_point(channels: int, variant: str, resolution: int = RESOLUTION) -> Point:
    """Guideline 4: a bottleneck with or without ReLU and shortcut; the multiply-adds are the same."""
    one_of("variant", variant, VARIANTS)
    design = _bottleneck(channels, variant, 1, resolution, "bottleneck")
    inner = PlainBottleneck(channels).inner
    widths = f"{channels} → {inner} → {inner} → {channels}"
    return _point(list(VARIANTS).index(variant), variant_text(variant), widths, design)


def variant_text(variant: str) -> str:
    """Return the name of a variant on screen."""
    return {"relu+shortcut": "ReLU and shortcut", "relu": "ReLU", "shortcut": "Shortcut", "neither": "Neither"}[variant]


# --- the experiments -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One network of tables 1 to 4.

    Attributes:
        guideline: a key of `GUIDELINES`.
        case: as in the printed table.
        device: a key of `DEVICES`; the tables have other widths for each.
        scale: a key of `SCALES`.
        label: the varied quantity, for a chart.
        widths: channels as built, as text.
        printed_widths: as printed, if they differ from the built ones; else empty.
        design: ten blocks on a 56 x 56 map.
    """

    guideline: str
    case: str
    device: str
    scale: str
    label: str
    widths: str
    printed_widths: str
    design: Design

    @property
    def title(self) -> str:
        """The same for all rows of the tables with the same network."""
        return self.design.title


def _channels(text: str) -> tuple[int, ...]:
    """Return the integers of ``"(32,32)"`` or ``"c=64"``."""
    return tuple(int(part) for part in text.removeprefix("c=").strip("()").split(","))


@lru_cache(maxsize=1)
def printed() -> tuple[dict[str, str], ...]:
    """Return tables 1 to 4 as printed: guideline, case, channels, scale, device, unit, speed.

    Channels are those of scale 1×. Tables 3 and 4 print them instead of a scale, which is added here.
    """
    with files("effviz.zoo.published").joinpath("shufflenet_v2_guidelines.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if not row["scale"]:
            column = [_channels(each["channels"])[0] for each in rows if _same_case(each, row)]
            place = sorted(column).index(_channels(row["channels"])[0])
            row["scale"] = list(SCALES)[place]
            row["channels"] = f"c={min(column)}"
    return tuple(rows)


def _same_case(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(one[key] == other[key] for key in ("guideline", "case", "device"))


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    """Return every row of tables 1 to 4 as a network, in the order of the tables."""
    return tuple(_case(row) for row in printed())


def column(guideline: str, device: str, scale: str) -> list[Case]:
    """Return the cases of one column of a table; their multiply-adds are equal except for rounding.

    Args:
        guideline: a key of `GUIDELINES`.
        device: a key of `DEVICES`: the tables have other widths for each.
        scale: a key of `SCALES`.
    """
    one_of("guideline", guideline, GUIDELINES)
    one_of("device", device, DEVICES)
    one_of("scale", scale, SCALES)
    wanted = guideline, device, scale
    return [case for case in cases() if (case.guideline, case.device, case.scale) == wanted]


def printed_speed(case: Case, device: str) -> tuple[float, str]:
    """Return the printed speed of a case at a scale on a device, and its unit; widths differ by device."""
    wanted = case.guideline, case.case, case.scale, device
    for row in printed():
        if (row["guideline"], row["case"], row["scale"], row["device"]) == wanted:
            return float(row["speed"]), row["unit"]
    raise KeyError(wanted)


def _case(row: Mapping[str, str]) -> Case:
    guideline, scale = row["guideline"], SCALES[row["scale"]]
    channels = tuple(each * scale for each in _channels(row["channels"]))
    make = {"G1": _case_1, "G2": _case_2, "G3": _case_3, "G4": _case_4}[guideline]
    label, widths, rows, inputs = make(row["case"], channels)
    title = f"{guideline}, {label}, {widths}"
    design = Design(
        "guideline", rows, title, "ShuffleNetV2 guidelines", RESOLUTION, inputs,
        source=f"{SOURCE}, table {guideline[1]}",
    )  # fmt: skip
    as_printed = " → ".join(map(str, channels)) if guideline == "G2" and channels[0] != inputs else ""
    return Case(guideline, row["case"], row["device"], row["scale"], label, widths, as_printed, design)


_Made = tuple[str, str, tuple[Stage, ...], int]


def _case_1(case: str, channels: tuple[int, ...]) -> _Made:
    first, second = channels
    rows = tuple(
        Stage("conv", width, name=f"block{index}", **_PLAIN) for index in range(REPEATS) for width in (second, first)
    )
    return case.removeprefix("c1:c2="), f"{first} → {second} → {first}", rows, first


def _case_2(case: str, channels: tuple[int, ...]) -> _Made:
    groups = int(case.removeprefix("g="))
    width = channels[0]
    if width % groups:
        # The multiple with the multiply-adds nearest to those of the case without groups.
        below = width // groups * groups
        target = (width / math.sqrt(groups)) ** 2 * groups
        width = min((below, below + groups), key=lambda each: abs(math.log(each**2 / target)))
    row = Stage("conv", width, REPEATS, groups=groups, **_PLAIN)
    return ("1 group" if groups == 1 else f"{groups} groups"), f"{width} → {width}", (row,), width


def _case_3(case: str, channels: tuple[int, ...]) -> _Made:
    count, _, arrangement = case.replace("-fragment", "").partition("-")
    fragments = int(count)
    width = fragment_width(channels[0], fragments)
    design = _fragments(channels[0], fragments, arrangement or "series", REPEATS, RESOLUTION, "fragments")
    label = "1 fragment" if fragments == 1 else f"{fragments} in {arrangement}"
    return label, f"{width} → {width}", design.stages, width


def _case_4(case: str, channels: tuple[int, ...]) -> _Made:
    inner = PlainBottleneck(channels[0]).inner
    design = _bottleneck(channels[0], case, REPEATS, RESOLUTION, "bottleneck")
    return variant_text(case), f"{channels[0]} → {inner} → {inner} → {channels[0]}", design.stages, channels[0]


def distinct(chosen: Iterable[Case]) -> list[Case]:
    """Return one case per network: GPU widths at 1× are ARM widths at 4×, and tables 2 and 3 start alike."""
    return list({case.title: case for case in chosen}.values())


# --- results of an experiment ---------------------------------------------------------------------------------------

TOLERANCE = 0.05
"""Speeds that differ by less count as equal: multiply-adds within a column differ by up to 5.5 %."""


@dataclass(frozen=True)
class Verdict:
    """Agreement of the cases of a column with their guideline.

    Attributes:
        follow: labels of cases that are slower than the first one, or for guideline 4 faster.
        equal: within `TOLERANCE`.
        against: labels of the other cases.
        extreme: label of the case furthest from the first one in the direction of the guideline.
        speed: of that case, relative to the first one.
    """

    follow: tuple[str, ...]
    equal: tuple[str, ...]
    against: tuple[str, ...]
    extreme: str
    speed: float


def verdict(guideline: str, speeds: Mapping[str, float]) -> Verdict:
    """Compare speeds with a guideline.

    Args:
        guideline: a key of `GUIDELINES`.
        speeds: by label, at least two; the others are compared with the first one.
    """
    (_, base), *others = speeds.items()
    sign = -1 if one_of("guideline", guideline, GUIDELINES) != "G4" else 1
    effect = {label: sign * (speed / base - 1) for label, speed in others}
    extreme = max(effect, key=effect.__getitem__)
    return Verdict(
        tuple(label for label, size in effect.items() if size > TOLERANCE),
        tuple(label for label, size in effect.items() if -TOLERANCE <= size <= TOLERANCE),
        tuple(label for label, size in effect.items() if size < -TOLERANCE),
        extreme,
        speeds[extreme] / base,
    )


# --- arithmetic intensity ------------------------------------------------------------------------------------------


class Intensity(NamedTuple):
    """Multiply-adds against memory access of all layers of one kind.

    Attributes:
        kind: one of `effviz.count.kinds.KINDS`.
        macs: multiply-adds.
        memory_access: elements.
        share: of the network's memory access.
    """

    kind: str
    macs: int
    memory_access: int
    share: float

    @property
    def per_element(self) -> float:
        """Multiply-adds per element read or written; 0 without memory access."""
        return self.macs / self.memory_access if self.memory_access else 0.0


@lru_cache(maxsize=256)
def intensities(name: str, memory: str = "fused") -> tuple[Intensity, ...]:
    """Return the arithmetic intensity of every kind of layer with memory access in a network of the zoo.

    Args:
        name: of the zoo.
        memory: assumption about memory access, as in `effviz.analyze`.
    """
    sums = _sums(analyze(architecture(name), memory=memory))
    total = sum(access for _, access in sums.values())
    return tuple(Intensity(kind, macs, access, access / total) for kind, (macs, access) in sums.items() if access)
