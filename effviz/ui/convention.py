"""The counting convention: how the numbers of a `Report` are named, converted and formatted on every page."""

from __future__ import annotations

from dataclasses import dataclass

from effviz.advice.budgets import DTYPES
from effviz.core.units import binary, exact, si
from effviz.count.memory import ASSUMPTIONS

COUNTS = {"macs": "Multiply-adds", "flops": "FLOPs"}
UNITS = {"elements": "Elements", "float32": "float32", "float16": "float16", "int8": "int8"}
MEMORIES = {name: assumption.label for name, assumption in ASSUMPTIONS.items()}
BYTES = {"elements": 0} | DTYPES

_COUNT_TEXT = {
    "macs": "Multiply-adds: fused multiply-adds of convolution and linear layers, one image.",
    "flops": "FLOPs: 2 × multiply-adds of convolution and linear layers, one image. Papers often print multiply-adds "
    "under this name.",
}
_UNIT_TEXT = {
    "elements": "in elements",
    "float32": "4 bytes per element",
    "float16": "2 bytes per element",
    "int8": "1 byte per element",
}


@dataclass(frozen=True)
class ReportNumber:
    """A number that a `Report` has.

    Attributes:
        label: name on screen; the convention renames multiply-adds.
        unit: ``"compute"`` or ``"memory"``, which the convention converts; empty for plain numbers.
        help: definition, a sentence; ``{memory}`` is replaced by the assumption, ``{weights}`` by the number
            format.
    """

    label: str
    unit: str
    help: str


QUANTITIES = {
    "params": ReportNumber(
        "Parameters", "", "Trainable numbers; batch norm has two per channel. Their size is in {weights}."
    ),
    "macs": ReportNumber("Multiply-adds", "compute", "Of convolution and linear layers, one image."),
    "memory_access": ReportNumber("Memory access", "memory", "Read and written, batch 1, assumption: {memory}."),
    "peak_activation": ReportNumber(
        "Peak activations", "memory", "Largest set of live tensors, with batch norm folded and activations fused."
    ),
    "activations": ReportNumber("Activations", "memory", "Outputs of the convolutions."),
    "alive": ReportNumber("Alive", "memory", "Live tensors while the layer runs."),
}
"""By the name of the attribute of `Report`, or of the column of its table."""


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
        """Label of the compute number."""
        return COUNTS[self.count]

    @property
    def memory_unit(self) -> str:
        """Unit of memory in table headings."""
        return "elements" if self.unit == "elements" else "bytes"

    @property
    def in_elements(self) -> bool:
        """Whether memory is shown in elements, not in bytes."""
        return self.unit == "elements"

    @property
    def weight_format(self) -> str:
        """Number format of weights where their size is shown: that of memory, float32 if memory is in elements."""
        return "float32" if self.in_elements else self.unit

    @property
    def weight_bytes(self) -> int:
        """Bytes of one weight in `weight_format`."""
        return BYTES[self.weight_format]

    def compute(self, macs: int) -> int:
        """Convert multiply-adds."""
        return 2 * macs if self.count == "flops" else macs

    def size(self, elements: int) -> int:
        """Convert elements."""
        return elements * (BYTES[self.unit] or 1)

    def show_compute(self, macs: int) -> str:
        """Format multiply-adds: ``300.8 M``."""
        return si(self.compute(macs))

    def show_size(self, elements: int) -> str:
        """Format elements: ``1.51 M``, or ``5.74 MiB`` in bytes."""
        return si(elements) if self.in_elements else binary(self.size(elements))

    def show_amount(self, size: float) -> str:
        """Format a converted size with its unit: ``1.51 M elements`` or ``5.74 MiB``."""
        return si(size, "elements") if self.in_elements else binary(size)

    # --- by quantity, a key of `QUANTITIES` ---------------------------------------------------------------------------

    def label(self, quantity: str) -> str:
        """Name of a quantity: ``Memory access``."""
        return self.compute_label if quantity == "macs" else QUANTITIES[quantity].label

    def heading(self, quantity: str) -> str:
        """Name with the unit, for table headings: ``Memory access (elements)``."""
        unit = f" ({self.memory_unit})" if QUANTITIES[quantity].unit == "memory" else ""
        return f"{self.label(quantity)}{unit}"

    def help(self, quantity: str) -> str:
        """Definition of a quantity, a sentence."""
        return QUANTITIES[quantity].help.format(memory=MEMORIES[self.memory].lower(), weights=self.weight_format)

    def is_bytes(self, quantity: str) -> bool:
        """Return whether a quantity is on screen in bytes."""
        return QUANTITIES[quantity].unit == "memory" and not self.in_elements

    def factor(self, quantity: str) -> int:
        """Factor from the engine's unit to the one on screen."""
        return {"compute": self.compute(1), "memory": self.size(1), "": 1}[QUANTITIES[quantity].unit]

    def value(self, quantity: str, amount: int) -> int:
        """Convert an amount from the engine's unit, exactly."""
        return amount * self.factor(quantity)

    def show(self, quantity: str, amount: int) -> str:
        """Format an amount in the engine's unit for a card: ``300.8 M``, ``5.74 MiB``."""
        return self.show_size(amount) if QUANTITIES[quantity].unit == "memory" else si(self.value(quantity, amount))

    def exact(self, quantity: str, amount: int) -> str:
        """Format all digits of an amount in the engine's unit: ``6,020,000 bytes``."""
        unit = f" {self.memory_unit}" if QUANTITIES[quantity].unit == "memory" else ""
        return f"{exact(self.value(quantity, amount))}{unit}"

    @property
    def text(self) -> str:
        """The convention in two sentences, for a page and for every export."""
        return (
            f"{_COUNT_TEXT[self.count]} Memory: {ASSUMPTIONS[self.memory].help}; {_UNIT_TEXT[self.unit]}, batch 1. "
            "Parameters: trainable numbers, batch norm 2 per channel."
        )
