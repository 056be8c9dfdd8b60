"""Closed forms of the memory access of a layer or block, in elements, batch 1."""

import math

from effviz.core.arguments import check_border

SOURCE = "ShuffleNetV2 paper, arXiv 1807.11164"
GUIDELINES = {
    "G1": "Equal channel width minimises memory access cost",
    "G2": "Excessive group convolution increases memory access cost",
    "G3": "Network fragmentation reduces the degree of parallelism",
    "G4": "Element-wise operations are not negligible",
}
"""In the words of the paper."""

REPEATS = 10
RESOLUTION = 56
DEVICES = {"ARM": "Snapdragon 810", "GPU": "GTX 1080 Ti"}
SCALES = {"x1": 1, "x2": 2, "x4": 4}
ARRANGEMENTS = ("series", "parallel")
# Names and order of the paper: ReLU, shortcut.
VARIANTS = {
    "relu+shortcut": (True, True),
    "relu": (True, False),
    "shortcut": (False, True),
    "neither": (False, False),
}
GROUP_COUNTS = (1, 2, 4, 8, 16)
FRAGMENT_COUNTS = (1, 2, 3, 4, 8)


def conv_access(pixels: float, in_channels: float, out_channels: float, groups: float = 1) -> float:
    """Return the memory access of a 1x1 convolution: input + output + weights (eq. 1)."""
    return pixels * (in_channels + out_channels) + in_channels * out_channels / groups


def least_access(pixels: float, macs: float) -> float:
    """Return the lower bound on the memory access of a 1x1 convolution with `macs` multiply-adds (eq. 2)."""
    return 2 * math.sqrt(pixels * macs) + macs / pixels


def ratio_access(pixels: float, macs: float, ratio: float) -> float:
    """Return the memory access of a 1x1 convolution with ``out_channels = ratio * in_channels``, widths not rounded."""
    channels = math.sqrt(macs / pixels)
    return conv_access(pixels, channels / math.sqrt(ratio), channels * math.sqrt(ratio))


def groups_access(pixels: float, in_channels: float, macs: float, groups: float) -> float:
    """Return the memory access of a 1x1 group convolution with fixed input and multiply-adds (eq. 3)."""
    return pixels * in_channels + macs * groups / in_channels + macs / pixels


def widened_access(pixels: float, channels: float, groups: float) -> float:
    """Return the memory access of a 1x1 group convolution c -> c, as wide as equal multiply-adds allow, not rounded."""
    return conv_access(pixels, channels * math.sqrt(groups), channels * math.sqrt(groups), groups)


def fragments_access(
    pixels: float, channels: float, fragments: int, arrangement: str, memory: str = "fused", inner: float | None = None
) -> float:
    """Return the memory access of `fragments` 1x1 convolutions with the multiply-adds of one with `channels`.

    Each has `inner` channels; None for channels / sqrt(fragments), not rounded. In the arrangement ``"parallel"`` they
    are added, two at a time, which the assumption ``"paper"`` omits.
    """
    inner = channels / math.sqrt(fragments) if inner is None else inner
    added = arrangement == "parallel" and memory != "paper"
    additions = 3 * pixels * inner * (fragments - 1) if added else 0
    return fragments * conv_access(pixels, inner, inner) + additions


def bottleneck_access(pixels: int, channels: int, inner: int, *, relu: bool, shortcut: bool, memory: str) -> int:
    """Return the memory access of a bottleneck without batch norm; its 3x3 convolution has `inner` channels.

    ReLU is read and written three times; fused, it is part of the layer before. The shortcut reads two maps and writes
    one. The assumption ``"paper"`` counts the convolutions only.
    """
    total = 2 * (pixels * (channels + inner) + channels * inner) + 2 * pixels * inner + 9 * inner**2
    if shortcut and memory != "paper":
        total += 3 * pixels * channels
    if relu and memory == "eager":
        total += 2 * pixels * (2 * inner + channels)
    return total


check_border(globals())
