"""The app in a separate process, as `streamlit run app.py` starts it, for tests and benchmarks."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Server:
    """A running app: its address and its log."""

    url: str
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def cpu_s(self) -> float:
        """CPU time of the server so far, user and system, without the torch process; Linux counts it in 10 ms."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def resident_mb(self) -> float:
        """Memory of the server."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_server(
    *options: str,
    env: dict[str, str] | None = None,
    seconds: float = 180,
    folder: Path = ROOT,
    address: str = "127.0.0.1",
) -> Iterator[Server]:
    """Start `streamlit run app.py` in a folder, wait until it is healthy, and end it with all its processes.

    Without an `address`, the configuration of the app decides.
    """
    port = free_port()
    place = [f"--server.port={port}", *([f"--server.address={address}"] if address else [])]
    with tempfile.NamedTemporaryFile(prefix="effviz-server-", suffix=".log") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *place, *options],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group, ended as a whole below
        )
        server = Server(f"http://127.0.0.1:{port}", process, Path(log.name))
        try:
            _wait_until_healthy(server, seconds)
            yield server
        finally:
            _end_group(process)


def _wait_until_healthy(server: Server, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended with code {server.process.returncode}; its log:\n{server.log}")
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:  # not listening yet, or not answering
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"the server was not healthy after {seconds:g} s; its log:\n{server.log}")
        time.sleep(0.05)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):  # all of them have ended
            os.killpg(process.pid, signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
