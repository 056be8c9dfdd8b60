"""Wide and shallow against narrow and deep: designs of one kind of block at equal multiply-adds.

Widths come in steps, so a budget of multiply-adds is hardly ever met to the unit. `fit_width` finds the network that
comes closest to it from below among those that rounding can build, and the next one up, which breaks it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from effviz.core.errors import MAX_MULTIPLIER, DesignError, fail, unknown, whole
from effviz.core.rounding import same
from effviz.count import cost
from effviz.count.kinds import DEPTHWISE, kind_of
from effviz.count.report import analyze
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.fields import Field, FieldBlock, declared
from effviz.model.layers import Shape
from effviz.model.outline import stage_of
from effviz.model.stage import Stage, fixed, table
from effviz.model.trace import trace_block
from effviz.model.widths import WidthRule
from effviz.studies.blocks import PRESETS, fields_of

# --- a width for a budget ------------------------------------------------------------------------------------------

MOST_MACS = 10**18
_LEAST, _MOST = 1e-6, MAX_MULTIPLIER  # a row has at most 2**20 channels: at the least every width is its minimum
_NOISE = 1e-9  # multipliers that differ by less are one, see effviz.core.rounding
_APART = 3 * _NOISE  # and these are two
_LOOKED = 64  # multipliers, over a factor of 2, at which to look behind what cannot be built
_WALKED = 3_000  # steps, where only one after another will do


@dataclass(frozen=True)
class Fit:
    """What comes closest to a budget of multiply-adds from below, at one depth.

    Attributes:
        budget: multiply-adds of one image.
        design: with its width multiplier.
        macs: its multiply-adds.
        above: the next network up; None if none can be built.
        macs_above: its multiply-adds; None without one.
    """

    budget: int
    design: Design
    macs: int
    above: Design | None
    macs_above: int | None

    @property
    def gap(self) -> float:
        """Share of the budget that is left."""
        return 1 - self.macs / self.budget

    @property
    def excess(self) -> float | None:
        """By which share of the budget the next network up breaks it."""
        return None if self.macs_above is None else self.macs_above / self.budget - 1


class OverBudgetError(DesignError):
    """Even the narrowest network of a depth breaks the budget.

    Attributes:
        least: its multiply-adds.
    """

    def __init__(self, budget: int, least: int) -> None:
        super().__init__(f"macs = {budget} must be at least {least}, which the narrowest network of this depth has")
        self.budget, self.least = budget, least

    def __reduce__(self) -> tuple[Any, ...]:
        return OverBudgetError, (self.budget, self.least)


def fit_width(design: Design, macs: int, *, depth_mult: float = 1.0, resolution: int | None = None) -> Fit:
    """The width multiplier whose network, as rounding builds it, comes closest to `macs` without exceeding it.

    Over the multiplier the networks are a staircase of multiply-adds. It is bisected down to two neighbouring steps,
    one that fits and one that does not; networks that cannot be built are passed over. Multipliers at which a design
    has widths that no rounding gives it (1, and those of a published table) are tried one by one. Multipliers that
    differ by less than a billionth count as one.

    Args:
        design: any; the search starts at its width multiplier, which the result does not depend on.
        macs: the budget, multiply-adds of one image.
        depth_mult: factor on the design's blocks.
        resolution: side of the input in pixels; None for the design's own.

    Raises:
        OverBudgetError: no network is within the budget.
        DesignError: no network can be built at this depth and resolution.
    """
    if not isinstance(design, Design):
        fail("design", design, "must be a Design; effviz.architecture(name) gives one")
    macs = whole("macs", macs, 1, MOST_MACS)
    return _fit_width(design.scaled(depth_mult=depth_mult, resolution=resolution), macs)


@lru_cache(maxsize=512)
def _fit_width(design: Design, budget: int) -> Fit:
    stairs = _Stairs(design, budget)
    stairs.search()
    built = dict(stairs.lasting())
    if not built:
        design.blocks()  # raises, and says why
    beyond = min((macs for macs in built if macs > budget), default=None)
    best = max((macs for macs in built if macs <= budget), default=None)
    if best is None:
        raise OverBudgetError(budget, beyond or 0)
    above = None if beyond is None else stairs.shown(built[beyond])
    return Fit(budget, stairs.shown(built[best]), best, above, beyond)


class _Step(NamedTuple):
    """A stretch of multipliers with one network: one of them, its widths, its multiply-adds; None if there is none."""

    mult: float
    widths: tuple[object, ...]
    macs: int | None

    def fits(self, budget: int) -> bool:
        return self.macs is not None and self.macs <= budget


class _Stairs:
    """The networks of one design over its width multiplier, built where the search looks."""

    def __init__(self, design: Design, budget: int) -> None:
        self.design, self.budget = design, budget
        self._known: dict[tuple[object, ...], _Step] = {}

    def lasting(self) -> Iterable[tuple[int, _Step]]:
        """The networks seen so far, with their multiply-adds, but for those between two roundings that are one.

        Where two widths round up at the same multiplier, floats may tell the two apart for a few billionths.
        """
        own = (1.0, *(mult for mult, _ in self.design.width_rule.table))
        for step in self._known.values():
            around = (step.mult * (1 - _APART), min(step.mult * (1 + _APART), _MOST))
            alone = any(same(step.mult, mult) for mult in own)
            if step.macs is not None and (alone or any(self._widths(mult) == step.widths for mult in around)):
                yield step.macs, step

    def at(self, mult: float) -> _Step:
        """The step at a multiplier."""
        design = replace(self.design, width_mult=mult)
        widths = design.built_widths()
        step = self._known.get(widths)
        if step is None:
            try:
                macs = analyze(design).macs
            except DesignError:
                macs = None
            step = _Step(mult, widths, macs)
        # The last look is the one nearest to the step's end.
        self._known[widths] = step = step._replace(mult=mult)
        return step

    def fits(self, step: _Step) -> bool:
        return step.fits(self.budget)

    def search(self) -> None:
        """Build the two steps between which the budget lies, and the multipliers with widths of their own."""
        rule = self.design.width_rule
        published = [mult for mult, _ in rule.table]
        only_published = bool(published) and not rule.interpolates
        for mult in published if only_published else [1.0, *published]:
            self.at(mult)
        step = None if only_published else self._start()
        if step is None:
            return
        low, high = self._bracket(step)
        if low is not None and high is not None:
            low, high = self._narrowed(low, high)
            self.at(low.mult * (1 - _APART))
            self.at(min(high.mult * (1 + _APART), _MOST))
            if self._holes(low, high):
                self._walk()

    def _holes(self, low: _Step, high: _Step) -> bool:
        """Whether there are networks on both sides of one that cannot be built, because of its groups, say."""
        if low.macs is not None and high.macs is not None:
            return False
        side, power = (high, 1) if high.macs is None else (low, -1)
        looked = (side.mult * 2.0 ** (power * turn / _LOOKED) for turn in range(1, _LOOKED + 1))
        return any(self.at(min(mult, _MOST)).macs is not None for mult in looked)

    def _walk(self) -> None:
        """Build one step after another, from the narrowest, until the budget is broken."""
        step = self.at(_LEAST)
        for _ in range(_WALKED):
            if step.mult >= _MOST or (step.macs is not None and not self.fits(step)):
                self.at(min(step.mult * (1 + _APART), _MOST))
                return
            step = self.at(self._end(step))

    def _start(self) -> _Step | None:
        """Somewhere that can be built, if there is such a place, near the design's own multiplier."""
        # Beside it: at a multiplier of 1 the widths need not be rounded.
        near = min(self.design.width_mult * (1 + 1e-6), _MOST)
        tried = (self.at(min(near * 2.0**power, _MOST)) for power in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5))
        return next((step for step in tried if step.macs is not None), None)

    def _bracket(self, step: _Step) -> tuple[_Step | None, _Step | None]:
        """Two steps with the budget between them; what cannot be built is beyond it, or below the least."""
        rising, reach = self.fits(step), 0.01
        while True:
            before = step
            # Multiply-adds grow with the square of the width, or a little slower.
            guess = math.sqrt(self.budget / max(step.macs or 1, 1))
            factor = max(guess, 1) * (1 + reach) if rising else min(guess, 1) / (1 + reach)
            step = self.at(min(max(step.mult * factor, _LEAST), _MOST))
            if step.macs is None or self.fits(step) != rising:
                return (before, step) if rising else (step, before)
            if step.mult in (_LEAST, _MOST):
                return None, None
            reach *= 2

    def _narrowed(self, low: _Step, high: _Step) -> tuple[_Step, _Step]:
        """Bisect until no network lies between; the secant of the logarithms saves most of the way."""
        building, turn = True, 0
        while high.mult - low.mult > _NOISE * low.mult:
            turn, share = turn + 1, 0.5
            if building and turn % 3 and low.macs and high.macs and high.macs > low.macs:
                share = math.log(self.budget / low.macs) / math.log(high.macs / low.macs)
            middle = self.at(low.mult * (high.mult / low.mult) ** min(max(share, 0.1), 0.9))
            building = middle.widths not in (low.widths, high.widths)
            # Below the least network nothing can be built.
            down = self.fits(middle) or (middle.macs is None and not self.fits(low))
            low, high = (middle, high) if down else (low, middle)
        return low, high

    def _end(self, step: _Step) -> float:
        """Where the next step up begins."""
        low, reach = step.mult, 1e-4
        while (high := min(low * (1 + reach), _MOST)) < _MOST and self._widths(high) == step.widths:
            low, reach = high, 2 * reach
        while high - low > _NOISE * low:
            middle = (low + high) / 2
            low, high = (middle, high) if self._widths(middle) == step.widths else (low, middle)
        return high

    def _widths(self, mult: float) -> tuple[object, ...]:
        return replace(self.design, width_mult=mult).built_widths()

    def shown(self, step: _Step) -> Design:
        """The design of a step, at the multiplier with the fewest digits."""
        for digits in range(12):
            for rounded in (math.floor, math.ceil):
                mult = rounded(step.mult * 10**digits) / 10**digits
                if 0 < mult <= _MOST and self._widths(mult) == step.widths:
                    return replace(self.design, width_mult=mult)
        return replace(self.design, width_mult=step.mult)


# --- one kind of block ---------------------------------------------------------------------------------------------


def _can_stage(kind: type[FieldBlock]) -> bool:
    return kind.has_stride and kind.has_in_channels and kind.has_out_channels


KINDS = tuple(name for name, preset in PRESETS.items() if _can_stage(BLOCKS[preset.block]))
"""The presets whose block can fill a stage: it reduces the resolution, and its row sets its width."""

STEM, WIDTHS = 32, (64, 128, 256, 512)
# Fields in channels have no share of the block's width to follow; GhostNet's last stages expand by 6.
_PER_WIDTH = 6
MOST_DIVISOR = 512


def title_of(kind: str) -> str:
    """The name of a kind, one block of it."""
    chosen = PRESETS[kind]
    return chosen.title if chosen.repeats == 1 else "Plain convolution (VGG)"


def told_fields(kind: str) -> list[Field]:
    """The fields that tell most about a kind: numbers with usual values."""
    return [entry for entry in fields_of(kind) if entry.kind in ("int", "float") and entry.choices]


def template(
    kind: str,
    blocks: int = 4,
    divisor: int = 8,
    resolution: int = 224,
    fields: Mapping[str, Any] | None = None,
) -> Design:
    """A network of one kind of block: a stem, four stages of equal depth and doubling widths, pooling, classifier.

    Args:
        kind: one of `KINDS`.
        blocks: per stage.
        divisor: of the widths; a multiple of it where groups or halves of the channels ask for one.
        resolution: side of the input in pixels; stem and stages halve it, five times in all.
        fields: of the block; those left out have the preset's values.

    Raises:
        DesignError: a value is impossible, or no width suits the block.
    """
    if kind not in KINDS:
        unknown("kind", kind, KINDS)
    chosen = PRESETS[kind]
    whole("divisor", divisor, 1, MOST_DIVISOR)
    own = {**chosen.fields, **(fields or {})}
    step = _suited(chosen.block, divisor, tuple(sorted(own.items())))
    stem = max(1, round(STEM / step)) * step
    rows = [
        Stage(chosen.block, width, blocks, 2, name=f"stage{number}", **own, **_in_channels(chosen.block, width))
        for number, width in enumerate((stem * base // STEM for base in WIDTHS), start=1)
    ]
    return Design(
        kind,
        table(
            fixed(Stage("conv", stem, 1, 2, name="stem")),
            rows,
            fixed(Stage("global_avg_pool", name="pool")),
            Stage("linear", 1000, width="classes", depth="fixed", name="classifier"),
        ),
        title=title_of(kind),
        family="Width against depth",
        resolution=resolution,
        width_rule=WidthRule(step),
    )


def _in_channels(block: str, width: int) -> dict[str, Any]:
    """Fields that count channels of their own and scale with the width."""
    return {entry.name: _PER_WIDTH * width for entry in declared(BLOCKS[block]) if entry.scales}


@lru_cache(maxsize=256)
def _suited(block: str, divisor: int, fields: tuple[tuple[str, Any], ...]) -> int:
    """The smallest multiple of `divisor` such that the block stands at every multiple of it."""
    problem: DesignError | None = None
    for step in range(divisor, MOST_DIVISOR + 1, divisor):
        try:
            for wide in range(step, 9 * step, step):
                out = wide + step
                row = Stage(block, out, 2, 2, **dict(fields), **_in_channels(block, out))
                Design("tried", (row,), resolution=8, in_channels=wide).blocks()
        except DesignError as error:
            problem = problem or error
        else:
            return step
    raise problem or DesignError(f"divisor = {divisor} has no multiple up to {MOST_DIVISOR}")


# --- how a design is made ------------------------------------------------------------------------------------------


class Placed(NamedTuple):
    """A block whose number the depth decides: its stage, and the channels that it puts out."""

    stage: str
    channels: int


def placed(design: Design) -> list[Placed]:
    """The blocks in the stages, in order; stem, pooling and head left out."""
    blocks = design.blocks()
    leaving = [entry.shape[0] for entry in blocks[1:]] + [0]
    return [
        Placed(stage_of(entry.path), channels)
        for entry, channels in zip(blocks, leaving, strict=True)
        if design.stages[entry.row].depth == "scaled"
    ]


def stage_widths(design: Design) -> dict[str, int]:
    """Channels that leave each stage."""
    return {entry.stage: entry.channels for entry in placed(design)}


class Shares(NamedTuple):
    """Where the multiply-adds and the parameters of a design are; each is a share of the whole.

    Attributes:
        outside: stem, head and classifier, of which there is one at any depth.
        first: the first blocks of the stages, of which there is one a stage at any depth.
        further: all other blocks.
        depthwise: depthwise convolutions of any block, which grow with the width and not with its square.
    """

    outside: float
    first: float
    further: float
    depthwise: float


def shares(design: Design, quantity: str) -> Shares:
    """The shares of ``"macs"`` or ``"params"``."""
    sums = dict.fromkeys(Shares._fields, 0)
    before = ""
    for entry in design.blocks():
        whole_block, depthwise = _counted(entry.block, entry.shape, quantity)
        stage = stage_of(entry.path)
        inside = design.stages[entry.row].depth == "scaled"
        sums["outside" if not inside else "first" if stage != before else "further"] += whole_block
        sums["depthwise"] += depthwise
        before = stage
    total = max(1, sums["outside"] + sums["first"] + sums["further"])
    return Shares(**{name: value / total for name, value in sums.items()})


@lru_cache(maxsize=16_384)
def _counted(block: FieldBlock, shape: Shape, quantity: str) -> tuple[int, int]:
    """Of a block and of its depthwise layers."""
    steps = trace_block(block, shape).steps
    every = [cost.params(step.layer) if quantity == "params" else cost.macs(step.layer, step.output.shape)
             for step in steps]  # fmt: skip
    return sum(every), sum(value for step, value in zip(steps, every, strict=True) if kind_of(step) == DEPTHWISE)
