"""Where a search is stored: a file of one machine, or a database that several machines share."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.storages.journal import BaseJournalBackend
from sqlalchemy.exc import SQLAlchemyError

from effviz.core.errors import DesignError, fail, show

HEARTBEAT_S = 10
_MISSED = 3
_URL = re.compile(r"([a-z]+)(\+[a-z]+)?://")
# SQLAlchemy's name of the database with its driver, and the package with the driver.
_POSTGRESQL = "postgresql+psycopg", "effviz[postgresql]"
_DRIVERS = {
    "postgres": _POSTGRESQL, "postgresql": _POSTGRESQL,
    "mysql": ("mysql+pymysql", "pymysql"), "sqlite": ("sqlite", ""),
}  # fmt: skip


class Journal(BaseJournalBackend):
    """A file of JSON lines that processes of one machine append to in turn.

    The system releases the lock of a killed process, and the next writer removes a line that such a process left
    incomplete. Lines are not forced to the disk: a power failure may lose the last seconds, a killed process loses
    nothing.

    Args:
        file: is created, with its folder.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        self._lock = FileLock(f"{file}.lock", poll_interval=0.001)
        self._number = self._offset = 0

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """Return the complete lines from a number on."""
        if log_number_from < self._number:
            self._number = self._offset = 0
        with self._file.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        lines = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
        skipped = log_number_from - self._number
        self._number += len(lines)
        self._offset += sum(map(len, lines))
        return [json.loads(line) for line in lines[skipped:]]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append lines, all of them or none."""
        data = "".join(f"{json.dumps(log, separators=(',', ':'))}\n" for log in logs).encode()
        with self._lock, self._file.open("r+b") as file:
            _remove_rest(file.fileno())
            file.seek(0, os.SEEK_END)
            file.write(data)


def _remove_rest(handle: int) -> None:
    """Remove what follows the last complete line."""
    size = os.fstat(handle).st_size
    if size == 0:
        return
    os.lseek(handle, size - 1, os.SEEK_SET)
    if os.read(handle, 1) != b"\n":
        os.lseek(handle, 0, os.SEEK_SET)
        os.ftruncate(handle, os.read(handle, size).rfind(b"\n") + 1)


@contextmanager
def opened(place: str, heartbeat_s: int = HEARTBEAT_S) -> Iterator[BaseStorage]:
    """Open a storage, which is created if it does not exist, and close its connections at the end.

    Args:
        place: path of a file, the URL of a database (``sqlite:///``, ``postgresql://``, ``mysql://``), or empty for the
            memory of this process.
        heartbeat_s: time between signs of life of the workers of a database. A network whose worker has missed three
            is computed again by another one.

    Raises:
        DesignError: there is no such storage, its driver is not installed, or it cannot be opened.
    """
    storage = _storage(place, heartbeat_s)
    try:
        yield storage
    finally:
        if isinstance(storage, RDBStorage):
            storage.remove_session()
            storage.engine.dispose()


def _storage(place: str, heartbeat_s: int) -> BaseStorage:
    if not place:
        return InMemoryStorage()
    found = _URL.match(place)
    if found is None:
        try:
            return JournalStorage(Journal(Path(place)))
        except (OSError, ValueError) as error:
            raise DesignError(f"storage = {show(place)} cannot be opened: {show(str(error))}") from None
    if found[1] not in _DRIVERS:
        fail("storage", place, f"must be a file, or a URL that begins with one of {', '.join(_DRIVERS)}")
    driver, package = _DRIVERS[found[1]]
    url = place if found[2] else f"{driver}{place[found.end(1) :]}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return RDBStorage(
                url,
                heartbeat_interval=heartbeat_s,
                grace_period=_MISSED * heartbeat_s,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
            )
        except ImportError:
            raise DesignError(f"the storage needs a driver of the database: pip install '{package}'") from None
        except (SQLAlchemyError, ValueError) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise DesignError(f"the storage cannot be opened: {reason}") from None


def quiet() -> None:
    """Let Optuna log warnings only."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
