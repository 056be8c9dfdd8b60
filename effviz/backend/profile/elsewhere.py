"""Tensors that operations outside of the recorded thread have made."""

import gc
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from torch import Tensor, UntypedStorage
from torch.multiprocessing.reductions import StorageWeakRef


class Elsewhere:
    """The storages that exist before a pass or that its recorded operations make.

    A copy of the process has no thread that was started before, such as one of a pool, so these passes run in the
    process itself. Torch passes the operations of such a thread not to the recorder, and their results have unknown
    storages.
    """

    def __init__(self) -> None:
        # A weak reference keeps the address of a storage from use by another one, but not its memory.
        self._known: dict[int, StorageWeakRef] = {}
        self.add(each for each in gc.get_objects() if issubclass(type(each), Tensor))

    def add(self, tensors: Iterable[Tensor]) -> None:
        """Record tensors whose origin is known."""
        for tensor in tensors:
            storage = _storage(tensor)
            if storage is not None and storage._cdata not in self._known:
                self._known[storage._cdata] = StorageWeakRef(storage)  # type: ignore[no-untyped-call]

    def is_foreign(self, tensor: Tensor) -> bool:
        """Whether neither the time before the pass nor a recorded operation explains a tensor."""
        storage: Any = _storage(tensor)
        # Numpy arrays and other memory that torch has not allocated cannot be resized.
        return storage is not None and storage._cdata not in self._known and storage.resizable()


def _storage(tensor: Tensor) -> UntypedStorage | None:
    """Return the storage of a tensor; sparse tensors and many subclasses have none."""
    with suppress(Exception):
        return tensor.untyped_storage()
    return None
