"""Response headers that block foreign scripts and frames.

Streamlit sends none of them. `SecurityHeadersMiddleware` is pure ASGI: Starlette's `BaseHTTPMiddleware` runs a task
group and streams the body a second time for every static file.
"""

import base64
import hashlib
from html.parser import HTMLParser
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir


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


class SecurityHeadersMiddleware:
    """Middleware that adds the policy and related headers to HTTP responses, not to websockets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": content_security_policy(),
            "X-Content-Type-Options": "nosniff",
            # A permalink contains a whole design, which other sites do not need.
            "Referrer-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)
