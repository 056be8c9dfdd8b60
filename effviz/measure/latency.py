"""The latency of a design on this CPU: requests to the torch process, the result, and its store.

A latency is a distribution. It is valid for one machine, one version of PyTorch and one number of threads, so a
`Latency` includes these conditions. The measurement itself is in `effviz.backend.timing`.
"""

import hashlib
import json
import logging
import platform
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from effviz.core.arguments import check_methods, check_public
from effviz.core.errors import DesignError, fail, flag, number, one_of, text, whole
from effviz.core.resolution import Resolution, as_resolution
from effviz.count.report import analyze
from effviz.measure import store
from effviz.measure.digest import network_digest
from effviz.model.design import Design
from effviz.worker.limits import ITEMSIZE, MAX_BATCH, estimate_bytes, estimate_seconds, usable_cores
from effviz.worker.manager import Manager, Ticket, default_manager

NOISY_SPREAD = 0.10
TIMEOUT_S = 120.0
MAX_REMEMBERED = 1_000
_FORMAT = 3
_logger = logging.getLogger(__name__)


class LatencyError(RuntimeError):
    """A valid design that could not be measured: too large, too slow, or the torch process crashed.

    Attributes:
        reason: see `effviz.worker.manager.Ticket`; ``"cancelled"`` for a cancelled measurement.
    """

    def __init__(self, problem: str, reason: str) -> None:
        super().__init__(problem)
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.reason)


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The time of one forward pass: a distribution and the conditions of its measurement.

    Attributes:
        median_ms, p90_ms, iqr_ms, min_ms: of single runs, in milliseconds, for the whole batch; `iqr_ms` is the
            interquartile range.
        runs: number of timed runs.
        loaded: other processes kept the machine busy.
        batch_size: images in one run.
        threads: of torch.
        resolution: of the input in pixels: the side of a square, or ``(height, width)``.
        environment: cpu, cores (usable), os, python, torch, dtype and threads, as text.
        measured_at: UTC, ISO 8601.
    """

    median_ms: float
    p90_ms: float
    iqr_ms: float
    min_ms: float
    runs: int
    loaded: bool
    batch_size: int
    threads: int
    resolution: Resolution
    environment: Mapping[str, str] = field(hash=False)
    measured_at: str

    def __post_init__(self) -> None:
        for name in ("median_ms", "p90_ms", "iqr_ms", "min_ms"):
            number(name, getattr(self, name), 0, 1e9)
        for name in ("runs", "batch_size", "threads"):
            whole(name, getattr(self, name), 1, 2**31)
        # JSON has no pairs.
        object.__setattr__(self, "resolution", as_resolution(self.resolution))
        flag("loaded", self.loaded)
        if not isinstance(self.environment, Mapping):
            fail("environment", self.environment, "must map names to text")
        for name, value in self.environment.items():
            text(name, value)
        try:
            aware = datetime.fromisoformat(text("measured_at", self.measured_at)).tzinfo is not None
        except ValueError:
            aware = False
        if not aware:
            fail("measured_at", self.measured_at, "must be an ISO 8601 time with a time zone")

    @property
    def noisy(self) -> bool:
        """Whether the interquartile range exceeds 10 % of the median, or the machine was busy."""
        return self.loaded or self.iqr_ms > NOISY_SPREAD * self.median_ms

    @property
    def is_recorded(self) -> bool:
        """Whether the latency is from the file of recorded ones, see `effviz.measure.recorded`."""
        return False

    @property
    def age(self) -> timedelta:
        """Time since the measurement."""
        return datetime.now(UTC) - datetime.fromisoformat(self.measured_at)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; `from_dict` restores an equal latency."""
        return vars(self) | {"environment": dict(self.environment)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Restore a latency from the result of `to_dict`.

        Raises:
            DesignError: a value is missing, unknown or invalid.
        """
        if not isinstance(values, Mapping) or values.keys() != cls.__dataclass_fields__.keys():
            fail("values", values, f"must have the keys {', '.join(cls.__dataclass_fields__)}")
        return cls(**values)


@dataclass(frozen=True)
class Measurement:
    """A requested measurement."""

    ticket: Ticket  # its state, position in the queue and progress
    # As requested.
    design: Design
    resolution: Resolution
    batch_size: int
    threads: int
    dtype: str

    def result(self) -> Latency:
        """Wait for the latency, and store it for `cached`.

        Raises:
            DesignError: the torch process rejects the design or the dtype.
            LatencyError: the measurement failed or was cancelled.
        """
        self.ticket.wait()
        if self.ticket.result is None:
            problem, reason = self.ticket.error or self.ticket.message, self.ticket.reason or "cancelled"
            raise DesignError(problem) if reason == "design" else LatencyError(problem, reason)
        latency = Latency(
            **self.ticket.result,
            batch_size=self.batch_size,
            threads=self.threads,
            resolution=self.resolution,
            environment=environment(self.threads, self.dtype),
        )
        remember(self.design, latency)
        return latency


def request(
    design: Design,
    resolution: Resolution | None = None,
    batch_size: int = 1,
    threads: int = 1,
    *,
    dtype: str = "float32",
    owner: str = "",
    address: str = "",
    keep_all: bool = False,
    timeout_s: float = TIMEOUT_S,
    manager: Manager | None = None,
) -> Measurement:
    """Request a measurement without waiting for it.

    Args:
        design: the network, which gets random weights.
        resolution: of the input in pixels, one side or (height, width); None for the design's own.
        batch_size: images in one run, 1 to 256.
        threads: of torch, 1 to the usable cores.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"float16"``.
        owner, address, keep_all, timeout_s: see `effviz.worker.manager.Manager.submit`.
        manager: None for the default manager.

    Raises:
        DesignError: an argument is invalid, or the network cannot be built at this resolution.
    """
    report = analyze(design, resolution)
    batch_size = whole("batch_size", batch_size, 1, MAX_BATCH)
    cores, threads = usable_cores(), whole("threads", threads)
    if threads > cores:
        fail("threads", threads, f"must be at most {cores}, the number of usable cores")
    ticket = (manager or default_manager()).submit(
        owner,
        "latency",
        {
            "design": design.to_json(),
            "resolution": report.resolution,
            "batch_size": batch_size,
            "threads": threads,
            "dtype": one_of("dtype", dtype, ITEMSIZE),
        },
        timeout_s,
        memory_bytes=estimate_bytes(report, batch_size, dtype),
        keep_all=keep_all,
        address=address,
        cost_s=estimate_seconds(report, batch_size),
    )
    return Measurement(ticket, design, report.resolution, batch_size, threads, dtype)


def measure_latency(
    design: Design, resolution: Resolution | None = None, batch_size: int = 1, threads: int = 1
) -> Latency:
    """Time single forward passes of a design on this CPU, in PyTorch, float32, with random weights.

    The measurement runs in the torch process. The first call starts this process, and later calls share it.

    Args:
        design: from `architecture`, `Design.from_json` or written by hand.
        resolution: of the input in pixels, one side or (height, width); None for the design's own.
        batch_size: images in one run, 1 to 256.
        threads: of torch, 1 to the usable cores.

    Raises:
        DesignError: an argument is invalid, or the network cannot be built at this resolution.
        LatencyError: the design needs too much memory or more than two minutes, or the torch process crashed.
        ModuleNotFoundError: torch is not installed.
    """
    if find_spec("torch") is None:
        raise ModuleNotFoundError("a measurement needs torch: pip install 'effviz[torch]'", name="torch")
    # keep_all: calls from several threads wait for each other instead of replacing each other.
    measurement = request(design, resolution, batch_size, threads, owner="measure_latency", keep_all=True)
    try:
        return measurement.result()
    except KeyboardInterrupt:
        measurement.ticket.cancel()
        raise


# --- environment --------------------------------------------------------------------------------------------------


def environment(threads: int = 1, dtype: str = "float32") -> dict[str, str]:
    """Return what a latency depends on besides the design: CPU, cores, system, versions, threads and dtype."""
    return _machine() | {"dtype": dtype, "threads": str(threads)}


@cache
def _machine() -> dict[str, str]:
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = "missing"
    return {
        "cpu": _cpu_model(),
        "cores": str(usable_cores()),
        "os": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "torch": torch,
    }


def _cpu_model() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"


# --- store --------------------------------------------------------------------------------------------------------

_remembered: OrderedDict[str, Latency] = OrderedDict()
_remembering = threading.Lock()


def cached(
    design: Design, resolution: Resolution | None = None, batch_size: int = 1, threads: int = 1, dtype: str = "float32"
) -> Latency | None:
    """Return the latest measurement under these conditions in this environment, or None.

    Designs with different names that build the same network share their measurements.

    Raises:
        DesignError: the network cannot be built at this resolution.
    """
    return stored(fingerprint(design, resolution, batch_size, threads, dtype))


def stored(key: str) -> Latency | None:
    """Return the latest measurement with this `fingerprint`, or None."""
    with _remembering:
        known = _remembered.get(key)
    found = known or _read(key)
    if found is not None:
        _keep(key, found)
    return found


def measured_sides() -> set[Resolution]:
    """Return the resolutions of the stored measurements; at any other one, `cached` finds nothing."""
    folder = store.cache_folder()
    with _remembering:
        keys = [*_remembered]
    known = map(stored, dict.fromkeys([*keys, *(store.keys(folder) if folder else ())]))
    return {each.resolution for each in known if each is not None}


def fingerprint(
    design: Design, resolution: Resolution | None = None, batch_size: int = 1, threads: int = 1, dtype: str = "float32"
) -> str:
    """Return a cache key: equal for equal networks under equal conditions in this environment.

    Raises:
        DesignError: the network cannot be built at this resolution.
    """
    return _key(design, resolution, batch_size, environment(threads, dtype))


def remember(design: Design, latency: Latency) -> None:
    """Store a measurement for `cached`, in memory and in `store.cache_folder`."""
    key = _key(design, latency.resolution, latency.batch_size, latency.environment)
    _keep(key, latency)
    folder = store.cache_folder()
    if folder is None:
        return
    try:
        network = network_digest(design, latency.resolution)
        store.write(folder, key, {"network": network, "latency": latency.to_dict()})
    except OSError as error:
        _logger.warning("the latency was not written to disk: %s", error)


def _key(design: Design, resolution: Resolution | None, batch_size: int, conditions: Mapping[str, str]) -> str:
    """Return a hash of the built network, its input and the environment."""
    side = design.resolution if resolution is None else as_resolution(resolution)
    return _hash(network_digest(design, side), side, batch_size, conditions)


def _hash(network: str, resolution: Resolution, batch_size: int, conditions: Mapping[str, str]) -> str:
    parts = [_FORMAT, network, resolution, batch_size, sorted(conditions.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _keep(key: str, latency: Latency) -> None:
    with _remembering:
        _remembered[key] = latency
        _remembered.move_to_end(key)
        while len(_remembered) > MAX_REMEMBERED:
            _remembered.popitem(last=False)


def _read(key: str) -> Latency | None:
    folder = store.cache_folder()
    if folder is None:
        return None
    try:
        return _believed(key, store.read(folder, key))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        store.report_ignored(folder / f"{key}.json", str(error))
        return None


def _believed(key: str, content: Any) -> Latency:
    """Return the latency in a file.

    Raises:
        DesignError: the key of the content is another one, or the numbers are impossible.
    """
    if not isinstance(content, dict) or content.keys() != {"network", "latency"}:
        fail("content", content, "must have the keys network, latency")
    latency = Latency.from_dict(content["latency"])
    if _hash(content["network"], latency.resolution, latency.batch_size, latency.environment) != key:
        fail("network", content["network"], "and the conditions must be those of the file's name")
    if latency.environment.get("threads") != str(latency.threads):
        fail("threads", latency.threads, "must be that of the environment")
    if not 0 < latency.min_ms <= latency.median_ms <= latency.p90_ms:
        times = latency.min_ms, latency.median_ms, latency.p90_ms
        fail("min_ms, median_ms, p90_ms", times, "must be greater than 0 and ascending")
    if latency.age < timedelta(0):
        fail("measured_at", latency.measured_at, "must not be in the future")
    return latency


check_methods(Latency)
check_public(globals())
