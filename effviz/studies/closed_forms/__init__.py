"""Formulas of the papers for the cost of a block, and the exact count of the engine.

A `ClosedForm` contains the formula, the formula with numbers substituted, its value, and the terms that the paper
omits: batch norm, biases, rounding, a stride. ``value + sum of the terms == exact``, where `effviz.count.cost` counts
`exact` on the layer tree, not by the formula.
"""

from __future__ import annotations

from effviz.model.fields import FieldBlock
from effviz.model.layers import Shape
from effviz.studies.closed_forms import convolutions, ghost, mobile, residual, shuffle  # noqa: F401 -- register formulas
from effviz.studies.closed_forms.form import QUANTITIES, Amount, ClosedForm, Term, forms_of, shown
from effviz.studies.closed_forms.mobile import excitation


def closed_forms(block: FieldBlock, shape: Shape) -> list[ClosedForm]:
    """Return the formulas of the papers for a block; an empty list if no paper prints one.

    Args:
        block: with its final widths, as `Design.blocks` gives it.
        shape: of its input, ``(channels, height, width)``.

    Raises:
        DesignError: the block cannot take such an input.
    """
    return forms_of(block, shape)


__all__ = ["QUANTITIES", "Amount", "ClosedForm", "Term", "closed_forms", "excitation", "shown"]
