"""Counting rules of torch operations, by aten name.

An operation is either in `PRODUCTS` (a formula for its multiply-adds), in `FREE`, or element-wise by torch's own tag.
All other operations have no rule.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from effviz.backend.profile import packed
from effviz.backend.profile.result import MATRIX, OTHER
from effviz.backend.profile.tensors import is_sparse, nonzeros, storage, stored, tensors, times
from effviz.count.kinds import DEPTHWISE, GROUPED, LINEAR, MERGE, NORM, POINTWISE, POOLING, STANDARD


def _convolution(args: Sequence[Any], output: Tensor) -> int:
    """Multiply output positions by weights; a transposed convolution visits input positions instead."""
    image, weight, transposed = args[0], args[1], args[6]
    positions = (image if transposed else output).shape[2:]
    return int(image.shape[0] * math.prod(positions) * weight.numel())


def _product(left: int) -> Callable[[Sequence[Any], Tensor], int]:
    """Return the rule of a matrix product whose left operand is argument `left`; a sparse one has stored values."""

    def rule(args: Sequence[Any], output: Tensor) -> int:
        one, other = args[left], args[left + 1]
        if is_sparse(one):
            return nonzeros(one) * int(other.shape[-1] if other.dim() > 1 else 1)
        if is_sparse(other):
            return nonzeros(other) * int(one.shape[-2])
        return int(output.numel()) * int(one.shape[-1])

    return rule


def _weighted_lookup(args: Sequence[Any], output: Tensor) -> int:
    """Count the selected rows times their weights, if there are any."""
    weights = args[6] if len(args) > 6 else None
    return 0 if weights is None else int(args[1].numel() * args[0].shape[1])


def _attention(args: Sequence[Any], output: Tensor) -> int:
    """Count queries times keys and scores times values."""
    query, key, value = (argument.shape for argument in args[:3])
    return int(math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1]))


def _recurrent(args: Sequence[Any], output: Tensor) -> int:
    """Count the input and the state times their matrices, at every time step of one layer in one direction."""
    return int(math.prod(args[0].shape[:-1]) * (args[1].numel() + args[2].numel()))


PRODUCTS: Mapping[str, Callable[[Sequence[Any], Tensor], int]] = {
    **dict.fromkeys(("convolution", "_convolution", "convolution_overrideable"), _convolution),
    **dict.fromkeys(("mm", "bmm", "mv", "dot", "vdot", "_int_mm", "_scaled_mm", "_weight_int8pack_mm"), _product(0)),
    **dict.fromkeys(("addmm", "baddbmm", "addmv", "_addmm_activation", "_sparse_addmm"), _product(1)),
    **dict.fromkeys(("_embedding_bag", "_embedding_bag_forward_only"), _weighted_lookup),
    "addbmm": lambda args, output: int(args[1].numel()) * int(args[2].shape[-1]),
    **{
        f"_scaled_dot_product_{kernel}": _attention
        for kernel in ("flash_attention", "flash_attention_for_cpu", "efficient_attention", "cudnn_attention")
    },
    "mkldnn_rnn_layer": _recurrent,
}
"""Multiply-adds from the arguments and the output.

FlopCounterMode gives twice these values for the operations that it knows. It lacks products with a vector and the CPU
kernels of attention and LSTM.
"""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_NORMS = _names("""
    _batch_norm_no_update cudnn_batch_norm _fused_rms_norm miopen_batch_norm native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training native_group_norm native_layer_norm _log_softmax _safe_softmax _softmax
    _weight_norm_interface
""")
_POOLS = _names("""
    _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d avg_pool2d avg_pool3d
    fractional_max_pool2d fractional_max_pool3d max_pool2d_with_indices max_pool3d_with_indices max_unpool2d
    max_unpool3d mean quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d
""")
# These copy, although the meta device returns a view where the order is kept.
_SHUFFLES = ("channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle")
# These allocate memory without touching it.
RESERVES = (
    "empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided", "_efficientzerotensor",
)  # fmt: skip
_OTHERS = _names("""
    all amax amin aminmax any argmax argmin argsort bincount bucketize count_nonzero cummax cummin cumprod cumsum diff
    histc kthvalue linalg_vector_norm logcumsumexp logsumexp max median min mode nanmedian nansum norm prod searchsorted
    sort std std_mean sum topk unique_consecutive _unique2 unique_dim var var_mean
    binary_cross_entropy binary_cross_entropy_with_logits huber_loss mse_loss nll_loss2d_forward nll_loss_forward
    smooth_l1_loss
    block_diag clone copy diag_embed expand_copy flip _pack_padded_sequence repeat roll rot90 _to_copy
    tril triu view_copy
    reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d
    col2im grid_sampler_2d grid_sampler_3d im2col upsample_bicubic2d _upsample_bicubic2d_aa upsample_bilinear2d
    _upsample_bilinear2d_aa upsample_linear1d upsample_nearest1d upsample_nearest3d
    _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d upsample_trilinear3d
    embedding gather index index_add index_copy index_fill index_put
    _index_put_impl isin masked_scatter masked_select nonzero repeat_interleave scatter scatter_add
    scatter_reduce select_scatter slice_scatter take _unsafe_index _unsafe_index_put
    arange eye fill full full_like linspace logspace new_full new_ones new_zeros ones ones_like range scalar_tensor
    tril_indices triu_indices zero zeros zeros_like
    _new_zeros_with_same_feature_meta
    bernoulli exponential multinomial native_dropout normal rand rand_like randint randint_like randn randn_like
    randperm random uniform
    fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask dequantize int_repr
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams _fused_moving_avg_obs_fq_helper
    _make_per_tensor_quantized_tensor _make_per_channel_quantized_tensor quantize_per_channel quantize_per_tensor
    quantize_per_tensor_dynamic
    _coalesce coalesce _sparse_coo_tensor_with_dims_and_tensors _sparse_softmax _sparse_sum _to_dense _to_sparse
    _to_sparse_bsr _to_sparse_csr sparse_coo_tensor sparse_mask to_mkldnn
    _nnz is_coalesced q_scale q_zero_point sparse_dim dense_dim
    _assert_async _assert_scalar _assert_tensor_metadata equal is_nonzero item _local_scalar_dense
""")

FREE: Mapping[str, str] = {
    **dict.fromkeys(_NORMS, NORM),
    **dict.fromkeys(_POOLS, POOLING),
    **dict.fromkeys(("cat", "stack", "index_select", "constant_pad_nd", "upsample_nearest2d", *_SHUFFLES), MERGE),
    **dict.fromkeys((*RESERVES, *_OTHERS), OTHER),
}
"""Operations without multiply-adds that are not element-wise, with the kind of layer.

Sums and interpolation are here by decision: the convention counts convolutions and matrix products.
"""

# Element-wise operations that torch does not tag.
_UNTAGGED = (
    "__lshift__", "__rshift__", "_prelu_kernel", "complex",
    "floor_divide", "glu", "hardswish", "log_sigmoid_forward", "rrelu_with_noise",
)  # fmt: skip
# They return a part of a sparse tensor, or compare only the sizes of a value and its derivative.
_ACCESSES = _names("""
    _indices _values indices values crow_indices col_indices ccol_indices row_indices
    is_same_size _has_same_storage_numel
""")
# They read as many elements of their table as they write.
_LOOKUPS = ("embedding", "gather", "index", "index_select", "take", "_unsafe_index")
# Their in-place variants do not read the previous values.
OVERWRITES = ("bernoulli", "copy", "exponential", "fill", "normal", "random", "uniform", "zero")
# Their further outputs are indices, or serve a backward pass that is not run.
_ONE_OUTPUT = {
    *_NORMS,
    *(name for name in _POOLS if "max" in name),
    *(name for name, rule in PRODUCTS.items() if rule is _attention),
    *("_embedding_bag", "_embedding_bag_forward_only", "log_sigmoid_forward", "native_dropout"),
}
_LABELS = {"cat": "concat", "addmm": "linear", "mm": "matmul", "bmm": "matmul", "baddbmm": "matmul", "mv": "matmul"}


def base_name(func: Any) -> str:
    """Return the aten name of an operation, without the underscore of its in-place variant; empty outside aten."""
    name = str(func.overloadpacket.__name__)
    name = name if name.endswith("__") else name.removesuffix("_")
    if func.namespace == "prims":
        # Torch replaces element-wise operations on derivatives that are 0 by these.
        return name if is_elementwise(name) else ""
    return name if func.namespace == "aten" else f"quantized.{name}" if func.namespace == "quantized" else ""


def is_listed(name: str) -> bool:
    """Whether the operation has a rule by its name, here or in `packed`."""
    return name in _ACCESSES or any(name in rules for rules in (PRODUCTS, FREE, packed.PRODUCTS, packed.FREE))


def is_covered(name: str, args: Any) -> bool:
    """Whether a rule covers an operation with these arguments.

    A product of two sparse tensors has no rule, and neither have operations on nested tensors.
    """
    if any(tensor.is_nested for tensor in tensors(args)):
        return False
    if name in PRODUCTS:
        return sum(map(is_sparse, tensors(args))) <= 1
    return is_listed(name) or is_elementwise(name)


def multiply_adds(name: str, args: Any, output: Tensor) -> int:
    """Return the multiply-adds of a matrix product or a convolution, 0 for other operations.

    A complex one counts three times, as complex convolutions in torch consist of three real ones.
    """
    rule = PRODUCTS.get(name) or packed.PRODUCTS.get(name)
    return 0 if rule is None else rule(args, output) * complexity(output)


def complexity(output: Tensor) -> int:
    """Return the real multiply-adds of one product."""
    return 3 if output.is_complex() else 1


@cache
def is_elementwise(name: str) -> bool:
    """Whether the operation calculates every output element from the input elements at the same position.

    One tagged overload is enough, because torch leaves out the tag on many in-place variants.
    """
    if not name or is_listed(name) or "." in name:
        return False
    packet = getattr(torch.ops.aten, name, None)
    overloads = [getattr(packet, each) for each in packet.overloads()] if packet is not None else []
    return name in _UNTAGGED or any(torch.Tag.pointwise in each.tags for each in overloads)


def is_view(func: Any, name: str, inputs: list[Tensor], outputs: list[Tensor]) -> bool:
    """Whether the outputs share the inputs' memory, and no element is calculated or moved."""
    if name in _ACCESSES:
        return True
    if name in _SHUFFLES or not outputs:
        return False
    if func._schema.is_mutable and torch.Tag.inplace_view not in func.tags:
        return False
    return {*map(storage, outputs)} <= {*map(storage, inputs)}


def results(name: str, outputs: list[Tensor]) -> list[Tensor]:
    """Return the outputs that belong to the forward pass."""
    return outputs[:1] if name in _ONE_OUTPUT else outputs


def describe(func: Any, name: str, args: Any, activations: int, inputs: int) -> tuple[str, str]:
    """Return a readable name of the operation and its kind.

    Args:
        func: the operation, with `base_name` as its name; the name is empty without a rule.
        args: its positional arguments.
        activations, inputs: numbers of input tensors, without and with parameters and buffers.
    """
    rule = PRODUCTS.get(name)
    if packed.is_convolution(name):
        kernel, _, groups = packed.geometry(args)
        return name.removeprefix("quantized."), _kind(kernel, groups, args[0].shape[1])
    if name in packed.PRODUCTS:
        return name.removeprefix("quantized."), LINEAR if packed.weights(args) else MATRIX
    if name in packed.FREE:
        return name.removeprefix("quantized."), packed.FREE[name]
    plain = str(func.overloadpacket.__name__).strip("_").removeprefix("native_").removesuffix("_with_indices")
    label = _LABELS.get(name, plain)
    if rule is _convolution:
        return f"conv{'_transpose' if args[6] else ''}{args[0].dim() - 2}d", _convolution_kind(args)
    if rule is _attention:
        return "attention", MATRIX
    if rule is _weighted_lookup:
        return label, OTHER
    if rule:
        # A product with a parameter or a buffer is a linear layer.
        return label, LINEAR if activations < inputs else MATRIX
    if is_elementwise(name):
        return label, MERGE if activations > 1 else NORM
    return label, FREE.get(name, OTHER)


def _convolution_kind(args: Any) -> str:
    return _kind(args[1].shape[2:], args[8], args[0].shape[1])


def _kind(kernel: Sequence[int], groups: int, in_channels: int) -> str:
    if groups == 1:
        return POINTWISE if math.prod(kernel) == 1 else STANDARD
    return DEPTHWISE if groups == in_channels else GROUPED


def window(name: str, args: Any) -> tuple[str, str, int]:
    """Return kernel size, stride and groups; the first two are empty without a sliding window."""
    if PRODUCTS.get(name) is _convolution:
        return times(args[1].shape[2:]), times(args[3]), args[8]
    if packed.is_convolution(name):
        kernel, stride, groups = packed.geometry(args)
        return times(kernel), times(stride), groups
    if name.startswith(("max_pool", "avg_pool")):
        dimensions = int(name[len("max_pool")])
        kernel = _sides(args[1], dimensions)
        stride = _sides(args[2], dimensions) if len(args) > 2 and args[2] else kernel
        return times(kernel), times(stride), 1
    return "", "", 1


def _sides(size: Any, dimensions: int) -> list[int]:
    values = [size] if isinstance(size, int) else list(size)
    return values * dimensions if len(values) == 1 else values


def elements_read(func: Any, name: str, args: Any, kwargs: Any, written: int) -> Iterator[int]:
    """Yield the elements read of each tensor argument; a dimension of stride 0 counts once."""
    given = dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | dict(kwargs)
    skipped = {
        argument.name
        for argument in func._schema.arguments
        if argument.alias_info and argument.alias_info.is_write and (argument.kwarg_only or name in OVERWRITES)
    }
    for position, tensor in enumerate(tensors([value for key, value in given.items() if key not in skipped])):
        yield min(stored(tensor), written) if name in _LOOKUPS and position == 0 else stored(tensor)
    yield from (weight.numel() for weight in packed.weights(args))
