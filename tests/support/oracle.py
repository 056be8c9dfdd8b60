"""Counts of the operations that torch executes: the independent reference for the analytic counts.

All counts are derived from the aten ops of one forward pass in evaluation mode, without gradients, at batch size 1. The
pass runs on the meta device, which computes only shapes. With `record(..., device="cpu")` it also computes values.

An op reads all its tensor arguments and writes one tensor. Counts are in elements. A *value* is the content of a
storage between two writes. An in-place op reads one value and writes another, so `inplace=True` changes no count.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.flop_counter import FlopCounterMode

Shape = tuple[int, ...]

# Positions of input, weight and bias among the arguments of a convolution or a linear layer.
OPERANDS = {"convolution": (0, 1, 2), "linear": (0, 1, 2), "addmm": (1, 2, 0), "mm": (0, 1)}
BATCH_NORMS = {"native_batch_norm", "_native_batch_norm_legit_no_training"}
ACTIVATIONS = {
    *("relu", "relu6", "hardtanh", "hardswish", "silu", "sigmoid", "hardsigmoid", "gelu", "tanh", "leaky_relu", "elu"),
    *("selu", "celu", "mish", "softplus", "softshrink", "hardshrink", "threshold", "log_sigmoid_forward"),
    *("clamp", "clamp_min", "clamp_max", "_prelu_kernel"),
}
# Their other outputs are for the backward pass, and their sizes depend on the device:
# batch norm saves 0 elements on the CPU and C on the meta device.
SIDE_OUTPUTS = BATCH_NORMS | {"native_layer_norm", "native_group_norm", "log_sigmoid_forward"}
# With one group, or one channel per group, the meta device returns a view and the CPU copies.
ALWAYS_COPIES = {"channel_shuffle", "native_channel_shuffle"}


@dataclass(frozen=True)
class Ref:
    """A tensor as one op sees it; `value` is None for a parameter, a buffer or a constant."""

    value: int | None
    shape: Shape
    elements: int


@dataclass(frozen=True)
class Op:
    """One executed op, or several fused into the first; `kind` is its role in fusion, `path` the module that ran it."""

    name: str
    kind: str
    path: str
    reads: tuple[Ref, ...]
    write: Ref

    @property
    def memory_access(self) -> int:
        """Elements read and written."""
        return sum(ref.elements for ref in self.reads) + self.write.elements

    def __str__(self) -> str:
        inputs = ", ".join("x".join(map(str, ref.shape[1:])) for ref in self.reads if ref.value is not None)
        return f"{self.path or '(root)'}: {self.name} {inputs} -> {'x'.join(map(str, self.write.shape[1:]))}"


@dataclass(frozen=True)
class Recording:
    """The ops of one forward pass in execution order, without views, and the values at its two ends."""

    ops: tuple[Op, ...]
    input: Ref
    outputs: tuple[Ref, ...]


@dataclass
class _Run:
    """A forward pass on `image`: the modules being called, outermost first, and what the finished ones returned."""

    image: Tensor
    forward: Callable[[], Any]
    active: list[str] = field(default_factory=list)
    shapes: dict[str, Any] = field(default_factory=dict)

    def enter(self, path: str) -> None:
        self.active.append(path)

    def leave(self, path: str, output: Any) -> None:
        self.active.pop()
        self.shapes[path] = tree_map_only(Tensor, lambda tensor: tuple(tensor.shape[1:]), output)


class _Recorder(TorchDispatchMode):
    """Record each aten op that computes values."""

    def __init__(self, run: _Run) -> None:
        super().__init__()
        self.run = run
        self.ops: list[Op] = []
        self.values: dict[int, Ref] = {}
        self.alive: list[Tensor] = []  # a freed storage's id would be given to another tensor

    def ref(self, tensor: Tensor) -> Ref:
        """Describe a tensor that is read; dimensions of stride 0 (expand) repeat elements."""
        known = self.values.get(_storage(tensor))
        sizes = [size for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride]
        return Ref(known.value if known else None, tuple(tensor.shape), math.prod(sizes) if tensor.numel() else 0)

    def new_value(self, tensor: Tensor) -> Ref:
        """Let the tensor's storage hold a new value; an in-place write has to replace the whole of the old one."""
        old = self.values.get(_storage(tensor))
        if old and old.elements != tensor.numel():
            raise NotImplementedError(f"in-place write to {tuple(tensor.shape)}, a part of a tensor {old.shape}")
        self.alive.append(tensor)
        self.values[_storage(tensor)] = Ref(len(self.alive), tuple(tensor.shape), tensor.numel())
        return self.values[_storage(tensor)]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in ALWAYS_COPIES:
            result = result.clone()
        inputs, outputs = _tensors((args, kwargs)), _tensors(result)
        if not outputs:
            raise NotImplementedError(f"aten.{name} returns no tensor")
        read_storages = set(map(_storage, inputs))
        aliases = all(_storage(output) in read_storages for output in outputs)
        writes = func._schema.is_mutable and torch.Tag.inplace_view not in func.tags
        if writes or not aliases:
            self.add(name, args, inputs, outputs)
        return result

    def add(self, name: str, args: Any, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Append an op; its indices (max pooling) and its side outputs are not counted."""
        maps = [output for output in outputs if output.is_floating_point()][: 1 if name in SIDE_OUTPUTS else None]
        if len(maps) > 1:
            raise NotImplementedError(f"aten.{name} writes {len(maps)} tensors")
        if not maps or not maps[0].numel():
            return
        self.alive.extend(inputs)
        reads = [self.ref(tensor) for tensor in inputs]
        if name == "index_select":  # it reads the selected part, each element once, although some may be copied twice
            reads[0] = replace(reads[0], elements=min(reads[0].elements, maps[0].numel()))
        kind = _kind(name.removesuffix("_"), args, reads)
        order = OPERANDS[name][: len(reads)] if kind in ("convolution", "linear") else range(len(reads))
        path = self.run.active[-1]
        self.ops.append(Op(name.removesuffix("_"), kind, path, tuple(reads[i] for i in order), self.new_value(maps[0])))


def _kind(name: str, args: Any, reads: list[Ref]) -> str:
    """Classify an op by its part in fusion: convolution, linear, batch_norm, activation or other."""
    if name in OPERANDS and reads[OPERANDS[name][1]].value is None:  # a product of two activations is no layer
        return "convolution" if name == "convolution" else "linear"
    normalises_by_own_statistics = name == "native_batch_norm" and args[5]  # instance norm, untracked batch norm
    if name in BATCH_NORMS and not normalises_by_own_statistics:
        return "batch_norm"
    return "activation" if name in ACTIVATIONS and reads[0].value is not None else "other"


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


@contextmanager
def _ready(module: nn.Module, input_shape: Shape, device: str = "meta") -> Iterator[_Run]:
    """Prepare a forward pass on an input (C, H, W) in eval mode; leave the module as it was."""
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    moved = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items() if device == "meta"}
    image = torch.zeros(1, *input_shape, device=device)
    run = _Run(image, lambda: torch.func.functional_call(module, moved, (image,)))
    training = [submodule for submodule in module.modules() if submodule.training]
    handles = []
    for path, submodule in module.named_modules():
        handles += [
            submodule.register_forward_pre_hook(lambda _m, _args, path=path: run.enter(path)),
            submodule.register_forward_hook(lambda _m, _args, output, path=path: run.leave(path, output)),
        ]
    module.eval()
    try:
        with torch.no_grad():
            yield run
    finally:
        for handle in handles:
            handle.remove()
        for submodule in training:
            submodule.training = True


def record(module: nn.Module, input_shape: Shape, device: str = "meta") -> Recording:
    """Run the module once on an input (C, H, W) and return the ops it executed."""
    with _ready(module, input_shape, device) as run, _Recorder(run) as recorder:
        source = recorder.new_value(run.image)
        outputs = _tensors(run.forward())
        return Recording(tuple(recorder.ops), source, tuple(map(recorder.ref, outputs)))


def fused_steps(module: nn.Module, input_shape: Shape) -> list[Op]:
    """Return the ops left after batch norms are folded and activations fused into the op that made their input."""
    return _fuse(record(module, input_shape))


def _fuse(recording: Recording) -> list[Op]:
    readers = Counter(value for op in recording.ops for value in {ref.value for ref in op.reads})
    readers.update({ref.value for ref in recording.outputs})
    steps: list[Op] = []
    maker: dict[int | None, int] = {}
    for op in recording.ops:
        index = maker.get(op.reads[0].value) if op.reads else None
        if index is not None and readers[op.reads[0].value] == 1 and _is_fusible(op, steps[index]):
            steps[index] = _fused(op, steps[index])
        else:
            index = len(steps)
            steps.append(op)
        maker[op.write.value] = index
    return steps


def _is_fusible(op: Op, producer: Op) -> bool:
    """Whether the op can be a part of the one that wrote its first input, given that nothing else reads that input."""
    if op.kind == "batch_norm":
        return producer.kind == "convolution" and op.reads[0].shape == producer.write.shape
    return op.kind == "activation" and op.reads[0].elements == producer.write.elements


def _fused(op: Op, producer: Op) -> Op:
    """Let the producer write the op's output; a folded batch norm leaves a bias, a PReLU its slopes."""
    kept = op.reads[1:]
    if op.kind == "batch_norm":
        channels = op.write.shape[1]
        kept = () if len(producer.reads) == 3 else (Ref(None, (channels,), channels),)
    # Kind "other": a batch norm after a folded batch norm or after an activation is not folded any more.
    name = f"{producer.name}+{op.name}"
    return replace(producer, name=name, kind="other", reads=producer.reads + kept, write=op.write)


def count_params(module: nn.Module) -> int:
    """Return the number of trainable numbers; a parameter shared by several modules counts once."""
    return sum(parameter.numel() for parameter in module.parameters())


def count_macs(module: nn.Module, input_shape: Shape) -> int:
    """Return the multiply-adds of convolutions and matrix products: half of torch's FLOPs."""
    with _ready(module, input_shape) as run, FlopCounterMode(display=False) as counter:
        run.forward()
    flops = int(counter.get_total_flops())
    if flops % 2:
        raise ValueError(f"an odd number of FLOPs, {flops}, is not twice the multiply-adds")
    return flops // 2


def output_shapes(module: nn.Module, input_shape: Shape) -> dict[str, Any]:
    """Return path -> output shape without the batch, for every module called ("" is the module itself).

    The last call counts, under the first of several paths. A module that returns several tensors has several shapes.
    """
    with _ready(module, input_shape) as run:
        run.forward()
    return run.shapes


def eager_memory_access(module: nn.Module, input_shape: Shape) -> int:
    """Return the elements that all executed ops read and write, each as torch runs it."""
    return sum(op.memory_access for op in record(module, input_shape).ops)


def paper_memory_access(module: nn.Module, input_shape: Shape) -> int:
    """Return input + output + weight elements of convolutions and linear layers (ShuffleNetV2, equation 1)."""
    ops = [op for op in record(module, input_shape).ops if op.kind in ("convolution", "linear")]
    return sum(op.reads[0].elements + op.reads[1].elements + op.write.elements for op in ops)


def fused_memory_access(module: nn.Module, input_shape: Shape) -> int:
    """Return the elements read and written with batch norms folded and activations fused where that is possible."""
    return sum(step.memory_access for step in fused_steps(module, input_shape))


def peak_activation(module: nn.Module, input_shape: Shape) -> tuple[int, str]:
    """Return the most activation elements alive at once, and the fused step at which this happens first.

    Alive at a step are its inputs, its output, and what a later step reads or the module returns; a part of a tensor
    keeps the whole of it alive.
    """
    recording = record(module, input_shape)
    steps = _fuse(recording)
    last_read = {ref.value: index for index, step in enumerate(steps) for ref in step.reads}
    last_read |= {ref.value: len(steps) for ref in recording.outputs}
    held = {recording.input.value: recording.input.elements}
    peak = (recording.input.elements, "the input")
    for index, step in enumerate(steps):
        held = {value: elements for value, elements in held.items() if last_read.get(value, -1) >= index}
        held[step.write.value] = step.write.elements
        if sum(held.values()) > peak[0]:
            peak = (sum(held.values()), f"step {index}, {step}")
    return peak
