"""Controls in a real browser: sliders, inputs and what follows them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import effviz
from effviz.core.units import si
from tests.browser.conftest import LateReports, settle
from tests.browser.driver import (
    CARDS,
    busy_torch_process,
    cards,
    choose,
    click_center,
    counted,
    expect_cards,
    expect_query,
    expected_cards,
    field,
    press,
    query,
    show,
    show_part,
    slider,
    snapshot,
    type_into,
    visit,
    wait_for_late_reports,
    wait_for_sweep,
)  # fmt: skip
from tests.support.server import Server


def test_slider_and_input_are_one_control_and_no_move_is_lost(page: Page) -> None:
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

    # No move is lost: each one reruns the page while the next one is made.
    choose(page, "net", "MobileNetV1")
    press(page, "width", 20 * ">", delay=30)
    expect(field(page, "width")).to_have_value("2.00")
    expect_cards(page, expected_cards(counted("mobilenet_v1", width_mult=2.0)))


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
    expect(page.get_by_text("1x is not legal here: 1 to 2048, or height × width.")).to_be_visible()
    press(page, "res", "<")
    expect_query(page, {"res": "156", "in_channels": "1"})


def move(page: Page, key: str) -> None:
    """Move a slider by one step: headline, address and focus follow."""
    before, start = cards(page), query(page)
    press(page, key, ">")
    expect(slider(page, key)).to_be_focused()
    # On a busy machine the input and the address can be some hundred ms ahead of the numbers.
    page.wait_for_function(f"before => String({CARDS}) !== String(before)", arg=before)
    expect_query(page, start | {key: field(page, key).input_value()})


def click_a_memory_map(page: Page) -> None:
    show_part(page, "Networks")
    chart = page.locator(".st-key-guideline_map .chart")
    expect(chart).to_have_class("chart clickable js-plotly-plot")
    click_center(page, chart.get_by_text("12 %", exact=True).nth(1))
    expect(field(page, "of")).to_have_value("ShuffleNetV1 (g = 3)")
    assert query(page)["of"] == "ShuffleNetV1 (g = 3)"


def click_a_cell_of_the_multipliers(page: Page) -> None:
    expect(page.locator(".st-key-cells_map .chart")).to_have_class("chart clickable js-plotly-plot")
    before = query(page)
    click_center(page, page.locator(".st-key-cells_map .textpoint").first)
    now = query(page)
    assert {"width", "res"} <= now.keys()
    assert now != before


def click_a_cell_of_the_grid(page: Page) -> None:
    show(page, "/scaling?part=Grid+search&hold=alpha")
    click_center(page, page.locator(".st-key-grid_chart .heatmap-label").get_by_text("1.2*", exact=True))
    expect_query(page, {"part": "Grid search"})
    assert [field(page, letter).input_value() for letter in ("alpha", "beta", "gamma")] == ["1.20", "1.10", "1.15"]


@pytest.mark.parametrize(
    ("path", "keys", "swept", "click"),
    [
        ("convolutions", ("cout", "kernel"), "kernel", None),
        ("blocks", ("cin", "map"), "cin", None),
        ("memory", ("ratio", "res"), "", click_a_memory_map),
        ("multipliers", ("width", "res"), "", click_a_cell_of_the_multipliers),
        ("width_depth", ("budget",), "", None),
        ("scaling", ("phi",), "phi", click_a_cell_of_the_grid),
    ],
    ids=lambda value: value if isinstance(value, str) and value else "",
)
def test_sliders_change_the_headline_and_a_cell_selects(
    page: Page, path: str, keys: tuple[str, ...], swept: str, click: Callable[[Page], None] | None
) -> None:
    visit(page, f"/{path}")
    for key in keys:
        if key == swept:
            wait_for_sweep(page, key)
        move(page, key)
    if path == "scaling":
        scaled = effviz.compound_scale(effviz.architecture("efficientnet_b0"), float(field(page, "phi").input_value()))
        expect(page.locator(".card .number").nth(1)).to_have_text(si(effviz.analyze(scaled).params))
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here
    if click is not None:
        click(page)


def test_a_slider_keeps_its_value_while_the_diagram_is_pending(context: BrowserContext) -> None:
    """A repeating fragment reports all values of the browser, where the input may not have followed the slider yet."""
    page = context.new_page()
    late = LateReports(page, "width")
    visit(page, "/architectures?net=MobileNetV3-Large&width=0.9&part=Blocks")
    with busy_torch_process(page):
        late.value = 0.9
        slider(page, "width").press("ArrowRight")
        wait_for_late_reports(page, late)
        late.value = None
    settle(page)
    expect_cards(page, expected_cards(counted("mobilenet_v3_large", width_mult=0.95)))
    expect_query(page, {"net": "MobileNetV3-Large", "width": "0.95", "part": "Blocks"})
    expect(field(page, "width")).to_have_value("0.95")
    expect(slider(page, "width")).to_have_value("0.95")


def test_another_network_starts_unscaled_and_a_bar_opens_its_layers(page: Page) -> None:
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

    # A bar opens the layers of its stage: the largest one is the multiply-adds of stage 3.
    choose(page, "net", "VGG-16")
    expect(page.locator(".st-key-stages .chart")).to_have_class("chart clickable js-plotly-plot")
    bars = page.locator(".st-key-stages .barlayer .point path")
    heights = [(bar.bounding_box() or {"height": 0})["height"] for bar in bars.all()]
    click_center(page, bars.nth(heights.index(max(heights))))
    expect_query(page, {"net": "VGG-16", "count": "FLOPs", "part": "Layers", "find": "stage3."})


def test_a_phone_has_step_buttons_a_low_pinned_block_and_tables_that_show_that_they_scroll(
    browser: Browser, server: Server
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page.goto(f"{server.url}/scaling?part=B0+to+B7")
    settle(page)
    more, less = (page.get_by_role("button", name=f"{verb} Coefficient φ") for verb in ("Increase", "Decrease"))
    for button, value in ((more, "1.05"), (more, "1.1"), (less, "1.05")):
        button.tap()
        expect_query(page, {"part": "B0 to B7", "phi": value})
    box = more.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 40

    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    pinned = page.locator("[data-past]")
    visible = "e => e.getBoundingClientRect().height - parseFloat(e.style.getPropertyValue('--past'))"
    assert 100 < pinned.evaluate(visible) < 160
    expect(table).to_have_attribute("data-more", "")
    table.locator(".dvn-scroller").evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    expect(table).not_to_have_attribute("data-more", "")
    page.close()
