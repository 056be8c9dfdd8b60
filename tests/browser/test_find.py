"""The page that finds networks in a real browser: a limit, the number of networks, and a row opened elsewhere."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from effviz.advice.budgets import Budget
from effviz.core.units import si
from effviz.studies.finder import candidates, search
from tests.browser.conftest import PATIENCE_MS, settle
from tests.browser.driver import expect_query, field, slider, type_into, visit


def expect_count(page: Page, count: int) -> None:
    """Wait for the number of networks that fit."""
    first = page.locator(".card .text").first
    expect(first).to_have_text(f"{count:,}", timeout=PATIENCE_MS)


def test_a_limit_changes_the_count_and_a_row_opens_in_architectures(page: Page) -> None:
    visit(page, "/find")
    pool = candidates()
    expect_count(page, len(search(pool, [Budget("macs", 300_000_000)]).fits))
    slider(page, "max_macs").focus()
    page.keyboard.press("ArrowLeft")
    expect_count(page, len(search(pool, [Budget("macs", 200_000_000)]).fits))
    expect(field(page, "max_macs")).to_have_value("200 M")
    type_into(page, "max_peak_activation", "1MiB")
    found = search(pool, [Budget("macs", 200_000_000), Budget("peak_activation", 2**20)])
    expect_count(page, len(found.fits))
    expect_query(page, {"max_macs": "200 M", "max_peak_activation": "1 MiB"})
    table = page.locator("[class*=st-key-networks] [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    table.click(position={"x": 15, "y": 35 * 2 + 17})
    settle(page)
    expect(field(page, "network")).to_have_value(found.fits[1].label)
    page.get_by_text("Open in Architectures").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Architectures", timeout=PATIENCE_MS)
    expect(page.locator(".card .text").nth(1)).to_have_text(si(found.fits[1].macs), timeout=PATIENCE_MS)
