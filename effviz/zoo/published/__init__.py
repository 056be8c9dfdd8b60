"""Published figures: parameters, multiply-adds, accuracy and latency, each with its source.

The figures are as printed. The column `wrong` contains a sentence if a figure is a misprint, cannot be reproduced, or
counts something else.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from effviz.core.arguments import check_border

if TYPE_CHECKING:
    import pandas as pd

    from effviz.model.design import Design

COLUMNS = (
    "design", "scale", "depth_scale", "architecture", "variant", "width_mult", "depth_mult", "resolution", "groups",
    "params", "mult_adds", "top1", "latency_ms", "latency_device", "source", "notes", "wrong",
)  # fmt: skip


@cache
def published() -> pd.DataFrame:
    """Read the table, one row per printed result.

    Columns as in `COLUMNS`: `design` is the name in the zoo (may be empty), `scale` and `depth_scale` the
    multipliers relative to it; `params` and `mult_adds` are in millions as printed, `top1` in per cent.
    The table is shared and must not be modified.
    """
    import pandas as pd

    with files(__name__).joinpath("published.csv").open(encoding="utf-8") as file:
        # Raises if a column is missing.
        table = pd.read_csv(file, usecols=COLUMNS, dtype={"resolution": str, "groups": str, "design": str})
    for column in ("design", "variant", "resolution", "groups", "latency_device", "source", "notes", "wrong"):
        table[column] = table[column].fillna("")
    return table


def figures_for(design: Design, scale: float, depth_scale: float, groups: int | None = None) -> pd.DataFrame:
    """Return the rows for `design` at these multipliers relative to the named network, at any resolution.

    Args:
        design: a design of the zoo; its name selects the rows.
        scale, depth_scale: width and depth relative to the named network.
        groups: only rows with this number of groups, for networks with groups.
    """
    table = published()
    # The figures of a variant are those of its network.
    name = design.name.removesuffix(f"_{design.variant}") if design.variant else design.name
    chosen = (
        (table["design"] == name)
        & ((table["scale"] - scale).abs() < 1e-6)
        & ((table["depth_scale"].fillna(1.0) - depth_scale).abs() < 1e-6)
    )
    if groups is not None:
        chosen &= table["groups"].isin(["", str(groups)])
    return table[chosen]


check_border(globals())
