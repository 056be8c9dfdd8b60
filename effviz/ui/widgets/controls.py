"""Sidebar controls that several pages have: width multiplier and resolution of a network."""

from __future__ import annotations

from effviz.advice.smallest import smallest_resolution, smallest_width
from effviz.model.design import Design
from effviz.ui import links

LARGEST_RESOLUTION = 2048


def width_control(base: Design) -> float:
    """Show the width multiplier of a named network: a number, or the published ones where no others exist."""
    rule = base.width_rule
    if rule.table and not rule.interpolates:
        scales = [f"{multiplier:g}" for multiplier, _ in rule.table]
        return float(
            links.switch(
                "Width multiplier",
                scales,
                "scale",
                default="1",
                help="The published multipliers; others are undefined.",
            )
        )
    return links.amount(
        "Width multiplier", "width", default=1.0, minimum=smallest_width(base), maximum=4.0, step=0.05,
        usual=(0.25, 2.0), help=f"Factor on the channels, rounded by the family's rule: {rule.source}.",
    )  # fmt: skip


def resolution_control(base: Design, *, step: int = 4, usual: tuple[int, int] = (32, 640)) -> int:
    """Show the side of the input image, from the smallest that every layer accepts.

    The slider has steps of 4 px, as published resolutions have; the input takes every integer.
    """
    smallest = smallest_resolution(base)
    first = max(usual[0], -(-smallest // step) * step)
    return links.amount(
        "Resolution (px)", "res", default=base.resolution, minimum=smallest, maximum=LARGEST_RESOLUTION, step=step,
        usual=(first, usual[1]), help="Side of the square input image.",
    )  # fmt: skip


def channel_controls(default: int) -> tuple[int, int]:
    """Show the input and output channels of one layer or block."""
    return _channels("Input channels", "cin", default), _channels("Output channels", "cout", default)


def _channels(label: str, key: str, default: int) -> int:
    return links.amount(label, key, default=default, minimum=1, maximum=4096, step=8, usual=(8, 512))


def map_controls(default: int) -> tuple[int, int]:
    """Show the stride of one layer or block, and the side of its input map in pixels."""
    stride = int(links.switch("Stride", ["1", "2"], "stride", default="1"))
    side = links.amount(
        "Resolution (px)", "map", default=default, minimum=1, maximum=1024, step=1, usual=(7, 224),
        help="Side of the square input map.",
    )  # fmt: skip
    return stride, side
