"""The rule about channel counts that leave vector lanes idle."""

import math
from collections.abc import Iterator

from effviz.advice.lint.edits import with_built
from effviz.advice.lint.findings import Finding, Proposal, Rule
from effviz.advice.lint.network import BuiltLayer, BuiltNetwork, BuiltRow, listed
from effviz.core.units import percent, si
from effviz.count.kinds import POINTWISE, SQUEEZE_EXCITE, STANDARD
from effviz.model.layers import Conv2d

LANES = 8
"""Channels that are processed at a time: 16-bit numbers in a 128-bit register, a tensor core's float16."""

IDLE_OF_ROW = 0.1
"""Of the row's multiply-adds, added by filled lanes: 116 channels in halves of 58 add 18 %, 100 channels 4 %."""

IDLE_SHARE = 0.01
"""Of the network's multiply-adds, added by filled lanes in one row."""

MOST_WIDTHS = 4
"""Channel counts that a finding lists. A row of growing width has many."""


def _filled(channels: int) -> int:
    return -(-channels // LANES) * LANES


def _chosen_widths(network: BuiltNetwork, layer: BuiltLayer) -> list[int]:
    """Return the channel counts of a convolution that use lanes and are free; classes and image channels are given."""
    conv = layer.step.layer
    if not isinstance(conv, Conv2d) or layer.kind == SQUEEZE_EXCITE:
        return []
    widths = [] if network.design.stages[layer.row].width == "classes" else [conv.out_channels]
    reads_image = layer.block == 0 and layer.step.inputs[0].storage == 0
    return widths + ([conv.in_channels] if layer.kind in (POINTWISE, STANDARD) and not reads_image else [])


def _idle(network: BuiltNetwork, layer: BuiltLayer) -> float:
    """Return the multiply-adds that filled lanes add."""
    return layer.macs * (math.prod(_filled(each) / each for each in _chosen_widths(network, layer)) - 1)


def _odd_widths(network: BuiltNetwork) -> Iterator[Finding]:
    for layers in network.rows.values():
        idle, macs = sum(_idle(network, layer) for layer in layers), sum(layer.macs for layer in layers)
        degree = idle / macs if macs else 0.0
        if degree < IDLE_OF_ROW or idle < IDLE_SHARE * network.report.macs:
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


ODD_WIDTHS = Rule(
    "odd_widths", f"Channels that are not multiples of {LANES}",
    f"Use channel counts that are multiples of {LANES}.",
    "NVIDIA, Convolutional Layers User's Guide; make_divisible of MobileNetV2, TF-slim conv_blocks.py",
    "The nearest multiples would fix this, but here the widths follow from a table or from another field.",
    _odd_widths, _even_widths,
)  # fmt: skip
