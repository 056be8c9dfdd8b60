"""Rules about work on large maps: late downsampling, depthwise convolutions, squeeze-and-excitation.

Shares of memory access are in elements, fused, at the design's own resolution.
"""

from collections.abc import Iterator

from effviz.advice.lint.edits import edited, with_block, without_row
from effviz.advice.lint.findings import Finding, Proposal, Rule
from effviz.advice.lint.guidelines import COSTLY
from effviz.advice.lint.network import BuiltLayer, BuiltNetwork, BuiltRow, by_row, image, share
from effviz.advice.lint.shares import FEW_LAYERS
from effviz.core.units import percent
from effviz.count.kinds import DEPTHWISE, SQUEEZE_EXCITE

LARGE_MAPS_SHARE = 0.5
"""Of the multiply-adds, on maps of a quarter of the input's side or more. MobileNets and ResNets have 10 to 30 %."""

DEPTHWISE_SHARE = 0.05
"""Of the memory access, in the depthwise layers of one row. Published networks have 3 to 9 %."""

EXCITE_SHARE = 0.04
"""Of the memory access, for squeeze-and-excitation in one row. The first stages of EfficientNet have 4 to 12 %."""


# --- late downsampling -----------------------------------------------------------------------------------------------


def _on_large_maps(network: BuiltNetwork) -> dict[int, list[BuiltLayer]]:
    """Return the layers with multiply-adds on large maps, by row."""
    return by_row(layer for layer in network.layers if layer.macs and network.is_large(layer.output_shape))


def _late_reduction(network: BuiltNetwork) -> Iterator[Finding]:
    large, total, side = _on_large_maps(network), network.report.macs, network.report.resolution
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


# --- depthwise convolutions ------------------------------------------------------------------------------------------


def _depthwise(network: BuiltNetwork) -> Iterator[Finding]:
    for layers in network.rows.values():
        concerned = [
            layer
            for layer in layers
            if layer.kind == DEPTHWISE and network.is_large(layer.input_shape, share_of_side=2)
        ]
        moved, macs = sum(layer.access for layer in concerned), sum(layer.macs for layer in concerned)
        degree, macs_share = share(moved, network.memory_access), share(macs, network.report.macs)
        # In a network that moves as much per multiply-add everywhere, depthwise layers are no worse than the rest.
        if degree < DEPTHWISE_SHARE or degree < 2 * macs_share:
            continue
        channels, (high, wide) = max(layer.input_shape[0] for layer in concerned), image(concerned[0].input_shape)
        yield network.finding(
            "depthwise_on_large_maps", concerned, degree,
            f"Depthwise convolutions on maps of up to {high} × {wide} pixels and {channels} channels take "
            f"{percent(degree)} of the memory access for {percent(macs_share)} of the multiply-adds. They move "
            f"{share(moved, macs):.2g} elements per multiply-add, compared with "
            f"{share(network.memory_access, network.report.macs):.2g} in the whole network.",
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


# --- squeeze-and-excitation ------------------------------------------------------------------------------------------


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
            f"{percent(degree)} of the network's memory access for {percent(share(macs, network.report.macs))} of the "
            "multiply-adds.",
        )  # fmt: skip


def _no_excitation(row: BuiltRow) -> Iterator[Proposal]:
    yield from row.without_excitation()
    alone = sum(stage.name == row.stage.name for stage in row.design.stages) == 1
    if row.stage.block == "squeeze_excite" and alone:
        yield row.propose("Remove {}", without_row(row.design, row.index))


LATE_REDUCTION = Rule(
    "late_reduction", "Late downsampling",
    "Downsample within the first layers: a convolution costs four times as much at twice the side.",
    "FD-MobileNet, arXiv 1802.03750, section 3; ShuffleNetV1, arXiv 1707.01083, table 1",
    "A stride in an earlier row would fix this.",
    _late_reduction, _earlier_stride, is_whole=True,
)  # fmt: skip
DEPTHWISE_ON_LARGE_MAPS = Rule(
    "depthwise_on_large_maps", "Depthwise convolutions on large maps",
    "Use full convolutions in early stages, where maps are large and channels few, and depthwise ones later.",
    "EfficientNetV2, arXiv 2104.00298, section 3.2; ShuffleNetV2, arXiv 1807.11164, guideline 4",
    "Full convolutions, fewer channels or an earlier stride would fix this.",
    _depthwise, _fused,
)  # fmt: skip
EXCITATION_ON_LARGE_MAPS = Rule(
    "excitation_on_large_maps", "Squeeze-and-excitation on large maps",
    "Use squeeze-and-excitation only on small maps.",
    "Squeeze-and-excitation, arXiv 1709.01507; placed late in MobileNetV3, arXiv 1905.02244, tables 1 and 2",
    "Removing it from the early blocks would fix this.",
    _excitation, _no_excitation,
)  # fmt: skip
