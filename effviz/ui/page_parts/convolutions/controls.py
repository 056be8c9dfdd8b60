"""Controls of the Convolutions page."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

import effviz
from effviz.core.resolution import in_pixels
from effviz.studies.convolutions import KINDS, Setting, design, legal_groups
from effviz.ui import inputs
from effviz.ui.widgets.controls import channel_controls, map_controls
from effviz.ui.widgets.frame import instrument

BASELINE = "standard"


@dataclass(frozen=True)
class Choice:
    """Values of the controls: a kind of convolution and its numbers."""

    kind: str
    setting: Setting

    @property
    def design(self) -> effviz.Design:
        """The chosen convolution as a network."""
        return design(self.kind, self.setting)

    @property
    def standard(self) -> effviz.Design:
        """The standard convolution at the same setting."""
        return design(BASELINE, self.setting)

    @property
    def title(self) -> str:
        """Kind of convolution with its channels and resolution."""
        at = self.setting
        return f"{KINDS[self.kind]}, {at.in_channels} to {at.out_channels} channels, {in_pixels(at.resolution)}"

    @property
    def against(self) -> str:
        """Name of the baseline on cards; empty for the standard convolution itself."""
        return "" if self.kind == BASELINE else BASELINE


def controls() -> Choice:
    """Show the controls in the sidebar; groups are limited to divisors of the channels."""
    kind = inputs.choice("Convolution", list(KINDS), "type", default="separable", format_func=KINDS.__getitem__)
    with instrument():
        kernel = inputs.amount(
            "Kernel size", "kernel", default=3, minimum=1, maximum=63, step=2, usual=(1, 15),
            help="Side of the square window, padded by half of it.",
        )  # fmt: skip
    wide, out = channel_controls(128)
    groups = _groups(legal_groups(wide, out))
    stride, side = map_controls(28)
    bias = inputs.flag(
        "Bias",
        "bias",
        help="One more parameter for each output channel; a batch norm after the layer makes it useless.",
    )
    return Choice(kind, Setting(kernel, wide, out, groups, stride, side, bias))


def _groups(legal: list[int]) -> int:
    chosen = st.session_state.get("g")
    if chosen is not None and chosen not in legal:
        # After a change of the channels, the next smaller divisor.
        st.session_state["g"] = max(count for count in legal if count <= chosen)
    return inputs.choice(
        "Groups", legal, "g", default=max(count for count in legal if count <= 4),
        help="Groups of the grouped convolution: divisors of the input and output channels.",
    )  # fmt: skip
