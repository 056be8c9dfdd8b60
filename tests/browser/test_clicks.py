"""Marks of charts that select what they show."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import settle
from tests.browser.driver import expect_query, field, visit


def test_a_cell_selects_its_network(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/memory?part=Networks")
    chart = page.locator(".st-key-guideline_map .chart")
    expect(chart).to_have_class("chart clickable js-plotly-plot")
    chart.scroll_into_view_if_needed()
    cell = chart.get_by_text("12 %", exact=True).nth(1)
    box = cell.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    expect_query(page, {"part": "Networks", "of": "ShuffleNetV1 (g = 3)"})
    expect(field(page, "of")).to_have_value("ShuffleNetV1 (g = 3)")
