"""Two real replicas behind a real nginx: a visitor keeps the page when a replica is killed."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from replicas import Replicas, running_replicas
from visitor import Visitor, visiting

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
LINK = ("architectures", "net=EfficientNet-B0&width=1.2&depth=1.4&res=300&memory=Paper")


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    folder = tmp_path_factory.mktemp("cache")
    with running_replicas({"EFFVIZ_CACHE": str(folder)}) as running:
        yield running


def replica(visitor: Visitor) -> int:
    return int(visitor.cookies["effviz_replica"])


def environment(pid: int) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in Path(f"/proc/{pid}/environ").read_text().split("\0"))
    return {name: value for name, _, value in pairs}


def connections(pid: int) -> int:
    """Return the number of open connections to the port of a replica."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    port = next(int(word.partition("=")[2]) for word in words if word.startswith("--server.port="))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = "01"
    return sum(row[1] == f"0100007F:{port:04X}" and row[3] == established for row in rows)


def wait_for_websockets(pid: int, count: int) -> None:
    """Wait until a replica has this number of websockets and no other connection."""
    deadline = time.monotonic() + 30
    while (found := connections(pid)) != count:
        assert time.monotonic() < deadline, f"{found} connections instead of {count}"
        time.sleep(0.02)


def test_a_class_meets_on_the_replica_of_its_room(replicas: Replicas) -> None:
    async def visit() -> None:
        async with AsyncExitStack() as stack:

            async def tab(query: str = "") -> Visitor:
                visitor = await stack.enter_async_context(visiting(replicas.port, "classroom", query, polls=True))
                await visitor.open()
                return visitor

            teacher = await tab()
            await teacher.until(lambda: "Open a room" in teacher.controls, 10)
            await teacher.press("Open a room")
            await teacher.until(lambda: "room=" in teacher.address)
            code = parse_qs(teacher.address)["room"][0]
            assert code.startswith(str(replica(teacher)))
            for _ in range(4):
                student = await tab(f"room={code}")
                assert replica(student) == replica(teacher)
                await student.until(lambda student=student: "Join" in student.controls)
                await student.press("Join")
            await teacher.until(lambda: "0 of 4" in teacher.text)
            # The code is typed at another replica, which loads the page again.
            while replica(other := await tab()) == replica(teacher):
                pass
            await other.until(lambda: "Continue" in other.controls)
            other.forget("Code", code.lower())
            await other.press("Continue")
            await other.until(lambda: f'"?room={code}"' in other.text)

    asyncio.run(visit())


def shown(visitor: Visitor) -> dict[tuple[int, ...], bytes]:
    """The page of a visitor, without the name of the visit in the addresses of sweeps."""
    return {place: re.sub(rb"&visitor=\w+", b"", content) for place, content in visitor.contents.items()}


def test_a_visitor_keeps_the_page_when_its_replica_is_killed(replicas: Replicas) -> None:
    async def visit() -> None:
        async with visiting(replicas.port, *LINK) as visitor, visiting(replicas.port, *LINK) as other:
            await visitor.open()
            await other.open()
            first, second = replica(visitor), replica(other)
            assert {first, second} == {1, 2}
            linked = shown(visitor)
            assert linked == shown(other)
            await visitor.move("Width multiplier", 0.8)
            moved = shown(visitor)
            assert moved != linked
            # Requests and the websocket of a visitor are on one replica.
            for path in ("_stcore/health", "_stcore/host-config", "scaling", "_stcore/script-health-check"):
                await asyncio.to_thread(visitor.get, path)
                assert replica(visitor) == first
            for number in (1, 2):
                wait_for_websockets(replicas.pid(number), 1)

            replicas.kill(first)
            await visitor.disconnected()
            await visitor.reconnect()
            assert replica(visitor) == second
            wait_for_websockets(replicas.pid(second), 2)
            assert shown(visitor) == moved
            assert not visitor.errors
            # The new session follows the controls.
            await visitor.move("Width multiplier", 1.2)
            assert shown(visitor) == linked

    asyncio.run(visit())


def test_a_link_shows_the_same_page_on_both_replicas_and_a_killed_one_returns(replicas: Replicas) -> None:
    async def contents() -> tuple[int, dict[tuple[int, ...], bytes]]:
        async with visiting(replicas.port, *LINK) as visitor:
            await visitor.open()
            return replica(visitor), shown(visitor)

    replicas.wait()
    killed = replicas.pid(1)
    replicas.kill(1)
    replicas.until(r"^Replica 1 ended with code -9 and is started again\.$")
    found: dict[int, dict[tuple[int, ...], bytes]] = {}
    deadline = time.monotonic() + 120
    # nginx leaves the killed replica out for 2 s.
    while len(found) < 2:
        assert time.monotonic() < deadline
        number, page = asyncio.run(contents())
        found[number] = page
        time.sleep(0.2)
    assert found[1] == found[2]
    assert replicas.pid(1) != killed


def test_replicas_share_a_lock(replicas: Replicas) -> None:
    first, second = (environment(replicas.pid(number)) for number in (1, 2))
    assert first["EFFVIZ_LOCK"] == second["EFFVIZ_LOCK"]
    assert Path(first["EFFVIZ_LOCK"]).is_absolute()


def test_ctrl_c_ends_all_processes(tmp_path: Path) -> None:
    with running_replicas({"EFFVIZ_CACHE": str(tmp_path), "TMPDIR": str(tmp_path)}) as running:
        pids = [running.pid(number) for number in (1, 2)]
        folder = next(tmp_path.glob("effviz-*"))
        nginx = int((folder / "nginx.pid").read_text())
    assert running.process.returncode == 0
    assert not [pid for pid in (*pids, nginx) if Path(f"/proc/{pid}").exists()]
    assert not folder.exists()
    assert not list(tmp_path.iterdir())
