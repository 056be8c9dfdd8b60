"""A browser tab without a browser: a websocket client that answers the server as Streamlit's client does."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PATIENCE_S = 120.0
# The browser keeps a message for this many runs, and the server sends its hash instead.
_KEPT_RUNS = 2
_CONTENTS = ("html", "markdown", "heading", "bidi_component")


@dataclass
class Run:
    """The answer of the server to one request: a run of the script or of a fragment.

    Attributes:
        messages: number of messages.
        size: bytes of all messages.
        seconds: from the request to the end of the run.
        kinds: what the messages were, in order.
    """

    messages: int = 0
    size: int = 0
    seconds: float = 0.0
    kinds: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Control:
    """A widget that the visitor can set: its id, the field of its value, its fragment."""

    id: str
    field: str
    fragment: str
    proto: Any


class Visitor:
    """One tab on one page.

    Attributes:
        controls: by label; an input beside a slider has the label of the slider with " (input)".
        errors: exceptions that the page showed.
        runs: number of runs so far, with those of polling fragments.
        contents: text, numbers and charts of the page by their place.
        cookies: by name, as the server or its proxy set them.
        address: parameters of the address, as the server wrote them last; moves of controls leave them.
        storage: texts that the browser keeps, by key; pass it on to the next tab of the same browser.
    """

    def __init__(self, port: int, page: str, query: str, *, polls: bool) -> None:
        self._port, self._page, self._query, self._polls = port, page, query, polls
        self._hash = self._shown = self._session = ""
        self._socket: Any = None
        self._listener: asyncio.Task[None] | None = None
        self._values: dict[str, tuple[str, Any]] = {}
        self._drawn: set[str] = set()  # widgets of the last complete run
        self._hashes: dict[str, str] = {}  # of the pages of the app, by address
        self._pages: dict[str, str] = {}  # the page of each widget; the frame has one, too
        self._cached: dict[str, int] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._pending: list[tuple[str, float, Run, asyncio.Future[Run]]] = []
        self._complete_run = False  # the run that is awaited is one of the whole script, and has begun
        self.controls: dict[str, Control] = {}
        self.errors: list[str] = []
        self.runs = 0
        self.contents: dict[tuple[int, ...], bytes] = {}
        self._large: dict[str, bytes] = {}  # contents that the server sends once, by the hash of their message
        self.cookies: dict[str, str] = {}
        self.address = query
        self.storage: dict[str, str] = {}

    async def connect(self) -> None:
        """Open the websocket."""
        protocols = ["streamlit", "visitor", *([self._session] if self._session else [])]
        self._socket = await websockets.connect(
            f"ws://127.0.0.1:{self._port}/_stcore/stream",
            subprotocols=[websockets.Subprotocol(name) for name in protocols],
            max_size=None,
            compression=None,
            additional_headers=self._cookie_header(),
        )
        self._keep_cookies(self._socket.response.headers.get_all("Set-Cookie"))
        self._listener = asyncio.create_task(self._listen())

    async def disconnected(self) -> None:
        """Wait until the server has closed the websocket."""
        await asyncio.wait_for(self._socket.wait_closed(), PATIENCE_S)

    async def reconnect(self) -> Run:
        """Connect again, and send the same address and values in a new session."""
        await self.close()
        self._timers, self._pending, self._cached = {}, [], {}
        await asyncio.to_thread(self.get, "_stcore/health")
        await self.connect()
        return await self._run("")

    def get(self, path: str) -> bytes:
        """Request a path over HTTP with the cookies of the visitor."""
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}/{path}", headers=self._cookie_header())
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            self._keep_cookies(answer.headers.get_all("Set-Cookie") or [])
            return bytes(answer.read())

    def _cookie_header(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _keep_cookies(self, lines: list[str]) -> None:
        for line in lines:
            self.cookies.update((name, each.value) for name, each in SimpleCookie(line).items())

    async def open(self) -> Run:
        """Request the page, as after loading its address."""
        return await self._run("")

    async def navigate(self, page: str) -> Run:
        """Open another page in the same session."""
        for fragment in list(self._timers):
            self._stop(fragment)
        self._page, self._query, self._hash = page, "", self._hashes.get(page, "")
        return await self._run("", leaves=True)

    async def pass_by(self, page: str, seconds: float) -> None:
        """Request another page, and do not wait until it is drawn."""
        await self._send("", leaves=True, page=self._hashes[page])
        await asyncio.sleep(seconds)

    async def hurry(self, page: str, label: str) -> Run:
        """Open another page, and request a part of this one until it has gone, as its timer or a quick hand does."""
        part, former = self.controls[label].fragment, self._hash
        going = asyncio.create_task(self.navigate(page))
        while not going.done():
            await asyncio.sleep(0.001 if self._shown == former else 0.02)
            await self._send(part, page=former)
        return await going

    async def move(self, label: str, value: Any) -> Run:
        """Set a control and wait for the run that this causes, of its fragment if it is in one."""
        control = self.controls[label]
        self._values[control.id] = (control.field, [value] if control.field.endswith("array_value") else value)
        return await self._run(control.fragment)

    async def press(self, label: str) -> None:
        """Press a button, without waiting for an answer."""
        control = self.controls[label]
        self._values[control.id] = (control.field, True)
        await self._send(control.fragment)
        del self._values[control.id]

    @property
    def text(self) -> str:
        """The text, numbers and charts of the page."""
        return "\n".join(each.decode("utf-8", "replace") for each in self.contents.values())

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Wait until the page fulfils a condition."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not fulfilled: {self.errors}, {self._query}, {self.text[-2000:]}"
            await asyncio.sleep(0.01)

    def value(self, label: str) -> Any:
        """Return the value of a control; None while its page is not drawn."""
        return self._values.get(self.controls[label].id, ("", None))[1]

    def forget(self, label: str, value: Any) -> None:
        """Report another value of a control from now on, as a browser does that has not drawn the last run yet."""
        self._values[self.controls[label].id] = (self.controls[label].field, value)

    async def _run(self, fragment: str, *, leaves: bool = False) -> Run:
        done: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        self._pending.append((fragment, time.perf_counter(), Run(), done))
        await self._send(fragment, leaves=leaves)
        return await asyncio.wait_for(done, PATIENCE_S)

    async def _send(self, fragment: str, *, poll: bool = False, leaves: bool = False, page: str | None = None) -> None:
        message = BackMsg()
        request = message.rerun_script
        request.query_string, request.page_script_hash = self._query, self._hash if page is None else page
        if not request.page_script_hash:
            request.page_name = self._page
        request.fragment_id, request.is_auto_rerun = fragment, poll
        request.cached_message_hashes.extend(self._cached)
        request.context_info.timezone, request.context_info.color_scheme = "UTC", "light"
        for name, (kind, value) in self._values.items():
            if leaves and self._pages.get(name) == self._shown:
                continue  # a browser that leaves a page sends the values of the frame only
            widget = request.widget_states.widgets.add()
            widget.id = name
            if kind.endswith("array_value"):
                getattr(widget, kind).data.extend(value)
            else:
                setattr(widget, kind, value)
        await self._socket.send(message.SerializeToString())

    async def _listen(self) -> None:
        try:
            # A killed server closes the connection without a handshake.
            with suppress(websockets.ConnectionClosed):
                async for data in self._socket:
                    self._take(ForwardMsg.FromString(data), len(data))
        finally:
            for *_, done in self._pending:
                if not done.done():
                    done.set_exception(ConnectionError("the websocket is closed"))

    def _take(self, message: ForwardMsg, size: int) -> None:
        kind, place = str(message.WhichOneof("type")), tuple(message.metadata.delta_path)
        if self._pending:
            run = self._pending[0][2]
            run.messages += 1
            run.size += size
            run.kinds.append(kind)
        if kind == "new_session":
            self._arrive(message.new_session.page_script_hash)
            self._session = message.new_session.initialize.session_id or self._session
            if not message.metadata.run.fragment_ids:
                self.contents, self._drawn = {}, set()
                self._complete_run = bool(self._pending) and not self._pending[0][0]
            elif self._complete_run:
                # A fragment waits for the end of the script, and a busy server may lose the message of that end.
                self._settle()
        elif kind == "navigation":
            self._hashes = {each.url_pathname: each.page_script_hash for each in message.navigation.app_pages}
            self._arrive(message.navigation.page_script_hash)
        elif kind == "page_info_changed":
            self.address = message.page_info_changed.query_string
        elif kind == "auto_rerun" and self._polls:
            self._stop(message.auto_rerun.fragment_id)
            poll = self._poll(message.auto_rerun.fragment_id, message.auto_rerun.interval)
            self._timers[message.auto_rerun.fragment_id] = asyncio.create_task(poll)
        elif kind == "stop_auto_rerun":
            for name in message.stop_auto_rerun.fragment_ids:
                self._stop(name)
        elif kind == "ref_hash":
            self._cached[message.ref_hash] = self.runs
            if message.ref_hash in self._large:
                self.contents[place] = self._large[message.ref_hash]
        elif kind == "delta":
            if message.metadata.cacheable and message.hash:
                self._cached[message.hash] = self.runs
            if message.delta.WhichOneof("type") == "new_element":
                element = message.delta.new_element
                shown = str(element.WhichOneof("type"))
                # An element replaces what was at its place, also a container.
                self.contents = {at: each for at, each in self.contents.items() if at[: len(place)] != place}
                if self._pending:
                    self._pending[0][2].kinds[-1] = shown
                if shown in _CONTENTS:
                    self.contents[place] = element.SerializeToString(deterministic=True)
                    if message.hash in self._cached:
                        self._large[message.hash] = self.contents[place]
                of = message.metadata.active_script_hash
                self._show(shown, getattr(element, shown), message.delta.fragment_id, of)
        elif kind == "script_finished":
            self._finish(message.script_finished)

    def _finish(self, status: int) -> None:
        success, of_fragment = ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
        if status in (success, of_fragment):
            self.runs += 1
            self._cached = {name: run for name, run in self._cached.items() if self.runs - run <= _KEPT_RUNS}
        if status == success:
            self._forget(self._values.keys() - self._drawn)
        if self._pending and status == (of_fragment if self._pending[0][0] else success):
            self._settle()

    def _settle(self) -> None:
        _, started, run, done = self._pending.pop(0)
        self._complete_run = False
        run.seconds = time.perf_counter() - started
        if not done.done():
            done.set_result(run)

    def _arrive(self, page: str) -> None:
        if page and page != self._shown:
            self._forget({name for name, of in self._pages.items() if of == self._shown})
            self._shown = page
        self._hash = page or self._hash

    def _forget(self, widgets: set[str]) -> None:
        """Drop values as a browser does: of a page when another one begins, and of what a run has not drawn."""
        self._values = {name: value for name, value in self._values.items() if name not in widgets}

    def _store(self, component: Any, fragment: str, page: str) -> None:
        """Read or write the storage of the browser, as `effviz/ui/static/storage.js` does."""
        if not component.component_name.endswith("effviz_storage"):
            return
        self._drawn.add(component.id)
        self._pages[component.id] = page
        data = json.loads(component.json)
        if data["text"] is not None:
            self.storage[data["key"]] = data["text"]
        elif component.id not in self._values:
            self._values[component.id] = ("json_value", json.dumps({"text": self.storage.get(data["key"], "")}))
            self._background = asyncio.create_task(self._send(fragment))

    async def _poll(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._send(fragment, poll=True)

    def _stop(self, fragment: str) -> None:
        if fragment in self._timers:
            self._timers.pop(fragment).cancel()

    async def close(self) -> None:
        """Stop polling and close the connection."""
        for fragment in list(self._timers):
            self._stop(fragment)
        await self._socket.close()
        if self._listener is not None:
            await self._listener

    def _show(self, kind: str, element: Any, fragment: str, page: str) -> None:
        """Remember a widget, and its value where the server sets it."""
        if kind == "exception":
            self.errors.append(f"{element.type}: {element.message}"[:300])
            return
        value: Any = None
        if kind == "bidi_component":
            self._store(element, fragment, page)
            return
        if kind == "slider" and element.type == element.SELECT_SLIDER:
            chosen = [element.options[int(place)] for place in element.default]
            name, value = "string_array_value", list(element.raw_value) if element.set_value else chosen
        elif kind == "slider":
            name, value = "double_array_value", list(element.value if element.set_value else element.default)
        elif kind == "number_input":
            name, source = "double_value", "value" if element.set_value else "default"
            value = getattr(element, source) if element.HasField(source) else None
        elif kind == "selectbox":
            name = "string_value"
            if element.set_value:
                value = element.raw_value
            elif element.HasField("default"):
                value = element.options[element.default]
        elif kind == "button_group":
            chosen = [element.options[place].content for place in element.default]
            name, value = "string_array_value", list(element.raw_values) if element.set_value else chosen
        elif kind in ("checkbox", "text_input"):
            name = "bool_value" if kind == "checkbox" else "string_value"
            value = element.value if element.set_value else element.default
        elif kind == "button":
            name = "trigger_value"
        else:
            return
        beside = (
            kind in ("number_input", "text_input")
            and element.label_visibility.value == element.label_visibility.COLLAPSED
        )
        label = f"{element.label} (input)" if beside else element.label
        self._drawn.add(element.id)
        self._pages[element.id] = page
        self.controls[label] = Control(element.id, name, fragment, element)
        if value is not None and (element.set_value or element.id not in self._values):
            self._values[element.id] = (name, value)


@asynccontextmanager
async def visiting(port: int, page: str = "", query: str = "", *, polls: bool = False) -> AsyncIterator[Visitor]:
    """Connect a tab to the server on a port of this machine.

    Args:
        port: of the server, or of a proxy before it.
        page: path of the address.
        query: of the address, without the question mark.
        polls: whether fragments that repeat themselves do so, as in a browser.
    """
    visitor = Visitor(port, page, query, polls=polls)
    # The document, which may set a cookie.
    await asyncio.to_thread(visitor.get, f"{page}?{query}")
    await visitor.connect()
    try:
        yield visitor
    finally:
        await visitor.close()
