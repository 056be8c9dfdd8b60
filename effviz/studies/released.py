"""EfficientNet-B1 to B7 beside the networks that the rule builds at φ = 1 to 7."""

from __future__ import annotations

from typing import NamedTuple

from effviz.advice.scaling import ScalingRule, built_body
from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import if_legal
from effviz.core.resolution import sides
from effviz.count.report import Report, analyze
from effviz.model.design import Design
from effviz.studies.scaling import RELEASED
from effviz.zoo import architecture


class ReleasedNetwork(NamedTuple):
    """A network with its dimensions."""

    report: Report
    depth: float  # multiplier
    width: float  # multiplier
    blocks: int
    channels: int
    resolution: int  # height in pixels


class Pair(NamedTuple):
    """A released network and the one that the rule builds at the φ of its number; None if that cannot be built."""

    phi: int
    released: ReleasedNetwork
    built: ReleasedNetwork | None

    @property
    def label(self) -> str:
        """Short name: ``B3``."""
        return f"B{self.phi}"


@remembered
def pairs(rule: ScalingRule) -> tuple[Pair, ...]:
    """Return B1 to B7 and φ = 1 to 7, scaled from B0."""
    base = architecture("efficientnet_b0")
    return tuple(
        Pair(phi, _built(architecture(name), base), if_legal(lambda: _built(rule.scaled(base, phi), base)))  # noqa: B023
        for phi, name in enumerate(RELEASED, 1)
    )


def _built(design: Design, base: Design) -> ReleasedNetwork:
    blocks, channels = built_body(design)
    depth, width = design.depth_mult / base.depth_mult, design.width_mult / base.width_mult
    return ReleasedNetwork(analyze(design), depth, width, blocks, channels, sides(design.resolution)[0])


check_border(globals())
