"""nginx with the configuration of `assets/deploy`, in front of small servers that report what they receive."""

from __future__ import annotations

import http.client
import json
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from replicas import require_nginx, serve
from server import free_port


class Backend(ThreadingHTTPServer):
    """A replica that answers with its number and the headers of the request."""

    allow_reuse_address = True

    def __init__(self, number: int, port: int) -> None:
        self.number, self.paths = number, Counter[str]()
        self.hangs = False
        super().__init__(("127.0.0.1", port), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Backend

    def do_GET(self) -> None:
        self.server.paths[self.path] += 1
        if self.server.hangs:
            self.rfile.read()  # until nginx closes the connection
            return
        body = json.dumps({"replica": self.server.number, "headers": dict(self.headers)}).encode()
        self.send_response(101 if self.path == "/_stcore/stream" else 200)
        if self.path == "/_stcore/stream":
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
        else:
            self.send_header("Content-Length", str(len(body)))
        if "/static/" in self.path or "/effviz-static/" in self.path:
            self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        self.end_headers()
        if self.path == "/_stcore/stream":
            self.rfile.read()  # until the visitor closes the websocket
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def backend(number: int, port: int) -> Iterator[Backend]:
    with Backend(number, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Proxy:
    """nginx on a port, and the ports of its replicas."""

    def __init__(self, port: int, ports: list[int]) -> None:
        self.port, self.ports = port, ports

    def get(self, path: str = "/", **headers: str) -> tuple[int, dict[str, Any], str]:
        """Return the status, the body and the cookie of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = json.loads(answer.read()) if answer.status == 200 else {}
        connection.close()
        return answer.status, body, (answer.headers["Set-Cookie"] or "").partition(";")[0]

    def replica(self, cookie: str) -> tuple[int, str]:
        status, body, changed = self.get("/", Cookie=cookie)
        assert status == 200
        return body["replica"], changed


@contextmanager
def proxy(ports: list[int], *, connections: int = 600, rate: int = 200, burst: int = 12_000) -> Iterator[Proxy]:
    port = free_port()
    limits = {"connections": connections, "rate": rate, "burst": burst}
    # Not `tmp_path`: as root, nginx works as another user, who must reach the folder.
    with tempfile.TemporaryDirectory(prefix="effviz-nginx-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "nginx.conf").write_text(serve.MAIN)
        (folder / "site.conf").write_text(serve.site(ports, f"127.0.0.1:{port}", f"{name}/files", **limits))
        command = [require_nginx(), "-p", name, "-c", f"{name}/nginx.conf", "-e", "stderr"]
        with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
            try:
                deadline = time.monotonic() + 30
                while serve._is_free("127.0.0.1", port):
                    assert process.poll() is None, (folder / "log").read_text()
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                yield Proxy(port, ports)
            finally:
                process.terminate()


@pytest.fixture
def ports() -> list[int]:
    found: list[int] = serve.free_ports(free_port(), 3)
    return found


@pytest.fixture
def start() -> Iterator[Callable[[int, int], Backend]]:
    """Start a server; it ends with the test."""
    with ExitStack() as stack:
        yield lambda number, port: stack.enter_context(backend(number, port))


def test_a_class_behind_one_address_is_spread_and_each_visitor_stays(
    ports: list[int], start: Callable[[int, int], Backend]
) -> None:
    servers = [start(number, port) for number, port in enumerate(ports, 1)]
    with proxy(ports) as nginx:
        visitors = [nginx.get("/scaling") for _ in range(42)]
        assert Counter(body["replica"] for _, body, _ in visitors) == {1: 14, 2: 14, 3: 14}
        for _, body, cookie in visitors:
            assert cookie == f"effviz_replica={body['replica']}"
            for path in ("/", "/_stcore/health", "/effviz-sweep/scaling?control=phi"):
                status, answer, changed = nginx.get(path, Cookie=cookie)
                assert (status, answer["replica"], changed) == (200, body["replica"], "")
    assert sum(server.paths.total() for server in servers) == 4 * 42


@pytest.mark.parametrize("cookie", ["4", "0", "", "1.", "%31", "x" * 2000, 'a"b=2'])
def test_an_unknown_cookie_is_replaced(ports: list[int], start: Callable[[int, int], Backend], cookie: str) -> None:
    for number, port in enumerate(ports, 1):
        start(number, port)
    with proxy(ports) as nginx:
        replica, changed = nginx.replica(f"effviz_replica={cookie}")
        assert changed == f"effviz_replica={replica}"


def test_a_link_to_a_room_leads_to_its_replica_and_keeps_the_visitor_there(
    ports: list[int], start: Callable[[int, int], Backend]
) -> None:
    for number, port in enumerate(ports, 1):
        start(number, port)
    with proxy(ports) as nginx:
        for code, expected in (("3BCDFG", 3), ("2bcdfg", 2), ("1BCDFG", 1)):
            # A phone opens the link without a cookie; a laptop may have that of another replica.
            for cookie in ("", "effviz_replica=1", "effviz_replica=2"):
                _, body, changed = nginx.get(f"/scaling?lesson=x&room={code}", Cookie=cookie)
                assert body["replica"] == expected
                assert changed in ("", f"effviz_replica={expected}")
                assert nginx.replica(changed or cookie) == (expected, "")
        for code in ("4BCDFG", "BCDFG", "31", "", "%33BCDFG"):
            assert nginx.get(f"/?room={code}", Cookie="effviz_replica=2")[1]["replica"] == 2


def test_visitors_of_a_dead_replica_move_and_stay_there(ports: list[int], start: Callable[[int, int], Backend]) -> None:
    start(1, ports[0])
    with proxy(ports[:2]) as nginx:
        with backend(2, ports[1]):
            assert nginx.replica("effviz_replica=2") == (2, "")
        assert nginx.replica("effviz_replica=2") == (1, "effviz_replica=1")
        # The answer to a websocket moves its visitor too.
        assert nginx.get("/_stcore/stream", Cookie="effviz_replica=2", Upgrade="websocket", Connection="Upgrade") == (
            101, {}, "effviz_replica=1",
        )  # fmt: skip
        assert [nginx.get("/")[1]["replica"] for _ in range(4)] == [1] * 4
        with backend(2, ports[1]):
            assert nginx.replica("effviz_replica=1") == (1, "")
            # A replica that answers again gets visitors after 2 s.
            deadline = time.monotonic() + 30
            while nginx.replica("effviz_replica=2") != (2, ""):
                assert time.monotonic() < deadline
                time.sleep(0.2)


def test_a_page_that_reconnects_leaves_a_replica_that_hangs(
    ports: list[int], start: Callable[[int, int], Backend]
) -> None:
    start(1, ports[0]).hangs = True
    start(2, ports[1])
    with proxy(ports[:2]) as nginx:
        status, body, cookie = nginx.get("/_stcore/health", Cookie="effviz_replica=1")
        assert (status, body["replica"], cookie) == (200, 2, "effviz_replica=2")


def test_without_a_replica_the_error_is_reported(ports: list[int]) -> None:
    with proxy(ports) as nginx:
        assert nginx.get("/")[0] == 502


def test_headers_of_a_proxy_are_those_of_nginx(ports: list[int], start: Callable[[int, int], Backend]) -> None:
    start(1, ports[0])
    with proxy(ports[:1]) as nginx:
        sent = {"Host": "class.example", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "gopher"}
        _, body, _ = nginx.get("/", **sent)
        found = {name: value for name, value in body["headers"].items() if name.startswith(("X-", "Host"))}
        assert found == {
            "Host": "class.example",
            "X-Forwarded-For": "127.0.0.1",
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Host": "class.example",
        }


def test_files_of_the_front_end_are_loaded_once(ports: list[int], start: Callable[[int, int], Backend]) -> None:
    servers = [start(number, port) for number, port in enumerate(ports[:2], 1)]
    paths = ["/static/js/index.1a2b.js", "/effviz-static/chart.1a2b.js"]
    with proxy(ports[:2]) as nginx:
        for cookie in ("effviz_replica=1", "effviz_replica=2", ""):
            for path in paths:
                assert nginx.get(path, Cookie=cookie)[0] == 200
    found = servers[0].paths + servers[1].paths
    assert found == dict.fromkeys(paths, 1)


def test_limits_of_one_address(ports: list[int], start: Callable[[int, int], Backend]) -> None:
    start(1, ports[0])
    with proxy(ports[:1], rate=1, burst=9) as nginx:
        states = [nginx.get("/")[0] for _ in range(15)]
        assert states[:10] == [200] * 10
        assert 429 in states
    with proxy(ports[:1], connections=2) as nginx, ExitStack() as stack:
        for expected in (101, 101, 429):
            connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=30)
            stack.callback(connection.close)
            connection.request("GET", "/_stcore/stream", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
            answer = connection.getresponse()
            stack.callback(answer.close)
            assert answer.status == expected


def test_the_words_between_at_signs_are_filled_in() -> None:
    text = serve.site([8502, 8503], "0.0.0.0:80", "/cache", connections=1, rate=2, burst=3)
    head, _, body = text.partition("\n\n")
    assert "@LISTEN@" in head
    assert "@" not in body


def test_a_missing_nginx_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve.shutil, "which", lambda *_, **__: None)
    with pytest.raises(SystemExit, match=r"^nginx is not installed\. Install it \(Debian: apt install nginx-light\)"):
        serve.find_nginx()
