"""Caches share one budget in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from effviz.core import caches
from effviz.core.caches import BUDGET, Store, cached_bytes, forget, known, plant, remembered, size_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    forget()
    yield
    forget()


def test_results_are_remembered_until_they_are_forgotten() -> None:
    calls: list[int] = []

    @remembered
    def double(number: int) -> int:
        calls.append(number)
        return 2 * number

    assert [double(3), double(3), double(4)] == [6, 6, 8]
    assert calls == [3, 4]
    forget()
    assert double(3) == 6
    assert calls == [3, 4, 3]
    assert double.__wrapped__(5) == 10
    assert double.cache_info().currsize == 1


@pytest.mark.parametrize("size", [100, 20_000, 2_000_000])
def test_the_budget_holds_for_small_and_large_results(size: int) -> None:
    found = remembered(lambda number: bytes(size))
    for number in range(3 * BUDGET // max(size, 2_000)):
        found(number)
        assert cached_bytes() <= BUDGET
    assert found.cache_info().currsize * size <= 1.2 * BUDGET


@pytest.mark.parametrize("nested", [False, True])
def test_large_results_after_small_ones_are_counted(nested: bool) -> None:
    """One small entry is counted for the next ones; a large one among those is counted itself."""
    forget()
    found = remembered(lambda size: [bytes(size)] if nested else bytes(size))
    if nested:
        # A large part of a small object is noticed in the entries that are estimated; from then on, all are.
        found(2**20)
    for number in range(1, 81):
        found(2**20 + number if number % 8 == 3 else number)
    assert cached_bytes() >= 10 * 2**20


def test_the_largest_cache_is_emptied_first() -> None:
    small, large = remembered(lambda number: str(number)), remembered(lambda number: bytes(2**20))
    small(1)
    for number in range(BUDGET // 2**20 + 1):
        large(number)
    assert small.cache_info().currsize == 1
    assert large.cache_info().currsize < 3


def test_a_cache_in_use_is_kept() -> None:
    """A page that needs a large cache at every move does not fill it again at every move."""
    used, unused = (remembered(lambda number: bytes(2**20)) for _ in range(2))
    share = BUDGET // 2**20 * 2 // 3
    for number in range(4 * share):
        for each in range(share):
            used(each)
        unused(number)
    assert used.cache_info().misses == share
    assert cached_bytes() <= BUDGET


def test_a_store_is_within_the_same_budget() -> None:
    store: Store[dict[str, bytes]] = Store()
    for number in range(2 * BUDGET // 2**20):
        store.put(str(number), {"answer": bytes(2**20)})
    assert store.get("0") is None
    assert store.get(str(number)) == {"answer": bytes(2**20)}
    assert cached_bytes() <= BUDGET


class Told:
    """An object with a size."""

    def __sizeof__(self) -> int:
        return 10**6


class Plain:
    """An object without one."""

    def __init__(self) -> None:
        self.parts = [bytes(1_000)] * 50


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        (bytes(10**6), 1e6, 1.1e6), ([bytes(10**4)] * 100, 1e6, 1.1e6), (Told(), 1e6, 1.1e6), (Plain(), 5e4, 6e4),
        ({"a": [bytes(10**5)]}, 1e5, 1.1e5), (None, 1, 100), ((), 1, 100),
    ],
)  # fmt: skip
def test_sizes_are_estimated(value: object, least: float, most: float) -> None:
    assert least <= size_of(value) <= most


def test_deep_values_are_estimated_too() -> None:
    value: list[object] = []
    for _ in range(10_000):
        value = [value]
    assert size_of(value) < 10_000


def test_no_other_cache_of_results_is_in_the_package() -> None:
    """Only functions of few arguments, such as the list of networks, may use `functools.cache`."""
    for path in (ROOT / "effviz").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path != Path(caches.__file__):
            assert not re.search(r"\blru_cache\b|st\.cache_data", text), path


def test_a_planted_result_answers_one_function_only() -> None:
    """Its arguments and its size may need other remembered functions."""

    @remembered
    def inner(value: int) -> str:
        return f"inner {value}"

    class Large:
        def __sizeof__(self) -> int:
            return len(inner(1))

    @remembered
    def outer(value: int) -> Large:
        raise AssertionError

    large = Large()
    plant(large, outer, 7)
    assert outer(7) is large
    assert inner(1) == "inner 1"


def test_known_accepts_remembered_functions_only() -> None:
    with pytest.raises(TypeError, match=r"^len is not remembered$"):
        known(len, ())
