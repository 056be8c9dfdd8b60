"""Values that no caller should pass, and the rule for what a public function does with one."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from effviz import Design, DesignError, LatencyError, Stage
from effviz.model.draft import Draft

SECONDS = 2.0
LONGEST_MESSAGE = 5_000


class Text(str):
    """A subclass of text."""


class Number(IntEnum):
    """A subclass of int."""

    SEVEN = 7


class Awkward:
    """An object without a usable text."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def _same(value: Any) -> Any:
    return value


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def generator() -> Iterator[object]:
    yield from (1, "x", None)


# Functions, because a generator can be read only once.
VALUES: tuple[Callable[[], Any], ...] = (
    *(partial(_same, value)
    for value in (
        None, "", "x", -1, 0, 1, 1.5, -0.0, 1e-300, 1e300, math.nan, math.inf, -math.inf, 10**400, -(10**400), 2**31,
        2**63, True, False, [], {}, (), set(), frozenset({1}), object(), Awkward(), b"", b"\xff\x00", bytearray(b"x"),
        np.int8(3), np.int32(128), np.int64(2**62), np.uint64(2**64 - 1), np.float16(2), np.float32(0.5), np.float64(2),
        np.float32("nan"), np.float64("inf"), np.bool_(True), np.str_("x"), np.datetime64("2026-01-01"),
        np.array(3), np.array([1, 2]), np.array([], dtype=object), Fraction(1, 3), Fraction(10**400), Decimal("1.5"),
        Decimal("NaN"), 1 + 2j, "a" * 1_000_000, "nul\0nul", "\ud800", "\N{RIGHT-TO-LEFT OVERRIDE}", "9" * 5000,
        Text("x"), Number.SEVEN, nested(2000), [nested(2000)], [None], ["x"], [1], (1, 2), [math.nan], [[1, 2]],
        {"x": 1}, {1: None}, {"a": {"b": {}}}, int, Design, Exception("x"), len, range(3), range(10**18),
        nn.Identity(), slice(1), Ellipsis, NotImplemented, Stage("conv", 8),
        Design("other", (Stage("max_pool"),)), Design("wide", (Stage("conv", 8, kernel_size=63),), resolution=1),
        Draft.empty(),
    )),
    generator, lambda: iter([]), lambda: itertools.repeat(0), lambda: (value for value in [math.nan]),
)  # fmt: skip


def problem(call: Callable[[], object], argument: str = "") -> str:
    """Return how a call breaks the promise; an empty text if it returns, or raises an error of the project."""
    begin = time.process_time()
    try:
        call()
    except (DesignError, LatencyError) as error:
        message = str(error)
        if len(message) > LONGEST_MESSAGE:
            return f"message of {len(message)} characters"
        if argument and not message:
            return "empty message"
    except Exception as error:  # noqa: BLE001 -- any other exception is the fault looked for
        return f"{type(error).__name__}: {str(error)[:120]}"
    seconds = time.process_time() - begin
    return f"{seconds:.1f} s" if seconds > SECONDS else ""


def plain(value: object) -> bool:
    """Whether JSON can express a value, so that no numpy number is in it."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
