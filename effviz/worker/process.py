"""The torch process as a child: start, send requests, receive events and kill, all without blocking."""

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
    """A child process, a thread that reads its events, and a thread that writes its requests.

    On Linux the child dies with the thread that creates this object.

    Args:
        jobs: functions by kind, see `effviz.worker.jobs`.
        memory: limit in bytes.
        torch: whether the jobs use torch.
        on_event: called from the reading thread with each event.
        on_exit: called once with the return code, after the process has been reaped.

    Attributes:
        fault: the protocol error for which the process was killed; otherwise empty.

    Raises:
        OSError: the system cannot start a process.
    """

    def __init__(
        self,
        jobs: Mapping[str, str],
        memory: int,
        on_event: Callable[[WorkerProcess, Event], None],
        on_exit: Callable[[WorkerProcess, int], None],
        *,
        torch: bool = True,
    ) -> None:
        self.fault = ""
        self._on_event = on_event
        self._on_exit = on_exit
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        options = {"--parent": str(os.getpid()), "--memory": str(memory), "--jobs": json.dumps(dict(jobs))}
        self._process = subprocess.Popen(
            # -P: the import path is `environment`'s, without the current folder.
            [
                *(sys.executable, "-P", "-m", "effviz.worker", *([] if torch else ["--plain"])),
                *(word for option in options.items() for word in option),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            # Ctrl-C in the terminal must reach the server only.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name="effviz-worker-reader", daemon=True)
        self._reader.start()
        threading.Thread(target=self._write, name="effviz-worker-writer", daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def send(self, line: bytes) -> None:
        """Queue a request for writing."""
        self._lines.put(line)

    def kill(self) -> None:
        """Kill the child and its children; `on_exit` follows."""
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                # The system cannot reuse the id before the reading thread has reaped the process.
                os.killpg(self.pid, signal.SIGKILL)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the child has exited and `on_exit` has returned."""
        self._reader.join(timeout)

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            with self._process.stdout as events:
                while line := events.readline(MAX_LINE):
                    self._on_event(self, decode_event(line))
        except ProtocolError as error:
            self.fault = f"invalid message: {error}"
            _logger.warning("the process is killed, %s", self.fault)
        finally:
            self.kill()
            self._lines.put(None)
            self._on_exit(self, self._process.wait())

    def _write(self) -> None:
        assert self._process.stdin is not None
        # The child may exit at any time, which the reading thread handles.
        with suppress(OSError), self._process.stdin as requests:
            while line := self._lines.get():
                requests.write(line)
                requests.flush()


def environment() -> dict[str, str]:
    """Return the child's environment: the import path of this process, and one thread for torch."""
    paths = [path or os.getcwd() for path in sys.path] + [str(Path(__file__).parents[2])]  # noqa: PTH109 -- text
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
