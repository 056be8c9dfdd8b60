"""Rules about shares of the parameters or multiply-adds: classifier, first layer, large maps, idle vector lanes."""

import math
from collections.abc import Iterator

from effviz.advice.lint.edits import edited, same_width, with_built, with_row
from effviz.advice.lint.findings import Finding, Proposal, Rule
from effviz.advice.lint.network import BuiltLayer, BuiltNetwork, BuiltRow, by_row, image, listed, pixels, share
from effviz.core.resolution import sides
from effviz.core.units import percent, si
from effviz.count.kinds import POINTWISE, SQUEEZE_EXCITE, STANDARD
from effviz.model.layers import AdaptiveAvgPool2d, Conv2d, Flatten, GlobalAvgPool, Linear, pair

CLASSIFIER_SHARE = 0.2
"""Of the parameters. Large networks have 2 to 17 % there, small ones 24 to 64 %, VGG-16 and AlexNet 90 %."""

FIRST_SHARE = 0.08
"""Of the multiply-adds. Most networks have 0.4 to 7 % in the first layer, AlexNet and MobileNetV3-Small 10 %."""

FEW_LAYERS = 5
"""A network of at most so many layers with weights is a sketch, and every layer has a large share."""

LARGE_MAPS_SHARE = 0.5
"""Of the multiply-adds, on maps of a quarter of the input's side or more. MobileNets and ResNets have 10 to 30 %."""

LANES = 8
"""Channels that are processed at a time: 16-bit numbers in a 128-bit register, a tensor core's float16."""

IDLE_OF_ROW = 0.1
"""Of the row's multiply-adds, added by filled lanes: 116 channels in halves of 58 add 18 %, 100 channels 4 %."""

IDLE_SHARE = 0.01
"""Of the network's multiply-adds, added by filled lanes in one row."""

MOST_WIDTHS = 4
"""Channel counts that a finding lists. A row of growing width has many."""


# --- classifier and first layer --------------------------------------------------------------------------------------


def classifier(network: BuiltNetwork) -> list[BuiltLayer]:
    """Return the layers after the last map, from global pooling, flattening or the first linear layer on."""
    last = max(
        (
            index
            for index, layer in enumerate(network.layers)
            if isinstance(layer.step.layer, Conv2d)
            and (pixels(layer.input_shape) > 1 or pair(layer.step.layer.kernel_size) != (1, 1))
        ),
        default=-1,
    )
    behind = network.layers[last + 1 :]
    kinds = (GlobalAvgPool, AdaptiveAvgPool2d, Flatten, Linear)
    start = next((index for index, layer in enumerate(behind) if isinstance(layer.step.layer, kinds)), len(behind))
    return [layer for layer in behind[start:] if layer.kind != SQUEEZE_EXCITE]


def _classifier_share(network: BuiltNetwork) -> Iterator[Finding]:
    layers = classifier(network)
    params, macs = sum(layer.params for layer in layers), sum(layer.macs for layer in layers)
    degree = share(params, network.params)
    if degree < CLASSIFIER_SHARE:
        return
    largest = max(layers, key=lambda layer: layer.params)
    linear = largest.step.layer
    weights = f" ({linear.in_features} × {linear.out_features} weights)" if isinstance(linear, Linear) else ""
    name = network.row(largest.row).name
    part = weights if largest.params == params else f", including {si(largest.params)} in {name}{weights}"
    yield Finding(
        "classifier_share",
        largest.row,
        largest.path,
        listed(dict.fromkeys(network.row(layer.row).name for layer in layers if layer.params)),
        f"The layers after the last map hold {percent(degree)} of the parameters: {si(params)} of {si(network.params)}"
        f"{part}. They take {percent(share(macs, network.macs))} of the multiply-adds.",
        degree,
    )


def _smaller_classifier(row: BuiltRow) -> Iterator[Proposal]:
    network, design = row.network, row.design
    layers = classifier(network)
    for layer in layers:
        pool = network.row(layer.row)
        size = pool.fields.get("output_size", 1)
        if isinstance(layer.step.layer, AdaptiveAvgPool2d) and size > 1:
            for smaller in (1, size // 2):
                label = f"Pool to {smaller} × {smaller} instead of {size} × {size} in {{}}"
                yield pool.change(label, output_size=smaller)
    first = network.row(layers[0].row)
    high, wide = image(layers[0].input_shape)
    if high * wide > 1 and first.stage.block in ("linear", "flatten"):
        pooled = with_row(design, first.index, "global_avg_pool", "pool")
        yield first.propose(f"Add global average pooling of the {high} × {wide} map before {{}}", pooled)
    rows = list(dict.fromkeys(layer.row for layer in layers))
    hidden = [index for index in rows[:-1] if design.stages[index].block == "linear"]
    hidden.sort(key=lambda index: -(design.stages[index].out_channels or 0))
    ahead = [index for index, stage in enumerate(design.stages) if stage.block == "conv" and index < rows[-1]]
    for index in hidden + ahead[::-1][:2]:
        built = network.row(index).width
        if built and len(same_width(design, index)) == 1 and _halved(built) < built:
            yield network.row(index).output_channels(_halved(built))


def _halved(channels: int) -> int:
    """Return half of a width, in multiples of `LANES`."""
    return max(LANES, channels // 2 // LANES * LANES)


def _first_share(network: BuiltNetwork) -> Iterator[Finding]:
    weighted = [layer for layer in network.layers if layer.macs]
    degree = share(weighted[0].macs, network.macs) if weighted else 0
    if len(weighted) <= FEW_LAYERS or degree < FIRST_SHARE:
        return
    channels, (high, wide) = weighted[0].output_shape[0], image(weighted[0].output_shape)
    yield network.finding(
        "first_layer_share", weighted[:1], degree,
        f"The first layer takes {percent(degree)} of the multiply-adds: {si(weighted[0].macs)} of "
        f"{si(network.macs)}, for {channels} channels of {high} × {wide} pixels. The network has "
        f"{len(weighted)} layers with weights.",
    )  # fmt: skip


def _smaller_first(row: BuiltRow) -> Iterator[Proposal]:
    for smaller in range(3, row.fields.get("kernel_size", 1), 2):
        yield row.kernel(smaller, reset_padding=True)
    width = vars(row.blocks[0]).get("out_channels", 1)
    if _halved(width) < width:
        yield row.output_channels(_halved(width))


# --- late downsampling -----------------------------------------------------------------------------------------------


def _on_large_maps(network: BuiltNetwork) -> dict[int, list[BuiltLayer]]:
    """Return the layers with multiply-adds on large maps, by row."""
    return by_row(layer for layer in network.layers if layer.macs and network.is_large(layer.output_shape))


def _late_reduction(network: BuiltNetwork) -> Iterator[Finding]:
    large, total, side = _on_large_maps(network), network.macs, max(sides(network.resolution))
    macs = {row: sum(layer.macs for layer in layers) for row, layers in large.items()}
    degree = share(sum(macs.values()), total)
    if degree < LARGE_MAPS_SHARE or sum(layer.macs > 0 for layer in network.layers) <= FEW_LAYERS:
        return
    costliest = max(macs, key=lambda row: macs[row])
    high, wide = image(large[costliest][0].output_shape)
    smallest = min(max(image(layer.output_shape)) for layers in large.values() for layer in layers)
    yield network.finding(
        "late_reduction", large[costliest], degree,
        f"Maps with at least a quarter of the input's side ({smallest} of {side} pixels or more) take "
        f"{percent(degree)} of the multiply-adds. This row takes {percent(share(macs[costliest], total))} on "
        f"{high} × {wide} pixels. Earlier strides save the most, at the cost of spatial detail.",
    )  # fmt: skip


def _earlier_stride(row: BuiltRow) -> Iterator[Proposal]:
    network, design = row.network, row.design
    for index in _on_large_maps(network):
        if design.stages[index].stride > 1:
            continue
        later = [other for other in range(index + 1, len(design.stages)) if design.stages[other].stride > 1]
        for other in reversed(later):
            late = network.row(other)
            yield Proposal(
                f"Use stride 2 instead of 1 in {network.row(index).name}, and stride 1 instead of {late.stage.stride} "
                f"in {late.name}",
                edited(design, {index: {"stride": 2}, other: late.stride_1()}),
            )


# --- vector lanes ----------------------------------------------------------------------------------------------------


def _filled(channels: int) -> int:
    return -(-channels // LANES) * LANES


def _chosen_widths(network: BuiltNetwork, layer: BuiltLayer) -> list[int]:
    """Return the channel counts of a convolution that use lanes and are free; classes and image channels are given."""
    conv = layer.step.layer
    if not isinstance(conv, Conv2d) or layer.kind == SQUEEZE_EXCITE:
        return []
    widths = [] if network.design.stages[layer.row].width == "classes" else [conv.out_channels]
    reads_image = network.outside.first == 0 and layer.block == 0 and layer.step.inputs[0].storage == 0
    return widths + ([conv.in_channels] if layer.kind in (POINTWISE, STANDARD) and not reads_image else [])


def _idle(network: BuiltNetwork, layer: BuiltLayer) -> float:
    """Return the multiply-adds that filled lanes add."""
    return layer.macs * (math.prod(_filled(each) / each for each in _chosen_widths(network, layer)) - 1)


def _odd_widths(network: BuiltNetwork) -> Iterator[Finding]:
    for layers in network.rows.values():
        idle, macs = sum(_idle(network, layer) for layer in layers), sum(layer.macs for layer in layers)
        degree = idle / macs if macs else 0.0
        if degree < IDLE_OF_ROW or idle < IDLE_SHARE * network.macs:
            continue
        concerned = [layer for layer in layers if _idle(network, layer)]
        widths = sorted({each for layer in concerned for each in _chosen_widths(network, layer) if each % LANES})
        shown = widths[:MOST_WIDTHS]
        subject = f"Channel count {shown[0]} is not a multiple"
        if len(widths) > 1:
            such_as = " such as" if widths != shown else ""
            subject = f"Channel counts{such_as} {listed(shown)} are not multiples"
        yield network.finding(
            "odd_widths", concerned, degree,
            f"{subject} of {LANES}. Hardware that processes {LANES} channels at a time rounds up to "
            f"{listed(dict.fromkeys(map(_filled, shown)))}, which adds {percent(degree)} to the multiply-adds of this "
            f"row ({si(round(idle))}).",
        )  # fmt: skip


def _even_widths(row: BuiltRow) -> Iterator[Proposal]:
    fields, block = row.fields, row.blocks[-1]
    built = vars(block)
    if fields.get("expand_divisor", LANES) % LANES:
        yield row.change(f"Round the expanded channels of {{}} to multiples of {LANES}", expand_divisor=LANES)
    for field, base, inner in (
        ("expand_ratio", "in_channels", "expanded"),
        ("bottleneck_ratio", "out_channels", "inner"),
    ):
        if field in fields and hasattr(block, inner):
            wide = getattr(block, inner)
            ratio = _filled(wide) / built.get(base, built["in_channels"])
            label = f"Use {_filled(wide)} inner channels instead of {wide} in {{}} ({field} {ratio:g})"
            yield row.change(label, **{field: ratio})
    for field in ("expanded", "squeeze", "expand1x1", "expand3x3", "growth"):
        if field in fields:
            wide = built[field]
            changed = with_built(row.design, [row.index], field, _filled(wide))
            yield row.propose(f"Use {_filled(wide)} channels instead of {wide} for {field} in {{}}", changed)
    if row.stage.width == "classes":
        return
    for index in range(row.index, max(row.index - 2, -1), -1):
        other = row.network.row(index)
        for channels in _neighbors(other.width) if other.width else ():
            yield other.output_channels(channels)


def _neighbors(width: int) -> list[int]:
    """Return the nearest multiples of the lanes, and of twice the lanes for blocks that use halves."""
    found = {width // step * step + each for step in (LANES, 2 * LANES) for each in (0, step)}
    return sorted((each for each in found if each > 0 and each != width), key=lambda each: (abs(each - width), -each))


RULES = (
    Rule(
        "late_reduction", "Late downsampling",
        "Downsample within the first layers: a convolution costs four times as much at twice the side.",
        "FD-MobileNet, arXiv 1802.03750, section 3; ShuffleNetV1, arXiv 1707.01083, table 1",
        "A stride in an earlier row would fix this.",
        _late_reduction, _earlier_stride, is_whole=True,
    ),
    Rule(
        "first_layer_share", "Expensive first layer",
        "Keep the first layer narrow, because it works on the largest map.",
        "MobileNetV3, arXiv 1905.02244, section 5.1",
        "A narrower first layer or a larger stride in it would fix this.",
        _first_share, _smaller_first, is_whole=True,
    ),
    Rule(
        "classifier_share", "Classifier with many parameters",
        "Apply global average pooling before a single linear layer, and keep its input narrow.",
        "Network in Network, arXiv 1312.4400, section 3.2; MobileNetV3, arXiv 1905.02244, section 5.1",
        "Fewer channels in the last map, or fewer classes, would fix this.",
        _classifier_share, _smaller_classifier, is_whole=True,
    ),
    Rule(
        "odd_widths", f"Channels that are not multiples of {LANES}",
        f"Use channel counts that are multiples of {LANES}.",
        "NVIDIA, Convolutional Layers User's Guide; make_divisible of MobileNetV2, TF-slim conv_blocks.py",
        "The nearest multiples would fix this, but here the widths follow from a table or from another field.",
        _odd_widths, _even_widths,
    ),
)  # fmt: skip
