"""Scaling rules: depth, width and resolution from one coefficient, the networks they build, and their inverses.

Compound scaling is EfficientNet's (arXiv 1905.11946, section 3.3). The other rules spend the same factor in
multiply-adds on one dimension, or like fast scaling (arXiv 2103.06877, section 4).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import groupby, product
from typing import Any, NamedTuple

from effviz.core.arguments import check_methods, check_public, convert_as
from effviz.core.caches import remembered
from effviz.core.errors import DesignError, check_cells, fail, if_legal, number, one_of
from effviz.core.resolution import ratio, scaled_resolution, sides
from effviz.core.rounding import ceil, exact
from effviz.count.memory import ASSUMPTIONS
from effviz.count.report import Report, analyze
from effviz.count.totals import block_totals
from effviz.model.design import Design

MAX_PHI = 100.0
MAX_BASE = 1000.0
PAPER = (1.2, 1.1, 1.15)
"""alpha, beta, gamma of EfficientNet."""

FIT_QUANTITIES = ("macs", "params", "activations", "memory_access", "peak_activation")
_CLOSE = 1e-9
_FARTHEST = 40.0


def compound_scale(
    design: Design, phi: float, alpha: float = PAPER[0], beta: float = PAPER[1], gamma: float = PAPER[2]
) -> Design:
    """Return `design` with depth * alpha**phi, width * beta**phi and resolution round(resolution * gamma**phi).

    Height and width of the input are rounded separately.

    The paper keeps alpha * beta**2 * gamma**2 close to 2, so that each step of phi doubles the multiply-adds. Its
    values, the defaults, give 1.92.

    Args:
        design: the baseline, phi = 0.
        phi: compound coefficient; fractions and negative values are legal.
        alpha, beta, gamma: bases for depth, width and resolution, positive.

    Raises:
        DesignError: a value is not finite, or the scaled network is out of bounds.
    """
    phi = number("phi", phi, -MAX_PHI, MAX_PHI)
    bases = {
        name: number(name, value, 0, MAX_BASE, open_below=True)
        for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma))
    }
    try:
        return design.scaled(
            depth_mult=bases["alpha"] ** phi,
            width_mult=bases["beta"] ** phi,
            resolution=scaled_resolution(design.resolution, bases["gamma"] ** phi),
        )
    except OverflowError:
        fail("phi", phi, f"overflows with {bases}")
    except DesignError as error:
        raise DesignError(f"phi = {phi:g}: {error.problem}", path=error.path) from None


class ScalingRule(NamedTuple):
    """The factors by which one step of phi scales each dimension, named as in compound scaling.

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
        """The nominal factor of one step of phi in multiply-adds: alpha * beta**2 * gamma**2."""
        return self.alpha * self.beta**2 * self.gamma**2

    def scaled(self, design: Design, phi: float) -> Design:
        """Apply `compound_scale` with these bases."""
        return compound_scale(design, phi, *self)

    def multipliers(self, phi: float) -> tuple[float, float, float]:
        """Return the multipliers of depth, width and resolution before rounding.

        Raises:
            DesignError: a multiplier is too large for a float.
        """
        try:
            return self.alpha**phi, self.beta**phi, self.gamma**phi
        except OverflowError:
            fail("phi", phi, f"overflows with {self._asdict()}")


_COMPOUND = ScalingRule()

EXPONENTS: Mapping[str, tuple[float, float, float]] = {
    # rule         depth  width  resolution: exponents of the factor in multiply-adds, d + 2 w + 2 r = 1
    "width":      (0.0,   0.5,   0.0),
    "depth":      (1.0,   0.0,   0.0),
    "resolution": (0.0,   0.0,   0.5),
    "fast":       (0.1,   0.4,   0.05),
}  # fmt: skip
"""Alternatives to compound scaling with the same nominal factor; "fast" is d1_w8_g8_r1 of arXiv 2103.06877."""


def scaling_rules(compound: ScalingRule) -> dict[str, ScalingRule]:
    """Return compound scaling and the rules of `EXPONENTS`, each with the same nominal factor per step of phi.

    In fast scaling the width of a group follows the width, and depthwise convolutions stay depthwise. `Design.scaled`
    does the same, because it keeps the number of groups.
    """
    spent = {
        name: ScalingRule(*(compound.factor**exponent for exponent in exponents))
        for name, exponents in EXPONENTS.items()
    }
    return {"compound": compound} | spent


# --- built networks -----------------------------------------------------------------------------------------------


class BuiltStage(NamedTuple):
    """One stage of a built network."""

    name: str
    blocks: int  # their number
    channels: int  # of its output
    side: int  # height of its output in pixels; 1 for a vector of features
    scales: bool  # whether the depth multiplier acts on it


@remembered
def built_stages(design: Design) -> tuple[BuiltStage, ...]:
    """Return blocks and widths of the built network, stage by stage."""
    found = []
    for name, group in groupby(design.runs(), lambda run: run.stage):
        runs = list(group)
        out_shape = block_totals(runs[-1].block, runs[-1].shape).out_shape
        scales = design.stages[runs[0].row].depth == "scaled"
        side = out_shape[1] if len(out_shape) == 3 else 1
        found.append(BuiltStage(name, sum(run.repeats for run in runs), out_shape[0], side, scales))
    return tuple(found)


def built_body(design: Design) -> tuple[int, int]:
    """Return blocks and output channels, summed over the stages on which the depth multiplier acts."""
    body = [stage for stage in built_stages(design) if stage.scales]
    return sum(stage.blocks for stage in body), sum(stage.channels for stage in body)


def depth_plateau(design: Design) -> tuple[float, float]:
    """Return the range ``low < d <= high`` of depth multipliers that build the same blocks as this design."""
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
    """Return the lowest and the highest width multiplier that build the widths of this design, to within 1e-9."""
    built = design.built_widths()

    def same(width_mult: float) -> bool:
        return if_legal(lambda: design.scaled(width_mult=width_mult / design.width_mult).built_widths()) == built

    ends = []
    for factor in (0.5, 2.0):
        outside = design.width_mult * factor
        while same(outside) and 1e-3 < outside < 1e3:
            outside *= factor
        ends.append(_boundary(same, design.width_mult, outside)[0])
    return ends[0], ends[1]


class Implied(NamedTuple):
    """The phi at which a rule has each multiplier of a network; None if its base is 1 or nothing is counted."""

    depth: float | None
    width: float | None
    resolution: float | None
    macs: float | None


def implied_phi(design: Design, base: Design, rule: ScalingRule) -> Implied:
    """Return the phi of a network scaled from `base`, implied by depth, width, resolution and multiply-adds."""
    macs, base_macs = analyze(design).macs, analyze(base).macs
    ratios = (
        design.depth_mult / base.depth_mult,
        design.width_mult / base.width_mult,
        ratio(design.resolution, base.resolution),
        macs / base_macs if base_macs else 0,
    )
    bases = (rule.alpha, rule.beta, rule.gamma, rule.factor)
    pairs = zip(ratios, bases, strict=True)
    return Implied(
        *(math.log(ratio) / math.log(step) if exact(step) != 1 and ratio > 0 else None for ratio, step in pairs)
    )


# --- sweeps and the grid -------------------------------------------------------------------------------------------


class Swept(NamedTuple):
    """A scaled network in a sweep: its totals for one image, and its dimensions as in `built_body`."""

    phi: float
    macs: int
    params: int
    activations: int
    blocks: int
    channels: int
    resolution: int  # height of the input in pixels


def sweep(design: Design, rule: ScalingRule, phis: Sequence[float]) -> list[Swept]:
    """Return the totals at every phi, without networks that are too deep or too small to build."""
    check_cells("phis", f"{len(phis)} numbers", len(phis))
    found = []
    for phi in phis:
        try:
            report = analyze(rule.scaled(design, phi))
        except DesignError:
            continue
        found.append(swept(phi, report))
    return found


def swept(phi: float, report: Report) -> Swept:
    """Return the totals of the network at phi from its report."""
    blocks, channels = built_body(report.design)
    return Swept(phi, report.macs, report.params, report.activations, blocks, channels, sides(report.resolution)[0])


class GridPoint(NamedTuple):
    """Bases that satisfy the constraint, and the totals of the network at phi = 1."""

    rule: ScalingRule
    macs: int
    params: int


def feasible(design: Design, *, target: float = 2.0, tolerance: float = 0.05, step: float = 0.05) -> list[GridPoint]:
    """Return all alpha, beta, gamma >= 1 on a grid with alpha * beta**2 * gamma**2 close to `target`, with totals.

    The paper searches such a grid for the accuracy of the trained networks. This function lists their costs at phi = 1.

    Args:
        design: the baseline.
        target: of the product.
        tolerance: relative; with a target of 2, 0.05 accepts 1.9 to 2.1.
        step: of the grid, which starts at 1.

    Raises:
        DesignError: a value is out of range, or the grid has too many points.
    """
    target = number("target", target, 1, 16)
    tolerance = number("tolerance", tolerance, 0, 0.5)
    step = number("step", step, 0, 1, open_below=True)
    most = target * (1 + tolerance)
    limits = (most, math.sqrt(most), math.sqrt(most))
    check_cells("step", step, math.prod(_steps(limit, step) for limit in limits))
    found = []
    for alpha, beta, gamma in product(*(_grid(limit, step) for limit in limits)):
        rule = ScalingRule(alpha, beta, gamma)
        if exact(abs(rule.factor - target) - tolerance * target) <= 0:
            report = analyze(rule.scaled(design, 1.0))
            found.append(GridPoint(rule, report.macs, report.params))
    return found


def _steps(most: float, step: float) -> float:
    # A step close to 0 gives infinity, of which no floor exists.
    return exact(min((most - 1) / step, 1e15)) // 1 + 1


def _grid(most: float, step: float) -> list[float]:
    return [exact(1 + index * step) for index in range(int(_steps(most, step)))]


# --- the inverse -----------------------------------------------------------------------------------------------------


class BudgetFit(NamedTuple):
    """The largest network of a rule within a budget.

    Attributes:
        phi: of the network.
        design, value: the network and its value of the quantity.
        next_phi: the smallest phi, to within 1e-9, of a network that does not fit.
        beyond, excess: that network and its value; None if no larger one can be built.
    """

    phi: float
    design: Design
    value: int
    next_phi: float
    beyond: Design | None
    excess: int | None


@remembered
def fit_phi(
    design: Design, budget: float, quantity: str = "macs", rule: ScalingRule = _COMPOUND, memory: str = "fused"
) -> BudgetFit:
    """Find the largest phi within a budget, by bisection over the built networks.

    Args:
        design: the baseline, phi = 0.
        budget: the limit, in the unit of the quantity.
        quantity: one of `FIT_QUANTITIES`, as in `Report`.
        rule: its bases must be at least 1 and not all 1, so that a larger phi never builds less.
        memory: assumption for ``"memory_access"``.

    Raises:
        DesignError: a base is less than 1, all are 1, or the smallest network of the rule exceeds the budget.
    """
    budget = number("budget", budget, 0, 1e18, open_below=True)
    one_of("quantity", quantity, FIT_QUANTITIES)
    one_of("memory", memory, ASSUMPTIONS)
    _check_growth(rule)

    @cache
    def value(phi: float) -> int | None:
        """Return the value of the network at phi; None if it cannot be built."""
        return if_legal(lambda: getattr(analyze(rule.scaled(design, phi), memory=memory), quantity))

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
        # Raises the reason if the baseline cannot be built.
        analyze(rule.scaled(design, 0.0))
        low, high = -1.0, 0.0
        while builds(low) and not fits(low) and low > -_FARTHEST:
            low, high = 2 * low, low
        if not builds(low):
            low = _boundary(builds, high, low)[0]
        if not fits(low):
            fail("budget", budget, f"must be at least {value(low):,}: the smallest network has phi = {low:.2f}")
    if not fits(high):
        low, high = _boundary(fits, low, high)
    fitting, excess = value(low), value(high)
    beyond = None if excess is None or fits(high) else rule.scaled(design, high)
    return BudgetFit(low, rule.scaled(design, low), fitting or 0, high, beyond, excess if beyond else None)


def _check_growth(rule: ScalingRule) -> None:
    """Raise unless a larger phi never builds less and eventually builds more."""
    for name, base in zip(("alpha", "beta", "gamma"), rule, strict=True):
        if base < 1:
            fail(name, base, "must be at least 1: otherwise a larger phi can build less, and no phi is the largest")
    if exact(rule.factor) == 1:
        fail("alpha * beta**2 * gamma**2", rule.factor, "must be greater than 1: otherwise phi changes nothing")


def _boundary(holds: Callable[[float], bool], inside: float, outside: float) -> tuple[float, float]:
    """Bisect between `inside`, where `holds` is true, and `outside`; return the last true and the first false value."""
    while abs(outside - inside) > _CLOSE:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside, outside


def _rule(argument: str, value: Any) -> ScalingRule:
    if not isinstance(value, ScalingRule):
        fail(argument, value, "must be a ScalingRule")
    return ScalingRule(
        *(number(f"{argument}.{name}", base, 0, MAX_BASE, open_below=True) for name, base in value._asdict().items())
    )


convert_as(ScalingRule, _rule)
check_methods(ScalingRule)
check_public(globals())
