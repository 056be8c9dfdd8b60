"""Where the difference in cost of two networks comes from: by stage, by layer kind, and by scaled axis."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from math import prod
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError
from effviz.core.resolution import Resolution, area
from effviz.core.rounding import exact
from effviz.count.kinds import KINDS
from effviz.count.report import Report, analyze
from effviz.count.totals import block_totals, network_totals
from effviz.model.design import Design
from effviz.model.stage import Stage
from effviz.studies.compare.stages import SAME, StagePair, aligned_stages
from effviz.studies.multipliers import ROUNDED, SIDES, Split, split

QUANTITIES = ("macs", "params", "memory_access")
"""Quantities of a difference, attributes of `effviz.count.rows.LayerSums`."""


class DifferenceTerm(NamedTuple):
    """One part of a difference."""

    label: str  # of the stage, or of the layer kind
    before: int
    after: int
    status: str  # of the stage, as in `effviz.studies.compare.stages`; `SAME` for a layer kind

    @property
    def value(self) -> int:
        """The contribution of the part to the difference."""
        return self.after - self.before


def by_stage(before: Report, after: Report, quantity: str) -> tuple[DifferenceTerm, ...]:
    """Split the difference of two networks by aligned stages; the terms sum to it exactly.

    Args:
        before, after: reports of the networks, at their own resolutions.
        quantity: one of `QUANTITIES`.
    """
    sums = [_sums(report, quantity, 0) for report in (before, after)]
    return tuple(
        DifferenceTerm(
            pair.name,
            sums[0][pair.before.name] if pair.before else 0,
            sums[1][pair.after.name] if pair.after else 0,
            pair.status,
        )
        for pair in aligned_stages(before.design, after.design)
    )


def by_kind(before: Report, after: Report, quantity: str) -> tuple[DifferenceTerm, ...]:
    """Split the difference of two networks by layer kinds, those that one of them has; arguments as `by_stage`."""
    old, new = (_sums(report, quantity, 1) for report in (before, after))
    return tuple(DifferenceTerm(kind, old[kind], new[kind], SAME) for kind in KINDS if old[kind] or new[kind])


def _sums(report: Report, quantity: str, place: int) -> Counter[str]:
    """Return the sums of a report by stage (place 0) or by layer kind (place 1)."""
    found: Counter[str] = Counter()
    for names, sums in report.sums.items():
        found[names[place]] += getattr(sums, quantity)
    return found


class Difference(NamedTuple):
    """Two networks part by part."""

    pairs: tuple[StagePair, ...]
    terms: dict[tuple[str, str], tuple[DifferenceTerm, ...]]  # by quantity, and ``"stage"`` or ``"kind"``


@remembered
def differences(before: Design, after: Design, memory: str) -> Difference:
    """Align two networks, and split the differences of all `QUANTITIES`.

    Raises:
        DesignError: a network cannot be built.
    """
    reports = analyze(before, memory=memory), analyze(after, memory=memory)
    terms = {}
    for quantity in QUANTITIES:
        terms[quantity, "stage"] = by_stage(*reports, quantity)
        terms[quantity, "kind"] = by_kind(*reports, quantity)
    return Difference(aligned_stages(before, after), terms)


# --- two scalings of one network --------------------------------------------------------------------------------------

DEPTH, WIDTH, RESOLUTION = "depth", "width", "resolution"


class Factor(NamedTuple):
    """The factor that one scaled axis has on the multiply-adds: ``nominal * fixed * rounding``, exactly."""

    axis: str  # `DEPTH`, `WIDTH` or `RESOLUTION`
    multiplier: float  # of the axis; for a resolution the factor on a side
    nominal: Fraction  # the multiplier, or its square for width and resolution
    fixed: Fraction  # for layers that do not grow with the axis
    rounding: Fraction  # for blocks, channels and sides of maps that are whole numbers

    @property
    def built(self) -> Fraction:
        """The factor of the built networks."""
        return self.nominal * self.fixed * self.rounding


class Factors(NamedTuple):
    """Multiply-adds of two scalings of one network; the product of the built factors is their ratio, exactly."""

    before: int
    after: int
    factors: tuple[Factor, ...]

    @property
    def ratio(self) -> Fraction:
        """Multiply-adds of the second network per one of the first."""
        return Fraction(self.after, self.before)

    def product(self, part: str) -> Fraction:
        """Multiply one part of all factors: ``"nominal"``, ``"fixed"`` or ``"rounding"``."""
        return prod((getattr(each, part) for each in self.factors), start=Fraction(1))


def is_scaling(before: Design, after: Design) -> bool:
    """Return whether two designs have one stage table, apart from dropout, and differ in multipliers and resolution."""
    same_rule = before.width_rule == after.width_rule and before.in_channels == after.in_channels
    return same_rule and list(map(_costly, before.stages)) == list(map(_costly, after.stages))


def _costly(row: Stage) -> Stage:
    """Return a row without the fields that cost nothing."""
    free = [name for name, _ in row.fields if name in ("dropout", "drop_prob")]
    return row if not free else Stage(**{name: value for name, value in row.to_dict().items() if name not in free})


@remembered
def factors(before: Design, after: Design) -> Factors:
    """Split the ratio of the multiply-adds of two scalings of one network into depth, width² and resolution².

    The axes change one after the other: depth, then width, then resolution.

    Raises:
        DesignError: a network between the two cannot be built, or the first one has no multiply-adds.
    """
    if not (_macs(before) and _macs(after)):
        raise DesignError(f"{before.name} has no multiply-adds")
    deep = replace(before, depth_mult=after.depth_mult)
    wide = replace(deep, width_mult=after.width_mult)
    found = [
        _depth(before, deep),
        _axis(WIDTH, split(deep, after.width_mult / deep.width_mult, before.resolution), _macs(wide), ROUNDED),
        _axis(RESOLUTION, split(wide, 1.0, after.resolution), _macs(after), SIDES),
    ]
    sizes = area(before.resolution), area(after.resolution)
    multipliers = (
        exact(after.depth_mult / before.depth_mult), exact(after.width_mult / before.width_mult),
        (sizes[1] / sizes[0]) ** 0.5,
    )  # fmt: skip
    named = (each._replace(multiplier=value) for each, value in zip(found, multipliers, strict=True))
    return Factors(_macs(before), _macs(after), tuple(named))


def _macs(design: Design, resolution: Resolution | None = None) -> int:
    return network_totals(design, resolution)[1]


def _axis(axis: str, found: Split, built: int, rounded: str) -> Factor:
    """Make the factor of width or resolution; `rounded` names the term of its rounding."""
    terms = dict(found.terms)
    smooth = built - terms.get(rounded, Fraction(0))
    if smooth <= 0:
        # Layers that only one of the networks has can exceed everything else.
        smooth = Fraction(built)
    return Factor(axis, 1.0, found.promised / found.baseline, smooth / found.promised, built / smooth)


def _depth(before: Design, deep: Design) -> Factor:
    old, new = _macs(before), _macs(deep)
    smooth = _smooth_depth(deep) / _smooth_depth(before)
    nominal = Fraction(str(deep.depth_mult)) / Fraction(str(before.depth_mult))
    return Factor(DEPTH, 1.0, nominal, smooth / nominal, Fraction(new, old) / smooth)


def _smooth_depth(design: Design) -> Fraction:
    """Return the multiply-adds if the blocks of a stage were not rounded up: only a part of the last one counts."""
    total = Fraction(0)
    for name, group in groupby(design.blocks(), lambda entry: entry.path.partition(".")[0]):
        blocks = [block_totals(entry.block, entry.shape).macs for entry in group]
        rows = [row for row in design.stages if row.name == name]
        total += sum(blocks)
        if rows[0].depth == "scaled":
            wanted = Fraction(str(exact(design.depth_mult * sum(row.repeats for row in rows))))
            total -= max(Fraction(0), len(blocks) - wanted) * blocks[-1]
    return total


check_border(globals())
