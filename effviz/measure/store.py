"""Files of measurements in a folder that several servers and command lines share.

A file is written at once under its final name, so that a killed process leaves no temporary file behind. Readers must
check the content: a file may be incomplete, of an earlier version, or written by another program.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import platformdirs

from effviz.core import settings
from effviz.core.caches import remembered

MAX_BYTES = 10_000
# Old and excess files are deleted at the first write of a process and then at every 64th.
EVICT_EVERY = 64
# A file takes at least a block of the disk.
_BLOCK = 4_096
# Files of measurements and of searches, and temporary files of earlier versions.
_OWN = re.compile(r"[0-9a-f]{64}\.(json|log|log\.lock)|\.\w{8}")
_MEASURED = re.compile(r"[0-9a-f]{64}\.json")
_HOME = ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "USERPROFILE")
_writes = count()
# Time of the last change of the folder when a file was missing, by folder and key.
_missing: dict[tuple[Path, str], int] = {}
_MOST_MISSING = 10_000
_ROUNDED_NS = 2_000_000_000
_logger = logging.getLogger(__name__)


def cache_folder(name: str = "latency") -> Path | None:
    """Return the folder of stored latencies or of another `name`, or None for in-memory storage only.

    It is in ``EFFVIZ_CACHE`` if that is set (None if it is empty), otherwise in the user's cache folder.
    """
    chosen = settings.CACHE.value
    if chosen is not None:
        return _chosen_folder(chosen, name) if chosen else None
    return _user_folder(name, *map(os.environ.get, _HOME))


# A page looks for a hundred networks at once, and platformdirs takes a tenth of a millisecond.
@remembered
def _chosen_folder(chosen: str, name: str) -> Path:
    return Path(chosen) / name


@remembered
def _user_folder(name: str, *_: str | None) -> Path | None:
    """Return the folder of this user, which depends on the variables in `_HOME`."""
    try:
        return platformdirs.user_cache_path("effviz", appauthor=False, opinion=False) / name
    except RuntimeError:  # there is no home folder
        return None


def read(folder: Path, key: str) -> Any:
    """Return the content of a file.

    Raises:
        OSError: it does not exist or cannot be read.
        ValueError, RecursionError: it is not JSON, too large, or not a file.
    """
    # A page looks for many networks at every move. While the folder does not change, a missing file stays missing.
    changed = folder.stat().st_mtime_ns
    if _missing.get((folder, key)) == changed:
        raise FileNotFoundError(key)
    # Opening a named pipe would wait for a writer.
    try:
        handle = os.open(folder / f"{key}.json", os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        # The time is rounded, so a folder that has changed just now may change again without a new time.
        if time.time_ns() - changed > _ROUNDED_NS:
            if len(_missing) >= _MOST_MISSING:
                _missing.clear()
            _missing[folder, key] = changed
        raise
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is not a file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    return json.loads(data)


def keys(folder: Path) -> list[str]:
    """Return the keys of all files in a folder; none if it cannot be read."""
    try:
        return [file.name.removesuffix(".json") for file in os.scandir(folder) if _MEASURED.fullmatch(file.name)]
    except OSError:
        return []


def write(folder: Path, key: str, content: Any) -> None:
    """Replace a file.

    Raises:
        OSError: it cannot be written.
    """
    data, file = json.dumps(content, allow_nan=False).encode(), folder / f"{key}.json"
    folder.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return  # another process has just written it
    try:
        if os.write(handle, data) != len(data):
            raise OSError("no space left")
    except OSError:
        file.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    if next(_writes) % EVICT_EVERY == 0:
        evict(folder)


def evict(folder: Path) -> None:
    """Delete files of a folder that are too old, and then the oldest ones until the rest is small enough."""
    oldest = time.time() - 86_400 * settings.CACHE_DAYS.value
    left = settings.CACHE_MB.value * 10**6
    found = []
    for file in os.scandir(folder):
        if _OWN.fullmatch(file.name):
            with suppress(FileNotFoundError):  # another process has deleted it
                found.append((file.stat(follow_symlinks=False), Path(file.path)))
    for status, path in sorted(found, key=lambda each: each[0].st_mtime, reverse=True):
        left -= max(status.st_size, _BLOCK)
        if status.st_mtime < oldest or left < 0 or path.name.startswith("."):
            with suppress(OSError):  # another process has deleted it, or another user owns it
                path.unlink()


@remembered
def report_ignored(file: Path, problem: str) -> None:
    """Log once why a file is ignored."""
    # A key that a caller made up can have any length.
    _logger.warning("ignored the stored latency %.300s: %.300s", file, problem)
