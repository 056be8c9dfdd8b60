"""Controls in a real browser: sliders, inputs and what follows them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import LateReports, settle
from tests.browser.driver import (
    CARDS,
    busy_torch_process,
    cards,
    choose,
    counted,
    expect_cards,
    expect_query,
    expected_cards,
    field,
    press,
    query,
    slider,
    snapshot,
    type_into,
    visit,
    wait_for_late_reports,
)  # fmt: skip


def test_slider_and_input_are_one_control(page: Page) -> None:
    visit(page, "/architectures")
    expect_cards(page, expected_cards(counted("mobilenet_v2")))
    press(page, "width", ">")
    expect_cards(page, expected_cards(counted("mobilenet_v2", width_mult=1.05)))
    expect_query(page, {"width": "1.05"})
    expect(field(page, "width")).to_have_value("1.05")
    expect(slider(page, "width")).to_be_focused()
    press(page, "width", "<<<")
    expect_cards(page, expected_cards(counted("mobilenet_v2", width_mult=0.9)))
    press(page, "res", ">")
    expect_cards(page, expected_cards(counted("mobilenet_v2", width_mult=0.9, resolution=228)))
    expect_query(page, {"width": "0.9", "res": "228"})
    type_into(page, "width", "0.5")
    expect(slider(page, "width")).to_have_value("0.5")
    expect_cards(page, expected_cards(counted("mobilenet_v2", width_mult=0.5, resolution=228)))
    type_into(page, "width", "4")
    expect(slider(page, "width")).to_have_value("2")
    expect_cards(page, expected_cards(counted("mobilenet_v2", width_mult=4.0, resolution=228)))
    expect_query(page, {"width": "4", "res": "228"})
    type_into(page, "width", "1")
    expect(slider(page, "width")).to_have_value("1")
    expect_query(page, {"res": "228"})


def test_height_and_width_in_one_input(page: Page) -> None:
    visit(page, "/architectures?resolution=256+x+512&in_channels=1")
    expect_query(page, {"res": "256x512", "in_channels": "1"})
    expect_cards(page, expected_cards(counted("mobilenet_v2", resolution=(256, 512), in_channels=1)))
    press(page, "res", ">")
    expect_query(page, {"res": "260x520", "in_channels": "1"})
    expect_cards(page, expected_cards(counted("mobilenet_v2", resolution=(260, 520), in_channels=1)))
    for typed, text, resolution in (("128 × 96", "128x96", (128, 96)), ("160", "160", 160), ("1x", "160", 160)):
        type_into(page, "res", typed)
        expect(field(page, "res")).to_have_value(text)
        expect_cards(page, expected_cards(counted("mobilenet_v2", resolution=resolution, in_channels=1)))
    expect(page.get_by_text("1x is not legal here: 1 to 2048, or height x width.")).to_be_visible()
    press(page, "res", "<")
    expect_query(page, {"res": "156", "in_channels": "1"})


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("convolutions", "cout"),
        ("convolutions", "kernel"),
        ("blocks", "cin"),
        ("blocks", "map"),
        ("memory", "ratio"),
        ("memory", "res"),
        ("multipliers", "width"),
        ("multipliers", "res"),
        ("width_depth", "budget"),
        ("scaling", "phi"),
    ],
)
def test_a_slider_changes_the_headline(page: Page, path: str, key: str) -> None:
    visit(page, f"/{path}")
    before, start = cards(page), query(page)
    press(page, key, ">")
    # On a busy machine the input and the address can be some hundred ms ahead of the numbers.
    page.wait_for_function(f"before => String({CARDS}) !== String(before)", arg=before)
    expect_query(page, start | {key: field(page, key).input_value()})
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here


def test_no_move_of_a_slider_is_lost(page: Page) -> None:
    """Each move reruns the page, and the diagram that follows reruns it again, while the next move is made."""
    visit(page, "/architectures?net=MobileNetV1")
    press(page, "width", 20 * ">", delay=30)
    expect(field(page, "width")).to_have_value("2.00")
    expect_cards(page, expected_cards(counted("mobilenet_v1", width_mult=2.0)))


def test_a_slider_keeps_its_value_while_the_diagram_is_pending(
    page: Page, new_context: Callable[..., BrowserContext], base_url: str
) -> None:
    """A repeating fragment reports all values of the browser, where the input may not have followed the slider yet."""
    late = LateReports(page, "width")
    visit(page, "/architectures?net=MobileNetV3-Large&width=0.9&part=Blocks")
    with busy_torch_process(new_context(), base_url):
        late.value = 0.9
        slider(page, "width").press("ArrowRight")
        wait_for_late_reports(page, late)
        late.value = None
    settle(page)
    expect_cards(page, expected_cards(counted("mobilenet_v3_large", width_mult=0.95)))
    expect_query(page, {"net": "MobileNetV3-Large", "width": "0.95", "part": "Blocks"})
    expect(field(page, "width")).to_have_value("0.95")
    expect(slider(page, "width")).to_have_value("0.95")


def test_another_network_starts_unscaled(page: Page) -> None:
    visit(page, "/architectures?depth=2&layer=stem.conv&count=FLOPs&part=Layers")
    type_into(page, "width", "0.5")
    type_into(page, "res", "96")
    type_into(page, "find", "conv")
    choose(page, "net", "EfficientNet-B7")
    expect_cards(page, expected_cards(counted("efficientnet_b7"), factor=2))
    expect_query(page, {"net": "EfficientNet-B7", "count": "FLOPs", "part": "Layers"})
    for key, value in {"width": "1.00", "depth": "1.00", "res": "600", "classes": "1000", "find": ""}.items():
        expect(field(page, key)).to_have_value(value)
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here
