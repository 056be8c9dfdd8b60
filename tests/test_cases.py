"""Loops over cases run every case, and name the one that fails."""

from __future__ import annotations

import pytest
from cases import for_each


def test_all_cases_run_with_their_fixtures() -> None:
    seen = []

    @for_each("one", [1, pytest.param(2, id="two")])
    @for_each(("two", "three"), [("a", "b"), ("c", "d")])
    def loop(one: int, two: str, three: str, fixture: str) -> None:
        seen.append((one, two, three, fixture))

    loop(fixture="x")
    assert seen == [(1, "a", "b", "x"), (1, "c", "d", "x"), (2, "a", "b", "x"), (2, "c", "d", "x")]


def test_a_failure_names_its_case() -> None:
    @for_each("value", [1, 2, 3])
    def loop(value: int) -> None:
        assert value != 2

    with pytest.raises(AssertionError) as failed:
        loop()
    assert failed.value.__notes__ == ["case 1: value = 2"]
    with pytest.raises(AssertionError, match="tests nothing"):
        for_each("value", [])
