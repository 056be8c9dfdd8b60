"""The torch process as seen from the manager: started, written to, read from and killed without ever waiting for it."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from effviz.worker.protocol import MAX_LINE, Event, ProtocolError, decode_event

_logger = logging.getLogger("effviz.worker")


class WorkerProcess:
    """A child process with a thread that reads its events and one that writes its requests.

    On Linux the child dies with the thread that makes this object, so that has to be one that lasts.

    Args:
        jobs: what it can do, see `effviz.worker.jobs`.
        memory: its limit, in bytes.
        on_event: called with each of its events, from the reading thread.
        on_exit: called once, after the process was reaped, with its return code.

    Attributes:
        fault: why it was ended from this side, empty if it was not for something that it said.

    Raises:
        OSError: the system cannot start a process.
    """

    def __init__(
        self,
        jobs: Mapping[str, str],
        memory: int,
        on_event: Callable[[WorkerProcess, Event], None],
        on_exit: Callable[[WorkerProcess, int], None],
    ) -> None:
        self.fault = ""
        self._on_event = on_event
        self._on_exit = on_exit
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        options = {"--parent": str(os.getpid()), "--memory": str(memory), "--jobs": json.dumps(dict(jobs))}
        self._process = subprocess.Popen(
            # -P: not the folder that the server happens to run in, but what it can import itself, see `environment`.
            [sys.executable, "-P", "-m", "effviz.worker", *(word for option in options.items() for word in option)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            # Ctrl-C in the server's terminal is the server's to handle.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name="effviz-worker-reader", daemon=True)
        self._reader.start()
        threading.Thread(target=self._write, name="effviz-worker-writer", daemon=True).start()

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._process.pid

    def send(self, line: bytes) -> None:
        """Write a request, as soon as the child reads."""
        self._lines.put(line)

    def kill(self) -> None:
        """End the child and whatever it has started; `on_exit` follows."""
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                # Until the reading thread has reaped it, the number can belong to nobody else.
                os.killpg(self.pid, signal.SIGKILL)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the child is gone and `on_exit` has returned."""
        self._reader.join(timeout)

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            with self._process.stdout as events:
                while line := events.readline(MAX_LINE):
                    self._on_event(self, decode_event(line))
        except ProtocolError as error:
            self.fault = f"it said something unreadable: {error}"
            _logger.warning("the torch process is ended, %s", self.fault)
        finally:
            self.kill()
            self._lines.put(None)
            self._on_exit(self, self._process.wait())

    def _write(self) -> None:
        assert self._process.stdin is not None
        # The child may go at any time; that is noticed where it is read.
        with suppress(OSError), self._process.stdin as requests:
            while line := self._lines.get():
                requests.write(line)
                requests.flush()


def environment() -> dict[str, str]:
    """The child's environment: it can import what its parent can, and torch starts with one thread."""
    paths = [path or os.getcwd() for path in sys.path] + [str(Path(__file__).parents[2])]  # noqa: PTH109 -- text
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
