"""The torch process: reads requests from its standard input, runs one job at a time, reports on its standard output.

It ends with the process that started it: its input then ends, which a thread of its own waits for, and on Linux the
kernel kills it, even while a job holds the interpreter.
"""

from __future__ import annotations

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

from effviz.core.errors import Cancelled, DesignError
from effviz.core.units import binary
from effviz.worker.jobs import JOBS, load
from effviz.worker.protocol import (
    CANCEL,
    MAX_LINE,
    Event,
    ProtocolError,
    Request,
    decode_request,
    encode_event,
)

PROGRESS_EVERY_S = 0.1
# Over the zoo at batch 1 to 32, each measurement leaves some 50 MB behind that are free, but lie between what is not.
WORN_SHARE = 0.25
_OUT_OF_MEMORY = ("allocate memory", "not enough memory", "out of memory", "bad_alloc")
_logger = logging.getLogger("effviz.worker")


class Server:
    """Does what the requests ask for, in their order.

    Args:
        requests, events: the two streams of the protocol.
        jobs: what can be asked for, see `effviz.worker.jobs`.
        memory: limit in bytes, for the message of a job that meets it; None without one.
    """

    def __init__(
        self, requests: BinaryIO, events: BinaryIO, jobs: Mapping[str, str] = JOBS, memory: int | None = None
    ) -> None:
        self._requests = requests
        self._events = events
        self._jobs = jobs
        self._memory = memory
        self._fresh = 0
        self._waiting: SimpleQueue[tuple[Request, threading.Event]] = SimpleQueue()
        self._stops: dict[int, threading.Event] = {}
        self._writing = threading.Lock()

    def run(self) -> None:
        """Serve until the requests end; this ends the process."""
        threading.Thread(target=self._read, daemon=True).start()
        try:
            import torch

            from effviz.backend import timing  # noqa: F401 -- so that the first measurement finds it imported
        except ImportError as error:
            self._say(None, "error", reason="start", message=f"torch cannot be imported: {error}")
            raise
        # What is there now stays: collecting garbage after every job need not look at it, which would take 0.1 s.
        gc.freeze()
        self._fresh = _data_size()
        self._say(None, "ready", torch=str(torch.__version__), python=platform.python_version())
        while True:
            request, stop = self._waiting.get()
            self._do(request, stop)
            del self._stops[request.id]

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
        # Nobody is left to hear of a job that still runs.
        os._exit(0)

    def _do(self, request: Request, stop: threading.Event) -> None:
        self._say(request.id, "started")
        outcome = self._outcome(request, stop)
        _free_memory()
        # Before the outcome: with that, the next request is on its way.
        if self._is_worn():
            self._say(None, "worn")
        self._send(outcome)

    def _outcome(self, request: Request, stop: threading.Event) -> bytes:
        """Run one job; whatever it does short of ending the process is survived and becomes an event."""
        number = request.id
        try:
            value = load(request.kind, self._jobs)(request.payload, self._reporter(number), stop.is_set)
            if stop.is_set():
                raise Cancelled
            return _line(number, "result", value=value)
        except Cancelled:
            return _line(number, "cancelled")
        except DesignError as error:
            return _line(number, "error", reason="design", message=str(error))
        except Exception as error:
            if isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY):
                # Foreseen: the limit is there for this.
                _logger.warning("job %s: out of memory", request.kind)
                limit = f": it needs more than the limit of {binary(self._memory)}" if self._memory else ""
                return _line(number, "error", reason="memory", message=f"Out of memory{limit}.")
            _logger.exception("job %s failed", request.kind)
            return _line(number, "error", reason="job", message=f"{type(error).__name__}: {error}")

    def _is_worn(self) -> bool:
        """Whether the heap holds on to so much of the limit, in pieces, that a new process is better than this one."""
        return self._memory is not None and _data_size() - self._fresh > WORN_SHARE * self._memory

    def _reporter(self, job: int) -> Callable[[float, str], None]:
        """What the job calls; events go out ten times a second at most, so that reporting disturbs no measurement."""
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
    """Bytes that count against the limit; 0 where there is none."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmData:"):
                return 1024 * int(line.split()[1])
    return 0


def _free_memory() -> None:
    """Give back what the last job took, so that the next one has the whole limit again."""
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
        # It may have ended before the call.
        if os.getppid() != parent:
            os._exit(0)


def _limit_memory(size: int) -> None:
    """Let allocations beyond `size` bytes fail, in numpy, torch and Python alike.

    The limit on the address space would count torch's libraries as well and break its import.
    """
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        size = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """The streams of the protocol, where nothing else can reach them.

    What libraries print goes to the standard error; what they would read is empty.
    """
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 -- descriptors, not paths
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, events


def main(arguments: list[str] | None = None) -> None:
    """``python -m effviz.worker``."""
    parser = argparse.ArgumentParser(prog="python -m effviz.worker", description=__doc__)
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process to end with")
    parser.add_argument("--memory", type=int, help="limit in bytes; none by default")
    parser.add_argument("--jobs", type=json.loads, default=JOBS, help="JSON object, kind: module:function")
    options = parser.parse_args(arguments)
    _end_with(options.parent)
    if options.memory:
        _limit_memory(options.memory)
    logging.basicConfig(format="effviz worker: %(message)s")
    Server(*_take_streams(), options.jobs, options.memory).run()
