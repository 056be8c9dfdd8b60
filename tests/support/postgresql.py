"""A PostgreSQL server of Debian's packages, in a temporary folder and for one test."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from server import free_port

_USER = "postgres"


def require_postgresql() -> Path:
    """Return the folder of the server's programs; without it, skip the test or, where all is required, fail it."""
    found = shutil.which("initdb") or max(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), default="")
    if found:
        return Path(found).resolve().parent
    problem = "PostgreSQL is not installed: apt-get install postgresql"
    if os.environ.get("CI") or os.environ.get("EFFVIZ_REQUIRE_BROWSER"):
        pytest.fail(problem, pytrace=False)
    pytest.skip(problem)


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Start a server with one database, and yield its URL."""
    programs, port = require_postgresql(), free_port()
    # PostgreSQL refuses to run as root. Its package has a user for it.
    as_user = ["runuser", "-u", _USER, "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="effviz-pg-") as name:
        folder = Path(name)
        if as_user:
            shutil.chown(folder, _USER)
        data, log = folder / "data", folder / "log"

        def run(program: str, *arguments: str) -> None:
            # The server inherits standard output, so a pipe would never end.
            with tempfile.TemporaryFile() as out:
                command = [*as_user, str(programs / program), *arguments]
                done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)
                out.seek(0)
                assert done.returncode == 0, out.read().decode()

        run("initdb", "--pgdata", str(data), "--username", "effviz", "--auth", "trust", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "--pgdata", str(data), "--log", str(log), "--options", options, "--wait", "start")
        try:
            yield f"postgresql://effviz@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "--pgdata", str(data), "--mode", "immediate", "--wait", "stop")
