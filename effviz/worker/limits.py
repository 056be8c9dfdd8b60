"""What the torch process may use of this machine, cores and memory, and what a design will need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from effviz.core.errors import one_of, whole
from effviz.count.memory import alive
from effviz.count.report import Report
from effviz.model.trace import storage_sizes

MAX_BATCH = 256
ITEMSIZE = {"float32": 4, "bfloat16": 2, "float16": 2}
GIB = 2**30
# Python and torch take 220 MiB of data; oneDNN's compiled kernels and scratch, at batch 1, about 100 more.
PROCESS_BYTES = 384 * 2**20
# oneDNN copies maps into its own layout and back, and the heap keeps holes: over the zoo, 1.2 times the activations
# alive (ResNet-18 at 1024 px) to 2.8 times (DenseNet-121) were measured beside the fixed part.
WORKSPACE = 3


def estimate_bytes(report: Report, batch_size: int = 1, dtype: str = "float32") -> int:
    """Memory of the torch process while it runs a design, rather too much than too little.

    That is the parameters, three times the activations alive at once when every operation writes a tensor of its own,
    and the process itself.

    Args:
        report: of the design at its resolution.
        batch_size: images in one run.
        dtype: of weights and activations.
    """
    whole("batch_size", batch_size, 1, MAX_BATCH)
    itemsize = ITEMSIZE[one_of("dtype", dtype, ITEMSIZE)]
    # Modules are made in float32; both copies are there while they are converted.
    parameters = report.params * (4 if itemsize == 4 else 4 + itemsize)
    return PROCESS_BYTES + parameters + WORKSPACE * itemsize * batch_size * _eager_peak(report)


def _eager_peak(report: Report) -> int:
    """Activation elements alive at once, batch 1, when nothing is folded or fused."""
    fusion = report.fusion
    own = {storage: storage for storage in storage_sizes(report.steps, report.input_shape)}
    return max(alive(report.steps, replace(fusion, absorbed=(False,) * len(report.steps), home=own)), default=0)


@cache
def memory_limit() -> int:
    """Bytes that the torch process may use unless told otherwise: half of the machine or container, at least 1 GiB."""
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
    """Cores that this process may run on: its affinity, and whole cores of its container's share; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *_cpu_shares()]))


def _cpu_shares() -> Iterator[int]:
    """Whole cores of every quota of CPU time that holds for this process."""
    for folder in _cgroups("cpu"):
        share = _numbers(folder / "cpu.max")
        if not share:
            share = _numbers(folder / "cpu.cfs_quota_us") + _numbers(folder / "cpu.cfs_period_us")
        if len(share) == 2 and share[0] > 0 and share[1] > 0:
            yield share[0] // share[1]


def _cgroups(controller: str) -> Iterator[Path]:
    """Folders of the control groups, version 1 and 2, that this process is in, from the innermost out."""
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
        # Inside a container the path may be the host's: what is not there is passed over, the root is.
        folder = root / inner.lstrip("/")
        yield folder
        yield from (parent for parent in folder.parents if parent.is_relative_to(root))


def _numbers(file: Path) -> list[int]:
    """The integers in a file of the kernel; nothing where one of them is "max" or the file is not there."""
    try:
        return [int(word) for word in file.read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        return []
