"""Workers that share a search: a file or a real database server, with workers that join, are killed, and resume."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from databases import DATABASES, running_database
from optuna.distributions import IntDistribution
from optuna.trial import create_trial

from effviz import Design, DesignError
from effviz.advice.budgets import DTYPES, Budget, read_limits
from effviz.studies.search.run import Task, open_study, result, search
from effviz.studies.search.workers import search_together

pytestmark = pytest.mark.processes

LIMITS = (Budget("macs", 300_000_000),)
TRIALS = 14


@pytest.fixture(params=["journal", *DATABASES])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "journal":
        yield str(tmp_path / "search.log")
    else:
        with running_database(request.param) as url:
            yield url


def task(trials: int = TRIALS, **settings: Any) -> Task:
    return Task("shared", trials, budgets=LIMITS, **settings)


@contextmanager
def worker(place: str, seed: int, trials: int = TRIALS) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker with the command line."""
    command = ["search", "--storage", place, "--study", "shared", "--max-macs", "300M", f"--trials={trials}"]
    started = subprocess.Popen(
        [sys.executable, "-m", "effviz", *command, f"--seed={seed}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    with started:
        try:
            yield started
        finally:
            started.kill()


def stored(place: str) -> dict[int, tuple[Any, ...]]:
    """Return the finished networks by number."""
    return {each.number: (each.params, each.values) for each in trials(task(), place) if each.state.name == "COMPLETE"}


def trials(searched: Task, place: str) -> list[Any]:
    with open_study(searched, place) as study:
        return study.get_trials()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_killed_worker_loses_nothing_and_the_search_is_resumed(place: str) -> None:
    stored(place)  # creates the study
    with worker(place, 1) as killed, worker(place, 2) as survivor:
        until(lambda: len(stored(place)) >= 3)
        killed.kill()
        killed.wait()
        before = stored(place)
        assert survivor.wait(240) == 0, survivor.stderr and survivor.stderr.read()
    after = stored(place)
    assert before.items() <= after.items(), "no finished network is lost or changed"
    assert TRIALS <= len(after) <= TRIALS + 1, "two workers may each finish one"
    resumed = search(task(TRIALS + 3), place)
    assert resumed.finished >= TRIALS + 3
    assert after.items() <= stored(place).items()
    assert all(each.report.macs <= 300_000_000 for each in resumed.front)
    # A further worker has nothing to do.
    assert search(task(TRIALS + 3), place) == resumed


SLOW = """
import time
from optuna.samplers import NSGAIISampler
from effviz.studies.search.run import Task, search
def stay(*_):
    print("staying", flush=True)
    time.sleep(600)
if {chooses}:
    NSGAIISampler.sample_relative = stay
search(Task("latency", 3, ("macs", "latency")), {place!r}, stay, heartbeat_s=1)
"""


@contextmanager
def staying(place: str, chooses: bool = False) -> Iterator[None]:
    """Start a worker that measures a network, or chooses one, until it is killed at the end."""
    code = SLOW.format(place=place, chooses=chooses)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as stuck:
        try:
            assert stuck.stdout is not None
            assert stuck.stdout.readline() == b"staying\n"
            yield
        finally:
            stuck.send_signal(signal.SIGKILL)


def test_the_network_of_a_dead_worker_is_computed_by_another_one(place: str) -> None:
    measured = Task("latency", 3, ("macs", "latency"), seed=1)
    trials(measured, place)
    with staying(place):
        (begun,) = trials(measured, place)
        assert begun.state.name == "RUNNING"
        # While it lives, other workers leave its network alone.
        assert search(replace(measured, trials=1), place, lambda _: 5.0, heartbeat_s=1).finished == 1
        assert trials(measured, place)[0].state.name == "RUNNING"

    def measure(_: Design) -> float:
        # A database waits for three missing signs of life.
        time.sleep(2.5 if "://" in place else 0)
        return 5.0

    found = search(measured, place, measure, heartbeat_s=1)
    known = trials(measured, place)
    assert found.finished == 3
    assert known[0].state.name == "FAIL"
    retried = [each for each in known[1:] if each.params == begun.params]
    assert [each.state.name for each in retried] == ["COMPLETE"]
    if "://" not in place:
        assert not list(Path(place).parent.glob("*.writer")), "locks of ended workers are removed"


def test_no_network_of_a_complete_study_stays_unfinished(place: str) -> None:
    measured = Task("latency", 1, ("macs", "latency"), seed=1)
    trials(measured, place)
    # Optuna's own first heartbeat comes after the choice of the network.
    with staying(place, chooses=True):
        assert search(measured, place, lambda _: 5.0, heartbeat_s=1).finished == 1
    time.sleep(5 if "://" in place else 0)
    assert search(measured, place, lambda _: 5.0, heartbeat_s=1).finished == 1
    assert [each.state.name for each in trials(measured, place)] == ["FAIL", "COMPLETE", "WAITING"]


@pytest.mark.parametrize("name", DATABASES)
def test_a_database_that_refuses_or_stops_is_one_line(name: str) -> None:
    def printed(ended: subprocess.Popen[bytes]) -> str:
        assert ended.wait(240) == 2
        assert ended.stderr is not None
        return ended.stderr.read().decode()

    with ExitStack() as stack:
        with running_database(name) as url:
            user, database = re.findall(r"//(\w+)@.*/(\w+)$", url)[0]
            for wrong, problem in (
                (url.replace(f"/{database}", "/absent"), "absent"),
                (url.replace(f"{user}@", "mallory:wrong@"), "mallory"),
                (f"{url}?option=x", "option"),
            ):
                with worker(wrong, 1) as ended:
                    assert re.fullmatch(rf"effviz: the storage cannot be opened: .*{problem}.*\n", printed(ended))
            stored(url)
            stopped = stack.enter_context(worker(url, 1, trials=5_000))
            until(lambda: len(stored(url)) >= 1)
        assert re.fullmatch(r"effviz: the storage of study shared failed: .*(connect|server).*\n", printed(stopped))


def test_processes_of_one_call_share_the_search(tmp_path: Path) -> None:
    found = search_together(task(16), str(tmp_path / "search.log"), 2)
    assert 16 <= found.finished <= 17
    with pytest.raises(DesignError, match="workers = 2 must be 1 on one machine if latency is measured"):
        search_together(Task("a", minimize=("latency",)), str(tmp_path / "other.log"), 2, lambda _: 1.0)


def test_a_line_that_a_killed_worker_left_incomplete_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "search.log"
    search(task(5), str(file))
    before, complete = stored(str(file)), file.read_bytes()
    with file.open("ab") as end:
        end.write(b'{"op_code":4,"worker_id":"x')
    assert stored(str(file)) == before
    assert search(task(8), str(file)).finished == 8
    assert file.read_bytes().startswith(complete)
    assert b'"worker_id":"x{' not in file.read_bytes()
    assert before.items() <= stored(str(file)).items()


@pytest.mark.parametrize("contents", ['{"name": "mine"}', "abc", '{"a":1}\n', "5\n", '{"op_code":"x"}\n'])
def test_a_file_of_another_kind_is_refused_and_unchanged(tmp_path: Path, contents: str) -> None:
    file = tmp_path / "design.json"
    file.write_text(contents)
    with pytest.raises(DesignError, match=r"cannot be opened: .*(no file of a search|not of a search)"):
        search(task(1), str(file))
    assert file.read_text() == contents


@pytest.mark.parametrize("sampler", ["nsga2", "tpe"])
def test_one_worker_with_a_seed_finds_the_same_networks(sampler: str) -> None:
    # More than the first random networks of both samplers.
    chosen = task(60 if sampler == "nsga2" else 14, sampler=sampler, seed=7)
    assert search(chosen, "") == search(chosen, "")
    assert search(chosen, "") != search(task(chosen.trials, sampler=sampler, seed=8), "")


def test_a_study_keeps_its_settings(tmp_path: Path) -> None:
    place = str(tmp_path / "search.log")
    search(task(2), place)
    for other, difference in (
        (Task("shared", 2), 'its limits is [["macs", 300000000]], not []'),
        (Task("shared", 2, ("params",), LIMITS), 'its minimize is ["macs"], not ["params"]'),
    ):
        with pytest.raises(DesignError) as refused:
            search(other, place)
        assert str(refused.value) == f"study shared has other settings: {difference}; use another name"
    assert search(task(2, sampler="tpe", seed=None), place).finished == 2
    # A limit on a size includes its number format.
    sized = [Task("", 2, budgets=read_limits({"peak_activation": f"1 MB {each}"}, "int8")) for each in DTYPES]
    assert len({each.study for each in sized}) == len(DTYPES)


def test_results_of_another_version_are_refused(tmp_path: Path) -> None:
    with open_study(task(), str(tmp_path / "search.log")) as study:
        genes = {name: IntDistribution(0, len(values) - 1) for name, values in task().space.genes.items()}
        study.add_trial(create_trial(values=(1.0, 2.0), params=dict.fromkeys(genes, 0), distributions=genes))
        with pytest.raises(DesignError, match=r"^network 0 of study shared has \[1.0, 2.0\]; this version counts "):
            result(task(), study)
