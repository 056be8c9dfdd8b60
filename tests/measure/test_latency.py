"""Measured latencies: their values, invalid arguments, timing, and the store."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from latencies import SOME
from torch import Tensor, nn

import effviz
from effviz import Design, DesignError, Stage
from effviz.backend import timing
from effviz.core import caches
from effviz.core.errors import Cancelled
from effviz.measure import latency
from effviz.measure.latency import Latency, LatencyError, cached, measure_latency, remember, request
from effviz.worker.limits import estimate_bytes, usable_cores
from effviz.worker.manager import Manager, default_manager

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


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder for every test."""
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache" / "latency"
    forget()


def forget() -> None:
    """Clear the latencies in memory, as a new process would start."""
    latency._remembered.clear()


@pytest.fixture(scope="module", autouse=True)
def no_process_left() -> Iterator[None]:
    yield
    default_manager().close()


# --- measuring, in the torch process ------------------------------------------------------------------------------


def test_small_network() -> None:
    found = measure_latency(TINY, 64, batch_size=2)
    assert 0 < found.min_ms <= found.median_ms <= found.p90_ms
    assert found.runs >= 20
    assert (found.resolution, found.batch_size, found.threads) == (64, 2, 1)
    assert found.environment == latency.environment(1, "float32")
    assert found.environment["torch"] == str(torch.__version__) == version("torch")
    assert timedelta(0) <= found.age < timedelta(minutes=1)
    assert cached(TINY, 64, 2) == found
    assert cached(TINY) is None


def test_more_work_takes_longer() -> None:
    small, large = measure_latency(TINY, 32), measure_latency(TINY, 256)
    assert large.median_ms > 2 * small.median_ms


def test_all_usable_cores_and_another_dtype() -> None:
    asked = request(TINY, threads=usable_cores(), dtype="bfloat16")
    found = asked.result()
    assert found.threads == usable_cores()
    assert found.environment["dtype"] == "bfloat16"
    assert cached(TINY, threads=usable_cores(), dtype="bfloat16") == found
    assert cached(TINY, threads=usable_cores()) is None


def test_calls_from_several_threads() -> None:
    found: dict[int, Latency] = {}
    callers = [
        threading.Thread(target=lambda side=side: found.update({side: measure_latency(TINY, side)}))
        for side in (32, 48, 64)
    ]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    assert {side: each.resolution for side, each in found.items()} == {32: 32, 48: 48, 64: 64}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"design": "mobilenet_v2"}, "design = 'mobilenet_v2' must be a Design; effviz.architecture(name) gives one"),
        ({"resolution": 0}, "resolution = 0 must be at least 1"),
        ({"batch_size": 0}, "batch_size = 0 must be at least 1"),
        ({"batch_size": 257}, "batch_size = 257 must be at most 256"),
        ({"batch_size": 1.5}, "batch_size = 1.5 must be an integer"),
        ({"threads": 0}, "threads = 0 must be at least 1"),
        (
            {"threads": usable_cores() + 1},
            f"threads = {usable_cores() + 1} must be at most {usable_cores()}, the number of usable cores",
        ),
        ({"threads": True}, "threads = True must be an integer"),
        (
            {"design": effviz.architecture("alexnet"), "resolution": 16},
            "max_pool2: kernel_size = 3 spans 3 pixels, more than the padded input of 1",
        ),
    ],
)
def test_invalid_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError) as caught:
        measure_latency(**({"design": TINY} | arguments))
    assert str(caught.value) == message


def test_invalid_dtype() -> None:
    with pytest.raises(DesignError, match=r"^dtype = 'int8' must be one of float32, bfloat16, float16$"):
        request(TINY, dtype="int8")


def test_a_design_above_the_memory_limit_starts_no_process() -> None:
    with Manager(memory_limit=2**30) as manager:
        asked = request(effviz.architecture("vgg16"), 1024, 256, manager=manager)
        with pytest.raises(LatencyError) as caught:
            asked.result()
        assert manager.status.process == "off"
    assert caught.value.reason == "memory"
    assert str(caught.value) == "Too large for this machine: needs about 384.9 GiB, the limit is 1.00 GiB."


def test_estimated_memory_is_enough() -> None:
    # Of the zoo, this network needs most memory in addition to its activations.
    design = effviz.architecture("densenet121")
    with Manager(memory_limit=estimate_bytes(effviz.analyze(design, 128), 8)) as manager:
        ticket = request(design, 128, 8, manager=manager).ticket
        while ticket.progress < 0.15 and not ticket.ended:
            time.sleep(0.01)
        assert not ticket.ended, ticket.error


def test_timeout_and_cancellation() -> None:
    slow = effviz.architecture("resnet101")
    asked = request(slow, 512, timeout_s=0.5)
    with pytest.raises(LatencyError, match=r"^Stopped at the time limit of 0\.5 s\.$") as caught:
        asked.result()
    assert caught.value.reason == "timeout"
    asked = request(slow)
    asked.ticket.cancel()
    with pytest.raises(LatencyError, match=r"^Cancelled\.$") as caught:
        asked.result()
    assert caught.value.reason == "cancelled"
    assert cached(slow) is None


def test_import_loads_no_torch() -> None:
    code = "import sys, effviz.measure.latency as l; l.environment(); "
    code += "print({'torch', 'pandas', 'streamlit'} & set(sys.modules))"
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


# --- timing, in this process --------------------------------------------------------------------------------------


class Nap(nn.Module):
    """Takes `seconds` and records the conditions of every call."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds
        self.calls: list[tuple[int, bool, bool, torch.dtype]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.calls.append((torch.get_num_threads(), torch.is_inference_mode_enabled(), self.training, x.dtype))
        time.sleep(self.seconds)
        return x


def test_every_run_is_timed_alone() -> None:
    found = timing.measure(Nap(0.005), (3, 8, 8), min_runs=20, min_seconds=0.05)
    assert len(found.times_ms) == 20
    assert min(found.times_ms) >= 5
    assert sorted(found.times_ms)[10] < 50


def test_conditions_hold_and_are_restored() -> None:
    module = Nap().train()
    before = torch.get_num_threads()
    wanted = 2 if before == 1 else 1
    timing.measure(module, (3, 8, 8), threads=wanted, dtype="bfloat16", min_seconds=0.0)
    assert set(module.calls) == {(wanted, True, False, torch.bfloat16)}
    assert torch.get_num_threads() == before
    assert not torch.is_inference_mode_enabled()
    with pytest.raises(ZeroDivisionError):
        timing.measure(nn.Identity(), (3, 8, 8), threads=wanted, progress=lambda *_: 1 // 0)
    assert torch.get_num_threads() == before


def test_runs_continue_for_the_minimum_time() -> None:
    found = timing.measure(Nap(0.001), (3, 8, 8), min_runs=5, min_seconds=0.3)
    assert len(found.times_ms) > 5
    assert sum(found.times_ms) > 200


def test_slow_module_gets_five_runs() -> None:
    found = timing.measure(Nap(0.05), (3, 8, 8), max_seconds=0.1)
    assert len(found.times_ms) == timing.FLOOR_RUNS


def test_warm_up_waits_for_a_steady_state() -> None:
    class Warming(nn.Module):
        pauses: list[float]

        def forward(self, x: Tensor) -> Tensor:
            time.sleep(self.pauses.pop(0) if self.pauses else 0.01)
            return x

    module = Warming()
    module.pauses = [0.14, 0.12, 0.1, 0.08, 0.06, 0.04]
    found = timing.measure(module, (3, 8, 8), min_runs=5, min_seconds=0.0)
    # The median, because another process may interrupt single runs.
    assert statistics.median(found.times_ms) < 50


def test_progress_and_cancel_between_runs() -> None:
    heard: list[tuple[float, str]] = []
    module = Nap(0.01)
    with pytest.raises(Cancelled):
        timing.measure(
            module,
            (3, 8, 8),
            progress=lambda fraction, message: heard.append((fraction, message)),
            cancelled=lambda: len(heard) > 3,
        )
    assert heard[0] == (0.0, "Warming up")
    assert [message for _, message in heard[1:]] == ["Run 1", "Run 2", "Run 3"]
    fractions = [fraction for fraction, _ in heard]
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] < 1


def test_dtype_that_does_not_run_is_named() -> None:
    class Refusing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("\"conv\" not implemented for 'Half'")

    with pytest.raises(DesignError) as caught:
        timing.measure(Refusing(), (3, 8, 8), dtype="float16")
    assert str(caught.value) == "dtype = 'float16' does not run on this CPU: \"conv\" not implemented for 'Half'"
    with pytest.raises(RuntimeError, match="not implemented"):
        timing.measure(Refusing(), (3, 8, 8))


def test_summary() -> None:
    summary = timing.Timing((1.0, 2.0, 3.0, 4.0, 10.0), loaded=True).summary()
    assert summary == {
        "median_ms": 3.0,
        "p90_ms": pytest.approx(7.6),
        "iqr_ms": 2.0,
        "min_ms": 1.0,
        "runs": 5,
        "loaded": True,
    }


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the load is an average of the last minute")
def test_busy_machine_is_noticed() -> None:
    spin = [sys.executable, "-c", "while True: pass"]
    cores = usable_cores()
    processes = [subprocess.Popen(spin) for _ in range(cores)]
    try:
        time.sleep(0.2)
        assert timing.measure(Nap(0.01), (3, 8, 8), min_seconds=0.5).loaded
    finally:
        for each in processes:
            each.kill()
            each.wait()


# --- the value ----------------------------------------------------------------------------------------------------


def test_latency_passes_through_json() -> None:
    some = Latency(**SOME)
    assert Latency.from_dict(json.loads(json.dumps(some.to_dict()))) == some
    assert hash(some) == hash(Latency.from_dict(some.to_dict()))


@pytest.mark.parametrize(
    ("changes", "noisy"),
    [({}, False), ({"iqr_ms": 1.0}, False), ({"iqr_ms": 1.001}, True), ({"loaded": True}, True)],
)
def test_noisy_is_a_spread_over_ten_per_cent_or_a_busy_machine(changes: dict[str, Any], noisy: bool) -> None:
    assert Latency(**(SOME | changes)).noisy is noisy


def test_age() -> None:
    then = datetime.now(UTC) - timedelta(hours=3)
    assert timedelta(hours=3) <= Latency(**(SOME | {"measured_at": then.isoformat()})).age < timedelta(hours=3.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"median_ms": -1.0}, "median_ms = -1.0 must be at least 0"),
        ({"p90_ms": float("nan")}, "p90_ms = nan must be finite"),
        ({"runs": 0}, "runs = 0 must be at least 1"),
        ({"loaded": 1}, "loaded = 1 must be true or false"),
        ({"environment": "here"}, "environment = 'here' must map names to text"),
        ({"environment": {"cpu": 1}}, "cpu = 1 must be text"),
        ({"measured_at": "today"}, "measured_at = 'today' must be an ISO 8601 time with a time zone"),
        (
            {"measured_at": "2026-01-31T12:00:00"},
            "measured_at = '2026-01-31T12:00:00' must be an ISO 8601 time with a time zone",
        ),
    ],
)
def test_invalid_values(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError) as caught:
        Latency.from_dict(SOME | changes)
    assert str(caught.value) == message


@pytest.mark.parametrize("values", [{}, SOME | {"more": 1}, {key: SOME[key] for key in list(SOME)[1:]}])
def test_unknown_and_missing_keys(values: Any) -> None:
    with pytest.raises(DesignError, match="must have the keys median_ms, p90_ms, "):
        Latency.from_dict(values)


# --- the store ----------------------------------------------------------------------------------------------------


def test_stored_in_memory_and_on_disk(folder: Path) -> None:
    some = Latency(**SOME)
    assert cached(TINY) is None
    remember(TINY, some)
    assert cached(TINY) is some
    assert [file.suffix for file in folder.iterdir()] == [".json"]
    forget()
    assert cached(TINY) == some
    assert cached(TINY) is cached(TINY)


def test_latest_measurement_is_the_one_kept() -> None:
    remember(TINY, Latency(**SOME))
    latest = Latency(**(SOME | {"median_ms": 11.0}))
    remember(TINY, latest)
    forget()
    assert cached(TINY) == latest


def test_designs_that_build_the_same_network_share_it() -> None:
    some = Latency(**SOME)
    remember(TINY, some)
    renamed = replace(TINY, name="other", title="Other", family="Others", notes=("A note.",), source="Nowhere")
    renamed_stages = replace(TINY, stages=tuple(row.with_changes(name=f"x{row.name}") for row in TINY.stages))
    for same in (renamed, renamed_stages, TINY.scaled(width_mult=1.001), replace(TINY, stochastic_depth=0.2)):
        assert cached(same) is some
    assert cached(replace(TINY, resolution=64), 32) is some


def test_height_and_width_are_conditions(folder: Path) -> None:
    wide = replace(TINY, resolution=(32, 64))
    some = Latency(**(SOME | {"resolution": [32, 64]}))
    assert some.resolution == (32, 64)
    assert Latency.from_dict(json.loads(json.dumps(some.to_dict()))) == some
    remember(wide, some)
    forget()
    assert cached(wide) == cached(TINY, (32, 64)) == cached(TINY, [32, 64]) == some  # type: ignore[arg-type]
    assert [cached(TINY, other) for other in (32, (64, 32), (32, 65))] == [None] * 3


def test_other_conditions_have_other_keys() -> None:
    remember(TINY, Latency(**SOME))
    assert cached(TINY, 64) is None
    assert cached(TINY, batch_size=2) is None
    assert cached(TINY, threads=2) is None
    assert cached(TINY, dtype="float16") is None
    assert cached(TINY.scaled(width_mult=2)) is None
    assert cached(replace(TINY, in_channels=1)) is None
    elsewhere = latency.environment() | {"torch": "1.0"}
    larger = TINY.scaled(width_mult=3)
    remember(larger, Latency(**(SOME | {"environment": elsewhere})))
    assert cached(larger) is None


def test_the_log_of_an_ignored_file_is_bounded(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    remember(TINY, Latency(**SOME))
    assert folder.is_dir()
    assert latency.stored("9" * 1_000_000) is None
    assert "ignored the stored latency" in caplog.text
    assert len(caplog.text) < 2_000


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[]", b"{}", b"null", b"[" * 100_000, json.dumps(SOME).encode().replace(b"80", b"-8")],
)
def test_a_damaged_file_is_ignored(folder: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    remember(TINY, Latency(**SOME))
    forget()
    (file,) = folder.iterdir()
    file.write_bytes(content)
    assert cached(TINY) is None
    assert "ignored the stored latency" in caplog.text
    remember(TINY, Latency(**SOME))
    forget()
    assert cached(TINY) == Latency(**SOME)


def test_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path / "file"))
    some = Latency(**SOME)
    remember(TINY, some)
    assert "was not written to disk" in caplog.text
    assert cached(TINY) is some
    forget()
    assert cached(TINY) is None


def test_failed_write_leaves_no_file_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError("No space left on device")

    monkeypatch.setattr("effviz.measure.store.os.write", full)
    remember(TINY, Latency(**SOME))
    assert not list(folder.iterdir())


def test_no_disk_if_the_variable_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", "")
    assert latency.store.cache_folder() is None
    some = Latency(**SOME)
    remember(TINY, some)
    assert cached(TINY) is some
    forget()
    assert cached(TINY) is None


@pytest.mark.skipif(sys.platform != "linux", reason="each system has its own folder")
def test_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EFFVIZ_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert latency.store.cache_folder() == tmp_path / "effviz" / "latency"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/user")
    assert latency.store.cache_folder() == Path("/home/user/.cache/effviz/latency")


def test_no_disk_without_a_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EFFVIZ_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    caches.forget()
    assert latency.store.cache_folder() is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", "")
    monkeypatch.setattr(latency, "MAX_REMEMBERED", 3)
    for side in range(32, 37):
        remember(TINY, Latency(**(SOME | {"resolution": side})))
    assert [cached(TINY, side) is not None for side in range(32, 37)] == [False, False, True, True, True]
