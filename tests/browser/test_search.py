"""The page about architecture search in a browser: a preset, a short search, and one of its networks in the Studio."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

import effviz
from effviz.core.units import si
from effviz.model.draft import Draft
from tests.browser.conftest import settle
from tests.browser.driver import expect_query, field, query, show, show_part, type_into, visit


def test_a_setting_orders_the_networks_and_a_search_ends_in_the_studio(page: Page) -> None:
    visit(page, "/search?w=0.0")
    expect(page.get_by_role("heading", name="MobileNetV3-Large 1.25× has the highest value")).to_be_visible()
    page.get_by_role("button", name="Hard, as published").click()
    settle(page)
    expect_query(page, {"w": "-1.0", "form": "Hard"})
    expect(page.get_by_role("heading", name=re.compile(r"GhostNet 0\.5×|MobileNetV3-Small 1\.25×"))).to_be_visible()
    page.get_by_role("button", name="Soft, as published").click()
    settle(page)
    expect_query(page, {})
    expect(page.get_by_role("heading", name="GhostNet has the highest value")).to_be_visible()

    # A search ends with a front.
    show(page, "/search?part=The+search&study=short")
    type_into(page, "trials", "20")
    page.get_by_role("button", name="Search 20 networks").click()
    heading = page.get_by_role(
        "heading", name=re.compile(r"^On the front within 300\.0 M multiply-adds: \d+ networks? of 20")
    )
    expect(heading).to_be_visible(timeout=120_000)
    settle(page)
    expect(page.locator(".card").filter(has_text="On the front")).to_have_count(1)
    # A mark of the front selects its network.
    chart = page.locator(".st-key-front .chart")
    expect(chart).to_have_class("chart clickable js-plotly-plot")
    mark = page.locator(".st-key-front .scatterlayer .trace").nth(2).locator(".point").first
    box = mark.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    chosen = query(page)["member"]
    expect(field(page, "member")).to_have_value(chosen)
    # The same address shows the same front at once: the search is stored.
    page.reload()
    settle(page)
    expect(heading).to_be_visible()
    page.get_by_role("link", name="Edit in the studio").click()
    settle(page)
    design = Draft.unpacked(query(page)["design"]).design
    assert design is not None
    assert f": {si(effviz.analyze(design).macs)}, " in chosen
    show_part(page, "How this is computed")
    expect(page.get_by_test_id("stException")).to_have_count(0)
