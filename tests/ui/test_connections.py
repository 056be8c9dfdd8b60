"""A connection without a complete request is closed, and an address has a limited number; others are not affected."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from server import Server, running_server
from visitor import visiting

from effviz.ui.connections import most_connections

LIMIT_S = 1
MOST = 16
UPLOAD = b"PUT /_stcore/upload_file/x/y HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nbody"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {
        "EFFVIZ_CACHE": str(tmp_path_factory.mktemp("cache")),
        "EFFVIZ_REQUEST_S": str(LIMIT_S),
        "EFFVIZ_CONNECTIONS": str(MOST),
    }
    with running_server(env=env) as server:
        yield server


def ended(connection: socket.socket) -> bool:
    """Whether the server closes a connection; data before that is read."""
    connection.settimeout(10 * LIMIT_S)
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "data",
    [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", UPLOAD],
    ids=["nothing", "half a line", "half a header", "half a body"],
)
def test_a_half_open_connection_is_closed(server: Server, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(data)
        assert ended(connection)


def test_a_slow_header_is_not_extended_by_single_bytes(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        deadline = time.monotonic() + 10 * LIMIT_S
        try:
            while time.monotonic() < deadline:
                connection.sendall(b"x")
                time.sleep(0.1)
        except OSError:
            return
        pytest.fail("the connection stays open")


def test_a_websocket_stays_open(server: Server) -> None:
    async def moved() -> None:
        async with visiting(server.port, "convolutions") as visitor:
            await visitor.open()
            await asyncio.sleep(3 * LIMIT_S)
            await visitor.move("Input channels", 24)
            assert visitor.errors == []

    asyncio.run(moved())


def answers(server: Server, source: str) -> bool:
    """Whether the server answers a request from an address of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", server.port), 10, (source, 0)) as connection:
            connection.sendall(b"GET /_stcore/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return connection.recv(100).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


def test_an_address_cannot_take_all_connections(server: Server) -> None:
    with ExitStack() as stack:
        # Half of a header, so that each of them is open until the limit of time.
        for _ in range(2 * MOST):
            connection = socket.create_connection(("127.0.0.1", server.port), 10, ("127.0.0.2", 0))
            stack.enter_context(connection)
            with suppress(ConnectionError):
                connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert not answers(server, "127.0.0.2")
        assert answers(server, "127.0.0.3")
        assert answers(server, "127.0.0.1"), "the proxy carries many visitors"
    assert server.log.count(f"the address 127.0.0.2 has {MOST} HTTP connections, which is the limit") == 1
    while not answers(server, "127.0.0.2"):
        time.sleep(0.05)


def test_the_limit_leaves_connections_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_OPEN_FILES", "64")
    monkeypatch.setenv("EFFVIZ_CONNECTIONS", "60")
    assert (most_connections(is_proxy=False), most_connections(is_proxy=True)) == (32, 48)
