"""The torch process: requests on standard input, one job at a time, events on standard output.

It exits with its parent process: the reading thread exits at the end of its input, and on Linux the kernel kills it,
even while a job holds the interpreter lock.
"""

import argparse
import gc
import json
import logging
import os
import platform
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from effviz.core import settings
from effviz.core.errors import Cancelled, DesignError
from effviz.core.units import binary
from effviz.worker.jobs import JOBS, load
from effviz.worker.machine_lock import MachineLock
from effviz.worker.protocol import CANCEL, MAX_LINE, Event, ProtocolError, Request, decode_request, encode_event

PROGRESS_EVERY_S = 0.1
# Over the zoo at batch 1 to 32, each measurement leaves about 50 MB of free but fragmented memory.
WORN_SHARE = 0.25
_PLAIN_NICENESS = 10  # so that the server, which answers the moves of all visitors, has the first turn
_OUT_OF_MEMORY = ("allocate memory", "not enough memory", "out of memory", "bad_alloc")
_logger = logging.getLogger("effviz.worker")


class Server:
    """Runs the requested jobs in order.

    Args:
        requests, events: the two streams of the protocol.
        jobs: functions by kind, see `effviz.worker.jobs`.
        memory: limit in bytes, for error messages; None without a limit.
        torch: whether jobs use torch, which is then imported first. Jobs of several servers on a machine run in turn.
    """

    def __init__(
        self,
        requests: BinaryIO,
        events: BinaryIO,
        jobs: Mapping[str, str] = JOBS,
        memory: int | None = None,
        *,
        torch: bool = True,
    ) -> None:
        self._requests = requests
        self._events = events
        self._jobs = jobs
        self._memory = memory
        self._torch = torch
        self._lock = MachineLock((torch and settings.LOCK.value) or "")
        self._fresh = 0
        self._waiting: SimpleQueue[tuple[Request, threading.Event]] = SimpleQueue()
        self._stops: dict[int, threading.Event] = {}
        self._writing = threading.Lock()

    def run(self) -> None:
        """Serve until the requests end, which exits the process."""
        threading.Thread(target=self._read, daemon=True).start()
        version = self._import_torch() if self._torch else ""
        # Excludes torch's objects from garbage collection, which would take 0.1 s after every job.
        gc.freeze()
        self._fresh = _data_size()
        self._say(None, "ready", torch=version, python=platform.python_version())
        while True:
            request, stop = self._waiting.get()
            outcome = self._outcome(request, stop)
            if self._torch:
                _free_memory()
            # Fragmented memory may take so much of the limit that the next job needs a new process. This is sent before
            # the outcome, after which the manager sends the next request.
            if self._memory is not None and _data_size() - self._fresh > WORN_SHARE * self._memory:
                self._say(None, "worn")
            self._send(outcome)
            del self._stops[request.id]

    def _import_torch(self) -> str:
        """Import torch before the first measurement, and return its version."""
        try:
            import torch

            from effviz.backend import timing  # noqa: F401
        except ImportError as error:
            self._say(None, "error", reason="start", message=f"torch cannot be imported: {error}")
            raise
        return str(torch.__version__)

    def _read(self) -> None:
        while line := self._requests.readline(MAX_LINE):
            try:
                request = decode_request(line)
            except ProtocolError as error:
                self._say(None, "error", reason="job", message=f"unreadable request: {error}")
                continue
            if request.kind != CANCEL:
                stop = self._stops[request.id] = threading.Event()
                self._waiting.put((request, stop))
            elif asked := self._stops.get(request.id):
                asked.set()
        # The parent has exited, so a running job has no receiver.
        os._exit(0)

    def _outcome(self, request: Request, stop: threading.Event) -> bytes:
        """Run one job and return its last event; exceptions become events."""
        number, report = request.id, self._reporter(request.id)
        try:
            with self._lock.turn(report, stop.is_set):
                self._say(number, "started")
                value = load(request.kind, self._jobs)(request.payload, report, stop.is_set)
            if stop.is_set():
                raise Cancelled
            return _line(number, "result", value=value)
        except Cancelled:
            return _line(number, "cancelled")
        except DesignError as error:
            return _line(number, "error", reason="design", message=str(error))
        except Exception as error:
            if isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY):
                # Expected at the limit, so without a traceback.
                _logger.warning("job %s: out of memory", request.kind)
                limit = f": it needs more than the limit of {binary(self._memory)}" if self._memory else ""
                return _line(number, "error", reason="memory", message=f"Out of memory{limit}.")
            _logger.exception("job %s failed", request.kind)
            return _line(number, "error", reason="job", message=f"{type(error).__name__}: {error}")

    def _reporter(self, job: int) -> Callable[[float, str], None]:
        """Return the progress function of a job; it sends few events, so that measurements are undisturbed."""
        latest = float("-inf")

        def progress(fraction: float, message: str) -> None:
            nonlocal latest
            if time.monotonic() - latest >= PROGRESS_EVERY_S:
                latest = time.monotonic()
                self._say(job, "progress", fraction=min(1.0, max(0.0, float(fraction))), message=message)

        return progress

    def _say(self, job: int | None, event: str, **data: Any) -> None:
        self._send(_line(job, event, **data))

    def _send(self, line: bytes) -> None:
        with self._writing:
            self._events.write(line)
            self._events.flush()


def _line(job: int | None, event: str, **data: Any) -> bytes:
    return encode_event(Event(job, event, data))


def _data_size() -> int:
    """Return the bytes that count towards the limit; 0 on systems without one."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmData:"):
                return 1024 * int(line.split()[1])
    return 0


def _free_memory() -> None:
    """Return the memory of the last job to the system."""
    gc.collect()
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError):  # musl has no such function, and no such heap
            ctypes.CDLL(None).malloc_trim(0)


def _end_with(parent: int) -> None:
    """Let the kernel kill this process when the thread that started it ends (Linux)."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        # The parent may have exited before the call.
        if os.getppid() != parent:
            os._exit(0)


def _limit_memory(size: int) -> None:
    """Make allocations beyond `size` bytes fail, in numpy, torch and Python.

    A limit of the address space would include torch's libraries and break its import.
    """
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        size = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the streams of the protocol on private descriptors.

    Output of libraries is redirected to standard error, and standard input is empty for them.
    """
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 -- descriptors, not paths
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, events


def main(arguments: list[str] | None = None) -> None:
    """Run ``python -m effviz.worker``."""
    parser = argparse.ArgumentParser(prog="python -m effviz.worker", description=__doc__)
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process whose exit ends this one")
    parser.add_argument("--memory", type=int, help="limit in bytes; none by default")
    parser.add_argument("--jobs", type=json.loads, default=JOBS, help="JSON object, kind: module:function")
    parser.add_argument("--plain", action="store_true", help="do not import torch, and run at a low priority")
    options = parser.parse_args(arguments)
    _end_with(options.parent)
    if options.memory:
        _limit_memory(options.memory)
    if options.plain and sys.platform != "win32":
        os.nice(_PLAIN_NICENESS)
    logging.basicConfig(format="effviz worker: %(message)s")
    Server(*_take_streams(), options.jobs, options.memory, torch=not options.plain).run()
