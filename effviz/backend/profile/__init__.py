"""Counts of any torch.nn.Module, layer by layer, from the operations of one forward pass.

The forward pass runs in evaluation mode, without gradients, on one image. It runs on the meta device, where tensors
have shapes but no memory. Modules that need values, or a kernel without shape inference, run on copies of the weights.
The module itself is left unchanged.

The conventions are those of `effviz.count.cost` and of the ``"eager"`` memory access in `effviz.count.memory`. Fused
kernels, as for attention, are split into their operations. Operations without a counting rule are listed in
`Profile.uncounted`, as are tensors converted to numpy arrays. They never count as 0 silently. Compiled code that
accesses a tensor's memory directly cannot be detected.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from effviz.backend.profile.result import Profile
from effviz.backend.profile.sandbox import Inputs, recorded
from effviz.backend.profile.tensors import tensors
from effviz.core.errors import MAX_FEATURES, DesignError, fail, whole

__all__ = ["Profile", "profile"]


def profile(module: nn.Module, input_shape: Sequence[int] | None = None, *, example_inputs: Any = None) -> Profile:
    """Count the parameters, multiply-adds and memory access of any module, layer by layer.

    Every product counts: in a subclass of a layer, in a function call, in a layer that is used twice. Counts are those
    of evaluation mode and of one image, or of `example_inputs` as given.

    Args:
        module: on any device, in any mode. It is left unchanged.
        input_shape: shape of the one input without the batch, ``(3, 224, 224)``. The input has the data type of the
            module's parameters.
        example_inputs: the arguments of the call, instead of a shape: a tensor, a tuple of positional arguments or a
            dictionary of keyword arguments.

    Raises:
        DesignError: an argument is invalid, or the forward pass fails; the message includes the original one.
    """
    module = _checked(module)
    inputs = _inputs(module, input_shape, example_inputs)
    given = [*module.parameters(), *module.buffers(), *tensors(inputs)]
    ran_on = "meta"
    try:
        recorder = recorded(module, inputs, real=False)
    except DesignError:
        if any(tensor.is_meta for tensor in given):
            raise
        ran_on = str(given[0].device)
        recorder = recorded(module, inputs, real=True)
    return Profile(
        name=type(module).__name__,
        input_shapes=tuple(tuple(tensor.shape) for tensor in tensors(inputs)),
        rows=recorder.rows,
        uncounted=recorder.uncounted,
        ran_on=ran_on,
    )


def _checked(module: Any) -> nn.Module:
    if not isinstance(module, nn.Module):
        fail("module", module, "must be a torch.nn.Module")
    for path, each in module.named_modules():
        if isinstance(each, torch.jit.ScriptModule):
            raise DesignError("TorchScript modules are not supported; profile the original module", path=path)
        if any(is_lazy(tensor) for tensor in (*each._parameters.values(), *each._buffers.values())):
            raise DesignError("has parameters without a shape; call the module once before profiling", path=path)
    return module


def _inputs(module: nn.Module, shape: Any, examples: Any) -> Inputs:
    if (shape is None) == (examples is None):
        raise DesignError("profile needs either input_shape or example_inputs")
    if examples is not None:
        if not tensors(examples):
            fail("example_inputs", examples, "must be a tensor, or a tuple or dictionary with tensors")
        if isinstance(examples, Mapping):
            return (), dict(examples)
        return tuple(examples) if isinstance(examples, (tuple, list)) else (examples,), {}
    if not isinstance(shape, (tuple, list)) or not shape:
        fail("input_shape", shape, "must be a shape without the batch, such as (3, 224, 224)")
    sides = [whole(f"input_shape[{index}]", side, 1, MAX_FEATURES) for index, side in enumerate(shape)]
    given = [*module.parameters(), *module.buffers()]
    floating = next((tensor for tensor in given if tensor.is_floating_point()), torch.empty(()))
    # All positions share one element, so the input takes no memory.
    return (torch.zeros((), dtype=floating.dtype, device=floating.device).expand((1, *sides)),), {}
