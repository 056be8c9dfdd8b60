"""Files of the front end, compressed once per process and answered from memory.

Starlette's `GZipMiddleware` compresses a file again for every visitor, and Streamlit does not compress its own at all.
Both kinds of file here have a hash of their content in their address, so that browsers keep them for good.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

import brotli
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.config import get_option
from streamlit.file_util import get_static_dir

_OWN = "effviz-static"
# Of the files that become smaller; the system's own table may have outdated types.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
# In order of preference. Browsers accept Brotli over HTTPS and on the same machine only; it saves a sixth. The largest
# file, 5 MB, takes 0.6 s, once.
_ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda content: brotli.compress(content, quality=9),
    "gzip": lambda content: gzip.compress(content, 9, mtime=0),
}
_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


def _sources() -> dict[str, Path]:
    """Return the files that effviz adds to those of Streamlit, by name."""
    own = Path(__file__).parent / "static"
    plotly = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
    return {path.name: path for path in [*own.iterdir(), plotly]}


@cache
def _addresses() -> dict[str, Path]:
    """Return the files by the last part of their address: the name with a hash."""
    return {f"{path.stem}.{_digest(path)}{path.suffix}": path for path in _sources().values()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@cache
def address(name: str) -> str:
    """Return the path of a file on this server, such as ``/effviz-static/chart.0123456789ab.js``.

    Args:
        name: of a file in `effviz/ui/static`, or ``"plotly.min.js"``.
    """
    path = _sources()[name]
    found = next(key for key, each in _addresses().items() if each == path)
    base = str(get_option("server.baseUrlPath")).strip("/")
    return f"/{base}/{_OWN}/{found}" if base else f"/{_OWN}/{found}"


@cache
def _streamlits() -> dict[str, Path]:
    """Return Streamlit's scripts and styles by their path below ``/static/``."""
    folder = Path(get_static_dir()) / "static"
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.suffix in _TYPES}


@cache
def _compressed(path: Path, encoding: str) -> bytes:
    return _ENCODINGS[encoding](path.read_bytes())


class StaticFilesMiddleware:
    """Middleware that answers requests for Streamlit's scripts and styles, and for effviz' own files."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._path(scope)
        if path is None:
            await self.app(scope, receive, send)
            return
        headers = dict(_HEADERS)
        accepted = Headers(scope=scope).get("accept-encoding", "").replace(" ", "").split(",")
        # A weight of zero, as in "br;q=0", refuses an encoding.
        names = {entry.partition(";")[0] for entry in accepted if not entry.endswith((";q=0", ";q=0.0"))}
        encoding = next((name for name in _ENCODINGS if name in names), None)
        if encoding:
            headers["Content-Encoding"] = encoding
            body = await run_in_threadpool(_compressed, path, encoding)
        else:
            body = await run_in_threadpool(path.read_bytes)
        await Response(body, headers=headers, media_type=_TYPES[path.suffix])(scope, receive, send)

    @staticmethod
    def _path(scope: Scope) -> Path | None:
        """Return the file of a request; None if Streamlit has to answer it."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return None
        path = str(scope["path"])
        if f"/{_OWN}/" in path:
            return _addresses().get(path.rpartition("/")[2])
        _, found, inside = path.partition("/static/")
        return _streamlits().get(inside) if found else None
