"""Groups of blocks for tables and diagrams: stages, and runs of similar neighbours."""

from collections.abc import Sequence
from itertools import groupby

from effviz.model.layers import Layer
from effviz.model.layout import BuiltBlock
from effviz.model.trace import trace_block


def stage_of(path: str) -> str:
    """Return the stage of a path: ``"stage4"`` for ``"stage4.1"``."""
    return path.partition(".")[0]


def span(paths: Sequence[str]) -> str:
    """Name a range of neighbours by the first and the last path."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} to {paths[-1]}"


def by_stage(blocks: Sequence[BuiltBlock]) -> list[list[BuiltBlock]]:
    """Group `blocks` by stage."""
    return [list(group) for _, group in groupby(blocks, lambda entry: stage_of(entry.path))]


def alike_runs(blocks: Sequence[BuiltBlock]) -> list[list[BuiltBlock]]:
    """Group neighbours that are equal, or have the same row, stride and structure.

    Dense layers of one row are therefore one group, although their input channels differ.
    """
    found: list[list[BuiltBlock]] = []
    for entry in blocks:
        if found and _alike(found[-1][-1], entry):
            found[-1].append(entry)
        else:
            found.append([entry])
    return found


def _alike(before: BuiltBlock, entry: BuiltBlock) -> bool:
    if stage_of(before.path) != stage_of(entry.path):
        return False
    if before.block == entry.block:
        return True
    strides = {getattr(each.block, "stride", 1) for each in (before, entry)}
    return before.row == entry.row and len(strides) == 1 and _structure(before) == _structure(entry)


def _structure(entry: BuiltBlock) -> list[tuple[str, type[Layer]]]:
    return [(step.path, type(step.layer)) for step in trace_block(entry.block, entry.shape).steps]
