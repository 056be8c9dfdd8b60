"""Public names of scaling: compound scaling and its inverses. The code is in `effviz.advice.scaling`."""

from effviz.advice.scaling import (
    EXPONENTS,
    PAPER,
    BudgetFit,
    GridPoint,
    ScalingRule,
    Swept,
    compound_scale,
    feasible,
    fit_phi,
    implied_phi,
    scaling_rules,
    sweep,
)

__all__ = [
    "EXPONENTS", "PAPER", "BudgetFit", "GridPoint", "ScalingRule", "Swept", "compound_scale", "feasible", "fit_phi",
    "implied_phi", "scaling_rules", "sweep",
]  # fmt: skip
