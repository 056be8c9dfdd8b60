"""Controls of the Architectures page: network, multipliers, resolution, classes."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

import effviz
from effviz.core.caches import remembered
from effviz.ui import links
from effviz.ui.widgets.controls import resolution_control, width_control
from effviz.zoo import ARCHITECTURES

GROUPS = ("1", "2", "3", "4", "8")


@dataclass(frozen=True)
class Choice:
    """Values of the controls.

    Attributes:
        design: with the multipliers.
        baseline: the named network itself.
        width: multiplier relative to it.
        depth: multiplier relative to it.
        classes: of the classifier.
        groups: of ShuffleNetV1; None elsewhere.
    """

    design: effviz.Design
    baseline: effviz.Design
    width: float
    depth: float
    classes: int
    groups: int | None

    @property
    def scaled(self) -> bool:
        """Whether the network differs from the named one."""
        return self.design != self.baseline

    @property
    def baseline_name(self) -> str:
        """Full name of the baseline."""
        return f"{self.baseline.title}, {self.baseline.resolution} px"

    @property
    def against(self) -> str:
        """Name of the baseline on cards; empty while the network is the named one."""
        return "unscaled" if self.scaled else ""


def controls() -> Choice:
    """Show the controls in the sidebar."""
    name = links.choice(
        "Network", list(ARCHITECTURES), "net", default="mobilenet_v2", format_func=_title, on_change=_reset
    )
    groups = int(links.switch("Groups", GROUPS, "groups", default="3")) if name == "shufflenet_v1" else None
    baseline = named(name, groups)
    width = width_control(baseline)
    depth = links.amount(
        "Depth multiplier", "depth", default=1.0, minimum=0.1, maximum=8.0, step=0.05, usual=(0.25, 3.0),
        help="Factor on the blocks of every stage, rounded up.",
    )  # fmt: skip
    resolution = resolution_control(baseline)
    classes = links.integer("Classes", "classes", default=1000, minimum=1, maximum=100_000)
    return choose(name, groups, width, depth, resolution, classes)


@remembered
def named(name: str, groups: int | None) -> effviz.Design:
    """Return a published network."""
    return effviz.architecture(name, **({} if groups is None else {"groups": groups}))


def choose(name: str, groups: int | None, width: float, depth: float, resolution: int, classes: int) -> Choice:
    """Scale a published network.

    Raises:
        DesignError: a value is illegal.
    """
    baseline = named(name, groups)
    design = effviz.architecture(
        name,
        **({} if groups is None else {"groups": groups}),
        width_mult=width,
        depth_mult=depth,
        resolution=resolution,
        num_classes=classes,
    )
    return Choice(design, baseline, width, depth, classes, groups)


def _title(name: str) -> str:
    return effviz.architecture(name).title.removesuffix(" (g = 3)")


def _reset() -> None:
    """Return to the unscaled network when another one is chosen."""
    links.reset(
        {
            "width": 1.0,
            "depth": 1.0,
            "res": effviz.architecture(st.session_state["net"]).resolution,
            "classes": 1000,
            "groups": "3",
            "scale": "1",
            "find": "",
            "layer": "",
        }
    )
