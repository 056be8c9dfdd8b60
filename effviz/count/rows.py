"""The layers of a network as plain rows, and their sums, joined from those of its blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from effviz.core.caches import remembered
from effviz.count import cost
from effviz.count.kinds import kind_of
from effviz.count.memory import ASSUMPTIONS, NETWORK_INPUT, Fusion, Producer, alive, fuse, memory_access
from effviz.model.fields import FieldBlock
from effviz.model.layers import Branches, Conv2d, Shape, pair, shape_text
from effviz.model.layout import BuiltBlock
from effviz.model.trace import TraceStep, join, trace_block


class LayerRow(NamedTuple):
    """One layer of a network, a row of `Report.table`."""

    path: str
    stage: str
    block: str
    layer: str
    kind: str
    in_channels: int
    out_channels: int
    kernel_size: str
    stride: str
    groups: int
    input_shape: str
    output_shape: str
    params: int
    macs: int
    flops: int
    memory_access: int
    alive: int


class LayerSums(NamedTuple):
    """Sums over some layers."""

    params: int = 0
    macs: int = 0
    flops: int = 0
    memory_access: int = 0

    def __add__(self, other: Any) -> LayerSums:
        """Add number by number, with another `LayerSums` or a `LayerRow`."""
        return LayerSums(
            self.params + other.params,
            self.macs + other.macs,
            self.flops + other.flops,
            self.memory_access + other.memory_access,
        )


KindSums = Mapping[tuple[str, str], LayerSums]
"""Sums by stage (or another part of a network) and layer kind."""


class BlockInput(NamedTuple):
    """A block of a network, its path, and the shape and the producer of its input."""

    path: str
    block: FieldBlock
    shape: Shape
    producer: Producer


@remembered
def block_fusion(block: FieldBlock, shape: Shape, producer: Producer) -> Fusion:
    """Fuse the layers of one block."""
    return fuse(trace_block(block, shape).steps, shape, producer)


def block_inputs(blocks: Iterable[BuiltBlock]) -> list[BlockInput]:
    """Return the blocks of a network, in order, with the producers of their inputs."""
    found: list[BlockInput] = []
    producer = NETWORK_INPUT
    for entry in blocks:
        found.append(BlockInput(entry.path, entry.block, entry.shape, producer))
        producer = block_fusion(entry.block, entry.shape, producer).producer
    return found


@remembered
def block_peak(block: FieldBlock, shape: Shape, producer: Producer) -> int:
    """Return the peak of the activation elements in memory while one block runs."""
    return max(alive(trace_block(block, shape).steps, block_fusion(block, shape, producer)), default=0)


@remembered
def block_access(block: FieldBlock, shape: Shape, producer: Producer, memory: str) -> int:
    """Return the memory access of one block in elements."""
    fusion = block_fusion(block, shape, producer)
    access = sum(memory_access(trace_block(block, shape).steps, fusion, memory))
    # Folding into the last convolution of the block before is counted here, which does not change the network's sum.
    return access + fusion.outside_bias if ASSUMPTIONS[memory].fuses else access


@remembered
def _block_rows(block: FieldBlock, shape: Shape, producer: Producer, memory: str) -> tuple[LayerRow, ...]:
    """Return the rows of one block, with paths relative to it and without a stage."""
    steps, fusion = trace_block(block, shape).steps, block_fusion(block, shape, producer)
    entries = zip(steps, memory_access(steps, fusion, memory), alive(steps, fusion), strict=True)
    return tuple(_row(*entry) for entry in entries)


def _row(step: TraceStep, read_written: int, held: int) -> LayerRow:
    layer: Any = step.layer
    output = step.output.shape
    macs = cost.macs(layer, output)
    kernel, stride = getattr(layer, "kernel_size", None), getattr(layer, "stride", None)
    return LayerRow(
        path=step.path,
        stage="",
        block=step.blocks[0] if step.blocks else "",
        layer=layer.merge if isinstance(layer, Branches) else type(layer).__name__,
        kind=kind_of(step),
        in_channels=step.inputs[0].shape[0],
        out_channels=output[0],
        kernel_size=shape_text(pair(kernel)) if kernel is not None else "",
        # In torch a pooling layer without a stride has the stride of its window.
        stride=shape_text(pair(kernel if stride is None else stride)) if kernel is not None else "",
        groups=layer.groups if isinstance(layer, Conv2d) else 1,
        input_shape=" + ".join(shape_text(tensor.shape) for tensor in step.inputs),
        output_shape=shape_text(output),
        params=cost.params(layer),
        macs=macs,
        flops=2 * macs,
        memory_access=read_written,
        alive=held,
    )


def layer_rows(inputs: list[BlockInput], memory: str) -> tuple[LayerRow, ...]:
    """Return the layers of a network in execution order.

    Args:
        inputs: its blocks, in order.
        memory: one of `effviz.count.memory.ASSUMPTIONS`.
    """
    rows: list[LayerRow] = []
    last_conv = 0
    for path, block, shape, producer in inputs:
        outside = block_fusion(block, shape, producer).outside_bias if ASSUMPTIONS[memory].fuses else 0
        if outside:
            # Batch norm at the start of this block is folded into the last convolution before it.
            rows[last_conv] = rows[last_conv]._replace(memory_access=rows[last_conv].memory_access + outside)
        stage = path.partition(".")[0]
        for row in _block_rows(block, shape, producer, memory):
            if row.layer == Conv2d.__name__:
                last_conv = len(rows)
            rows.append(LayerRow(join(path, row.path), stage, *row[2:]))
    return tuple(rows)


@remembered
def _block_sums(block: FieldBlock, shape: Shape, producer: Producer, memory: str) -> tuple[dict[str, LayerSums], str]:
    """Return the sums of one block by layer kind, and the kind of its last convolution."""
    sums: dict[str, LayerSums] = {}
    last_conv = ""
    for row in _block_rows(block, shape, producer, memory):
        sums[row.kind] = sums.get(row.kind, LayerSums()) + row
        last_conv = row.kind if row.layer == Conv2d.__name__ else last_conv
    return sums, last_conv


def kind_sums(inputs: list[BlockInput], memory: str) -> dict[tuple[str, str], LayerSums]:
    """Return the sums of a network by stage and layer kind, in the order in which they occur first.

    Args:
        inputs: its blocks, in order.
        memory: one of `effviz.count.memory.ASSUMPTIONS`.
    """
    found: dict[tuple[str, str], LayerSums] = {}
    last_conv = ("", "")
    for path, block, shape, producer in inputs:
        if ASSUMPTIONS[memory].fuses and (outside := block_fusion(block, shape, producer).outside_bias):
            found[last_conv] += LayerSums(memory_access=outside)
        stage = path.partition(".")[0]
        sums, conv = _block_sums(block, shape, producer, memory)
        for kind, each in sums.items():
            found[stage, kind] = found.get((stage, kind), LayerSums()) + each
        last_conv = (stage, conv) if conv else last_conv
    return found
