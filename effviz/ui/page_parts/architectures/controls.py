"""Controls of the Architectures page: network, multipliers, resolution, classes."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

import effviz
from effviz.core.caches import remembered
from effviz.core.resolution import Resolution, compact_size, in_pixels
from effviz.model.variants import DEFAULT
from effviz.studies.variants import variant_title
from effviz.ui import inputs, links, size_input
from effviz.ui.widgets.controls import in_channels_control, network_title, resolution_control, width_control
from effviz.ui.widgets.frame import instrument
from effviz.zoo import ALIASES, ARCHITECTURES, GROUPS, default_groups, list_variants


@dataclass(frozen=True)
class Choice:
    """Values of the controls.

    Attributes:
        name: of the network.
        variant: the implementation.
        design: with the multipliers.
        baseline: the named network itself.
        width: multiplier relative to it.
        depth: multiplier relative to it.
        classes: of the classifier.
        groups: of a network that exists with several; None elsewhere.
        aspect: the resolution whose aspect ratio the slider keeps; None for a square.
    """

    name: str
    variant: str
    design: effviz.Design
    baseline: effviz.Design
    width: float
    depth: float
    classes: int
    groups: int | None
    aspect: Resolution | None = None

    @property
    def scaled(self) -> bool:
        """Whether the network differs from the named one."""
        return self.design != self.baseline

    @property
    def baseline_name(self) -> str:
        """Full name of the baseline."""
        return f"{self.baseline.title}, {in_pixels(self.baseline.resolution)}"

    @property
    def against(self) -> str:
        """Name of the baseline on cards; empty while the network is the named one."""
        return "unscaled" if self.scaled else ""


def controls() -> Choice:
    """Show the controls in the sidebar."""
    links.also("net", "network")
    links.spell_out("net", ALIASES, "width")
    name = inputs.choice(
        "Network", list(ARCHITECTURES), "net", default="mobilenet_v2", format_func=network_title, on_change=_reset
    )
    groups = default_groups(name)
    if groups is not None:
        counts = [str(count) for count in GROUPS[name]]
        groups = int(inputs.switch("Groups", counts, "groups", default=str(groups)))
    chosen = _variant_control(name, groups)
    baseline = named(name, groups, chosen)
    with instrument():
        width = width_control(baseline)
    links.also("depth", "depth_mult")
    depth = inputs.amount(
        "Depth multiplier", "depth", default=1.0, minimum=0.1, maximum=8.0, step=0.05, usual=(0.25, 3.0),
        help="Factor on the blocks of every stage, rounded up.",
    )  # fmt: skip
    resolution = resolution_control(baseline)
    links.also("classes", "num_classes")
    with st.container(horizontal=True, key="row_input", gap="small"):
        classes = inputs.integer("Classes", "classes", default=1000, minimum=1, maximum=100_000)
        in_channels = in_channels_control()
    return choose(name, groups, width, depth, resolution, classes, in_channels, size_input.aspect("res"), chosen)


def _variant_control(name: str, groups: int | None) -> str:
    """Show the implementations of a network that has several, and return the name of the chosen one."""
    options = list_variants(name)
    if len(options) == 1:
        return DEFAULT
    if st.session_state.get("variant") not in (None, *options):
        st.session_state["variant"] = DEFAULT
    titles = {each: variant_title(name, each, groups) for each in options}
    return inputs.choice(
        "Variant", options, "variant", default=DEFAULT, format_func=titles.__getitem__,
        on_change=lambda: links.reset({"scale": "1"}),
        help="Other implementations, which differ by rounding or by a detail.",
    )  # fmt: skip


@remembered
def named(name: str, groups: int | None, variant: str = DEFAULT) -> effviz.Design:
    """Return a published network."""
    return effviz.architecture(name, variant=variant, groups=groups)


def choose(
    name: str, groups: int | None, width: float, depth: float, resolution: Resolution, classes: int,
    in_channels: int = 3, aspect: Resolution | None = None, variant: str = DEFAULT,
) -> Choice:  # fmt: skip
    """Scale a published network.

    Raises:
        DesignError: a value is illegal.
    """
    baseline = named(name, groups, variant)
    design = effviz.architecture(
        name,
        variant=variant,
        groups=groups,
        width_mult=width,
        depth_mult=depth,
        resolution=resolution,
        num_classes=classes,
        in_channels=in_channels,
    )
    return Choice(name, variant, design, baseline, width, depth, classes, groups, aspect)


def _reset() -> None:
    """Return to the unscaled network when another one is chosen."""
    name = st.session_state["net"]
    links.reset(
        {
            "width": 1.0,
            "depth": 1.0,
            "res": compact_size(effviz.architecture(name).resolution),
            "classes": 1000,
            "in_channels": 3,
            "groups": str(default_groups(name)),
            "variant": DEFAULT,
            "scale": "1",
            "find": "",
            "layer": "",
        }
    )
