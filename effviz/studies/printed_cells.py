"""Figures printed for a network by width and resolution: accuracies, gaps between them, and errors."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.resolution import Resolution, area, halved, in_pixels
from effviz.model.design import Design
from effviz.studies import multipliers
from effviz.studies.multipliers import Between, Place, ScaledCounts
from effviz.zoo import architecture
from effviz.zoo.published.cells import OTHER_COUNT, Figure, Flaw, cells, leading, printed_top1

NETWORKS = (
    "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "shufflenet_v1", "shufflenet_v2",
    "ghostnet", "mnasnet_a1", "mnasnet_b1",
)  # fmt: skip
"""Networks of the zoo with printed accuracies at several widths or resolutions."""

GROUPS = (1, 2, 3, 4, 8)
"""Published group counts of ShuffleNetV1."""

# Values that papers use most; every grid has them.
_WIDTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_SIDES = (96, 128, 160, 192, 224, 256)


class Accuracy(NamedTuple):
    """ImageNet top-1 of a cell, in per cent."""

    value: float  # as printed, or interpolated
    figure: Figure | None = None  # the printed row; None where the value is interpolated
    between: Between | None = None  # the two cells that the value is interpolated between; None where it is printed

    @property
    def misprint(self) -> bool:
        """Whether the printed figure is known to be wrong."""
        return self.figure is not None and "top1" in self.figure.wrong

    @property
    def text(self) -> str:
        """The value as read: ``71.8``, or ``≈ 66.9`` where it is interpolated."""
        return f"{'≈ ' if self.between else ''}{self.value:.1f}"


class Misfit(NamedTuple):
    """A printed figure that does not match the network that it claims to describe."""

    place: Place  # width and resolution
    quantity: str  # a key of `effviz.zoo.published.cells.QUANTITIES`
    printed: float  # in millions, or in per cent for an accuracy
    counted: float | None  # the same; None where effviz counts no such quantity
    why: Flaw
    sources: tuple[str, ...]  # documents that print it

    @property
    def off(self) -> float:
        """Relative difference of the printed figure from the counted one."""
        return self.printed / self.counted - 1 if self.counted else 0.0


class CellCurve(NamedTuple):
    """Top-1 along one multiplier through a cell: the fixed value, and (place, top-1) in rising order of compute."""

    label: str
    corners: tuple[tuple[Place, float], ...]


@dataclass(frozen=True)
class PrintedCells:
    """One network of `NETWORKS` at every width and resolution."""

    name: str  # of the zoo
    groups: int | None = None  # of ShuffleNetV1; None for other networks
    retrained: bool = False  # include accuracies that sources other than the authors print

    @property
    def base(self) -> Design:
        """The unscaled network."""
        return _base(self.name, self.groups)

    @property
    def own(self) -> Place:
        """The cell of the unscaled network."""
        return 1.0, self.base.resolution

    @property
    def widths(self) -> tuple[float, ...]:
        """The published width multipliers of a family without others; empty for a family with any width."""
        return self.base.width_rule.multipliers

    @property
    def figures(self) -> dict[Place, tuple[Figure, ...]]:
        """Printed rows by cell, the best source first."""
        return cells(self.name, self.groups, self.retrained)

    @property
    def known(self) -> dict[Place, float]:
        """Printed accuracies of one document, the only ones between which values are interpolated."""
        return _known(self.name, self.groups)

    def counts(self, place: Place) -> ScaledCounts:
        """Parameters and multiply-adds of a cell."""
        return multipliers.counts(self.base, *place)

    def macs(self, width: float, resolution: Resolution) -> int:
        """Multiply-adds of a cell."""
        return self.counts((width, resolution)).macs

    def countable(self, place: Place) -> bool:
        """Whether the network can be built at a cell; ShuffleNetV1 has figures at widths that no paper specifies."""
        return multipliers.countable(self.base, *place)

    def axes(self, smallest: float, now: Place) -> tuple[list[float], list[Resolution]]:
        """Widths and resolutions of a map: printed ones, a regular grid, half the own one, and the chosen cell `now`.

        A family with any width can be built from the width multiplier `smallest` on.
        """
        printed = [place for place, figures in self.figures.items() if figures]
        widths = {*self.widths} or {
            width for width in (*_WIDTHS, *(width for width, _ in printed)) if width >= smallest
        }
        usual = {*_SIDES, halved(self.own[1]), now[1]}
        sides: set[Resolution] = usual | {side for width, side in printed if width in widths}
        return sorted({*widths, now[0]}), sorted(sides, key=area)

    def top1(self, place: Place) -> Accuracy | None:
        """The printed accuracy of a cell, else the interpolated one, else None."""
        return _top1(self, place)

    def top1_between_neighbors(self, place: Place) -> float | None:
        """The accuracy interpolated as if the cell were not printed."""
        known = {each: value for each, value in self.known.items() if each != place}
        found = multipliers.between(known, self.macs, place)
        return found.value if found else None

    def interpolation_errors(self) -> tuple[float, ...]:
        """Interpolated minus printed accuracy of every printed cell that others bracket, in percentage points."""
        return _errors(self.name, self.groups)

    def top1_range(self) -> tuple[Place, Place] | None:
        """The cells with the lowest and the highest printed accuracy; None with fewer than two."""
        values = {
            place: found.value
            for place in self.figures
            if self.countable(place) and (found := self.top1(place)) and not found.misprint
        }
        if len(values) < 2:
            return None
        return min(values, key=values.__getitem__), max(values, key=values.__getitem__)

    def recipe_range(self) -> tuple[float, float] | None:
        """Lowest and highest accuracy that any source prints for the unscaled network."""
        figures = cells(self.name, self.groups, True).get(self.own, ())
        values = [figure.top1 for figure in figures if figure.comparable and figure.top1 is not None]
        return (min(values), max(values)) if values else None

    def curves(self, place: Place) -> list[CellCurve]:
        """Accuracy through a cell along each multiplier, between cells that are printed or interpolated."""
        width, resolution = place
        widths, sides = {each for each, _ in self.known}, {side for _, side in self.known}
        lines: dict[str, list[Place]] = {
            f"{width:g}×": [(width, side) for side in {*sides, resolution}],
            in_pixels(resolution): [(each, resolution) for each in {*widths, width}],
        }
        found = []
        for label, places in lines.items():
            corners = [(each, value) for each in places if (value := self._on_curve(each)) is not None]
            if len(corners) > 1:
                corners.sort(key=lambda corner: (self.macs(*corner[0]), corner[1]))
                found.append(CellCurve(label, tuple(corners)))
        return found

    def along(self, curve: CellCurve, macs: int) -> float | None:
        """Accuracy of a curve at this compute, linear in the logarithm of the multiply-adds; None beyond its ends."""
        points = [(self.macs(*place), value) for place, value in curve.corners]
        for (low, first), (high, second) in pairwise(points):
            if low <= macs <= high:
                share = math.log(macs / low) / math.log(high / low) if low < high else 0.0
                return first + share * (second - first)
        return None

    def _on_curve(self, place: Place) -> float | None:
        """The value of the document behind the interpolation, or one between two of its cells."""
        if place in self.known:
            return self.known[place]
        found = PrintedCells(self.name, self.groups).top1(place)
        return found.value if found and found.between else None

    def misfits(self) -> list[Misfit]:
        """Printed figures that do not fit: misprints first, then the largest difference."""
        found: dict[tuple[Place, str, float, Flaw], list[str]] = {}
        for place, figures in self.figures.items():
            for figure in figures if self.countable(place) else ():
                for quantity, why in figure.wrong.items():
                    printed = getattr(figure, quantity) or 0.0
                    found.setdefault((place, quantity, printed, why), []).append(figure.source)
        misfits = []
        for (place, quantity, printed, why), sources in found.items():
            counted = self.counts(place)
            exact = {"mult_adds": counted.macs / 1e6, "params": counted.params / 1e6}.get(quantity)
            misfits.append(Misfit(place, quantity, printed, exact, why, tuple(dict.fromkeys(sources))))
        return sorted(misfits, key=lambda each: (not each.why.is_misprint, -abs(each.off)))

    def counts_something_else(self) -> bool:
        """Whether a printed figure counts another quantity, such as parameters without batch norm."""
        return any(OTHER_COUNT in each.note for figures in self.figures.values() for each in figures)


@remembered
def _base(name: str, groups: int | None) -> Design:
    return architecture(name, groups=groups) if groups else architecture(name)


@remembered
def _known(name: str, groups: int | None) -> dict[Place, float]:
    base = _base(name, groups)
    return {place: value for place, value in leading(name, groups).items() if multipliers.countable(base, *place)}


@remembered
def _errors(name: str, groups: int | None) -> tuple[float, ...]:
    printed = PrintedCells(name, groups)
    return tuple(multipliers.held_out(printed.known, printed.macs).values())


@remembered
def _top1(printed: PrintedCells, place: Place) -> Accuracy | None:
    figures = printed.figures.get(place, ())
    misprints = (each for each in figures if "top1" in each.wrong and not each.quantised)
    figure = printed_top1(figures) or next(misprints, None)
    if figure is not None and figure.top1 is not None:
        return Accuracy(figure.top1, figure)
    found = multipliers.between(printed.known, printed.macs, place)
    return Accuracy(found.value, between=found) if found else None


# --- all networks --------------------------------------------------------------------------------------------------


class PrintedPoint(NamedTuple):
    """One printed accuracy."""

    name: str  # of the network
    groups: int | None  # of the network
    place: Place  # width and resolution
    macs: int  # counted multiply-adds
    top1: float  # in per cent
    figures: tuple[Figure, ...]  # the rows that print it
    front: bool  # whether no other printed accuracy is as high at the same or lower cost


@cache
def printed_points(retrained: bool) -> tuple[PrintedPoint, ...]:
    """Every comparable printed accuracy of `NETWORKS`."""
    found: list[PrintedPoint] = []
    for name in NETWORKS:
        for groups in GROUPS if name == "shufflenet_v1" else (None,):
            printed = PrintedCells(name, groups, retrained)
            for place, figures in printed.figures.items():
                if printed.countable(place):
                    macs = printed.macs(*place)
                    found += [
                        PrintedPoint(name, groups, place, macs, top1, rows, front=False)
                        for top1, rows in _by_top1(figures).items()
                    ]
    front = set(multipliers.pareto([(each.macs, each.top1) for each in found]))
    return tuple(each._replace(front=index in front) for index, each in enumerate(found))


def _by_top1(figures: Iterable[Figure]) -> dict[float, tuple[Figure, ...]]:
    found: dict[float, list[Figure]] = {}
    for each in figures:
        if each.comparable and each.top1 is not None:
            found.setdefault(each.top1, []).append(each)
    return {top1: tuple(rows) for top1, rows in found.items()}


check_border(globals())
