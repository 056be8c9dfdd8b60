"""Recorded latencies: their file, and comparisons of one kind only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from latencies import SOME

import effviz
from effviz.measure import latency, recorded
from effviz.measure.background import ZooRun
from effviz.measure.latency import Latency
from effviz.measure.recorded import Recorded, RecordedSetting, compared, find
from effviz.studies.prediction import Entry

NAMES = ("squeezenet1_1", "mobilenet_v2", "alexnet")
DESIGNS = [effviz.architecture(name) for name in NAMES]
MACHINE = {"cpu": "Other CPU", "cores": "8", "os": "Linux 1", "python": "3.11.0", "torch": "2.0"}
MEASURED = Latency.from_dict(SOME | {"resolution": 224})


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the first two networks."""
    monkeypatch.setenv("EFFVIZ_CACHE", "")
    monkeypatch.setattr(latency, "_remembered", type(latency._remembered)())
    path = tmp_path / "recorded.json"
    known = {
        RecordedSetting(design, 224, 1, 1, "float32"): replace(MEASURED, median_ms=40.0, p90_ms=44.0)
        for design in DESIGNS[:2]
    }
    recorded.write(path, MACHINE, known)
    monkeypatch.setenv("EFFVIZ_RECORDED", str(path))
    return path


def test_a_recorded_latency_has_the_conditions_of_its_machine() -> None:
    found = find(DESIGNS[0])
    assert isinstance(found, Recorded)
    assert found.is_recorded
    assert not MEASURED.is_recorded
    assert (found.median_ms, found.runs, found.measured_at) == (40.0, MEASURED.runs, MEASURED.measured_at)
    assert found.environment == MACHINE | {"dtype": "float32", "threads": "1"}
    assert found.where == "Other, 2026-01-31"
    # Equal networks share their latency, other conditions have none.
    assert find(replace(DESIGNS[0], name="other", title="Other")) == found
    assert find(DESIGNS[2]) is None
    assert find(DESIGNS[0], 192) is None
    assert find(DESIGNS[0], threads=2) is None
    assert find(DESIGNS[0], dtype="float16") is None


def test_a_comparison_has_one_kind_of_latency() -> None:
    assert [each and each.is_recorded for each in compared(DESIGNS)] == [True, True, None]
    latency.remember(DESIGNS[1], MEASURED)
    # The first one decides: a recorded and a measured number are never compared.
    assert [each and each.is_recorded for each in compared(DESIGNS)] == [True, True, None]
    assert [each and each.is_recorded for each in compared([DESIGNS[1], DESIGNS[0]])] == [False, None]
    assert [each and each.is_recorded for each in compared([DESIGNS[2], DESIGNS[1]])] == [None, False]


def test_a_run_shows_recorded_latencies_until_enough_are_measured() -> None:
    run = ZooRun([Entry(name) for name in NAMES])
    titles = [entry.title for entry in run.entries]
    assert list(run.shown(1, enough=2)) == titles[:2]
    assert all(each.is_recorded for each in run.shown(1, enough=2).values())
    latency.remember(DESIGNS[2], MEASURED)
    assert list(run.shown(1, enough=2)) == titles[:2]
    assert run.latencies(1) == {titles[2]: MEASURED}
    latency.remember(DESIGNS[0], MEASURED)
    assert run.shown(1, enough=2) == {titles[0]: MEASURED, titles[2]: MEASURED}


def test_a_search_knows_what_was_measured_here_and_what_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", str(tmp_path))
    networks = [SimpleNamespace(design=each, resolution=224, params=effviz.analyze(each).params) for each in DESIGNS]
    assert list(map(recorded.lookup(), networks)) == [40.0, 40.0, None]
    latency.remember(DESIGNS[2], MEASURED)
    latency.remember(DESIGNS[0], MEASURED)
    for _ in range(2):
        assert list(map(recorded.lookup(), networks)) == [MEASURED.median_ms, 40.0, MEASURED.median_ms]
        latency._remembered.clear()  # the second time from disk


@pytest.mark.parametrize(
    "content", ["", "[]", '{"version": 1}', '{"version": 2}', '{"version": 2, "latencies": {"a": 1}}']
)
def test_a_broken_file_is_reported_and_ignored(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content, encoding="utf-8")
    monkeypatch.setenv("EFFVIZ_RECORDED", str(path))
    assert find(DESIGNS[0]) is None
    assert str(path) in caplog.text


def test_requests_are_collected() -> None:
    with recorded.requests() as asked:
        find(DESIGNS[2], 160)
    find(DESIGNS[2], 192)
    assert asked == [RecordedSetting(DESIGNS[2], 160, 1, 1, "float32")]


def test_the_shipped_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EFFVIZ_RECORDED")
    for design in DESIGNS:
        found = find(design)
        assert found is not None
        assert 0 < found.min_ms <= found.median_ms <= found.p90_ms
