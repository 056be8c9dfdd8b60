"""How long a module takes on this CPU: every run timed alone, so that a latency is a distribution.

What is timed is one forward pass of PyTorch as written (no compiler), in evaluation mode under `torch.inference_mode`,
contiguous NCHW tensors, random weights and input. Building the module and making its input are not timed.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from effviz.backend.build import build
from effviz.core.errors import Cancelled, DesignError, one_of, whole
from effviz.model.design import Design
from effviz.model.layers import Shape

SEED = 0
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
WARM_RUNS, WARM_SECONDS, WARM_SECONDS_MAX = 3, 0.1, 1.0
# A module so slow that `max_seconds` are over before `min_runs` still gets as many as a median needs.
FLOOR_RUNS = 5
# Other processes may take a quarter of the machine, and of the cores that are measured on a tenth of one.
LOADED_SHARE, LOADED_CORES = 0.25, 0.1


@dataclass(frozen=True)
class Timing:
    """The times of single runs of one module.

    Attributes:
        times_ms: milliseconds of each run, in the order of the runs.
        loaded: the machine was busy with something else meanwhile.
    """

    times_ms: tuple[float, ...]
    loaded: bool

    def summary(self) -> dict[str, Any]:
        """Median, 90th percentile, interquartile range and minimum in milliseconds, the number of runs, `loaded`."""
        low, median, high, p90 = (float(each) for each in np.percentile(self.times_ms, (25, 50, 75, 90)))
        return {
            "median_ms": median,
            "p90_ms": p90,
            "iqr_ms": high - low,
            "min_ms": min(self.times_ms),
            "runs": len(self.times_ms),
            "loaded": self.loaded,
        }


def _unheard(fraction: float, message: str) -> None:
    """Progress that nobody asked for."""


def _wanted() -> bool:
    """Whether to stop: never."""
    return False


def measure(
    module: nn.Module,
    shape: Shape,
    batch_size: int = 1,
    threads: int = 1,
    *,
    dtype: str = "float32",
    min_runs: int = 20,
    min_seconds: float = 1.0,
    max_seconds: float = 20.0,
    progress: Callable[[float, str], None] = _unheard,
    cancelled: Callable[[], bool] = _wanted,
) -> Timing:
    """Time forward passes of `module` until there are `min_runs` and `min_seconds` of them.

    Warms up until the runs no longer become faster, with at least 3 runs and 0.1 s, but no longer than 1 s. After
    `max_seconds` it stops with fewer than `min_runs`, but never with fewer than 5.

    Args:
        module: put into evaluation mode and converted to `dtype`.
        shape: of one image, without the batch.
        batch_size: images in one run.
        threads: of torch, within one operation; set for the measurement and restored.
        dtype: of weights and input: ``"float32"``, ``"bfloat16"`` or ``"float16"``.
        min_runs, min_seconds: both are reached, unless `max_seconds` are over first.
        max_seconds: bound on the timed runs, warm-up apart.
        progress: told the fraction done and what is being done, between runs.
        cancelled: asked between runs.

    Raises:
        Cancelled: `cancelled` said so.
        DesignError: this CPU does not run the module in `dtype`.
    """
    kind = DTYPES[one_of("dtype", dtype, DTYPES)]
    threads = whole("threads", threads)
    module = module.eval().to(kind)
    x = torch.randn(whole("batch_size", batch_size), *shape, generator=torch.Generator().manual_seed(SEED)).to(kind)

    def run() -> float:
        if cancelled():
            raise Cancelled
        begin = time.perf_counter_ns()
        module(x)
        return (time.perf_counter_ns() - begin) / 1e6

    with _conditions(threads):
        progress(0.0, "Warming up")
        try:
            run()
        except RuntimeError as error:
            if kind is torch.float32 or "not implemented" not in str(error):
                raise
            raise DesignError(f"dtype = {dtype!r} does not run on this CPU: {error}") from None
        _warm_up(run)
        times: list[float] = []
        load = _Load(threads)
        while True:
            times.append(run())
            if load.seconds >= max_seconds and len(times) >= FLOOR_RUNS:
                break
            done = min(len(times) / min_runs, load.seconds / min_seconds if min_seconds else 1.0)
            if done >= 1:
                break
            progress(done, f"Run {len(times)}")
        return Timing(tuple(times), load.high)


@contextmanager
def _conditions(threads: int) -> Iterator[None]:
    """The process as measurements need it, and afterwards as it was."""
    before, collecting = torch.get_num_threads(), gc.isenabled()
    torch.set_num_threads(threads)
    # Random weights can let deep networks fade to denormal numbers, which many CPUs compute ten times slower;
    # trained networks do not. There is nothing to ask what it was; off is torch's default.
    torch.set_flush_denormal(True)
    gc.disable()
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
        if collecting:
            gc.enable()


def _warm_up(run: Callable[[], float]) -> None:
    """Run until it no longer becomes faster (caches, oneDNN's compiled kernels, the clock of the CPU), or for long."""
    begin, best = time.perf_counter(), float("inf")
    for count in range(1, 10_000):
        latest = run()
        seconds = time.perf_counter() - begin
        steady = latest > 0.98 * best and seconds >= WARM_SECONDS
        if seconds >= WARM_SECONDS_MAX or (count >= WARM_RUNS and steady):
            return
        best = min(best, latest)


class _Load:
    """How busy the rest of the machine is, from now on."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._begin = time.perf_counter()
        self._own = time.process_time()
        self._busy = _busy_seconds()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.perf_counter() - self._begin

    @property
    def high(self) -> bool:
        """Whether others took a quarter of the machine, or cores that the measurement needed."""
        cores = os.cpu_count() or 1
        spare = max(0, cores - self._threads)
        return self._others > min(LOADED_SHARE * cores, spare + LOADED_CORES)

    @property
    def _others(self) -> float:
        """Cores that other processes, or other machines on this hardware, kept busy on average."""
        busy = _busy_seconds()
        if busy is not None and self._busy is not None:
            return max(0.0, busy - self._busy - (time.process_time() - self._own)) / max(self.seconds, 1e-3)
        # The average of the last minute, of which this measurement is a part.
        return max(0.0, os.getloadavg()[0] - self._threads) if hasattr(os, "getloadavg") else 0.0


def _busy_seconds() -> float | None:
    """Core seconds since boot in which the machine was at work or its host took them away; None if unknown."""
    if sys.platform != "linux":
        return None
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
        user, nice, system, _idle, _waiting, irq, softirq, steal = (int(each) for each in fields[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def latency_job(
    payload: dict[str, Any], progress: Callable[[float, str], None], cancelled: Callable[[], bool]
) -> dict[str, Any]:
    """The worker's job "latency": build a design with random weights and measure it.

    Args:
        payload: design (its JSON), resolution, batch_size, threads, dtype.
        progress, cancelled: see `measure`.

    Returns:
        `Timing.summary` with the time of day (UTC, ISO 8601) as measured_at.
    """
    design = Design.from_json(payload["design"])
    shape = design.input_shape(payload["resolution"])
    progress(0.0, "Building")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        module = build(design, shape[1])
    timing = measure(
        module,
        shape,
        payload["batch_size"],
        payload["threads"],
        dtype=payload["dtype"],
        progress=progress,
        cancelled=cancelled,
    )
    return timing.summary() | {"measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
