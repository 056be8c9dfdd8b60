"""Computations of the Studio page: rows with their costs and status, new rows, legal options, recipes as tables."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from effviz.core.arguments import check_border
from effviz.core.caches import remembered
from effviz.core.errors import DesignError, if_legal, show
from effviz.count.report import Report, analyze
from effviz.count.rows import LayerRow
from effviz.count.totals import block_totals
from effviz.count.words import kind_title
from effviz.model.blocks import BLOCKS, Recipe
from effviz.model.blocks.composed import RecipeStep
from effviz.model.design import Design
from effviz.model.draft import Checked, Draft, checked
from effviz.model.layers import Shape, shape_text
from effviz.model.stage import Stage

# --- rows with their costs and status --------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowTotals:
    """Sums over the blocks that are built from one row."""

    blocks: int  # their number
    params: int  # of all blocks
    macs: int  # of all blocks
    out_shape: Shape  # of the last block


@remembered
def row_totals(design: Design) -> dict[int, RowTotals]:
    """Return the sums of every row that is built, by its index."""
    found: dict[int, RowTotals] = {}
    for run in design.runs():
        each, last = block_totals(run.block, run.shape), found.get(run.row, RowTotals(0, 0, 0, ()))
        found[run.row] = RowTotals(
            last.blocks + run.repeats,
            last.params + each.params * run.repeats,
            last.macs + each.macs * run.repeats,
            each.out_shape,
        )
    return found


@dataclass(frozen=True)
class DraftRow:
    """One row of the table on screen."""

    stage: str  # name
    block: str  # name
    channels: int | None  # as built; of the stage table if the row is not built
    blocks: int | None  # as built
    stride: int  # of the first block
    map: str  # height and width of the output as text; empty for a vector, and if the row is not built
    params: int | None  # of the row; None if it is not built
    macs: int | None  # of the row; None if it is not built
    status: str  # ``"built"``, or the reason why not


def draft_rows(draft: Draft, known: Checked) -> list[DraftRow]:
    """Return the rows of a draft with their costs, given ``checked(draft)``; rows from the first fault on have none."""
    totals = row_totals(known.design) if known.design is not None else {}
    fault = known.fault
    reached = len(draft.rows) if fault is None else fault.row
    found = []
    for index, row in enumerate(draft.rows):
        each = totals.get(index)
        status = "built" if each else "left out at this depth" if index < reached else "not reached"
        if fault is not None and index == fault.row:
            status = f"\N{MULTIPLICATION X} {fault.problem}"
        recipe = dict(row.fields).get("recipe")
        found.append(
            DraftRow(
                stage=row.name,
                block=recipe.name if recipe is not None else kind_title(BLOCKS[row.block]),
                channels=each.out_shape[0] if each else row.out_channels,
                blocks=each.blocks if each else 0 if index < reached else None,
                stride=row.stride,
                map=shape_text(each.out_shape[1:]) if each else "",
                params=each.params if each else None,
                macs=each.macs if each else None,
                status=status,
            )
        )
    return found


def new_row(draft: Draft, above: int) -> Stage:
    """Return the row that is inserted below row `above`.

    The first row is a stem. A row below a vector of features is a linear layer. Any other row is a 3x3 convolution with
    the width above it.
    """
    if not draft.rows:
        return Stage("conv", 32, 1, 2, name="stem", depth="fixed")
    widths = [row.out_channels for row in draft.rows[: above + 1] if row.out_channels is not None]
    design = checked(draft).design
    shapes = [each.out_shape for row, each in row_totals(design).items() if row <= above] if design else []
    is_vector = bool(shapes) and len(shapes[-1]) == 1
    return Stage("linear" if is_vector else "conv", widths[-1] if widths else 32)


@remembered
def buildable(draft: Draft, index: int, name: str, options: tuple[Any, ...], current: Any) -> list[Any]:
    """Return the values of a field, or of the stride, with which a row can be built, and the current one.

    All values are returned if an earlier row cannot be built.
    """
    fault = checked(draft).fault
    if fault is not None and fault.row < index:
        return list(options)
    # Later stages do not matter. The rows of one stage depend on one another.
    stage, length = draft.rows[index].name, len(draft.rows)
    end = next((place for place in range(index, length) if draft.rows[place].name != stage), length)
    legal = _buildable(draft.frame, draft.rows[:end], index, name, options)
    return [option for option, builds in zip(options, legal, strict=True) if option == current or builds]


@remembered
def _buildable(
    frame: Design, rows: tuple[Stage, ...], index: int, name: str, options: tuple[Any, ...]
) -> tuple[bool, ...]:
    """Return for each value of a field whether the row can be built with it."""

    def builds(option: Any) -> bool:
        try:
            changed = (*rows[:index], rows[index].with_changes(**{name: option}), *rows[index + 1 :])
            design = replace(frame, stages=changed)
        except DesignError:
            return False
        try:
            design.runs()
        except DesignError:
            fault = checked(Draft.of(design)).fault
            return fault is None or fault.row > index
        return True

    return tuple(map(builds, options))


@remembered
def scaled_report(design: Design, **changes: Any) -> Report | None:
    """Analyze a scaled design; None if it cannot be built, or without parameters or multiply-adds."""
    report = if_legal(lambda: analyze(design.scaled(**changes)))
    return report if report and report.macs and report.params else None


@remembered
def largest_layer(report: Report) -> LayerRow:
    """Return the layer that runs while the peak of activations is alive."""
    return max(report.running, key=lambda row: row.alive)


def row_of(report: Report, path: str) -> int | None:
    """Return the index of the row that builds a layer."""
    return next(
        (entry.row for entry in report.blocks if path == entry.path or path.startswith(f"{entry.path}.")), None
    )  # fmt: skip


def layers_of(report: Report, row: int) -> list[LayerRow]:
    """Return the layers that a row builds."""
    paths = tuple(f"{entry.path}." for entry in report.blocks if entry.row == row)
    return [layer for layer in report.rows if f"{layer.path}.".startswith(paths)] if paths else []


_LAYERS_OF_A_BLOCK = 10
_COSTLY = 3_000


def is_costly(draft: Draft) -> bool:
    """Whether a draft may have so many layers that its counts take more than about 0.2 s, by a rough estimate."""
    return estimated_layers(draft.rows, draft.frame.depth_mult) > _COSTLY


def estimated_layers(rows: Iterable[Stage], depth_mult: float) -> float:
    """Estimate the layers of a network without building it."""
    return sum(_layers(row.fields) * row.repeats * (depth_mult if row.depth == "scaled" else 1) for row in rows)


def _layers(fields: Iterable[tuple[str, Any]]) -> int:
    found = dict(fields)
    recipe: Recipe | None = found.get("recipe")
    if recipe is not None:
        return sum(_layers(part.fields) for part in recipe.parts)
    fragments: int = found.get("fragments", 0)
    return max(_LAYERS_OF_A_BLOCK, fragments)


# --- recipes as tables -----------------------------------------------------------------------------------------------

STEP, TIMES, OF, OTHERS = "Step", "Channels x", "of", "Other fields"
FIELD_COLUMNS = {
    "kernel_size": ("Kernel", "int"),
    "groups": ("Groups", "int"),
    "activation": ("Activation", "choice"),
    "squeezed": ("SE channels", "int"),
    "expand_ratio": ("Expand", "float"),
    "se_ratio": ("SE ratio", "float"),
}
"""Heading and kind of the fields with a column; the other fields of a step are in JSON."""
STEP_COLUMNS = [STEP, TIMES, OF, *(label for label, _ in FIELD_COLUMNS.values()), OTHERS]


def steps_of(recipe: Recipe) -> list[dict[str, Any]]:
    """Return a recipe as the rows of a table, by heading."""
    rows: list[dict[str, Any]] = []
    for part in recipe.parts:
        others = dict(part.fields)
        rows.append(
            {STEP: part.block, TIMES: part.times, OF: part.of}
            | {label: others.pop(name, None) for name, (label, _) in FIELD_COLUMNS.items()}
            | {OTHERS: json.dumps(others) if others else None}
        )
    return rows


def recipe_of(name: str, rows: Iterable[Mapping[str, Any]], shortcut: bool) -> Recipe:
    """Return the recipe in the rows of an edited table.

    Raises:
        DesignError: a step has an unknown field or an illegal value.
    """
    steps = []
    for number, row in enumerate(rows, 1):
        if _blank(row[STEP]):
            raise DesignError(f"step {number} has no block")
        fields = {
            field: _typed(row[label], kind) for field, (label, kind) in FIELD_COLUMNS.items() if not _blank(row[label])
        }
        try:
            fields |= _others(row[OTHERS])
            times = None if _blank(row[TIMES]) else float(row[TIMES])
            steps.append(RecipeStep(row[STEP], times, "out" if _blank(row[OF]) else row[OF], **fields))
        except DesignError as error:
            raise DesignError(f"step {number}: {error}") from None
    return Recipe(name, tuple(steps), shortcut)


def _others(text: Any) -> dict[str, Any]:
    if _blank(text):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or {"block", "times", "of"} & set(found):
        raise DesignError(f'other fields = {show(text)} must be a JSON object such as {{"dilation": 2}}')
    return found


def _blank(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _typed(value: Any, kind: str) -> Any:
    return int(value) if kind == "int" and float(value).is_integer() else value


check_border(globals())
