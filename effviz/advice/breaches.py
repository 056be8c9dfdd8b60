"""The parts of a network that exceed a limit: rows with the largest shares, or the tensors alive at the peak."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from effviz.advice.budgets import QUANTITIES, Verdict
from effviz.core.arguments import check_public
from effviz.core.errors import fail
from effviz.core.units import lower, percent
from effviz.count.memory import alive, storages_alive
from effviz.count.report import Report
from effviz.count.rows import BlockInput, block_access, block_fusion, block_inputs, block_peak
from effviz.count.totals import block_totals
from effviz.model.layers import Shape, elements, shape_text
from effviz.model.layout import BuiltBlock
from effviz.model.trace import join, trace_block

INPUT = "input"
"""The path of the network's input."""

_MOST_ROWS = 5


class RowShare(NamedTuple):
    """A row of the table with its part of a quantity.

    Attributes:
        row: index in ``design.stages``.
        stage: its name.
        value: in the unit of the limit; for the peak the largest set of live activations while the row runs.
        share: of the value of the network.
    """

    row: int
    stage: str
    value: int
    share: float


class LiveTensor(NamedTuple):
    """A tensor in memory at the peak.

    Attributes:
        path: of the layer that wrote it; `INPUT` for the network's input.
        row: index in ``design.stages``; None for the network's input.
        shape: without the batch.
        size: in the unit of the limit.
    """

    path: str
    row: int | None
    shape: Shape
    size: int


@dataclass(frozen=True)
class Breach:
    """A limit that is exceeded, and the part of the network that does it.

    Attributes:
        verdict: the comparison with the limit.
        sentence: the excess and its place in words.
        rows: the largest first. For the peak all rows that exceed the limit on their own; for other quantities the
            five largest.
        step: path of the layer that runs at the peak; empty for other quantities.
        tensors: alive while it runs, in the order in which they were written.
    """

    verdict: Verdict
    sentence: str
    rows: tuple[RowShare, ...]
    step: str = ""
    tensors: tuple[LiveTensor, ...] = ()


def breaches(report: Report, verdicts: Iterable[Verdict]) -> tuple[Breach, ...]:
    """Return the parts of a network that break limits, one entry for each limit on a count that is exceeded.

    Args:
        report: of the network.
        verdicts: of `effviz.budgets.check` on this report.
    """
    found = []
    for each in verdicts:
        if not isinstance(each, Verdict):
            fail("verdict", each, "must be a Verdict of effviz.budgets.check")
        if each.passed is False and each.budget.quantity != "latency":
            found.append(_peak(report, each) if each.budget.quantity == "peak_activation" else _largest(report, each))
    return tuple(found)


def _shares(report: Report, verdict: Verdict, values: dict[int, int]) -> list[RowShare]:
    stages, whole = report.design.stages, int(verdict.value or 1)
    in_unit = verdict.budget.in_unit
    ordered = sorted(values.items(), key=lambda entry: (-entry[1], entry[0]))
    return [RowShare(row, stages[row].name, in_unit(value), in_unit(value) / whole) for row, value in ordered if value]


def _largest(report: Report, verdict: Verdict) -> Breach:
    values: dict[int, int] = {}
    quantity = verdict.budget.counted
    for entry, given in _entries(report):
        if quantity == "memory_access":
            value = block_access(*given[1:], report.memory)
        else:
            value = getattr(block_totals(entry.block, entry.shape), quantity)
        values[entry.row] = values.get(entry.row, 0) + value
    rows = _shares(report, verdict, values)[:_MOST_ROWS]
    title = lower(QUANTITIES[verdict.budget.quantity].title)
    place = f" Row {rows[0].row + 1} ({rows[0].stage}) has {percent(rows[0].share)} of the {title}." if rows else ""
    return Breach(verdict, verdict.sentence + place, tuple(rows))


def _entries(report: Report) -> list[tuple[BuiltBlock, BlockInput]]:
    return list(zip(report.blocks, block_inputs(report.blocks), strict=True))


def _peak(report: Report, verdict: Verdict) -> Breach:
    values: dict[int, int] = {}
    entries = _entries(report)
    for entry, given in entries:
        values[entry.row] = max(values.get(entry.row, 0), block_peak(*given[1:]))
    rows = [each for each in _shares(report, verdict, values) if each.value > verdict.budget.limit]
    size = verdict.budget.in_unit(1)
    step, tensors = "", [LiveTensor(INPUT, None, report.input_shape, size * elements(report.input_shape))]
    peaks = [block_peak(*given[1:]) for _, given in entries]
    place = max(range(len(peaks)), key=peaks.__getitem__)
    if peaks[place] == report.peak_activation:
        step, tensors = _alive(entries, place, size)
    listed = " and ".join(f"{shape_text(each.shape)} of {each.path}" for each in tensors)
    row = entries[place][0].row
    where = f"at {step} in row {row + 1}" if step else "before the first layer"
    count = f"{len(tensors)} tensor{'' if len(tensors) == 1 else 's'}"
    return Breach(
        verdict, f"{verdict.sentence} The peak is {where}, with {count} in memory: {listed}.", tuple(rows), step,
        tuple(tensors),
    )  # fmt: skip


def _alive(entries: list[tuple[BuiltBlock, BlockInput]], place: int, size: int) -> tuple[str, list[LiveTensor]]:
    """Return the layer that runs at the peak of a block, and the tensors in memory."""
    entry, given = entries[place]
    steps, fusion = trace_block(entry.block, entry.shape).steps, block_fusion(*given[1:])
    counts = alive(steps, fusion)
    index = counts.index(max(counts))
    tensors = []
    for storage in storages_alive(steps, fusion, index):
        if storage:
            step = steps[storage - 1]
            written = LiveTensor(
                join(entry.path, step.path), entry.row, step.output.shape, size * fusion.sizes[storage]
            )
        elif place:
            before = entries[place - 1][0]
            written = LiveTensor(before.path, before.row, entry.shape, size * fusion.sizes[0])
        else:
            written = LiveTensor(INPUT, None, entry.shape, size * fusion.sizes[0])
        tensors.append(written)
    return join(entry.path, steps[index].path), tensors


check_public(globals())
