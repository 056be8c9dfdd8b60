"""Runs of equal blocks add up to the network."""

from __future__ import annotations

from cases import for_each

import effviz
from effviz import ARCHITECTURES
from effviz.studies.outline import block_runs, heaviest_path


@for_each("name", list(ARCHITECTURES))
def test_runs_add_up_to_the_network(name: str) -> None:
    report = effviz.analyze(effviz.architecture(name))
    runs = block_runs(report)
    assert sum(run.params for run in runs) == report.params
    assert sum(run.macs for run in runs) == report.macs
    assert sum(run.repeats for run in runs) == len(report.blocks)
    assert [run.path for run in runs] == list(dict.fromkeys(run.path for run in runs))
    assert runs[-1].output == "1000"
    assert heaviest_path(runs) in {entry.path for entry in report.blocks}


def test_the_heaviest_run_of_mobilenet_v2() -> None:
    runs = block_runs(effviz.analyze(effviz.architecture("mobilenet_v2")))
    (heaviest,) = (run for run in runs if run.path == heaviest_path(runs))
    assert heaviest.repeats > 1
    assert heaviest.macs == max(run.macs for run in runs if run.repeats > 1)
    assert runs[0].title == "3×3 conv, stride 2"
    assert runs[0].output == "32 × 112 × 112"
