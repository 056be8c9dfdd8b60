"""The command latency: output, errors, interruption."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from command_line import MEASURED, ROOT, TINY, Ran, piped, run, run_process

from effviz.measure import latency
from effviz.measure.latency import Latency, LatencyError


def test_latency_on_this_machine() -> None:
    ran = run_process("latency", "-", "--batch", "2", "--resolution", "48", "--json", stdin=piped(TINY))
    assert (ran.code, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert 0 < found["min_ms"] <= found["median_ms"] <= found["p90_ms"]
    assert (found["name"], found["batch_size"], found["threads"], found["resolution"]) == ("tiny", 2, 1, 48)
    assert found["runs"] >= 5
    assert found["environment"] == latency.environment()
    assert found["noisy"] in (True, False)


@pytest.mark.parametrize(
    ("changes", "noisy"),
    [({}, "no"), ({"iqr_ms": 2.0}, "yes, IQR / median > 0.10"), ({"loaded": True}, "yes, the machine was busy")],
)
def test_latency_as_text(changes: dict[str, Any], noisy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = MEASURED | changes
    monkeypatch.setattr(latency, "measure_latency", lambda *_, **__: Latency(**values))
    assert run("latency", "-", stdin=piped(TINY)) == Ran(
        0,
        "tiny, input 3 x 32 x 32\n"
        "Forward passes of PyTorch on this CPU, random weights, each run timed separately.\n"
        "\n"
        "median           12.5 ms\n"
        "90th percentile  14.0 ms\n"
        f"IQR              {values['iqr_ms']:.2f} ms\n"
        "fastest          12.0 ms\n"
        "runs             80\n"
        f"noisy            {noisy}\n"
        "batch            1\n"
        "cpu              abacus\n"
        "measured at      2026-01-31T12:00:00+00:00\n",
        "",
    )


def test_latency_that_cannot_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Latency:
        raise LatencyError("Stopped after 120 s, its limit.", "timeout")

    monkeypatch.setattr(latency, "measure_latency", refuse)
    expected = Ran(2, "", "effviz: Stopped after 120 s, its limit.\n")
    assert run("latency", "mobilenet_v2") == run("check", "mobilenet_v2", "--max-latency", "1s") == expected


OUT_OF_MEMORY = """
import sys
import effviz.measure.latency
from effviz.cli import main
from effviz.worker import manager

effviz.measure.latency.estimate_bytes = lambda *_: 0
manager._default = manager.Manager(memory_limit=450 * 2**20)
sys.exit(main(["latency", "vgg16", "--batch", "32"]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_torch_process_out_of_memory_prints_one_line() -> None:
    """The log of the torch process, with its traceback, is not printed."""
    done = subprocess.run([sys.executable, "-c", OUT_OF_MEMORY], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "effviz: Out of memory: it needs more than the limit of 450.0 MiB.\n"


def workers(parent: int) -> list[int]:
    """The torch processes that a process has started."""
    wanted = b"effviz.worker\0--parent\0" + str(parent).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("delay", "signals", "code", "message"),
    [
        # While the torch process imports torch, and while it builds or runs the network.
        (0.2, [signal.SIGINT], 130, "effviz: interrupted\n"),
        (3.5, [signal.SIGINT], 130, "effviz: interrupted\n"),
        (0.5, [signal.SIGINT] * 5, 130, "effviz: interrupted\n"),
        (0.5, [signal.SIGTERM], -15, ""),
    ],
    ids=["Ctrl-C", "later", "impatient", "killed"],
)
def test_interrupted_measurement_leaves_no_process(
    delay: float, signals: list[signal.Signals], code: int, message: str
) -> None:
    # Background jobs of a shell, and the processes they start, ignore Ctrl-C by default.
    listening = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); runpy.run_module"
    words = ["latency", "resnet101", "--batch", "4"]
    script = f'{listening}("effviz", run_name="__main__", alter_sys=True)'
    command = [sys.executable, "-c", script, *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while not (mine := workers(process.pid)):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(delay)
        for each in signals:
            process.send_signal(each)
            time.sleep(0.03)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, "", message)
    while any(pid in workers(process.pid) for pid in mine):
        assert time.monotonic() < until
        time.sleep(0.05)
