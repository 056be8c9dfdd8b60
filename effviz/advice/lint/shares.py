"""Rules about the share of the classifier in the parameters and of the first layer in the multiply-adds."""

from collections.abc import Iterator

from effviz.advice.lint.edits import same_width, with_row
from effviz.advice.lint.findings import Finding, Proposal, Rule
from effviz.advice.lint.network import BuiltLayer, BuiltNetwork, BuiltRow, image, listed, pixels, share
from effviz.advice.lint.widths import LANES
from effviz.core.units import percent, si
from effviz.count.kinds import SQUEEZE_EXCITE
from effviz.model.layers import AdaptiveAvgPool2d, Conv2d, Flatten, GlobalAvgPool, Linear, pair

CLASSIFIER_SHARE = 0.2
"""Of the parameters. Large networks have 2 to 17 % there, small ones 24 to 64 %, VGG-16 and AlexNet 90 %."""

FIRST_SHARE = 0.08
"""Of the multiply-adds. Most networks have 0.4 to 7 % in the first layer, AlexNet and MobileNetV3-Small 10 %."""

FEW_LAYERS = 5
"""A network of at most so many layers with weights is a sketch, and every layer has a large share."""


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
    layers, report = classifier(network), network.report
    params, macs = sum(layer.params for layer in layers), sum(layer.macs for layer in layers)
    degree = share(params, report.params)
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
        f"The layers after the last map hold {percent(degree)} of the parameters: {si(params)} of {si(report.params)}"
        f"{part}. They take {percent(share(macs, report.macs))} of the multiply-adds.",
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
    degree = share(weighted[0].macs, network.report.macs) if weighted else 0
    if len(weighted) <= FEW_LAYERS or degree < FIRST_SHARE:
        return
    channels, (high, wide) = weighted[0].output_shape[0], image(weighted[0].output_shape)
    yield network.finding(
        "first_layer_share", weighted[:1], degree,
        f"The first layer takes {percent(degree)} of the multiply-adds: {si(weighted[0].macs)} of "
        f"{si(network.report.macs)}, for {channels} channels of {high} × {wide} pixels. The network has "
        f"{len(weighted)} layers with weights.",
    )  # fmt: skip


def _smaller_first(row: BuiltRow) -> Iterator[Proposal]:
    for smaller in range(3, row.fields.get("kernel_size", 1), 2):
        yield row.kernel(smaller, reset_padding=True)
    width = vars(row.blocks[0]).get("out_channels", 1)
    if _halved(width) < width:
        yield row.output_channels(_halved(width))


CLASSIFIER = Rule(
    "classifier_share", "Classifier with many parameters",
    "Apply global average pooling before a single linear layer, and keep its input narrow.",
    "Network in Network, arXiv 1312.4400, section 3.2; MobileNetV3, arXiv 1905.02244, section 5.1",
    "Fewer channels in the last map, or fewer classes, would fix this.",
    _classifier_share, _smaller_classifier, is_whole=True,
)  # fmt: skip
FIRST_LAYER = Rule(
    "first_layer_share", "Expensive first layer",
    "Keep the first layer narrow, because it works on the largest map.",
    "MobileNetV3, arXiv 1905.02244, section 5.1",
    "A narrower first layer or a larger stride in it would fix this.",
    _first_share, _smaller_first, is_whole=True,
)  # fmt: skip
