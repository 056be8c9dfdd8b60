"""The cost of one move of a page's main control on the server.

    python -m tests.benchmarks.reruns [--rounds 3] [--pages architectures,scaling] [--against FOLDER]

Fresh: values that the server has not seen; known: the same values again, as a class of students causes them. The CPU
time is given in runs of a fixed loop of Python, timed in between, because machines differ and are shared: about 15 ms
on a quiet core. With a folder of another version, both are measured in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

from tests.support.moves import MOVES
from tests.support.server import ROOT, Server, running_server
from tests.support.visitor import Run, Visitor, visiting

GOALS = {"fresh": 1.5, "known": 1.2}
MOVES_EACH = 8


def reference_loop() -> float:
    """Time the fixed loop, in seconds of CPU."""
    started = time.process_time()
    texts = {}
    for number in range(120_000):
        texts[number % 97] = str(number)
    return time.process_time() - started


async def moves(server: Server, visitor: Visitor, label: str, values: list[float] | list[str]) -> tuple[float, Run]:
    """Move through the values; return the CPU time of one move and the run in the middle."""
    before, runs = server.cpu_s, []
    for value in values:
        runs.append(await visitor.move(label, value))
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)
    return (server.cpu_s - before) / len(values), runs[len(runs) // 2]


async def measure(servers: dict[str, Server], page: str, rounds: int) -> None:
    _, label, values = MOVES[page]
    found: dict[str, dict[str, list[float]]] = {name: {"fresh": [], "known": [], "loop": []} for name in servers}
    last: dict[str, Run] = {}
    for turn in range(rounds):
        for name, server in servers.items():
            async with visiting(server.port, page) as visitor:
                await visitor.open()
                first = turn * MOVES_EACH
                chosen = [values[(first + place) % len(values)] for place in range(MOVES_EACH)]
                found[name]["loop"].append(reference_loop())
                for kind in GOALS:
                    cost, last[name] = await moves(server, visitor, label, chosen)
                    found[name][kind].append(cost)
                if visitor.errors:
                    raise SystemExit(f"{page}: {visitor.errors[0]}")
    for name, times in found.items():
        loop = statistics.median(times["loop"])
        costs = {kind: statistics.median(times[kind]) for kind in GOALS}
        texts = [f"{1e3 * cost:6.1f} ms {cost / loop:5.2f}" for cost in costs.values()]
        missed = "" if all(cost / loop <= GOALS[kind] for kind, cost in costs.items()) else "  over the goal"
        run = last[name]
        print(f"{page:14} {name:8} {'  '.join(texts)}  {run.messages:4}  {run.size / 1e3:6.1f}{missed}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", default=",".join(MOVES))
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    print(f"{'page':14} {'version':8} {'fresh, loops':>15} {'known, loops':>16}  msgs      kB")
    print(f"{'goal':14} {'':8} {GOALS['fresh']:15} {GOALS['known']:16}    40    50.0")
    with ExitStack() as stack:
        servers = {"before": stack.enter_context(running_server(folder=options.against))} if options.against else {}
        servers["here"] = stack.enter_context(running_server(folder=ROOT))
        for page in options.pages.split(","):
            asyncio.run(measure(servers, page, options.rounds))


if __name__ == "__main__":
    main()
