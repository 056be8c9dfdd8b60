"""Every page in a real browser: complete, inside the window, readable by everyone, free of errors."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from effviz.ui.navigation import PAGES, PageInfo
from effviz.ui.widgets.glossary import unmarked
from tests.browser.conftest import SCHEMES, VIEWPORTS, Server, settle
from tests.browser.driver import COVERED, expect_query, press, visit

WITHOUT_POPOVERS = """
e => {
  const copy = e.cloneNode(true);
  copy.querySelectorAll('[popover]').forEach(each => each.remove());
  return copy.innerText;
}
"""
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 22, 32)"}


def check_complete(page: Page, entry: PageInfo) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(entry.title)
    idea = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", unmarked(entry.idea))
    assert page.locator(".idea p").first.evaluate(WITHOUT_POPOVERS) == idea
    for section in {entry.section for entry in PAGES if entry.section}:
        expect(page.get_by_test_id("stTopNavSection").filter(has_text=section)).to_be_visible()
    expect(page.locator(".st-key-convention summary")).to_contain_text("Multiply-adds · Elements · Fused")
    expect(page).to_have_title(f"{entry.title} · effviz" if entry.url_path else "effviz")
    assert urlsplit(page.url).path == f"/{entry.url_path}"


def check_fits(page: Page, width: int) -> None:
    for element in ("document.documentElement", "document.querySelector('[data-testid=stMain]')"):
        wide, room = page.evaluate(f"[{element}.scrollWidth, {element}.clientWidth]")
        assert wide <= room, f"{element} scrolls sideways"
    # A table in a closed expander keeps the width of the window in which it was rendered until it is opened.
    closed = "details:not([open]) *"
    for kind in (".chart", "[data-testid=stDataFrame]", ".card"):
        for drawn in page.locator(f"{kind}:not({closed})").all():
            box = drawn.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width, f"{kind} is wider than the window"
    # A tooltip of the control under the pointer covers others.
    page.mouse.move(0, 0)
    expect(page.get_by_test_id("stTooltipContent")).to_have_count(0)
    assert page.evaluate(COVERED) == [], "every visible control can be clicked"


def check_accessible(page: Page, within: str | None = None) -> None:
    grave = [
        (found["id"], found["impact"], [node["html"][:200] for node in found["nodes"]])
        for found in Axe().run(page, context=within).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
    assert grave == []


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.url_path or "home")
def test_a_page_is_complete_fits_and_is_accessible(entry: PageInfo, server: Server, page: Page) -> None:
    """As the first request of a visitor, in both color schemes, on a phone, a laptop and a projector."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        visit(page, f"/{entry.url_path}")
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", PAPER[scheme])
        for name, viewport in VIEWPORTS.items():
            page.set_viewport_size(viewport)
            settle(page)
            if name == "wide":
                check_complete(page, entry)
            check_fits(page, viewport["width"])
            if name != "projector":
                check_accessible(page)
    assert "Traceback" not in server.log


def test_a_link_is_the_first_request_to_a_fresh_server(fresh_server: Server, page: Page) -> None:
    visit(page, f"{fresh_server.url}/scaling?phi=2")
    check_complete(page, next(entry for entry in PAGES if entry.url_path == "scaling"))
    assert "Traceback" not in fresh_server.log


@pytest.mark.parametrize("link", ["", "?net=ShuffleNetV2&width=1.3&depth=1.5&unit=float32&count=FLOPs"])
def test_the_first_screen_holds_control_numbers_and_chart(page: Page, link: str) -> None:
    visit(page, f"/architectures{link}")
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


@pytest.mark.parametrize("viewport", [VIEWPORTS["phone"]])
def test_a_phone_shows_control_numbers_and_chart_together(page: Page) -> None:
    visit(page, "/scaling")
    page.locator(".chart").first.scroll_into_view_if_needed()
    for part in (".st-key-phi_slider", ".card:first-child", ".card:last-child", ".chart .main-svg"):
        expect(page.locator(part).first).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("viewport", [VIEWPORTS["wide"]])
def test_present_mode_enlarges_the_page_and_leaves_the_main_control(page: Page) -> None:
    visit(page, "/scaling")
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
    check_fits(page, VIEWPORTS["wide"]["width"])
