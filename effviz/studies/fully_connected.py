"""Fully connected layers beside convolutions: a window as large as the map, and weights that nothing shares."""

from __future__ import annotations

from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.errors import if_legal
from effviz.core.latex import number
from effviz.core.units import exact
from effviz.count.report import Report, analyze
from effviz.model.design import Design
from effviz.model.stage import Stage
from effviz.studies.convolutions import Setting, report


class Weighed(NamedTuple):
    """One way to connect the input map of a setting with its output channels."""

    name: str  # on screen
    symbols: str  # parameters in KaTeX
    numbers: str  # the same with numbers substituted
    uses: int  # multiply-adds per weight: how often an image uses each weight
    report: Report


def alternatives(setting: Setting, memory: str = "fused") -> list[Weighed]:
    """Return the convolution of a setting, a fully connected layer on its map, and one after global pooling.

    A fully connected layer is left out if it has more weights than a network may have.
    """
    out, wide, side, size = setting.out_channels, setting.in_channels, setting.resolution, setting.kernel_size
    dense = Stage("linear", out, name="linear", bias=setting.bias)
    pooled = Stage("global_avg_pool", name="pool")
    found = [
        (
            "Standard convolution",
            "k^2 N",
            f"{size}^2 \\cdot {number(exact(wide))}",
            report("standard", setting, memory),
        ),
        (
            "Fully connected",
            "H W N",
            f"{side} \\cdot {side} \\cdot {number(exact(wide))}",
            _counted(setting, memory, dense),
        ),
        ("Fully connected after global pooling", "N", number(exact(wide)), _counted(setting, memory, pooled, dense)),
    ]
    return [
        Weighed(
            name,
            _times(symbols, "M", setting),
            _times(numbers, number(exact(out)), setting),
            each.macs // (each.params - (out if setting.bias else 0)),
            each,
        )
        for name, symbols, numbers, each in found
        if each is not None
    ]


def _counted(setting: Setting, memory: str, *rows: Stage) -> Report | None:
    made = Design("dense", rows, "Fully connected", "Convolution", setting.resolution, in_channels=setting.in_channels)
    return if_legal(lambda: analyze(made, memory=memory))


def _times(each: str, outputs: str, setting: Setting) -> str:
    """Multiply the weights of one output, and its bias, by the outputs."""
    return rf"({each} + 1) \cdot {outputs}" if setting.bias else rf"{each} \cdot {outputs}"


check_border(globals())
