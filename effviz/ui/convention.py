"""The convention: what a number on screen counts. One bar for all pages, kept in the link."""

from __future__ import annotations

from dataclasses import dataclass

from effviz.advice.budgets import DTYPES
from effviz.core.units import binary, si
from effviz.count.memory import ASSUMPTIONS

COUNTS = {"macs": "Multiply-adds", "flops": "FLOPs"}
UNITS = {"elements": "Elements", "float32": "float32", "float16": "float16", "int8": "int8"}
MEMORIES = {name: assumption.label for name, assumption in ASSUMPTIONS.items()}
BYTES = {"elements": 0} | DTYPES

_COUNT_TEXT = {
    "macs": "Multiply-adds: fused multiply-adds of convolution and linear layers, one image.",
    "flops": "FLOPs: 2 x multiply-adds of convolution and linear layers, one image. Papers often print multiply-adds "
    "under this name.",
}
_UNIT_TEXT = {
    "elements": "in elements",
    "float32": "4 bytes per element",
    "float16": "2 bytes per element",
    "int8": "1 byte per element",
}


@dataclass(frozen=True)
class Convention:
    """How numbers are counted and shown.

    Attributes:
        count: ``"macs"`` or ``"flops"``.
        unit: of memory: ``"elements"`` or a number format.
        memory: the assumption behind memory access.
    """

    count: str = "macs"
    unit: str = "elements"
    memory: str = "fused"

    @property
    def compute_label(self) -> str:
        """What the compute number is called."""
        return COUNTS[self.count]

    @property
    def memory_unit(self) -> str:
        """What memory is measured in."""
        return "elements" if self.unit == "elements" else "bytes"

    def compute(self, macs: int) -> int:
        """Multiply-adds in this convention."""
        return 2 * macs if self.count == "flops" else macs

    def size(self, elements: int) -> int:
        """Elements in this convention's unit."""
        return elements * (BYTES[self.unit] or 1)

    def show_compute(self, macs: int) -> str:
        """As on a card: ``300.8 M``."""
        return si(self.compute(macs))

    def show_size(self, elements: int) -> str:
        """As on a card: ``1.51 M`` elements or ``5.74 MiB``."""
        return si(elements) if self.unit == "elements" else binary(self.size(elements))

    def show_amount(self, size: float) -> str:
        """A size in this convention's unit, with the unit: ``1.51 M elements`` or ``5.74 MiB``."""
        return si(size, "elements") if self.unit == "elements" else binary(size)

    @property
    def text(self) -> str:
        """One sentence for a page and for every export."""
        return (
            f"{_COUNT_TEXT[self.count]} Memory: {ASSUMPTIONS[self.memory].help}; {_UNIT_TEXT[self.unit]}, batch 1. "
            "Parameters: trainable numbers, batch norm 2 per channel."
        )
