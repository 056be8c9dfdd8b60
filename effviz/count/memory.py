"""Memory access and peak activation memory, in elements, batch 1.

`ASSUMPTIONS` declares how a network runs: which layers read and write memory, and which run inside another layer. Views
(split, slice, subsampling, flatten, identity, dropout and stochastic depth in evaluation) cost nothing.

A batch norm is folded only if its input is the output of a convolution and has no other reader. An activation is fused
only into a step whose output has no other reader. Others stay separate, such as DenseNet's norms after a concatenation.

A selection of channels copies them, because the selected channels are not contiguous. It reads these channels and
their indices and writes its output, fused or not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from effviz.core.errors import one_of
from effviz.count import cost
from effviz.model.layers import Activation, BatchNorm2d, Branches, ChannelSelect, Conv2d, Layer, Linear, Shape, elements
from effviz.model.trace import TraceStep, storage_sizes


@dataclass(frozen=True)
class Assumption:
    """An assumption about the run in which memory is read and written."""

    label: str  # on screen
    help: str  # the assumption in a phrase, for pages and exports
    layers: tuple[type[Layer], ...] | None = None  # classes of the layers that count; None for all layers
    biases: bool = True  # whether biases are read
    # Batch norm is folded into the convolution before it, an activation runs inside the step before it.
    fuses: bool = False


ASSUMPTIONS = {
    # arXiv 1807.11164, equation 1.
    "paper": Assumption(
        "Paper",
        "convolution and linear layers only, input + output + weights (ShuffleNetV2, eq. 1)",
        layers=(Conv2d, Linear),
        biases=False,
    ),
    "fused": Assumption(
        "Fused",
        "batch norm folded into the convolution, activation fused into the layer before it",
        fuses=True,
    ),
    "eager": Assumption("Eager", "every operation as PyTorch runs it, batch norm and activation on their own"),
}
"""The assumptions about memory access, by the name in `effviz.analyze` and in links."""


class Producer(NamedTuple):
    """The step that wrote a tensor, with the properties that decide about fusion."""

    fusable: bool  # a step with arithmetic wrote it, so an activation can run inside that step
    is_conv: bool = False  # that step is a convolution, so batch norm can be folded into it
    has_bias: bool = False  # that convolution has a bias
    held: int = 0  # elements of the whole storage if the tensor is a part of it, otherwise 0


NETWORK_INPUT = Producer(fusable=False)


@dataclass(frozen=True)
class Fusion:
    """The steps of a trace after folding and fusing."""

    sizes: dict[int, int]  # elements of every storage
    absorbed: tuple[bool, ...]  # per step, whether it runs inside an earlier step
    folded_bias: tuple[int, ...]  # per step, elements of the bias that folding adds to it
    outside_bias: int  # the same for the step that writes the input of the trace
    home: dict[int, int]  # for each storage, the storage that holds its values after in-place operations
    producer: Producer  # of the output of the trace


def fuse(steps: Sequence[TraceStep], shape: Shape, producer: Producer = NETWORK_INPUT) -> Fusion:
    """Fold batch norms and fuse activations of a trace; `shape` and `producer` are those of its input."""
    readers: dict[int, int] = {}
    for step in steps:
        if not step.is_view:
            for tensor in step.inputs if len(step.inputs) == 1 else set(step.inputs):
                readers[tensor.storage] = readers.get(tensor.storage, 0) + 1
    sizes = storage_sizes(steps, shape)
    sizes[0] = max(sizes[0], producer.held)
    producers = {0: producer}
    writers: dict[int, int] = {}
    home = {0: 0}
    absorbed = [False] * len(steps)
    folded_bias, outside_bias = [0] * len(steps), 0
    for index, step in enumerate(steps):
        if step.is_view:
            continue
        source, output = step.inputs[0], step.output.storage
        before = producers[source.storage]
        # An in-place operation needs the whole storage and must be its only reader.
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
    if steps:
        output = steps[-1].output.storage
        is_whole = elements(steps[-1].output.shape) == sizes[output]
        producer = producers[output] if is_whole and not readers.get(output) else Producer(False, held=sizes[output])
    return Fusion(sizes, tuple(absorbed), tuple(folded_bias), outside_bias, home, producer)


def _intermediate(step: TraceStep) -> int:
    """Count the elements of partial results of a sum or product of three or more tensors."""
    layer = step.layer
    if not isinstance(layer, Branches) or layer.merge == "concat":
        return 0
    shape, total = step.inputs[0].shape, 0
    for tensor in step.inputs[1:-1]:
        shape = layer.merged([shape, tensor.shape])
        total += elements(shape)
    return total


class Access(NamedTuple):
    """Elements that a step reads or writes."""

    name: str  # what is read or written
    sizes: tuple[tuple[int, ...], ...]  # of one or more tensors, each as factors


def not_counted(step: TraceStep, fusion: Fusion, index: int, assumption: Assumption) -> str:
    """Return the reason why a step has no memory access; ``""`` if it has one."""
    if step.is_view:
        return "a view moves no data"
    if assumption.layers is not None and not isinstance(step.layer, assumption.layers):
        return f"only {' and '.join(kind.__name__ for kind in assumption.layers)} layers count"
    if assumption.fuses and fusion.absorbed[index]:
        folded = isinstance(step.layer, BatchNorm2d)
        return "folded into the convolution before it" if folded else "runs inside the layer before it"
    return ""


def accesses(step: TraceStep, fusion: Fusion, index: int, assumption: Assumption) -> list[Access]:
    """List the memory accesses of a step that counts: its inputs and parameters, then its output."""
    layer = step.layer
    if isinstance(layer, ChannelSelect):
        # A channel that is copied several times is read once.
        read = (min(layer.in_channels, layer.out_channels), *step.output.shape[1:])
        found = [Access("selected channels", (read,)), Access("indices", ((layer.out_channels,),))]
    else:
        found = [Access("input" if len(step.inputs) == 1 else "inputs", tuple(tensor.shape for tensor in step.inputs))]
    if weights := cost.weights(layer):
        found.append(Access("weights", ((weights,),)))
    bias = cost.biases(layer) if assumption.biases else 0
    if assumption.fuses:
        bias += fusion.folded_bias[index]
    if bias:
        found.append(Access("bias", ((bias,),)))
    if isinstance(layer, BatchNorm2d):
        # They are not trainable and therefore no parameters.
        found.append(Access("running mean and variance", ((2, layer.num_features),)))
    if partial := _intermediate(step):
        found.append(Access("intermediate results, written and read", ((2, partial),)))
    return [*found, Access("output", (step.output.shape,))]


def step_access(step: TraceStep, fusion: Fusion, index: int, assumption: Assumption) -> int:
    """Count the elements that one step reads and writes."""
    if not_counted(step, fusion, index, assumption):
        return 0
    return sum(prod(size) for access in accesses(step, fusion, index, assumption) for size in access.sizes)


def memory_access(steps: Sequence[TraceStep], fusion: Fusion, assumption: str = "fused") -> list[int]:
    """Count the elements that each step of a trace reads and writes; `assumption` is one of `ASSUMPTIONS`."""
    rule = ASSUMPTIONS[one_of("memory", assumption, ASSUMPTIONS)]
    return [step_access(step, fusion, index, rule) for index, step in enumerate(steps)]


def alive(steps: Sequence[TraceStep], fusion: Fusion) -> list[int]:
    """Count the activation elements in memory while each step of the fused network runs.

    These are its inputs, its output and all tensors that a later step reads, including the network's input. A view
    keeps its whole storage alive. The count is 0 for views and for steps that run inside another step.
    """
    counts = [0] * len(steps)
    for index, storages in _held(steps, fusion):
        counts[index] = sum(fusion.sizes[storage] for storage in storages)
    return counts


def storages_alive(steps: Sequence[TraceStep], fusion: Fusion, index: int) -> list[int]:
    """Return the storages in memory while one step of the fused network runs, as `alive` counts them, in order."""
    return next((sorted(storages) for place, storages in _held(steps, fusion) if place == index), [])


def _held(steps: Sequence[TraceStep], fusion: Fusion) -> Iterator[tuple[int, set[int]]]:
    """Yield each step that runs by itself, and the storages in memory while it runs."""
    running = [index for index, step in enumerate(steps) if not (step.is_view or fusion.absorbed[index])]
    touched = {
        index: {fusion.home[tensor.storage] for tensor in (*steps[index].inputs, steps[index].output)}
        for index in running
    }
    last: dict[int, int] = {}
    for index in running:
        last.update(dict.fromkeys(touched[index], index))
    held: set[int] = set()
    for index in running:
        held |= touched[index]
        yield index, held
        held -= {storage for storage in touched[index] if last[storage] == index}
