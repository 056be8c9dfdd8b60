"""The costliest legal designs of every kind, and a loop to measure CPU time by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from effviz.core.errors import MAX_BLOCKS, MAX_CHANNELS, DesignError
from effviz.model.blocks import Recipe, RecipeStep
from effviz.model.design import Design
from effviz.model.stage import Stage

FRAGMENTED = Recipe("fragmented", (*[RecipeStep("fragments", fragments=64)] * 31, RecipeStep("conv", kernel_size=1)))
EXCITED = Recipe("excited", tuple(RecipeStep("mbconv", expand_ratio=1 + each / 10) for each in range(32)))


def network(rows: Iterator[Stage], **options: Any) -> Design:
    return Design("worst", tuple(rows), **({"resolution": 64} | options))


def _rows(block: str, count: int, **fields: Any) -> Design:
    """Rows of one block, no two of them equal."""
    return network(
        Stage(block, 16 + 8 * (i % 50), expand_ratio=1 + i / 1_000, name=f"s{i}", **fields) for i in range(count)
    )


def largest(make: Callable[[int], Design], most: int = MAX_BLOCKS) -> Design:
    """Return the largest design of a kind that is legal, by bisection over its size."""
    low, high = 1, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        try:
            make(middle).runs()
        except DesignError:
            high = middle
        else:
            low = middle
    return make(low)


WORST: dict[str, Callable[[], Design]] = {
    "rows of one block, all different": lambda: largest(lambda size: _rows("mbconv", size)),
    "rows of plain blocks": lambda: network(Stage("conv", 16 + i % 7 * 8, name=f"s{i}") for i in range(MAX_BLOCKS)),
    "biases before norms": lambda: network(
        Stage("conv", 16 + i % 7 * 8, bias=True, name=f"s{i}") for i in range(MAX_BLOCKS)
    ),
    "even kernels": lambda: network(
        Stage("conv", 16, kernel_size=2, padding=1, name=f"s{i}") for i in range(MAX_BLOCKS)
    ),
    "strides on one pixel": lambda: _rows("mbconv", MAX_BLOCKS, stride=2, kernel_size=5),
    "one deep row": lambda: largest(lambda size: network(iter([Stage("ghost_bottleneck", 16, size, se_ratio=0.25)]))),
    "growing widths": lambda: network(Stage("dense_layer", growth=3 + i % 4, name=f"s{i}") for i in range(MAX_BLOCKS)),
    "recipes of fragments": lambda: largest(
        lambda size: network(Stage("composed", 8 + i, recipe=FRAGMENTED, name=f"s{i}") for i in range(size))
    ),
    "recipes of blocks": lambda: largest(
        lambda size: network(Stage("composed", 8 + 8 * i, recipe=EXCITED, name=f"s{i}") for i in range(size))
    ),
    "a recipe in every row": lambda: largest(
        lambda size: network(
            Stage("composed", 8, recipe=Recipe(f"r{i}", (RecipeStep("conv", kernel_size=1),) * 32), name=f"s{i}")
            for i in range(size)
        )
    ),
    "many fragments": lambda: largest(
        lambda size: network(Stage("fragments", fragments=64 - i % 9, name=f"s{i}") for i in range(size))
    ),
    "widest": lambda: network(
        (Stage("conv", MAX_CHANNELS - i, kernel_size=63, name=f"s{i}") for i in range(MAX_BLOCKS)), resolution=2**14
    ),
}
"""Designs at the limits, by what makes them costly."""


def too_large() -> Iterator[Design]:
    """Yield designs that are beyond `MAX_LAYERS`, some of them far."""
    yield network(Stage("composed", 8 + i, recipe=FRAGMENTED, name=f"s{i}") for i in range(60))
    yield network(Stage("fragments", fragments=64, name=f"s{i}") for i in range(MAX_BLOCKS))
    yield network(iter([Stage("composed", 8, MAX_BLOCKS, recipe=FRAGMENTED, name="s0")]))
    recipes = (
        Recipe(f"r{i}", (*FRAGMENTED.parts[:-2], RecipeStep("conv", times=1 + i / 1_000), RecipeStep("conv")))
        for i in range(MAX_BLOCKS)
    )
    yield network(Stage("composed", 8, recipe=recipe, name=f"s{i}") for i, recipe in enumerate(recipes))


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU time of a call, in seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def loops(work: Callable[[], object]) -> float:
    """Return the CPU time of a call in units of a fixed loop, which takes about 40 ms on an idle machine.

    The loop runs around the call, because a busy machine slows both down.
    """
    around = [cpu(_loop), cpu(_loop)]
    taken = cpu(work)
    around += [cpu(_loop), cpu(_loop)]
    return 4 * taken / sum(around)


def _loop() -> None:
    found: dict[tuple[int, str], int] = {}
    for number in range(80_000):
        key = (number % 1_000, str(number))
        found[key] = found.get(key, 0) + number
