"""Sidebar of the page: guideline and shape, and the paper's experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from effviz.studies.guideline_shapes import Shape
from effviz.studies.guidelines.access import (
    ARRANGEMENTS,
    DEVICES,
    FRAGMENT_COUNTS,
    GROUP_COUNTS,
    GUIDELINES,
    SCALES,
    VARIANTS,
)
from effviz.studies.guidelines.theory import variant_text
from effviz.ui import inputs, links
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.frame import instrument

CHANNELS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_LAYERS = {
    "G1": "A 1×1 convolution, from narrow to wide, with the multiply-adds of c → c.",
    "G2": "A 1×1 group convolution with the multiply-adds of c → c.",
    "G3": "Several 1×1 convolutions with the multiply-adds of one c → c.",
    "G4": "A bottleneck c → c/4 → c/4 → c of 1×1, 3×3 and 1×1 convolutions.",
}


@dataclass(frozen=True)
class Options:
    """Settings of the sidebar.

    Attributes:
        shape: of the layer or block, in theory.
        device, scale: column of the paper's table that is measured.
        threads: of torch.
    """

    shape: Shape
    device: str = "ARM"
    scale: str = "x1"
    threads: int = 1


def controls() -> Options:
    """Show the sidebar."""
    shape = _shape()
    st.subheader("The paper's experiment", anchor=False)
    with st.container(horizontal=True):
        device = inputs.switch(
            "Device widths", list(DEVICES), "widths", default="ARM",
            help="The paper uses narrower networks on the Snapdragon 810 (ARM) than on the GTX 1080 Ti (GPU).",
        )  # fmt: skip
        scale = inputs.switch(
            "Scale", list(SCALES), "scale", default="x1", format_func=lambda scale: f"{SCALES[scale]}×",
            help="Factor on the channels. The multiply-adds grow with its square.",
        )  # fmt: skip
    return Options(shape, device, scale, live.threads_control())


def _shape() -> Shape:
    guideline = inputs.switch("Guideline", list(GUIDELINES), "guideline", default="G1")
    st.caption(f"{GUIDELINES[guideline]}. {_LAYERS[guideline]}")
    with instrument():
        own = _own_controls(guideline)
    channels = inputs.choice(
        "Channels c", list(CHANNELS), "c", default=64, help="They set the multiply-adds of every point of the curve."
    )
    links.also("res", "resolution", "map")
    resolution = inputs.amount("Map side (px)", "res", default=56, minimum=1, maximum=1024, step=1, usual=(1, 112))
    return Shape(guideline, int(resolution), channels, **own)


def _own_controls(guideline: str) -> dict[str, Any]:
    """Show the controls that only one guideline has."""
    if guideline == "G1":
        return {
            "ratio": inputs.amount(
                "Width ratio", "ratio", default=6, minimum=1, maximum=64, step=1, usual=(1, 16),
                help="Output channels c2 per input channel c1. Their product is constant, except for rounding.",
            )
        }  # fmt: skip
    if guideline == "G2":
        return {"groups": int(inputs.switch("Groups", list(map(str, GROUP_COUNTS)), "groups", default="4"))}
    if guideline == "G3":
        fragments = inputs.switch("Fragments", list(map(str, FRAGMENT_COUNTS)), "fragments", default="4")
        arrangement = inputs.switch("Arrangement", list(ARRANGEMENTS), "arranged", default="parallel")
        return {"fragments": int(fragments), "arrangement": arrangement}
    return {
        "variant": inputs.choice(
            "Element-wise operations", list(VARIANTS), "with", default="relu+shortcut", format_func=variant_text
        )
    }
