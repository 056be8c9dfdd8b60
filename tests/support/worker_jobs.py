"""Jobs for the torch process of the tests, including stuck, crashing and failing ones; see `test_worker`."""

from __future__ import annotations

import fcntl
import os
import re
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from effviz import DesignError
from effviz.core.errors import Cancelled

JOBS = {
    name: f"worker_jobs:{name}"
    for name in (
        "echo",
        "nap",
        "clocked",
        "give_up",
        "deaf",
        "stuck",
        "fill_memory",
        "die",
        "leave",
        "fail",
        "refuse",
        "babble",
        "chat",
        "answer_nan",
        "answer_nothing",
    )
} | {"missing": "worker_jobs_that_are_not_there:job"}

Progress = Callable[[float, str], None]
Asked = Callable[[], bool]
Answer = dict[str, Any]


def echo(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    return payload | {"pid": os.getpid()}


def nap(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    """Sleep in steps; return early when cancelled, which counts as stopped."""
    steps = max(1, round(payload["seconds"] / 0.01))
    for step in range(steps):
        progress(step / steps, f"Step {step}")
        if cancelled():
            break
        time.sleep(0.01)
    return {}


def clocked(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    """Return its start and its end, on the clock that all processes of the machine share."""
    start = time.monotonic()
    nap(payload, progress, cancelled)
    return {"start": start, "end": time.monotonic()}


def give_up(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    while not cancelled():
        time.sleep(0.01)
    raise Cancelled


def deaf(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    """Never check whether it is cancelled."""
    progress(0.0, "Sleeping")
    time.sleep(600)
    return {}


def stuck(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    """Hold the interpreter lock, so that the thread that reads requests never runs."""
    re.match(r"(a+)+$", "a" * 60 + "b")
    return {}


def fill_memory(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    """Run out of memory with torch's error, Python's exception, or in small steps."""
    import torch

    if payload["way"] == "torch":
        torch.zeros(2**40)
    elif payload["way"] == "python":
        bytearray(2**40)
    else:
        kept = []
        while True:
            kept.append(torch.ones(2**22))
    return {}


def die(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    os.kill(os.getpid(), payload["signal"])
    time.sleep(600)
    return {}


def leave(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    sys.exit(3)


def fail(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    raise KeyError("missing")


def refuse(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    raise DesignError("groups = 3 must divide in_channels = 64", path="stem.conv")


def babble(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    """Write to every outgoing pipe of the process, one of which is the protocol's."""
    for entry in Path("/proc/self/fd").iterdir():
        descriptor = int(entry.name)
        try:
            is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
            writes = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
        except OSError:
            continue
        if descriptor > 2 and is_pipe and writes:
            for _ in range(payload["times"]):
                os.write(descriptor, payload["text"].encode())
    time.sleep(600)
    return {}


def chat(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    """Print like a library, and read standard input."""
    print("hello from a library")
    os.write(1, b'{"id": 1, "event": "result", "value": {}}\n')
    return {"read": sys.stdin.readline()}


def answer_nan(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    return {"value": float("nan")}


def answer_nothing(payload: Answer, progress: Progress, cancelled: Asked) -> Answer:
    return None  # type: ignore[return-value]
