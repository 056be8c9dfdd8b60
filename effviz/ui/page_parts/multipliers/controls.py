"""Sidebar of the page: network, width, resolution, and the quantity of the map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from effviz.advice.smallest import smallest_width
from effviz.core.resolution import Resolution, compact_size
from effviz.model.design import Design
from effviz.studies import multipliers
from effviz.studies.multipliers import Place, ScaledCounts
from effviz.studies.printed_cells import GROUPS, NETWORKS, Accuracy, PrintedCells
from effviz.ui import inputs, links
from effviz.ui.convention import Convention
from effviz.ui.widgets.controls import resolution_control, width_control
from effviz.ui.widgets.frame import instrument

TITLES = {name: PrintedCells(name).base.title.removesuffix(" (g = 3)") for name in NETWORKS}
# The last name is a value of links, so it is not renamed.
COMPUTE = "Multiply-adds or FLOPs"
MEASURES = {"compute": COMPUTE, "params": "Parameters", "memory": "Memory access", "top1": "Printed top-1"}


@dataclass(frozen=True)
class Choice:
    """Settings of the sidebar.

    Attributes:
        printed: the network and its published figures.
        width, resolution: of the cell on screen.
        measure: quantity of the map, a key of `MEASURES`.
    """

    printed: PrintedCells
    width: float
    resolution: Resolution
    measure: str = "compute"

    @property
    def base(self) -> Design:
        """The unscaled network."""
        return self.printed.base

    @property
    def title(self) -> str:
        """Name of the network."""
        return self.base.title

    @property
    def design(self) -> Design:
        """The scaled network."""
        return self.base.scaled(width_mult=self.width, resolution=self.resolution)

    @property
    def place(self) -> Place:
        """The cell on screen."""
        return self.width, self.resolution

    @property
    def own(self) -> Place:
        """The cell of the unscaled network."""
        return self.printed.own

    @property
    def scaled(self) -> bool:
        """Whether the network on screen is scaled."""
        return self.place != self.own

    @property
    def axes(self) -> tuple[list[float], list[Resolution]]:
        """Widths and resolutions of the map."""
        return self.printed.axes(smallest_width(self.base), self.place)

    def counts(self, place: Place) -> ScaledCounts:
        """Parameters and multiply-adds of a cell."""
        return self.printed.counts(place)

    def memory(self, place: Place, convention: Convention) -> int:
        """Memory access of a cell in elements, under the convention's assumption."""
        return multipliers.memory_access(self.base, *place, convention.memory)

    def top1(self, place: Place) -> Accuracy | None:
        """Published or interpolated accuracy of a cell."""
        return self.printed.top1(place)


def _reset() -> None:
    """Set the multipliers of a newly chosen network to 1."""
    fresh = {
        "width": 1.0,
        "res": compact_size(PrintedCells(st.session_state["net"]).own[1]),
        "groups": "3",
        "scale": "1",
    }
    st.session_state.update({key: value for key, value in fresh.items() if key in st.session_state})


def controls() -> Choice:
    """Show the sidebar."""
    name = inputs.choice(
        "Network", list(NETWORKS), "net", default="mobilenet_v2", format_func=TITLES.__getitem__, on_change=_reset
    )
    groups = None
    if name == "shufflenet_v1":
        groups = int(inputs.switch("Groups", [str(count) for count in GROUPS], "groups", default="3"))
    printed = PrintedCells(name, groups)
    if printed.widths and st.session_state.get("scale") not in (None, *(f"{width:g}" for width in printed.widths)):
        # These groups were published at fewer widths.
        st.session_state["scale"] = "1"
    with instrument(), st.container(key="multipliers"):
        width = width_control(printed.base)
        resolution = resolution_control(printed.base, step=32, usual=(32, 448))
    links.rewrite("heat", lambda text: COMPUTE if text == "Compute" else text)  # links of earlier versions
    measure = inputs.choice("Heat map of", list(MEASURES), "heat", default="compute", format_func=MEASURES.__getitem__)
    retrained = inputs.flag(
        "Re-trained accuracies", "others",
        help="Include accuracies of libraries and other papers where the authors publish none. Training recipes "
        "differ.",
    )  # fmt: skip
    return Choice(replace(printed, retrained=retrained), round(width, 6), resolution, measure)
