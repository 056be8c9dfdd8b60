"""Time limit of HTTP requests: a connection without a complete request is closed.

Uvicorn closes connections that are idle after an answer. It waits forever for the first request, for the rest of a
header, and for the rest of a body.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from effviz.core import settings

_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


class TimelyProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, with a limit on the time in which a request arrives."""

    _check: asyncio.TimerHandle | None = None
    _seen: tuple[object, object] = (None, h11.IDLE)

    def connection_made(self, transport: Any) -> None:
        """Start to check the connection."""
        super().connection_made(transport)
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


def limit_time() -> None:
    """Let uvicorn use this protocol, whichever HTTP library is installed."""
    # Uvicorn chooses a protocol before it imports the app. A property of the class hides the attribute of its objects.
    always = property(lambda config: TimelyProtocol, lambda config, value: None)
    uvicorn.Config.http_protocol_class = always  # type: ignore[assignment]
