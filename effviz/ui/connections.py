"""Limits of HTTP connections: their number per address, and the time without a complete request.

Uvicorn closes connections that are idle after an answer. It waits forever for the first request, for the rest of a
header, and for the rest of a body, and it accepts any number of connections. `effviz.ui.visitors` has the limits of
websockets.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter
from typing import Any, ClassVar

import h11
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from effviz.core import settings
from effviz.ui.visitors import network_address

_logger = logging.getLogger("effviz.visitors")
_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


class TimelyProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, with limits on the connections of an address and on the time in which a request arrives."""

    _open: ClassVar[Counter[str]] = Counter()  # connections by address
    _reported: ClassVar[set[str]] = set()
    _address = ""
    _check: asyncio.TimerHandle | None = None
    _seen: tuple[object, object] = (None, h11.IDLE)

    def connection_made(self, transport: Any) -> None:
        """Start to check the connection, or close it if its address has too many."""
        super().connection_made(transport)
        address = network_address(self.client[0]) if self.client else "unknown"
        proxies = ProxyHeadersMiddleware(self.app, self.config.forwarded_allow_ips).trusted_hosts
        most = most_connections(is_proxy=address in proxies)
        if self._open[address] >= most:
            if address not in self._reported:
                self._reported.add(address)
                _logger.warning("the address %s has %d HTTP connections, which is the limit", address, most)
            transport.abort()
            return
        self._address = address
        self._open[address] += 1
        self._again()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to check it."""
        self._stop()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leave a websocket to its own protocol, which sends pings."""
        self._stop()
        super().handle_websocket_upgrade(event)

    def _again(self) -> None:
        self._check = self.loop.call_later(settings.REQUEST_S.value, self._close_if_overdue)

    def _stop(self) -> None:
        if self._check is not None:
            self._check.cancel()
        if self._address:
            self._open[self._address] -= 1
            if not self._open[self._address]:
                del self._open[self._address]
            self._address = ""

    def _close_if_overdue(self) -> None:
        """Close the connection if it has waited for the same request since the last check."""
        state = self.conn.their_state
        # A new request has a new cycle.
        now = self.cycle, state
        if state in _UNFINISHED and now == self._seen:
            self.transport.close()
            return
        self._seen = now
        self._again()


def most_connections(*, is_proxy: bool) -> int:
    """Return how many HTTP connections an address may have: never so many that none are left for others.

    All visitors behind a trusted proxy have its address.
    """
    files = settings.OPEN_FILES.value
    if sys.platform != "win32":
        import resource

        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        files = files if soft == resource.RLIM_INFINITY else min(files, soft)
    return 3 * files // 4 if is_proxy else min(settings.CONNECTIONS.value, files // 2)


def limit_connections() -> None:
    """Let uvicorn use this protocol, whichever HTTP library is installed."""
    # Uvicorn chooses a protocol before it imports the app. A property of the class hides the attribute of its objects.
    always = property(lambda config: TimelyProtocol, lambda config, value: None)
    uvicorn.Config.http_protocol_class = always  # type: ignore[assignment]
