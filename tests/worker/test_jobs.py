"""The kinds of job: every module of `effviz.worker.jobs` is one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from effviz import Design, Stage, UnknownNameError
from effviz.worker import jobs

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_is_a_job() -> None:
    files = Path(jobs.__file__).parent.glob("[!_]*.py")
    assert sorted(jobs.JOBS) == sorted(file.stem for file in files) == ["crosscheck", "diagram", "latency"]
    for kind in jobs.JOBS:
        assert jobs.load(kind, jobs.JOBS).__module__ == f"effviz.worker.jobs.{kind}"


def test_every_job_takes_height_and_width() -> None:
    """JSON has no pairs, and the worker gets JSON."""
    rows = (Stage("conv", 8, stride=2, name="stem"), Stage("global_avg_pool"), Stage("linear", 10))
    design = Design("wide", rows, resolution=(16, 48), in_channels=2)
    payload = {"design": design.to_json(), "resolution": [24, 40], "batch_size": 1, "threads": 1, "dtype": "float32"}
    found = {
        kind: jobs.load(kind, jobs.JOBS)(json.loads(json.dumps(payload)), lambda *_: None, lambda: False)
        for kind in jobs.JOBS
    }
    assert found["crosscheck"]["explained"]
    assert list(found["crosscheck"]["resolution"]) == [24, 40]
    assert "wide at 24 × 40 px" in found["diagram"]["title"]
    assert found["latency"]["median_ms"] > 0


def test_an_unknown_kind_lists_the_choices() -> None:
    with pytest.raises(UnknownNameError, match=r"^kind = 'sing' is unknown\. Choices: crosscheck, diagram, latency$"):
        jobs.load("sing", jobs.JOBS)


def test_listing_the_kinds_imports_no_job() -> None:
    code = "import sys, effviz.worker.jobs as jobs; assert jobs.JOBS; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)
