"""A class at work: many visitors of one server, each moving a control about every few seconds.

    python -m tests.benchmarks.class_load [--visitors 30] [--think 2] [--seconds 20] [--pages mix]
        [--ports 8501,8502] [--against FOLDER]

Every visitor is a websocket client that behaves as the browser does, with its message cache and its polling fragments.
The output contains the times from a move to the end of its run, and the share of the processors' time that the host
of a virtual machine gave to others ("stolen"): above about 5 % it decides the slowest moves. With ports, the visitors
use servers that run already, or a proxy before them, and keep the cookie by which it assigns them to a replica.
"Arrive" is the time of the last page when all open at once; the moves begin one think time later.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from contextlib import ExitStack
from pathlib import Path

from tests.support.moves import MOVES
from tests.support.server import ROOT, Server, running_server
from tests.support.visitor import visiting


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def processor_time() -> tuple[int, int]:
    """Return the time that a host gave to other machines, and all time, since the start, in ticks."""
    ticks = [int(each) for each in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    return ticks[7], sum(ticks)


async def student(
    number: int, options: argparse.Namespace, ports: list[int], page: str, arrived: list[float], times: list[float],
    ready: asyncio.Event,
) -> None:  # fmt: skip
    _, label, values = MOVES[page]
    chance = random.Random(f"{options.seed} {number}")
    started = time.perf_counter()
    async with visiting(ports[number % len(ports)], page, polls=True) as visitor:
        await visitor.open()
        arrived.append(time.perf_counter() - started)
        await ready.wait()
        end = time.perf_counter() + options.seconds
        await asyncio.sleep(chance.random() * options.think)
        while time.perf_counter() < end:
            times.append((await visitor.move(label, chance.choice(values))).seconds)
            await asyncio.sleep(options.think * (0.5 + chance.random()))
        if visitor.errors:
            raise SystemExit(f"{page}: {visitor.errors[0]}")


async def load(
    name: str, servers: list[Server], ports: list[int], pages: list[str], options: argparse.Namespace
) -> None:
    arrived: list[float] = []
    times: list[float] = []
    ready = asyncio.Event()
    tasks = [
        asyncio.create_task(student(number, options, ports, pages[number % len(pages)], arrived, times, ready))
        for number in range(options.visitors)
    ]
    while len(arrived) < options.visitors:
        await asyncio.sleep(0.05)
        for task in tasks:
            if task.done():
                task.result()
    await asyncio.sleep(options.think)
    before, own, clock = sum(each.cpu_s for each in servers), time.process_time(), time.perf_counter()
    stolen, ticks = processor_time()
    ready.set()
    await asyncio.gather(*tasks)
    spent = time.perf_counter() - clock
    stolen_now, ticks_now = processor_time()
    used = (sum(each.cpu_s for each in servers) - before) / spent
    p50, p95, p99 = (f"{1e3 * quantile(times, share):6.0f}" for share in (0.5, 0.95, 0.99))
    shown = "mix" if len(pages) > 1 else pages[0]
    print(
        f"{name:8} {shown:14} {options.visitors:4} {options.think:5g} {p50} {p95} {p99} "
        f"{len(times) / spent:7.1f} {max(arrived):7.1f} {used:7.0%} {(time.process_time() - own) / spent:6.0%} "
        f"{sum(each.resident_mb for each in servers):7.0f} {(stolen_now - stolen) / (ticks_now - ticks):6.1%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--think", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--pages", default="architectures,scaling,mix", help="one after the other; mix: all at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ports", default="")
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    print("                              think  milliseconds of a move    moves  arrive  server   this  memory")
    print("version  page           tabs      s    p50    p95    p99    per s       s     CPU   tool      MB  stolen")
    ports = [int(port) for port in options.ports.split(",") if port]
    folders = {"before": options.against, "here": ROOT} if options.against else {"here": ROOT}
    for page in options.pages.split(","):
        pages = list(MOVES) if page == "mix" else [page]
        if ports:
            asyncio.run(load("running", [], ports, pages, options))
            continue
        for name, folder in folders.items():
            with ExitStack() as stack:
                server = stack.enter_context(running_server(folder=folder))
                time.sleep(5)  # the torch process imports torch
                asyncio.run(load(name, [server], [server.port], pages, options))


if __name__ == "__main__":
    main()
