"""Places of tensors in the arena: one block of memory in which tensors with disjoint lifetimes share bytes.

The planner is that of TensorFlow Lite for Microcontrollers, greedy by size (arXiv 2001.03288, section 5.2): the largest
tensor first, each at the lowest offset that is free during its lifetime.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from effviz.count.microcontroller.kernels import Kernels, scratch
from effviz.count.microcontroller.operators import INPUT, OperatorGraph
from effviz.model.layers import elements

ALIGNMENT = 16
"""Bytes: the offset and the size of each buffer are multiples of it."""


class Buffer(NamedTuple):
    """Bytes that are needed from one operator to another.

    Attributes:
        path: of the layer that writes the tensor or needs the scratch memory; "input" for the image.
        kind: "tensor" or "scratch".
        size: in bytes, before alignment.
        first: number of the operator that writes it.
        last: number of the last operator that reads it.
    """

    path: str
    kind: str
    size: int
    first: int
    last: int


class PlacedBuffer(NamedTuple):
    """A buffer and its place in the arena, in bytes."""

    buffer: Buffer
    offset: int


def aligned(size: int) -> int:
    """Return `size` rounded up to a multiple of `ALIGNMENT`."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def buffers(graph: OperatorGraph, kernels: Kernels) -> list[Buffer]:
    """Return the tensors of a graph with one byte per element, then the scratch memory of its operators.

    The image is needed from the first operator, and the result until the last one.
    """
    end = max(len(graph.operators) - 1, 0)
    last = graph.writers | {INPUT: 0}
    for place, operator in enumerate(graph.operators):
        last.update(dict.fromkeys(operator.inputs, place))
    last[graph.output] = end
    tensors = []
    for number, shape in enumerate(graph.shapes):
        first = graph.writers.get(number, 0)
        path = graph.operators[first].path if number in graph.writers else "input"
        tensors.append(Buffer(path, "tensor", elements(shape), first, last[number]))
    return tensors + [
        Buffer(operator.path, "scratch", size, place, place)
        for place, operator in enumerate(graph.operators)
        for size in scratch(operator, graph.shapes, kernels)
    ]


def alive(buffers: Iterable[Buffer], count: int) -> list[int]:
    """Return the bytes that are needed while each of `count` operators runs; without any, those of the image."""
    count = max(count, 1)
    changes = [0] * (count + 1)
    for each in buffers:
        changes[each.first] += each.size
        changes[each.last + 1] -= each.size
    total, counts = 0, []
    for change in changes[:count]:
        total += change
        counts.append(total)
    return counts


def plan(buffers: Sequence[Buffer]) -> list[PlacedBuffer]:
    """Place buffers greedily by size; the result has their order.

    Of equal sizes, the one that comes last in `buffers` is placed first, as in that planner.
    """
    order = sorted(range(len(buffers)), key=lambda place: (aligned(buffers[place].size), place), reverse=True)
    offsets: dict[int, int] = {}
    during: list[list[int]] = [[] for _ in range(max((each.last for each in buffers), default=0) + 1)]
    for place in order:
        size = aligned(buffers[place].size)
        lifetime = during[buffers[place].first : buffers[place].last + 1]
        start = 0
        for other in sorted(set().union(*lifetime), key=offsets.__getitem__):
            if offsets[other] - start >= size:
                break
            start = max(start, offsets[other] + aligned(buffers[other].size))
        offsets[place] = start
        for taken in lifetime:
            taken.append(place)
    return [PlacedBuffer(buffer, offsets[place]) for place, buffer in enumerate(buffers)]


def height(placed: Iterable[PlacedBuffer]) -> int:
    """Return the bytes of an arena with these buffers."""
    return max((each.offset + aligned(each.buffer.size) for each in placed), default=0)
