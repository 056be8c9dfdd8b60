"""Charts of the Blocks page's lessons: data, titles and contrast in light and dark."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from math import dist
from typing import Any

import numpy as np
import pytest
from chart_gallery import spec_of
from vision import BLINDNESS, seen

import effviz
from effviz.charts.blocks.excite import excite_chart
from effviz.charts.blocks.manifold import SPIRAL_COLORS, loss_chart, manifold_pictures
from effviz.charts.blocks.reuse import WRITTEN_UP_TO, reuse_heatmap
from effviz.charts.style import DARK, LIGHT, Appearance, Chart
from effviz.core.units import exact, percent
from effviz.count import palette
from effviz.model.blocks import MBConv, SqueezeExcite
from effviz.studies.excite import excite
from effviz.studies.manifold import Embedding, embed, loss_curve
from effviz.studies.reuse import Reuse, reuse

each_look = pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)


@cache
def _embeddings() -> tuple[Embedding, ...]:
    return tuple(embed(size, 1) for size in (2, 3, 5, 15, 30))


@cache
def _reuse(name: str, stage: str) -> Reuse:
    return reuse(effviz.architecture(name), stage)


def _all(look: Appearance) -> dict[str, Chart]:
    return {
        "pictures": manifold_pictures(_embeddings(), look),
        "loss": loss_chart(loss_curve(), look, 15),
        "reuse": reuse_heatmap(_reuse("shufflenet_v2", "stage3"), look),
        "reuse of many": reuse_heatmap(_reuse("densenet121", "stage3"), look),
        "added": reuse_heatmap(_reuse("resnet50", "stage3"), look),
        "excite": excite_chart(excite(MBConv(24, 24), (24, 14, 14)), look),
        "excite alone": excite_chart(excite(SqueezeExcite(64, 4), (64, 14, 14)), look),
    }


@each_look
def test_charts_have_alt_text_and_use_their_appearance(look: Appearance) -> None:
    for name, chart in _all(look).items():
        layout = spec_of(chart)["layout"]
        layout = layout["template"]["layout"] | layout
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
        assert layout["font"]["color"] == look.ink
        assert 0 < layout["height"] <= 520, name
        assert chart.alt.startswith(chart.title)
        assert len(re.findall(r"\d", chart.alt)) > len(re.findall(r"\d", chart.title))
        assert "nan" not in chart.alt


# --- the spiral -------------------------------------------------------------------------------------------------------


def _numbers(values: Any) -> Any:
    """Check for a list, because plotly may encode an array as text."""
    assert isinstance(values, list)
    return np.array(values)


@each_look
def test_a_panel_for_the_input_and_every_embedding(look: Appearance) -> None:
    chart = manifold_pictures(_embeddings(), look)
    spec = spec_of(chart)
    expected = [_embeddings()[0].original, *(each.projected for each in _embeddings())]
    assert [trace["name"] for trace in spec["data"]] == ["Input", "n = 2", "n = 3", "n = 5", "n = 15", "n = 30"]
    for trace, points in zip(spec["data"], expected, strict=True):
        np.testing.assert_allclose(_numbers(trace["x"]), points[:, 0])
        np.testing.assert_allclose(_numbers(trace["y"]), points[:, 1])
        assert trace["marker"]["color"] == list(range(200)), "coloured along the spiral"
    texts = [note["text"] for note in spec["layout"]["annotations"]]
    assert texts == [
        "<b>Input</b><br>",
        *(f"<b>n = {each.dimensions}</b><br>{percent(each.lost)} lost" for each in _embeddings()),
    ]
    two, many = _embeddings()[0], _embeddings()[-1]
    assert chart.title == (
        f"With 2 channels, ReLU loses {percent(two.lost)} of the spiral; with 30, it loses {percent(many.lost)}"
    )
    assert all(f"n = {each.dimensions}: {percent(each.lost)} lost" in chart.alt for each in _embeddings())


def test_all_panels_have_one_scale_and_room() -> None:
    spec = spec_of(manifold_pictures(_embeddings(), LIGHT))
    lengths = set()
    for trace in spec["data"]:
        for side in "xy":
            low, high = spec["layout"][trace[f"{side}axis"].replace(side, f"{side}axis")]["range"]
            assert low < min(trace[side]) <= max(trace[side]) < high
            lengths.add(round(high - low, 9))
        assert spec["layout"][trace["yaxis"].replace("y", "yaxis")]["scaleanchor"] == trace["xaxis"]
    assert len(lengths) == 1


def test_a_linear_embedding_in_the_title() -> None:
    chart = manifold_pictures([embed(2, 0, "none")], LIGHT)
    assert chart.title == "Without an activation, 2 channels are enough to recover the whole spiral"
    assert manifold_pictures([embed(3, 1)], LIGHT).title == (
        f"With 3 channels, ReLU loses {percent(embed(3, 1).lost)} of the spiral"
    )


def _mixed(place: float) -> list[float]:
    """The colour at a place of 0 to 1 on the scale, as plotly mixes it."""
    position = place * (len(SPIRAL_COLORS) - 1)
    index = min(int(position), len(SPIRAL_COLORS) - 2)
    ends = [[int(color[start : start + 2], 16) for start in (1, 3, 5)] for color in SPIRAL_COLORS[index : index + 2]]
    return [low + (high - low) * (position - index) for low, high in zip(*ends, strict=True)]


@each_look
def test_the_spiral_can_be_seen(look: Appearance) -> None:
    for step in range(51):
        color = "#" + "".join(f"{round(part):02X}" for part in _mixed(step / 50))
        assert palette.contrast(color, look.paper) >= 3


@pytest.mark.parametrize("blindness", BLINDNESS.values(), ids=BLINDNESS)
def test_colours_differ_along_the_scale_for_every_reader(blindness: tuple[float, float] | None) -> None:
    looks = [seen(_mixed(step / 10), blindness) for step in range(11)]
    away = [dist(looks[0], color) for color in looks]
    assert away == sorted(away), "further along is further from the start"
    assert min(dist(one, other) for one, other in pairwise(looks)) > 2, "neighbours differ"
    assert away[-1] > 50


@each_look
def test_the_loss_chart_matches_the_curve(look: Appearance) -> None:
    curve = loss_curve()
    chart = loss_chart(list(reversed(curve)), look, 15)
    spec = spec_of(chart)
    band, line = spec["data"]
    sizes = [each.dimensions for each in curve]
    assert line["x"] == sizes
    assert line["y"] == [each.median for each in curve]
    assert band["x"] == sizes + sizes[::-1]
    assert band["y"] == [each.upper for each in curve] + [each.lower for each in reversed(curve)]
    marked = [color == look.accent for color in line["marker"]["color"]]
    assert marked == [size == 15 for size in sizes]
    (note,) = spec["layout"]["annotations"]
    assert 10 ** note["x"] == pytest.approx(15)
    assert note["text"] == f"n = 15: {percent(curve[4].median)}"
    assert spec["layout"]["xaxis"]["type"] == "log"
    assert spec["layout"]["yaxis"]["range"][1] > max(each.upper for each in curve)
    assert chart.title == (
        f"With 2 channels, ReLU loses a median of {percent(curve[0].median)} of the spiral; "
        "from 10 channels on, it loses under 1 %"
    )
    assert curve[2].median >= 0.01 > curve[3].median
    for each in curve:
        assert f"n = {each.dimensions}: median {percent(each.median)}" in chart.alt


def test_a_linear_embedding_loses_nothing() -> None:
    chart = loss_chart(loss_curve((2, 5), 5, "none"), LIGHT, activation="none")
    assert chart.title == "Without an activation, any number of channels recovers the whole spiral"
    assert spec_of(chart)["data"][1]["y"] == [0, 0]
    assert spec_of(chart)["layout"].get("annotations", []) == []


# --- reuse ------------------------------------------------------------------------------------------------------------


@each_look
@pytest.mark.parametrize(
    ("name", "stage", "how"),
    [
        ("shufflenet_v2", "stage3", "direct"),
        ("densenet121", "stage1", "direct"),
        ("densenet121", "stage3", "direct"),
        ("resnet50", "stage3", "added"),
        ("vgg16", "stage3", "direct"),
    ],
)
def test_cells_are_the_counts(name: str, stage: str, how: str, look: Appearance) -> None:
    found = _reuse(name, stage)
    chart = reuse_heatmap(found, look)
    heat, *text = spec_of(chart)["data"]
    size = len(found.labels)
    counts, shares = getattr(found, how), getattr(found, f"{how}_shares")
    assert heat["y"] == list(found.labels[:-1])
    assert heat["x"] == list(found.labels[1:])
    for i in range(size - 1):
        for j in range(1, size):
            assert heat["z"][i][j - 1] == (shares[i][j] if j > i else None)
            assert heat["customdata"][i][j - 1][0] == exact(counts[i][j])
    assert bool(text) == (size <= WRITTEN_UP_TO)
    for written in text:
        cells = dict(zip(zip(written["y"], written["x"], strict=True), written["text"], strict=True))
        assert cells == {
            (found.labels[i], found.labels[j]): exact(counts[i][j]) for i in range(size) for j in range(i + 1, size)
        }
    for j in range(1, size):
        assert f"{found.labels[0]} to {found.labels[j]}: {exact(counts[0][j])} of" in chart.alt


def test_titles_of_the_heatmaps() -> None:
    titles = {
        ("shufflenet_v2", "stage3"): "50 % of the 232 channels of stage3.0 are unchanged after stage3.1, and 0.9 % "
        "after stage3.7",
        ("densenet121", "stage3"): "Every channel of stage3 is unchanged after all later blocks",
        ("resnet18", "stage3"): "Every channel of stage3 is part of a sum after all later blocks",
        ("vgg16", "stage3"): "No channel of stage3 of vgg16 is unchanged after a later block",
        ("resnet18", "stem"): "stem of resnet18 has only one block, so no later block can reuse its channels",
    }
    for (name, stage), title in titles.items():
        assert reuse_heatmap(_reuse(name, stage), LIGHT).title == title
    none = reuse_heatmap(_reuse("resnet18", "stage3"), LIGHT, "direct")
    assert none.title == "No channel of stage3 of resnet18 is unchanged after a later block"


@each_look
@pytest.mark.parametrize("name", ["shufflenet_v2", "resnet50"])
def test_numbers_in_cells_can_be_read(name: str, look: Appearance) -> None:
    heat, written = spec_of(reuse_heatmap(_reuse(name, "stage3"), look))["data"]
    (_, low), (_, high) = heat["colorscale"]
    for source, target, color in zip(written["y"], written["x"], written["textfont"]["color"], strict=True):
        share = heat["z"][heat["y"].index(source)][heat["x"].index(target)]
        ends = [[int(end[start : start + 2], 16) for start in (1, 3, 5)] for end in (low, high)]
        behind = "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in zip(*ends, strict=True))
        assert palette.contrast(color, behind) >= 4.5


# --- squeeze-and-excitation -------------------------------------------------------------------------------------------


@each_look
def test_the_share_of_the_block_is_drawn(look: Appearance) -> None:
    found = excite(MBConv(24, 24), (24, 14, 14))
    chart = excite_chart(found, look)
    spec = spec_of(chart)
    (line,) = spec["data"]
    assert line["x"] == [each.reduction for each in found]
    assert line["y"] == [each.share for each in found]
    assert [color == look.accent for color in line["marker"]["color"]] == [each.current for each in found]
    (note,) = spec["layout"]["annotations"]
    assert (10 ** note["x"], note["y"]) == (pytest.approx(4), 1_878 / 10_710)
    assert note["text"] == "here: 18 %"
    assert spec["layout"]["yaxis"]["range"][1] >= max(line["y"])
    assert (
        chart.title
        == "At reduction 4, squeeze-and-excitation has 18 % of the block's parameters, and 4.7 % at reduction 64"
    )
    for each in found:
        assert f"squeezed to {each.squeezed}, {exact(each.params_added)} parameters" in chart.alt
        assert f"{exact(each.macs_added)} multiply-adds" in chart.alt


def test_squeeze_and_excitation_alone_is_drawn_by_parameters() -> None:
    found = excite(SqueezeExcite(64, 4), (64, 14, 14))
    chart = excite_chart(found, LIGHT)
    assert spec_of(chart)["data"][0]["y"] == [each.params_added for each in found]
    assert chart.title == "At reduction 16, squeeze-and-excitation has 580 parameters, and 193 at reduction 64"


def test_a_block_without_squeeze_and_excitation_has_no_mark() -> None:
    chart = excite_chart(excite(MBConv(24, 24, se_ratio=0.0), (24, 14, 14)), LIGHT)
    assert spec_of(chart)["layout"].get("annotations", []) == []
    assert chart.title.startswith("At reduction 1, squeeze-and-excitation has 44 %")


def test_a_single_reduction() -> None:
    chart = excite_chart(excite(MBConv(24, 24), (24, 14, 14), ()), LIGHT)
    assert chart.title == "At reduction 4, squeeze-and-excitation has 18 % of the block's parameters"
