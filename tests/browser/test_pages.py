"""The pages in a real browser: what only a browser shows. Numbers are compared with the engine's, not typed in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

import effviz
from effviz import Design, Report
from effviz.core.units import binary, exact, si
from effviz.ui.navigation import PAGES, PageInfo
from tests.browser.conftest import LateReports, Server, each_scheme, each_viewport, open_page, settle

every_page = pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.url_path or "home")
NAVIGATION = [entry.title if entry.url_path else "Home" for entry in PAGES]
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 22, 32)"}


@pytest.fixture
def context(context: BrowserContext, browser_errors: list[str]) -> BrowserContext:
    """A context in which a request to any other host is an error, and so is a dialog."""

    def hear(request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme.startswith(("http", "ws")) and url.hostname != "127.0.0.1":
            browser_errors.append(f"asks another host: {request.url}")

    context.on("request", hear)
    context.on("dialog", lambda dialog: (browser_errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    return context


@pytest.fixture
def page(page: Page) -> Page:
    page.set_default_timeout(10_000)
    return page


# --- reading and using a page -----------------------------------------------------------------------------------------

# The card and the line of the latency are left out: what this visitor has measured is no part of the link.
SNAPSHOT = """
() => {
  const live = [...document.querySelectorAll('.st-key-cards [data-testid=stMetric], .latency')].filter(
    e => e.matches('.latency') || e.innerText.startsWith('Latency here'));
  live.forEach(e => { e.style.display = 'none'; });
  const seen = ({
  text: ['stSidebarUserContent', 'stMainBlockContainer']
    .map(id => document.querySelector(`[data-testid=${id}]`)?.innerText ?? '')
    .join('\\n').split('\\n').map(line => line.trim()).filter(line => line),
  inputs: [...document.querySelectorAll('input')].map(e => `${e.getAttribute('aria-label')} (${e.type}): ${e.value}`),
  switches: [...document.querySelectorAll('[role=radio][aria-checked=true]')].map(e => e.innerText),
  });
  live.forEach(e => { e.style.display = ''; });
  return seen;
}
"""


def visit(page: Page, url: str) -> None:
    open_page(page, url)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def snapshot(page: Page) -> dict[str, list[str]]:
    """Everything that can be read on the page, and every control's value."""
    settle(page)
    seen: dict[str, list[str]] = page.evaluate(SNAPSHOT)
    assert seen["text"]
    return seen


def query(page: Page) -> dict[str, str]:
    found = parse_qs(urlsplit(page.url).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in found.values()), page.url
    return {key: values[0] for key, values in found.items()}


CARDS = "[...document.querySelectorAll('[data-testid=stMetricValue]')].slice(0, 4).map(e => e.innerText)"


def cards(page: Page) -> list[str]:
    """The headline numbers that are counted; behind them stands one that is measured."""
    found: list[str] = page.evaluate(CARDS)
    return found


def expect_cards(page: Page, expected: list[str]) -> None:
    """Wait for the headline numbers: after the browser's own way back nothing tells when the page begins to change."""
    page.wait_for_function(f"expected => String({CARDS}) === String(expected)", arg=expected)


def expected_cards(report: Report, factor: int = 1, bytes_each: int = 0) -> list[str]:
    def size(elements: int) -> str:
        return binary(elements * bytes_each) if bytes_each else si(elements)

    return [si(report.params), si(factor * report.macs), size(report.memory_access), size(report.peak_activation)]


def counted(name: str, memory: str = "fused", **options: Any) -> Report:
    return effviz.analyze(effviz.architecture(name, **options), memory=memory)


def field(page: Page, key: str) -> Locator:
    """What a control of this key is typed into."""
    return page.locator(f".st-key-{key} input:not([type=range])")


def slider(page: Page, key: str) -> Locator:
    return page.locator(f".st-key-{key}_slider input[type=range]")


def press(page: Page, key: str, arrows: str, *, delay: float = 0) -> None:
    """Move a slider with the arrow keys, ">" and "<", and wait for what follows."""
    slider(page, key).focus()
    before = slider(page, key).input_value()
    for arrow in arrows:
        page.keyboard.press({">": "ArrowRight", "<": "ArrowLeft"}[arrow], delay=delay)
    # A slider tells its value a while after the last key. The input beside it follows when the server has answered.
    page.wait_for_function(
        """([key, before]) => {
          const moved = document.querySelector(`.st-key-${key}_slider input[type=range]`).value;
          const typed = document.querySelector(`.st-key-${key} input:not([type=range])`).value;
          return moved !== before && Number(moved) === Number(typed);
        }""",
        arg=[key, before],
    )
    settle(page)


def type_into(page: Page, key: str, value: str) -> None:
    field(page, key).fill(value)
    field(page, key).press("Enter")
    settle(page)


def choose(page: Page, key: str, option: str) -> None:
    field(page, key).click()
    field(page, key).fill(option)
    page.get_by_role("option", name=option, exact=True).click()
    settle(page)


def switch(page: Page, key: str, option: str) -> None:
    page.locator(f".st-key-{key}").get_by_role("radio", name=option, exact=True).click()
    settle(page)


def formulas(page: Page) -> list[str]:
    return [text for text in page.get_by_test_id("stMarkdown").all_inner_texts() if "\n= " in text]


# Controls on the screen whose middle belongs to something else: a click there does not arrive.
COVERED = """
() => [...document.querySelectorAll('button, a, [role=radio], input[type=number], input[type=text]')].filter(e => {
  const box = e.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
  if (!box.width || !box.height || x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return false;
  if (!e.checkVisibility({opacityProperty: true, visibilityProperty: true})) return false;
  const hit = document.elementFromPoint(x, y);
  return !(hit && (e.contains(hit) || hit.contains(e)));
}).map(e => e.innerText || e.getAttribute('aria-label') || e.outerHTML.slice(0, 100))
"""


def link_line(page: Page) -> Locator:
    return page.get_by_text("Ignored in the link")


# --- every page -------------------------------------------------------------------------------------------------------


@every_page
def test_a_page_is_complete_as_the_first_request_to_a_fresh_server(
    entry: PageInfo, fresh_server: Server, page: Page
) -> None:
    visit(page, f"{fresh_server.url}/{entry.url_path}")
    expect(page.get_by_role("heading", level=1)).to_have_text(entry.title)
    expect(page.get_by_text(entry.purpose)).to_be_visible()
    links = page.get_by_test_id("stSidebarNavLink")
    expect(links).to_have_count(len(PAGES))
    for name in NAVIGATION:
        expect(links.filter(has_text=name)).to_be_visible()
    for key in ("count", "unit", "memory"):
        expect(page.locator(f".st-key-{key} [role=radio][aria-checked=true]")).to_be_visible()
    assert urlsplit(page.url).path == f"/{entry.url_path}"


@each_scheme
@each_viewport
@every_page
def test_a_page_fits_and_is_accessible(
    entry: PageInfo, page: Page, color_scheme: str, viewport: dict[str, int]
) -> None:
    visit(page, f"/{entry.url_path}")
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", PAPER[color_scheme])
    for element in ("document.documentElement", "document.querySelector('[data-testid=stMain]')"):
        wide, room = page.evaluate(f"[{element}.scrollWidth, {element}.clientWidth]")
        assert wide <= room, f"{element} scrolls sideways"
    for drawn in page.locator("[data-testid=stPlotlyChart], [data-testid=stDataFrame], [data-testid=stMetric]").all():
        box = drawn.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"]
    assert page.evaluate(COVERED) == [], "what can be seen can be clicked"
    grave = [
        (found["id"], found["impact"], [node["html"][:200] for node in found["nodes"]])
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
    assert grave == []


@pytest.mark.parametrize("link", ["", "?net=ShuffleNetV2&width=1.3&depth=1.5&unit=float32&count=FLOPs"])
def test_the_first_screen_holds_control_numbers_and_chart(page: Page, link: str) -> None:
    visit(page, f"/architectures{link}")
    parts = {
        "width": page.locator(".st-key-width_slider"),
        "resolution": page.locator(".st-key-res_slider"),
        "first card": page.get_by_test_id("stMetric").first,
        "last card": page.get_by_test_id("stMetric").last,
        "chart": page.get_by_test_id("stPlotlyChart").first,
    }
    for name, part in parts.items():
        box = part.bounding_box()
        assert box is not None, name
        assert box["y"] >= 0, name
        assert box["y"] + box["height"] <= 800, name
    tops = {card.bounding_box()["y"] for card in page.get_by_test_id("stMetric").all()}  # type: ignore[index]
    assert len(tops) == 1, "one row of cards"


# --- controls ---------------------------------------------------------------------------------------------------------


def test_slider_and_input_are_one_control(page: Page) -> None:
    visit(page, "/architectures")
    assert cards(page) == expected_cards(counted("mobilenet_v2"))
    press(page, "width", ">")
    assert cards(page) == expected_cards(counted("mobilenet_v2", width_mult=1.05))
    assert query(page) == {"width": "1.05"}
    expect(field(page, "width")).to_have_value("1.05")
    expect(slider(page, "width")).to_be_focused()
    press(page, "width", "<<<")
    assert cards(page) == expected_cards(counted("mobilenet_v2", width_mult=0.9))
    press(page, "res", ">")
    assert cards(page) == expected_cards(counted("mobilenet_v2", width_mult=0.9, resolution=225))
    assert query(page) == {"width": "0.9", "res": "225"}
    type_into(page, "width", "0.5")
    expect(slider(page, "width")).to_have_value("0.5")
    assert cards(page) == expected_cards(counted("mobilenet_v2", width_mult=0.5, resolution=225))
    type_into(page, "width", "4")
    expect(slider(page, "width")).to_have_value("2")
    assert cards(page) == expected_cards(counted("mobilenet_v2", width_mult=4.0, resolution=225))
    assert query(page) == {"width": "4", "res": "225"}
    type_into(page, "width", "1")
    expect(slider(page, "width")).to_have_value("1")
    assert query(page) == {"res": "225"}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("convolutions", "cout"),
        ("convolutions", "kernel"),
        ("blocks", "cin"),
        ("blocks", "map"),
        ("memory", "ratio"),
        ("memory", "res"),
        ("multipliers", "width"),
        ("multipliers", "res"),
        ("width_depth", "budget"),
        ("scaling", "phi"),
    ],
)
def test_a_slider_changes_the_headline(page: Page, path: str, key: str) -> None:
    visit(page, f"/{path}")
    before, start = cards(page), query(page)
    press(page, key, ">")
    # On a busy machine the input and the address can be some hundred ms ahead of the numbers.
    page.wait_for_function(f"before => String({CARDS}) !== String(before)", arg=before)
    assert query(page) == start | {key: field(page, key).input_value()}
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here


def test_no_move_of_a_slider_is_lost(page: Page) -> None:
    """Each move draws the page, and the diagram that follows draws it once more; the reader moves on meanwhile."""
    visit(page, "/architectures?net=MobileNetV1")
    press(page, "width", 20 * ">", delay=30)
    expect(field(page, "width")).to_have_value("2.00")
    assert cards(page) == expected_cards(counted("mobilenet_v1", width_mult=2.0))


def test_a_slider_holds_its_value_while_the_diagram_is_awaited(page: Page) -> None:
    """A part that repeats itself sends all values as the browser has them, and the input may not have followed yet."""
    late = LateReports(page, "width")
    visit(page, "/architectures?net=MobileNetV3-Large&width=0.9")
    late.value = 0.9
    press(page, "width", ">")
    assert late.count, "the diagram was there at once"
    assert cards(page) == expected_cards(counted("mobilenet_v3_large", width_mult=0.95))
    assert query(page) == {"net": "MobileNetV3-Large", "width": "0.95"}
    expect(field(page, "width")).to_have_value("0.95")
    expect(slider(page, "width")).to_have_value("0.95")


def test_another_network_starts_unscaled(page: Page) -> None:
    visit(page, "/architectures?depth=2&layer=stem.conv&count=FLOPs")
    type_into(page, "width", "0.5")
    type_into(page, "res", "96")
    type_into(page, "find", "conv")
    choose(page, "net", "EfficientNet-B7")
    assert cards(page) == expected_cards(counted("efficientnet_b7"), factor=2)
    assert query(page) == {"net": "EfficientNet-B7", "count": "FLOPs"}
    for key, value in {"width": "1.00", "depth": "1.00", "res": "600", "classes": "1000", "find": ""}.items():
        expect(field(page, key)).to_have_value(value)
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here


# --- the link ---------------------------------------------------------------------------------------------------------


def test_a_copied_link_restores_every_control(page: Page, new_context: Callable[..., BrowserContext]) -> None:
    visit(page, "/architectures")
    choose(page, "net", "MobileNetV3-Small")
    for key, value in {"width": "0.75", "depth": "1.5", "res": "192", "classes": "10", "find": "depthwise"}.items():
        type_into(page, key, value)
    for key, value in {"count": "FLOPs", "unit": "float16", "memory": "Eager"}.items():
        switch(page, key, value)
    choose(page, "layer", "stage2.0.depthwise.conv")
    options = {"width_mult": 0.75, "depth_mult": 1.5, "resolution": 192, "num_classes": 10}
    assert cards(page) == expected_cards(counted("mobilenet_v3_small", "eager", **options), factor=2, bytes_each=2)
    asked = {
        "net": "MobileNetV3-Small",
        "width": "0.75",
        "depth": "1.5",
        "res": "192",
        "classes": "10",
        "find": "depthwise",
        "layer": "stage2.0.depthwise.conv",
        "count": "FLOPs",
        "unit": "float16",
        "memory": "Eager",
    }
    assert query(page) == asked
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here
    assert query(page) == asked
    other = new_context().new_page()
    visit(other, page.url)
    assert snapshot(other) == here
    assert query(other) == asked
    expect(link_line(other)).to_have_count(0)


def test_the_convention_goes_from_page_to_page(page: Page) -> None:
    visit(page, "/")
    convention = {"count": "FLOPs", "unit": "int8", "memory": "Paper"}
    for key, value in convention.items():
        switch(page, key, value)
    assert query(page) == convention
    for name in (*NAVIGATION[1:], *NAVIGATION):
        page.get_by_test_id("stSidebarNavLink").filter(has_text=name).click()
        settle(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(
            next(entry.title for entry in PAGES if name in (entry.title, entry.url_path or "Home"))
        )
        assert query(page) == convention
        for key, value in convention.items():
            expect(page.locator(f".st-key-{key} [role=radio][aria-checked=true]")).to_have_text(value)
        if name == "Architectures":
            assert cards(page) == expected_cards(counted("mobilenet_v2", "paper"), factor=2, bytes_each=1)


def test_every_page_keeps_its_own_settings(page: Page) -> None:
    """Pages share short names: a resolution of the one is none of the other, in the input as in the address."""

    def go(name: str) -> None:
        page.get_by_test_id("stSidebarNavLink").filter(has_text=name).click()
        settle(page)

    def shown(key: str) -> str:
        return page.locator(f".st-key-{key} input[type=number]").first.input_value()

    visit(page, "/architectures?net=MobileNetV1&res=1100&depth=2&count=FLOPs")
    go("Memory access cost")
    assert query(page) == {"count": "FLOPs"}
    assert shown("res") == "56"
    type_into(page, "res", "28")
    go("Architectures")
    assert query(page) == {"count": "FLOPs", "net": "MobileNetV1", "res": "1100", "depth": "2.0"}
    assert (shown("res"), shown("depth")) == ("1100", "2.00")
    type_into(page, "width", "0.5")
    assert query(page) == {"count": "FLOPs", "net": "MobileNetV1", "res": "1100", "depth": "2.0", "width": "0.5"}
    go("Memory access cost")
    assert query(page) == {"count": "FLOPs", "res": "28"}
    here = snapshot(page)
    page.reload()
    assert snapshot(page) == here
    go("Architectures")
    type_into(page, "width", "0.25")
    go("Home")
    page.get_by_text("MobileNetV2 at half width").click()
    settle(page)
    assert query(page) == {"count": "FLOPs", "width": "0.5"}, "a link into a page wins over what was set there"
    assert cards(page) == expected_cards(counted("mobilenet_v2", width_mult=0.5), factor=2)


def test_home_leads_into_a_page_that_is_set_up(page: Page) -> None:
    visit(page, "/?count=FLOPs")
    page.get_by_text("EfficientNet-B0 at phi = 2").click()
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Compound scaling")
    report = effviz.analyze(effviz.compound_scale(effviz.architecture("efficientnet_b0"), 2))
    assert cards(page)[:3] == ["1.920", si(report.params), si(report.flops)]
    assert query(page) == {"count": "FLOPs", "phi": "2"}
    expect(link_line(page)).to_have_count(0)


def test_back_and_forward_show_what_the_address_says(
    page: Page, new_context: Callable[..., BrowserContext], base_url: str
) -> None:
    visit(page, "/")
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Architectures").click()
    settle(page)
    type_into(page, "width", "0.5")
    choose(page, "net", "VGG-16")
    switch(page, "count", "FLOPs")
    other = new_context().new_page()
    seen = [page.url]
    for move in (page.go_back, page.go_back, page.go_forward, page.go_forward):
        move()
        assert page.url.startswith(base_url)
        seen.append(page.url)
        here = snapshot(page)
        assert page.url == seen[-1], "the page leaves the address alone"
        visit(other, page.url)
        assert here == snapshot(other), page.url
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


def test_a_hostile_link_is_read_as_text(page: Page, base_url: str) -> None:
    page.goto(base_url)  # for the address of an empty page on the same host
    link = page.evaluate("pairs => '/architectures?' + new URLSearchParams(pairs)", HOSTILE)
    visit(page, link)
    assert cards(page) == expected_cards(counted("mobilenet_v2"))
    line = link_line(page)
    expect(line).to_have_count(1)
    expect(line).to_be_in_viewport()
    said = line.inner_text()
    for key, value in HOSTILE.items():
        assert key in said
        if "example.org/x" not in key:
            assert value[:37] in said, "as it was asked, not as Markdown would have it"
    holder = page.locator("[data-testid=stAlert], [data-testid=stHtml], [data-testid=stMarkdown]").filter(has=line)
    made = "a, img, b, strong, em, code, .katex, [role=img], [style*=color]"
    assert holder.last.locator("p, div").filter(has_text="Ignored in the link").last.locator(made).count() == 0
    grave = [
        found["id"] for found in Axe().run(page).response["violations"] if found["impact"] in ("serious", "critical")
    ]
    assert grave == []
    assert not {"net", "layer", "count", "unit", "width", "res", "classes"} & set(query(page))
    type_into(page, "width", "0.5")
    assert query(page)["width"] == "0.5", "from now on the link holds it"
    type_into(page, "classes", "10")
    switch(page, "unit", "int8")
    choose(page, "layer", "stem.conv")
    asked = {"width": "0.5", "classes": "10", "unit": "int8", "layer": "stem.conv"}
    assert {key: query(page).get(key) for key in asked} == asked


# --- the table of layers ----------------------------------------------------------------------------------------------


LAYERS = "[class*=st-key-layers]"


def select_row(page: Page, row: int) -> None:
    """Click the box at the left end of a row; the table is a drawing, so its place is all there is to click on."""
    table = page.locator(f"{LAYERS} [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    table.click(position={"x": 15, "y": 35 * (row + 1) + 17})
    settle(page)


def highlighted(page: Page) -> list[str]:
    """Paths of the selected rows, from the table for screen readers that lies under the drawing."""
    return page.locator(f"{LAYERS} [role=row][aria-selected=true] [role=gridcell]:first-child").all_inner_texts()


def test_selecting_a_row_explains_its_layer(page: Page) -> None:
    visit(page, "/architectures")
    table = counted("mobilenet_v2").table
    before = formulas(page)
    for row in (0, 3):
        layer = table.iloc[row]
        select_row(page, row)
        expect(field(page, "layer")).to_have_value(layer["path"])
        assert query(page) == {"layer": layer["path"]}
        shown = formulas(page)
        assert shown != before
        assert f"= {exact(layer['params'])}" in shown[0]
        assert f"= {exact(layer['macs'])}" in shown[1]
        assert f"= {exact(layer['memory_access'])} elements" in shown[2]
    type_into(page, "find", "expand.conv")
    expect(field(page, "layer")).to_have_value(layer["path"])
    found = table[table["path"].str.contains("expand.conv", regex=False)]["path"].tolist()
    select_row(page, 1)
    expect(field(page, "layer")).to_have_value(found[1])
    assert query(page) == {"find": "expand.conv", "layer": found[1]}


def test_no_row_is_marked_but_the_one_that_is_explained(page: Page) -> None:
    visit(page, "/architectures")
    select_row(page, 2)
    assert highlighted(page) == ["stem.act"]
    choose(page, "layer", "stem.norm")
    assert highlighted(page) in ([], ["stem.norm"])
    select_row(page, 7)
    layer = field(page, "layer").input_value()
    type_into(page, "depth", "2")
    assert highlighted(page) in ([], [field(page, "layer").input_value()]), f"row 7 was {layer} at depth 1"
    select_row(page, 2)
    type_into(page, "find", "expand")
    assert highlighted(page) == [], "the third row of the search is another layer"


# --- taking it away ---------------------------------------------------------------------------------------------------


def _download(page: Page, button: str) -> str:
    with page.expect_download() as started:
        page.get_by_role("button", name=button).click()
    return Path(started.value.path()).read_text(encoding="utf-8")


def test_what_is_taken_away_is_what_the_page_shows(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, "/architectures?net=GhostNet&width=1.3&count=FLOPs&unit=float16&memory=Eager&find=ghost")
    report = counted("ghostnet", "eager", width_mult=1.3)
    comment, _, body = _download(page, "Layers as CSV").partition("\n")
    for words in (
        "GhostNet",
        "224 px",
        "FLOPs: 2 x multiply-adds",
        "2 bytes per element",
        "every operation as PyTorch",
    ):
        assert words in comment
    assert comment.startswith("# ")
    rows = {row["Path"]: row for row in csv.DictReader(io.StringIO(body))}
    shown = report.table[report.table["kind"] != "view"]
    assert set(shown["path"]) <= set(rows)
    for layer in report.table.itertuples():
        row = rows[layer.path]
        assert row["Kind"] == layer.kind
        assert row["Output"] == layer.output_shape
        assert int(row["Parameters"]) == layer.params
        assert int(row["FLOPs"]) == layer.flops
        assert int(row["Memory access (bytes)"]) == 2 * layer.memory_access
        assert int(row["Alive (bytes)"]) == 2 * layer.alive
    assert sum(int(row["Parameters"]) for row in rows.values()) == report.params
    assert Design.from_json(_download(page, "Design as JSON")) == report.design
    type_into(page, "width", "0.5")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert query(page)["width"] == "0.5"


def test_one_click_reveals_the_answer_to_a_guess(page: Page) -> None:
    visit(page, "/architectures")
    half = counted("mobilenet_v2", resolution=112).macs / counted("mobilenet_v2").macs
    guess = page.locator(".st-key-half_guess input")
    guess.scroll_into_view_if_needed()
    guess.fill("50")
    # As a hand does it: point and click, whatever state the button is in.
    box = page.locator(".st-key-half_reveal button").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    expect(page.get_by_text(f"{100 * half:.1f} %")).to_be_visible()


# --- the server -------------------------------------------------------------------------------------------------------


def test_no_page_loads_torch_into_the_server(page: Page, server: Server) -> None:
    for entry in PAGES:
        visit(page, f"/{entry.url_path}")
    visit(page, "/architectures")
    _download(page, "Layers as CSV")
    mapped = Path(f"/proc/{server.process.pid}/maps").read_text(encoding="utf-8")
    assert "python" in mapped
    assert "torch" not in mapped


def test_no_visit_so_far_made_a_page_fail(server: Server) -> None:
    assert "Traceback" not in server.log
