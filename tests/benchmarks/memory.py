"""The memory of a server that counts random designs all day.

    python -m tests.benchmarks.memory [--reruns 10000] [--every 1000] [--goal 600]

Visitors open random designs in Studio, from one row to the limits of a design, and comparisons of random networks.
Others move the controls of the other pages through random values. The memory of the server is printed; more than the
goal is a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from contextlib import AsyncExitStack
from urllib.parse import urlencode

from effviz.core.errors import DesignError
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.draft import MAX_LINK, Draft
from effviz.model.fields import declared
from effviz.model.stage import Stage
from effviz.zoo import list_architectures
from tests.support.server import Server, running_server
from tests.support.visitor import Visitor, visiting

MOVED = {
    "architectures": {"Width multiplier": (0.25, 2.0), "Depth multiplier": (0.25, 3.0)},
    "multipliers": {"Width multiplier": (0.25, 1.7)},
    "scaling": {"Coefficient φ": (-1.0, 4.0)},
    "width_depth": {"Budget (M multiply-adds)": (100, 700)},
    "convolutions": {"Input channels": (16, 512)},
    "find": {"Multiply-adds (input)": (50, 900)},
    "search": {"Exponent w": (-1.0, 0.0), "Budget (M multiply-adds)": (50, 1_000)},
}
"""Controls by page, with their ranges."""

SUGGESTIONS = ("Suggestions", "Code", "Budget")


def random_row(draw: random.Random, number: int) -> Stage:
    """Return a row of any block."""
    while True:
        name = draw.choice(list(BLOCKS))
        kind = BLOCKS[name]
        fields = {
            each.name: draw.choice(each.choices) for each in declared(kind) if each.choices and draw.random() < 0.3
        }
        width = {"out_channels": 8 * draw.randint(1, 64)} if kind.has_out_channels else {}
        try:
            return Stage(name, repeats=draw.choice([1, 1, 2, 5]), name=f"s{number}", **width, **fields)
        except DesignError:
            continue


def random_design(draw: random.Random) -> str:
    """Return a packed design that fits into a link; most are small, some are near the limits."""
    rows: list[Stage] = []
    for number in range(draw.choice([3, 10, 30, 100])):
        row = random_row(draw, number)
        try:
            Design("random", (*rows, row), resolution=224).runs()
        except DesignError:
            continue
        rows.append(row)
    rows = rows or [Stage("conv", 8)]
    depth = draw.choice([1.0, 1.0, 2.0, 10.0])
    packed = Draft.of(Design("random", tuple(rows), resolution=224, depth_mult=depth)).packed()
    return packed if len(packed) <= MAX_LINK else random_design(draw)


async def studio(server: Server, draw: random.Random) -> None:
    """Open a random design in a new session, with one of the costly parts."""
    query = urlencode({"design": random_design(draw), "part": draw.choice(SUGGESTIONS)})
    async with visiting(server.port, "studio", query) as visitor:
        await visitor.open()


async def compare(server: Server, draw: random.Random) -> None:
    """Open a comparison of random networks in a new session."""
    names = draw.sample(list_architectures(), 8)
    networks = [f"{name}-w{draw.uniform(0.5, 1.5):.2f}" for name in names]
    async with visiting(server.port, "compare", urlencode({"nets": " ".join(networks)})) as visitor:
        await visitor.open()


async def move(visitors: dict[str, Visitor], draw: random.Random) -> None:
    """Move a control of a page to a random value."""
    page = draw.choice(list(MOVED))
    label, (low, high) = draw.choice(list(MOVED[page].items()))
    value = round(draw.uniform(low, high), 0 if high > 10 else 2)
    await visitors[page].move(label, f"{value:g} M" if page == "find" else value)


async def run(server: Server, reruns: int, every: int) -> float:
    """Print the memory while reruns go on, and return the most."""
    draw, most = random.Random(0), 0.0
    async with AsyncExitStack() as stack:
        visitors = {page: await stack.enter_async_context(visiting(server.port, page)) for page in MOVED}
        for visitor in visitors.values():
            await visitor.open()
        print(f"{'reruns':>8} {'MB':>6}\n{0:8} {server.resident_mb:6.0f}", flush=True)
        for done in range(1, reruns + 1):
            opened = {0: studio, 4: compare}.get(done % 8)
            await (opened(server, draw) if opened else move(visitors, draw))
            if done % every == 0:
                most = max(most, server.resident_mb)
                print(f"{done:8} {server.resident_mb:6.0f}", flush=True)
    return most


def main() -> None:
    """Print the memory, and fail if it exceeds the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reruns", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=1_000)
    parser.add_argument("--goal", type=float, default=600.0, help="in MB")
    options = parser.parse_args()
    with running_server() as server:
        most = asyncio.run(run(server, options.reruns, options.every))
    if most > options.goal:
        raise SystemExit(f"{most:.0f} MB are more than {options.goal:.0f}")


if __name__ == "__main__":
    main()
