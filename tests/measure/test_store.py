"""Files of measurements: which ones are believed, how many are kept, and that several processes share them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from latencies import SOME

import effviz
from effviz.measure import latency, store
from effviz.measure.latency import Latency, cached, remember

TINY = effviz.architecture("mobilenet_v1", width_mult=0.25, resolution=32)
OTHER = effviz.architecture("mobilenet_v1", width_mult=0.5, resolution=32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    latency._remembered.clear()
    yield tmp_path / "latency"
    latency._remembered.clear()


@pytest.fixture
def file(folder: Path) -> Path:
    """The file of a stored measurement, which is not in memory."""
    remember(TINY, Latency(**SOME))
    latency._remembered.clear()
    (stored,) = folder.iterdir()
    return stored


def shifted(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"min_ms": 0.0}, "must be greater than 0 and ascending"),
        ({"median_ms": 0.0}, "must be greater than 0 and ascending"),
        ({"min_ms": 10.5}, "must be greater than 0 and ascending"),
        ({"p90_ms": 9.9}, "must be greater than 0 and ascending"),
        ({"median_ms": 1e-300}, "must be greater than 0 and ascending"),
        ({"median_ms": float("inf")}, "must be finite"),
        ({"measured_at": shifted(days=1)}, "must not be in the future"),
        ({"measured_at": shifted(days=400_000)}, "must not be in the future"),
        ({"measured_at": "9999-12-31T23:59:59-23:59"}, "must not be in the future"),
        ({"measured_at": "2026-01-31T12:00:00"}, "must be an ISO 8601 time with a time zone"),
        ({"resolution": 64}, "must be those of the file's name"),
        ({"batch_size": 2}, "must be those of the file's name"),
        ({"threads": 2}, "must be that of the environment"),
        ({"environment": latency.environment(2)}, "must be those of the file's name"),
        ({"environment": latency.environment() | {"cpu": "another"}}, "must be those of the file's name"),
        ({"environment": latency.environment() | {"cpu": "x" * 11_000}}, "more than 10000 bytes"),
    ],
)
def test_an_entry_with_wrong_content_is_ignored_with_one_line(
    file: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], problem: str
) -> None:
    content = json.loads(file.read_text())
    content["latency"] |= changes
    file.write_text(json.dumps(content))
    for _ in range(3):
        assert cached(TINY) is None
    (record,) = caplog.records
    assert problem in record.getMessage()
    remember(TINY, Latency(**SOME))
    latency._remembered.clear()
    assert cached(TINY) == Latency(**SOME)


def test_an_entry_of_another_network_is_ignored(file: Path, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.rename(folder / f"{latency.fingerprint(OTHER)}.json")
    assert cached(OTHER) is None
    assert "must be those of the file's name" in caplog.text


@pytest.mark.parametrize("content", [{}, [], None, 3, {"network": "x"}, {"network": ["x"], "latency": SOME}, SOME])
def test_other_json_is_ignored(file: Path, content: Any, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text(json.dumps(content))
    assert cached(TINY) is None
    assert len(caplog.records) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_not_a_file_is_ignored(file: Path, make: Any, caplog: pytest.LogCaptureFixture) -> None:
    file.unlink()
    make(file)
    assert cached(TINY) is None
    assert len(caplog.records) == 1


def test_an_entry_of_now_is_believed(file: Path) -> None:
    remember(TINY, Latency(**(SOME | {"measured_at": shifted()})))
    latency._remembered.clear()
    assert cached(TINY) is not None


# --- eviction ---------------------------------------------------------------------------------------------------------


def made(folder: Path, number: int, *, days: float, size: int = 100) -> Path:
    path = folder / f"{number:064x}.json"
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - days * 86_400,) * 2)
    return path


def test_old_entries_are_deleted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE_DAYS", "10")
    folder.mkdir()
    entries = [made(folder, days, days=days) for days in (1, 9, 11, 900)]
    foreign = made(folder, 5, days=900).rename(folder / "mine.json")
    (folder / ".a1b2c3d4").touch()  # a temporary file of an earlier version
    store.evict(folder)
    assert sorted(folder.iterdir()) == sorted([*entries[:2], foreign])


def test_the_oldest_of_too_many_entries_are_deleted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE_MB", "1")
    folder.mkdir()
    entries = [made(folder, days, days=days) for days in range(300)]
    store.evict(folder)
    assert sorted(folder.iterdir()) == sorted(entries[: 10**6 // 4_096])


def test_many_writes_evict(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE_MB", "1")
    for number in range(400):
        store.write(folder, f"{number:064x}", {})
    assert len(list(folder.iterdir())) <= 10**6 // 4_096 + store.EVICT_EVERY


# --- several processes ------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from effviz.measure import latency, store

content = {"network": "x" * 500, "latency": {}}
folder, most = Path(sys.argv[1]), 3_000


def kill_at(number):
    events = 0

    def count(*_):
        nonlocal events
        events += 1
        if events == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


for number in range(1, most):  # a process that is killed at every call of a Python or C function
    if (child := os.fork()) == 0:
        kill_at(number)
        store.write(folder, "0" * 64, content)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
print(number)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no SIGKILL")
def test_a_killed_writer_leaves_no_temporary_file(folder: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(folder)]
    kills = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) - 1
    assert 20 < kills < 2_000, "the last writer was not killed"
    assert [path.name for path in folder.iterdir()] == ["0" * 64 + ".json"]
    assert store.read(folder, "0" * 64) == {"network": "x" * 500, "latency": {}}


def test_a_server_and_a_command_line_share_entries(folder: Path, file: Path) -> None:
    """Another process reads what this one has stored, and stores what this one reads."""
    code = (
        "import effviz\n"
        "from effviz.measure.latency import cached, remember\n"
        "tiny = effviz.architecture('mobilenet_v1', width_mult=0.25, resolution=32)\n"
        "other = effviz.architecture('mobilenet_v1', width_mult=0.5, resolution=32)\n"
        "remember(other, cached(tiny))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert cached(OTHER) == Latency(**SOME)
    assert len(list(folder.iterdir())) == 2


def test_searches_have_a_separate_folder(folder: Path) -> None:
    searches = store.cache_folder("search")
    assert searches == folder.parent / "search"
    searches.mkdir(parents=True)
    old, lock, other = (searches / name for name in (f"{'0' * 64}.log", f"{'0' * 64}.log.lock", "command_line.log"))
    for file in (old, lock, other):
        file.write_text("x")
        os.utime(file, (0, 0))
    store.evict(searches)
    assert sorted(searches.iterdir()) == [other], "a study of the command line is never deleted"
