"""The command identify: the networks that have some figures."""

from __future__ import annotations

import re

import pytest
from command_line import run, run_json

import effviz
from effviz.studies.number_checker import EXAMPLES, identify


def test_a_network_and_its_conventions_are_printed() -> None:
    ran = run("identify", "3.47 M params, 0.6 GFLOPs, 224 px")
    assert (ran.code, ran.err) == (0, "")
    rows = [re.split("  +", row.strip()) for row in ran.out.splitlines()]
    report = effviz.analyze(effviz.architecture("mobilenet_v2"))
    assert rows[:3] == [
        ["rank", "network", "pixels", "figure", "count", "digits", "convention"],
        ["1", "MobileNetV2", "224", "3.47 M params", "3,470,760", "rounded", "without batch norm"],
        ["1", "MobileNetV2", "224", "0.6 GFLOPs", f"{report.flops:,}", "rounded", "FLOPs = 2×"],
    ]


@pytest.mark.parametrize("text", EXAMPLES)
def test_json_has_every_match(text: str) -> None:
    found = run_json("identify", text)
    matches = identify(text)
    assert [(each["name"], each["resolution"], each["rank"]) for each in found] == [
        (each.place.name, each.resolution, each.rank) for each in matches
    ]
    assert [[one["counted"] for one in each["figures"]] for each in found] == [
        [one.counted for one in each.explained] for each in matches
    ]


def test_no_network_is_a_line() -> None:
    ran = run("identify", "900 M params")
    assert ran == (1, "No network of the zoo is within 10 % of these figures.\n", "")
    assert run_json("identify", "900 M params") == []


def test_a_wrong_figure_is_one_line_on_standard_error() -> None:
    ran = run("identify", "12 foo")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("effviz: figures = '12 foo' has the unknown unit 'foo'")
    assert ran.err.count("\n") == 1
