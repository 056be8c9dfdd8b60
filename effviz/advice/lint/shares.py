"""Rules about where parameters and multiply-adds go: classifier, first layer, large maps, and idle lanes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from effviz.advice.lint.edits import edited, fields_of, rewidened, same_width, with_channels, with_row
from effviz.advice.lint.findings import Candidate, Finding, Rule
from effviz.advice.lint.network import Network, Work, image, pixels, share
from effviz.core.units import percent, si
from effviz.count.kinds import POINTWISE, SQUEEZE_EXCITE, STANDARD
from effviz.model.layers import AdaptiveAvgPool2d, Conv2d, Flatten, GlobalAvgPool, Linear, pair

CLASSIFIER_SHARE = 0.2
"""Of the parameters. Large networks have 2 to 17 % there, small ones 24 to 64 %, VGG-16 and AlexNet 90 %."""

FIRST_SHARE = 0.08
"""Of the multiply-adds. Most networks have 0.4 to 7 % in the first layer, AlexNet and MobileNetV3-Small 10 %."""

FEW_LAYERS = 5
"""Layers with weights up to which a network is a sketch, of which every layer is a large share."""

LARGE_MAPS_SHARE = 0.5
"""Of the multiply-adds, on maps of a quarter of the input's side or more. MobileNets and ResNets have 10 to 30 %."""

LANES = 8
"""Channels that are worked on at a time: 16-bit numbers in a 128-bit register, a tensor core's float16."""

IDLE_OF_ROW = 0.1
"""Of the row's multiply-adds, that filled lanes would add: 116 channels in halves of 58 add 18 %, 100 channels 4 %."""

MOST_WIDTHS = 4
"""Widths that a finding lists: a row of growing width has many."""

IDLE_SHARE = 0.01
"""Of the network's multiply-adds, that filled lanes would add in one row."""


# --- the classifier --------------------------------------------------------------------------------------------------


def classifier(network: Network) -> list[Work]:
    """The layers behind the last map: from the pooling over all pixels, the flattening or the first matrix product."""
    last = max(
        (
            index
            for index, work in enumerate(network.works)
            if isinstance(work.step.layer, Conv2d)
            and (pixels(work.entering) > 1 or pair(work.step.layer.kernel_size) != (1, 1))
        ),
        default=-1,
    )
    behind = network.works[last + 1 :]
    kinds = (GlobalAvgPool, AdaptiveAvgPool2d, Flatten, Linear)
    start = next((index for index, work in enumerate(behind) if isinstance(work.step.layer, kinds)), len(behind))
    return [work for work in behind[start:] if work.kind != SQUEEZE_EXCITE]


def _classifier_share(network: Network) -> Iterator[Finding]:
    works = classifier(network)
    params = sum(work.params for work in works)
    degree = share(params, network.report.params)
    if degree < CLASSIFIER_SHARE:
        return
    heaviest = max(works, key=lambda work: work.params)
    names = dict.fromkeys(network.name(work.row) for work in works if work.params)
    of_all = "" if heaviest.params == params else f", {si(heaviest.params)} of them in {network.name(heaviest.row)}"
    layer = heaviest.step.layer
    weights = f" ({layer.in_features} × {layer.out_features} weights)" if isinstance(layer, Linear) else ""
    yield Finding(
        "classifier_share",
        heaviest.row,
        heaviest.path,
        " and ".join(filter(None, [", ".join(list(names)[:-1]), list(names)[-1]])),
        f"The layers behind the last map hold {si(params)} of {si(network.report.params)} parameters, "
        f"{percent(degree)}{of_all}{weights}, for "
        f"{percent(share(sum(work.macs for work in works), network.report.macs))} of the multiply-adds.",
        degree,
    )


def _smaller_classifier(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    works = classifier(network)
    start, rows = works[0].row, list(dict.fromkeys(work.row for work in works))
    for work in works:
        layer = work.step.layer
        size = fields_of(design.stages[work.row]).get("output_size", 1)
        if isinstance(layer, AdaptiveAvgPool2d) and size > 1:
            for smaller in (1, size // 2):
                yield Candidate(
                    f"Pool to {smaller} × {smaller} instead of {size} × {size} in {network.name(work.row)}",
                    edited(design, {work.row: {"output_size": smaller}}),
                )
    entering = works[0].entering
    if pixels(entering) > 1 and design.stages[start].block in ("linear", "flatten"):
        high, wide = image(entering)
        yield Candidate(
            f"Add a global average pool ahead of {network.name(start)}, from {high} × {wide} pixels to one",
            with_row(design, start, "global_avg_pool", "pool"),
        )
    hidden = [row for row in rows if design.stages[row].block == "linear" and row != rows[-1]]
    ahead = [row for row in range(len(design.stages)) if design.stages[row].block == "conv" and row < rows[-1]]
    for row in sorted(hidden, key=lambda row: -(design.stages[row].out_channels or 0)) + ahead[::-1][:2]:
        built = [vars(block)["out_channels"] for block in network.built(row)]
        if built and len(same_width(design, row)) == 1 and _halved(built[-1]) < built[-1]:
            channels = _halved(built[-1])
            yield Candidate(
                f"Make the output of {network.name(row)} {channels} channels wide instead of {built[-1]}",
                rewidened(design, row, channels),
            )


def _halved(channels: int) -> int:
    """Half of a width, in multiples of `LANES`."""
    return max(LANES, channels // 2 // LANES * LANES)


# --- the first layer -------------------------------------------------------------------------------------------------


def _first_share(network: Network) -> Iterator[Finding]:
    weighted = [work for work in network.works if work.macs]
    if len(weighted) <= FEW_LAYERS:
        return
    first = weighted[0]
    degree = share(first.macs, network.report.macs)
    if degree < FIRST_SHARE:
        return
    high, wide = image(first.leaving)
    yield Finding(
        "first_layer_share",
        first.row,
        first.path,
        network.where([first]),
        f"The first layer takes {si(first.macs)} of {si(network.report.macs)} multiply-adds, {percent(degree)}, for "
        f"{first.leaving[0]} channels of {high} × {wide} pixels; it is one of {len(weighted)} layers with weights.",
        degree,
    )


def _smaller_first(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    name, fields = network.name(row), fields_of(design.stages[row])
    size, width = fields.get("kernel_size", 1), vars(network.built(row)[0]).get("out_channels", 1)
    for smaller in range(3, size, 2):
        yield Candidate(
            f"Use a {smaller}×{smaller} window instead of {size}×{size} in {name}",
            edited(design, {row: {"kernel_size": smaller} | ({"padding": None} if "padding" in fields else {})}),
        )
    if _halved(width) < width:
        yield Candidate(
            f"Make the output of {name} {_halved(width)} channels wide instead of {width}",
            rewidened(design, row, _halved(width)),
        )


# --- large maps ------------------------------------------------------------------------------------------------------


def _late_reduction(network: Network) -> Iterator[Finding]:
    early = [work for work in network.works if work.macs and network.is_large(work.leaving)]
    macs = sum(work.macs for work in early)
    degree = share(macs, network.report.macs)
    weighted = sum(work.macs > 0 for work in network.works)
    if degree < LARGE_MAPS_SHARE or weighted <= FEW_LAYERS:
        return
    by_row = {row: sum(work.macs for work in early if work.row == row) for row in {work.row for work in early}}
    heaviest = max(by_row, key=lambda row: by_row[row])
    at = [work for work in early if work.row == heaviest]
    high, wide = image(at[0].leaving)
    smallest = min(max(image(work.leaving)) for work in early)
    yield Finding(
        "late_reduction",
        heaviest,
        at[0].path,
        network.where(at),
        f"{percent(degree)} of the multiply-adds are spent on maps that have a quarter of the input's side or more "
        f"({smallest} of {network.report.resolution} pixels): {percent(share(by_row[heaviest], network.report.macs))} "
        f"here, on {high} × {wide} pixels. Earlier strides save most, at the price of detail.",
        degree,
    )


def _earlier_stride(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    early = [
        row
        for row, works in network.rows.items()
        if any(work.macs and network.is_large(work.leaving) for work in works)
    ]
    for row in early:
        if design.stages[row].stride > 1:
            continue
        later = [index for index in range(row + 1, len(design.stages)) if design.stages[index].stride > 1]
        for other in reversed(later):
            changes = {row: {"stride": 2}, other: not_reducing(network, other)}
            yield Candidate(
                f"Reduce in {network.name(row)} (stride 2 instead of 1), no longer in {network.name(other)} "
                f"(stride 1 instead of {design.stages[other].stride})",
                edited(design, changes),
            )


def not_reducing(network: Network, row: int) -> dict[str, Any]:
    """What lets a row keep the resolution: stride 1, and for pooling a window that has a middle."""
    stage = network.design.stages[row]
    if stage.block in ("max_pool", "avg_pool"):
        size = fields_of(stage)["kernel_size"]
        return {"stride": 1, "kernel_size": size + 1 - size % 2, "padding": None, "ceil_mode": False}
    return {"stride": 1}


# --- widths that fill their lanes ------------------------------------------------------------------------------------


def _filled(channels: int) -> int:
    return -(-channels // LANES) * LANES


def _chosen_widths(network: Network, work: Work) -> list[int]:
    """Channels of a convolution that lie in lanes and are chosen: classes and the channels of an image are given."""
    layer = work.step.layer
    if not isinstance(layer, Conv2d) or work.kind == SQUEEZE_EXCITE:
        return []
    widths = [] if network.design.stages[work.row].width == "classes" else [layer.out_channels]
    reads_image = work.block == 0 and work.step.inputs[0].storage == 0
    return widths + ([layer.in_channels] if work.kind in (POINTWISE, STANDARD) and not reads_image else [])


def _idle(network: Network, work: Work) -> float:
    """Multiply-adds that are added where channels fill their lanes."""
    return work.macs * (math.prod(_filled(each) / each for each in _chosen_widths(network, work)) - 1)


def _odd_widths(network: Network) -> Iterator[Finding]:
    for row, works in network.rows.items():
        idle, macs = sum(_idle(network, work) for work in works), sum(work.macs for work in works)
        degree = share(idle, macs)
        if degree < IDLE_OF_ROW or idle < IDLE_SHARE * network.report.macs:
            continue
        concerned = [work for work in works if _idle(network, work)]
        widths = sorted({each for work in concerned for each in _chosen_widths(network, work) if each % LANES})
        shown = widths[:MOST_WIDTHS]
        yield Finding(
            "odd_widths",
            row,
            concerned[0].path,
            network.where(concerned),
            f"No {'multiple' if len(widths) == 1 else 'multiples'} of {LANES}: {_listed(shown)} channels"
            f"{' and more' if widths != shown else ''}. What works on {LANES} channels at a time computes "
            f"{_listed([_filled(each) for each in shown])}, which adds {percent(degree)} to the multiply-adds of this "
            f"row, {si(round(idle))}.",
            degree,
        )


def _listed(numbers: Sequence[int]) -> str:
    """``[58, 92, 116]`` as "58, 92 and 116"."""
    return " and ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])]))


def _even_widths(network: Network, row: int) -> Iterator[Candidate]:
    design = network.design
    stage, name, fields = design.stages[row], network.name(row), fields_of(design.stages[row])
    blocks = network.built(row)
    if "expand_divisor" in fields and fields["expand_divisor"] % LANES:
        yield Candidate(
            f"Round the expanded width of {name} to multiples of {LANES}",
            edited(design, {row: {"expand_divisor": LANES}}),
        )
    for field, by in (("expand_ratio", "in_channels"), ("bottleneck_ratio", "out_channels")):
        inner = {"expand_ratio": "expanded", "bottleneck_ratio": "inner"}[field]
        if field in fields and hasattr(blocks[-1], inner):
            wide, base = getattr(blocks[-1], inner), vars(blocks[-1]).get(by, vars(blocks[-1])["in_channels"])
            ratio = _filled(wide) / base
            yield Candidate(
                f"Use an inner width of {_filled(wide)} channels instead of {wide} in {name} ({field} {ratio:g})",
                edited(design, {row: {field: ratio}}),
            )
    for field in ("expanded", "squeeze", "expand1x1", "expand3x3", "growth"):
        if field in fields:
            wide = vars(blocks[-1])[field]
            yield Candidate(
                f"Use {_filled(wide)} channels instead of {wide} for {field} in {name}",
                with_channels(design, row, field, _filled(wide)),
            )
    for index in (row, row - 1):
        built = network.built(index) if index >= 0 else []
        if not built or "out_channels" not in vars(built[-1]) or stage.width == "classes":
            continue
        width = vars(built[-1])["out_channels"]
        for channels in _neighbours(width):
            yield Candidate(
                f"Make the output of {network.name(index)} {channels} channels wide instead of {width}",
                rewidened(design, index, channels),
            )


def _neighbours(width: int) -> Iterable[int]:
    """Multiples of the lanes around a width, and of twice the lanes for blocks that work on halves; nearest first."""
    found = {width // step * step + each for step in (LANES, 2 * LANES) for each in (0, step)}
    return sorted((each for each in found if each > 0 and each != width), key=lambda each: (abs(each - width), -each))


CLASSIFIER = Rule(
    "classifier_share",
    "A classifier that holds much of the parameters",
    "Pool the last map over all pixels ahead of one matrix product, and keep what enters it narrow.",
    "Network in Network, arXiv 1312.4400, section 3.2; MobileNetV3, arXiv 1905.02244, section 5.1",
    "Fewer channels in the last map, or fewer classes, would mend it.",
    _classifier_share,
    _smaller_classifier,
    is_whole=True,
)
FIRST_LAYER = Rule(
    "first_layer_share",
    "A heavy first layer",
    "Keep the first layer narrow: it works on the largest map.",
    "MobileNetV3, arXiv 1905.02244, section 5.1",
    "A narrower first layer or a larger stride in it would mend it.",
    _first_share,
    _smaller_first,
    is_whole=True,
)
LATE_REDUCTION = Rule(
    "late_reduction",
    "Resolution kept too long",
    "Reduce the resolution within the first layers: a convolution costs four times as much at twice the side.",
    "FD-MobileNet, arXiv 1802.03750, section 3; ShuffleNetV1, arXiv 1707.01083, table 1",
    "A stride in an earlier row would mend it.",
    _late_reduction,
    _earlier_stride,
    is_whole=True,
)
ODD_WIDTHS = Rule(
    "odd_widths",
    f"Channels that are no multiple of {LANES}",
    f"Choose widths in multiples of {LANES}.",
    "NVIDIA, Convolutional Layers User's Guide; make_divisible of MobileNetV2, TF-slim conv_blocks.py",
    "The nearest multiples would mend it; here the widths follow from a table or from another field.",
    _odd_widths,
    _even_widths,
)
