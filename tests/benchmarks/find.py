"""How long a search of the whole zoo takes: counting all candidates, one search, and checking its rows again.

Run ``python tests/benchmarks/find.py``. Times are of this machine and belong in no test.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from effviz.core.caches import forget
from effviz.studies import finder
from effviz.zoo.published import published

LIMITS = {"max_macs": "300M", "max_params": "4M", "max_peak": "256KiB"}
REPETITIONS = 5


def main() -> None:
    """Print the medians."""
    published()  # loads pandas
    budgets = finder.read_limits(LIMITS)
    counting, searching, processor = [], [], []
    pool: tuple[finder.Candidate, ...] = ()
    for _ in range(REPETITIONS):
        forget()
        start, used = time.perf_counter(), time.process_time()
        pool = finder.candidates()
        counting.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
        start = time.perf_counter()
        finder.search(pool, budgets, "int8")
        searching.append(time.perf_counter() - start)
    found = finder.search(pool, budgets, "int8")
    start = time.perf_counter()
    finder.rechecked(found.fits[:100], budgets, "int8", "fused")
    checking = time.perf_counter() - start
    print(f"{len(pool):,} candidates, {len(found.fits):,} within {', '.join(LIMITS.values())} (int8)")
    print(f"counted, nothing remembered: {statistics.median(counting):.3f} s, best {min(counting):.3f} s, "
          f"processor {min(processor):.3f} s")  # fmt: skip
    print(f"searched: {1000 * statistics.median(searching):.1f} ms")
    print(f"checked again by effviz.analyze: {1000 * checking / min(100, len(found.fits)):.1f} ms a network")
    print("Goal: 5,000 candidates under 1 s with nothing remembered.")


if __name__ == "__main__":
    main()
