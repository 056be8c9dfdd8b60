"""Recording of the operations and module calls of a forward pass."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from effviz.backend.profile import operations as rules
from effviz.backend.profile import packed
from effviz.backend.profile.elsewhere import Elsewhere
from effviz.backend.profile.lifetimes import Lifetimes
from effviz.backend.profile.result import MATRIX, NOT_RUN, OTHER, ProfileRow, Uncounted
from effviz.backend.profile.sums import ProductSums
from effviz.backend.profile.tensors import Sizes, inner_tensors, shape, shapes, storage, tensors, times
from effviz.backend.profile.unread import Unread
from effviz.count.kinds import NORM, VIEW

# Entries of `Profile.uncounted` that are not operations.
STRAY = "parameters outside module.parameters()"
THREAD = "operations in another thread"
PROCESS = "operations in another process"
PACKED_INTEGERS = "weights packed into integers"

_BYTES = (torch.int8, torch.float8_e4m3fn, torch.float8_e5m2, torch.qint8, torch.quint8)


class Recording(NamedTuple):
    """The results of a forward pass; the fields are those of `Profile`."""

    rows: tuple[ProfileRow, ...]
    uncounted: tuple[Uncounted, ...]
    peak_activation: int


class _Operation(NamedTuple):
    """One executed torch operation; the fields are those of `ProfileRow`."""

    name: str
    layer: str
    kind: str
    inputs: tuple[Sizes, ...] = ()
    output: Sizes = ()
    params: int = 0
    macs: int = 0
    memory_access: int = 0
    window: tuple[str, str, int] = ("", "", 1)


@dataclass
class _Call:
    """A module call that has not returned yet."""

    module: nn.Module
    path: str
    block: str
    inputs: tuple[Sizes, ...]
    operations: list[_Operation] = field(default_factory=list)

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer of torch.nn or a subclass of one: a single row, whatever its operations."""
        return _is_leaf(self.module) and _is_torch(self.module)


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def _is_torch(module: nn.Module) -> bool:
    return any(base.__module__.startswith("torch.") for base in type(module).__mro__ if base is not nn.Module)


class Recorder:
    """The rows of a forward pass, filled while it runs.

    Args:
        module: its parameters and buffers are those of the pass.
        inputs: input tensors.
        constants: storages of the tensors in attributes of the module, which are copies.
    """

    def __init__(self, module: nn.Module, inputs: Iterable[Tensor], constants: set[int]) -> None:
        inputs = list(inputs)
        parameters = {storage(parameter) for parameter in module.parameters()}
        self._unread = Unread()
        for name, parameter in module.named_parameters():
            self._unread.add(name, parameter)
        for name, buffer in module.named_buffers():
            # An 8-bit matrix is a quantized weight.
            if buffer.dtype in _BYTES and buffer.dim() > 1 and storage(buffer) not in parameters:
                self._unread.add(name, buffer)
        self._copies = constants
        self._parameters = parameters
        self.constants = {*constants, *parameters, *(storage(buffer) for buffer in module.buffers())}
        # Storages whose owner is known.
        self._listed = {*parameters, *map(storage, inputs)}
        self._packed: set[Any] = set()
        self._sums = ProductSums({*parameters})
        self._lifetimes = Lifetimes(inputs)
        self._calls: list[_Call] = []
        # Hooks on all modules of the process run before the root module is entered.
        self._outside = _Call(nn.Module(), "", "", ())
        self._rows: list[ProfileRow] = []
        self.paused = False
        self._thread = get_ident()
        # Called with the tensors that an operation is about to change.
        self.before_write: Callable[[Tensor], None] | None = None
        # Finds the results of other threads.
        self.elsewhere: Elsewhere | None = None
        self._uncounted: dict[tuple[str, str], list[int]] = {}

    @property
    def _call(self) -> _Call:
        return self._calls[-1] if self._calls else self._outside

    @property
    def path(self) -> str:
        """The path of the module that is running."""
        return self._call.path

    @property
    def rows(self) -> tuple[ProfileRow, ...]:
        """The rows in execution order, then those of the parameters that no operation read."""
        idle = [
            _row(_Call(self._outside.module, path, "", ()), [_Operation("", "", NOT_RUN, params=count)], "", (), None)
            for path, count in self._unread.counts().items()
        ]
        return (*self._rows, *idle)

    @property
    def uncounted(self) -> tuple[Uncounted, ...]:
        """The operations without a rule."""
        return tuple(Uncounted(*place, *seen) for place, seen in self._uncounted.items())

    @property
    def recording(self) -> Recording:
        """The results, after the last operation."""
        return Recording(self.rows, self.uncounted, self._lifetimes.peak())

    def finish(self, output: Any) -> None:
        """Record that the pass returned `output`."""
        self.paused = True
        self.check(inner_tensors(output))
        self._lifetimes.keep(map(storage, inner_tensors(output)))

    def watch(self, module: nn.Module, path: str) -> None:
        """Record the calls of `module` by hooks."""
        module.register_forward_pre_hook(
            lambda module, args, kwargs: self.enter(module, path, (args, kwargs)), prepend=True, with_kwargs=True
        )
        module.register_forward_hook(lambda module, args, output: self.leave(module, output))

    def enter(self, module: nn.Module, path: str, inputs: Any) -> None:
        """Record the beginning of a call."""
        if get_ident() != self._thread:
            # Torch dispatches operations to the recorder in one thread only.
            self.miss(THREAD, 0, path)
            return
        # The root is the whole network, not a block.
        block = next((call.block for call in self._calls[1:] if call.block), "")
        if not block and self._calls and not _is_torch(module) and not _is_leaf(module):
            block = type(module).__name__
        self._calls.append(_Call(module, path, block, shapes(inputs)))

    def leave(self, module: nn.Module, output: Any) -> None:
        """Record the end of a call."""
        if get_ident() != self._thread:
            return
        # Calls that ended in an exception caught by an enclosing module have not left.
        while self._calls and self._calls[-1].module is not module:
            self._close(self._calls.pop(), None)
        if self._calls:
            self._close(self._calls.pop(), output)

    def _close(self, call: _Call, output: Any) -> None:
        operations = call.operations
        if _is_leaf(call.module) and not operations and output is not None:
            kind = OTHER if any(path == call.path for _, path in self._uncounted) else VIEW
            operations = [_Operation("", "", kind)]
        elif not (call.is_layer and operations):
            return
        output_shape = next(iter(shapes(output)), operations[-1].output)
        # TorchScript keeps the name of the original class.
        layer = getattr(call.module, "original_name", type(call.module).__name__)
        self._rows.append(_row(call, operations, layer, call.inputs, output_shape))

    def save(self, func: Any, args: Any, kwargs: Any) -> None:
        """Call `before_write` with tensors from outside of the pass that an operation changes."""
        if self.before_write is None or not func._schema.is_mutable:
            return
        given = dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | dict(kwargs)
        for argument in func._schema.arguments:
            for tensor in tensors(given.get(argument.name)):
                is_written = argument.alias_info is not None and argument.alias_info.is_write
                if is_written and storage(tensor) not in self._copies and not self._lifetimes.is_known(tensor):
                    self.before_write(tensor)

    def check(self, used: Iterable[Tensor]) -> None:
        """Record tensors that operations in another thread have made."""
        # TorchScript has constants that are no objects of Python.
        if self.elsewhere is None or isinstance(self._call.module, torch.jit.ScriptModule):
            return
        for tensor in used:
            if self.elsewhere.is_foreign(tensor):
                self.elsewhere.add([tensor])
                self.miss(THREAD, tensor.numel())

    def accept(self, made: Any) -> None:
        """Record that this thread has made tensors."""
        if self.elsewhere is not None:
            self.elsewhere.add(tensors(made))

    def is_data(self, tensor: Tensor) -> bool:
        """Whether a tensor is a parameter, an input or the result of an operation."""
        return storage(tensor) in self._parameters or self._lifetimes.is_known(tensor)

    def miss(self, operation: str, elements: int, path: str | None = None) -> None:
        """Record an operation without a rule, in the running module or in that of `path`."""
        seen = self._uncounted.setdefault((operation, self.path if path is None else path), [0, 0])
        seen[0] += 1
        seen[1] += elements

    def run(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Record one operation that has run."""
        call, name = self._call, rules.base_name(func)
        if name == "equal" and isinstance(call.module, torch.jit.ScriptModule):
            # The compiler of TorchScript compares constants in the first call.
            return
        known = rules.is_covered(name, args)
        name = name if known else ""
        if name.startswith(("new_", "_new_")) or name.endswith("_like"):
            # Only the shape and the type of the argument are used, not its values.
            args = kwargs = ()
        inputs, outputs = tensors((args, kwargs)), tensors(result)
        if name not in rules.OVERWRITES:
            self._find_strays(str(func.overloadpacket), inputs)
        if rules.is_view(func, name, inputs, outputs):
            return
        outputs = rules.results(name, outputs)
        written = 0 if name in rules.RESERVES else sum(output.numel() for output in outputs)
        read = sum(rules.elements_read(func, name, args, kwargs, written))
        if not known:
            self.miss(str(func), written or read)
        self._lifetimes.run(inputs, outputs)
        macs = rules.multiply_adds(name, args, outputs[0]) if outputs else 0
        pointwise = rules.is_elementwise(name)
        sums = self._sums.follow(name, args, kwargs, outputs, pointwise=pointwise)
        activations = [each for each in inputs if storage(each) not in self.constants]
        layer, kind = rules.describe(func, name, args, len(activations), len(inputs))
        operation = _Operation(
            name=str(func.overloadpacket),
            layer=layer,
            # Within a layer, an addition of two activations is no merge.
            kind=NORM if call.is_layer and pointwise else MATRIX if sums else kind,
            inputs=shapes(activations),
            output=shape(outputs[0]) if outputs else (),
            params=sum(map(self._unread.read, inputs)) + self._packed_params(args),
            macs=macs + (sums * rules.complexity(outputs[0]) if outputs else 0),
            memory_access=read + written,
            window=rules.window(name, args),
        )
        if known and not operation.memory_access:
            return
        call.operations.append(operation)
        if not call.is_layer:
            self._rows.append(_row(call, [operation], layer, operation.inputs, operation.output))

    def _find_strays(self, operation: str, inputs: list[Tensor]) -> None:
        """Record trained tensors that `module.parameters()` does not list."""
        is_script = isinstance(self._call.module, torch.jit.ScriptModule)
        for tensor in inputs:
            key = storage(tensor)
            is_parameter = isinstance(tensor, nn.Parameter)
            # The forward method may create parameters.
            if key in self._listed or (self._lifetimes.is_known(tensor) and not is_parameter):
                continue
            is_trained = is_parameter or (tensor.requires_grad and tensor.is_leaf)
            # Freezing turns the parameters of TorchScript into constants.
            is_frozen = is_script and key not in self.constants and tensor.is_floating_point() and tensor.numel() > 1
            if is_trained or is_frozen:
                self._listed.add(key)
                self.miss(STRAY, tensor.numel())
            elif key in self.constants and "bitwise" in operation and tensor.dim() > 1:
                self._listed.add(key)
                self.miss(PACKED_INTEGERS, tensor.numel())

    def _packed_params(self, args: Any) -> int:
        """Return the size of packed weights and biases that are read for the first time."""
        count = 0
        for tensor in packed.weights(args):
            values = tensor.int_repr() if tensor.is_quantized else tensor.detach()
            # Unpacking copies, so equal content in one layer is the same weight.
            key = self.path, tuple(tensor.shape), values.cpu().contiguous().view(torch.uint8).numpy().tobytes()
            if key not in self._packed:
                self._packed.add(key)
                count += tensor.numel()
        return count


def _row(
    call: _Call, operations: list[_Operation], layer: str, inputs: tuple[Sizes, ...], output: Sizes | None
) -> ProfileRow:
    # The most expensive operation determines the kind of a layer: the convolution, not the padding before it.
    main = max(operations, key=lambda operation: (operation.macs, operation.memory_access))
    macs = sum(operation.macs for operation in operations)
    kernel_size, stride, groups = main.window
    return ProfileRow(
        path=call.path,
        stage=call.path.partition(".")[0],
        block=call.block,
        layer=layer,
        kind=main.kind,
        in_channels=_channels(inputs[0]) if inputs else 0,
        out_channels=0 if output is None else _channels(output),
        kernel_size=kernel_size,
        stride=stride,
        groups=groups,
        input_shape=" + ".join(map(times, inputs)),
        output_shape=times(output or ()),
        params=sum(operation.params for operation in operations),
        macs=macs,
        flops=2 * macs,
        memory_access=sum(operation.memory_access for operation in operations),
        operations=", ".join(dict.fromkeys(operation.name for operation in operations)),
    )


def _channels(sizes: Sizes) -> int:
    return sizes[0] if sizes else 1
