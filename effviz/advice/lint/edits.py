"""Changes of base rows: what a fix does to a stage table. None where the result would not build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from effviz.core.errors import DesignError
from effviz.count.report import analyze
from effviz.model.blocks import BLOCKS
from effviz.model.design import Design
from effviz.model.fields import declared
from effviz.model.stage import Stage


def fields_of(row: Stage) -> dict[str, Any]:
    """The block's fields of a row, defaults included."""
    return {field.name: field.default for field in declared(BLOCKS[row.block])} | dict(row.fields)


def with_stages(design: Design, stages: tuple[Stage, ...]) -> Design | None:
    """`design` with other rows, None where they cannot be built."""
    try:
        changed = replace(design, stages=stages)
        changed.runs()
    except DesignError:
        return None
    return changed


def edited(design: Design, changes: Mapping[int, Mapping[str, Any]]) -> Design | None:
    """`design` with some attributes or fields of some rows changed."""
    stages = list(design.stages)
    try:
        for row, values in changes.items():
            stages[row] = stages[row].with_changes(**values)
    except DesignError:
        return None
    return with_stages(design, tuple(stages))


def with_block(design: Design, row: int, block: str, **fields: Any) -> Design | None:
    """`design` with another block in a row; of its fields it keeps those that both blocks declare."""
    old = design.stages[row].to_dict()
    known = {field.name for field in declared(BLOCKS[block])}
    kept = {key: value for key, value in old.items() if key in known or key in Stage.__dataclass_fields__}
    stages = list(design.stages)
    try:
        stages[row] = Stage(**(kept | {"block": block} | fields))
    except DesignError:
        return None
    return with_stages(design, tuple(stages))


def with_row(design: Design, place: int, block: str, name: str) -> Design | None:
    """`design` with a further row, of fixed depth, ahead of the row that is at `place` now."""
    taken = {row.name for row in design.stages}
    while name in taken:
        name += "_"
    row = Stage(block, name=name, depth="fixed")
    return with_stages(design, (*design.stages[:place], row, *design.stages[place:]))


def without_row(design: Design, row: int) -> Design | None:
    """`design` without a row."""
    stages = design.stages[:row] + design.stages[row + 1 :]
    return with_stages(design, stages) if stages else None


def moved(row: int | None, before: Design, after: Design) -> int | None:
    """Where the row at index `row` of `before` is in `after`, which has one row more, less or another."""
    shift = len(after.stages) - len(before.stages)
    if row is None or shift == 0:
        return row
    pairs = zip(before.stages, after.stages, strict=False)
    place = next((index for index, (old, new) in enumerate(pairs) if old != new), len(before.stages) + min(shift, 0))
    if row < place:
        return row
    return None if shift < 0 and row == place else row + shift


def affordable(design: Design, changed: Design | None, rise: float) -> Design | None:
    """`changed` if neither parameters nor multiply-adds rise by more than the share `rise`."""
    if changed is None:
        return None
    now, then = analyze(design), analyze(changed)
    return changed if then.macs <= (1 + rise) * now.macs and then.params <= (1 + rise) * now.params else None


def same_width(design: Design, row: int) -> list[int]:
    """The rows of a stage that are as wide as `row`: a shortcut joins their blocks, so they change together."""
    base = design.stages[row]
    return [
        index
        for index, each in enumerate(design.stages)
        if each.name == base.name and each.out_channels == base.out_channels
    ]


def rewidened(design: Design, row: int, channels: int) -> Design | None:
    """`design` with a base width such that the blocks of `row` are built with `channels` output channels."""
    base = design.stages[row].out_channels
    if base is None or design.stages[row].width == "classes":
        return None
    together = same_width(design, row)
    for candidate in bases(design, channels):
        changed = edited(design, {each: {"out_channels": candidate} for each in together})
        if changed is not None and _built(changed, "out_channels", together) == {channels}:
            return changed
    return None


def with_channels(design: Design, row: int, field: str, channels: int) -> Design | None:
    """`design` with a base value of a width-like field such that it is built as `channels`."""
    for candidate in bases(design, channels):
        changed = edited(design, {row: {field: candidate}})
        if changed is not None and _built(changed, field, [row]) == {channels}:
            return changed
    return None


def bases(design: Design, channels: int) -> Iterator[int]:
    """Base widths that may be built as `channels`, the likeliest first."""
    mults = (design.width_mult, max(1.0, design.width_mult), 1.0)
    found = dict.fromkeys(
        round(channels / mult) + step for mult in dict.fromkeys(mults) for step in (0, 1, -1, 2, -2, 3, -3)
    )
    return (base for base in found if base > 0)


def _built(design: Design, name: str, rows: list[int]) -> set[Any]:
    return {vars(run.block).get(name) for run in design.runs() if run.row in rows}
