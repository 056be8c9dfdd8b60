"""Changes of base rows, for fixes. Each returns None if the result cannot be built."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from effviz.core.arguments import check_border
from effviz.core.errors import DesignError
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.fields import declared
from effviz.model.stage import Stage


def with_stages(design: Design, stages: tuple[Stage, ...]) -> Design | None:
    """Return `design` with other rows."""
    try:
        changed = replace(design, stages=stages)
        changed.runs()
    except DesignError:
        return None
    return changed


def edited(design: Design, changes: Mapping[int, Mapping[str, Any]]) -> Design | None:
    """Return `design` with attributes or fields of some rows changed."""
    stages = list(design.stages)
    try:
        for row, values in changes.items():
            stages[row] = stages[row].with_changes(**values)
    except DesignError:
        return None
    return with_stages(design, tuple(stages))


def with_block(design: Design, row: int, block: str, **fields: Any) -> Design | None:
    """Return `design` with another block in a row, which keeps the fields that both blocks declare."""
    known = {field.name for field in declared(BLOCKS[block])} | set(Stage.__dataclass_fields__)
    kept = {key: value for key, value in design.stages[row].to_dict().items() if key in known}
    try:
        changed = Stage(**(kept | {"block": block} | fields))
    except DesignError:
        return None
    return with_stages(design, (*design.stages[:row], changed, *design.stages[row + 1 :]))


def with_row(design: Design, place: int, block: str, name: str) -> Design | None:
    """Return `design` with another row of fixed depth before the row at index `place`."""
    taken = {row.name for row in design.stages}
    while name in taken:
        name += "_"
    row = Stage(block, name=name, depth="fixed")
    return with_stages(design, (*design.stages[:place], row, *design.stages[place:]))


def without_row(design: Design, row: int) -> Design | None:
    """Return `design` without a row."""
    stages = design.stages[:row] + design.stages[row + 1 :]
    return with_stages(design, stages) if stages else None


def moved(row: int | None, before: Design, after: Design) -> int | None:
    """Return the index in `after` of a row of `before`; they differ in one row, or by one row more or less."""
    shift = len(after.stages) - len(before.stages)
    if row is None or shift == 0:
        return row
    pairs = zip(before.stages, after.stages, strict=False)
    place = next((index for index, (old, new) in enumerate(pairs) if old != new), len(before.stages) + min(shift, 0))
    if row < place:
        return row
    return None if shift < 0 and row == place else row + shift


def same_width(design: Design, row: int) -> list[int]:
    """Return the rows of the stage with the width of `row`. Shortcuts join their blocks, so they change together."""
    base = design.stages[row]
    return [
        index
        for index, each in enumerate(design.stages)
        if each.name == base.name and each.out_channels == base.out_channels
    ]


def rewidened(design: Design, row: int, channels: int) -> Design | None:
    """Return `design` with a base width from which the blocks of `row` are built with `channels` output channels."""
    if design.stages[row].out_channels is None or design.stages[row].width == "classes":
        return None
    return with_built(design, same_width(design, row), "out_channels", channels)


def with_built(design: Design, rows: list[int], field: str, channels: int) -> Design | None:
    """Return `design` with a base value in `rows` from which a width-like field is built as `channels`."""
    for base in bases(design, channels):
        changed = edited(design, {row: {field: base} for row in rows})
        if changed and {vars(run.block).get(field) for run in changed.runs() if run.row in rows} == {channels}:
            return changed
    return None


def bases(design: Design, channels: int) -> Iterator[int]:
    """Yield base widths that may be built as `channels`, the likeliest first."""
    mults = (design.width_mult, max(1.0, design.width_mult), 1.0)
    found = dict.fromkeys(
        round(channels / mult) + step for mult in dict.fromkeys(mults) for step in (0, 1, -1, 2, -2, 3, -3)
    )
    return (base for base in found if base > 0)


check_border(globals())
