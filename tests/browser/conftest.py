"""A real server and a real Chromium for the tests in this folder.

    from tests.browser.conftest import open_page

    def test_blocks(page):
        open_page(page, "/blocks")

`page` belongs to a visitor whose browser has seen the app before, and who left nothing in it but cached files;
`new_context`, of pytest-playwright, makes other visitors. A test fails if the console of the browser reports an
error, if a page requests another host, or if it opens a dialog. A test that causes an error on purpose removes it from
`browser_errors`. Paths are relative to `server`, which all tests of the session share. `fresh_server` has had no
visitor yet; `server_factory` starts a server with other options.

Waits are for states, with limits that a busy machine keeps.
"""

import contextlib
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
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.support.server import Server, running_server

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


@pytest.fixture(scope="session")
def server(cache: dict[str, str]) -> Iterator[Server]:
    with running_server(env=cache) as server:
        yield server


@pytest.fixture
def server_factory(cache: dict[str, str]) -> Iterator[Callable[..., Server]]:
    """Start servers with the options of `running_server`; they end with the test."""
    with contextlib.ExitStack() as servers:
        yield lambda *options: servers.enter_context(running_server(*options, env=cache))


@pytest.fixture
def fresh_server(server_factory: Callable[..., Server]) -> Server:
    return server_factory()


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
        yield context


@pytest.fixture
def context(
    profile: BrowserContext, base_url: str, watch: Callable[[BrowserContext], dict[str, Callable[..., None]]]
) -> Iterator[BrowserContext]:
    """The browser of one test, without cookies, permissions and stored settings of another."""
    listeners = watch(profile)
    yield profile
    first, *others = profile.pages
    for each in others:
        each.close()
    for event, listener in listeners.items():
        profile.remove_listener(event, listener)
    profile.clear_cookies()
    profile.clear_permissions()
    client = profile.new_cdp_session(first)
    client.send("Storage.clearDataForOrigin", {"origin": base_url, "storageTypes": "local_storage,indexeddb"})
    client.detach()


@pytest.fixture
def page(context: BrowserContext, color_scheme: Literal["light", "dark"], viewport: ViewportSize) -> Page:
    page = context.new_page()
    page.emulate_media(color_scheme=color_scheme)
    page.set_viewport_size(viewport)
    return page


# --- Waiting ----------------------------------------------------------------------------------------------------------

# Resolves when the page has not changed for `quiet` ms, the script is not running, and nothing is missing. The quiet
# time also covers the gap between a click and the run that it causes.
SETTLED = """
({quiet, timeout}) => new Promise((resolve, reject) => {
  const missing = () => {
    const app = document.querySelector('[data-testid=stApp]');
    if (!app) return 'the app itself';
    if (app.dataset.testConnectionState !== 'CONNECTED') return 'the connection to the server';
    if (app.dataset.testScriptState !== 'notRunning') return 'the end of the script run';
    if (document.querySelector('[data-testid=stSkeleton]')) return 'an element, its placeholder is still there';
    if (document.querySelector('[data-stale=true]')) return 'an element, an old one is still there';
    if ([...document.querySelectorAll('.chart')].some(e => !e.querySelector('.main-svg'))) return 'a chart';
    if ([...document.querySelectorAll('.cards')].some(e => !e.children.length)) return 'the headline numbers';
    if ([...document.querySelectorAll('.motion')].some(e => !e.querySelector('svg'))) return 'an animation';
    if ([...document.querySelectorAll('[data-testid=stGraphVizChart]')].some(e => !e.querySelector('svg g')))
      return 'a diagram';
    if (document.querySelector('.waiting, .st-key-stale_diagram')) return 'an answer of the torch process';
    if (document.fonts.status !== 'loaded') return 'a font';
    return '';
  };
  const started = performance.now();
  let changed = started;
  const observer = new MutationObserver(() => { changed = performance.now(); });
  observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  const timer = setInterval(() => {
    const now = performance.now(), what = missing();
    if (what) changed = now;
    const late = now - started > timeout;
    if (!late && now - changed < quiet) return;
    clearInterval(timer);
    observer.disconnect();
    late ? reject(new Error(`not settled after ${timeout} ms: ${what || 'the page keeps changing'}`)) : resolve();
  }, 25);
})
"""


WATCH_STARTS = """
() => {
  window.startObserver?.disconnect();
  window.hasStarted = false;
  window.startObserver = new MutationObserver(() => { window.hasStarted = true; });
  const app = document.querySelector('[data-testid=stApp]');
  window.startObserver.observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
}
"""


def settle(page: Page, *, quiet: float = 250, timeout: float = PATIENCE_MS) -> None:
    """Wait until the page shows the result of the last action; both times are in ms.

    `quiet` has to be shorter than the period of a repeating fragment.
    """
    page.evaluate(SETTLED, {"quiet": quiet, "timeout": timeout})


@contextlib.contextmanager
def acting(page: Page, *, patience: float = 2000) -> Iterator[None]:
    """Settle after an action, once the script has started; on a busy machine that takes longer than the quiet time.

    An action that changes no value starts no script: after `patience` ms the page is settled without one.
    """
    page.evaluate(WATCH_STARTS)
    yield
    with contextlib.suppress(PlaywrightTimeout):
        page.wait_for_function("() => window.hasStarted", timeout=patience)
    settle(page)


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
