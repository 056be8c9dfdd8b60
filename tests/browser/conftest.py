"""A real server and a real Chromium for the tests in this folder.

    from tests.browser.conftest import each_scheme, each_viewport, open_page, settle

    @each_scheme
    @each_viewport
    def test_blocks(page):
        open_page(page, "/blocks")

`page` and `context` are pytest-playwright's. The test fails when the browser's console shows an error; one that it
provokes itself it takes out of `browser_errors`. Paths lead to `server`, which all tests of the session share;
`fresh_server` is one that nobody has visited yet, and `server_factory` starts one with other options or another
environment: open `fresh_server.url + "/blocks"`.
"""

import contextlib
import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError, WebSocketRoute
from streamlit.proto.BackMsg_pb2 import BackMsg

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

SCHEMES = ("light", "dark")
VIEWPORTS = {"wide": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}

# They replace the fixtures of these names, on which the browser's context depends.
each_scheme = pytest.mark.parametrize("color_scheme", SCHEMES)
each_viewport = pytest.mark.parametrize("viewport", VIEWPORTS.values(), ids=VIEWPORTS)

# Root in a container has no sandbox to offer, and a machine for tests no graphics card; a Chromium that looks for
# updates would wait for a network that may not be there.
CHROMIUM_ARGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

# After a deep link Streamlit's front end looks for the server below the page's own path first and gets these 404s.
STREAMLIT_PROBES = ("/_stcore/health", "/_stcore/host-config")


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


# --- The server -------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Server:
    """A running app: where it is and what it has written."""

    url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_server(*options: str, env: dict[str, str] | None = None, seconds: float = 60) -> Iterator[Server]:
    """Start `streamlit run app.py` as a user does, wait until it is healthy, end it with everything it started."""
    port = free_port()
    address = [f"--server.port={port}", "--server.address=127.0.0.1"]
    with tempfile.NamedTemporaryFile(prefix="effviz-server-", suffix=".log") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *address, *options],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, see the end
        )
        server = Server(f"http://127.0.0.1:{port}", process, Path(log.name))
        try:
            _wait_until_healthy(server, seconds)
            yield server
        finally:
            _end_group(process)


def _wait_until_healthy(server: Server, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended with code {server.process.returncode}; it wrote:\n{server.log}")
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:  # not listening yet, or not answering
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"the server was not healthy after {seconds:g} s; it wrote:\n{server.log}")
        time.sleep(0.05)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):  # all of them have gone
            os.killpg(process.pid, signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the servers of the tests keep latencies: what this machine has measured before is not theirs."""
    return {"EFFVIZ_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="session")
def server(cache: dict[str, str]) -> Iterator[Server]:
    with running_server(env=cache) as server:
        yield server


@pytest.fixture
def server_factory(cache: dict[str, str]) -> Iterator[Callable[..., Server]]:
    """Starts servers with `running_server`'s arguments; they end with the test."""
    with contextlib.ExitStack() as servers:
        yield lambda *options: servers.enter_context(running_server(*options, env=cache))


@pytest.fixture
def fresh_server(server_factory: Callable[..., Server]) -> Server:
    return server_factory()


# --- The browser ------------------------------------------------------------------------------------------------------


def find_chromium() -> str | None:
    """Return the path of a Chromium: what EFFVIZ_CHROMIUM names, else the first known name on the PATH."""
    chosen = os.environ.get("EFFVIZ_CHROMIUM")
    return next(filter(None, map(shutil.which, [chosen] if chosen else CHROMIUM_NAMES)), None)


def launch_options(executable: str) -> dict[str, Any]:
    return {"executable_path": executable, "args": list(CHROMIUM_ARGS)}


NO_CHROMIUM = (
    f"no Chromium found. Looked on the PATH for {', '.join(CHROMIUM_NAMES)}; "
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
    """Let `page` resolve "/blocks" against the shared server."""
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
    """What went wrong in the browser; the test fails at its end unless the list is empty then."""
    errors: list[str] = []
    yield errors
    if errors:
        pytest.fail("The browser reported:\n" + "\n".join(errors), pytrace=False)


@pytest.fixture
def new_context(new_context: Callable[..., BrowserContext], browser_errors: list[str]) -> Callable[..., BrowserContext]:
    """pytest-playwright's `new_context`, from which `context` and `page` come, with an ear on every page in it."""

    def hear_console(message: ConsoleMessage) -> None:
        place = message.location["url"]
        if message.type == "error" and not place.endswith(STREAMLIT_PROBES):
            browser_errors.append(f"console: {message.text} ({place})")

    def hear_error(error: WebError) -> None:
        browser_errors.append(f"uncaught: {error.error}")

    def listening(**options: Any) -> BrowserContext:
        context = new_context(**options)
        context.on("console", hear_console)
        context.on("weberror", hear_error)
        return context

    return listening


# --- Waiting ----------------------------------------------------------------------------------------------------------

# Resolves once nothing has changed in the page for `quiet` ms while the script was not running and nothing was
# missing. The quiet time also bridges the gap between a click and the run that it causes.
SETTLED = """
({quiet, timeout}) => new Promise((resolve, reject) => {
  const missing = () => {
    const app = document.querySelector('[data-testid=stApp]');
    if (!app) return 'the app itself';
    if (app.dataset.testConnectionState !== 'CONNECTED') return 'the connection to the server';
    if (app.dataset.testScriptState !== 'notRunning') return 'the end of the script run';
    if (document.querySelector('[data-testid=stSkeleton]')) return 'an element, its placeholder is still there';
    if (document.querySelector('[data-stale=true]')) return 'an element, an old one is still there';
    if ([...document.querySelectorAll('[data-testid=stPlotlyChart]')].some(e => !e.querySelector('.main-svg')))
      return 'a plotly chart';
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


def settle(page: Page, *, quiet: float = 250, timeout: float = 30_000) -> None:
    """Wait until the page shows the answer to whatever was done last; both times are in ms.

    Keep `quiet` below the period of a fragment that repeats itself, or the page never counts as quiet.
    """
    page.evaluate(SETTLED, {"quiet": quiet, "timeout": timeout})


class LateReports:
    """What parts of a page that repeat themselves report for a number input, as if the browser drew with delay.

    To be made ahead of the page.

    Attributes:
        value: is reported instead of the input's own; None leaves that.
        query: of the address, instead of the one that the browser has; None leaves that.
        count: how often the value was.
    """

    def __init__(self, page: Page, key: str) -> None:
        self.value: float | None = None
        self.query: str | None = None
        self.count = 0
        self._end = f"-{key}"
        # Every message makes a detour through this process.
        page.set_default_timeout(30_000)
        page.route_web_socket("**/_stcore/stream", self._pass_on)

    def _pass_on(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def tell(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            told = BackMsg.FromString(message)
            if told.rerun_script.fragment_id and self.value is not None:
                for widget in told.rerun_script.widget_states.widgets:
                    if widget.id.endswith(self._end):
                        kind = str(widget.WhichOneof("value"))
                        setattr(widget, kind, type(getattr(widget, kind))(self.value))
                        self.count += 1
            if told.rerun_script.fragment_id and self.query is not None:
                told.rerun_script.query_string = self.query
            server.send(told.SerializeToString())

        route.on_message(tell)


def open_page(page: Page, url: str) -> None:
    """Go to `url` and wait until everything on the page is drawn."""
    page.goto(url)
    # Before this the document may not hold the app yet, or the script has not started.
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", state="attached")
    settle(page)
