"""The page of published figures: a filter, and examples of the number checker."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import settle
from tests.browser.driver import choose, expect_query, show, visit


def test_a_verdict_filters_the_table_and_an_example_finds_its_network(page: Page) -> None:
    visit(page, "/literature?part=All+figures")
    choose(page, "verdict", "Wrong")
    expect_query(page, {"part": "All figures", "verdict": "Wrong"})
    expect(page.locator(".st-key-verdicts h3")).to_contain_text("printed figures are wrong")

    show(page, "/literature?part=Number+checker")
    page.get_by_role("button", name="1.8 GFLOPs, 12.2 M, 300 px").click()
    settle(page)
    expect_query(page, {"part": "Number checker", "figures": "1.8 GFLOPs, 12.2 M, 300 px"})
    page.locator(".matches").get_by_role("link", name="EfficientNet-B3").click()
    page.wait_for_url("**/architectures?net=EfficientNet-B3**")
    expect(page.get_by_role("heading", name="Architectures", level=1)).to_be_visible()
