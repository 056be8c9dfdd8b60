"""Marks of charts that select what they show."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import settle
from tests.browser.driver import expect_query, field, query, visit


def click_center(page: Page, mark: Locator) -> None:
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)


def test_a_bar_opens_the_layers_of_its_stage(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/architectures?net=VGG-16")
    expect(page.locator(".st-key-stages .chart")).to_have_class("chart clickable js-plotly-plot")
    # The largest bar: the multiply-adds of stage 3.
    bars = page.locator(".st-key-stages .barlayer .point path")
    heights = [(bar.bounding_box() or {"height": 0})["height"] for bar in bars.all()]
    click_center(page, bars.nth(heights.index(max(heights))))
    expect_query(page, {"net": "VGG-16", "part": "Layers", "find": "stage3."})


def test_a_cell_sets_width_and_resolution(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/multipliers")
    expect(page.locator(".st-key-cells_map .chart")).to_have_class("chart clickable js-plotly-plot")
    click_center(page, page.locator(".st-key-cells_map .textpoint").first)
    assert {"width", "res"} <= query(page).keys()


def test_a_cell_selects_its_network(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/memory?part=Networks")
    chart = page.locator(".st-key-guideline_map .chart")
    expect(chart).to_have_class("chart clickable js-plotly-plot")
    click_center(page, chart.get_by_text("12 %", exact=True).nth(1))
    expect_query(page, {"part": "Networks", "of": "ShuffleNetV1 (g = 3)"})
    expect(field(page, "of")).to_have_value("ShuffleNetV1 (g = 3)")


def test_a_dot_of_the_home_page_opens_its_network(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/?part=Parameters+and+compute")
    expect(page.locator(".st-key-zoo .chart")).to_have_class("chart clickable js-plotly-plot")
    # The rows are in the order of their multiply-adds.
    click_center(page, page.locator(".st-key-zoo .scatterlayer .point").first)
    expect(page.get_by_role("heading", name="Architectures", level=1)).to_be_visible()
    expect(field(page, "net")).to_have_value("EfficientNet-B7")


def test_a_cell_of_the_grid_sets_the_three_bases(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/scaling?part=Grid+search&hold=alpha")
    click_center(page, page.locator(".st-key-grid_chart .heatmap-label").get_by_text("1.2*", exact=True))
    expect_query(page, {"part": "Grid search"})
    assert [field(page, letter).input_value() for letter in ("alpha", "beta", "gamma")] == ["1.20", "1.10", "1.15"]
