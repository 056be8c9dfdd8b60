"""Controls of the Latency page."""

from __future__ import annotations

from dataclasses import dataclass

from effviz.studies.prediction import ENTRIES, PREDICTORS
from effviz.studies.printed_latency import devices
from effviz.ui import inputs
from effviz.ui.convention import Convention
from effviz.ui.widgets import live_latency as live
from effviz.ui.widgets.frame import instrument
from effviz.ui.widgets.latency_words import thread_text

RANGES = {"all": None, "mobile": 1_000_000_000}
_RANGE_TEXT = {"all": "All", "mobile": "Below 1 G multiply-adds"}
NONE = "none"
FIRST_DEVICE = "Snapdragon 810 single thread. ShuffleNetV2 paper arXiv 1807.11164 Table 8"


@dataclass(frozen=True)
class Options:
    """State of the sidebar.

    Attributes:
        column: the count on the axis, of `PREDICTORS`.
        most_macs: only networks with fewer multiply-adds; None for all.
        family: marked in the charts; empty for the most striking pair.
        threads: of torch.
        device: device and source of the published latencies.
    """

    column: str
    most_macs: int | None
    family: str
    threads: int
    device: str

    @property
    def title(self) -> str:
        """The networks on the page, what is marked, and the threads."""
        known = "All networks" if self.most_macs is None else _RANGE_TEXT["mobile"]
        marked = [f"{self.family} marked"] if self.family else []
        return ", ".join([known, *marked, thread_text(self.threads)])

    def axis(self, convention: Convention) -> tuple[int, str]:
        """Return factor and axis label of the count, in the page's convention."""
        if self.column == "memory_access":
            return convention.factor(self.column), f"Memory access cost ({convention.memory_unit})"
        return convention.factor(self.column), convention.heading(self.column)


def controls() -> Options:
    """Show the count above the headline numbers, and the rest in the sidebar."""
    with instrument():
        column = inputs.switch(
            "Compare latency with", list(PREDICTORS), "by", default="macs",
            format_func=lambda name: PREDICTORS[name].capitalize(),
            help="Activations are the outputs of convolutions.",
        )  # fmt: skip
    size = inputs.switch("Networks", list(RANGES), "size", default="all", format_func=_RANGE_TEXT.__getitem__)
    families = sorted({entry.design.family for entry in ENTRIES})
    family = inputs.choice(
        "Marked family", [NONE, *families], "family", default=NONE,
        help="Without a family, the chart marks the pair that multiply-adds order worst.",
    )  # fmt: skip
    threads = live.threads_control()
    device = inputs.choice(
        "Published latencies", list(devices()), "printed", default=FIRST_DEVICE,
        help="Device and source of the latencies below the charts.",
    )  # fmt: skip
    return Options(column, RANGES[size], "" if family == NONE else family, threads, device)
