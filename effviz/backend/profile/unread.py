"""Parameters that no operation has read yet."""

from collections import Counter
from typing import NamedTuple

from torch import Tensor

from effviz.backend.profile.tensors import extent, storage


class _Parameter(NamedTuple):
    owner: str
    elements: int
    extent: tuple[int, int]


class Unread:
    """Parameters by the memory that they occupy.

    Parameters of TorchScript stay where they are, and several of them may share a storage: parts of one vector, or
    different parameters with the same data. Each of them counts.
    """

    def __init__(self) -> None:
        self._of_storage: dict[int, list[_Parameter]] = {}

    def add(self, name: str, tensor: Tensor) -> None:
        """Add a parameter or a buffer by its name in the network."""
        parameter = _Parameter(name.rpartition(".")[0], tensor.numel(), extent(tensor))
        self._of_storage.setdefault(storage(tensor), []).append(parameter)

    def read(self, tensor: Tensor) -> int:
        """Return the elements of the parameters that are read for the first time by reading `tensor`."""
        waiting = self._of_storage.get(storage(tensor))
        if not waiting:
            return 0
        first, end = extent(tensor)
        # One read reaches one of several parameters at the same place.
        reached = {each.extent: each for each in reversed(waiting) if each.extent[0] < end and first < each.extent[1]}
        for each in reached.values():
            waiting.remove(each)
        return sum(each.elements for each in reached.values())

    def counts(self) -> Counter[str]:
        """Return the elements of the unread parameters by the path of their owner."""
        counts: Counter[str] = Counter()
        for waiting in self._of_storage.values():
            for each in waiting:
                counts[each.owner] += each.elements
        return counts
