"""Settings of the tests of the command line."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run commands in a temporary folder, without stored latencies."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EFFVIZ_CACHE", "")
    return tmp_path
