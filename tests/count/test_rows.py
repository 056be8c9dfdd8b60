"""Rows and sums, joined from those of the blocks, against the trace of the whole network."""

from __future__ import annotations

from collections import defaultdict

import pytest
from examples import designs
from hypothesis import given, settings
from profiles import examples

import effviz
from effviz import ARCHITECTURES, Design
from effviz.count.memory import ASSUMPTIONS, alive, memory_access
from effviz.count.rows import LayerSums


def check(design: Design, memory: str) -> None:
    report = effviz.analyze(design, memory=memory)
    rows, steps = report.rows, report.steps
    assert [row.path for row in rows] == [step.path for step in steps]
    assert [row.memory_access for row in rows] == memory_access(steps, report.fusion, memory)
    assert [row.alive for row in rows] == alive(steps, report.fusion)
    running = [row.path for row in rows if row.alive] or [row.path for row in rows]
    assert [row.path for row in report.running] == running
    added: dict[tuple[str, str], LayerSums] = defaultdict(LayerSums)
    for row in rows:
        added[row.stage, row.kind] += row
    # Dropout of whole blocks has a row, but no cost and no place in the sums.
    assert {key: value for key, value in added.items() if any(value)} == {
        key: value for key, value in report.sums.items() if any(value)
    }
    total = sum(report.sums.values(), LayerSums())
    assert total == LayerSums(report.params, report.macs, report.flops, report.memory_access)


@pytest.mark.slow
@pytest.mark.parametrize("memory", list(ASSUMPTIONS))
def test_rows_of_the_zoo(memory: str) -> None:
    for name in ARCHITECTURES:
        check(effviz.architecture(name), memory)


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(designs())
def test_rows_of_random_designs(design: Design) -> None:
    for memory in ASSUMPTIONS:
        check(design, memory)
