"""Convolutions and matrix products that are written as element-wise products and sums.

``(patches * weight).sum(2)`` has the multiply-adds of the same product written with einsum: one for each product. The
rules are:

- A sum, average or accumulation over dimensions along which both factors vary is a matrix product. A scale that is
  constant along these dimensions could be applied after the sum, so a gate before global pooling costs nothing.
- A product with a gate of the same shape, such as ``a * sigmoid(b)``, is element-wise, whatever is summed later. A gate
  has a bounded function or a smooth one like SiLU. Other factors, such as ``softmax``, are weights.
- A chain of additions is a convolution if its products have a common source tensor, as for shifted slices. It needs two
  products with parameters, or three products of any kind. Gates of an LSTM and rotary embeddings are element-wise.
- A product of a tensor and a function of its elements or statistics is an activation function or a norm, such as
  ``x * sigmoid(x)`` and ``x * rsqrt(x.square().mean())``.
- A division is a product only if it is by parameters.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from effviz.backend.profile.tensors import storage, stored

_PRODUCTS = ("mul", "div", "addcmul")
_ADDITIONS = ("add", "sub", "rsub")
# They keep the value of each element, or multiply it by a number.
_LINEAR = ("neg", "masked_fill", "where", "clone", "_to_copy", "positive")
# They move elements of one tensor.
_MOVES = (
    "roll", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d", "flip",
    "clone", "copy", "_to_copy", "index", "index_select", "gather", "im2col", "repeat",
)  # fmt: skip
# They repeat elements in a larger map.
_ENLARGEMENTS = ("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d")
_ZEROS = ("zeros", "zeros_like", "new_zeros", "full", "zero", "fill")
_ALL_DIMENSIONS = ("index_put", "_index_put_impl", "col2im", "scatter_add", "scatter_reduce", "index_add")
_REDUCTIONS = ("sum", "nansum", "mean", "cumsum")
# Statistics of a tensor, by which norms divide it.
_STATISTICS = ("sum", "mean", "var", "std", "var_mean", "std_mean", "amax", "amin", "linalg_vector_norm", "norm")
_GATES = ("sigmoid", "hardsigmoid", "tanh", "hardtanh", "silu", "hardswish", "gelu", "mish")
_POOLS = {"avg_pool2d": 2, "avg_pool3d": 3, "_adaptive_avg_pool2d": 2, "_adaptive_avg_pool3d": 3}


class _Axis(NamedTuple):
    """A dimension of a product in memory."""

    size: int
    stride: int
    varies: tuple[bool, bool]  # the two factors along it


@dataclass(frozen=True)
class _Sum:
    """A tensor that is a product or a sum of products."""

    axes: tuple[_Axis, ...] = ()
    pending: int = 0  # multiplications that are not counted yet
    terms: int = 0
    sources: frozenset[int] = frozenset()  # tensors of which every term has a factor
    parameters: bool = True  # every term has a factor that depends only on parameters


class ProductSums:
    """The products and sums of products among the tensors of a forward pass.

    Args:
        parameters: storages of parameters.
    """

    def __init__(self, parameters: set[int]) -> None:
        self._numbers = itertools.count()
        # Of a storage: a number for its present content, what it is a sum of, and what it is calculated from.
        self._content: dict[int, int] = {}
        self._sums: dict[int, _Sum] = {}
        self._origin: dict[int, tuple[Any, Any]] = {}
        self._source: dict[int, int] = {}
        self._gates: dict[int, bool] = {}
        self._parameters = parameters

    def follow(self, name: str, args: Sequence[Any], kwargs: Any, outputs: list[Tensor], *, pointwise: bool) -> int:
        """Record an operation that has run, and return the multiply-adds that it completes.

        Args:
            name: of the operation; empty without a rule.
            args, kwargs: its arguments.
            outputs: tensors that it wrote.
            pointwise: whether it is element-wise.
        """
        given = [each for each in args if isinstance(each, Tensor)]
        dense = [each for each in (*given, *outputs) if each.layout is torch.strided and not each.is_nested]
        if not outputs or len(dense) < len(given) + len(outputs):
            self._forget(outputs)
            return 0
        macs, found = 0, None
        if name in _PRODUCTS or name in _ADDITIONS:
            found = self._arithmetic(name, args, kwargs, outputs[0])
            macs, found = self._counted(found)
        elif name in _ZEROS:
            found = _Sum()
        elif name in ("cat", "stack"):
            found = self._joined(args[0], args[1] if len(args) > 1 else 0, outputs[0])
        elif name == "copy":
            found = self._written(args[1], outputs[0])
        elif name in (*_LINEAR, *_MOVES):
            found = next((moved for each in given if (moved := self._moved(each, outputs[0]))), None)
        elif (summed := self._summed(name, args, kwargs)) is not None:
            macs, found = self._contracted(*summed, outputs[0])
        origin = self._common_origin(given) if pointwise or name in _STATISTICS else None
        source = self._source_of(given[0]) if name in _MOVES and given else None
        is_weight = bool(given) and all(storage(each) in self._parameters for each in given)
        is_gate = name in _GATES or (
            name in (*_PRODUCTS, *_ADDITIONS, *_LINEAR, *_ENLARGEMENTS)
            and [storage(each) in self._gates for each in given] == [True]
        )
        self._forget(outputs)
        key = storage(outputs[0])
        if found is not None:
            self._sums[key] = found
        if origin is not None:
            self._origin.update((storage(each), (origin, _place(each))) for each in outputs)
        if source is not None:
            self._source[key] = source
        if is_gate:
            self._gates[key] = True
        if is_weight:
            self._parameters.update(map(storage, outputs))
        return macs

    def _forget(self, written: Iterable[Tensor]) -> None:
        for tensor in written:
            key = storage(tensor)
            self._content[key] = next(self._numbers)
            for table in (self._sums, self._origin, self._source, self._gates):
                table.pop(key, None)
            self._parameters.discard(key)

    # --- what a tensor is calculated from -------------------------------------------------------------------------

    def _number(self, tensor: Tensor) -> int:
        return self._content.setdefault(storage(tensor), next(self._numbers))

    def _source_of(self, tensor: Tensor) -> int:
        return self._source.get(storage(tensor), self._number(tensor))

    def _origin_of(self, tensor: Tensor) -> Any:
        """Return a key that is equal for tensors whose elements are functions of the same elements."""
        origin, place = self._origin.get(storage(tensor), (None, None))
        return origin if origin is not None and place == _place(tensor) else (self._number(tensor), _place(tensor))

    def _common_origin(self, given: list[Tensor]) -> Any:
        origins = {self._origin_of(each) for each in given if each.numel() > 1}
        return origins.pop() if len(origins) == 1 else None

    # --- products and sums ----------------------------------------------------------------------------------------

    def _arithmetic(self, name: str, args: Sequence[Any], kwargs: Any, output: Tensor) -> _Sum | None:
        if name == "div" and not (isinstance(args[1], Tensor) and storage(args[1]) in self._parameters):
            return self._term(args[0], output)
        if name in ("mul", "div"):
            return self._product(args[0], args[1], output)
        if name == "addcmul":
            return self._added(self._term(args[0], output), self._product(args[1], args[2], output))
        alpha = kwargs.get("alpha", args[2] if len(args) > 2 else 1)
        left, right = (self._term(each, output) for each in args[:2])
        if alpha != 1 and right is None and isinstance(args[1], Tensor):
            right = self._product(args[1], alpha, output)
        return self._added(left, right)

    def _product(self, left: Any, right: Any, output: Tensor) -> _Sum | None:
        factors = [each for each in (left, right) if isinstance(each, Tensor)]
        if not factors or (len(factors) == 2 and self._origin_of(left) == self._origin_of(right)):
            return None
        inner = [
            found if found and found.pending else None for found in (self._moved(each, output) for each in factors)
        ]
        if inner[0] and len(factors) == 1:
            return inner[0]
        is_weight = [storage(each) in self._parameters for each in factors]
        if all(is_weight):
            return None
        varies = [_varying(each, output) for each in factors] + [[False] * output.dim()]
        if varies[0] == varies[1] and any(storage(each) in self._gates for each in factors):
            return None
        for side, found in enumerate(inner):
            if found:
                # Of three factors, two have to vary.
                varies[side] = [any(axis.varies) for axis in found.axes]
                both = [all(axis.varies) for axis in found.axes]
                varies[1 - side] = [one or other for one, other in zip(varies[1 - side], both, strict=True)]
        axes = zip(output.shape, output.stride(), zip(varies[0], varies[1], strict=True), strict=True)
        return _Sum(
            axes=tuple(_Axis(*axis) for axis in axes),
            pending=output.numel(),
            terms=1,
            sources=frozenset(
                self._source_of(each) for each, weight in zip(factors, is_weight, strict=True) if not weight
            ),
            parameters=any(is_weight),
        )

    def _term(self, value: Any, output: Tensor) -> _Sum | None:
        return self._moved(value, output) if isinstance(value, Tensor) else None

    def _moved(self, tensor: Tensor, output: Tensor) -> _Sum | None:
        """Return the sum that `tensor` is, with the axes of `output`, which has its elements in another order."""
        found = self._sums.get(storage(tensor))
        if found is None:
            return None
        varies = _aligned(
            [_seen(found.axes, *side) for side in zip(tensor.shape, tensor.stride(), strict=True)], output
        )
        axes = zip(output.shape, output.stride(), varies, strict=True)
        return replace(found, axes=tuple(_Axis(*axis) for axis in axes))

    def _joined(self, parts: Sequence[Tensor], side: int, output: Tensor) -> _Sum | None:
        """Return the sum that a concatenation of products is; along its dimension, both factors vary."""
        found = [self._sums.get(storage(each)) for each in parts]
        sums = [each for each in found if each is not None and each.terms]
        if not sums or len(sums) < len(found):
            return None
        varies = [(False, False)] * output.dim()
        for part, each in zip(parts, sums, strict=True):
            seen = [_seen(each.axes, *sides) for sides in zip(part.shape, part.stride(), strict=True)]
            seen.insert(side % output.dim(), (True, True))
            if part.dim() == output.dim():
                del seen[side % output.dim() + 1]
            varies = [(a or c, b or d) for (a, b), (c, d) in zip(varies, seen, strict=True)]
        return replace(
            sums[0],
            axes=tuple(_Axis(*axis) for axis in zip(output.shape, output.stride(), varies, strict=True)),
            pending=sum(each.pending for each in sums),
            sources=frozenset.intersection(*(each.sources for each in sums)),
            parameters=all(each.parameters for each in sums),
        )

    def _written(self, tensor: Any, output: Tensor) -> _Sum | None:
        """Return the sum that the memory of `output` is after `tensor` was copied into it."""
        found = self._moved(tensor, output) if isinstance(tensor, Tensor) else None
        whole = output.untyped_storage().nbytes() // output.element_size()
        if found is None or output.numel() == whole:
            return found
        before = self._sums.get(storage(output), _Sum())
        # The parts of the memory that are written one after another are one more dimension.
        axes = (*found.axes, _Axis(whole, 1, (True, True)))
        return replace(found, axes=axes, pending=found.pending + before.pending)

    def _added(self, left: _Sum | None, right: _Sum | None) -> _Sum | None:
        if left is None or right is None:
            # A bias or a shortcut.
            return left or right
        both = [each for each in (left, right) if each.terms]
        sources = frozenset.intersection(*(each.sources for each in both)) if both else frozenset()
        axes = left.axes or right.axes
        if left.axes and right.axes:
            axes = tuple(
                _Axis(one.size, one.stride, (one.varies[0] or other.varies[0], one.varies[1] or other.varies[1]))
                for one, other in zip(left.axes, right.axes, strict=True)
            )
        return _Sum(
            axes=axes,
            pending=left.pending + right.pending,
            terms=left.terms + right.terms,
            sources=sources,
            parameters=left.parameters and right.parameters,
        )

    def _counted(self, found: _Sum | None) -> tuple[int, _Sum | None]:
        """Return the multiply-adds of a chain of additions that is a convolution, and the chain without them."""
        if found is None or not found.sources or found.terms < (2 if found.parameters else 3):
            return 0, found
        return found.pending, replace(found, pending=0)

    # --- reductions -----------------------------------------------------------------------------------------------

    def _summed(self, name: str, args: Sequence[Any], kwargs: Any) -> tuple[Tensor, list[int]] | None:
        """Return the tensor that an operation sums, and the dimensions."""
        if name in _REDUCTIONS:
            given = kwargs.get("dim", args[1] if len(args) > 1 else None)
            sides = [given] if isinstance(given, int) else given if isinstance(given, (list, tuple)) else None
            return args[0], [side % args[0].dim() for side in sides or range(args[0].dim()) if args[0].dim()]
        if name in _POOLS:
            return args[0], list(range(args[0].dim()))[-_POOLS[name] :]
        if name in _ALL_DIMENSIONS and _accumulates(name, args, kwargs):
            # The last tensor is the one whose elements are accumulated.
            terms = [each for each in args if isinstance(each, Tensor)]
            return terms[-1], list(range(terms[-1].dim()))
        return None

    def _contracted(self, tensor: Tensor, sides: list[int], output: Tensor) -> tuple[int, _Sum | None]:
        found = self._sums.get(storage(tensor))
        if found is None:
            return 0, None
        varies = [_seen(found.axes, *side) for side in zip(tensor.shape, tensor.stride(), strict=True)]
        if all(any(varies[side][factor] for side in sides) for factor in (0, 1)):
            self._sums[storage(tensor)] = replace(found, pending=0)
            return found.pending, None
        rest = [each for side, each in enumerate(varies) if side not in sides or output.dim() == len(varies)]
        axes = zip(output.shape, output.stride(), _aligned(rest, output), strict=True)
        return 0, replace(found, axes=tuple(_Axis(*axis) for axis in axes))


def _accumulates(name: str, args: Sequence[Any], kwargs: Any) -> bool:
    """Whether elements with the same index are added up."""
    if "index_put" in name:
        return bool(kwargs.get("accumulate", len(args) > 3 and args[3]))
    return name != "scatter_reduce" or args[4] in ("sum", "mean")


def _place(tensor: Tensor) -> tuple[int, int]:
    return int(tensor.storage_offset()), stored(tensor)


def _varying(factor: Tensor, output: Tensor) -> list[bool]:
    """Return for each dimension of a product whether a factor varies along it."""
    given = [size > 1 and step > 0 for size, step in zip(factor.shape, factor.stride(), strict=True)]
    return [False] * (output.dim() - len(given)) + given[-output.dim() :] if output.dim() else []


def _aligned(varies: list[tuple[bool, bool]], output: Tensor) -> list[tuple[bool, bool]]:
    """Broadcast to the dimensions of the output."""
    missing = output.dim() - len(varies)
    return [(False, False)] * missing + varies[-output.dim() :] if output.dim() else []


def _seen(axes: Sequence[_Axis], size: int, stride: int) -> tuple[bool, bool]:
    """Return whether each factor varies along a dimension of a view, which covers the axes within its memory range."""
    covered = [
        axis.varies
        for axis in axes
        if size > 1
        and stride > 0
        and axis.size > 1
        and stride < axis.stride * axis.size
        and axis.stride < stride * size
    ]
    return any(one for one, _ in covered), any(other for _, other in covered)
