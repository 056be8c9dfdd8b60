"""A queue that serves its owners in turn, however many items one of them has in it."""

from __future__ import annotations

from collections import deque
from itertools import chain, zip_longest
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Owners take turns in the order in which they came; who was served last stands behind all who wait.

    One owner's items come out in the order in which they went in. Not safe for threads: its user has a lock.
    """

    def __init__(self) -> None:
        self._lines: dict[str, deque[T]] = {}
        self._last = ""

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def push(self, owner: str, item: T) -> None:
        """Add an item to the end of its owner's line."""
        self._lines.setdefault(owner, deque()).append(item)

    def pop(self) -> T | None:
        """Take the item whose turn it is; None if there is none."""
        lines = self._in_turn()
        if not lines:
            return None
        self._lines = lines
        self._last, line = next(iter(lines.items()))
        item = line.popleft()
        self._drop_if_empty(self._last)
        return item

    def replace(self, owner: str, old: T, new: T) -> None:
        """Put `new` where `old` is."""
        line = self._lines[owner]
        line[line.index(old)] = new

    def remove(self, owner: str, item: T) -> bool:
        """Take an item out; whether it was there."""
        line = self._lines.get(owner, deque())
        if item not in line:
            return False
        line.remove(item)
        self._drop_if_empty(owner)
        return True

    def of(self, owner: str) -> list[T]:
        """One owner's items."""
        return list(self._lines.get(owner, ()))

    def order(self) -> list[T]:
        """All items as they would come out if nothing were added."""
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
