"""Sweeps and searches of one visitor leave room for others, and end with their visitor."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from server import Server, running_server
from starlette.requests import Request
from visitor import visiting

from effviz.charts.style import LIGHT
from effviz.core import caches
from effviz.studies.search.run import Task
from effviz.studies.search.summary import searched
from effviz.ui import sweeps
from effviz.ui.convention import Convention
from effviz.ui.page_parts.architectures.controls import choose
from effviz.ui.page_parts.architectures.sweep import settings
from effviz.worker.calculations import Pool

SPAN = "&low=0.25&high=2&step=0.05"


def path(classes: int, visitor: str) -> str:
    choice = choose("efficientnet_b0", None, 1.0, 1.0, 224, classes)
    wanted = settings(choice, Convention(), LIGHT)["width"]
    return sweeps.sweep_address("architectures", "width", wanted, visitor) + SPAN


async def sweep(address: str, classes: int, visitor: str) -> int:
    """Request a sweep from a network address, and return the status of the answer."""

    async def connected() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    query = path(classes, visitor).partition("?")[2]
    scope = {"type": "http", "client": (address, 1), "path_params": {"page": "architectures"}, "headers": []}
    answer = await sweeps.route.endpoint(Request(scope | {"query_string": query.encode()}, connected))
    return int(answer.status_code)


def test_many_sweeps_of_an_address_delay_another_one_by_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    caches.forget()
    pool = Pool(1)
    monkeypatch.setattr(sweeps, "pool", lambda: pool)

    async def test() -> int:
        # Each under another name, which a visitor can choose.
        many = [asyncio.create_task(sweep("192.0.2.1", 700 + each, f"v{each}")) for each in range(6)]
        while pool.managers[0].status.waiting < 5:
            await asyncio.sleep(0.01)
        before = sum(each.done() for each in many)
        assert await sweep("192.0.2.2", 800, "other") == 200
        passed = sum(each.done() for each in many) - before
        for each in many:
            each.cancel()
        await asyncio.gather(*many, return_exceptions=True)
        return passed

    try:
        # The one that runs, and perhaps one between the end of this sweep and its answer.
        assert asyncio.run(test()) <= 2
    finally:
        pool.close()


def test_the_sweeps_of_an_address_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_ADDRESS_JOBS", "2")
    caches.forget()
    pool = Pool(1)
    monkeypatch.setattr(sweeps, "pool", lambda: pool)

    async def test() -> list[int]:
        return await asyncio.gather(*(sweep("192.0.2.1", 710 + each, f"v{each}") for each in range(3)))

    try:
        assert sorted(asyncio.run(test())) == [200, 200, 503]
    finally:
        pool.close()


def test_long_calculations_leave_a_process_to_others() -> None:
    pool = Pool()
    try:
        for each in range(3):
            pool.submit(f"v{each}", searched, Task("", 2_000, seed=each), "", address="", long=True)
        short = pool.submit("other", searched, Task("", 2, seed=9), "", address="")
        assert short.wait(60)
        assert short.state == "done"
        assert pool.managers[0].status.waiting == 2
    finally:
        pool.close()


# --- a visitor leaves a search -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    folder = tmp_path_factory.mktemp("cache")
    with running_server(env={"EFFVIZ_CACHE": str(folder)}) as server:
        yield server, folder


def written(folder: Path) -> int:
    """Return the bytes of all networks that searches have evaluated."""
    return sum(file.stat().st_size for file in folder.rglob("*.log"))


async def grows(folder: Path, seconds: float) -> bool:
    before = written(folder)
    await asyncio.sleep(seconds)
    return written(folder) > before


@pytest.mark.parametrize("way", ["closes the tab", "opens another page", "cancels"])
def test_a_search_ends_when_its_visitor_leaves(server: tuple[Server, Path], way: str) -> None:
    running, folder = server

    async def test() -> None:
        # Another study each time, because a search that has ended is known.
        query = f"part=The+search&trials=1000&study={way.replace(' ', '')}"
        async with visiting(running.port, "search", query, polls=True) as visitor:
            await visitor.open()
            before = written(folder)
            await visitor.press("Search 1000 networks")
            deadline = time.monotonic() + 60
            while written(folder) < before + 2_000 and time.monotonic() < deadline:
                await asyncio.sleep(0.1)
            assert await grows(folder, 2), "the search runs"
            if way == "cancels":
                await visitor.press("Cancel")
                await visitor.until(lambda: "Calculate" in visitor.controls)
            if way == "opens another page":
                await visitor.navigate("glossary")
            if way != "closes the tab":
                await asyncio.sleep(1)
                assert not await grows(folder, 2)
        if way == "closes the tab":
            await asyncio.sleep(5)
            assert not await grows(folder, 2)
        assert "Traceback" not in running.log, running.log

    asyncio.run(test())
