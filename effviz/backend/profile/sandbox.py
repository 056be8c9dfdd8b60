"""A forward pass on copies of a module's tensors, which leaves the module unchanged."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from effviz.backend.profile.recorder import Exits, Operations, Recorder
from effviz.backend.profile.tensors import storage, tensors, times
from effviz.core.errors import DesignError

Inputs: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]


def recorded(module: nn.Module, inputs: Inputs, *, real: bool) -> Recorder:
    """Run `module` on copies of `inputs` and record it.

    Args:
        module: restored afterwards.
        inputs: positional and keyword arguments.
        real: compute values on the module's device; otherwise only shapes, on the meta device.

    Raises:
        DesignError: the forward pass fails.
    """
    recorder = Recorder()

    def copy(tensor: Tensor) -> Tensor:
        return tensor.detach().clone() if real else torch.empty_like(tensor, device="meta", requires_grad=False)

    try:
        with ExitStack() as stack:
            recorder.constants = stack.enter_context(_borrowed(module, copy))
            recorder.unread = {
                storage(parameter): (name.rpartition(".")[0], parameter.numel())
                for name, parameter in module.named_parameters()
            }
            for path, each in module.named_modules():
                recorder.watch(each, path)
            args, kwargs = tree_map_only(Tensor, copy, inputs)
            stack.enter_context(torch.no_grad())
            stack.enter_context(_plain_attention())
            if real:
                stack.enter_context(torch.random.fork_rng(devices=[]))
                stack.enter_context(Exits(recorder))
            else:
                # For tensors that the forward method creates without a device.
                stack.enter_context(torch.device("meta"))
            stack.enter_context(Operations(recorder))
            module(*args, **kwargs)
    except Exception as error:
        shapes = ", ".join(times(tensor.shape) for tensor in tensors(inputs))
        message = f"the forward pass fails on an input of {shapes}: {type(error).__name__}: {error}"
        raise DesignError(message, path=recorder.path) from error
    return recorder


@contextmanager
def _borrowed(module: nn.Module, copy: Callable[[Tensor], Tensor]) -> Iterator[set[int]]:
    """Replace all tensors and containers of the module by copies, in evaluation mode, and restore them at the end.

    Yields the storages of the copies. Hooks that are added in between are removed as well.
    """
    seen: dict[int, Any] = {}
    before = [(each, dict(vars(each))) for each in module.modules()]
    try:
        for each, state in before:
            vars(each).update({name: _copied(value, copy, seen) for name, value in state.items()})
            # Not by eval(), which a subclass may override with side effects.
            vars(each)["training"] = False
        yield {storage(value) for value in seen.values() if isinstance(value, Tensor)}
    finally:
        for each, state in before:
            vars(each).clear()
            vars(each).update(state)


def _copied(value: Any, copy: Callable[[Tensor], Tensor], seen: dict[int, Any]) -> Any:
    """Copy tensors within plain containers; an object that occurs twice has one copy, all other objects are kept."""
    if id(value) in seen:
        return seen[id(value)]
    if isinstance(value, Tensor):
        copied: Any = copy(value)
        if isinstance(value, nn.Parameter):
            copied = nn.Parameter(copied, requires_grad=value.requires_grad)
        seen[id(value)] = copied
    elif type(value) in (dict, OrderedDict):
        copied = seen[id(value)] = type(value)()
        copied.update((key, _copied(entry, copy, seen)) for key, entry in value.items())
    elif type(value) is list:
        copied = seen[id(value)] = []
        copied.extend(_copied(entry, copy, seen) for entry in value)
    elif type(value) is tuple:
        copied = tuple(_copied(entry, copy, seen) for entry in value)
    elif type(value) is set:
        copied = set(value)
    else:
        copied = value
    return copied


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Disable the fused kernel of a whole transformer layer, which hides its matrix products."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
