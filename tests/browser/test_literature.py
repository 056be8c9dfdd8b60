"""The page of published figures: examples of the number checker, and a filter."""

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


def test_a_verdict_filters_the_table_and_is_in_the_address(page: Page, base_url: str) -> None:
    visit(page, f"{base_url}/literature?part=All+figures")
    page.locator(".st-key-verdict input").click()
    page.get_by_role("option", name="Wrong").click()
    settle(page)
    expect_query(page, {"part": "All figures", "verdict": "Wrong"})
    expect(page.locator(".st-key-verdicts h3")).to_contain_text("printed figures are wrong")
