"""How long a sweep of compound scaling takes: 200 phi with all five rules, totals only, nothing remembered.

Run ``python tests/benchmarks/sweep.py``. Times are of this machine and belong in no test.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import effviz
from effviz.advice import scaling
from effviz.core.caches import forget

PHIS = [-1 + 7 * step / 199 for step in range(200)]
REPETITIONS = 7


def sweep(base: effviz.Design) -> int:
    """Networks that were counted."""
    return sum(len(scaling.sweep(base, rule, PHIS)) for rule in scaling.scaling_rules(scaling.ScalingRule()).values())


def main() -> None:
    """Print the medians."""
    base = effviz.architecture("efficientnet_b0")
    fresh, known = [], []
    networks = 0
    for _ in range(REPETITIONS):
        forget()
        for times in (fresh, known):
            start = time.perf_counter()
            networks = sweep(base)
            times.append(time.perf_counter() - start)
    print(f"{networks} networks of EfficientNet-B0, phi {PHIS[0]:g} to {PHIS[-1]:g}, five rules")
    for name, times in (("nothing remembered", fresh), ("blocks remembered", known)):
        median = statistics.median(times)
        print(f"{name:20} {median:6.3f} s, {1e6 * median / networks:6.0f} us a network, best {min(times):.3f} s")
    print(f"Goal: {networks} networks under 1 s with nothing remembered.")


if __name__ == "__main__":
    main()
