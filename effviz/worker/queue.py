"""A queue whose owners take turns, and in which a short job does not wait for long ones."""

from collections import deque
from copy import copy
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Line(Generic[T]):
    """The items of one owner with their costs, and the queue's time when the first of them became the first."""

    since: float
    items: deque[tuple[T, float]] = field(default_factory=deque)

    @property
    def due(self) -> float:
        return self.since + self.items[0][1]


class FairQueue(Generic[T]):
    """A queue that serves first what processor sharing would finish first.

    The items of one owner are first in, first out, and only the first one takes part. If all owners were served at
    once, each at the same rate, an item would end when each owner has received its cost since it became the first.
    Owners with equal costs therefore take turns, the owner served last comes after all others, and an item of low cost
    is served before items of high cost that came before it. An item of high cost is overtaken until the others have
    received its cost. The class is not thread-safe.
    """

    def __init__(self) -> None:
        # In the order in which their first items came to their turn.
        self._lines: dict[str, _Line[T]] = {}
        self._last = ""
        self._time = 0.0  # the cost that each owner would have received
        self._order: list[T] | None = None

    def __len__(self) -> int:
        return sum(len(line.items) for line in self._lines.values())

    def push(self, owner: str, item: T, cost: float = 1.0) -> None:
        """Add an item after the owner's other items; `cost` is its expected time in any unit."""
        self._order = None
        self._lines.setdefault(owner, _Line(self._time)).items.append((item, cost))

    def pop(self) -> T | None:
        """Remove and return the next item; None if the queue is empty."""
        self._order = None
        if self._last in self._lines:
            line = self._lines[self._last] = self._lines.pop(self._last)
            line.since = self._time
        if not self._lines:
            return None
        self._last, line = min(self._lines.items(), key=lambda each: each[1].due)
        item, cost = line.items.popleft()
        self._time += cost / len(self._lines)
        self._drop_if_empty(self._last)
        return item

    def replace(self, owner: str, old: T, new: T, cost: float = 1.0) -> None:
        """Replace `old` by `new` in the same position."""
        self._order = None
        items = self._lines[owner].items
        items[self.of(owner).index(old)] = new, cost

    def remove(self, owner: str, item: T) -> bool:
        """Remove an item and return whether it was in the queue."""
        found = self.of(owner)
        if item not in found:
            return False
        self._order = None
        del self._lines[owner].items[found.index(item)]
        self._drop_if_empty(owner)
        return True

    def of(self, owner: str) -> list[T]:
        """Return the items of one owner."""
        return [item for item, _ in self._lines[owner].items] if owner in self._lines else []

    def order(self) -> list[T]:
        """Return all items in the order in which `pop` would return them."""
        if self._order is None:
            rest = copy(self)
            rest._lines = {owner: _Line(line.since, line.items.copy()) for owner, line in self._lines.items()}
            self._order = [item for _ in range(len(self)) if (item := rest.pop()) is not None]
        return list(self._order)

    def _drop_if_empty(self, owner: str) -> None:
        if not self._lines[owner].items:
            del self._lines[owner]
