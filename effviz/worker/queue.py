"""A queue whose owners take turns."""

from collections import deque
from itertools import chain, zip_longest
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """A round-robin queue: owners take turns, and the owner served last comes after all others.

    The items of one owner are first in, first out. The class is not thread-safe.
    """

    def __init__(self) -> None:
        self._lines: dict[str, deque[T]] = {}
        self._last = ""

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def push(self, owner: str, item: T) -> None:
        """Add an item after the owner's other items."""
        self._lines.setdefault(owner, deque()).append(item)

    def pop(self) -> T | None:
        """Remove and return the next item; None if the queue is empty."""
        lines = self._in_turn()
        if not lines:
            return None
        self._lines = lines
        self._last, line = next(iter(lines.items()))
        item = line.popleft()
        self._drop_if_empty(self._last)
        return item

    def replace(self, owner: str, old: T, new: T) -> None:
        """Replace `old` by `new` in the same position."""
        line = self._lines[owner]
        line[line.index(old)] = new

    def remove(self, owner: str, item: T) -> bool:
        """Remove an item and return whether it was in the queue."""
        line = self._lines.get(owner, deque())
        if item not in line:
            return False
        line.remove(item)
        self._drop_if_empty(owner)
        return True

    def of(self, owner: str) -> list[T]:
        """Return the items of one owner."""
        return list(self._lines.get(owner, ()))

    def order(self) -> list[T]:
        """Return all items in the order in which `pop` would return them."""
        rounds = zip_longest(*([[item] for item in line] for line in self._in_turn().values()), fillvalue=[])
        return list(chain.from_iterable(chain.from_iterable(rounds)))

    def _in_turn(self) -> dict[str, deque[T]]:
        lines = dict(self._lines)
        if self._last in lines:
            lines[self._last] = lines.pop(self._last)
        return lines

    def _drop_if_empty(self, owner: str) -> None:
        if not self._lines[owner]:
            del self._lines[owner]
