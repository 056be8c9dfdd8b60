"""Networks side by side: exact counts, receptive field, and published accuracy and latency with their sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from effviz.advice.lint.network import pixels
from effviz.advice.lint.reach import averaged_map, receptive_field
from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import look_up
from effviz.core.resolution import compact_size
from effviz.count.report import analyze
from effviz.model.design import Design
from effviz.studies.multipliers import pareto
from effviz.studies.network_text import Network, parse_network
from effviz.zoo.published import published
from effviz.zoo.published.cells import own_top1

PRESETS: dict[str, tuple[str, ...]] = {
    "The efficient table": (
        "resnet50", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "shufflenet_v2",
        "efficientnet_b0", "efficientnet_b1", "efficientnet_b4", "ghostnet", "resnext50_32x4d", "vgg16",
    ),
    "MobileNets": (
        "mobilenet_v1", "mobilenet_v1-w0.5", "mobilenet_v1-w0.25", "mobilenet_v2", "mobilenet_v2-w1.4",
        "mobilenet_v2-w0.75", "mobilenet_v2-w0.5", "mobilenet_v2-w0.35", "mobilenet_v3_large",
        "mobilenet_v3_large-w0.75", "mobilenet_v3_small", "mobilenet_v3_small-w0.75",
    ),
    "ShuffleNets": (
        "shufflenet_v2", "shufflenet_v2-w0.5", "shufflenet_v2-w1.5", "shufflenet_v2-w2", "shufflenet_v1",
        "shufflenet_v1-w0.5", "shufflenet_v1-w1.5", "shufflenet_v1-w2", "shufflenet_v1-g8", "shufflenet_v1-g8-w0.5",
    ),
    "EfficientNets": tuple(f"efficientnet_b{number}" for number in range(8)),
}  # fmt: skip
"""Lists to start from, as texts of networks; the first network is the baseline."""

_PHONES = ("Pixel", "iPhone", "Samsung", "Snapdragon")


class Known(NamedTuple):
    """A value that may be unknown."""

    value: float | None
    why: str  # the source of a known value, or the reason why it is unknown


class Counted(NamedTuple):
    """The exact counts of a network, for one image; memory in elements."""

    params: int
    macs: int
    memory_access: int
    peak_activation: int
    receptive_field: Known  # in pixels, the shorter side


@remembered
def counted(design: Design, memory: str) -> Counted:
    """Count a network, once for all comparisons that contain it.

    Raises:
        DesignError: the network cannot be built.
    """
    report = analyze(design, memory=memory)
    totals = report.params, report.macs, report.memory_access, report.peak_activation
    return Counted(*totals, _receptive_field(design))


@remembered
def _receptive_field(design: Design) -> Known:
    steps = analyze(design).steps
    target = averaged_map(steps)
    if target is None:
        # Linear layers over the flattened map: the last map before them.
        maps = [step.output for step in steps if len(step.output.shape) == 3 and pixels(step.output.shape) > 1]
        if not maps:
            return Known(None, "the network has no map of more than one pixel")
        target = maps[-1]
    return Known(min(receptive_field(steps, target)), "of one pixel of the last map")


# --- published figures ------------------------------------------------------------------------------------------------


@remembered
def published_top1(network: Network) -> Known:
    """Return the published ImageNet top-1 of a network in per cent, with its source or the reason for its absence."""
    if reason := _not_as_published(network, "accuracy"):
        return Known(None, reason)
    if network.depth != 1:
        return Known(None, "no accuracy is published at another depth")
    figure = own_top1(network.name, network.design.resolution, network.groups, network.width)
    if figure is None:
        return Known(None, "no accuracy is published at this width and resolution")
    return Known(figure.top1, figure.source)


def _not_as_published(network: Network, what: str) -> str:
    if not network.name:
        return f"no {what} is published: not a network of the zoo"
    base = network.base
    if (network.design.num_classes, network.design.in_channels) != (base.num_classes, base.in_channels):
        return f"no {what} is published for other classes or image channels"
    return ""


@cache
def _phone_rows() -> Mapping[tuple[str, float, float, str, str], Mapping[str, Known]]:
    """Return latencies in ms by name, width, depth, resolution and groups, then by phone."""
    table = published()
    rows = table[
        table["latency_ms"].notna() & (table["design"] != "") & table["latency_device"].str.startswith(_PHONES)
    ]
    # The same phones run 8-bit weights too; their rows differ in the variant.
    rows = rows[~rows["variant"].str.contains("8-bit")]
    found: dict[tuple[str, float, float, str, str], dict[str, Known]] = {}
    for row in rows.itertuples():
        depth = 1.0 if row.depth_scale != row.depth_scale else round(float(row.depth_scale), 6)
        place = (row.design, round(float(row.scale), 6), depth, row.resolution, row.groups)
        found.setdefault(place, {}).setdefault(row.latency_device, Known(float(row.latency_ms), row.source))
    return found


def phone_latencies(network: Network) -> Mapping[str, Known]:
    """Return the published latencies of a network on phones in ms, by phone as the source names it."""
    if _not_as_published(network, "latency"):
        return {}
    groups = "" if network.groups is None else str(network.groups)
    place = (round(network.width, 6), round(network.depth, 6), compact_size(network.design.resolution))
    return _phone_rows().get((network.name, *place, groups), {})


def phone_latency(network: Network, phone: str) -> Known:
    """Return the published latency of a network on one phone, with its source or the reason for its absence."""
    if reason := _not_as_published(network, "latency"):
        return Known(None, reason)
    missing = f"no latency is published for {phone}" if phone else "no latency on a phone is published"
    return phone_latencies(network).get(phone, Known(None, f"{missing} at this width, depth and resolution"))


def phones(networks: Iterable[Network]) -> tuple[str, ...]:
    """Return the phones with a published latency of any of these networks, those with most of them first."""
    return tuple(phone for phone, _ in Counter(each for net in networks for each in phone_latencies(net)).most_common())


# --- rows -------------------------------------------------------------------------------------------------------------


class ComparedRow(NamedTuple):
    """One network of a comparison."""

    network: Network
    label: str
    counted: Counted
    top1: Known  # in per cent
    phone: Known  # in ms
    latency: Known  # in ms, measured on this machine or recorded

    def known(self, measure: str) -> Known:
        """Return the value of one of `MEASURES` in the engine's unit."""
        if measure == "efficiency":
            macs, top1 = self.counted.macs, self.top1
            if top1.value is None or not macs:
                return Known(None, top1.why if macs else "the network has no multiply-adds")
            return Known(1e6 * top1.value / macs, top1.why)
        value = getattr(self, measure) if measure in ("top1", "phone", "latency") else getattr(self.counted, measure)
        return value if isinstance(value, Known) else Known(value, "exact count")


MEASURES: dict[str, int] = {
    "params": -1, "macs": -1, "memory_access": -1, "peak_activation": -1, "phone": -1, "latency": -1,
    "receptive_field": 0, "top1": 1, "efficiency": 1,
}  # fmt: skip
"""Quantities of a row. -1: less is better; 1: more is better; 0: neither. Efficiency is top-1 per M multiply-adds."""


def preset(name: str) -> tuple[Network, ...]:
    """Return the networks of one of `PRESETS`."""
    return tuple(map(parse_network, look_up("name", name, PRESETS)))


def front(points: Iterable[tuple[float, float]], better: tuple[int, int]) -> list[int]:
    """Return the indices of the Pareto front in the order of the first coordinate; empty without a direction.

    Args:
        points: pairs of values.
        better: direction of each coordinate as in `MEASURES`.
    """
    if 0 in better:
        return []
    return pareto([(-better[0] * x, better[1] * y) for x, y in points])


check_border(globals())
