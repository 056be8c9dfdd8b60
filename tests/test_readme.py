"""The code of the README runs, and its numbers equal those of the engine."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import effviz
from effviz.studies.prediction import ENTRIES
from effviz.ui.navigation import PAGES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", "")
    blocks = "\n".join(re.findall(r"```python\n(.*?)```", README, flags=re.S))
    test = doctest.DocTestParser().get_doctest(blocks, {}, "README.md", "README.md", 0)
    assert len(test.examples) > 10
    runner = doctest.DocTestRunner()
    runner.run(test)
    assert runner.failures == 0


def test_zoo_table_is_complete_and_exact() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", README, flags=re.M)
    printed = {name: tuple(int(cell.replace(",", "")) for cell in cells) for name, *cells in rows}
    reports = {name: effviz.analyze(effviz.architecture(name)) for name in effviz.list_architectures()}
    assert printed == {
        name: (report.resolution, report.params, report.macs, report.memory_access, report.peak_activation)
        for name, report in reports.items()
    }


def test_table_of_pages_is_complete() -> None:
    named = re.findall(r"^\| ([A-Z]\w[\w ]+) \| [A-Z]", README, flags=re.M)
    assert named == [entry.title for entry in PAGES if entry.url_path]
    assert f"the speed of {len(ENTRIES)} networks" in README


def test_pictures_and_files_exist() -> None:
    named = [*re.findall(r"\]\(([^)#]+)\)", README), "requirements.txt", "app.py", "Makefile"]
    missing = [path for path in named if not path.startswith("http") and not (ROOT / path).exists()]
    assert not missing


def test_torch_version_is_the_pinned_one() -> None:
    pinned = re.search(r"^torch==(\S+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), flags=re.M)
    assert pinned is not None
    assert set(re.findall(r"torch==(\S+)", README)) == {pinned[1]}


def test_package_docstring_runs() -> None:
    assert doctest.testmod(effviz).failed == 0


def test_commands_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    named = set(re.findall(r"(?:^|`)make ([\w-]+)", README, flags=re.M))
    assert named
    assert named <= targets


def test_every_fault_has_a_test() -> None:
    rows = re.findall(r"\| `([\w/]+\.py)::(\w+)` \|$", README, flags=re.M)
    assert len(rows) > 20
    for file, name in rows:
        assert f"\ndef {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), f"{file}::{name}"
