"""Rules about memory access: the four guidelines of ShuffleNetV2, and work on large maps.

Shares are of the network's memory access in elements, fused, at the design's own resolution.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from effviz.advice.lint.edits import edited, rewidened, with_block, with_built, without_row
from effviz.advice.lint.findings import Finding, Proposal, Rule
from effviz.advice.lint.network import BuiltLayer, BuiltNetwork, BuiltRow, by_row, image, pixels, share
from effviz.core.units import percent, si
from effviz.count.kinds import DEPTHWISE, GROUPED, MERGE, NORM, POINTWISE, SQUEEZE_EXCITE
from effviz.model.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Branches,
    ChannelSelect,
    ChannelShuffle,
    Conv2d,
    GlobalAvgPool,
    Identity,
    MaxPool2d,
    elements,
)

PAPER = "ShuffleNetV2, arXiv 1807.11164, section 2"

UNEQUAL_SHARE = 0.04
"""Of the memory access, added by unequal widths in one row. MobileNetV2's widest expansion adds 4.6 %, others less."""

GROUPED_SHARE = 0.025
"""Of the memory access, added by the groups of one row at equal multiply-adds. Less is lost in a timing's noise."""

MANY_OPERATIONS = 8
"""Convolutions and poolings in one block. The paper counts 2 or 3 in regular networks, 13 in NASNet-A; an inverted
residual with squeeze-and-excitation has 6."""

MANY_BRANCHES = 4
"""Parallel branches. Four run at 28 % of the speed of one with equal multiply-adds, two at 63 % (table 3, GPU, 128)."""

ELEMENT_WISE_SHARE = 0.1
"""Of the memory access, in one row: as much as an average row of ten."""

ELEMENT_WISE_OF_ROW = 0.2
"""Of the row's own memory access. Below it, the convolutions of the row matter more."""

DEPTHWISE_SHARE = 0.05
"""Of the memory access, in the depthwise layers of one row. Published networks have 3 to 9 %."""

EXCITE_SHARE = 0.04
"""Of the memory access, for squeeze-and-excitation in one row. The first stages of EfficientNet have 4 to 12 %."""

COSTLY = 0.4
"""The share by which a fix may increase the multiply-adds or parameters."""

EQUAL = 0.02
"""The share by which multiply-adds may increase and still count as equal, because widths come in steps."""


def _s(number: int) -> str:
    return "" if number == 1 else "s"


# --- G1 --------------------------------------------------------------------------------------------------------------


def unequal(layer: BuiltLayer) -> float:
    """Return the elements that a 1x1 convolution moves beyond one with equal widths and multiply-adds (eq. 2)."""
    if layer.kind != POINTWISE or pixels(layer.input_shape) == 1 or layer.input_shape[1:] != layer.output_shape[1:]:
        return 0.0
    # hw (c1 + c2) - 2 hw sqrt(c1 c2); the weights are the same.
    return (math.sqrt(elements(layer.input_shape)) - math.sqrt(elements(layer.output_shape))) ** 2


def _unequal_widths(network: BuiltNetwork) -> Iterator[Finding]:
    for row, layers in by_row(filter(unequal, network.layers)).items():
        excess = sum(map(unequal, layers))
        degree = share(excess, network.memory_access)
        if degree < UNEQUAL_SHARE:
            continue
        worst = max(layers, key=unequal)
        narrow, wide = sorted((worst.input_shape[0], worst.output_shape[0]))
        by_design = ""
        if "expand_ratio" in network.row(row).fields:
            by_design = " An inverted residual is unequal by design, because it computes in its wide middle."
        yield network.finding(
            "unequal_widths", layers, degree,
            f"1×1 convolutions between {narrow} and {wide} channels (1:{wide / narrow:.3g}) move {si(round(excess))} "
            "elements more than equal widths with the same multiply-adds would. This is "
            f"{percent(degree)} of the network's memory access.{by_design}",
        )  # fmt: skip


def _equal_widths(row: BuiltRow) -> Iterator[Proposal]:
    design, fields = row.design, row.fields
    ratio = fields.get("expand_ratio", 1)
    for less in (4, 3, 2, 1):
        if ratio > less:
            yield row.change(f"Use expansion {less} instead of {ratio:.3g} in {{}}", expand_ratio=less)
    if "squeeze" in fields:
        squeezed = max(vars(block)["squeeze"] for block in row.blocks)
        for more in (2 * squeezed, 4 * squeezed):
            changed = with_built(design, [row.index], "squeeze", more)
            yield row.propose(f"Squeeze to {more} channels instead of {squeezed} in {{}}", changed, COSTLY)
    if 0 < fields.get("bottleneck_ratio", 1) < 0.5:
        label = f"Use a bottleneck ratio of 0.5 instead of {fields['bottleneck_ratio']:g} in {{}}"
        yield row.change(label, COSTLY, bottleneck_ratio=0.5)
    yield row.output_channels(row.layers[0].input_shape[0], rise=COSTLY)


# --- G2 --------------------------------------------------------------------------------------------------------------


def grouping(layer: BuiltLayer) -> float:
    """Return the elements that a grouped convolution moves beyond an ungrouped, narrower one (eq. 3).

    The narrower one has as many multiply-adds.
    """
    if layer.kind != GROUPED or not isinstance(layer.step.layer, Conv2d):
        return 0.0
    moved = elements(layer.input_shape) + elements(layer.output_shape)
    return moved * (1 - 1 / math.sqrt(layer.step.layer.groups))


def _many_groups(network: BuiltNetwork) -> Iterator[Finding]:
    for row, layers in by_row(filter(grouping, network.layers)).items():
        excess = sum(map(grouping, layers))
        degree = share(excess, network.memory_access)
        if degree < GROUPED_SHARE:
            continue
        groups = max(layer.step.layer.groups for layer in layers if isinstance(layer.step.layer, Conv2d))
        group_width = network.row(row).fields.get("group_width")
        common = ""
        if group_width is not None:
            # pycls: one group width for the whole network, of which all widths are multiples.
            common = (
                f" The number of groups is the width over the group width of {group_width}. A RegNet has one group "
                "width, so another one changes all its rows, whose widths must be multiples of it."
            )
        yield network.finding(
            "many_groups", layers, degree,
            f"Convolutions with {groups} groups move {si(round(excess))} elements more than ungrouped ones with "
            f"1/√{groups} of the channels and the same multiply-adds. This is {percent(degree)} of the network's "
            f"memory access.{common}",
        )  # fmt: skip


def _fewer_groups(row: BuiltRow) -> Iterator[Proposal]:
    """Propose fewer groups and narrower layers at equal multiply-adds, if the memory access decreases."""
    for label, changed in _regrouped(row):
        changed = row.network.affordable(changed, EQUAL)
        if changed is not None and row.network.with_design(changed).memory_access < row.network.memory_access:
            yield Proposal(label, changed)


def _regrouped(row: BuiltRow) -> Iterator[Proposal]:
    groups, ratio = row.fields.get("groups", 1), row.fields.get("bottleneck_ratio")
    for narrow in [ratio / 2**halvings for halvings in range(4)] if ratio is not None else ():
        label = f"Use 1 group and a bottleneck ratio of {narrow:g} instead of {groups} and {ratio:g} in {{}}"
        yield row.change(label, groups=1, bottleneck_ratio=narrow)
    for fewer in (each for each in range(1, groups) if groups % each == 0):
        changed, width = edited(row.design, {row.index: {"groups": fewer}}), row.width
        if changed is None or width is None:
            continue
        step = math.lcm(8, fewer)
        channels = max(step, round(width * math.sqrt(fewer / groups)) // step * step)
        label = f"Use {fewer} group{_s(fewer)} and {channels} channels instead of {groups} and {width} in {{}}"
        yield row.propose(label, rewidened(changed, row.index, channels))


# --- G3 --------------------------------------------------------------------------------------------------------------


def operations_in(layers: Iterable[BuiltLayer]) -> int:
    """Count convolutions and poolings."""
    kinds = (Conv2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, GlobalAvgPool)
    return sum(isinstance(layer.step.layer, kinds) for layer in layers)


def branches_in(layers: Iterable[BuiltLayer]) -> int:
    """Return the largest number of parallel branches that are not shortcuts."""
    merges = [layer.step.layer for layer in layers if isinstance(layer.step.layer, Branches)]
    return max((sum(not isinstance(branch, Identity) for _, branch in each.branches) for each in merges), default=0)


def _fragments(network: BuiltNetwork) -> Iterator[Finding]:
    for layers in network.rows.values():
        blocks = {block: list(inner) for block, inner in groupby(layers, lambda layer: layer.block)}
        degrees = {
            block: max(operations_in(inner) / MANY_OPERATIONS, branches_in(inner) / MANY_BRANCHES)
            for block, inner in blocks.items()
        }
        degree = max(degrees.values())
        if degree < 1:
            continue
        worst = blocks[max(degrees, key=lambda block: degrees[block])]
        branches, operations = branches_in(worst), operations_in(worst)
        macs = si(round(share(sum(layer.macs for layer in worst), operations)))
        parallel = f" and {branches} parallel branches" if branches >= MANY_BRANCHES else ""
        yield network.finding(
            "fragments", [layer for layer in layers if degrees[layer.block] >= 1], degree,
            f"One block has {operations} convolutions and poolings{parallel}, with {macs} multiply-adds per operation "
            "on average. Regular networks have 2 or 3 operations in a block. Starting and joining small operations "
            "takes time that the counts do not show.",
        )  # fmt: skip


def _fewer_fragments(row: BuiltRow) -> Iterator[Proposal]:
    fields, ratio = row.fields, row.fields.get("ratio", 1)
    for fewer in range(min(fields.get("fragments", 1), MANY_OPERATIONS, MANY_BRANCHES) - 1, 0, -1):
        label = f"Use {fewer} convolution{_s(fewer)} instead of {fields['fragments']} in {{}}"
        yield row.change(label, fragments=fewer)
    if fields.get("attention"):
        yield row.change("Remove the DFC attention in {}", attention=False)
    yield from row.without_excitation()
    if ratio > 1:
        yield row.change(f"Use plain convolutions in {{}} (ratio 1 instead of {ratio})", ratio=1)


# --- G4 --------------------------------------------------------------------------------------------------------------


def _element_wise(network: BuiltNetwork) -> Iterator[Finding]:
    for layers in network.rows.values():
        concerned = [layer for layer in layers if layer.kind in (MERGE, NORM) and layer.access]
        moved, of_row = sum(layer.access for layer in concerned), sum(layer.access for layer in layers)
        degree = share(moved, network.memory_access)
        if degree < ELEMENT_WISE_SHARE or moved < ELEMENT_WISE_OF_ROW * of_row:
            continue
        by_word: Counter[str] = Counter()
        for layer in concerned:
            by_word[_word(layer)] += layer.access
        parts = ", ".join(f"{word} {si(amount)}" for word, amount in by_word.most_common())
        yield network.finding(
            "element_wise", concerned, degree,
            f"Operations with almost no arithmetic move {si(moved)} elements ({parts}). This is {percent(degree)} of "
            f"the network's memory access and {percent(share(moved, of_row))} of this row's.",
        )  # fmt: skip


_MERGED = {"add": "additions", "mul": "multiplications", "concat": "concatenations", "resize": "resizing"}


def _word(layer: BuiltLayer) -> str:
    if isinstance(layer.step.layer, Branches):
        return _MERGED[layer.step.layer.merge]
    words = {ChannelShuffle: "channel shuffles", ChannelSelect: "selections of channels"}
    return words.get(type(layer.step.layer), "norms and activations")


def _less_element_wise(row: BuiltRow) -> Iterator[Proposal]:
    if row.fields.get("arrangement") == "parallel" and row.fields["fragments"] > 1:
        label = f"Arrange the {row.fields['fragments']} convolutions of {{}} in series"
        yield row.change(label, arrangement="series")


# --- depthwise convolutions on large maps ----------------------------------------------------------------------------


def _depthwise(network: BuiltNetwork) -> Iterator[Finding]:
    large = (
        layer
        for layer in network.layers
        if layer.kind == DEPTHWISE and network.is_large(layer.input_shape, share_of_side=2)
    )
    for layers in by_row(large).values():
        moved, macs = sum(layer.access for layer in layers), sum(layer.macs for layer in layers)
        degree, macs_share = share(moved, network.memory_access), share(macs, network.macs)
        # In a network that moves as much per multiply-add everywhere, depthwise layers are no worse than the rest.
        if degree < DEPTHWISE_SHARE or degree < 2 * macs_share:
            continue
        channels, (high, wide) = max(layer.input_shape[0] for layer in layers), image(layers[0].input_shape)
        yield network.finding(
            "depthwise_on_large_maps", layers, degree,
            f"Depthwise convolutions on maps of up to {high} × {wide} pixels and {channels} channels take "
            f"{percent(degree)} of the memory access for {percent(macs_share)} of the multiply-adds. They move "
            f"{share(moved, macs):.2g} elements per multiply-add, compared with "
            f"{share(network.memory_access, network.macs):.2g} in the whole network.",
        )  # fmt: skip


def _fused(row: BuiltRow) -> Iterator[Proposal]:
    design, block, fields = row.design, row.stage.block, row.fields
    if block in ("inverted_residual", "mbconv"):
        # MobileNetV3 squeezes a share of the expanded channels, MBConv and Fused-MBConv one of the input's.
        times = fields["expand_ratio"] if block == "inverted_residual" else 1
        for ratio in sorted({min(4.0, fields["expand_ratio"]), min(2.0, fields["expand_ratio"]), 1.0}, reverse=True):
            changed = with_block(design, row.index, "fused_mbconv", expand_ratio=ratio, activation=fields["activation"],
                                 se_ratio=min(1.0, fields["se_ratio"] * times))  # fmt: skip
            yield row.propose(f"Use Fused-MBConv with expansion {ratio:g} in {{}}", changed, COSTLY)
    if block == "depthwise_separable":
        size = fields["kernel_size"]
        changed = with_block(design, row.index, "conv", kernel_size=size, activation=fields["activation"])
        yield row.propose(f"Use a full {size}×{size} convolution in {{}}", changed, COSTLY)


# --- squeeze-and-excitation on large maps ----------------------------------------------------------------------------


def _excitation(network: BuiltNetwork) -> Iterator[Finding]:
    for layers in network.rows.values():
        excitation = [layer for layer in layers if layer.kind == SQUEEZE_EXCITE]
        concerned = [
            layer
            for layer in excitation
            if layer.access and any(network.is_large(each.shape) for each in layer.step.inputs)
        ]
        degree = share(sum(layer.access for layer in concerned), network.memory_access)
        if degree < EXCITE_SHARE:
            continue
        high, wide = max(image(each.shape) for layer in concerned for each in layer.step.inputs)
        macs = sum(layer.macs for layer in excitation)
        yield network.finding(
            "excitation_on_large_maps", concerned, degree,
            f"Squeeze-and-excitation reads maps of up to {high} × {wide} pixels twice and writes them once. It takes "
            f"{percent(degree)} of the network's memory access for {percent(share(macs, network.macs))} of the "
            "multiply-adds.",
        )  # fmt: skip


def _no_excitation(row: BuiltRow) -> Iterator[Proposal]:
    yield from row.without_excitation()
    alone = sum(stage.name == row.stage.name for stage in row.design.stages) == 1
    if row.stage.block == "squeeze_excite" and alone:
        yield row.propose("Remove {}", without_row(row.design, row.index))


RULES = (
    Rule(
        "unequal_widths", "Unequal widths of 1×1 convolutions",
        "G1: equal input and output channels minimize the memory access of a 1×1 convolution.",
        f"{PAPER}, guideline 1, eq. 2 and table 1",
        "Widths closer to each other would fix this.",
        _unequal_widths, _equal_widths,
    ),
    Rule(
        "many_groups", "Many groups",
        "G2: grouped convolutions save multiply-adds but not memory access, so use few groups.",
        f"{PAPER}, guideline 2, eq. 3 and table 2",
        "Fewer groups with fewer channels per layer would fix this. At equal multiply-adds of the grouped "
        "convolution, a quarter of the groups allows half of the width.",
        _many_groups, _fewer_groups,
    ),
    Rule(
        "fragments", "Many small operations",
        "G3: a few large operations keep a device busier than many small ones, in parallel or in series.",
        f"{PAPER}, guideline 3 and table 3",
        "One larger convolution instead of several would fix this.",
        _fragments, _fewer_fragments,
    ),
    Rule(
        "element_wise", "Element-wise operations",
        "G4: additions, concatenations, shuffles and norms are not free, because they move whole maps.",
        f"{PAPER}, guideline 4, figure 2 and table 4",
        "Fewer channels or blocks here would reduce it. So does a compiler that fuses these operations with the "
        "neighboring convolutions.",
        _element_wise, _less_element_wise,
    ),
    Rule(
        "depthwise_on_large_maps", "Depthwise convolutions on large maps",
        "Use full convolutions in early stages, where maps are large and channels few, and depthwise ones later.",
        "EfficientNetV2, arXiv 2104.00298, section 3.2; ShuffleNetV2, arXiv 1807.11164, guideline 4",
        "Full convolutions, fewer channels or an earlier stride would fix this.",
        _depthwise, _fused,
    ),
    Rule(
        "excitation_on_large_maps", "Squeeze-and-excitation on large maps",
        "Use squeeze-and-excitation only on small maps.",
        "Squeeze-and-excitation, arXiv 1709.01507; placed late in MobileNetV3, arXiv 1905.02244, tables 1 and 2",
        "Removing it from the early blocks would fix this.",
        _excitation, _no_excitation,
    ),
)  # fmt: skip
