"""Compound scaling and its inverses. The code is in `effviz.advice.scaling`."""

from effviz.advice.scaling import (
    PAPER,
    RULES,
    Candidate,
    Fit,
    Rule,
    Swept,
    compound_scale,
    feasible,
    fit_phi,
    implied_phi,
    rules,
    sweep,
)

__all__ = [
    "PAPER",
    "RULES",
    "Candidate",
    "Fit",
    "Rule",
    "Swept",
    "compound_scale",
    "feasible",
    "fit_phi",
    "implied_phi",
    "rules",
    "sweep",
]
