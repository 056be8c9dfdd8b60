"""The share of a space that keeps a limit, and the average cost of each choice, without building every network.

The cost of a stage depends on its own choices and on the width of the stage before it. The sums over all networks are
therefore a dynamic program over stages whose state is a width. Averages are exact. A distribution counts networks in
bins of cost, once with every stage rounded down and once with every stage rounded up, which encloses the exact share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from effviz.core import caches
from effviz.core.caches import remembered
from effviz.core.errors import DesignError, one_of, whole
from effviz.count.totals import block_totals
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.layout import Run, made
from effviz.studies.search.space import BASE, CHOICES, Option, Space

if TYPE_CHECKING:
    import numpy as np

QUANTITIES = ("params", "macs")
"""Counts that are sums over stages."""

BINS = 50_000
_LARGEST = 2**63


class Costs(NamedTuple):
    """Parameters and multiply-adds."""

    params: int
    macs: int


@remembered
def stage_counts(space: Space, stage: int, entering: float, option: Option) -> Costs:
    """Count one stage.

    Args:
        space: the space.
        stage: number of the stage, from 0.
        entering: width factor of the stage before; of any value for the first one, which follows the stem.
        option: choices of the stage.
    """
    first = _places(space)[stage]
    kind, stride = BLOCKS["mbconv"], BASE[stage][1]
    in_channels = first.shape[0] if stage == 0 else space.channels[stage - 1][entering]
    fields = {
        "out_channels": space.channels[stage][option.width], "kernel_size": option.kernel_size,
        "expand_ratio": option.expand_ratio, "se_ratio": option.se_ratio, "activation": "relu",
    }  # fmt: skip
    head = made(kind, tuple((fields | {"in_channels": in_channels, "stride": stride}).items()))
    begin = block_totals(head, (in_channels, *first.shape[1:]))
    if option.layers == 1:
        return Costs(begin.params, begin.macs)
    rest = made(kind, tuple((fields | {"in_channels": fields["out_channels"], "stride": 1}).items()))
    each, times = block_totals(rest, begin.out_shape), option.layers - 1
    return Costs(begin.params + times * each.params, begin.macs + times * each.macs)


@remembered
def _places(space: Space) -> tuple[Run, ...]:
    """Return the first block of every stage of one network: the sizes of the maps are those of all networks."""
    runs = {run.stage: run for run in reversed(_plain(space, space.width[0]).runs())}
    return tuple(runs[f"stage{place}"] for place in range(1, len(BASE) + 1))


def _plain(space: Space, width: float) -> Design:
    option = next(space.options)._replace(width=width)
    return space.design([option] * len(BASE))


@remembered
def outside_counts(space: Space, leaving: float) -> Costs:
    """Count stem, head and classifier; the head depends on the width of the last stage."""
    runs = [run for run in _plain(space, leaving).runs() if not run.stage.startswith("stage")]
    counted = [block_totals(run.block, run.shape) for run in runs]
    return Costs(sum(each.params for each in counted), sum(each.macs for each in counted))


# --- averages --------------------------------------------------------------------------------------------------------


@remembered
def mean(space: Space) -> tuple[Fraction, Fraction]:
    """Return the exact mean parameters and multiply-adds of all networks."""
    totals = [Fraction(0), Fraction(0)]
    options = tuple(space.options)
    for stage in range(len(BASE)):
        entering = space.width if stage else space.width[:1]
        counts = [stage_counts(space, stage, width, option) for width in entering for option in options]
        for place in range(len(totals)):
            totals[place] += Fraction(sum(each[place] for each in counts), len(counts))
    outside = [outside_counts(space, width) for width in space.width]
    for place in range(len(totals)):
        totals[place] += Fraction(sum(each[place] for each in outside), len(outside))
    return totals[0], totals[1]


class ChoiceCost(NamedTuple):
    """The mean cost of the networks that choose one value in every stage."""

    choice: str  # a key of `CHOICES`
    value: float
    params: Fraction
    macs: Fraction


@remembered
def choice_costs(space: Space) -> tuple[ChoiceCost, ...]:
    """Return the mean cost of every value of every choice, chosen in all stages while the others vary."""
    return tuple(
        ChoiceCost(name, value, *mean(space.restricted(**{name: (value,)})))
        for name in CHOICES
        for value in space.values[name]
    )


# --- distribution ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """The share of a space that keeps a limit: at least `low` and at most `high` of the networks, both exact."""

    low: int
    high: int
    size: int

    @property
    def bounds(self) -> tuple[float, float]:
        """The bounds as shares."""
        return self.low / self.size, self.high / self.size


@dataclass(frozen=True)
class Distribution:
    """The number of networks up to every limit.

    Attributes:
        limit: the largest one.
        step: width of a bin.
        down, up: networks whose cost is at most ``step x index`` with every part of the cost rounded down or up to a
            multiple of `step`: an upper and a lower bound of the exact number.
        size: of the space.
    """

    limit: int
    step: int
    down: np.ndarray
    up: np.ndarray
    size: int

    def __sizeof__(self) -> int:
        """Return the bytes of both arrays, for caches."""
        return int(self.down.nbytes + self.up.nbytes)

    def share(self, limit: int) -> Share:
        """Return the share of the networks that cost at most `limit`.

        Raises:
            DesignError: the limit is beyond that of the distribution.
        """
        whole("limit", limit, 1, self.limit)
        return Share(int(self.up[limit // self.step]), int(self.down[limit // self.step]), self.size)


@remembered
def distribution(space: Space, quantity: str, limit: int, bins: int = BINS) -> Distribution:
    """Count the networks up to every limit from 0 to `limit`.

    Args:
        space: at most 2^63 networks.
        quantity: ``"params"`` or ``"macs"``.
        limit: the largest limit; bins have ``limit / bins`` or, for an exact count, 1.
        bins: number of bins. Their width times 8, the number of parts of the cost, bounds the error in cost.
    """
    place = QUANTITIES.index(one_of("quantity", quantity, QUANTITIES))
    whole("limit", limit, 1, 10**12)
    whole("bins", bins, 1, 10**7)
    if space.size >= _LARGEST:
        raise DesignError(f"the space has {space.size:,} networks; a distribution needs fewer than 2^63")
    step = ceil(limit / bins)
    length = limit // step + 1
    down = _counted(space, place, length, lambda cost: cost // step)
    up = _counted(space, place, length, lambda cost: -(-cost // step))
    return Distribution(limit, step, down, up, space.size)


def _counted(space: Space, place: int, length: int, binned: Callable[[int], int]) -> np.ndarray:
    """Return the number of networks with at most each binned cost."""
    import numpy as np

    options: dict[float, list[Option]] = {width: [] for width in space.width}
    for option in space.options:
        options[option.width].append(option)
    # State: networks by width of the last stage so far, and binned cost.
    start = np.zeros(length, np.int64)
    start[0] = 1
    states = {space.width[0]: start}
    for stage in range(len(BASE)):
        caches.pause()
        after = {width: np.zeros(length, np.int64) for width in space.width}
        for entering, counts in states.items():
            for width, chosen in options.items():
                for option in chosen:
                    shift = binned(stage_counts(space, stage, entering, option)[place])
                    if shift < length:
                        after[width][shift:] += counts[: length - shift]
        states = after
    total = np.zeros(length, np.int64)
    for width, counts in states.items():
        shift = binned(outside_counts(space, width)[place])
        if shift < length:
            total[shift:] += counts[: length - shift]
    return np.cumsum(total)
