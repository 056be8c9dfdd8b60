"""Outline of a network: runs of equal blocks with their totals."""

from dataclasses import dataclass

from effviz.core.arguments import check_border
from effviz.count.report import Report
from effviz.count.totals import block_totals
from effviz.count.words import PLAIN, WEIGHTED, block_title, describe
from effviz.model.layers import shape_text
from effviz.model.layout import BuiltBlock
from effviz.model.outline import alike_runs
from effviz.model.trace import trace_block


@dataclass(frozen=True)
class BlockRun:
    """Neighboring blocks that are alike."""

    path: str  # of the first block
    title: str  # the block in a few words
    repeats: int  # number of blocks
    output: str  # shape of the last output, as text
    params: int  # of all of them
    macs: int  # of all of them


def block_runs(report: Report) -> list[BlockRun]:
    """Sum the costs of each run of equal blocks."""
    found = []
    for run in alike_runs(report.blocks):
        totals = [block_totals(entry.block, entry.shape) for entry in run]
        output = shape_text(totals[-1].out_shape)
        params, macs = sum(each.params for each in totals), sum(each.macs for each in totals)
        found.append(BlockRun(run[0].path, title_of(run[0]), len(run), output, params, macs))
    return found


def heaviest_path(runs: list[BlockRun]) -> str:
    """Return the first block of the run with the most multiply-adds, among those that repeat if any does."""
    return max([run for run in runs if run.repeats > 1] or runs, key=lambda run: run.macs).path


def title_of(entry: BuiltBlock) -> str:
    """Name a block with its stride: ``Inverted residual, stride 2``."""
    block = entry.block
    if type(block).__name__ in PLAIN:
        layers = [step.layer for step in trace_block(block, entry.shape).steps]
        return describe(next((layer for layer in layers if isinstance(layer, WEIGHTED)), layers[0]))
    stride = getattr(block, "stride", 1)
    return block_title(block) if stride == 1 else f"{block_title(block)}, stride {stride}"


check_border(globals())
