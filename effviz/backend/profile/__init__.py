"""Counts of any torch.nn.Module, layer by layer, from the operations of one forward pass.

The forward pass runs in evaluation mode, without gradients, on one image. It runs on the meta device, where tensors
have shapes but no memory. Modules that need values, or a kernel without shape inference, run on copies of the weights.

Custom code runs in a forked copy of the process, which ends with the pass. So the pass changes nothing: neither the
module, nor tensors in global dictionaries, `functools.cache` or closures, nor layers in plain lists, counters in hooks,
random generators and compiled code. Layers of torch.nn without hooks run in the process itself, where the attributes of
the module are restored, because they have no other effects. Modules that wait for a thread of the process, such as one
of a pool, also run there. Without `os.fork` (Windows, macOS), and for modules on an accelerator, all passes run there,
for real. Then the attributes of all modules and all tensors that operations change are restored. Other effects are
those of one call of the module in evaluation mode.

Memory that a copy shares with the process, from `Tensor.share_memory_` or a mapped file, is restored if operations of
torch change it. This has limits: other processes can read changed values during the pass, and the changes remain if the
pass ends or stops the process, or if numpy makes them.

These measurements on two busy cores led to this choice. ResNet-50 at 224 x 224 takes 150 ms on the meta device and
190 ms with a copy, 1.4 s with fake tensors, and 1.2 to 2.2 s for real. Meta or fake tensors that a
forward method keeps in a global dictionary cannot be used later. A real pass fills global caches with its values.
A copy of a process with 0.3 GB takes 25 ms of CPU time, and 0.3 s with 3.5 GB. A new process cannot load modules with
functions that are not importable.

The conventions are those of `effviz.count.cost` and of the ``"eager"`` memory access in `effviz.count.memory`:

- Fused kernels, as for attention, are split into their operations.
- A complex product counts as three multiply-adds, as complex convolutions of torch consist of three real ones.
- A product with one sparse matrix counts the stored values, see `operations`.
- Quantized layers have the multiply-adds of the layers that they replace. Their packed weights and biases, and 8-bit
  matrices in buffers, are parameters.
- Sums over element-wise products are matrix products or convolutions, see `sums`. Other element-wise operations have no
  multiply-adds.
- Compiled modules run as written, see `torch.compile`. TorchScript runs for real.

Operations without a counting rule are listed in `Profile.uncounted`. So are tensors converted to numpy arrays or
several Python numbers, trained tensors that `module.parameters()` does not list, and operations in other threads and
processes. They never count as 0 silently: `Profile.status` is ``"partial"``. Compiled code that accesses a tensor's
memory without torch cannot be detected.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from effviz.backend.profile.isolation import StalledError, is_available, isolated
from effviz.backend.profile.recorder import THREAD, Recording
from effviz.backend.profile.result import Profile, Uncounted
from effviz.backend.profile.sandbox import Inputs, is_harmless, recorded
from effviz.backend.profile.tensors import full_shape, inner_tensors, opaque
from effviz.core.errors import MAX_FEATURES, DesignError, fail, whole

__all__ = ["Profile", "profile"]


def profile(module: nn.Module, input_shape: Sequence[int] | None = None, *, example_inputs: Any = None) -> Profile:
    """Count the parameters, multiply-adds and memory access of any module, layer by layer.

    Every product counts: in a subclass of a layer, in a function call, in a layer that is used twice. Counts are those
    of evaluation mode and of one image, or of `example_inputs` as given.

    Args:
        module: on any device, in any mode, also TorchScript. It is left unchanged.
        input_shape: shape of the input without the batch, ``(3, 224, 224)``, or a list of the shapes of several inputs.
            The inputs have the data type of the module's parameters.
        example_inputs: the arguments of the call, instead of a shape: a tuple or list of positional arguments, a
            dictionary of keyword arguments, or the only argument, such as a tensor or an instance of a dataclass.

    Raises:
        DesignError: an argument is invalid, or the forward pass fails; the message includes the original one.
    """
    module = _checked(module)
    inputs = _inputs(module, input_shape, example_inputs)
    shown = inner_tensors(inputs)
    given = [*module.parameters(), *module.buffers(), *shown]
    recording, ran_on = _recorded(module, inputs, [str(tensor.device) for tensor in given])
    return Profile(
        name=getattr(module, "original_name", type(module).__name__),
        input_shapes=tuple(map(full_shape, shown)),
        rows=recording.rows,
        uncounted=recording.uncounted,
        ran_on=ran_on,
        peak_activation=recording.peak_activation,
    )


def _recorded(module: nn.Module, inputs: Inputs, devices: list[str]) -> tuple[Recording, str]:
    """Return the recording of a pass and the device it ran on.

    Args:
        module: the network.
        inputs: its arguments.
        devices: of its parameters, buffers and inputs.
    """
    meta = "meta" in devices
    harmless = is_harmless(module) and not opaque(inputs)
    # Tensors in the attributes of an object cannot be replaced.
    if meta or harmless or (not opaque(inputs) and is_available(accelerator=False)):
        try:
            return _run(module, inputs, real=False, fork=not harmless and is_available(accelerator=False)), "meta"
        except DesignError:
            if meta:
                raise
    is_started = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    accelerator = is_started or {*devices} - {"cpu"} != set()
    fork = not harmless and is_available(accelerator=accelerator)
    return _run(module, inputs, real=True, fork=fork), devices[0] if devices else "cpu"


def _run(module: nn.Module, inputs: Inputs, *, real: bool, fork: bool) -> Recording:
    if not fork:
        return recorded(module, inputs, real=real)
    try:
        return isolated(partial(recorded, real=real, copied=True), module, inputs)
    except ChildProcessError as error:
        raise DesignError(str(error)) from error
    except StalledError as error:
        found = recorded(module, inputs, real=real)
        listed = any(each.operation == THREAD for each in found.uncounted)
        # Of the waits for a thread, only those of TorchScript are counted: it passes the recorder to its threads.
        if listed or not error.certain or any(isinstance(each, torch.jit.ScriptModule) for each in module.modules()):
            return found
        return found._replace(uncounted=(*found.uncounted, Uncounted(THREAD, "", 1, 0)))


def _checked(module: Any) -> nn.Module:
    if not isinstance(module, nn.Module):
        fail("module", module, "must be a torch.nn.Module")
    for path, each in module.named_modules():
        if any(is_lazy(tensor) for tensor in (*each.parameters(False), *each.buffers(False))):
            raise DesignError("has parameters without a shape; call the module once before profiling", path=path)
    return module


def _inputs(module: nn.Module, shape: Any, examples: Any) -> Inputs:
    if (shape is None) == (examples is None):
        raise DesignError("profile needs either input_shape or example_inputs")
    if examples is not None:
        if not inner_tensors(examples) and not opaque(examples):
            fail("example_inputs", examples, "must be a tensor, or a tuple or dictionary with tensors")
        if isinstance(examples, Mapping):
            return (), dict(examples)
        # A named tuple is one argument, as other classes with fields.
        is_list = isinstance(examples, (tuple, list)) and not hasattr(examples, "_fields")
        return tuple(examples) if is_list else (examples,), {}
    given = [*module.parameters(), *module.buffers()]
    floating = next((each for each in given if each.is_floating_point() or each.is_complex()), torch.empty(()))
    shapes = shape if isinstance(shape, (tuple, list)) and shape and isinstance(shape[0], (tuple, list)) else [shape]
    names = ["input_shape"] if shapes[0] is shape else [f"input_shape[{index}]" for index in range(len(shapes))]
    # All positions share one element, so the input takes no memory.
    element = torch.zeros((), dtype=floating.dtype, device=floating.device)
    return tuple(element.expand((1, *_sides(name, each))) for name, each in zip(names, shapes, strict=True)), {}


def _sides(name: str, shape: Any) -> list[int]:
    if not isinstance(shape, (tuple, list)) or not shape:
        fail(name, shape, "must be a shape without the batch, such as (3, 224, 224)")
    return [whole(f"{name}[{index}]", side, 1, MAX_FEATURES) for index, side in enumerate(shape)]
