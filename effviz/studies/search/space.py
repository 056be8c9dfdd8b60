"""A space of networks like that of MnasNet: one block type, with choices in each of seven stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, NamedTuple

from effviz.core.caches import remembered
from effviz.core.errors import DesignError, fail, number, whole
from effviz.core.resolution import Resolution
from effviz.core.rounding import make_divisible
from effviz.model.design import Design
from effviz.model.stage import Stage, fixed, table

BASE = ((16, 1), (24, 2), (40, 2), (80, 2), (112, 1), (160, 2), (320, 1))
"""Width at factor 1 and stride of every stage: those of MnasNet-A1 (arXiv 1807.11626, figure 7)."""

DIVISOR = 8
_MOST_VALUES = 16


class Option(NamedTuple):
    """The choices of one stage."""

    kernel_size: int
    expand_ratio: int
    se_ratio: float
    layers: int
    width: float  # factor on the width in `BASE`


CHOICES = {
    "kernel_size": "Kernel size",
    "expand_ratio": "Expand ratio",
    "se_ratio": "SE ratio",
    "layers": "Layers",
    "width": "Width factor",
}
"""The fields of `Option` and their names on screen."""


@dataclass(frozen=True)
class Space:
    """The values that each of the seven stages chooses from, independently of the others.

    Attributes:
        kernel_size: of the depthwise convolution.
        expand_ratio: of the expansion.
        se_ratio: of squeeze-and-excitation, relative to the input of the block; 0 for none.
        layers: blocks in the stage.
        width: factors on the widths in `BASE`, rounded to multiples of 8.
        resolution: of the image in pixels.
    """

    kernel_size: tuple[int, ...] = (3, 5, 7)
    expand_ratio: tuple[int, ...] = (1, 3, 6)
    se_ratio: tuple[float, ...] = (0.0, 0.25)
    layers: tuple[int, ...] = (1, 2, 3, 4)
    width: tuple[float, ...] = (0.75, 1.0, 1.25)
    resolution: Resolution = 224

    def __post_init__(self) -> None:
        for name in CHOICES:
            values = tuple(getattr(self, name))
            if not 1 <= len(set(values)) == len(values) <= _MOST_VALUES:
                fail(name, values, f"must have 1 to {_MOST_VALUES} different values")
            object.__setattr__(self, name, values)
        for layers in self.layers:
            whole("layers", layers, 1, 16)
        for width in self.width:
            number("width", width, 0.1, 10)
        # Raises for other illegal values.
        for option in (next(self.options), Option(*(max(values) for values in self.values.values()))):
            self.design([option] * len(BASE)).runs()

    @property
    def values(self) -> dict[str, tuple[Any, ...]]:
        """The values of every choice."""
        return {name: getattr(self, name) for name in CHOICES}

    @property
    def options(self) -> Iterator[Option]:
        """All combinations of choices of one stage."""
        return (Option(*values) for values in product(*self.values.values()))

    @property
    def size(self) -> int:
        """The number of networks."""
        return int(prod(map(len, self.values.values())) ** len(BASE))

    @cached_property
    def channels(self) -> tuple[dict[float, int], ...]:
        """The built width of every stage by width factor."""
        return tuple({each: make_divisible(base * each, DIVISOR) for each in self.width} for base, _ in BASE)

    def design(self, options: Sequence[Option], title: str = "Searched network") -> Design:
        """Return the network with these choices.

        Args:
            options: of the stages in order.
            title: of the network.
        """
        if len(options) != len(BASE):
            raise DesignError(f"options has {len(options)} entries; the space has {len(BASE)} stages")
        rows = [
            _row(f"stage{place}", channels, stride, option)
            for place, ((channels, stride), option) in enumerate(zip(BASE, options, strict=True), start=1)
        ]
        return replace(_frame(self.resolution), title=title, stages=table(STEM, rows, HEAD))

    def restricted(self, **values: tuple[Any, ...]) -> Space:
        """Return the part of the space in which every stage chooses from fewer values."""
        return replace(self, **values)

    def read(self, genes: Mapping[str, Any]) -> list[Option]:
        """Return the choices of the stages from the places of the values in `genes`, by name.

        Raises:
            DesignError: a place is missing or is not in the space.
        """
        values = [allowed[whole(name, genes.get(name), 0, len(allowed) - 1)] for name, allowed in self.genes.items()]
        count = len(CHOICES)
        return [Option(*values[start : start + count]) for start in range(0, len(values), count)]

    @property
    def genes(self) -> dict[str, tuple[Any, ...]]:
        """The values of every choice of every stage, by name: ``stage1_kernel_size``."""
        return {
            f"stage{stage}_{name}": values for stage in range(1, len(BASE) + 1) for name, values in self.values.items()
        }


STEM = fixed(Stage("conv", 32, 1, 2, name="stem"))
HEAD = (
    Stage("conv", 1280, kernel_size=1, width="fixed", depth="fixed", name="head"),
    fixed(Stage("global_avg_pool", name="pool")),
    Stage("linear", 1000, dropout=0.2, width="classes", depth="fixed", name="classifier"),
)


@remembered
def _frame(resolution: Resolution) -> Design:
    return Design(
        "searched", (STEM,), title="Searched network", resolution=resolution,
        source="a search in a space like that of MnasNet, arXiv 1807.11626",
    )  # fmt: skip


@remembered
def _row(name: str, channels: int, stride: int, option: Option) -> Stage:
    return Stage(
        "mbconv", make_divisible(channels * option.width, DIVISOR), option.layers, stride, name=name,
        kernel_size=option.kernel_size, expand_ratio=option.expand_ratio, se_ratio=option.se_ratio, activation="relu",
    )  # fmt: skip
