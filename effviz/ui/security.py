"""Response headers that block foreign scripts and frames, and refused requests of other sites.

Streamlit sends none of the headers. `SecurityMiddleware` is pure ASGI: Starlette's `BaseHTTPMiddleware` runs a task
group and streams the body a second time for every static file.
"""

import base64
import hashlib
from html.parser import HTMLParser
from ipaddress import ip_address
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.config import get_option
from streamlit.file_util import get_static_dir

from effviz.core import settings
from effviz.core.errors import fail
from effviz.ui.visitors import client_address, network_address


class _InlineScripts(HTMLParser):
    """Collects the text of every `<script>` without a `src`."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and "src" not in dict(attrs)
        if self._inside:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += data


def inline_script_hashes(html: str) -> list[str]:
    """Return a CSP source such as `'sha256-...'` for each inline script of a page, in order."""
    scripts = _InlineScripts()
    scripts.feed(html)
    scripts.close()
    digests = [hashlib.sha256(text.encode()).digest() for text in scripts.texts]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def content_security_policy() -> str:
    """Return the policy for the installed Streamlit.

    The hashes are read from Streamlit's `index.html`, so that they stay valid after an upgrade.

    Raises:
        FileNotFoundError: this version of Streamlit has its front end elsewhere.
    """
    index = (Path(get_static_dir()) / "index.html").read_text(encoding="utf-8")
    directives = {
        "default-src": ["'self'"],
        # 'wasm-unsafe-eval': Graphviz is WebAssembly. blob: inline components import their script from such a URL.
        # 'unsafe-eval' is not needed: the builds of plotly and Vega work without it.
        "script-src": ["'self'", "'wasm-unsafe-eval'", "blob:", *inline_script_hashes(index)],
        "worker-src": ["'self'", "blob:"],
        # Streamlit writes style sheets into the page at run time, and plotly sets style attributes.
        "style-src": ["'self'", "'unsafe-inline'"],
        # data: and blob: icons in style sheets, charts saved as an image.
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        # A course page on the same host may embed the app; other hosts may not.
        "frame-ancestors": ["'self'"],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


# Features that the app uses: the clipboard for Copy link, full screen for charts.
_FEATURES = ("clipboard-write=(self)", "fullscreen=(self)")
_FORBIDDEN = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer", "microphone",
    "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # A permalink contains a whole design, which other sites do not need.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join([*_FEATURES, *(f"{name}=()" for name in _FORBIDDEN)]),
    # Pages that link to the app, or that it links to, cannot reach its window.
    "Cross-Origin-Opener-Policy": "same-origin",
}
_METRICS = "/_stcore/metrics"
LOCAL_HOSTS = ("localhost", "*.localhost", "127.0.0.1", "[::1]")


def allowed_hosts(address: str | None) -> list[str]:
    """Return the host names that visitors may use: those of `EFFVIZ_HOSTS`, or a default.

    A server for this machine only answers to its names only. Otherwise a page of another site could read the app after
    a change of the site's DNS entry to a loopback address.

    Args:
        address: that the server listens on; None or empty for all.

    Raises:
        DesignError: a `*` of `EFFVIZ_HOSTS` is not the first label of a name.
    """
    for host in settings.HOSTS.words:
        if host != "*" and "*" in host.removeprefix("*."):
            fail(settings.HOSTS.variable, host, "must be a host name, *. and a host name, or *")
    if settings.HOSTS.words:
        return settings.HOSTS.words
    return [*LOCAL_HOSTS, str(address)] if address and _is_loopback(address) else ["*"]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(network_address(host)).is_loopback
    except ValueError:
        return host == "localhost"


class SecurityMiddleware:
    """Middleware that adds headers to answers, and refuses other sites, and metrics for other machines."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = {"Content-Security-Policy": content_security_policy(), **_HEADERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if scope["type"] == "http":
            send = self._with_headers(send, is_secure=scope["scheme"] == "https")
        if _is_of_another_site(scope):
            if scope["type"] == "websocket":
                await PlainTextResponse("The page is of another site.", 403)(scope, receive, send)
                return
            # Without the header, Streamlit does not look up the addresses of this machine, which takes seconds.
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"origin"]}
        if scope["path"].rstrip("/").endswith(_METRICS) and not _is_loopback(client_address(scope)):
            await PlainTextResponse("Metrics are for this machine only.", 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _with_headers(self, send: Send, *, is_secure: bool) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.headers)
                if is_secure:
                    _secure(headers)
            await send(message)

        return send_with_headers


def _secure(headers: MutableHeaders) -> None:
    """Restrict an answer over HTTPS, and its cookies, to HTTPS."""
    if days := settings.HSTS_DAYS.value:
        headers["Strict-Transport-Security"] = f"max-age={86_400 * days}"
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        is_secure = any(part.strip().lower() == "secure" for part in cookie.split(";"))
        headers.append("set-cookie", cookie if is_secure else f"{cookie}; Secure")


def _is_of_another_site(scope: Scope) -> bool:
    """Whether a page of another site, which is not in Streamlit's `server.corsAllowedOrigins`, sent the request."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None or origin in get_option("server.corsAllowedOrigins"):
        return False
    return origin.partition("://")[2].lower() != headers.get("host", "").lower()
