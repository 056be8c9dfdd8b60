"""Rules about memory access: the four guidelines of ShuffleNetV2, depthwise layers and excitation on large maps.

Shares are of the network's memory access in elements, fused, at the design's own resolution.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from effviz.advice.lint.edits import affordable, edited, fields_of, rewidened, with_block, with_channels, without_row
from effviz.advice.lint.findings import Candidate, Finding, Rule
from effviz.advice.lint.network import Network, Work, image, pixels, share
from effviz.core.units import percent, si
from effviz.count.kinds import DEPTHWISE, GROUPED, MERGE, NORM, POINTWISE, SQUEEZE_EXCITE
from effviz.model.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Branches,
    ChannelShuffle,
    Conv2d,
    GlobalAvgPool,
    Identity,
    MaxPool2d,
    elements,
)

PAPER = "ShuffleNetV2, arXiv 1807.11164, section 2"

UNEQUAL_SHARE = 0.04
"""Of the memory access, that unequal widths of one row add. MobileNetV2's widest expansion adds 4.6 %, others less."""

GROUPED_SHARE = 0.025
"""Of the memory access, that the groups of one row add at equal multiply-adds: less is lost in a timing's noise."""

MANY_OPERATIONS = 8
"""Convolutions and poolings in one block. The paper counts 2 or 3 in regular networks, 13 in NASNet-A; an inverted
residual with squeeze-and-excitation has 6."""

MANY_BRANCHES = 4
"""Side by side: four run at 28 % of the speed of one with as many multiply-adds, two at 63 % (table 3, GPU, 128)."""

ELEMENT_WISE_SHARE = 0.1
"""Of the memory access, in one row: as much as a whole row of ten."""

ELEMENT_WISE_OF_ROW = 0.2
"""Of the row's own memory access: below, its convolutions are what matters."""

DEPTHWISE_SHARE = 0.05
"""Of the memory access, in the depthwise layers of one row. Those of published networks lie between 3 and 9 %."""

EXCITE_SHARE = 0.04
"""Of the memory access, for squeeze-and-excitation in one row. The first stages of EfficientNet have 4 to 12 %."""

DEAR = 0.4
"""The share by which a fix may raise the multiply-adds or parameters: beyond, nobody would take it."""

EQUAL = 0.02
"""The share by which multiply-adds may rise and still be called equal: widths come in steps."""


# --- G1 --------------------------------------------------------------------------------------------------------------


def _unequal(work: Work) -> float:
    """Elements that a 1x1 convolution moves beyond one with equal widths and as many multiply-adds (eq. 2)."""
    if work.kind != POINTWISE or pixels(work.entering) == 1 or work.entering[1:] != work.leaving[1:]:
        return 0.0
    # hw (c1 + c2) - 2 hw sqrt(c1 c2); the weights are the same.
    return (math.sqrt(elements(work.entering)) - math.sqrt(elements(work.leaving))) ** 2


def _unequal_widths(network: Network) -> Iterator[Finding]:
    for row, works in network.rows.items():
        degree = share(sum(map(_unequal, works)), network.memory_access)
        if degree < UNEQUAL_SHARE:
            continue
        concerned = [work for work in works if _unequal(work) > 0]
        worst = max(concerned, key=_unequal)
        narrow, wide = sorted((worst.entering[0], worst.leaving[0]))
        by_design = (
            " An inverted residual is unequal by design: its wide middle is what it computes with."
            if "expand_ratio" in fields_of(network.design.stages[row])
            else ""
        )
        yield Finding(
            "unequal_widths",
            row,
            concerned[0].path,
            network.where(concerned),
            f"1×1 convolutions between {narrow} and {wide} channels (1:{wide / narrow:.3g}) move "
            f"{si(round(sum(map(_unequal, works))))} elements more than equal widths would for as many multiply-adds: "
            f"{percent(degree)} of the network's memory access.{by_design}",
            degree,
        )


def _equal_widths(network: Network, row: int) -> Iterator[Candidate]:
    name, fields = network.name(row), fields_of(network.design.stages[row])
    ratio = fields.get("expand_ratio", 1)
    for less in (4, 3, 2, 1):
        if ratio > less:
            yield Candidate(
                f"Expand by {less} instead of {ratio:.3g} in {name}",
                edited(network.design, {row: {"expand_ratio": less}}),
            )
    if "squeeze" in fields:
        squeezed = max(vars(block)["squeeze"] for block in network.built(row))
        for times in (2, 4):
            yield Candidate(
                f"Squeeze to {times * squeezed} channels instead of {squeezed} in {name}",
                affordable(network.design, with_channels(network.design, row, "squeeze", times * squeezed), DEAR),
            )
    if 0 < fields.get("bottleneck_ratio", 1) < 0.5:
        yield Candidate(
            f"Use a bottleneck ratio of 0.5 instead of {fields['bottleneck_ratio']:g} in {name}",
            affordable(network.design, edited(network.design, {row: {"bottleneck_ratio": 0.5}}), DEAR),
        )
    channels, built = network.rows[row][0].entering[0], network.rows[row][-1].leaving[0]
    yield Candidate(
        f"Make the output of {name} {channels} channels wide instead of {built}",
        affordable(network.design, rewidened(network.design, row, channels), DEAR),
    )


# --- G2 --------------------------------------------------------------------------------------------------------------


def _grouping(work: Work) -> float:
    """Elements that a group convolution moves beyond one without groups, narrowed to as many multiply-adds (eq. 3)."""
    if work.kind != GROUPED or not isinstance(work.step.layer, Conv2d):
        return 0.0
    return (elements(work.entering) + elements(work.leaving)) * (1 - 1 / math.sqrt(work.step.layer.groups))


def _many_groups(network: Network) -> Iterator[Finding]:
    for row, works in network.rows.items():
        degree = share(sum(map(_grouping, works)), network.memory_access)
        if degree < GROUPED_SHARE:
            continue
        concerned, more = [work for work in works if _grouping(work) > 0], round(sum(map(_grouping, works)))
        groups = max(work.step.layer.groups for work in concerned if isinstance(work.step.layer, Conv2d))
        yield Finding(
            "many_groups",
            row,
            concerned[0].path,
            network.where(concerned),
            f"Convolutions in {groups} groups move {si(more)} elements more than ungrouped "
            f"ones with 1/√{groups} of the channels and as many multiply-adds: {percent(degree)} of the network's "
            "memory access.",
            degree,
        )


def _fewer_groups(network: Network, row: int) -> Iterator[Candidate]:
    """Fewer groups and narrower layers at equal multiply-adds, where that lessens the memory access."""
    for label, changed in _regrouped(network, row):
        changed = affordable(network.design, changed, EQUAL)
        if changed is not None and Network(changed).memory_access < network.memory_access:
            yield Candidate(label, changed)


def _regrouped(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    name, fields = network.name(row), fields_of(design.stages[row])
    groups = fields.get("groups", 1)
    if "bottleneck_ratio" in fields:
        ratio = fields["bottleneck_ratio"]
        for half in range(4):
            yield Candidate(
                f"Use 1 group and a bottleneck ratio of {ratio / 2**half:g} instead of {groups} and {ratio:g} "
                f"in {name}",
                edited(design, {row: {"groups": 1, "bottleneck_ratio": ratio / 2**half}}),
            )
    for fewer in (each for each in range(1, groups) if groups % each == 0):
        changed, built = edited(design, {row: {"groups": fewer}}), network.built(row)[-1]
        if changed is None or "out_channels" not in vars(built):
            continue
        width = vars(built)["out_channels"]
        step = math.lcm(8, fewer)
        channels = max(step, round(width * math.sqrt(fewer / groups)) // step * step)
        plural = "s" if fewer > 1 else ""
        yield Candidate(
            f"Use {fewer} group{plural} and {channels} channels instead of {groups} and {width} in {name}",
            rewidened(changed, row, channels),
        )


# --- G3 --------------------------------------------------------------------------------------------------------------


def _operations(works: Iterable[Work]) -> int:
    kinds = (Conv2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, GlobalAvgPool)
    return sum(isinstance(work.step.layer, kinds) for work in works)


def _branches(works: Iterable[Work]) -> int:
    merges = [work.step.layer for work in works if isinstance(work.step.layer, Branches)]
    return max((sum(not isinstance(layer, Identity) for _, layer in merge.branches) for merge in merges), default=0)


def _fragments(network: Network) -> Iterator[Finding]:
    for row, works in network.rows.items():
        blocks: dict[int, list[Work]] = {}
        for work in works:
            blocks.setdefault(work.block, []).append(work)
        degrees = {
            block: max(_operations(inner) / MANY_OPERATIONS, _branches(inner) / MANY_BRANCHES)
            for block, inner in blocks.items()
        }
        degree = max(degrees.values())
        if degree < 1:
            continue
        concerned = [work for block, inner in blocks.items() if degrees[block] >= 1 for work in inner]
        worst = blocks[max(degrees, key=lambda block: degrees[block])]
        branches, operations = _branches(worst), _operations(worst)
        macs = sum(work.macs for work in worst)
        side = f", {branches} of its branches side by side" if branches >= MANY_BRANCHES else ""
        yield Finding(
            "fragments",
            row,
            concerned[0].path,
            network.where(concerned),
            f"One block is {operations} convolutions and poolings{side}, with {si(round(share(macs, operations)))} "
            "multiply-adds each on average; regular networks have 2 or 3 in a block. Starting and joining small "
            "operations takes time that no count shows.",
            degree,
        )


def _fewer_fragments(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    name, fields = network.name(row), fields_of(design.stages[row])
    if "fragments" in fields:
        for fewer in range(min(fields["fragments"], MANY_OPERATIONS, MANY_BRANCHES) - 1, 0, -1):
            plural = "s" if fewer > 1 else ""
            yield Candidate(
                f"Use {fewer} convolution{plural} instead of {fields['fragments']} in {name}",
                edited(design, {row: {"fragments": fewer}}),
            )
    if fields.get("se_ratio", 0) > 0:
        yield Candidate(
            f"Leave squeeze-and-excitation out of {name} (se_ratio 0 instead of {fields['se_ratio']:.3g})",
            edited(design, {row: {"se_ratio": 0.0}}),
        )
    if fields.get("ratio", 1) > 1:
        yield Candidate(
            f"Use plain convolutions in {name} (ratio 1 instead of {fields['ratio']})",
            edited(design, {row: {"ratio": 1}}),
        )


# --- G4 --------------------------------------------------------------------------------------------------------------


def _element_wise(network: Network) -> Iterator[Finding]:
    for row, works in network.rows.items():
        concerned = [work for work in works if work.kind in (MERGE, NORM) and work.access]
        moved = sum(work.access for work in concerned)
        degree = share(moved, network.memory_access)
        if degree < ELEMENT_WISE_SHARE or moved < ELEMENT_WISE_OF_ROW * sum(work.access for work in works):
            continue
        by_word: dict[str, int] = {}
        for work in concerned:
            by_word[_word(work)] = by_word.get(_word(work), 0) + work.access
        parts = ", ".join(f"{word} {si(amount)}" for word, amount in sorted(by_word.items(), key=lambda each: -each[1]))
        yield Finding(
            "element_wise",
            row,
            concerned[0].path,
            network.where(concerned),
            f"Operations that compute next to nothing move {si(moved)} elements ({parts}): {percent(degree)} of the "
            f"network's memory access and {percent(share(moved, sum(work.access for work in works)))} of this row's.",
            degree,
        )


def _word(work: Work) -> str:
    layer = work.step.layer
    if isinstance(layer, Branches):
        return {"add": "additions", "mul": "products", "concat": "concatenations"}[layer.merge]
    return "channel shuffles" if isinstance(layer, ChannelShuffle) else "norms and activations"


def _less_element_wise(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    name, fields = network.name(row), fields_of(design.stages[row])
    if fields.get("arrangement") == "parallel" and fields["fragments"] > 1:
        yield Candidate(
            f"Put the {fields['fragments']} convolutions of {name} one after another",
            edited(design, {row: {"arrangement": "series"}}),
        )


# --- depthwise layers ------------------------------------------------------------------------------------------------


def _depthwise(network: Network) -> Iterator[Finding]:
    for row, works in network.rows.items():
        concerned = [work for work in works if work.kind == DEPTHWISE and network.is_large(work.entering, 2)]
        moved, macs = sum(work.access for work in concerned), sum(work.macs for work in concerned)
        degree = share(moved, network.memory_access)
        # Where everything moves as much per multiply-add, depthwise layers are no worse than the rest.
        if degree < DEPTHWISE_SHARE or degree < 2 * share(macs, network.report.macs):
            continue
        channels, (high, wide) = max(work.entering[0] for work in concerned), image(concerned[0].entering)
        yield Finding(
            "depthwise_on_large_maps",
            row,
            concerned[0].path,
            network.where(concerned),
            f"Depthwise convolutions on maps of up to {high} × {wide} pixels and {channels} channels move "
            f"{share(moved, macs):.2g} elements per multiply-add, the whole network "
            f"{share(network.memory_access, network.report.macs):.2g}. They take {percent(degree)} of the memory "
            f"access for {percent(share(macs, network.report.macs))} of the multiply-adds.",
            degree,
        )


def _fused(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    stage, name = design.stages[row], network.name(row)
    fields = fields_of(stage)
    if stage.block in ("inverted_residual", "mbconv"):
        # MobileNetV3 squeezes a share of the expanded channels, MBConv and Fused-MBConv one of the input's.
        times = fields["expand_ratio"] if stage.block == "inverted_residual" else 1
        for ratio in sorted({min(4.0, fields["expand_ratio"]), min(2.0, fields["expand_ratio"]), 1.0}, reverse=True):
            excite = min(1.0, fields["se_ratio"] * times)
            yield Candidate(
                f"Use Fused-MBConv with an expansion of {ratio:g} in {name}",
                affordable(design, with_block(design, row, "fused_mbconv", expand_ratio=ratio, se_ratio=excite,
                                              activation=fields["activation"]), DEAR),
            )  # fmt: skip
    if stage.block == "depthwise_separable":
        size = fields["kernel_size"]
        yield Candidate(
            f"Use a full {size}×{size} convolution in {name}",
            affordable(
                design, with_block(design, row, "conv", kernel_size=size, activation=fields["activation"]), DEAR
            ),
        )


# --- squeeze-and-excitation ------------------------------------------------------------------------------------------


def _excitation(network: Network) -> Iterator[Finding]:
    for row, works in network.rows.items():
        concerned = [
            work
            for work in works
            if work.kind == SQUEEZE_EXCITE
            and work.access
            and any(network.is_large(each.shape) for each in work.step.inputs)
        ]
        moved = sum(work.access for work in concerned)
        degree = share(moved, network.memory_access)
        if degree < EXCITE_SHARE:
            continue
        high, wide = max(image(each.shape) for work in concerned for each in work.step.inputs)
        macs = sum(work.macs for work in works if work.kind == SQUEEZE_EXCITE)
        yield Finding(
            "excitation_on_large_maps",
            row,
            concerned[0].path,
            network.where(concerned),
            f"Squeeze-and-excitation reads maps of up to {high} × {wide} pixels twice and writes them once: "
            f"{percent(degree)} of the network's memory access for "
            f"{percent(share(macs, network.report.macs))} of its multiply-adds.",
            degree,
        )


def _no_excitation(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    name, fields = network.name(row), fields_of(design.stages[row])
    if fields.get("se_ratio", 0) > 0:
        yield Candidate(
            f"Leave squeeze-and-excitation out of {name} (se_ratio 0 instead of {fields['se_ratio']:.3g})",
            edited(design, {row: {"se_ratio": 0.0}}),
        )
    alone = sum(stage.name == design.stages[row].name for stage in design.stages) == 1
    if design.stages[row].block == "squeeze_excite" and alone:
        yield Candidate(f"Leave {name} out", without_row(design, row))


UNEQUAL_WIDTHS = Rule(
    "unequal_widths",
    "Unequal widths of 1×1 convolutions",
    "G1: equal input and output channels minimise the memory access of a 1×1 convolution.",
    f"{PAPER}, guideline 1, eq. 2 and table 1",
    "Widths that are closer to each other would mend it.",
    _unequal_widths,
    _equal_widths,
)
MANY_GROUPS = Rule(
    "many_groups",
    "Many groups",
    "G2: group convolutions save multiply-adds, not memory access; use few groups.",
    f"{PAPER}, guideline 2, eq. 3 and table 2",
    "Fewer groups with fewer channels in each layer would mend it: "
    "at equal multiply-adds a quarter of the groups goes with half of the width.",
    _many_groups,
    _fewer_groups,
)
FRAGMENTS = Rule(
    "fragments",
    "A block of many small operations",
    "G3: a few large operations keep a device busier than many small ones, in parallel or in series.",
    f"{PAPER}, guideline 3 and table 3",
    "One larger convolution in place of several would mend it.",
    _fragments,
    _fewer_fragments,
)
ELEMENT_WISE = Rule(
    "element_wise",
    "Element-wise operations",
    "G4: additions, concatenations, shuffles and norms are not free: they move whole maps.",
    f"{PAPER}, guideline 4, figure 2 and table 4",
    "Fewer channels or blocks here would lessen it; so does a compiler that fuses these operations with the "
    "convolutions around them.",
    _element_wise,
    _less_element_wise,
)
DEPTHWISE_ON_LARGE_MAPS = Rule(
    "depthwise_on_large_maps",
    "Depthwise convolutions on large maps",
    "Use full convolutions in early stages, where maps are large and channels few, and depthwise ones later.",
    "EfficientNetV2, arXiv 2104.00298, section 3.2; ShuffleNetV2, arXiv 1807.11164, guideline 4",
    "Full convolutions, fewer channels or an earlier stride would mend it.",
    _depthwise,
    _fused,
)
EXCITATION_ON_LARGE_MAPS = Rule(
    "excitation_on_large_maps",
    "Squeeze-and-excitation on large maps",
    "Put squeeze-and-excitation where maps are small.",
    "Squeeze-and-excitation, arXiv 1709.01507; placed late in MobileNetV3, arXiv 1905.02244, tables 1 and 2",
    "Leaving it out of the early blocks would mend it.",
    _excitation,
    _no_excitation,
)
