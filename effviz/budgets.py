"""Public names of budgets: limits on the costs of a design. The code is in `effviz.advice.budgets`."""

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
)

__all__ = [
    "DTYPES", "PRESETS", "QUANTITIES", "Budget", "Preset", "Quantity", "Verdict", "check", "format_amount",
    "format_like", "parse_amount", "read_limit", "read_limits",
]  # fmt: skip
