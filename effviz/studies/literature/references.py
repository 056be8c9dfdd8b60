"""References of accuracies and latencies: the authors' figures, and other prints for the same device."""

import re
from functools import cache

from effviz.core.caches import remembered
from effviz.studies.literature.claims import COURSE, ClaimedNetwork, ClaimRow, place, rows
from effviz.zoo import architecture
from effviz.zoo.published.cells import OWN, QUANTISED, Figure, cells, own_top1

_DEVICE = re.compile(r"(Pixel \d+|iPhone \d+(?: Pro(?: Max)?)?|Snapdragon \d+|Samsung \w+)")


@remembered
def authors_top1(where: ClaimedNetwork) -> tuple[Figure, ...]:
    """Return the comparable accuracies that the authors of a network print for it, the best source first."""
    base = architecture(where.name)
    side = base.resolution if where.resolution is None else where.resolution
    if where.depth != 1:
        return ()
    if where.name in OWN:
        figures = cells(where.name, where.groups).get((round(where.width, 6), side), ())
        return tuple(each for each in figures if each.comparable)
    own = own_top1(where.name, side, where.groups) if where.width == 1 else None
    return () if own is None else (own,)


def device(text: str) -> str:
    """Return the phone in a description of conditions: ``Pixel 3`` of ``Pixel 3 large core, TF-Lite``."""
    found = _DEVICE.search(text)
    return found[1] if found else text


def other_latencies(row: ClaimRow, where: ClaimedNetwork) -> tuple[ClaimRow, ...]:
    """Return the rows of other sources with a latency of the same network on the same device."""
    found = _latencies().get((where, device(row.latency_device)), ())
    return tuple(each for each in found if each.source != row.source and _bits(each) == _bits(row))


def latencies_by_device(where: ClaimedNetwork) -> dict[str, tuple[ClaimRow, ...]]:
    """Return the published latencies of a network by device, without those of the course notes."""
    found = {
        device: tuple(each for each in several if not each.source.startswith(COURSE))
        for (which, device), several in _latencies().items()
        if which == where
    }
    return {device: several for device, several in found.items() if several}


def _bits(row: ClaimRow) -> bool:
    """Whether the latency is for 8-bit weights."""
    return bool(QUANTISED.search(f"{row.latency_device} {row.variant}"))


@cache
def _latencies() -> dict[tuple[ClaimedNetwork, str], tuple[ClaimRow, ...]]:
    found: dict[tuple[ClaimedNetwork, str], list[ClaimRow]] = {}
    for row in rows():
        if row.latency_ms and isinstance(where := place(row), ClaimedNetwork):
            found.setdefault((where, device(row.latency_device)), []).append(row)
    return {key: tuple(several) for key, several in found.items()}
