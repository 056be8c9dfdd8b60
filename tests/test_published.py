"""Printed figures: each belongs to a network of the zoo, has a source, and is near the exact count or says why not."""

from __future__ import annotations

import csv
import math
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import pytest

import effviz
from effviz import ARCHITECTURES, DesignError
from effviz.published import COLUMNS, figures_for, published

TABLE = published()
TITLES = {"design", "architecture", "variant", "latency_device", "source", "notes", "wrong"}
NEAR = 0.2


@cache
def _report(name: str, width: float, depth: float, resolution: int | None, groups: int | None) -> effviz.Report:
    options: dict[str, Any] = {"groups": groups} if groups else {}
    return effviz.analyze(
        effviz.architecture(name, **options, width_mult=width, depth_mult=depth, resolution=resolution)
    )


def _exact(row: Any) -> effviz.Report | None:
    """The same network counted, None where effviz has no such network or the figure does not say which."""
    if not row.design or math.isnan(row.scale) or not row.resolution.isdigit():
        return None
    depth = 1.0 if math.isnan(row.depth_scale) else row.depth_scale
    groups = int(row.groups) if row.design == "shufflenet_v1" and row.groups else None
    try:
        return _report(row.design, row.scale, depth, int(row.resolution), groups)
    except DesignError:
        return None


def test_columns_and_their_types() -> None:
    assert list(TABLE.columns) == list(COLUMNS)
    for column in ("scale", "depth_scale", "params", "mult_adds", "top1", "latency_ms"):
        assert pd.api.types.is_numeric_dtype(TABLE[column]), column
    for column in ("design", "variant", "resolution", "groups", "latency_device", "source", "notes", "wrong"):
        assert all(isinstance(value, str) for value in TABLE[column]), column
    assert not TABLE["design"].isna().any()


def test_every_cell_of_the_file_is_text_or_a_number() -> None:
    with files("effviz.published").joinpath("published.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert len(rows) == len(TABLE) + 1
    for row in rows[1:]:
        for column, cell in zip(rows[0], row, strict=True):
            assert cell == cell.strip(), row
            assert cell.lower() not in ("nan", "none", "null", "n/a"), row
            if cell and column not in TITLES | {"resolution", "groups", "width_mult", "depth_mult"}:
                assert math.isfinite(float(cell)), (column, cell)


def test_designs_are_in_the_zoo() -> None:
    assert set(TABLE["design"]) - {""} == set(ARCHITECTURES), "and every network has a printed figure"


def test_every_figure_has_a_source() -> None:
    assert (TABLE["source"].str.len() > 5).all()


def test_every_row_prints_something() -> None:
    empty = TABLE[["params", "mult_adds", "top1", "latency_ms"]].isna().all(axis=1)
    assert not empty.any(), TABLE[empty].to_string()


def test_figures_are_possible() -> None:
    for column, low, high in (("params", 0.1, 2000), ("mult_adds", 1, 1e6), ("top1", 10, 95), ("latency_ms", 0, 1e6)):
        values = TABLE[column].dropna()
        assert values.between(low, high).all(), (column, values[~values.between(low, high)].tolist())
    assert (TABLE["scale"].dropna() > 0).all()
    assert (TABLE["depth_scale"].dropna() > 0).all()


def test_a_latency_names_its_device() -> None:
    timed = TABLE[TABLE["latency_ms"].notna()]
    assert len(timed)
    assert (timed["latency_device"] != "").all(), timed[timed["latency_device"] == ""].to_string()


@pytest.mark.parametrize(("column", "counted"), [("mult_adds", "macs"), ("params", "params")])
def test_figures_are_near_the_count_or_say_what_is_wrong(column: str, counted: str) -> None:
    checked, far = 0, []
    for row in TABLE[TABLE[column].notna()].itertuples():
        report = _exact(row)
        if report is None:
            continue
        checked += 1
        factor = getattr(row, column) * 1e6 / getattr(report, counted)
        if abs(factor - 1) > NEAR and not row.wrong:
            far.append((row.Index, row.design, row.variant, row.resolution, f"x{factor:.2f}", row.source))
    assert checked > 200
    assert not far, "\n".join(map(str, far))


def test_rows_of_the_zoo_can_be_built() -> None:
    rows = [row for row in TABLE.itertuples() if row.design and row.resolution.isdigit() and not math.isnan(row.scale)]
    missing = [(row.Index, row.design, row.variant) for row in rows if _exact(row) is None]
    # Of ShuffleNetV1 the papers print figures at scales whose widths they do not.
    assert not [entry for entry in missing if entry[1] != "shufflenet_v1"]
    assert len(rows) - len(missing) > 500


# --- what a page asks for -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", effviz.list_architectures())
def test_the_named_network_has_figures_at_its_own_resolution(name: str) -> None:
    design = effviz.architecture(name)
    rows = figures_for(design, 1.0, 1.0, 3 if name == "shufflenet_v1" else None)
    assert set(rows["design"]) == {name}
    assert str(design.resolution) in set(rows["resolution"])


def test_figures_of_a_multiplier() -> None:
    rows = figures_for(effviz.architecture("mobilenet_v1"), 0.75, 1.0)
    assert len(rows)
    assert set(rows["scale"]) == {0.75}
    assert set(rows["design"]) == {"mobilenet_v1"}


def test_float_noise_does_not_lose_figures() -> None:
    design = effviz.architecture("mobilenet_v1")
    assert len(figures_for(design, 0.1 + 0.2 + 0.45, 1.0)) == len(figures_for(design, 0.75, 1.0))


def test_nothing_is_printed_at_other_multipliers() -> None:
    assert figures_for(effviz.architecture("mobilenet_v2"), 0.33, 1.0).empty
    assert figures_for(effviz.architecture("mobilenet_v2"), 1.0, 1.5).empty


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
def test_figures_of_a_number_of_groups(groups: int) -> None:
    rows = figures_for(effviz.architecture("shufflenet_v1", groups=groups), 1.0, 1.0, groups)
    assert set(rows["groups"]) <= {"", str(groups)}


def test_the_table_is_shared_and_stays_as_it_is() -> None:
    before = TABLE.copy()
    figures_for(effviz.architecture("vgg16"), 1.0, 1.0)
    pd.testing.assert_frame_equal(published(), before)
    assert published() is TABLE
