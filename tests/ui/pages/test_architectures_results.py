"""Layers, formulas, published figures, exercises and downloads of the Architectures page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from page_reader import (
    cards,
    check_formulas,
    expected_cards,
    formulas,
    layers,
    layers_element,
    line,
    open_page,
    opened,
    printed,
    questions,
    report,
    reveal,
    run,
    show_part,
    title,
    words,
)

import effviz
from effviz import ARCHITECTURES, Report
from effviz.advice.smallest import smallest_resolution
from effviz.core.text import search_text
from effviz.core.units import change, exact
from effviz.count.kinds import VIEW

every_architecture = pytest.mark.parametrize("name", list(ARCHITECTURES))
OPTIONS = {"width": "width_mult", "depth": "depth_mult", "res": "resolution", "classes": "num_classes"}


def _counted(name: str, controls: dict[str, Any]) -> Report:
    return report(name, **{OPTIONS[key]: value for key, value in controls.items()})


def test_the_heaviest_layer_is_explained_first() -> None:
    for name in ("mobilenet_v2", "vgg16", "shufflenet_v1"):
        at = show_part(opened(net=title(name)), "How this is computed")
        table = report(name).table
        assert at.selectbox(key="layer").value == table.loc[table["macs"].idxmax(), "path"]


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "densenet121", "shufflenet_v1"])
def test_any_layer_can_be_explained(name: str) -> None:
    table = report(name).table
    at = open_page(net=title(name))
    paths = table[table["kind"] != VIEW].drop_duplicates("kind")["path"].tolist()
    assert at.selectbox(key="layer").options == table[table["kind"] != VIEW]["path"].tolist()
    for path in (*paths, table[table["kind"] != VIEW]["path"].iloc[-1]):
        show_part(at, "How this is computed").selectbox(key="layer").set_value(path)
        run(at)
        assert at.selectbox(key="layer").value == path
        check_formulas(at)


def test_a_layer_by_link() -> None:
    at = open_page(layer="classifier.linear", count="FLOPs", unit="float32")
    shown = formulas(at)
    weights = r"N_{\text{in}} \cdot N_{\text{out}}"
    assert shown["Parameters"] == (
        rf"{weights} + N_{{\text{{out}}}}", r"1{,}280 \times 1{,}000 + 1{,}000", "1,281,000",
    )  # fmt: skip
    assert shown["FLOPs"] == (rf"2 \cdot ({weights})", r"2 \times (1{,}280 \times 1{,}000)", "2,560,000")
    access = 1280 + 1_281_000 + 1000
    assert shown["Memory access cost"][2] == f"{exact(4 * access)} bytes"


def test_a_layer_that_is_gone_gives_way_to_the_heaviest() -> None:
    at = open_page(layer="stage6.2.project.conv")
    assert at.selectbox(key="layer").value == "stage6.2.project.conv"
    at.number_input(key="depth").set_value(0.25)
    run(at)
    table = report(depth_mult=0.25).table
    assert "stage6.2.project.conv" not in set(table["path"])
    assert at.selectbox(key="layer").value == table.loc[table["macs"].idxmax(), "path"]
    assert line(at) == ""


def test_a_chosen_layer_stays_chosen() -> None:
    at = open_page(layer="stage4.1.depthwise.conv")
    before = formulas(at)
    at.number_input(key="width").set_value(0.5)
    run(at)
    assert at.selectbox(key="layer").value == "stage4.1.depthwise.conv"
    assert formulas(at) != before
    check_formulas(at)


FINDS = [
    *("depthwise", "DEPTHWISE", "stage4", "BatchNorm2d", "InvertedResidual"),
    *("pointwise 1x1", "pointwise 1×1", "4.1.d", "nothing"),
]
PATTERNS = [".*", "[", "(", "\\", "a|b", "^stem", "conv$", "*", "?", "{2}", "%", "'\"", "<b>"]


def _found(find: str) -> list[str]:
    table = report().table
    return [
        row.path
        for row in table[table["kind"] != VIEW].itertuples()
        if any(search_text(find) in search_text(word) for word in (row.path, row.block, row.layer, row.kind))
    ]


def test_the_search_filters_by_path_block_layer_and_kind_and_takes_no_patterns() -> None:
    table = report().table
    table = table[table["kind"] != VIEW]
    at = open_page(part="Layers")
    for find in (*FINDS, *PATTERNS):
        expected = _found(find)
        at.text_input(key="find").set_value(find)
        run(at)
        assert find in FINDS or not expected
        if expected:
            assert layers(at)["Path"].tolist() == expected
            assert f"{len(expected)} of {len(table)}" in layers_element(at).proto.alt
        else:
            assert any(f"No rows: 0 of {len(table)} layers" in entry.proto.body for entry in at.html)
        assert any(entry.value.startswith(f"{len(expected)} of {len(table)} layers") for entry in at.caption)
        assert cards(at) == expected_cards(report()), "the search does not change the totals"
        assert any(exact(report().params) in entry.value for entry in at.caption)


@pytest.mark.parametrize("find", ["depthwise", "pointwise 1x1", "'\"<b>", "\\"])
def test_a_search_by_link(find: str) -> None:
    """tests/ui/test_links.py opens more texts, on a smaller page."""
    at = open_page(find=find)
    assert at.text_input(key="find").value == find
    assert line(at) == ""
    assert layers(at)["Path"].tolist() == _found(find) if _found(find) else not at.dataframe
    assert bool(_found(find)) == (find in FINDS)
    assert cards(at) == expected_cards(report()), "the search does not change the totals"
    assert any(exact(report().params) in entry.value for entry in at.caption)


# --- published figures --------------------------------------------------------------------------------------------


@every_architecture
def test_printed_figures_have_a_source_and_a_difference(name: str) -> None:
    table = printed(opened(net=title(name)))
    assert table is not None
    assert len(table)
    assert (table["Source"].str.len() > 5).all()
    counted = report(name)
    for _, row in table.iterrows():
        for column, against, number in (
            ("Parameters", "Parameters vs exact", counted.params),
            ("Multiply-adds", "Multiply-adds vs exact", counted.macs),
        ):
            assert bool(row[column]) == bool(row[against])
            if not row[column]:
                continue
            figure = float(row[column].removesuffix(" M").replace(",", "")) * 1e6
            if row[against] in ("rounded", "cut off"):
                assert figure == pytest.approx(number, rel=0.25)
                assert figure < number or row[against] == "rounded"
            else:
                assert row[against] == change(figure, number)
                if abs(figure / number - 1) > 0.2:
                    assert row["Notes"], "a figure that far off has an explanation"


def test_printed_figures_follow_the_controls() -> None:
    here = printed(open_page(net="MobileNetV1", width="0.5", res="160"))
    assert here is not None
    assert here["Printed as"].str.contains("0.5").any()
    assert not here["Printed as"].str.contains("0.75").any()
    assert printed(open_page(net="ShuffleNetV1", groups="8")) is not None


def test_no_printed_figures_where_none_were_printed() -> None:
    at = open_page(net="MobileNetV2", width="0.33")
    assert printed(at) is None
    assert any("No printed figures" in entry.value for entry in at.markdown)


def test_printed_figures_are_of_a_thousand_classes() -> None:
    """A network with ten classes is not compared with figures for a thousand."""
    at = open_page(net="MobileNetV2", classes="10")
    table = printed(at)
    compared = table is not None and (table["Parameters vs exact"] != "").any()
    said = any(re.search(r"1[, ]?000 classes", text) for text in words(at))
    assert compared
    assert said


# --- exercises ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "controls"),
    [("mobilenet_v2", {}), ("vgg16", {}), ("efficientnet_b0", {"res": 300, "width": 1.2}), ("alexnet", {"res": 225})],
)
def test_the_answers_are_computed(name: str, controls: dict[str, Any]) -> None:
    query = {key: f"{value:g}" for key, value in controls.items()}
    counted = _counted(name, controls)
    half = _counted(name, controls | {"res": counted.resolution // 2})
    share = f"{100 * half.macs / counted.macs:.1f} %"
    at = open_page(net=title(name), part="Try this", **query)
    assert f"from {counted.resolution} to {half.resolution} px" in questions(at)["half"]["question"]
    assert reveal(at, "half").startswith(f"{share}.")
    wide = effviz.analyze(counted.design.scaled(width_mult=2))
    assert reveal(at, "double").startswith(f"{wide.macs / counted.macs:.2f}×.")


@pytest.mark.parametrize("name", ["alexnet", "mobilenet_v2"])
def test_no_question_without_a_change(name: str) -> None:
    smallest = smallest_resolution(effviz.architecture(name))
    at = open_page(net=title(name), res=str(smallest), part="Try this")
    for text in (entry["question"] for entry in questions(at).values()):
        found = re.search(r"resolution changes from (\d+) to (\d+) px", text)
        assert found is None or found[1] != found[2], text


def test_no_doubling_where_no_such_width_was_published() -> None:
    at = open_page(net="ShuffleNetV1", scale="1.5", part="Try this")
    assert "double" not in questions(at)
    at = opened(net="ShuffleNetV1", part="Try this")
    assert "double" in questions(at)


# --- downloads ------------------------------------------------------------------------------------------------------


def test_downloads_are_there() -> None:
    at = show_part(opened(), "Downloads")
    offered = [entry.proto.label for entry in at.get("download_button")]
    assert offered == ["Layers as CSV", "Design as JSON", "Report to print"]
