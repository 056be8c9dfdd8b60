"""Tensors and their shapes in the arguments of an operation."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

Sizes: TypeAlias = tuple[int, ...]

_PLAIN = (str, bytes, int, float, complex, type(None), torch.dtype, torch.device)


def tensors(tree: Any) -> list[Tensor]:
    """Return the tensors in nested arguments, in order."""
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def opaque(tree: Any) -> list[Any]:
    """Return the objects in nested arguments that may contain tensors, such as instances of a dataclass."""
    return [leaf for leaf in tree_leaves(tree) if not isinstance(leaf, (Tensor, *_PLAIN))]


def inner_tensors(tree: Any) -> list[Tensor]:
    """Return the tensors in nested arguments, including those in attributes of objects."""
    seen: set[int] = set()

    def walk(value: Any) -> Iterator[Tensor]:
        for leaf in tree_leaves(value):
            if isinstance(leaf, Tensor):
                yield leaf
            elif not isinstance(leaf, (type, *_PLAIN)) and id(leaf) not in seen:
                seen.add(id(leaf))
                slots = [name for each in type(leaf).__mro__ for name in getattr(each, "__slots__", ())]
                yield from walk(
                    [*getattr(leaf, "__dict__", {}).values(), *(getattr(leaf, each, None) for each in slots)]
                )

    return list(walk(tree))


def _parts(tensor: Tensor) -> tuple[Tensor, ...]:
    """Return the strided tensors that store a sparse tensor, values first."""
    if tensor.layout is torch.sparse_coo:
        return tensor._values(), tensor._indices()
    if tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        return tensor.values(), tensor.crow_indices(), tensor.col_indices()
    if tensor.layout in (torch.sparse_csc, torch.sparse_bsc):
        return tensor.values(), tensor.ccol_indices(), tensor.row_indices()
    return (tensor,)


def is_sparse(tensor: Tensor) -> bool:
    """Whether the tensor stores only some of its elements."""
    return str(tensor.layout).startswith("torch.sparse")


def storage(tensor: Tensor) -> int:
    """Return a number that is equal for tensors that share memory."""
    values = _parts(tensor)[0]
    if values.layout is not torch.strided:
        return id(values)  # A blocked layout of oneDNN has no storage.
    return int(values.untyped_storage()._cdata)


def extent(tensor: Tensor) -> tuple[int, int]:
    """Return the first element of a tensor in its storage, and the one after the last."""
    if tensor.layout is not torch.strided or tensor.is_nested:
        return 0, max(tensor.numel(), 1)
    first = int(tensor.storage_offset())
    last = first + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride(), strict=True))
    return first, last + 1


def stored(tensor: Tensor) -> int:
    """Return the elements in memory: a dimension of stride 0 counts once, sparse tensors have indices."""
    if is_sparse(tensor):
        return sum(part.numel() for part in _parts(tensor))
    if tensor.is_nested or tensor.layout is not torch.strided or not tensor.numel():
        return tensor.numel()
    return math.prod(size for size, step in zip(tensor.shape, tensor.stride(), strict=True) if step)


def nonzeros(tensor: Tensor) -> int:
    """Return the stored values of a sparse tensor."""
    return _parts(tensor)[0].numel()


def full_shape(tensor: Tensor) -> Sizes:
    """Return the shape; nested tensors have only a number of elements."""
    return (int(tensor.numel()),) if tensor.is_nested else tuple(tensor.shape)


def shape(tensor: Tensor) -> Sizes:
    """Return the shape without the batch dimension of a single image."""
    sizes = full_shape(tensor)
    return sizes[1:] if len(sizes) > 1 and sizes[0] == 1 else sizes


def shapes(tree: Any) -> tuple[Sizes, ...]:
    """Return `shape` of every tensor in nested arguments."""
    return tuple(shape(tensor) for tensor in tensors(tree))


def times(sizes: Sequence[int]) -> str:
    """Format a shape as ``144 × 56 × 56``."""
    return " × ".join(map(str, sizes))
