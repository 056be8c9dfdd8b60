"""Tensors and their shapes in the arguments of an operation."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from torch import Tensor
from torch.utils._pytree import tree_leaves

Sizes: TypeAlias = tuple[int, ...]


def tensors(tree: Any) -> list[Tensor]:
    """Return the tensors in nested arguments, in order."""
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def storage(tensor: Tensor) -> int:
    """Return a number that is equal for tensors that share memory."""
    return int(tensor.untyped_storage()._cdata)


def shape(tensor: Tensor) -> Sizes:
    """Return the shape without the batch dimension of a single image."""
    sizes = tuple(tensor.shape)
    return sizes[1:] if len(sizes) > 1 and sizes[0] == 1 else sizes


def shapes(tree: Any) -> tuple[Sizes, ...]:
    """Return `shape` of every tensor in nested arguments."""
    return tuple(shape(tensor) for tensor in tensors(tree))


def times(sizes: Sequence[int]) -> str:
    """Format a shape as ``144 x 56 x 56``."""
    return " x ".join(map(str, sizes))
