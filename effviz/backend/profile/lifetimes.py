"""Largest set of tensors that a forward pass needs at the same time."""

from collections.abc import Iterable
from itertools import accumulate

from torch import Tensor

from effviz.backend.profile.tensors import storage, stored


class Lifetimes:
    """First and last use of each storage that holds inputs or results of operations.

    Args:
        inputs: the input tensors, which exist before the first operation.
    """

    def __init__(self, inputs: Iterable[Tensor]) -> None:
        self._step = 0
        # Size, first and last step of every storage; the number of the one that a key denotes at present.
        self._spans: list[list[int]] = []
        self._current: dict[int, int] = {}
        for tensor in inputs:
            if storage(tensor) not in self._current:
                # An input shape is given as one element that all positions share.
                self._add(tensor, tensor.numel() if stored(tensor) == 1 else stored(tensor))

    def _add(self, tensor: Tensor, elements: int) -> None:
        self._current[storage(tensor)] = len(self._spans)
        self._spans.append([elements, self._step, self._step])

    def is_known(self, tensor: Tensor) -> bool:
        """Whether the tensor is an input or the result of an operation."""
        return storage(tensor) in self._current

    def run(self, read: Iterable[Tensor], written: Iterable[Tensor]) -> None:
        """Record an operation."""
        self._step += 1
        present = {storage(tensor) for tensor in read}
        self.keep(present)
        for tensor in written:
            key = storage(tensor)
            # Memory that was released is reused under the same number.
            if key not in present:
                present.add(key)
                self._add(tensor, stored(tensor))

    def keep(self, storages: Iterable[int]) -> None:
        """Record that storages are in use now."""
        for key in storages:
            if key in self._current:
                self._spans[self._current[key]][2] = self._step

    def peak(self) -> int:
        """Return the most elements in use at one step, from the first to the last use of each storage."""
        changes = [0] * (self._step + 2)
        for elements, first, last in self._spans:
            changes[first] += elements
            changes[last + 1] -= elements
        return max(accumulate(changes))
