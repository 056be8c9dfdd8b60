"""Computations about compound scaling: rounding steps, drawings to scale, rules at one budget, published accuracy."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from effviz.advice.scaling import (
    BudgetFit,
    BuiltStage,
    Implied,
    ScalingRule,
    Swept,
    built_body,
    built_stages,
    fit_phi,
    implied_phi,
    scaling_rules,
    sweep,
)
from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.resolution import sides, size_text
from effviz.core.rounding import exact
from effviz.count.report import Report, analyze
from effviz.model.design import Design
from effviz.zoo import ARCHITECTURES, architecture
from effviz.zoo.published import published

NAMES = {
    "baseline": "Baseline",
    "width": "Width only",
    "depth": "Depth only",
    "resolution": "Resolution only",
    "compound": "Compound",
    "fast": "Fast scaling",
}
RELEASED = tuple(f"efficientnet_b{variant}" for variant in range(1, 8))
STEPS_A_PHI = 40
DRAWN = tuple(step / 4 for step in range(9))
"""The φ of the drawings, 0 to 2, so that one block is larger than a pixel."""


# --- promised and built ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)  # hashed by identity, which is fast
class Stairs:
    """Built networks of a rule over φ, and its promise without rounding."""

    rule: ScalingRule  # of the promise
    base: Swept  # at phi = 0
    built: tuple[Swept, ...]  # in rising order of phi

    def promised(self, phi: float) -> tuple[float, float, float, float]:
        """Return blocks, channels, height in pixels and multiply-adds without rounding."""
        depth, width, resolution = self.rule.multipliers(phi)
        base, macs = self.base, self.base.macs * self.rule.factor**phi
        return base.blocks * depth, base.channels * width, base.resolution * resolution, macs


@remembered
def stairs(design: Design, rule: ScalingRule, low: int, high: int) -> Stairs:
    """Return the steps of a rule from one integer φ to another, without those that cannot be built."""
    phis = [exact(low + step / STEPS_A_PHI) for step in range((high - low) * STEPS_A_PHI + 1)]
    return Stairs(rule, sweep(design, rule, [0.0])[0], tuple(sweep(design, rule, phis)))


@dataclass(frozen=True)
class StageRow:
    """One stage: the promise of the multipliers, and the stage after rounding."""

    base: BuiltStage
    built: BuiltStage
    promised_blocks: float
    promised_channels: float


def stage_rows(base: Design, scaled: Design) -> list[StageRow]:
    """Return all stages, including those that the multipliers do not change."""
    depth, width = scaled.depth_mult / base.depth_mult, scaled.width_mult / base.width_mult
    rows = []
    for before, after in zip(built_stages(base), built_stages(scaled), strict=True):
        own = {row.width for row in base.stages if row.name == before.name}
        blocks = before.blocks * depth if before.scales else before.blocks
        channels = before.channels * width if own <= {"scaled", "at_least"} else before.channels
        rows.append(StageRow(before, after, blocks, channels))
    return rows


@dataclass(frozen=True)
class Pin:
    """A released network against the rule: the φ that each of its dimensions implies."""

    label: str  # short
    phis: Implied
    depth: float  # multiplier
    width: float  # multiplier
    resolution: int  # in pixels
    macs: int  # as built
    blocks: int  # as built
    channels: int  # as built


@remembered
def pins(base: Design, rule: ScalingRule) -> tuple[Pin, ...]:
    """Return B1 to B7 if the base is B0; nothing for other networks."""
    if base.name != "efficientnet_b0" or base != architecture("efficientnet_b0"):
        return ()
    found = []
    for name in RELEASED:
        design = architecture(name)
        label, phis, macs = design.title.rpartition("-")[2], implied_phi(design, base, rule), analyze(design).macs
        found.append(
            Pin(
                label,
                phis,
                design.depth_mult,
                design.width_mult,
                sides(design.resolution)[0],
                macs,
                *built_body(design),
            )
        )
    return tuple(found)


# --- at equal multiply-adds ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contender:
    """The network of one rule at the budget."""

    rule: str  # a key of `NAMES`
    design: Design  # as built
    multipliers: tuple[float, float, float]  # of depth, width, resolution, before rounding
    fit: BudgetFit | None  # result of the search; None for the baseline and for the network that sets the budget

    @property
    def report(self) -> Report:
        """The report of the network."""
        return analyze(self.design)


@remembered
def contenders(
    base: Design, compound: ScalingRule, phi: float, among: tuple[str, ...]
) -> tuple[tuple[Contender, ...], str]:
    """Return the compound network at φ and the largest networks of other rules within its multiply-adds.

    Returns:
        The contenders in the order of `among`, and a text about those that cannot be built; empty if all can.
    """
    scaled = compound.scaled(base, phi)
    budget = analyze(scaled).macs
    found, missing = [], []
    known = scaling_rules(compound)
    for name in among:
        if name == "compound":
            found.append(Contender(name, scaled, compound.multipliers(phi), None))
        elif name == "baseline":
            found.append(Contender(name, base, (1.0, 1.0, 1.0), None))
        else:
            rule = known[name]
            try:
                fit = fit_phi(base, budget, "macs", rule)
                found.append(Contender(name, fit.design, rule.multipliers(fit.phi), fit))
            except DesignError as error:
                missing.append(f"{NAMES[name]}: {error}")
    return tuple(found), " ".join(missing)


@dataclass(frozen=True)
class Frame:
    """One picture of the animation: the networks of every rule at one phi."""

    phi: float
    drawn: tuple[Contender, ...]


def nearest(phi: float) -> float:
    """Return the φ of `DRAWN` next to a coefficient."""
    return min(DRAWN, key=lambda drawn: abs(drawn - phi))


@remembered
def frames(base: Design, compound: ScalingRule) -> tuple[Frame, ...]:
    """Return the networks of every rule at the multiply-adds of the compound one, for every φ of `DRAWN`."""
    among = ("baseline", "width", "depth", "resolution", "compound")
    found = []
    for phi in DRAWN:
        try:
            found.append(Frame(phi, contenders(base, compound, phi, among)[0]))
        except DesignError:
            break
    return tuple(found)


# --- curves --------------------------------------------------------------------------------------------------------


@remembered
def curves(base: Design, compound: ScalingRule, low: int, high: int) -> dict[str, tuple[Swept, ...]]:
    """Return every rule from one φ to another, in coarse steps."""
    phis = [low + step / 8 for step in range((high - low) * 8 + 1)]
    return {name: tuple(sweep(base, rule, phis)) for name, rule in scaling_rules(compound).items()}


def growth(points: Sequence[Swept]) -> float:
    """Return the exponent of the growth of activations with multiply-adds, between the first and the last point."""
    first, last = points[0], points[-1]
    return math.log(last.activations / first.activations) / math.log(last.macs / first.macs)


# --- printed -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PrintedRow:
    """A row of tables 3 and 7 of the paper."""

    variant: str  # in the words of the paper
    depth: float | None  # stated multiplier; None where the paper prints none
    width: float | None  # the same for the width
    resolution: int | None  # in pixels, from the stated multiplier
    macs: float  # as printed
    top1: float  # per cent
    counted: int | None  # exact multiply-adds at the stated multipliers; None without them
    note: str  # an error of the row, or a condition
    source: str  # paper and table


@remembered
def printed(base: Design) -> tuple[PrintedRow, ...]:
    """Return the published rows about scaling a network; nothing for most networks."""
    table = published()
    rows = table[(table["design"] == base.name) & table["source"].str.contains(r"1905\.11946.*Table [37]\b")]
    found = []
    for row in rows.itertuples():
        depth = width = resolution = counted = None
        if row.scale == row.scale and row.resolution.isdecimal():
            depth = 1.0 if row.depth_scale != row.depth_scale else row.depth_scale
            width, resolution = row.scale, int(row.resolution)
            counted = analyze(base.scaled(width_mult=width, depth_mult=depth, resolution=resolution)).macs
        variant, macs = row.variant.partition(" (EfficientNet")[0], row.mult_adds * 1e6
        note = row.wrong or row.notes
        found.append(PrintedRow(variant, depth, width, resolution, macs, row.top1, counted, note, row.source))
    return tuple(found)


# --- controls and sentences of the page ------------------------------------------------------------------------------

LETTERS = {"alpha": "depth", "beta": "width", "gamma": "resolution"}
"""The bases of compound scaling and what they act on."""
_POWERS = {"alpha": 1, "beta": 2, "gamma": 2}
_AROUND = 24  # steps of 1/60 of phi on either side of a fit


def scalable() -> list[str]:
    """The networks of the zoo that can be built at any width multiplier."""
    return [name for name in ARCHITECTURES if not architecture(name).width_rule.multipliers]


def held_base(held: str, others: Mapping[str, float], target: float = 2.0) -> float:
    """The value of the base `held`, given the two others, at which ``alpha * beta**2 * gamma**2`` equals `target`."""
    rest = math.prod(value ** _POWERS[letter] for letter, value in others.items())
    return float((target / rest) ** (1 / _POWERS[held]))


def examples(rows: Sequence[StageRow]) -> tuple[StageRow, StageRow]:
    """The scaled stages that rounding changes most: in blocks, and in channels."""
    scaled = [row for row in rows if row.base.scales]
    return (
        max(scaled, key=lambda row: row.built.blocks - row.promised_blocks),
        max(scaled, key=lambda row: abs(row.built.channels / row.promised_channels - 1)),
    )


@remembered
def around(base: Design, rule: ScalingRule, phi: float, quantity: str, memory: str) -> tuple[tuple[float, int], ...]:
    """One cost of the networks near a phi, as pairs of phi and cost.

    The quantity is one of `effviz.advice.scaling.FIT_QUANTITIES`; `memory` is the assumption behind memory access.
    """
    found = []
    for near in (phi + step / 60 for step in range(-_AROUND, _AROUND + 1)):
        with suppress(DesignError):
            found.append((near, int(getattr(analyze(rule.scaled(base, near), memory=memory), quantity))))
    return tuple(found)


def growth_text(small: Design, large: Design) -> str:
    """Describe how a network is larger than another: ``16 → 18 blocks, 224 → 230 px``."""
    names = ("blocks", "channels over all stages", "px")
    before, after = ((*built_body(each), size_text(each.resolution)) for each in (small, large))
    found = [f"{low} → {high} {name}" for low, high, name in zip(before, after, names, strict=True) if low != high]
    return ", ".join(found) or "a wider stem or head"


check_border(globals())
