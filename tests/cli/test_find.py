"""The command find: its rows, formats and exit codes."""

from __future__ import annotations

import csv
import io

from command_line import run, run_json

import effviz
from effviz.advice.budgets import PRESETS
from effviz.studies.finder import RANKING, candidates

LIMITS = ("--max-macs", "300M", "--max-peak", "256KiB", "--dtype", "int8")


def test_the_table_has_the_rows_of_the_python_function() -> None:
    ran = run("find", *LIMITS, "--network", "mobilenet_v2", "--rows", "5")
    table = effviz.find(max_macs="300M", max_peak="256KiB", dtype="int8", networks=["mobilenet_v2"])
    head, note, _, _, titles, *rows = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    total = len(candidates(networks=("mobilenet_v2",)))
    assert head.startswith(f"{len(table)} of {total} networks fit. The binding limit is ")
    assert note == RANKING
    assert titles.startswith("network ")
    for line, row in zip(rows[:5], table.head(5).itertuples(), strict=True):
        assert line.startswith(row.network)
        for count in (row.macs, row.params, row.memory_access, row.peak_bytes, row.weight_bytes):
            assert f" {count:,}" in line
        assert line.endswith(row.source)
    assert rows[-1] == f"{len(table) - 5} more; --rows {len(table)} prints all."


def test_json_and_csv_have_the_same_rows() -> None:
    answer = run_json("find", *LIMITS, "--network", "mobilenet_v1", "--rows", "3")
    assert answer["fit"] >= len(answer["networks"]) == 3
    assert answer["limits"] == {"macs": 300_000_000, "peak_activation": 262_144}
    assert answer["networks"][0]["groups"] is None
    ran = run("find", *LIMITS, "--network", "mobilenet_v1", "--rows", "3", "--csv")
    listed = list(csv.DictReader(io.StringIO(ran.out)))
    assert [each["network"] for each in listed] == [each["network"] for each in answer["networks"]]
    assert [int(each["macs"]) for each in listed] == [each["macs"] for each in answer["networks"]]
    assert run("find", *LIMITS, "--csv", "--json").code == 2


def test_nothing_fits() -> None:
    tried = len(candidates(networks=("vgg16",)))
    words = ("find", "--max-macs", "5k", "--max-params", "90M", "--network", "vgg16")
    line = f"The limit of 5 k on multiply-adds excludes the most: {tried} of {tried}."
    ran = run(*words)
    assert (ran.code, ran.out) == (1, f"0 of {tried} networks fit. {line}\n")
    assert run(*words, "--csv").err == f"effviz: no network fits. {line}\n"
    answer = run("find", *words[1:], "--json")
    assert answer.code == 1
    assert f'"note": "{line}"' in answer.out


def test_a_preset_and_its_number_format() -> None:
    answer = run_json("find", "--preset", "mcu_256k", "--network", "mobilenet_v2", "--rows", "1")
    assert answer["dtype"] == "int8"
    assert answer["limits"] == {each.quantity: each.limit for each in PRESETS["mcu_256k"].budgets}
    assert PRESETS["mcu_256k"].source in run("find", "--preset", "mcu_256k", "--network", "mobilenet_v2").out


def test_wrong_input() -> None:
    assert run("find").err.startswith("effviz: no limit is set; use --max-params, --max-macs")
    assert run("find", "--max-macs", "3q").err.startswith("effviz: Invalid value for '--max-macs': ")
    assert run("find", *LIMITS, "--network", "lenet").err.startswith("effviz: architecture = 'lenet' is unknown")
    assert run("find", *LIMITS, "--rows", "0").code == 2
