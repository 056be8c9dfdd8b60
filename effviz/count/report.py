"""A network's numbers: totals at once, one table with a row per layer when asked for."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from effviz.core.errors import fail, one_of
from effviz.count import cost
from effviz.count.kinds import kind_of
from effviz.count.memory import ASSUMPTIONS, NETWORK_INPUT, Fusion, Producer, alive, fuse, memory_access
from effviz.count.totals import block_totals
from effviz.model.design import Design
from effviz.model.layers import Branches, Conv2d, Shape, elements, pair, shape_text
from effviz.model.layout import BuiltBlock
from effviz.model.trace import Step, chain, trace_block

if TYPE_CHECKING:
    import pandas as pd

    from effviz.model.fields import FieldBlock


class Moved(NamedTuple):
    """Memory access of one block under each assumption, its peak, and what wrote its output."""

    paper: int
    fused: int
    eager: int
    peak: int
    leaving: Producer


@lru_cache(maxsize=16_384)
def _moved(block: FieldBlock, shape: Shape, entering: Producer) -> Moved:
    steps = trace_block(block, shape).steps
    fusion = fuse(steps, shape, entering)
    return Moved(
        paper=sum(memory_access(steps, fusion, "paper")),
        # A fold into the convolution before the block is charged here: the sum over the network is the same.
        fused=sum(memory_access(steps, fusion, "fused")) + fusion.outside_bias,
        eager=sum(memory_access(steps, fusion, "eager")),
        peak=max(alive(steps, fusion), default=0),
        leaving=fusion.producer,
    )


class Report:
    """What a design costs at one resolution. Counts are of one image; memory is in elements.

    Attributes:
        design: what was analysed.
        resolution: side of the input, in pixels.
        memory: the assumption behind `memory_access`, one of `effviz.count.memory.ASSUMPTIONS`.
        params: trainable numbers.
        macs: fused multiply-adds of convolution and linear layers.
        flops: 2 x macs.
        activations: elements that convolutions put out.
    """

    def __init__(self, design: Design, resolution: int | None = None, memory: str = "fused") -> None:
        if not isinstance(design, Design):
            fail("design", design, "must be a Design; effviz.architecture(name) gives one")
        self.design = design
        self.memory = one_of("memory", memory, ASSUMPTIONS)
        self.input_shape = design.input_shape(resolution)
        self.resolution = self.input_shape[1]
        self.params = self.macs = self.activations = 0
        for run in design.runs(resolution):
            each = block_totals(run.block, run.shape)
            self.params += run.repeats * each.params
            self.macs += run.repeats * each.macs
            self.activations += run.repeats * each.activations
        self.flops = 2 * self.macs

    def __repr__(self) -> str:
        return (
            f"Report({self.design.name}, {self.resolution} px: params={self.params:,}, macs={self.macs:,}, "
            f"memory_access={self.memory_access:,} ({self.memory}), peak_activation={self.peak_activation:,})"
        )

    @cached_property
    def blocks(self) -> list[BuiltBlock]:
        """The blocks of the built network, in order."""
        return self.design.blocks(self.resolution)

    @cached_property
    def _memory(self) -> list[Moved]:
        found: list[Moved] = []
        entering = NETWORK_INPUT
        for entry in self.blocks:
            found.append(_moved(entry.block, entry.shape, entering))
            entering = found[-1].leaving
        return found

    @property
    def memory_accesses(self) -> dict[str, int]:
        """`memory_access` under every assumption."""
        return {name: sum(getattr(each, name) for each in self._memory) for name in ASSUMPTIONS}

    @property
    def memory_access(self) -> int:
        """Elements read + written under the assumption."""
        return sum(getattr(each, self.memory) for each in self._memory)

    @property
    def peak_activation(self) -> int:
        """Most activation elements alive at once, in the fused network."""
        # A network without any arithmetic still holds its input.
        return max(elements(self.input_shape), *(each.peak for each in self._memory))

    @cached_property
    def steps(self) -> list[Step]:
        """Every layer at work, in execution order."""
        blocks = self.design.training_blocks(self.resolution)
        pieces = [(entry.path, trace_block(entry.block, entry.shape)) for entry in blocks]
        return chain(pieces, self.input_shape)

    @cached_property
    def fusion(self) -> Fusion:
        """How the steps run once batch norms are folded and activations fused."""
        return fuse(self.steps, self.input_shape)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per layer, in execution order; its columns add up to the totals.

        Columns: path (the name in ``build(design).named_modules()``), stage, block, layer, kind, in_channels,
        out_channels, kernel_size, stride, groups, input_shape, output_shape, params, macs, flops, memory_access,
        alive (activation elements in memory while the layer runs; 0 where it runs inside the layer before it).
        """
        import pandas as pd

        access = memory_access(self.steps, self.fusion, self.memory)
        living = alive(self.steps, self.fusion)
        rows = [_row(*entry) for entry in zip(self.steps, access, living, strict=True)]
        table = pd.DataFrame(rows)
        for column in ("params", "macs", "flops", "memory_access", "alive"):
            values = [row[column] for row in rows]
            if sum(values) >= 2**63:
                # Beyond 64 bits numpy's sums wrap around without a word; Python's integers do not.
                table[column] = pd.Series(values, dtype=object)
        return table


def _row(step: Step, read_written: int, held: int) -> dict[str, Any]:
    layer: Any = step.layer
    output = step.output.shape
    macs = cost.macs(layer, output)
    kernel, stride = getattr(layer, "kernel_size", None), getattr(layer, "stride", None)
    return {
        "path": step.path,
        "stage": step.path.partition(".")[0],
        "block": step.blocks[0] if step.blocks else "",
        "layer": layer.merge if isinstance(layer, Branches) else type(layer).__name__,
        "kind": kind_of(step),
        "in_channels": step.inputs[0].shape[0],
        "out_channels": output[0],
        "kernel_size": shape_text(pair(kernel)) if kernel is not None else "",
        # A pooling layer without a stride has that of its window.
        "stride": shape_text(pair(kernel if stride is None else stride)) if kernel is not None else "",
        "groups": layer.groups if isinstance(layer, Conv2d) else 1,
        "input_shape": " + ".join(shape_text(tensor.shape) for tensor in step.inputs),
        "output_shape": shape_text(output),
        "params": cost.params(layer),
        "macs": macs,
        "flops": 2 * macs,
        "memory_access": read_written,
        "alive": held,
    }


def analyze(design: Design, resolution: int | None = None, memory: str = "fused") -> Report:
    """Count a design: parameters, multiply-adds, memory access, peak activation memory.

    Args:
        design: from `architecture`, `Design.from_json` or written by hand.
        resolution: side of the input in pixels; None for the design's own.
        memory: assumption behind memory access: ``"paper"``, ``"fused"`` or ``"eager"``.

    Raises:
        DesignError: the network cannot be built at this resolution; the message starts with the layer's path.
    """
    return Report(design, resolution, memory)
