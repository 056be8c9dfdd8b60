"""Every page in a real browser: complete, inside the window, readable by everyone, free of errors."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from effviz.ui.navigation import PAGES, PageInfo
from tests.browser.checks import check_accessible, check_complete, check_fits
from tests.browser.conftest import SCHEMES, VIEWPORTS, Server, settle
from tests.browser.driver import expect_query, press, show, visit

PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 22, 32)"}


def resize(page: Page, name: str) -> None:
    page.set_viewport_size(VIEWPORTS[name])  # type: ignore[arg-type]
    settle(page)


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.url_path or "home")
def test_a_page_is_complete_fits_and_is_accessible(entry: PageInfo, server: Server, page: Page) -> None:
    """As the first request of a visitor, in both color schemes, on a phone, a laptop and a projector.

    Every second page is opened in the dark scheme and then becomes light.
    """
    first, second = SCHEMES if PAGES.index(entry) % 2 else reversed(SCHEMES)
    page.emulate_media(color_scheme=first)
    visit(page, f"/{entry.url_path}")
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", PAPER[first])
    check_complete(page, entry)
    check_fits(page)
    check_accessible(page)
    if entry.url_path == "architectures":
        check_first_screen(page)
    resize(page, "projector")
    check_fits(page)
    resize(page, "phone")
    check_fits(page)
    check_accessible(page)
    page.emulate_media(color_scheme=second)
    settle(page)
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", PAPER[second])
    check_fits(page)
    check_accessible(page)
    if entry.url_path == "scaling":
        check_together(page)
    resize(page, "wide")
    check_fits(page)
    check_accessible(page)
    if entry.url_path == "architectures":
        show(page, "/architectures?net=ShuffleNetV2&width=1.3&depth=1.5&unit=float32&count=FLOPs")
        check_first_screen(page)
    if entry.url_path == "scaling":
        check_present_mode(page)
    assert "Traceback" not in server.log


def check_first_screen(page: Page) -> None:
    """Check that the first screen of a laptop shows control, numbers and chart."""
    parts = {
        "width": page.locator(".st-key-width_slider"),
        "first card": page.locator(".card").first,
        "last card": page.locator(".card").last,
        "chart": page.locator(".chart").first,
    }
    for name, part in parts.items():
        box = part.bounding_box()
        assert box is not None, name
        assert box["y"] >= 0, name
        # The bars of the third quantity may end below.
        assert box["y"] + (0.7 if name == "chart" else 1) * box["height"] <= 800, name
    tops = {card.bounding_box()["y"] for card in page.locator(".card").all()}  # type: ignore[index]
    assert len(tops) == 1, "one row of cards"


def check_together(page: Page) -> None:
    """Check that a phone shows control, numbers and chart at once."""
    page.locator(".chart").first.scroll_into_view_if_needed()
    for part in (".st-key-phi_slider", ".card:first-child", ".card:last-child", ".chart .main-svg"):
        expect(page.locator(part).first).to_be_in_viewport(ratio=0.9)


def check_present_mode(page: Page) -> None:
    """Check that present mode enlarges the page and leaves the main control."""
    before = page.locator("h1").bounding_box()
    page.locator(".st-key-present label").click()
    settle(page)
    after = page.locator("h1").bounding_box()
    assert before is not None
    assert after is not None
    assert 1.4 * before["height"] < after["height"] < 1.8 * before["height"]
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    press(page, "phi", ">")
    expect_query(page, {"present": "true", "phi": "1.05"})
    check_fits(page)
