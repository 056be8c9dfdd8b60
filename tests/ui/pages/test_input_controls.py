"""Height x width and the channels of the input, groups, and other names of settings: links, controls and sliders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from page_reader import (
    cards,
    charts,
    check_formulas,
    check_layers,
    control,
    counted_cards,
    each_part,
    expected_cards,
    line,
    open_page,
    opened,
    put,
    report,
    run,
    show_part,
    words,
)

import effviz
from effviz.charts.style import LIGHT
from effviz.model.draft import Draft
from effviz.ui.convention import Convention
from effviz.ui.page_parts.architectures.controls import choose
from effviz.ui.page_parts.architectures.sweep import settings, sweep

WIDE = {"net": "MobileNetV2", "res": "512x2048"}

LINKS: list[tuple[dict[str, str], dict[str, Any], dict[str, str]]] = [
    ({"resolution": "512x2048"}, {"resolution": (512, 2048)}, {"res": "512x2048"}),
    ({"res": "512 × 2048 px"}, {"resolution": (512, 2048)}, {"res": "512x2048"}),
    ({"resolution": "96x96.0", "in_channels": "1"}, {"resolution": 96, "in_channels": 1}, {"res": "96"}),
    ({"net": "mobilenet_v2", "width": "1.4"}, {"width_mult": 1.4}, {"width": "1.4"}),
    ({"net": "ghostnet", "width": "1.3"}, {"name": "ghostnet", "width_mult": 1.3}, {"net": "GhostNet"}),
    (
        {"width_mult": "0.5", "depth_mult": "2", "num_classes": "10"},
        {"width_mult": 0.5, "depth_mult": 2, "num_classes": 10},
        {"width": "0.5", "depth": "2", "classes": "10"},
    ),
    ({"scale": "0.75"}, {"width_mult": 0.75}, {"width": "0.75"}),
    *(
        (
            {"net": net, "groups": "8", key: text},
            {"name": "shufflenet_v1", "groups": 8, "width_mult": 1.5},
            {"groups": "8", "scale": "1.5"},
        )
        for net, key, text in (("ShuffleNetV1", "width", "1.5"), ("shufflenet_v1", "width_mult", "1.50"))
    ),
    (
        {"net": "ResNeXt-50 (32x4d)", "groups": "8"},
        {"name": "resnext50_32x4d", "groups": 8},
        {"groups": "8"},
    ),
]


@pytest.mark.parametrize(("query", "options", "address"), LINKS, ids=str)
def test_links_with_the_names_of_python(
    query: dict[str, str], options: dict[str, Any], address: dict[str, str]
) -> None:
    at = open_page(**query)
    assert line(at) == ""
    counted = report(**options)
    assert cards(at) == expected_cards(counted)
    assert {key: at.query_params.get(key) for key in address} == address


def test_the_notice_uses_the_name_in_the_link() -> None:
    at = open_page(resolution="512x", width_mult="99", in_channels="0", num_classes="x")
    assert cards(at) == expected_cards(report())
    assert line(at) == (
        "Ignored in the link: resolution = 512x (1 to 2048, or height × width); width_mult = 99 (0.1 to 4); "
        "in_channels = 0 (1 to 4096); num_classes = x (1 to 100000)."
    )


def test_the_whole_page_of_a_rectangle() -> None:
    at = open_page(**WIDE, in_channels="1")
    counted = report(resolution=(512, 2048), in_channels=1)
    check_layers(at, counted, 1, 1)
    check_formulas(at)
    for part in each_part(at):
        assert not part.exception
    shown = " ".join(words(show_part(at, "Published figures")))
    assert "No printed figures for MobileNetV2 at width 1, depth 1 and 512 × 2048 px." in shown
    assert "with 1,000 classes and 3 input channels: 3,504,872 parameters" in shown
    assert "from 512 × 2048 to 256 × 1024 px" in " ".join(words(show_part(at, "Try this")))


def test_typing_a_resolution() -> None:
    at = opened()
    for typed, resolution in (
        ("256 x 512", (256, 512)),
        ("128×128", 128),
        ("1x2048", (1, 2048)),
        ("300x100", (300, 100)),
        ("96", 96),
    ):
        put(at, "res", typed)
        assert cards(at) == expected_cards(report(resolution=resolution)), typed
    for typed in ("8x", "0", "4096", "512x0", "<b>x</b>"):
        put(at, "res", typed)
        assert cards(at) == expected_cards(report(resolution=96)), "an illegal text changes nothing"
        assert at.text_input(key="res").value == "96"
        assert any("is not legal here: 1 to 2048, or height × width." in entry.value for entry in at.caption)
    run(at)
    assert not any("is not legal here" in entry.value for entry in at.caption)


def test_the_slider_keeps_the_aspect_ratio_that_was_typed() -> None:
    at = open_page(res="500x333")
    slider = at.slider(key="res_slider")
    assert (slider.label, slider.value) == ("Height (px)", 500)
    for height, resolution in ((32, (32, 21)), (400, (400, 266)), (500, (500, 333))):
        at.slider(key="res_slider").set_value(height)
        run(at)
        assert cards(at) == expected_cards(report(resolution=resolution)), "no rounding error is left"
        assert at.query_params["res"] == "{}x{}".format(*resolution)
    at.selectbox(key="net").set_value("resnet18")
    run(at)
    assert cards(at) == expected_cards(report("resnet18")), "another network has its own resolution"
    assert at.slider(key="res_slider").label == "Resolution (px)"


def test_the_slider_stays_legal_for_both_sides() -> None:
    slider = open_page(net="AlexNet", res="100x400").slider(key="res_slider")
    assert (slider.min, slider.max) == (64, 512)
    assert "res_slider" not in {entry.key for entry in open_page(net="AlexNet", res="63x2048").slider}


def test_a_dragged_slider_shows_what_the_page_will_show() -> None:
    choice = choose("mobilenet_v2", None, 1.0, 1.0, (250, 166), 1000, 1, (500, 333))
    given = json.loads(json.dumps(settings(choice, Convention(), LIGHT)))
    state = sweep("res", **given["res"])(400)
    assert state.cards[1].text == expected_cards(report(resolution=(400, 266), in_channels=1))["Multiply-adds"]
    there = open_page(res="400x266", in_channels="1")
    assert {name: chart.alt for name, chart in state.charts.items()} == {
        name: chart["alt"] for name, chart in charts(there).items()
    }
    wider = sweep("width", **given["width"])(0.5)
    counted = report(width_mult=0.5, resolution=(250, 166), in_channels=1)
    assert wider.cards[1].text == expected_cards(counted)["Multiply-adds"]


def test_groups_follow_the_network() -> None:
    at = open_page(net="ShuffleNetV1", groups="8")
    at.selectbox(key="net").set_value("resnext50_32x4d")
    run(at)
    assert at.button_group(key="groups").options == ["1", "2", "4", "8", "32"]
    assert cards(at) == expected_cards(report("resnext50_32x4d"))
    at.button_group(key="groups").set_value("4")
    run(at)
    assert cards(at) == expected_cards(report("resnext50_32x4d", groups=4))
    at.selectbox(key="net").set_value("shufflenet_v1")
    run(at)
    assert cards(at) == expected_cards(report("shufflenet_v1"))


def test_other_names_on_pages_of_one_layer() -> None:
    at = open_page("convolutions", in_channels="48", out_channels="96", resolution="14")
    assert line(at) == ""
    assert [control(at, key).value for key in ("cin", "cout", "map")] == [48, 96, 14]
    assert line(open_page("convolutions", resolution="14x28")) == "Ignored in the link: resolution = 14x28 (1 to 1024)."


# --- other pages -----------------------------------------------------------------------------------------------------


def test_width_and_resolution_of_a_rectangle() -> None:
    at = open_page("multipliers", **WIDE)
    assert line(at) == ""
    counted = report(resolution=(512, 2048))
    assert cards(at)["Multiply-adds"] == expected_cards(counted)["Multiply-adds"]
    assert (show_part(at, "All cells").dataframe[0].value["Resolution (px)"] == "512x2048").any()
    shown = " ".join(words(show_part(at, "How this is computed")))
    assert "$= 1^2 \\times \\dfrac{512 \\times 2048}{224^2} \\times 300{,}774{,}272" in shown
    assert f"{{{counted.macs:,}}}$ counted" in shown


def test_width_against_depth_of_a_rectangle() -> None:
    at = open_page("width_depth", kind="MobileNetV2", resolution="160x320", in_channels="1")
    assert line(at) == ""
    assert "80 × 160 px" in " ".join(words(show_part(at, "Try this")))
    assert r"on an $h_1 \times h_2$ map" in " ".join(words(show_part(at, "How this is computed")))


def test_a_rectangle_in_the_studio() -> None:
    at = open_page("studio")
    put(at, "set_resolution", "512 x 2048")
    put(at, "set_in_channels", 1)
    expected = Draft.of(effviz.architecture("mobilenet_v2")).settings(resolution=(512, 2048), in_channels=1)
    draft = Draft.unpacked(at.query_params["design"])
    assert draft == expected
    assert at.text_input(key="set_resolution").value == "512x2048"
    assert expected.design is not None
    assert f"{effviz.analyze(expected.design).macs:,}" in counted_cards(at)[1].help
    for part in each_part(at):
        assert not part.exception
    put(at, "set_resolution", "512x")
    assert Draft.unpacked(at.query_params["design"]) == expected
    assert any("must be a side or height x width" in text for text in words(at))


@pytest.mark.parametrize("text", ["\ufeff{}", "{}"])
def test_the_studio_imports_json_of_other_programs(text: str) -> None:
    design = effviz.architecture("resnet18", resolution=(96, 160), in_channels=1)
    given = text.format(design.to_json().replace('"stride":2', '"stride":2.0'))
    at = open_page("studio")
    at.text_area(key="import_text").set_value(given)
    run(at)
    at.button(key="import_now").click()
    run(at)
    assert Draft.unpacked(at.query_params["design"]).design == design
