"""Memory access and peak activation memory, in elements, batch 1.

Three assumptions about what a step reads and writes:

- ``"paper"``: convolution and linear layers only: input + output + weights (ShuffleNetV2, arXiv 1807.11164, eq. 1).
- ``"fused"`` (the default): batch norm is folded into the convolution before it, which then has a bias; an activation
  runs inside the step before it. Every other step reads its inputs and its parameters and writes its output.
- ``"eager"``: every operation as PyTorch runs it without a compiler: batch norm reads its map and four vectors and
  writes the map, an activation reads and writes its map.

Views (split, slice, flatten, identity, dropout and stochastic depth in evaluation) cost nothing. A batch norm is
folded only where that is possible: directly behind a convolution whose output nothing else reads. An activation is
fused only into a step whose output nothing else reads. Elsewhere (DenseNet's norms behind a concatenation) they stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from effviz.core.errors import one_of
from effviz.count import cost
from effviz.model.layers import Activation, BatchNorm2d, Branches, Conv2d, Linear, Shape, elements
from effviz.model.trace import Step, storage_sizes

ASSUMPTIONS = {
    "paper": "convolution and linear layers only, input + output + weights (ShuffleNetV2, eq. 1)",
    "fused": "batch norm folded into the convolution, activation fused into the layer before it",
    "eager": "every operation as PyTorch runs it, batch norm and activation on their own",
}
"""What is assumed of the run in which memory is accessed, in a reader's words."""


class Producer(NamedTuple):
    """What wrote a tensor, as far as fusing with it goes.

    Attributes:
        fusable: a computing step wrote it, so an activation can run inside that step.
        is_conv: that step is a convolution, so batch norm can be folded into it.
        has_bias: that convolution has a bias already.
        held: elements of the storage it lies in, where the tensor is only a part of that; else 0.
    """

    fusable: bool
    is_conv: bool = False
    has_bias: bool = False
    held: int = 0


NETWORK_INPUT = Producer(fusable=False)


@dataclass(frozen=True)
class Fusion:
    """How the steps of a trace run once folded and fused.

    Attributes:
        sizes: elements of every storage.
        absorbed: per step, whether it disappears into the step before it.
        folded_bias: per step, elements of a bias that folding added to it.
        outside_bias: the same for the step that wrote the input of the trace.
        home: the storage in which each storage really lives, after work in place.
        producer: what wrote the output of the trace.
    """

    sizes: dict[int, int]
    absorbed: tuple[bool, ...]
    folded_bias: tuple[int, ...]
    outside_bias: int
    home: dict[int, int]
    producer: Producer


def fuse(steps: Sequence[Step], shape: Shape, entering: Producer = NETWORK_INPUT) -> Fusion:
    """Fold batch norms and fuse activations.

    Args:
        steps: a trace.
        shape: of the input of the trace.
        entering: what wrote that input.
    """
    readers = Counter(tensor.storage for step in steps if not step.is_view for tensor in set(step.inputs))
    sizes = storage_sizes(steps, shape)
    sizes[0] = max(sizes[0], entering.held)
    producers = {0: entering}
    writers: dict[int, int] = {}
    home = {0: 0}
    absorbed = [False] * len(steps)
    folded_bias, outside_bias = [0] * len(steps), 0
    for index, step in enumerate(steps):
        if step.is_view:
            continue
        source, output = step.inputs[0], step.output.storage
        before = producers[source.storage]
        # Work in place needs the whole tensor, and nobody else who wants to read what was there.
        alone = readers[source.storage] == 1 and elements(source.shape) == sizes[source.storage]
        producers[output] = Producer(fusable=True)
        home[output] = output
        if isinstance(step.layer, Conv2d):
            producers[output] = Producer(fusable=True, is_conv=True, has_bias=step.layer.bias)
            writers[output] = index
        elif isinstance(step.layer, BatchNorm2d) and alone and before.is_conv:
            absorbed[index] = True
            if not before.has_bias and source.storage in writers:
                folded_bias[writers[source.storage]] += step.layer.num_features
            elif not before.has_bias:
                outside_bias += step.layer.num_features
        elif isinstance(step.layer, Activation) and alone and before.fusable:
            absorbed[index] = True
        if absorbed[index]:
            home[output] = home[source.storage]
    leaving = entering
    if steps:
        output = steps[-1].output.storage
        is_whole = elements(steps[-1].output.shape) == sizes[output]
        leaving = producers[output] if is_whole and not readers[output] else Producer(False, held=sizes[output])
    return Fusion(sizes, tuple(absorbed), tuple(folded_bias), outside_bias, home, leaving)


def _reads(step: Step) -> int:
    return sum(elements(tensor.shape) for tensor in step.inputs)


def between(step: Step) -> int:
    """Elements of the intermediate results of a sum or product of three or more: each is written, then read."""
    layer = step.layer
    if not isinstance(layer, Branches) or layer.merge == "concat":
        return 0
    shape, total = step.inputs[0].shape, 0
    for tensor in step.inputs[1:-1]:
        shape = layer.merged([shape, tensor.shape])
        total += elements(shape)
    return total


def _access_paper(step: Step) -> int:
    if not isinstance(step.layer, (Conv2d, Linear)):
        return 0
    return _reads(step) + elements(step.output.shape) + cost.weights(step.layer)


def _access_eager(step: Step) -> int:
    if step.is_view:
        return 0
    parameters = cost.params(step.layer)
    if isinstance(step.layer, BatchNorm2d):
        # The running mean and variance are read too, though they are not trained.
        parameters += 2 * step.layer.num_features
    return _reads(step) + 2 * between(step) + elements(step.output.shape) + parameters


def memory_access(steps: Sequence[Step], fusion: Fusion, assumption: str = "fused") -> list[int]:
    """Elements that each step reads and writes, under one of `ASSUMPTIONS`.

    Args:
        steps: a trace.
        fusion: the result of `fuse` for it.
        assumption: ``"paper"``, ``"fused"`` or ``"eager"``.
    """
    one_of("memory", assumption, ASSUMPTIONS)
    if assumption == "paper":
        return [_access_paper(step) for step in steps]
    if assumption == "eager":
        return [_access_eager(step) for step in steps]
    return [
        0 if gone else _access_eager(step) + bias
        for step, gone, bias in zip(steps, fusion.absorbed, fusion.folded_bias, strict=True)
    ]


def alive(steps: Sequence[Step], fusion: Fusion) -> list[int]:
    """Activation elements in memory while each step runs, in the fused network.

    That is its inputs, its output, and every tensor that a later step still reads; the input of the network counts, a
    view keeps the whole of what it looks at. 0 for views and for what runs inside another step.

    Args:
        steps: a trace.
        fusion: the result of `fuse` for it.
    """
    sizes = fusion.sizes
    running = [index for index, step in enumerate(steps) if not (step.is_view or fusion.absorbed[index])]
    touched = {
        index: {fusion.home[tensor.storage] for tensor in (*steps[index].inputs, steps[index].output)}
        for index in running
    }
    last: dict[int, int] = {}
    for index in running:
        last.update(dict.fromkeys(touched[index], index))
    counts = [0] * len(steps)
    held: set[int] = set()
    for index in running:
        held |= touched[index]
        counts[index] = sum(sizes[storage] for storage in held)
        held = {storage for storage in held if last[storage] > index}
    return counts
