"""Latencies recorded on one machine, which pages show until something is measured here.

The file `recorded.json` beside this module is written by ``python -m effviz.ui.record``. A recorded latency is never
stored with those measured here, and a comparison contains latencies of one kind only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from effviz.core import settings
from effviz.core.caches import remembered
from effviz.core.errors import fail, whole
from effviz.core.resolution import Resolution, as_resolution
from effviz.count.report import analyze
from effviz.measure import store
from effviz.measure.digest import network_digest
from effviz.measure.latency import Latency, cached, measured_sides
from effviz.model.design import Design

VERSION = 2
# Conditions of one latency; the rest of the environment is that of the machine.
_OWN = ("batch_size", "threads", "dtype")
_TIMES = ("median_ms", "p90_ms", "iqr_ms", "min_ms", "runs", "loaded", "measured_at")


@dataclass(frozen=True, kw_only=True)
class Recorded(Latency):
    """A latency of another machine, or of an earlier time, from the file."""

    params: int  # of the network

    def __post_init__(self) -> None:
        super().__post_init__()
        whole("params", self.params, 0, 2**63)

    @property
    def is_recorded(self) -> bool:
        return True

    @property
    def where(self) -> str:
        """Machine and date: ``AMD EPYC, 2026-11-30``."""
        return f"{_short(self.environment['cpu'])}, {self.measured_at[:10]}"


def _short(name: str) -> str:
    """Return a processor's name without marks, clock and general words: ``Intel Xeon``."""
    plain = re.sub(r"\((?:R|TM)\)|@.*|\b(?:CPU|Processor)\b", " ", name, flags=re.IGNORECASE)
    return " ".join(plain.split()) or name


class RecordedSetting(NamedTuple):
    """A network and the conditions of its measurement."""

    design: Design
    resolution: Resolution
    batch_size: int
    threads: int
    dtype: str


_requests: list[RecordedSetting] | None = None


@contextmanager
def requests() -> Iterator[list[RecordedSetting]]:
    """Collect what `find` is called with, so that the networks of the pages are recorded without a second list."""
    global _requests
    _requests = []
    try:
        yield _requests
    finally:
        _requests = None


def find(
    design: Design, resolution: Resolution | None = None, batch_size: int = 1, threads: int = 1, dtype: str = "float32"
) -> Recorded | None:
    """Return the recorded latency of a network under these conditions, or None.

    Raises:
        DesignError: the network cannot be built at this resolution.
    """
    side = design.resolution if resolution is None else as_resolution(resolution)
    asked = RecordedSetting(design, side, batch_size, threads, dtype)
    if _requests is not None:
        _requests.append(asked)
    return _read(settings.RECORDED.value).get(_key(asked))


class SizedNetwork(Protocol):
    """A network with its number of parameters."""

    @property
    def design(self) -> Design:
        """The network."""

    @property
    def resolution(self) -> Resolution:
        """Of the input, in pixels."""

    @property
    def params(self) -> int:
        """Number of parameters."""


# A search has thousands of networks, most of them unknown. To lay them all out and hash them takes half a minute.
def lookup() -> Callable[[SizedNetwork], float | None]:
    """Return a function for the median that was measured here or is recorded, in ms; None for an unknown network.

    It is for batch 1, one thread and float32, and knows what has been measured before this call.
    """
    sides = measured_sides()

    def known_ms(network: SizedNetwork) -> float | None:
        here = cached(network.design) if network.resolution in sides else None
        return recorded_ms(network) if here is None else here.median_ms

    return known_ms


def recorded_ms(network: SizedNetwork) -> float | None:
    """Return the recorded median in ms: batch 1, one thread, float32; None if there is none."""
    if (network.resolution, network.params) not in _sizes(settings.RECORDED.value):
        return None
    found = find(network.design)
    return None if found is None else found.median_ms


def stored_in(file: Path, asked: RecordedSetting) -> Recorded | None:
    """Return the latency of a network that a file contains, or None."""
    return _read(str(file)).get(_key(asked))


def compared(designs: Sequence[Design], **conditions: Any) -> list[Latency | None]:
    """Return the latencies of networks that are compared with the first one, all of one kind.

    They are those measured here if the first one was, otherwise the recorded ones if it has one.

    Args:
        designs: the networks, at least one.
        conditions: arguments of `find`.
    """
    here = [cached(design, **conditions) for design in designs]
    if here[0] is not None:
        return list(here)
    known = [find(design, **conditions) for design in designs]
    return list(known if known[0] is not None else here)


def write(file: Path, machine: Mapping[str, str], known: Mapping[RecordedSetting, Latency]) -> None:
    """Write a file of recorded latencies, one per line.

    Args:
        file: is replaced.
        machine: cpu, cores, os, python and torch.
        known: latencies measured on this machine.
    """
    rows = {}
    for asked, latency in known.items():
        values = vars(latency)
        own = {name: getattr(asked, name) for name in _OWN}
        times = {name: values[name] for name in _TIMES}
        size = {"params": analyze(asked.design).params, "resolution": asked.resolution}
        rows[_key(asked)] = {"network": asked.design.title} | size | own | times
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(row)}" for key, row in sorted(rows.items()))
    head = json.dumps({"version": VERSION, "machine": dict(machine)})[:-1]
    file.write_text(f'{head}, "latencies": {{\n{lines}\n}}}}\n', encoding="utf-8")


@remembered
def _key(asked: RecordedSetting) -> str:
    parts = [network_digest(asked.design, asked.resolution), asked.batch_size, asked.threads, asked.dtype]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


@cache
def _sizes(chosen: str | None) -> frozenset[tuple[Resolution, int]]:
    """Return resolution and number of parameters of all networks in a file."""
    return frozenset((each.resolution, each.params) for each in _read(chosen).values())


@cache
def _read(chosen: str | None) -> dict[str, Recorded]:
    """Read a file: None for the one that effviz ships, an empty name for none."""
    if chosen == "":
        return {}
    file = Path(chosen) if chosen is not None else files("effviz.measure").joinpath("recorded.json")
    try:
        return dict(_latencies(json.loads(file.read_text(encoding="utf-8"))))
    except (OSError, ValueError, KeyError, TypeError) as error:
        store.report_ignored(Path(str(file)), str(error))
        return {}


def _latencies(content: Any) -> Iterable[tuple[str, Recorded]]:
    if not isinstance(content, dict) or content.get("version") != VERSION:
        fail("content", content, f"must be an object with version {VERSION}")
    for key, row in content["latencies"].items():
        environment = content["machine"] | {"dtype": row["dtype"], "threads": str(row["threads"])}
        values = {name: row[name] for name in (*_TIMES, "batch_size", "threads", "resolution", "params")}
        yield key, Recorded(**values, environment=environment)
