"""Networks of the zoo at many widths and resolutions, and those of them that fit joint limits.

Every count is exact. A network is ranked by the accuracy that is published for exactly its width and resolution.
Networks without one follow; no accuracy is estimated.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from effviz.advice.budgets import BYTES, DTYPES, QUANTITIES, Budget, Verdict, check, read_limit
from effviz.advice.scaling import ScalingRule
from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError, check_cells, fail, look_up, multiplier, one_of
from effviz.core.resolution import Resolution, area, as_resolution, in_pixels
from effviz.count.forms import count_at
from effviz.count.memory import ASSUMPTIONS
from effviz.count.report import analyze
from effviz.model.design import Design
from effviz.studies.multipliers import pareto
from effviz.zoo import ALIASES, ARCHITECTURES, GROUPS, architecture
from effviz.zoo.published.cells import top1_figures

if TYPE_CHECKING:
    import pandas as pd

WIDTHS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Width multipliers of every family that is defined for any width, in addition to those with a published figure."""

RESOLUTIONS = tuple(range(64, 385, 16))
"""Sides in pixels, in addition to a network's own and those with a published figure."""

COMPOUND = "efficientnet_b0"
"""The baseline of compound scaling."""

PHIS = tuple(step / 2 for step in range(-4, 15) if step)
"""Coefficients of compound scaling, each at its own resolution."""

RANKING = (
    "Published top-1 for exactly this width and resolution first, the highest above. Networks without one follow, "
    "those with the most multiply-adds above."
)
LIMITS = {
    "max_macs": "macs", "max_params": "params", "max_memory_access": "memory_access", "max_peak": "peak_activation",
    "max_weights": "weight_size", "max_latency": "latency",
}  # fmt: skip
"""Arguments of `find`, and the quantities that they limit."""


class Candidate(NamedTuple):
    """A network of the zoo at one width and resolution, with its counts in elements."""

    name: str  # in the zoo
    groups: int | None  # of a network that exists with several
    width: float  # multiplier relative to the named network
    depth: float  # multiplier relative to the named network
    phi: float | None  # coefficient of compound scaling; None for other networks
    resolution: Resolution  # in pixels
    params: int
    macs: int
    memory_access: int  # under the assumption of the search
    peak_activation: int
    top1: float | None = None  # published for exactly this width and resolution, in per cent; None if there is none
    source: str = ""  # of `top1`

    @property
    def design(self) -> Design:
        """The network, built again."""
        made = _base(self.name, self.groups)
        return made.scaled(width_mult=self.width, depth_mult=self.depth, resolution=self.resolution)

    @property
    def label(self) -> str:
        """Name, multipliers and resolution: ``MobileNetV2 0.75×, 192 px``."""
        title = _base(self.name, self.groups).title
        scaled = f"φ = {self.phi:g}" if self.phi is not None else f"{self.width:g}×"
        return f"{title} {scaled}, {in_pixels(self.resolution)}"

    @property
    def short(self) -> str:
        """The label without the multiplier 1 and without the network's own resolution: ``MobileNetV2 0.75×``."""
        usual = in_pixels(_base(self.name, self.groups).resolution)
        return self.label.replace(" 1×,", ",").removesuffix(f", {usual}")

    def value(self, quantity: str, dtype: str) -> int:
        """Return a counted quantity in its unit; sizes in bytes are in the number format `dtype`."""
        counted = QUANTITIES[quantity]
        return int(getattr(self, counted.counted)) * (DTYPES[dtype] if counted.kind == BYTES else 1)


Known = Mapping[Candidate, float]
"""Measured latencies in milliseconds."""


# --- all candidates --------------------------------------------------------------------------------------------------


@remembered
def candidates(
    memory: str = "fused",
    networks: tuple[str, ...] | None = None,
    widths: tuple[float, ...] | None = None,
    resolutions: tuple[Resolution, ...] | None = None,
    retrained: bool = False,
) -> tuple[Candidate, ...]:
    """Count networks at widths and resolutions, and rank them as `RANKING` says.

    Args:
        memory: assumption about memory access.
        networks: names in the zoo or in `ALIASES`, whose width is the only one unless `widths` are given; None for all.
        widths: multipliers; None for `WIDTHS` and the published ones. A network is left out at those it does not have.
        resolutions: None for `RESOLUTIONS`, the published ones and the network's own.
        retrained: use accuracies of other sources where the authors of a network print none.

    Raises:
        DesignError: a name, a multiplier or a resolution is illegal, or the grid has too many cells.
    """
    one_of("memory", memory, ASSUMPTIONS)
    for argument, values in (("networks", networks), ("widths", widths), ("resolutions", resolutions)):
        if values == ():
            fail(argument, values, "must have at least one value, or be left out")
    for width in widths or ():
        multiplier("widths", width)
    for side in resolutions or ():
        as_resolution(side, "resolutions")
    names = tuple(ARCHITECTURES) if networks is None else tuple(dict.fromkeys(networks))
    for name in names:
        if name not in ALIASES:
            look_up("architecture", name, ARCHITECTURES)
    cells = len(names) * len(widths or WIDTHS) * len(resolutions or RESOLUTIONS)
    check_cells("widths", widths, cells)
    found: list[Candidate] = []
    with _without_collection():
        for name in names:
            network, factor = ALIASES.get(name, (name, None))
            chosen = widths if factor is None else tuple(factor * width for width in widths or (1.0,))
            for groups in GROUPS.get(network, (None,)):
                found += _of_network(network, groups, memory, chosen, resolutions, retrained)
        if widths is None and resolutions is None and COMPOUND in names:
            found += _compound(memory)
    return tuple(sorted(dict.fromkeys(found), key=_rank))


@contextmanager
def _without_collection() -> Iterator[None]:
    """Pause the garbage collector: all objects made here are kept, and searching them takes a fifth of the time."""
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            if not gc.get_freeze_count():
                # Both calls together move all objects to the oldest generation without searching them.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _of_network(
    name: str, groups: int | None, memory: str, widths: tuple[float, ...] | None,
    resolutions: tuple[Resolution, ...] | None, retrained: bool,
) -> list[Candidate]:  # fmt: skip
    base = _base(name, groups)
    printed = top1_figures(name, groups, retrained)
    usual = base.width_rule.multipliers or [*WIDTHS, *(width for width, _ in printed)]
    sides = [*RESOLUTIONS, base.resolution, *(side for _, side in printed)]
    rows = sorted({*(usual if widths is None else widths)})
    columns = tuple(sorted({*(sides if resolutions is None else resolutions)}, key=area))
    found = []
    for width in rows:
        try:
            counts = count_at(base.scaled(width_mult=width), columns, memory)
        except DesignError:
            continue
        for side, counted in zip(columns, counts, strict=True):
            if counted is None:
                continue
            figure = printed.get((width, side))
            top1, source = (None, "") if figure is None else (figure.top1, figure.source)
            found.append(Candidate(name, groups, width, 1.0, None, side, *counted, top1, source))
    return found


def _compound(memory: str) -> list[Candidate]:
    """Scale the baseline of compound scaling by each of `PHIS`."""
    base, rule, found = _base(COMPOUND, None), ScalingRule(), []
    for phi in PHIS:
        design, (depth, width, _) = rule.scaled(base, phi), rule.multipliers(phi)
        (counted,) = count_at(design, (design.resolution,), memory)
        if counted is not None:
            found.append(Candidate(COMPOUND, None, width, depth, phi, design.resolution, *counted))
    return found


@remembered
def _base(name: str, groups: int | None) -> Design:
    return architecture(name, groups=groups)


def _rank(each: Candidate) -> tuple[float, ...]:
    return (1, -each.macs, each.params) if each.top1 is None else (0, -each.top1, each.macs, each.params)


# --- a search --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Found:
    """The candidates within joint limits, and what the limits exclude.

    Attributes:
        fits: best first, see `RANKING`.
        tried: number of candidates.
        excluded: by limited quantity, the number of candidates beyond its limit.
        near: by limited quantity, the candidates beyond its limit alone, best first.
        axis: the quantity of the Pareto front: the binding limit, else the first one, else the multiply-adds.
        front: the candidates of `fits` with the highest published top-1 for their value of `axis`.
    """

    fits: tuple[Candidate, ...]
    tried: int
    excluded: Mapping[str, int]
    near: Mapping[str, tuple[Candidate, ...]]
    axis: str
    front: frozenset[Candidate]

    def __sizeof__(self) -> int:
        """Return about the bytes of the result, for caches; it shares the candidates with other results."""
        return 500 + 8 * (len(self.fits) + len(self.front) + sum(map(len, self.near.values())))

    @property
    def binding(self) -> str | None:
        """The limit that excludes the most candidates on its own; None if no limit excludes any on its own."""
        found = max(self.near, key=lambda quantity: len(self.near[quantity]), default=None)
        return found if found and self.near[found] else None

    @property
    def strictest(self) -> str | None:
        """The limit beyond which the most candidates are; None without limits."""
        return max(self.excluded, key=self.excluded.__getitem__, default=None)


def search(
    pool: Sequence[Candidate], budgets: Iterable[Budget], dtype: str = "float32", latencies: Known | None = None
) -> Found:
    """Return the candidates that fit all limits. A value equal to its limit fits, an unknown latency does not.

    Args:
        pool: ranked candidates, see `candidates`.
        budgets: the limits; at most one for each quantity.
        dtype: number format of sizes in bytes, a key of `DTYPES`.
        latencies: known ones in milliseconds.
    """
    size = DTYPES[one_of("dtype", dtype, DTYPES)]
    limits = {each.quantity: each.limit for each in budgets}
    tests: list[tuple[str, Callable[[Candidate], bool]]] = [
        (quantity, _beyond(quantity, limit, size, latencies or {})) for quantity, limit in limits.items()
    ]
    fits: list[Candidate] = []
    excluded = dict.fromkeys(limits, 0)
    near: dict[str, list[Candidate]] = {quantity: [] for quantity in limits}
    for each in pool:
        over = [quantity for quantity, is_beyond in tests if is_beyond(each)]
        if not over:
            fits.append(each)
        elif len(over) == 1:
            near[over[0]].append(each)
        for quantity in over:
            excluded[quantity] += 1
    found = Found(
        tuple(fits), len(pool), excluded, {name: tuple(rows) for name, rows in near.items()}, "macs", frozenset()
    )
    axis = found.binding or next(iter(limits), "macs")
    axis = "macs" if axis == "latency" else axis
    return replace(found, axis=axis, front=front(fits, axis, dtype))


def _beyond(quantity: str, limit: float, size: int, latencies: Known) -> Callable[[Candidate], bool]:
    """Return the test whether a candidate exceeds a limit."""
    if quantity == "latency":
        return lambda each: latencies.get(each, float("inf")) > limit
    if QUANTITIES[quantity].unit == "bytes":
        # Exact for integers: elements * size > limit.
        limit = int(limit) // size
    place = Candidate._fields.index(QUANTITIES[quantity].counted)
    return lambda each: each[place] > limit  # type: ignore[operator]


def front(rows: Sequence[Candidate], quantity: str, dtype: str) -> frozenset[Candidate]:
    """Return the rows with a published top-1 that no other row reaches at the same or a lower value of a quantity."""
    known = [each for each in rows if each.top1 is not None]
    points = [(each.value(quantity, dtype), each.top1 or 0.0) for each in known]
    return frozenset(known[place] for place in pareto(points))


def verified(
    each: Candidate, budgets: Sequence[Budget], dtype: str, memory: str = "fused", latency_ms: float | None = None
) -> tuple[Verdict, ...]:
    """Build a candidate again, analyze it and check it against limits: another way to its counts than `candidates`."""
    return check(analyze(each.design, memory=memory), budgets, dtype=dtype, latency_ms=latency_ms)


@remembered
def rechecked(
    rows: tuple[Candidate, ...], budgets: tuple[Budget, ...], dtype: str, memory: str
) -> tuple[tuple[Verdict, ...], ...]:
    """Return the verdicts of `verified` on several candidates."""
    return tuple(verified(each, budgets, dtype, memory) for each in rows)


# --- the public function ---------------------------------------------------------------------------------------------


def find(
    budgets: Sequence[Budget], *, dtype: str = "float32", memory: str = "fused",
    networks: Sequence[str] | None = None, widths: Sequence[float] | None = None,
    resolutions: Sequence[Resolution] | None = None, retrained: bool = False,
    latency: Callable[[Candidate], float | None] | None = None,
) -> tuple[Found, Known]:  # fmt: skip
    """Search the zoo; arguments as `effviz.find`. Latencies are read of those networks only that fit the other limits.

    Returns:
        The candidates within the limits, and the known latencies in milliseconds.
    """
    for limit in budgets:
        if limit.dtype not in ("", dtype):
            fail("dtype", dtype, f"must be {limit.dtype}, the number format of the limit of {limit.text}")
    axes = (None if each is None else tuple(each) for each in (networks, widths, resolutions))
    pool = candidates(memory, *axes, retrained=retrained)
    counted = [each for each in budgets if each.quantity != "latency"]
    known: dict[Candidate, float] = {}
    if len(counted) < len(budgets) and latency is not None:
        for each in search(pool, counted, dtype).fits:
            milliseconds = latency(each)
            if milliseconds is not None:
                known[each] = milliseconds
    return search(pool, budgets, dtype, known), known


def read_limits(limits: Mapping[str, float | str | None]) -> tuple[Budget, ...]:
    """Return the limits that the arguments of `effviz.find` set, see `LIMITS`.

    Raises:
        DesignError: a limit is illegal, or none is set.
    """
    found = tuple(
        read_limit(argument, value, LIMITS[argument]) for argument, value in limits.items() if value is not None
    )
    if not found:
        fail("limits", None, f"must contain at least one of {', '.join(LIMITS)}")
    return found


def as_table(found: Found, budgets: Sequence[Budget], dtype: str, memory: str, known: Known) -> pd.DataFrame:
    """Return the networks that fit as a table, each verified by `effviz.budgets.check`; see `effviz.find`."""
    import pandas as pd

    rows = []
    for each in found.fits:
        verdicts = verified(each, budgets, dtype, memory, known.get(each))
        if not all(verdict.passed for verdict in verdicts):
            raise AssertionError(f"{each.label}: the search and effviz.analyze differ: {verdicts}")
        row = each._asdict() | {"label": each.label}
        row |= {f"{name}_bytes": each.value(name, dtype) for name in ("peak_activation", "weight_size")}
        rows.append(row | {"latency_ms": known.get(each), "front": each in found.front})
    return pd.DataFrame(rows, columns=COLUMNS).rename(columns=RENAMED)


COLUMNS = (
    "label", "name", "groups", "width", "depth", "phi", "resolution", "params", "macs", "memory_access",
    "peak_activation", "peak_activation_bytes", "weight_size_bytes", "latency_ms", "top1", "front", "source",
)  # fmt: skip
RENAMED = {
    "label": "network", "width": "width_mult", "depth": "depth_mult", "peak_activation_bytes": "peak_bytes",
    "weight_size_bytes": "weight_bytes",
}  # fmt: skip


check_border(globals())
