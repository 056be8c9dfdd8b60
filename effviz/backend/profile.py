"""Count any torch.nn.Module, layer by layer, by watching what it runs.

One forward pass is watched: evaluation mode, no gradients, one image, on the meta device, where tensors have shapes
and no memory. What needs values (a loop that ends when a sum is small enough) or a kernel without shapes is run for
real instead, on copies of the weights. The module is afterwards as it was.

The conventions are those of `effviz.count.cost` and of the ``"eager"`` memory access in `effviz.count.memory`. Kernels
that do several steps at once, as for attention, are watched as their plain operations. Every torch operation is in
one of three groups:

- with a rule for its multiply-adds: convolutions, matrix products, attention (`PRODUCTS`);
- known to have none, by name: `FREE`, among them norms, activations, pooling, element-wise arithmetic and copies;
- all others, listed in `Profile.uncounted` with the place and the number of elements they wrote. Never silently 0.

So are tensors that are handed to numpy. What compiled code does with the memory of a tensor behind torch's back is the
one thing that nobody can see.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from effviz.core.errors import MAX_FEATURES, DesignError, fail, whole
from effviz.count.kinds import DEPTHWISE, GROUPED, LINEAR, MERGE, NORM, POINTWISE, POOLING, STANDARD, VIEW

if TYPE_CHECKING:
    import pandas as pd

Sizes: TypeAlias = tuple[int, ...]
_Inputs: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]

# Kinds that the networks of effviz do not have.
MATRIX = "matrix product"
OTHER = "other"
NOT_RUN = "not run"


# --- what torch operations cost: one rule per name ----------------------------------------------------------------


def _convolution(args: Sequence[Any], output: Tensor) -> int:
    """Every position of the output, or of the input of a transposed convolution, meets every weight of its group."""
    image, weight, transposed = args[0], args[1], args[6]
    positions = (image if transposed else output).shape[2:]
    return int(image.shape[0] * math.prod(positions) * weight.numel())


def _product(left: int) -> Callable[[Sequence[Any], Tensor], int]:
    """A matrix product whose left operand is argument `left`: its last side is summed over for every output."""
    return lambda args, output: int(output.numel()) * int(args[left].shape[-1])


def _summed_product(args: Sequence[Any], output: Tensor) -> int:
    return int(args[1].numel()) * int(args[2].shape[-1])


def _attention(args: Sequence[Any], output: Tensor) -> int:
    """Queries with keys, then scores with values."""
    query, key, value = (argument.shape for argument in args[:3])
    return int(math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1]))


def _recurrent(args: Sequence[Any], output: Tensor) -> int:
    """One layer in one direction: at every time step the input and the state each meet their matrix."""
    return int(math.prod(args[0].shape[:-1]) * (args[1].numel() + args[2].numel()))


PRODUCTS: Mapping[str, Callable[[Sequence[Any], Tensor], int]] = {
    **dict.fromkeys(("convolution", "_convolution", "convolution_overrideable"), _convolution),
    **dict.fromkeys(("mm", "bmm", "mv", "dot", "vdot", "_int_mm", "_scaled_mm"), _product(0)),
    **dict.fromkeys(("addmm", "baddbmm", "addmv", "_addmm_activation"), _product(1)),
    "addbmm": _summed_product,
    **dict.fromkeys(
        (
            "_scaled_dot_product_flash_attention",
            "_scaled_dot_product_flash_attention_for_cpu",
            "_scaled_dot_product_efficient_attention",
            "_scaled_dot_product_cudnn_attention",
        ),
        _attention,
    ),
    "mkldnn_rnn_layer": _recurrent,
}
"""Multiply-adds by aten name, from the arguments and the output.

FlopCounterMode has twice the same for what it knows. It leaves out products with a vector, and the kernels that the
CPU has for attention and LSTM.
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENT_WISE = _names("""
    abs acos acosh add addcdiv addcmul angle asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_not
    bitwise_or bitwise_right_shift bitwise_xor ceil celu clamp clamp_max clamp_min complex conj_physical copysign cos
    cosh deg2rad digamma div elu eq erf erfc erfinv exp exp2 expm1 floor floor_divide fmax fmin fmod frac ge gelu glu gt
    hardshrink hardsigmoid hardswish hardtanh heaviside hypot isfinite isinf isnan isneginf isposinf ldexp le leaky_relu
    lerp lgamma log log10 log1p log2 log_sigmoid_forward logaddexp logaddexp2 logical_and logical_not logical_or
    logical_xor logit lt masked_fill maximum minimum mish mul nan_to_num ne neg pow _prelu_kernel rad2deg reciprocal
    relu relu6 remainder round rrelu_with_noise rsqrt rsub sgn sigmoid sign signbit silu sin sinc sinh softplus
    softshrink special_entr sqrt square sub tan tanh threshold trunc where xlogy
""")
_NORMS = _names("""
    _batch_norm_no_update cudnn_batch_norm _fused_rms_norm miopen_batch_norm native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training native_group_norm native_layer_norm _log_softmax _safe_softmax _softmax
    _weight_norm_interface
""")
_POOLS = _names("""
    _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d avg_pool2d avg_pool3d
    fractional_max_pool2d fractional_max_pool3d max_pool2d_with_indices max_pool3d_with_indices max_unpool2d
    max_unpool3d mean
""")
# They copy, even where the order stays and the meta device answers with a view.
_SHUFFLES = {"channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"}
_MERGES = {"cat", "stack", *_SHUFFLES}
# They promise memory and do not touch it.
_RESERVES = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided"}
_OTHERS = _names("""
    all amax amin aminmax any argmax argmin argsort bincount bucketize count_nonzero cummax cummin cumprod cumsum diff
    histc kthvalue linalg_vector_norm logcumsumexp logsumexp max median min mode nanmedian nansum norm prod searchsorted
    sort std std_mean sum topk unique_consecutive _unique2 unique_dim var var_mean
    binary_cross_entropy binary_cross_entropy_with_logits huber_loss mse_loss nll_loss2d_forward nll_loss_forward
    smooth_l1_loss
    block_diag clone constant_pad_nd copy diag_embed expand_copy flip _pack_padded_sequence repeat roll rot90 _to_copy
    tril triu view_copy
    reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d
    col2im grid_sampler_2d grid_sampler_3d im2col upsample_bicubic2d _upsample_bicubic2d_aa upsample_bilinear2d
    _upsample_bilinear2d_aa upsample_linear1d upsample_nearest1d upsample_nearest2d upsample_nearest3d
    _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d upsample_trilinear3d
    embedding _embedding_bag _embedding_bag_forward_only gather index index_add index_copy index_fill index_put
    _index_put_impl index_select isin masked_scatter masked_select nonzero repeat_interleave scatter scatter_add
    scatter_reduce select_scatter slice_scatter take _unsafe_index _unsafe_index_put
    arange eye fill full full_like linspace logspace new_full new_ones new_zeros ones ones_like range scalar_tensor
    tril_indices triu_indices zero zeros zeros_like
    bernoulli exponential multinomial native_dropout normal rand rand_like randint randint_like randn randn_like
    randperm random uniform
    _assert_async _assert_scalar _assert_tensor_metadata equal is_nonzero item _local_scalar_dense
""")

FREE: Mapping[str, str] = {
    **dict.fromkeys((*_ELEMENT_WISE, *_NORMS), NORM),
    **dict.fromkeys(_POOLS, POOLING),
    **dict.fromkeys(_MERGES, MERGE),
    **dict.fromkeys((*_RESERVES, *_OTHERS), OTHER),
}
"""The aten operations without multiply-adds, each with the kind of layer that it makes.

Element-wise arithmetic, sums and interpolation are here by decision: the convention counts convolutions and matrix
products. A name stands for its variant in place too.
"""

# Reads as many elements of its table as it writes.
_LOOKUPS = {"embedding", "gather", "index", "index_select", "take", "_unsafe_index"}
# In place, these do not look at what was there.
_OVERWRITES = {"bernoulli", "copy", "exponential", "fill", "normal", "random", "uniform", "zero"}
# Their further outputs are indices, or are kept for a backward pass that is not run.
_ONE_OUTPUT = {
    *_NORMS,
    *(name for name in _POOLS if "max" in name),
    *(name for name, rule in PRODUCTS.items() if rule is _attention),
    *("_embedding_bag", "_embedding_bag_forward_only", "log_sigmoid_forward", "native_dropout"),
}
_NAMES = {"cat": "concat", "addmm": "linear", "mm": "matmul", "bmm": "matmul", "baddbmm": "matmul", "mv": "matmul"}


# --- the result ---------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One line of `Profile.table`; the columns are those of `Report.table`.

    Attributes:
        path: name in ``module.named_modules()`` of the module that ran it.
        stage: first part of the path.
        block: class of the outermost module around it that is not one of torch.nn.
        layer: class of a torch.nn module; for what a forward method computes itself, the operation.
        kind: one of `effviz.count.kinds.KINDS`, ``"matrix product"`` (of two activations), ``"other"``, or
            ``"not run"`` for parameters that nothing read.
        in_channels, out_channels: first side of the first input and of the output, without the batch.
        kernel_size, stride: of a convolution or pooling, else empty.
        groups: of a convolution, else 1.
        input_shape, output_shape: of the activations, without the batch.
        params: numbers that are trained and were read here first.
        macs: multiply-adds.
        flops: 2 x macs.
        memory_access: elements that the torch operations read and wrote, each on its own.
        operations: those operations.
    """

    path: str
    stage: str
    block: str
    layer: str
    kind: str
    in_channels: int
    out_channels: int
    kernel_size: str
    stride: str
    groups: int
    input_shape: str
    output_shape: str
    params: int
    macs: int
    flops: int
    memory_access: int
    operations: str


class Uncounted(NamedTuple):
    """An operation that nothing is known about.

    Attributes:
        operation: its name, with the library it is from.
        path: the module that ran it.
        calls: how often.
        elements: how many it wrote in all; that it read, where it wrote none.
    """

    operation: str
    path: str
    calls: int
    elements: int


@dataclass(frozen=True)
class Profile:
    """What one forward pass of a module costs. Memory is in elements.

    Attributes:
        name: class of the module.
        input_shapes: of the tensors it was given, with the batch.
        rows: one per call of a torch.nn layer, and one per operation that other modules compute themselves.
        uncounted: what could not be counted; the multiply-adds are complete if it is empty.
        ran_on: ``"meta"`` if shapes were enough, else the device on which it was run for real.
    """

    name: str
    input_shapes: tuple[Sizes, ...]
    rows: tuple[Row, ...] = field(repr=False)
    uncounted: tuple[Uncounted, ...]
    ran_on: str

    @property
    def params(self) -> int:
        """Trainable numbers, as ``sum(p.numel() for p in module.parameters())``."""
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """Fused multiply-adds of convolutions and matrix products."""
        return sum(row.macs for row in self.rows)

    @property
    def flops(self) -> int:
        """2 x macs."""
        return 2 * self.macs

    @property
    def memory_access(self) -> int:
        """Elements read + written, each torch operation on its own: ``"eager"`` in `effviz.count.memory`."""
        return sum(row.memory_access for row in self.rows)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One line per row, in execution order; its columns add up to the totals."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(Row._fields))

    def __repr__(self) -> str:
        shapes = ", ".join(_times(shape) for shape in self.input_shapes)
        missing = f", uncounted={len(self.uncounted)} operations" if self.uncounted else ""
        return (
            f"Profile({self.name}, {shapes}: params={self.params:,}, macs={self.macs:,}, "
            f"memory_access={self.memory_access:,} (eager){missing})"
        )


# --- watching a forward pass --------------------------------------------------------------------------------------


class _Operation(NamedTuple):
    """One executed torch operation."""

    name: str
    layer: str
    kind: str
    inputs: tuple[Sizes, ...]
    output: Sizes
    params: int
    macs: int
    memory_access: int
    kernel_size: str = ""
    stride: str = ""
    groups: int = 1


@dataclass
class _Call:
    """A call of a module that has not returned yet."""

    module: nn.Module
    path: str
    block: str
    inputs: tuple[Sizes, ...]
    operations: list[_Operation] = field(default_factory=list)

    @property
    def is_layer(self) -> bool:
        """A torch.nn layer, or a subclass of one: a single row, however many operations it takes."""
        return _is_leaf(self.module) and _is_torch(self.module)


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def _is_torch(module: nn.Module) -> bool:
    return any(base.__module__.startswith("torch.") for base in type(module).__mro__ if base is not nn.Module)


class _Watch:
    """What has been seen so far."""

    def __init__(self) -> None:
        # Storages: of parameters, with owner and size, until something reads them; of all that is no activation.
        self.unread: dict[int, tuple[str, int]] = {}
        self.constants: set[int] = set()
        self.calls: list[_Call] = []
        # Around the root: hooks on all modules of the process.
        self.outside = _Call(nn.Module(), "", "", ())
        self.rows: list[Row] = []
        self.uncounted: dict[tuple[str, str], list[int]] = {}

    @property
    def call(self) -> _Call:
        return self.calls[-1] if self.calls else self.outside

    def enter(self, module: nn.Module, path: str, given: Any) -> None:
        # The root is the user's network, not a block of it.
        inside = [call for call in self.calls[1:] if call.block]
        block = inside[0].block if inside else ""
        if not block and self.calls and not _is_torch(module) and not _is_leaf(module):
            block = type(module).__name__
        self.calls.append(_Call(module, path, block, _shapes(given)))

    def leave(self, module: nn.Module, output: Any) -> None:
        # A call that ended in an exception, which the module around it caught, never left.
        while self.calls and self.calls[-1].module is not module:
            self.close(self.calls.pop(), None)
        if self.calls:
            self.close(self.calls.pop(), output)

    def close(self, call: _Call, output: Any) -> None:
        operations = call.operations
        if _is_leaf(call.module) and not operations and output is not None:
            kind = OTHER if any(path == call.path for _, path in self.uncounted) else VIEW
            operations = [_Operation("", "", kind, (), (), 0, 0, 0)]
        elif not (call.is_layer and operations):
            return
        shape = next(iter(_shapes(output)), operations[-1].output)
        self.rows.append(_row(call, operations, type(call.module).__name__, call.inputs, shape))

    def add(self, operation: _Operation) -> None:
        self.call.operations.append(operation)
        if not self.call.is_layer:
            self.rows.append(_row(self.call, [operation], operation.layer, operation.inputs, operation.output))

    def miss(self, operation: str, elements: int) -> None:
        seen = self.uncounted.setdefault((operation, self.call.path), [0, 0])
        seen[0] += 1
        seen[1] += elements

    def params_read(self, storages: list[int]) -> int:
        """Parameters among `storages` that nothing has read before."""
        return sum(self.unread.pop(storage, ("", 0))[1] for storage in storages)

    def ran(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Take in one operation that has run."""
        name = _known(func)
        if name.startswith("new_") or name.endswith("_like"):
            # Asks for the shape and the type of its argument, not for what is in it.
            args = kwargs = ()
        inputs, outputs = _tensors((args, kwargs)), _tensors(result)
        if _is_view(func, name, inputs, outputs):
            return
        outputs = outputs[:1] if name in _ONE_OUTPUT else outputs
        written = 0 if name in _RESERVES else sum(output.numel() for output in outputs)
        read = sum(_read(func, name, args, kwargs, written))
        if not name:
            self.miss(str(func), written or read)
        storages = [_storage(tensor) for tensor in inputs]
        activations = [
            tensor for tensor, storage in zip(inputs, storages, strict=True) if storage not in self.constants
        ]
        layer, kind = _described(func, name, args, len(activations), len(inputs))
        operation = _Operation(
            name=str(func.overloadpacket),
            layer=layer,
            kind=NORM if self.call.is_layer and name in _ELEMENT_WISE else kind,
            inputs=_shapes(activations),
            output=_shape(outputs[0]) if outputs else (),
            params=self.params_read(storages),
            macs=PRODUCTS[name](args, outputs[0]) if name in PRODUCTS else 0,
            memory_access=read + written,
            **_window(name, args),
        )
        if operation.memory_access or not name:
            self.add(operation)

    def rest(self) -> list[Row]:
        """Rows for the parameters that nothing read."""
        paths: dict[str, int] = {}
        for path, count in self.unread.values():
            paths[path] = paths.get(path, 0) + count
        return [
            Row(path, path.partition(".")[0], "", "", NOT_RUN, 0, 0, "", "", 1, "", "", count, 0, 0, 0, "")
            for path, count in paths.items()
        ]


def _row(call: _Call, operations: list[_Operation], layer: str, inputs: tuple[Sizes, ...], output: Sizes) -> Row:
    # A layer is what its costliest operation is: a convolution, not the padding before it.
    main = max(operations, key=lambda operation: (operation.macs, operation.memory_access))
    macs = sum(operation.macs for operation in operations)
    return Row(
        path=call.path,
        stage=call.path.partition(".")[0],
        block=call.block,
        layer=layer,
        kind=main.kind,
        in_channels=_channels(inputs[0]) if inputs else 0,
        out_channels=_channels(output),
        kernel_size=main.kernel_size,
        stride=main.stride,
        groups=main.groups,
        input_shape=" + ".join(_times(shape) for shape in inputs),
        output_shape=_times(output),
        params=sum(operation.params for operation in operations),
        macs=macs,
        flops=2 * macs,
        memory_access=sum(operation.memory_access for operation in operations),
        operations=", ".join(dict.fromkeys(operation.name for operation in operations)),
    )


def _known(func: Any) -> str:
    """The name of an operation that there is a rule for, else nothing."""
    name = str(func.overloadpacket.__name__).removesuffix("_")
    return name if func.namespace == "aten" and (name in PRODUCTS or name in FREE) else ""


def _is_view(func: Any, name: str, inputs: list[Tensor], outputs: list[Tensor]) -> bool:
    """Whether nothing was calculated or moved: what comes out is what went in, seen differently."""
    if name in _SHUFFLES or not outputs:
        return False
    if func._schema.is_mutable and torch.Tag.inplace_view not in func.tags:
        return False
    return {*map(_storage, outputs)} <= {*map(_storage, inputs)}


def _described(func: Any, name: str, args: Any, activations: int, inputs: int) -> tuple[str, str]:
    """What a reader calls the operation, and its kind."""
    rule = PRODUCTS.get(name)
    plain = str(func.overloadpacket.__name__).strip("_").removeprefix("native_").removesuffix("_with_indices")
    if rule is _convolution:
        return f"conv{'_transpose' if args[6] else ''}{args[0].dim() - 2}d", _convolution_kind(args)
    if rule is _attention:
        return "attention", MATRIX
    if rule:
        # A product with a parameter or a buffer is a layer.
        return _NAMES.get(name, plain), LINEAR if activations < inputs else MATRIX
    kind = MERGE if name in _ELEMENT_WISE and activations > 1 else FREE.get(name, OTHER)
    return _NAMES.get(name, plain), kind


def _convolution_kind(args: Any) -> str:
    image, weight, groups = args[0], args[1], args[8]
    if groups == 1:
        return POINTWISE if math.prod(weight.shape[2:]) == 1 else STANDARD
    return DEPTHWISE if groups == image.shape[1] else GROUPED


def _window(name: str, args: Any) -> dict[str, Any]:
    """Kernel size, stride and groups; empty where there is no sliding window."""
    if PRODUCTS.get(name) is _convolution:
        return {"kernel_size": _times(args[1].shape[2:]), "stride": _times(args[3]), "groups": args[8]}
    if name.startswith(("max_pool", "avg_pool")):
        sides = int(name[len("max_pool")])
        kernel = _sides(args[1], sides)
        stride = _sides(args[2], sides) if len(args) > 2 and args[2] else kernel
        return {"kernel_size": _times(kernel), "stride": _times(stride), "groups": 1}
    return {"kernel_size": "", "stride": "", "groups": 1}


def _sides(size: Any, count: int) -> list[int]:
    values = [size] if isinstance(size, int) else list(size)
    return values * count if len(values) == 1 else values


def _read(func: Any, name: str, args: Any, kwargs: Any, written: int) -> Iterator[int]:
    """Elements that each tensor argument is read for; a dimension of stride 0 repeats what is there once."""
    given = dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | dict(kwargs)
    skipped = {
        argument.name
        for argument in func._schema.arguments
        if argument.alias_info and argument.alias_info.is_write and (argument.kwarg_only or name in _OVERWRITES)
    }
    tensors = _tensors([value for key, value in given.items() if key not in skipped])
    for position, tensor in enumerate(tensors):
        stored = math.prod(size for size, step in zip(tensor.shape, tensor.stride(), strict=True) if step)
        stored = stored if tensor.numel() else 0
        yield min(stored, written) if name in _LOOKUPS and position == 0 else stored


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Shows the watch every operation that torch runs."""

    supports_higher_order_operators = True

    def __init__(self, watch: _Watch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.watch = watch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if isinstance(func, HigherOrderOperator):
            result = func(*args, **kwargs)
            self.watch.miss(str(func), sum(tensor.numel() for tensor in _tensors(result)))
            return result
        if not _known(func):
            # In inference mode composite operations arrive whole.
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        result = func(*args, **kwargs)
        if _tensors((args, kwargs, result)):
            self.watch.ran(func, args, kwargs, result)
        return result


class _Exits(TorchFunctionMode):
    """Shows the watch where numbers leave torch: what is done to them then, nobody sees."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in ("numpy", "__array__", "__dlpack__", "tolist") and isinstance(args[0], Tensor):
            self.watch.miss(f"Tensor.{name}", args[0].numel())
        return func(*args, **(kwargs or {}))


# --- running somebody's module and leaving no trace ---------------------------------------------------------------


@contextmanager
def _borrowed(module: nn.Module, copy: Callable[[Tensor], Tensor]) -> Iterator[set[int]]:
    """Put copies in the place of all tensors and containers of the module, in evaluation mode; then put all back.

    Gives the storages of the copies.
    """
    seen: dict[int, Any] = {}
    before = [(each, dict(vars(each))) for each in module.modules()]
    try:
        for each, state in before:
            vars(each).update({name: _copied(value, copy, seen) for name, value in state.items()})
            # Not by eval(), which may do more than set flags.
            vars(each)["training"] = False
        yield {_storage(value) for value in seen.values() if isinstance(value, Tensor)}
    finally:
        for each, state in before:
            vars(each).clear()
            vars(each).update(state)


def _copied(value: Any, copy: Callable[[Tensor], Tensor], seen: dict[int, Any]) -> Any:
    """`value` with copied tensors; the same object gives the same copy, and what is no plain container stays."""
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


def _to_meta(tensor: Tensor) -> Tensor:
    return torch.empty_like(tensor, device="meta", requires_grad=False)


def _cloned(tensor: Tensor) -> Tensor:
    return tensor.detach().clone()


def _watched(module: nn.Module, inputs: _Inputs, *, real: bool) -> _Watch:
    """Run `module` on copies of `inputs` and of its tensors; `DesignError` if it fails."""
    watch = _Watch()
    copy = _cloned if real else _to_meta
    try:
        with ExitStack() as stack:
            watch.constants = stack.enter_context(_borrowed(module, copy))
            watch.unread = {
                _storage(parameter): (name.rpartition(".")[0], parameter.numel())
                for name, parameter in module.named_parameters()
            }
            for path, each in module.named_modules():
                _hook(each, path, watch)
            args, kwargs = tree_map_only(Tensor, copy, inputs)
            stack.enter_context(torch.no_grad())
            stack.enter_context(_plain_attention())
            if real:
                stack.enter_context(torch.random.fork_rng(devices=[]))
                stack.enter_context(_Exits(watch))
            else:
                # For tensors that the module makes itself, without naming a device.
                stack.enter_context(torch.device("meta"))
            stack.enter_context(_Operations(watch))
            module(*args, **kwargs)
    except Exception as error:
        shapes = ", ".join(_times(tensor.shape) for tensor in _tensors(inputs))
        message = f"the forward pass fails on an input of {shapes}: {type(error).__name__}: {error}"
        raise DesignError(message, path=watch.call.path) from error
    return watch


def _hook(module: nn.Module, path: str, watch: _Watch) -> None:
    """Tell the watch when calls begin and end; `_borrowed` takes the hooks away again."""

    def enter(module: nn.Module, args: Any, kwargs: Any) -> None:
        watch.enter(module, path, (args, kwargs))

    def leave(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        watch.leave(module, output)

    module.register_forward_pre_hook(enter, prepend=True, with_kwargs=True)
    module.register_forward_hook(leave, with_kwargs=True)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Without the kernel that does a whole transformer layer at once, which hides its matrix products."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def profile(module: nn.Module, input_shape: Sequence[int] | None = None, *, example_inputs: Any = None) -> Profile:
    """Count the parameters, multiply-adds and memory access of any module, layer by layer.

    A product is counted wherever it runs: in a subclass of a layer, by a function, in a layer that is used twice.
    Counts are those of evaluation mode and of one image, or of `example_inputs` as given.

    Args:
        module: on any device, in any mode. It is left as it was.
        input_shape: of the one input without the batch, ``(3, 224, 224)``; an input of zeros, in the type of the
            module's parameters.
        example_inputs: instead of a shape, what the module is called with: a tensor, a tuple of positional arguments
            or a dictionary of named ones.

    Raises:
        DesignError: not a module, no legal input, or its forward method fails; the message has the original one.
    """
    module = _checked(module)
    inputs = _inputs(module, input_shape, example_inputs)
    tensors = [*module.parameters(), *module.buffers(), *_tensors(inputs)]
    ran_on = "meta"
    try:
        watch = _watched(module, inputs, real=False)
    except DesignError:
        if any(tensor.is_meta for tensor in tensors):
            raise
        ran_on = str(tensors[0].device)
        watch = _watched(module, inputs, real=True)
    return Profile(
        name=type(module).__name__,
        input_shapes=tuple(tuple(tensor.shape) for tensor in _tensors(inputs)),
        rows=(*watch.rows, *watch.rest()),
        uncounted=tuple(Uncounted(*place, *seen) for place, seen in watch.uncounted.items()),
        ran_on=ran_on,
    )


def _checked(module: Any) -> nn.Module:
    if not isinstance(module, nn.Module):
        fail("module", module, "must be a torch.nn.Module")
    for path, each in module.named_modules():
        if isinstance(each, torch.jit.ScriptModule):
            raise DesignError("TorchScript cannot be watched; profile the module that it was made of", path=path)
        if any(is_lazy(tensor) for tensor in (*each._parameters.values(), *each._buffers.values())):
            raise DesignError("has parameters without a shape yet; call the module once", path=path)
    return module


def _inputs(module: nn.Module, shape: Any, examples: Any) -> _Inputs:
    if (shape is None) == (examples is None):
        raise DesignError("profile needs input_shape or example_inputs, one of the two")
    if examples is not None:
        if not _tensors(examples):
            fail("example_inputs", examples, "must be a tensor, or a tuple or dictionary with tensors")
        if isinstance(examples, Mapping):
            return (), dict(examples)
        return tuple(examples) if isinstance(examples, (tuple, list)) else (examples,), {}
    if not isinstance(shape, (tuple, list)) or not shape:
        fail("input_shape", shape, "must be a shape without the batch, such as (3, 224, 224)")
    sides = [whole(f"input_shape[{index}]", side, 1, MAX_FEATURES) for index, side in enumerate(shape)]
    return (_zeros(module, (1, *sides)),), {}


def _zeros(module: nn.Module, sizes: Sizes) -> Tensor:
    """An input as the module's parameters are; one element stands for all, so that its size costs nothing."""
    tensors = [*module.parameters(), *module.buffers()]
    floating = next((tensor for tensor in tensors if tensor.is_floating_point()), torch.empty(()))
    return torch.zeros((), dtype=floating.dtype, device=floating.device).expand(sizes)


# --- shapes -------------------------------------------------------------------------------------------------------


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _shape(tensor: Tensor) -> Sizes:
    """Without the batch of one."""
    sizes = tuple(tensor.shape)
    return sizes[1:] if len(sizes) > 1 and sizes[0] == 1 else sizes


def _shapes(tree: Any) -> tuple[Sizes, ...]:
    return tuple(_shape(tensor) for tensor in _tensors(tree))


def _channels(shape: Sizes) -> int:
    return shape[0] if shape else 1


def _times(shape: Sequence[int]) -> str:
    return " x ".join(str(side) for side in shape)
