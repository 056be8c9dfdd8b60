"""Published latencies with the multiply-adds of the same network."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from effviz.core.arguments import check_border
from effviz.count.report import analyze
from effviz.zoo import architecture
from effviz.zoo.published import published

if TYPE_CHECKING:
    import pandas as pd


@cache
def latencies() -> pd.DataFrame:
    """Return published latencies and multiply-adds, one row per network and device, for devices with three networks.

    Columns: `where` (device and source), `device`, `title`, `family`, `macs`, `macs_by` (``"printed"`` with the
    latency, ``"printed elsewhere"`` in the same paper, or otherwise ``"counted"`` by effviz), `latency_ms`,
    `source`, `notes`. The table is shared: do not change it.
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
        title=[full_name(row.architecture, row.variant) for row in rows.itertuples()],
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


@cache
def devices() -> dict[str, tuple[dict[str, Any], ...]]:
    """Return the rows of `latencies` by device and source, as dictionaries with the key ``noisy`` of measurements."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in latencies().to_dict("records"):
        found.setdefault(row["where"], []).append(row | {"noisy": False})
    return {where: tuple(rows) for where, rows in found.items()}


def _macs_of(row: Any, elsewhere: dict[tuple[str, str, str], float]) -> tuple[int, str]:
    """Return the multiply-adds of a published row and their origin; 0 if unknown."""
    if row.mult_adds == row.mult_adds:
        return round(row.mult_adds * 1e6), "printed"
    twin = elsewhere.get((_paper(row.source), row.variant, row.resolution))
    if twin is not None:
        return round(twin * 1e6), "printed elsewhere"
    if row.design and row.resolution.isdecimal():
        return _counted(row.design, row.scale, row.depth_scale, int(row.resolution)), "counted"
    return 0, ""


def full_name(architecture: str, variant: str) -> str:
    """Return a variant such as ``2x (ours)`` with the name of its network, for timm without the name of the weights."""
    variant = variant.partition(".")[0] if variant.startswith("timm ") else variant
    inside, name = ("".join(filter(str.isalnum, text)).lower() for text in (variant, architecture.rstrip("V123")))
    return variant if name in inside else f"{architecture}: {variant}"


def _paper(source: str) -> str:
    return source.partition(" Table")[0]


@cache
def _counted(name: str, scale: float, depth_scale: float, resolution: int) -> int:
    design = architecture(name).scaled(width_mult=scale, depth_mult=1.0 if depth_scale != depth_scale else depth_scale)
    return analyze(design, resolution).macs


check_border(globals())
