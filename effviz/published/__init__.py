"""What papers and libraries print: parameters, multiply-adds, accuracy, latency, each with its source.

Printed figures are not corrected. Where one is a misprint, cannot be reproduced, or counts something else, the column
`wrong` says so in a sentence.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from effviz.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from effviz.design import Design

COLUMNS = (
    "design",
    "scale",
    "depth_scale",
    "architecture",
    "variant",
    "width_mult",
    "depth_mult",
    "resolution",
    "groups",
    "params",
    "mult_adds",
    "top1",
    "latency_ms",
    "latency_device",
    "source",
    "notes",
    "wrong",
)


@lru_cache(maxsize=1)
def published() -> pd.DataFrame:
    """The whole table, one row per printed figure.

    Columns as in `COLUMNS`: `design` is the name in the zoo (empty if there is none), `scale` and `depth_scale` the
    multipliers relative to it; `params` and `mult_adds` are in millions as printed, `top1` in per cent.
    Treat it as read-only, it is shared.
    """
    import pandas as pd

    with files(__name__).joinpath("published.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file, dtype={"resolution": str, "groups": str, "design": str}, keep_default_na=True)
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise DesignError(f"published.csv lacks the columns {', '.join(missing)}")
    for column in ("design", "variant", "resolution", "groups", "latency_device", "source", "notes", "wrong"):
        table[column] = table[column].fillna("")
    return table


def figures_for(design: Design, scale: float, depth_scale: float, groups: int | None = None) -> pd.DataFrame:
    """The rows about `design` at these multipliers relative to the named network, at any resolution.

    Args:
        design: a design of the zoo; its name selects the rows.
        scale, depth_scale: width and depth relative to the named network.
        groups: only rows for this many groups, where the network has groups.
    """
    table = published()
    chosen = (
        (table["design"] == design.name)
        & ((table["scale"] - scale).abs() < 1e-6)
        & ((table["depth_scale"].fillna(1.0) - depth_scale).abs() < 1e-6)
    )
    if groups is not None:
        chosen &= table["groups"].isin(["", str(groups)])
    return table[chosen]


@lru_cache(maxsize=1)
def latencies() -> pd.DataFrame:
    """Printed latencies beside multiply-adds, one row per network and device, for devices with three networks or more.

    Columns: `where` (device and source), `device`, `title`, `family`, `macs`, `macs_by` (``"printed"`` beside the
    latency, ``"printed elsewhere"`` in the same paper, or ``"counted"`` by effviz where neither is), `latency_ms`,
    `source`, `notes`. Treat it as read-only, it is shared.
    """
    table = published()
    rows = table[table["latency_ms"].notna()]
    given = table[table["mult_adds"].notna()]
    names = zip(map(_paper, given["source"]), given["variant"], given["resolution"], strict=True)
    elsewhere = dict(zip(names, given["mult_adds"], strict=True))
    known = [_macs_of(row, elsewhere) for row in rows.itertuples()]
    rows = rows.assign(
        where=rows["latency_device"] + ". " + rows["source"],
        device=rows["latency_device"],
        title=[_full(row.architecture, row.variant) for row in rows.itertuples()],
        family=rows["architecture"],
        macs=[macs for macs, _ in known],
        macs_by=[by for _, by in known],
        notes=(rows["notes"] + " " + rows["wrong"]).str.strip(),
    )
    # Several weights of one network have one latency; one network at several resolutions has several.
    rows = rows[rows["macs"] > 0].drop_duplicates(["where", "title", "macs", "latency_ms"])
    sizes = rows.duplicated(["where", "title"], keep=False)
    rows["title"] = rows["title"].mask(sizes, rows["title"] + ", " + rows["resolution"] + " px")
    enough = rows.groupby("where")["title"].transform("size") >= 3
    columns = ["where", "device", "title", "family", "macs", "macs_by", "latency_ms", "source", "notes"]
    return rows.loc[enough, columns].reset_index(drop=True)


def _macs_of(row: Any, elsewhere: dict[tuple[str, str, str], float]) -> tuple[int, str]:
    """Multiply-adds of a printed row and where they are from; 0 if nobody says."""
    if row.mult_adds == row.mult_adds:
        return round(row.mult_adds * 1e6), "printed"
    twin = elsewhere.get((_paper(row.source), row.variant, row.resolution))
    if twin is not None:
        return round(twin * 1e6), "printed elsewhere"
    if row.design and row.resolution.isdecimal():
        return _counted(row.design, row.scale, row.depth_scale, int(row.resolution)), "counted"
    return 0, ""


def _full(architecture: str, variant: str) -> str:
    """A variant such as ``2x (ours)`` with the name of its network; of timm's, without the name of the weights."""
    variant = variant.partition(".")[0] if variant.startswith("timm ") else variant
    inside, name = ("".join(filter(str.isalnum, text)).lower() for text in (variant, architecture.rstrip("V123")))
    return variant if name in inside else f"{architecture}: {variant}"


def _paper(source: str) -> str:
    return source.partition(" Table")[0]


@cache
def _counted(name: str, scale: float, depth_scale: float, resolution: int) -> int:
    from effviz.archs import architecture
    from effviz.report import analyze

    design = architecture(name).scaled(width_mult=scale, depth_mult=1.0 if depth_scale != depth_scale else depth_scale)
    return analyze(design, resolution).macs
