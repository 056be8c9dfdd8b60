"""The page of published figures: examples of the number checker, and a bar that filters."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import settle
from tests.browser.driver import expect_query, visit


def test_an_example_finds_its_network_and_links_to_it(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/literature?part=Number+checker")
    page.get_by_role("button", name="1.8 GFLOPs, 12.2 M, 300 px").click()
    settle(page)
    expect_query(page, {"part": "Number checker", "figures": "1.8 GFLOPs, 12.2 M, 300 px"})
    link = page.locator(".matches").get_by_role("link", name="EfficientNet-B3")
    link.click()
    page.wait_for_url("**/architectures?net=EfficientNet-B3**")
    expect(page.get_by_role("heading", name="Architectures", level=1)).to_be_visible()


def test_a_bar_selects_its_verdict(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/literature?part=All+figures")
    expect(page.locator(".st-key-verdicts .chart")).to_have_class("chart clickable js-plotly-plot")
    # The last trace has the wrong figures; its bar of 1 to 2 % has a label.
    bar = page.locator(".st-key-verdicts .barlayer .trace").last.locator(".point path").nth(3)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    expect_query(page, {"part": "All figures", "verdict": "Wrong"})
