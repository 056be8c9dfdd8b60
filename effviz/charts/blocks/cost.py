"""Blocks: where one block spends its cost, and several blocks side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from effviz.charts.architectures import Measure, stage_costs
from effviz.charts.relative import Measured, relative_dots
from effviz.charts.style import Appearance, Chart
from effviz.core.units import lower, percent


def block_costs(table: pd.DataFrame, subject: str, measures: list[Measure], look: Appearance) -> Chart:
    """Stacked bars per sub-layer, one panel per measure.

    Args:
        table: ``report.table`` with the sub-layer in the column stage.
        subject: name of the block, for the title.
        measures: the panels; the second is multiply-adds or FLOPs, the last memory access.
        look: light or dark.
    """
    chart = stage_costs(table, measures, look)
    compute, memory = measures[1], measures[-1]
    claims = []
    for measure in (compute, memory):
        sums = table.groupby("stage", sort=False)[measure.column].sum()
        if sums.sum():
            heaviest = sums.idxmax()
            claims.append(f"{heaviest} takes {percent(sums[heaviest] / sums.sum())} of the {lower(measure.label)}")
    title = f"{subject}: {', '.join(claims)}" if claims else f"{subject}: no cost"
    return replace(chart, title=title, alt=f"{title}. {chart.alt}")


class Side(NamedTuple):
    """One measure of several blocks: its name, and one value and text per block; None where it is not known."""

    label: str
    values: Sequence[float | None]
    texts: Sequence[str]


_SYMBOLS = ("circle-open", "circle", "diamond", "square-open", "star")


def side_by_side(names: Sequence[str], sides: Sequence[Side], look: Appearance) -> Chart:
    """Several blocks as multiples of the first, the one on screen.

    Args:
        names: of the blocks.
        sides: the measures.
        look: light or dark.
    """
    measures = [
        Measured(side.label, symbol, [_multiple(value, side.values[0]) for value in side.values])
        for side, symbol in zip(sides, _SYMBOLS, strict=False)
    ]
    drawn = relative_dots(names, measures, names[0], f"Compared with: {names[0]}", look)
    title = _winner(names, sides)
    spoken = "; ".join(
        f"{name}: {', '.join(f'{side.label} {side.texts[index]}' for side in sides)}"
        for index, name in enumerate(names)
    )
    return Chart(drawn, title, f"{title}. {spoken}.")


def _multiple(value: float | None, first: float | None) -> float | None:
    return value / first if value and first else None


def _winner(names: Sequence[str], sides: Sequence[Side]) -> str:
    best: dict[str, list[str]] = {}
    for side in sides:
        known = [(value, name) for value, name in zip(side.values, names, strict=True) if value is not None]
        if known:
            best.setdefault(min(known)[1], []).append(lower(side.label))
    claims = [f"{name} has the least {_listed(labels)}" for name, labels in best.items()]
    return "; ".join(claims) if claims else "Nothing to compare"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
