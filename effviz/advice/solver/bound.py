"""A lower bound on the counts of all variants of a table, which proves that a limit cannot be met.

Every row is counted alone with its smallest settings, for the narrowest input and output that it can have. Whether the
two are equally wide decides about shortcuts, so the narrowest equal and different widths are counted too. Otherwise no
count falls when a width, a kernel, a ratio or a map grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from effviz.advice.solver import knobs
from effviz.advice.solver.search import TableSearch
from effviz.advice.solver.table import COUNTS, RowCost
from effviz.core.errors import DesignError
from effviz.core.resolution import area
from effviz.count.memory import NETWORK_INPUT
from effviz.model.blocks import BLOCKS
from effviz.model.layers import elements
from effviz.model.stage import Stage


def lower_bounds(search: TableSearch) -> dict[str, int] | None:
    """Return a number for each of `COUNTS` that no variant is below.

    None if the bound is not known: a row derives its width from its input or from another row, as in DenseNet, names
    the width inside its blocks, or cannot be counted at its smallest settings.
    """
    design = search.table.design
    shape = design.input_shape(min(search.resolutions, key=area))
    inputs, producer = [shape[0]], NETWORK_INPUT
    sums = dict.fromkeys(COUNTS, 0)
    sums["peak_activation"] = elements(shape)
    for index, row in enumerate(design.stages):
        outputs = _outputs(search, index)
        if outputs is None:
            return None
        found: list[RowCost] = []
        for width_in, width_out in _pairs(inputs, outputs):
            stage = _smallest(search, index, width_out)
            try:
                found.append(
                    search.table.counted(stage, None, _fewest(search, index), min(search.widths),
                                         (width_in, *shape[1:]), producer)
                )  # fmt: skip
            except DesignError:
                return None
        droppable = row.depth == "scaled" and index > 0 and design.stages[index - 1].name == row.name
        if not droppable:
            for place, name in enumerate(COUNTS):
                least = min(each[:4][place] for each in found)
                sums[name] = max(sums[name], least) if name == "peak_activation" else sums[name] + least
        kept = [each * found[0].out_shape[0] // inputs[0] for each in inputs]
        inputs = sorted({*(outputs or kept), *(inputs if droppable else ())})
        shape, producer = found[0].out_shape, found[0].producer
    return sums


def _outputs(search: TableSearch, index: int) -> list[int] | None:
    """Return all output widths of a row, rising; empty if it keeps its channels, None if they are not known."""
    design, row = search.table.design, search.table.design.stages[index]
    kind, fields = BLOCKS[row.block], dict(row.fields)
    if kind.derives_out_channels or row.width == "proportional" or fields.get("expanded_channels") is not None:
        return None
    if not kind.has_out_channels:
        return []
    bases = [row.out_channels] + [
        dict(values)["out_channels"]
        for knob in search.table.knobs if knob.kind == knobs.WIDTH and index in knob.rows
        for values in knob.levels
    ]  # fmt: skip
    found = set()
    for base in bases:
        single = replace(design, stages=(row.with_changes(out_channels=base),))
        for width in search.widths:
            found.add(replace(single, width_mult=width).width_of(single.stages[0]) or 1)
    return sorted(found)


def _pairs(inputs: list[int], outputs: list[int]) -> Iterator[tuple[int, int | None]]:
    """Yield the narrowest pair of widths, and the narrowest ones that are equal or different if it is not."""
    if not outputs:
        yield inputs[0], None
        return
    yield inputs[0], outputs[0]
    if inputs[0] != outputs[0]:
        common = {*inputs} & {*outputs}
        if common:
            yield min(common), min(common)
        return
    if len(outputs) > 1:
        yield inputs[0], outputs[1]
    if len(inputs) > 1:
        yield inputs[1], outputs[0]


def _smallest(search: TableSearch, index: int, width: int | None) -> Stage:
    """Return a row with its smallest settings, at the narrowest multiplier, and with a given output width."""
    table, state = search.table, search.floor()
    row = table.stage(index, state.levels)
    fields = dict(replace(table.design, stages=(row,), width_mult=state.width_mult).fields_of(row))
    return row.with_changes(**fields, **({} if width is None else {"out_channels": width}), width="fixed")


def _fewest(search: TableSearch, index: int) -> int:
    """Return the smallest number of blocks of a row that is built."""
    row = search.table.design.stages[index]
    return 1 if row.depth == "scaled" else row.repeats
