"""A connection without a complete request is closed; requests and websockets are not."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from server import Server, running_server
from visitor import visiting

LIMIT_S = 1
UPLOAD = b"PUT /_stcore/upload_file/x/y HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nbody"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"EFFVIZ_CACHE": str(tmp_path_factory.mktemp("cache")), "EFFVIZ_REQUEST_S": str(LIMIT_S)}
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
