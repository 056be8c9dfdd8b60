"""Times of single forward passes on this CPU; the latency is their distribution.

A run is one forward pass of PyTorch without a compiler, in evaluation mode under `torch.inference_mode`, with
contiguous NCHW tensors and random input. Building the module and creating the input are not timed.
"""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from effviz.backend.build import build
from effviz.core.errors import Cancelled, DesignError, one_of, whole
from effviz.core.resolution import Resolution
from effviz.model.design import Design
from effviz.model.layers import Shape

SEED = 0
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
WARM_RUNS, WARM_SECONDS, WARM_SECONDS_MAX = 3, 0.1, 1.0
# For a median, even if `max_seconds` are over before `min_runs` are reached.
FLOOR_RUNS = 5
# Other processes may use a quarter of the machine, and a tenth of one of the measured cores.
LOADED_SHARE, LOADED_CORES = 0.25, 0.1


@dataclass(frozen=True)
class Timing:
    """The times of single runs of one module."""

    times_ms: tuple[float, ...]  # milliseconds of each run, in order
    loaded: bool  # other processes kept the machine busy

    def summary(self) -> dict[str, Any]:
        """Return median, 90th percentile, interquartile range, minimum (all in ms), number of runs, and `loaded`."""
        low, median, high, p90 = (float(each) for each in np.percentile(self.times_ms, (25, 50, 75, 90)))
        return {
            "median_ms": median,
            "p90_ms": p90,
            "iqr_ms": high - low,
            "min_ms": min(self.times_ms),
            "runs": len(self.times_ms),
            "loaded": self.loaded,
        }


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
    progress: Callable[[float, str], object] = lambda fraction, message: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Timing:
    """Time forward passes of `module`, at least `min_runs` and for at least `min_seconds`.

    The warm-up lasts until the runs no longer become faster: at least 3 runs and 0.1 s, at most 1 s. After
    `max_seconds`, 5 runs are enough.

    Args:
        module: put into evaluation mode and converted to `dtype`.
        shape: of one image, without the batch.
        batch_size: images in one run.
        threads: of torch within one operation; restored afterwards.
        dtype: of weights and input: ``"float32"``, ``"bfloat16"`` or ``"float16"``.
        min_runs, min_seconds: minimum number and total time of the timed runs.
        max_seconds: limit of the timed runs, without the warm-up.
        progress: called between runs with the fraction done and a message.
        cancelled: called between runs.

    Raises:
        Cancelled: `cancelled` returned true.
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
        load = _Load(threads)
        times = [run()]
        while (done := _fraction(len(times), load.seconds, min_runs, min_seconds, max_seconds)) < 1:
            progress(done, f"Run {len(times)}")
            times.append(run())
        return Timing(tuple(times), load.high)


def _fraction(runs: int, seconds: float, min_runs: int, min_seconds: float, max_seconds: float) -> float:
    """Return the fraction of the measurement that is done."""
    if seconds >= max_seconds and runs >= FLOOR_RUNS:
        return 1.0
    return min(runs / min_runs, seconds / min_seconds if min_seconds else 1.0)


def measure_design(
    design: Design, resolution: Resolution | None = None, *, progress: Callable[[float, str], object], **options: Any
) -> Timing:
    """Build `design` with random weights and `measure` it.

    Args:
        design: the network.
        resolution: of the input in pixels, one side or (height, width); None for the design's own.
        progress, options: see `measure`.
    """
    shape = design.input_shape(resolution)
    progress(0.0, "Building")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        module = build(design, resolution)
    return measure(module, shape, progress=progress, **options)


@contextmanager
def _conditions(threads: int) -> Iterator[None]:
    """Prepare the process for measurements, and restore it afterwards."""
    before, collecting = torch.get_num_threads(), gc.isenabled()
    torch.set_num_threads(threads)
    # With random weights, activations of deep networks can become denormal, which many CPUs compute ten times slower;
    # in trained networks they do not. The previous setting cannot be read; off is torch's default.
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
    """Run until the runs no longer become faster: caches, oneDNN's compiled kernels, the clock of the CPU."""
    begin, best = time.perf_counter(), float("inf")
    for count in range(1, 10_000):
        latest = run()
        seconds = time.perf_counter() - begin
        steady = latest > 0.98 * best and seconds >= WARM_SECONDS
        if seconds >= WARM_SECONDS_MAX or (count >= WARM_RUNS and steady):
            return
        best = min(best, latest)


class _Load:
    """The load of the machine by other processes since this object was created."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._begin = time.perf_counter()
        self._own = time.process_time()
        self._busy = _busy_seconds()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._begin

    @property
    def high(self) -> bool:
        """Whether other processes used a quarter of the machine, or cores that the measurement needed."""
        cores = os.cpu_count() or 1
        spare = max(0, cores - self._threads)
        return self._others > min(LOADED_SHARE * cores, spare + LOADED_CORES)

    @property
    def _others(self) -> float:
        """Average number of cores used by other processes, or by other virtual machines on this hardware."""
        busy = _busy_seconds()
        if busy is not None and self._busy is not None:
            return max(0.0, busy - self._busy - (time.process_time() - self._own)) / max(self.seconds, 1e-3)
        # The average of the last minute, which includes this measurement.
        return max(0.0, os.getloadavg()[0] - self._threads) if hasattr(os, "getloadavg") else 0.0


def _busy_seconds() -> float | None:
    """Return the core seconds since boot that were busy or taken by the host of a virtual machine; None if unknown."""
    if sys.platform != "linux":
        return None
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
        user, nice, system, _idle, _waiting, irq, softirq, steal = (int(each) for each in fields[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
