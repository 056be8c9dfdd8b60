"""The delay of one visitor's slider while another visitor opens the costliest legal page.

    python -m tests.benchmarks.neighbours [--moves 60] [--against FOLDER] [CASE ...]

A visitor moves the width multiplier of the Architectures page through fresh values, alone and while a second visitor
opens one costly page after another, each with values that the server has not seen. The difference between the 95th
percentiles is the delay. The goal is 100 ms on two idle cores beside this tool.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

from server import Server, running_server  # noqa: E402
from visitor import visiting  # noqa: E402
from worst import WORST  # noqa: E402

from effviz.model.draft import Draft  # noqa: E402

GOAL_MS = 100
PAUSE_S = 0.05


class Opening(NamedTuple):
    """A page to open, and a button to press on it."""

    page: str
    query: dict[str, str]
    button: str = ""


def scaled(part: str, **more: str) -> Iterator[Opening]:
    """Yield links to Compound scaling with bases that no earlier one had."""
    for place in itertools.count():
        found = {"net": "densenet121", "phi": "12", "part": part, "alpha": f"{1.2 + place / 100:.2f}"}
        yield Opening("scaling", found | more)


def designed(part: str) -> Iterator[Opening]:
    """Yield links to the largest designs in the Studio."""
    packed = [Draft.of(make()).packed() for make in WORST.values()]
    for text in itertools.cycle(packed):
        yield Opening("studio", {"design": text, "part": part})


def searched() -> Iterator[Opening]:
    """Yield the largest searches of the page, each with a budget that no earlier one had."""
    for place in itertools.count():
        query = {"part": "The search", "trials": "1000", "budget": f"{100 + place % 900}"}
        yield Opening("search", query, "Search 1000 networks")


def found() -> Iterator[Opening]:
    """Yield limits of Find a network that no earlier search had."""
    for place in itertools.count():
        yield Opening("find", {"max_macs": f"{300 + place} M"})


def compared() -> Iterator[Opening]:
    """Yield comparisons of thirty networks at widths that no earlier one had."""
    for place in itertools.count():
        widths = [0.3 + (30 * place % 3000 + each) / 1000 for each in range(30)]
        yield Opening("compare", {"nets": " ".join(f"efficientnet_b0-w{width:.3f}" for width in widths)})


CASES = {
    "stairs": lambda: scaled("How this is computed"),
    "equal budget": lambda: scaled("Equal multiply-adds"),
    "animation": lambda: scaled("Drawn to scale"),
    "grid search": lambda: scaled("Grid search", grid="0.025", tolerance="10"),
    "fit": lambda: scaled("Fit a budget", of="peak_activation", most_peak_activation="1e6"),
    "opening": lambda: designed("How this is computed"),
    "lint": lambda: designed("Suggestions"),
    "code": lambda: designed("Code"),
    "search": searched,
    "find": found,
    "compare": compared,
}


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def works(server: Server, openings: Iterator[Opening], ready: asyncio.Event) -> None:
    """Open the pages one after the other, each as a new visitor, whose page polls as in a browser."""
    for page, query, button in openings:
        async with visiting(server.port, page, urlencode(query), polls=True) as visitor:
            ready.set()
            await visitor.open()
            if button:
                await visitor.press(button)
            # A calculation outside the script continues after the run.
            await asyncio.sleep(1.0)
            if visitor.errors:
                raise SystemExit(f"{page}: {visitor.errors[0]}")


async def delays(server: Server, case: str, moves: int) -> tuple[list[float], list[float]]:
    """Return the seconds of moves alone and beside the other visitor."""
    values = itertools.cycle(round(0.25 + step / 200, 3) for step in range(350))
    async with visiting(server.port, "architectures") as visitor:
        await visitor.open()

        async def several() -> list[float]:
            found = []
            for _ in range(moves):
                found.append((await visitor.move("Width multiplier", next(values))).seconds)
                await asyncio.sleep(PAUSE_S)
            return found

        await several()
        alone, ready = await several(), asyncio.Event()
        other = asyncio.create_task(works(server, CASES[case](), ready))
        await ready.wait()
        beside = await several()
        if not other.cancel():
            other.result()  # an error ended it, and the moves had no neighbour
    return alone, beside


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], default=[], metavar="CASE")
    parser.add_argument("--moves", type=int, default=60)
    parser.add_argument("--against", type=Path)
    options = parser.parse_args()
    print("                       alone, ms      beside, ms     delay, ms")
    print("version  case          p50   p95      p50   p95      p95")
    folders = {"before": options.against, "here": ROOT} if options.against else {"here": ROOT}
    for case in options.cases or CASES:
        for name, folder in folders.items():
            with ExitStack() as stack:
                server = stack.enter_context(running_server(folder=folder))
                alone, beside = asyncio.run(delays(server, case, options.moves))
            first, second = ([1e3 * quantile(each, share) for share in (0.5, 0.95)] for each in (alone, beside))
            missed = "  over the goal" if second[1] - first[1] > GOAL_MS else ""
            print(
                f"{name:8} {case:12} {first[0]:4.0f} {first[1]:5.0f}     {second[0]:4.0f} {second[1]:5.0f}"
                f"    {second[1] - first[1]:5.0f}{missed}",
                flush=True,
            )


if __name__ == "__main__":
    main()
