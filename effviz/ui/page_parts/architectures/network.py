"""Former names, for pages that do not use the new ones yet."""

from __future__ import annotations

import pandas as pd

import effviz
from effviz.advice import smallest
from effviz.count.report import Report
from effviz.studies.printed_figures import deviation as off
from effviz.ui.convention import Convention
from effviz.ui.widgets.cards import baseline_report as reference
from effviz.ui.widgets.charts import alive_measure
from effviz.ui.widgets.charts import stage_measures as measures
from effviz.ui.widgets.formula import layer_formulas as formulas
from effviz.ui.widgets.layers import layer_table, layers_of


def smallest_resolution(name: str, groups: int | None) -> int:
    """Former name of `effviz.advice.smallest.smallest_resolution`."""
    design = effviz.architecture(name, groups=groups) if groups else effviz.architecture(name)
    return smallest.smallest_resolution(design)


def smallest_width(name: str) -> float:
    """Former name of `effviz.advice.smallest.smallest_width`."""
    return smallest.smallest_width(effviz.architecture(name))


def in_convention(table: pd.DataFrame, convention: Convention) -> pd.DataFrame:
    """Former name of `layers.layer_table`."""
    return pd.DataFrame(layer_table(list(table.itertuples()), convention).cells)


__all__ = [
    "Report",
    "alive_measure",
    "formulas",
    "in_convention",
    "layers_of",
    "measures",
    "off",
    "reference",
    "smallest_resolution",
]
