"""The counts of a network: totals, and a table with one row per layer."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from effviz.core.arguments import check_public
from effviz.core.errors import one_of
from effviz.core.resolution import Resolution, as_resolution, in_pixels
from effviz.count.memory import ASSUMPTIONS, Fusion, fuse
from effviz.count.rows import (
    BlockInput,
    LayerRow,
    LayerSums,
    block_access,
    block_inputs,
    block_peak,
    kind_sums,
    layer_rows,
)
from effviz.count.totals import network_totals
from effviz.model.design import Design, as_design
from effviz.model.layers import elements
from effviz.model.layout import BuiltBlock
from effviz.model.shapes import outline
from effviz.model.trace import TraceStep, chain, trace_block

if TYPE_CHECKING:
    import pandas as pd


_OF_LAYERS = {"blocks", "_inputs", "steps", "fusion", "rows", "running", "table"}
_LAYER_BYTES = 3_000
"""Measured for rows, steps, fusion and table of a large network."""


class Report:
    """The counts of a design at one resolution, for one image; memory is in elements.

    Attributes:
        design: the network.
        resolution: of the input in pixels: the side of a square, or ``(height, width)``.
        memory: the assumption about `memory_access`, one of `effviz.count.memory.ASSUMPTIONS`.
        params: trainable numbers.
        macs: fused multiply-adds of convolution and linear layers.
        flops: 2 x macs.
        activations: elements of the outputs of convolutions.
    """

    def __init__(self, design: Design, resolution: Resolution | None = None, memory: str = "fused") -> None:
        self.design = as_design(design)
        self.memory = one_of("memory", memory, ASSUMPTIONS)
        self.input_shape = design.input_shape(resolution)
        self.resolution = as_resolution(self.input_shape[1:])
        self.params, self.macs, self.activations = network_totals(design, resolution)
        self.flops = 2 * self.macs

    def __sizeof__(self) -> int:
        """Return the bytes of the report once its rows, steps and table are read, for caches."""
        return self._bytes

    @cached_property
    def _bytes(self) -> int:
        return _LAYER_BYTES * sum(
            run.repeats * outline(run.block, run.shape)[1] for run in self.design.runs(self.resolution)
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy in another process gets: the totals that are known, without the layers."""
        return {name: value for name, value in vars(self).items() if name not in _OF_LAYERS}

    def __repr__(self) -> str:
        return (
            f"Report({self.design.name}, {in_pixels(self.resolution)}: params={self.params:,}, macs={self.macs:,}, "
            f"memory_access={self.memory_access:,} ({self.memory}), peak_activation={self.peak_activation:,})"
        )

    @cached_property
    def blocks(self) -> list[BuiltBlock]:
        """The blocks of the built network, in order."""
        return self.design.blocks(self.resolution)

    @cached_property
    def _inputs(self) -> list[BlockInput]:
        return block_inputs(self.blocks)

    @cached_property
    def memory_accesses(self) -> dict[str, int]:
        """`memory_access` under each assumption."""
        return {name: sum(block_access(*each[1:], name) for each in self._inputs) for name in ASSUMPTIONS}

    @cached_property
    def memory_access(self) -> int:
        """Elements read and written under the assumption `memory`."""
        return sum(block_access(*each[1:], self.memory) for each in self._inputs)

    @cached_property
    def peak_activation(self) -> int:
        """Maximum number of activation elements in memory, in the fused network."""
        # The input counts even if the network has no arithmetic.
        return max(elements(self.input_shape), *(block_peak(*each[1:]) for each in self._inputs))

    @cached_property
    def steps(self) -> list[TraceStep]:
        """All layers in execution order."""
        blocks = self.design.training_blocks(self.resolution)
        pieces = [(entry.path, trace_block(entry.block, entry.shape)) for entry in blocks]
        return chain(pieces, self.input_shape)

    @cached_property
    def fusion(self) -> Fusion:
        """The steps after folding batch norms and fusing activations."""
        return fuse(self.steps, self.input_shape)

    @cached_property
    def rows(self) -> tuple[LayerRow, ...]:
        """The layers in execution order, as plain rows; their sums are the totals."""
        return layer_rows(block_inputs(self.design.training_blocks(self.resolution)), self.memory)

    @cached_property
    def sums(self) -> dict[tuple[str, str], LayerSums]:
        """Sums of `rows` by stage and layer kind."""
        return kind_sums(self._inputs, self.memory)

    @cached_property
    def running(self) -> list[LayerRow]:
        """The layers that run by themselves in the fused network; all of them in a network of views alone."""
        rows = layer_rows(self._inputs, self.memory)
        return [row for row in rows if row.alive] or list(rows)

    @cached_property
    def table(self) -> pd.DataFrame:
        """`rows` as a table.

        Columns: path (the name in ``build(design).named_modules()``), stage, block, layer, kind, in_channels,
        out_channels, kernel_size, stride, groups, input_shape, output_shape, params, macs, flops, memory_access,
        alive (activation elements in memory while the layer runs; 0 if it runs inside the layer before it).
        """
        import pandas as pd

        table = pd.DataFrame(self.rows, columns=LayerRow._fields)
        for column in ("params", "macs", "flops", "memory_access", "alive"):
            values = [getattr(row, column) for row in self.rows]
            if sum(values) >= 2**63:
                # Sums of 64-bit integers in numpy wrap around silently; Python's integers do not.
                table[column] = pd.Series(values, dtype=object)
        return table


def analyze(design: Design, resolution: Resolution | None = None, memory: str = "fused") -> Report:
    """Count a design: parameters, multiply-adds, memory access, peak activation memory.

    Args:
        design: from `architecture`, `Design.from_json` or constructed.
        resolution: of the input in pixels, one side or (height, width); None for the design's own.
        memory: assumption about memory access, one of `effviz.count.memory.ASSUMPTIONS`.

    Raises:
        DesignError: the network cannot be built at this resolution; the message starts with the path of the layer.
    """
    return Report(design, resolution, memory)


check_public(globals())
