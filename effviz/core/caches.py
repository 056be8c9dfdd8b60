"""Results of pure functions that are remembered, within one memory budget for the whole process.

A hit costs as much as one of `functools.lru_cache`. A miss also estimates the size of its arguments and result. When
all estimates together exceed `BUDGET`, the caches with the most bytes per recent hit are emptied.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Hashable
from functools import _lru_cache_wrapper, lru_cache, wraps
from itertools import islice
from typing import Any, Generic, TypeVar, cast

BUDGET = 128 * 2**20
"""Bytes, estimated. Objects that several caches share are counted in each, so less is in use."""

_SAMPLED = 4
_SHARED = 32  # calls that one estimate of a small result counts for
_SMALL = 16_384
_DEEPEST = 8

_UNTOLD: Any = object.__sizeof__

_T = TypeVar("_T")


class NotKnownError(LookupError):
    """`known` was called for a result that is not remembered."""


_NONE: tuple[Callable[..., Any] | None, Callable[[], Any]] = None, lambda: None


class _Answers(threading.local):
    """The remembered function whose next miss in this thread has an answer without a computation, and the answer."""

    pending = _NONE


_answers = _Answers()


def size_of(value: Any, depth: int = 0) -> int:
    """Estimate the bytes of a value with its parts.

    Long sequences are estimated from some of their elements. A class may define `__sizeof__` for an object with all its
    parts; those of other objects are counted.
    """
    own = sys.getsizeof(value, 64)
    if isinstance(value, dict):
        parts: Any = value.items()
    elif isinstance(value, (tuple, list, set, frozenset)):
        parts = value
    else:
        tells = type(value).__sizeof__ is not _UNTOLD or depth > _DEEPEST
        return own if tells else own + size_of(getattr(value, "__dict__", 0), depth + 1)
    count = len(parts)
    if depth > _DEEPEST or not count:
        return own
    if count <= _SAMPLED:
        return own + sum(size_of(part, depth + 1) for part in parts)
    sizes = [size_of(part, depth + 1) for part in islice(parts, 0, None, -(-count // _SAMPLED))]
    return own + count * sum(sizes) // len(sizes)


def _no_pause() -> None:
    """Continue at once."""


pause: Callable[[], None] = _no_pause
"""Called before each computation; a server replaces it to let other visitors go first."""


class _Caches:
    """All caches of the process, and the bytes of each since it was emptied."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._empty: list[Callable[[], None]] = []
        self._bytes: list[int] = []
        self._hits: list[Callable[[], int]] = []
        self._former: list[int] = []  # hits when a cache was emptied last

    def add(self, empty: Callable[[], None], hits: Callable[[], int]) -> int:
        """Register a cache by the functions that empty it and count its hits, and return its number."""
        with self._lock:
            self._empty.append(empty)
            self._bytes.append(0)
            self._hits.append(hits)
            self._former.append(0)
            return len(self._empty) - 1

    def grow(self, number: int, size: int) -> None:
        """Count an entry, and empty the least useful caches if all exceed the budget.

        A page that needs a large cache at every move of a slider would otherwise fill it again at every move.
        """
        with self._lock:
            self._bytes[number] += size
            while sum(self._bytes) > BUDGET:
                hits = [each() for each in self._hits]
                recent = [max(0, now - before) for now, before in zip(hits, self._former, strict=True)]
                self.empty(max(range(len(hits)), key=lambda cache: self._bytes[cache] / (1 + recent[cache])))
                self._former = [each() for each in self._hits]

    def empty(self, number: int) -> None:
        """Empty one cache."""
        with self._lock:
            self._empty[number]()
            self._bytes[number] = 0

    def empty_all(self) -> None:
        """Empty all caches."""
        for number in range(len(self._empty)):
            self.empty(number)

    @property
    def total(self) -> int:
        """The estimated bytes of all caches."""
        return sum(self._bytes)


_CACHES = _Caches()


def remembered(function: Callable[..., _T]) -> _lru_cache_wrapper[_T]:
    """Remember the results of a pure function of hashable arguments, within the budget of all caches."""
    turns, shared = 0, _SHARED

    @wraps(function)
    def missed(*args: Any, **named: Any) -> _T:
        nonlocal turns, shared
        asked, answer = _answers.pending
        if asked is found:
            # Only this call: the estimate of the size may call other functions.
            _answers.pending = _NONE
            result = cast("_T", answer())
        else:
            pause()
            result = function(*args, **named)
        # The estimate takes longer than many functions, so one small entry is counted for several, unless the next
        # result is large by itself. A function that returned a large entry once has each entry estimated.
        if turns == 0 or sys.getsizeof(result, 0) >= _SMALL:
            size = size_of((args, named, result))
            shared = shared if size < _SMALL else 1
            turns = shared
            _CACHES.grow(number, size * turns)
        turns -= 1
        return result

    found = lru_cache(maxsize=None)(missed)
    # The function itself, for calls that shall not be remembered.
    found.__wrapped__ = function
    number = _CACHES.add(found.cache_clear, lambda: found.cache_info().hits)
    return found


def known(function: Callable[..., _T], *arguments: Any, **named: Any) -> _T:
    """Return a result of a remembered function without a computation.

    Raises:
        NotKnownError: it is not remembered.
    """

    def unknown() -> Any:
        raise NotKnownError

    return _answered(unknown, function, *arguments, **named)


def plant(result: _T, function: Callable[..., _T], *arguments: Any, **named: Any) -> None:
    """Let a remembered function remember a result that another process has computed, unless it knows one."""
    _answered(lambda: result, function, *arguments, **named)


def _answered(answer: Callable[[], Any], function: Callable[..., _T], *arguments: Any, **named: Any) -> _T:
    # A public function checks its arguments before it calls the remembered one.
    cached = getattr(function, "remembered", function)
    if not isinstance(cached, _lru_cache_wrapper):
        raise TypeError(f"{cached.__name__} is not remembered")
    _answers.pending = cached, answer
    try:
        return cast("_T", cached(*arguments, **named))
    finally:
        _answers.pending = _NONE


class Store(Generic[_T]):
    """Results that are remembered by a key, within the same budget."""

    def __init__(self) -> None:
        self._results: dict[Hashable, _T] = {}
        self._hits = 0
        self._number = _CACHES.add(self._results.clear, lambda: self._hits)

    def get(self, key: Hashable) -> _T | None:
        """Return the result of a key; None if there is none."""
        self._hits += 1
        return self._results.get(key)

    def put(self, key: Hashable, result: _T) -> None:
        """Remember the result of a key."""
        _CACHES.grow(self._number, size_of((key, result)))
        self._results[key] = result


def forget() -> None:
    """Empty all caches."""
    _CACHES.empty_all()


def cached_bytes() -> int:
    """Return the estimated bytes in all caches."""
    return _CACHES.total
