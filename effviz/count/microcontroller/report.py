"""The memory of a network on a microcontroller: the arena in SRAM, and the file and code in flash."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from effviz.core.arguments import check_public
from effviz.core.errors import one_of, whole
from effviz.core.resolution import Resolution
from effviz.count.microcontroller.arena import ALIGNMENT, Buffer, PlacedBuffer, aligned, alive, buffers, height, plan
from effviz.count.microcontroller.flash import Flash, flash
from effviz.count.microcontroller.kernels import KERNELS
from effviz.count.microcontroller.operators import OperatorGraph, operators
from effviz.count.report import Report
from effviz.model.design import Design, as_design

if TYPE_CHECKING:
    import pandas as pd

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_MOST_CODE = 2**30


class ArenaTerm(NamedTuple):
    """A part of the arena: what it is and its bytes."""

    label: str
    size: int


@dataclass(frozen=True, eq=False)
class MicrocontrollerReport:
    """A network of int8 in TensorFlow Lite for Microcontrollers, for one image; all sizes are in bytes.

    Attributes:
        report: the counts of the network at the same resolution.
        kernels: the library of kernels, one of `KERNELS`.
        graph: the operators, which `effviz.count.microcontroller.operators` describes.
        buffers: tensors and scratch memory with their places in the arena, offsets and sizes as the runtime's planner
            chooses them.
        interpreter: what the interpreter keeps in the arena, on a processor of 32 bits: exactly 8 bytes for each output
            channel of a convolution, and an estimate for its other data.
        flash: bytes of the file and the code.
    """

    report: Report
    kernels: str
    graph: OperatorGraph
    buffers: tuple[PlacedBuffer, ...]
    interpreter: int
    flash: Flash

    def __repr__(self) -> str:
        return (
            f"MicrocontrollerReport({self.report.design.name}, {self.kernels}: arena={self.arena:,} "
            f"(tensors {self.tensors:,}, interpreter {self.interpreter:,}), flash={self.flash.total:,})"
        )

    @cached_property
    def tensors(self) -> int:
        """Bytes of the arena for tensors and scratch memory."""
        return height(self.buffers)

    @property
    def arena(self) -> int:
        """Bytes of the arena."""
        return self.tensors + self.interpreter

    @cached_property
    def alive(self) -> list[int]:
        """Bytes of tensors and scratch memory that each operator needs; no plan has fewer than their maximum."""
        return alive((each.buffer for each in self.buffers), len(self.graph.operators))

    @cached_property
    def terms(self) -> tuple[ArenaTerm, ...]:
        """The arena as a sum, from the peak activation of the report to the last byte."""
        count, found = len(self.graph.operators), [each.buffer for each in self.buffers]
        tensors = [each for each in found if each.kind == "tensor"]
        sums = [
            self.report.peak_activation,
            _most(tensors, count),
            _most(found, count),
            _most([each._replace(size=aligned(each.size)) for each in found], count),
            self.tensors,
            self.arena,
        ]
        labels = (
            "Peak activation of the fused network",
            "Operators that TensorFlow Lite does not fuse",
            f"Scratch memory of the kernels ({KERNELS[self.kernels].label})",
            f"Sizes rounded up to {ALIGNMENT} bytes",
            "Gaps that the planner leaves",
            "Interpreter (estimate)",
        )
        before = [0, *sums[:-1]]
        return tuple(ArenaTerm(label, size - less) for label, size, less in zip(labels, sums, before, strict=True))

    @cached_property
    def table(self) -> pd.DataFrame:
        """The buffers: path, kind, size, offset, first and last operator."""
        import pandas as pd

        rows = [(*each.buffer[:3], each.offset, *each.buffer[3:]) for each in self.buffers]
        return pd.DataFrame(rows, columns=["path", "kind", "size", "offset", "first", "last"])


def _most(buffers: list[Buffer], count: int) -> int:
    return max(alive(buffers, count))


def interpreter_bytes(graph: OperatorGraph, pointer: int = 4) -> int:
    """Return what the interpreter keeps in the arena beside the tensors; `pointer` is the size of an address.

    Convolutions store a multiplier and a shift of 32 bits for each output channel. Tensors have three addresses,
    operators eight. The parameters of an operator are fitted to the recording allocator of the runtime.
    """
    constants = [each for operator in graph.operators for each in operator.constants]
    channels = sum(each.channels for each in constants if each.name == "filter")
    weighted = sum(operator.code in _WEIGHTED for operator in graph.operators)
    tensors, count = len(graph.shapes) + len(constants), len(graph.operators)
    tables = 8 * channels + 3 * pointer * tensors + 8 * pointer * count
    parameters = (80 + 4 * pointer) * weighted + (34 + 2 * pointer) * (count - weighted)
    return aligned(tables + parameters + 75 * pointer)


def microcontroller(
    design: Design, resolution: Resolution | None = None, *, kernels: str = "reference", code_size: int | None = None
) -> MicrocontrollerReport:
    """Plan the memory of a network of int8 on a microcontroller with TensorFlow Lite for Microcontrollers.

    Args:
        design: from `architecture`, `Design.from_json` or constructed.
        resolution: of the input in pixels, one side or (height, width); None for the design's own.
        kernels: "reference", "cmsis_nn_dsp" (Cortex-M4, M7, M33) or "cmsis_nn_mve" (Cortex-M55, M85).
        code_size: bytes of interpreter and kernels in flash; None for 16 KiB and 5 KiB per kind of operator, an
            assumption.

    Raises:
        DesignError: the network cannot be built at this resolution, or a layer has no int8 operator; the message starts
            with the path of the layer.
    """
    one_of("kernels", kernels, KERNELS)
    if code_size is not None:
        whole("code_size", code_size, 0, _MOST_CODE)
    report = Report(as_design(design), resolution)
    graph = operators(report.steps, report.fusion, report.input_shape)
    placed = tuple(plan(buffers(graph, KERNELS[kernels])))
    return MicrocontrollerReport(report, kernels, graph, placed, interpreter_bytes(graph), flash(graph, code_size))


check_public(globals())
