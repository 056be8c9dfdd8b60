"""Printed figures of a network next to its exact counts."""

import math
from dataclasses import dataclass, replace

from effviz.core.arguments import check_border
from effviz.core.resolution import compact_size
from effviz.core.units import change
from effviz.count.report import Report, analyze
from effviz.model.design import Design
from effviz.studies.literature.digits import EXACT, ROUNDED, Digits, place_value
from effviz.zoo.published import figures_for


@dataclass(frozen=True)
class PrintedFigure:
    """Figures that one source prints for a network."""

    variant: str  # name of the network in the source
    params: float | None  # in millions; None if not printed
    params_deviation: str  # from the exact count, as text
    macs: float | None  # multiply-adds in millions, whatever the source calls them; None if not printed
    macs_deviation: str  # from the exact count, as text
    top1: float | None  # accuracy in per cent; None if not printed
    notes: str  # known errors and conditions
    source: str  # citation


@dataclass(frozen=True)
class PrintedFigures:
    """All figures for a network at its multipliers."""

    here: tuple[PrintedFigure, ...]  # at the network's resolution
    resolutions: tuple[str, ...]  # at which there are figures, as text
    exact: Report  # report of the network with the classes and input channels that the sources have
    classes: int  # their number


def printed_figures(
    design: Design, baseline: Design, width: float, depth: float, groups: int | None = None
) -> PrintedFigures:
    """Collect the figures that papers and libraries print for `design`, a network of the zoo with its multipliers.

    Width and depth are multipliers relative to the named network `baseline`; `groups` are those of ShuffleNetV1.
    """
    classes = baseline.num_classes or 1000
    exact = analyze(replace(design.with_num_classes(classes), in_channels=baseline.in_channels))
    rows = list(figures_for(baseline, width, depth, groups).itertuples())
    here = [
        PrintedFigure(
            variant=row.variant,
            params=_number(row.params),
            params_deviation=deviation(row.params, exact.params),
            macs=_number(row.mult_adds),
            macs_deviation=deviation(row.mult_adds, exact.macs),
            top1=_number(row.top1),
            notes=" ".join(filter(None, (row.wrong, row.notes))),
            source=row.source,
        )
        for row in rows
        if row.resolution == compact_size(design.resolution)
    ]
    sides = sorted({row.resolution for row in rows} - {""}, key=lambda side: (len(side), side))
    return PrintedFigures(tuple(dict.fromkeys(here)), tuple(sides), exact, classes)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def deviation(printed: float, counted: int) -> str:
    """Compare a figure printed in millions with a count; empty for nan.

    A difference that rounding or cutting off after the last printed digit explains is ``"rounded"`` or ``"cut off"``.
    """
    if _number(printed) is None:
        return ""
    step = int(place_value(f"{printed:.12g}") * 1_000_000)
    fit = Digits(round(printed * 1e6), step, step).fit(counted)
    return ROUNDED if fit == EXACT else fit or change(printed * 1e6, counted)


check_border(globals())
