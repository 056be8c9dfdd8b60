"""Formulas of the papers for the cost of a block, and the exact count of the engine.

A `ClosedForm` contains the formula, the formula with numbers substituted, its value, and the terms that the paper
omits: batch norm, biases, rounding, a stride. ``value + sum of the terms == exact``, where `effviz.count.cost` counts
`exact` on the layer tree, not by the formula.
"""

from effviz.studies.closed_forms import convolutions, mobile, residual  # noqa: F401 -- register formulas
from effviz.studies.closed_forms.form import QUANTITIES, Amount, ClosedForm, FormTerm, closed_forms, shown
from effviz.studies.closed_forms.mobile import excitation

__all__ = ["QUANTITIES", "Amount", "ClosedForm", "FormTerm", "closed_forms", "excitation", "shown"]
