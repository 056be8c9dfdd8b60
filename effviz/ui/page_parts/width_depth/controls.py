"""Sidebar of the page, and the choice of the design on the cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from effviz.advice.smallest import smallest_resolution
from effviz.core.caches import remembered
from effviz.core.resolution import Resolution
from effviz.model.design import Design
from effviz.model.fields import Field
from effviz.studies.equal_budget import BudgetDesign, Designs, tradable
from effviz.studies.width_depth.designs import KINDS, template, title_of, told_fields
from effviz.ui import inputs, links, size_input
from effviz.ui.widgets.controls import SIZE_HELP, in_channels_control
from effviz.ui.widgets.frame import instrument
from effviz.zoo import ARCHITECTURES, architecture

CARD = "card"
"""Key of the design on the cards."""
_COUNTS = ("2", "3", "4", "5")
_FACTORS = ("1.5", "2", "3", "4")
_DIVISORS = ("1", "4", "8", "16")
_MOST_BLOCKS = 12
_MOST_PIXELS = 1024
_MOST_BUDGET = 1_000_000  # millions of multiply-adds
_SHORT_LABELS = {
    "kernel_size": "Kernel", "cheap_kernel_size": "Cheap", "expand_ratio": "Expand", "se_ratio": "SE ratio",
    "bottleneck_ratio": "Inner",
}  # fmt: skip


@remembered
def sources() -> dict[str, str]:
    """Return kinds of block, then networks of the zoo, with their titles."""
    networks = {name: architecture(name).title for name in ARCHITECTURES if tradable(name)}
    return {name: title_of(name) for name in KINDS} | networks


@dataclass(frozen=True)
class Options:
    """Settings of the sidebar.

    Attributes:
        source: a kind of block, or a network of the zoo.
        fields: of the block, as pairs.
        macs: the budget.
        count: number of designs.
        factor: depth of a design relative to the one before.
        blocks: per stage of the balanced design.
        resolution: of the input, in pixels.
        divisor: of the widths.
        in_channels: of the input.
    """

    source: str = "inverted_residual"
    fields: tuple[tuple[str, Any], ...] = ()
    macs: int = 300_000_000
    count: int = 3
    factor: float = 2.0
    blocks: int = 4
    resolution: Resolution = 224
    divisor: int = 8
    in_channels: int = 3

    @property
    def design(self) -> Design:
        """The network at the balanced depth, before its width is fitted."""
        if self.source in KINDS:
            return template(
                self.source, self.blocks, self.divisor, self.resolution, dict(self.fields), self.in_channels
            )
        return architecture(self.source, resolution=self.resolution, in_channels=self.in_channels)


def _key(field: str) -> str:
    return f"of_{field}"


def _reset() -> None:
    """Set the fields of a newly chosen block to its defaults."""
    source = st.session_state["kind"]
    for entry in told_fields(source) if source in KINDS else ():
        if _key(entry.name) in st.session_state:
            st.session_state[_key(entry.name)] = entry.default


def controls() -> Options:
    """Show the sidebar."""
    source = inputs.choice(
        "Block or network", list(sources()), "kind", default="inverted_residual", format_func=sources().__getitem__,
        on_change=_reset,
    )  # fmt: skip
    with instrument():
        budget = inputs.amount(
            "Budget (M multiply-adds)", "budget", default=300, minimum=1, maximum=_MOST_BUDGET, step=10,
            usual=(50, 1000),
        )  # fmt: skip
    fields = _fields(source) if source in KINDS else {}
    count = inputs.switch("Designs", list(_COUNTS), "designs", default="3")
    factor = inputs.switch(
        "Depth factor", list(_FACTORS), "factor", default="2", format_func="{}×".format,
        help="Blocks of a design relative to the one before, rounded up in every stage.",
    )  # fmt: skip
    own = _template_controls() if source in KINDS else {}
    smallest = max(32, 1 if source in KINDS else smallest_resolution(architecture(source)))
    links.also("px", "resolution", "res")
    resolution = size_input.size(
        "Resolution (px)", "px", default=224, minimum=smallest, maximum=_MOST_PIXELS, step=1, usual=(smallest, 512),
        help=SIZE_HELP,
    )  # fmt: skip
    return Options(
        source, tuple(fields.items()), int(budget) * 1_000_000, int(count), float(factor), resolution=resolution,
        in_channels=in_channels_control(), **own,
    )  # fmt: skip


def _fields(source: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    with st.container(horizontal=True, key="row_fields", gap="small"):
        for entry in told_fields(source):
            fields[entry.name] = inputs.choice(
                _label(entry), sorted({*entry.choices, entry.default}), _key(entry.name), default=entry.default,
                format_func="{:g}".format, help=entry.help,
            )  # fmt: skip
    return fields


def _label(entry: Field) -> str:
    """Return a label that fits a third of the sidebar."""
    return _SHORT_LABELS.get(entry.name, entry.name.replace("_", " ").capitalize())


def _template_controls() -> dict[str, int]:
    blocks = inputs.amount(
        "Blocks per stage", "blocks", default=4, minimum=1, maximum=_MOST_BLOCKS, step=1, usual=(1, _MOST_BLOCKS),
        help="In each of the four stages of the balanced design.",
    )  # fmt: skip
    divisor = inputs.switch(
        "Width divisor", list(_DIVISORS), "divisor", default="8",
        help="Widths are rounded to a multiple, at most 10 % down. Groups and channel splits may need a larger one.",
    )  # fmt: skip
    return {"blocks": int(blocks), "divisor": int(divisor)}


def choose(designs: Designs) -> BudgetDesign:
    """Show the control above the cards and return the design on them."""
    default = designs.base.name
    if st.session_state.get(CARD) not in (None, *designs.names):
        # The design is no longer there: fewer designs, or a smaller budget.
        st.session_state[CARD] = default
    name = inputs.switch("Design shown", designs.names, CARD, default=default, label_visibility="collapsed")
    return designs.named(name)
