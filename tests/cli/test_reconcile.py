"""The command reconcile prints the explanations of the engine."""

from __future__ import annotations

import re

from command_line import Ran, piped, random_inputs, run, run_json
from examples import designs
from hypothesis import given

import effviz
from effviz import Design
from effviz.count.reconcile import COUNTERS, reconcile


def test_every_counter_is_printed() -> None:
    ran = run("reconcile", "mobilenet_v2", "--width", "0.5")
    assert (ran.code, ran.err) == (0, "")
    report = effviz.analyze(effviz.architecture("mobilenet_v2", width_mult=0.5))
    lines = ran.out.splitlines()
    assert lines[1] == f"effviz: {report.macs:,} multiply-adds, {report.params:,} parameters."
    rows = [re.split("  +", line) for line in lines[4:]]
    found = reconcile(report)
    assert [row[:4] for row in rows] == [
        [f"{each.counter.name} {each.counter.version}", each.printed.name, each.text, f"{each.total:,}"]
        for each in found
    ]
    assert [int(row[4].replace(",", "")) for row in rows] == [each.total - each.ours for each in found]


def test_terms_of_one_counter() -> None:
    assert run("reconcile", "mobilenet_v2", "--counter", "THOP") == Ran(
        0,
        "MobileNetV2 (mobilenet_v2), input 3 x 224 x 224\n"
        f"thop 0.1.1-2209072238: {COUNTERS['thop'].rule}\n"
        "Source: thop/profile.py, thop/vision/basic_hooks.py, https://github.com/Lyken17/pytorch-OpCounter\n"
        "\n"
        "   300,774,272  multiply-adds of effviz\n"
        "+   26,712,448  batch norm: 4 operations per element normalised by 52 layers: 4 × 6,678,112\n"
        "+       64,000  adaptive and global average pooling: 1 addition per input element and 1 division per output "
        "element of 1 layer (GlobalAvgPool): 62,720 + 1,280\n"
        "+            0  not counted: relu6, add\n"
        "=  327,550,720  macs of thop, printed as 327550720.0\n"
        "\n"
        "   3,504,872  parameters of effviz\n"
        "=  3,504,872  params of thop, printed as 3504872.0\n",
        "",
    )


@given(design=designs())
@random_inputs(20)
def test_json_of_random_designs(design: Design) -> None:
    for counter in (None, "ptflops"):
        options = () if counter is None else ("--counter", counter)
        rows = run_json("reconcile", "-", *options, stdin=piped(design))
        assert {row["counter"] for row in rows} == ({*COUNTERS} if counter is None else {counter})
        report = effviz.analyze(design)
        for row in rows:
            assert row["effviz"] == getattr(report, row["quantity"])
            assert row["total"] == row["effviz"] + sum(term["value"] for term in row["terms"])


def test_unknown_counter() -> None:
    ran = run("reconcile", "resnet18", "--counter", "abacus")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("effviz: Invalid value for '--counter': 'abacus' is not one of 'thop', 'fvcore', ")
    assert ran.err.count("\n") == 1
