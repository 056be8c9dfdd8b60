"""Sidebar of the page: network, φ, the three bases, and the base that keeps the constraint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from effviz.advice.scaling import PAPER, ScalingRule
from effviz.charts.scaling.promised import Count
from effviz.core.resolution import in_pixels
from effviz.model.design import Design
from effviz.studies.scaling import LETTERS, held_base, scalable
from effviz.ui import inputs, links, playing
from effviz.ui.convention import Convention
from effviz.ui.widgets.frame import instrument
from effviz.zoo import architecture

VIEWS = ("Drawn to scale", "Equal multiply-adds", "Fit a budget", "Grid search")
TARGET = 2.0
USUAL = (-2.0, 8.0)  # of φ
UNNAMED = (0, 2)  # how often a step of a lesson without φ applies its multipliers
SEARCHED = (
    f"The paper found {PAPER[0]:g}, {PAPER[1]:g} and {PAPER[2]:g} by a grid search at φ = 1: of the bases with "
    "α · β² · γ² ≈ 2, they gave the most accurate network."
)
_NAMES = {"alpha": "α depth", "beta": "β width", "gamma": "γ resolution"}
_MOST_BASE = 3.0


@dataclass(frozen=True)
class Choice:
    """Settings of the sidebar.

    Attributes:
        base: the network at φ = 0.
        rule: α, β, γ.
        phi: compound coefficient.
        named: whether φ is on screen; the first steps of a lesson do not have it.
        pinned: whether the charts mark B1 to B7. A lesson leaves them out where its bases move them.
    """

    base: Design
    rule: ScalingRule
    phi: float
    named: bool = True
    pinned: bool = True

    @cached_property
    def design(self) -> Design:
        """The network at φ."""
        return self.rule.scaled(self.base, self.phi)

    @property
    def name(self) -> str:
        """Full name of the baseline."""
        return f"{self.base.title}, {in_pixels(self.base.resolution)}"


def count(convention: Convention) -> Count:
    """Return the compute number of the convention, for the charts."""
    return Count(convention.compute_label, convention.compute(1))


def controls() -> Choice:
    """Show the sidebar."""
    name = inputs.choice(
        "Network", scalable(), "net", default="efficientnet_b0", format_func=lambda name: architecture(name).title,
        help="The baseline at φ = 0. ShuffleNetV1 is not available: only four of its widths are published.",
    )  # fmt: skip
    with instrument():
        phi = inputs.amount(
            "Coefficient φ", "phi", default=1.0, minimum=-5.0, maximum=12.0, step=0.05, usual=USUAL,
            help=r"Compound coefficient: depth $\alpha^\phi$, width $\beta^\phi$, resolution $\gamma^\phi$. "
            "Negative values shrink the network.",
        )  # fmt: skip
    place = st.container(horizontal=True, key="row_bases", gap="small", vertical_alignment="bottom")
    held = inputs.choice(
        "Solve for", ["nothing", *LETTERS], "hold", default="nothing",
        help=r"Keeps $\alpha \cdot \beta^2 \cdot \gamma^2 = 2$: the chosen base follows the other two.",
    )  # fmt: skip
    rule = _bases(place, "" if held == "nothing" else held)
    if not playing.held("alpha")[0]:
        with playing.beside("alpha"):
            st.button("Use the paper's values", key="paper_bases", on_click=_use_paper, disabled=rule == PAPER)
    named = not playing.held("phi")[1]
    return Choice(architecture(name), rule, phi, named, named and (playing.now() is None or rule == PAPER))


def _use_paper() -> None:
    links.reset({"hold": "nothing"})
    for letter, usual in zip(LETTERS, PAPER, strict=True):
        links.put_number(letter, usual)


def _bases(place: DeltaGenerator, held: str) -> ScalingRule:
    """Show three inputs in a row; the held one follows from the others."""
    chosen: dict[str, float] = {}
    follower = place
    for letter, usual in zip(LETTERS, PAPER, strict=True):
        if letter == held:
            follower = place.empty()
            continue
        with place:
            chosen[letter] = inputs.decimal(
                _NAMES[letter], letter, default=usual, minimum=1.0, maximum=_MOST_BASE, step=0.01, format="%.2f",
                help=f"Factor on {LETTERS[letter]} for each step of φ. The paper uses {usual:g}. {SEARCHED}",
            )  # fmt: skip
    if held:
        links.idle(held)
        value = held_base(held, chosen, TARGET)
        chosen[held] = max(1.0, value)
        with follower:
            st.number_input(
                _NAMES[held], value=chosen[held], disabled=True, format="%.3f", key=f"{held}_held_{chosen[held]:.6f}",
                help=f"Follows from the other two, so that the constraint is {TARGET:g}.",
            )  # fmt: skip
        if value < 1:
            st.caption(f"{_NAMES[held][0]} would be {value:.3f}, but it must be at least 1. The constraint is not met.")
    return ScalingRule(*(chosen[letter] for letter in LETTERS))
