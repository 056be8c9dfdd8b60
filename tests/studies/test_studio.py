"""Tests of the Studio page's computations: rows with costs and status, new rows, legal options, recipes as tables."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import pytest
from cases import for_each
from examples import recipes
from hypothesis import given, settings
from profiles import examples

import effviz
from effviz import ARCHITECTURES, DesignError, Stage
from effviz.model.blocks import BLOCKS
from effviz.model.blocks.composed import EXAMPLE, Recipe, RecipeStep
from effviz.model.draft import Draft, checked
from effviz.model.fields import declared
from effviz.studies.studio import (
    STEP_COLUMNS,
    DraftRow,
    buildable,
    draft_rows,
    new_row,
    recipe_of,
    row_totals,
    scaled_report,
    steps_of,
)

V2 = Draft.of(effviz.architecture("mobilenet_v2"))
WRONG = V2.change(2, block="conv", groups=7)


def rows_of(draft: Draft) -> list[DraftRow]:
    return draft_rows(draft, checked(draft))


# --- rows ------------------------------------------------------------------------------------------------------------


@for_each("name", ARCHITECTURES)
def test_rows_add_up_to_the_report(name: str) -> None:
    design = effviz.architecture(name)
    report, rows = effviz.analyze(design), rows_of(Draft.of(design))
    assert sum(row.params or 0 for row in rows) == report.params
    assert sum(row.macs or 0 for row in rows) == report.macs
    assert sum(row.blocks or 0 for row in rows) == len(report.blocks)
    assert {row.status for row in rows} == {"built"}
    assert re.fullmatch(r"(\d+) × \1", rows[0].map)
    assert rows[-1].map == ""
    assert [row.stage for row in rows] == [row.name for row in design.stages]


def test_rows_that_are_left_out_at_a_smaller_depth() -> None:
    draft = Draft.of(effviz.architecture("ghostnet", depth_mult=0.25))
    left_out = [row for row in rows_of(draft) if row.status == "left out at this depth"]
    assert left_out
    assert {(row.blocks, row.params, row.macs, row.map) for row in left_out} == {(0, None, None, "")}


def test_rows_from_a_fault_on_have_no_costs() -> None:
    rows = rows_of(WRONG)
    assert [row.status for row in rows[:2]] == ["built", "built"]
    assert "groups = 7 must divide in_channels = 16" in rows[2].status
    assert {row.status for row in rows[3:]} == {"not reached"}
    assert {(row.blocks, row.params, row.macs, row.map) for row in rows[2:]} == {(None, None, None, "")}
    assert rows[2].channels == 24
    above = checked(WRONG).design
    assert above is not None
    assert sum(row.params or 0 for row in rows) == effviz.analyze(above).params
    assert rows_of(Draft.empty()) == []


def test_channels_and_blocks_are_the_built_ones() -> None:
    draft = Draft.of(effviz.architecture("efficientnet_b0")).settings(width_mult=1.1, depth_mult=1.2)
    design = draft.design
    assert design is not None
    for index, row in enumerate(rows_of(draft)):
        runs = [run for run in design.runs() if run.row == index]
        assert row.blocks == sum(run.repeats for run in runs)
        assert row.channels == row_totals(design)[index].out_shape[0]
    assert [row.channels for row in rows_of(draft)][1:4] == [16, 24, 48]


def test_custom_blocks_have_the_name_of_their_recipe() -> None:
    assert rows_of(V2.define(EXAMPLE, 3))[3].block == EXAMPLE.name


def test_new_rows_can_be_built() -> None:
    for index in range(len(V2.rows)):
        draft = V2.add(new_row(V2, index), index + 1)
        assert checked(draft).fault is None, index
    assert new_row(V2, 3) == Stage("conv", 32)
    assert new_row(V2, 10) == Stage("linear", 1000)
    assert new_row(Draft.empty(), 0) == Stage("conv", 32, 1, 2, name="stem", depth="fixed")


def test_only_values_that_can_be_built_are_offered() -> None:
    for index, row in enumerate(V2.rows):
        for entry in declared(BLOCKS[row.block]):
            options = entry.choices or (range(int(entry.minimum), 8) if entry.kind == "int" else ())
            value = dict(row.fields).get(entry.name, entry.default)
            offered = buildable(V2, index, entry.name, tuple(options), value)
            assert value in offered or value not in options
            for option in options:
                try:
                    fault = checked(V2.change(index, **{entry.name: option})).fault
                except DesignError:
                    assert option not in offered
                    continue
                assert (option in offered) == (option == value or fault is None or fault.row > index)
    assert buildable(WRONG, 5, "stride", (1, 2, 300), 1) == [1, 2, 300]
    assert buildable(WRONG, 2, "groups", (1, 2, 5, 7), 7) == [1, 2, 7]


@pytest.mark.parametrize("depth", [0.25, 1.0, 2.5])
def test_rows_of_one_stage_are_built_together(depth: float) -> None:
    draft, strides = Draft.of(effviz.architecture("ghostnet", depth_mult=depth, resolution=64)), (1, 2, 4, 64)
    for index, row in enumerate(draft.rows):
        if BLOCKS[row.block].has_stride:
            faults = [checked(draft.change(index, stride=stride)).fault for stride in strides]
            legal = [fault is None or fault.row > index for fault in faults]
            wanted = [stride for stride, builds in zip(strides, legal, strict=True) if builds or stride == row.stride]
            assert buildable(draft, index, "stride", strides, row.stride) == wanted


def test_scaled_reports() -> None:
    design = effviz.architecture("mobilenet_v2")
    half = scaled_report(design, resolution=112)
    assert half is not None
    assert half.macs == effviz.analyze(design, 112).macs
    tiny = effviz.Design("tiny", (Stage("conv", 8, kernel_size=9, padding=0),), resolution=9)
    assert scaled_report(tiny, resolution=4) is None
    assert scaled_report(effviz.Design("none", (Stage("flatten"),), resolution=8)) is None


# --- recipes ---------------------------------------------------------------------------------------------------------


def as_edited(recipe: Recipe) -> pd.DataFrame:
    """Return the steps as the data editor has them: empty cells are NaN or None."""
    return pd.DataFrame(steps_of(recipe), columns=STEP_COLUMNS)


@settings(max_examples=examples(60))
@given(recipe=recipes())
def test_the_table_of_steps_is_the_recipe(recipe: Recipe) -> None:
    assert recipe_of(recipe.name, as_edited(recipe).to_dict("records"), recipe.shortcut) == recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Step": None}, "step 1 has no block"),
        ({"Groups": 2}, "step 1: Depthwise: field of Depthwise = 'groups' is unknown"),
        ({"Other fields": "{"}, "step 1: other fields = '{' must be a JSON object"),
        ({"Kernel": 2.5}, "step 1: Depthwise: kernel_size = 2.5 must be"),
    ],
)
def test_a_wrong_step_is_named(change: dict[str, Any], message: str) -> None:
    steps = as_edited(EXAMPLE).astype(object)
    for column, value in change.items():
        steps.loc[0, column] = value
    with pytest.raises(DesignError) as raised:
        recipe_of("mine", steps.to_dict("records"), False)
    assert message.split(" = ")[-1] in str(raised.value)
    assert str(raised.value).startswith(message[:6])


def test_a_step_that_keeps_its_channels_has_no_multiple() -> None:
    recipe = Recipe("own", (RecipeStep("channel_shuffle", groups=2), RecipeStep("conv", 2, "in")))
    assert list(as_edited(recipe)["Channels x"].isna()) == [True, False]


def test_only_fields_without_a_column_are_json() -> None:
    recipe = Recipe("own", (RecipeStep("conv", dilation=2, kernel_size=5),))
    assert [json.loads(step["Other fields"]) for step in steps_of(recipe)] == [{"dilation": 2}]
    assert recipe_of("own", [steps_of(recipe)[0] | {"Other fields": '{"kernel_size": 3}'}], False).parts == (
        RecipeStep("conv", kernel_size=3),
    )
