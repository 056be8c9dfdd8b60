"""Sidebar controls that several pages have: width multiplier and resolution of a network."""

from __future__ import annotations

from effviz.advice.smallest import smallest_resolution, smallest_width
from effviz.core.caches import remembered
from effviz.core.resolution import Resolution
from effviz.model.design import Design
from effviz.ui import inputs, links, size_input
from effviz.zoo import architecture

LARGEST_RESOLUTION = 2048
_MOST_CHANNELS = 4096
SIZE_HELP = "Side of a square input image, or height × width, such as 512x2048."


@remembered
def network_title(name: str) -> str:
    """Return the title of a network of the zoo in drop-downs and links, without its number of groups."""
    return architecture(name).title.removesuffix(" (g = 3)")


def width_control(base: Design) -> float:
    """Show the width multiplier of a named network: a number, or the published ones where no others exist."""
    multipliers = base.width_rule.multipliers
    if multipliers:
        links.also("scale", "width", "width_mult", read=_shortest)
        scales = [f"{multiplier:g}" for multiplier in multipliers]
        return float(
            inputs.switch(
                "Width multiplier",
                scales,
                "scale",
                default="1",
                help="The published multipliers; others are undefined.",
            )
        )
    links.also("width", "width_mult", "scale")
    return inputs.amount(
        "Width multiplier", "width", default=1.0, minimum=smallest_width(base), maximum=4.0, step=0.05,
        usual=(0.25, 2.0), help=f"Factor on the channels, rounded by the family's rule: {base.width_rule.source}.",
    )  # fmt: skip


def _shortest(number: str) -> str:
    """Write a number as the published multipliers are written: ``1.50`` as ``1.5``."""
    try:
        return f"{float(number):g}"
    except ValueError:
        return number


def resolution_control(base: Design, *, step: int = 4, usual: tuple[int, int] = (32, 640)) -> Resolution:
    """Show the resolution of the input image, from the smallest side that every layer accepts.

    The slider has steps of 4 px, as published resolutions have; the input takes every integer, and height x width.
    """
    links.also("res", "resolution")
    smallest = smallest_resolution(base)
    first = max(usual[0], -(-smallest // step) * step)
    return size_input.size(
        "Resolution (px)", "res", default=base.resolution, minimum=smallest, maximum=LARGEST_RESOLUTION, step=step,
        usual=(first, usual[1]), help=SIZE_HELP,
    )  # fmt: skip


def in_channels_control() -> int:
    """Show the channels of the input image."""
    return inputs.integer(
        "Input channels", "in_channels", default=3, minimum=1, maximum=_MOST_CHANNELS,
        help="Channels of the image: 1 for grayscale, 3 for RGB.",
    )  # fmt: skip


def channel_controls(default: int) -> tuple[int, int]:
    """Show the input and output channels of one layer or block."""
    return input_channels_control(default), output_channels_control(default)


def input_channels_control(default: int) -> int:
    """Show the input channels of one layer or block."""
    links.also("cin", "in_channels")
    return _channels("Input channels", "cin", default)


def output_channels_control(default: int) -> int:
    """Show the output channels of one layer or block."""
    links.also("cout", "out_channels")
    return _channels("Output channels", "cout", default)


def _channels(label: str, key: str, default: int) -> int:
    return inputs.amount(label, key, default=default, minimum=1, maximum=_MOST_CHANNELS, step=8, usual=(8, 512))


def map_controls(default: int) -> tuple[int, int]:
    """Show the stride of one layer or block, and the side of its input map in pixels."""
    stride = int(inputs.switch("Stride", ["1", "2"], "stride", default="1"))
    links.also("map", "resolution", "res")
    side = inputs.amount(
        "Resolution (px)", "map", default=default, minimum=1, maximum=1024, step=1, usual=(7, 224),
        help="Side of the square input map.",
    )  # fmt: skip
    return stride, side
