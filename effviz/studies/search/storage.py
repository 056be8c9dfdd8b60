"""Where a search is stored: a file of one machine, or a database that several machines share."""

from __future__ import annotations

import json
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
from filelock import FileLock, Timeout
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.storages._heartbeat import BaseHeartbeat
from optuna.storages._rdb.models import TrialHeartbeatModel, TrialModel
from optuna.storages.journal import BaseJournalBackend
from optuna.storages.journal._storage import JournalOperation
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from effviz.core.errors import DesignError, fail, show

HEARTBEAT_S = 10
_MISSED = 3
_URL = re.compile(r"([a-z]+)(\+[a-z]+)?://")
# SQLAlchemy's name of the database with its driver, and the package with the driver.
_POSTGRESQL = "postgresql+psycopg", "effviz[postgresql]"
_MYSQL = "mysql+pymysql", "effviz[mysql]"
_DRIVERS = {
    "postgres": _POSTGRESQL, "postgresql": _POSTGRESQL,
    "mysql": _MYSQL, "mariadb": _MYSQL, "sqlite": ("sqlite", ""),
}  # fmt: skip

_BEGIN = b'{"op_code":'
"""Begin of every line of a file."""


class Journal(BaseJournalBackend):
    """A file of JSON lines that processes of one machine append to in turn.

    The system releases the lock of a killed process, and the next writer removes a line that such a process left
    incomplete. Lines are not forced to the disk: a power failure may lose the last seconds, a killed process loses
    nothing.

    Every line contains the name of its writer. A writer holds the lock of a file with this name from before its first
    line until `close`, so a writer whose lock is free has ended, whatever ended it.

    Args:
        file: is created, with its folder.

    Raises:
        ValueError: the file has other contents.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        with file.open("rb") as opened:
            begin = opened.read(len(_BEGIN))
        # A killed process may have left a part of the first line.
        if not _BEGIN.startswith(begin):
            raise ValueError("it is no file of a search")
        self._lock = FileLock(f"{file}.lock", poll_interval=0.001)
        self._number = self._offset = 0
        self._name = uuid4().hex
        self._alive: FileLock | None = None
        self._trials = 0
        self._writers: dict[int, str] = {}

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        """Return the complete lines from a number on."""
        if log_number_from < self._number:
            self._number = self._offset = self._trials = 0
            self._writers = {}
        with self._file.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        lines = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
        skipped = log_number_from - self._number
        self._number += len(lines)
        self._offset += sum(map(len, lines))
        logs: list[dict[str, Any]] = [json.loads(line) for line in lines]
        for log in logs:
            if not isinstance(log, dict) or not isinstance(log.get("op_code"), int):
                raise ValueError("it contains a line that is not of a search")
            self._note(log)
        return logs[skipped:]

    def _note(self, log: dict[str, Any]) -> None:
        """Note who runs a trial. The storage numbers trials in the order of their first lines."""
        operation, running = log["op_code"], log.get("state", TrialState.RUNNING) == TrialState.RUNNING
        number = log.get("trial_id", self._trials)
        self._trials += operation == JournalOperation.CREATE_TRIAL
        if running and operation in (JournalOperation.CREATE_TRIAL, JournalOperation.SET_TRIAL_STATE_VALUES):
            # Of several workers that start a waiting trial, the first one runs it.
            self._writers.setdefault(number, log.get("writer", ""))

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append lines, all of them or none."""
        if self._alive is None:
            self._alive = self._lock_of(self._name)
            self._alive.acquire()
        named = (json.dumps(log | {"writer": self._name}, separators=(",", ":")) for log in logs)
        data = "".join(f"{line}\n" for line in named).encode()
        with self._lock, self._file.open("r+b") as file:
            _remove_rest(file.fileno())
            file.seek(0, os.SEEK_END)
            file.write(data)

    def has_ended(self, trial: int) -> bool:
        """Return whether the writer that runs a trial has ended."""
        writer = self._writers.get(trial, "")
        if writer == self._name:
            return False
        lock = self._lock_of(writer)
        if not Path(lock.lock_file).exists():
            return True
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        self._remove(lock)
        return True

    def close(self) -> None:
        """Release the lock of this writer. A trial that it has not finished counts as that of an ended writer."""
        if self._alive is not None:
            self._remove(self._alive)
            self._alive = None

    def _lock_of(self, writer: str) -> FileLock:
        # Not thread_local: a storage may be closed by another thread.
        return FileLock(f"{self._file}.{writer}.writer", thread_local=False)

    def _remove(self, lock: FileLock) -> None:
        # Before the release: afterwards, another process may have locked the same file.
        with suppress(PermissionError):
            # Windows does not remove an open file.
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


class _JournalStorage(JournalStorage, BaseHeartbeat):
    """A journal whose unfinished trials are computed again if their worker has ended.

    The interface is that of the heartbeat of databases, without a time limit.
    """

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.journal = journal

    def record_heartbeat(self, trial_id: int) -> None:
        """Do nothing: the lock of the journal is the sign of life."""

    def get_heartbeat_interval(self) -> int:
        """Return the seconds between two signs of life, a large number."""
        return 3_600

    def get_heartbeat_stale_trial_callback(self) -> Callable[[optuna.Study, FrozenTrial], None]:
        """Return what is done with a trial whose worker has ended."""
        return RetryHeartbeatStaleTrialCallback()

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        running = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,))
        return [trial._trial_id for trial in running if self.journal.has_ended(trial._trial_id)]


class _Database(RDBStorage):
    """A database in which a trial has a heartbeat from its creation on.

    Optuna sends the first one after it has chosen the network. A trial without any, whose worker was killed before,
    would count as running forever.
    """

    def _get_prepared_new_trial(
        self, study_id: int, template_trial: FrozenTrial | None, session: Session
    ) -> TrialModel:
        trial = super()._get_prepared_new_trial(study_id, template_trial, session)
        if template_trial is None:
            session.add(TrialHeartbeatModel(trial_id=trial.trial_id))
        return trial

    def record_heartbeat(self, trial_id: int) -> None:
        """Send a sign of life. If the database does not answer, the worker itself reports it with its next result."""
        with suppress(StorageInternalError):
            super().record_heartbeat(trial_id)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """Set the state of a trial. One that starts has a heartbeat before."""
        if state == TrialState.RUNNING:
            self.record_heartbeat(trial_id)
        return super().set_trial_state_values(trial_id, state, values)


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
            is computed again by another one. In a file, a network is computed again as soon as its worker has ended.

    Raises:
        DesignError: there is no such storage, its driver is not installed, or it cannot be opened.
    """
    storage = _storage(place, heartbeat_s)
    try:
        yield storage
    finally:
        if isinstance(storage, _JournalStorage):
            storage.journal.close()
        if isinstance(storage, RDBStorage):
            storage.remove_session()
            storage.engine.dispose()


def _storage(place: str, heartbeat_s: int) -> BaseStorage:
    if not place:
        return InMemoryStorage()
    found = _URL.match(place)
    if found is None:
        try:
            return _JournalStorage(Journal(Path(place)))
        except (OSError, ValueError) as error:
            raise DesignError(f"storage = {show(place)} cannot be opened: {show(str(error))}") from None
    if found[1] not in _DRIVERS:
        fail("storage", place, f"must be a file, or a URL that begins with one of {', '.join(_DRIVERS)}")
    driver, package = _DRIVERS[found[1]]
    url = place if found[2] else f"{driver}{place[found.end(1) :]}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return _Database(
                url,
                heartbeat_interval=heartbeat_s,
                grace_period=_MISSED * heartbeat_s,
                heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(),
            )
        except ImportError:
            raise DesignError(f"the storage needs a driver of the database: pip install '{package}'") from None
        except (SQLAlchemyError, TypeError, ValueError) as error:
            # A driver refuses unknown options of the URL by a TypeError.
            raise DesignError(f"the storage cannot be opened: {reason(error)}") from None


def reason(error: BaseException) -> str:
    """Return the first line of an error, or of the error of the database that caused it."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, DBAPIError):
            # PyMySQL has the number of the error before its text.
            error = link.orig or link
            break
        link = link.__cause__ or link.__context__
    return str(error.args[-1] if error.args else error).strip().partition("\n")[0]


def fail_stale(study: optuna.Study) -> None:
    """Let the unfinished networks of ended workers fail. The next worker that needs a network computes them again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)


def quiet() -> None:
    """Let Optuna and the connections to a database log nothing that an exception reports too."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
