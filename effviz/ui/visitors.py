"""Filter of the messages that a visitor sends, and limits per network address.

A visitor is known by the address of its connection. Behind a proxy on the same machine it is the address in the
header X-Forwarded-For: uvicorn replaces `scope["client"]` if the variable FORWARDED_ALLOW_IPS, by default the loopback
addresses, contains the address of the proxy.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from effviz.core import settings

# Streamlit clears the caches of all sessions for "clear_cache", and installs files for some backend operations.
_KINDS = {"rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request"}
_OPERATIONS = {"deferred_file", "dataframe_chunk"}
# The server answers each name with two addresses.
_MOST_FILES = 16
# Of the ids that Streamlit gives to widgets, and of its internal ones. Others end the run with an error.
_WIDGET = "$$"
_UPLOAD = "/_stcore/upload_file/"
# Memory of an uploaded file besides its bytes.
_FILE_BYTES = 1_000
# A browser connects again within this time if the network fails for a moment.
_RETURN_S = 3.0
# A page that was left for so long is not late any more: something else is wrong, and its controls must work.
_LATE_S = 10.0
# Of the message that opens a page, at most; larger ones are not read.
_NAVIGATION_BYTES = 20_000
# Close codes of the websocket protocol, RFC 6455.
_UNSUPPORTED, _TOO_BIG = 1003, 1009
_logger = logging.getLogger("effviz.visitors")


def network_address(host: str) -> str:
    """Return the address that counts as one visitor: an IPv4 address, or the /64 network of an IPv6 address."""
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return "::1" if found.is_loopback else str(ip_network((found, 64), strict=False))
        found = found.ipv4_mapped
    return str(found)


def client_address(scope: Scope) -> str:
    """Return the address of the visitor who sent a request."""
    client = scope.get("client")
    return network_address(client[0]) if client else "unknown"


def refused_kind(data: bytes) -> str:
    """Return the kind of a message that no visitor may send; empty if it is allowed."""
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return "unreadable"
    kind = message.WhichOneof("type") or "empty"
    if kind == "backend_operation_request":
        payload = message.backend_operation_request.WhichOneof("payload") or "empty"
        return "" if payload in _OPERATIONS else payload
    if kind == "rerun_script" and not all(
        widget.id.startswith(_WIDGET) for widget in message.rerun_script.widget_states.widgets
    ):
        return "rerun_script with a value of no widget"
    if kind == "file_urls_request" and len(message.file_urls_request.file_names) > _MOST_FILES:
        return "file_urls_request of many files"
    return "" if kind in _KINDS else kind


class VisitorsMiddleware:
    """Middleware that applies the limits to websockets and uploads.

    Args:
        app: that it wraps.
        on_leave: called some seconds after the end of a websocket.
    """

    def __init__(self, app: ASGIApp, on_leave: Callable[[], None]) -> None:
        self.app = app
        self._on_leave = on_leave
        self._sockets: Counter[str] = Counter()
        # Addresses of sessions with uploaded files, and the bytes that are being received now.
        self._uploaders: dict[str, str] = {}
        self._receiving: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "PUT" and _UPLOAD in scope["path"]:
            await self._upload(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        address, most = client_address(scope), settings.SOCKETS.value
        if self._sockets[address] >= most:
            text = f"{most} tabs of the address {address} are open, which is the limit (EFFVIZ_SOCKETS)."
            await PlainTextResponse(text, 429)(scope, receive, send)
            return
        self._sockets[address] += 1
        try:
            inbox = _Inbox(receive, send)
            await self.app(scope, inbox, inbox.answer)
        finally:
            self._sockets[address] -= 1
            if not self._sockets[address]:
                del self._sockets[address]
            asyncio.get_running_loop().call_later(_RETURN_S, self._on_leave)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        address, most = client_address(scope), settings.UPLOADS_MB.value * 10**6
        session = scope["path"].partition(_UPLOAD)[2].partition("/")[0]
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal():
            await PlainTextResponse("An upload needs the header Content-Length.", 411)(scope, receive, send)
            return
        size = int(length) + _FILE_BYTES
        if self._kept(address) + self._receiving[address] + size > most:
            text = f"The address {address} has uploaded {most // 10**6} MB, which is the limit (EFFVIZ_UPLOADS_MB)."
            await PlainTextResponse(text, 413)(scope, receive, send)
            return
        self._receiving[address] += size
        try:
            await self.app(scope, receive, send)
        finally:
            self._uploaders[session] = address
            self._receiving[address] -= size
            if not self._receiving[address]:
                del self._receiving[address]

    def _kept(self, address: str) -> int:
        """Return the bytes of the files that Streamlit keeps for the sessions of an address."""
        manager = runtime.get_instance().uploaded_file_mgr
        assert isinstance(manager, MemoryUploadedFileManager)
        storage = manager.file_storage
        self._uploaders = {session: who for session, who in self._uploaders.items() if session in storage}
        sessions = [session for session, who in self._uploaders.items() if who == address]
        return sum(len(file.data) + _FILE_BYTES for name in sessions for file in list(storage[name].values()))


class TabPage:
    """The page on which a tab is, as its messages and those to it say.

    A browser stays on a page until the next one begins. A timer of the former page, or a quick hand, still requests its
    parts then. Streamlit would run them after the next page, with values of controls that are gone.
    """

    def __init__(self) -> None:
        self._page = ""
        self._left: set[str] = set()
        self._awaited = False  # the page is requested, but does not begin yet
        self._until = 0.0

    def admit(self, request: ClientState) -> bool:
        """Return whether a request is not for a part of a page that its browser is leaving."""
        page = request.page_script_hash
        if not request.fragment_id:
            if page != self._page:
                self._go(page)
                self._awaited = True
        elif page in self._left:
            return time.monotonic() > self._until
        elif page == self._page:
            # Messages arrive in order: after one of this page, none of the former pages can come.
            self._left.clear()
        return True

    def show(self, data: bytes) -> None:
        """Note an answer that opens a page: that of an address, or another one than the browser requested."""
        if len(data) > _NAVIGATION_BYTES:
            return
        page = ForwardMsg.FromString(data).navigation.page_script_hash
        if page == self._page:
            self._awaited = False
        elif page and (not self._awaited or not self._page):
            self._go(page)
            self._awaited = False

    def _go(self, page: str) -> None:
        if self._page:
            self._left.add(self._page)
        self._left.discard(page)
        self._page, self._until = page, time.monotonic() + _LATE_S


class _Inbox:
    """The messages of one websocket that reach Streamlit."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._tab = TabPage()
        self._closed = False
        self._next = 0.0
        self._reported = False

    async def __call__(self) -> Message:
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            data = message.get("bytes")
            if data is None or len(data) > 1_000 * settings.MESSAGE_KB.value:
                code = _UNSUPPORTED if data is None else _TOO_BIG
                self._closed = True
                await self._send({"type": "websocket.close", "code": code})
                return {"type": "websocket.disconnect", "code": code}
            await self._delay()
            refused = refused_kind(data)
            if not refused and self._admit(data):
                return message
            if refused and not self._reported:
                self._reported = True
                _logger.warning("ignored a message of a visitor: %s", refused)

    async def answer(self, message: Message) -> None:
        """Send an answer of Streamlit, unless the connection is closed here."""
        if not self._closed:
            self._tab.show(message.get("bytes") or b"")
            await self._send(message)

    def _admit(self, data: bytes) -> bool:
        sent = BackMsg.FromString(data)
        return not sent.HasField("rerun_script") or self._tab.admit(sent.rerun_script)

    async def _delay(self) -> None:
        """Wait if a visitor has sent more than the messages of two seconds at once."""
        rate, now = settings.MESSAGES.value, time.monotonic()
        self._next = max(self._next, now) + 1 / rate
        if (early := self._next - now - 2) > 0:
            await asyncio.sleep(early)
