"""Cores and memory that the torch process may use, and the memory that a design needs."""

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from effviz.core.arguments import check_public
from effviz.core.caches import remembered
from effviz.core.errors import one_of, whole
from effviz.core.resolution import Resolution
from effviz.count.memory import alive
from effviz.count.report import Report, analyze
from effviz.model.design import Design
from effviz.model.trace import storage_sizes

MAX_BATCH = 256
ITEMSIZE = {"float32": 4, "bfloat16": 2, "float16": 2}
GIB = 2**30
# Python and torch take 220 MiB of data, oneDNN's compiled kernels and scratch memory at batch 1 about 100 MiB.
PROCESS_BYTES = 384 * 2**20
# oneDNN converts feature maps to its layout and back, and the heap is fragmented. Over the zoo, 1.2 times (ResNet-18 at
# 1024 px) to 2.8 times (DenseNet-121) the live activations were measured in addition to the fixed part.
WORKSPACE = 3
# Of one thread on a server core of 2020. It only decides the order of jobs.
_MACS_PER_S = 15e9
_RUNS = 25
_MOST_S = 60.0


def estimate_bytes(report: Report, batch_size: int = 1, dtype: str = "float32") -> int:
    """Estimate the memory of the torch process while it runs a design; the estimate is an upper limit.

    It is the sum of the process, the parameters, and three times the peak of live activations without fusion.

    Args:
        report: of the design at its resolution.
        batch_size: images in one run.
        dtype: of weights and activations.
    """
    batch_size = whole("batch_size", batch_size, 1, MAX_BATCH)
    itemsize = ITEMSIZE[one_of("dtype", dtype, ITEMSIZE)]
    # Modules are built in float32, and both copies exist during the conversion.
    parameters = report.params * (4 if itemsize == 4 else 4 + itemsize)
    return PROCESS_BYTES + parameters + WORKSPACE * itemsize * batch_size * eager_peak(report.design, report.resolution)


def estimate_seconds(report: Report, batch_size: int = 1) -> float:
    """Estimate roughly how long a measurement of a design takes.

    Args:
        report: of the design at its resolution.
        batch_size: images in one run.
    """
    return min(_MOST_S, 2.0 + _RUNS * batch_size * report.macs / _MACS_PER_S)


@remembered
def eager_peak(design: Design, resolution: Resolution) -> int:
    """Return the peak of live activation elements at batch 1, without folding and fusion.

    It takes 0.3 s for the largest designs.
    """
    report = analyze(design, resolution)
    fusion = report.fusion
    own = {storage: storage for storage in storage_sizes(report.steps, report.input_shape)}
    return max(alive(report.steps, replace(fusion, absorbed=(False,) * len(report.steps), home=own)), default=0)


@cache
def memory_limit() -> int:
    """Return the default limit of the torch process: half the memory of the machine or container, at least 1 GiB."""
    available = [
        size
        for folder in _cgroups("memory")
        for name in ("memory.max", "memory.limit_in_bytes")
        for size in _numbers(folder / name)
    ]
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        available.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return max(GIB, min(available, default=8 * GIB) // 2)


@cache
def usable_cores() -> int:
    """Return the cores of this process, from its affinity and its container's CPU quota; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *_cpu_shares()]))


def _cpu_shares() -> Iterator[int]:
    """Yield the whole cores of every CPU quota of this process."""
    for folder in _cgroups("cpu"):
        share = _numbers(folder / "cpu.max")
        if not share:
            share = _numbers(folder / "cpu.cfs_quota_us") + _numbers(folder / "cpu.cfs_period_us")
        if len(share) == 2 and share[0] > 0 and share[1] > 0:
            yield share[0] // share[1]


def _cgroups(controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups, versions 1 and 2, from the innermost outwards."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, inner = line.split(":", 2)
        # Version 2 names no controllers.
        if controllers and controller not in controllers.split(","):
            continue
        root = Path("/sys/fs/cgroup") / controllers
        # Inside a container, the path may be the host's and not exist; the root always exists.
        folder = root / inner.lstrip("/")
        yield folder
        yield from (parent for parent in folder.parents if parent.is_relative_to(root))


def _numbers(file: Path) -> list[int]:
    """Return the integers in a file; none if one of them is "max" or the file does not exist."""
    try:
        return [int(word) for word in file.read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        return []


check_public(globals())
