"""`assets/deploy/serve.py` as a module and as a running program."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from server import ROOT, free_port

SCRIPT = ROOT / "assets" / "deploy" / "serve.py"


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("serve", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


serve = _module()


def require_nginx() -> str:
    """Return the path of nginx; without it, skip the test or, where everything is required, fail it."""
    try:
        return str(serve.find_nginx())
    except SystemExit as error:
        if os.environ.get("CI") or os.environ.get("EFFVIZ_REQUIRE_BROWSER"):
            pytest.fail(f"nginx is required here. {error}", pytrace=False)
        pytest.skip(str(error))


class Replicas:
    """A running `serve.py`: the port for visitors, and the replicas by their number, which is the cookie's value."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log_file: Path) -> None:
        self.port, self.process, self._log_file = port, process, log_file

    @property
    def log(self) -> str:
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def pid(self, number: int) -> int:
        """Return the last process of a replica."""
        return self._last(number)[1]

    def _last(self, number: int) -> tuple[int, int]:
        found = re.findall(rf"^Replica {number}: port (\d+), process (\d+)$", self.log, flags=re.M)[-1]
        return int(found[0]), int(found[1])

    def wait(self) -> None:
        """Wait until both replicas answer, and nginx uses both."""
        deadline = time.monotonic() + 180
        while not all(serve._is_healthy("127.0.0.1", self._last(number)[0]) for number in (1, 2)):
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
        time.sleep(2.1)

    def kill(self, number: int) -> None:
        os.kill(self.pid(number), signal.SIGKILL)

    def until(self, line: str, seconds: float = 180) -> None:
        """Wait for a line of the output."""
        deadline = time.monotonic() + seconds
        while not re.search(line, self.log, flags=re.M):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)


@contextlib.contextmanager
def running_replicas(env: dict[str, str] | None = None) -> Iterator[Replicas]:
    """Start two replicas and nginx as `make serve` does, and end them with Ctrl-C."""
    require_nginx()
    port = free_port()
    with tempfile.NamedTemporaryFile(prefix="effviz-serve-", suffix=".log") as log:
        process = subprocess.Popen(
            [sys.executable, SCRIPT, f"--port={port}", "--address=127.0.0.1"],
            env=os.environ | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        replicas = Replicas(port, process, Path(log.name))
        try:
            replicas.until("^effviz: http://")
            yield replicas
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
