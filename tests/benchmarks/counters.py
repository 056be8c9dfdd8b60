"""Time to count EfficientNet-B7 with effviz, FlopCounterMode of torch, and thop.

Run ``python tests/benchmarks/counters.py``. CPU times depend on the machine, so no test uses them.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import effviz
from effviz.backend.crosscheck import load_thop

NAME = "efficientnet_b7"
RESOLUTION = 600
REPETITIONS = 15


class Row(NamedTuple):
    """One line of the printed table."""

    what: str
    milliseconds: float
    macs: int | None


def _median(action: Callable[[], Any], repetitions: int) -> float:
    """Median milliseconds of CPU time, which other processes do not disturb; the caller warms up."""
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        action()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def _fresh_widths() -> Iterator[float]:
    """Multipliers that no cache has seen: their widths differ in most blocks."""
    return (1.01 + step / 40 for step in count())


def _effviz() -> list[Row]:
    effviz.analyze(effviz.architecture("mobilenet_v2"))
    widths = _fresh_widths()

    def fresh(action: Callable[[effviz.Report], Any]) -> Callable[[], Any]:
        return lambda: action(effviz.analyze(effviz.architecture(NAME, width_mult=next(widths))))

    report = effviz.analyze(effviz.architecture(NAME))
    len(report.table)
    rows = [
        Row("effviz totals, fresh width", _median(fresh(lambda each: each.macs), REPETITIONS), None),
        Row("effviz totals, again", _median(lambda: effviz.analyze(effviz.architecture(NAME)), 40), report.macs),
        Row("effviz totals and table, fresh width", _median(fresh(lambda each: each.table), REPETITIONS), None),
        Row(
            "effviz totals and table, again",
            _median(lambda: effviz.analyze(effviz.architecture(NAME)).table, REPETITIONS),
            int(report.table.macs.sum()),
        ),
    ]
    return rows


def _flop_counter(module: nn.Module, resolution: int) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(torch.empty(1, 3, resolution, resolution, device="meta"))
    return int(counter.get_total_flops()) // 2


def _thop(module: nn.Module, resolution: int, device: str) -> int:
    macs, _ = load_thop().profile(module, (torch.zeros(1, 3, resolution, resolution, device=device),), verbose=False)
    return int(macs)


def _torch() -> list[Row]:
    design = effviz.architecture(NAME)
    small = effviz.architecture(NAME, resolution=64)
    meta = effviz.build(design, device="meta")
    macs = _flop_counter(meta, RESOLUTION)
    assert macs == effviz.analyze(design).macs, "the counters disagree"
    rows = [
        Row("build on the meta device", _median(lambda: effviz.build(design, device="meta"), 5), None),
        Row("FlopCounterMode, meta", _median(lambda: _flop_counter(meta, RESOLUTION), 5), macs),
        Row(
            "build on meta + FlopCounterMode",
            _median(lambda: _flop_counter(effviz.build(design, device="meta"), RESOLUTION), 5),
            macs,
        ),
    ]
    # thop reads its sums from buffers on the module's device, which have no values on the meta device.
    thop_macs = _thop(effviz.build(small), 64, "cpu")
    milliseconds = _median(lambda: _thop(effviz.build(small), 64, "cpu"), 3)
    rows.append(Row("build + thop, CPU, 64 px (thop counts batch norm too)", milliseconds, thop_macs))
    milliseconds = _median(lambda: _thop(effviz.build(design), RESOLUTION, "cpu"), 1)
    rows.append(Row(f"build + thop, CPU, {RESOLUTION} px", milliseconds, None))
    return rows


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    ours = _effviz()
    rows = ours + _torch()
    design = effviz.architecture(NAME)
    print(f"{design.title}, {len(design.blocks())} blocks, {len(effviz.analyze(design).steps)} steps, {RESOLUTION} px")
    print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, 1 thread; CPU time, medians of 1 to 40 runs\n")
    print(f"{'':<54} {'ms':>9} {'x fresh':>9} {'multiply-adds':>16}")
    for row in rows:
        macs = "" if row.macs is None else f"{row.macs:,}"
        print(f"{row.what:<54} {row.milliseconds:>9.2f} {row.milliseconds / ours[0].milliseconds:>9.3g} {macs:>16}")
    goals = [("fresh width", ours[0].milliseconds, 4), ("again", ours[1].milliseconds, 1)]
    print("\nGoals: " + "; ".join(f"{what} {found:.2f} of {goal} ms" for what, found, goal in goals))


if __name__ == "__main__":
    main()
