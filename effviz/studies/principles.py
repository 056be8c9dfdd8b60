"""Five design principles of efficient convolutional networks, each with a number from the engine and its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from effviz.core.resolution import sides
from effviz.count.report import analyze
from effviz.studies import blocks, convolutions
from effviz.studies.depthwise import side
from effviz.studies.guideline_shapes import Shape, compare
from effviz.zoo import architecture


@dataclass(frozen=True)
class Principle:
    """One principle."""

    title: str  # an instruction
    reason: str  # one sentence
    evidence: Callable[[], str]  # returns a sentence with computed numbers
    page: str  # address of the page that shows it
    query: Mapping[str, str] = field(default_factory=dict)  # URL parameters of the page


def _factorized() -> str:
    found = convolutions.reduction("separable", convolutions.Setting())
    return f"At 128 channels, a depthwise separable 3×3 convolution has {found.factor:.1f}× fewer multiply-adds."


def _narrow_ends() -> str:
    place = blocks.Place(24, 24, 1, 56)
    narrow, wide = (analyze(blocks.design(name, place)) for name in ("inverted_residual", "vgg"))
    inside = blocks.inner_channels(narrow)
    return (
        f"An inverted residual keeps 24 channels between blocks and filters {inside} inside, with "
        f"{narrow.macs / wide.macs:.2f}× the multiply-adds of two 3×3 convolutions of 24 channels."
    )


def _memory() -> str:
    found = compare(Shape("G1", 56, 64, ratio=6))
    factor = found.now.memory_access["paper"] / found.base.memory_access["paper"]
    return f"With widths of 1:6 instead of 1:1, a 1×1 convolution needs {factor:.2f}× the memory access."


def _together() -> str:
    base, larger = (analyze(architecture(f"efficientnet_b{phi}")) for phi in (0, 4))
    design, side = larger.design, sides(larger.resolution)[0] / sides(base.resolution)[0]
    return (
        f"EfficientNet-B4 spends {larger.macs / base.macs:.1f}× the multiply-adds of B0 on {design.depth_mult:g}× the "
        f"depth, {design.width_mult:g}× the width and {side:.1f}× the resolution."
    )


def _measured() -> str:
    first, second = side("mobilenet_v1"), side("mobilenet_v2")
    return (
        f"{second.title} has {second.report.macs / first.report.macs:.2f}× the multiply-adds of {first.title}, but "
        f"{second.access / first.access:.2f}× the memory access in depthwise layers."
    )


PRINCIPLES = (
    Principle(
        "Factorize convolutions",
        "Filter each channel on its own, then combine the channels with 1×1 convolutions.",
        _factorized,
        "convolutions",
    ),
    Principle(
        "Use bottlenecks with linear ends",
        "Keep few channels between blocks, filter in a wide middle, and leave the narrow end without activation.",
        _narrow_ends,
        "blocks",
        {"part": "Why linear?"},
    ),
    Principle(
        "Balance memory access",
        "Prefer equal widths, few groups, few fragments and few element-wise operations (G1 to G4).",
        _memory,
        "memory",
        {"part": "Networks"},
    ),
    Principle(
        "Scale depth, width and resolution together",
        "Each dimension alone has a diminishing return, so share the budget among the three.",
        _together,
        "scaling",
    ),
    Principle(
        "Measure on the target",
        "Multiply-adds do not order networks by latency, because memory and parallelism matter too.",
        _measured,
        "latency",
        {"part": "Depthwise layers"},
    ),
)
