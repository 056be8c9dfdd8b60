"""`effviz.measure_latency` against a hand-written loop, on five networks.

Run ``python tests/benchmarks/latency.py [rounds]``. Each method has a separate process, one thread, batch 1. A round
measures every network with both methods, one right after the other and in alternating order, so that a slower machine
slows both. The table shows medians over the rounds: of the median run, which is compared, and of the fastest run, which
other processes disturb least.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

import effviz
from effviz.measure.latency import environment, measure_latency

ROUNDS = 5
NETWORKS = ("mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2", "resnet18", "efficientnet_b0")
AGREEMENT = 0.10
BY_HAND = """
import sys, time
import torch, effviz

torch.set_num_threads(1)
for line in sys.stdin:
    design = effviz.architecture(line.strip())
    module = effviz.build(design)
    x = torch.randn(1, 3, design.resolution, design.resolution)
    with torch.inference_mode():
        for _ in range(10):
            module(x)
        times = []
        for _ in range(50):
            begin = time.perf_counter()
            module(x)
            times.append(time.perf_counter() - begin)
    times.sort()
    print(1e3 * times[25], 1e3 * times[0], flush=True)
"""


class Round(NamedTuple):
    """One network, measured both ways, in milliseconds."""

    ours: float
    ours_fastest: float
    theirs: float
    theirs_fastest: float
    noisy: bool


def _measure(rounds: int) -> dict[str, list[Round]]:
    found: dict[str, list[Round]] = {name: [] for name in NETWORKS}
    with subprocess.Popen(
        [sys.executable, "-c", BY_HAND],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # As the torch process: on a busy machine Linux shares the CPU among sessions.
        start_new_session=True,
    ) as loop:
        assert loop.stdin is not None
        assert loop.stdout is not None
        for index in range(rounds):
            for name in NETWORKS:
                latency = measure_latency(effviz.architecture(name)) if index % 2 == 0 else None
                loop.stdin.write(f"{name}\n")
                loop.stdin.flush()
                theirs, theirs_fastest = map(float, loop.stdout.readline().split())
                latency = latency or measure_latency(effviz.architecture(name))
                ours = latency.median_ms, latency.min_ms
                found[name].append(Round(*ours, theirs, theirs_fastest, latency.noisy))
    return found


def main(rounds: int) -> int:
    """Print the comparison; 1 if they disagree although the machine was quiet."""
    # Nothing of this is kept.
    os.environ["EFFVIZ_CACHE"] = ""
    found = _measure(rounds)
    print(", ".join(f"{name} {value}" for name, value in environment().items()))
    print(f"ms, median over {rounds} rounds\n")
    print(f"{'':<20}{'median run':^30}{'fastest run':^30}")
    print(f"{'network':<20}" + 2 * f"{'effviz':>10}{'by hand':>10}{'ratio':>8}  " + "noisy rounds")
    ratios = []
    for name, each in found.items():
        ours, ours_fastest, theirs, theirs_fastest, _ = (median(column) for column in zip(*each, strict=True))
        noisy = sum(entry.noisy for entry in each)
        ratios.append(ours / theirs)
        print(
            f"{name:<20}{ours:>10.2f}{theirs:>10.2f}{ours / theirs:>8.3f}  "
            f"{ours_fastest:>10.2f}{theirs_fastest:>10.2f}{ours_fastest / theirs_fastest:>8.3f}  "
            + (f"{noisy} of {rounds}" if noisy else "none")
        )
    agree = all(abs(ratio - 1) <= AGREEMENT for ratio in ratios)
    quiet = not any(entry.noisy for each in found.values() for entry in each)
    print(f"\nThe medians {'agree' if agree else 'do NOT agree'} within {AGREEMENT:.0%}.")
    if not quiet:
        print("Noisy: the machine was busy, or the middle half of the runs spread over more than 10 %.")
    return int(quiet and not agree)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
