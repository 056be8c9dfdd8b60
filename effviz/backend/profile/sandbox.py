"""A forward pass on copies of a module's tensors, which leaves the module unchanged."""

import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from types import BuiltinFunctionType, ModuleType
from typing import Any, TypeAlias

import torch
import torch._dynamo  # loaded by the first pass, so otherwise by each copy of the process
from torch import Tensor, nn
from torch.nn.modules.module import (
    _has_any_global_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.utils._pytree import tree_map_only

from effviz.backend.profile.elsewhere import Elsewhere
from effviz.backend.profile.modes import Exits, Operations
from effviz.backend.profile.recorder import PROCESS, THREAD, Recorder, Recording
from effviz.backend.profile.tensors import full_shape, inner_tensors, storage, times
from effviz.core.errors import DesignError

# Subclasses, compiled modules and TorchScript are in other modules.
_PLAIN = ("torch.nn.modules.", "effviz.backend.build")

# Functions of Python that start a thread.
_STARTS = {"start_new_thread", "_start_new_thread", "start_joinable_thread", "_start_joinable_thread", "start_new"}

Inputs: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]


def is_harmless(module: nn.Module) -> bool:
    """Whether a pass can change only attributes of the module: all code is from torch.nn or effviz, without hooks."""
    is_hooked = _has_any_global_hook()  # type: ignore[no-untyped-call]
    return not is_hooked and all(map(_is_plain, module.modules()))


def _is_plain(module: nn.Module) -> bool:
    if not type(module).__module__.startswith(_PLAIN):
        return False
    state = vars(module)
    hooks = (value for name, value in state.items() if name.endswith("_hooks"))
    functions = [value for value in state.values() if callable(value) and not isinstance(value, nn.Module)]
    functions.append(type(module).forward)
    tensors = (*state["_parameters"].values(), *state["_buffers"].values())
    return (
        not any(hooks)
        and state.get("_compiled_call_impl") is None
        and all(str(getattr(each, "__module__", "")).startswith(("torch.", *_PLAIN)) for each in functions)
        and all(type(tensor) in (Tensor, nn.Parameter, type(None)) for tensor in tensors)
    )


def recorded(module: nn.Module, inputs: Inputs, *, real: bool, copied: bool = False) -> Recording:
    """Run `module` on `inputs` and record it.

    The module is restored, and so are tensors from outside of it that operations change. Other effects of the forward
    pass remain, such as an entry in a global dictionary.

    Args:
        module: in any mode.
        inputs: positional and keyword arguments.
        real: compute values on the module's device; otherwise only shapes, on the meta device.
        copied: the process is a copy, which ends after the pass.

    Raises:
        DesignError: the forward pass fails.
    """
    copy = _real_copy if real else _meta_copy
    path = ""
    elsewhere = None if copied or is_harmless(module) else Elsewhere()
    try:
        with ExitStack() as stack:
            seen: dict[int, Any] = {}
            stack.enter_context(_borrowed(module, copy, seen))
            constants = {storage(value) for value in seen.values() if isinstance(value, Tensor)}
            args, kwargs = tree_map_only(Tensor, copy, inputs)
            recorder = Recorder(module, inner_tensors((args, kwargs)), constants)
            recorder.elsewhere = elsewhere
            recorder.accept([args, kwargs, *seen.values()])
            try:
                stack.enter_context(_started(recorder, copied=copied))
                stack.enter_context(_watched(module, recorder, stack, copy, seen))
                _enter_conditions(stack, recorder, inputs, module, real=real)
                output = module(*args, **kwargs)
                recorder.finish(list(output) if isinstance(output, Iterator) else output)
            finally:
                recorder.paused = True
                path = recorder.path
            return recorder.recording
    except Exception as error:
        shapes = ", ".join(times(full_shape(tensor)) for tensor in inner_tensors(inputs))
        message = f"the forward pass fails on an input of {shapes}: {type(error).__name__}: {error}"
        raise DesignError(message, path=path) from error


def _enter_conditions(stack: ExitStack, recorder: Recorder, inputs: Inputs, module: nn.Module, *, real: bool) -> None:
    """Enter the modes of a recorded pass."""
    stack.enter_context(torch.no_grad())
    stack.enter_context(_plain_attention())
    # Compiled code is invisible. The stance keeps it for the calls after the pass.
    stack.enter_context(torch.compiler.set_stance("force_eager"))
    stack.enter_context(torch.jit.optimized_execution(False))  # type: ignore[attr-defined]
    stack.enter_context(Exits(recorder))
    # Also in a copy of the process, which may share memory with it: `share_memory_()`, or a mapped file.
    recorder.before_write = stack.enter_context(_rewritten())
    if real:
        given = [*module.parameters(), *module.buffers(), *inner_tensors(inputs)]
        devices = {tensor.device.index or 0 for tensor in given if tensor.is_cuda}
        stack.enter_context(torch.random.fork_rng(devices=[*devices]))
    else:
        # For tensors that the forward method creates without a device.
        stack.enter_context(torch.device("meta"))
    stack.enter_context(Operations(recorder))


@contextmanager
def _watched(
    module: nn.Module, recorder: Recorder, stack: ExitStack, copy: Callable[[Tensor], Tensor], seen: dict[int, Any]
) -> Iterator[None]:
    """Record the calls of all modules, including those that are not registered, such as layers in a list."""
    paths = {each: path for path, each in module.named_modules()}
    hooked = {each for each in paths if not isinstance(each, torch.jit.ScriptModule)}
    for each in hooked:
        recorder.watch(each, paths[each])
    for each in paths:
        if isinstance(each, torch.jit.ScriptModule):
            _list_compiled(each, recorder, paths[each])

    def enter(called: nn.Module, args: Any) -> None:
        if called in hooked:
            return
        if called not in paths:
            paths.update((each, recorder.path) for each in called.modules() if each not in paths)
            recorder.paused = True
            stack.enter_context(_borrowed(called, copy, seen, hooked))
            recorder.paused = False
        recorder.enter(called, paths[called], args)

    def leave(called: nn.Module, args: Any, output: Any) -> None:
        if called not in hooked and called in paths:
            recorder.leave(called, output)

    hooks = register_module_forward_pre_hook(enter), register_module_forward_hook(leave)
    try:
        with warnings.catch_warnings():
            # These hooks skip modules that `watch` has hooked.
            warnings.filterwarnings("ignore", r"Using `torch.compile\(module\)` when there are global hooks")
            yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _started(recorder: Recorder, *, copied: bool) -> Iterator[None]:
    """List the threads and processes that the forward pass starts, whose operations are invisible."""
    if copied:
        _list_starts(recorder)
        yield
        return

    def started(*event: Any) -> None:
        sys.setprofile(None)
        recorder.miss(THREAD, 0)

    before = threading.getprofile()
    threading.setprofile(started)
    try:
        yield
    finally:
        threading.setprofile(before)


def _list_starts(recorder: Recorder) -> None:
    """List all threads and processes from now on, also those that `threading` does not start."""

    def audit(event: str, *args: Any) -> None:
        if event == "os.fork" and not recorder.paused:
            recorder.miss(PROCESS, 0)

    def replace(holder: dict[str, Any], name: str, start: Callable[..., Any]) -> None:
        def listed(*args: Any, **options: Any) -> Any:
            recorder.miss(THREAD, 0)
            return start(*args, **options)

        holder[name] = listed

    sys.addaudithook(audit)
    # Modules import these functions under their names.
    for holder in [vars(each) for each in sys.modules.values() if isinstance(each, ModuleType)]:
        for name in _STARTS & holder.keys():
            if isinstance(holder[name], BuiltinFunctionType):
                replace(holder, name, holder[name])


def _list_compiled(script: torch.jit.ScriptModule, recorder: Recorder, path: str) -> None:
    """List the operations of optimized TorchScript that torch runs without dispatching them."""
    graph = getattr(script, "inlined_graph", None)  # It owns its blocks.
    blocks = [graph] if graph is not None else []
    while blocks:
        for node in blocks.pop().nodes():
            blocks += node.blocks()
            if node.kind().startswith(("prim::mkldnn", "prim::MKLDNN", "prim::onednn")):
                recorder.miss(node.kind(), 0, path)


@contextmanager
def _rewritten() -> Iterator[Callable[[Tensor], None]]:
    """Yield a function to call before a tensor changes, and restore the values of these tensors."""
    before: dict[int, tuple[Tensor, Tensor]] = {}

    def save(tensor: Tensor) -> None:
        if tensor.is_meta:
            return
        before.setdefault(id(tensor), (tensor, tensor.detach().clone()))

    try:
        yield save
    finally:
        with torch.no_grad():
            for tensor, values in reversed(before.values()):
                tensor.copy_(values)


def _real_copy(tensor: Tensor) -> Tensor:
    return tensor.detach().clone()


def _meta_copy(tensor: Tensor) -> Tensor:
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_nested:
        raise TypeError(f"the meta device has no tensors of layout {tensor.layout} and type {tensor.dtype}")
    return torch.empty_like(tensor, device="meta", requires_grad=False)


@contextmanager
def _borrowed(
    module: nn.Module, copy: Callable[[Tensor], Tensor], seen: dict[int, Any], known: Collection[nn.Module] = ()
) -> Iterator[None]:
    """Replace all tensors and containers of the module by copies, in evaluation mode, and restore them at the end.

    Hooks that are added in between are removed as well. TorchScript has no attributes in Python, so its tensors stay.

    Args:
        module: with its children.
        copy: copies a tensor.
        seen: the copies by the identity of the original.
        known: modules that are replaced already.
    """
    modules = [each for each in module.modules() if each not in known]
    scripts = [each for each in modules if isinstance(each, torch.jit.ScriptModule)]
    if scripts and copy is _meta_copy:
        raise TypeError("TorchScript runs on the device of its parameters")
    before = [(each, dict(vars(each))) for each in modules if each not in scripts]
    trained = [each for each in scripts if getattr(each, "training", False)]
    try:
        for script in trained:
            script.training = False
        for each, state in before:
            vars(each).update({name: _copied(value, copy, seen) for name, value in state.items()})
            # Not by eval(), which a subclass may override with side effects.
            vars(each)["training"] = False
        yield
    finally:
        for script in trained:
            script.training = True
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
        elif value.requires_grad and value.is_leaf:
            copied.requires_grad_(True)
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
