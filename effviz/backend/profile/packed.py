"""Counting rules of quantized operations, whose weights are packed into an object of torch.

A quantized layer has the multiply-adds of the layer that it replaces. Its packed weights and biases are its parameters,
although `parameters()` does not list them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from effviz.count.kinds import MERGE, NORM, POOLING


def _is_packed(value: Any) -> TypeGuard[torch.ScriptObject]:
    return isinstance(value, torch.ScriptObject) and _unpacking(value) is not None


def _unpacking(value: Any) -> str | None:
    """Return the method of an object of torch that returns its weights; other objects are handles without weights."""
    # `torch.profiler.record_function` passes a handle to its operations.
    methods = value._method_names()
    return next((name for name in ("unpack", "__getstate__") if name in methods), None)


def _tensors(state: Any) -> list[Tensor]:
    """Return weights and biases in the state of a packed object, which may contain other ones."""
    found: list[Tensor] = []
    for leaf in tree_leaves(state):
        if isinstance(leaf, Tensor):
            found.append(leaf)
        elif isinstance(leaf, torch.ScriptObject) and (method := _unpacking(leaf)):
            found += _tensors(getattr(leaf, method)())
    return found


def weights(args: Any) -> list[Tensor]:
    """Return the packed weights and biases among the arguments of an operation."""
    return _tensors([leaf for leaf in tree_leaves(args) if _is_packed(leaf)])


def _layer(args: Sequence[Any]) -> Any:
    return next(leaf for leaf in args if _is_packed(leaf))


def _convolution(args: Sequence[Any], output: Tensor) -> int:
    """Multiply output positions by weights; a transposed convolution visits input positions instead."""
    positions = args[0] if _layer(args).transpose() else output
    return int(output.shape[0] * math.prod(positions.shape[2:]) * weights(args)[0].numel())


def _linear(args: Sequence[Any], output: Tensor) -> int:
    return int(output.numel()) * int(args[0].shape[-1])


def _recurrent(args: Sequence[Any], output: Tensor) -> int:
    """Multiply the time steps by the matrices of all layers and directions."""
    matrices = [weight for weight in weights(args) if weight.dim() == 2]
    return int(math.prod(args[0].shape[:-1])) * sum(weight.numel() for weight in matrices)


def _prefixed(text: str) -> tuple[str, ...]:
    return tuple(f"quantized.{name}" for name in text.split())


_CONVOLUTIONS = _prefixed("""
    conv1d conv2d conv3d conv1d_relu conv2d_relu conv3d_relu conv1d_dynamic conv2d_dynamic conv3d_dynamic conv2d_add
    conv2d_add_relu conv_transpose1d conv_transpose2d conv_transpose3d conv_transpose1d_dynamic conv_transpose2d_dynamic
    conv_transpose3d_dynamic
""")
PRODUCTS: Mapping[str, Callable[[Sequence[Any], Tensor], int]] = {
    **dict.fromkeys(_CONVOLUTIONS, _convolution),
    **dict.fromkeys(
        _prefixed("""
            linear linear_relu linear_leaky_relu linear_tanh linear_dynamic linear_relu_dynamic linear_dynamic_fp16
            linear_relu_dynamic_fp16 linear_with_input_q_dq_qweight_dq_output_fp32
            linear_with_input_q_dq_qweight_dq_relu_output_fp32 matmul
        """),
        _linear,
    ),
    **dict.fromkeys(
        ("quantized_lstm", "quantized_gru", *_prefixed("""
            quantized_lstm_cell_dynamic quantized_gru_cell_dynamic quantized_rnn_relu_cell_dynamic
            quantized_rnn_tanh_cell_dynamic
        """)),
        _recurrent,
    ),
}  # fmt: skip
"""Multiply-adds from the arguments and the output."""

FREE: Mapping[str, str] = {
    **dict.fromkeys(
        _prefixed("""
            add_relu add_scalar add_scalar_relu add batch_norm batch_norm1d batch_norm1d_relu batch_norm2d
            batch_norm2d_relu batch_norm3d batch_norm3d_relu batch_norm_relu celu clamp dropout elu group_norm hardswish
            instance_norm layer_norm leaky_relu mul mul_relu mul_scalar mul_scalar_relu prelu relu6 sigmoid softmax
            threshold
        """),
        NORM,
    ),
    **dict.fromkeys(_prefixed("cat cat_relu"), MERGE),
    **dict.fromkeys(_prefixed("max_pool1d max_pool2d"), POOLING),
    **dict.fromkeys(
        _prefixed("embedding_byte embedding_4bit embedding_bag_byte embedding_bag_4bit linear_unpack conv2d_unpack"),
        "other",
    ),
}
"""Operations without multiply-adds, with the kind of layer."""


def is_convolution(name: str) -> bool:
    """Whether the operation is a convolution with packed weights."""
    return name in _CONVOLUTIONS


def geometry(args: Sequence[Any]) -> tuple[Sequence[int], Sequence[int], int]:
    """Return kernel size, stride and groups of a convolution with packed weights."""
    layer = _layer(args)
    kernel = list(weights(args)[0].shape[2:])
    # A one-dimensional convolution is packed as a two-dimensional one.
    dimensions = args[0].dim() - 2
    return kernel[-dimensions:], list(layer.stride())[-dimensions:], int(layer.groups())
