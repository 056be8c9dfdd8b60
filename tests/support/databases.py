"""Database servers of Debian's packages, in a temporary folder and for one test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from server import free_port


class Database(NamedTuple):
    """The commands of a server. ``{folder}`` and ``{port}`` are replaced."""

    package: str
    user: str  # of the package, because the servers refuse to run as root
    create: str
    serve: str
    ready: str  # succeeds when the server answers
    url: str


DATABASES = {
    "postgresql": Database(
        "postgresql",
        "postgres",
        "initdb --pgdata={folder}/data --username=effviz --auth=trust --no-sync",
        "postgres -D {folder}/data -c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} "
        "-c fsync=off",
        "pg_isready --host=127.0.0.1 --port={port}",
        "postgresql://effviz@127.0.0.1:{port}/postgres",
    ),
    "mysql": Database(
        "mariadb-server",
        "mysql",
        "mariadb-install-db --no-defaults --datadir={folder}/data --auth-root-authentication-method=normal",
        "mariadbd --no-defaults --datadir={folder}/data --bind-address=127.0.0.1 --port={port} "
        "--socket={folder}/socket --innodb-flush-log-at-trx-commit=0",
        "mariadb-admin --no-defaults --host=127.0.0.1 --port={port} --user=root ping",
        "mysql://root@127.0.0.1:{port}/test",
    ),
}


def _command(name: str, line: str, **values: object) -> list[str]:
    """Return a command; without its program, skip the test or, where all is required, fail it."""
    program, *arguments = line.format(**values).split()
    folders = [os.environ["PATH"], "/usr/sbin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))[::-1])]
    found = shutil.which(program, path=os.pathsep.join(folders))
    if found:
        return [found, *arguments]
    problem = f"{program} is not installed: apt-get install {DATABASES[name].package}"
    if os.environ.get("CI") or os.environ.get("EFFVIZ_REQUIRE_BROWSER"):
        pytest.fail(problem, pytrace=False)
    pytest.skip(problem)


@contextmanager
def running_database(name: str) -> Iterator[str]:
    """Start a server of `DATABASES` with one empty database, and yield its URL."""
    database, port = DATABASES[name], free_port()
    with tempfile.TemporaryDirectory(prefix="effviz-db-") as folder, tempfile.TemporaryFile() as log:
        values = {"folder": folder, "port": port}
        create, serve, ready = (
            _command(name, line, **values) for line in (database.create, database.serve, database.ready)
        )
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, "cwd": folder}
        if os.geteuid() == 0:
            shutil.chown(folder, database.user)
            options |= {"user": database.user, "group": database.user, "extra_groups": []}

        def printed() -> str:
            log.seek(0)
            return log.read().decode()

        assert subprocess.run(create, **options).returncode == 0, printed()
        with subprocess.Popen(serve, **options) as server:
            try:
                deadline = time.monotonic() + 60
                while subprocess.run(ready, **options).returncode != 0:
                    assert server.poll() is None, printed()
                    assert time.monotonic() < deadline, printed()
                    time.sleep(0.1)
                yield database.url.format(port=port)
            finally:
                # Both servers end at once; PostgreSQL would wait for clients after SIGTERM.
                server.send_signal(signal.SIGQUIT)
