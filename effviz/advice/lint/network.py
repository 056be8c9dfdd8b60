"""A built network as rules look at it: every layer with its row and its cost, and places in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import groupby
from typing import NamedTuple

from effviz.count import cost
from effviz.count.kinds import kind_of
from effviz.count.memory import NETWORK_INPUT, Producer, fuse, memory_access
from effviz.count.report import analyze
from effviz.model.design import Design
from effviz.model.fields import FieldBlock
from effviz.model.layers import Shape, elements
from effviz.model.outline import stage_of
from effviz.model.trace import Step, chain, join, trace_block

SMALL_SIDE = 32
"""Pixels: up to it no map is large, whatever the input: whole images of CIFAR-10 have it."""


class Work(NamedTuple):
    """One layer at work in the built network.

    Attributes:
        path: of the layer.
        row: index in ``design.stages``.
        block: index in `Network.blocks`.
        step: its step in the trace of the block.
        kind: one of `effviz.count.kinds.KINDS`.
        params, macs: as in `effviz.count.cost`.
        access: memory access in elements, fused.
    """

    path: str
    row: int
    block: int
    step: Step
    kind: str
    params: int
    macs: int
    access: int

    @property
    def entering(self) -> Shape:
        """Shape of what it reads first."""
        return self.step.inputs[0].shape

    @property
    def leaving(self) -> Shape:
        """Shape of what it writes."""
        return self.step.output.shape


class _Priced(NamedTuple):
    step: Step
    kind: str
    params: int
    macs: int
    access: int


@lru_cache(maxsize=16_384)
def _priced(block: FieldBlock, shape: Shape, entering: Producer) -> tuple[tuple[_Priced, ...], Producer]:
    steps = trace_block(block, shape).steps
    fusion = fuse(steps, shape, entering)
    access = memory_access(steps, fusion)
    if steps:
        # A norm at the start of the block gives the convolution before the block a bias; the sum stays the same.
        access[0] += fusion.outside_bias
    priced = tuple(
        _Priced(step, kind_of(step), cost.params(step.layer), cost.macs(step.layer, step.output.shape), moved)
        for step, moved in zip(steps, access, strict=True)
    )
    return priced, fusion.producer


class Network:
    """A design as it is built.

    Attributes:
        design: what is built, at its own resolution.
        report: its numbers, memory access fused.
        blocks: in order.
        works: every layer of every block, in execution order.
    """

    def __init__(self, design: Design) -> None:
        self.report = analyze(design)
        self.design = design
        self.blocks = self.report.blocks
        self.works: list[Work] = []
        entering = NETWORK_INPUT
        for index, entry in enumerate(self.blocks):
            priced, entering = _priced(entry.block, entry.shape, entering)
            self.works += [Work(join(entry.path, each.step.path), entry.row, index, *each) for each in priced]

    @cached_property
    def rows(self) -> dict[int, list[Work]]:
        """The layers of every row that is built."""
        return {row: list(works) for row, works in groupby(self.works, lambda work: work.row)}

    @cached_property
    def memory_access(self) -> int:
        """Elements read and written, fused."""
        return sum(work.access for work in self.works)

    @cached_property
    def steps(self) -> list[Step]:
        """The steps of the whole network, one for each of `works`."""
        pieces = [(entry.path, trace_block(entry.block, entry.shape)) for entry in self.blocks]
        return chain(pieces, self.report.input_shape)

    def built(self, row: int) -> list[FieldBlock]:
        """The blocks that are built of a row."""
        return [entry.block for entry in self.blocks if entry.row == row]

    def name(self, row: int) -> str:
        """The stage of a row in words."""
        return spoken(self.design.stages[row].name)

    def is_large(self, shape: Shape, share_of_side: int = 4) -> bool:
        """Whether a map has at least a quarter of the input's side, or another share of it."""
        side = max(image(shape))
        return side > SMALL_SIDE and share_of_side * side >= self.report.resolution

    def where(self, works: Iterable[Work]) -> str:
        """The blocks of some layers of one row in words, counted from 1: "stage 3, blocks 1 to 4"."""
        paths = [self.blocks[index].path for index in sorted({work.block for work in works})]
        stage = stage_of(paths[0])
        if sum(stage_of(entry.path) == stage for entry in self.blocks) == 1:
            return spoken(stage)
        numbers = [int(path.rpartition(".")[2]) + 1 for path in paths]
        return f"{spoken(stage)}, block{'s' if len(numbers) > 1 else ''} {_spans(numbers)}"


def spoken(stage: str) -> str:
    """The name of a stage in words: "stage 3" of ``"stage3"``, "max pool 1" of ``"max_pool1"``; others as they are."""
    return re.sub(r"^(stage|max_pool|transition)(\d+)$", r"\1 \2", stage).replace("max_pool", "max pool")


def _spans(numbers: Sequence[int]) -> str:
    """``[1, 2, 3, 5]`` as "1 to 3 and 5"."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    spans: list[str] = []
    for run in runs:
        spans += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else [str(number) for number in run]
    return " and ".join(filter(None, [", ".join(spans[:-1]), spans[-1]]))


def image(shape: Shape) -> tuple[int, int]:
    """Height and width; (1, 1) for a vector of features."""
    return (shape[1], shape[2]) if len(shape) == 3 else (1, 1)


def pixels(shape: Shape) -> int:
    """Height times width; 1 for a vector of features."""
    return elements(image(shape))


def share(part: float, whole: float) -> float:
    """`part` of `whole`, 0 where there is nothing."""
    return part / whole if whole else 0.0
