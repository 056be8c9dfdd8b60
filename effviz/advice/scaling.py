"""Scaling rules: depth, width and resolution from one coefficient, what they promise and what is built of it.

Compound scaling is EfficientNet's (arXiv 1905.11946, section 3.3). The other rules spend the same factor in
multiply-adds on one dimension, or as fast scaling does (arXiv 2103.06877, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import groupby, product
from typing import NamedTuple

from effviz.core.errors import DesignError, fail, number, one_of
from effviz.core.rounding import ceil, exact
from effviz.count.report import analyze
from effviz.count.totals import block_totals
from effviz.model.design import Design

MAX_PHI = 100.0
MAX_BASE = 1000.0
PAPER = (1.2, 1.1, 1.15)
"""alpha, beta, gamma of EfficientNet."""

FIT_QUANTITIES = ("macs", "params", "activations", "memory_access", "peak_activation")
_CLOSE = 1e-9
_FARTHEST = 40.0
_MOST_CANDIDATES = 20_000


def compound_scale(
    design: Design, phi: float, alpha: float = PAPER[0], beta: float = PAPER[1], gamma: float = PAPER[2]
) -> Design:
    """`design` with depth x alpha**phi, width x beta**phi and resolution round(resolution * gamma**phi).

    The paper fixes alpha * beta**2 * gamma**2 close to 2, so that phi + 1 doubles the multiply-adds; its own values,
    the defaults, give 1.92.

    Args:
        design: the baseline, phi = 0.
        phi: compound coefficient; fractions and negative values are legal.
        alpha, beta, gamma: bases for depth, width and resolution, positive.

    Raises:
        DesignError: a value is not finite, or the scaled network is out of bounds.
    """
    if not isinstance(design, Design):
        fail("design", design, "must be a Design; effviz.architecture(name) gives one")
    phi = number("phi", phi, -MAX_PHI, MAX_PHI)
    bases = {
        name: number(name, value, 0, MAX_BASE, open_below=True)
        for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma))
    }
    try:
        return design.scaled(
            depth_mult=bases["alpha"] ** phi,
            width_mult=bases["beta"] ** phi,
            resolution=round(design.resolution * bases["gamma"] ** phi),
        )
    except OverflowError:
        fail("phi", phi, f"scales beyond all numbers with {bases}")
    except DesignError as error:
        raise DesignError(f"phi = {phi:g}: {error.problem}", path=error.path) from None


class ScalingRule(NamedTuple):
    """How far one step of phi goes in each dimension; compound scaling with the letters the paper gives them.

    Attributes:
        alpha: factor on depth.
        beta: factor on width.
        gamma: factor on resolution.
    """

    alpha: float = PAPER[0]
    beta: float = PAPER[1]
    gamma: float = PAPER[2]

    @property
    def factor(self) -> float:
        """Multiply-adds that one step of phi promises: alpha * beta**2 * gamma**2."""
        return self.alpha * self.beta**2 * self.gamma**2

    def scaled(self, design: Design, phi: float) -> Design:
        """`compound_scale` with these bases."""
        return compound_scale(design, phi, *self)

    def multipliers(self, phi: float) -> tuple[float, float, float]:
        """Of depth, width and resolution, before rounding."""
        return self.alpha**phi, self.beta**phi, self.gamma**phi


_COMPOUND = ScalingRule()

EXPONENTS: Mapping[str, tuple[float, float, float]] = {
    # rule         depth  width  resolution: exponents of the factor in multiply-adds, d + 2 w + 2 r = 1
    "width":      (0.0,   0.5,   0.0),
    "depth":      (1.0,   0.0,   0.0),
    "resolution": (0.0,   0.0,   0.5),
    "fast":       (0.1,   0.4,   0.05),
}  # fmt: skip
"""Other ways to spend the factor that compound scaling promises; "fast" is d1_w8_g8_r1 of arXiv 2103.06877."""


def scaling_rules(compound: ScalingRule) -> dict[str, ScalingRule]:
    """Compound scaling and beside it `EXPONENTS`, each promising the same factor a step of phi.

    In fast scaling the width of a group follows the width and depthwise stays depthwise: so does `Design.scaled`,
    which keeps the number of groups.
    """
    spent = {
        name: ScalingRule(*(compound.factor**exponent for exponent in exponents))
        for name, exponents in EXPONENTS.items()
    }
    return {"compound": compound} | spent


# --- what is built ------------------------------------------------------------------------------------------------


class BuiltStage(NamedTuple):
    """One stage of a built network.

    Attributes:
        name: of the stage.
        blocks: how many there are.
        channels: of its output.
        side: height of its output, in pixels; 1 for features.
        scales: whether depth acts on it.
    """

    name: str
    blocks: int
    channels: int
    side: int
    scales: bool


@lru_cache(maxsize=512)
def built_stages(design: Design) -> tuple[BuiltStage, ...]:
    """Blocks and widths of the built network, stage by stage."""
    found = []
    for name, group in groupby(design.runs(), lambda run: run.stage):
        runs = list(group)
        leaving = block_totals(runs[-1].block, runs[-1].shape).out_shape
        scales = design.stages[runs[0].row].depth == "scaled"
        side = leaving[1] if len(leaving) == 3 else 1
        found.append(BuiltStage(name, sum(run.repeats for run in runs), leaving[0], side, scales))
    return tuple(found)


def built_body(design: Design) -> tuple[int, int]:
    """Blocks and output channels, summed over the stages on which depth acts."""
    body = [stage for stage in built_stages(design) if stage.scales]
    return sum(stage.blocks for stage in body), sum(stage.channels for stage in body)


def depth_plateau(design: Design) -> tuple[float, float]:
    """The depth multipliers ``low < d <= high`` that build as many blocks in every stage as this design's does."""
    low, high = 0.0, math.inf
    for _, rows in groupby(design.stages, lambda row: row.name):
        stage = list(rows)
        if stage[0].depth == "scaled":
            total = sum(row.repeats for row in stage)
            blocks = max(1, ceil(design.depth_mult * total))
            low = max(low, (blocks - 1) / total if blocks > 1 else 0.0)
            high = min(high, blocks / total)
    return low, high


def width_plateau(design: Design) -> tuple[float, float]:
    """The lowest and the highest width multiplier known to build the widths of this design, to within 1e-9."""
    built = design.built_widths()

    def alike(width_mult: float) -> bool:
        try:
            return design.scaled(width_mult=width_mult / design.width_mult).built_widths() == built
        except DesignError:
            return False

    ends = []
    for factor in (0.5, 2.0):
        outside = design.width_mult * factor
        while alike(outside) and 1e-3 < outside < 1e3:
            outside *= factor
        ends.append(_boundary(alike, design.width_mult, outside)[0])
    return ends[0], ends[1]


class Implied(NamedTuple):
    """The phi at which a rule has each multiplier of a network; None where its base is 1 and never moves."""

    depth: float | None
    width: float | None
    resolution: float | None
    macs: float | None


def implied_phi(design: Design, base: Design, rule: ScalingRule) -> Implied:
    """Which phi a network that was scaled from `base` stands for, seen from depth, width, resolution, multiply-adds."""
    ratios = (
        design.depth_mult / base.depth_mult,
        design.width_mult / base.width_mult,
        design.resolution / base.resolution,
        analyze(design).macs / analyze(base).macs,
    )
    bases = (rule.alpha, rule.beta, rule.gamma, rule.factor)
    return Implied(*(_log(ratio, step) for ratio, step in zip(ratios, bases, strict=True)))


def _log(ratio: float, step: float) -> float | None:
    return math.log(ratio) / math.log(step) if exact(step) != 1 else None


# --- many at once --------------------------------------------------------------------------------------------------


class Swept(NamedTuple):
    """A scaled network in a sweep: its totals, one image, and its dimensions as `built_body` has them."""

    phi: float
    macs: int
    params: int
    activations: int
    blocks: int
    channels: int
    resolution: int


def sweep(design: Design, rule: ScalingRule, phis: Sequence[float]) -> list[Swept]:
    """Totals at every phi; what cannot be built (too deep, too small) is left out."""
    found = []
    for phi in phis:
        try:
            scaled = rule.scaled(design, phi)
            report = analyze(scaled)
        except DesignError:
            continue
        blocks, channels = built_body(scaled)
        totals = report.macs, report.params, report.activations
        found.append(Swept(phi, *totals, blocks, channels, scaled.resolution))
    return found


class GridPoint(NamedTuple):
    """Bases that keep the constraint, and what phi = 1 builds with them."""

    rule: ScalingRule
    macs: int
    params: int


def feasible(design: Design, *, target: float = 2.0, tolerance: float = 0.05, step: float = 0.05) -> list[GridPoint]:
    """Every alpha, beta, gamma >= 1 on a grid with alpha * beta**2 * gamma**2 close to `target`, built at phi = 1.

    The paper does such a search over the accuracy of the trained networks; this one lists what they cost.

    Args:
        design: the baseline.
        target: of the product.
        tolerance: relative; 0.05 takes 1.9 to 2.1.
        step: of the grid, from 1 on.

    Raises:
        DesignError: a value is out of range, or the grid has too many points.
    """
    target = number("target", target, 1, 16)
    tolerance = number("tolerance", tolerance, 0, 0.5)
    step = number("step", step, 0, 1, open_below=True)
    most = target * (1 + tolerance)
    deep, wide = (_grid(limit, step) for limit in (most, math.sqrt(most)))
    if len(deep) * len(wide) ** 2 > _MOST_CANDIDATES:
        fail("step", step, f"makes a grid of {len(deep) * len(wide) ** 2:,} points, at most {_MOST_CANDIDATES:,}")
    found = []
    for alpha, beta, gamma in product(deep, wide, wide):
        rule = ScalingRule(alpha, beta, gamma)
        if exact(abs(rule.factor - target) - tolerance * target) <= 0:
            report = analyze(rule.scaled(design, 1.0))
            found.append(GridPoint(rule, report.macs, report.params))
    return found


def _grid(most: float, step: float) -> list[float]:
    return [exact(1 + index * step) for index in range(int(exact((most - 1) / step)) + 1)]


# --- the inverse -----------------------------------------------------------------------------------------------------


class BudgetFit(NamedTuple):
    """The largest network of a rule within a budget.

    Attributes:
        phi: at which it is built.
        design, value: the network and what it takes of the budget.
        next_phi: the smallest phi, to within 1e-9, at which another network is built that does not fit.
        beyond, excess: that network and what it takes; None where no larger one can be built.
    """

    phi: float
    design: Design
    value: int
    next_phi: float
    beyond: Design | None
    excess: int | None


@lru_cache(maxsize=512)
def fit_phi(
    design: Design, budget: float, quantity: str = "macs", rule: ScalingRule = _COMPOUND, memory: str = "fused"
) -> BudgetFit:
    """The phi that fits a budget, by bisection over what is really built.

    Args:
        design: the baseline, phi = 0.
        budget: most that the network may take, in the unit of the quantity.
        quantity: one of `FIT_QUANTITIES`, as in `Report`.
        rule: its bases must be at least 1 and not all 1, so that more phi never promises less.
        memory: assumption behind ``"memory_access"``.

    Raises:
        DesignError: the bases shrink something, or the smallest network of the rule is over the budget.
    """
    budget = number("budget", budget, 0, 1e18, open_below=True)
    one_of("quantity", quantity, FIT_QUANTITIES)
    for name, base in zip(("alpha", "beta", "gamma"), rule, strict=True):
        if base < 1:
            fail(name, base, "must be at least 1: with less, more phi can build less, and no phi is the largest")
    if exact(rule.factor) == 1:
        fail("alpha * beta**2 * gamma**2", rule.factor, "must be greater than 1: otherwise phi changes nothing")

    @cache
    def value(phi: float) -> int | None:
        """What is built at phi takes so much; None where nothing can be built."""
        try:
            found: int = getattr(analyze(rule.scaled(design, phi), memory=memory), quantity)
        except DesignError:
            return None
        return found

    def builds(phi: float) -> bool:
        return value(phi) is not None

    def fits(phi: float) -> bool:
        found = value(phi)
        return found is not None and found <= budget

    if fits(0.0):
        low, high = 0.0, 1.0
        while fits(high) and high < _FARTHEST:
            low, high = high, 2 * high
    else:
        # A baseline that cannot be built says why.
        analyze(rule.scaled(design, 0.0))
        low, high = -1.0, 0.0
        while builds(low) and not fits(low) and low > -_FARTHEST:
            low, high = 2 * low, low
        if not builds(low):
            low = _boundary(builds, high, low)[0]
        if not fits(low):
            fail("budget", budget, f"must be at least {value(low):,}: at phi = {low:.2f} nothing smaller is built")
    if not fits(high):
        low, high = _boundary(fits, low, high)
    fitting, excess = value(low), value(high)
    beyond = None if excess is None or fits(high) else rule.scaled(design, high)
    return BudgetFit(low, rule.scaled(design, low), fitting or 0, high, beyond, excess if beyond else None)


def _boundary(holds: Callable[[float], bool], inside: float, outside: float) -> tuple[float, float]:
    """Two neighbours between `inside`, where it holds, and `outside`, where it does not: the last and the first."""
    while abs(outside - inside) > _CLOSE:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside, outside
