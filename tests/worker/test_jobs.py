"""The kinds of job: every module of `effviz.worker.jobs` is one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from effviz import UnknownNameError
from effviz.worker import jobs

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_is_a_job() -> None:
    files = Path(jobs.__file__).parent.glob("[!_]*.py")
    assert sorted(jobs.JOBS) == sorted(file.stem for file in files) == ["crosscheck", "diagram", "latency"]
    for kind in jobs.JOBS:
        assert jobs.load(kind, jobs.JOBS).__module__ == f"effviz.worker.jobs.{kind}"


def test_an_unknown_kind_lists_the_choices() -> None:
    with pytest.raises(UnknownNameError, match=r"^kind = 'sing' is unknown\. Choices: crosscheck, diagram, latency$"):
        jobs.load("sing", jobs.JOBS)


def test_listing_the_kinds_imports_no_job() -> None:
    code = "import sys, effviz.worker.jobs as jobs; assert jobs.JOBS; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)
