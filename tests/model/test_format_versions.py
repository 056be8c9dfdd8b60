"""The JSON format: rows without a stride, and files and links of version 1."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from cases import for_each

from effviz import BLOCKS, Design, DesignError, Stage, analyze, architecture, list_architectures
from effviz.model.draft import Draft

# Written by the code of commit 3e05e68, the last one before version 2, with the numbers that it counted. The first
# three documents are edited by hand: their rows have no stride.
VERSION_1: list[dict[str, Any]] = json.loads(Path(__file__).with_name("version1.json").read_text())
every_old_file = pytest.mark.parametrize("old", VERSION_1, ids=[old["json"]["name"] for old in VERSION_1])
COUNTS = ("params", "macs", "memory_access", "peak_activation")


def _row(block: str, **options: Any) -> Stage:
    return Stage(block, 8 if BLOCKS[block].has_out_channels else None, **options)


def _lenet5(version: int) -> Design:
    document = next(old["json"] for old in VERSION_1 if old["json"]["name"] == "lenet5")
    return Design.from_json(json.dumps(document | {"version": version}))


@for_each("block", BLOCKS)
def test_a_row_without_a_stride_has_the_default_of_its_block(block: str) -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(BLOCKS[block])}
    assert _row(block).stride == defaults.get("stride", 1)


def test_the_blocks_that_reduce_the_resolution_by_default() -> None:
    assert {block for block in BLOCKS if _row(block).stride == 2} == {"max_pool", "avg_pool", "transition"}


def test_lenet5_by_hand() -> None:
    """LeNet-5 in which C3 reads all maps, its pools written without a stride: 61,706 parameters."""
    report = analyze(_lenet5(version=2))
    assert (report.params, report.macs) == (61_706, 416_520)


@every_old_file
def test_version_1_reads_as_it_did(old: dict[str, Any]) -> None:
    design = Design.from_json(json.dumps(old["json"]))
    assert [row.stride for row in design.stages] == old["strides"]
    report = analyze(design)
    assert {name: getattr(report, name) for name in COUNTS} == {name: old[name] for name in COUNTS}


@every_old_file
def test_links_of_version_1_decode_to_the_same_design(old: dict[str, Any]) -> None:
    assert Draft.unpacked(old["link"]).design == Design.from_json(json.dumps(old["json"]))


@every_old_file
def test_version_1_is_written_again_as_version_2(old: dict[str, Any]) -> None:
    design = Design.from_json(json.dumps(old["json"]))
    text = design.to_json()
    assert json.loads(text)["version"] == 2
    assert Design.from_json(text) == design
    assert Draft.unpacked(Draft.of(design).packed()).design == design


@pytest.mark.parametrize("stride", [None, 1, 2, 3])
@pytest.mark.parametrize("block", ["max_pool", "avg_pool", "transition", "conv"])
def test_strides_survive_json_links_and_changes(block: str, stride: int | None) -> None:
    row = _row(block, stride=stride, name="row")
    design = Design("strides", (Stage("conv", 8, name="stem"), row), resolution=32)
    assert row.to_dict()["stride"] == row.stride
    assert row.with_changes(repeats=2).stride == row.stride
    assert Design.from_json(design.to_json()) == design
    assert Draft.unpacked(Draft.of(design).packed()).design == design


def test_a_stride_of_null_is_an_error_in_both_versions() -> None:
    for version in (1, 2):
        document = {"version": version, "name": "x", "stages": [{"block": "max_pool", "stride": None}]}
        with pytest.raises(DesignError, match="row 0: stride = None must be an integer"):
            Design.from_json(json.dumps(document))


def test_a_new_block_keeps_a_stride_and_else_takes_its_default() -> None:
    draft = Draft.empty().add(Stage("conv", 8, name="stem")).add(Stage("norm_act"))
    assert draft.change(1, block="max_pool").rows[1].stride == 2
    assert draft.change(0, block="max_pool").rows[0].stride == 1


@for_each("name", list_architectures())
def test_tables_name_the_stride_of_every_pool(name: str) -> None:
    """Version 1 and 2 agree on the published tables, because they leave no stride to a default."""
    document = json.loads(architecture(name).to_json())
    assert Design.from_json(json.dumps(document | {"version": 1})) == architecture(name)
