"""URL parameters in a real browser: an address restores the page, in every way a browser can reach it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from effviz.ui.navigation import PAGES
from tests.browser.checks import check_accessible
from tests.browser.conftest import settle
from tests.browser.driver import (
    NAVIGATION,
    choose,
    click_center,
    convention,
    counted,
    expect_cards,
    expect_query,
    expected_cards,
    field,
    go,
    link_line,
    query,
    show_part,
    snapshot,
    type_into,
    visit,
)  # fmt: skip


def test_a_copied_link_restores_every_control(page: Page, stranger: Callable[[], Page]) -> None:
    visit(page, "/architectures")
    choose(page, "net", "MobileNetV3-Small")
    for key, value in {"width": "0.75", "depth": "1.5", "res": "192", "classes": "10"}.items():
        type_into(page, key, value)
    for key, value in {"count": "FLOPs", "unit": "float16", "memory": "Eager"}.items():
        convention(page, key, value)
    choose(page, "layer", "stage2.0.depthwise.conv")
    show_part(page, "Layers")
    type_into(page, "find", "depthwise")
    options = {"width_mult": 0.75, "depth_mult": 1.5, "resolution": 192, "num_classes": 10}
    expect_cards(page, expected_cards(counted("mobilenet_v3_small", "eager", **options), factor=2, bytes_each=2))
    expected = {
        "net": "MobileNetV3-Small",
        "width": "0.75",
        "depth": "1.5",
        "res": "192",
        "classes": "10",
        "part": "Layers",
        "find": "depthwise",
        "layer": "stage2.0.depthwise.conv",
        "count": "FLOPs",
        "unit": "float16",
        "memory": "Eager",
    }
    expect_query(page, expected)
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here
    expect_query(page, expected)
    other = stranger()
    visit(other, page.url)
    assert snapshot(other) == here
    assert query(other) == expected
    expect(link_line(other)).to_have_count(0)


BYTES = {"int8": 1, "float16": 2}


def test_the_convention_follows_from_page_to_page(page: Page) -> None:
    visit(page, "/")
    chosen = {"count": "FLOPs", "unit": "int8", "memory": "Paper"}
    for key, value in chosen.items():
        convention(page, key, value)
    expect_query(page, chosen)
    for name in (*NAVIGATION[1:], "Home", "Architectures"):
        go(page, name)
        if name == "Home":
            # Pages that were seen before follow the convention too.
            chosen |= {"unit": "float16", "memory": "Eager"}
            for key in ("unit", "memory"):
                convention(page, key, chosen[key])
        entry = next(entry for entry in PAGES if name in (entry.title, entry.url_path or "Home"))
        expect(page.get_by_role("heading", level=1)).to_have_text(entry.title)
        expect_query(page, chosen)
        if entry.counts:
            expect(page.locator(".st-key-convention summary")).to_contain_text(" · ".join(chosen.values()))
        if name == "Architectures":
            report = counted("mobilenet_v2", chosen["memory"].lower())
            expect_cards(page, expected_cards(report, factor=2, bytes_each=BYTES[chosen["unit"]]))


def test_every_page_keeps_its_own_settings(page: Page) -> None:
    """Pages share short keys, but not their values, neither in the controls nor in the address."""

    def shown(key: str) -> str:
        return field(page, key).input_value()

    visit(page, "/architectures?net=MobileNetV1&res=1100&depth=2&count=FLOPs")
    go(page, "Memory access cost")
    expect_query(page, {"count": "FLOPs"})
    assert shown("res") == "56"
    type_into(page, "res", "28")
    go(page, "Architectures")
    expect_query(page, {"count": "FLOPs", "net": "MobileNetV1", "res": "1100", "depth": "2.0"})
    assert (shown("res"), shown("depth")) == ("1100", "2.00")
    type_into(page, "width", "0.5")
    expect_query(page, {"count": "FLOPs", "net": "MobileNetV1", "res": "1100", "depth": "2.0", "width": "0.5"})
    go(page, "Memory access cost")
    expect_query(page, {"count": "FLOPs", "res": "28"})
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here
    go(page, "Architectures")
    type_into(page, "width", "0.25")
    go(page, "Home")
    page.get_by_text("MobileNetV2 at half width").click()
    settle(page)
    # A link into a page overrides its former settings.
    expect_query(page, {"count": "FLOPs", "width": "0.5"})
    expect_cards(page, expected_cards(counted("mobilenet_v2", width_mult=0.5), factor=2))


def test_home_leads_into_pages_that_are_set_up(page: Page) -> None:
    visit(page, "/?count=FLOPs")
    page.get_by_text("Lessons and classroom").click()
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Lessons")
    go(page, "Home")
    page.get_by_text("MobileNetV2 at half width").click()
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Architectures")
    expect_cards(page, expected_cards(counted("mobilenet_v2", width_mult=0.5), factor=2))
    expect_query(page, {"count": "FLOPs", "width": "0.5"})
    expect(link_line(page)).to_have_count(0)

    # A dot of the chart opens its network; the rows are in the order of their multiply-adds.
    go(page, "Home")
    show_part(page, "Parameters and compute")
    expect(page.locator(".st-key-zoo .chart")).to_have_class("chart clickable js-plotly-plot")
    click_center(page, page.locator(".st-key-zoo .scatterlayer .point").first)
    expect(page.get_by_role("heading", name="Architectures", level=1)).to_be_visible()
    expect(field(page, "net")).to_have_value("EfficientNet-B7")


def test_back_and_forward_show_what_the_address_says(page: Page, stranger: Callable[[], Page], base_url: str) -> None:
    visit(page, "/")
    go(page, "Architectures")
    type_into(page, "width", "0.5")
    choose(page, "net", "VGG-16")
    convention(page, "count", "FLOPs")
    other, restored = stranger(), {}
    page.bring_to_front()
    seen = [page.url]
    for move in (page.go_back, page.go_back, page.go_forward, page.go_forward):
        move()
        assert page.url.startswith(base_url)
        seen.append(page.url)
        here = snapshot(page)
        assert page.url == seen[-1], "the page does not change the address"
        if page.url not in restored:
            visit(other, page.url)
            restored[page.url] = snapshot(other)
        assert here == restored[page.url], page.url
    assert len(set(seen)) == 3
    assert seen[0] == seen[-1]


HOSTILE = {
    "net": "<img src=x onerror=alert(1)>",
    "layer": "[x](https://example.org) https://example.org www.example.org a@example.org",
    "count": ":material/home: :red[x]",
    "unit": "**b** $x^2$ `c`",
    "width": "nan",
    "res": "inf",
    "classes": "<b>7</b>",
    "https://example.org/x": "1",
}


def test_a_hostile_link_is_read_as_text(page: Page) -> None:
    visit(page, f"/architectures?{urlencode(HOSTILE)}")
    expect_cards(page, expected_cards(counted("mobilenet_v2")))
    line = link_line(page)
    expect(line).to_have_count(1)
    expect(line).to_be_in_viewport()
    said = line.inner_text()
    for key, value in HOSTILE.items():
        assert key in said
        if "example.org/x" not in key:
            assert value[:37] in said, "the value is shown as text, not as Markdown"
    holder = page.locator("[data-testid=stAlert], [data-testid=stHtml], [data-testid=stMarkdown]").filter(has=line)
    made = "a, img, b, strong, em, code, .katex, [role=img], [style*=color]"
    assert holder.last.locator("p, div").filter(has_text="Ignored in the link").last.locator(made).count() == 0
    check_accessible(page)
    assert not {"net", "layer", "count", "unit", "width", "res", "classes"} & set(query(page))
    type_into(page, "width", "0.5")
    assert query(page)["width"] == "0.5", "the next change is written into the link"
    type_into(page, "classes", "10")
    convention(page, "unit", "int8")
    choose(page, "layer", "stem.conv")
    expected = {"width": "0.5", "classes": "10", "unit": "int8", "layer": "stem.conv"}
    assert {key: query(page).get(key) for key in expected} == expected
