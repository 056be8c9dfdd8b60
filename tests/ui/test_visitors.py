"""One visitor cannot take the server from the others: messages, limits per address, headers and hosts."""

from __future__ import annotations

import asyncio
import http.client
import re
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, suppress
from http.cookies import SimpleCookie
from socket import create_connection
from typing import Any

import pytest
import websockets
from server import Server, running_server
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Navigation_pb2 import Navigation
from visitor import Visitor, visiting

from effviz.core.errors import DesignError
from effviz.core.settings import SOCKETS
from effviz.ui.security import LOCAL_HOSTS, allowed_hosts
from effviz.ui.visitors import TabPage, network_address, refused_kind

METRICS = "/_stcore/metrics"
MESSAGE_KB, UPLOADS_MB = 300, 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {
        "EFFVIZ_CACHE": str(tmp_path_factory.mktemp("cache")),
        "EFFVIZ_MESSAGE_KB": str(MESSAGE_KB),
        "EFFVIZ_UPLOADS_MB": str(UPLOADS_MB),
        "EFFVIZ_OPEN_FILES": "5000",
    }
    with running_server(env=env) as server:
        yield server


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def request(
    server: Server,
    path: str = "/",
    *,
    method: str = "GET",
    body: bytes = b"",
    source: str = "127.0.0.1",
    **headers: str,
) -> tuple[int, http.client.HTTPMessage, str]:
    """Send one request; `_` in the name of a header is `-`."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60, source_address=(source, 0))
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, answer.headers, text


def socket(server: Server, address: str = "", **options: Any) -> websockets.connect:
    """A websocket from an address behind a proxy on this machine."""
    headers = {"X-Forwarded-For": address} if address else {}
    return websockets.connect(
        f"ws://127.0.0.1:{server.port}/_stcore/stream", additional_headers=headers, compression=None, **options
    )


# --- messages ---------------------------------------------------------------------------------------------------------


def files(count: int) -> BackMsg:
    message = BackMsg()
    message.file_urls_request.request_id = "x"
    message.file_urls_request.file_names.extend(["a"] * count)
    return message


def operation(name: str) -> BackMsg:
    message = BackMsg()
    getattr(message.backend_operation_request, name).SetInParent()
    return message


def rerun(widget: str) -> BackMsg:
    message = BackMsg()
    message.rerun_script.widget_states.widgets.add().id = widget
    return message


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (BackMsg(clear_cache=True), "clear_cache"),
        (BackMsg(clear_cache=False), "clear_cache"),
        (BackMsg(set_run_on_save=True), "set_run_on_save"),
        (BackMsg(load_git_info=True), "load_git_info"),
        (BackMsg(debug_shutdown_runtime=True), "debug_shutdown_runtime"),
        (BackMsg(debug_disconnect_websocket=True), "debug_disconnect_websocket"),
        (BackMsg(), "empty"),
        (operation("install_skills"), "install_skills"),
        (operation("dismiss_skills_nudge"), "dismiss_skills_nudge"),
        (operation("deferred_file"), ""),
        (operation("dataframe_chunk"), ""),
        (files(1), ""),
        (files(100_000), "file_urls_request of many files"),
        (BackMsg(stop_script=True), ""),
        (rerun("null"), "rerun_script with a value of no widget"),
        (rerun("$$ID-1-phi"), ""),
        (BackMsg(app_heartbeat=True), ""),
    ],
    ids=str,
)
def test_messages_that_change_the_state_of_others_are_refused(message: BackMsg, kind: str) -> None:
    assert refused_kind(message.SerializeToString()) == kind
    if kind:
        assert refused_kind(b"\xff\xff\xff") == "unreadable"


def test_every_kind_of_message_is_known() -> None:
    """A new version of Streamlit may have another kind, which is refused until it is allowed here."""
    kinds = {field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields}
    assert kinds == {
        "clear_cache", "set_run_on_save", "stop_script", "rerun_script", "load_git_info", "debug_disconnect_websocket",
        "debug_shutdown_runtime", "file_urls_request", "app_heartbeat", "backend_operation_request",
    }  # fmt: skip


def request_of(page: str, fragment: str = "") -> ClientState:
    return ClientState(page_script_hash=page, fragment_id=fragment)


def shown(page: str) -> bytes:
    return bytes(ForwardMsg(navigation=Navigation(page_script_hash=page)).SerializeToString())


def test_a_part_of_a_page_that_was_left_is_late() -> None:
    place = TabPage()
    assert place.admit(request_of(""))
    place.show(shown("a"))
    assert place.admit(request_of("a", "part"))
    for page in ("b", "c"):
        assert place.admit(request_of(page))
        assert not place.admit(request_of("a", "part"))
    place.show(shown("b"))  # late itself
    assert not place.admit(request_of("b", "part"))
    place.show(shown("c"))
    assert not place.admit(request_of("a", "part"))
    assert place.admit(request_of("c", "part"))
    assert place.admit(request_of("a"))
    assert place.admit(request_of("a", "part"))


def test_a_page_that_leads_to_another_one_or_back_can_be_used() -> None:
    place = TabPage()
    assert place.admit(request_of("a"))
    place.show(shown("a"))
    place.show(shown("b"))
    assert not place.admit(request_of("a", "part"))
    assert place.admit(request_of("b", "part"))
    assert place.admit(request_of("c"))
    for page in "cb":
        place.show(shown(page))
    assert not place.admit(request_of("c", "part"))
    assert place.admit(request_of("b", "part"))


def test_leaving_a_page_whose_parts_are_still_requested_shows_no_error(server: Server) -> None:
    async def hurried() -> None:
        async with visiting(server.port, "blocks", polls=True) as visitor:
            await visitor.open()
            await visitor.move("Input channels", 48)
            for page, label in (("memory", "Input channels"), ("multipliers", "Width ratio"), ("blocks", "Network")):
                await visitor.hurry(page, label)
            await visitor.move("Input channels", 64)
            assert not visitor.errors

    run(hurried())


def test_a_page_that_is_left_before_it_is_drawn_leaves_no_setting_to_the_next_one(server: Server) -> None:
    """`res` is a number of Memory access, and a text of Width and resolution."""

    async def passing() -> None:
        async with visiting(server.port, "memory") as visitor:
            await visitor.open()
            await visitor.move("Map side (px)", 60)
            await visitor.navigate("multipliers")
            for seconds in (0.0, 0.01, 0.02, 0.04, 0.08):
                await visitor.pass_by("memory", seconds)
                await visitor.navigate("multipliers")
            await visitor.navigate("memory")
            # On a busy machine, the end of a run that was passed by can arrive before the page.
            await visitor.until(lambda: visitor.value("Map side (px)") == [60])
            assert not visitor.errors

    run(passing())


def progress(visitor: Visitor) -> float | None:
    shown = re.search(rb'<progress max="1" value="([\d.]+)"', b"".join(visitor.contents.values()))
    return float(shown[1]) if shown else None


def test_a_visitor_cannot_cancel_the_measurement_of_another(server: Server) -> None:
    async def test() -> None:
        async with (
            visiting(server.port, "architectures", "net=VGG-16&batch=4", polls=True) as visitor,
            visiting(server.port, "architectures") as other,
        ):
            await visitor.open()
            await other.open()
            await visitor.move("Measure latency", True)
            visitor._values = {name: each for name, each in visitor._values.items() if each[0] != "trigger_value"}
            limit = time.monotonic() + 120
            while not progress(visitor):
                assert time.monotonic() < limit
                await asyncio.sleep(0.1)
            seen = [progress(visitor)]
            for message in (BackMsg(clear_cache=True), BackMsg(set_run_on_save=True), BackMsg()):
                await other._socket.send(message.SerializeToString())
            for _ in range(12):
                await asyncio.sleep(0.1)
                seen.append(progress(visitor))
            assert None not in seen
            assert seen == sorted(seen), "it started again"
            assert (await other.open()).messages > 10, "the sender's own page works"
            assert not visitor.errors + other.errors
            await visitor.move("Cancel", True)

    run(test())
    assert server.log.count("ignored a message of a visitor") == 1, "one line for each tab"


@pytest.mark.parametrize(
    ("message", "code"), [(b"x" * (1_000 * MESSAGE_KB + 1), 1009), (b"x" * 20_000_000, 1009), ("text", 1003)]
)
def test_a_connection_with_a_wrong_message_is_closed(server: Server, message: bytes | str, code: int) -> None:
    before = len(server.log)

    async def test() -> None:
        async with socket(server) as connection:
            with suppress(websockets.ConnectionClosed):  # before the whole message is sent
                await connection.send(message)
            await asyncio.wait_for(connection.wait_closed(), 30)
            assert connection.close_code == code

    run(test())
    assert "Traceback" not in server.log[before:]


def test_a_flood_of_messages_is_delayed_and_the_page_of_others_is_not(server: Server) -> None:
    async def test() -> None:
        async with socket(server, "192.0.2.7", close_timeout=0.1) as connection, visiting(server.port) as other:
            await other.open()
            heartbeat = BackMsg(app_heartbeat=True).SerializeToString()

            async def flood() -> None:
                for _ in range(3_000):
                    await connection.send(heartbeat)

            sending = asyncio.create_task(flood())
            begin, answers = time.monotonic(), 0
            while time.monotonic() < begin + 3:
                try:
                    data = await asyncio.wait_for(connection.recv(), 0.5)
                except TimeoutError:
                    continue
                assert isinstance(data, bytes)
                answers += ForwardMsg.FromString(data).heartbeat_ack
            assert 50 <= answers <= 300, "100 at once, then 50 per second"
            assert (await other.open()).seconds < 5
            sending.cancel()

    run(test())


# --- limits per address -----------------------------------------------------------------------------------------------


def test_an_address_has_limited_sockets_and_other_addresses_have_theirs(server: Server) -> None:
    async def test() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(SOCKETS.default // 16):
                await asyncio.gather(*[stack.enter_async_context(socket(server, "192.0.2.1")) for _ in range(16)])
            for _ in range(3):
                with pytest.raises(websockets.InvalidStatus) as caught:
                    await socket(server, "192.0.2.1")
                assert caught.value.response.status_code == 429
                assert b"256 tabs of the address 192.0.2.1 are open" in caught.value.response.body
            for address in ("192.0.2.2", "2001:db8::1", ""):
                async with socket(server, address):
                    pass
        async with socket(server, "192.0.2.1"):
            pass

    run(test())


def test_the_defaults_carry_a_class(server: Server) -> None:
    """A hundred students behind one address, two tabs each, all on the replica that is left."""
    assert SOCKETS.default >= 200
    assert SOCKETS.default >= 30 * 4


def test_an_address_from_a_visitor_is_not_believed(server: Server) -> None:
    """Only a proxy on this machine names the address of its visitor; 127.0.0.2 is another machine here."""
    assert request(server, METRICS)[0] == 200
    assert request(server, METRICS, source="127.0.0.2", X_Forwarded_For="192.0.2.1")[0] == 200
    status, _, text = request(server, METRICS, X_Forwarded_For="192.0.2.1")
    assert (status, text) == (403, "Metrics are for this machine only.")
    assert request(server, METRICS, X_Forwarded_For="127.0.0.1, 192.0.2.1")[0] == 403, "the last entry is the proxy's"
    for path in (METRICS, f"{METRICS}/", "/_stcore//metrics", "/_stcore/%6detrics"):
        status, _, text = request(server, path, X_Forwarded_For="nonsense")
        assert status != 200 or "# TYPE" not in text


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_network_is_one_address(host: str, address: str) -> None:
    assert network_address(host) == address


def multipart(size: int) -> tuple[bytes, str]:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.json"\r\n\r\n'
    return head + b"x" * size + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"


def test_uploads_of_an_address_are_limited_in_total(server: Server) -> None:
    body, kind = multipart(1_500_000)

    async def test() -> None:
        async with visiting(server.port, "studio") as visitor, visiting(server.port, "studio") as other:
            await visitor.open()
            await other.open()
            _, headers, _ = request(server, "/_stcore/health")
            cookie = SimpleCookie(headers["Set-Cookie"])["_streamlit_xsrf"].value
            same = {"Content_Type": kind, "X_Xsrftoken": cookie, "Cookie": f"_streamlit_xsrf={cookie}"}

            def put(who: Visitor, name: str, address: str, method: str = "PUT") -> tuple[int, str]:
                path = f"/_stcore/upload_file/{who._session}/{name}"
                data = body if method == "PUT" else b""
                status, _, text = request(server, path, method=method, body=data, X_Forwarded_For=address, **same)
                return status, text

            found = [(await asyncio.to_thread(put, visitor, f"{number}", "192.0.2.3"))[0] for number in range(4)]
            assert found == [204, 204, 413, 413]
            text = (await asyncio.to_thread(put, visitor, "5", "192.0.2.3"))[1]
            assert (
                text == f"The address 192.0.2.3 has uploaded {UPLOADS_MB} MB, which is the limit (EFFVIZ_UPLOADS_MB)."
            )
            assert (await asyncio.to_thread(put, other, "6", "192.0.2.4"))[0] == 204
            assert (await asyncio.to_thread(put, visitor, "0", "192.0.2.3", "DELETE"))[0] == 204
            assert (await asyncio.to_thread(put, visitor, "7", "192.0.2.3"))[0] == 204

    run(test())


def test_an_upload_without_a_length_is_refused(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("PUT", "/_stcore/upload_file/a/b", iter([b"x"]), encode_chunked=True)
    assert connection.getresponse().status == 411
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the limit of open files is of Unix")
def test_the_limit_of_open_files_is_raised(server: Server) -> None:
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 4096))\n"
        "from effviz.ui.server import apply_limits\n"
        "apply_limits()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "(4096, 4096)"


# --- headers and hosts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/architectures", "/_stcore/health", "/none.js", METRICS])
def test_headers(server: Server, path: str) -> None:
    _, headers, _ = request(server, path)
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "clipboard-write=(self)" in headers["Permissions-Policy"]
    assert headers["Strict-Transport-Security"] is None


def test_https_behind_a_proxy_is_kept(server: Server) -> None:
    plain = request(server, "/_stcore/health")[1]
    assert "Secure" not in plain["Set-Cookie"]
    _, headers, _ = request(server, "/_stcore/health", X_Forwarded_Proto="https", X_Forwarded_For="192.0.2.1")
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers.get_all("Set-Cookie")
    assert all(cookie.endswith("; Secure") for cookie in headers.get_all("Set-Cookie") or [])
    untrusted = request(server, "/_stcore/health", source="127.0.0.2", X_Forwarded_Proto="https")[1]
    assert untrusted["Strict-Transport-Security"] is None


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8501", 200),
        ("LOCALHOST", 200),
        ("app.localhost", 200),
        ("127.0.0.1", 200),
        ("[::1]:8501", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.evil.example:8501", 400),
        ("localhost@evil.example", 400),
        ("", 400),
    ],
)
def test_a_local_server_has_local_names(server: Server, host: str, status: int) -> None:
    for path in ("/", "/_stcore/health", "/effviz-sweep/x"):
        found = request(server, path, Host=host)[0]
        assert (found == 400) == (status == 400) or path == "/effviz-sweep/x"


def test_a_websocket_of_another_site_is_refused_at_once(server: Server) -> None:
    async def test() -> None:
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
            begin = time.monotonic()
            with pytest.raises(websockets.InvalidStatus):
                await websockets.connect(
                    f"ws://127.0.0.1:{server.port}/_stcore/stream", additional_headers=headers, origin=None
                )
            assert time.monotonic() - begin < 3, "without a request to another server"
        async with websockets.connect(
            f"ws://127.0.0.1:{server.port}/_stcore/stream",
            origin=websockets.Origin(f"http://127.0.0.1:{server.port}"),
        ):
            pass

    run(test())
    begin = time.monotonic()
    _, headers, _ = request(server, "/_stcore/health", Origin="http://evil.example")
    assert headers["Access-Control-Allow-Origin"] is None
    assert time.monotonic() - begin < 3


def test_hosts_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EFFVIZ_HOSTS", raising=False)
    for address in ("localhost", "127.0.0.1", "127.0.0.2", "::1"):
        assert allowed_hosts(address) == [*LOCAL_HOSTS, address]
    for address in (None, "", "0.0.0.0", "::", "192.0.2.1", "effviz.example"):
        assert allowed_hosts(address) == ["*"]
    monkeypatch.setenv("EFFVIZ_HOSTS", "effviz.example, *.effviz.example")
    for address in ("localhost", "0.0.0.0"):
        assert allowed_hosts(address) == ["effviz.example", "*.effviz.example"]
    for wrong in ("a*", "*a", "a.*", "*.*"):
        monkeypatch.setenv("EFFVIZ_HOSTS", wrong)
        with pytest.raises(DesignError, match="EFFVIZ_HOSTS = "):
            allowed_hosts("localhost")


def test_the_default_address_is_this_machine() -> None:
    """Without --server.address, and without a request for the address of this machine."""
    with running_server(address="") as server, running_server(address="0.0.0.0") as opened:
        assert request(server)[0] == request(opened, Host="effviz.example")[0] == 200
        with create_connection(("127.0.0.2", opened.port)):
            pass
        with pytest.raises(ConnectionRefusedError):
            create_connection(("127.0.0.2", server.port))
        for each in (server, opened):
            assert re.findall(r"\w*URL: (\S+)", each.log) == [f"http://localhost:{each.port}"]
