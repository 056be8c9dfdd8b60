"""An optional lock shared by the torch processes of one machine, so that their measurements never run at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from effviz.core.errors import Cancelled

WAITING = "Waiting for another server of this machine"
_POLL_S = 0.05


class MachineLock:
    """Turns of the torch processes that use the same lock file.

    The system releases the lock of a process that is killed.

    Args:
        path: of the lock file, on a local disk; empty for no lock.
    """

    def __init__(self, path: str) -> None:
        # A process has to hold the second lock while it waits for the first one. Without it, a process with many jobs
        # would take the first lock again before the others have polled it.
        self._locks = [
            # The fallback of filelock would keep the lock of a killed process.
            FileLock(path + suffix, poll_interval=_POLL_S, fallback_to_soft=False, preserve_lock_file=True)
            for suffix in ("", ".next")
            if path
        ]

    @contextmanager
    def turn(self, report: Callable[[float, str], None], is_cancelled: Callable[[], bool]) -> Iterator[None]:
        """Wait until no other process has a turn, report that, and hold the lock in the body.

        Raises:
            Cancelled: `is_cancelled` returned True before the turn.
            OSError: the lock file cannot be opened or locked.
        """
        if not self._locks:
            yield
            return

        def check() -> bool:
            report(0.0, WAITING)
            return is_cancelled()

        current, following = self._locks
        try:
            with following.acquire(cancel_check=check):
                current.acquire(cancel_check=check)
        except Timeout:
            raise Cancelled from None
        try:
            yield
        finally:
            current.release()
