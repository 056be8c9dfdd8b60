"""A built network for the rules: every layer with its row and cost, and rows with the changes that rules propose."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate, groupby
from typing import Any, NamedTuple, TypeAlias

from effviz.advice.lint.edits import edited, rewidened
from effviz.advice.lint.findings import Finding, Proposal
from effviz.core.caches import remembered
from effviz.core.resolution import Resolution, as_resolution, sides
from effviz.count import cost
from effviz.count.kinds import kind_of
from effviz.count.memory import NETWORK_INPUT, Producer, alive, fuse, memory_access
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.fields import FieldBlock, declared
from effviz.model.layers import Shape, elements
from effviz.model.outline import stage_of
from effviz.model.shapes import out_shape
from effviz.model.trace import TraceStep, chain, join, trace_block

SMALL_SIDE = 32
"""Pixels. Maps up to this side are never large, because whole images of CIFAR-10 have it."""


class BuiltLayer(NamedTuple):
    """One layer of the built network with its cost."""

    path: str
    row: int  # index in ``design.stages``
    block: int  # index in `BuiltNetwork.blocks`
    step: TraceStep  # in the trace of the block
    kind: str  # one of `effviz.count.kinds.KINDS`
    params: int  # as in `effviz.count.cost`
    macs: int
    access: int  # memory access in elements, fused

    @property
    def input_shape(self) -> Shape:
        """Shape of the first input."""
        return self.step.inputs[0].shape

    @property
    def output_shape(self) -> Shape:
        """Shape of the output."""
        return self.step.output.shape


_StepCost: TypeAlias = tuple[TraceStep, str, int, int, int]
"""The fields of `BuiltLayer` from `step` on."""

_LAYER_BYTES = 1_500
"""Measured for layers and steps."""

_WINDOW_ROWS = 32
"""Networks with at most so many rows are judged as a whole."""

_MARGIN = 3
"""Rows with weights around the rows that a change may concern. Rules relate at most three such layers."""


class Outside(NamedTuple):
    """The part of a network around a window of its rows: its costs, and what it feeds into the window."""

    first: int  # index of the window's first row
    producer: Producer  # of the window's input
    resolution: Resolution  # of the network
    params: int = 0
    macs: int = 0
    memory_access: int = 0
    peak_activation: int = 0


@remembered
def _step_costs(block: FieldBlock, shape: Shape, producer: Producer) -> tuple[tuple[_StepCost, ...], Producer, int]:
    """Return the layers of a block with their costs, the producer of its output, and its peak of activations."""
    steps = trace_block(block, shape).steps
    fusion = fuse(steps, shape, producer)
    access = memory_access(steps, fusion)
    if steps:
        # A norm at the start of the block adds a bias to the convolution before the block; the sum stays the same.
        access[0] += fusion.outside_bias
    costs = tuple(
        (step, kind_of(step), cost.params(step.layer), cost.macs(step.layer, step.output.shape), moved)
        for step, moved in zip(steps, access, strict=True)
    )
    return costs, fusion.producer, max(alive(steps, fusion), default=0)


class BuiltNetwork:
    """A design as it is built, or a window of its rows.

    Attributes:
        design: the design, at its own resolution.
        outside: the rest of the network if this is a window.
        blocks: in order.
        layers: of every block, in execution order.
        params, macs, memory_access, peak_activation: of the whole network, as in `effviz.Report`, fused.
        resolution: of the whole network.
    """

    def __init__(self, design: Design, outside: Outside | None = None) -> None:
        self.design = design
        self.outside = outside or Outside(0, NETWORK_INPUT, design.resolution)
        self.resolution = self.outside.resolution
        self.blocks = design.blocks()
        self.layers: list[BuiltLayer] = []
        self._producers, self._peaks = [self.outside.producer], []
        for index, entry in enumerate(self.blocks):
            costs, producer, peak = _step_costs(entry.block, entry.shape, self._producers[-1])
            self.layers += [BuiltLayer(join(entry.path, each[0].path), entry.row, index, *each) for each in costs]
            self._producers.append(producer)
            self._peaks.append(peak)
        self.params = self.outside.params + sum(layer.params for layer in self.layers)
        self.macs = self.outside.macs + sum(layer.macs for layer in self.layers)
        self.memory_access = self.outside.memory_access + sum(layer.access for layer in self.layers)
        # The input of the network counts even if the network has no arithmetic.
        start = self.outside.peak_activation or elements(design.input_shape())
        self.peak_activation = max(start, *self._peaks)

    def __sizeof__(self) -> int:
        """Return the bytes of the network once its steps are read, for caches."""
        return _LAYER_BYTES * len(self.layers)

    # --- windows -------------------------------------------------------------------------------------------------

    @cached_property
    def output(self) -> tuple[Shape, Producer]:
        """Shape and producer of the output."""
        last = self.blocks[-1]
        return out_shape(last.block, last.shape), self._producers[-1]

    def with_design(self, design: Design) -> BuiltNetwork:
        """Return the network with other rows in the place of these."""
        return BuiltNetwork(design, self.outside)

    def affordable(self, changed: Design | None, rise: float | None) -> Design | None:
        """Return `changed` if neither parameters nor multiply-adds increase by more than the share `rise`."""
        if changed is None or rise is None:
            return changed
        then = self.with_design(changed)
        most = 1 + rise
        return changed if then.macs <= most * self.macs and then.params <= most * self.params else None

    def window(self, row: int) -> BuiltNetwork | None:
        """Return the rows around one as a network, None if they are most of the network or their input is no image.

        They include the rows that a change of `row` may concern: its stage and the stage before, and a margin.
        """
        stages = self.design.stages
        first, end = self._whole_stages(max(0, row - 1), row + 1)
        for _ in range(_MARGIN):
            first, end = self._whole_stages(*self._next_weights(first, end))
        start, stop = (bisect_left(self.blocks, row, key=lambda entry: entry.row) for row in (first, end))
        shape = self.blocks[start].shape
        if len(stages) <= _WINDOW_ROWS or 2 * (end - first) > len(stages) or len(shape) != 3:
            return None
        inside = self.layers[
            slice(*(bisect_left(self.layers, block, key=lambda layer: layer.block) for block in (start, stop)))
        ]
        before, after = self._extremes
        outside = Outside(
            first, self._producers[start], self.resolution,
            self.params - sum(layer.params for layer in inside), self.macs - sum(layer.macs for layer in inside),
            self.memory_access - sum(layer.access for layer in inside),
            max(before[start], after[stop]),
        )  # fmt: skip
        part = replace(self.design, stages=stages[first:end], in_channels=shape[0], resolution=as_resolution(shape[1:]))
        return BuiltNetwork(part, outside)

    @cached_property
    def _extremes(self) -> tuple[list[int], list[int]]:
        """The peak activation of the blocks before each block, and of the blocks from it on."""
        before = accumulate(self._peaks, max, initial=elements(self.design.input_shape()))
        after = accumulate(reversed(self._peaks), max, initial=0)
        return list(before), list(after)[::-1]

    def _whole_stages(self, first: int, end: int) -> tuple[int, int]:
        """Extend a range of rows to the ends of their stages."""
        stages = self.design.stages
        while first > 0 and stages[first - 1].name == stages[first].name:
            first -= 1
        while end < len(stages) and stages[end].name == stages[end - 1].name:
            end += 1
        return first, end

    def _next_weights(self, first: int, end: int) -> tuple[int, int]:
        """Extend a range of rows to the next row with weights at each side."""
        first, end = first - 1, end + 1
        while first > 0 and not self._has_weights(first):
            first -= 1
        while end < len(self.design.stages) and not self._has_weights(end - 1):
            end += 1
        return max(0, first), min(end, len(self.design.stages))

    def _has_weights(self, row: int) -> bool:
        return any(layer.macs for layer in self.rows.get(row, ()))

    # --- layers --------------------------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> dict[int, list[BuiltLayer]]:
        """The layers of every row that is built."""
        return by_row(self.layers)

    @cached_property
    def blocks_of(self) -> dict[int, list[FieldBlock]]:
        """The blocks of every row that is built."""
        return {row: [entry.block for entry in each] for row, each in groupby(self.blocks, lambda entry: entry.row)}

    @cached_property
    def _sizes(self) -> Counter[str]:
        """The number of blocks in every stage."""
        return Counter(stage_of(entry.path) for entry in self.blocks)

    @cached_property
    def steps(self) -> list[TraceStep]:
        """The steps of the whole network, one for each of `layers`."""
        pieces = [(entry.path, trace_block(entry.block, entry.shape)) for entry in self.blocks]
        return chain(pieces, self.design.input_shape())

    def row(self, index: int) -> BuiltRow:
        """Return the row at an index of ``design.stages``."""
        return BuiltRow(self, index)

    def is_large(self, shape: Shape, share_of_side: int = 4) -> bool:
        """Whether a map has at least 1 / `share_of_side` of the input's side; the longer sides are compared."""
        side = max(image(shape))
        return side > SMALL_SIDE and share_of_side * side >= max(sides(self.resolution))

    def where(self, layers: Iterable[BuiltLayer]) -> str:
        """Name the blocks of some layers of one row, counted from 1: "stage 3, blocks 1 to 4"."""
        paths = [self.blocks[index].path for index in sorted({layer.block for layer in layers})]
        stage = stage_of(paths[0])
        if self._sizes[stage] == 1:
            return spoken(stage)
        numbers = [int(path.rpartition(".")[2]) + 1 for path in paths]
        return f"{spoken(stage)}, block{'s' if len(numbers) > 1 else ''} {_spans(numbers)}"

    def finding(self, rule: str, layers: Sequence[BuiltLayer], degree: float, why: str) -> Finding:
        """Return a finding about some layers of one row."""
        return Finding(rule, layers[0].row, layers[0].path, self.where(layers), why, degree)


class BuiltRow:
    """A row of a built network, and the changes of it that several rules propose.

    Attributes:
        network: the whole network.
        design, index, stage: the row in the stage table.
        name: its stage in words.
        fields: of its block, defaults included.
    """

    def __init__(self, network: BuiltNetwork, index: int) -> None:
        self.network, self.design, self.index = network, network.design, index
        self.stage = self.design.stages[index]
        self.name = spoken(self.stage.name)
        self.fields: dict[str, Any] = {
            field.name: field.default for field in declared(BLOCKS[self.stage.block])
        } | dict(self.stage.fields)

    @property
    def layers(self) -> list[BuiltLayer]:
        """The layers that are built from the row."""
        return self.network.rows[self.index]

    @property
    def blocks(self) -> list[FieldBlock]:
        """The blocks that are built from the row."""
        return self.network.blocks_of.get(self.index, [])

    @property
    def width(self) -> int | None:
        """Output channels of the last block; None if the block has no such field."""
        return vars(self.blocks[-1]).get("out_channels") if self.blocks else None

    def propose(self, label: str, changed: Design | None, rise: float | None = None) -> Proposal:
        """Propose a design; the label's ``{}`` is the row's name, and `rise` is that of `BuiltNetwork.affordable`."""
        return Proposal(label.format(self.name), self.network.affordable(changed, rise))

    def change(self, label: str, rise: float | None = None, **changes: Any) -> Proposal:
        """Propose other attributes or fields of the row."""
        return self.propose(label, edited(self.design, {self.index: changes}), rise)

    def kernel(self, size: int, *, rise: float | None = None, reset_padding: bool = False) -> Proposal:
        """Propose another kernel size, on request with the padding that the block derives from it."""
        padding = {"padding": None} if reset_padding and "padding" in self.fields else {}
        old = self.fields["kernel_size"]
        label = f"Use {size}×{size} kernels instead of {old}×{old} in {{}}"
        return self.change(label, rise, kernel_size=size, **padding)

    def output_channels(self, channels: int, *, rise: float | None = None) -> Proposal:
        """Propose another number of output channels."""
        label = f"Use {channels} output channels instead of {self.width} in {{}}"
        return self.propose(label, rewidened(self.design, self.index, channels), rise)

    def stride_1(self) -> dict[str, Any]:
        """Return the changes that keep the resolution: stride 1, and for pooling a kernel with a center pixel."""
        if self.stage.block in ("max_pool", "avg_pool"):
            size = self.fields["kernel_size"]
            return {"stride": 1, "kernel_size": size + 1 - size % 2, "padding": None, "ceil_mode": False}
        return {"stride": 1}

    def without_excitation(self) -> Iterable[Proposal]:
        """Propose the row without squeeze-and-excitation, if it has any."""
        ratio = self.fields.get("se_ratio", 0)
        if ratio > 0:
            label = f"Use no squeeze-and-excitation in {{}} (se_ratio 0 instead of {ratio:.3g})"
            yield self.change(label, se_ratio=0.0)


def by_row(layers: Iterable[BuiltLayer]) -> dict[int, list[BuiltLayer]]:
    """Return layers in execution order by their row."""
    return {row: list(group) for row, group in groupby(layers, lambda layer: layer.row)}


def spoken(stage: str) -> str:
    """Return the name of a stage in words: "stage 3" for ``"stage3"``, "max pool 1" for ``"max_pool1"``."""
    return re.sub(r"^(stage|max_pool|transition)(\d+)$", r"\1 \2", stage).replace("max_pool", "max pool")


def _spans(numbers: Sequence[int]) -> str:
    """Write ``[1, 2, 3, 5]`` as "1 to 3 and 5"."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    spans: list[str] = []
    for run in runs:
        spans += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else [str(number) for number in run]
    return listed(spans)


def listed(items: Iterable[object]) -> str:
    """Write ``[58, 92, 116]`` as "58, 92 and 116"."""
    *first, last = map(str, items)
    return f"{', '.join(first)} and {last}" if first else last


def image(shape: Shape) -> tuple[int, int]:
    """Return height and width; (1, 1) for a vector of features."""
    return (shape[1], shape[2]) if len(shape) == 3 else (1, 1)


def pixels(shape: Shape) -> int:
    """Return height times width; 1 for a vector of features."""
    return elements(image(shape))


def share(part: float, whole: float) -> float:
    """Return `part` of `whole`, 0 if the whole is 0."""
    return part / whole if whole else 0.0
