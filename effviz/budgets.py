"""Public names of budgets: limits on the costs of a design, what breaks them and what helps.

The code is in `effviz.advice`: budgets, breaches and remedies.
"""

from effviz.advice.breaches import Breach, LiveTensor, RowShare, breaches
from effviz.advice.budgets import (
    DTYPES,
    PRESETS,
    QUANTITIES,
    Budget,
    Preset,
    Quantity,
    Verdict,
    check,
    format_amount,
    format_like,
    parse_amount,
    read_limit,
    read_limits,
    verdict,
)
from effviz.advice.remedies import Diagnosis, Remedy, diagnose

__all__ = [
    "DTYPES", "PRESETS", "QUANTITIES", "Breach", "Budget", "Diagnosis", "LiveTensor", "Preset", "Quantity", "Remedy",
    "RowShare", "Verdict", "breaches", "check", "diagnose", "format_amount", "format_like", "parse_amount",
    "read_limit", "read_limits", "verdict",
]  # fmt: skip
