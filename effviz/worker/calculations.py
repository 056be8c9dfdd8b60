"""Calculations: functions of effviz that run in processes without torch, so that a server stays free for its visitors.

Function, arguments and result are pickled. They come from this program alone, never from a visitor.
"""

from __future__ import annotations

import pickle
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from effviz.core import caches
from effviz.core import progress as reported
from effviz.core.errors import Cancelled, DesignError
from effviz.worker.jobs import Progress
from effviz.worker.manager import Manager, Ticket

KIND = "calculate"
CALCULATIONS = {KIND: f"{__name__}:run"}
TIMEOUT_S = 120.0
# Long calculations leave the second process to others, also on one core: the processes have a low priority.
PROCESSES = 2


def packed(value: object) -> str:
    """Encode an object for a message."""
    return b64encode(pickle.dumps(value)).decode("ascii")


def unpacked(text: str) -> Any:
    """Decode an object from a message of this program's own process."""
    return pickle.loads(b64decode(text))


def run(payload: dict[str, Any], progress: Progress, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Call the function in ``call`` with its arguments; a `DesignError` is a result too."""

    def stop() -> None:
        if cancelled():
            raise Cancelled

    function, arguments = unpacked(payload["call"])
    # Remembered functions call it before each computation.
    caches.pause = stop
    reported.report = progress
    progress(0.0, "Calculating")
    try:
        value = function(*arguments)
    except DesignError as error:
        value = error
    return {"value": packed(value)}


class Pool:
    """A few processes for calculations, each with a fair queue.

    Args:
        size: number of processes; each is started with the first calculation that it receives.

    Attributes:
        managers: of the processes.
    """

    def __init__(self, size: int = PROCESSES) -> None:
        self.managers = [Manager(jobs=CALCULATIONS, torch=False) for _ in range(size)]

    def submit(
        self, owner: str, function: Callable[..., Any], *arguments: Any, address: str, long: bool = False
    ) -> Ticket:
        """Start a calculation in the process with the shortest queue, and return its ticket; see `value_of`.

        Args:
            owner: visitor; visitors take turns.
            function: of a module, so that its name identifies it.
            arguments: that can be pickled.
            address: of the visitor, whose waiting calculations are limited.
            long: whether it takes many seconds. All of these wait for the first process.
        """
        manager = self.managers[0] if long else min(reversed(self.managers), key=_load)
        call = {"call": packed((function, arguments))}
        return manager.submit(owner, KIND, call, TIMEOUT_S, keep_all=True, address=address)

    def start(self) -> None:
        """Start the processes now, before the first calculation."""
        for manager in self.managers:
            manager.start()

    @property
    def closed(self) -> bool:
        """Whether it is unusable."""
        return any(manager.closed for manager in self.managers)

    def close(self) -> None:
        """Cancel all calculations, and kill the processes."""
        for manager in self.managers:
            manager.close()


def _load(manager: Manager) -> int:
    status = manager.status
    return status.waiting + (status.process == "busy")


def value_of(ticket: Ticket) -> Any:
    """Return the result of a calculation that is done; a `DesignError` is a result too."""
    assert ticket.result is not None
    return unpacked(ticket.result["value"])


_pool: Pool | None = None
_pool_lock = threading.Lock()


def pool() -> Pool:
    """Return the processes of this server; created on first use."""
    global _pool
    with _pool_lock:
        if _pool is None or _pool.closed:
            _pool = Pool()
        return _pool
