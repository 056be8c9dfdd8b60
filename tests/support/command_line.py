"""Run the command line, in this process or in another."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from hypothesis import HealthCheck, settings
from profiles import examples

from effviz import Design, Stage, cli

ROOT = Path(__file__).resolve().parents[2]
TINY = Design(
    "tiny",
    (
        Stage("conv", 16, stride=2, name="stem", depth="fixed"),
        Stage("mbconv", 24, repeats=2, stride=2, name="stage1"),
        Stage("global_avg_pool", name="pool", depth="fixed"),
        Stage("linear", 10, name="classifier", width="classes", depth="fixed"),
    ),
    resolution=32,
)
UNBUILDABLE = Design("bad", (Stage("conv", 8, name="stem"), Stage("conv", 9, groups=3, name="grouped")))
MEASURED: dict[str, Any] = {
    "median_ms": 12.5, "p90_ms": 14.0, "iqr_ms": 0.5, "min_ms": 12.0, "runs": 80, "loaded": False, "batch_size": 1,
    "threads": 1, "resolution": 32, "environment": {"cpu": "abacus"}, "measured_at": "2026-01-31T12:00:00+00:00",
}  # fmt: skip
# Buffered output, as in most shells: the last part is written at exit.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": ""}


class Ran(NamedTuple):
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


def run_process(*arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Ran:
    """Run a command as a shell does."""
    command = [sys.executable, "-m", "effviz", *arguments]
    done = subprocess.run(command, input=stdin, env=ENVIRONMENT | (env or {}), capture_output=True, timeout=120)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def run(*arguments: str, stdin: bytes = b"") -> Ran:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = cli.main(arguments)
    return Ran(code, out.getvalue(), err.getvalue())


def run_json(*arguments: str, stdin: bytes = b"") -> Any:
    """Run a command with ``--json`` and parse its output."""
    ran = run(*arguments, "--json", stdin=stdin)
    assert ran.err == ""
    return json.loads(ran.out)


def piped(design: Design) -> bytes:
    """Return a design for standard input."""
    return design.to_json().encode()


def random_inputs(count: int) -> settings:
    """Return the settings of a random test with this number of examples in the default profile."""
    return settings(
        derandomize=True, deadline=None, max_examples=examples(count), suppress_health_check=list(HealthCheck)
    )
