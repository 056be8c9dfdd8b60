"""The command search: tables, JSON and CSV, stored studies, and wrong input."""

from __future__ import annotations

import csv
import io
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from command_line import run

import effviz
from effviz import Design
from effviz.studies.search.run import Task
from effviz.studies.search.space import Space

QUICK = ("search", "--storage", "search.log", "--trials", "12", "--seed", "3", "--max-macs", "400M")


def front_of(*arguments: str, code: int = 0) -> Any:
    ran = run(*arguments, "--format", "json")
    assert (ran.code, ran.err) == (code, "")
    return json.loads(ran.out)


def test_without_a_cache_a_study_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFVIZ_CACHE", "")
    ran = run("search", "--trials", "2", "--seed", "1")
    assert (ran.code, ran.err) == (0, "")
    assert ": 2 networks, " in ran.out


def test_the_front_is_printed_and_the_study_is_kept(folder: Path) -> None:
    ran = run(*QUICK)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Study search-")
    assert ": 12 networks, " in ran.out
    assert "not a prediction of accuracy" in ran.out
    stored = (folder / "search.log").read_bytes()
    assert run(*QUICK).out == ran.out, "the study is complete"
    assert run(*QUICK, "--sampler", "tpe", "--trials", "12").out == ran.out
    assert (folder / "search.log").read_bytes().startswith(stored)


def test_json_contains_designs_within_the_limit() -> None:
    found = front_of(*QUICK)
    assert found["finished"] == 12 >= found["within_limits"] >= len(found["front"]) >= 1
    costs = [each["macs"] for each in found["front"]]
    entropies = [each["entropy"] for each in found["front"]]
    assert costs == sorted(costs)
    assert entropies == sorted(entropies), "a larger network on the front has a higher entropy"
    for each in found["front"]:
        report = effviz.analyze(Design.from_json(json.dumps(each["design"])))
        assert each["macs"] == report.macs <= 400_000_000
        assert each["params"] == report.params
        assert each["peak_activation"] == report.peak_activation


def test_csv_has_the_rows_of_json() -> None:
    printed = list(csv.DictReader(io.StringIO(run(*QUICK, "--format", "csv").out)))
    front = front_of(*QUICK)["front"]
    assert [int(row["macs"]) for row in printed] == [each["macs"] for each in front]
    assert [row["stages"] for row in printed] == [each["stages"] for each in front]


def test_the_latency_of_every_network_is_measured_in_the_torch_process(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Space((3,), (1,), (0.0,), (1,), (0.25, 0.5), 32)
    monkeypatch.setattr(sys.modules["effviz.cli.search"], "Task", partial(Task, space=tiny))
    arguments = ("search", "--storage", "search.log", "--latency", "--max-latency", "60s", "--seed", "1")
    found = front_of(*arguments, "--trials", "2")
    assert found["finished"] == found["within_limits"] == 2
    measured = {each["network"]: each["latency_ms"] for each in found["front"]}
    assert measured
    assert all(0 < latency < 60_000 for latency in measured.values())
    # The study is continued, and a network is not measured again.
    more = {each["network"]: each["latency_ms"] for each in front_of(*arguments, "--trials", "3")["front"]}
    assert all(more[network] == measured[network] for network in more.keys() & measured.keys())


def test_no_network_within_the_limit() -> None:
    arguments = ("search", "--storage", "search.log", "--trials", "3", "--max-macs", "1M")
    ran = run(*arguments)
    assert ran.code == 1
    assert "3 networks, 0 within the limits, 0 on the front" in ran.out
    assert front_of(*arguments, code=1)["front"] == []
    assert run(*arguments, "--format", "csv").out == "network\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--storage", "s.log", "--trials", "0"), "trials = 0 must be at least 1"),
        (("--storage", "s.log", "--workers", "0"), "workers = 0 must be at least 1"),
        (("--storage", "s.log", "--max-latency", "30ms"), "must contain latency if latency is limited"),
        (("--storage", "s.log", "--latency", "--workers", "2"), "workers = 2 must be 1 on one machine"),
        (("--storage", "s.log", "--max-macs", "soon"), "'--max-macs'"),
        (("--storage", "ftp://host/x"), "must be a file, or a URL that begins with one of postgres, postgresql"),
        (("--storage", "postgresql://effviz@127.0.0.1:1/x"), "the storage cannot be opened: "),
        (("--storage", "mysql://effviz@127.0.0.1:1/x"), "the storage cannot be opened: Can't connect to MySQL server"),
        (("--storage", ""), "storage is empty; it must be a file or the URL of a database"),
    ],
)
def test_wrong_input_is_one_line(arguments: tuple[str, ...], problem: str) -> None:
    ran = run("search", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert problem in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("database", "driver"), [("postgresql", "psycopg"), ("mysql", "pymysql"), ("mariadb", "pymysql")]
)
def test_a_missing_driver_is_named(database: str, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, driver, None)
    extra = "postgresql" if driver == "psycopg" else "mysql"
    problem = f"effviz: the storage needs a driver of the database: pip install 'effviz[{extra}]'\n"
    assert run("search", "--storage", f"{database}://effviz@127.0.0.1:1/x") == (2, "", problem)
