"""Width and resolution multipliers: the law, the exact count, and the difference, term by term.

The law of MobileNets (arXiv 1704.04861, sections 3.3 and 3.4): multiply-adds grow with width² times resolution².
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import if_legal
from effviz.core.resolution import Resolution, area, halved, ratio
from effviz.count import cost
from effviz.count.kinds import DEPTHWISE, KINDS, LINEAR, kind_of
from effviz.count.report import analyze
from effviz.model.design import Design
from effviz.model.layers import Conv2d, Linear
from effviz.model.trace import join, trace_block

Place = tuple[float, Resolution]
"""Width relative to the named network, and resolution in pixels."""

NARROW, WIDE = 0.25, 4.0
"""Multipliers of a second look at a layer: channels that are unchanged there do not scale at all."""


class ScaledCounts(NamedTuple):
    """Parameters and multiply-adds of a network at one width and resolution."""

    params: int
    macs: int


@remembered
def counts(base: Design, width: float, resolution: Resolution) -> ScaledCounts:
    """Count `base` at another width and resolution.

    Raises:
        DesignError: the family has no such width, or the network cannot be built at this resolution.
    """
    report = analyze(base.scaled(width_mult=width), resolution)
    return ScaledCounts(report.params, report.macs)


@remembered
def memory_access(base: Design, width: float, resolution: Resolution, memory: str) -> int:
    """Return its memory access in elements under one assumption; separate from `counts`, because it takes longer.

    Raises:
        DesignError: as `counts`.
    """
    return analyze(base.scaled(width_mult=width), resolution, memory).memory_access


def countable(base: Design, width: float, resolution: Resolution) -> bool:
    """Return whether the family has such a network."""
    return if_legal(lambda: counts(base, width, resolution)) is not None


# --- the law ----------------------------------------------------------------------------------------------------------

STEM = "the stem reads 3 channels at every width"
DEPTH = "depthwise layers grow with width, not width²"
CLASSES = "the classifier keeps its classes"
KEPT = "a fixed head, or a minimum of channels"
FLAT = "pooled maps are 1 × 1 at every resolution"
ROUNDED = "channels follow the rounding of the family"
SIDES = "odd map sides are rounded up"
ONLY = "layers of shortcuts that exist in only one of the two"
REASONS = (DEPTH, STEM, CLASSES, KEPT, FLAT, ROUNDED, SIDES, ONLY)


class Deviation(NamedTuple):
    """One reason for a difference, and its multiply-adds."""

    reason: str
    value: Fraction


class Split(NamedTuple):
    """`promised` + the `terms` = `built`, exactly."""

    baseline: int  # multiply-adds at width 1 and the network's own resolution
    promised: Fraction  # width² × resolution² times that; of a rectangle, the area is resolution²
    terms: tuple[Deviation, ...]  # in the order of `REASONS`, none of them zero
    built: int  # exact multiply-adds


class _Layer(NamedTuple):
    """A convolution or linear layer, with `ins` × `outs` × kernel area multiply-adds per position."""

    kind: str
    ins: int
    outs: int
    positions: int
    macs: int
    in_channels: int


@remembered
def _layers(design: Design, resolution: Resolution) -> dict[str, _Layer]:
    """Return all layers with multiply-adds, by path."""
    found = {}
    for entry in design.blocks(resolution):
        for step in trace_block(entry.block, entry.shape).steps:
            layer, output = step.layer, step.output.shape
            if isinstance(layer, Conv2d):
                wide, ins, outs = layer.in_channels, layer.in_channels // layer.groups, layer.out_channels
            elif isinstance(layer, Linear):
                wide, ins, outs = layer.in_features, layer.in_features, layer.out_features
            else:
                continue
            macs, positions = cost.macs(layer, output), math.prod(output[1:])
            found[join(entry.path, step.path)] = _Layer(kind_of(step), ins, outs, positions, macs, wide)
    return found


@remembered
def split(base: Design, width: float, resolution: Resolution) -> Split:
    """Split the multiply-adds at a width and a resolution into the promise of the law and reasons for the difference.

    For each layer, the factor of the law is replaced in four steps: by that of the sides that scale, by that of the
    actual map, by that of the built channels, by that of the built positions.

    Raises:
        DesignError: the family has no such width.
    """
    own = base.resolution
    before, after = _layers(base, own), _layers(base.scaled(width_mult=width), resolution)
    far = _layers(_far(base, width), own)
    factor, grown = Fraction(str(width)), Fraction(area(resolution), area(own))
    law = factor**2 * grown
    sums = dict.fromkeys(REASONS, Fraction(0))
    baseline = sum(layer.macs for layer in before.values())
    for path in dict.fromkeys((*before, *after)):
        old, new = before.get(path), after.get(path)
        if old is None or new is None or path not in far:
            sums[ONLY] += (new.macs if new else 0) - law * (old.macs if old else 0)
            continue
        # A side with the same channels here and at a distant multiplier does not scale.
        moved = [
            not (getattr(old, side) == getattr(new, side) == getattr(far[path], side))
            for side in (("in_channels",) if old.kind == DEPTHWISE else ("ins", "outs"))
        ]
        nominal = factor ** sum(moved)
        reason = DEPTH if old.kind == DEPTHWISE else CLASSES if old.kind == LINEAR else KEPT
        if old.kind != DEPTHWISE and path == next(iter(before)):
            reason = STEM
        flat = old.positions == new.positions == 1
        map_law = Fraction(1) if flat else grown
        channels = Fraction(new.ins * new.outs, old.ins * old.outs)
        sums[reason] += (nominal - factor**2) * grown * old.macs
        sums[FLAT] += nominal * (map_law - grown) * old.macs
        sums[ROUNDED] += (channels - nominal) * map_law * old.macs
        sums[SIDES] += channels * (Fraction(new.positions, old.positions) - map_law) * old.macs
    terms = tuple(Deviation(reason, value) for reason, value in sums.items() if value)
    return Split(baseline, law * baseline, terms, sum(layer.macs for layer in after.values()))


def _far(base: Design, width: float) -> Design:
    """Return the same network at a distant multiplier on the same side of width 1."""
    multipliers = base.width_rule.multipliers
    if multipliers:
        probe = (max(multipliers) if width > 1 else min(multipliers)) / base.width_mult
    else:
        probe = WIDE if width > 1 else NARROW
    return base.scaled(width_mult=probe)


class KindLaw(NamedTuple):
    """Growth of the multiply-adds of one kind of layer with the multipliers."""

    kind: str  # of layer
    baseline: int  # multiply-adds at width 1 and the resolution of the network
    built: int  # multiply-adds at the given place
    width_power: float | None  # measured exponent of the width; None if there is no other width
    resolution_power: float | None  # the same for the resolution


@remembered
def powers(base: Design, width: float, resolution: Resolution) -> tuple[KindLaw, ...]:
    """Return measured exponents by kind of layer, for each multiplier alone; 1 is replaced by one half.

    Raises:
        DesignError: the family has no such width.
    """
    own = base.resolution
    moved_width = width if width != 1 else half_width(base)
    moved = resolution if area(resolution) != area(own) else halved(own)
    start = _by_kind(base, own)
    wide = _by_kind(base.scaled(width_mult=moved_width), own) if moved_width else {}
    tall = _by_kind(base, moved)
    built = _by_kind(base.scaled(width_mult=width), resolution)

    def power(now: Mapping[str, int], kind: str, factor: float) -> float | None:
        if not now.get(kind) or not start.get(kind):
            return None
        return math.log(now[kind] / start[kind]) / math.log(factor)

    return tuple(
        KindLaw(
            kind, start.get(kind, 0), built.get(kind, 0),
            power(wide, kind, moved_width) if moved_width else None, power(tall, kind, ratio(moved, own)),
        )
        for kind in KINDS
        if start.get(kind) or built.get(kind)
    )  # fmt: skip


def half_width(base: Design) -> float | None:
    """Return 0.5, or the narrowest width of a family with few widths; None if there is only one."""
    multipliers = base.width_rule.multipliers
    if not multipliers or 0.5 in multipliers:
        return 0.5
    return min((each for each in multipliers if each != 1), default=None)


def _by_kind(design: Design, resolution: Resolution) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for layer in _layers(design, resolution).values():
        sums[layer.kind] += layer.macs
    return sums


# --- between printed cells --------------------------------------------------------------------------------------------


class Between(NamedTuple):
    """An interpolated value, and the two places that bracket it."""

    value: float
    ends: tuple[Place, Place]


def between(known: Mapping[Place, float], macs: Callable[[float, Resolution], int], place: Place) -> Between | None:
    """Interpolate the value at `place`, linear in the logarithm of the multiply-adds; None without bracketing cells.

    Interpolation is along the resolution if printed cells of this width are on both sides. Otherwise it is along the
    width, between the nearest widths that are printed or bracketed at this resolution. There is no extrapolation.
    All printed values are of squares, so there is none for a rectangle. `known` has them by place; `macs` counts the
    multiply-adds of a width and a resolution.
    """
    width, resolution = place
    if isinstance(resolution, tuple):
        return None

    def along_resolution(at: float) -> Between | None:
        printed = {each: value for each, value in known.items() if each[0] == at}
        return _nearest_ends(printed, macs, (at, resolution), 1)

    found = along_resolution(width)
    if found is not None:
        return found
    reached: dict[Place, float] = {}
    for at in {at for at, _ in known if at != width}:
        value = known.get((at, resolution))
        if value is None and (inner := along_resolution(at)):
            value = inner.value
        if value is not None:
            reached[at, resolution] = value
    return _nearest_ends(reached, macs, place, 0)


def _nearest_ends(
    values: Mapping[Place, float], macs: Callable[[float, Resolution], int], place: Place, axis: int
) -> Between | None:
    """Interpolate between the nearest places on both sides of `place`, all on one line along an axis."""
    at = _coordinates(place)[axis]
    low = max((each for each in values if _coordinates(each)[axis] < at), key=_coordinates, default=None)
    high = min((each for each in values if _coordinates(each)[axis] > at), key=_coordinates, default=None)
    if low is None or high is None:
        return None
    start, end, now = (math.log(macs(*each)) for each in (low, high, place))
    if not start <= now <= end or start == end:
        return None
    share = (now - start) / (end - start)
    return Between(values[low] + share * (values[high] - values[low]), (low, high))


def _coordinates(place: Place) -> tuple[float, int]:
    """Return width and area, by which places are ordered."""
    return place[0], area(place[1])


def held_out(known: Mapping[Place, float], macs: Callable[[float, Resolution], int]) -> dict[Place, float]:
    """Return the error of the interpolation: interpolated minus printed, for every printed cell that others bracket."""
    errors = {}
    for place, value in known.items():
        found = between({each: known[each] for each in known if each != place}, macs, place)
        if found is not None:
            errors[place] = found.value - value
    return errors


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the Pareto front of `points` (cost, value): no other point costs less and is worth more."""
    front: list[int] = []
    for place in sorted(range(len(points)), key=lambda place: (points[place][0], -points[place][1])):
        if not front or points[place][1] > points[front[-1]][1] or points[place] == points[front[-1]]:
            front.append(place)
    return front


check_border(globals())
