"""A real server and a real Chromium for the tests in this folder.

    from tests.browser.conftest import open_page

    def test_blocks(page):
        open_page(page, "/blocks")

`page` is the tab of a visitor whose browser has seen the app before, and who left nothing in it but cached files. All
tests share this tab: most of the time of a visit is spent on compiling scripts, which the tab keeps. `new_context`, of
pytest-playwright, makes a browser that has seen nothing, for two visitors at once. A test fails if the console of the
browser reports an error, if a page requests another host, or if it opens a dialog. A test that causes an error on
purpose removes it from `browser_errors`. Paths are relative to `server`, which all tests of the session share; at its
end it must have no traceback in its log, no torch in its memory, and at most one torch process. `fresh_server` has had
no visitor yet.

Waits are for states, with limits that a busy machine keeps: a page is settled when the server has answered every
request of the browser.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    ViewportSize,
    WebError,
    WebSocketRoute,
    expect,
)
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.support.server import Server, running_server

pytest.register_assert_rewrite("tests.browser.checks")

HERE = Path(__file__).parent

SCHEMES = ("light", "dark")
VIEWPORTS = {
    "projector": {"width": 1920, "height": 1080},
    "wide": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 844},
}
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)

# In a container, root has no sandbox; a test machine has no graphics card and may have no network for updates.
CHROMIUM_ARGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

# After a deep link the Streamlit client first looks for the server below the path of the page and gets these 404s.
STREAMLIT_PROBES = ("/_stcore/health", "/_stcore/host-config")


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


# --- The server -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A cache of latencies for the servers under test, empty at first."""
    return {"EFFVIZ_CACHE": str(tmp_path_factory.mktemp("cache"))}


def torch_processes(server: Server) -> list[int]:
    """Processes of a server that import torch; long calculations run in processes of the same kind, but without it."""
    tasks = Path(f"/proc/{server.process.pid}/task").iterdir()
    pids = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}
    return [pid for pid, line in lines.items() if b"effviz.worker" in line and b"--plain" not in line]


def has_torch(pid: int) -> bool:
    """Whether a process has loaded a library of torch."""
    mapped = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    assert "python" in mapped
    return "torch" in mapped


@pytest.fixture(scope="session")
def server(cache: dict[str, str]) -> Iterator[Server]:
    with running_server(env=cache) as server:
        yield server
        assert "Traceback" not in server.log, "no visit made a page fail"
        assert not has_torch(server.process.pid), "no page loads torch into the server"
        assert len(torch_processes(server)) <= 1, "all visitors share one torch process"


@pytest.fixture
def fresh_server(cache: dict[str, str]) -> Iterator[Server]:
    with running_server(env=cache) as server:
        yield server


# --- The browser ------------------------------------------------------------------------------------------------------


def find_chromium() -> str | None:
    """Return the path of a Chromium: EFFVIZ_CHROMIUM if it is set, else the first known name on the PATH."""
    chosen = os.environ.get("EFFVIZ_CHROMIUM")
    return next(filter(None, map(shutil.which, [chosen] if chosen else CHROMIUM_NAMES)), None)


def launch_options(executable: str) -> dict[str, Any]:
    return {"executable_path": executable, "args": list(CHROMIUM_ARGS)}


NO_CHROMIUM = (
    f"no Chromium found on the PATH ({', '.join(CHROMIUM_NAMES)}); "
    "install one (Debian: apt install chromium) or set EFFVIZ_CHROMIUM to its path."
)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    executable = find_chromium()
    if executable is None:
        if os.environ.get("CI") or os.environ.get("EFFVIZ_REQUIRE_BROWSER"):
            pytest.fail(f"A browser is required here, and {NO_CHROMIUM}", pytrace=False)
        pytest.skip(f"This test needs a browser: {NO_CHROMIUM}")
    return {**browser_type_launch_args, **launch_options(executable)}


@pytest.fixture(scope="session")
def base_url(server: Server) -> str:
    """Resolve paths such as "/blocks" against the shared server."""
    return server.url


@pytest.fixture
def color_scheme() -> str:
    return "light"


@pytest.fixture
def viewport() -> dict[str, int]:
    return VIEWPORTS["wide"]


@pytest.fixture
def browser_context_args(
    browser_context_args: dict[str, Any], color_scheme: str, viewport: dict[str, int]
) -> dict[str, Any]:
    return {**browser_context_args, "color_scheme": color_scheme, "viewport": viewport}


@pytest.fixture
def browser_errors() -> Iterator[list[str]]:
    """Errors of the browser; a test fails if the list is not empty at its end."""
    errors: list[str] = []
    yield errors
    if errors:
        pytest.fail("The browser reported:\n" + "\n".join(errors), pytrace=False)


@pytest.fixture
def watch(browser_errors: list[str]) -> Callable[[BrowserContext], dict[str, Callable[..., None]]]:
    """Check every page of a context; the function returns its listeners by event."""

    def on_console(message: ConsoleMessage) -> None:
        place = message.location["url"]
        if message.type == "error" and not place.endswith(STREAMLIT_PROBES):
            browser_errors.append(f"console: {message.text} ({place})")

    def on_error(error: WebError) -> None:
        browser_errors.append(f"uncaught: {error.error}")

    def on_request(request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme.startswith(("http", "ws")) and url.hostname != "127.0.0.1":
            browser_errors.append(f"request to another host: {request.url}")

    def on_dialog(dialog: Dialog) -> None:
        browser_errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    listeners = {"console": on_console, "weberror": on_error, "request": on_request, "dialog": on_dialog}

    def watched(context: BrowserContext) -> dict[str, Callable[..., None]]:
        context.set_default_timeout(PATIENCE_MS)
        for event, listener in listeners.items():
            context.on(event, listener)  # type: ignore[call-overload]  # one overload per event
        return listeners

    return watched


@pytest.fixture
def new_context(
    new_context: Callable[..., BrowserContext], watch: Callable[[BrowserContext], object]
) -> Callable[..., BrowserContext]:
    """Extend `new_context` of pytest-playwright with checks on every page."""

    def checked(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.add_init_script(FOLLOW_RUNS)
        watch(context)
        return context

    return checked


@pytest.fixture(scope="session")
def profile(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    base_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BrowserContext]:
    """A browser with a profile on disk, where Chromium keeps compiled scripts: a visit costs half as much."""
    folder = tmp_path_factory.mktemp("profile")
    options = {"base_url": base_url, "viewport": VIEWPORTS["wide"], "color_scheme": "light"}
    with browser_type.launch_persistent_context(folder, **browser_type_launch_args, **options) as context:
        context.add_init_script(FOLLOW_RUNS)
        yield context


def forget(context: BrowserContext, page: Page, base_url: str) -> None:
    """Let the browser forget everything but its cache: the next tab is that of another visitor."""
    context.clear_cookies()
    context.clear_permissions()
    client = context.new_cdp_session(page)
    client.send("Storage.clearDataForOrigin", {"origin": base_url, "storageTypes": "local_storage,indexeddb"})
    client.detach()


@pytest.fixture
def context(
    profile: BrowserContext, base_url: str, watch: Callable[[BrowserContext], dict[str, Callable[..., None]]]
) -> Iterator[BrowserContext]:
    """The browser of one test, without cookies, permissions and stored settings of another."""
    listeners = watch(profile)
    yield profile
    tab, *others = profile.pages
    for each in others:
        each.close()
    # A document of the same origin without the app: its session ends, but the process with the compiled scripts stays.
    tab.goto("/_stcore/health")
    for event, listener in listeners.items():
        profile.remove_listener(event, listener)
    forget(profile, tab, base_url)


@pytest.fixture
def page(context: BrowserContext, color_scheme: Literal["light", "dark"], viewport: ViewportSize) -> Page:
    page = context.pages[0]
    page.emulate_media(color_scheme=color_scheme, reduced_motion="no-preference")
    page.set_viewport_size(viewport)
    return page


@pytest.fixture
def stranger(context: BrowserContext, page: Page, base_url: str) -> Callable[[], Page]:
    """Open a tab of another visitor, who has no cookies and no stored settings; `page` has lost its own then."""

    def opened() -> Page:
        forget(context, page, base_url)
        return context.new_page()

    return opened


# --- Waiting ----------------------------------------------------------------------------------------------------------

# Runs in every document before its scripts. It notes whether the browser has requested a run of the script, other than
# the timer of a fragment does, that has not begun: a busy server may begin it much later.
# 4, 6 and 11 are fields of Streamlit's messages: ForwardMsg.new_session, ClientState.is_auto_rerun, and
# BackMsg.rerun_script.
FOLLOW_RUNS = """
(() => {
  if (window.effvizRuns) return;
  const runs = window.effvizRuns = {pending: false};
  const decode = (bytes) => {
    const fields = new Map();
    let at = 0;
    const number = () => {
      let value = 0, scale = 1;
      for (;;) {
        const byte = bytes[at++];
        value += (byte & 127) * scale;
        if (byte < 128) return value;
        scale *= 128;
      }
    };
    while (at < bytes.length) {
      const tag = number(), kind = tag & 7, length = kind === 2 ? number() : {1: 8, 5: 4}[kind];
      if (kind === 0) fields.set(tag >> 3, number());
      else { fields.set(tag >> 3, bytes.subarray(at, at + length)); at += length; }
    }
    return fields;
  };
  window.WebSocket = class extends window.WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({data}) => {
        if (!(data instanceof ArrayBuffer)) return;
        if (decode(new Uint8Array(data)).has(4)) runs.pending = false;
      });
      this.addEventListener('close', () => { runs.pending = false; });
    }
    send(data) {
      super.send(data);
      const rerun = data instanceof Uint8Array && decode(data).get(11);
      if (rerun && !decode(rerun).has(6)) runs.pending = true;
    }
  };
})();
"""

# Resolves when the page has not changed for `quiet` ms, the server has answered, and nothing is missing. The quiet
# time also covers the gap between an action and its request, of 200 ms for a slider. Some scripts of the page follow a
# change in the next frame only, which is late on a busy machine.
SETTLED = """
({quiet, timeout}) => new Promise((resolve, reject) => {
  const missing = () => {
    const app = document.querySelector('[data-testid=stApp]');
    if (!app) return 'the app itself';
    if (app.dataset.testConnectionState !== 'CONNECTED') return 'the connection to the server';
    if (window.effvizRuns?.pending) return 'the start of a run that was requested';
    if (app.dataset.testScriptState !== 'notRunning') return 'the end of the script run';
    if (document.querySelector('[data-testid=stSkeleton]')) return 'an element, its placeholder is still there';
    if (document.querySelector('[data-stale=true]')) return 'an element, an old one is still there';
    if ([...document.querySelectorAll('.chart')].some(e => !e.querySelector('.main-svg'))) return 'a chart';
    if ([...document.querySelectorAll('.chart.js-plotly-plot')].some(e => !e.parentElement.querySelector('.takeaway')))
      return 'the menu of a chart';
    if ([...document.querySelectorAll('.cards')].some(e => !e.children.length)) return 'the headline numbers';
    if ([...document.querySelectorAll('.motion')].some(e => !e.querySelector('svg'))) return 'an animation';
    if ([...document.querySelectorAll('[data-testid=stGraphVizChart]')].some(e => !e.querySelector('svg g')))
      return 'a diagram';
    const job = document.querySelector('.waiting, [class*=st-key-stale_diagram]');
    if (job) return `an answer of the torch process (${job.className}: ${job.textContent})`;
    if (document.fonts.status !== 'loaded') return 'a font';
    return '';
  };
  const started = performance.now();
  let changed = started, drawn = true;
  const observer = new MutationObserver(() => {
    changed = performance.now();
    if (drawn) requestAnimationFrame(() => { drawn = true; });
    drawn = false;
  });
  observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  const timer = setInterval(() => {
    const now = performance.now(), what = missing() || (drawn ? '' : 'a frame of the browser');
    if (what) changed = now;
    const late = now - started > timeout;
    if (!late && now - changed < quiet) return;
    clearInterval(timer);
    observer.disconnect();
    late ? reject(new Error(`not settled after ${timeout} ms: ${what || 'the page keeps changing'}`)) : resolve();
  }, 25);
})
"""


def settle(page: Page, *, quiet: float = 250, timeout: float = PATIENCE_MS) -> None:
    """Wait until the page shows the result of the last action, if it has one; both times are in ms.

    `quiet` has to be shorter than the period of a repeating fragment.
    """
    page.evaluate(SETTLED, {"quiet": quiet, "timeout": timeout})


class LateReports:
    """Delayed reports of a number input by repeating fragments, as a slow browser sends them.

    Create it before the page is opened: it intercepts the websocket.

    Attributes:
        value: reported instead of the value of the input; None changes nothing.
        query: query string reported instead of the current one; None changes nothing.
        count: number of changed values.
    """

    def __init__(self, page: Page, key: str) -> None:
        self.value: float | None = None
        self.query: str | None = None
        self.count = 0
        self._end = f"-{key}"
        page.route_web_socket("**/_stcore/stream", self._connect)

    def _connect(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def forward(data: str | bytes) -> None:
            assert isinstance(data, bytes)
            message = BackMsg.FromString(data)
            if message.rerun_script.is_auto_rerun and self.value is not None:
                for widget in message.rerun_script.widget_states.widgets:
                    if widget.id.endswith(self._end):
                        kind = str(widget.WhichOneof("value"))
                        setattr(widget, kind, type(getattr(widget, kind))(self.value))
                        self.count += 1
            if message.rerun_script.is_auto_rerun and self.query is not None:
                message.rerun_script.query_string = self.query
            server.send(message.SerializeToString())

        route.on_message(forward)


def open_page(page: Page, url: str) -> None:
    """Open `url` and wait until the page is complete."""
    page.goto(url)
    # Until then the document may not contain the app, or the script has not started.
    page.wait_for_selector(
        "[data-testid=stApp][data-test-script-state=notRunning]", state="attached", timeout=PATIENCE_MS
    )
    settle(page)
