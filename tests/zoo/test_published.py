"""Published figures: a network of the zoo, a source, and a count near the exact one or a reason."""

from __future__ import annotations

import csv
import math
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
import pytest
from cases import for_each

import effviz
from effviz import ARCHITECTURES, DesignError
from effviz.studies.printed_latency import latencies
from effviz.zoo import GROUPS, default_groups
from effviz.zoo.published import COLUMNS, figures_for, published
from effviz.zoo.published.cells import origin

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
    """Count the network of a row; None if effviz lacks it or the row does not identify it."""
    if not row.design or math.isnan(row.scale) or not row.resolution.isdigit():
        return None
    depth = 1.0 if math.isnan(row.depth_scale) else row.depth_scale
    groups = int(row.groups) if row.design in GROUPS and row.groups else None
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
    with files("effviz.zoo.published").joinpath("published.csv").open(encoding="utf-8", newline="") as file:
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
    assert set(TABLE["design"]) - {""} == set(ARCHITECTURES), "every network has a published figure"


def test_every_figure_has_a_source() -> None:
    assert (TABLE["source"].str.len() > 5).all()


def test_a_source_is_named_in_a_few_words() -> None:
    named = {text: origin(text) for text in TABLE["source"]}
    assert max(map(len, named.values())) <= 40, "it is a line of a card"
    assert all(text.startswith(short) and short for text, short in named.items())
    assert {"TF-slim", "GhostNet paper", "torchvision"} <= set(named.values())
    assert origin("") == ""


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
def test_figures_are_near_the_count_or_have_a_reason(column: str, counted: str) -> None:
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
    # The papers print figures of ShuffleNetV1 at scales without published widths.
    assert not [entry for entry in missing if entry[1] != "shufflenet_v1"]
    assert len(rows) - len(missing) > 500


# --- look-ups of the pages -------------------------------------------------------------------------------------------


@for_each("name", effviz.list_architectures())
def test_the_named_network_has_figures_at_its_own_resolution(name: str) -> None:
    design = effviz.architecture(name)
    rows = figures_for(design, 1.0, 1.0, default_groups(name))
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


def test_no_figures_at_other_multipliers() -> None:
    assert figures_for(effviz.architecture("mobilenet_v2"), 0.33, 1.0).empty
    assert figures_for(effviz.architecture("mobilenet_v2"), 1.0, 1.5).empty


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
def test_figures_of_a_number_of_groups(groups: int) -> None:
    rows = figures_for(effviz.architecture("shufflenet_v1", groups=groups), 1.0, 1.0, groups)
    assert set(rows["groups"]) <= {"", str(groups)}


def test_the_table_is_shared_and_unchanged() -> None:
    before = TABLE.copy()
    figures_for(effviz.architecture("vgg16"), 1.0, 1.0)
    pd.testing.assert_frame_equal(published(), before)
    assert published() is TABLE


# --- latencies with multiply-adds ---------------------------------------------------------------------------------

TIMED = latencies()
XEON = "Intel Xeon E5-2690 single core, batch 1. EfficientNet paper arXiv 1905.11946v5 Table 4"


def _file() -> list[dict[str, str]]:
    """Return the rows of the file as text."""
    with files("effviz.zoo.published").joinpath("published.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _where(row: dict[str, str]) -> str:
    return f"{row['latency_device']}. {row['source']}"


@cache
def _written() -> dict[tuple[str, float], list[dict[str, str]]]:
    """Group the rows with a latency by device and network."""
    found: dict[tuple[str, float], list[dict[str, str]]] = {}
    for row in _file():
        if row["latency_ms"]:
            found.setdefault((_where(row), float(row["latency_ms"])), []).append(row)
    return found


def _macs(row: dict[str, str]) -> int:
    return round(float(row["mult_adds"]) * 1e6) if row["mult_adds"] else 0


def test_columns_of_the_latencies() -> None:
    assert list(TIMED.columns) == [
        "where", "device", "title", "family", "macs", "macs_by", "latency_ms", "source", "notes",
    ]  # fmt: skip
    assert list(TIMED.index) == list(range(len(TIMED)))
    assert not TIMED.isna().any(axis=None)
    assert (TIMED["macs"] > 0).all()
    assert (TIMED["latency_ms"] > 0).all()
    assert set(TIMED["macs_by"]) == {"printed", "printed elsewhere", "counted"}
    for row in TIMED.itertuples():
        assert row.where == f"{row.device}. {row.source}"


def test_a_network_has_one_row_per_device() -> None:
    assert not TIMED.duplicated(["where", "title"]).any()
    assert (TIMED.groupby("where").size() >= 3).all()
    # Several weights of one network have one latency.
    weights = [row for row in TIMED.itertuples() if "timm " in row.title]
    assert len(weights) > 100
    assert len({(row.where, row.macs, row.latency_ms) for row in weights}) == len(weights)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["printed", "printed elsewhere", "counted"])
def test_multiply_adds_are_from_the_named_origin(by: str) -> None:
    rows = TIMED[TIMED["macs_by"] == by]
    assert len(rows)
    for row in rows.itertuples():
        known = [each for each in _written()[row.where, row.latency_ms] if each["architecture"] == row.family]
        assert known, row
        if by == "printed":
            assert row.macs in map(_macs, known), row
            continue
        assert any(not _macs(each) for each in known), row
        paper = row.source.split(" Table ")[0]
        elsewhere = [
            _macs(each) for each in _file() if each["variant"] in row.title and each["source"].startswith(paper)
        ]
        if by == "printed elsewhere":
            assert row.macs in elsewhere, row
        else:
            (design,) = {(each["design"], each["scale"], each["resolution"]) for each in known if each["design"]}
            report = _report(design[0], float(design[1]), 1.0, int(design[2]), None)
            assert row.macs == report.macs, row


def test_every_device_with_three_networks_is_listed() -> None:
    networks: dict[str, set[tuple[str, int, float]]] = {}
    for (where, latency), rows in _written().items():
        for row in rows:
            if _macs(row):
                # In timm's names the first word is the network; the others name its weights.
                name = row["variant"].split(".")[0] if row["variant"].startswith("timm ") else row["variant"]
                networks.setdefault(where, set()).add((name, _macs(row), latency))
    enough = {where: found for where, found in networks.items() if len(found) >= 3}
    assert len(enough) > 20
    assert set(enough) <= set(TIMED["where"])
    for where, found in enough.items():
        rows = TIMED[(TIMED["where"] == where) & (TIMED["macs_by"] == "printed")]
        pairs = sorted(zip(rows["macs"], rows["latency_ms"], strict=True))
        assert pairs == sorted((macs, latency) for _, macs, latency in found), where


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def test_titles_name_their_network() -> None:
    for row in TIMED.itertuples():
        # Some tables write MobileNetV3 as "MobileNet" and "v3_large".
        assert _plain(row.family.rstrip("V123")) in _plain(row.title), row
        variants = {_plain(each["variant"].split(".")[0]) for each in _written()[row.where, row.latency_ms]}
        assert any(variant in _plain(row.title) for variant in variants), row


@pytest.mark.parametrize(
    ("device", "paper", "title", "macs", "by", "latency"),
    [
        ("Pixel 1 ", "MobileNetV2 paper", "MobileNetV1", 575e6, "printed", 113),
        ("Pixel 1 ", "MobileNetV2 paper", "NasNet-A", 564e6, "printed", 183),
        ("Pixel 2 ", "MobileNetV3 paper", "MobileNetV3: V3-Large 0.75", 155e6, "printed", 46),
        ("Pixel 3 ", "MobileNetV3 paper", "MobileNetV3: V3-Small 1.0", 56e6, "printed", 14.4),
        ("Pixel 1 ", "MobileNetV3 paper", "MobileNetV2: V2 0.35 int8", 59_285_808, "counted", 16.7),
        ("Pixel 1 big core", "MnasNet paper", "MnasNet: search2", 68e6, "printed", 23.2),
        ("Snapdragon 820", "ShuffleNet paper", "ShuffleNetV1: 1x (g=3)", 140e6, "printed", 37.8),
        ("Snapdragon 820", "ShuffleNet paper", "AlexNet", 720e6, "printed", 184),
        ("Snapdragon 810", "ShuffleNetV2 paper", "0.25 MobileNet v1", 41e6, "printed", 27.47),
        ("GTX 1080Ti", "ShuffleNetV2 paper", "0.25 MobileNet v1", 41e6, "printed", 1.992),
        ("Intel Xeon", "EfficientNet paper", "ResNet-152", 11e9, "printed elsewhere", 554),
        ("Intel Xeon", "EfficientNet paper", "EfficientNet-B7", 37_745_884_192, "counted", 3100),
        ("Intel i9", "timm", "timm resnet50, 224 px", 4_110_000_000, "printed", None),
        ("iPhone 12 CoreML", "StarNet", "ShuffleNetV2: 1.0x", 145_814_296, "counted", 4.1),
    ],
)
def test_figures_of_the_papers(
    device: str, paper: str, title: str, macs: float, by: str, latency: float | None
) -> None:
    chosen = TIMED["device"].str.startswith(device) & TIMED["source"].str.startswith(paper) & (TIMED["title"] == title)
    rows = TIMED[chosen]
    assert len(rows), title
    assert macs in set(rows["macs"])
    assert set(rows["macs_by"]) == {by}
    assert latency is None or latency in set(rows["latency_ms"])


def test_one_table_in_full() -> None:
    rows = TIMED[TIMED["where"] == XEON]
    assert [tuple(row) for row in rows[["title", "family", "macs", "macs_by", "latency_ms"]].to_numpy()] == [
        ("ResNet-152", "ResNet", 11_000_000_000, "printed elsewhere", 554),
        ("EfficientNet-B1", "EfficientNet", 686_802_832, "counted", 98),
        ("EfficientNet-B7", "EfficientNet", 37_745_884_192, "counted", 3100),
    ]


def test_errors_of_a_figure_are_in_its_notes() -> None:
    chosen = (TIMED["title"] == "MobileNetV2 (1.4)") & TIMED["source"].str.startswith("MobileNetV2 paper")
    (notes,) = TIMED.loc[chosen, "notes"]
    assert notes.startswith("6.9M does not match any implementation")
    assert "585 M multiply-adds, exact 582.2 M" in notes


def test_the_latencies_are_shared() -> None:
    assert latencies() is TIMED
