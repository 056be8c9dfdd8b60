"""How long the numbers of 30 networks take: at first, after a change of one network, and again.

Run ``python tests/benchmarks/compare.py``. Times are of this machine and belong in no test.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from effviz.charts.style import LIGHT
from effviz.core.caches import forget
from effviz.studies.compare.difference import differences
from effviz.studies.compare.networks import ComparedRow, Known, counted, phone_latency, phones, published_top1
from effviz.studies.network_text import MOST, Network, parse_network, parse_networks
from effviz.ui.convention import Convention
from effviz.ui.page_parts.compare.overview import _bubbles
from effviz.zoo import list_architectures

LIST = " ".join([*list_architectures(), "mobilenet_v2-w0.5", "mobilenet_v2-w0.75", "mobilenet_v2-w1.4"][:MOST])
REPETITIONS = 7


def rows(networks: tuple[Network, ...], memory: str = "fused") -> tuple[ComparedRow, ...]:
    """Every number of the page but the latencies measured here."""
    phone = phones(networks)[0]
    return tuple(
        ComparedRow(each, each.label, counted(each.design, memory), published_top1(each), phone_latency(each, phone),
                    Known(None, "not measured"))
        for each in networks
    )  # fmt: skip


def compare(networks: tuple[Network, ...], memory: str = "fused") -> None:
    """Count, draw the bubbles, and take the first and the last network apart."""
    found = rows(networks, memory)
    _bubbles.__wrapped__(found, "macs", "top1", "params", (found[0].label, found[1].label), Convention(), "", LIGHT)
    differences(networks[0].design, networks[-1].design, memory)


def timed(name: str, prepare: Callable[[int], Callable[[], None]]) -> None:
    """Print the median of the times of what `prepare` returns."""
    times = []
    for turn in range(REPETITIONS):
        act = prepare(turn)
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    print(f"{name:<52}{1000 * statistics.median(times):8.1f} ms")


def main() -> None:
    """Print the medians."""
    networks = parse_networks(LIST).networks
    print(f"{len(networks)} networks")

    def cold(_: int) -> Callable[[], None]:
        forget()
        return lambda: compare(parse_networks(LIST).networks)

    def changed(turn: int) -> Callable[[], None]:
        compare(networks)
        other = parse_network(f"efficientnet_b4-r{300 + turn}")
        return lambda: compare((*networks[:-1], other))

    def known(_: int) -> Callable[[], None]:
        compare(networks)
        return lambda: compare(networks)

    timed("nothing remembered", cold)
    timed("one network is new", changed)
    timed("another baseline, axis or phone: all remembered", known)


if __name__ == "__main__":
    main()
